"""Judges the nine acceptance items, one rule each. An item is never met without events that prove it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

from veza_e2e.evidence.facts import (
    before_refund,
    completed_by,
    licenses,
    refund_day,
    refund_requested_by,
    unpaid_again,
    untold,
)
from veza_e2e.evidence.model import Item, ItemName, ItemStatus, Reconciliation, Step
from veza_e2e.evidence.rows import SuppliedRows, how_reversed, license_by, rows_after_refund
from veza_e2e.frozen import dataclass
from veza_e2e.journal.addenda import BankStatement
from veza_e2e.journal.events import PreflightChecked, PreflightFinished, StepFinished, StepName
from veza_e2e.journal.findings import FindingCode
from veza_e2e.journal.readings import RowsRead
from veza_e2e.journal.story import Story
from veza_e2e.money.account import Account
from veza_e2e.money.figures import FigureKind, current
from veza_e2e.money.order_account import AccountState
from veza_e2e.money.readings import money

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

_BY_HAND = "record each payment that the dashboard lists with `attest dashboard`"
_SHOWN: Mapping[str, str] = {"credit": "credit line", "charge-dropped": "the charge was dropped"}
"""How a statement can show a refund."""

Verdict = tuple[ItemStatus, Sequence[int], str]


@dataclass(frozen=True, slots=True)
class Grounds:
    """The input of the rules."""

    story: Story
    account: Account
    steps: Mapping[StepName, Step]
    reconciliation: Mapping[str, Reconciliation]
    bank: BankStatement | None
    rows: SuppliedRows | None
    """What `rows` recorded after the steps."""

    @property
    def after_refund(self) -> SuppliedRows | None:
        """What the latest rows say that were read after the refund."""
        return rows_after_refund(self.story, self.account, self.rows)


def judge(grounds: Grounds) -> tuple[Item, ...]:
    """Return the nine items in their order."""
    items = []
    for name, title in TITLES.items():
        status, evidence, reason = _RULES[name](grounds)
        seqs = tuple(sorted(set(evidence)))
        if status == "met" and not seqs:
            status, reason = "not_checked", "no event proves it"
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


def recent(ended: str, at: datetime) -> bool:
    """Whether a dry-run ended at most 14 days before a live run that starts at `at`."""
    return timedelta(0) <= at - datetime.fromisoformat(ended) <= timedelta(days=14)


def _dry_run(grounds: Grounds) -> Verdict:
    started = grounds.story.started
    if started is None or not started.live_requested:
        return "not_applicable", (), "not a live run"
    first = grounds.story.lines[0]
    if started.dry_run is None:
        return "not_met", [first.seq], "no dry-run of this release was cited when the run started"
    gate = grounds.story.gate
    if started.dry_run.get("rehearsal") and gate is not None and gate.funds == "real":
        return "not_met", [first.seq], f"{started.dry_run['session']} ran on the rehearsal backend, not on staging"
    if not recent(started.dry_run["ended_at"], datetime.fromisoformat(first.at)):
        return "not_met", [first.seq], f"the dry-run {started.dry_run['session']} is not within 14 days before"
    return "met", [first.seq], f"dry-run {started.dry_run['session']}"


def _order_completed(grounds: Grounds) -> Verdict:
    step, pay = grounds.steps["completed"], grounds.steps["pay"]
    seen = completed_by(grounds.account)
    if unsaid := unpaid_again(grounds.account):
        return "not_met", [one.seq for one in unsaid], f"completed before; now the order is {unsaid[-1].status}"
    if step.status == "passed" and seen:
        return "met", [*seen[:1], _finished(grounds, "completed")], step.observed
    for failed in (step, pay):
        if failed.status == "failed":
            return "not_met", failed.trace, failed.observed
    return _unseen(step)


def _amount_matches(grounds: Grounds) -> Verdict:
    compared = [grounds.reconciliation[name] for name in ("R1", "R3")]
    if differing := [one for one in compared if one.status == "differs"]:
        return "not_met", [seq for one in differing for seq in one.evidence], _unequal(differing)
    agreed = grounds.story.result("order")
    paid = grounds.story.result("completed")
    if not agreed or not paid:
        return _unseen(grounds.steps["completed"])
    both = [_finished(grounds, "order"), _finished(grounds, "completed")]
    if (agreed.get("total_cents"), agreed.get("currency")) != (paid.get("total_cents"), paid.get("currency")):
        return "not_met", both, "the completed order has another total than the one agreed to"
    if unread := [one.id for one in compared if one.status != "equal"]:
        return "not_checked", (), f"{' and '.join(unread)} not compared: {_how(grounds, 'R1')}"
    return "met", [*both, *(seq for one in compared for seq in one.evidence)], _equal(compared)


def _license_granted(grounds: Grounds) -> Verdict:
    return _by_step(grounds, "license")


def _transfer_booked(grounds: Grounds) -> Verdict:
    compared = grounds.reconciliation["R2"]
    if compared.status == "differs":
        return "not_met", compared.evidence, _unequal([compared])
    if grounds.rows is not None:
        return _by_rows(grounds.rows, compared)
    step = grounds.steps["transfers"]
    if step.status != "passed":
        return _by_step(grounds, "transfers")
    result = grounds.story.result("transfers")
    read = grounds.story.last_of_step(RowsRead, "transfers")
    evidence = [*step.trace, _finished(grounds, "transfers"), *compared.evidence, *([read[0].seq] if read else [])]
    if result.get("unexplained_cents") not in {0, None}:
        return "not_met", evidence, "a part of the money is unexplained"
    unproven = [
        *([] if result.get("confirmed") is True else ["the rows were not confirmed"]),
        *([] if compared.status == "equal" else ["R2 not compared: the rows do not tell every part of the sum"]),
        *([] if result.get("seller_checked") else ["whose transfer it is was not checked: no seller is named"]),
        *([] if result.get("complete") else ["whether a row is missing was not checked: the rows have no row_count"]),
        *([] if read and read[1].rows and result.get("rows") else ["no row was seen"]),
    ]
    return ("not_checked", evidence, "; ".join(unproven)) if unproven else ("met", evidence, step.observed)


def _by_rows(rows: SuppliedRows, compared: Reconciliation) -> Verdict:
    booked = rows.booking
    if booked.status in {"wrong", "late"}:
        return "not_met" if booked.status == "wrong" else "pending", [rows.seq], booked.problem
    if booked.status != "booked" or not booked.seller_checked or not booked.complete or compared.status != "equal":
        return (
            "not_checked",
            [rows.seq],
            booked.problem or "the rows do not tell seller, number and every part of the sum",
        )
    return "met", [rows.seq, *compared.evidence], _equal([compared])


def _refund_completed(grounds: Grounds) -> Verdict:
    compared = [grounds.reconciliation[name] for name in ("R4", "R5", "R6")]
    if differing := [one for one in compared if one.status == "differs"]:
        return "not_met", [seq for one in differing for seq in one.evidence], _unequal(differing)
    step, request = grounds.steps["revoked"], grounds.steps["refund"]
    if request.status == "skipped":
        return "not_checked", (), request.observed
    requested = refund_requested_by(grounds.story)
    if grounds.account.state is not AccountState.RETURNED:
        return _not_returned(grounds, requested)
    if unread := [one.id for one in compared if one.status != "equal"]:
        how = "; ".join(dict.fromkeys(_how(grounds, name) for name in unread))
        reason = f"{', '.join(unread)} not compared: {how}"
        rows = grounds.after_refund if "R5" in unread else None
        if rows is not None and rows.not_reversed:
            return rows.not_reversed, [*step.trace, rows.seq], reason
        waits = step.status == "pending" and step.finding is not None
        return ("pending", step.trace, reason) if waits else ("not_checked", (), reason)
    back = [one.seq for one in grounds.account.figures("refunded")]
    return "met", [*requested, *back, *(seq for one in compared for seq in one.evidence)], _equal(compared)


def _not_returned(grounds: Grounds, requested: Sequence[int]) -> Verdict:
    step, request = grounds.steps["revoked"], grounds.steps["refund"]
    for failed in (request, step):
        if failed.status == "failed":
            return "not_met", failed.trace, failed.observed
    if step.status == "passed":
        return "not_checked", (), f"it is not known that all came back: {grounds.account.sentence}"
    return ("pending", requested, "requested, not completed yet") if requested else _unseen(request)


def _license_revoked(grounds: Grounds) -> Verdict:
    step = grounds.steps["revoked"]
    looked = [one for one in licenses(grounds.story) if one.seq in step.trace and one.statuses]
    later = [seq for seq in step.trace if seq > grounds.story.lines[-1].seq]
    if later and step.finding == FindingCode.LICENSE_NOT_REVOKED:
        return "not_met", later, step.observed
    if by_database := license_by(grounds.after_refund, grounds.account, looked):
        return by_database
    if step.status in {"passed", "failed"}:
        if not looked:
            return "not_checked", (), "no license was seen after the refund"
        last = looked[-1]
        revoked = all(status == "revoked" for status in last.statuses)
        reason = f"license {last.license_id} is {', '.join(map(str, last.statuses))}"
        return "met" if revoked else "not_met", [last.seq], reason
    if grounds.steps["refund"].status == "skipped":
        return "not_checked", (), grounds.steps["refund"].observed
    return _unseen(step)


def _bank_statement(grounds: Grounds) -> Verdict:
    started, bank = grounds.story.started, grounds.bank
    if started is None or not started.live_requested:
        return "not_applicable", (), "not a live run"
    requested = refund_requested_by(grounds.story)
    if not requested and not grounds.account.came_back:
        return "not_applicable", (), "no refund was requested"
    if bank is None or bank.seen not in _SHOWN:
        evidence = [*(one.seq for one in grounds.account.figures("refunded")), *([bank.seq] if bank else [])]
        reason = f"nothing to be seen on {bank.date}" if bank else "no statement was recorded yet"
        return "pending", evidence or requested, reason
    return _shown(grounds, bank)


def _shown(grounds: Grounds, bank: BankStatement) -> Verdict:
    refunded = refund_day(grounds.story)
    if refunded and before_refund(date.fromisoformat(bank.date), refunded):
        return "not_met", [bank.seq], f"the statement is of {bank.date}, before the refund of {refunded}"
    if bank.amount_cents is None:
        return "pending", [bank.seq], "the statement's amount was not given: record it again, with --amount"
    kind: FigureKind = "charged" if bank.seen == "charge-dropped" else "refunded"
    orders = grounds.account.orders
    figures = [one for each in orders for one in (current(each.charged) if kind == "charged" else each.back)]
    others = [one for one in figures if one.by != "bank" and one.amount]
    if not others:
        return "pending", [bank.seq], "the statement shows it; no other witness said how much came back"
    shown = money(bank.amount_cents, bank.currency)
    differing = [one for one in others if one.amount != shown]
    if differing:
        told = ", ".join(f"{one.by} {one.told}" for one in differing)
        seqs = [bank.seq, *(one.seq for one in differing)]
        return "not_met", seqs, f"the statement shows another amount ({shown}) than the refund's ({told})"
    return "met", [*(one.seq for one in others), bank.seq], f"{_SHOWN[bank.seen]} on {bank.date}"


def _how(grounds: Grounds, name: str) -> str:
    """Return why a comparison was not made, and how it can be supplied later."""
    if name == "R5":
        return how_reversed(grounds.after_refund, grounds.reconciliation["R5"].right)
    why = untold(grounds.story)
    return f"give HYPERSWITCH_API_KEY, or {_BY_HAND}" if why is None else f"{why}; {_BY_HAND}"


def _unequal(compared: Sequence[Reconciliation]) -> str:
    return "; ".join(f"{one.id}: {one.left} is not {one.right}" for one in compared)


def _equal(compared: Sequence[Reconciliation]) -> str:
    return "; ".join(
        f"{one.id} equal: {one.left}" if one.left == one.right else f"{one.id} equal: {one.left} and {one.right}"
        for one in compared
    )


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
