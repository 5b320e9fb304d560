"""Another contract is enough to make the backend speak another dialect."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from surroundings import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.conftest import Backend, Child

CONTRACT = Path(__file__).parents[2] / "sdk" / "veza" / "openapi.yaml"
MOVED = {
    "/orders": "/marketplace/orders",
    "/orders/{order_id}": "/marketplace/orders/{order_id}",
    "/orders/{order_id}/refund": "/marketplace/orders/{order_id}/refund",
    "/licenses/mine": "/marketplace/licenses/mine",
}
NUMBER = {"type": "number", "minimum": 0}


def other_contract() -> dict[str, Any]:
    """Our contract, as the real one may be: other paths, amounts as numbers, no checkout URL, cookies."""
    document: dict[str, Any] = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    document["servers"] = [{"url": "https://api.veza.test/api/v2/"}]
    document["paths"] = {MOVED.get(path, path): item for path, item in document["paths"].items()}
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        properties = schema.get("properties", {})
        for name in [name for name in properties if name.endswith("_cents")]:
            del properties[name]
            properties[name.removesuffix("_cents")] = NUMBER
        if "required" in schema:
            schema["required"] = [name.removesuffix("_cents") for name in schema["required"]]
    schemas["Product"]["properties"]["price"] = {"type": "string", "pattern": r"^\d+\.\d\d$"}
    schemas["RefundOrderRequest"]["properties"]["amount"] = {"type": "number", "exclusiveMinimum": 0}
    schemas["Refund"]["properties"]["id"] = {"type": "string", "format": "uuid"}
    schemas["CheckoutOrder"]["required"] = ["order", "client_secret", "payment_id"]
    schemas["CheckoutOrder"]["properties"] = {
        "order": {"$ref": "#/components/schemas/Order"},
        "client_secret": {"type": "string"},
        "payment_id": {"type": "string"},
    }
    for name in ("Login", "Tokens"):
        schemas[name]["required"] = ["expires_in"]
        schemas[name]["properties"] = {"expires_in": {"type": "integer"}, "csrf_token": {"type": "string"}}
    schemas["OrderResponse"] = {"$ref": "#/components/schemas/Order"}
    for operation, schema in (("/auth/refresh", "RefreshRequest"), ("/auth/logout", "LogoutRequest")):
        document["paths"][operation]["post"]["requestBody"]["required"] = False
        del schemas[schema]["required"]
    document["components"]["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": "veza_session"},
        "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
    }
    document["security"] = [{"session": []}]
    for item in document["paths"].values():
        if "post" in item:
            item["post"].setdefault("security", [{"session": [], "csrf": []}])
    return {**document, "paths": plain(document["paths"])}


def plain(node: Any) -> Any:
    """Leave the examples and links out, which speak the first dialect."""
    if isinstance(node, dict):
        return {name: plain(member) for name, member in node.items() if name not in {"examples", "links"}}
    return [plain(member) for member in node] if isinstance(node, list) else node


@pytest.fixture
def dialect(run: Callable[..., Child], tmp_path: Path) -> Backend:
    """A backend that answers to the other contract."""
    contract = tmp_path / "other.json"
    contract.write_text(json.dumps(other_contract()), encoding="utf-8")
    return run(contract=contract)


def test_a_whole_payment_in_another_dialect(dialect: Backend) -> None:
    http = dialect.http
    base = "/api/v2"
    account = {"email": "operator@veza.test", "password": "correct horse battery staple"}
    login = http.post(f"{base}/auth/login", json=account)
    assert set(login.json()["data"]) == {"expires_in", "csrf_token"}
    assert all("; SameSite=Strict" in cookie for cookie in login.headers.get_list("set-cookie"))
    assert set(http.cookies) == {"veza_session", "refresh_token", "csrf_token"}
    product = http.get(f"{base}/marketplace/products").json()["data"][0]
    assert (product["price"], "price_cents" in product) == ("5.00", False)

    body = {"items": [{"product_id": product["id"]}]}
    unguarded = http.post(f"{base}/marketplace/orders", json=body)
    assert (unguarded.status_code, unguarded.json()["error"]["code"]) == (401, "CSRF_TOKEN_INVALID")
    http.headers["X-CSRF-Token"] = http.cookies["csrf_token"]
    placed = http.post(f"{base}/marketplace/orders", json=body)
    data = placed.json()["data"]
    assert (placed.status_code, set(data)) == (201, {"order", "client_secret", "payment_id"})
    assert '"total_amount":5.0,' in placed.text

    page = http.get("/hyperswitch/checkout", params={"client_secret": data["client_secret"]})
    assert dialect.submit(page.headers["location"]).status_code == 303
    order_id = data["order"]["id"]
    order = http.get(f"{base}/marketplace/orders/{order_id}").json()
    assert (order["status"], order["total_amount"], order["items"][0]["price"]) == ("completed", 5.0, 5.0)
    assert http.get(f"{base}/marketplace/licenses/mine").json()["data"][0]["status"] == "active"

    refund_path = f"{base}/marketplace/orders/{order_id}/refund"
    assert http.post(refund_path, json={"reason": "x", "amount": 1.005}).status_code == 400
    refund = http.post(refund_path, json={"reason": "x", "amount": 5}).json()["data"]["refund"]
    assert (refund["amount"], re.fullmatch(r"[0-9a-f-]{36}", refund["id"]) is not None) == (5.0, True)
    dialect.settle()
    assert http.get(f"{base}/marketplace/orders/{order_id}").json()["refunded_amount"] == 5.0
    assert http.get("/api/v1/orders").status_code == 404


def test_cookies_are_renewed_and_end(dialect: Backend) -> None:
    http = dialect.http
    http.post("/api/v2/auth/login", json={"email": "operator@veza.test", "password": "correct horse battery staple"})
    before = dict(http.cookies)
    assert http.post("/api/v2/auth/refresh").status_code == 200
    assert {name for name in before if http.cookies[name] != before[name]} == set(before)
    http.headers["X-CSRF-Token"] = before["csrf_token"]
    assert http.post("/api/v2/auth/logout", json={}).status_code == 401
    http.headers["X-CSRF-Token"] = http.cookies["csrf_token"]
    assert http.post("/api/v2/auth/logout", json={}).status_code == 200
    assert dict(http.cookies) == {}
    assert http.get("/api/v2/auth/me").status_code == 401


def test_a_client_secret_that_is_wrong_opens_nothing(shop: Backend) -> None:
    payment_id = shop.order()["order"]["payment_id"]
    for secret in ("", "x", f"{payment_id}_secret_x", f"{payment_id}_secret_é", "\x00"):
        assert shop.http.get("/hyperswitch/checkout", params={"client_secret": secret}).status_code == 404


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_other_contract_holds_in_every_phase(dialect: Backend, tmp_path: Path) -> None:
    account = {"email": "operator@veza.test", "password": "correct horse battery staple"}
    dialect.http.post("/api/v2/auth/login", json=account)
    cookies = dialect.http.cookies
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(
        "[generation]\ndeterministic = true\n"
        f'[auth.openapi]\nsession = {{ api_key = "{cookies["veza_session"]}" }}\n'
        f'csrf = {{ api_key = "{cookies["csrf_token"]}" }}\n',
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings), "run"]
    command += [
        str(tmp_path / "other.json"),
        "--url",
        f"{dialect.base_url}/api/v2",
        "--max-examples",
        "5",
        "--no-color",
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=tmp_path, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
