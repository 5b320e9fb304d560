"""The gate: does a record hold a secret, however it is written?"""

from __future__ import annotations

import base64
import binascii
import contextlib
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_plus

from veza_e2e.canonical import JSON
from veza_e2e.redaction import patterns
from veza_e2e.redaction.encodings import gunzipped
from veza_e2e.redaction.names import SECRET_HEADERS, classify
from veza_e2e.redaction.patterns import ALIAS, WITHHELD

_DEEP = 64
_NESTED = 4
BASE64 = re.compile(r"[A-Za-z0-9+/_\-]{12,}={0,2}")
_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})")
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret in a record; what it is, never its value."""

    kind: str
    place: str
    """The path of member names and indexes, from `$`."""


class Gate:
    """Looks for secrets in parsed and decoded values.

    Args:
        known: secret values, each with its kind.
        short: known values of fewer than eight characters, looked for as whole words only.
    """

    def __init__(self, known: Mapping[str, str], short: Sequence[str] = ()) -> None:
        self._known = known
        self._bytes = {value.encode("utf-8", "replace"): kind for value, kind in known.items()}
        self._short = [re.compile(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])") for value in short]

    def find(self, value: JSON | bytes, place: str = "$", name: str = "data", depth: int = 0) -> Iterator[Finding]:
        """Iterate over what must not be kept. What cannot be looked into is a finding too."""
        if depth > _DEEP:
            yield Finding("too deep", place)
        elif isinstance(value, Mapping):
            for key, item in value.items():
                yield from self._text(str(key), f"{place}.{key:.40}" if len(str(key)) <= _DEEP else place, 0)
                yield from self.find(item, f"{place}.{key:.40}", str(key), depth + 1)
        elif isinstance(value, bytes | bytearray):
            yield from self._bytes_found(bytes(value), place, 0)
        elif isinstance(value, str):
            yield from self._named(name, value, place)
            yield from self._text(value, place, 0)
        elif isinstance(value, Sequence):
            for index, item in enumerate(value):
                yield from self.find(item, f"{place}[{index}]", name, depth + 1)
        elif value is not None and not isinstance(value, bool):
            yield from self._text(str(value), place, _NESTED)

    def hides(self, run: str) -> bool:
        """Whether a run of base64 characters hides a secret."""
        return any(secret in run for secret in self._known) or any(
            True for raw in _unbased(run) for _ in self._bytes_found(raw, "$", 1)
        )

    def _named(self, name: str, value: str, place: str) -> Iterator[Finding]:
        lower = name.lower()
        if lower in {"authorization", "proxy-authorization"}:
            _, _, value = value.partition(" ")
        elif lower in {"cookie", "set-cookie"}:
            value = value.partition(";")[0].partition("=")[2]
        elif lower not in SECRET_HEADERS and classify(name)[0] != "secret":
            return
        if value and value != WITHHELD and not ALIAS.fullmatch(value):
            yield Finding(classify(name)[1] or lower, place)

    def _text(self, text: str, place: str, nested: int) -> Iterator[Finding]:
        for secret, kind in self._known.items():
            if secret in text:
                yield Finding(kind, place)
        if any(pattern.search(text) for pattern in self._short):
            yield Finding("known secret", place)
        for find in (patterns.secrets, patterns.emails):
            for match in find(text):
                if text[match.start : match.end] != "***@":
                    yield Finding(match.kind, place)
        if nested < _NESTED:
            yield from self._decoded(text, place, nested + 1)

    def _decoded(self, text: str, place: str, nested: int) -> Iterator[Finding]:
        for plain in dict.fromkeys((unquote_plus(text), html.unescape(text), _UNICODE.sub(_character, text))):
            if plain != text:
                yield from self._text(plain, place, nested)
        if text[:1] in {"{", "[", '"'} and len(text) > 1:
            with contextlib.suppress(ValueError, RecursionError):
                yield from self.find(json.loads(text, parse_float=str), place, depth=_DEEP - 16)
        for run in BASE64.findall(text):
            for raw in _unbased(run):
                yield from self._bytes_found(raw, place, nested)

    def _bytes_found(self, raw: bytes, place: str, nested: int) -> Iterator[Finding]:
        if raw[:2] == _GZIP:
            try:
                yield from self._bytes_found(gunzipped(raw), place, nested + 1)
            except ValueError:
                yield Finding("unreadable gzip", place)
            return
        for secret, kind in self._bytes.items():
            if secret in raw:
                yield Finding(kind, place)
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return
        if nested <= _NESTED and text.isprintable():
            yield from self._text(text, place, nested)


def _character(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16))


def _unbased(run: str) -> Iterator[bytes]:
    standard = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        yield base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return
