# ruff: noqa: E501  (a line for each bug)
"""Bugs planted in a copy of the rehearsal backend: does schemathesis find them?"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from benchmarks.mutants_bugs import Bug

ROOT = Path(__file__).parents[1]
BACKEND = ROOT / "rehearsal/veza_rehearsal"
CONTRACT = ROOT / "sdk/veza/openapi.json"
ACCOUNT = {"email": "operator@veza.test", "password": "correct horse battery staple"}
LONG = 200
LEAST = 11


BUGS = (
    Bug("amounts as text", "shop.py", 'shown = {**order, "items": items}', 'shown = {**order, "total_amount_cents": str(order["total_amount_cents"]), "items": items}'),
    Bug("moments without an offset", "answers.py", "return Answer(status, body | more, committed=committed)", 'return Answer(status, json.loads(json.dumps(body | more).replace("Z\\"", "\\"")), committed=committed)'),
    Bug("no request id", "app.py", 'headers["X-Request-ID"] = request_id', 'headers["X-Trace-ID"] = request_id'),
    Bug("an unknown order is a crash", "shop.py", 'raise RefusedError(self._missing(call, "ORDER_NOT_FOUND", "No such order"))', 'raise KeyError("order")'),
    Bug("no login is asked for", "api.py", "raise RefusedError(answer) from None", 'return self._database.one("SELECT * FROM users") or {}'),
    Bug("errors in another shape", "answers.py", '"message": message, "error_code": code}', '"msg": message, "error_code": code}'),
    Bug("a status that nobody documented", "shop.py", "return envelope(201, data, committed=True)", "return envelope(206, data, committed=True)"),
    Bug("a list as text", "shop.py", '"license_types": json.loads(product["license_types"])}', '"license_types": product["license_types"]}'),
    Bug("bodies are not checked", "contract.py", "for error in self._body_validator.iter_errors(body):", "for error in ():"),
    Bug("parameters are not checked", "contract.py", "for error in self.validator.iter_errors(value):", "for error in ():"),
    Bug("a page does not say where it stands", "shop.py", "meta=meta)", "seen=meta)"),
    Bug("answers as plain text", "answers.py", 'media_type="application/json")', 'media_type="text/plain")'),
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What schemathesis said of a backend.

    Attributes:
        code: its exit code; 0 where nothing was found.
        said: its first failure.
        counted: its summary of the requests, such as `1955 generated, 1955 passed`.
        log: the digest of the backend's log, which has the digest of every answer.
    """

    code: int
    said: str
    counted: str
    log: str


def asked(bug: Bug | None, examples: int = 10, port: int = 0) -> Asked:
    """Let schemathesis ask the backend with a bug, in all phases."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if bug is not None:
            shutil.copytree(BACKEND, folder / "veza_rehearsal", ignore=shutil.ignore_patterns("__pycache__"))
            path = folder / "veza_rehearsal" / bug.file
            path.write_text(path.read_text(encoding="utf-8").replace(bug.old, bug.new, 1), encoding="utf-8")
        return _run(folder, examples, port)


def twice() -> tuple[Asked, Asked]:
    """Return the long run on the backend as it is, and the same once more: its port is in its answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return asked(None, LONG, port), asked(None, LONG, port)


def _run(folder: Path, examples: int, port: int) -> Asked:
    log = folder / "requests.log"
    command = [sys.executable, "-m", "veza_rehearsal", "--contract", str(CONTRACT), "--seed", "1", "--port", str(port)]
    command += ["--database", f"sqlite:///{folder / 'backend.db'}", "--until-stdin-closes", "--log", str(log)]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    with (folder / "stderr.log").open("wb") as errors, subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment
    ) as process:  # fmt: skip
        assert process.stdout is not None
        base = json.loads(process.stdout.readline())["base_url"]
        login = httpx.post(f"{base}/api/v1/auth/login", json=ACCOUNT).json()
        words = ["--header", f"Authorization: Bearer {login['data']['access_token']}"]
        words += ["--generation-deterministic", "--max-examples", str(examples), "--no-color", "--workers", "1"]
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "run", str(CONTRACT), "--url", f"{base}/api/v1", *words],
            cwd=folder, capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.close()
    said = re.search(r"^- (ST\d+ .*)", done.stdout, re.MULTILINE)
    counted = re.search(r"\d+ generated, .*", done.stdout)
    digest = hashlib.sha256(log.read_bytes()).hexdigest()
    return Asked(done.returncode, said[1] if said else "", counted[0] if counted else "nothing", digest)


def check() -> None:
    """End here where a bug has no place left in the backend."""
    stale = [bug.name for bug in BUGS if bug.old not in (BACKEND / bug.file).read_text(encoding="utf-8")]
    if stale:
        raise SystemExit(f"no place left in the backend for: {', '.join(stale)}")


def section(long: tuple[Asked, Asked], results: Sequence[Asked]) -> list[str]:
    """Return the lines of the page: what schemathesis said of the backend as it is, and of each bug."""
    once, again = long
    same = "byte for byte the same" if once.log == again.log else "**not the same**"
    found = sum(one.code != 0 for one in results)
    return [
        "## The rehearsal backend", "",
        f"schemathesis, all phases, {LONG} examples for each operation: {once.counted}; {once.said or 'no failure'}.",
        f"Once more, with the same seed of ids and clock: {again.counted}; the backend's answers were {same}.", "",
        f"{len(BUGS)} bugs, each planted in a copy of the backend, asked in the same way with 10 examples: {found} found.", "",
        "| Bug | File | Found | As |", "|---|---|---|---|",
        *(
            f"| {bug.name} | `{bug.file}` | {'yes' if one.code else '**no**'} | {one.said.replace('|', '/')} |"
            for bug, one in zip(BUGS, results, strict=True)
        ),
    ]  # fmt: skip
