"""Names an account in a journal by too little of a digest to confirm a guess of its address, and its backend."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

_HEX = 4
"""Hex digits of the digest: 16 bits tell two accounts apart, and fit thousands of addresses."""


def account_digest(email: str | None) -> str:
    """Return what names an account in a journal: 16 bits of its address's SHA-256, in hex."""
    return short(hashlib.sha256((email or "").lower().encode()).hexdigest())


def same_account(one: str, other: str) -> bool:
    """Whether two digests may be of the same account. Journals of version 0.1.0 hold the whole digest."""
    return short(one) == short(other)


def short(digest: str) -> str:
    """Return the part of a digest that names an account."""
    return digest[:_HEX]


def backend(base_url: str) -> str:
    """Return what names a backend, however its address is written; empty if there is no address."""
    try:
        parts = urlsplit(base_url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        return base_url
    if not parts.hostname:
        return base_url
    return f"{parts.scheme}://{parts.hostname.rstrip('.')}:{port}{parts.path.rstrip('/').removesuffix('/api/v1')}"


def same_backend(one: str, other: str) -> bool:
    """Whether two addresses are of the same backend."""
    return bool(one) and backend(one) == backend(other)
