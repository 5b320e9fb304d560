"""Two worlds for one set of scenarios: the fake backend of `veza.testing`, and the rehearsal backend on loopback.

A scenario talks to a world through `Veza` clients and the few acts below: what a buyer, a bank, a seller or time does.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import httpx
from front_door import Time, serving
from surroundings import PATIENCE

import veza
from veza.testing import EMAIL, FakeBackend, connect
from veza_rehearsal import DEFAULT_PASSWORD, LISTENER_EMAIL
from veza_rehearsal.cards import DECLINED, SUCCEEDS
from veza_rehearsal.catalogue import product_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

PASSWORD = DEFAULT_PASSWORD
DOLLARS = 3
"""The place of a product that is sold in another currency than its neighbours."""
_PRODUCTS = 25


class World(Protocol):
    """What happens around a client."""

    def client(self, email: str | None = EMAIL, password: str | None = PASSWORD, **options: Any) -> veza.Veza:
        """Return a new client whose waits take no time."""
        ...

    def now(self) -> datetime:
        """Return the world's time."""
        ...

    def product(self, place: int) -> str:
        """Return the id of the product at this place of the list."""
        ...

    def pay(self, placed: veza.CheckoutOrder) -> None:
        """Pay with a good card, or try to."""
        ...

    def decline(self, placed: veza.CheckoutOrder) -> None:
        """Pay with a card that is declined, or try to."""
        ...

    def cancel(self, placed: veza.CheckoutOrder) -> None:
        """Give up at the checkout, or try to."""
        ...

    def settle_refunds(self) -> None:
        """Let all pending refunds come through."""
        ...

    def fail_refunds(self) -> None:
        """Let all pending refunds fail."""
        ...

    def fail_late(self, client: veza.Veza, order_id: str) -> None:
        """Let the refund fail of an order that the client reads as refunded."""
        ...

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        ...

    def withdraw(self, place: int) -> None:
        """Take a product off the market: it is sold out."""
        ...

    def order_of_another(self, place: int) -> str:
        """Let another account order a product; return the order's id."""
        ...

    def limit_logins(self, count: int) -> None:
        """Refuse logins after this many in 15 minutes."""
        ...

    def lock_after(self, count: int) -> None:
        """Lock the account after this many wrong passwords in a row."""
        ...

    def ignore_keys(self) -> None:
        """Do not honour `Idempotency-Key`."""
        ...

    def keep_refresh_tokens(self) -> None:
        """Let a renewal use up no refresh token."""
        ...


class FakeWorld:
    """The fake backend, with the rehearsal backend's products."""

    def __init__(self, products: dict[str, dict[str, Any]]) -> None:
        self.backend = FakeBackend(password=PASSWORD, rotate=True)
        self.backend.shop.products = products

    def client(self, email: str | None = EMAIL, password: str | None = PASSWORD, **options: Any) -> veza.Veza:
        return connect(self.backend, **({"email": email, "password": password, "jitter": lambda: 0.0} | options))

    def now(self) -> datetime:
        return self.backend.clock.now()

    def product(self, place: int) -> str:
        return list(self.backend.shop.products)[place]

    def pay(self, placed: veza.CheckoutOrder) -> None:
        self.backend.shop.pay(placed.order.id)

    def decline(self, placed: veza.CheckoutOrder) -> None:
        self.backend.shop.decline(placed.order.id)

    def cancel(self, placed: veza.CheckoutOrder) -> None:
        self.backend.shop.cancel(placed.order.id)

    def _pending(self) -> list[str]:
        return [name for name, order in self.backend.shop.orders.items() if order["status"] == "refund_pending"]

    def settle_refunds(self) -> None:
        for order_id in self._pending():
            self.backend.shop.settle_refund(order_id)

    def fail_refunds(self) -> None:
        for order_id in self._pending():
            self.backend.shop.fail_refund(order_id)

    def fail_late(self, client: veza.Veza, order_id: str) -> None:
        if client.orders.get(order_id).status == "refunded":
            self.backend.shop.fail_refund(order_id)

    def pass_time(self, seconds: float) -> None:
        self.backend.clock.advance(seconds)

    def withdraw(self, place: int) -> None:
        self.backend.shop.products[self.product(place)]["status"] = "inactive"

    def order_of_another(self, place: int) -> str:
        placed = self.backend.shop.create("another", [{"product_id": self.product(place)}])
        return str(placed["order"]["id"])

    def limit_logins(self, count: int) -> None:
        self.backend.login_limit = count

    def lock_after(self, count: int) -> None:
        self.backend.account_lock = count

    def ignore_keys(self) -> None:
        self.backend.idempotency = False

    def keep_refresh_tokens(self) -> None:
        self.backend.rotate = False


class RehearsalWorld:
    """The rehearsal backend on a clock of its own. Its refunds stay pending until they are told to end."""

    def __init__(self, base_url: str, time: Time, folder: Path) -> None:
        self.base_url, self.time, self._folder = base_url, time, folder
        self.http = httpx.Client(base_url=base_url, timeout=PATIENCE, trust_env=False)
        self._switches: list[str] = []

    def reset(self) -> None:
        """Begin anew."""
        assert self.http.post("/rehearsal/reset").status_code == 200
        self._switches = []
        self._switch("refund_pending")

    def products(self) -> dict[str, dict[str, Any]]:
        """Return the products on sale as the API shows them."""
        listed = self.http.get("/api/v1/marketplace/products", params={"limit": 100}).json()["data"]
        assert len(listed) == _PRODUCTS
        return {one["id"]: one for one in listed}

    def _switch(self, *now: str) -> None:
        faults = {"faults": [*self._switches, *now]}
        assert self.http.post("/rehearsal/faults", json=faults).status_code == 200

    def _always(self, switch: str) -> None:
        name = switch.partition("=")[0]
        self._switches = [one for one in self._switches if one.partition("=")[0] != name] + [switch]
        self._switch("refund_pending")

    def client(self, email: str | None = EMAIL, password: str | None = PASSWORD, **options: Any) -> veza.Veza:
        own = {"email": email, "password": password, "http_client": self.http, "clock": self.time}
        return veza.Veza(self.base_url, **(own | {"jitter": lambda: 0.0} | options))

    def now(self) -> datetime:
        return self.time.now()

    def product(self, place: int) -> str:
        return product_id(place)

    def pay(self, placed: veza.CheckoutOrder) -> None:
        self._submit(placed, SUCCEEDS)

    def decline(self, placed: veza.CheckoutOrder) -> None:
        self._submit(placed, DECLINED)

    def _submit(self, placed: veza.CheckoutOrder, card: str) -> None:
        # The page says whether it takes a card, and which attempt this is.
        _, found, rest = self.http.get(placed.checkout_url).text.partition('name="attempt" value="')
        if found:
            form = {"card_number": card, "expiry": "12/99", "cvc": "123", "attempt": rest.partition('"')[0]}
            assert self.http.post(placed.checkout_url, data=form).status_code == 303

    def cancel(self, placed: veza.CheckoutOrder) -> None:
        if "/cancel" in self.http.get(placed.checkout_url).text:
            assert self.http.post(f"{placed.checkout_url}/cancel").status_code == 303

    def settle_refunds(self) -> None:
        self._switch()
        self._switch("refund_pending")

    def fail_refunds(self) -> None:
        self._switch("refund_fails")
        self._switch("refund_pending")

    def fail_late(self, client: veza.Veza, order_id: str) -> None:
        self._switch("refund_pending", "refund_fails_late=0")
        try:
            client.orders.get(order_id)
        finally:
            self._switch("refund_pending", "refund_fails_late=0")  # does what is due
            self._switch("refund_pending")

    def pass_time(self, seconds: float) -> None:
        self.time.sleep(seconds)

    def withdraw(self, place: int) -> None:
        # No route sells a product out: the seller does it, in the shop's database.
        with closing(sqlite3.connect(self._folder / "backend.db", timeout=PATIENCE)) as database, database:
            database.execute("UPDATE products SET status = 'inactive' WHERE id = ?", [self.product(place)])

    def order_of_another(self, place: int) -> str:
        return self.client(LISTENER_EMAIL).orders.create([self.product(place)]).order.id

    def limit_logins(self, count: int) -> None:
        self._always(f"login_limit={count}")

    def lock_after(self, count: int) -> None:
        self._always(f"account_lock={count}")

    def ignore_keys(self) -> None:
        self._always("no_idempotency")

    def keep_refresh_tokens(self) -> None:
        self._always("dialect_2025")


@contextmanager
def rehearsing(folder: Path) -> Iterator[RehearsalWorld]:
    """Serve a rehearsal backend until the block ends."""
    time = Time()
    with serving(folder, time=time) as base_url:
        world = RehearsalWorld(base_url, time, folder)
        try:
            yield world
        finally:
            world.http.close()
