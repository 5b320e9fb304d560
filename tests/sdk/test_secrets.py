"""Planted secrets show nowhere: not in reprs, logs, tracebacks, errors or pickles."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest

import veza
from veza.testing import FakeBackend, Reply, connect, serve

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = Path(veza.__file__).parent
PASSWORD = "canary-password-0f3a"
ACCESS = "canary-access-1b2c"
REFRESH = "canary-refresh-9d8e"
NEXT = "canary-next-77aa"
COOKIE = "canary-cookie-5e5e"
CLIENT_SECRET = "canary-client-secret-4444"
CANARIES = (PASSWORD, ACCESS, REFRESH, NEXT, COOKIE, CLIENT_SECRET)
LOGIN = {
    "access_token": ACCESS, "refresh_token": REFRESH, "token_type": "Bearer", "expires_in": 900,
    "user": {"id": 1, "username": "u", "email": "e", "role": "user"},
}  # fmt: skip


def clean(text: str) -> bool:
    return not any(canary in text for canary in CANARIES)


def seen_in(value: object, depth: int = 6) -> str:
    """Return what repr, str and vars show of a value and of all that it holds."""
    shown = f"{value!r} {value!s}"
    if depth and hasattr(value, "__dict__") and not isinstance(value, type):
        shown += " ".join(seen_in(one, depth - 1) for one in vars(value).values())
    if depth and isinstance(value, list | tuple | set | frozenset):
        shown += " ".join(seen_in(one, depth - 1) for one in value)
    if depth and isinstance(value, dict):
        shown += " ".join(seen_in(one, depth - 1) for pair in value.items() for one in pair)
    return shown


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    caplog.set_level(logging.DEBUG)

    def text() -> str:
        return "\n".join(f"{record.name} {record.getMessage()} {record.args}" for record in caplog.records)

    return text


def test_the_check_can_fail(logs: Callable[[], str]) -> None:
    logging.getLogger("veza").debug("leaking %s", ACCESS)
    assert not clean(logs())
    assert not clean(seen_in({"a": [type("Leak", (), {"__init__": lambda self: setattr(self, "x", PASSWORD)})()]}))


@pytest.mark.parametrize("module", [httpx, httpx2])
def test_a_client_hides_its_credentials(module: Any) -> None:
    http = module.Client(transport=module.MockTransport(lambda _: module.Response(200)))
    client = veza.Veza(
        "http://veza.test", email="e@veza.test", password=PASSWORD, access_token=ACCESS, refresh_token=REFRESH,
        http_client=http,
    )  # fmt: skip
    assert clean(seen_in(client))
    assert clean(seen_in(client.auth))
    assert clean(repr(client.auth._engine.session) + seen_in(client.auth._settings))
    with pytest.raises(TypeError):
        pickle.dumps(client)


def test_login_results_hide_their_tokens() -> None:
    backend = FakeBackend()
    backend.script("login", Reply(data=LOGIN, headers={"Set-Cookie": COOKIE}))
    backend.script("refreshToken", Reply(data={**LOGIN, "access_token": NEXT}))
    client = connect(backend)
    for result in (client.auth.login(), client.auth.refresh()):
        info = result.response_info
        assert info is not None
        assert clean(seen_in(result) + result.model_dump_json() + str(result.model_dump()) + seen_in(info))
        assert clean(str(dict(info.headers)))
        for copied in (copy.copy(result), copy.deepcopy(result)):
            assert clean(seen_in(copied))
            assert copied == result
        with pytest.raises(TypeError):
            pickle.dumps(result)
    assert client.auth._engine.session.access is not None
    assert client.auth._engine.session.access.get_secret_value() == NEXT


def scenes() -> dict[str, Callable[[veza.Veza, FakeBackend], Any]]:
    def scripted(operation: str, *replies: Reply, use: Callable[[veza.Veza], Any]) -> Callable[..., Any]:
        def scene(client: veza.Veza, backend: FakeBackend) -> Any:
            backend.script(operation, *replies)
            return use(client)

        return scene

    def me(client: veza.Veza) -> Any:
        return client.auth.me()

    echo = {"error": {"code": PASSWORD, "message": f"bad {PASSWORD}", "details": {REFRESH: [ACCESS, {"p": PASSWORD}]}}}
    return {
        "echoed by a refused login": scripted("login", Reply(status=401, json=echo), use=lambda v: v.auth.login()),
        "echoed to another account": scripted(
            "login", Reply(status=400, json=echo), use=lambda v: v.auth.login("e@veza.test", PASSWORD)
        ),
        "a login of a wrong shape": scripted(
            "login", Reply(data={**LOGIN, "expires_in": ACCESS}), use=lambda v: v.auth.login()
        ),
        "a login with a field that names itself": scripted(
            "login", Reply(data={"access_token": [REFRESH], ACCESS: 1}), use=lambda v: v.auth.login()
        ),
        "a login cut off": scripted("login", Reply(body=f'{{"data": "{ACCESS}'.encode()), use=lambda v: v.auth.login()),
        "echoed by any call": scripted("getMe", *[Reply(status=403, json=echo)] * 3, use=me),
        "a login that breaks": scripted("login", Reply(breaks="read_timeout"), use=lambda v: v.auth.login()),
        "a refused argument": scripted("getMe", use=lambda v: v.auth.login("x", PASSWORD)),
        "a logout that fails": scripted("logout", Reply(status=500, json=echo), use=lambda v: v.auth.logout(REFRESH)),
        "a refresh that fails": scripted(
            "refreshToken", Reply(status=401, json=echo), use=lambda v: v.auth.refresh(REFRESH)
        ),
        "a token in the query": scripted(
            "*", Reply(status=500), use=lambda v: v.request("POST", "/x", params={"t": ACCESS}, json={"p": PASSWORD})
        ),
        "a token in a header": scripted(
            "*", Reply(status=500), use=lambda v: v.request("POST", "/x", headers={"X-CSRF-Token": NEXT})
        ),
        "a checkout without its URL": scripted(
            "createOrder", Reply(data={"client_secret": CLIENT_SECRET}), use=lambda v: v.orders.create(["11"])
        ),
    }  # fmt: skip


def is_ours(path: Path) -> bool:
    return path.is_relative_to(PACKAGE) and not path.is_relative_to(PACKAGE / "testing")


@pytest.mark.parametrize("name", scenes())
def test_errors_tracebacks_and_logs_hold_no_secret(name: str, logs: Callable[[], str]) -> None:
    backend = FakeBackend(password=PASSWORD)
    client = connect(backend, access_token=ACCESS, refresh_token=REFRESH, email="e@veza.test", password=PASSWORD)
    with pytest.raises(veza.VezaError) as caught:
        scenes()[name](client, backend)
    error = caught.value
    assert clean(seen_in(error) + str(error.args))
    assert clean(pickle.dumps(error).decode("latin-1"))
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in told.stack if is_ours(Path(frame.filename))]
    assert ours
    assert clean(str([(frame.line, frame.locals) for frame in ours]))
    assert clean("".join(traceback.format_exception(error)))
    assert error.__cause__ is None
    assert clean(logs())


@pytest.mark.parametrize("module", [httpx, httpx2])
def test_debug_logs_of_a_real_exchange_hold_no_secret(module: Any, logs: Callable[[], str]) -> None:
    backend = FakeBackend(password=PASSWORD)
    backend.script("login", Reply(data=LOGIN, headers={"Set-Cookie": f"session={COOKIE}"}))
    backend.script("getMe", Reply(data=LOGIN["user"], headers={"X-Secret": NEXT}))
    backend.script("getHealth", Reply(data={"status": "healthy"}))
    http = module.Client()
    with serve(backend) as url, http:
        client = veza.Veza(url, email=backend.email, password=PASSWORD, http_client=http)
        client.auth.me()
        client.request("GET", "/health", params={"token": ACCESS}, headers={"X-Token": NEXT}, auth=False)
    text = logs()
    assert clean(text)
    for name in ("veza GET", f"{module.__name__} HTTP Request", module.__name__.replace("httpx", "httpcore")):
        assert name in text
    assert "GET /auth/me attempt 1: 200, request req-2" in text
    assert "/api/v1/health" in text


def test_other_requests_are_logged_as_ever(logs: Callable[[], str]) -> None:
    connect(FakeBackend()).system.health()
    http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    http.get("http://other.test/a?b=c")
    assert "http://other.test/a?b=c" in logs()


def test_bodies_are_never_logged(logs: Callable[[], str]) -> None:
    backend = FakeBackend()
    backend.shop.products["11"]["title"] = "a title to be kept out"
    client = connect(backend)
    client.products.get("11")
    created = client.orders.create(["11"])
    backend.shop.pay(created.order.id)
    client.orders.refund(created.order.id, reason="a reason to be kept out")
    assert "kept out" not in logs()
    assert "POST /orders attempt 1: 201" in logs()


def test_a_secret_is_compared_and_copied_but_not_shown() -> None:
    secret = veza.Secret(PASSWORD)
    assert (secret == veza.Secret(PASSWORD), secret == veza.Secret(ACCESS)) == (True, False)
    others: list[object] = [PASSWORD]
    assert secret not in others
    assert clean(f"{secret} {secret!r}")
    assert copy.deepcopy(secret).get_secret_value() == PASSWORD
    assert len({secret, veza.Secret(PASSWORD)}) == 1
    assert len(secret) == len(PASSWORD)
