"""One typed GET of about 2 KB by each SDK, over the same fake transport; run by bench_sdk.py in a child process.

python bench_sdk_others.py NAME    prints JSON: the CPU ratio to httpx.Client.get + json.loads, and the import's CPU
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import httpx

import veza

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

STAMP = "2026-04-01T10:00:00Z"
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
PRODUCT = {
    "title": "Test beat", "seller_id": "3", "price_cents": 500, "currency": "EUR", "status": "active",
    "license_types": ["standard"],
}  # fmt: skip
ORDER = {
    "id": "41", "buyer_id": "7", "status": "completed", "total_amount_cents": 500, "tax_amount_cents": 0,
    "currency": "EUR", "payment_id": "pay_41", "payment_status": "succeeded", "created_at": STAMP, "updated_at": STAMP,
    "completed_at": STAMP,
    "items": [{"product_id": f"{i}", "license_type": "standard", "price_cents": 500} for i in range(22)],
}  # fmt: skip
REFUND: dict[str, Any] = {
    "created_at": STAMP, "modified_at": None, "id": UUID, "metadata": {}, "status": "succeeded", "amount": 500,
    "reason": "customer_request", "tax_amount": 0, "currency": "eur", "organization_id": UUID, "order_id": UUID,
    "subscription_id": None, "customer_id": UUID, "revoke_benefits": False, "dispute": None,
}  # fmt: skip
BODIES: dict[str, Any] = {
    "veza products.list": {
        "success": True, "data": [{"id": f"{i}", **PRODUCT} for i in range(14)],
        "meta": {"page": 1, "per_page": 20, "total": 14, "total_pages": 1},
    },
    "veza orders.get": {"success": True, "data": ORDER},
    "openai models.list": {
        "object": "list",
        "data": [{"id": f"model-{i}", "object": "model", "created": 1700000000, "owned_by": "us"} for i in range(26)],
    },
    "anthropic models.list": {
        "data": [
            {"type": "model", "id": f"model-{i}", "display_name": f"Model {i}", "created_at": STAMP} for i in range(20)
        ],
        "has_more": False, "first_id": "model-0", "last_id": "model-19",
    },
    "stripe products.list": {
        "object": "list", "has_more": False, "url": "/v1/products",
        "data": [
            {"id": f"prod_{i}", "object": "product", "active": True, "created": 1700000000, "description": None,
             "images": [], "livemode": False, "metadata": {}, "name": "Beat", "updated": 1700000000}
            for i in range(11)
        ],
    },
    "workos get_organization": {
        "object": "organization", "id": "org_1", "name": "Shop", "metadata": {}, "external_id": None,
        "created_at": STAMP, "updated_at": STAMP,
        "domains": [
            {"object": "organization_domain", "id": f"d_{i}", "organization_id": "org_1", "domain": f"{i}.veza.test",
             "state": "verified", "verification_strategy": "dns", "created_at": STAMP, "updated_at": STAMP}
            for i in range(8)
        ],
    },
    "githubkit list_tags": [
        {"name": f"v{i}", "zipball_url": "https://veza.test/z", "tarball_url": "https://veza.test/t", "node_id": "x",
         "commit": {"sha": "0" * 40, "url": "https://veza.test/commit"}}
        for i in range(10)
    ],
    "polar refunds.list": {"items": [REFUND] * 4, "pagination": {"total_count": 4, "max_page": 1}},
}  # fmt: skip


def veza_products() -> Callable[[], object]:
    client = veza.Veza("http://veza.test", access_token="token")
    return client.products.list


def veza_order() -> Callable[[], object]:
    client = veza.Veza("http://veza.test", access_token="token")
    return lambda: client.orders.get("41")


def openai() -> Callable[[], object]:
    call: Callable[[], object] = (
        import_module("openai").OpenAI(api_key="token", base_url="http://veza.test").models.list
    )
    return call


def anthropic() -> Callable[[], object]:
    call: Callable[[], object] = (
        import_module("anthropic").Anthropic(api_key="token", base_url="http://veza.test").models.list
    )
    return call


def stripe() -> Callable[[], object]:
    module = import_module("stripe")
    http = module.HTTPXClient(allow_sync_methods=True)
    call: Callable[[], object] = module.StripeClient("token", http_client=http).v1.products.list
    return call


def workos() -> Callable[[], object]:
    client = import_module("workos").WorkOSClient(api_key="token", client_id="c", base_url="http://veza.test")
    return lambda: client.organizations.get_organization("org_1")


def githubkit() -> Callable[[], object]:
    client = import_module("githubkit").GitHub("token", base_url="http://veza.test", http_cache=False)
    client.__enter__()  # else it makes a new HTTP client for each call
    return lambda: client.rest.repos.list_tags("owner", "repo").parsed_data


def polar() -> Callable[[], object]:
    call: Callable[[], object] = (
        import_module("polar.v2026_10").Polar("token", base_url="http://veza.test").refunds.list
    )
    return call


MAKERS = {
    "veza products.list": veza_products, "veza orders.get": veza_order, "openai models.list": openai,
    "anthropic models.list": anthropic, "stripe products.list": stripe, "workos get_organization": workos,
    "githubkit list_tags": githubkit, "polar refunds.list": polar,
}  # fmt: skip


def fake(module: Any, body: bytes) -> None:
    """Let every client of a family answer with a body, without a socket."""

    def handle(_: object, request: Any) -> Any:
        headers = {"content-type": "application/json", "x-request-id": "req-1"}
        return module.Response(200, headers=headers, stream=module.ByteStream(body), request=request)

    module.HTTPTransport.handle_request = handle


def ratio(base: Callable[[], object], other: Callable[[], object], *, rounds: int, calls: int) -> float:
    """Return the median of the ratios of CPU of interleaved rounds."""
    found = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(calls):
            base()
        middle = time.process_time()
        for _ in range(calls):
            other()
        found.append((time.process_time() - middle) / (middle - start))
    return statistics.median(found)


async def spent(call: Callable[[], Awaitable[object]], times: int) -> float:
    """Return the CPU seconds of so many calls."""
    start = time.process_time()
    for _ in range(times):
        await call()
    return time.process_time() - start


async def asynchronous(name: str) -> float:
    """Return the ratio of AsyncVeza to httpx.AsyncClient.get and json.loads."""
    body = json.dumps(BODIES[name]).encode()

    class Fake(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            headers = {"content-type": "application/json", "x-request-id": "req-1"}
            return httpx.Response(200, headers=headers, stream=httpx.ByteStream(body), request=request)

    raw = httpx.AsyncClient(transport=Fake())
    client = veza.AsyncVeza("http://veza.test", access_token="token", http_client=raw)

    async def base() -> object:
        return json.loads((await raw.get("http://veza.test/v1/things/1")).content)

    async def typed() -> object:
        return await (client.orders.get("41") if name == "veza orders.get" else client.products.list())

    await spent(base, 50)
    await spent(typed, 50)
    pairs = [(await spent(base, 40), await spent(typed, 40)) for _ in range(31)]
    return statistics.median(other / one for one, other in pairs)


def main(name: str) -> None:
    if name.startswith("async "):
        print(json.dumps({"ratio": asyncio.run(asynchronous(name.removeprefix("async ")))}))
        return
    body = json.dumps(BODIES[name]).encode()
    families = [httpx]
    with suppress(ImportError):
        families.append(import_module("httpx2"))
    for module in families:
        fake(module, body)
    call = MAKERS[name]()
    raw = httpx.Client()

    def base() -> object:
        return json.loads(raw.get("http://veza.test/v1/things/1").content)

    for _ in range(50):
        base()
        call()
    print(json.dumps({"ratio": ratio(base, call, rounds=31, calls=40), "bytes": len(body)}))


if __name__ == "__main__":
    main(sys.argv[1])
