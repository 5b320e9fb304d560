"""Writes new files of the archive, whole or not at all. Never overwrites one."""

from __future__ import annotations

from pathlib import Path

from veza_e2e.journal import disk


class ArchiveError(Exception):
    """A file of the archive cannot be used, or could not be written."""


def write_new(path: Path, data: bytes) -> None:
    """Bring a new file to the disk.

    Raises:
        ArchiveError: the file exists already, or could not be written.
    """
    try:
        disk.create(path, data)
    except FileExistsError as error:
        raise ArchiveError(f"{path}: is there already; a file of the archive is never written again") from error
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror}") from error
