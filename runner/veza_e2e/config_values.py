"""Reads single values of `veza-e2e.toml`. A message names the file, the setting, its value and what to do."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PLACEHOLDER = re.compile(r"\{\w+\}")


class ConfigError(Exception):
    """The configuration is invalid; the message names the setting, its value and what to do."""

    meant: str | None = None
    """The environment whose name is most like an unknown one."""


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def table(path: Path, parent: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the table of this name; empty if there is none."""
    value = parent.get(name, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: {name} must be a table, not {value!r:.40}")
    return value


def known(path: Path, given: Mapping[str, Any], names: set[str], where: str) -> None:
    """Raise ConfigError if a setting is not one of `names`."""
    for key in given:
        if key not in names:
            close = difflib.get_close_matches(key, names, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            secret = any(word in key.lower() for word in ("password", "secret", "token", "key", "email", "database"))
            why = " (secrets come from the environment, never from this file)" if secret else ""
            raise ConfigError(f"{path}: {where}{key} is not a setting{hint}{why}")


def page(path: Path, where: str, value: object) -> str | None:
    """Return the address of a checkout page, with its places for secret or id."""
    if value is None:
        return None
    if not isinstance(value, str) or not {"{client_secret}", "{payment_id}"} & set(_PLACEHOLDER.findall(value)):
        raise ConfigError(f"{path}: {where}: {value!r:.80} has neither {{client_secret}} nor {{payment_id}} in it")
    url(path, where, _PLACEHOLDER.sub("x", value).partition("?")[0].partition("#")[0])
    return value


def url(path: Path, where: str, value: object) -> str:
    """Return an address, without what stands after the part before `/api/v1`."""
    if "@" in (text := str(value)):
        raise ConfigError(f"{path}: {where} holds a user name or password; secrets never stand in this file")
    import httpx  # noqa: PLC0415 - only where an address is read

    shown = re.split("[?#]", text)[0]  # the query may hold a token, so it is not shown
    try:
        parsed = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ConfigError(f"{path}: {where}: {shown!r:.80} is not a URL") from error
    if parsed.scheme not in {"https", "http"} or not parsed.host or parsed.query or parsed.fragment:
        raise ConfigError(f"{path}: {where}: {shown!r:.80} is not like https://staging.example.com")
    if parsed.scheme == "http" and not is_loopback(parsed.host):
        raise ConfigError(f"{path}: {where}: {shown!r:.80} must be https; plain http is for loopback only")
    return str(parsed).rstrip("/").removesuffix("/api/v1")


def strings(path: Path, where: str, value: object, *, some: bool = False) -> tuple[str, ...]:
    """Return a list of texts; with `some`, of at least one."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ConfigError(f'{path}: {where} must be a list of texts such as ["staging"], not {value!r:.60}')
    if some and not value:
        raise ConfigError(f'{path}: {where} names nothing, so no backend would be the right one; give e.g. ["staging"]')
    return tuple(value)


def boolean(path: Path, where: str, value: object) -> bool:
    """Return true or false."""
    if isinstance(value, bool):
        return value
    raise ConfigError(f"{path}: {where} must be true or false, not {value!r:.40}")
