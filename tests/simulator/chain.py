"""The journal's chain, checked as the interface describes it, by code of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator


class Chain:
    """What of a journal was checked already; it only grows, but for an unfinished last line."""

    def __init__(self) -> None:
        self._checked = 0
        self._seq = 0
        self._hash = "0" * 64

    def broken(self, data: bytes) -> Iterator[tuple[str, str]]:
        """Check the lines that are new; an unfinished last line is none yet."""
        whole = data[: data.rfind(b"\n") + 1]
        for line in whole[self._checked :].splitlines():
            yield from self._line(line)
        self._checked = len(whole)

    def _line(self, line: bytes) -> Iterator[tuple[str, str]]:
        members = json.loads(line)
        if canonical(members) != line:
            yield "damaged", f"line {self._seq + 1} of the journal is not in its canonical form"
        said = members.pop("hash")
        if (members["seq"], members["prev"]) != (self._seq + 1, self._hash):
            yield "damaged", f"line {self._seq + 1} of the journal does not follow the one before"
        if hashlib.sha256(canonical(members)).hexdigest() != said:
            yield "damaged", f"line {self._seq + 1} of the journal has another hash"
        self._seq, self._hash = members["seq"], said


def canonical(value: object) -> bytes:
    """Sorted keys, no white space, UTF-8 without ASCII escapes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
