"""The SDK against a small server that answers as the public backend of July 2025 does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from surroundings import PATIENCE

import veza
from veza._wire import read_error
from veza.testing import FakeClock

from .backend_of_2025 import PROFILE, REFRESH, Of2025, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def backend() -> Of2025:
    return Of2025()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def client(backend: Of2025, clock: FakeClock) -> Iterator[veza.Veza]:
    with serving(backend) as url, httpx.Client(timeout=PATIENCE, trust_env=False) as http:
        yield veza.Veza(url, email="operator@veza.test", password=backend.password, http_client=http, clock=clock)


def test_login_me_refresh_and_logout(client: veza.Veza, backend: Of2025, clock: FakeClock) -> None:
    me = client.auth.me()
    assert (me.id, me.email, me.role, me.last_login) == ("7", "operator@veza.test", veza.Role.USER, None)
    assert me.model_extra == {name: PROFILE[name] for name in ("first_name", "avatar", "last_login_at", "is_active")}
    clock.sleep(3599)
    assert client.auth.me() == me
    client.auth.logout()
    assert [path.removeprefix("/api/v1/auth/") for _, path, _ in backend.asked] == [
        "login", "me", "refresh", "me", "logout",
    ]  # fmt: skip
    assert backend.asked[-1][2] == {"refresh_token": REFRESH}


def test_a_wrong_password_is_an_authentication_error(client: veza.Veza) -> None:
    with pytest.raises(veza.AuthenticationError, match="Invalid credentials"):
        client.auth.login(password="wrong")


def test_health_and_services_as_texts(client: veza.Veza) -> None:
    assert client.system.health().status is veza.HealthState.HEALTHY
    states = {name: one.status for name, one in client.system.status().services.items()}
    assert states == dict.fromkeys(("database", "redis", "hyperswitch"), veza.ServiceState.HEALTHY)


def test_empty_pages(client: veza.Veza) -> None:
    page = client.products.list()
    assert (page.data, page.meta.page, page.meta.per_page, page.meta.total, page.has_next) == ((), 1, 20, 0, False)
    assert list(client.orders.list()) == []
    assert client.licenses.mine() == ()


@pytest.mark.parametrize("headers", [True, False])
def test_a_limit_of_cut_seconds_is_waited_out(
    client: veza.Veza, backend: Of2025, clock: FakeClock, headers: bool
) -> None:
    backend.limited, backend.headers = 2, headers
    client.system.health()
    assert len(clock.sleeps) == 2
    assert min(clock.sleeps) >= 0.375
    assert clock.sleeps[1] > clock.sleeps[0]


def test_what_a_limit_says_is_in_the_error(client: veza.Veza, backend: Of2025) -> None:
    backend.limited = 9
    with pytest.raises(veza.RateLimitError, match="IP limit") as caught:
        client.system.health()
    assert caught.value.retry_after == 0


def test_a_path_that_is_not_there_is_named(client: veza.Veza, backend: Of2025) -> None:
    backend.health = False
    with pytest.raises(veza.NotFoundError, match="the backend answered 404 at /api/v1/health"):
        client.system.health()


@pytest.mark.parametrize(
    ("body", "message", "code", "request_id"),
    [
        ({"success": False, "error": "in words"}, "in words", None, None),
        ({"success": False, "message": "m", "error_code": "C", "details": {"a": 1}}, "m", "C", None),
        ({"error": {"code": "C", "message": "m", "details": 1, "request_id": "r"}}, "m", "C", "r"),
        ({"success": False, "message": "m"}, "m", None, None),
        ({"error": "Rate limit exceeded", "message": "m", "retry_after_seconds": 5, "reset_time": 1}, "m", None, None),
        ({"error": {"code": "C", "message": "m"}, "request_id": "outside"}, "m", "C", "outside"),
    ],
)
def test_five_shapes_of_errors_give_message_code_and_request_id(
    body: dict[str, object], message: str, code: str | None, request_id: str | None
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(429, json=body)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    client = veza.Veza("http://veza.test", http_client=http, max_retries=0)
    with pytest.raises(veza.RateLimitError) as caught:
        client.system.status()
    error = caught.value
    assert (error.message, error.code, error.request_id) == (message, code, request_id)
    assert error.retry_after == body.get("retry_after_seconds")


@pytest.mark.parametrize("seconds", [10**400, 1e18, -1, True, "5", None])
def test_a_wait_that_is_no_time_is_not_waited(seconds: object) -> None:
    facts = read_error(json.dumps({"error": "limit", "retry_after_seconds": seconds}).encode())
    assert (facts.message, facts.retry_after) == ("limit", None)
