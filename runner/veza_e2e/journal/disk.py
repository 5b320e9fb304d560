"""Brings files and folders to the disk."""

from __future__ import annotations

import fcntl
import os
import secrets
import sys
from pathlib import Path


def sync_file(descriptor: int) -> None:
    """Bring what was written to an open file to the disk itself; macOS leaves it in the drive's cache otherwise."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create(path: Path, data: bytes) -> None:
    """Write a new file, whole or not at all; one that is there is never touched.

    Raises:
        FileExistsError: there is one already.
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
    """Write a file, whole or not at all: beside it, brought to the disk, then renamed. Makes the folders above it.

    Raises:
        OSError: it could not be written; the old file is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
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
