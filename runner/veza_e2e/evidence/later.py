"""What was learnt after a session had ended, and what it does to the steps that had passed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from veza_e2e.evidence.facts import licenses, unpaid_again
from veza_e2e.evidence.model import ItemStatus, Step
from veza_e2e.evidence.rows import SuppliedRows, license_by, rows_after_refund
from veza_e2e.frozen import dataclass
from veza_e2e.journal.addenda import Addendum, Dashboard, Reread
from veza_e2e.journal.findings import FindingCode
from veza_e2e.journal.story import Story
from veza_e2e.money.account import Account, fold
from veza_e2e.money.figures import KINDS, Figure, current
from veza_e2e.money.order_account import AccountState, OrderAccount
from veza_e2e.money.transfer_rows import REVOKED

_REFUND = "Refund what is open at the processor's dashboard, then look again with `resume`."
_REPORT = "The buyer holds the license again: report it to the backend's makers."
_COLUMN = "Report it to the backend's makers; once the database calls the license revoked, supply the rows again."
_LOOK = "Look at the processor's dashboard, and refund nothing that came back already; then look again with `resume`."
_UNSAID = (
    "Report it to the backend's makers, and compare with the processor's dashboard; then look again with `resume`."
)
_LOOK_AGAIN = "Look at the dashboard again; record what it shows with `attest dashboard`, which corrects what was said."
_ANSWER = (
    "Answer the dispute at the processor's dashboard, and say there what was refunded. Refund nothing on top of it."
)


@dataclass(frozen=True, slots=True)
class Later:
    """What was learnt after the steps.

    Attributes:
        rereads: what the witnesses said when they were asked again, in the order of the addenda.
        rows: the latest rows that were supplied.
        before: the account without `rereads`.
        unread: the account without what a person read at a dashboard since.
        account: the account now.
        license: what the latest rows make of a license that the API did not call otherwise; None if they do not tell.
    """

    rereads: tuple[Reread, ...]
    rows: SuppliedRows | None
    before: Account
    unread: Account
    account: Account
    license: tuple[ItemStatus, Sequence[int], str] | None = None

    @property
    def last(self) -> Reread:
        """What the witnesses said when they were asked last. `rereads` is not empty."""
        return self.rereads[-1]

    @property
    def seqs(self) -> frozenset[int]:
        """The addenda in which the witnesses were asked again."""
        return frozenset(one.seq for one in self.rereads)


def learnt(story: Story, addenda: Sequence[Addendum], account: Account, rows: SuppliedRows | None) -> Later:
    """Return what was learnt after the steps of a session."""
    rereads = tuple(sorted((one for one in addenda if isinstance(one, Reread)), key=lambda one: one.number))

    def without(kind: type[Addendum]) -> Account:
        others = [one for one in addenda if not isinstance(one, kind)]
        return fold(story.lines, others) if len(others) < len(addenda) else account

    looked = [one for one in licenses(story) if one.seq in story.trace("revoked") and one.statuses]
    agreed = not looked or set(looked[-1].statuses) == {REVOKED}
    license_ = license_by(rows_after_refund(story, account, rows), account, looked) if agreed else None
    return Later(rereads, rows, without(Reread), without(Dashboard), account, license_)


def judged(step: Step, later: Later) -> Step:
    """Return the step as failed if what was learnt after it shows that it is."""
    return _by_rows(_by_person(_read_again(step, later), later), later)


def _read_again(step: Step, later: Later) -> Step:
    if step.name != "revoked" or not later.rereads:
        return step
    account, last = later.account, later.last
    if last.failed:
        return _failed(step, [last.seq], last.observed, "refund_failed_late", (account, _todo(account)))
    if step.status not in {"passed", "skipped"}:
        return step
    return _contradicted(step, later)


def _contradicted(step: Step, later: Later) -> Step:
    """Return the step as failed if what the witnesses say now cannot be so after what passed."""
    account, last = later.account, later.last
    if unsaid := [one.seq for one in unpaid_again(account) if one.seq in later.seqs]:
        return _failed(step, unsaid, last.observed, FindingCode.UNEXPECTED_STATUS, (account, _UNSAID))
    disputes = [seq for seq, _ in account.disputes() if seq in later.seqs]
    if disputes:
        return _failed(step, disputes, last.observed, FindingCode.DISPUTE_OPENED, (account, _ANSWER))
    if step.status == "passed" and set(last.licenses) - {"revoked"}:
        return _failed(step, [last.seq], last.observed, FindingCode.LICENSE_NOT_REVOKED, (account, _REPORT))
    return _out(step, later)


def _out(step: Step, later: Later) -> Step:
    """Return the step as failed if money is, or may be, out by what was learnt."""
    account, last = later.account, later.last
    short = [one for order in account.orders for one in _short(order) if one.seq in later.seqs]
    told = any(one.amount is not None and not one.pending for one in short)
    if not _other_charge(later) and (account.settled or not (later.before.settled or told)):
        return step
    seqs = [one.seq for one in short] or [last.seq]
    return _failed(step, seqs, last.observed, _finding(later, short), (account, _todo(account)))


def _short(order: OrderAccount) -> list[Figure]:
    """Return what is said to have come back, and is not what was charged."""
    charged = {one.amount for one in current(order.charged)}
    return [one for one in order.back if one.pending or charged != {one.amount}]


def _other_charge(later: Later) -> bool:
    """Whether another charge is told now than when the steps passed: that it came back does not undo it."""
    before, now = later.before.charged, later.account.charged
    return before is not None and now is not None and before != now


def _by_person(step: Step, later: Later) -> Step:
    """Return the step as failed if what a person read since contradicts what else is known."""
    account = later.account
    if step.name != "revoked" or step.status != "passed" or account.settled or not later.unread.settled:
        return step
    seqs = sorted(one.seq for kind in KINDS for one in account.figures(kind) if one.by == "person")
    observed = f"a person {account.said_by('person')}"
    return _failed(step, seqs, observed, FindingCode.REFUND_DIFFERS, (account, _LOOK_AGAIN))


def _finding(later: Later, short: Sequence[Figure]) -> str:
    if _other_charge(later):
        return FindingCode.AMOUNT_DIFFERS
    none = any(one.amount is not None and not one.amount for one in short)
    return "refund_failed_late" if none else FindingCode.REFUND_DIFFERS


def _todo(account: Account) -> str:
    held = account.elsewhere
    if account.disputed or account.on_its_way:
        return _LOOK
    if held and not account.refundable:
        return f"The backend cannot refund payment {', '.join(held)}: use the processor's dashboard, then `resume`."
    return _REFUND if account.state is AccountState.CHARGED else _LOOK


def _by_rows(step: Step, later: Later) -> Step:
    rows = later.rows
    verdict = None if rows is None else {"transfers": rows.booking, "revoked": rows.reversal}.get(step.name)
    if rows is None or verdict is None or verdict.status not in {"wrong", "refused"}:
        return _by_license(step, later)
    todo = "Report it to the backend's makers, and compare with the Stripe dashboard."
    finding = verdict.finding or "transfer_differs"
    return _failed(step, [rows.seq], verdict.problem, finding, (later.account, todo))


def _by_license(step: Step, later: Later) -> Step:
    if step.name != "revoked" or step.status != "passed" or later.license is None or later.license[0] != "not_met":
        return step
    _, seqs, observed = later.license
    return _failed(step, seqs, observed, FindingCode.LICENSE_NOT_REVOKED, (later.account, _COLUMN))


def _failed(step: Step, seqs: Iterable[int], observed: str, finding: str, told: tuple[Account, str]) -> Step:
    """Return the step as failed by these addenda; `told` is the money, and what to do."""
    trace = tuple(dict.fromkeys((*step.trace, *seqs)))
    return Step(step.number, step.name, "failed", observed, trace, finding, told[0].said, told[1])
