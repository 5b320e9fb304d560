"""Judges a session by its lines and addenda. A pure function that never reads the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from veza_e2e.evidence.acceptance import Grounds, judge, recent
from veza_e2e.evidence.facts import refund_requested_by
from veza_e2e.evidence.glance import Glance
from veza_e2e.evidence.later import Later, judged, learnt
from veza_e2e.evidence.model import Decision, Item, Step, Summary
from veza_e2e.evidence.reconcile import reconcile
from veza_e2e.evidence.rows import supplied_rows
from veza_e2e.journal import GENESIS, Line
from veza_e2e.journal.addenda import Addendum, Attestation, BankStatement
from veza_e2e.journal.events import (
    STEPS,
    Outcome,
    SessionAbandoned,
    SessionInterrupted,
    StepFailed,
    StepFinished,
    StepName,
    StepPaused,
    StepSkipped,
    StepStarted,
    WaitingFor,
)
from veza_e2e.journal.findings import FindingCode
from veza_e2e.journal.story import Story, text_of
from veza_e2e.money.account import Account, fold
from veza_e2e.money.order_account import AccountState
from veza_e2e.money.readings import persons_of

OVER_LIMIT = FindingCode.OVER_LIMIT
"""The finding of a step that refused to exceed the limit."""
_OPTIONAL: frozenset[StepName] = frozenset({"transfers", "refund", "revoked"})


def summarise(lines: Sequence[Line], addenda: Sequence[Addendum | Attestation] = ()) -> Summary:
    """Return the summary of one session's lines and addenda.

    Args:
        lines: the journal's lines, in order; the session need not have ended.
        addenda: the session's addenda, in the order of their numbers.
    """
    story = Story(lines)
    started, gate = story.started, story.gate
    after = [one for one in addenda if not isinstance(one, Attestation)]
    account = fold(lines, after)
    rows = supplied_rows(story, account, after)
    bank = max((one for one in after if isinstance(one, BankStatement)), key=lambda one: one.number, default=None)
    later = learnt(story, after, account, rows)
    steps = tuple(judged(_step(story, number, name), later) for number, name in enumerate(STEPS, 1))
    by_name = {step.name: step for step in steps}
    kept = by_name["refund"].status == "skipped"
    reconciliation = reconcile(story, later, persons_of(story, after), refund_kept=kept)
    acceptance = judge(Grounds(story, account, by_name, {r.id: r for r in reconciliation}, bank, rows))
    outcome = _outcome(story, steps)
    live_requested = started is not None and started.live_requested
    live = gate is not None and gate.live
    rehearsal = gate is not None and gate.rehearsal
    funds = gate.funds if gate else "test"
    as_real, why = _decide(account, outcome, acceptance, live=live and live_requested)
    abandoned = story.last(SessionAbandoned)
    return Summary(
        session=started.session if started and (gate is None or gate.passed) else None,
        environment=started.environment if started else "",
        release=started.release if started else None,
        live=live,
        live_requested=live_requested,
        rehearsal=rehearsal,
        funds=funds,
        outcome=outcome,
        waiting_for=_waiting_for(story, steps, outcome),
        decision=as_real if funds == "real" else "PENDING",
        reason=why if funds == "real" else _test_funds(as_real, why, rehearsal=rehearsal),
        rehearsed_decision=as_real if rehearsal else None,
        money=account,
        order_id=account.main.order_id if account.main else None,
        payment_id=_payment_id(story, account),
        refund_id=_refund_id(story, account),
        refund_requested=bool(refund_requested_by(story)),
        refunded_at=_refunded_at(story, account, later),
        steps=steps,
        acceptance=acceptance,
        reconciliation=reconciliation,
        license_by_rows=later.license[0] if later.license else None,
        bank=bank,
        started_at=lines[0].at if lines else "",
        last_at=lines[-1].at if lines else "",
        events=len(lines),
        last_hash=lines[-1].hash if lines else GENESIS,
        ended=story.ended,
        abandoned=abandoned[1].reason if abandoned else None,
        dry_run=started.dry_run if started else None,
        others=started.others if started else None,
    )


def counts_as_dry_run(candidate: Summary | Glance, release: str | None, at: datetime) -> bool:
    """Whether a live run of `release` that starts at `at` can cite `candidate`.

    It must have passed with test money, for the same release, and ended at most 14 days earlier.
    """
    if release is None or candidate.release != release or candidate.funds != "test" or not candidate.ended:
        return False
    return candidate.outcome == "passed" and recent(candidate.last_at, at)


def beside_dry_run(summary: Summary, dry_run: Summary | Glance) -> Summary:
    """Return a live run's summary beside what its dry-run says now: one that has failed since is none to rely on."""
    item = summary.item("dry_run")
    if not summary.dry_run or summary.dry_run["session"] != dry_run.session or item.status != "met":
        return summary
    if dry_run.outcome == "passed":
        return summary
    now = replace(item, status="not_met", reason=f"the dry-run {dry_run.session} is {dry_run.outcome} now")
    acceptance = tuple(now if one is item else one for one in summary.acceptance)
    live = summary.live and summary.live_requested
    as_real, why = _decide(summary.money, summary.outcome, acceptance, live=live)
    if "GO" in {summary.decision, summary.rehearsed_decision}:
        why = now.reason
    real = summary.funds == "real"
    return replace(
        summary,
        acceptance=acceptance,
        decision=as_real if real else "PENDING",
        reason=why if real else _test_funds(as_real, why, rehearsal=summary.rehearsal),
        rehearsed_decision=as_real if summary.rehearsal else None,
    )


def _step(story: Story, number: int, name: StepName) -> Step:
    trace = story.trace(name)
    failed = story.last_of_step(StepFailed, name)
    if failed:
        event = failed[1]
        return Step(number, name, "failed", event.observed, trace, event.finding, event.meaning, event.todo)
    finished, skipped = story.last_of_step(StepFinished, name), story.last_of_step(StepSkipped, name)
    if finished and not (skipped and skipped[0].seq > finished[0].seq):
        return Step(number, name, "passed", finished[1].observed, trace)
    begun_at = story.last_of_step(StepStarted, name)
    if skipped and not (begun_at and begun_at[0].seq > skipped[0].seq):
        return Step(number, name, "skipped", skipped[1].reason, trace)
    paused = story.last_of_step(StepPaused, name)
    if paused:
        pause = paused[1]
        return Step(number, name, "pending", pause.observed, trace, pause.finding, pause.meaning, pause.todo)
    return Step(number, name, "pending", "begun, not finished" if begun_at else "", trace)


def _outcome(story: Story, steps: Sequence[Step]) -> Outcome:
    if any(step.finding == OVER_LIMIT for step in steps):
        return "refused"
    if any(step.status == "failed" for step in steps):
        return "failed"
    done = all(step.status == "passed" or (step.status == "skipped" and step.name in _OPTIONAL) for step in steps)
    if done:
        return "passed"
    gate = story.gate
    begun = any(step.trace for step in steps)
    return "refused" if gate and not gate.passed and not begun else "incomplete"


def _waiting_for(story: Story, steps: Sequence[Step], outcome: Outcome) -> WaitingFor | None:
    if outcome != "incomplete" or story.ended:
        return None
    current = next(step for step in steps if step.status == "pending")
    paused = story.last_of_step(StepPaused, current.name)
    interrupted = story.last(SessionInterrupted)
    if paused and not (interrupted and interrupted[0].seq > paused[0].seq):
        return paused[1].waiting_for
    if current.name == "completed":
        return "completion"
    return "refund" if current.name == "revoked" else "operator"


def _decide(money: Account, outcome: Outcome, acceptance: Sequence[Item], *, live: bool) -> tuple[Decision, str]:
    """Return GO, NO-GO or PENDING as if the money were real, with the reason."""
    if not live:
        return "PENDING", "not a live run"
    if outcome == "failed" and money.moved:
        return "NO-GO", "the live run failed after money moved"
    if outcome != "passed":
        return (
            "PENDING",
            "the run failed before any charge was seen" if outcome == "failed" else "the run is not complete",
        )
    missing = [item for item in acceptance if item.status != "met"]
    if missing:
        named = (f"{item.id.replace('_', ' ')} ({item.status.replace('_', ' ')})" for item in missing)
        return "PENDING", f"not all items are met: {', '.join(named)}"
    if money.disputed or money.state is not AccountState.RETURNED:
        why = "a dispute is open" if money.disputed else "the money is not settled"
        return "PENDING", f"{why}: {money.sentence}"
    return "GO", "all nine acceptance items are met"


def _test_funds(decision: Decision, why: str, *, rehearsal: bool) -> str:
    if why == "not a live run":
        return why
    if rehearsal:
        return f"rehearsed, no real money moved; with real money it would be {decision}: {why}"
    return f"test money: {why}"


def _payment_id(story: Story, account: Account) -> str | None:
    named = account.main.payment_ids if account.main else ()
    told = (text_of(story.result(step).get("payment_id")) for step in ("completed", "order"))
    return next(iter(named), None) or next((one for one in told if one), None)


def _refund_id(story: Story, account: Account) -> str | None:
    reads = account.main.reads if account.main else ()
    read_ = next((one.refund_id for one in reversed(reads) if one.refund_id), None)
    return read_ or text_of(story.result("refund").get("refund_id")) or None


def _refunded_at(story: Story, account: Account, later: Later) -> str | None:
    if not account.refunded:
        return None
    told = text_of(story.result("revoked").get("refunded_at"))
    seen = {one.seq for one in account.figures("refunded") if one.amount}
    seen_at = next((line.at for line in story.lines if line.seq in seen), None)
    return told or seen_at or (later.last.at if later.rereads else None)
