"""The protocols through which a step reaches the world.

Live, rehearsal, recording and replay put other parts behind these protocols; steps never learn which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

import httpx

from veza_e2e.canonical import JSON

SKEW = timedelta(minutes=5)
"""How far apart two clocks may be and still be called right."""


class EndOfInput(Exception):  # noqa: N818 - not an error: the operator is gone, and that is no answer
    """Standard input ended."""


class Left(Exception):  # noqa: N818 - not an error: the operator chose to leave
    """The operator left with `q`; the session can be resumed."""


class Clock(Protocol):
    """Time. Compatible with the SDK's `clock=`."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Ids(Protocol):
    """Identifiers that no two sessions share."""

    def session(self, at: datetime) -> str:
        """Return a ULID."""
        ...

    def key(self) -> str:
        """Return an idempotency key."""
        ...


class Operator(Protocol):
    """The person at the terminal, or what answers in their place."""

    by: Literal["operator", "script"]

    def ask(self, question: str, text: str, *, timeout: float | None = None) -> str | None:
        """Show `text` (once a question) and return the next line without its end; None when `timeout` (s) ran out.

        `question` is the event's name for it (`paid`, `refund`, …).

        Raises:
            EndOfInput: standard input ended; never an answer.
            KeyboardInterrupt: a signal; never an answer.
        """
        ...

    def paste(self, question: str, text: str, peek: Callable[[], str] | None = None) -> str:
        """Show `text` and return lines up to an empty line or `.`; `@file` is read from the file.

        Where there is a `peek`, the line `s` shows what it returns and pasting goes on.

        Raises:
            EndOfInput: standard input ended before anything was pasted.
        """
        ...

    def tell(self, text: str) -> None:
        """Show something that is not a question and not an event (the SQL to run, a status asked for)."""
        ...


class Browser(Protocol):
    """Whatever shows the checkout page and pays."""

    by: Literal["operator", "script"]

    def open(self, url: str) -> bool:
        """Open `url`; False where no browser could be started (the address was shown anyway)."""
        ...


class Ledger(Protocol):
    """Read access to seller_transfers, where there is one besides the operator's own psql."""

    source: Literal["pasted", "database", "rehearsal"]

    def rows(self, sql: str, order_id: str) -> Sequence[Mapping[str, JSON]] | None:
        """Return the rows of the query, or None where the operator has to run it and paste."""
        ...

    def peek(self, order_id: str) -> str | None:
        """Return what psql would print, None where there is no rehearsal backend that knows."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """One mode's parts. A recording wraps them; a replay supplies them from the tape."""

    transport: httpx.BaseTransport
    """The network, before the journal sees it."""
    operator: Operator
    browser: Browser
    ledger: Ledger
    clock: Clock
    ids: Ids
