"""The walkthrough: nine typed calls. A resume is this function run again."""

from __future__ import annotations

from veza_e2e.results import Revoked
from veza_e2e.run import Run
from veza_e2e.session import Session
from veza_e2e.steps.buy import choose_product, login, place_order
from veza_e2e.steps.checkout import pay
from veza_e2e.steps.completion import await_completed
from veza_e2e.steps.proof import check_transfers, verify_license
from veza_e2e.steps.refund import await_revoked, refund_order


def walkthrough(run: Run[Session]) -> Revoked:
    """Buy, prove, refund, prove.

    Raises:
        Failed: a step saw something wrong.
        Paused: a step cannot be finished now.
        Skipped: the purchase was kept.
    """
    buyer = run(login)
    product = run(choose_product, buyer)
    order = run(place_order, buyer, product)
    payment = run(pay, order)
    run.check(await_completed, order, payment)
    run.check(verify_license, buyer, product, order)
    run.check(check_transfers, order)
    refund = run(refund_order, order)
    return run(await_revoked, order, refund)
