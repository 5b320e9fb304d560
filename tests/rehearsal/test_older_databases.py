"""A database that version 0.1.0 left behind is opened, and what it holds goes on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.conftest import Child

LEFT = sorted((Path(__file__).parents[1] / "left_behind" / "0.1.0").rglob("backend.sql"))
KEY = {"api-key": "snd_rehearsal"}


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A database of 0.1.0 with one paid order."""
    script = next(path for path in LEFT if "ended-passed" in path.parts)
    database = tmp_path / "left.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(script.read_text(encoding="utf-8"))
    return database


def test_its_payments_are_listed_under_their_buyer_and_order(run: Callable[..., Child], left: Path) -> None:
    shop = run(database=f"sqlite:///{left}")
    shop.login()
    (order,) = shop.api("GET", "/orders").json()["data"]
    query = {"customer_id": order["buyer_id"]}
    (line,) = shop.http.get("/hyperswitch/payments/list", params=query, headers=KEY).json()["data"]
    assert (line["payment_id"], line["metadata"]) == (order["payment_id"], {"order_id": order["id"]})
    payment = shop.payment(order["payment_id"])
    assert (payment["status"], payment["net_amount"], payment["amount_received"]) == ("succeeded", 500, 500)


def test_new_switches_work_on_it(run: Callable[..., Child], left: Path) -> None:
    shop = run(database=f"sqlite:///{left}")
    shop.login()
    shop.faults("transfer_late=5", "double_capture", "async_method=5", "net_amount=3")
    order_id = shop.paid(2)
    shop.settle(6)
    assert (shop.read(order_id)["status"], shop.books(order_id)["charges"]) == ("completed", 2)
    shop.settle(6)
    assert len(shop.books(order_id)["transfers"]) == 1


def test_a_second_start_changes_nothing_more(run: Callable[..., Child], left: Path) -> None:
    first = run(database=f"sqlite:///{left}")
    books = first.books()
    first.kill()
    assert run(database=f"sqlite:///{left}").books() == books
