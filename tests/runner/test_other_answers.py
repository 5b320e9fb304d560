"""What the backend answers about something else than was asked: named before anybody pays, or left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from veza.testing import EMAIL, Reply
from veza_e2e.journal.events import CallIntended, StepFailed
from veza_e2e.ports.protocols import EndOfInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.conftest import Walk

ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"


def answers(walk: Walk, path: str, change: Callable[[Any], None]) -> None:
    """Let the backend answer a path with a change."""
    network = walk.network()

    def handle(request: httpx.Request) -> httpx.Response:
        answer = network.handle_request(request)
        if not request.url.path.endswith(path) or answer.status_code >= 400:
            return answer
        told = answer.json()
        change(told["data"])
        return httpx.Response(answer.status_code, json=told)

    walk.network = lambda: httpx.MockTransport(handle)  # type: ignore[method-assign]  # a backend that is wrong


@pytest.fixture
def walk(walk: Walk) -> Walk:
    walk.goes_through()
    return walk


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "buyer": ({"buyer_id": "8"}, "of account 8, and account user-1 is logged in"),
    "buyer, an integer": ({"buyer_id": 8}, "of account 8, and account user-1 is logged in"),
    "product": ({"items": [{"product_id": "777", "license_type": "exclusive", "price_cents": 500}]}, "777 (exclusive)"),
    "license": ({"items": [{"product_id": "11", "license_type": "exclusive", "price_cents": 500}]}, "11 (exclusive)"),
}


@pytest.mark.parametrize("resumed", [True, False])
@pytest.mark.parametrize("idempotency", [True, False])
@pytest.mark.parametrize("what", OTHERS)
def test_another_order_than_was_asked_for_is_named_and_never_paid(
    walk: Walk, what: str, *, idempotency: bool, resumed: bool
) -> None:
    told, said = OTHERS[what]
    walk.started["idempotency"] = idempotency
    answers(walk, "/orders", lambda data: data["order"].update(told) if isinstance(data, dict) else None)
    walk.begin()
    summary = walk.go_on()
    if resumed:
        sent = next(
            e.seq for e in walk.lines if isinstance(e.event, CallIntended) and e.event.operation == "createOrder"
        )
        walk.resume(upto=sent + 1)
        summary = walk.go_on()
    assert (summary.outcome, summary.step("order").finding) == ("failed", "order_differs")
    observed = walk.events(StepFailed)[-1].observed
    assert said in observed
    assert ORDER in observed
    assert (walk.writes("createOrder"), walk.page.opened) == (1, [])
    assert [one.order_id for one in summary.money.orders] == [ORDER]


@pytest.mark.parametrize("ids", [{"id": 7}, {"id": "7"}])
@pytest.mark.parametrize("buyer", [7, "7"])
def test_an_id_is_an_integer_or_a_text(walk: Walk, ids: dict[str, Any], buyer: object) -> None:
    answers(walk, "/login", lambda data: data["user"].update(ids))
    answers(walk, "/orders", lambda data: data["order"].update(buyer_id=buyer) if isinstance(data, dict) else None)
    walk.begin()
    assert walk.go_on().outcome == "passed"


@pytest.mark.parametrize(("buyer", "outcome"), [(EMAIL, "passed"), ("another@veza.test", "failed")])
def test_an_account_that_is_named_by_its_address_is_compared_as_far_as_it_is_on_record(
    walk: Walk, buyer: str, outcome: str
) -> None:
    answers(walk, "/login", lambda data: data["user"].update(id=EMAIL))
    answers(walk, "/orders", lambda data: data["order"].update(buyer_id=buyer) if isinstance(data, dict) else None)
    walk.begin()
    assert walk.go_on().outcome == outcome


def test_an_account_whose_address_was_masked_makes_no_order_another_ones(walk: Walk) -> None:
    answers(walk, "/login", lambda data: data["user"].update(id=EMAIL))
    answers(walk, "/orders", lambda data: data["order"].update(buyer_id=EMAIL) if isinstance(data, dict) else None)
    given, walk.person.always = walk.person.always, {}
    walk.begin()
    with pytest.raises(EndOfInput):
        walk.go_on()
    walk.person.always = given
    walk.resume()
    assert walk.go_on().outcome == "passed"


def test_an_order_that_does_not_tell_its_items_is_taken(walk: Walk) -> None:
    answers(walk, "/orders", lambda data: data["order"].pop("items") if isinstance(data, dict) else None)
    walk.begin()
    assert walk.go_on().outcome == "passed"


def test_licenses_of_other_orders_are_no_answer_and_no_hindrance(walk: Walk) -> None:
    older = {
        "id": "old",
        "order_id": "o1",
        "product_id": "11",
        "status": "active",
        "granted_at": "2026-01-01T00:00:00Z",
    }
    answers(walk, "/licenses/mine", lambda data: data.insert(0, older))
    walk.begin()
    summary = walk.go_on()
    assert summary.outcome == "passed"
    assert {summary.item(name).status for name in ("license_granted", "license_revoked")} == {"met"}


def test_a_license_of_another_order_alone_grants_nothing(walk: Walk) -> None:
    older = {
        "id": "old",
        "order_id": "o1",
        "product_id": "11",
        "status": "active",
        "granted_at": "2026-01-01T00:00:00Z",
    }
    walk.backend.script("listMyLicenses", *[Reply(data=[older])] * 40)
    walk.begin()
    assert walk.go_on().step("license").finding == "license_missing"
