"""Every operation, on every face: what goes over the wire and what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import veza
from veza.testing import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from veza.testing import FakeBackend

    Ask = Callable[..., Any]


def test_health_is_read_enveloped_or_bare(ask: Ask, backend: FakeBackend) -> None:
    backend.script("getHealth", Reply(json={"status": "healthy"}), Reply(data={"status": "unhealthy"}))
    assert ask(lambda v: v.system.health()).status is veza.HealthState.HEALTHY
    assert ask(lambda v: v.system.health()).status is veza.HealthState.UNHEALTHY


def test_status_tells_environment_and_services(ask: Ask) -> None:
    status = ask(lambda v: v.system.status())
    assert (status.environment, status.is_live) == ("test", False)
    assert status.services["hyperswitch"].mode is veza.ProcessorMode.SANDBOX


def test_an_environment_with_real_money_is_live(face: Any, backend: FakeBackend, subtests: pytest.Subtests) -> None:
    client = face.connect(backend)
    for name in ("live", "prod", "production", "PROD"):
        backend.script("getStatus", Reply(data={"environment": name, "services": {}}))
        with subtests.test(name=name):
            assert face.call(client, lambda v: v.system.status()).is_live


def test_public_operations_need_no_login(ask: Ask, backend: FakeBackend) -> None:
    for use in (
        lambda v: v.system.health(),
        lambda v: v.system.status(),
        lambda v: v.products.list(),
        lambda v: v.products.get("11"),
    ):
        ask(use)
    assert backend.count("login") == 0
    assert not any("authorization" in one.headers for one in backend.sent)


def test_login_gives_user_and_hides_tokens(ask: Ask) -> None:
    login = ask(lambda v: v.auth.login())
    assert login.user.email == "operator@veza.test"
    assert (login.access_token.get_secret_value(), login.expires_in) == ("access-1", 900)
    assert "access-1" not in f"{login!r} {login} {vars(login)} {login.model_dump_json()}"


def test_login_with_wrong_credentials(ask: Ask) -> None:
    with pytest.raises(veza.AuthenticationError) as caught:
        ask(lambda v: v.auth.login("someone@veza.test", "else"))
    assert (caught.value.message, caught.value.attempts) == ("Invalid credentials", 1)


def test_a_login_as_another_account_is_kept(ask: Ask, backend: FakeBackend) -> None:
    def use(v: Any) -> Any:
        return v.auth.login(backend.email, backend.password)

    assert ask(use, email="other@veza.test", password="other").user.id == "user-1"


def test_refresh_and_logout(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend)
    face.call(client, lambda v: v.auth.login())
    assert face.call(client, lambda v: v.auth.refresh()).access_token.get_secret_value() == "access-2"
    assert face.call(client, lambda v: v.auth.me()).username == "operator"
    assert face.call(client, lambda v: v.auth.logout(all_devices=True)) is None
    assert [one.operation for one in backend.sent] == ["login", "refreshToken", "getMe", "logout"]
    assert backend.sent[2].headers["authorization"] == "Bearer access-2"
    assert backend.sent[3].body == {"refresh_token": "refresh-1", "all_devices": True}


def test_refresh_and_logout_without_a_refresh_token_are_refused_here(ask: Ask, backend: FakeBackend) -> None:
    for use in (lambda v: v.auth.refresh(), lambda v: v.auth.logout()):
        with pytest.raises(veza.InvalidRequestError):
            ask(use, access_token="x")
    assert backend.sent == []


def test_products_are_read(ask: Ask) -> None:
    product = ask(lambda v: v.products.get("11"))
    assert (product.id, product.title, product.price) == ("11", "Test beat", veza.Money(500, "EUR"))
    assert (product.status, product.license_types) == (veza.ProductStatus.ACTIVE, ("standard",))


def test_an_order_from_creation_to_refund(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend)
    created = face.call(client, lambda v: v.orders.create(["11"]))
    assert created.order.status is veza.OrderStatus.PENDING_PAYMENT
    assert created.checkout_url == "https://pay.veza.test/payment_link/veza/pay-1"
    order_id = created.order.id

    backend.shop.pay(order_id)
    order = face.call(client, lambda v: v.orders.get(order_id))
    assert (order.status, order.total, order.tax) == (
        veza.OrderStatus.COMPLETED, veza.Money(500, "EUR"), veza.Money(0, "EUR"),
    )  # fmt: skip
    (license_,) = face.call(client, lambda v: v.licenses.mine(order_id=order_id))
    assert (license_.status, license_.product_id) == (veza.LicenseStatus.ACTIVE, "11")

    asked = face.call(client, lambda v: v.orders.refund(order_id, reason="test", amount_cents=500))
    assert (asked.refund.status, asked.amount) == (veza.RefundStatus.PENDING, veza.Money(500, "EUR"))
    assert asked.order.status is veza.OrderStatus.REFUND_PENDING

    backend.shop.settle_refund(order_id)
    (listed,) = face.collect(client, lambda v: v.orders.list(status=veza.OrderStatus.REFUNDED))
    assert listed.refunded == veza.Money(500, "EUR")
    (revoked,) = face.call(client, lambda v: v.licenses.mine())
    assert revoked.status is veza.LicenseStatus.REVOKED


def test_items_take_a_license_type(ask: Ask, backend: FakeBackend) -> None:
    ask(lambda v: v.orders.create([{"product_id": "11", "license_type": "standard"}]))
    assert backend.sent[-1].body == {"items": [{"product_id": "11", "license_type": "standard"}]}


def test_results_say_what_answer_they_came_from(ask: Ask, backend: FakeBackend) -> None:
    backend.script("getOrder", Reply(status=503))
    order_id = ask(lambda v: v.orders.create(["11"])).order.id
    info = ask(lambda v: v.orders.get(order_id)).response_info
    assert (info.status_code, info.retry_count, info.request_id) == (200, 1, "req-5")
    assert info.headers["x-request-id"] == "req-5"
    for use in (lambda v: v.products.list(), lambda v: v.licenses.mine(), lambda v: v.request("GET", "/status")):
        assert ask(use).response_info.status_code == 200


def test_request_is_the_way_out(ask: Ask, backend: FakeBackend) -> None:
    raw = ask(lambda v: v.request("GET", "/marketplace/products", params={"limit": 1}, auth=False))
    assert [one["id"] for one in raw.data] == ["11"]
    assert raw.json["meta"]["per_page"] == 1
    assert backend.sent[-1].query == {"limit": "1"}
    made = ask(lambda v: v.request("post", "/orders", json={"items": [{"product_id": "11"}]}, idempotency_key="k"))
    assert made.data["order"]["status"] == "pending_payment"
    assert backend.sent[-1].headers["idempotency-key"] == "k"


FORBIDDEN: dict[str, Callable[[Any], Any]] = {
    "limit 0": lambda v: v.products.list(limit=0),
    "limit 101": lambda v: v.products.list(limit=101),
    "page 0": lambda v: v.products.list(page=0),
    "limit True": lambda v: v.products.list(limit=True),
    "no item": lambda v: v.orders.create([]),
    "51 items": lambda v: v.orders.create(["11"] * 51),
    "an item without its product": lambda v: v.orders.create([{"product": "11"}]),
    "a key with a space": lambda v: v.orders.create(["11"], idempotency_key="with space"),
    "an empty key": lambda v: v.orders.create(["11"], idempotency_key=""),
    "a key with a line's end": lambda v: v.orders.create(["11"], idempotency_key="k\n"),
    "no reason": lambda v: v.orders.refund("1", reason=""),
    "a reason of 501 characters": lambda v: v.orders.refund("1", reason="x" * 501),
    "a refund of nothing": lambda v: v.orders.refund("1", reason="x", amount_cents=0),
    "a refund of 5.0 cents": lambda v: v.orders.refund("1", reason="x", amount_cents=5.0),
    "an id as int": lambda v: v.orders.get(5),
    "deadline 0": lambda v: v.orders.get("1", deadline=0),
    "deadline NaN": lambda v: v.orders.get("1", deadline=float("nan")),
    "another host": lambda v: v.request("GET", "http://elsewhere.test/"),
}


def test_what_the_contract_forbids_is_not_sent(face: Any, backend: FakeBackend, subtests: pytest.Subtests) -> None:
    client = face.connect(backend, access_token="x")
    for name, use in FORBIDDEN.items():
        with subtests.test(name):
            with pytest.raises(veza.InvalidRequestError) as caught:
                face.call(client, use)
            assert backend.sent == []
            assert isinstance(caught.value, ValueError)


def test_a_client_with_senseless_options_is_refused(subtests: pytest.Subtests) -> None:
    senseless: tuple[dict[str, Any], ...] = (
        {"timeout": 0}, {"timeout": float("inf")}, {"timeout": -1}, {"max_retries": -1}, {"max_retries": 1.5},
        {"access_token": ""}, {"access_token": "a\nb"}, {"access_token": "a b"}, {"deadline": -5},
    )  # fmt: skip
    for options in senseless:
        for kind in (veza.Veza, veza.AsyncVeza):
            with subtests.test(kind.__name__, options=options), pytest.raises(veza.InvalidRequestError):
                kind("http://veza.test", **options)


def test_a_base_url_that_is_none_is_refused(subtests: pytest.Subtests) -> None:
    wrong: tuple[Any, ...] = (
        "veza.test", "ftp://veza.test", "http://", "http://u:p@veza.test", "http://veza.test?x", "http://veza.test#x",
        "http://veza.test:port", "", None,
    )  # fmt: skip
    for url in wrong:
        with subtests.test(url=url), pytest.raises(veza.InvalidRequestError):
            veza.Veza(url)
