"""Tests a running backend against the contract: runs schemathesis in a child process and reads its report."""

from __future__ import annotations

import copy
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, Final

from veza import Secret
from veza._session import authorize
from veza_contract.operations import document, operation_ids
from veza_contract.proving import Found, Noted, noted, proven, reported

READ_ONLY_HOOKS = "veza_contract.guard_reads"
WRITING_HOOKS = "veza_contract.guard_login"
LOGINS = frozenset({"login", "refreshToken", "logout"})
_METHODS = ("get", "head", "post", "put", "patch", "delete")
_RATE = re.compile(r"(?P<count>[1-9][0-9]{0,5})/(?P<unit>s|sec|second|m|min|minute|h|hour)")
NOTES: Final = "VEZA_CONTRACT_NOTES"
SLOWEST: Final = "VEZA_CONTRACT_SLOWEST"
INTERRUPTED: Final = "interrupted"
_DEADLINE: Final = 1200.0
_SLOWEST: Final = 30.0
_GRACE: Final = 10.0
_MOST_WORDS: Final = 2**24


@dataclass(frozen=True, slots=True)
class Plan:
    """What to test, and how fast.

    Attributes:
        base_url: the backend, without `/api/v1`.
        token: the access token; None tests public operations only.
        write: whether to send requests that change something.
        rate: the limit of requests in schemathesis's notation (`90/m`); None for no limit.
        write_rate: the limit of writes for each operation; None for no limit of their own.
        examples: generated requests for each operation, in addition to the coverage phase.
        seed: makes a run repeatable.
        deadline: seconds after which the run is ended.
        slowest: seconds after which an answer is given up.
        known: ids that the backend has, by parameter (`order_id`), to ask for.
        environment: the environment's variables of the child process; no secret is among them.
        redaction: given secrets by kind, returns a function that redacts a text.
    """

    base_url: str
    token: str | None = None
    write: bool = False
    rate: str | None = None
    examples: int = 50
    seed: int | None = None
    write_rate: str | None = field(default=None, kw_only=True)
    deadline: float = field(default=_DEADLINE, kw_only=True)
    slowest: float = field(default=_SLOWEST, kw_only=True)
    known: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    environment: Mapping[str, str] = field(kw_only=True)
    redaction: Callable[[Mapping[str, str]], Callable[[str], str]] = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a whole run.

    Attributes:
        found: one entry for each operation that was tested.
        code: schemathesis's exit code.
        report: the JUnit file.
        transcript: what schemathesis printed, secrets and e-mail addresses masked.
        cut: why the run ended before its end; empty if it did not.
        notes: the answers of each operation.
    """

    found: tuple[Found, ...]
    code: int
    report: Path
    transcript: Path
    cut: str = ""
    notes: Mapping[str, Noted] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every operation was tested and answered as documented."""
        return self.code == 0 and not self.cut and bool(self.found) and all(one.status == "ok" for one in self.found)

    @property
    def failed(self) -> bool:
        """Whether an operation failed, or could not be tested."""
        return not self.found or any(one.status in {"failed", "error"} for one in self.found)

    @property
    def proven(self) -> bool:
        """Whether the run ended by itself, and every operation was proven by a success."""
        return not self.cut and bool(self.found) and all(one.status == "proven" for one in self.found)


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
        "warnings": True,
        "reports": {"junit": {"path": str(folder / "junit.xml")}},
        "generation": {"max-examples": plan.examples, "database": "none"},
        "phases": {"coverage": {"unexpected-methods": ()}, "stateful": {"enabled": False}},
    }
    if plan.write:
        settings["phases"] = {"coverage": {"unexpected-methods": ()}, "stateful": {"enabled": True}}
    if plan.token is not None:
        ways = {one.scheme: {one.kind: f"${{{one.variable}}}"} for one in _credentials(plan.token)}
        settings["auth"] = {"openapi": ways}
    if plan.rate is not None:
        settings["rate-limit"] = plan.rate
    if plan.seed is not None:
        settings["seed"] = plan.seed
    if plan.write_rate is not None:
        settings["operations"] = [{"include-method": "POST", "rate-limit": plan.write_rate}]
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
    report, transcript, notes = folder / "junit.xml", folder / "schemathesis.txt", folder / "answers.jsonl"
    report.unlink(missing_ok=True)
    notes.unlink(missing_ok=True)
    environment = dict(plan.environment) | {NOTES: str(notes), SLOWEST: str(plan.slowest)}
    if hooks is not None:
        environment["SCHEMATHESIS_HOOKS"] = hooks
    if plan.token is not None:
        environment |= {one.variable: one.value for one in _credentials(plan.token)}
    with TemporaryDirectory() as scratch:
        spec, config = Path(scratch, "openapi.json"), Path(scratch, "schemathesis.toml")
        spec.write_text(json.dumps(_asked_for(plan.known)), encoding="utf-8")
        # A foreign home has a .netrc, whose login requests would send in the token's place.
        environment |= {"HOME": scratch, "NO_PROXY": "*"}
        config.write_text(_toml(settings), encoding="utf-8")
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(spec)]
        command += ["--url", f"{plan.base_url.rstrip('/')}{document()['servers'][0]['url']}"]
        command += [word for operation in operations for word in ("--include-operation-id", operation)]
        code, printed, cut = _ended(command, environment, scratch, plan.deadline)
    redacted = _redacted(plan)
    transcript.write_text(redacted(printed), encoding="utf-8")
    return Outcome(reported(report, redacted), code, report, transcript, cut, noted(notes))


def _ended(
    command: Sequence[str], environment: Mapping[str, str], folder: str, deadline: float
) -> tuple[int, str, str]:
    """Run a command to its end, the deadline's or the operator's; return its exit code, its words, and what cut it.

    When it is cut, it is asked to end, and has a while to write its reports.
    """
    with TemporaryFile() as words, subprocess.Popen(  # noqa: S603 - our interpreter, arguments of ours
        command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=words, stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as child:  # fmt: skip
        cut = ""
        try:
            child.wait(deadline)
        except (subprocess.TimeoutExpired, KeyboardInterrupt) as error:
            cut = INTERRUPTED if isinstance(error, KeyboardInterrupt) else f"it was not over after {deadline:.0f} s"
            child.send_signal(signal.SIGINT)
            try:
                child.wait(_GRACE)
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                child.kill()
        code = child.wait()
        words.seek(0)
        return code, words.read(_MOST_WORDS).decode(errors="replace"), cut


def _asked_for(known: Mapping[str, str]) -> dict[str, Any]:
    """Return the contract with ids that the backend has as examples, so that a success can be shown."""
    contract: dict[str, Any] = copy.deepcopy(document())
    shared = contract.get("components", {}).get("parameters", {})
    operations = [one for item in contract["paths"].values() for one in item.values() if isinstance(one, dict)]
    for parameter in (*shared.values(), *(one for operation in operations for one in operation.get("parameters", ()))):
        if parameter.get("in") == "path" and parameter["name"] in known:
            parameter["example"] = known[parameter["name"]]
    return contract


def check(plan: Plan, folder: Path) -> Outcome:
    """Test a backend against the contract; read-only unless the plan allows writes."""
    folder = folder.resolve()
    hooks = WRITING_HOOKS if plan.write else READ_ONLY_HOOKS
    operations = selected(plan)
    outcome = execute(plan, folder, configuration(plan, folder), hooks, operations)
    labels = {operation: label for label, operation in operation_ids().items()}
    names = [labels[operation] for operation in operations]
    return replace(outcome, found=proven(names, outcome.found, outcome.notes))


def ask_everything(plan: Plan, folder: Path) -> tuple[Outcome, Path]:
    """Test every operation, even the login, and write an HTTP archive. For a rehearsal backend only."""
    folder = folder.resolve()
    archive = folder / "answers.har"
    settings = configuration(plan, folder)
    settings["reports"] = {**settings["reports"], "har": {"path": str(archive)}}
    settings["generation"] = {**settings["generation"], "deterministic": True}
    return execute(plan, folder, settings, None, (*LOGINS, *selected(plan))), archive


def _toml(settings: Mapping[str, Any]) -> str:
    lines: list[str] = []
    _table(lines, "", settings)
    return "\n".join(lines) + "\n"


def _table(lines: list[str], name: str, table: Mapping[str, Any]) -> None:
    if name:
        lines.append(f"[{name}]")
    lines += [f"{key} = {json.dumps(value)}" for key, value in table.items() if not isinstance(value, dict | list)]
    for key, value in table.items():
        if isinstance(value, dict):
            _table(lines, f"{name}.{key}" if name else key, value)
        elif isinstance(value, list):
            for one in value:
                lines += [f"[[{key}]]", *(f"{inner} = {json.dumps(said)}" for inner, said in one.items())]
