"""A witness that does not answer when a session is looked at again is said by name, and hides no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from veza.testing import Reply
from veza_e2e.engine.abandon import MoneyMayBeOutError, give_up
from veza_e2e.engine.reread import look_at
from veza_e2e.journal.events import CallFinished

if TYPE_CHECKING:
    from runner.conftest import Walk

LOST = Reply(breaks="read")


def in_doubt(walk: Walk) -> None:
    """The request for the order is lost, and whether the backend made one is not told."""
    walk.goes_through()
    walk.begin()
    walk.backend.script("createOrder", *[LOST] * 9, optional=True)
    walk.backend.script("listOrders", *[LOST] * 9, optional=True)
    assert walk.go_on().outcome == "incomplete"
    walk.backend._scripts.clear()


def test_orders_that_cannot_be_listed_are_said_and_leave_the_order_in_doubt(walk: Walk) -> None:
    in_doubt(walk)
    walk.clock.sleep(600)
    walk.backend.script("listOrders", *[LOST] * 9, optional=True)
    with pytest.raises(MoneyMayBeOutError, match="the card may be charged"):
        give_up(walk.stage, None, print)
    assert [text for text in walk.person.told if text.startswith("The account's orders could not be read: ")]


def test_orders_are_listed_by_the_hundred_and_deny_the_order_that_is_in_doubt(walk: Walk) -> None:
    in_doubt(walk)
    walk.clock.sleep(600)
    assert give_up(walk.stage, None, print) is None
    listed = [event.url for event in walk.events(CallFinished) if event.operation == "listOrders"]
    assert listed != []
    assert all("limit=100" in url for url in listed)


@pytest.mark.parametrize(("operation", "said"), [("listMyLicenses", "the licenses of order"), ("getOrder", "order")])
def test_of_an_ended_session_who_did_not_answer_is_said(walk: Walk, operation: str, said: str) -> None:
    walk.goes_through()
    walk.processes()
    walk.begin()
    summary = walk.go_on()
    walk.backend.script(operation, *[LOST] * 9, optional=True)
    looked = look_at(walk.stage.api, walk.stage.processor, summary)
    (unheard,) = looked.unheard
    assert unheard.startswith(f"{said} {walk.only_order()}")
    assert looked.orders[0].payments is not None
    assert (looked.orders[0].order is None) == (operation == "getOrder")
    assert bool(looked.licenses) == (operation == "getOrder")
