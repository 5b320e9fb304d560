"""A walkthrough with report and recording, beside Robot Framework's nine requests with log and report.

Both against a rehearsal backend that is up, a new one each round. Robot Framework is installed into an environment of
this benchmark's own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from benchmarks.paired import BIN, Cost, by_turns, cost, ratio, table
from benchmarks.targets import told

from veza_rehearsal import DEFAULT_EMAIL, DEFAULT_PASSWORD, PROCESSOR_API_KEY

HERE = Path(__file__).parent
VENV = HERE.parent / "build" / "bench-robot"
PACKAGES = ("robotframework==7.5", "robotframework-requests==0.9.7")
ROBOT = "Robot Framework: nine requests, log and report"
OURS = "`run --unattended --refund`: nine steps, recorded, report"
WITNESS = "the same, with the processor as a second witness"
LIMIT = 1.5
ACCOUNT = {"OPERATOR_EMAIL": DEFAULT_EMAIL, "OPERATOR_PASSWORD": DEFAULT_PASSWORD}
NOTE = """\
Each against a backend that is up, a new one each round. Robot Framework sends one request a step. `veza-e2e` also asks
for health, status and products at its gate, reads the order again before the refund, and syncs each record to the disk.

What 1.0 would cost: more than half of the CPU starts Python and the libraries (of 0.46 s: pydantic with the SDK's
models 0.10, httpx 0.07, click, Jinja and the rest 0.08), a fifth our own modules, a fifth is the work. If the work cost
nothing at all, the ratio would still be above 1.0. To get there pydantic would have to leave the SDK (for compiled
structs such as msgspec's: other types for everyone who uses it), and Jinja the report, whose templates anyone can read.
A process that stays up between two sessions would pay 0.35 for the second one."""
SETTINGS = """
[env.bench]
base_url = "{url}"
expected_environment = ["sandbox"]
idempotency = true
{more}
"""


def robot() -> Path:
    """Return the robot of the benchmark's own environment."""
    if not (VENV / "complete").exists():
        venv.create(VENV, with_pip=True, clear=True)
        subprocess.run([VENV / "bin" / "python", "-m", "pip", "install", "-q", *PACKAGES], check=True)
        (VENV / "complete").touch()
    return VENV / "bin" / "robot"


@contextmanager
def backend(folder: Path) -> Iterator[str]:
    """Run a rehearsal backend; give its base URL."""
    command = [sys.executable, "-m", "veza_rehearsal", "--contract", str(files("veza").joinpath("openapi.json"))]
    command += ["--database", f"sqlite:///{folder / 'backend.db'}", "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield str(json.loads(process.stdout.readline())["base_url"])
        finally:
            process.stdin.close()


@contextmanager
def fresh(root: Path) -> Iterator[tuple[Path, str]]:
    """Give an empty folder and the address of a backend of its own."""
    folder = Path(tempfile.mkdtemp(dir=root))
    with backend(folder) as url:
        yield folder, url
    shutil.rmtree(folder)


def theirs(root: Path) -> Cost:
    with fresh(root) as (folder, url):
        variables = {"BASE_URL": url, "EMAIL": DEFAULT_EMAIL, "PASSWORD": DEFAULT_PASSWORD}
        words = [word for name, value in variables.items() for word in ("--variable", f"{name}:{value}")]
        return cost([str(robot()), *words, "--outputdir", str(folder / "out"), str(HERE / "beside.robot")], folder)


def ours(root: Path, *, witness: bool) -> Cost:
    with fresh(root) as (folder, url):
        more = f'hyperswitch_url = "{url}/hyperswitch"' if witness else ""
        (folder / "veza-e2e.toml").write_text(SETTINGS.format(url=url, more=more), encoding="utf-8")
        account = {**ACCOUNT, **({"HYPERSWITCH_API_KEY": PROCESSOR_API_KEY} if witness else {})}
        return cost([str(BIN / "veza-e2e"), "--env", "bench", "run", "--unattended", "--refund"], folder, account)


def main() -> int:
    """Measure and print; 1 where the limit is passed."""
    robot()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        costs = by_turns({
            ROBOT: lambda: theirs(root),
            OURS: lambda: ours(root, witness=False),
            WITNESS: lambda: ours(root, witness=True),
        })  # fmt: skip
    print("\n".join(table(costs, ROBOT)))
    print(f"\n{NOTE}")
    return int(not told(f"CPU of {OURS}, x Robot Framework", ratio(costs, OURS, ROBOT), LIMIT))


if __name__ == "__main__":
    sys.exit(main())
