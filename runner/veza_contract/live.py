"""Tests a running backend against the contract: runs schemathesis in a child process and reads its report."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from veza import Secret
from veza._session import authorize
from veza_contract.operations import document

READ_ONLY_HOOKS = "veza_contract.guard_reads"
WRITING_HOOKS = "veza_contract.guard_login"
LOGINS = frozenset({"login", "refreshToken", "logout"})
_METHODS = ("get", "head", "post", "put", "patch", "delete")
_RATE = re.compile(r"(?P<count>[1-9][0-9]{0,5})/(?P<unit>s|sec|second|m|min|minute|h|hour)")
_LONGEST_MESSAGE = 400
_CASE = re.compile(r"[0-9]+\. Test Case ID")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to test, and how fast.

    Attributes:
        base_url: the backend, without `/api/v1`.
        token: the access token; None tests public operations only.
        write: whether to send requests that change something.
        rate: the limit of requests in schemathesis's notation (`90/m`); None for no limit.
        examples: generated requests for each operation, in addition to the coverage phase.
        seed: makes a run repeatable.
        environment: the environment's variables of the child process; no secret is among them.
        redaction: given secrets by kind, returns a function that redacts a text.
    """

    base_url: str
    token: str | None = None
    write: bool = False
    rate: str | None = None
    examples: int = 50
    seed: int | None = None
    environment: Mapping[str, str] = field(kw_only=True)
    redaction: Callable[[Mapping[str, str]], Callable[[str], str]] = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Found:
    """The result for one operation.

    Attributes:
        name: method and path, or the phase.
        status: `ok`, `failed`, or `error` (it could not be tested).
        message: why, in one line.
    """

    name: str
    status: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a whole run.

    Attributes:
        found: one entry for each operation that was tested.
        code: schemathesis's exit code; anything but 0 is a failure, whatever `found` says.
        report: the JUnit file.
        transcript: what schemathesis printed, secrets and e-mail addresses masked.
    """

    found: tuple[Found, ...]
    code: int
    report: Path
    transcript: Path

    @property
    def passed(self) -> bool:
        """Whether every operation was tested and answered as documented."""
        return self.code == 0 and bool(self.found) and all(one.status == "ok" for one in self.found)


def rate(text: str) -> str:
    """Read a rate such as `90/min`.

    Raises:
        ValueError: it is not a rate.
    """
    found = _RATE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r:.40} is not a rate such as 90/min, 5/s or 1000/hour")
    return f"{found['count']}/{found['unit'][0]}"


def selected(plan: Plan, spec: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Return the operationIds that a plan may send."""
    contract = document() if spec is None else spec
    general = contract.get("security", [])
    return tuple(
        operation["operationId"]
        for item in contract["paths"].values()
        for method, operation in item.items()
        if method in _METHODS
        and operation["operationId"] not in LOGINS
        and (plan.write or method in {"get", "head"})
        and (plan.token is not None or not operation.get("security", general))
    )


def configuration(plan: Plan, folder: Path) -> dict[str, Any]:
    """Return schemathesis's settings. They name the token's variable, not the token.

    In a read-only run these settings are the first of two guards, `READ_ONLY_HOOKS` the second.
    """
    settings: dict[str, Any] = {
        "color": False,
        "continue-on-failure": True,
        "max-redirects": 0,
        "request-timeout": 30,
        "workers": 1,
        "warnings": False,
        "reports": {"junit": {"path": str(folder / "junit.xml")}},
        "generation": {"max-examples": plan.examples, "database": "none"},
        "phases": {"coverage": {"unexpected-methods": []}, "stateful": {"enabled": False}},
    }
    if plan.write:
        settings["phases"] = {"coverage": {"unexpected-methods": []}, "stateful": {"enabled": True}}
    if plan.token is not None:
        ways = {one.scheme: {one.kind: f"${{{one.variable}}}"} for one in _credentials(plan.token)}
        settings["auth"] = {"openapi": ways}
    if plan.rate is not None:
        settings["rate-limit"] = plan.rate
    if plan.seed is not None:
        settings["seed"] = plan.seed
    return settings


@dataclass(frozen=True, slots=True)
class _Credential:
    """A security scheme's credential: its kind in schemathesis, and its value."""

    scheme: str
    kind: str
    value: str

    @property
    def variable(self) -> str:
        return f"VEZA_CONTRACT_{self.scheme.upper()}"


def _credentials(token: str) -> list[_Credential]:
    """Return the credentials of the SDK's login, one for each security scheme."""
    headers = {name.lower(): value for name, value in authorize(Secret(token)).items()}
    cookies = {key: one.value for key, one in SimpleCookie(headers.get("cookie")).items()}
    found = []
    for name, scheme in document()["components"]["securitySchemes"].items():
        if scheme["type"] == "http":
            value = headers.get("authorization", "").partition(" ")[2]
            found.append(_Credential(name, "bearer", value))
        else:
            place = cookies if scheme["in"] == "cookie" else headers
            found.append(_Credential(name, "api_key", place.get(scheme["name"].lower(), "")))
    return found


def _redacted(plan: Plan) -> Callable[[str], str]:
    if plan.token is None:
        return plan.redaction({})
    credentials = {one.scheme.lower(): one.value for one in _credentials(plan.token)}
    return plan.redaction({"access_token": plan.token} | credentials)


def execute(
    plan: Plan, folder: Path, settings: Mapping[str, Any], hooks: str | None, operations: Sequence[str]
) -> Outcome:
    """Run schemathesis.

    Args:
        plan: what is tested.
        folder: the folder for the reports; made if missing.
        settings: from `configuration`.
        hooks: the module of hooks that schemathesis loads.
        operations: the operationIds to send.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report, transcript = folder / "junit.xml", folder / "schemathesis.txt"
    report.unlink(missing_ok=True)
    environment = dict(plan.environment)
    if hooks is not None:
        environment["SCHEMATHESIS_HOOKS"] = hooks
    if plan.token is not None:
        environment |= {one.variable: one.value for one in _credentials(plan.token)}
    with TemporaryDirectory() as scratch:
        spec, config = Path(scratch, "openapi.json"), Path(scratch, "schemathesis.toml")
        spec.write_text(json.dumps(document()), encoding="utf-8")
        config.write_text(_toml(settings), encoding="utf-8")
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(spec)]
        command += ["--url", f"{plan.base_url.rstrip('/')}{document()['servers'][0]['url']}"]
        command += [word for operation in operations for word in ("--include-operation-id", operation)]
        done = subprocess.run(  # noqa: S603 - our interpreter, arguments of ours
            command, env=environment, cwd=scratch, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    redacted = _redacted(plan)
    transcript.write_text(redacted(done.stdout.decode(errors="replace")), encoding="utf-8")
    found = _read(report, redacted) if report.exists() else ()
    return Outcome(found, done.returncode, report, transcript)


def check(plan: Plan, folder: Path) -> Outcome:
    """Test a backend against the contract; read-only unless the plan allows writes."""
    folder = folder.resolve()
    hooks = WRITING_HOOKS if plan.write else READ_ONLY_HOOKS
    return execute(plan, folder, configuration(plan, folder), hooks, selected(plan))


def ask_everything(plan: Plan, folder: Path) -> tuple[Outcome, Path]:
    """Test every operation, even the login, and write an HTTP archive. For a rehearsal backend only."""
    folder = folder.resolve()
    archive = folder / "answers.har"
    settings = configuration(plan, folder)
    settings["reports"] = {**settings["reports"], "har": {"path": str(archive)}}
    settings["generation"] = {**settings["generation"], "deterministic": True}
    return execute(plan, folder, settings, None, (*LOGINS, *selected(plan))), archive


def _read(report: Path, redacted: Callable[[str], str]) -> tuple[Found, ...]:
    text = redacted(report.read_text(encoding="utf-8", errors="replace"))
    report.write_text(text, encoding="utf-8")
    try:
        root = ET.fromstring(text)  # noqa: S314 - written by our own child; entities are not resolved
    except ET.ParseError as error:
        return (Found("report", "error", f"the report is not XML: {error}"),)
    return tuple(_case(case) for case in root.iter("testcase"))


def _case(case: ET.Element) -> Found:
    name = case.get("name", "")
    problems = [part for part in case if part.tag in {"failure", "error", "skipped"}]
    if not problems:
        return Found(name, "ok", "answers as documented")
    status = "error" if any(part.tag == "error" for part in problems) else "failed"
    if all(part.tag == "skipped" for part in problems):
        status = "skipped"
    message = " · ".join(_why(part.text or "") or part.get("message") or "no word of why" for part in problems)
    return Found(name, status, message[:_LONGEST_MESSAGE])


def _why(text: str) -> str:
    """Return schemathesis's reason for a failure, without the request and the response."""
    kept = takewhile(lambda line: not line.startswith(("[", "Reproduce")), text.splitlines())
    lines = (line.strip().removeprefix("- ") for line in kept)
    return " / ".join(line for line in lines if line and not _CASE.match(line))


def _toml(settings: Mapping[str, Any]) -> str:
    lines: list[str] = []
    _table(lines, "", settings)
    return "\n".join(lines) + "\n"


def _table(lines: list[str], name: str, table: Mapping[str, Any]) -> None:
    if name:
        lines.append(f"[{name}]")
    lines += [f"{key} = {json.dumps(value)}" for key, value in table.items() if not isinstance(value, dict)]
    for key, value in table.items():
        if isinstance(value, dict):
            _table(lines, f"{name}.{key}" if name else key, value)
