"""Replays a recording through the normal walkthrough."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from veza.money import Money
from veza_e2e import evidence, ledger_names, report
from veza_e2e.canonical import JSON
from veza_e2e.cassettes import shapes
from veza_e2e.cassettes.errors import CassetteError, ProcessKilled
from veza_e2e.cassettes.replay import Process, Replay
from veza_e2e.config import Environment
from veza_e2e.engine.finish import conclude
from veza_e2e.engine.session import Parts, Stage, open_stage
from veza_e2e.engine.start import begin
from veza_e2e.engine.walk import go_on
from veza_e2e.frozen import dataclass
from veza_e2e.journal import Line, MemorySink
from veza_e2e.journal.codec import from_data
from veza_e2e.journal.events import SessionResumed, SessionStarted, TailCut
from veza_e2e.ports.interrupts import Interrupted
from veza_e2e.ports.protocols import EndOfInput, Left
from veza_e2e.preflight.gate import Gate

PASSWORD = "{{password:1}}"  # noqa: S105 - the alias of one
API_KEY = "{{api_key:1}}"


@dataclass(frozen=True, slots=True)
class Played:
    """The result of a replay.

    Attributes:
        report: the bytes of `report.md`.
        summary: the document that `show` prints, without paths.
        lines: the journal, which was kept in memory.
    """

    report: bytes
    summary: dict[str, JSON]
    lines: tuple[Line, ...]

    @property
    def summary_bytes(self) -> bytes:
        """The summary in the form of `expected/summary.json`."""
        return (json.dumps(self.summary, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def perform(folder: Path) -> Played:
    """Replay every process of the recording in `folder`, and render the result.

    Raises:
        CassetteError: the recording cannot be used.
        Mismatch: the walkthrough did not do what was recorded.
    """
    replay = Replay(folder)
    lines: tuple[Line, ...] = ()
    views: dict[str, bytes] | None = None
    while (process := replay.next_process()) is not None:
        stage = _resumed(replay, process, lines) if process.resumed else _begun(replay, process)
        try:
            views = _walk(stage)
        except ProcessKilled:
            views = None
        lines = tuple(stage.journal.lines)
    replay.close()
    shown = views if views is not None else report.render(lines)
    return Played(shown["report.md"], evidence.summarise(lines).to_json(), lines)


def _walk(stage: Stage) -> dict[str, bytes]:
    with contextlib.suppress(Interrupted, EndOfInput, Left):
        go_on(stage)
    views, ended = conclude(stage)
    if ended is not None:
        stage.journal.append(ended)
    return views


def _begun(replay: Replay, process: Process) -> Stage:
    first, gate = _started(replay, process)
    try:
        return begin(_parts(replay, process.meta, first), lambda _: first, gate)
    except (ProcessKilled, Interrupted) as end:
        raise CassetteError(replay.tape.folder, "", "the process ended before there was a session") from end


def _resumed(replay: Replay, process: Process, lines: tuple[Line, ...]) -> Stage:
    first, _ = _started(replay, process)
    stage = open_stage(
        _parts(replay, process.meta, first),
        MemorySink(),
        idempotency=first.idempotency,
        lines=lines[: process.journal],
    )
    torn = process.meta.get("torn")
    if isinstance(torn, int) and torn:
        stage.journal.append(TailCut(bytes=torn))
    tools = {name: version for name, version in process.tools.items() if name != "contract"}
    stage.journal.append(SessionResumed(tools=tools, walkthrough=str(process.meta.get("walkthrough", "1"))))
    return stage


def _parts(replay: Replay, meta: Mapping[str, Any], first: SessionStarted) -> Parts:
    return Parts(
        ports=replay.ports,
        redactor=replay.redactor,
        base_url=first.base_url,
        email=first.account,
        password=PASSWORD,
        hyperswitch_url=meta.get("hyperswitch_url"),
        checkout_page=_checkout_page(meta.get("checkout_page")),
        hyperswitch_api_key=API_KEY if meta.get("cross_check") else None,
        names=ledger_names.read(meta.get("ledger_names") or {}),
    )


def _checkout_page(pieces: Sequence[str] | None) -> str | None:
    if pieces is None:
        return None
    return "".join(f"{{{piece}}}" if place % 2 else piece for place, piece in enumerate(pieces))


def _gate(meta: Mapping[str, Any], first: SessionStarted) -> Gate:
    gate = meta["gate"]
    return Gate(
        environment=Environment(
            name=first.environment,
            base_url=first.base_url,
            expected_environment=tuple(gate["expected_environment"]),
            live=gate.get("live_configured"),
        ),
        live=first.live_requested,
        unattended=first.unattended,
        limit=Money(first.max_amount_cents, first.max_amount_currency),
        product=first.product,
        email=first.account,
        has_password=bool(gate["has_password"]),
        processor_key=None,
        recent_logins=int(gate.get("recent_logins", 0)),
    )


def _started(replay: Replay, process: Process) -> tuple[SessionStarted, Gate]:
    path, place = replay.tape.folder, f"the start of process {process.number}"
    shapes.session(path, place, process.meta)
    first = from_data("SessionStarted", process.meta["started"])
    if not isinstance(first, SessionStarted):
        raise CassetteError(path, place, "is of another version of the walkthrough")
    try:
        return first, _gate(process.meta, first)
    except ValueError as error:
        raise CassetteError(path, place, str(error)) from error
