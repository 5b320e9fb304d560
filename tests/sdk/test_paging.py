"""Lists in pages: typed, lazy, and ended by what the backend sends, not by what it promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import veza
from veza.testing import Reply

if TYPE_CHECKING:
    from veza.testing import FakeBackend


@pytest.fixture
def full(backend: FakeBackend) -> FakeBackend:
    """A backend with seven products."""
    one = backend.shop.products["11"]
    for number in range(12, 18):
        backend.shop.products[str(number)] = {**one, "id": str(number)}
    return backend


def test_iterating_goes_through_all_pages(face: Any, full: FakeBackend) -> None:
    client = face.connect(full)
    products = face.collect(client, lambda v: v.products.list(limit=3))
    assert [one.id for one in products] == [str(number) for number in range(11, 18)]
    assert [one.query for one in full.sent] == [
        {"limit": "3"}, {"page": "2", "limit": "3"}, {"page": "3", "limit": "3"},
    ]  # fmt: skip


def test_iterating_begins_at_the_page_that_was_asked_for(face: Any, full: FakeBackend) -> None:
    products = face.collect(face.connect(full), lambda v: v.products.list(page=2, limit=3))
    assert [one.id for one in products] == ["14", "15", "16", "17"]


def test_pages_are_asked_for_when_they_are_reached(face: Any, full: FakeBackend) -> None:
    client = face.connect(full)
    if face.is_async:

        async def first() -> Any:
            return await anext(aiter(client.products.list(limit=3)))

        assert face.run(first()).id == "11"
    else:
        assert next(iter(client.products.list(limit=3))).id == "11"
    assert full.count("listProducts") == 1


def test_pages_say_where_they_stand(face: Any, full: FakeBackend) -> None:
    client = face.connect(full)
    pages = face.collect(client, lambda v: v.products.list(limit=3).pages())
    assert [[one.id for one in page.data] for page in pages] == [["11", "12", "13"], ["14", "15", "16"], ["17"]]
    assert [(page.meta.page, page.meta.total, page.has_next) for page in pages] == [
        (1, 7, True),
        (2, 7, True),
        (3, 7, False),
    ]
    assert [page.response_info.request_id for page in pages] == ["req-1", "req-2", "req-3"]
    assert repr(pages[0]) == "<page 1 of 3, 3 items>"


def test_the_next_page_can_be_asked_for(face: Any, full: FakeBackend) -> None:
    client = face.connect(full)
    page = face.call(client, lambda v: v.products.list(limit=6))
    following = face.call(client, lambda _: page.next_page())
    assert [one.id for one in following.data] == ["17"]
    assert face.call(client, lambda _: following.next_page()) is None


def test_an_empty_page_ends_a_list_that_promises_more(face: Any, backend: FakeBackend) -> None:
    meta = {"page": 1, "per_page": 20, "total": 10**6, "total_pages": 10**5}
    one = backend.shop.products["11"]
    backend.script("listProducts", Reply(json={"data": [one], "meta": meta}))
    backend.script("listProducts", Reply(json={"data": [], "meta": meta | {"page": 2}}))
    assert len(face.collect(face.connect(backend), lambda v: v.products.list())) == 1


def test_the_pages_are_counted_where_only_the_items_are_told(face: Any, full: FakeBackend) -> None:
    products = list(full.shop.products.values())
    for number in (1, 2):
        meta = {"page": number, "per_page": 4, "total": 7}
        data = products[4 * number - 4 : 4 * number]
        full.script("listProducts", Reply(json={"data": data, "meta": meta}))
    assert len(face.collect(face.connect(full), lambda v: v.products.list(limit=4))) == 7


def test_a_backend_that_repeats_its_page_does_not_loop(face: Any, backend: FakeBackend) -> None:
    meta = {"page": 1, "per_page": 1, "total": 3, "total_pages": 3}
    reply = Reply(json={"data": [backend.shop.products["11"]], "meta": meta})
    backend.script("listProducts", *[reply] * 9)
    with pytest.raises(veza.InvalidResponseError, match="page"):
        face.collect(face.connect(backend), lambda v: v.products.list())
    assert backend.count("listProducts") == 2


def test_orders_are_filtered_by_status_over_all_pages(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend)
    for _ in range(3):
        face.call(client, lambda v: v.orders.create(["11"]))
    backend.shop.pay("order-2")
    listed = face.collect(client, lambda v: v.orders.list(status=veza.OrderStatus.PENDING_PAYMENT, limit=1))
    assert [one.id for one in listed] == ["order-3", "order-1"]
    assert backend.sent[-1].query == {"page": "2", "limit": "1", "status": "pending_payment"}


def test_a_list_that_was_left_out_is_empty(face: Any, backend: FakeBackend) -> None:
    backend.script("listMyLicenses", Reply(json={"success": True}))
    assert face.call(face.connect(backend), lambda v: v.licenses.mine()) == ()


def test_an_item_that_a_growing_list_moves_to_the_next_page_is_given_once(face: Any, full: FakeBackend) -> None:
    one = full.shop.products["11"]
    client = face.connect(full)
    seen = []

    def new_first() -> None:
        products = full.shop.products
        full.shop.products = {"10": {**one, "id": "10"}, **products}

    if face.is_async:

        async def read() -> None:
            async for item in client.products.list(limit=3):
                seen.append(item.id)
                if item.id == "13":
                    new_first()

        face.run(read())
    else:
        for item in client.products.list(limit=3):
            seen.append(item.id)
            if item.id == "13":
                new_first()
    assert seen == [str(number) for number in range(11, 18)]
    assert full.count("listProducts") == 3
