"""Reads a recording's files within size limits."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from veza_e2e.canonical import JSON
from veza_e2e.cassettes.errors import CassetteError

LARGEST = 16 * 1024 * 1024
MOST_VALUES = 1_000_000
NAMED = "a-z, 0-9, - and _, at most 64 of them"
"""What a cassette's name is made of."""
VALID_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def named(folder: Path, name: str) -> Path:
    """Return the folder of the cassette `name` below `folder`.

    Raises:
        CassetteError: the name is not valid for a cassette.
    """
    if not VALID_NAME.fullmatch(name):
        raise CassetteError(folder / name[:80], "", f"a cassette's name is made of {NAMED}")
    return folder / name


def read(path: Path) -> str:
    """Return a file's text.

    Raises:
        CassetteError: it cannot be read, is not a regular file, is too large, or is not UTF-8.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise CassetteError(path, "", "is not a regular file")
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise CassetteError(path, "", str(error.strerror).lower()) from error
    if len(data) > LARGEST:
        raise CassetteError(path, "", f"is larger than {LARGEST} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise CassetteError(path, f"byte {error.start}", "is not UTF-8") from error


def lines(path: Path) -> list[str]:
    """Return a file's lines; the last is the text after the last line end.

    Raises:
        CassetteError: see `read`; or there are more lines than any recording has.
    """
    text = read(path)
    _budget(path, "", text)
    return text.split("\n")


def _budget(path: Path, place: str, text: str) -> None:
    if sum(map(text.count, ",[{\n")) > MOST_VALUES:
        raise CassetteError(path, place, f"holds more than {MOST_VALUES} values")


def parse(path: Path, place: str, text: str) -> dict[str, JSON]:
    """Return the JSON object in `text`.

    Raises:
        CassetteError: the text is not a JSON object, or holds more values than any recording.
    """
    _budget(path, place, text)
    try:
        value = json.loads(text, parse_float=_no_float, parse_constant=_no_float)
    except json.JSONDecodeError as error:
        where = place or f"line {error.lineno} column {error.colno}"
        raise CassetteError(path, where, f"is not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise CassetteError(path, place, f"is not JSON as a recording has it: {str(error)[:80]}") from error
    if not isinstance(value, dict):
        raise CassetteError(path, place, "is not a JSON object")
    return cast("dict[str, JSON]", value)


def member(path: Path, place: str, data: Mapping[str, JSON], name: str, kind: type | tuple[type, ...]) -> JSON:
    """Return a member, checking its type.

    Raises:
        CassetteError: it is missing or of the wrong type.
    """
    if name not in data:
        raise CassetteError(path, place, f"lacks {name}")
    value = data[name]
    if not isinstance(value, kind):
        raise CassetteError(path, place, f"{name} is of the wrong type")
    return value


def _no_float(text: str) -> float:
    raise ValueError(f"the float {text:.20}")
