"""How a user's program looks to a type checker; checked by test_types.py, never run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import assert_type

import psycopg
import redis
import redis.asyncio

import veza
from veza.stores.postgres import AsyncPostgresTokenStore
from veza.stores.redis import RedisTokenStore
from veza.testing import AsyncFakeClock, FakeBackend, FakeClock, Reply, connect, connect_async


def synchronous(client: veza.Veza) -> None:
    assert_type(client.system.health().status, veza.HealthState)
    assert_type(client.system.status().services["x"].mode, veza.ProcessorMode | None)
    assert_type(client.auth.login().access_token, veza.Secret)
    assert_type(client.auth.me(), veza.User)
    for product in client.products.list():
        assert_type(product, veza.Product)
        assert_type(product.price, veza.Money)
        assert_type(product.price_cents, int)
    for page in client.products.list(limit=5).pages():
        assert_type(page, veza.Page[veza.Product])
        assert_type(page.data, tuple[veza.Product, ...])
        assert_type(page.meta.total, int)
        assert_type(page.response_info, veza.ResponseInfo)
    created = client.orders.create(["11", {"product_id": "12", "license_type": "standard"}], idempotency_key="k")
    assert_type(created.order.completed_at, datetime | None)
    assert_type(client.orders.refund("1", reason="x").refund.status, veza.RefundStatus)
    assert_type(client.orders.wait_until_completed("1", deadline=9).status.known, bool)
    licenses = client.licenses.mine()
    assert_type(licenses, veza.Listed[veza.License])
    assert_type(licenses[0], veza.License)
    assert_type(licenses.response_info.headers, Mapping[str, str])
    assert_type(client.with_options(deadline=3), veza.Veza)
    assert_type(client.orders.get("1", timeout=3, extra_headers={"X-Trace": "t"}), veza.Order)
    assert_type(client.orders.get("1").response_info, veza.ResponseInfo | None)
    assert_type(veza.Veza.from_env(app_info="shop/1", timeout=3), veza.Veza)
    assert_type(veza.errors.NotFoundError("x").status_code, int | None)
    assert_type(veza.models.Order, type[veza.Order])
    assert_type(abs(veza.Money(-5, "EUR")), veza.Money)
    assert_type(sum([veza.Money(5, "EUR")], veza.Money(0, "EUR")), veza.Money)
    with client as same:
        assert_type(same, veza.Veza)


def replicas(client: veza.Veza, database: Callable[[], AbstractContextManager[psycopg.Connection]]) -> None:
    stores: list[veza.TokenStore] = [
        veza.FileTokenStore("login"),
        RedisTokenStore("redis://127.0.0.1", name="veza:a", lease=5),
        RedisTokenStore(redis.Redis()),
        veza.stores.postgres.PostgresTokenStore(database, table="auth.logins"),
    ]
    login = veza.SharedLogin(client, stores[0])
    assert_type(login(None), str)
    provider: veza.TokenProvider = login
    assert_type(veza.Veza("http://veza.test", token_provider=provider), veza.Veza)


async def replicas_in_tasks(client: veza.AsyncVeza) -> None:
    stores: list[veza.AsyncTokenStore] = [
        veza.AsyncFileTokenStore("login"),
        veza.stores.redis.AsyncRedisTokenStore(redis.asyncio.Redis()),
        AsyncPostgresTokenStore("postgresql://127.0.0.1/shop"),
    ]
    login = veza.AsyncSharedLogin(client, stores[0])
    assert_type(await login(None), str)
    async with stores[1].lock() as lease:
        assert_type(lease, float | None)


async def asynchronous(client: veza.AsyncVeza) -> None:
    assert_type(await client.orders.get("1"), veza.Order)
    async for order in client.orders.list(status=veza.OrderStatus.COMPLETED):
        assert_type(order, veza.Order)
    page = await client.orders.list()
    assert_type(page, veza.AsyncPage[veza.Order])
    async for one in client.orders.list().pages():
        assert_type(one, veza.AsyncPage[veza.Order])
    assert_type(await client.licenses.mine(), veza.Listed[veza.License])


def own_tests(veza_backend: FakeBackend) -> None:
    with FakeBackend(login_limit=3) as backend:
        assert_type(backend, FakeBackend)
        backend.script("getOrder", Reply(status=503), optional=True)
        assert_type(connect(backend), veza.Veza)
        assert_type(connect_async(veza_backend), veza.AsyncVeza)
        assert_type(backend.shop.pay("order-1"), bool)
        assert_type(AsyncFakeClock.beside(backend.clock), AsyncFakeClock)
        assert_type(FakeClock().sleeps, list[float])
        veza.Veza("http://veza.test", clock=FakeClock.beside(backend.clock))
        veza.AsyncVeza("http://veza.test", clock=AsyncFakeClock.beside(backend.clock))


def branches(status: veza.RefundStatus) -> str:
    match status:
        case veza.RefundStatus.SUCCEEDED:
            return "back"
        case veza.RefundStatus.REQUESTED | veza.RefundStatus.PENDING | veza.RefundStatus.REVIEW:
            return "on its way"
        case veza.RefundStatus.FAILED:
            return "failed"


def failures(error: veza.VezaError) -> None:
    assert_type(error.status_code, int | None)
    assert_type(error.retry_after, float | None)
    assert_type(error.attempts, int)
