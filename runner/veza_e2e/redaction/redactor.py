"""The one redactor: of the journal, the recordings, error texts and the gate."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping
from typing import cast
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from veza_e2e.canonical import JSON, clean
from veza_e2e.redaction import patterns
from veza_e2e.redaction.encodings import SHORT, base64_forms, decoded, variants
from veza_e2e.redaction.gate import BASE64, Finding, Gate
from veza_e2e.redaction.names import HEADERS, QUERY, SECRET_HEADERS, classify
from veza_e2e.redaction.patterns import ALIAS, WITHHELD

_URL = re.compile(r"\b[a-z][a-z0-9+.\-]{1,20}://[^\s\"'<>\\]+", re.IGNORECASE)
_TINY = 4
_DEEP = 64
_WORD = re.compile(r"\S+")
_PLAIN_WORD = re.compile(
    r"[(\"']?(?:[A-Za-z]{1,20}(?:'[a-z]{1,2})?|[0-9]{1,5}|\{\{[a-z_]+:[0-9]+\}\}|\[withheld\])[.,:;!?)\"']{0,2}|[-|/*=#]{1,3}"
)
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}|&#|&[a-z]{2,6};|\\u[0-9a-fA-F]{4}")
_TOKEN = re.compile(r"(?=[A-Za-z_+/=\-]*[0-9])[A-Za-z0-9+/=\-]{16,}|[A-Za-z0-9+/=]{32,}")
_CACHE = 4096
_PLAIN = 2 * 1024
_OPENS = frozenset("{[")


class Exact(str):
    """A JSON number with a fraction or an exponent, in the digits that were sent: never a float."""

    __slots__ = ()


class Redactor:
    """Takes secrets out of what is kept, each replaced by the same alias wherever it appears.

    An alias such as `{{access_token:1}}` is numbered in first-seen order and stands for itself: what was redacted
    stays the same when it is redacted again, so that a replay's requests match the recorded ones.

    Args:
        secrets: values known beforehand, by kind; `email` is masked and not aliased.
    """

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._aliases: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._variants: dict[str, str] = {}
        self._bounded: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._gate: Gate | None = None
        for kind, value in (secrets or {}).items():
            if kind == "email" and value:
                self._know(value, patterns.mask(value))
            elif value:
                self.learn(kind, value)
            if _TINY <= len(value) < SHORT:
                self._bounded[value] = self._aliases[value]

    def __repr__(self) -> str:
        return f"Redactor({len(self._aliases)} secrets)"

    def learn(self, kind: str, value: str) -> str:
        """Return the alias of a secret, a new one where it was not seen before."""
        if not value or value == WITHHELD or ALIAS.fullmatch(value):
            return value
        known = self._aliases.get(value)
        if known is None:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            known = f"{{{{{kind}:{self._counts[kind]}}}}}"
            self._know(value, known)
        return known

    def reserve(self, text: str) -> None:
        """Number new aliases after those in `text`: what an earlier process recorded of the same session."""
        for alias in ALIAS.findall(text):
            kind, _, number = alias[2:-2].partition(":")
            self._counts[kind] = max(self._counts.get(kind, 0), int(number))

    def _know(self, value: str, shown: str) -> None:
        self._aliases[value] = shown
        if len(value) >= SHORT:
            for variant in variants(value):
                self._variants.setdefault(variant, shown)
        self._texts.clear()
        self._gate = None

    def headers(self, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Return the headers that may be shown, by lower-case name; repeated ones are joined by a comma."""
        shown: dict[str, str] = {}
        for name, value in self.header_items(headers):
            shown[name] = f"{shown[name]}, {value}" if name in shown else value
        return shown

    def header_items(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return the headers that may be shown, in order, with lower-case names; the others are left out."""
        shown = []
        for raw, value in headers:
            name = raw.lower()
            if name in {"authorization", "proxy-authorization"}:
                shown.append((name, self._authorization(value)))
            elif name in {"cookie", "set-cookie"}:
                shown.append((name, self._cookies(value, several=name == "cookie")))
            elif name in SECRET_HEADERS:
                shown.append((name, self.learn(SECRET_HEADERS[name], value.strip())))
            elif name in HEADERS:
                shown.append((name, self.url(value) if name == "location" else self.text(value)))
        return shown

    def _authorization(self, value: str) -> str:
        scheme, space, rest = value.strip().partition(" ")
        if not space:
            return self.learn("authorization", scheme)
        kind = "access_token" if scheme.lower() == "bearer" else "authorization"
        return f"{self.text(scheme)} {self.learn(kind, rest.strip())}"

    def _cookies(self, value: str, *, several: bool) -> str:
        parts = []
        for place, part in enumerate(value.split(";")):
            name, equals, content = part.strip().partition("=")
            if several or place == 0:
                kind = classify(name)[1]
                content = self.learn(kind if kind == "csrf_token" else "cookie", content or name)
                parts.append(f"{self.text(name)}={content}" if equals else content)
            elif name.lower() in {"path", "domain", "max-age", "samesite", "secure", "httponly", "expires"}:
                parts.append(f"{name}={content}" if equals else name)
        return "; ".join(parts)

    def url(self, url: str) -> str:
        """Return a URL without its userinfo and fragment, with the values of the query that may be shown."""
        url = str(clean(url))
        try:
            parts = urlsplit(url)
            host = parts.netloc.rpartition("@")[2]
            fields = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=100)
        except ValueError:
            return WITHHELD
        if parts.scheme not in {"http", "https", ""}:
            return f"{parts.scheme}://{host}/***"
        path = "/".join(self._segment(segment) for segment in parts.path.split("/"))
        query = "&".join(f"{self._segment(name)}={self._parameter(name, value)}" for name, value in fields)
        start = f"{parts.scheme}://{host}" if parts.scheme else f"//{host}" if host else ""
        return f"{start}{path}{'?' if query else ''}{query}"

    def _segment(self, segment: str) -> str:
        plain = unquote(segment)
        shown = self._scrub(plain)
        return segment if shown == plain else quote(shown, safe="{}:*@")

    def _parameter(self, name: str, value: str) -> str:
        kind = classify(name)
        if kind[0] == "email":
            return quote(self._masked(value), safe="{}:*@")
        if kind[0] == "secret":
            return quote(self.learn(kind[1], value), safe="{}:*[]")
        return quote(self._scrub(value), safe="{}:*@") if name in QUERY else "***"

    def body(self, content: bytes, content_type: str | None, encoding: str | None = None) -> dict[str, JSON] | None:
        """Return what may be shown of a body, None where there is none.

        Args:
            content: the body; for a response after httpx has undone its encoding.
            content_type: the header's value.
            encoding: a request's Content-Encoding.

        Returns:
            `{"json": …}`, `{"form": {name: [value, …]}}`, `{"text": …}` or `{"withheld": why, "bytes": n}`.
            A number with a fraction is an `Exact`, which is a string with its digits.
        """
        if not content:
            return None
        media = (content_type or "").partition(";")[0].strip().lower()
        try:
            shown = self._readable(decoded(content, encoding), media)
        except UnicodeDecodeError:
            return {"withheld": "not UTF-8", "bytes": len(content)}
        except (ValueError, RecursionError, zlib.error):
            return {"withheld": "cannot be read as its content type says", "bytes": len(content)}
        return shown or {"withheld": self.text(media[:60]) or "no content type", "bytes": len(content)}

    def _readable(self, plain: bytes, media: str) -> dict[str, JSON] | None:
        if media == "application/json" or media.endswith("+json") or (not media and plain[:1] in b"{["):
            return {"json": self.json(json.loads(plain, parse_float=Exact, parse_constant=_refuse))}
        if media == "application/x-www-form-urlencoded":
            return {"form": self._form(plain.decode())}
        if media == "text/plain" and len(plain) <= _PLAIN:
            return {"text": self._prose(plain.decode())}
        return None

    def _form(self, content: str) -> dict[str, JSON]:
        shown: dict[str, list[str]] = {}
        for name, value in parse_qsl(content, keep_blank_values=True, max_num_fields=1000, errors="strict"):
            shown.setdefault(self._key(name), []).append(str(self._value(name, value, 0)))
        return cast("dict[str, JSON]", shown)

    def json(self, value: JSON) -> JSON:
        """Return a parsed JSON value with the members that may be shown; of the others only the structure is kept."""
        return self._value("data", value, 0)

    def _value(self, name: str, value: JSON, depth: int) -> JSON:
        if depth > _DEEP:
            return WITHHELD
        if isinstance(value, dict):
            return {self._key(key): self._value(key, item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(name, item, depth + 1) for item in value]
        return value if value is None or isinstance(value, bool) else self._scalar(name, value, depth)

    def _nested(self, text: str, depth: int) -> str:
        """Redact JSON inside a text by its names, as JSON."""
        try:
            value = json.loads(text, parse_float=Exact, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return self.text(text)
        return json.dumps(self._value("data", value, depth + 1), ensure_ascii=False, separators=(",", ":"))

    def _scalar(self, name: str, value: JSON, depth: int) -> JSON:
        text = str(clean(str(value)))
        sort, kind = classify(name)
        if sort == "secret":
            return self.learn(kind, text)
        if sort == "email":
            return self._masked(text)
        if sort == "withheld":
            return WITHHELD if text else value
        if isinstance(value, str) and not isinstance(value, Exact):
            return self._nested(text, depth) if text[:1] in _OPENS else self.text(text)
        return value if self._scrub(text) == text else WITHHELD

    def _key(self, key: str) -> str:
        shown = self.text(key)
        return shown if len(shown) <= _DEEP and not _TOKEN.search(shown) else WITHHELD

    def _masked(self, value: str) -> str:
        return self._aliases.get(value) or patterns.mask(str(clean(value)))

    def text(self, text: str) -> str:
        """Return a text with each known secret, and all that looks like one, replaced; addresses are masked."""
        shown = self._texts.get(text)
        if shown is None:
            if len(self._texts) >= _CACHE:
                self._texts.clear()
            plain = str(clean(text))
            shown = self._scrub(_URL.sub(lambda found: self.url(found[0]), plain) if "://" in plain else plain)
            self._texts[text] = shown
        return shown

    def _scrub(self, text: str) -> str:
        known = self._aliases.get(text)
        if known is not None:
            return known
        for variant in sorted((v for v in self._variants if v in text), key=len, reverse=True):
            text = text.replace(variant, self._variants[variant])
        for short, shown in self._bounded.items():
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(short)}(?![A-Za-z0-9])", shown, text)
        if len(text) < SHORT:
            return text
        for find in (patterns.secrets, patterns.named):
            for match in sorted(find(text), key=lambda match: match.start, reverse=True):
                text = text[: match.start] + self._replacement(match, text[match.start : match.end]) + text[match.end :]
        for match in reversed(list(patterns.emails(text))):
            text = text[: match.start] + patterns.mask(text[match.start : match.end]) + text[match.end :]
        text = BASE64.sub(lambda run: WITHHELD if self._opened_gate().hides(run[0]) else run[0], text)
        # Encoded more than once, or in a way that has no form of its own here.
        return WITHHELD if _ENCODED.search(text) and self.find(text) else text

    def _replacement(self, match: patterns.Match, value: str) -> str:
        if match.kind == "userinfo":
            return "***@"
        return self.learn(match.kind, value)

    def find(self, value: JSON | bytes) -> list[Finding]:
        """Return every secret that `value` holds: the gate, which must find nothing in what was redacted."""
        return list(self._opened_gate().find(value))

    def _opened_gate(self) -> Gate:
        if self._gate is None:
            known = dict(self._variants)
            for value, shown in self._aliases.items():
                if len(value) >= SHORT:
                    known.update(dict.fromkeys(base64_forms(value), shown))
            kinds = {
                form: shown[2:-2].partition(":")[0] if ALIAS.fullmatch(shown) else "email"
                for form, shown in known.items()
            }
            self._gate = Gate(kinds, tuple(self._bounded))
        return self._gate

    def _prose(self, text: str) -> str:
        """Return a body of plain text: its words and short numbers, for no name tells what anything else is."""
        return _WORD.sub(lambda found: found[0] if _PLAIN_WORD.fullmatch(found[0]) else WITHHELD, self.text(text))


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
