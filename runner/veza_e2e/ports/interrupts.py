"""Turns signals into an exception, so that the process ends with its state saved, at a prompt too."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

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
    """Turns the three signals into `Interrupted`, and defers them where a block must not be interrupted."""

    def __init__(self) -> None:
        self._depth = 0
        self._pending: str | None = None
        self._cut: Callable[[], object] | None = None

    def install(self) -> None:
        """Handle the signals from now on. A signal that the caller ignores (nohup) stays ignored."""
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._arrived)

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if not self._depth:
            raise Interrupted(name)
        self._pending = self._pending or name
        if self._cut is not None:
            self._cut()

    @contextmanager
    def deferred(self, cut: Callable[[], object] | None = None) -> Iterator[None]:
        """Defer signals to the end of the block: while writing an event, sending a write, or in a library that waits.

        Args:
            cut: called when a signal arrives, to end the block soon; not if an outer block defers signals too.
        """
        if not self._depth:
            self._cut = cut
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self._cut = None
                if self._pending is not None:
                    name, self._pending = self._pending, None
                    raise Interrupted(name)


@contextmanager
def none_dropped() -> Iterator[None]:
    """Raise again, a moment later, an interruption that came while Python ran a finalizer: there Python drops it."""

    def dropped(what: UnraisableHookArgs) -> None:
        if not isinstance(what.exc_value, KeyboardInterrupt):
            before(what)
            return
        number = signal.Signals[getattr(what.exc_value, "name", "SIGINT")]
        signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(number))
        signal.setitimer(signal.ITIMER_REAL, _SOON)

    before, sys.unraisablehook = sys.unraisablehook, dropped
    try:
        yield
    finally:
        sys.unraisablehook = before
        signal.setitimer(signal.ITIMER_REAL, 0)
