"""A session put together for a test: the SDK's fake backend behind the recording transport, on a fake clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import httpx
import pytest

from veza.money import Money
from veza.testing import BASE_URL, EMAIL, PASSWORD, FakeBackend, FakeClock, transport
from veza_e2e.canonical import JSON
from veza_e2e.config import Environment
from veza_e2e.engine.session import Parts, Stage, open_stage
from veza_e2e.engine.start import begin
from veza_e2e.engine.walk import go_on
from veza_e2e.evidence import Summary
from veza_e2e.journal import Line, MemorySink
from veza_e2e.journal.events import SCHEMA, WALKTHROUGH, CallIntended, Event, SessionResumed, SessionStarted, StepFailed
from veza_e2e.journal.findings import FindingCode
from veza_e2e.ports.processor import NO_PAYMENT
from veza_e2e.ports.progress import Progress
from veza_e2e.ports.protocols import EndOfInput, LedgerReading, Ports
from veza_e2e.preflight.gate import Gate
from veza_e2e.redaction import Redactor

SESSION = "01KY5T5Q00000000000000000A"
ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"


class CountedIds:
    """Ids that a test can foresee."""

    def __init__(self) -> None:
        self.keys = 0

    def session(self, at: datetime) -> str:
        return SESSION

    def key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"


@dataclass
class Person:
    """Answers in the order in which it was told to; after that nobody answers any more."""

    answers: list[str | None | Callable[[], str | None]] = field(default_factory=list)
    always: Mapping[str, str] = field(default_factory=dict)
    """By question; where there is none, the next of `answers` is given."""
    by: Literal["operator", "script"] = "operator"
    told: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    clock: FakeClock = field(default_factory=FakeClock)

    keys: list[str] = field(default_factory=list)
    """What is typed in the waits, one key each."""
    waited: list[Progress] = field(default_factory=list)

    def pause(self, progress: Progress, sleep: Callable[[float], None]) -> str | None:
        self.waited.append(progress)
        if self.keys:
            return self.keys.pop(0)
        sleep(progress.pause)
        return None

    def ask(
        self, question: str, text: str, *, timeout: float | None = None, progress: Progress | None = None
    ) -> str | None:
        self.asked.append(text)
        if progress is not None:
            self.waited.append(progress)
        if question in self.always:
            return self.always[question]
        if not self.answers:
            raise EndOfInput
        answer = self.answers.pop(0)
        given = answer() if callable(answer) else answer
        if given is None:
            assert timeout is not None, "nobody waits for ever where a time limit was asked for"
            self.clock.sleep(timeout)
        return given

    def paste(self, question: str, text: str, peek: Callable[[], str] | None = None) -> str:
        return self.ask(question, text) or ""

    def tell(self, text: str) -> None:
        self.told.append(text)


@dataclass
class Page:
    """A browser in which whoever opens the page does what the test says."""

    act: Callable[[str], bool]
    by: Literal["operator", "script"] = "operator"
    opened: list[str] = field(default_factory=list)

    def open(self, url: str) -> bool:
        self.opened.append(url)
        return self.act(url)


@dataclass
class Rows:
    """A ledger that holds these rows."""

    held: Sequence[Mapping[str, JSON]] | Callable[[], Sequence[Mapping[str, JSON]]] | None = None
    source: Literal["pasted", "database", "rehearsal"] = "database"

    reason: str | None = None
    """Why the database did not answer."""
    later: list[Sequence[Mapping[str, JSON]]] = field(default_factory=list)
    """What the next readings find, one each; after that `held`."""

    def rows(self, sql: str, order_id: str) -> LedgerReading:
        if self.later:
            return LedgerReading(self.later.pop(0))
        return LedgerReading(self.held() if callable(self.held) else self.held, self.reason)

    def peek(self, order_id: str) -> str | None:
        return None

    def script(self, sql: str, order_id: str) -> str | None:
        return None


_IDENTITY = frozenset(
    {"customer_id", "created", "metadata", "merchant_order_reference_id", "payment_link", "profile_id"}
)
"""What the processor's payment tells of itself, before anything is paid."""


@dataclass
class Walk:
    """A walkthrough that a test takes apart: backend, person, page, clock and journal in hand."""

    backend: FakeBackend = field(default_factory=FakeBackend)
    clock: FakeClock = field(default_factory=FakeClock)
    sink: MemorySink = field(default_factory=MemorySink)
    ids: CountedIds = field(default_factory=CountedIds)
    ledger: Rows = field(default_factory=Rows)
    started: dict[str, Any] = field(default_factory=dict)
    processor: Callable[[httpx.Request], httpx.Response] | None = None
    stage: Stage = field(init=False)

    def __post_init__(self) -> None:
        self.backend.clock = self.clock
        self.backend.shop = type(self.backend.shop)(self.clock.now, "https://pay.veza.test/payment_link/veza")
        self.backend.shop.products = FakeBackend().shop.products
        self.backend.shop.checkout_seconds = 7 * 24 * 3600  # an order ends only if a test says so
        self.person = Person(clock=self.clock)
        self.page = Page(lambda _: True)

    @property
    def gate(self) -> Gate:
        return Gate(
            environment=Environment("staging", BASE_URL, ("test",)),
            live=False,
            unattended=False,
            limit=Money(1000, "EUR"),
            product=None,
            email=EMAIL,
            has_password=True,
            processor_key=None,
        )

    def first(self, _: str = SESSION) -> SessionStarted:
        members: dict[str, Any] = {
            "schema": SCHEMA, "walkthrough": WALKTHROUGH, "session": SESSION, "tools": {"veza": "0"},
            "environment": "staging", "base_url": BASE_URL, "account": "o***@veza.test", "account_digest": "0" * 64,
            "live_requested": False, "unattended": False, "release": None, "product": None, "refund": None,
            "idempotency": False, "max_amount_cents": 1000, "max_amount_currency": "EUR",
            "poll_timeout_ms": 60_000, "operator": None, "links": {}, "grace_ms": 60_000,
        }  # fmt: skip
        return SessionStarted(**members | self.started)

    def network(self) -> httpx.BaseTransport:
        backend: httpx.MockTransport = transport(self.backend)

        def handle(request: httpx.Request) -> httpx.Response:
            if request.url.host == "processor.test":
                assert self.processor is not None
                return self.processor(request)
            return backend.handle_request(request)

        return httpx.MockTransport(handle)

    def parts(self) -> Parts:
        return Parts(
            ports=Ports(self.network(), self.person, self.page, self.ledger, self.clock, self.ids),
            redactor=Redactor({"email": EMAIL, "password": PASSWORD, "api_key": "snd_0123456789abcdef"}),
            base_url=BASE_URL,
            email=EMAIL,
            password=PASSWORD,
            hyperswitch_url="https://processor.test" if self.processor else None,
            hyperswitch_api_key="snd_0123456789abcdef" if self.processor else None,
        )

    def begin(self) -> Stage:
        """Make the pre-flight."""
        self.stage = begin(self.parts(), self.first, self.gate)
        assert self.stage.journal.lines[-1].event.passed, [line.event for line in self.stage.journal.lines]  # type: ignore[attr-defined]
        return self.stage

    def go_on(self, *, defect: bool = False) -> Summary:
        """Walk to where it ends now; a defect of the program is no failure that a test may be content with."""
        go_on(self.stage)
        met = [
            e.observed
            for e in self.stage.journal.events()
            if isinstance(e, StepFailed) and e.finding == FindingCode.DEFECT
        ]
        assert bool(met) == defect, met
        return self.stage.summary()

    def resume(self, *, upto: int | None = None) -> Stage:
        """Forget all but the journal (its first lines, where `upto` is given) and go on from there."""
        lines = list(self.stage.journal.lines)[:upto]
        self.stage = open_stage(self.parts(), self.sink, idempotency=self.first().idempotency, lines=lines)
        self.stage.journal.append(SessionResumed(tools={}, walkthrough=WALKTHROUGH))
        return self.stage

    @property
    def lines(self) -> Sequence[Line]:
        return self.stage.journal.lines

    def events(self, *kinds: type[Event]) -> list[Any]:
        return [line.event for line in self.lines if isinstance(line.event, kinds)]

    def writes(self, operation: str) -> int:
        """How often the write was about to be sent."""
        return sum(event.operation == operation for event in self.events(CallIntended))

    def order_is_a_uuid(self) -> None:
        """Give the backend's orders an id that may enter the SQL."""
        create = self.backend.shop.create

        def named(buyer: str, items: list[dict[str, Any]]) -> dict[str, Any]:
            placed = create(buyer, items)
            order = self.backend.shop.orders.pop(placed["order"]["id"])
            order["id"] = ORDER
            self.backend.shop.orders[ORDER] = order
            return {**placed, "order": dict(order)}

        self.backend.shop.create = named  # type: ignore[method-assign]  # the fake's ids are no uuids

    def goes_through(self) -> None:
        """Let everything go well: the page is paid on, the transfers are booked, the refund comes back at once."""
        self.order_is_a_uuid()
        shop = self.backend.shop
        refund = shop.refund

        def pay(_: str) -> bool:
            if shop.order(ORDER)["status"] == "pending_payment":
                shop.pay(ORDER)
            return True

        def refunded(order_id: str, amount_cents: int | None) -> dict[str, Any]:
            accepted = refund(order_id, amount_cents)
            shop.settle_refund(order_id)
            return accepted

        shop.refund = refunded  # type: ignore[method-assign]  # the fake waits to be told
        self.page.act = pay
        self.person.always = {"product": "1", "paid": "", "refund": "y"}
        self.ledger.held = lambda: [self.transfer()]

    def transfer(self, **changes: JSON) -> dict[str, JSON]:
        """Return the row of the order's transfer as a right backend keeps it, with these changes."""
        back = self.backend.shop.order(ORDER)["status"] == "refunded"
        (product, *_) = self.backend.shop.products.values()
        row: dict[str, JSON] = {
            "order_id": ORDER, "total_amount_cents": 500, "tax_amount_cents": 0, "currency": "EUR", "transfer_id": "t",
            "seller_id": product["seller_id"], "stripe_transfer_id": "tr_1", "amount_cents": 450,
            "platform_fee_cents": 50, "transfer_currency": "EUR", "status": "reversed" if back else "completed",
            "reversed_amount_cents": 450 if back else 0, "stripe_reversal_id": "trr_1" if back else None,
            "error_message": None, "unexplained_cents": 0, "row_count": 1,
        }  # fmt: skip
        return row | changes

    def processes(self, *, from_the_start: bool = False, **changes: Any) -> None:
        """Let the processor's API be asked; it tells what the backend's books tell, and the changes.

        What they say of the money begins with the opened page.
        """
        named = {name: one for name, one in changes.items() if from_the_start or name in _IDENTITY}

        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith(NO_PAYMENT):
                return httpx.Response(404, json={"error": {"code": "HE_02"}})
            order = self.backend.shop.order(self.only_order())
            total, status = order["total_amount_cents"], order["status"]
            paid = status in {"completed", "refund_pending", "refunded"}
            payment = {
                "payment_id": order["payment_id"],
                "status": "succeeded" if paid else "requires_payment_method",
                "amount": total,
                "amount_received": total if paid else 0,
                "currency": order["currency"],
                "customer_id": "cus",
                "payment_link": {"link": f"https://pay.veza.test/payment_link/veza/{order['payment_id']}"},
                "refunds": [],
            }
            if status == "refunded":
                back = {"refund_id": order["refund_id"], "payment_id": order["payment_id"], "status": "succeeded"}
                payment["refunds"] = [{**back, "amount": total, "currency": order["currency"]}]
            payment |= changes if self.page.opened else named
            if request.url.path.endswith("/payments/list"):
                untold = dict.fromkeys(("amount_received", "refunds", "disputes", "payment_link"))
                return httpx.Response(200, json={"size": 1, "data": [payment | untold]})
            return httpx.Response(200, json=payment)

        self.processor = answer

    def payments_tell(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Let the processor tell each payment with a change, once the page was opened."""
        tell = self.processor
        assert tell is not None

        def answer(request: httpx.Request) -> httpx.Response:
            told = tell(request)
            data = told.json()
            if "payment_id" in data and self.page.opened:
                change(data)
            return httpx.Response(told.status_code, json=data)

        self.processor = answer

    def only_order(self) -> str:
        (order_id,) = self.backend.shop.orders
        return order_id


@pytest.fixture
def walk() -> Walk:
    return Walk()


@pytest.fixture
def walking() -> type[Walk]:
    return Walk
