"""What must hold after each command, whatever the history: written from the interface, never from the runner.

A check yields the kind of what is violated, and a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.books import Order, Told
from simulator.machine import Ran, Simulated
from simulator.operator import money
from simulator.plan import LATE, Plan

Found = Iterator[tuple[str, str]]
EXITS = {"passed": 0, "failed": 1, "incomplete": 4, "refused": 3}
_SESSION_COMMANDS = frozenset({"run", "resume"})


@dataclass
class Moment:
    """The world and what a command just said of it."""

    sim: Simulated
    ran: Ran
    ended: bool
    session: str | None
    owners: Mapping[str, str | None]
    given_up: bool = False
    late_news: bool = False
    """Whether the session has ended before: its report is as it was."""
    bank_right: bool = False
    attested: bool = False
    ending: bool = False
    """Whether this command ended the session."""

    @property
    def command(self) -> str:
        return self.ran.words[0]

    @property
    def document(self) -> Mapping[str, Any]:
        return self.ran.document

    @property
    def text(self) -> str:
        return self.ran.out + self.ran.err

    @property
    def order(self) -> Order | None:
        """The order that the session says is its own."""
        return self.sim.world.orders.get(str(self.document.get("order_id")))

    @property
    def orders(self) -> list[Order]:
        """The orders that this session made, or says are its own."""
        made = [one for one in self.sim.world.own_orders() if self.owners.get(one.id) == self.session]
        return made if self.order is None or self.order in made else [*made, self.order]

    def told(self, order: Order) -> list[tuple[str, Told]]:
        """What each witness told last of an order, the processor's payments one by one."""
        told = self.sim.world.told
        keys = [("backend", order.id), *(("processor", one.id) for one in self.sim.world.payments_of(order.id))]
        return [(key[0], told[key]) for key in keys if key in told and told[key].recorded]

    def figures(self, order: Order) -> dict[str, tuple[int, int]]:
        """What each witness told as charged and as returned, added up over payments in the order's currency."""
        found: dict[str, tuple[int, int]] = {}
        for by, one in self.told(order):
            if one.currency == order.currency:
                charged, back = found.get(by, (0, 0))
                found[by] = charged + one.charged, back + one.returned
        return found


def defects(moment: Moment) -> Found:
    if "a defect:" in moment.text:
        yield "defect", next(line for line in moment.text.splitlines() if "a defect:" in line)
    if moment.ran.problem:
        yield "stuck", moment.ran.problem


def documents(moment: Moment) -> Found:
    if moment.ran.exit is not None and not moment.document:
        yield "no_document", f"{moment.command} exited {moment.ran.exit} without one JSON document"


def exits(moment: Moment) -> Found:
    """The exit code says what the document says."""
    outcome = moment.document.get("outcome")
    if moment.command not in _SESSION_COMMANDS or outcome not in EXITS:
        return
    expected = {EXITS[outcome], 130, 4} if outcome != "passed" else {0}
    if moment.ran.exit not in expected and "error" not in moment.document:
        yield "exit", f"{moment.command} exited {moment.ran.exit}, its outcome is {outcome}"


def headline(moment: Moment) -> Found:
    """The headline never says less than a witness that answered."""
    order, said = moment.order, moment.document.get("money")
    if order is None or not isinstance(said, dict) or moment.command not in {"run", "resume", "show"}:
        return
    charged, back = said.get("charged_cents"), said.get("refunded_cents")
    figures = moment.figures(order)
    # The order's total is no charge that somebody saw, where the processor told one.
    by = "processor" if "processor" in figures else "backend"
    was_charged, returned = figures.get(by, (0, 0))
    if charged is not None and charged < was_charged:
        yield "headline_charged", f"charged {charged} by the headline, {was_charged} by the {by}"
    settled = moment.document.get("refund_open") is False or moment.document.get("account") == "returned"
    if settled and was_charged > returned and not _outdated(moment, order, by):
        yield "headline_open", f"no refund is open by the headline, the {by} has {was_charged} and gave {returned}"
    if charged is not None and back is not None and back > charged and moment.sim.plan.bank != "wrong_amount":
        yield "headline_more", f"{back} came back of {charged} charged"


def _outdated(moment: Moment, order: Order, by: str) -> bool:
    """Whether more came back than this witness told, which was not heard since or tells no amount."""
    if by == "backend":
        return True
    told = sum(one.returned for name, one in moment.told(order) if name == by)
    return told < sum(one.returned for one in moment.sim.world.payments_of(order.id))


def witnesses(moment: Moment) -> Found:
    """Each figure that names the processor is what the processor told, payment by payment."""
    order = moment.order
    said = (moment.document.get("money") or {}).get("witnesses")
    if order is None or not isinstance(said, dict):
        return
    told = [one for by, one in moment.told(order) if by == "processor"]
    # An answer that the disk could not keep is no figure of the record, and the command says so.
    unsure = "cannot be written" in moment.text or any(not one.recorded for one in moment.sim.world.told.values())
    if not told or unsure or len({one.currency for one in told}) > 1:
        return
    for kind, right in (("charged", sum(t.charged for t in told)), ("refunded", sum(t.returned for t in told))):
        for figure in said.get(kind, ()):
            if figure.get("by") != "processor" or figure.get("amount") is None:
                continue
            if figure["amount"] not in {
                money(right, told[0].currency),
                *(money(_of(t, kind), t.currency) for t in told),
            }:
                yield (
                    "witness",
                    f"{kind} by the processor is {figure['amount']}, it told {money(right, told[0].currency)}",
                )


def _of(told: Told, kind: str) -> int:
    return told.charged if kind == "charged" else told.returned


def untouched(moment: Moment) -> Found:
    """Nothing was charged is said only on a witness's positive word."""
    nothing = moment.document.get("account") == "untouched" or _verdict_says(moment, "nothing was charged")
    here = moment.document.get("session") is not None and moment.command in {*_SESSION_COMMANDS, "show", "abandon"}
    if not nothing or not here:
        return
    for order in moment.orders:
        said = next((f"the {by} told {one.charged}" for by, one in moment.told(order) if one.charged), None)
        if said:
            yield "untouched", f"nothing was charged, it says; {said}"
        elif moment.sim.world.open_amount(order.id):
            yield "untouched_unseen", f"nothing was charged, it says; {moment.sim.world.open_amount(order.id)} are out"


def _verdict_says(moment: Moment, words: str) -> bool:
    last = moment.ran.err.rstrip().splitlines()[-6:]
    return any(words in line.lower() for line in last if "REFUSED" not in line)


def items(moment: Moment) -> Found:
    """No item is met that the books do not bear out."""
    order = moment.order
    met = {one["id"] for one in moment.document.get("acceptance", ()) if one.get("status") == "met"}
    if order is None:
        if met - {"preflight", "dry_run"}:
            yield "item", f"met without an order: {', '.join(sorted(met))}"
        return
    for name in sorted(met):
        wrong = _wrong(moment, order, name)
        if wrong:
            yield f"item_{name}", f"{name} is met, but {wrong}"


def _wrong(moment: Moment, order: Order, name: str) -> str | None:
    """Why the books do not bear an item out; None if they do."""
    check = _ITEMS.get(name)
    return None if check is None else check(moment, order)


def _wrong_completed(moment: Moment, order: Order) -> str | None:
    return None if (order.id, "completed") in moment.sim.world.ever else "nobody told that it was completed"


def _wrong_amount(moment: Moment, order: Order) -> str | None:
    payments = moment.sim.world.payments_of(order.id)
    told = any(("processor", one.id) in moment.sim.world.told for one in payments)
    if not told and not moment.attested:
        return "no processor told an amount"
    if moment.sim.plan.again and not moment.attested:  # what is captured later is known once it is told
        heard = {by[1] for by, one in moment.sim.world.told.items() if by[0] == "processor" and one.recorded}
        payments = [one for one in payments if one.id in heard] or [one for one in payments if one.id == order.payment]
    received = sum(one.received for one in payments)
    wrong = received != order.total or any(one.currency != order.currency for one in payments)
    return f"{received} were received of {order.total}" if wrong and not moment.sim.world.healed else None


def _wrong_granted(moment: Moment, order: Order) -> str | None:
    return None if (order.id, "license active") in moment.sim.world.ever else "no active license was told"


def _wrong_revoked(moment: Moment, order: Order) -> str | None:
    active = any(one.order == order.id and one.status == "active" for one in moment.sim.world.licenses)
    return "a license is active" if active else None


def _wrong_refund(moment: Moment, order: Order) -> str | None:
    world, plan = moment.sim.world, moment.sim.plan
    if world.healed or (_turns_later(plan) and not _told_open(moment, order)):
        return None
    if world.open_amount(order.id) or not any(one.received for one in world.payments_of(order.id)):
        return f"{world.open_amount(order.id)} did not come back"
    paid_out = [one for one in world.transfers_of(order.id) if one.status in {"completed", "reversed"}]
    kept = sum(one.amount - one.reversed for one in paid_out)
    return f"the seller keeps {kept}" if kept else None


def _turns_later(plan: Plan) -> bool:
    """Whether money moves again, or is disputed, after the refund: nobody knows before it is told."""
    return plan.refund == "fails_late" or plan.dispute == "after_refund" or plan.again != ""


def _told_open(moment: Moment, order: Order) -> bool:
    """Whether the processor told, after the refund, that it holds something."""
    since = order.refunded_at
    told = [one for by, one in moment.told(order) if by == "processor"]
    return since is not None and any(one.recorded and one.charged > one.returned and one.at > since for one in told)


def _wrong_rows(moment: Moment, order: Order) -> str | None:
    if moment.sim.world.healed:
        return None
    rows = [one for one in moment.sim.world.transfers_of(order.id) if one.status != "cancelled"]
    if sum(one.amount + one.fee for one in rows) != order.total - order.tax:
        return "the rows do not explain the total"
    if any(one.seller != order.product.seller for one in rows):
        return "a row is another seller's"
    if any(one.status not in {"completed", "reversed"} or one.stripe is None for one in rows):
        return "a row is not booked at Stripe"
    if any(one.fee < 0 for one in rows):
        return "a fee is negative"
    return None


_ITEMS: Mapping[str, Callable[[Moment, Order], str | None]] = {
    "order_completed": _wrong_completed,
    "amount_matches": _wrong_amount,
    "license_granted": _wrong_granted,
    "license_revoked": _wrong_revoked,
    "transfer_booked": _wrong_rows,
    "refund_completed": _wrong_refund,
    "bank_statement": lambda moment, _order: None if moment.bank_right else "the statement does not show it",
}


def decisions(moment: Moment) -> Found:
    """GO needs all nine items, real funds and the attestation; a straight failure before money is no NO-GO."""
    document = moment.document
    if document.get("decision") == "GO":
        missing = [one["id"] for one in document.get("acceptance", ()) if one.get("status") != "met"]
        if not moment.sim.plan.live or document.get("funds") != "real":
            yield "go", "GO without real funds"
        if missing:
            yield "go", f"GO without {', '.join(missing)}"
        if not moment.bank_right:
            yield "go", "GO without the right bank statement"
        if not moment.sim.plan.dry_run:
            yield "go", "GO without a dry-run"
    if document.get("decision") == "NO-GO" and not moment.sim.world.charge_told:
        yield "no_go", "NO-GO although nobody told that money moved"


def passed(moment: Moment) -> Found:
    """Exit 0 says that nothing is wrong, as far as a witness that was read can tell."""
    order = moment.order
    if moment.command not in _SESSION_COMMANDS or moment.ran.exit != 0 or order is None:
        return
    world = moment.sim.world
    told = [one for by, one in moment.told(order) if by == "processor"]
    if told and not world.healed:
        received = sum(one.charged for one in told)
        if any(one.currency != order.currency for one in told):
            yield "passed_currency", f"passed, the processor told {told[0].currency}"
        elif received != order.total:
            yield "passed_amount", f"passed, the processor told {received} of {order.total}"
    late = _turns_later(moment.sim.plan) and not _told_open(moment, order)
    said = "whether there are other payments was not seen" in moment.ran.err
    said = said or (moment.sim.plan.key == "revoked" and moment.document["account"] == "unknown")
    if any(one.recorded and one.status == "disputed" for _, one in moment.told(order)):
        yield "passed_dispute", "passed, and a dispute was told"
    if moment.document.get("refund_id") and world.open_amount(order.id) and told and not late and not said:
        yield "passed_open", f"passed with a refund, {world.open_amount(order.id)} are out"


def stranded(moment: Moment) -> Found:
    """While money is or may be out, an exit offers a command that leads on."""
    if moment.ran.exit in {None, 2} or moment.command not in {*_SESSION_COMMANDS, "abandon"}:
        return
    if moment.command == "run" and moment.ran.exit == EXITS["refused"] and not moment.sim.plan.live:
        return  # it bought nothing; with test funds the money of another session bars nobody
    world = moment.sim.world
    out = [one for one in moment.orders if _may_be_out(moment, one)]
    offered = any(word in moment.text for word in ("resume", "abandon", "attest dashboard"))
    if out and not offered and not moment.given_up:
        yield "stranded", f"exit {moment.ran.exit} names no command, and {world.open_amount(out[0].id)} are out"


def _may_be_out(moment: Moment, order: Order) -> bool:
    """Whether a witness told more charged than returned, or the order can be paid and nobody told that it was."""
    told = moment.told(order)
    if any(one.charged for _, one in told):
        figures = moment.figures(order)
        by = "processor" if "processor" in figures else "backend"
        charged, back = figures.get(by, (0, 0))
        return charged > back and (by == "backend" or not _outdated(moment, order, by))
    return moment.sim.world.payable(order.id)


def abandoned(moment: Moment) -> Found:
    """A session is not abandoned while money is or may be out, unless the loss is accepted by name."""
    if moment.command != "abandon" or moment.ran.exit != 0 or "--accept-loss" in moment.ran.words:
        return
    world = moment.sim.world
    for order in moment.orders:
        age = (moment.sim.clock.at - order.created).total_seconds()
        # What only the processor knows, and it did not answer, no walkthrough can know.
        if _may_be_out(moment, order) and age < LATE:
            yield "abandoned", f"abandoned while {world.open_amount(order.id)} are or may be out"


def ends(moment: Moment) -> Found:
    """No session ends by itself while a card is or may be charged: its refund would be out of reach."""
    account = moment.document.get("account")
    if moment.ending and moment.command in _SESSION_COMMANDS and account in {"charged", "at risk"}:
        yield "ended_open", f"the session ended, its account is {account}"


def twice(moment: Moment) -> Found:
    """No second order beside one that can be paid, no second refund beside one that may succeed."""
    second = moment.sim.second
    begun = len([*moment.sim.archive.glob("*/*/*/journal.jsonl")])
    ambiguous = (
        second is not None and second.exit == 2 and begun > 1 and "sessions can be resumed" in second.out + second.err
    )
    if second is not None and second.exit != 3 and not ambiguous:
        yield "second_process", f"`{second.words[0]}` in a second terminal exited {second.exit}, not 3"
    moment.sim.second = None
    yield from moment.sim.world.sins
    moment.sim.world.sins.clear()


def words(moment: Moment) -> Found:
    """The last lines and the report say what the document says."""
    said = moment.document.get("money")
    if moment.command not in _SESSION_COMMANDS or not isinstance(said, dict) or not moment.document.get("paths"):
        return
    charged, currency = said.get("charged_cents"), said.get("currency")
    if not charged or currency is None or moment.document.get("account") == "unknown" or moment.late_news:
        return
    amount = money(charged, currency)
    verdict = moment.ran.err.rpartition(f"\n{str(moment.document['outcome']).upper()}: ")[2]
    if amount not in verdict:
        yield "words", f"the document says charged {amount}, the last lines do not"
    report = moment.sim.root / str(moment.document["paths"]["report"])
    if "  report  " in verdict and report.is_file() and amount not in report.read_text(encoding="utf-8"):
        yield "report", f"the document says charged {amount}, the report does not"


def usage(moment: Moment) -> Found:
    """What is offered or documented is never a mistake in its words."""
    if moment.ran.exit == 2:
        yield "usage", f"{' '.join(moment.ran.words)}: {moment.ran.err.strip()[-150:]}"


CHECKS: tuple[Callable[[Moment], Found], ...] = (
    defects, documents, exits, headline, witnesses, untouched, items, decisions, passed, stranded, abandoned, ends,
    twice, words, usage,
)  # fmt: skip
