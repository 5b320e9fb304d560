"""Judges the nine acceptance items, one rule each. An item is never met without events that prove it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from veza_e2e.evidence.model import Item, ItemName, ItemStatus, Reconciliation, Step
from veza_e2e.journal.addenda import BankStatement
from veza_e2e.journal.events import PreflightChecked, PreflightFinished, StepFinished, StepName
from veza_e2e.journal.readings import Compared, RowsRead
from veza_e2e.journal.story import Story, text_of
from veza_e2e.money.sightings import Seen

DRY_RUN_AGE = timedelta(days=14)
"""The maximum age of a dry-run when the live run starts."""

TITLES: Mapping[ItemName, str] = {
    "preflight": "Pre-flight passed",
    "dry_run": "A dry-run of the same release passed, at most 14 days before",
    "order_completed": "The order was paid and completed",
    "amount_matches": "The amount is the one agreed to",
    "license_granted": "The license was granted to this buyer, for this product and order",
    "transfer_booked": "The seller's transfer is booked, and nothing is unexplained",
    "refund_completed": "The refund was completed, in full",
    "license_revoked": "The license was revoked after the refund",
    "bank_statement": "The bank statement shows the refund",
}

_SHOWN: Mapping[str, str] = {"credit": "credit line", "charge-dropped": "the charge was dropped"}
"""How a statement can show a refund."""

Verdict = tuple[ItemStatus, Sequence[int], str]


@dataclass(frozen=True, slots=True)
class Grounds:
    """The input of the rules."""

    story: Story
    seen: Seen
    steps: Mapping[StepName, Step]
    reconciliation: Mapping[str, Reconciliation]
    bank: BankStatement | None


def judge(grounds: Grounds) -> tuple[Item, ...]:
    """Return the nine items in their order."""
    items = []
    for name, title in TITLES.items():
        status, evidence, reason = _RULES[name](grounds)
        seqs = tuple(sorted(set(evidence)))
        if status == "met" and not seqs:
            status, reason = "not_checked", "no event bears it out"
        items.append(Item(name, title, status, seqs, reason))
    return tuple(items)


def _preflight(grounds: Grounds) -> Verdict:
    gate = grounds.story.last(PreflightFinished)
    if gate is None:
        return "not_checked", (), "there was no pre-flight"
    earlier = max((line.seq for line, _ in grounds.story.of(PreflightFinished) if line.seq < gate[0].seq), default=0)
    checks = [(line.seq, event) for line, event in grounds.story.of(PreflightChecked) if line.seq > earlier]
    blocked = [(seq, check) for seq, check in checks if check.status == "blocked"]
    if not gate[1].passed or blocked:
        return "not_met", [*(seq for seq, _ in blocked), gate[0].seq], "blocked"
    warned = sum(check.status == "warn" for _, check in checks)
    reason = f"{len(checks)} checks, {warned} with a warning" if warned else f"{len(checks)} checks ok"
    return "met", [*(seq for seq, _ in checks), gate[0].seq], reason


def _dry_run(grounds: Grounds) -> Verdict:
    started = grounds.story.started
    if started is None or not started.live_requested:
        return "not_applicable", (), "not a live run"
    first = grounds.story.lines[0]
    if started.dry_run is None:
        return "not_met", [first.seq], "no dry-run of this release was cited when the run started"
    gate = grounds.story.gate
    if started.dry_run.get("rehearsal") and gate is not None and gate.funds == "real":
        return "not_met", [first.seq], f"{started.dry_run['session']} ran on the rehearsal backend, not on a staging"
    age = datetime.fromisoformat(first.at) - datetime.fromisoformat(started.dry_run["ended_at"])
    if not timedelta(0) <= age <= DRY_RUN_AGE:
        return "not_met", [first.seq], f"the dry-run {started.dry_run['session']} is not within 14 days before"
    return "met", [first.seq], f"dry-run {started.dry_run['session']}"


def _order_completed(grounds: Grounds) -> Verdict:
    step, pay = grounds.steps["completed"], grounds.steps["pay"]
    if step.status == "passed" and grounds.seen.completed_by:
        return "met", [*grounds.seen.completed_by[:1], _finished(grounds, "completed")], step.observed
    for failed in (step, pay):
        if failed.status == "failed":
            return "not_met", failed.trace, failed.observed
    return _unseen(step)


def _amount_matches(grounds: Grounds) -> Verdict:
    compared = [grounds.reconciliation[name] for name in ("R1", "R3")]
    differing = [r for r in compared if r.status == "differs"]
    if differing:
        reason = "; ".join(f"{r.id}: {r.left} is not {r.right}" for r in differing)
        return "not_met", [seq for r in differing for seq in r.evidence], reason
    agreed = grounds.story.result("order")
    paid = grounds.story.result("completed")
    if not agreed or not paid:
        return _unseen(grounds.steps["completed"])
    both = [_finished(grounds, "order"), _finished(grounds, "completed")]
    if (agreed.get("total_cents"), agreed.get("currency")) != (paid.get("total_cents"), paid.get("currency")):
        return "not_met", both, "the completed order has another total than the one agreed to"
    equal = [r for r in compared if r.status == "equal"]
    if not equal:
        return "not_checked", (), "no amounts were compared"
    reason = "; ".join(f"{r.id}: {r.left} = {r.right}" for r in equal)
    if grounds.reconciliation["R1"].status != "equal":
        reason += "; the processor's amount was not read"
    return "met", [*both, *(seq for r in equal for seq in r.evidence)], reason


def _license_granted(grounds: Grounds) -> Verdict:
    return _by_step(grounds, "license")


def _transfer_booked(grounds: Grounds) -> Verdict:
    step = grounds.steps["transfers"]
    if step.status != "passed":
        return _by_step(grounds, "transfers")
    result = grounds.story.result("transfers")
    compared = grounds.reconciliation["R2"]
    rows = grounds.story.last_of_step(RowsRead, "transfers")
    evidence = [_finished(grounds, "transfers"), *compared.evidence, *([rows[0].seq] if rows else [])]
    if compared.status == "not_checked" and result.get("unexplained_cents", 0) is None:
        return "not_checked", evidence, "the table has no fee, so that transfers and fees cannot be added up"
    if compared.status == "differs" or result.get("unexplained_cents") != 0:
        return "not_met", evidence, "a part of the money is unexplained"
    if not rows or not rows[1].rows or not result.get("rows"):
        return "not_met", evidence, "no row was seen"
    if result.get("confirmed") is not True:
        return "not_checked", (), "the rows were not confirmed"
    return "met", [*step.trace, *evidence], step.observed


def _refund_completed(grounds: Grounds) -> Verdict:
    seen = grounds.seen
    step, request = grounds.steps["revoked"], grounds.steps["refund"]
    if grounds.reconciliation["R4"].status == "differs":
        r4 = grounds.reconciliation["R4"]
        return "not_met", r4.evidence, f"R4: {r4.left} is not {r4.right}"
    if seen.charged and seen.refunded == seen.charged and seen.refund_requested_by and seen.refunded_by:
        return "met", [*seen.refund_requested_by, *seen.refunded_by], "the whole charge came back"
    for failed in (request, step):
        if failed.status == "failed":
            return "not_met", failed.trace, failed.observed
    if request.status == "skipped" or step.status == "passed":
        untold = "no witness said how much came back"
        return "not_checked", (), untold if step.status == "passed" else request.observed
    if seen.refund_requested_by:
        return "pending", seen.refund_requested_by, "requested, not completed yet"
    return _unseen(request)


def _license_revoked(grounds: Grounds) -> Verdict:
    step = grounds.steps["revoked"]
    if step.status == "passed":
        if grounds.story.result("revoked").get("license_status") != "revoked":
            return "not_checked", (), "no license is listed any more; none was seen revoked"
        return _by_step(grounds, "revoked")
    if grounds.steps["refund"].status == "skipped":
        return "not_checked", (), grounds.steps["refund"].observed
    looked = [s for s in grounds.seen.licenses if s.seq in step.trace]
    if step.status == "failed":
        if looked:
            return "not_met", [looked[-1].seq, *step.trace], step.observed
        return "not_checked", (), "the license was not looked at after the refund"
    return _unseen(step)


def _bank_statement(grounds: Grounds) -> Verdict:
    started, seen, bank = grounds.story.started, grounds.seen, grounds.bank
    if started is None or not started.live_requested:
        return "not_applicable", (), "not a live run"
    if not seen.refund_requested_by:
        return "not_applicable", (), "no refund was requested"
    if bank is None or bank.seen not in _SHOWN:
        evidence = [*seen.refunded_by, *([bank.seq] if bank else [])]
        reason = f"nothing to be seen on {bank.date}" if bank else "no statement was recorded yet"
        return "pending", evidence, reason
    return _shown(grounds, bank)


def _shown(grounds: Grounds, bank: BankStatement) -> Verdict:
    seen, refunded = grounds.seen, refund_day(grounds.story, grounds.seen.refund_requested_by)
    if refunded and before_refund(date.fromisoformat(bank.date), refunded):
        return "not_met", [bank.seq], f"the statement is of {bank.date}, before the refund of {refunded}"
    expected = (seen.charged if bank.seen == "charge-dropped" else seen.refunded, seen.currency)
    if bank.amount_cents is None:
        return "pending", [bank.seq], "the statement's amount was not given: record it again, with --amount"
    if expected[0] is None:
        return "pending", [bank.seq], "the statement shows it; no witness said how much came back"
    if (bank.amount_cents, bank.currency) != expected:
        return "not_met", [bank.seq], "the statement shows another amount than the refund's"
    if not seen.refunded:
        return "pending", [bank.seq], "the statement shows it, the backend does not say that it was refunded"
    return "met", [*seen.refunded_by, bank.seq], f"{_SHOWN[bank.seen]} on {bank.date}"


def before_refund(on: date, refunded: date) -> bool:
    """Whether a statement of the day `on` is too early to show a refund; allows a day for time zones."""
    return (refunded - on).days > 1


def refund_day(story: Story, requested_by: Sequence[int]) -> date | None:
    """Return the day of the refund as the backend states it, else of its request: it may be seen much later.

    Args:
        story: the session.
        requested_by: the events that prove the request.
    """
    told = text_of(story.result("revoked").get("refunded_at"))
    asked = next((line.at for line in story.lines if line.seq in requested_by), None)
    for text in (told, asked):
        with contextlib.suppress(ValueError):
            if text:
                return date.fromisoformat(text[:10])
    return None


def _by_step(grounds: Grounds, name: StepName) -> Verdict:
    step = grounds.steps[name]
    if step.status == "passed":
        return "met", step.trace, step.observed
    if step.status == "failed":
        return "not_met", step.trace, step.observed
    return _unseen(step)


def _unseen(step: Step) -> Verdict:
    if step.status == "pending" and step.finding:
        return "pending", step.trace, step.observed
    return "not_checked", (), step.observed or "not reached"


def _finished(grounds: Grounds, name: StepName) -> int:
    found = grounds.story.last_of_step(StepFinished, name)
    assert found is not None
    return found[0].seq


RULES: Mapping[str, str] = {
    "R1": "order total = processor's amount = amount received",
    "R2": "total - tax = transfers + platform fees",
    "R3": "total = list price + tax - discount",
    "R4": "refund = total = reversals + fees given back + tax",
    "R5": "reversed ≤ transferred, refunds ≤ received",
    "R6": "the refund's payment = the order's payment",
}


def reconcile(story: Story, *, refund_kept: bool) -> tuple[Reconciliation, ...]:
    """Return R1 to R6. A comparison that differed once stays different."""
    found = []
    for name, rule in RULES.items():
        compared = [(line.seq, event) for line, event in story.of(Compared) if event.id == name]
        if not compared:
            status = "not_applicable" if refund_kept and name in {"R4", "R6"} else "not_checked"
            found.append(Reconciliation(name, rule, status, None, None, ()))  # type: ignore[arg-type]
            continue
        differing = [pair for pair in compared if not pair[1].equal]
        seq, event = (differing or compared)[-1]
        evidence = (*story.answers(event.calls), seq)
        status = "differs" if differing else "equal"
        found.append(Reconciliation(name, rule, status, event.left, event.right, evidence))  # type: ignore[arg-type]
    return tuple(found)


_RULES: Mapping[ItemName, Callable[[Grounds], Verdict]] = {
    "preflight": _preflight,
    "dry_run": _dry_run,
    "order_completed": _order_completed,
    "amount_matches": _amount_matches,
    "license_granted": _license_granted,
    "transfer_booked": _transfer_booked,
    "refund_completed": _refund_completed,
    "license_revoked": _license_revoked,
    "bank_statement": _bank_statement,
}
