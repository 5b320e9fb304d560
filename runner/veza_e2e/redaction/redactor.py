"""The one redactor: of the journal, the recordings, error texts and the gate."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import cast
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from veza_e2e.canonical import JSON, clean
from veza_e2e.redaction import patterns
from veza_e2e.redaction.encodings import Exact, decoded
from veza_e2e.redaction.known import Known, looks_random
from veza_e2e.redaction.names import HEADERS, QUERY, SECRET_HEADERS, classify, shaped, verbatim
from veza_e2e.redaction.patterns import WITHHELD
from veza_e2e.redaction.scanner import Finding
from veza_e2e.redaction.scrubber import Scrubber

_URL = re.compile(r"\b[a-z][a-z0-9+.\-]{1,20}://[^\s\"'<>\\]+", re.IGNORECASE)
_DEEP = 64
_PLAIN_SEGMENT = re.compile(r"[a-z_\-]{0,24}|v?[0-9]{1,12}|\{\{[a-z_]+:[0-9]+\}\}|%5Bwithheld%5D")
_TOKEN = re.compile(r"(?=[A-Za-z_+/=\-]*[0-9])[A-Za-z0-9+/=\-]{16,}|[A-Za-z0-9+/=]{32,}")
_CACHE = 4096
_PLAIN = 2 * 1024
_OPENS = frozenset("{[")


class Redactor:
    """Replaces each secret by an alias, which is the same wherever the secret appears.

    Aliases such as `{{access_token:1}}` are numbered in first-seen order. Redacting a redacted text changes nothing, so
    that a replay's requests match the recorded ones.

    Ids, amounts, currencies, statuses and times stay as they are, unless they hold a credential: then they are
    withheld. What the walkthrough works with never passes through here.

    Args:
        secrets: values known beforehand, by kind. `email` is masked instead of aliased.
    """

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._known = Known()
        self._scrubber = Scrubber(self._known)
        self._texts: dict[str, str] = {}
        self._seen = -1
        for kind, value in (secrets or {}).items():
            if value:
                self.give(kind, value)

    def __repr__(self) -> str:
        return f"Redactor({len(self._known)} secrets)"

    def give(self, kind: str, value: str) -> None:
        """Add a secret that is known beforehand; there may be several of a kind."""
        self._known.give(kind, value)

    def learn(self, kind: str, value: str) -> str:
        """Return the alias of a secret, a new one where it was not seen before."""
        return self._known.learn(kind, value)

    def reserve(self, text: str) -> None:
        """Number new aliases after those in `text`: what an earlier process recorded of the same session."""
        self._known.reserve(text)

    def note(self, record: JSON) -> None:
        """Remember the ids in a record, so that texts which name them are not changed."""
        self._known.note(record)

    def field(self, name: str, value: str) -> str:
        """Return what may be shown of a member that is known by its name.

        Returns:
            An id, amount, currency, status or time that looks like one as it is; `[withheld]` if it holds a credential.
        """
        if not verbatim(name):
            return self.url(value) if name.endswith("_url") else self.text(value)
        self._known.note(value, name)
        shown = self._scrubber.verbatim(value)
        return shown if shown == WITHHELD or shaped(name, value) else self.text(value)

    def members(self, record: Mapping[str, JSON]) -> tuple[dict[str, JSON], list[str]]:
        """Return a record with what may be shown of its members, and the names of those that hold a credential."""
        withheld: list[str] = []

        def shown(name: str, value: JSON) -> JSON:
            if isinstance(value, str):
                kept = self.field(name, value)
                if kept == WITHHELD != value:
                    withheld.append(name)
                return kept
            self._known.note(value, name)
            if isinstance(value, int) and self._known.names_an_id(name) and self.field(name, str(value)) == WITHHELD:
                withheld.append(name)
                return WITHHELD
            if isinstance(value, Mapping):
                return {key: shown(key, item) for key, item in value.items()}
            return tuple(shown(name, item) for item in value) if isinstance(value, Sequence) else value

        return {name: shown(name, value) for name, value in record.items()}, withheld

    def kept(self, value: JSON) -> JSON:
        """Return a record as it is, but for the texts and numbers in it that hold a credential: they are withheld."""
        if isinstance(value, str):
            return self._scrubber.verbatim(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if self._scrubber.verbatim(str(value)) == str(value) else WITHHELD
        if isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101 - an abstract type is slow to ask
            return {self._scrubber.verbatim(name): self.kept(item) for name, item in value.items()}
        return tuple(map(self.kept, value))

    def headers(self, headers: Iterable[tuple[str, str]], *, sent: bool = False) -> dict[str, str]:
        """Return the headers that may be shown, by lower-case name; repeated ones are joined by a comma.

        Args:
            headers: names and values.
            sent: whether this client sends them: what it authenticates with is then a credential.
        """
        shown: dict[str, str] = {}
        for name, value in self.header_items(headers, sent=sent):
            shown[name] = f"{shown[name]}, {value}" if name in shown else value
        return shown

    def header_items(self, headers: Iterable[tuple[str, str]], *, sent: bool = False) -> list[tuple[str, str]]:
        """Return the headers that may be shown, in order, with lower-case names; the others are left out."""
        shown = []
        for raw, value in headers:
            name = raw.lower()
            if name in {"authorization", "proxy-authorization"}:
                shown.append((name, self._authorization(value, sent=sent)))
            elif name in {"cookie", "set-cookie"}:
                shown.append((name, self._cookies(value, several=name == "cookie")))
            elif name in SECRET_HEADERS:
                credential = sent and SECRET_HEADERS[name] == "api_key"
                shown.append((name, self._known.learn(SECRET_HEADERS[name], value.strip(), credential=credential)))
            elif name in HEADERS:
                shown.append((name, self.url(value) if name == "location" else self.text(value)))
        return shown

    def _authorization(self, value: str, *, sent: bool) -> str:
        scheme, space, rest = value.strip().partition(" ")
        if not space:
            return self._known.learn("authorization", scheme, credential=sent)
        kind = "access_token" if scheme.lower() == "bearer" else "authorization"
        return f"{self.text(scheme)} {self._known.learn(kind, rest.strip(), credential=sent)}"

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

    def url(self, url: str, *, sent: bool = False) -> str:
        """Return a URL without userinfo and fragment, with the values that may be shown; `***` stands for the rest.

        Args:
            url: any text; what is not a URL is withheld.
            sent: whether this client asks for it: then its path is made of words and ids alone.
        """
        url = str(clean(url))
        try:
            parts = urlsplit(url)
            host = parts.netloc.rpartition("@")[2]
            fields = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=100)
        except ValueError:
            return WITHHELD
        host = quote(WITHHELD) if not sent and self._scrubber.holds(host) else host
        if parts.scheme not in {"http", "https", ""}:
            return f"{parts.scheme}://{host}/***"
        path = "/".join(self._segment(segment, sent=sent) for segment in parts.path.split("/"))
        held = self._scrubber.holds(url)
        shown = [field for field in fields if field[0] in QUERY or not held]  # another may be the rest of what is held
        path = f"/{quote(WITHHELD)}" if held and not all(map(_PLAIN_SEGMENT.fullmatch, path.split("/"))) else path
        told = [f"{self._segment(name)}={self._parameter(name, value)}" for name, value in shown]
        told += ["***"] * (shown != fields)
        host = f"***@{host}" if "@" in parts.netloc else host
        return urlunsplit((parts.scheme, host, path, "&".join(told), "***" if parts.fragment else ""))

    def _segment(self, segment: str, *, sent: bool = False) -> str:
        plain = unquote(segment)
        shown = self.field("id", plain) if sent else self._scrubber.scrub(plain)
        return segment if shown == plain else quote(shown, safe="{}:*@")

    def _parameter(self, name: str, value: str) -> str:
        kind = classify(name)
        if kind[0] == "email":
            return quote(self._masked(value), safe="{}:*@")
        if kind[0] == "secret":
            return quote(self.learn(kind[1], value), safe="{}:*[]")
        if name not in QUERY:
            return "***"
        return quote(self.field(name, value) if kind[0] == "verbatim" else self._scrubber.scrub(value), safe="{}:*@[]")

    def body(self, content: bytes, content_type: str | None, encoding: str | None = None) -> dict[str, JSON] | None:
        """Return what may be shown of a body; None if there is no body.

        Args:
            content: the body; a response's body as httpx has decoded it.
            content_type: the header's value.
            encoding: a request's Content-Encoding.

        Returns:
            `{"json": …}`, `{"form": {name: [value, …]}}`, `{"text": …}` or `{"withheld": why, "bytes": n}`.
            A number with a fraction becomes an `Exact`, a string of its digits.
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
            return {"text": patterns.prose(self.text(plain.decode()))}
        return None

    def _form(self, content: str) -> dict[str, JSON]:
        shown: dict[str, list[str]] = {}
        for name, value in parse_qsl(content, keep_blank_values=True, max_num_fields=1000, errors="strict"):
            shown.setdefault(self._key(name), []).append(str(self._value(name, value, 0)))
        return cast("dict[str, JSON]", shown)

    def json(self, value: JSON) -> JSON:
        """Return a JSON value with the members that may be shown; the others keep only their structure."""
        return self._value("data", value, 0)

    def _value(self, name: str, value: JSON, depth: int) -> JSON:
        if depth > _DEEP:
            return WITHHELD
        if isinstance(value, dict):
            self._hold_login(value)
            # What stands below a secret's name is secret, whatever its own name.
            secret = classify(name)[0] == "secret"
            return {
                self._key(key): self._value(name if secret else key, item, depth + 1) for key, item in value.items()
            }
        if isinstance(value, list):
            return [self._value(name, item, depth + 1) for item in value]
        return value if value is None or isinstance(value, bool) else self._scalar(name, value, depth)

    def _hold_login(self, value: Mapping[str, JSON]) -> None:
        """Take the tokens of a login's answer for credentials, before any other member is shown."""
        if "access_token" in value and not {"expires_in", "user"}.isdisjoint(value):
            for kind in ("access_token", "refresh_token"):
                token = value.get(kind)
                if isinstance(token, str) and looks_random(token):
                    self._known.learn(kind, token, credential=True)

    def _nested(self, text: str, depth: int) -> str:
        """Redact JSON inside a text by its member names."""
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
        if sort == "verbatim":
            shown = self.field(name, text)
            return value if shown == text and type(value) is not str else shown
        if isinstance(value, str) and not isinstance(value, Exact):
            return self._nested(text, depth) if text[:1] in _OPENS else self.text(text)
        return value if self._scrubber.scrub(text) == text else WITHHELD

    def _key(self, key: str) -> str:
        shown = self.text(key)
        return shown if len(shown) <= _DEEP and not _TOKEN.search(shown) else WITHHELD

    def _masked(self, value: str) -> str:
        return self._known.exact(value) or patterns.mask(str(clean(value)))

    def text(self, text: str) -> str:
        """Return a text with each known secret, and all that looks like one, replaced; addresses are masked."""
        if self._seen != self._known.changes:
            self._texts.clear()
            self._seen = self._known.changes
        shown = self._texts.get(text)
        if shown is None:
            plain = str(clean(text))
            if "://" in plain:
                plain = _URL.sub(lambda found: self.url(found[0]), self._scrubber.known(plain))
            shown = self._scrubber.scrub(plain)
            if len(self._texts) >= _CACHE:
                self._texts.clear()
            self._texts[text] = shown
        return shown

    def find(self, value: JSON | bytes) -> list[Finding]:
        """Return every secret that `value` holds: the gate, which must find nothing in what was redacted."""
        return self._scrubber.find(value)


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
