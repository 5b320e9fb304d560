"""Checks the form of a recording's entries, so that later code can rely on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import UnionType
from typing import Any

from veza_e2e import ledger_names
from veza_e2e.cassettes.errors import CassetteError
from veza_e2e.cassettes.interaction import content
from veza_e2e.cassettes.origins import ORIGIN, PROCESSOR_ORIGIN

_STATUS = range(100, 1000)
_AT_HOME = re.compile(rf"(?:{re.escape(ORIGIN)}|{re.escape(PROCESSOR_ORIGIN)})(?:/[A-Za-z0-9._~%!$&'()*+,;=:@/-]*)?")


def at_home(url: object) -> bool:
    """Whether an address is below an aliased origin."""
    return isinstance(url, str) and _AT_HOME.fullmatch(url) is not None


_TEXT_OR_NONE = (str, type(None))
_MEMBERS: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "start": {"process": int, "resumed": bool, "journal": int, "recorded_at": str, "tools": dict, "meta": dict},
    "http": {"request": dict},
    "clock": {},
    "key": {"value": str},
    "ask": {"question": str},
    "paste": {"question": str},
    "open": {"url": str, "opened": bool},
    "rows": {"order_id": str, "rows": (list, type(None))},
    "peek": {"order_id": str, "printed": _TEXT_OR_NONE},
    "interrupted": {"signal": str},
    "end": {},
}


_STARTED: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("walkthrough", "session", "environment", "base_url", "account", "account_digest"), str),
    **dict.fromkeys(("schema", "max_amount_cents", "poll_timeout_ms", "grace_ms"), int),
    **dict.fromkeys(("live_requested", "unattended", "idempotency", "loopback"), bool),
    **dict.fromkeys(("release", "product", "operator"), _TEXT_OR_NONE),
    **dict.fromkeys(("tools", "links"), dict),
    **dict.fromkeys(("faults", "checkout_hosts"), list),
    "max_amount_currency": str,
    "refund": (bool, type(None)),
    "dry_run": (dict, type(None)),
}
_GATE: Mapping[str, type | UnionType] = {
    "expected_environment": list, "live_configured": bool | None, "has_password": bool
}  # fmt: skip


def session(path: Path, place: str, meta: Mapping[str, Any]) -> None:
    """Check that a description can rebuild a session.

    Raises:
        CassetteError: says which member is wrong.
    """
    started, gate = meta.get("started"), meta.get("gate")
    if not isinstance(started, dict) or not isinstance(gate, dict):
        raise CassetteError(path, place, "does not describe a session")
    for name, types in (*_STARTED.items(), *_GATE.items()):
        value = started.get(name) if name in _STARTED else gate.get(name)
        wrong = isinstance(value, bool) and types is int
        if wrong or not isinstance(value, types) or not _plain(value):
            raise CassetteError(path, place, f"{name} is missing or of the wrong type")
    url = meta.get("hyperswitch_url")
    for origin in (started["base_url"], url or ORIGIN):
        if not at_home(origin):
            raise CassetteError(path, place, "goes to an origin that was not aliased")
    if not all(isinstance(meta.get(name, ""), str) for name in ("session", "walkthrough", "ledger", "browser")):
        raise CassetteError(path, place, "session, walkthrough, ledger or browser is of the wrong type")
    page = meta.get("checkout_page")
    if page is not None and not (isinstance(page, list) and _plain(page)):
        raise CassetteError(path, place, "checkout_page is of the wrong type")
    names = meta.get("ledger_names", {})
    try:
        ledger_names.read(names if isinstance(names, dict) else {"ledger_names": names})
    except ValueError as error:
        raise CassetteError(path, place, "ledger_names cannot be used") from error


def _plain(value: object) -> bool:
    if isinstance(value, dict):
        return _texts(value)
    return not isinstance(value, list) or all(isinstance(item, str) for item in value)


def check(path: Path, place: str, kind: object, data: Mapping[str, Any]) -> None:
    """Check the form of an entry.

    Raises:
        CassetteError: says which member is wrong.
    """
    members = _MEMBERS.get(kind) if isinstance(kind, str) else None
    if members is None:
        raise CassetteError(path, place, f"is of the unknown kind {kind!r:.40}")
    for name, types in members.items():
        if not isinstance(data.get(name), types):
            raise CassetteError(path, place, f"{name} is missing or of the wrong type")
    special = _SPECIAL.get(str(kind))
    wrong = special(data) if special else None
    if wrong is not None:
        raise CassetteError(path, place, wrong)


def _http(data: Mapping[str, Any]) -> str | None:
    request, response, error = data["request"], data.get("response"), data.get("error")
    if not all(isinstance(request.get(name), str) for name in ("method", "url")):
        return "request lacks its method or its url"
    if not _texts(request.get("headers")) or not isinstance(request.get("body"), dict | None):
        return "request has headers or a body of no known form"
    withheld = request.get("withheld", {})
    if not isinstance(withheld, dict) or not all(isinstance(one, list) and _plain(one) for one in withheld.values()):
        return "request has digests of no known form"
    if isinstance(error, dict) and response is None:
        return (
            None if _texts(error) and error.keys() >= {"class", "message"} else "error lacks its class or its message"
        )
    return _response(response) if isinstance(response, dict) else "has neither response nor error"


def _response(response: Mapping[str, Any]) -> str | None:
    status, headers, body = response.get("status"), response.get("headers"), response.get("body")
    if not isinstance(status, int) or status not in _STATUS:
        return "response has no HTTP status"
    if not isinstance(headers, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)  # noqa: PLR2004 - a pair
        for pair in headers
    ):
        return "response has headers of no known form"
    if not isinstance(body, dict | None):
        return "response has a body of no known form"
    if body is not None and "json" not in body:
        try:
            content(body, None)
        except ValueError as error:
            return f"response: {error}"
    return None


def _texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _answer(data: Mapping[str, Any]) -> str | None:
    if "raised" in data:
        return None if data["raised"] in {"EndOfInput", "Left", "Interrupted"} else "raised something unknown"
    return None if isinstance(data.get("answer"), str | None) else "answer is of the wrong type"


def _clock(data: Mapping[str, Any]) -> str | None:
    for name, good in (("now", _moment), ("monotonic", _count), ("sleep", _count)):
        readings = data.get(name, [])
        if not isinstance(readings, list) or not all(good(value) for value in readings):
            return f"{name} holds no readings"
    return None


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18


def _moment(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _rows(data: Mapping[str, Any]) -> str | None:
    if not isinstance(data.get("reason"), str | None):
        return "reason is of the wrong type"
    return None if all(isinstance(row, dict) for row in data["rows"] or ()) else "rows are no rows"


def _start(data: Mapping[str, Any]) -> str | None:
    if not _moment(data["recorded_at"].replace("Z", "+00:00")):
        return "recorded_at is no time"
    if not _texts(data["tools"]) or not isinstance(data["meta"].get("started"), dict):
        return "does not describe a session"
    return None


_SPECIAL: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
    "start": _start,
    "http": _http,
    "clock": _clock,
    "ask": _answer,
    "paste": _answer,
    "rows": _rows,
}
