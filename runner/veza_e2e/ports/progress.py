"""How a wait stands: what is waited for, for how long, and what the witnesses say meanwhile."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from veza_e2e.frozen import dataclass
from veza_e2e.ports.screen import columns, line, plain

EVERY = 10.0
"""Seconds: without a terminal, a wait is told at least this often."""
_FIRST = 2.0
"""Seconds before a wait is told at all, so that a short one says nothing."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How a wait stands. Outside text in it may be hostile.

    Attributes:
        what: what is waited for.
        elapsed: seconds since the wait began.
        limit: seconds after which it ends; None if it has no end.
        pause: seconds until the next read.
        said: what each witness says, as `backend: pending_payment`.
        link: seconds until the payment link expires, negative afterwards; None if there is nothing to pay.
        keys: what may be typed meanwhile.
    """

    what: str
    elapsed: float
    limit: float | None
    pause: float
    said: Sequence[str] = ()
    link: float | None = None
    keys: str = ""

    def parts(self, later: float = 0) -> list[str]:
        """Return what there is to tell, `later` seconds after it was noted, piece by piece."""
        limit = "" if self.limit is None else f" of {minutes(self.limit)}"
        left = math.ceil(self.pause - later)
        told = [f"{self.what}: {minutes(self.elapsed + later)}{limit}"]
        told.append(f"next read in {left} s" if left > 0 else "reading now")
        told += [plain(one) for one in self.said]
        if self.link is not None:
            link = self.link - later
            told.append(f"link expires in {minutes(link)}" if link > 0 else "link has probably expired")
        return told


def minutes(seconds: float) -> str:
    """Return seconds as minutes and seconds, with hours where there are any."""
    whole = max(0, math.floor(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def packed(parts: Sequence[str], width: int, indent: str = "    ") -> list[str]:
    """Return the pieces in as few lines of at most `width` columns as they need; a longer piece is cut."""
    room, lines = max(width - len(indent), 10), list[str]()
    for part in parts:
        joined = f"{lines[-1]}, {part}" if lines else ""
        if joined and columns(joined) <= room:
            lines[-1] = joined
        else:
            lines.append(part)
    return [indent + _cut(one, room) for one in lines]


def _cut(text: str, room: int) -> str:
    while columns(text) > room:
        text = text[:-2] + "…"
    return text


class Beats:
    """Tells a wait in plain lines, seldom enough to read and often enough to know that it goes on."""

    def __init__(self) -> None:
        self._told: tuple[str, float] = ("", 0.0)

    def due(self, progress: Progress) -> float:
        """Return after how many seconds of the pause the next line is due."""
        what, at = self._told
        same = what == progress.what and at <= progress.elapsed + progress.pause
        since = at + EVERY if same else _FIRST
        return max(0.0, since - progress.elapsed)

    def tell(self, progress: Progress, later: float) -> None:
        """Print the line."""
        self._told = (progress.what, progress.elapsed + later)
        line("    " + ", ".join(progress.parts(later)))

    def sleep(self, progress: Progress, sleep: Callable[[float], None]) -> None:
        """Sleep until the next read, and print the lines that are due meanwhile."""
        slept = 0.0
        while (due := self.due(progress)) < progress.pause:
            sleep(due - slept)
            slept = due
            self.tell(progress, slept)
        sleep(progress.pause - slept)
