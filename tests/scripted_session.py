"""A scripted session: events through the real journal, in memory, by a clock that the script moves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from veza_e2e.archive.sessions import Archive
from veza_e2e.canonical import JSON
from veza_e2e.journal import Journal, Line, MemorySink
from veza_e2e.journal.events import (
    SCHEMA,
    STEPS,
    Answered,
    Asked,
    BrowserOpened,
    CallFinished,
    CallIntended,
    Event,
    Outcome,
    PreflightChecked,
    PreflightFinished,
    SessionEnded,
    SessionStarted,
    StepFailed,
    StepFinished,
    StepName,
    StepPaused,
    StepSkipped,
    StepStarted,
    Target,
    WaitingFor,
)
from veza_e2e.journal.readings import Compared, RowsRead
from veza_e2e.redaction import Redactor
from veza_e2e.report import render, template_version

SESSION = "01M3EXAMP1E0000000000000AA"
ORDER = "5f0c2a52-92c2-4a1e-9a0f-0d9c2f5f1111"
PAYMENT = "pay_1111"
REFUND = "ref_1111"
LICENSE = "1ce00000-0000-4000-8000-000000001111"
PRODUCT = "b0000000-0000-4000-8000-000000001111"
BASE = "http://127.0.0.1:9"


class Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        self.at += timedelta(milliseconds=40)
        return self.at


class Script:
    """Tells a session step by step; `until` and the deviations are the caller's."""

    def __init__(self, at: datetime = datetime(2026, 5, 4, 9, 0, tzinfo=UTC), *, session: str = SESSION) -> None:
        self.session = session
        self.clock = Clock(at)
        self.sink = MemorySink()
        self.journal = Journal(self.sink, self.clock, redactor=Redactor())
        self.title = "Night Drive (single)"
        self.total = 500
        self.tax = 0
        self.calls = 0

    @property
    def lines(self) -> Sequence[Line]:
        return self.journal.lines

    def say(self, *events: Event) -> Script:
        for event in events:
            self.journal.append(event)
        return self

    def start(
        self,
        *,
        live: bool = False,
        rehearsal: bool = True,
        sandbox: bool = False,
        release: str | None = None,
        dry_run: Mapping[str, str] | None = None,
        blocked: bool = False,
        others: Mapping[str, str] | None = None,
    ) -> Script:
        real = live and not rehearsal and not sandbox
        self.say(
            SessionStarted(
                schema=SCHEMA, walkthrough="1", session=self.session, tools={"veza-e2e": "0.1.0"},
                environment="prod" if real else "rehearsal", base_url=BASE, account="o***@veza.test",
                account_digest="a" * 64, live_requested=live, unattended=not live, release=release, product=None,
                refund=None, idempotency=True, max_amount_cents=1000, max_amount_currency="EUR",
                poll_timeout_ms=1_800_000, operator="An Operator",
                links={"canary_release": "https://docs.example/canary"}, dry_run=dry_run, others=others,
            ),
            PreflightChecked(name="health", status="ok", message="answers 200"),
            PreflightChecked(
                name="limit", status="blocked" if blocked else "ok", message="5.00 EUR is within 10.00 EUR",
                hint="raise it" if blocked else None,
            ),
            PreflightFinished(
                passed=not blocked, reported_environment="prod" if live and not sandbox else "sandbox",
                live=live and not sandbox,
                rehearsal=rehearsal, funds="real" if real else "test", expected_cents=500, expected_currency="EUR",
            ),
        )  # fmt: skip
        return self

    def call(
        self, step: StepName | None, operation: str, data: JSON, *, method: str = "GET", path: str = "/x",
        processor: bool = False, body: Mapping[str, JSON] | None = None, status: int = 200, whole: bool = False,
    ) -> int:  # fmt: skip
        self.calls += 1
        target: Target = "processor" if processor else "api"
        url = f"{BASE}/api/v1{path}"
        if method == "POST":
            self.say(
                CallIntended(
                    call=self.calls, step=step, operation=operation, target="api", method=method, url=url,
                    idempotency_key=f"key-{self.calls}", body_digest="b" * 64,
                )
            )  # fmt: skip
        answer: JSON = data if processor or whole else {"success": True, "data": data}
        self.say(
            CallFinished(
                call=self.calls, step=step, operation=operation, target=target, method=method, url=url,
                request_headers={"accept": "application/json", "authorization": "[redacted]"}, request_body=body,
                status=status, response_headers={"content-type": "application/json"}, response_body={"json": answer},
                request_id=f"req-{self.calls}", started_at="2026-05-04T09:00:00.000Z", elapsed_ms=12,
            )
        )  # fmt: skip
        return self.calls

    def order(self, status: str, **more: JSON) -> dict[str, JSON]:
        return {
            "id": ORDER, "buyer_id": "1", "status": status, "total_amount_cents": self.total,
            "tax_amount_cents": self.tax, "currency": "EUR", "payment_id": PAYMENT,
            "items": [{"product_id": PRODUCT, "price_cents": self.total - self.tax}], **more,
        }  # fmt: skip

    def done(self, step: StepName, observed: str, **result: JSON) -> Script:
        return self.say(StepFinished(step=step, result=result, observed=observed))

    def fail(self, step: StepName, finding: str, observed: str = "something was wrong") -> Script:
        return self.say(
            StepFailed(step=step, finding=finding, observed=observed, meaning="what it means", todo="what to do")
        )

    def login(self) -> Script:
        self.say(StepStarted(step="login"))
        self.call("login", "login", {"user": {"id": "1"}}, method="POST", path="/auth/login", body={"json": {}})
        return self.done("login", "logged in as o***@veza.test", user_id="1", email="o***@veza.test")

    def products(self) -> Script:
        self.say(StepStarted(step="products"))
        self.call("products", "listProducts", [{"id": PRODUCT, "title": self.title}], path="/marketplace/products")
        self.say(
            Asked(step="products", question="product", text="Which product?"),
            Answered(step="products", question="product", answer="1", waited_ms=900, by="operator"),
        )
        return self.done(
            "products", f"{self.title} at 5.00 EUR", product_id=PRODUCT, title=self.title,
            price_cents=self.total - self.tax, currency="EUR", license_type="personal", seller_id="7",
        )  # fmt: skip

    def place(self) -> Script:
        self.say(StepStarted(step="order"))
        call = self.call(
            "order", "createOrder", {"order": self.order("pending_payment"), "checkout_url": f"{BASE}/pay"},
            method="POST", path="/orders", body={"json": {"items": [{"product_id": PRODUCT}]}}, status=201,
        )  # fmt: skip
        self.say(Compared(step="order", id="R3", equal=True, left="5.00 EUR", right="5.00 EUR", calls=(call,)))
        return self.done(
            "order", f"order {ORDER}, 5.00 EUR", order_id=ORDER, payment_id=PAYMENT, total_cents=self.total,
            tax_cents=self.tax, currency="EUR", checkout_url=f"{BASE}/pay",
        )  # fmt: skip

    def pay(self) -> Script:
        self.say(
            StepStarted(step="pay"),
            BrowserOpened(step="pay", url=f"{BASE}/pay", by="operator", opened=True),
            Asked(step="pay", question="paid", text="Paid?"),
            Answered(step="pay", question="paid", answer="paid", waited_ms=30_000, by="operator"),
        )
        return self.done("pay", "the operator paid", how="operator", payment_status=None, confirmed_at=None)

    def payment(self) -> dict[str, JSON]:
        return {
            "payment_id": PAYMENT, "status": "succeeded", "amount": self.total, "amount_received": self.total,
            "currency": "EUR",
        }  # fmt: skip

    def completed(self, *, processor: bool = True) -> Script:
        self.say(StepStarted(step="completed"))
        calls = [self.call("completed", "getOrder", self.order("completed"), path=f"/orders/{ORDER}")]
        if processor:
            calls.append(self.call("completed", "getPayment", self.payment(), processor=True))
            same = Compared(step="completed", id="R1", equal=True, left="5.00 EUR", right="5.00 EUR", calls=(*calls,))
            self.say(same)
        return self.done(
            "completed", "completed, 5.00 EUR", order_id=ORDER, payment_id=PAYMENT, status="completed",
            total_cents=self.total, tax_cents=self.tax, currency="EUR", completed_at=None,
        )  # fmt: skip

    def license(self) -> Script:
        self.say(StepStarted(step="license"))
        self.call("license", "listMyLicenses", [self.license_row("active")], path="/licenses/mine")
        return self.done(
            "license", f"license {LICENSE} is active", license_id=LICENSE, status="active", product_id=PRODUCT,
            order_id=ORDER, granted_at="2026-05-04T09:00:30Z",
        )  # fmt: skip

    def license_row(self, status: str) -> dict[str, JSON]:
        return {"id": LICENSE, "order_id": ORDER, "product_id": PRODUCT, "status": status}

    def transfers(self) -> Script:
        row: dict[str, JSON] = {"order_id": ORDER, "amount_cents": 450, "platform_fee_cents": 50, "status": "completed"}
        self.say(
            StepStarted(step="transfers"),
            RowsRead(step="transfers", source="pasted", sql="select 1", rows=(row,)),
            Compared(step="transfers", id="R2", equal=True, left="5.00 EUR", right="5.00 EUR", calls=()),
            Answered(step="transfers", question="transfers_right", answer="y", waited_ms=2000, by="operator"),
        )
        return self.done(
            "transfers",
            "4.50 EUR to the seller",
            rows=[row],
            unexplained_cents=0,
            confirmed=True,
            currency="EUR",
            seller_checked=True,
            complete=True,
        )

    def refund(self) -> Script:
        self.say(
            StepStarted(step="refund"),
            Answered(step="refund", question="refund", answer="refund", waited_ms=800, by="operator"),
        )
        data: JSON = {
            "refund": {"id": REFUND, "status": "pending", "amount_cents": self.total},
            "order": self.order("refund_pending"),
        }
        self.call("refund", "requestRefund", data, method="POST", path=f"/orders/{ORDER}/refund", status=202)
        return self.done(
            "refund", "refund requested", refund_id=REFUND, status="pending", amount_cents=self.total, currency="EUR"
        )

    def revoked(self) -> Script:
        self.say(StepStarted(step="revoked"))
        self.call("revoked", "getOrder", self.refunded_order(), path=f"/orders/{ORDER}")
        self.call("revoked", "listMyLicenses", [self.license_row("revoked")], path="/licenses/mine")
        self.refunded_at_processor()
        return self.done(
            "revoked", "refunded 5.00 EUR, license revoked", order_status="refunded", refund_status="succeeded",
            refunded_cents=self.total, license_id=LICENSE, license_status="revoked",
            revoked_at="2026-05-04T09:01:30Z", refunded_at="2026-05-04T09:01:20Z",
        )  # fmt: skip

    def refunded_at_processor(self) -> Script:
        back: JSON = {
            "refund_id": REFUND, "payment_id": PAYMENT, "status": "succeeded", "amount": self.total, "currency": "EUR"
        }  # fmt: skip
        paid: JSON = {**self.payment(), "refunds": [back]}
        seen = self.call("revoked", "payment", paid, processor=True)
        whole = f"{self.total / 100:.2f} EUR"
        self.say(
            Compared(step="revoked", id="R6", equal=True, left=PAYMENT, right=PAYMENT, calls=(seen,)),
            Compared(step="revoked", id="R4", equal=True, left=whole, right=whole, calls=(seen,)),
            Compared(step="revoked", id="R5", equal=True, left="4.50 EUR", right="4.50 EUR", calls=()),
        )
        return self

    def refunded_order(self) -> dict[str, JSON]:
        return self.order("refunded", refund_status="succeeded", refunded_amount_cents=self.total, refund_id=REFUND)

    def keep(self) -> Script:
        return self.say(
            StepSkipped(step="refund", reason="kept by choice"), StepSkipped(step="revoked", reason="kept by choice")
        )

    def pause(self, step: StepName, finding: str, waiting: WaitingFor) -> Script:
        return self.say(
            StepPaused(
                step=step, finding=finding, observed="not yet", meaning="the money is out", todo="resume later",
                waiting_for=waiting,
            )
        )  # fmt: skip

    def until(self, step: StepName) -> Script:
        """Tell the happy story up to and including `step`."""
        told: dict[StepName, Callable[[], Script]] = {
            "login": self.login, "products": self.products, "order": self.place, "pay": self.pay,
            "completed": self.completed, "license": self.license, "transfers": self.transfers,
            "refund": self.refund, "revoked": self.revoked,
        }  # fmt: skip
        for name in STEPS[: STEPS.index(step) + 1]:
            told[name]()
        return self

    def end(self, outcome: Outcome = "passed") -> Script:
        views = {name: hashlib.sha256(view).hexdigest() for name, view in render(self.lines).items()}
        return self.say(SessionEnded(outcome=outcome, views=views, template=template_version()))

    def end_with(self, views: Mapping[str, str]) -> Script:
        """End as a session whose views other templates made."""
        return self.say(SessionEnded(outcome="incomplete", views=views, template="other"))

    def store(self, root: Path) -> Path:
        """Put the session into an archive; return its folder."""
        folder = Archive(root).folder(self.session, datetime.fromisoformat(self.lines[0].at))
        folder.mkdir(parents=True)
        (folder / "journal.jsonl").write_bytes(bytes(self.sink.data))
        for name, view in render(self.lines).items():
            (folder / name).write_bytes(view)
        return folder
