"""The walkthrough: nine typed calls. A resume runs this function again."""

from __future__ import annotations

from veza_e2e.engine.run import Run
from veza_e2e.steps.completed import await_completed
from veza_e2e.steps.license import verify_license
from veza_e2e.steps.login import login
from veza_e2e.steps.order import place_order
from veza_e2e.steps.pay import pay
from veza_e2e.steps.products import choose_product
from veza_e2e.steps.refund import refund_order
from veza_e2e.steps.results import Revoked
from veza_e2e.steps.revoked import await_revoked
from veza_e2e.steps.transfers import check_transfers


def walkthrough(run: Run) -> Revoked:
    """Buy, check, refund, check.

    Raises:
        Failed: a step found something wrong for good.
        Paused: a step cannot finish now.
        Skipped: the operator keeps the purchase.
    """
    buyer = run(login)
    product = run(choose_product, buyer)
    order = run(place_order, buyer, product)
    payment = run(pay, order)
    run.check(await_completed, order, payment)
    run.check(verify_license, buyer, product, order)
    run.check(check_transfers, order, product)
    refund = run(refund_order, order)
    revoked = run(await_revoked, order, refund)
    run.settled()
    return revoked
