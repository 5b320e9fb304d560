"""Recognises secrets by their form: tokens, keys, card numbers, e-mail addresses, credentials in URLs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from veza_e2e.frozen import dataclass

ALIAS = re.compile(r"\{\{[a-z_]+:[1-9][0-9]{0,5}\}\}")
WITHHELD = "[withheld]"

_EMAIL = re.compile(
    r"[A-Za-z0-9._%+\-]{1,64}?(?:@|%40)[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,200}[A-Za-z0-9])?\.[A-Za-z]{2,24}"
)
_PAN = re.compile(
    r"(?<![A-Za-z0-9_\-.])[2-6]"
    r"(?:[0-9]{12,18}|[0-9]{3}(?:[ \u00a0./-][0-9]{4}){2}[ \u00a0./-][0-9]{1,7}"
    r"|[0-9]{3}[ \u00a0./-][0-9]{6}[ \u00a0./-][0-9]{5})"
    r"(?![A-Za-z0-9_\-]|\.[0-9])",
)
_BESIDE_CARD = re.compile(
    r"(?<![\w.,:/{\-])[0-9]{3,4}(?![\w:/}\-]|[.,][0-9]|\s?(?:[A-Z]{3}\b|[$€£]))"
    r"|(?<=[cC][vV][cCvV])2?[ :=]{0,2}[0-9]{3,4}\b"
)
_NEAR = 64
_IBAN = re.compile(r"(?<![A-Za-z0-9_\-])[A-Za-z]{2}[0-9]{2}(?:[ \u00a0.\-]?[A-Za-z0-9]){11,30}")
_NO_END = re.compile(r"-?[A-Za-z0-9_]")
_IBANS = (
    "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27"
    "GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21MC27MD24"
    "ME22MK19MR27MT31MU30NL18NO15PK24PL28PS29PT25QA29RO24RS22SA24SC31SE24SI19SK24SM27ST25SV28TL23TN24"
    "TR26UA29VA22VG24XK20"
)
_IBAN_LENGTHS = {country: int(length) for country, length in re.findall("([A-Z]{2})([0-9]{2})", _IBANS)}
_WORD = re.compile(r"\S+")
_PLAIN_WORD = re.compile(
    r"[(\"']?(?:[A-Za-z]{1,20}(?:'[a-z]{1,2})?|[0-9]{1,5}|\{\{[a-z_]+:[0-9]+\}\}|\[withheld\])[.,:;!?)\"']{0,2}|[-|/*=#]{1,3}"
)
_OTHERS = (
    ("access_token", "eyJ", re.compile(r"eyJ[A-Za-z0-9_\-]{5,1024}\.[A-Za-z0-9_\-]{5,}(?:\.[A-Za-z0-9_\-]*)*")),
    ("private_key", " KEY-----",
     re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*KEY-----|\Z)", re.DOTALL)),
    ("userinfo", "://", re.compile(r"(?<=://)[^\s/@?#\"'<>{}]+@(?=[^\s/@])")),
    ("userinfo", "%40", re.compile(r"(?<=%3A%2F%2F)[^\s/@?#\"'<>{}]{1,256}?%40", re.IGNORECASE)),
    ("api_key", "_",
     re.compile(r"\b(?:snd|prd|dev|sk|pk|rk|whsec|xox[abp])_(?:(?:live|test)_)?[A-Za-z0-9]{16,}\b")),
    ("client_secret", "_secret_", re.compile(r"[A-Za-z0-9_\-]{0,64}_secret_[A-Za-z0-9]{6,}\b")),
    ("authorization", "earer ", re.compile(r"(?<=\b[Bb]earer )(?!\{\{|\[withheld\])[A-Za-z0-9._~+/\-]{12,}=*")),
    ("authorization", "asic ", re.compile(r"(?<=\b[Bb]asic )(?=[A-Za-z][a-z]*[A-Z0-9+/=])[A-Za-z0-9+/]{8,}=*")),
)  # fmt: skip
"""What looks like a secret: its kind, what no match is without (which is quick to ask), and its pattern."""
# Input may be hostile, so every repetition inside a match has a bound.
_NAMED = re.compile(
    r"(?:pass(?:word|wd|phrase)|secret|token|api[_\-]?key|csrf|xsrf|cvc|cvv|cookie|authorization|signature)"
    r"[A-Za-z_\-]{0,32}(?:[\"']?(?:=|%3D|:[ \t]?(?=[^\s]{0,64}[0-9]|[^\s]{16}))"
    r"|\\{0,8}[\"']\s{0,8}:\s{0,8}(?=\\{0,8}[\"']))\\{0,8}[\"']?"
    r"(?P<value>(?!\{\{|\[withheld\]|null\b|None\b|\*\*\*|Bearer |Basic )[^\s\"'\\&;,<>{}()\[\]]{3,})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Match:
    """A secret's place in a text."""

    kind: str
    start: int
    end: int


def luhn(digits: str) -> bool:
    """Whether the digits end in the check digit of a card number."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the digits of a two-digit product
    return total % 10 == 0


def mask(address: str) -> str:
    """Return an e-mail address with its local part masked, except the first letter."""
    local, at, domain = address.replace("%40", "@").rpartition("@")
    return f"{local[:1]}***{at}{domain}" if at else WITHHELD


def lacking(text: str) -> bool:
    """Whether a text is without something that redaction took out of it."""
    text = unquote(text)
    return bool(ALIAS.search(text)) or WITHHELD in text or "***" in text


def emails(text: str) -> Iterator[Match]:
    """Find e-mail addresses that are not masked."""
    if "@" in text or "%40" in text:
        yield from (Match("email", found.start(), found.end()) for found in _EMAIL.finditer(text))


def secrets(text: str) -> Iterator[Match]:
    """Find texts that look like a secret, except e-mail addresses."""
    for kind, needed, pattern in _OTHERS:
        for found in pattern.finditer(text) if needed in text else ():
            if not ALIAS.fullmatch(found[0]):
                yield Match(kind, found.start(), found.end())
    for found in _PAN.finditer(text):
        if luhn(re.sub("[^0-9]", "", found[0])):
            yield Match("card_number", found.start(), found.end())
            yield from _beside(text, found.start(), found.end())
    for found in _IBAN.finditer(text):
        yield from _iban(found)


def _beside(text: str, start: int, end: int) -> Iterator[Match]:
    """Find what may be the security code of a card: a short number near it that is no amount, date or time."""
    for low, high in ((max(0, start - _NEAR), start), (end, min(len(text), end + _NEAR))):
        for found in _BESIDE_CARD.finditer(text, low, high):
            yield Match("card_cvc", found.start(), found.end())


def _iban(found: re.Match[str]) -> Iterator[Match]:
    length, letters = _IBAN_LENGTHS.get(found[0][:2].upper(), 0), ""
    for place, letter in enumerate(found[0]):
        letters += letter if letter.isalnum() else ""
        if letter.isalnum() and len(letters) == length:
            end = found.start() + place + 1
            moved = letters[4:] + letters[:4]
            if not _NO_END.match(found.string, end) and int("".join(str(int(each, 36)) for each in moved)) % 97 == 1:
                yield Match("iban", found.start(), end)
            return


def named(text: str) -> Iterator[Match]:
    """Find values after a secret's name, as in `password=…` or `token: …`."""
    for found in _NAMED.finditer(text) if "=" in text or ":" in text or "%" in text else ():
        yield Match("secret", found.start("value"), found.end("value"))


def prose(text: str) -> str:
    """Return the words and short numbers of a plain text. It has no names that tell what else may be shown."""
    return _WORD.sub(lambda found: found[0] if _PLAIN_WORD.fullmatch(found[0]) else WITHHELD, text)
