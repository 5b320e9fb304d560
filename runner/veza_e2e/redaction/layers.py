"""Decodes a text into the layers that it may hide, in linear time.

A layer is a text or bytes that came out of another one: percent signs, quoted-printable, escapes, entities, hex, lists
of numbers, base64 and its relatives at every offset, gzip, zlib and deflate. What comes out as noise is searched once
and not decoded any further.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

DEEP = 6
"""Layers inside each other that are decoded."""
_LEAST = 8 * 1024 * 1024
_TIMES = 40
_PACKED = 2
"""How often a value's own size may come out of what was packed in it, before that counts as too deep."""
_INFLATED = 4 * 1024 * 1024
_ATTEMPTS, _SIZE = 32, 16 * 1024
"""How many places are tried that look like the beginning of something packed, and one more for each so many bytes."""
PROBE = 16
"""Bytes that noise does not unpack to."""

_STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_ALPHABETS = (
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",  # bcrypt
    b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",  # crypt
)
_OTHER_ALPHABETS = tuple(bytes.maketrans(letters, _STANDARD) for letters in _ALPHABETS)
_URL_SAFE = bytes.maketrans(b"-_,", b"+//")
_NO_BASE64 = bytes(set(range(256)) - set(_STANDARD + b"-_,"))
_NO_OTHER = bytes(set(range(256)) - set(_ALPHABETS[0]))

_PERCENT = re.compile(r"%(?:u([0-9a-fA-F]{4})|([0-9a-fA-F]{2}))")
_QUOTED = re.compile(r"=(?:\r?\n|([0-9A-F]{2}))")
# A backslash that is escaped itself stands for one; the number is bounded, since input may be hostile.
_ESCAPE = re.compile(
    r"""\\{1,8}(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|u\{([0-9a-fA-F]{1,6})\}|([0-3][0-7]{2})|(["'/nrtbf]))"""
)
_CSS = re.compile(r"\\([0-9a-fA-F]{6}) ?")
_ZEROS, _NO_CHARACTER = re.compile(r"&#0+(?=[0-9])"), re.compile(r"&#[0-9]{8,};?")
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_HEX = re.compile(r"(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s:,;_.\"'\-]{0,3}){8,}[0-9a-fA-F]?")
_PREFIX = re.compile(r"0x|\\x")
_NO_HEX = re.compile(r"[^0-9a-fA-F]")
_BEHIND_HOST = re.compile(r"://[^/\s]{1,253}/(\S+)")
_NUMBERS = re.compile(r"[0-9]{2,3}(?:[\s,;]{1,3}[0-9]{2,3}){7,}")
_RUN = re.compile(r"[A-Za-z0-9+/_\-,.]{12,}")
_MIXED = re.compile(r"[a-z0-9][A-Z]|[A-Za-z][0-9]")
_BASE32 = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z2-7]{16,}|[a-z2-7]{16,})(?![A-Za-z0-9])")
_DENSE = re.compile(r"[!-~]{20,}")
_PUNCTUATION = re.compile(r"[!#$%&()*;<>?@^`{|}~\"\\]")
_PRINTABLE = re.compile(rb"[\t\n\r\x20-\x7e]{12,}")
_GZIP = b"\x1f\x8b\x08"
_MAGIC = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")


@dataclass(slots=True)
class _Spent:
    """What is left of the work that a text may cost."""

    left: int
    packed: int
    """How much more of what was packed may be decoded further at no cost to the rest."""

    def on(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise TooDeepError

    def unpacked(self, size: int) -> None:
        """Allow for the decoding of what was packed, so far as a value of this size may hold it."""
        more = min(size, self.packed)
        self.packed -= more
        self.left += _TIMES * more


class TooDeepError(Exception):
    """A value holds more than can be decoded in bounded work, or a packed part that cannot be read."""


def layers(value: str | bytes) -> Iterator[str | bytes]:
    """Iterate over a value and all that is encoded in it.

    Raises:
        TooDeepError: that is more than bounded work allows.
    """
    spent = _Spent(_LEAST + _TIMES * len(value), _PACKED * len(value))
    seen: set[str | bytes] = {value}
    now: list[str | bytes] = [value]
    for _ in range(DEEP):
        after = []
        for one in now:
            yield one
            for inner in _of_text(one) if isinstance(one, str) else _of_bytes(one, spent):
                spent.on(len(inner))
                if inner and inner not in seen:
                    seen.add(inner)
                    after.append(inner)
        now = after
        if not now:
            return
    yield from now


def plain(text: str) -> str:
    """Return a text in the compatibility form, without format characters and combining marks."""
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", text) if unicodedata.category(letter) not in {"Cf", "Mn"}
    )


def unescaped(text: str) -> str:
    """Return a text with the characters that its entities stand for; a number too long for one stands for none."""
    if "&" not in text:
        return text
    return html.unescape(_NO_CHARACTER.sub("\ufffd", _ZEROS.sub("&#", text)))


def _of_text(text: str) -> Iterator[str | bytes]:
    if not text.isascii():
        yield plain(text)
    if "%" in text:
        yield from _changed(text, _PERCENT.sub(_by_number, text))
    if "=" in text:
        yield from _changed(text, _QUOTED.sub(lambda found: chr(int(found[1], 16)) if found[1] else "", text))
    if "\\" in text:
        yield from _changed(text, _ESCAPE.sub(_escaped, text))
        if _CSS.search(text):
            yield _CSS.sub(_by_number, text)
    if "://" in text:
        yield from (found[1] for found in _BEHIND_HOST.finditer(text))
    if "&" in text:
        yield from _changed(text, unescaped(text))
    if len(text) >= 12:  # noqa: PLR2004 - nothing shorter hides a part that counts
        yield from _numbers(text)
        yield from _based(text)


def _changed(before: str, after: str) -> Iterator[str]:
    """Yield what was decoded; as UTF-8 where the numbers were its bytes."""
    if after == before:
        return
    yield after
    if not after.isascii():
        try:
            yield after.encode("latin-1").decode()
        except UnicodeError:
            return


def _by_number(found: re.Match[str]) -> str:
    number = int(next(group for group in found.groups() if group), 16)
    return chr(number) if number < 0x110000 else " "  # noqa: PLR2004 - the end of Unicode


def _escaped(found: re.Match[str]) -> str:
    *_, octal, simple = found.groups()
    if simple:
        return _SIMPLE.get(simple, simple)
    return chr(int(octal, 8)) if octal else _by_number(found)


def _numbers(text: str) -> Iterator[bytes]:
    for found in _HEX.finditer(text):
        digits = _NO_HEX.sub("", _PREFIX.sub("", found[0]))
        for start in (0, 1):
            end = len(digits) - (len(digits) - start) % 2
            yield bytes.fromhex(digits[start:end])
    for found in _NUMBERS.finditer(text):
        yield bytes(number for number in map(int, re.findall("[0-9]+", found[0])) if number < 256)  # noqa: PLR2004


def _based(text: str) -> Iterator[bytes]:
    runs = [run for run in _RUN.findall(text) if run.lower() != run != run.upper()]
    for run in runs:
        yield from _unbased(run.encode())
    if len(_MIXED.findall(text)) > 2 and (len(runs) != 1 or len(runs[0]) < len(text)):  # noqa: PLR2004 - no prose
        yield from _unbased(text.encode("ascii", "ignore"))
    for run in _BASE32.findall(text):
        whole = run.upper()[: len(run) - (1 if len(run) % 8 in {1, 3, 6} else 0)]
        yield base64.b32decode(whole + "=" * (-len(whole) % 8))
    for run in _DENSE.findall(text):
        if len(_PUNCTUATION.findall(run)) > 3:  # noqa: PLR2004 - no word, path or address
            yield from _dense(run)


def _unbased(run: bytes) -> Iterator[bytes]:
    """Decode base64 at each offset: what stands before it may be glued to it."""
    forms = [run.translate(_URL_SAFE, _NO_BASE64)]
    if b"+" not in run and b"_" not in run and b"-" not in run:
        other = run.translate(None, _NO_OTHER)
        forms += [other.translate(table) for table in _OTHER_ALPHABETS]
    for form in forms:
        for start in range(4):
            size = (len(form) - start) & ~3
            cut = form[start:]
            rest = len(cut) - size
            # A single letter behind whole groups encodes nothing.
            raw = binascii.a2b_base64(cut[:size] + (cut[size:] + b"=" * (4 - rest) if rest > 1 else b""))
            if _is_no_noise(raw):
                yield raw


def _is_no_noise(raw: bytes) -> bool:
    if _PRINTABLE.search(raw) or _MAGIC.search(raw) or raw.count(0) * 4 > len(raw):
        return True
    if len(raw) >= PROBE and len(raw.decode(errors="ignore").encode()) * 8 >= len(raw) * 7:
        return True
    try:
        return len(zlib.decompressobj(-15).decompress(raw, PROBE)) > PROBE // 2
    except zlib.error:
        return False


def _dense(run: str) -> Iterator[bytes]:
    for decode, given in ((base64.b85decode, run), (base64.a85decode, run.removeprefix("<~").removesuffix("~>"))):
        try:
            yield decode(given)
        except ValueError:
            continue


def _of_bytes(raw: bytes, spent: _Spent) -> Iterator[str | bytes]:
    for number, found in enumerate(_MAGIC.finditer(raw)):
        if number == _ATTEMPTS + len(raw) // _SIZE:
            raise TooDeepError
        yield from _inflated(
            memoryview(raw)[found.start() :], 47, spent, whole=found.start() == 0 and found[0] == _GZIP
        )
    try:
        yield raw.decode()
    except UnicodeDecodeError:
        yield from _inflated(raw, -15, spent)
        yield "\n".join(found.decode() for found in _PRINTABLE.findall(raw))
    if raw.count(0) * 4 > len(raw):
        yield raw.replace(b"\0", b"").decode("latin-1")


def _inflated(raw: bytes | memoryview, bits: int, spent: _Spent, *, whole: bool = False) -> Iterator[bytes]:
    """Yield what was packed.

    Raises:
        TooDeepError: it is too long, or cannot be read though it says that it is packed.
    """
    engine = zlib.decompressobj(bits)
    try:
        out = engine.decompress(raw, _INFLATED)
    except zlib.error as error:
        if whole:
            raise TooDeepError from error
        return
    if whole and not engine.eof:
        raise TooDeepError
    spent.unpacked(min(len(out), 2 * len(raw)))
    yield out
