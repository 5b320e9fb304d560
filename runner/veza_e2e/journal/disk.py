"""Writes files safely: the one place that syncs files and folders to the disk."""

from __future__ import annotations

import fcntl
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path


def sync_file(descriptor: int) -> None:
    """Sync an open file to the disk. On macOS, fsync alone leaves data in the drive's cache."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Sync a folder's entries to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, *, exist_ok: bool = False) -> None:
    """Make a folder and those missing above it, and sync their entries to the disk.

    Raises:
        FileExistsError: the folder exists already, and `exist_ok` is False.
        OSError: it could not be made.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=exist_ok)
    for path in missing:
        sync_folder(path.parent)


def make_ignored(folder: Path) -> None:
    """Make a folder, if it is not there, that git ignores by itself.

    Raises:
        OSError: it could not be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), (folder / ".gitignore").open("x", encoding="utf-8") as file:
        file.write("*\n")


def create(path: Path, data: bytes) -> None:
    """Write a new file, whole or not at all. An existing file is never touched.

    Raises:
        FileExistsError: the file exists already.
        OSError: it could not be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            sync_file(file.fileno())
        os.link(part, path)
        sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def replace(path: Path, data: bytes) -> None:
    """Replace a file, whole or not at all: write a copy, sync it, rename it. Makes missing folders.

    Raises:
        OSError: it could not be written; the old file is untouched.
    """
    make_folder(path.parent, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            sync_file(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
