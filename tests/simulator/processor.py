"""The simulated processor, read only: payments, each with its refunds and disputes. Written from Hyperswitch's spec."""

from __future__ import annotations

from typing import Any

from simulator.books import Payment, ProcessorRefund, Told
from simulator.clock import stamp
from simulator.wire import Answer, Question
from simulator.world import BUYER, World

TEST_KEY, LIVE_KEY = "snd_4fQzW81kPbN", "prd_9hRt2LmXcVu"


class HyperswitchApi:
    """Answers as the processor does.

    Args:
        world: the books.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.state = world.plan.key
        self.refusals = 0

    def answer(self, question: Question) -> Answer:
        refunded = any(one.refunds for one in self.world.payments.values())
        if self.state == "rejected" or (self.state == "revoked" and refunded):
            self.refusals += 1
            return _error(401, "IR_01", "API key not provided or invalid API key used")
        if self.state == "down":
            self.refusals += 1
            return _error(503, "HE_00", "Something went wrong")
        name = question.path.removeprefix("/payments/")
        if name == "list":
            return self._list(question)
        if question.path.startswith("/refunds/"):
            return self._refund(question.path.removeprefix("/refunds/"))
        payment = self.world.payments.get(name)
        if payment is None:
            return _error(404, "HE_02", "Payment does not exist in our records")
        return Answer(200, self._data(payment), delivered=lambda: self._tell(payment))

    def _list(self, question: Question) -> Answer:
        if self.world.plan.payments_list == "refused" and not self.world.healed:
            return _error(403, "IR_02", "this key may not list payments")
        customer = question.query.get("customer_id")
        found = [one for one in self.world.payments.values() if customer in {None, self._customer()}]
        found.reverse()

        def tell() -> None:
            for one in found:
                self._tell(one)

        data = [self._data(one) for one in found]
        return Answer(200, {"size": len(data), "total_count": len(data), "data": data}, delivered=tell)

    def _refund(self, name: str) -> Answer:
        every = ((payment, refund) for payment in self.world.payments.values() for refund in payment.refunds)
        found = next((pair for pair in every if pair[1].id == name), None)
        if found is not None:
            return Answer(200, self._refund_data(found[1]), delivered=lambda: self._tell(found[0]))
        return _error(404, "HE_02", "Refund does not exist in our records.")

    def _customer(self) -> str:
        return f"cus_{BUYER}"

    def _named_buyer(self) -> str | None:
        return None if self.world.plan.payments_list == "no_buyer" and not self.world.healed else self._customer()

    def _tell(self, payment: Payment) -> None:
        at = self.world.clock.at
        status = payment.word or payment.status
        told = Told(payment.received, payment.returned, payment.currency, status, at)
        self.world.tell(("processor", payment.id), told)

    def _data(self, payment: Payment) -> dict[str, Any]:
        link = f"https://checkout.example/payment_link/veza/{payment.id}"
        dispute = {
            "dispute_stage": "dispute", "dispute_status": "dispute_opened", "connector_status": "needs_response",
            "connector_dispute_id": "du_1", "created_at": stamp(self.world.clock.at), "amount": str(payment.amount),
        }  # fmt: skip
        return {
            "payment_id": payment.id, "merchant_id": "veza", "status": payment.word or payment.status,
            "amount": payment.amount, "net_amount": payment.net_amount or payment.amount,
            "amount_capturable": 0 if payment.received else payment.amount,
            "amount_received": payment.received or None, "currency": self._case(payment.currency),
            "connector": "stripe",
            "customer_id": self._named_buyer(), "payment_method": "card" if payment.received else None,
            "attempt_count": 1, "processor_merchant_id": "veza", "error_message": payment.error,
            "metadata": {"order_id": self._named(payment)}, "merchant_order_reference_id": self._named(payment),
            "payment_link": {"link": link, "payment_link_id": f"plink_{payment.id[4:]}"},
            "refunds": [self._refund_data(one) for one in payment.refunds if not self._hidden(one)] or None,
            "disputes": [{"dispute_id": f"dp_{n}", **dispute} for n, _ in enumerate(payment.disputes)] or None,
            "created": stamp(self.world.orders[payment.order].created),
        }  # fmt: skip

    def _named(self, payment: Payment) -> str:
        """The order that a payment's metadata names; of one that its order names it may be another."""
        foreign = self.world.plan.metadata == "foreign" and not self.world.healed
        named = self.world.orders[payment.order].payment == payment.id
        return "another-order" if foreign and named else payment.order

    def _case(self, currency: str) -> str:
        return currency.lower() if self.world.plan.currency_case == "lower" else currency

    def _hidden(self, refund: ProcessorRefund) -> bool:
        """Whether a refund is not listed before it has ended."""
        hides = self.world.plan.refund == "processor_hides" and not self.world.healed
        return hides and refund.status == "pending"

    def _refund_data(self, refund: Any) -> dict[str, Any]:
        return {
            "refund_id": refund.id, "payment_id": refund.payment, "amount": refund.amount,
            "currency": self._case(refund.currency), "status": refund.status, "connector": "stripe", "reason": None,
        }  # fmt: skip


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"type": "invalid_request", "message": message, "code": code}})
