"""Finds known secrets, and parts of them, in every layer of a value: whatever case, spacing or encoding they have."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal
from urllib.parse import unquote, urlsplit

from veza_e2e.frozen import dataclass
from veza_e2e.redaction.layers import TooDeepError, layers

LEAST = 8
"""Letters and digits that a secret must have to be found in another form than its own."""
PART = 12
"""Letters and digits in a row of a secret that count as a part of it."""
_BLOCK = 6
_REMEMBERED, _LONG = 4096, 256
"""How many values that hold nothing are remembered, and of what length: headers and members come again."""
_LETTERS = b"0123456789abcdefghijklmnopqrstuvwxyz"
_LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")
_NO_LETTER = bytes(set(range(256)) - set(_LETTERS + _LETTERS.upper()))
_KEYWORD = re.compile(r"(?:^|[\s;])password\s*=\s*'?([^'\s;]+)", re.IGNORECASE)

Hit = Literal["whole", "part", "too deep"]


@dataclass(frozen=True, slots=True)
class Found:
    """A secret in a value: its kind, and how much of it there is."""

    kind: str
    how: Hit


def bones(value: str | bytes) -> bytes:
    """Return the letters and digits of a value, in lower case and in their plain form."""
    if isinstance(value, bytes):
        return value.translate(_LOWER, _NO_LETTER)
    if not value.isascii():
        value = unicodedata.normalize("NFKD", value).casefold()
    return value.encode("ascii", "ignore").translate(_LOWER, _NO_LETTER)


def letters(value: str) -> str:
    """Return the letters and digits of a text in any script, in lower case and in their plain form."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", value).casefold()))


def core(kind: str, value: str) -> str:
    """Return the secret part of a secret: of a database's URL the password, of a token what follows its header."""
    if kind == "dsn":
        try:
            password = urlsplit(value).password
        except ValueError:
            password = None
        keyword = _KEYWORD.search(value)
        return unquote(password) if password else keyword[1] if keyword else value
    if value.startswith("eyJ") and value.count(".") > 1:
        return value.partition(".")[2]
    return value


class Needles:
    """What is looked for. One search costs a fixed amount for each byte of a layer.

    Args:
        secrets: their secret parts, each with its kind.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.secrets = secrets
        self._blocks: dict[bytes, list[tuple[bytes, int, str]]] = {}
        self._clear: set[str | bytes] = set()
        self._foreign: dict[str, str] = {}
        """What is written in other letters too, by all of its letters: bytes of it may stand among others."""
        for value, kind in secrets.items():
            whole = bones(value)
            if not value.isascii() and len(written := letters(value)) >= LEAST:
                self._foreign[written] = kind
            if len(whole) < LEAST:
                continue
            size = _BLOCK if len(whole) >= PART else len(whole)
            for at in range(0, len(whole) - size + 1, size):
                self._blocks.setdefault(whole[at : at + size], []).append((whole, at, kind))

    def find(self, value: str | bytes) -> Found | None:
        """Return the first secret in a value; a whole one before a part of one."""
        if len(value) < LEAST or value in self._clear or not (self._blocks or self._foreign):
            return None
        found = self._search(value)
        if found is None and len(value) <= _LONG:
            if len(self._clear) >= _REMEMBERED:
                self._clear.clear()
            self._clear.add(value)
        return found

    def _search(self, value: str | bytes) -> Found | None:
        part = None
        try:
            for layer in layers(value):
                found = self._in(bones(layer)) or self._in_foreign(layer)
                if found is not None and found.how == "whole":
                    return found
                part = part or found
        except TooDeepError:
            return part or Found("unreadable", "too deep")
        return part

    def _in_foreign(self, layer: str | bytes) -> Found | None:
        if not self._foreign or layer.isascii():
            return None
        for text in map(letters, (layer,) if isinstance(layer, str) else _read(layer)):
            for written, kind in self._foreign.items():
                if written in text:
                    return Found(kind, "whole")
        return None

    def _in(self, text: bytes) -> Found | None:
        part = None
        for block, places in self._blocks.items():
            if block in text:
                for whole, at, kind in places:
                    if whole in text:
                        return Found(kind, "whole")
                    if part is None and _has_part(text, block, whole, at):
                        part = Found(kind, "part")
        return part


def _read(raw: bytes) -> Iterator[str]:
    """Read bytes as each encoding of Unicode, without those that do not belong to it."""
    yield raw.decode(errors="ignore")
    for encoding in ("utf-16-le", "utf-16-be"):
        yield raw.decode(encoding, "ignore")
        yield raw[1:].decode(encoding, "ignore")


def _has_part(text: bytes, block: bytes, whole: bytes, at: int) -> bool:
    """Whether a text holds at least `PART` letters in a row of a secret, the block among them."""
    behind = whole[at + len(block) : at + PART]
    before = whole[max(0, at + len(block) - PART) : at]
    start = text.find(block)
    while start >= 0:
        end = start + len(block)
        after = _common(text[end : end + len(behind)], behind)
        ahead = _common(text[max(0, start - len(before)) : start][::-1], before[::-1])
        if after + ahead + len(block) >= PART:
            return True
        start = text.find(block, start + 1)
    return False


def _common(first: Iterable[int], second: Iterable[int]) -> int:
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count
