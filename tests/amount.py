"""How much is tried of what could be tried without end: all of it in `make test`, a quarter in `make quick`."""

from __future__ import annotations


class _Chosen:
    part = 1


def choose(*, brief: bool) -> None:
    """Set the amount, before any test module is imported."""
    _Chosen.part = 4 if brief else 1


def share(count: int) -> int:
    """Return how many of `count` examples, seeds or rounds are tried."""
    return -(-count // _Chosen.part)
