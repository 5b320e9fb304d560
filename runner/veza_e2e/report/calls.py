"""Describes a call for the record: request, response, timing, and the call as a cURL command."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from json.encoder import encode_basestring
from urllib.parse import urlsplit

from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass
from veza_e2e.journal.events import CallFailed, CallFinished

_ALIAS = re.compile(r"\{\{([a-z_]+):[0-9]+\}\}")
_VARIABLES = {"access_token": "VEZA_ACCESS_TOKEN", "password": "OPERATOR_PASSWORD", "api_key": "HYPERSWITCH_API_KEY"}
_LEFT_OUT = frozenset({"user-agent", "x-request-id"})


@dataclass(frozen=True, slots=True)
class Call:
    """A request and its response, as texts."""

    title: str
    timing: str
    """The duration and the request id."""
    request: str
    answer: str
    event: CallFinished | CallFailed

    @property
    def curl(self) -> str:
        """A command that repeats the call, with each secret as a shell variable."""
        return _curl(self.event)


def describe(event: CallFinished | CallFailed, asked: str = "") -> Call:
    """Return the texts of a call; `asked` is the request's text, if it is known already."""
    if isinstance(event, CallFailed):
        answer = f"{event.error}: {event.message}"
    else:
        answer = _message(f"HTTP {event.status}", event.response_headers, event.response_body)
    return Call(title(event), timing(event), asked or request(event), answer, event)


def request(event: CallFinished | CallFailed) -> str:
    """Return the request's text."""
    return _message(f"{event.method} {event.url}", event.request_headers, event.request_body)


def timing(event: CallFinished | CallFailed) -> str:
    """Return the duration and the request id."""
    named = f", request id {event.request_id}" if isinstance(event, CallFinished) and event.request_id else ""
    return f"{event.elapsed_ms} ms{named}"


def title(event: CallFinished | CallFailed) -> str:
    """Return one line with the request and its result."""
    return f"{event.method} {_path(event.url)} → {came(event)}"


def came(event: CallFinished | CallFailed) -> int | str:
    """Return the status that came, or the error."""
    return event.status if isinstance(event, CallFinished) else event.error


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _message(first: str, headers: Mapping[str, str], body: Mapping[str, JSON] | None) -> str:
    lines = [first, *(f"{name}: {value}" for name, value in sorted(headers.items()))]
    return "\n".join(lines) + ("\n\n" + _body(body) if body else "")


def _body(body: Mapping[str, JSON]) -> str:
    if "json" in body:
        return pretty(body["json"])
    if "text" in body:
        return str(body["text"])
    if "form" in body:
        return pretty(body["form"])
    return f"[withheld: {body.get('withheld')}, {body.get('bytes')} bytes]"


def pretty(value: JSON, indent: str = "\n") -> str:
    """Return JSON with sorted keys, a member a line: what `json.dumps` returns, which would take twice as long."""
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, int):
        return str(value)
    within = indent + "  "
    if isinstance(value, (list, tuple)):
        opened, members, closed = "[", [pretty(one, within) for one in value], "]"
    else:
        assert isinstance(value, Mapping)
        named = sorted(value.items())
        opened, closed = "{", "}"
        members = [
            f"{encode_basestring(name)}: {encode_basestring(one) if type(one) is str else pretty(one, within)}"
            for name, one in named
        ]
    return f"{opened}{within}{f',{within}'.join(members)}{indent}{closed}" if members else opened + closed


_WORDS = {None: "null", True: "true", False: "false"}


def _curl(event: CallFinished | CallFailed) -> str:
    parts = ["curl"] if event.method == "GET" else ["curl", "-X", _quoted(event.method)]
    parts.append(_quoted(event.url))
    for name, value in sorted(event.request_headers.items()):
        if name not in _LEFT_OUT:
            parts += ["-H", _quoted(f"{name}: {value}")]
    body = event.request_body
    if body and "json" in body:
        text = json.dumps(body["json"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        parts += ["--data", _quoted(_operator(text) if event.operation == "login" else text)]
    elif body:
        parts.append("# and a body that the record does not hold as JSON")
    return " ".join(parts)


def _operator(text: str) -> str:
    return re.sub(r'("email":)"[^"\\]*"', r'\1"{{operator_email:1}}"', text)


def _quoted(text: str) -> str:
    """Quote for a POSIX shell, so that nothing but the variables of secrets is expanded."""
    pieces, end = [], 0
    for found in _ALIAS.finditer(text):
        pieces += [_literal(text[end : found.start()]), f'"${_VARIABLES.get(found[1], found[1].upper())}"']
        end = found.end()
    return "".join([*pieces, _literal(text[end:])]) or "''"


def _literal(text: str) -> str:
    return shlex.quote(text) if text else ""
