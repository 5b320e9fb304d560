"""The dual of the mutation score: each bug in a copy of the SDK of its own, and which check finds it first."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.mutants_bugs import BY_HAND, SDK, Bug, generated

import veza
from veza_contract import containment, requests, responses, sending, spec
from veza_contract.findings import Finding

CONTRACT = SDK / "openapi.json"
SECONDS = 300


@dataclass(frozen=True)
class Outcome:
    """A bug and the check that found it; empty where none did."""

    name: str
    file: str
    found_by: str


def bugs() -> list[Bug]:
    """Return every bug; each must still have its place in the SDK."""
    found = [*BY_HAND, *generated()]
    stale = [bug.name for bug in found if bug.old not in (SDK / bug.file).read_text(encoding="utf-8")]
    if stale:
        raise SystemExit(f"no place left in the SDK for: {', '.join(stale)}")
    return found


def seeded(bug: Bug) -> Outcome:
    """Put a bug into a copy of the SDK and let the checks look at it, in a process of its own."""
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "veza"
        shutil.copytree(SDK, copy, ignore=shutil.ignore_patterns("__pycache__"))
        path = copy / bug.file
        path.write_text(path.read_text(encoding="utf-8").replace(bug.old, bug.new, 1), encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, __file__, str(copy)]
        done = subprocess.run(
            command, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=SECONDS
        )
    if done.returncode:
        # The bug, or the benchmark, is not well made: that nothing could be checked is no find.
        raise SystemExit(f"{bug.name}: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
    return Outcome(bug.name, bug.file, done.stdout.strip())


def look(copy: Path) -> str:
    """Return the first check that finds something in the SDK that is imported, which must be the copy."""
    if Path(veza.__file__).parent != copy:
        raise SystemExit(f"the SDK in use is {veza.__file__}, not the copy")
    contract = spec.read(spec.load(CONTRACT))
    looks: dict[str, Callable[[], list[Finding]]] = {
        "static": lambda: containment.check(contract),
        "a": lambda: [
            finding
            for asynchronous in (False, True)
            for call in sending.sent(20, 1, asynchronous=asynchronous)
            for finding in requests.check(contract, call)
        ],
        "b": lambda: [
            finding
            for asynchronous in (False, True)
            for finding in responses.check(contract, responses.Budget(5, 1), asynchronous=asynchronous)
        ],
    }
    for name, found in looks.items():
        try:
            if found():
                return name
        except Exception:  # noqa: BLE001 - a method that ends with an error not of the SDK fails the test too
            return name
    return ""


if __name__ == "__main__":
    print(look(Path(sys.argv[1])))
