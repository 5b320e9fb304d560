"""Finds the contract's operation for a request, from the contract itself."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

import httpx

_METHODS = frozenset({"get", "post", "put", "patch", "delete"})


@cache
def document() -> dict[str, Any]:
    """Return the contract, `openapi.json`."""
    contract: dict[str, Any] = json.loads(files("veza").joinpath("openapi.json").read_bytes())
    return contract


def base_path() -> str:
    """Return the base path of every operation, `/api/v1`."""
    return str(document()["servers"][0]["url"]).rstrip("/")


@cache
def operation_ids() -> dict[str, str]:
    """Return the operationIds by method and path below the base path: `GET /orders`."""
    return {
        f"{method.upper()} {path}": operation["operationId"]
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method in _METHODS
    }


@cache
def _table() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    contract, base = document(), base_path()
    return tuple(
        (method.upper(), _pattern(base + path), operation["operationId"])
        for path, item in contract["paths"].items()
        for method, operation in item.items()
        if method in _METHODS
    )


def _pattern(path: str) -> re.Pattern[str]:
    parts = (re.escape(part) if not part.startswith("{") else "[^/]+" for part in re.split(r"(\{[^}]+\})", path))
    return re.compile("".join(parts) + "$")


def operation_of(request: httpx.Request) -> str | None:
    """Return the operationId of a request to the API; None if the contract has no such operation."""
    path = request.url.path
    for method, pattern, operation in _table():
        if request.method == method and pattern.search(path):
            return operation
    return None
