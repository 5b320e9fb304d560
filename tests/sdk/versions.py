"""The SDK in an environment of its own, with other versions of what it needs, and its suite there.

Run as a program (`make newest`), it takes the newest releases of the day: a weekly job, as no commit changes them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUITE = (
    "operations", "retries", "errors", "models", "money", "paths", "paging", "tokens", "http_client", "secrets",
    "waiting", "gate", "options", "pace", "processes", "reasons",
)  # fmt: skip
TOOLS = ("pytest", "pytest-timeout", "hypothesis")
_FOREIGN = ("PIP_", "PYTEST_", "PYTHON", "HYPOTHESIS_", "VIRTUAL_ENV")
"""What a shell may hold that would reach into the environment."""


def run(*command: object, cwd: Path, **extra: str) -> str:
    """Return what a program prints; it fails the test, with all it said, where the program fails."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    done = subprocess.run(
        [str(one) for one in command],
        cwd=cwd,
        env=clean | {"NO_PROXY": "127.0.0.1"} | extra,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(out: Path) -> Path:
    """Return a wheel, built from the source distribution."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (wheel,) = out.glob("*.whl")
    return wheel


def pins(instead: dict[str, str]) -> str:
    """Return the constraints of the project, with other versions of some packages."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if re.split("[=<> ;]", line)[0] not in instead]
    return "\n".join([*kept, *(f"{name}=={version}" for name, version in instead.items())])


def environment(name: str, wheel: Path, wanted: tuple[str, ...], constraints: str) -> Path:
    """Return the folder of programs of a virtual environment with the wheel; its dependencies are kept between runs."""
    digest = hashlib.sha256(repr((wanted, constraints, sys.version)).encode()).hexdigest()[:12]
    home = ROOT / "build" / "venvs" / f"{name}-{digest}"
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    pip = (programs / "python", "-I", "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--quiet")
    if not (home / "complete").exists():
        venv.create(home, with_pip=True, clear=True)
        (home / "constraints.txt").write_text(constraints, encoding="utf-8")
        run(*pip, "--constraint", home / "constraints.txt", wheel, *wanted, cwd=home)
        (home / "complete").touch()
    run(*pip, "--no-deps", "--force-reinstall", wheel, cwd=home)
    return programs


def installed(programs: Path) -> set[str]:
    """Return `name==version` of every package of an environment, without what a new one has and the SDK itself."""
    code = "from importlib.metadata import distributions as d; print(*(f'{one.name}=={one.version}' for one in d()))"
    found = run(programs / "python", "-I", "-c", code, cwd=programs).split()
    return {one for one in found if one.partition("==")[0] not in {"pip", "setuptools", "veza"}}


def suite(programs: Path, cwd: Path, *options: str) -> str:
    """Run the SDK's suite on the installed wheel; return what pytest prints."""
    files = [ROOT / "tests" / "sdk" / f"test_{one}.py" for one in SUITE]
    config = ("-c", ROOT / "pyproject.toml", "-p", "no:cacheprovider", "--rootdir", ROOT)
    where = run(programs / "python", "-I", "-c", "import veza; print(veza.__file__)", cwd=cwd)
    assert Path(where).is_relative_to(programs.parent), where
    return run(programs / "python", "-I", "-m", "pytest", "-q", "-x", *config, *options, *files, cwd=cwd)


def newest() -> str:
    """Run the suite on the newest releases; return what pytest prints."""
    home = ROOT / "build" / "newest"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    for old in (ROOT / "build" / "venvs").glob("newest-*"):
        shutil.rmtree(old)
    programs = environment("newest", build(home), ("httpx", "pydantic", "httpx2", *TOOLS), "")
    return suite(programs, home, "--hypothesis-profile=thorough")


if __name__ == "__main__":
    print(newest())
