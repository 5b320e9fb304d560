"""Compares the values of a request that a recording does not show.

A value without a name on the allow-list is withheld, so two of them would look alike. The recording holds a few bits
of a digest of each instead. One in 256 short values has the same bits, and one in 65,536 long ones, so they do not
give the value away. Secrets are compared by their aliases, and addresses of people by their masks.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias, cast
from urllib.parse import parse_qsl, urlsplit

from veza_e2e.canonical import JSON
from veza_e2e.redaction import WITHHELD, Redactor
from veza_e2e.redaction.encodings import decoded
from veza_e2e.redaction.names import QUERY, classify

UNKNOWN = "*"
"""Stands for a value of a replay that holds a withheld one, or an alias: what it was while recording is not known."""

_SHORT = 16
_LONGEST_LINE = 4096
_MOST_TEXT = 128 * 1024
_DEEP = 64
_BOUNDARY = re.compile(r'(?<=boundary=)(?:"([^"]*)"|([^;,\s]+))', re.IGNORECASE)
_MARKER = re.compile(r"\*\*\*(?!@)|\[withheld\]|%5Bwithheld%5D|\{\{[a-z_]+:[0-9]+\}\}")

_Value: TypeAlias = "_Members | list[_Value] | str | int | bool | None"


class _Members(tuple[tuple[str, "_Value"], ...]):
    """The members of a JSON object, with those whose name is there twice."""

    __slots__ = ()


class _Fraction(str):
    """A JSON number with a fraction or an exponent."""

    __slots__ = ()


def unbound(content_type: str) -> str:
    """Return a content type without its boundary, which is another in each request."""
    return _BOUNDARY.sub(UNKNOWN, content_type)


def digests(
    redactor: Redactor,
    opened: Callable[[str], str],
    url: str,
    content: bytes,
    *,
    headers: Mapping[str, str],
    shown: Mapping[str, JSON] | None,
    replayed: bool,
) -> dict[str, JSON]:
    """Return the digests of a request's values that are not shown, by their place in it.

    Args:
        redactor: the session's.
        opened: replaces secrets and origins by their aliases in a text.
        url: the request's.
        content: the bytes of its body.
        headers: its headers, by lower-case name.
        shown: what is shown of the body.
        replayed: whether a value that holds an alias may stand for another, which only the recording process knew.
    """
    walk = _Walk(redactor, opened, replayed=replayed)
    walk.url("url", url)
    try:
        plain = decoded(content, headers.get("content-encoding"))
    except (ValueError, zlib.error):
        plain = content
    try:
        walk.body(plain, headers.get("content-type", ""), shown or {})
    except (ValueError, RecursionError):
        walk.raw(plain, headers.get("content-type", ""))
    return {place: list(values) for place, values in walk.found.items()}


def alike(recorded: Mapping[str, JSON], now: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return a request as it is compared with a recorded one: what the recording does not tell is taken from it."""
    result = dict(now)
    before, headers = cast("Mapping[str, str]", recorded["headers"]), cast("Mapping[str, str]", now["headers"])
    media = before.get("content-type", "")
    if unbound(media) == headers.get("content-type"):
        result["headers"] = {**headers, "content-type": media}
    told = recorded.get("withheld")
    if not isinstance(told, Mapping):  # nothing was withheld, or the recording is older than the digests
        result.pop("withheld", None)
        return result
    found = cast("Mapping[str, Sequence[str]]", now.get("withheld", {}))
    mine: dict[str, JSON] = {}
    for place, values in found.items():
        kept = cast("Sequence[str]", told.get(place, []))
        if len(kept) == len(values):
            mine[place] = [one if UNKNOWN in {one, two} else two for one, two in zip(kept, values, strict=True)]
        elif UNKNOWN in values:  # the recorded text was JSON, whose values have places of their own
            mine |= {name: told[name] for name in told if name.startswith((f"{place}.", f"{place}["))}
        else:
            mine[place] = list(values)
    result["withheld"] = mine
    if "body" in told and isinstance(result["body"], Mapping) and isinstance(recorded["body"], Mapping):
        # An alias is not as long as the secret that it stands for.
        length = {key: recorded["body"][key] for key in ("bytes",) if key in recorded["body"]}
        result["body"] = {**result["body"], **length}
    return result


class _Walk:
    """Finds what is not shown, and notes its digests."""

    def __init__(self, redactor: Redactor, opened: Callable[[str], str], *, replayed: bool) -> None:
        self._replayed = replayed
        self.found: dict[str, list[str]] = {}
        self._redactor = redactor
        self._opened = opened

    def url(self, place: str, url: str) -> None:
        """Note the parameters of a URL's query."""
        try:
            parts = urlsplit(url)
            fields = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=100)
        except ValueError:
            self._note(place, url.partition("://")[2].partition("/")[2])
            return
        for name, value in fields:
            if classify(name)[0] not in {"secret", "email"} and name not in QUERY:
                self._note(f"{place}.{self._name(name)}", value)

    def body(self, content: bytes, media: str, shown: Mapping[str, JSON]) -> None:
        """Note what is not shown of a body."""
        if "json" in shown:
            self._value("body", "data", json.loads(content, object_pairs_hook=_Members, parse_float=_Fraction), depth=0)
        elif "form" in shown:
            for name, value in parse_qsl(content.decode(), keep_blank_values=True, max_num_fields=1000):
                self._value(f"body.{self._name(name)}", name, value, depth=1)
        elif shown and (WITHHELD in str(shown.get("text", WITHHELD))):
            self.raw(content, media)

    def raw(self, content: bytes, media: str) -> None:
        """Note a body as a whole."""
        boundary = _BOUNDARY.search(media)
        border = (boundary[1] or boundary[2]) if boundary else None
        if border:
            content = content.replace(border.encode("latin-1", "replace"), UNKNOWN.encode())
        self._bits("body", b"\n".join(self._lines(content)))

    def _lines(self, content: bytes) -> Iterator[bytes]:
        """Iterate over a body's lines, with aliases for secrets; long lines and those of a file stay as they are."""
        left = _MOST_TEXT
        for line in content.split(b"\n"):
            if len(line) > min(left, _LONGEST_LINE):
                yield line
                continue
            try:
                yield self._opened(line.decode()).encode()
                left -= len(line)
            except UnicodeDecodeError:
                yield line

    def _value(self, place: str, name: str, value: _Value, *, depth: int, hidden: bool = False) -> None:
        if depth > _DEEP:
            self._digest(place, repr(value))
        elif isinstance(value, _Members):
            secret = classify(name)[0] == "secret"
            last = {key: index for index, (key, _) in enumerate(value)}
            for index, (key, item) in enumerate(value):
                shown = self._name(key)
                unseen = hidden or shown == WITHHELD or index < last[key]
                if shown == WITHHELD:
                    self._note(f"{place}.{shown}", key)
                self._value(f"{place}.{shown}", name if secret else key, item, depth=depth + 1, hidden=unseen)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self._value(f"{place}[{index}]", name, item, depth=depth + 1, hidden=hidden)
        else:
            self._scalar(place, name, value, depth=depth, hidden=hidden)

    def _scalar(self, place: str, name: str, value: str | int | bool | None, *, depth: int, hidden: bool) -> None:
        sort = classify(name)[0]
        if sort in {"secret", "email"}:
            return
        hidden |= sort == "withheld" and value is not None and not isinstance(value, bool)
        inside = _nested(value)
        if inside is not None:
            self._value(place, name, inside, depth=depth + 1, hidden=hidden)
        elif hidden:
            number = isinstance(value, _Fraction) or not isinstance(value, str)
            self._note(place, str(value), "number" if number else "")
        if inside is None and isinstance(value, str) and "://" in value:
            self.url(place, value)

    def _name(self, name: str) -> str:
        return next(iter(cast("Mapping[str, JSON]", self._redactor.json({name: None}))))

    def _note(self, place: str, text: str, kind: str = "") -> None:
        if self._replayed and _MARKER.search(text):
            self.found.setdefault(place, []).append(UNKNOWN)
        else:
            self._digest(place, kind + self._opened(text))

    def _digest(self, place: str, text: str) -> None:
        self._bits(place, text.encode("utf-8", "surrogatepass"))

    def _bits(self, place: str, data: bytes) -> None:
        bits = f"{_crc8(data):02x}" if len(data) < _SHORT else hashlib.sha256(data).hexdigest()[:4]
        self.found.setdefault(place, []).append(bits)


def _nested(value: object) -> _Value:
    """Return the JSON object or array in a text; None if there is none."""
    if not isinstance(value, str) or isinstance(value, _Fraction) or value[:1] not in {"{", "["}:
        return None
    try:
        return cast("_Value", json.loads(value, object_pairs_hook=_Members, parse_float=_Fraction))
    except (ValueError, RecursionError):
        return None


def _crc8(data: bytes) -> int:
    """Return eight bits that any change of one character changes."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1) ^ (0x107 if crc & 0x80 else 0)
    return crc
