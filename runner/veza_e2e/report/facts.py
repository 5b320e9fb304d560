"""Collects what a report states beside the steps: ids, and commands and documents that belong to the session."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from veza_e2e.evidence import Summary
from veza_e2e.journal.addenda import Addendum, Attestation
from veza_e2e.journal.events import SessionResumed, SessionStarted, StepName
from veza_e2e.journal.story import Story
from veza_e2e.report.booked import booked
from veza_e2e.report.cells import Address, Cell, Command, Fact, Id
from veza_e2e.report.told import Told, list_price, moment, order_told, result_of


def facts(summary: Summary, story: Story, addenda: Sequence[Addendum | Attestation] = ()) -> list[Fact]:
    """Return what was seen of product, order and transfers, the ids, and what the session ran with."""
    return [*_bought(story, addenda), *_ids(summary, story), *_ran(summary, story)]


def _bought(story: Story, addenda: Sequence[Addendum | Attestation]) -> Iterator[Fact]:
    yield from _one("Product", result_of(story, "products", "title"))
    yield from _one("List price", list_price(story))
    order, rows = order_told(story), booked(story, addenda)
    if order is not None:
        yield Fact("Order total", order.total or "not told", (order.seq,))
        yield Fact("VAT", order.vat or "not told", (order.seq,))
    if rows is not None:
        yield Fact("To the seller", rows.seller or "not told", (rows.seq,))
        yield Fact("Platform fee", rows.fee or "not told", (rows.seq,))


def _ids(summary: Summary, story: Story) -> Iterator[Fact]:
    first = story.lines[0].seq
    if story.started is not None:
        yield Fact("Session", Id(story.started.session), (first,))
    reads = summary.money.main.reads if summary.money.main else ()
    told = tuple(one.seq for one in reads[:1])
    paid = tuple(one.seq for one in reads if one.payment_id == summary.payment_id)[:1]
    back = tuple(one.seq for one in reads if one.refund_id == summary.refund_id)[:1]
    for name, value, seqs in (
        ("Order", summary.order_id, told),
        ("Payment", summary.payment_id, paid),
        ("Refund", summary.refund_id, back),
    ):
        if value:
            yield Fact(name, Id(value), seqs or _results(story, value))
    for name, one in (
        ("License", result_of(story, "license", "license_id")),
        ("Product id", result_of(story, "products", "product_id")),
        ("Seller", result_of(story, "products", "seller_id")),
    ):
        if one is not None:
            yield Fact(name, Id(one.text), (one.seq,))


_IDS: tuple[tuple[StepName, str], ...] = (
    ("order", "order_id"), ("order", "payment_id"), ("completed", "payment_id"), ("refund", "refund_id")
)  # fmt: skip


def _results(story: Story, value: str) -> tuple[int, ...]:
    """Return the first step result that holds an id."""
    found = (result_of(story, step, name) for step, name in _IDS)
    return tuple(one.seq for one in found if one is not None and one.text == value)[:1]


def _ran(summary: Summary, story: Story) -> Iterator[Fact]:
    started, first = story.started, (story.lines[0].seq,)
    if started is None:
        return
    yield Fact("Account", started.account, first)
    if started.operator:
        yield Fact("Operator", started.operator, first)
    yield Fact("Backend", Id(started.base_url), first)
    yield Fact("Began", moment(summary.started_at), first)
    yield Fact("Last event", moment(summary.last_at), (story.lines[-1].seq,))
    if summary.dry_run:
        yield Fact("Dry-run", f"{summary.dry_run['session']} (last hash {summary.dry_run['hash']})", first)
    yield Fact("Tools", _versions(started.tools), first)
    for line, event in story.of(SessionResumed):
        if event.tools != started.tools:
            yield Fact("Resumed with", _versions(event.tools), (line.seq,))


def _versions(tools: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(tools.items()))


def _one(name: str, told: Told | None) -> Iterator[Fact]:
    if told is not None:
        yield Fact(name, told.text, (told.seq,))


_DOCUMENTS = {
    "canary_release": "Canary release document",
    "go_no_go": "GO/NO-GO checklist",
    "hyperswitch_dashboard": "Hyperswitch dashboard",
    "stripe_dashboard": "Stripe dashboard",
}


def artefacts(started: SessionStarted, seq: int) -> list[Fact]:
    """Return the commands that do the same again, and the documents that belong to the session."""
    words = ["veza-e2e", "--env", started.environment]
    live = ["--live"] if started.live_requested else []
    again = shlex.join([*words, "run", *live, *_options(started)])
    # What charges a card is told, and is not there to copy.
    run: Cell = f"{again} (this charges a card)" if live else Command(again)
    commands = [
        Fact("The same pre-flight again", Command(shlex.join([*words, "preflight", *live])), (seq,)),
        Fact("The same walkthrough again", run, (seq,)),
    ]
    return commands + [Fact(title, _linked(started.links.get(name)), (seq,)) for name, title in _DOCUMENTS.items()]


def _options(started: SessionStarted) -> Iterator[str]:
    if started.unattended:
        yield "--unattended"
    if started.refund is not None:
        yield "--refund" if started.refund else "--no-refund"
    for name, value in (("--release", started.release), ("--product", started.product)):
        if value is not None:
            yield from (name, value)
    for fault in started.faults:
        yield from ("--fault", fault)


def _linked(target: str | None) -> Cell:
    return "not configured" if target is None else Address(target)
