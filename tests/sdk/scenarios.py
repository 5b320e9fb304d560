"""What a backend does, told once: each scenario gives the same results in every world, and they stand beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import veza

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .worlds import World

    Play = Callable[[World], Iterator[str]]

MINUTE, DAY = 60, 24 * 3600


@dataclass(frozen=True)
class Scenario:
    """Something that happens, and what a client is told of it."""

    name: str
    play: Play
    expected: Sequence[str]


SCENARIOS: list[Scenario] = []


def gives(*expected: str) -> Callable[[Play], Play]:
    """Write down what a scenario gives."""

    def keep(play: Play) -> Play:
        SCENARIOS.append(Scenario(play.__name__, play, expected))
        return play

    return keep


def shown(order: veza.Order) -> str:
    """Tell an order, but for its ids."""
    parts = [str(order.status), str(order.total), f"payment {order.payment_status}"]
    if order.refund_id is not None:
        parts.append(f"refund {order.refund_status} {order.refunded}")
    marks = {"paid at": order.completed_at, "back at": order.refunded_at}
    parts += [f"{word} {(at - order.created_at).total_seconds():g} s" for word, at in marks.items() if at is not None]
    return ", ".join(parts)


def licenses(client: veza.Veza, order_id: str | None = None) -> str:
    """Tell the caller's licenses."""
    mine = client.licenses.mine(order_id=order_id)
    told = [f"{one.license_type} {one.status}" + (" since" if one.revoked_at else "") for one in mine]
    return ", ".join(told) or "no license"


def tried(call: Callable[[], object]) -> str:
    """Tell what came of a call: an order, a refund, or the error's class, status, code and wait."""
    try:
        result = call()
    except veza.APIStatusError as error:
        wait = "" if error.retry_after is None else f", wait {error.retry_after:g} s"
        return f"{type(error).__name__} {error.status_code} {error.code}{wait}"
    except veza.VezaError as error:
        return type(error).__name__
    if isinstance(result, veza.CheckoutOrder):
        return shown(result.order)
    if isinstance(result, veza.RefundedOrder):
        return f"refund {result.refund.status} {result.amount}; {shown(result.order)}"
    if isinstance(result, veza.Order):
        return shown(result)
    return result if isinstance(result, str) else "done"


PENDING = "pending_payment, 5.00 EUR, payment requires_payment_method"
PAID = "completed, 5.00 EUR, payment succeeded, paid at 0 s"
BACK = "refunded, 5.00 EUR, payment succeeded, refund succeeded 5.00 EUR, paid at 0 s, back at 0 s"


def _bought(world: World, client: veza.Veza, place: int = 0) -> veza.CheckoutOrder:
    placed = client.orders.create([world.product(place)])
    world.pay(placed)
    return placed


@gives(
    PENDING, "no license", PAID, "standard active",
    "refund pending 5.00 EUR; refund_pending, 5.00 EUR, payment succeeded, refund pending 0.00 EUR, paid at 0 s",
    "standard active", BACK, "standard revoked since",
)  # fmt: skip
def a_purchase_and_its_refund(world: World) -> Iterator[str]:
    client = world.client()
    placed = client.orders.create([world.product(0)])
    yield shown(placed.order)
    yield licenses(client)
    world.pay(placed)
    yield shown(client.orders.get(placed.order.id))
    yield licenses(client, placed.order.id)
    yield tried(lambda: client.orders.refund(placed.order.id, reason="test"))
    yield licenses(client)
    world.settle_refunds()
    yield shown(client.orders.get(placed.order.id))
    yield licenses(client)


@gives(
    "refund pending 2.00 EUR; refund_pending, 5.00 EUR, payment succeeded, refund pending 0.00 EUR, paid at 0 s",
    "refunded, 5.00 EUR, payment succeeded, refund succeeded 2.00 EUR, paid at 0 s, back at 60 s",
    "standard revoked since",
    "ConflictError 409 REFUND_ALREADY_REQUESTED",
)
def a_part_is_refunded(world: World) -> Iterator[str]:
    client = world.client()
    order = _bought(world, client).order.id
    yield tried(lambda: client.orders.refund(order, reason="test", amount_cents=200))
    world.pass_time(60)
    world.settle_refunds()
    yield shown(client.orders.get(order))
    yield licenses(client)
    yield tried(lambda: client.orders.refund(order, reason="the rest", amount_cents=300))


@gives("UnprocessableEntityError 422 PAYMENT_FAILED", PAID, "InvalidRequestError", "InvalidRequestError")
def more_than_was_paid_or_nothing_is_refunded(world: World) -> Iterator[str]:
    client = world.client()
    order = _bought(world, client).order.id
    yield tried(lambda: client.orders.refund(order, reason="test", amount_cents=501))
    yield shown(client.orders.get(order))
    yield tried(lambda: client.orders.refund(order, reason="test", amount_cents=0))
    yield tried(lambda: client.orders.refund(order, reason=""))


@gives("ConflictError 409 REFUND_ALREADY_REQUESTED", BACK, "ConflictError 409 REFUND_ALREADY_REQUESTED")
def a_refund_is_requested_twice(world: World) -> Iterator[str]:
    client = world.client()
    order = _bought(world, client).order.id
    client.orders.refund(order, reason="test")
    yield tried(lambda: client.orders.refund(order, reason="test"))
    world.settle_refunds()
    yield shown(client.orders.get(order))
    yield tried(lambda: client.orders.refund(order, reason="test"))


@gives(
    "completed, 5.00 EUR, payment succeeded, refund failed 0.00 EUR, paid at 0 s", "standard active",
    "refund pending 5.00 EUR; refund_pending, 5.00 EUR, payment succeeded, refund pending 0.00 EUR, paid at 0 s",
    BACK, "another refund",
)  # fmt: skip
def a_refund_fails_and_is_requested_again(world: World) -> Iterator[str]:
    client = world.client()
    order = _bought(world, client).order.id
    first = client.orders.refund(order, reason="test").refund.id
    world.fail_refunds()
    yield shown(client.orders.get(order))
    yield licenses(client)
    yield tried(lambda: client.orders.refund(order, reason="test"))
    world.settle_refunds()
    again = client.orders.get(order)
    yield shown(again)
    yield "another refund" if again.refund_id != first else "the same refund"


@gives(
    "refund_failed, 5.00 EUR, payment succeeded, refund failed 0.00 EUR, paid at 0 s, back at 0 s",
    "standard revoked since",
    "ConflictError 409 REFUND_ALREADY_REQUESTED",
)
def a_refund_fails_after_it_came_through(world: World) -> Iterator[str]:
    client = world.client()
    order = _bought(world, client).order.id
    client.orders.refund(order, reason="test")
    world.settle_refunds()
    world.fail_late(client, order)
    yield shown(client.orders.get(order))
    yield licenses(client)
    yield tried(lambda: client.orders.refund(order, reason="test"))


@gives(
    "ConflictError 409 ORDER_INVALID_STATE", "ConflictError 409 ORDER_INVALID_STATE",
    "refund pending 5.00 EUR; refund_pending, 5.00 EUR, payment succeeded, refund pending 0.00 EUR, paid at 0 s",
    "UnprocessableEntityError 422 REFUND_WINDOW_EXPIRED",
)  # fmt: skip
def refunds_need_a_payment_of_the_last_14_days(world: World) -> Iterator[str]:
    client = world.client()
    placed = client.orders.create([world.product(1)])
    yield tried(lambda: client.orders.refund(placed.order.id, reason="test"))
    world.cancel(placed)
    yield tried(lambda: client.orders.refund(placed.order.id, reason="test"))
    first, second = _bought(world, client).order.id, _bought(world, client, 2).order.id
    world.pass_time(14 * DAY)
    yield tried(lambda: client.orders.refund(first, reason="test"))
    world.pass_time(1)
    yield tried(lambda: client.orders.refund(second, reason="test"))


@gives(PAID, "standard active")
def paying_twice(world: World) -> Iterator[str]:
    client = world.client()
    placed = _bought(world, client)
    world.pass_time(60)
    world.pay(placed)
    world.decline(placed)
    world.cancel(placed)
    yield shown(client.orders.get(placed.order.id))
    yield licenses(client)


@gives("ConflictError 409 ORDER_ALREADY_OWNED", "ConflictError 409 ORDER_ALREADY_OWNED", PENDING, PENDING, PAID, PAID)
def a_product_that_is_owned_is_not_sold_again(world: World) -> Iterator[str]:
    client = world.client()
    order = _bought(world, client).order.id
    yield tried(lambda: client.orders.create([world.product(0)]))
    yield tried(lambda: client.orders.create([world.product(1), world.product(1)]))
    client.orders.refund(order, reason="test")
    world.settle_refunds()
    # Two orders of one product: each can be paid, since none of them is paid yet.
    one, two = (client.orders.create([world.product(0)]) for _ in range(2))
    yield shown(one.order)
    yield shown(two.order)
    for placed in (one, two):
        world.pay(placed)
        yield shown(client.orders.get(placed.order.id))


@gives(PENDING, "expired, 5.00 EUR, payment expired", "expired, 5.00 EUR, payment expired", "no license",
       "UnexpectedStatusError", "ConflictError 409 ORDER_INVALID_STATE")  # fmt: skip
def an_order_expires_after_15_minutes(world: World) -> Iterator[str]:
    client = world.client()
    placed = client.orders.create([world.product(0)])
    world.pass_time(15 * MINUTE - 1)
    yield shown(client.orders.get(placed.order.id))
    world.pass_time(1)
    yield shown(client.orders.get(placed.order.id))
    world.pay(placed)
    yield shown(client.orders.get(placed.order.id))
    yield licenses(client)
    yield tried(lambda: client.orders.wait_until_completed(placed.order.id, deadline=60))
    yield tried(lambda: client.orders.refund(placed.order.id, reason="test"))


@gives("DeadlineExceededError", "UnexpectedStatusError", "waited 900 s", PAID.replace("0 s", "10 s"))
def waiting_for_a_payment(world: World) -> Iterator[str]:
    client, begun = world.client(), world.now()
    placed = client.orders.create([world.product(0)])
    yield tried(lambda: client.orders.wait_until_completed(placed.order.id, deadline=5 * MINUTE, interval=60))
    yield tried(lambda: client.orders.wait_until_completed(placed.order.id, deadline=60 * MINUTE, interval=60))
    yield f"waited {(world.now() - begun).total_seconds():g} s"
    again = client.orders.create([world.product(0)])
    world.pass_time(10)
    world.pay(again)
    yield tried(lambda: client.orders.wait_until_completed(again.order.id, deadline=5 * MINUTE))


@gives(
    "pending_payment, 5.00 EUR, payment failed", "pending_payment, 5.00 EUR, payment failed", PAID, "standard active"
)
def a_declined_card_then_a_good_one(world: World) -> Iterator[str]:
    client = world.client()
    placed = client.orders.create([world.product(0)])
    for _ in range(2):
        world.decline(placed)
        yield shown(client.orders.get(placed.order.id))
    world.pay(placed)
    yield shown(client.orders.get(placed.order.id))
    yield licenses(client)


@gives("failed, 5.00 EUR, payment failed", "failed, 5.00 EUR, payment failed", "expired, 4.50 EUR, payment expired")
def three_declined_cards(world: World) -> Iterator[str]:
    client = world.client()
    placed, other = client.orders.create([world.product(0)]), client.orders.create([world.product(1)])
    for _ in range(3):
        world.decline(placed)
    world.decline(other)
    yield shown(client.orders.get(placed.order.id))
    world.pay(placed)
    world.cancel(placed)
    world.pass_time(20 * MINUTE)
    yield shown(client.orders.get(placed.order.id))
    yield shown(client.orders.get(other.order.id))


@gives("cancelled, 5.00 EUR, payment cancelled", "cancelled, 5.00 EUR, payment cancelled", PENDING)
def giving_up_at_the_checkout(world: World) -> Iterator[str]:
    client = world.client()
    placed = client.orders.create([world.product(0)])
    world.cancel(placed)
    yield shown(client.orders.get(placed.order.id))
    world.pay(placed)
    world.pass_time(20 * MINUTE)
    yield shown(client.orders.get(placed.order.id))
    yield tried(lambda: client.orders.create([world.product(0)]))


@gives("UnprocessableEntityError 422 PRODUCT_UNAVAILABLE", "inactive", "24 products", PAID)
def a_product_is_sold_out(world: World) -> Iterator[str]:
    client = world.client()
    placed = client.orders.create([world.product(0)])
    world.withdraw(0)
    yield tried(lambda: client.orders.create([world.product(0)]))
    yield str(client.products.get(world.product(0)).status)
    yield f"{client.products.list().meta.total} products"
    world.pay(placed)
    yield shown(client.orders.get(placed.order.id))


@gives(
    "pending_payment, 5.00 USD, payment requires_payment_method", "ConflictError 409 ORDER_INVALID_STATE",
    "pending_payment, 9.50 EUR, payment requires_payment_method", "standard active, extended active",
    "refunded, 9.50 EUR, payment succeeded, refund succeeded 9.50 EUR, paid at 0 s, back at 0 s",
    "standard revoked since, extended revoked since",
)  # fmt: skip
def currencies_and_several_products(world: World) -> Iterator[str]:
    client = world.client()
    yield tried(lambda: client.orders.create([world.product(3)]))
    yield tried(lambda: client.orders.create([world.product(0), world.product(3)]))
    placed = client.orders.create([world.product(0), {"product_id": world.product(1), "license_type": "extended"}])
    yield shown(placed.order)
    world.pay(placed)
    yield licenses(client)
    client.orders.refund(placed.order.id, reason="test")
    world.settle_refunds()
    yield shown(client.orders.get(placed.order.id))
    yield licenses(client)


@gives(
    "NotFoundError 404 ORDER_NOT_FOUND", "NotFoundError 404 ORDER_NOT_FOUND", "NotFoundError 404 PRODUCT_NOT_FOUND",
    "NotFoundError 404 PRODUCT_NOT_FOUND", "NotFoundError 404 RESOURCE_NOT_FOUND", "no license",
    "PermissionDeniedError 403 None", "PermissionDeniedError 403 None", "0 orders",
    "NotFoundError 404 RESOURCE_NOT_FOUND", "APIStatusError 405 None",
)  # fmt: skip
def wrong_ids(world: World) -> Iterator[str]:
    client = world.client()
    yield tried(lambda: client.orders.get("none"))
    yield tried(lambda: client.orders.refund("none", reason="test"))
    yield tried(lambda: client.products.get("none"))
    yield tried(lambda: client.orders.create([world.product(0), "none"]))
    yield tried(lambda: client.orders.create([{"product_id": world.product(0), "license_type": "none"}]))
    yield licenses(client, "none")
    other = world.order_of_another(0)
    yield tried(lambda: client.orders.get(other))
    yield tried(lambda: client.orders.refund(other, reason="test"))
    yield f"{client.orders.list().meta.total} orders"
    yield tried(lambda: client.request("GET", "/none"))
    yield tried(lambda: client.request("DELETE", "/orders"))


@gives(
    *["BadRequestError 400 VALIDATION_ERROR"] * 4, "BadRequestError 400 VALIDATION_CONTENT_TYPE", "done", "done",
    "NotFoundError 404 ORDER_NOT_FOUND", "None", "AuthenticationError 401 AUTH_TOKEN_INVALID",
    "AuthenticationError 401 AUTH_TOKEN_INVALID",
)  # fmt: skip
def requests_beside_the_typed_methods(world: World) -> Iterator[str]:
    client = world.client()
    body = {"items": [{"product_id": world.product(0)}]}
    yield tried(lambda: client.request("GET", "/orders", params={"limit": 101}))
    yield tried(lambda: client.request("GET", "/orders", params={"page": "01"}))
    yield tried(lambda: client.request("GET", "/orders", params={"status": "unknown"}))
    yield tried(lambda: client.request("POST", "/orders", json={"items": []}))
    yield tried(lambda: client.request("POST", "/orders"))
    yield tried(lambda: client.request("GET", "/orders", params={"sort": "price"}))
    yield tried(lambda: client.request("POST", "/orders", json=body | {"note": "unknown"}))
    yield tried(lambda: client.request("POST", "/orders/none/refund", json={"reason": "test", "amount_cents": 2.0}))
    yield tried(lambda: str(client.request("HEAD", "/orders").json))
    stranger = world.client(email=None, password=None, access_token="stranger")
    yield tried(stranger.auth.me)
    yield tried(lambda: stranger.request("POST", "/orders", json={"items": []}))


@gives("3 pages of 10, 10, 5", "25 different", "page 9 holds 0 of 25", "5 orders: 4 3 2, 1 0", "2 completed: 3 1")
def pages(world: World) -> Iterator[str]:
    client = world.client()
    listed = list(client.products.list(limit=10).pages())
    yield f"{listed[0].meta.total_pages} pages of {', '.join(str(len(page.data)) for page in listed if page.data)}"
    yield f"{len({product.id for product in client.products.list(limit=10)})} different"
    beyond = client.products.list(page=9, limit=10)
    yield f"page {beyond.meta.page} holds {len(beyond.data)} of {beyond.meta.total}"
    order = [client.orders.create([world.product(0)]), *(_bought(world, client, place) for place in (1,))]
    order += [
        client.orders.create([world.product(2)]),
        _bought(world, client, 3),
        client.orders.create([world.product(4)]),
    ]
    place = {placed.order.id: number for number, placed in enumerate(order)}
    told = [
        " ".join(str(place[one.id]) for one in page.data) for page in client.orders.list(limit=3).pages() if page.data
    ]
    yield f"{client.orders.list().meta.total} orders: {', '.join(told)}"
    paid = client.orders.list(status=veza.OrderStatus.COMPLETED)
    yield f"{paid.meta.total} completed: {' '.join(str(place[one.id]) for one in paid)}"


@gives(
    "the same order", "pending_payment, 5.00 EUR, payment requires_payment_method", "1 orders",
    "ConflictError 409 IDEMPOTENCY_KEY_REUSED", "the same refund", "ConflictError 409 IDEMPOTENCY_KEY_REUSED",
    "ConflictError 409 REFUND_ALREADY_REQUESTED", "another order",
)  # fmt: skip
def idempotency_keys(world: World) -> Iterator[str]:
    client = world.client()
    first = client.orders.create([world.product(0)], idempotency_key="k")
    world.pay(first)
    again = client.orders.create([world.product(0)], idempotency_key="k")
    yield "the same order" if again.order.id == first.order.id else "another order"
    yield shown(again.order)
    yield f"{client.orders.list().meta.total} orders"
    yield tried(lambda: client.orders.create([world.product(1)], idempotency_key="k"))
    refunds = [client.orders.refund(first.order.id, reason="test", idempotency_key="k") for _ in range(2)]
    yield "the same refund" if refunds[0].refund.id == refunds[1].refund.id else "another refund"
    yield tried(lambda: client.orders.refund(first.order.id, reason="other", idempotency_key="k"))
    yield tried(lambda: client.orders.refund(first.order.id, reason="test", idempotency_key="l"))
    world.settle_refunds()
    world.pass_time(DAY)
    late = client.orders.create([world.product(0)], idempotency_key="k")
    yield "the same order" if late.order.id == first.order.id else "another order"


@gives("NotFoundError 404 PRODUCT_NOT_FOUND", PENDING, "2 orders")
def a_refused_write_uses_up_no_key_and_keys_may_mean_nothing(world: World) -> Iterator[str]:
    client = world.client()
    yield tried(lambda: client.orders.create(["none"], idempotency_key="k"))
    yield tried(lambda: client.orders.create([world.product(0)], idempotency_key="k"))
    world.ignore_keys()
    client.orders.create([world.product(0)], idempotency_key="k")
    yield f"{client.orders.list().meta.total} orders"


@gives(
    "done", "operator operator@veza.test user", "AuthenticationError 401 None", "AuthenticationError 401 None",
    "AuthenticationError 401 None", "done",
)  # fmt: skip
def logins(world: World) -> Iterator[str]:
    client = world.client()
    yield tried(client.auth.login)
    me = client.auth.me()
    yield f"{me.username} {me.email} {me.role}"
    yield tried(world.client(password="wrong").auth.login)
    yield tried(world.client(email="nobody@veza.test").auth.login)
    yield tried(world.client(password="wrong").auth.me)
    yield tried(world.client(email=" Operator@Veza.test").auth.login)


@gives(
    "RateLimitError 429 RATE_LIMIT_EXCEEDED, wait 890 s", "done", "RateLimitError 429 RATE_LIMIT_EXCEEDED, wait 1 s",
    "done", "RateLimitError 429 RATE_LIMIT_EXCEEDED, wait 900 s",
)  # fmt: skip
def too_many_logins(world: World) -> Iterator[str]:
    world.limit_logins(2)
    client = world.client()
    client.auth.me()
    world.pass_time(10)
    tried(world.client(password="wrong").auth.login)
    other = world.client()
    yield tried(other.auth.me)
    yield tried(client.auth.me)
    world.pass_time(15 * MINUTE - 11)
    yield tried(world.client(max_retry_after=0.5).auth.me)
    world.pass_time(1)
    yield tried(other.auth.me)
    world.limit_logins(1)
    yield tried(world.client().auth.me)


@gives(
    "AuthenticationError 401 None", "LockedError 423 ACCOUNT_LOCKED", "LockedError 423 ACCOUNT_LOCKED", "done", "done",
    "LockedError 423 ACCOUNT_LOCKED",
)  # fmt: skip
def wrong_passwords_lock_the_account(world: World) -> Iterator[str]:
    world.lock_after(2)
    tried(world.client(password="wrong").auth.login)
    yield tried(world.client(password="wrong").auth.login)
    yield tried(world.client(password="wrong").auth.login)
    yield tried(world.client().auth.login)
    world.pass_time(15 * MINUTE)
    yield tried(world.client().auth.login)
    tried(world.client(password="wrong").auth.login)
    yield tried(world.client().auth.login)
    for _ in range(2):
        tried(world.client(password="wrong").auth.login)
    yield tried(world.client().auth.login)


@gives("900 s", "done", "done", "another", "AuthenticationError 401 None", "AuthenticationError 401 None", "done")
def tokens_are_renewed_once(world: World) -> Iterator[str]:
    client = world.client()
    first = client.auth.login()
    yield f"{first.expires_in} s"
    world.pass_time(15 * MINUTE)
    yield tried(client.auth.me)
    world.pass_time(29 * DAY)
    yield tried(client.auth.me)
    refresh = client.auth.refresh().refresh_token
    assert refresh is not None
    yield "the same" if refresh == first.refresh_token else "another"
    yield tried(lambda: client.auth.refresh(first.refresh_token))
    # That token had been used: the login has ended, with every token of it.
    yield tried(lambda: client.auth.refresh(refresh))
    yield tried(client.auth.me)


@gives("None", "done", "done", "AuthenticationError 401 None")
def refresh_tokens_that_are_not_used_up(world: World) -> Iterator[str]:
    world.keep_refresh_tokens()
    client = world.client()
    kept = client.auth.login().refresh_token
    yield str(client.auth.refresh(kept).refresh_token)
    yield tried(lambda: client.auth.refresh(kept))
    yield tried(client.auth.me)
    world.pass_time(30 * DAY)
    yield tried(lambda: client.auth.refresh(kept))


@gives(
    "AuthenticationError 401 None", "AuthenticationError 401 None", "done", "done", "AuthenticationError 401 None",
    "AuthenticationError 401 None",
)  # fmt: skip
def a_login_ends(world: World) -> Iterator[str]:
    first, second = world.client(), world.client()
    old = first.auth.login().refresh_token
    kept = second.auth.login().refresh_token
    # A login ends the account's earlier refresh tokens, and 30 days end any.
    yield tried(lambda: first.auth.refresh(old))
    world.pass_time(30 * DAY)
    yield tried(lambda: second.auth.refresh(kept))
    kept = second.auth.login().refresh_token
    yield tried(lambda: second.auth.logout("unknown"))
    kept = second.auth.refresh(kept).refresh_token
    yield tried(lambda: second.auth.logout(kept))
    yield tried(lambda: second.auth.refresh(kept))
    kept = second.auth.login().refresh_token
    second.auth.logout("unknown", all_devices=True)
    yield tried(lambda: second.auth.refresh(kept))
