"""Players for clock, ids, operator, browser and ledger: each answers from the tape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol, cast

from veza_e2e.canonical import JSON
from veza_e2e.cassettes import tape
from veza_e2e.ports.interrupts import Interrupted
from veza_e2e.ports.progress import Progress
from veza_e2e.ports.protocols import EndOfInput, LedgerReading, Left
from veza_e2e.redaction import Redactor

_RAISED: Mapping[str, Callable[[str], BaseException]] = {
    "EndOfInput": lambda _: EndOfInput(),
    "Left": lambda _: Left(),
    "Interrupted": Interrupted,
}


class Player(Protocol):
    """The part of a replay that the players need: the position on the tape, and the next entry."""

    @property
    def position(self) -> int:
        """The number of played entries."""
        ...

    @property
    def redactor(self) -> Redactor:
        """Takes secrets out of what is compared with the tape."""
        ...

    def readings(self) -> Mapping[str, Sequence[JSON]]:
        """Return the readings of the clock before the next entry."""
        ...

    def interrupted(self, sleeps: int) -> str | None:
        """Return the signal that ended the recorded process after this many sleeps, if one did."""
        ...

    def typed(self) -> bool:
        """Whether something was typed in this pause of a wait, and no sleep came before it."""
        ...

    def take(self, kind: str, **asked: JSON) -> Mapping[str, JSON]:
        """Return the next entry.

        Raises:
            Mismatch: it is of another kind, or was asked something else.
        """
        ...


class TapedClock:
    """Returns the recorded readings. If there are more calls than readings, it repeats the last one.

    How often the clock is read is not worth a mismatch; what the walkthrough does with the time is.
    """

    def __init__(self, replay: Player) -> None:
        self._replay = replay
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self._micro = 0
        self._at = -1
        self._used = dict.fromkeys(tape.READINGS, 0)

    def now(self) -> datetime:
        """See `protocols.Clock`."""
        value = self._reading("now")
        if value is not None:
            self._now = datetime.fromisoformat(str(value))
        return self._now

    def monotonic(self) -> float:
        """See `protocols.Clock`."""
        value = self._reading("monotonic")
        if isinstance(value, int):
            self._micro = value
        return self._micro / 1_000_000

    def sleep(self, seconds: float) -> None:
        """See `protocols.Clock`."""
        signal = self._replay.interrupted(self.sleeps)
        if signal is not None:
            raise Interrupted(signal)
        if self._reading("sleep") is None:
            self._micro += round(seconds * 1_000_000)
            self._now += timedelta(seconds=seconds)

    @property
    def sleeps(self) -> int:
        """How many sleeps were asked for since the last entry."""
        return self._used["sleep"] if self._at == self._replay.position else 0

    def carry(self, readings: Mapping[str, Sequence[JSON]]) -> None:
        """Drop the readings before an entry; the last ones hold until new ones come."""
        if readings["now"]:
            self._now = datetime.fromisoformat(str(readings["now"][-1]))
        last = readings["monotonic"][-1] if readings["monotonic"] else None
        if isinstance(last, int):
            self._micro = last

    def _reading(self, name: str) -> JSON:
        if self._at != self._replay.position:
            self._at = self._replay.position
            self._used = dict.fromkeys(tape.READINGS, 0)
        readings = self._replay.readings()[name]
        used = self._used[name]
        self._used[name] = used + 1
        return readings[used] if used < len(readings) else None


class TapedIds:
    """Returns the recorded ids."""

    def __init__(self, replay: Player, session: str) -> None:
        self._replay = replay
        self._session = session

    def session(self, at: datetime) -> str:
        """See `protocols.Ids`."""
        return self._session

    def key(self) -> str:
        """See `protocols.Ids`."""
        return str(self._replay.take("key")["value"])


class TapedOperator:
    """Returns the recorded answers."""

    def __init__(self, replay: Player, by: Literal["operator", "script"]) -> None:
        self._replay = replay
        self.by: Literal["operator", "script"] = by

    def ask(
        self, question: str, text: str, *, timeout: float | None = None, progress: Progress | None = None
    ) -> str | None:
        """See `protocols.Operator`."""
        answer = self._answer("ask", question)
        return None if answer is None else str(answer)

    def pause(self, progress: Progress, sleep: Callable[[float], None]) -> str | None:
        """See `protocols.Operator`. Recordings from before keys worked in a wait hold only its sleeps."""
        if self._replay.typed():
            return str(self._answer("ask", tape.WAITING))
        sleep(progress.pause)
        return None

    def paste(self, question: str, text: str, peek: Callable[[], str] | None = None) -> str:
        """See `protocols.Operator`."""
        return str(self._answer("paste", question) or "")

    def tell(self, text: str) -> None:
        """Show nothing, since nobody reads it."""

    def _answer(self, kind: str, question: str) -> JSON:
        data = self._replay.take(kind, question=question)
        if "raised" in data:
            raise _RAISED[str(data["raised"])](str(data.get("signal", "")))
        return data.get("answer")


class TapedBrowser:
    """Opens nothing; returns the recorded result."""

    def __init__(self, replay: Player, by: Literal["operator", "script"]) -> None:
        self._replay = replay
        self.by: Literal["operator", "script"] = by

    def open(self, url: str) -> bool:
        """See `protocols.Browser`."""
        return bool(self._replay.take("open", url=self._replay.redactor.text(url))["opened"])


class TapedLedger:
    """Returns the recorded rows."""

    def __init__(self, replay: Player, source: Literal["pasted", "database", "rehearsal"]) -> None:
        self._replay = replay
        self.source: Literal["pasted", "database", "rehearsal"] = source

    def rows(self, sql: str, order_id: str) -> LedgerReading:
        """See `protocols.Ledger`. Recordings of version 1 hold no reason."""
        data = self._replay.take("rows", order_id=order_id)
        return LedgerReading(
            cast("Sequence[Mapping[str, JSON]] | None", data["rows"]), cast("str | None", data.get("reason"))
        )

    def peek(self, order_id: str) -> str | None:
        """See `protocols.Ledger`; nobody looks."""
        return None

    def script(self, sql: str, order_id: str) -> str | None:
        """Write nothing: where the file was is no part of a recording."""
        return None
