"""A browser's HAR: which of its requests are ours, and what was answered."""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from veza_contract.judging import ours
from veza_contract.operations import base_path

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_.-]{0,39}|v\d{1,3}")
_BASE_WORDS: Final = re.compile(r"(/api)?(/v\d{1,3})?")
_JSON: Final = re.compile(r"\bjson\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer to one of our operations.

    Attributes:
        operation: the operationId.
        request: method and path, as the contract has them or as the map does.
        status: 0 where no answer arrived.
        body: None where the HAR holds none.
        base: the path before it, if the SDK would not send it there.
        mapped: whether the contract has another path.
    """

    operation: str
    request: str
    status: int
    body: bytes | None
    base: str = ""
    mapped: bool = False


@dataclass(slots=True)
class Har:
    """What a HAR holds: our operations' answers, and of the rest only what kind it is."""

    entries: list[Entry] = field(default_factory=list)
    others: int = 0
    like_ours: Counter[str] = field(default_factory=Counter)
    """JSON requests that match no operation, ids left out."""
    damaged: list[str] = field(default_factory=list)


def is_har(value: Any) -> bool:
    """Whether a JSON value is a HAR."""
    return isinstance(value, dict) and isinstance(value.get("log"), dict) and "entries" in value["log"]


def read(value: Mapping[str, Any], mapped: Mapping[str, str]) -> Har:
    """Read a HAR.

    Args:
        value: its JSON.
        mapped: `METHOD /path` of the operations that the backend has elsewhere.
    """
    found, entries = Har(), value["log"]["entries"]
    if not isinstance(entries, list):
        found.damaged.append("`log.entries` is not a list")
        return found
    known = list(_templates(mapped))
    for number, entry in enumerate(entries, 1):
        try:
            _entry(found, entry, known)
        except (KeyError, TypeError, ValueError, AttributeError):
            found.damaged.append(f"entry {number} is not as HAR 1.2 has it")
    return found


def _entry(found: Har, entry: Mapping[str, Any], known: list[tuple[str, str, str, re.Pattern[str], bool]]) -> None:
    request, response = entry["request"], entry["response"]
    method, path = str(request["method"]).upper(), urlsplit(str(request["url"])).path
    for operation, own, label, pattern, moved in known:
        match = pattern.fullmatch(path) if method == own else None
        if match is not None:
            base = _elsewhere(match["before"])
            if base is not None:
                found.entries.append(Entry(operation, label, _status(response), _body(response), base, moved))
                return
    found.others += 1
    if _JSON.search(str(response.get("content", {}).get("mimeType", ""))) and method != "OPTIONS":
        found.like_ours[f"{method} {_shape(path)}"] += 1


def _templates(mapped: Mapping[str, str]) -> Iterator[tuple[str, str, str, re.Pattern[str], bool]]:
    base = base_path()
    for operation in ours().values():
        method, path = operation.method, operation.path.removeprefix(base)
        moved = operation.id in mapped
        if moved:
            method, _, path = mapped[operation.id].partition(" ")
            path = path.removeprefix(base)
        parts = (r"[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]*\})", path))
        yield operation.id, method, f"{method} {path}", re.compile(f"(?P<before>.*?){''.join(parts)}/?"), moved


def _elsewhere(before: str) -> str | None:
    """The base path, if it is another one than ours; empty if it is ours; None if this is no base path at all."""
    if before.endswith(base_path()):
        return ""
    return (before or "/") if _BASE_WORDS.fullmatch(before) else None


def _status(response: Mapping[str, Any]) -> int:
    """The status; 304 stands for the 200 that the browser had kept."""
    status = int(response["status"])
    return int(HTTPStatus.OK) if status == HTTPStatus.NOT_MODIFIED else status


def _body(response: Mapping[str, Any]) -> bytes | None:
    content = response.get("content") or {}
    text = content.get("text")
    if not isinstance(text, str):
        return None
    if content.get("encoding") == "base64":
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            raise ValueError("the content is not base64") from None
    return text.encode("utf-8", "surrogatepass")


def _shape(path: str) -> str:
    """A path without ids: whatever is not a plain word may be somebody's."""
    return "/".join(part if not part or _WORD.fullmatch(part) else "{id}" for part in path.split("/"))
