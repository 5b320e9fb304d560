"""Pin every package, for every Python that the project promises, in one constraints.txt.

    constraints.py write PYTHON…              keep the pins that still resolve; add and drop what has changed
    constraints.py write --upgrade PYTHON…    the newest of everything
    constraints.py check PYTHON…              resolve with the pins; install nothing

Each Python resolves in a fresh virtual environment, with the pip that it brings: Debian's old pip decides for itself.
Only wheels count, so that nobody needs a compiler. Needs the network, and of Python packages nothing but pip.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.specifiers import SpecifierSet
from pip._vendor.packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "constraints.txt"
HEADER = "# Written by `make constraints`, checked by `make constraints-check`. A marker: for some Pythons only."
LAST_LINES = 15


class UnresolvableError(Exception):
    """No set of versions fits; the text is the end of what pip said."""


@dataclass(frozen=True, slots=True)
class Package:
    """A version that pip chose, and the Pythons that it says it runs on."""

    name: str
    version: str
    requires_python: str

    @property
    def key(self) -> str:
        """The name in its one normal form."""
        return canonicalize_name(self.name)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What pip would install on one Python."""

    python: tuple[int, ...]
    pip: str
    packages: Mapping[str, Package]
    seconds: float

    def __str__(self) -> str:
        return f"Python {dotted(self.python)}, pip {self.pip}: {len(self.packages)} packages, {self.seconds:.0f} s"


def dotted(python: Iterable[int]) -> str:
    """Return a version as people write it."""
    return ".".join(map(str, python))


def requirements() -> list[str]:
    """Return what pyproject.toml asks for: to build, to run, and in every extra."""
    read = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = read["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    wanted = [*read["build-system"]["requires"], *project["dependencies"], *extras]
    return sorted({line for line in wanted if Requirement(line).name != project["name"]})


def resolve(interpreter: str, constraints: Iterable[str]) -> Resolution:
    """Ask an interpreter's own pip what it would install.

    Raises:
        UnresolvableError: the requirements and the constraints exclude each other on this Python.
    """
    with tempfile.TemporaryDirectory(prefix="constraints-") as name:
        folder = Path(name)
        subprocess.run([interpreter, "-m", "venv", folder / "venv"], check=True)
        python = folder / "venv" / "bin" / "python"
        (folder / "wanted.txt").write_text("\n".join(requirements()), encoding="utf-8")
        (folder / "pins.txt").write_text("\n".join(constraints), encoding="utf-8")
        started = time.monotonic()
        done = subprocess.run(
            [
                python, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", "--dry-run",
                "--ignore-installed", "--only-binary", ":all:", "--report", folder / "report.json",
                "--constraint", folder / "pins.txt", "--requirement", folder / "wanted.txt",
            ],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False,
        )  # fmt: skip
        if done.returncode:
            said = [line for line in done.stdout.splitlines() if not line.startswith("WARNING: ")]
            raise UnresolvableError("\n".join(f"  {line}" for line in said[-LAST_LINES:]))
        return read_report(json.loads((folder / "report.json").read_text(encoding="utf-8")), time.monotonic() - started)


def read_report(report: Mapping[str, object], seconds: float = 0.0) -> Resolution:
    """Read pip's installation report."""
    environment, install = report["environment"], report["install"]
    assert isinstance(environment, dict)
    assert isinstance(install, list)
    python = tuple(int(part) for part in re.findall(r"\d+", environment["python_full_version"])[:3])
    found = [
        Package(one["metadata"]["name"], one["metadata"]["version"], one["metadata"].get("requires_python") or "")
        for one in install
    ]
    return Resolution(python, str(report["pip_version"]), {one.key: one for one in found}, seconds)


def merge(resolutions: Iterable[Resolution]) -> list[str]:
    """Return the pins of several Pythons as one file's lines, with a marker only where two of them differ."""
    ordered = sorted(resolutions, key=lambda one: one.python)
    lines = []
    for key in sorted({key for one in ordered for key in one.packages}):
        chosen = [(one.python, one.packages[key]) for one in ordered if key in one.packages]
        groups = [list(same) for _, same in groupby(chosen, key=lambda pair: pair[1].version)]
        for index, group in enumerate(groups):
            bounds = []
            if index:
                bounds.append(bound(">=", groups[index - 1][-1][0], group[0][0]))
            if index + 1 < len(groups):
                bounds.append(bound("<", group[-1][0], groups[index + 1][0][0]))
            package = group[0][1]
            lines.append(f"{package.name}=={package.version}" + (f" ; {' and '.join(bounds)}" if bounds else ""))
    return lines


def bound(sign: str, older: tuple[int, ...], newer: tuple[int, ...]) -> str:
    """Return the marker between two Pythons that were tried: the newer one's release, or its minor version's first."""
    if older[:2] == newer[:2]:
        return f'python_full_version {sign} "{dotted(newer)}"'
    return f'python_version {sign} "{dotted(newer[:2])}"'


def pins() -> list[str]:
    """Return the lines of constraints.txt that pin something."""
    return [line for line in FILE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def admitted(lines: Iterable[str], python: tuple[int, ...], known: Iterable[Package]) -> Iterator[str]:
    """Leave out each pin that, by what is known of its version, this Python cannot have."""
    needs = {(one.key, one.version): one.requires_python for one in known}
    for line in lines:
        pin = Requirement(line)
        version = str(pin.specifier).removeprefix("==")
        if SpecifierSet(needs.get((canonicalize_name(pin.name), version), "")).contains(dotted(python)):
            yield line


def promised() -> set[tuple[int, ...]]:
    """Return the minor versions of Python that pyproject.toml's classifiers promise."""
    read = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = re.findall(r"Python :: (\d+)\.(\d+)", "\n".join(read["project"]["classifiers"]))
    return {(int(major), int(minor)) for major, minor in found}


def version_of(interpreter: str) -> tuple[int, ...]:
    """Return an interpreter's version."""
    said = subprocess.run(
        [interpreter, "-c", "import sys; print(*sys.version_info[:3])"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    return tuple(map(int, said.split()))


def write(interpreters: Sequence[str], *, upgrade: bool) -> int:
    """Resolve on every Python, newest first, and write constraints.txt."""
    missing = promised() - {version_of(one)[:2] for one in interpreters}
    if missing:
        names = ", ".join(map(dotted, sorted(missing)))
        print(f"constraints.txt is for every promised Python; name an interpreter of {names} too.", file=sys.stderr)
        return 2
    kept = [] if upgrade else pins()
    resolutions: list[Resolution] = []
    for interpreter in sorted(interpreters, key=version_of, reverse=True):
        known = [package for one in resolutions for package in one.packages.values()]
        try:
            found = resolve(interpreter, admitted(kept, version_of(interpreter), known))
        except UnresolvableError as error:
            if not kept:
                raise
            print(f"Python {dotted(version_of(interpreter))} cannot keep today's pins; it gets the newest.\n{error}")
            found = resolve(interpreter, [])
        print(found, flush=True)
        resolutions.append(found)
    FILE.write_text("\n".join([HEADER, *merge(resolutions)]) + "\n", encoding="utf-8")
    return 0


def check(interpreters: Iterable[str]) -> int:
    """Resolve on every Python with the pins, and say which package has none."""
    lines, failed = pins(), False
    pinned = {canonicalize_name(Requirement(line).name) for line in lines}
    for interpreter in interpreters:
        try:
            found = resolve(interpreter, lines)
        except UnresolvableError as error:
            print(f"Python {dotted(version_of(interpreter))}: the pins do not resolve\n{error}", flush=True)
            failed = True
            continue
        loose = sorted(found.packages.keys() - pinned)
        print(found, *[f"; without a pin: {', '.join(loose)}"] * bool(loose), sep="", flush=True)
        failed |= bool(loose)
    return int(failed)


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="Pin every package for every promised Python.")
    parser.add_argument("action", choices=("write", "check"))
    parser.add_argument("--upgrade", action="store_true", help="take the newest of everything")
    parser.add_argument("python", nargs="+", help="an interpreter of each promised Python")
    asked = parser.parse_args()
    try:
        return write(asked.python, upgrade=asked.upgrade) if asked.action == "write" else check(asked.python)
    except UnresolvableError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
