"""What is said where a file cannot be used goes by the error's number."""

from __future__ import annotations

import errno
import os

import pytest

from veza_e2e.cli.calling import translated
from veza_e2e.cli.output import Exit, Stop
from veza_e2e.journal import UnwritableError


@pytest.mark.parametrize(
    ("number", "said", "hint"),
    [
        (errno.ENOSPC, "cannot be written", "make room"),
        (errno.EACCES, "cannot be read or written", "the right to it"),
        (errno.ENOENT, "cannot be read", "put the file back"),
        (errno.EIO, "cannot be written", "mend the cause"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_by_the_errors_number(number: int, said: str, hint: str) -> None:
    error = OSError(number, os.strerror(number), "journal.jsonl")
    with pytest.raises(Stop) as plain, translated("veza-e2e resume"):
        raise error
    with pytest.raises(Stop) as wrapped, translated("veza-e2e resume"):
        raise UnwritableError(f"journal.jsonl: {error.strerror}") from error
    for caught in (plain, wrapped):
        assert caught.value.code is Exit.INCOMPLETE
        assert str(caught.value) == f"{said}: journal.jsonl: {error.strerror}"
        assert hint in str(caught.value.hint)
