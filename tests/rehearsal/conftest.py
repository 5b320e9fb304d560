"""A rehearsal backend, driven over HTTP and by nothing else: one in a thread for all, or a process of a test's own."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from front_door import LOG, serving
from surroundings import PATIENCE

from veza import SystemClock
from veza_rehearsal.catalogue import product_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTRACT = Path(__file__).parents[2] / "sdk" / "veza" / "openapi.yaml"
PASSWORD = "correct horse battery staple"
CARD = "4242 4242 4242 4242"


class Forms(HTMLParser):
    """The forms of a page: where they go, and what they send."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.state = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((attributes["action"], {}))
        elif tag == "input" and self.found:
            self.found[-1][1][attributes["name"]] = attributes.get("value", "")
        elif tag == "main":
            self.state = attributes["data-state"]


@dataclass
class Backend:
    """A backend that runs."""

    base_url: str
    port: int
    log: Path
    errors: Path
    http: httpx.Client = field(init=False)
    begun: int = 0

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.base_url, timeout=PATIENCE, trust_env=False)

    def api(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.http.request(method, f"/api/v1{path}", **options)

    def lines(self) -> list[dict[str, Any]]:
        """The log's lines since the last reset."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8")[self.begun :].splitlines()]

    def login(self, email: str = "operator@veza.test", password: str = PASSWORD) -> dict[str, Any]:
        answer = self.api("POST", "/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        self.http.headers["Authorization"] = f"Bearer {data['access_token']}"
        return data

    def products(self) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = self.api("GET", "/marketplace/products", params={"limit": 100}).json()["data"]
        return data

    def order(self, product: int = 0, key: str | None = None) -> dict[str, Any]:
        """Order the product at this place of the list; gives the answer's data."""
        headers = {} if key is None else {"Idempotency-Key": key}
        body = {"items": [{"product_id": self.products()[product]["id"]}]}
        answer = self.api("POST", "/orders", json=body, headers=headers)
        assert answer.status_code in {200, 201}, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    def submit(self, url: str, card: str = CARD) -> httpx.Response:
        """Fill in the card form of the checkout page."""
        action, fields = Forms(self.http.get(url).text).found[0]
        fields |= {"card_number": card, "expiry": "12/39", "cvc": "123"}
        return self.http.post(action, data=fields)

    def answer_challenge(self, url: str, outcome: str) -> httpx.Response:
        """Press a button of the bank's page."""
        forms = Forms(self.http.get(url).text).found
        action, fields = next(form for form in forms if form[1].get("outcome") == outcome)
        return self.http.post(action, data=fields)

    def state(self, url: str) -> str:
        """What the checkout page shows."""
        return Forms(self.http.get(url).text).state

    def paid(self, product: int = 0) -> str:
        """Order and pay; gives the order's id."""
        placed = self.order(product)
        assert self.submit(placed["checkout_url"]).status_code == 303
        order_id: str = placed["order"]["id"]
        return order_id

    def read(self, order_id: str) -> dict[str, Any]:
        data: dict[str, Any] = self.api("GET", f"/orders/{order_id}").json()["data"]
        return data

    def refund(self, order_id: str, **body: Any) -> httpx.Response:
        return self.api("POST", f"/orders/{order_id}/refund", json={"reason": "test", **body})

    def faults(self, *switches: str) -> None:
        """Leave on only these switches; what is due is done when this comes back."""
        assert self.http.post("/rehearsal/faults", json={"faults": switches}).status_code == 200

    def settle(self, seconds: float = 0) -> None:
        """Move the clock; what is due then is done when this comes back."""
        assert self.http.post("/rehearsal/clock", json={"advance_seconds": seconds}).status_code == 200

    def later(self, seconds: float) -> None:
        """Move the clock beyond the access token's end, and log in anew."""
        self.settle(seconds)
        self.login()

    def refunded(self, order_id: str) -> dict[str, Any]:
        """Refund the order and wait for what follows; gives the order."""
        assert self.refund(order_id).status_code == 202
        self.settle()
        return self.read(order_id)

    def books(self, order_id: str | None = None) -> dict[str, Any]:
        books: dict[str, Any] = self.http.get(
            "/rehearsal/books", params={"order_id": order_id} if order_id else {}
        ).json()
        return books

    def payment(self, payment_id: str) -> dict[str, Any]:
        """What the processor says of a payment."""
        answer = self.http.get(f"/hyperswitch/payments/{payment_id}", headers={"api-key": "snd_rehearsal"})
        payment: dict[str, Any] = answer.json()
        return payment

    def check_errors(self) -> None:
        """Nothing went wrong that only the server's own log tells."""
        assert "Traceback" not in (text := self.errors.read_text(encoding="utf-8")), text


@dataclass
class Child(Backend):
    """A backend in a process of its own."""

    process: subprocess.Popen[str] = field(kw_only=True)

    def kill(self) -> None:
        """End the backend without any warning."""
        self.http.close()
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        if self.process.stdout.closed:
            return
        with self.process.stdout as rest:
            assert rest.read() == "", "nothing follows the one line on standard output"
        self.check_errors()


def start(
    tmp_path: Path,
    *arguments: str,
    database: str | None = None,
    env: dict[str, str] | None = None,
    contract: Path = CONTRACT,
) -> Child:
    log, errors = tmp_path / "requests.log", tmp_path / "stderr.txt"
    command = [sys.executable, "-m", "veza_rehearsal", "--contract", str(contract), "--until-stdin-closes"]
    command += ["--database", database or f"sqlite:///{tmp_path}/rehearsal.db", "--log", str(log), *arguments]
    pipe = subprocess.PIPE
    with errors.open("a", encoding="utf-8") as stderr:
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=stderr, encoding="utf-8", env=env)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert re.fullmatch(r'\{"base_url": "http://127\.0\.0\.1:(\d+)", "port": \1\}\n', line), line
    announced = json.loads(line)
    return Child(announced["base_url"], announced["port"], log, errors, process=process)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Starts backends on one database, with fault switches or other options; stops them after the test."""
    started: list[Child] = []

    def starter(*options: str, **more: Any) -> Child:
        arguments = [
            part for option in options for part in ((option,) if option.startswith("-") else ("--fault", option))
        ]
        started.append(start(tmp_path, *arguments, **more))
        return started[-1]

    yield starter
    for backend in started:
        backend.kill()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """One backend for all tests that need no process of their own."""
    folder = tmp_path_factory.mktemp("rehearsal")
    errors = logging.FileHandler(folder / "errors.txt", encoding="utf-8")
    logging.getLogger("uvicorn.error").addHandler(errors)
    with serving(folder, time=SystemClock()) as base_url:
        backend = Backend(base_url, httpx.URL(base_url).port or 0, folder / LOG, folder / "errors.txt")
        yield backend
        backend.http.close()
    logging.getLogger("uvicorn.error").removeHandler(errors)
    errors.close()


@pytest.fixture
def fresh(shared: Backend) -> Iterator[Backend]:
    """A backend in which nothing happened yet, without faults."""
    shared.http.headers.pop("Authorization", None)
    assert shared.http.post("/rehearsal/reset").status_code == 200
    shared.begun = len(shared.log.read_text(encoding="utf-8"))
    yield shared
    shared.check_errors()


@pytest.fixture
def shop(fresh: Backend) -> Backend:
    """A backend in which nothing happened yet, without faults, logged in."""
    fresh.login()
    return fresh


@pytest.fixture
def faulty(fresh: Backend) -> Callable[..., Backend]:
    """Logs in to a backend in which nothing happened yet, and throws these switches."""

    def throw(*switches: str) -> Backend:
        fresh.login()
        fresh.faults(*switches)
        return fresh

    return throw


@pytest.fixture
def unlisted() -> list[str]:
    """The ids of the two products that cannot be ordered, in their order: withdrawn, and of an unpayable seller."""
    return [product_id(25), product_id(26)]
