"""A list of payments counts as far as it goes: what it does not show, or tells no order of, is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from veza_e2e.engine.reread import look_at, news
from veza_e2e.engine.session import open_stage
from veza_e2e.evidence import Summary, summarise
from veza_e2e.journal import MemorySink, timestamp
from veza_e2e.journal.addenda import Dashboard
from veza_e2e.journal.readings import DashboardRead
from veza_e2e.journal.seals import seal, unseal

if TYPE_CHECKING:
    from runner.conftest import Walk

ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"
FIRST, EARLIER, LATER = "2026-04-01T10:00:00Z", "2026-04-01T09:59:59.999Z", "2026-04-01T10:01:00"
NOT_TOLD = "whether there are other payments was not seen"


def second(**told: Any) -> dict[str, Any]:
    return {
        "payment_id": "second", "status": "succeeded", "amount": 500, "amount_received": 500, "currency": "EUR",
        "customer_id": "cus", "created": LATER, **told,
    }  # fmt: skip


class Shown:
    """The processor's list: the payment that the order names, further ones, and what it says of their number.

    Args:
        walk: the walkthrough.
        more: the further payments, as the list and, unless `alone` says otherwise, as their own answer tells them.
        alone: what their own answers tell besides.
        hides: which payments the list leaves out.
        counts: what it says of their number.
    """

    def __init__(
        self, walk: Walk, *more: dict[str, Any], alone: dict[str, Any] | None = None, hides: tuple[str, ...] = (),
        counts: dict[str, int] | None = None, size: int = 100, **first: Any,
    ) -> None:  # fmt: skip
        walk.processes(**{"customer_id": "cus", "created": FIRST, **first})
        tell = walk.processor
        assert tell is not None
        self.pages: list[str] = []
        self.read: list[str] = []
        by_id = {one["payment_id"]: one for one in more}

        def answer(request: httpx.Request) -> httpx.Response:
            name = request.url.path.rpartition("/")[2]
            if name == "list":
                after = request.url.params.get("starting_after", "")
                self.pages += [after] if walk.page.opened else []
                rows = [*(more if walk.page.opened else ()), *tell(request).json()["data"]]
                rows = [one for one in rows if one["payment_id"] not in hides]
                ids = [one["payment_id"] for one in rows]
                rows = rows[ids.index(after) + 1 if after in ids else 0 :][:size]
                return httpx.Response(200, json={"data": rows, **(counts or {})})
            if name in by_id:
                self.read.append(name)
                return httpx.Response(200, json=by_id[name] | (alone or {}))
            return tell(request)

        walk.processor = answer


def rules(summary: Summary) -> tuple[str, str]:
    found = {one.id: one.status for one in summary.reconciliation}
    return found["R1"], found["R4"]


@pytest.fixture
def walk(walk: Walk) -> Walk:
    walk.goes_through()
    return walk


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        ({"hides": ("pay_1",)}, "lacks pay"),
        ({"counts": {"count": 1, "total_count": 2}}, "shows 1 of the buyer's 2 payments"),
        ({"counts": {"size": 2}}, "shows 1 of the buyer's 2 payments"),
    ],
)
def test_a_list_that_lacks_a_payment_is_not_the_whole(walk: Walk, shown: dict[str, Any], why: str) -> None:
    if "hides" in shown:
        shown = {"hides": tuple(f"pay{between}1" for between in "-_")}
    Shown(walk, **shown)
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, rules(summary)) == ("passed", ("not_checked", "not_checked"))
    assert why in summary.step("completed").observed
    assert summary.item("amount_matches").status == "not_checked"
    assert summary.money.sentence.endswith(NOT_TOLD), "a later list that is cut too told no more"
    assert len([text for text in walk.person.told if why in text]) == 1


def test_a_list_that_has_more_is_read_page_by_page(walk: Walk) -> None:
    others = [second(payment_id=f"old-{n}", metadata={"order_id": "another"}) for n in range(230)]
    shown = Shown(walk, *others, second(metadata={"order_id": ORDER}))
    walk.begin()
    summary = walk.go_on()
    assert shown.pages[:3] == ["", "old-99", "old-199"]
    assert (set(shown.read), rules(summary)[0]) == ({"second"}, "differs")


def test_a_list_whose_pages_never_end_is_not_the_whole(walk: Walk) -> None:
    others = [second(payment_id=f"old-{n}", metadata={"order_id": "another"}) for n in range(99)]
    shown = Shown(walk, *others)
    tell = walk.processor
    assert tell is not None

    def answer(request: httpx.Request) -> httpx.Response:
        again = httpx.Request("GET", request.url.copy_remove_param("starting_after"))
        return tell(again if request.url.path.endswith("/list") else request)

    walk.processor = answer
    walk.begin()
    summary = walk.go_on()
    assert (len(shown.pages), shown.read) == (2 * (len(shown.pages) // 2), [])
    assert rules(summary) == ("not_checked", "not_checked")
    assert "may hold more" in summary.step("completed").observed


@pytest.mark.parametrize("told", [{}, {"metadata": None}, {"metadata": {"cart": "7"}}, {"created": None}])
def test_a_payment_that_tells_no_order_may_be_ours(walk: Walk, told: dict[str, Any]) -> None:
    shown = Shown(walk, second(**told), counts={"size": 2})
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, rules(summary)) == ("passed", ("not_checked", "not_checked"))
    assert set(shown.read) == {"second"}
    assert "of which order the buyer's payment second is was not told" in summary.step("completed").observed
    assert summary.money.sentence.endswith(NOT_TOLD)


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ({"created": EARLIER}, False),
        ({"metadata": {"order_id": "another"}}, False),
        ({"customer_id": "somebody"}, False),
        ({"status": "failed", "amount_received": None}, True),
        ({"status": "cancelled", "amount_received": 0}, True),
    ],
)
def test_what_is_another_orders_or_holds_nothing_is_not_ours(walk: Walk, told: dict[str, Any], *, read: bool) -> None:
    shown = Shown(walk, second(**told))
    walk.begin()
    summary = walk.go_on()
    assert (bool(shown.read), rules(summary)) == (read, ("equal", "equal"))
    assert str(summary.money.state) == "returned"


@pytest.mark.parametrize("how", [{"metadata": {"order_id": ORDER}}, {"merchant_order_reference_id": ORDER}])
def test_what_only_the_payment_itself_tells_counts(walk: Walk, how: dict[str, Any]) -> None:
    Shown(walk, second(), alone=how)
    walk.begin()
    summary = walk.go_on()
    assert (summary.step("completed").finding, rules(summary)[0]) == ("amount_differs", "differs")
    assert summary.money.charged_cents == 1000
    assert "2 payments were captured" in summary.step("completed").observed


@pytest.mark.parametrize(
    "held", [{"status": "processing", "amount_received": None}, {"status": "failed"}, {"status": "requires_capture"}]
)
def test_one_that_holds_money_for_an_order_that_is_not_told_is_not_known(walk: Walk, held: dict[str, Any]) -> None:
    Shown(walk, second(**held))
    walk.begin()
    assert rules(walk.go_on()) == ("not_checked", "not_checked")


@pytest.mark.parametrize(
    ("first", "other", "equal"),
    [
        ({"metadata": {"order_id": ORDER}, "merchant_order_reference_id": "2026-1"}, "2026-2", True),
        ({"merchant_order_reference_id": ORDER}, "7d3f0e5e", True),
        ({}, "2026-2", False),
    ],
)
def test_a_shops_own_number_is_another_orders_only_if_ours_is_known(
    walk: Walk, first: dict[str, Any], other: str, *, equal: bool
) -> None:
    Shown(walk, second(merchant_order_reference_id=other), **first)
    walk.begin()
    assert rules(walk.go_on()) == (("equal", "equal") if equal else ("not_checked", "not_checked"))


def test_the_shops_own_number_of_our_payment_finds_the_second_one(walk: Walk) -> None:
    ours: dict[str, Any] = {"metadata": {"order_id": ORDER}, "merchant_order_reference_id": "2026-1"}
    Shown(walk, second(merchant_order_reference_id="2026-1"), **ours)
    walk.begin()
    assert rules(walk.go_on())[0] == "differs"


def test_a_payment_that_the_order_names_and_that_is_as_new_is_the_orders_whatever_the_shop_calls_it(walk: Walk) -> None:
    Shown(walk, second(merchant_order_reference_id="ord-998"), merchant_order_reference_id="ord-999")
    walk.begin()
    assert rules(walk.go_on()) == ("equal", "equal")


def test_a_second_payment_of_the_same_number_is_counted_by_step_and_account(walk: Walk) -> None:
    Shown(walk, second(merchant_order_reference_id="ord-999"), merchant_order_reference_id="ord-999")
    walk.begin()
    summary = walk.go_on()
    assert (rules(summary)[0], summary.money.charged_cents) == ("differs", 1000)


@pytest.mark.parametrize(
    ("created", "told"),
    [("2026-03-31T10:00:00Z", "and was not made since the order"), (None, "and does not tell when it was made")],
)
def test_a_payment_that_names_no_order_but_a_number_of_its_own_is_compared_by_a_person(
    walk: Walk, created: str | None, told: str
) -> None:
    Shown(walk, merchant_order_reference_id="ord-999", created=created)
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, rules(summary)) == ("passed", ("not_checked", "not_checked"))
    assert f"names no order but ord-999, {told}" in summary.step("completed").observed
    assert summary.item("amount_matches").status == "not_checked"
    assert "record each payment that the dashboard lists" in summary.item("amount_matches").reason
    read = Dashboard(
        session="s", session_hash="0" * 64, number=1, seq=len(walk.lines) + 1, at=timestamp(walk.clock.now()), by="A",
        currency="EUR", payment_id=summary.payment_id, charged_cents=500, refund_id=summary.refund_id,
        refunded_cents=500,
    )  # fmt: skip
    assert rules(summarise(walk.lines, (read,))) == ("equal", "equal")


@pytest.mark.parametrize("by", ["answer", "page"])
def test_a_payment_that_only_the_answer_or_its_page_names_is_compared(walk: Walk, by: str) -> None:
    walk.processes()
    network = walk.network

    def unnamed(request: httpx.Request) -> httpx.Response:
        """The backend's answer without the payment's name in the order."""
        response = network().handle_request(request)
        told = response.read() and response.json()
        data = told.get("data", told) if isinstance(told, dict) and "/orders" in request.url.path else {}
        order = data.get("order", data) if isinstance(data, dict) else {}
        named = order.pop("payment_id", None)
        if by == "answer" and "checkout_url" in data:
            data |= {"payment_id": named, "checkout_url": "https://pay.veza.test/page"}
        return httpx.Response(response.status_code, json=told)

    walk.network = lambda: httpx.MockTransport(unnamed)  # type: ignore[method-assign]  # the fake names it in the order
    walk.begin()
    summary = walk.go_on()
    assert (rules(summary), summary.payment_id) == (("equal", "equal"), "pay-1")
    assert summary.step("order").observed.endswith(", payment pay-1")


@pytest.mark.parametrize("cut", [True, False])
def test_a_list_that_is_still_cut_after_the_end_makes_nothing_equal(walk: Walk, *, cut: bool) -> None:
    Shown(walk, counts={"total_count": 2})
    walk.begin()
    assert rules(walk.go_on()) == ("not_checked", "not_checked")
    Shown(walk, counts={"total_count": 2 if cut else 1}, disputes=[{"dispute_status": "dispute_opened"}])
    lines = list(walk.lines)
    stage = open_stage(walk.parts(), MemorySink(), idempotency=False)
    found = news(look_at(stage.api, stage.processor, summarise(lines)), summarise(lines), lines, (), walk.clock.now())
    assert found is not None
    assert (NOT_TOLD in found.observed, unseal(seal(found))) == (cut, found)
    assert rules(summarise(lines, (found,))) == (("not_checked", "not_checked") if cut else ("equal", "equal"))


def test_what_a_person_reads_of_a_payment_that_tells_no_order_counts(walk: Walk) -> None:
    Shown(walk, second())
    walk.begin()
    walk.go_on()
    walk.resume()
    walk.stage.journal.append(DashboardRead(by="An Operator", payment_id="second", charged_cents=500, currency="EUR"))
    summary = walk.stage.summary()
    assert rules(summary)[0] == "differs"
    assert "person" in {one.by for one in summary.money.figures("charged")}
    assert str(summary.money.state) == "unknown"


@pytest.mark.parametrize(("created", "rule"), [("2026-01-01T10:00:00Z", "equal"), (None, "not_checked")])
def test_a_payment_of_the_shops_number_from_before_the_order_is_not_the_orders(
    walk: Walk, created: str | None, rule: str
) -> None:
    """A number of the buyer, say: each purchase has it."""
    shown = Shown(
        walk, second(merchant_order_reference_id="buyer-7", created=created), merchant_order_reference_id="buyer-7"
    )
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, summary.money.charged_cents, rules(summary)) == ("passed", 500, (rule, rule))
    assert bool(shown.read) is (created is None), "what is older is another purchase's"
