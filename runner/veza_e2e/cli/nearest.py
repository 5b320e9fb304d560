"""Guesses what was meant: the nearest name that exists, and the command line with it."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Sequence

_NEVER = frozenset({"--live", "--accept-loss"})
"""What no guess leads to: it would charge a card, or give money up."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the name that is most like `word`; None if none is like it, or none may be suggested."""
    found = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.5)
    return found[0] if found and found[0] not in _NEVER else None


def meant(word: str, known: Iterable[str], words: Sequence[str], otherwise: str) -> str:
    """Return the command line with the nearest name in the place of a wrong one, as a hint.

    Args:
        word: the wrong one.
        known: the right ones.
        words: the command line, without the command's own name.
        otherwise: the hint if no name is like it.
    """
    close = nearest(word.split("=", maxsplit=1)[0], known)
    if close is None:
        return otherwise
    right = [
        one.replace(word, close, 1) if one == word or one.startswith(f"{word}=") or one.endswith(f"={word}") else one
        for one in words
    ]
    return f"did you mean: {shlex.join(['veza-e2e', *right])}"
