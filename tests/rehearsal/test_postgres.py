"""The same backend on a real PostgreSQL server, on loopback."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from postgres import Server
from surroundings import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rehearsal.conftest import Child

pytestmark = [pytest.mark.process, pytest.mark.real_clock]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.remove()


@pytest.fixture
def dsn(server: Server, request: pytest.FixtureRequest) -> str:
    """An empty database."""
    return server.empty(request.node.name.split("[")[0])


def test_a_whole_payment_and_a_restart(run: Callable[..., Child], dsn: str) -> None:
    first = run("webhook_delay=60", database=dsn)
    first.login()
    placed = first.order(1, key="k")
    first.submit(placed["checkout_url"])
    assert first.order(1, key="k") == placed
    first.kill()
    second = run("webhook_delay=60", f"--port={first.port}", database=dsn)
    second.login()
    second.settle(60)
    order_id = placed["order"]["id"]
    assert second.read(order_id)["status"] == "completed"
    second.faults("webhook_duplicate")
    assert second.refunded(order_id)["status"] == "refunded"
    books = second.books(order_id)
    (transfer,) = books.pop("transfers")
    assert books == {"orders": 1, "payments": 1, "charges": 1, "refunds": 1, "licenses": {"active": 0, "revoked": 1}}
    assert (transfer["status"], transfer["amount_cents"], transfer["order_id"]) == ("reversed", 405, order_id)
    assert transfer["created_at"] == second.read(order_id)["completed_at"]


def test_strange_texts_and_ids_are_refused_as_with_sqlite(run: Callable[..., Child], dsn: str) -> None:
    shop = run(database=dsn)
    shop.login()
    assert shop.api("POST", "/auth/login", json={"email": "\x00@x", "password": "\x00"}).status_code == 401
    assert shop.api("GET", "/orders/not-a-uuid").status_code == 404
    assert shop.api("GET", "/licenses/mine", params={"order_id": "not-a-uuid"}).json()["data"] == []
    assert shop.api("GET", "/orders", params={"page": 1_000_000, "limit": 100}).json()["data"] == []
    assert shop.http.get("/rehearsal/books", params={"order_id": "\x00"}).json()["orders"] == 0
    order = shop.paid()
    answer = shop.refund(order, reason="\x00 🎵")
    assert answer.status_code == 202
    assert shop.payment(shop.read(order)["payment_id"])["refunds"][0]["reason"] == "\x00 🎵"
    assert shop.http.post("/rehearsal/reset").json()["orders"] == 0


def test_an_operators_query_joins_transfers_to_orders(run: Callable[..., Child], dsn: str) -> None:
    shop = run("vat_added=20", database=dsn)
    shop.login()
    order = shop.paid()
    with psycopg.connect(dsn) as connection:
        connection.execute("SET TRANSACTION READ ONLY")
        columns = connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_name = 'seller_transfers' ORDER BY ordinal_position"
        ).fetchall()
        unexplained = connection.execute(
            "SELECT o.total_amount_cents - o.tax_amount_cents - sum(t.amount_cents + t.platform_fee_cents)"
            " FROM orders o LEFT JOIN seller_transfers t ON t.order_id = o.id WHERE o.id = %s::uuid"
            " GROUP BY o.total_amount_cents, o.tax_amount_cents",
            (order,),
        ).fetchone()
    assert unexplained == (0,)
    assert dict(columns) == {
        "id": "uuid",
        "order_id": "uuid",
        "seller_id": "uuid",
        "stripe_transfer_id": "text",
        "stripe_account_id": "text",
        "amount_cents": "bigint",
        "platform_fee_cents": "bigint",
        "currency": "character",
        "status": "text",
        "reversed_amount_cents": "bigint",
        "stripe_reversal_id": "text",
        "reversed_at": "timestamp with time zone",
        "error_message": "text",
        "attempts": "bigint",
        "created_at": "timestamp with time zone",
        "updated_at": "timestamp with time zone",
    }


def test_what_is_due_later_is_done_as_with_sqlite(run: Callable[..., Child], dsn: str) -> None:
    shop = run("transfer_late=60", "async_method=60", "double_capture", "dispute_after_refund=60", database=dsn)
    shop.login()
    order_id = shop.paid()
    shop.settle(61)
    assert (shop.read(order_id)["status"], shop.books()["transfers"]) == ("completed", [])
    shop.settle(61)
    assert [row["status"] for row in shop.books()["transfers"]] == ["completed"]
    assert shop.refunded(order_id)["status"] == "refunded"
    shop.settle(61)
    assert shop.read(order_id)["status"] == "disputed"
    assert shop.books()["charges"] == 2
    assert shop.http.post("/rehearsal/reset").json()["payments"] == 0


def test_a_database_without_the_newer_columns_gets_them(run: Callable[..., Child], dsn: str) -> None:
    first = run(database=dsn)
    first.login()
    order = first.read(first.paid())
    first.kill()
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name in ("customer_id", "metadata", "surcharge", "settles_at", "dispute_at"):
            connection.execute(f"ALTER TABLE hs_payments DROP COLUMN {name}".encode())
        connection.execute("DROP TABLE transfers_due")
    second = run(database=dsn)
    query, key = {"customer_id": order["buyer_id"]}, {"api-key": "snd_rehearsal"}
    (line,) = second.http.get("/hyperswitch/payments/list", params=query, headers=key).json()["data"]
    assert (line["payment_id"], line["metadata"]) == (order["payment_id"], {"order_id": order["id"]})
    assert line["net_amount"] == 500


def test_faults_and_their_counts_are_kept(run: Callable[..., Child], dsn: str) -> None:
    switches = ("server_error=2", "order_completion_crash")
    first = run(*switches, database=dsn)
    assert first.api("GET", "/health").status_code == 500
    first.kill()
    second = run(*switches, database=dsn)
    assert [second.api("GET", "/health").status_code for _ in range(2)] == [500, 200]
    second.login()
    order = second.paid()
    assert second.read(order)["status"] == "pending_payment"
    second.faults()
    second.settle(60)
    assert second.read(order)["status"] == "completed"


def test_health_says_when_the_database_is_away(run: Callable[..., Child], server: Server, dsn: str) -> None:
    shop = run("webhook_delay=0.5", database=dsn)
    shop.login()
    order = shop.paid()
    due = time.monotonic() + 0.6
    server.stop()
    away = shop.api("GET", "/health")
    assert (away.status_code, away.json()) == (503, {"status": "unhealthy"})
    while time.monotonic() < due:
        assert shop.api("GET", "/health").status_code == 503
    server.start()
    assert shop.api("GET", "/health").status_code == 200
    limit = time.monotonic() + PATIENCE
    while shop.read(order)["status"] == "pending_payment":
        assert time.monotonic() < limit
    assert shop.read(order)["status"] == "completed"
