"""A recorded session again, by the walkthrough's own code: what a recording must know of it, and the way back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files as resources
from pathlib import Path
from typing import Any, cast

from veza.money import Money
from veza_e2e import conduct, evidence, report
from veza_e2e.canonical import JSON
from veza_e2e.cassette.errors import CassetteError, ProcessKilled
from veza_e2e.cassette.replay import Process, Replay
from veza_e2e.config import Environment
from veza_e2e.events import SessionResumed, SessionStarted, from_data, to_data
from veza_e2e.interrupts import Interrupted
from veza_e2e.journal import Line, MemorySink
from veza_e2e.preflight import Gate
from veza_e2e.world import EndOfInput, Left

PASSWORD = "{{password:1}}"  # noqa: S105 - the alias of one
API_KEY = "{{api_key:1}}"
_KEY_PREFIX = 4


def describe(first: SessionStarted, gate: Gate, parts: conduct.Parts) -> dict[str, JSON]:
    """Return what a recorded process is put together from again: the `meta` of `Recording.start` and `resume`.

    Args:
        first: the session's first event.
        gate: what the pre-flight goes by, or went by.
        parts: the mode's parts.
    """
    asked = parts.hyperswitch_api_key is not None
    return {
        "session": first.session,
        "environment": first.environment,
        "started": to_data(first),
        "expected_environment": list(gate.environment.expected_environment),
        "environment_live": gate.environment.live,
        "has_password": gate.has_password,
        "processor_key": (gate.processor_key or "")[:_KEY_PREFIX],
        "hyperswitch_url": parts.hyperswitch_url if asked else None,
        "operator": parts.ports.operator.by,
        "browser": parts.ports.browser.by,
        "ledger": parts.ports.ledger.source,
        "versions": {**first.tools, "contract": _contract()},
    }


def _contract() -> str:
    return str(json.loads(resources("veza").joinpath("openapi.json").read_text(encoding="utf-8"))["info"]["version"])


@dataclass(frozen=True, slots=True)
class Played:
    """What a replay came to.

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
        """The summary as `expected/summary.json` has it."""
        return (json.dumps(self.summary, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def perform(folder: Path) -> Played:
    """Replay the recording in `folder`, every process of it, and render what came out.

    Raises:
        CassetteError: the recording cannot be used.
        Mismatch: the walkthrough did something else than was recorded.
    """
    replay = Replay(folder)
    lines: tuple[Line, ...] = ()
    views: dict[str, bytes] | None = None
    while (process := replay.next_process()) is not None:
        stage = _resumed(replay, process, lines) if process.resumed else _begun(replay, process)
        try:
            conduct.go_on(stage, resumed=process.resumed)
            views = conduct.conclude(stage)
        except (ProcessKilled, Interrupted, EndOfInput, Left):
            views = None
        lines = tuple(stage.journal.lines)
    replay.close()
    shown = views if views is not None else report.render(lines)
    return Played(shown["report.md"], evidence.summarise(lines).to_json(), lines)


def _begun(replay: Replay, process: Process) -> conduct.Stage:
    first = _started(replay, process.meta)
    try:
        return conduct.begin(_parts(replay, process.meta, first), lambda _: first, _gate(process.meta, first))
    except (ProcessKilled, Interrupted) as end:
        raise CassetteError(replay.tape.folder, "", "the process ended before there was a session") from end


def _resumed(replay: Replay, process: Process, lines: tuple[Line, ...]) -> conduct.Stage:
    first = _started(replay, process.meta)
    stage = conduct.stage(
        _parts(replay, process.meta, first),
        MemorySink(),
        idempotency=first.idempotency,
        lines=lines[: process.journal],
    )
    stage.journal.append(SessionResumed(tools=cast("Mapping[str, str]", process.meta["versions"])))
    return stage


def _parts(replay: Replay, meta: Mapping[str, Any], first: SessionStarted) -> conduct.Parts:
    url = meta.get("hyperswitch_url")
    return conduct.Parts(
        ports=replay.ports,
        redactor=replay.redactor,
        base_url=first.base_url,
        email=first.account,
        password=PASSWORD if meta.get("has_password") else None,
        hyperswitch_url=None if url is None else str(url),
        hyperswitch_api_key=None if url is None else API_KEY,
    )


def _gate(meta: Mapping[str, Any], first: SessionStarted) -> Gate:
    return Gate(
        environment=Environment(
            name=first.environment,
            base_url=first.base_url,
            expected_environment=tuple(meta.get("expected_environment", ())),
            live=bool(meta.get("environment_live")),
        ),
        live=first.live_requested,
        unattended=first.unattended,
        limit=Money(first.max_amount_cents, first.max_amount_currency),
        product=first.product,
        email=first.account,
        has_password=bool(meta.get("has_password")),
        processor_key=meta.get("processor_key"),
    )


def _started(replay: Replay, meta: Mapping[str, Any]) -> SessionStarted:
    started = meta.get("started")
    first = from_data("SessionStarted", started) if isinstance(started, Mapping) else None
    if not isinstance(first, SessionStarted):
        raise CassetteError(replay.tape.folder, "the start", "does not describe a session that this version knows")
    return first
