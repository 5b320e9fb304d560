"""Turns requests and responses into the form of a recording: redacted, bodies parsed, origins aliased."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import cast
from urllib.parse import urlencode

import httpx

from veza_e2e.canonical import JSON, clean
from veza_e2e.cassettes import unshown
from veza_e2e.cassettes.origins import aliased, aliased_in
from veza_e2e.frozen import dataclass
from veza_e2e.redaction import Exact, Redactor

MATTERS = ("authorization", "api-key", "content-type", "cookie", "idempotency-key", "x-csrf-token", "x-xsrf-token")
"""The request headers that a replay compares."""

_BINARY = ("application/octet-stream", "audio/", "image/")
_LONGEST_BINARY = 64 * 1024
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Clean:
    """Redacts requests and responses for a recording.

    Args:
        redactor: the session's.
        origins: the alias of each real origin.
        keep: media types of responses whose bodies are kept even if their names do not tell what is private in them.
        replayed: whether the requests are those of a replay, whose values may come from redacted responses.
    """

    redactor: Redactor
    origins: Mapping[str, str]
    keep: Collection[str] = ()
    replayed: bool = False

    def request(
        self, method: str, url: str, headers: Iterable[tuple[str, str]], content: bytes | None
    ) -> dict[str, JSON]:
        """Return a request as it is stored."""
        given = list(headers)
        sent = {name.lower(): value for name, value in given}
        shown = self.redactor.headers(given, sent=True)
        body = self.redactor.body(content or b"", sent.get("content-type"), sent.get("content-encoding"))
        stored: dict[str, JSON] = {
            "method": method,
            "url": self.text(self.redactor.url(url, sent=True)),
            "headers": {name: self.text(unshown.unbound(shown[name])) for name in MATTERS if name in shown},
            "body": self._body(body),
        }
        withheld = unshown.digests(
            self.redactor, self._opened, url, content or b"", headers=sent, shown=body, replayed=self.replayed
        )
        return {**stored, "withheld": withheld} if withheld else stored

    def _opened(self, text: str) -> str:
        return self.text(self.redactor.text(text))

    def response(self, status: int, headers: Sequence[tuple[str, bytes]], content: bytes) -> dict[str, JSON]:
        """Return a response as it is stored; only status and length if it cannot be redacted safely.

        Each byte of a header is stored as the character of its number (ISO 8859-1), so that it comes back as it was.
        """
        media = next((_readable(value)[0] for name, value in reversed(headers) if name.lower() == "content-type"), None)
        body = self._binary(content, media) or self._body(self.redactor.body(content, media))
        if isinstance(body, Mapping) and "withheld" in body and _media(media) in self.keep:
            body = self._kept(content) or body
        shown = [item for name, value in headers for item in self._header(name, value)]
        if self.redactor.find([{name: text} for name, text, _ in shown] + [body]):
            shown, body = [], {"withheld": "it could not be redacted safely", "bytes": len(content)}
        stored: list[JSON] = [[name, text.encode(used, "replace").decode("latin-1")] for name, text, used in shown]
        return {"status": status, "headers": stored, "body": body}

    def _header(self, name: str, value: bytes) -> Iterator[tuple[str, str, str]]:
        """Iterate over a header's name, text and encoding, if it may be shown."""
        text, used = _readable(value)
        if name.lower() == "content-encoding":  # it is left only if the body is still encoded
            yield name.lower(), self.redactor.text(text), used
        for shown, redacted in self.redactor.header_items([(name, text)]):
            yield shown, self.text(_timeless(redacted) if shown == "set-cookie" else redacted), used

    def _kept(self, content: bytes) -> JSON:
        """Return a body of a type that was asked for, None if it would give a secret or the backend's address away."""
        if _is_text(content):
            return {"text": self.text(self.redactor.text(content.decode()))}
        return self._whole(content)

    def _whole(self, content: bytes) -> JSON:
        plain = content.decode("latin-1")
        if self.redactor.find(content) or self.text(plain) != plain:
            return None
        return {"base64": base64.b64encode(content).decode()}

    def error(self, error: BaseException) -> dict[str, JSON]:
        """Return a failure as it is stored."""
        return {"class": type(error).__name__, "message": self.text(self.redactor.text(str(error)))}

    def text(self, text: str) -> str:
        """Return a redacted text with aliased origins."""
        return aliased(text, self.origins)

    def json(self, value: JSON) -> JSON:
        """Return a redacted JSON value with aliased origins."""
        return self._aliased(self.redactor.json(value))

    def _body(self, body: Mapping[str, JSON] | None) -> JSON:
        return None if body is None else self._aliased(tagged(body))

    def _aliased(self, value: JSON) -> JSON:
        return aliased_in(cast("JSON", json.loads(json.dumps(clean(value)))), self.origins)

    def _binary(self, content: bytes, media: str | None) -> JSON:
        if not (media or "").lower().startswith(_BINARY) or len(content) > _LONGEST_BINARY or _is_text(content):
            return None
        return self._whole(content)


def _readable(value: bytes) -> tuple[str, str]:
    """Return a header's text, and its encoding: UTF-8, or else ISO 8859-1, in which every byte is a character."""
    try:
        return value.decode(), "utf-8"
    except UnicodeDecodeError:
        return value.decode("latin-1"), "latin-1"


def header_bytes(text: str) -> bytes:
    """Return the bytes of a stored header."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _media(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _timeless(cookie: str) -> str:
    """Return a cookie without the attributes that would keep a replay from sending it: domain, expiry, secure."""
    first, *attributes = cookie.split("; ")
    over = any(attribute.lower().startswith("expires=thu, 01 jan 1970") for attribute in attributes)
    kept = [one for one in attributes if one.partition("=")[0].lower() not in {"domain", "expires", "secure"}]
    return "; ".join([first, *kept, *(["Max-Age=0"] if over else [])])


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def tagged(value: JSON) -> JSON:
    """Return a redacted body with each exact number as `{"$number": digits}`."""
    if isinstance(value, str):
        return {"$number": str(value)} if isinstance(value, Exact) else value
    if isinstance(value, Mapping):
        return {key: tagged(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [tagged(item) for item in value]
    return value


def _marked(value: JSON, mark: str) -> JSON:
    if isinstance(value, Mapping):
        number = value.get("$number")
        if len(value) == 1 and isinstance(number, str) and _NUMBER.fullmatch(number):
            return f"{mark}{number}"
        return {key: _marked(item, mark) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_marked(item, mark) for item in value]
    return value


def content(body: Mapping[str, JSON] | None, media: str | None) -> bytes:
    """Return the bytes of a stored body. Redacting them again gives the same body.

    Raises:
        ValueError: it is not a stored body.
    """
    if body is None:
        return b""
    if "json" in body:
        text = json.dumps(body["json"], ensure_ascii=True, separators=(",", ":"))
        if '"$number"' in text:
            mark = "n:"
            while mark in text:  # a text of the backend must not come back as a number
                mark = f"n{mark}"
            text = json.dumps(_marked(body["json"], mark), ensure_ascii=True, separators=(",", ":"))
            text = re.sub(rf'"{mark}([^"\\]*)"', r"\1", text)
        return text.encode()
    if isinstance(body.get("text"), str):
        return str(body["text"]).encode()
    if "form" in body:
        return urlencode(_fields(body["form"])).encode()
    if isinstance(body.get("base64"), str):
        return base64.b64decode(str(body["base64"]), validate=True)
    size = body.get("bytes")
    if isinstance(body.get("withheld"), str) and isinstance(size, int) and 0 <= size <= 16 * 1024 * 1024:
        return _filler(str(body["withheld"]), media or "") * size
    raise ValueError("the body is not one of json, text, form, base64, withheld")


def _fields(form: JSON) -> list[tuple[str, str]]:
    if not isinstance(form, Mapping) or not all(isinstance(values, list) for values in form.values()):
        raise ValueError("the form is not one")
    return [(name, str(value)) for name, values in form.items() for value in cast("list[JSON]", values)]


def _filler(why: str, media: str) -> bytes:
    # A withheld body comes back as bytes that are unreadable and will be withheld for the same reason.
    if why == "not UTF-8":
        return b"\xff"
    return b"\0" if "json" in media else b" "


ERRORS = {
    kind.__name__: kind
    for kind in vars(httpx).values()
    if isinstance(kind, type) and issubclass(kind, httpx.RequestError)
}
"""The transport failures that a recording can hold, by name."""
