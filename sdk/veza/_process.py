"""What belongs to one process: it starts afresh in a forked child, and is neither pickled nor copied."""

from __future__ import annotations

import os
from typing import Final, NoReturn, Protocol
from weakref import WeakSet


class StartsAfresh(Protocol):
    """A part that holds locks, connections or work under way."""

    def forked(self) -> None:
        """Drop what the parent process goes on using. Called in the child, before any other thread of it runs."""
        ...


_parts: Final[WeakSet[StartsAfresh]] = WeakSet()


def follow_forks(part: StartsAfresh) -> None:
    """Call a part's `forked` in each child process, for as long as the part lives."""
    _parts.add(part)


def _in_child() -> None:
    for part in list(_parts):
        part.forked()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_in_child)


class Bound:
    """Refuses to be pickled or copied, in words that say what to do."""

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} is neither pickled nor copied: it holds connections and a login. Make a client in "
            "each process, from the same settings; within one, share it, or call with_options() for other options"
        )
