"""Collects what recorded responses say about money and license, each with its event.

Only responses count, never a step's conclusion, so that a session that failed or stopped half-way still shows what the
card was charged. Order and license states are those of the contract, payment and refund states those of Hyperswitch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from veza.money import to_minor
from veza_e2e.canonical import JSON
from veza_e2e.journal.events import BrowserOpened, CallFailed, CallFinished, StepFinished
from veza_e2e.journal.story import Story, cents_of, text_of
from veza_e2e.money.as_read import as_read
from veza_e2e.money.payment_states import UNTAKEN, VOID

CHARGED = frozenset({"completed", "refund_pending", "refunded", "refund_failed", "disputed"})
"""Order states that only follow a charge."""
UNPAID = frozenset({"failed", "cancelled", "expired"})
"""Order states that no charge precedes."""


FigureKind = Literal["charged", "refunded"]
Witness = Literal["backend", "processor"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """An amount in a response."""

    kind: FigureKind
    by: Witness
    seq: int
    cents: int | None
    """In minor units; None if the witness says that it moved, and not how much."""
    currency: str | None


@dataclass(frozen=True, slots=True)
class LicenseSighting:
    """The state of the session's license in one response."""

    seq: int
    license_id: str | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that responses showed about one session's money.

    `charged` is None if unknown (a payment in doubt), and 0 if responses say that nothing was taken.
    """

    order_id: str | None
    payment_id: str | None
    refund_id: str | None
    currency: str | None
    figures: tuple[Sighting, ...]
    """All that was named, in the order of the events."""
    charged: int | None
    charged_by: tuple[int, ...]
    refunded: int | None
    refunded_by: tuple[int, ...]
    completed_by: tuple[int, ...]
    refund_requested_by: tuple[int, ...]
    licenses: tuple[LicenseSighting, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    seq: int
    operation: str | None
    target: str
    data: JSON


def see(story: Story) -> Seen:
    """Return what a session's responses show about its money."""
    answers = tuple(_answers(story))
    orders = tuple(_orders(story, answers))
    order_id = _first([text_of(order.get("id")) for _, order in orders], text_of(story.result("order").get("order_id")))
    payment_id = _last_id(story, orders, "payment_id")
    payments = tuple(_payments(answers, payment_id))
    charges = _order_charges(story, orders)
    captures = [s for s in map(_capture, payments) if s]
    charged_by = captures or charges
    charged = max((s.cents or 0 for s in charged_by), default=_nothing_charged(story, orders, payments))
    currency = (charged_by[-1].currency if charged_by else None) or _currency(story, orders)
    refunds = sorted([*_order_refunds(story, orders), *_processor_refunds(answers, payment_id)], key=lambda s: s.seq)
    unrefunded = None if charged is None else 0
    told = [s for s in refunds if s.cents is not None and s.currency in {None, currency}]
    refunded = told[-1].cents if told else None if refunds else unrefunded
    if refunds and len({s.currency for s in (*charges, *captures) if s.currency}) > 1:
        refunded = None  # figures in two currencies are never equal
    return Seen(
        order_id=order_id,
        payment_id=payment_id,
        refund_id=_last_id(story, orders, "refund_id"),
        currency=currency,
        figures=tuple(sorted([*charges, *captures, *refunds], key=lambda s: s.seq)),
        charged=charged,
        charged_by=tuple(dict.fromkeys(s.seq for s in charged_by)),
        refunded=refunded,
        refunded_by=tuple(dict.fromkeys(s.seq for s in refunds if s.cents == refunded)),
        completed_by=tuple(seq for seq, order in orders if order.get("status") in CHARGED),
        refund_requested_by=_refund_requests(story, answers),
        licenses=tuple(_licenses(answers, order_id)),
    )


def _answers(story: Story) -> Iterator[_Answer]:
    for line, event in story.of(CallFinished):
        if not 200 <= event.status < 300 or not event.response_body:  # noqa: PLR2004 - the class of success
            continue
        body = event.response_body.get("json")
        if isinstance(body, Mapping) and isinstance(body.get("data"), Mapping | list | tuple):
            body = body["data"]
        read = as_read(body) if event.target == "api" else body
        yield _Answer(line.seq, event.operation, event.target, read)


def _orders(story: Story, answers: Sequence[_Answer]) -> Iterator[tuple[int, Mapping[str, JSON]]]:
    own = text_of(story.result("order").get("order_id"))
    for answer in answers:
        if answer.target != "api" or not isinstance(answer.data, Mapping):
            continue
        nested = answer.data.get("order")
        if answer.operation in {"createOrder", "requestRefund"} and isinstance(nested, Mapping):
            order = nested
        elif answer.operation in {"getOrder", "createOrder"}:
            order = answer.data
        else:
            continue
        if own is None or text_of(order.get("id")) == own:
            yield answer.seq, order


def _payments(answers: Sequence[_Answer], own: str | None) -> Iterator[_Answer]:
    for answer in answers:
        if answer.target != "processor" or not isinstance(answer.data, Mapping) or "refund_id" in answer.data:
            continue
        if own is None or text_of(answer.data.get("payment_id")) in {None, own}:
            yield answer


def _capture(answer: _Answer) -> Sighting | None:
    assert isinstance(answer.data, Mapping)
    cents = cents_of(answer.data.get("amount_received"))
    return Sighting("charged", "processor", answer.seq, cents, _code(answer.data)) if cents else None


def _order_charges(story: Story, orders: Sequence[tuple[int, Mapping[str, JSON]]]) -> list[Sighting]:
    agreed = cents_of(story.result("order").get("total_cents"))
    found = []
    for seq, order in orders:
        cents = _amount(order, "total_amount")
        cents = agreed if cents is None else cents
        if order.get("status") in CHARGED and cents is not None:
            found.append(Sighting("charged", "backend", seq, cents, _code(order)))
    finished = story.last_of_step(StepFinished, "completed")
    if finished and not found:
        cents = cents_of(finished[1].result.get("total_cents"))
        if cents is not None:
            found.append(Sighting("charged", "backend", finished[0].seq, cents, _code(finished[1].result)))
    return found


def _code(data: Mapping[str, JSON]) -> str | None:
    """Return a currency code as ISO 4217 writes it."""
    text = text_of(data.get("currency"))
    return None if text is None else text.upper()


def _amount(order: Mapping[str, JSON], name: str) -> int | None:
    """Return an amount in minor units, from cents or from the exact digits of a decimal."""
    cents = cents_of(order.get(f"{name}_cents"))
    value, currency = order.get(name), text_of(order.get("currency"))
    if cents is not None or currency is None or not isinstance(value, str | int) or isinstance(value, bool):
        return cents
    try:
        return to_minor(value, currency)
    except ValueError:
        return None


def _nothing_charged(
    story: Story, orders: Sequence[tuple[int, Mapping[str, JSON]]], payments: Sequence[_Answer]
) -> int | None:
    if story.last(BrowserOpened) is None:
        return 0  # nobody was shown a checkout page
    ended = bool(orders) and orders[-1][1].get("status") in UNPAID
    last = _last_word(story, payments)
    if last is None:
        return 0 if ended else None
    return 0 if last in VOID or (ended and last in UNTAKEN) else None


def _last_word(story: Story, payments: Sequence[_Answer]) -> str | None:
    """Return the payment's last state at the processor: `unknown` if it did not answer, None if never asked."""
    asked = [line.seq for line, event in story.of(CallFinished) if event.target == "processor"]
    asked += [line.seq for line, event in story.of(CallFailed) if event.target == "processor"]
    if not asked:
        return None
    last = payments[-1] if payments else None
    if last is None or last.seq < max(asked) or not isinstance(last.data, Mapping):
        return "unknown"
    return text_of(last.data.get("status")) or "unknown"


def _order_refunds(story: Story, orders: Sequence[tuple[int, Mapping[str, JSON]]]) -> Iterator[Sighting]:
    finished = story.last_of_step(StepFinished, "revoked")
    if finished:
        cents = cents_of(finished[1].result.get("refunded_cents"))
        if cents is not None:
            yield Sighting("refunded", "backend", finished[0].seq, cents, _code(finished[1].result))
    for seq, order in orders:
        status = order.get("status")
        refund = order.get("refund_status")
        if status == "refunded" and refund in {None, "succeeded"}:
            yield Sighting("refunded", "backend", seq, _amount(order, "refunded_amount"), _code(order))
        elif status == "refund_failed" or (status in CHARGED and refund == "failed"):
            yield Sighting("refunded", "backend", seq, 0, _code(order))


def _processor_refunds(answers: Sequence[_Answer], own: str | None) -> Iterator[Sighting]:
    for answer in answers:
        if answer.target != "processor" or not isinstance(answer.data, Mapping):
            continue
        nested = answer.data.get("refunds")
        refunds = (
            [answer.data] if "refund_id" in answer.data else list(nested) if isinstance(nested, list | tuple) else []
        )
        ours = [r for r in refunds if isinstance(r, Mapping) and text_of(r.get("payment_id")) in {None, own}]
        known = [r for r in ours if r.get("status") in {"succeeded", "failed"}]
        if known:
            back = [r for r in known if r.get("status") == "succeeded"]
            amounts = [cents_of(r.get("amount")) for r in back]
            codes = {_code(r) for r in back} or {_code(answer.data)}
            # A sum of two currencies, or with a part that is not told, is no amount.
            whole = len(codes) == 1 and None not in amounts
            total = sum(cents for cents in amounts if cents is not None) if whole else None
            yield Sighting("refunded", "processor", answer.seq, total, codes.pop() if whole else None)


def _refund_requests(story: Story, answers: Sequence[_Answer]) -> tuple[int, ...]:
    seqs = [answer.seq for answer in answers if answer.operation == "requestRefund"]
    finished = story.last_of_step(StepFinished, "refund")
    return tuple(seqs + ([finished[0].seq] if finished else []))


def _licenses(answers: Sequence[_Answer], order_id: str | None) -> Iterator[LicenseSighting]:
    for answer in answers:
        if answer.operation != "listMyLicenses" or not isinstance(answer.data, list | tuple):
            continue
        own = [row for row in answer.data if isinstance(row, Mapping) and text_of(row.get("order_id")) == order_id]
        if own:
            yield LicenseSighting(answer.seq, text_of(own[-1].get("id")), text_of(own[-1].get("status")))
        else:
            yield LicenseSighting(answer.seq, None, None)


def _last_id(story: Story, orders: Sequence[tuple[int, Mapping[str, JSON]]], name: str) -> str | None:
    steps = (story.result("completed"), story.result("order"), story.result("refund"))
    told = [text_of(result.get(name)) for result in steps]
    return _first(told, _first([text_of(order.get(name)) for _, order in reversed(orders)], None))


def _currency(story: Story, orders: Sequence[tuple[int, Mapping[str, JSON]]]) -> str | None:
    return _first([_code(order) for _, order in orders], _code(story.result("order")))


def _first(values: Sequence[str | None], otherwise: str | None) -> str | None:
    return next((value for value in values if value), otherwise)
