"""Replaces the origins of backend and processor by aliases, however they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import httpx

from veza_e2e.canonical import JSON

ORIGIN = "http://veza.test"
PROCESSOR_ORIGIN = "http://hyperswitch.test"

_ADDRESS = re.compile(r"[0-9.]+|\[[0-9a-f:.]+\]|[^.:]+")
"""A host too common to be searched for without its scheme or port."""

_LOOPBACK = {"localhost": "localhost", "127.0.0.1": "127.0.0.1", "::1": "[::1]"}
_PORTS = {"http": 80, "https": 443}
_ENDS = r"(?![\w:-]|%3A|\.\w)"


def origins(base_url: str, hyperswitch_url: str | None = None) -> dict[str, str]:
    """Return the alias of each real origin, the latter in lower case and without a default port."""
    shown = {}
    for url, alias in ((hyperswitch_url, PROCESSOR_ORIGIN), (base_url, ORIGIN)):
        try:
            parsed = httpx.URL(url or "")
        except httpx.InvalidURL:
            continue
        if parsed.scheme and parsed.host:
            shown[f"{parsed.scheme}://{parsed.netloc.decode()}"] = alias
    return shown


def host_of(origin: str) -> str:
    """Return an origin's host, without its port."""
    return httpx.URL(origin).host


def aliased(text: str, aliases: Mapping[str, str]) -> str:
    """Return a text with the alias of each origin in its place."""
    for origin, alias in aliases.items():
        for pattern, shown in _patterns(origin, alias):
            text = pattern.sub(shown, text)
    return text


def aliased_in(value: JSON, aliases: Mapping[str, str]) -> JSON:
    """Return a JSON value with the aliases in all its texts and names."""
    if isinstance(value, str):
        return aliased(value, aliases)
    if isinstance(value, Mapping):
        return {aliased(name, aliases): aliased_in(item, aliases) for name, item in value.items()}
    if isinstance(value, Sequence):
        return [aliased_in(item, aliases) for item in value]
    return value


@lru_cache(maxsize=64)
def _patterns(origin: str, alias: str) -> Sequence[tuple[re.Pattern[str], str]]:
    url, shown = httpx.URL(origin), alias.partition("://")[2]
    place = url.netloc.decode()
    port = "" if url.port else f"(?:(?::|%3A){_PORTS.get(url.scheme, 0)})?"
    names = {place} if ":" in url.host else {place, place.replace(url.raw_host.decode(), url.host)}
    if url.port and url.host in _LOOPBACK:
        names |= {f"{name}:{url.port}" for name in _LOOPBACK.values()}
    hosts = "|".join(re.escape(name).replace(":", "(?::|%3A)") for name in sorted(names))
    written = f"(?:{hosts}){port}{_ENDS}"
    # The signs of an address may be percent-encoded or escaped, and stay so.
    found = [(rf"{url.scheme}(:|%3A)(//|%2F%2F|\\/\\/){written}", rf"http\1\2{shown}")]
    if not _ADDRESS.fullmatch(place):
        found.append((rf"(?:(?<=//)|(?<=\\/)|(?<=%[0-9a-f][0-9a-f])|(?<![\w.@/-])){written}", shown))
    return [(re.compile(pattern, re.IGNORECASE), text) for pattern, text in found]
