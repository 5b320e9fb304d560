"""The simulated world: what follows from an order, a payment and a refund, and when. Its books are the truth."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from simulator.books import BankLine, License, Order, Payment, ProcessorRefund, Product, Told, Transfer
from simulator.clock import SimulatedClock
from simulator.plan import HOUR, MINUTE, Plan

BUYER = "41"
SELLER, OTHER_SELLER = "77", "78"
LINK = timedelta(minutes=15)
TAX_PERCENT = 20
FEE_PERCENT = 10


class World:
    """The backend's database, the processor and the bank, as they are."""

    def __init__(self, plan: Plan, clock: SimulatedClock) -> None:
        self.plan = plan
        self.clock = clock
        self.chance = Random(plan.seed ^ 0x5EED)
        self.orders: dict[str, Order] = {}
        self.payments: dict[str, Payment] = {}
        self.licenses: list[License] = []
        self.transfers: list[Transfer] = []
        self.bank: list[BankLine] = []
        self.told: dict[tuple[str, str], Told] = {}
        self.ever: set[tuple[str, str]] = set()
        self.just_told: list[tuple[str, str]] = []
        self.looking = False
        """Whether an ended session is looked at again, which keeps what it heard only at its end."""
        self.charge_told = False
        self.healed = False
        self.sins: list[tuple[str, str]] = []
        """What no walkthrough may ask for, and one asked for."""
        self.happened: list[str] = []
        self._due: list[tuple[datetime, int, Callable[[], object]]] = []
        self._count = 0
        self.products = self._shop()
        self._foreign_orders()

    def new_id(self, kind: str) -> str:
        """An id of the backend's dialect."""
        self._count += 1
        if self.plan.ids == "integer":
            return str(1000 + self._count)
        if self.plan.ids == "text" and kind != "order":
            return f"{kind}-{self._count}"
        if self.plan.ids == "nul" and kind == "order":
            return f"order\0{self._count}"
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    def processor_id(self, kind: str) -> str:
        self._count += 1
        letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        return f"{kind}_" + "".join(self.chance.choice(letters) for _ in range(20))

    def note(self, text: str) -> None:
        self.happened.append(f"{self.clock.at:%d %H:%M:%S} {text}")

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        self._count += 1
        heapq.heappush(self._due, (self.clock.at + timedelta(seconds=seconds), self._count, act))

    def catch_up(self) -> None:
        """Let everything happen that is due by now, each at its own time."""
        now = self.clock.at
        while self._due and self._due[0][0] <= now:
            self.clock.at, _, act = heapq.heappop(self._due)
            act()
        self.clock.at = now

    def _shop(self) -> list[Product]:
        currency = self.plan.currency
        return [
            Product(self.new_id("product"), "Night Drive (single)", SELLER, self.plan.price, currency),
            Product(self.new_id("product"), "Box set", SELLER, 8900, currency),
            Product(self.new_id("product"), "Sample, two tracks", OTHER_SELLER, self.plan.price + 100, currency),
        ]

    def _foreign_orders(self) -> None:
        if self.plan.foreign in {"pending", "both"}:
            self._foreign("pending_payment", minutes=2)
        if self.plan.foreign in {"completed", "both"}:
            order = self._foreign("completed", minutes=90)
            order.completed = order.created + timedelta(minutes=1)
            self.licenses.append(License(self.new_id("license"), order.id, order.product.id, order.completed))

    def _foreign(self, status: str, *, minutes: int) -> Order:
        product = self.products[0]
        order = Order(
            self.new_id("order"), BUYER, product, product.price, 0, product.currency,
            self.clock.at - timedelta(minutes=minutes), status=status, foreign=True,
        )  # fmt: skip
        self.orders[order.id] = order
        return order

    # What the API makes of a request.

    def place(self, product: Product, key: str | None) -> Order:
        """Take an order, with a payment that awaits its method."""
        for other in self.own_orders():
            if self.payable(other.id) or (self.plan.live and self._known_open(other)):
                self.sins.append(("second_order", f"another order beside {other.id[:8]}, which is or can be paid"))
        total, tax = self._priced(product)
        order = Order(
            self.new_id("order"), BUYER, product, total, tax, self.plan.order_currency or product.currency,
            self.clock.at, key=key,
        )  # fmt: skip
        self.orders[order.id] = order
        order.payment = self._new_payment(order).id
        self.note(f"the backend takes order {order.id[:8]} of {total} {order.currency}")
        self.after(LINK.total_seconds() + MINUTE, lambda: self._expire(order))
        if self.plan.checkout == "elsewhere":  # the buyer follows a link in the mail that confirms the order
            self.after(2 * MINUTE, lambda: self.pay(self.payments[order.payment or ""]))
        return order

    def _priced(self, product: Product) -> tuple[int, int]:
        if self.plan.tax in {"added", "untold"}:
            tax = product.price * TAX_PERCENT // 100
            return product.price + tax, tax
        if self.plan.tax == "inclusive":
            return product.price, product.price * TAX_PERCENT // (100 + TAX_PERCENT)
        return product.price, 0

    def _new_payment(self, order: Order) -> Payment:
        until = self.clock.at + LINK
        payment = Payment(self.processor_id("pay"), order.id, order.total, order.currency, until)
        if self.plan.surcharge:
            payment.net_amount = order.total + self.plan.surcharge
        self.payments[payment.id] = payment
        return payment

    def _expire(self, order: Order) -> None:
        for payment in self.payments_of(order.id):
            if payment.status in {"requires_payment_method", "requires_customer_action"}:
                payment.status = "expired"
        if order.status == "pending_payment" and all(
            p.status in {"expired", "failed"} for p in self.payments_of(order.id)
        ):
            order.status = "expired"
            self.note("the order expires unpaid")

    def tell(self, key: tuple[str, str], told: Told) -> None:
        """Note what a witness tells the walkthrough."""
        self.told[key] = told
        self.just_told.append(key)
        self.charge_told = self.charge_told or bool(told.charged)

    def forget(self) -> None:
        """The walkthrough was killed: whether it kept what it heard last, nobody knows."""
        for key in self.just_told:
            self.told[key].recorded = False

    def payments_of(self, order: str) -> list[Payment]:
        return [one for one in self.payments.values() if one.order == order]

    # What the buyer does at the page.

    def pay(self, payment: Payment) -> bool:
        """Pay with a good card; False if the page does not take it any more."""
        self.catch_up()
        if self.clock.at >= payment.link_until or payment.received or payment.status not in {
            "requires_payment_method", "requires_customer_action",
        }:  # fmt: skip
            return False
        if self.plan.checkout == "async" and payment.status != "processing" and not self.healed:
            payment.status = "processing"
            self.note("the buyer pays by a method that settles in two days")
            self.after(2 * 24 * HOUR, lambda: self._received(payment))
            return True
        self._received(payment)
        return True

    def decline(self, payment: Payment, *, final: bool) -> None:
        payment.error = "Your card was declined."
        if final:
            payment.status = "failed"
            self.after(5, lambda: self._failed(self.orders[payment.order]))
        self.note("the card is declined")

    def challenge(self, payment: Payment) -> None:
        payment.status = "requires_customer_action"
        self.note("the buyer leaves the 3-D Secure challenge open")

    def pay_again(self, order: Order) -> None:
        """A retry at the checkout makes a second payment, and it is captured too."""
        second = self._new_payment(order)
        second.status, second.received = "succeeded", second.net_amount or second.amount
        self.note(f"a retry pays a second time ({second.id[:8]})")

    def _failed(self, order: Order) -> None:
        if order.status == "pending_payment":
            order.status = "failed"

    def _received(self, payment: Payment) -> None:
        plan, order = self.plan, self.orders[payment.order]
        whole = payment.net_amount or payment.amount
        payment.status, payment.received = "succeeded", whole
        if not self.healed:
            if plan.capture == "partial":
                payment.status, payment.received = "partially_captured", whole - 130
            elif plan.capture == "other_currency":
                payment.currency = "USD" if payment.currency != "USD" else "EUR"
            elif plan.capture == "authorised":
                payment.status, payment.received = "requires_capture", 0
            payment.word = plan.processor_status
        self.note(f"the processor receives {payment.received} {payment.currency} ({payment.status})")
        if plan.webhook >= 0 or self.healed:
            self.after(plan.webhook, lambda: self.complete(order))

    # What the backend does after the webhook.

    def complete(self, order: Order) -> None:
        if order.status not in {"pending_payment", "expired"}:
            return
        order.status, order.completed = "completed", self.clock.at
        if not self.healed:
            order.status = self.plan.order_status or "completed"
        self.note(f"the webhook makes the order {order.status}")
        license_lag = {"late": 20, "missing": -1}.get(self.plan.license, 0)
        if license_lag >= 0 or self.healed:
            self.after(license_lag, lambda: self._grant(order))
        transfer_lag = {"late": 4, "very_late": 6 * HOUR, "missing": -1}.get(self.plan.transfer, 0)
        if transfer_lag >= 0 or self.healed:
            self.after(transfer_lag, lambda: self._book(order))
        if self.plan.dispute == "before_refund" and not self.healed:
            self.after(3 * MINUTE, lambda: self.dispute(order))

    def _grant(self, order: Order) -> None:
        for _ in range(2 if self.plan.license == "twice" else 1):
            self.licenses.append(License(self.new_id("license"), order.id, order.product.id, self.clock.at))
        if self.plan.license == "revoked":
            self.revoke(order)

    def _book(self, order: Order) -> None:
        plan, net = self.plan, order.total - order.tax
        fee = net * FEE_PERCENT // 100
        rows = [(net - fee, fee)]
        if plan.transfer == "two_rows":
            rows = [(net - fee - 100, fee), (100, 0)]
        elif plan.transfer == "duplicate":
            rows = [(net - fee, fee), (net - fee, 0)]
        elif plan.transfer == "odd_fee":
            rows = [(net + 400, -400)]
        for amount, own in rows:
            self.transfers.append(
                Transfer(
                    id=self.new_id("transfer"), order=order.id, amount=amount, fee=own, currency=order.currency,
                    seller=OTHER_SELLER if plan.transfer == "wrong_seller" else order.product.seller,
                    stripe=None if plan.transfer in {"no_stripe_id", "pending", "failed"} else self.processor_id("tr"),
                    status=plan.transfer if plan.transfer in {"pending", "failed"} else "completed",
                    created=self.clock.at,
                    error='no money | "now"\nperhaps, later' if plan.transfer in {"quoted_error", "failed"} else None,
                )
            )  # fmt: skip
            if plan.transfer == "other_currency":
                self.transfers[-1].currency = "USD"
            if plan.transfer == "lower_case":
                self.transfers[-1].currency = order.currency.lower()
        if plan.transfer == "cancelled_too":
            first = self.transfers[-1]
            self.transfers.append(replace(first, id=self.new_id("transfer"), stripe=None, status="cancelled"))
        if order.status == "refunded" and plan.reversal not in {"never", "refused"}:
            self.reverse(order)

    def dispute(self, order: Order) -> None:
        order.status = "disputed"
        for payment in self.payments_of(order.id):
            if payment.received:
                payment.disputes.append("needs_response")
        self.note("a dispute is opened")

    # What follows from a refund.

    def refund(self, order: Order) -> ProcessorRefund:
        """Take a request for a refund of the whole order."""
        plan = self.plan
        payment = self.payments[order.payment or ""]
        underway = any(one.status in {"pending", "review"} for one in payment.refunds)
        if underway or 0 < payment.received <= payment.returned:
            self.sins.append(("second_refund", "a refund is asked for beside one that may succeed, or did"))
        amount = order.total - (130 if plan.refund in {"partial", "untold"} and not self.healed else 0)
        refund = ProcessorRefund(
            self.processor_id("ref"), payment.id, min(amount, payment.received), payment.currency, "pending"
        )
        payment.refunds.append(refund)
        self.note(f"a refund of {refund.amount} is asked for")
        if plan.refund == "lost_at_backend" and not self.healed:
            self.after(plan.refund_lag, lambda: self.returned(refund))
            return refund
        order.status, order.refund_id, order.refund_status = "refund_pending", refund.id, "pending"
        self.after(plan.refund_lag, lambda: self._refund_ends(order, refund))
        return refund

    def _refund_ends(self, order: Order, refund: ProcessorRefund) -> None:
        plan = self.plan
        if refund.status != "pending":
            return
        if plan.refund == "fails" and not self.healed:
            refund.status, order.refund_status, order.status = "failed", "failed", "completed"
            self.note("the refund fails")
            return
        if plan.refund == "review" and not self.healed:
            refund.status, order.refund_status = "review", "review"
            return
        if plan.refund in {"processor_lags", "processor_hides"} and not self.healed:
            self.after(2 * HOUR, lambda: self.returned(refund))
        else:
            self.returned(refund)
        self.refunded(order, refund)
        if plan.refund == "fails_late" and not self.healed:
            self.after(2 * 24 * HOUR, lambda: self._fail_late(order, refund))
        if plan.dispute == "after_refund" and not self.healed:
            self.after(3 * 24 * HOUR, lambda: self.dispute(order))
        if plan.again == "captured" and not self.healed:
            self.after(3 * 24 * HOUR, lambda: self.pay_again(order))

    def returned(self, refund: ProcessorRefund) -> None:
        if refund.status in {"pending", "review"}:
            refund.status = "succeeded"
            day = f"{self.clock.at + timedelta(days=6):%Y-%m-%d}"
            self.bank.append(
                BankLine(self.payments[refund.payment].order, day, "credit", refund.amount, refund.currency)
            )
            self.note(f"{refund.amount} {refund.currency} come back")

    def refunded(self, order: Order, refund: ProcessorRefund) -> None:
        order.status, order.refund_status, order.refunded_at = "refunded", "succeeded", self.clock.at
        order.refunded = (order.refunded or 0) + refund.amount
        lag = {"late": 20, "missing": -1}.get(self.plan.revocation, 0)
        if lag >= 0 or self.healed:
            self.after(lag, lambda: self.revoke(order))
        lag = {"late": 4 * HOUR, "never": -1, "refused": -1}.get(self.plan.reversal, 0)
        if lag >= 0 or self.healed:
            self.after(lag, lambda: self.reverse(order))
        elif self.plan.reversal == "refused":
            for one in self.transfers_of(order.id):
                one.error = "Insufficient funds in the Stripe balance of the seller"

    def _fail_late(self, order: Order, refund: ProcessorRefund) -> None:
        refund.status, order.status, order.refund_status = "failed", "refund_failed", "failed"
        self.bank.clear()
        self.note("the refund fails after its success")

    def revoke(self, order: Order) -> None:
        for one in self.licenses:
            if one.order == order.id and one.status == "active":
                one.status, one.revoked = "revoked", self.clock.at

    def transfers_of(self, order: str) -> list[Transfer]:
        return [one for one in self.transfers if one.order == order]

    def reverse(self, order: Order) -> None:
        for one in self.transfers_of(order.id):
            if one.status == "completed":
                one.status, one.reversed, one.reversal = "reversed", one.amount, self.processor_id("trr")

    # The truth.

    def own_orders(self) -> list[Order]:
        """The orders that a walkthrough made."""
        return [one for one in self.orders.values() if not one.foreign]

    def open_amount(self, order: str) -> int:
        """What was received of an order and did not come back."""
        return sum(one.received - one.returned for one in self.payments_of(order))

    def _known_open(self, order: Order) -> int:
        """As `open_amount`; only the processor tells of what was received beyond the total."""
        payments = self.payments_of(order.id)
        if any(("processor", one.id) in self.told for one in payments):
            return self.open_amount(order.id)
        return min(self.open_amount(order.id), order.total - sum(one.returned for one in payments))

    def payable(self, order: str) -> bool:
        """Whether money may still be taken for an order."""
        return any(
            one.status == "processing"
            or (not one.received and self.clock.at < one.link_until and one.status != "failed")
            for one in self.payments_of(order)
        )
