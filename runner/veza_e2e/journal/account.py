"""Names an account in a journal by too little of a digest to confirm a guess of its address."""

from __future__ import annotations

import hashlib

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
