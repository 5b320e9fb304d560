"""Writes a file that a command was asked for: whole or not at all, and never into an archive."""

from __future__ import annotations

import shlex
from pathlib import Path

from veza_e2e.archive.sessions import Archive
from veza_e2e.cli.output import Exit, Stop
from veza_e2e.journal import disk


def write_file(option: str, path: Path, content: bytes, archive: Archive) -> None:
    """Write `content` to `path`, which the option named.

    Raises:
        Stop: it lies in the archive, its folder is not there, or it cannot be written.
    """
    check_place(option, path, archive)
    try:
        disk.replace(path, content)
    except OSError as error:
        raise Stop(Exit.FAILED, f"{path}: {error.strerror}", "name a file in a folder that you may write") from error


def check_place(option: str, path: Path, archive: Archive) -> None:
    """Check a path that an option named, before long work whose result it is to hold.

    Raises:
        Stop: it lies in the archive, or its folder is not there.
    """
    if archive.root.resolve() in path.resolve().parents:
        raise Stop(
            Exit.USAGE, f"{option} {path} lies in the archive, which grows by sessions only", "name another place"
        )
    if not path.resolve().parent.is_dir():
        raise Stop(
            Exit.USAGE,
            f"{option} {path}: its folder is not there",
            f"make it: mkdir -p {shlex.quote(str(path.parent))}",
        )
