"""120 ways to write a secret down, five kinds of secrets, and texts that look like secrets and are none.

The table stands by itself: it shares no code with the redactor, and says nothing of how a form is found.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import quopri
import unicodedata
import zlib
from collections.abc import Callable
from urllib.parse import quote, quote_plus

PASSWORD = "Quiet-Otters7 paddle & 93 upstream/Gates!"
ACCESS = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    ".eyJzdWIiOiI3Iiwic2lkIjoiWnE4UDFrTDZ2UjJ4TSIsImV4cCI6MTc5NTAwMDAwMH0"
    ".p3Vw9Kf2LmQx7RtYb1ZcNa8HdJ5sGe0UoXi6TyWqBvM"
)
REFRESH = "rt-9f8Zk2Wq7Lm4Xs1Vb6Nc3Td5Hy0Pj8RgEuAo"
API_KEY = "snd_K7f2Qm9Zx4Lw1Rt8Vb3Nc6Hy5Jp0Ds"
DSN_PASSWORD = "Gh8mTr2xVq5Lz9Wd"
DSN = f"postgresql://veza:{DSN_PASSWORD}@db.veza.test:5432/veza"
EMAIL = "operator@veza.test"

SECRETS = {
    "password": PASSWORD, "access_token": ACCESS, "refresh_token": REFRESH, "api_key": API_KEY, "dsn": DSN,
}  # fmt: skip
KNOWN = {"email": EMAIL, "password": PASSWORD, "api_key": API_KEY, "dsn": DSN}
"""What the operator's shell gives; the two tokens come with the login's answer."""

BCRYPT = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
CRYPT = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def b64(data: str | bytes) -> str:
    raw = data.encode() if isinstance(data, str) else data
    return base64.b64encode(raw).decode()


def url64(data: str | bytes) -> str:
    raw = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).decode()


def deflated(data: str) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data.encode()) + engine.flush()


def packed(data: str) -> bytes:
    return gzip.compress(data.encode(), mtime=0)


def every(text: str, size: int, between: str) -> str:
    return between.join(text[at : at + size] for at in range(0, len(text), size))


def percent(raw: bytes) -> str:
    return "".join(f"%{byte:02X}" for byte in raw)


def alphabet(text: str, letters: str) -> str:
    return b64(text).rstrip("=").translate(str.maketrans(STANDARD, letters))


def dump(raw: bytes) -> str:
    lines = []
    for at in range(0, len(raw), 16):
        row = raw[at : at + 16]
        words = " ".join(f"{byte:02x}" for byte in row)
        seen = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:08x}  {words:<47}  |{seen}|")
    return "\n".join(lines)


def bold(text: str) -> str:
    def one(letter: str) -> str:
        if "a" <= letter <= "z":
            return chr(0x1D41A + ord(letter) - ord("a"))
        if "A" <= letter <= "Z":
            return chr(0x1D400 + ord(letter) - ord("A"))
        return chr(0x1D7CE + int(letter)) if letter.isdigit() else letter

    return "".join(map(one, text))


def wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def half(text: str) -> int:
    return len(text) // 2


PLAIN: dict[str, Callable[[str], str]] = {
    "raw": str,
    "upper": str.upper,
    "lower": str.lower,
    "swapped case": str.swapcase,
    "title case": str.title,
    "full width": wide,
    "bold letters": bold,
    "decomposed": lambda s: unicodedata.normalize("NFKD", wide(s)),
    "zero-width space between all": "\u200b".join,
    "zero-width joiner every 4": lambda s: every(s, 4, "\u200d"),
    "soft hyphen every 5": lambda s: every(s, 5, "\u00ad"),
    "word joiner every 3": lambda s: every(s, 3, "\u2060"),
    "byte-order mark inside": lambda s: s[: half(s)] + "\ufeff" + s[half(s) :],
    "right-to-left marks": lambda s: every(s, 6, "\u200f"),
    "variation selectors": "\ufe0f".join,
    "combining strokes": "\u0336".join,
    "spaced": " ".join,
    "dashes every 4": lambda s: every(s, 4, "-"),
    "dots every 3": lambda s: every(s, 3, "."),
    "lines of 8": lambda s: every(s, 8, "\n"),
    "tabs every 6": lambda s: every(s, 6, "\t"),
    "no-break spaces every 4": lambda s: every(s, 4, "\u00a0"),
    "underscores between all": "_".join,
    "string pieces": lambda s: '"' + every(s, 7, '" + "') + '"',
    "bars between all": "|".join,
    "NUL between all": "\0".join,
    "upper, spaced": lambda s: " ".join(s.upper()),
}
PERCENT: dict[str, Callable[[str], str]] = {
    "percent": lambda s: quote(s, safe=""),
    "form": quote_plus,
    "percent, all": lambda s: percent(s.encode()),
    "percent, all, lower": lambda s: percent(s.encode()).lower(),
    "percent twice": lambda s: quote(quote(s, safe=""), safe=""),
    "percent, all, three times": lambda s: quote(quote(percent(s.encode()), safe=""), safe=""),
    "percent of UTF-16": lambda s: percent(s.encode("utf-16-le")),
    "percent u": lambda s: "".join(f"%u{ord(letter):04x}" for letter in s),
    "quoted printable": lambda s: quopri.encodestring(s.encode(), quotetabs=True).decode(),
    "quoted printable, all": lambda s: "".join(f"={byte:02X}" for byte in s.encode()),
    "percent of upper": lambda s: percent(s.upper().encode()),
}
HEX: dict[str, Callable[[str], str]] = {
    "hex": lambda s: s.encode().hex(),
    "HEX": lambda s: s.encode().hex().upper(),
    "hex with colons": lambda s: s.encode().hex(":"),
    "hex with dashes": lambda s: s.encode().hex("-"),
    "hex with spaces": lambda s: s.encode().hex(" "),
    "hex in words": lambda s: s.encode().hex(" ", -2),
    "hex in groups of 8": lambda s: s.encode().hex("_", -4),
    "hex with 0x": lambda s: ", ".join(f"0x{byte:02x}" for byte in s.encode()),
    "hex behind 0x": lambda s: "0x" + s.encode().hex(),
    "hex at an odd place": lambda s: "f" + s.encode().hex(),
    "hex in lines": lambda s: every(s.encode().hex(), 32, "\n"),
    "hex of UTF-16": lambda s: s.encode("utf-16-le").hex(),
    "hex of big-endian UTF-16": lambda s: s.encode("utf-16-be").hex(),
    "hex twice": lambda s: s.encode().hex().encode().hex(),
    "hex of upper": lambda s: s.upper().encode().hex(),
    "hex dump": lambda s: dump(s.encode()),
    "decimal": lambda s: " ".join(str(byte) for byte in s.encode()),
    "decimal list": lambda s: json.dumps(list(s.encode())),
}
ESCAPES: dict[str, Callable[[str], str]] = {
    "x escapes": lambda s: "".join(f"\\x{byte:02x}" for byte in s.encode()),
    "X escapes": lambda s: "".join(f"\\x{byte:02X}" for byte in s.encode()),
    "u escapes": lambda s: "".join(f"\\u{ord(letter):04x}" for letter in s),
    "U escapes": lambda s: "".join(f"\\U{ord(letter):08x}" for letter in s),
    "u escapes in braces": lambda s: "".join(f"\\u{{{ord(letter):x}}}" for letter in s),
    "octal escapes": lambda s: "".join(f"\\{byte:03o}" for byte in s.encode()),
    "CSS escapes": lambda s: "".join(f"\\{ord(letter):06x} " for letter in s),
    "every second escaped": lambda s: "".join(f"\\x{ord(c):02x}" if at % 2 else c for at, c in enumerate(s)),
    "JSON in JSON": lambda s: json.dumps(json.dumps({"x": s})),
    "u escapes twice": lambda s: "".join(f"\\\\u{ord(letter):04x}" for letter in s),
}
ENTITIES: dict[str, Callable[[str], str]] = {
    "entities": html.escape,
    "entities by number": lambda s: "".join(f"&#{ord(letter)};" for letter in s),
    "entities by hex": lambda s: "".join(f"&#x{ord(letter):x};" for letter in s),
    "entities with zeros": lambda s: "".join(f"&#{ord(letter):07d};" for letter in s),
    "entities without semicolon": lambda s: "".join(f"&#{ord(letter)}" for letter in s),
    "entities twice": lambda s: html.escape("".join(f"&#{ord(letter)};" for letter in s)),
}
BASE64: dict[str, Callable[[str], str]] = {
    "base64": b64,
    "base64, one in": lambda s: b64(f"x{s}yy"),
    "base64, two in": lambda s: b64(f"xx{s}y"),
    "base64, no padding": lambda s: b64(s).rstrip("="),
    "base64url": url64,
    "base64url, one in, no padding": lambda s: url64(f"?{s}").rstrip("="),
    "base64url, two in": lambda s: url64(f"?>{s}"),
    "base64 in lines": lambda s: every(b64(s), 16, "\r\n"),
    "base64 in MIME lines": lambda s: base64.encodebytes((s * 2).encode()).decode(),
    "base64 spaced by 4": lambda s: every(b64(s), 4, " "),
    "base64 of IMAP": lambda s: b64(s).rstrip("=").replace("/", ","),
    "base64 of bcrypt": lambda s: alphabet(s, BCRYPT),
    "base64 of crypt": lambda s: alphabet(s, CRYPT),
    "base64 glued to a word": lambda s: f"abc{b64(s)}",
    "base64 glued to two letters": lambda s: f"ab{b64(s)}",
    "base64 with escaped slashes": lambda s: b64(f"??{s}").replace("/", "\\/"),
    "base64 in a query": lambda s: f"?state={quote(b64(s), safe='')}",
    "base64 in a data URL": lambda s: f"data:text/plain;base64,{b64(s)}",
    "base64 twice": lambda s: b64(b64(s)),
    "base64 three times": lambda s: b64(b64(b64(s))),
    "base64 of UTF-16": lambda s: b64(s.encode("utf-16")),
    "base64 of big-endian UTF-16": lambda s: b64(s.encode("utf-16-be")),
    "base64 of UTF-32": lambda s: b64(s.encode("utf-32-le")),
    "base64 of upper": lambda s: b64(s.upper()),
    "base64 of percent": lambda s: b64(quote(s, safe="")),
    "base64 in binary": lambda s: b64(b"\xff\xd8\x00\x91" + s.encode() + b"\xc3\x00\xfe"),
    "base32": lambda s: base64.b32encode(s.encode()).decode(),
    "base32, lower, no padding": lambda s: base64.b32encode(s.encode()).decode().lower().rstrip("="),
    "base85": lambda s: base64.b85encode(s.encode()).decode(),
    "ASCII 85": lambda s: base64.a85encode(s.encode(), adobe=True).decode(),
}
PACKED: dict[str, Callable[[str], str]] = {
    "gzip in base64": lambda s: b64(packed(s)),
    "gzip in base64url": lambda s: url64(packed(s)).rstrip("="),
    "gzip in hex": lambda s: packed(s).hex(),
    "zlib in base64": lambda s: b64(zlib.compress(s.encode())),
    "zlib in hex": lambda s: zlib.compress(s.encode(), 9).hex(),
    "zlib, quick, in base64": lambda s: b64(zlib.compress(s.encode(), 1)),
    "deflate in base64": lambda s: b64(deflated(s)),
    "gzip of UTF-16 in base64": lambda s: b64(gzip.compress(s.encode("utf-16"), mtime=0)),
    "gzip of gzip in base64": lambda s: b64(gzip.compress(packed(s), mtime=0)),
    "gzip of base64 in base64": lambda s: b64(packed(b64(s))),
    "gzip behind other bytes in base64": lambda s: b64(b"\0\1\2" + packed(s)),
}
NESTED: dict[str, Callable[[str], str]] = {
    "percent of base64 of hex": lambda s: quote(b64(s.encode().hex()), safe=""),
    "entities of percent": lambda s: html.escape(percent(s.encode())).replace("%", "&#37;"),
    "u escapes of base64": lambda s: "".join(f"\\u{ord(letter):04x}" for letter in b64(s)),
    "base64 of zlib of JSON": lambda s: b64(zlib.compress(json.dumps({"note": s}).encode())),
}
PARTS: dict[str, Callable[[str], str]] = {
    "first two thirds": lambda s: s[: 2 * len(s) // 3] + "…",
    "last two thirds": lambda s: "…" + s[len(s) // 3 :],
    "two halves apart": lambda s: f"{s[: half(s) + 6]} and then also {s[half(s) - 6 :]}",
}
FORMS = PLAIN | PERCENT | HEX | ESCAPES | ENTITIES | BASE64 | PACKED | NESTED | PARTS

HARMLESS = (
    "order 8f14e45f-ceea-467f-9d0b-4242424242aa is completed",
    "session 01JDBX3R8M2V6Q0Z9T4K7W5Y1C was resumed",
    "SHA-256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 of the report",
    "commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
    "card 4111111111111112 has a wrong check digit",
    "IBAN DE89370400440532013001 has a wrong check sum",
    "phone +49 30 1234567",
    "seen at 2026-11-23T10:00:00.123Z, again at 2026-11-23T10:00:05Z",
    "the invoice 2026-11-000123 over 1,234.56 EUR",
    "price_cents=500 tax_amount_cents=95 total_amount_cents=595",
    "Invalid token: expired",
    "password: required",
    "the password is wrong",
    "the API key was refused",
    "no secret is shown",
    "http://veza.test/api/v1/orders?page=1&limit=20",
    "/orders/41/refund answered 409",
    "o***@veza.test",
    "{{access_token:1}} was refreshed as {{access_token:2}}",
    "[withheld] by the gate",
    "SGVsbG8sIHdvcmxkISBUaGlzIGlzIGZpbmUu",
    "48656c6c6f2c20776f726c6421205468697320697320",
    "48:65:6c:6c:6f:2c:20:77:6f:72:6c:64",
    "caf%C3%A9 au lait &amp; croissants",
    "\\u0048ello \\x77orld",
    "the database at db.veza.test:5432 could not be reached",
    "pay_41 is captured, ref_7 is pending",
    "trace 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    'W/"33a64df551425fcc55e4d42a148795d9f25f89d4"',
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    "veza 0.2.0, Python 3.11.7, httpx 0.28.1",
    "10.20.30.40 and fe80:0000:0000:0000:0202:b3ff:fe1e:8329",
    "ISRC US-S1Z-99-00001, ISBN 978-3-16-148410-0",
    "Überweisung über 5,00 € gesehen",
    "the code is 409, the limit 1000, the year 2026",
    "-----BEGIN CERTIFICATE----- is no key",
    "eyJ is how many tokens begin",
    "the card ends in 4242, valid until 12/27",
    "Basic authentication and Bearer tokens are refused",
    "a quiet otter, and a gate upstream",
)
"""Texts that look like secrets and are none."""
