"""Turns signals into an exception, so that the process ends with its state saved, at a prompt too."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs as Unraisable

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SOON = 0.05
"""Seconds after which an interruption that Python dropped is raised again."""


class Interrupted(KeyboardInterrupt):
    """SIGINT, SIGTERM or SIGHUP arrived.

    Attributes:
        name: the signal's name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Interrupts:
    """Turns the three signals into `Interrupted`, and defers them where a block must not be interrupted.

    Python raises it wherever it happens to be. In a finalizer it is dropped, and other people's code may put another
    error in its place: a lock that is interrupted while it is taken back says that it was not held. `Interrupted` is
    raised again after either.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._pending: str | None = None
        self._raised: list[str] = []

    def install(self) -> None:
        """Handle the signals from now on. A signal that the caller ignores (nohup) stays ignored."""
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._arrived)
        sys.unraisablehook = self._raising_again(sys.unraisablehook)

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        self._raise(signal.Signals(number).name)

    def _raise(self, name: str) -> None:
        if self._depth:
            self._pending = self._pending or name
            return
        self._raised.append(name)
        raise Interrupted(name)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Defer signals to the end of the block: while writing an event, or sending a write."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth and self._pending is not None:
                name, self._pending = self._pending, None
                self._raise(name)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Let a signal that comes in the block leave it as `Interrupted`, whatever other people's code made of it."""
        before = len(self._raised)
        try:
            yield
        except Interrupted:
            raise
        except BaseException as error:
            if len(self._raised) > before:
                raise Interrupted(self._raised[-1]) from error
            raise
        if len(self._raised) > before:
            raise Interrupted(self._raised[-1])

    def _raising_again(self, otherwise: Callable[[Unraisable], object]) -> Callable[[Unraisable], object]:
        """Return a hook for exceptions that Python drops."""

        def dropped(what: Unraisable) -> None:
            error = what.exc_value
            if not isinstance(error, Interrupted):
                otherwise(what)
                return
            # Raised here, it would be dropped again.
            signal.signal(signal.SIGALRM, lambda *_: self._raise(error.name))
            signal.setitimer(signal.ITIMER_REAL, _SOON)

        return dropped
