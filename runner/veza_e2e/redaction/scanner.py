"""Does a record hold a secret, however it is written?"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from urllib.parse import unquote_plus

from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass
from veza_e2e.redaction import patterns
from veza_e2e.redaction.encodings import gunzipped
from veza_e2e.redaction.layers import unescaped
from veza_e2e.redaction.names import SECRET_HEADERS, classify, shaped
from veza_e2e.redaction.needles import Needles
from veza_e2e.redaction.patterns import ALIAS, WITHHELD

_DEEP = 64
_NESTED = 4
_REMEMBERED, _LONG = 2000, 200
"""How many texts that hold nothing are remembered, and of how many characters: headers and members come again."""
BASE64 = re.compile(r"[A-Za-z0-9+/_\-]{12,}={0,2}")
_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})")
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret in a record: its kind and place, never its value."""

    kind: str
    place: str
    """The path of member names and indexes, from `$`."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What a scanner looks for: forms of secrets, each with its kind."""

    credentials: Mapping[str, str]
    """No field may hold one of them."""
    others: Mapping[str, str] = field(default_factory=dict)
    """Learnt tokens and the account's address: an id may look the same."""
    short: Sequence[str] = ()
    """Given values of fewer than eight characters, looked for as whole words only."""
    patterns: bool = True
    """Whether anything that looks like a secret is one."""
    needles: Needles = field(default_factory=lambda: Needles({}))
    """Credentials that are found in every encoding, and in parts. No field may hold one of them."""


class SecretScanner:
    """Scans parsed and decoded values for secrets.

    Args:
        sought: what to look for.
        spans: returns where ids stand in a text; what is part of one is no finding, unless it is a credential.
    """

    def __init__(self, sought: Sought, spans: Callable[[str], Sequence[tuple[int, int]]] = lambda _: ()) -> None:
        self._sought = sought
        self._spans = spans
        every = {**sought.others, **sought.credentials}
        self._bytes = {value.encode("utf-8", "replace"): kind for value, kind in every.items()}
        self._least = min(map(len, every), default=0)
        """What is shorter holds none of them."""
        self._short = [re.compile(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])") for value in sought.short]
        self._needles_suffice = not (every or sought.patterns)
        self._strict: SecretScanner | None = None
        self._clear: set[str] = set()

    @property
    def strict(self) -> SecretScanner:
        """The scanner for ids, amounts and statuses: it looks for credentials alone."""
        if self._strict is None:
            self._strict = SecretScanner(
                Sought(self._sought.credentials, short=self._sought.short, patterns=False, needles=self._sought.needles)
            )
        return self._strict

    def find(self, value: JSON | bytes, place: str = "$", name: str = "data", depth: int = 0) -> Iterator[Finding]:
        """Iterate over the secrets in `value`. Anything that cannot be scanned is a finding too."""
        if isinstance(value, str):  # an abstract type is slow to ask, and most values are texts
            yield from self._named(name, value, place)
            scanner = self.strict if self._is_verbatim(name, value) else self
            yield from scanner._text(value, place, 0)  # noqa: SLF001 - a scanner of the same class
        elif depth > _DEEP:
            yield Finding("too deep", place)
        elif isinstance(value, Mapping):
            for key, item in value.items():
                yield from self._text(str(key), f"{place}.{key:.40}" if len(str(key)) <= _DEEP else place, 0)
                inner = name if classify(name)[0] == "secret" else str(key)
                yield from self.find(item, f"{place}.{key:.40}", inner, depth + 1)
        elif isinstance(value, bytes | bytearray):
            yield from list(self._bytes_found(bytes(value), place, 0)) or self._known(bytes(value), place)
        elif isinstance(value, Sequence):
            for index, item in enumerate(value):
                yield from self.find(item, f"{place}[{index}]", name, depth + 1)
        elif value is not None and not isinstance(value, bool):
            scanner = self.strict if self._is_verbatim(name, str(value)) else self
            yield from scanner._known(str(value), place)  # noqa: SLF001 - a scanner of the same class
            yield from scanner._text(str(value), place, _NESTED)  # noqa: SLF001 - as above

    def _is_verbatim(self, name: str, value: str) -> bool:
        return self._sought.patterns and classify(name)[0] == "verbatim" and shaped(name, value)

    def hides(self, run: str) -> bool:
        """Whether a run of base64 characters hides a secret."""
        if self._sought.needles.find(run):
            return True
        known = (*self._sought.credentials, *self._sought.others)
        return any(secret in run for secret in known) or any(
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
        if text in self._clear:
            return
        found = False
        if nested == 0:
            for one in self._known(text, place):
                found = True
                yield one
        for one in self._searched(text, place, nested):
            found = True
            yield one
        may_be = not found and nested == 0 and len(self._clear) < _REMEMBERED and len(text) <= _LONG
        if may_be and not self._spans(text):  # the ids that excuse a part of it may be forgotten
            self._clear.add(text)

    def _known(self, value: str | bytes, place: str) -> Iterator[Finding]:
        found = self._sought.needles.find(value)
        if found is not None:
            yield Finding(found.kind, place)

    def _searched(self, text: str, place: str, nested: int) -> Iterator[Finding]:
        for secret, kind in self._sought.credentials.items():
            if secret in text:
                yield Finding(kind, place)
        if any(pattern.search(text) for pattern in self._short):
            yield Finding("known secret", place)
        if self._needles_suffice:
            return
        looks = list(self._looks(text))
        spans = self._spans(text) if looks else ()
        for match in looks:
            if not any(start <= match.start and match.end <= end for start, end in spans):
                yield Finding(match.kind, place)
        if nested < _NESTED:
            yield from self._decoded(text, place, nested + 1)

    def _looks(self, text: str) -> Iterator[patterns.Match]:
        """Find what may be a secret, or a part of an id."""
        for secret, kind in self._sought.others.items() if len(text) >= self._least else ():
            if secret in text:
                yield from (patterns.Match(kind, *found.span()) for found in re.finditer(re.escape(secret), text))
        if self._sought.patterns:
            for find in (patterns.secrets, patterns.emails):
                yield from (match for match in find(text) if text[match.start : match.end] != "***@")

    def _decoded(self, text: str, place: str, nested: int) -> Iterator[Finding]:
        for plain in dict.fromkeys((unquote_plus(text), unescaped(text), _UNICODE.sub(_character, text))):
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
        for secret, kind in self._bytes.items() if len(raw) >= self._least else ():
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
