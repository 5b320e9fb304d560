"""Asks the operator whether to charge a card although the run cannot end in a GO."""

from __future__ import annotations

from veza_e2e.engine.session import Stage
from veza_e2e.journal.events import Answered, Asked, PreflightFinished
from veza_e2e.ports.redacted import RedactedOperator
from veza_e2e.ports.screen import plain
from veza_e2e.preflight.deciding import obstacles

CONSENT = "charge anyway"
_QUESTION = "charge_anyway"
_PROMPT = f"Type `{CONSENT}` to charge your card all the same, or `q` to leave"


def agreed(stage: Stage, gate: PreflightFinished) -> bool:
    """Return False if a live run cannot turn its release to GO and the operator leaves. Record question and answer.

    Raises:
        EndOfInput: standard input ended without an answer.
    """
    first = stage.started
    missing = obstacles(first.release, first.dry_run, rehearsal=gate.rehearsal)
    if not (gate.live and first.live_requested and missing):
        return True
    operator = RedactedOperator(stage.parts.ports.operator, stage.parts.redactor)
    clock = stage.parts.ports.clock
    text = f"This run cannot end in a GO: {plain('; '.join(missing.values()))}.\n{_PROMPT}"
    stage.journal.append(Asked(step=None, question=_QUESTION, text=stage.parts.redactor.text(text)))
    since = clock.monotonic()
    while True:
        answer = " ".join((operator.ask(_QUESTION, text) or "").lower().split())
        if answer in {CONSENT, "q"}:
            break
        text = f"{answer!r:.40} is neither of them.\n{_PROMPT}"
    waited = round((clock.monotonic() - since) * 1000)
    stage.journal.append(
        Answered(step=None, question=_QUESTION, answer=answer, waited_ms=waited, by=stage.parts.ports.operator.by)
    )
    return answer == CONSENT
