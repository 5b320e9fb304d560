# ruff: noqa: E501  (a line for each bug)
"""Bugs planted in a copy of the rehearsal backend: does schemathesis find them? python benchmarks/mutants_backend.py

Ends with 1 where fewer than 11 of 12 are found, or where the backend as it is has a failure.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

ROOT = Path(__file__).parents[1]
BACKEND = ROOT / "rehearsal/veza_rehearsal"
CONTRACT = ROOT / "sdk/veza/openapi.json"
ACCOUNT = {"email": "operator@veza.test", "password": "correct horse battery staple"}
EXAMPLES = "10"
LEAST = 11


@dataclass(frozen=True)
class Bug:
    """A bug: in `file`, the first `old` becomes `new`."""

    name: str
    file: str
    old: str
    new: str


BUGS = (
    Bug("amounts as text", "shop.py", 'return {**order, "items": items}', 'return {**order, "total_amount_cents": str(order["total_amount_cents"]), "items": items}'),
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


def tested(bug: Bug | None) -> tuple[int, str]:
    """Return schemathesis's exit code for the backend with a bug, and what it said of it."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if bug is not None:
            shutil.copytree(BACKEND, folder / "veza_rehearsal", ignore=shutil.ignore_patterns("__pycache__"))
            path = folder / "veza_rehearsal" / bug.file
            path.write_text(path.read_text(encoding="utf-8").replace(bug.old, bug.new, 1), encoding="utf-8")
        return _run(folder)


def _run(folder: Path) -> tuple[int, str]:
    command = [sys.executable, "-m", "veza_rehearsal", "--contract", str(CONTRACT), "--seed", "1"]
    command += ["--database", f"sqlite:///{folder / 'backend.db'}", "--until-stdin-closes"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    with (folder / "stderr.log").open("wb") as errors, subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment
    ) as process:  # fmt: skip
        assert process.stdout is not None
        base = json.loads(process.stdout.readline())["base_url"]
        login = httpx.post(f"{base}/api/v1/auth/login", json=ACCOUNT).json()
        words = ["--header", f"Authorization: Bearer {login['data']['access_token']}"]
        words += ["--generation-deterministic", "--max-examples", EXAMPLES, "--no-color"]
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "run", str(CONTRACT), "--url", f"{base}/api/v1", *words],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.close()
    said = [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("- ")]
    return done.returncode, said[0].removeprefix("- ") if said else ""


def main() -> int:
    stale = [bug.name for bug in BUGS if bug.old not in (BACKEND / bug.file).read_text(encoding="utf-8")]
    if stale:
        raise SystemExit(f"no place left in the backend for: {', '.join(stale)}")
    with ThreadPoolExecutor(2) as pool:
        clean, *results = pool.map(tested, (None, *BUGS))
    print(f"the backend as it is: {'no failure' if clean[0] == 0 else clean[1]}\n")
    print("| Bug | File | Found | As |\n|---|---|---|---|")
    for bug, (code, said) in zip(BUGS, results, strict=True):
        print(f"| {bug.name} | `{bug.file}` | {'yes' if code else '**no**'} | {said} |")
    found = sum(code != 0 for code, _ in results)
    print(f"\n{found} of {len(BUGS)} found")
    return 0 if found >= LEAST and clean[0] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
