"""The protocols through which a step reaches the world.

Live, rehearsal, recording and replay put different parts behind these protocols. A step never learns which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass
from veza_e2e.ports.progress import Progress

if TYPE_CHECKING:
    import httpx


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
        """Return seconds that never decrease."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Ids(Protocol):
    """Makes ids that no two sessions share."""

    def session(self, at: datetime) -> str:
        """Return a ULID."""
        ...

    def key(self) -> str:
        """Return an idempotency key."""
        ...


class Operator(Protocol):
    """The person at the terminal, or a script in their place."""

    by: Literal["operator", "script"]

    def ask(
        self, question: str, text: str, *, timeout: float | None = None, progress: Progress | None = None
    ) -> str | None:
        """Show `text` (once per question); return the next line without its end, or None after `timeout` seconds.

        `question` is the event's name for it (`paid`, `refund`, …). `progress` is shown while the question waits.

        Raises:
            EndOfInput: standard input ended. This is never an answer.
            KeyboardInterrupt: a signal arrived. This is never an answer.
        """
        ...

    def pause(self, progress: Progress, sleep: Callable[[float], None]) -> str | None:
        """Wait for `progress.pause` seconds and show how the wait stands; return `r`, `s` or `q` if it is typed.

        `sleep` waits, by the clock of the walkthrough.

        Raises:
            EndOfInput: the terminal's input ended. This is never an answer.
            KeyboardInterrupt: a signal arrived. This is never an answer.
        """
        ...

    def paste(self, question: str, text: str, peek: Callable[[], str] | None = None) -> str:
        """Show `text` and return lines up to an empty line or `.`; `@file` is read from the file.

        If `peek` is given, the line `s` shows what it returns, and pasting continues. `skip` or `q` alone is
        returned at once.

        Raises:
            EndOfInput: standard input ended before anything was pasted.
        """
        ...

    def tell(self, text: str) -> None:
        """Show something that is neither a question nor an event (the SQL to run, a status asked for)."""
        ...


class Browser(Protocol):
    """Opens the checkout page; a scripted one also pays."""

    by: Literal["operator", "script"]

    def open(self, url: str) -> bool:
        """Open `url`; return False if no browser could be started (the operator was shown the URL)."""
        ...


@dataclass(frozen=True, slots=True)
class LedgerReading:
    """What a ledger gave: rows, or why there are none."""

    rows: Sequence[Mapping[str, JSON]] | None
    """None if they could not be read. No row at all: the database does not know the order."""
    reason: str | None = None
    """Why they could not be read; None if there is nothing to read them with, so that the operator runs the SQL."""


class Ledger(Protocol):
    """Reads seller_transfers, if there is another way than the operator's own psql."""

    source: Literal["pasted", "database", "rehearsal"]

    def rows(self, sql: str, order_id: str) -> LedgerReading:
        """Return the rows of the query, or why there are none. Never blocks without limit, never raises."""
        ...

    def peek(self, order_id: str) -> str | None:
        """Ask the rehearsal backend for what psql would print; None without one. Called only if the operator asks."""
        ...

    def script(self, sql: str, order_id: str) -> str | None:
        """Write the SQL to a file for psql and return the file's path; None if it could not be written."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one mode. A recording wraps them; a replay supplies them from the tape."""

    transport: httpx.BaseTransport
    """The network, below the transport that writes the journal."""
    operator: Operator
    browser: Browser
    ledger: Ledger
    clock: Clock
    ids: Ids
    till: Callable[[str], bool] | None = None
    """Pays on a checkout page with the test card, at the operator's word; on a local rehearsal backend only."""
