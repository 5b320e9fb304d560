"""The dialect of 2025: what goes over the wire, and that a whole purchase passes in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from amount import share
from front_door import Shell, Time, serving
from rehearsal.test_schemathesis import examine
from surroundings import PATIENCE

import veza
from veza.testing import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rehearsal.conftest import Backend, Child

import httpx

ZERO_TIME = "0001-01-01T00:00:00Z"
ACCOUNT = {"email": "operator@veza.test", "password": "correct horse battery staple"}


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        serving(tmp_path, "dialect_2025", time=Time()) as base_url,
        httpx.Client(base_url=f"{base_url}/api/v1", timeout=PATIENCE, trust_env=False) as http,
    ):
        yield http


def logged_in(wire: httpx.Client) -> dict[str, Any]:
    data: dict[str, Any] = wire.post("/auth/login", json=ACCOUNT).json()["data"]
    wire.headers["Authorization"] = f"Bearer {data['access_token']}"
    return data


def test_a_login_names_no_token_type_and_a_renewal_no_other_refresh_token(wire: httpx.Client) -> None:
    login = logged_in(wire)
    assert login.keys() == {"access_token", "refresh_token", "expires_in", "user"}
    assert isinstance(login["user"]["id"], int)
    for _ in range(2):
        renewed = wire.post("/auth/refresh", json={"refresh_token": login["refresh_token"]})
        assert renewed.json()["data"].keys() == {"access_token", "expires_in"}
    me = wire.get("/auth/me").json()["data"]
    assert (me["avatar"], me["is_active"], "avatar_url" in me) == ({"String": "", "Valid": False}, False, False)
    assert wire.post("/auth/logout", json={"refresh_token": "unknown"}).json() == {
        "success": True,
        "message": "Logged out",
    }


def test_services_are_texts_and_an_unknown_path_is_plain_text(wire: httpx.Client) -> None:
    assert wire.get("/status").json()["data"]["services"] == {"database": "healthy", "hyperswitch": "healthy"}
    missing = wire.get("/nothing")
    assert (missing.status_code, missing.headers["content-type"].partition(";")[0]) == (404, "text/plain")


def test_zeros_are_left_out_or_written_as_go_writes_them(wire: httpx.Client) -> None:
    logged_in(wire)
    empty = wire.get("/orders").json()
    assert (empty["data"], empty["meta"]) == (None, {"page": 1, "per_page": 20})
    product = wire.get("/marketplace/products").json()["data"][0]
    assert (product["id"], product["seller_id"], product["currency"], product["license_types"]) == (11, 1, "eur", None)
    order = wire.post("/orders", json={"items": [{"product_id": 11}]}).json()["data"]["order"]
    assert isinstance(order["id"], int)
    assert (order["refund_id"], order["refund_status"], order["completed_at"]) == ("", "", ZERO_TIME)
    assert not order.keys() & {"tax_amount_cents", "refunded_amount_cents"}
    assert wire.get(f"/orders/{order['id']}").json()["data"]["id"] == order["id"]


def test_an_id_in_a_body_must_be_an_integer(wire: httpx.Client) -> None:
    logged_in(wire)
    refused = wire.post("/orders", json={"items": [{"product_id": "11"}]})
    assert (refused.status_code, refused.json()["success"]) == (404, False)
    assert wire.post("/orders", json={"items": [{"product_id": 999_999}]}).status_code == 404
    assert wire.post("/orders", json={"items": [{"product_id": -11}]}).status_code == 404


def test_a_limit_has_its_own_shape_and_its_seconds_are_cut(tmp_path: Path) -> None:
    with serving(tmp_path, "dialect_2025", "rate_limit=120", time=Time()) as base_url:
        with httpx.Client(base_url=f"{base_url}/api/v1", timeout=PATIENCE, trust_env=False) as http:
            answers = [http.get("/health") for _ in range(121)]
        limited = answers[-1]
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "0")
        assert limited.json().keys() == {"error", "message", "retry_after_seconds", "reset_time"}
        clock = FakeClock()
        with httpx.Client(timeout=PATIENCE, trust_env=False) as http:
            client = veza.Veza(base_url, http_client=http, clock=clock, max_retries=1)
            with pytest.raises(veza.RateLimitError) as caught:
                client.system.health()
        assert sum(clock.sleeps) >= 0.375, "the client's own back-off, not the 0 that it was told"
        assert caught.value.message == "Too many requests"


def test_the_walkthrough_a_recording_and_its_replay_pass(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    result = shell.run("--refund", "--fault", "dialect_2025", "--record", "of-2025")
    assert (result.code, result.json["outcome"]) == (0, "passed"), result.stderr
    assert result.json["money"] | {"witnesses": None} == {
        "charged_cents": 500, "refunded_cents": 500, "currency": "EUR", "witnesses": None,
    }  # fmt: skip
    assert {row["status"] for row in result.json["reconciliation"]} == {"equal"}
    assert shell("replay", "of-2025").code == 0
    assert shell("cassettes", "check").code == 0


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_contract_holds_in_the_dialect(run: Callable[..., Child], tmp_path: Path) -> None:
    examine(run("--fault=dialect_2025"), tmp_path, share(3))


def test_the_processor_knows_buyer_and_order_by_the_integers_of_the_api(faulty: Callable[..., Backend]) -> None:
    shop = faulty("dialect_2025")
    order = shop.order()["order"]
    query = {"customer_id": str(order["buyer_id"])}
    listed = shop.http.get("/hyperswitch/payments/list", params=query, headers={"api-key": "snd_rehearsal"}).json()
    assert [payment["metadata"] for payment in listed["data"]] == [{"order_id": str(order["id"])}]
