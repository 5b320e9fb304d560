"""Replays a tape: every port answers from it, in the recorded order, without network, waits or people."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from veza_e2e.canonical import JSON
from veza_e2e.cassettes import tape
from veza_e2e.cassettes.engine import CassetteTransport, StrictCassette
from veza_e2e.cassettes.errors import CassetteError, Mismatch, ProcessKilled
from veza_e2e.cassettes.interaction import Clean
from veza_e2e.cassettes.stand_ins import TapedBrowser, TapedClock, TapedIds, TapedLedger, TapedOperator
from veza_e2e.cassettes.unshown import alike
from veza_e2e.frozen import dataclass
from veza_e2e.ports.interrupts import Interrupted
from veza_e2e.ports.protocols import Ports
from veza_e2e.redaction import Redactor

_MOST = 5
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a recorded session.

    Attributes:
        number: from 1.
        resumed: whether it continued a session of an earlier process.
        journal: how many events the journal held at its start. What a killed process wrote beyond is cut.
        tools: the versions that recorded it.
        meta: as given to `Recording.start` or `resume`.
    """

    number: int
    resumed: bool
    journal: int
    tools: Mapping[str, str]
    meta: Mapping[str, Any]


class Replay:
    """Plays a recording once, from start to end.

    Args:
        folder: a cassette, or an unpublished recording.
        redactor: the replayed session's; None makes a new one.
        select: returns the part of the tape to play.
        blanks: whether a body that was withheld is played as blanks of its length. A walkthrough withholds it again;
            other code would take the blanks for the backend's.

    Raises:
        CassetteError: the recording cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        redactor: Redactor | None = None,
        select: Callable[[tape.Tape], tape.Tape] = lambda recording: recording,
        *,
        blanks: bool = True,
    ) -> None:
        self.tape = select(tape.read(folder))
        self.redactor = redactor or Redactor()
        # A secret that the recording does not know must get an alias of its own.
        self.redactor.reserve(json.dumps([dict(entry.data) for entry in self.tape.entries], ensure_ascii=False))
        self._blanks = blanks
        self._entries = self.tape.entries
        self._next = 0
        self._failed: Mismatch | None = None
        self._clean = Clean(self.redactor, {}, replayed=True)
        self.clock = TapedClock(self)
        self._process: Process | None = None

    @property
    def header(self) -> Mapping[str, Any]:
        """The recording's header: schema, recorded_at, environment, versions."""
        return self.tape.header

    @property
    def meta(self) -> Mapping[str, Any]:
        """The description of the first process."""
        return cast("Mapping[str, Any]", self._entries[0].data["meta"])

    def next_process(self) -> Process | None:
        """Return the next process of the session; None after the last.

        Raises:
            Mismatch: the previous process left entries unplayed, or differed.
        """
        if self._failed is not None:
            raise self._failed
        if self._next == len(self._entries):
            return None
        entry = self._entries[self._next]
        if entry.kind == "end" and self._process is not None:
            self._next += 1
            return self.next_process()
        if entry.kind != "start":
            rest = sum(left.kind == "http" for left in self._entries[self._next :])
            self._fail(entry, [f"the walkthrough ended early: {_told(entry)} was not played, nor {rest} calls in all"])
        data = entry.data
        try:
            process = Process(
                int(data["process"]),
                bool(data["resumed"]),
                int(data["journal"]),
                dict(data["tools"]),
                dict(data["meta"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CassetteError(self.tape.folder, entry.place, "is no start of a process") from error
        self._next += 1
        self._process = process
        return process

    @property
    def ports(self) -> Ports:
        """The current process's ports."""
        meta = self._process.meta if self._process is not None else self.meta
        cassette = StrictCassette(self._clean, play=self._play)
        return Ports(
            transport=CassetteTransport(cassette),
            operator=TapedOperator(self, "script" if meta.get("unattended") else "operator"),
            browser=TapedBrowser(self, cast("Any", meta.get("browser"))),
            ledger=TapedLedger(self, cast("Any", meta.get("ledger"))),
            clock=self.clock,
            ids=TapedIds(self, str(meta.get("session", ""))),
        )

    def close(self) -> None:
        """Check that everything was played.

        Raises:
            Mismatch: an entry was not played, or an earlier Mismatch was swallowed.
        """
        if self.next_process() is not None:
            self._fail(self._entries[self._next - 1], ["a resumed process was not played"])

    def readings(self) -> Mapping[str, Sequence[JSON]]:
        """Return the clock's readings before the next entry."""
        return self._entries[self._next].clock if self._next < len(self._entries) else self.tape.tail

    @property
    def position(self) -> int:
        """The number of played entries."""
        return self._next

    def interrupted(self, sleeps: int) -> str | None:
        """Return the signal that ended the sleep after this many sleeps; None if none did."""
        if self._next == len(self._entries) or self._entries[self._next].kind != "interrupted":
            return None
        if sleeps < len(self.readings()["sleep"]):
            return None
        return str(self.take("interrupted").get("signal"))

    def typed(self) -> bool:
        """Whether the next entry is what was typed in a wait, and the recorded process slept no more before it."""
        if self._next == len(self._entries):
            return False
        entry = self._entries[self._next]
        return (entry.kind, entry.data.get("question")) == ("ask", tape.WAITING) and (
            self.clock.sleeps >= len(self.readings()["sleep"])
        )

    def take(self, kind: str, **expected: JSON) -> Mapping[str, Any]:
        """Return the next entry's members; it must be of this kind and hold these values.

        Raises:
            Mismatch: it is of another kind, or holds other values.
            ProcessKilled: the recorded process was killed here.
            Interrupted: a signal reached the recorded process here.
        """
        if self._failed is not None:
            raise self._failed
        self._skip_peeks()
        if self._next == len(self._entries):
            self._fail(self._entries[-1], [f"nothing more was recorded, but the walkthrough asks for {kind}"])
        entry = self._entries[self._next]
        if entry.kind == "start":
            raise ProcessKilled
        if entry.kind == "interrupted" != kind:
            self._next += 1
            raise Interrupted(str(entry.data["signal"]))
        if entry.kind != kind:
            self._fail(entry, [f"recorded {_told(entry)}, now {_name(kind, expected)}"])
        found = {name: entry.data.get(name) for name in expected}
        differences = list(differ(found, expected))
        if differences:
            self._fail(entry, differences)
        self.clock.carry(entry.clock)
        self._next += 1
        return entry.data

    def _skip_peeks(self) -> None:
        """Pass over what 0.2.0 and earlier kept of the books that the operator was shown: it changed nothing."""
        while self._next < len(self._entries) and self._entries[self._next].kind == "peek":
            self.clock.carry(self._entries[self._next].clock)
            self._next += 1

    def _play(self, request: Mapping[str, JSON]) -> Mapping[str, Any]:
        entry = self._entries[self._next] if self._next < len(self._entries) else None
        if entry is not None and entry.kind == "http":
            request = alike(entry.data["request"], request)
        played = self.take("http", request=request)
        entry = self._entries[self._next - 1]
        if not self._blanks and (withheld := entry.withheld):
            self._fail(entry, [f"{_told(entry)}: the answer's body ({withheld}) was not kept when it was recorded"])
        return played

    def _fail(self, entry: tape.Entry, differences: Sequence[str]) -> None:
        shown = [self.redactor.text(line) for line in differences[:_MOST]]
        if len(differences) > _MOST:
            shown.append(f"and {len(differences) - _MOST} more")
        self._failed = Mismatch(entry.step, entry.place, shown)
        raise self._failed


def differ(recorded: object, now: object, path: str = "") -> list[str]:
    """Return the differences between two JSON values, one line each."""
    if isinstance(recorded, Mapping) and isinstance(now, Mapping):
        lines = []
        for name in sorted({*recorded, *now}):
            where = f"{path}.{name}" if path else name
            if name not in now:
                lines.append(f"{where}: recorded {_shown(recorded[name])}, now absent")
            elif name not in recorded:
                lines.append(f"{where}: recorded absent, now {_shown(now[name])}")
            else:
                lines += differ(recorded[name], now[name], where)
        return lines
    if _is_list(recorded) and _is_list(now) and len(cast("list[Any]", recorded)) == len(cast("list[Any]", now)):
        pairs = zip(cast("list[Any]", recorded), cast("list[Any]", now), strict=True)
        return [line for index, (one, two) in enumerate(pairs) for line in differ(one, two, f"{path}[{index}]")]
    if recorded == now and isinstance(recorded, bool) == isinstance(now, bool):
        return []
    return [f"{path}: recorded {_shown(recorded)}, now {_shown(now)}"]


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _told(entry: tape.Entry) -> str:
    return _name(entry.kind, entry.data)


def _name(kind: str, data: Mapping[str, Any]) -> str:
    if kind == "http":
        request = data["request"]
        return f"{request['method']} {request['url']}"
    detail = next((str(data[name]) for name in ("question", "url", "order_id") if name in data), "")
    return f"{kind} {detail}".strip()
