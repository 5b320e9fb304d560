"""Build, check and tag a release: `make release VERSION=x.y.z`. Nothing is published; that is left to a person.

Beforehand a person commits the version in sdk/veza/_version.py, and the changelog's section with its date.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath

from packaging.metadata import Metadata

SECTION = re.compile(
    r"^## \[(?P<name>[^]]+)\](?: - (?P<date>[^\n]+))?\n(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
)


class ReleaseError(Exception):
    """The release cannot be made; the text says why and what to do."""


def git(root: Path, *words: str) -> str:
    """Return what git says.

    Raises:
        ReleaseError: git refused.
    """
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise ReleaseError(f"git {words[0]}: {done.stderr.strip()}")
    return done.stdout


def check_version(root: Path, version: str) -> None:
    """Hold the version that was asked for against the one place where it stands.

    Raises:
        ReleaseError: it is not x.y.z, or another one.
    """
    if not re.fullmatch(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}", version):
        raise ReleaseError(f"VERSION={version or '(nothing)'} is not of the form x.y.z")
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    place = pyproject["tool"]["hatch"]["version"]["path"]
    found = re.search(r'^__version__ = "(.*)"$', (root / place).read_text(encoding="utf-8"), re.MULTILINE)
    if found is None or found[1] != version:
        raise ReleaseError(f"{place} says {found[1] if found else 'no version'}, not {version}; change and commit it")


def check_tree(root: Path, version: str) -> None:
    """Hold the tree against what would be tagged.

    Raises:
        ReleaseError: something is not committed, or the tag is there already.
    """
    changed = git(root, "status", "--porcelain").splitlines()
    if changed:
        raise ReleaseError(f"{len(changed)} files are not committed, the first is {changed[0][3:]}")
    if git(root, "tag", "--list", f"v{version}"):
        raise ReleaseError(f"the tag v{version} is there already; a version is released once")


def section(changelog: str, version: str, today: date) -> str:
    """Return what the changelog says of a version.

    Raises:
        ReleaseError: it has no dated section with text, or something still stands under Unreleased.
    """
    found = {one["name"]: one for one in SECTION.finditer(changelog)}
    if "Unreleased" in found and found["Unreleased"]["text"].strip():
        raise ReleaseError(f"CHANGELOG.md: move what stands under [Unreleased] to [{version}]")
    if version not in found:
        raise ReleaseError(f"CHANGELOG.md has no section ## [{version}] - {today}")
    text, dated = found[version]["text"].strip(), found[version]["date"] or ""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", dated):
        raise ReleaseError(f"CHANGELOG.md: the date of [{version}] is not YYYY-MM-DD: {dated!r}")
    try:
        day = date.fromisoformat(dated)
    except ValueError as error:
        raise ReleaseError(f"CHANGELOG.md: the date of [{version}]: {error}") from error
    if day > today:
        raise ReleaseError(f"CHANGELOG.md: [{version}] is dated {day}, which is still to come")
    if not text:
        raise ReleaseError(f"CHANGELOG.md: [{version}] says nothing")
    return text


def build(root: Path, out: Path) -> tuple[Path, Path]:
    """Build both archives into an empty folder; return the sdist and the wheel.

    Raises:
        ReleaseError: the build failed.
    """
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(root)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False)
    if done.returncode:
        raise ReleaseError(f"the build failed:\n{done.stdout}")
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return sdist, wheel


def sdist_files(path: Path) -> Mapping[str, bytes]:
    """Return the files of an sdist, without the folder that holds them all."""
    with tarfile.open(path) as archive:
        files = {one.name: archive.extractfile(one) for one in archive.getmembers() if one.isfile()}
        return {name.partition("/")[2]: file.read() for name, file in files.items() if file is not None}


def wheel_files(path: Path) -> Mapping[str, bytes]:
    """Return the files of a wheel."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def check_archives(root: Path, sdist: Path, wheel: Path, version: str) -> None:
    """Hold the archives against the tree and the rules for metadata.

    Raises:
        ReleaseError: metadata that an index may refuse, a file that is not committed, a package or licence that is
            missing.
    """
    source, built = sdist_files(sdist), wheel_files(wheel)
    (info,) = {PurePosixPath(name).parts[0] for name in built if ".dist-info/" in name}
    if source["PKG-INFO"] != built[f"{info}/METADATA"]:
        raise ReleaseError("the sdist and the wheel have different metadata")
    metadata = check_metadata(source["PKG-INFO"], version)
    for name in metadata.license_files or ():
        if name not in source or f"{info}/licenses/{name}" not in built:
            raise ReleaseError(f"{name}, which the metadata names, is missing from an archive")
    loose = sorted(source.keys() - set(git(root, "ls-files", "-z").split("\0")) - {"PKG-INFO"})
    if loose:
        raise ReleaseError(f"{sdist.name} holds {loose[0]}, which is not committed")
    check_packages(root, built, info)


def check_packages(root: Path, files: Iterable[str], info: str) -> None:
    """Hold the wheel's top folders against the packages of pyproject.toml.

    Raises:
        ReleaseError: one is missing, or too much.
    """
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {Path(one).name for one in pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    found = {PurePosixPath(name).parts[0] for name in files} - {info}
    if found != wanted:
        raise ReleaseError(f"the wheel holds {sorted(found)}, not {sorted(wanted)}")


def check_metadata(text: bytes, version: str) -> Metadata:
    """Return the metadata of an archive, strictly read.

    Raises:
        ReleaseError: a field is unknown, invalid or missing.
    """
    try:
        metadata = Metadata.from_email(text, validate=True)
    except ExceptionGroup as error:
        raise ReleaseError("; ".join(map(str, error.exceptions))) from error
    if str(metadata.version) != version:
        raise ReleaseError(f"the archives are of version {metadata.version}")
    wanted = ("summary", "description", "description_content_type", "requires_python", "license_expression",
              "license_files", "classifiers")  # fmt: skip
    missing = [name for name in wanted if not getattr(metadata, name)]
    if missing:
        raise ReleaseError(f"the metadata has no {', '.join(missing)}")
    return metadata


def release(root: Path, version: str, today: date) -> Path:
    """Check, build, check again and tag; return the folder with the archives.

    Raises:
        ReleaseError: something does not fit; nothing was tagged.
    """
    check_version(root, version)
    check_tree(root, version)
    notes = section((root / "CHANGELOG.md").read_text(encoding="utf-8"), version, today)
    out = root / "dist"
    sdist, wheel = build(root, out)
    check_archives(root, sdist, wheel, version)
    message = f"Veza {version}\n\n{notes}\n"
    git(root, "tag", "--annotate", "--cleanup=verbatim", "--message", message, f"v{version}")
    return out


def main() -> int:
    """Release the version that the command line names."""
    root, version = Path.cwd(), sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        out = release(root, version, datetime.now(UTC).date())
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    print(f"Built, checked and tagged v{version}:")
    print(*[f"  {path.relative_to(root)}" for path in sorted(out.iterdir())], sep="\n")
    print("Nothing was published. A person does that:")
    print(f"  git push origin v{version}")
    print("  then hand the two files of dist/ to the package index that the owners use.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
