"""What a session was told of its product, order and payment, each with the event that tells it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from veza.money import Money
from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass
from veza_e2e.journal.events import CallFinished, StepFinished, StepName
from veza_e2e.journal.story import Story, cents_of, text_of
from veza_e2e.money.answers import body_of


@dataclass(frozen=True, slots=True)
class Told:
    """A text, and the event that tells it."""

    text: str
    seq: int


@dataclass(frozen=True, slots=True)
class OrderTold:
    """The order's total and VAT, as the backend told them last; None for what it did not tell."""

    seq: int
    total: str | None
    vat: str | None


def amount(cents: int | None, currency: str | None) -> str:
    """Return an amount as shown to people."""
    if cents is None:
        return "not known"
    try:
        return str(Money(cents, currency or ""))
    except ValueError:
        return f"{cents} minor units" if cents else "nothing"


def moment(at: str) -> str:
    """Return an RFC 3339 time as shown to people, to the second; any other text as it is."""
    try:
        told = datetime.fromisoformat(at)
    except ValueError:
        return at
    return f"{told.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if told.tzinfo else at


def result_of(story: Story, step: StepName, name: str) -> Told | None:
    """Return a member of a step's result, with the event; None if the step has not finished, or it is not text."""
    found = story.last_of_step(StepFinished, step)
    text = text_of(found[1].result.get(name)) if found else None
    return Told(text, found[0].seq) if found and text else None


def list_price(story: Story) -> Told | None:
    """Return the product's price in the product's own currency."""
    found = story.last_of_step(StepFinished, "products")
    cents = cents_of(found[1].result.get("price_cents")) if found else None
    if found is None or cents is None:
        return None
    return Told(amount(cents, text_of(found[1].result.get("currency"))), found[0].seq)


def order_told(story: Story) -> OrderTold | None:
    """Return what the last answer that holds the session's order says; None if no order was told."""
    for line, event in reversed(list(story.of(CallFinished))):
        order = _order(event)
        if order is not None:
            currency = text_of(order.get("currency"))
            total, vat = (cents_of(order.get(name)) for name in ("total_amount_cents", "tax_amount_cents"))
            return OrderTold(line.seq, _known(total, currency), _known(vat, currency))
    return None


def _order(event: CallFinished) -> Mapping[str, JSON] | None:
    """Return the order of an answer to a request about one."""
    if event.operation not in {"createOrder", "getOrder"}:
        return None
    body = body_of(event)
    order = body.get("order", body) if isinstance(body, Mapping) else None
    return order if isinstance(order, Mapping) and cents_of(order.get("total_amount_cents")) is not None else None


def _known(cents: int | None, currency: str | None) -> str | None:
    return None if cents is None else amount(cents, currency)


def descriptor(story: Story) -> Told | None:
    """Return what the card's statement is to show, by the processor's last word on the payment."""
    found = None
    for line, event in story.of(CallFinished):
        body = body_of(event) if event.target == "processor" else None
        if isinstance(body, Mapping):
            parts = (text_of(body.get(f"statement_descriptor_{part}")) for part in ("name", "suffix"))
            text = " ".join(one for one in parts if one)
            found = Told(text, line.seq) if text else found
    return found
