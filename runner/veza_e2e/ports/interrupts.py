"""Turns signals into an exception, so that the process ends with its state saved, at a prompt too."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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

    def install(self) -> None:
        """Handle the signals from now on. A signal that the caller ignores (nohup) stays ignored."""
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._arrived)

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if self._depth:
            self._pending = self._pending or name
            return
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
                raise Interrupted(name)
