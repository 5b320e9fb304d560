"""Try the documented use through pipx and uv with the wheel of this tree: `make installers`. Nothing is left behind.

pipx, uv, the wheel and all that they install are in a temporary folder; the commands run in an empty one. `--write`
puts the result into the page.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "own-repository.md"
TRIED: Mapping[str, tuple[str, ...]] = {
    "docs/own-repository.md": (
        'pipx install "veza[e2e]"',
        "veza-e2e --version",
        "veza-e2e init",
        "veza-e2e run --unattended --refund",
        "veza-e2e site build",
        'uvx --from "veza[e2e]" veza-e2e --version',
        'uvx --from "veza[e2e]" veza-e2e run --unattended --refund',
        'pipx run --spec "veza[e2e]" veza-e2e --version',
    ),
    "docs/releasing.md": (
        'pipx run --spec "dist/veza-0.2.0-py3-none-any.whl[e2e]" veza-e2e run --unattended --refund',
    ),
}  # fmt: skip
"""The commands by their page, as they stand there."""
SECONDS = 900
"""Seconds that one command may take: an installer fetches eighty packages."""
_SOURCE = re.compile(r'"[^"]*veza[^"]*\[e2e\]"')
_RESULT = re.compile(r"^Tried on (?:.+\n)+\n*", re.MULTILINE)


class InstallerError(Exception):
    """A documented command does not do what its page says."""


def ours(command: str, wheel: Path) -> str:
    """Return a documented command with the wheel in the place of what it installs."""
    return _SOURCE.sub(shlex.quote(f"{wheel}[e2e]"), command)


def run(command: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Run a command in a shell, as a reader types it; return what it prints.

    Raises:
        InstallerError: it failed, or took too long.
    """
    try:
        done = subprocess.run(
            ["sh", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise InstallerError(f"{command}: it was not over after {SECONDS} s") from error
    if done.returncode:
        raise InstallerError(f"{command}: ended with {done.returncode}\n{done.stdout[-3000:]}")
    return done.stdout


def build(out: Path) -> Path:
    """Build the wheel; return its path.

    Raises:
        InstallerError: the build failed.
    """
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    run(shlex.join(words), out, os.environ)
    (wheel,) = out.glob("*.whl")
    return wheel


def installers(folder: Path) -> Mapping[str, str]:
    """Install pipx and uv; return the environment in which both keep everything in the folder.

    Raises:
        InstallerError: they cannot be installed.
    """
    venv.create(folder / "tools", with_pip=True)
    tools = folder / "tools" / "bin"
    run(shlex.join([str(tools / "pip"), "install", "--quiet", "pipx", "uv"]), folder, os.environ)
    foreign = ("PYTHON", "VIRTUAL_ENV", "OPERATOR_", "HYPERSWITCH_", "VEZA_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
        "PATH": f"{folder / 'bin'}{os.pathsep}{tools}{os.pathsep}{os.defpath}",
        "PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(folder / "bin"), "PIPX_MAN_DIR": str(folder / "man"),
        "PIPX_DEFAULT_PYTHON": sys.executable,
        "UV_CACHE_DIR": str(folder / "uv"), "UV_TOOL_DIR": str(folder / "uv-tools"), "UV_PYTHON": sys.executable,
    }  # fmt: skip


def tried(folder: Path) -> Iterator[str]:
    """Run every documented command; yield a line for each.

    Raises:
        InstallerError: one failed, or said something else than it should.
    """
    wheel, environment = build(folder), installers(folder)
    version = wheel.name.split("-")[1]
    for page, commands in TRIED.items():
        empty = folder / Path(page).stem
        empty.mkdir()
        for command in commands:
            began = time.monotonic()
            said = run(ours(command, wheel), empty, environment)
            wanted = version if "--version" in command else "PASSED" if " run " in command else ""
            if wanted not in said:
                raise InstallerError(f"{command}: does not say {wanted}\n{said[-3000:]}")
            yield f"{time.monotonic() - began:4.0f} s  {command}"
    there = sorted(one.name for one in (folder / "own-repository").iterdir())
    if there != [".gitattributes", ".veza-e2e", "build", "veza-e2e.toml"]:
        raise InstallerError(f"the commands left {', '.join(there)}")
    yield "with " + ", ".join(_versions(folder, environment))


def _versions(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    yield f"pipx {run('pipx --version', folder, environment).strip()}"
    yield f"uv {run('uv --version', folder, environment).split()[1]}"
    yield f"Python {platform.python_version()}"


def written(page: str, result: str) -> str:
    """Return the page with the result of this day in the place of an earlier one."""
    return _RESULT.sub(f"{result}\n\n", page).rstrip("\n") + "\n"


def main() -> int:
    """Try all of it; with `--write`, say so in the page."""
    try:
        with tempfile.TemporaryDirectory(prefix="veza-installers-") as scratch:
            lines = []
            for line in tried(Path(scratch)):
                print(line, flush=True)
                lines.append(line)
    except InstallerError as error:
        print(f"installers: {error}", file=sys.stderr)
        return 1
    if "--write" in sys.argv[1:]:
        number = sum(map(len, TRIED.values()))
        result = (
            f"Tried on {datetime.now(UTC):%Y-%m-%d} {lines[-1]}: `make installers` installs the wheel of this tree and "
            f"runs in empty\nfolders what stands here, and on [releasing](releasing.md). All {number} commands worked."
        )
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
