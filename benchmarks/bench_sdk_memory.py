"""Growth of resident memory over 10,000 mixed calls from 8 threads: reads, writes, failures, new statuses, renewals."""

from __future__ import annotations

import gc
import json
import os
import threading
from itertools import count
from pathlib import Path

import httpx

import veza

THREADS, CALLS, WARM_UP = 8, 10_000, 2_000
ORDER = {
    "id": "41", "buyer_id": "7", "total_amount_cents": 500, "currency": "EUR", "created_at": "2026-04-01T10:00:00Z",
    "updated_at": "2026-04-01T10:00:00Z", "items": [{"product_id": "11", "price_cents": 500}],
}  # fmt: skip
LOGIN = {
    "refresh_token": "r", "token_type": "Bearer", "expires_in": 900,
    "user": {"id": "1", "username": "u", "email": "e", "role": "user"},
}  # fmt: skip
numbers = count()


def answer(request: httpx.Request) -> httpx.Response:
    """Answer with something new each time, as a backend does."""
    number = next(numbers)
    path = request.url.path.removeprefix("/api/v1")
    headers = {"X-Request-ID": f"req-{number}"}
    if path.startswith("/auth/"):
        return httpx.Response(200, json={"success": True, "data": {"access_token": f"t-{number}", **LOGIN}})
    if number % 97 == 0:
        return httpx.Response(401, json={"success": False, "error": "expired"})
    if number % 13 == 0:
        body = {"error": {"code": f"CODE_{number}", "message": f"failed {number}", "details": [number]}}
        return httpx.Response(422, json=body, headers=headers)
    if number % 11 == 0:
        return httpx.Response(200, content=b"<html>" if number % 2 else b"{}", headers=headers)
    order = {**ORDER, "status": f"status-{number}", f"field-{number}": number}
    data = {"order": order, "checkout_url": "https://pay.veza.test/"} if request.method == "POST" else order
    return httpx.Response(200, json={"success": True, "data": data}, headers=headers)


def resident() -> float:
    """Return the resident memory in MiB."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def calls(client: veza.Veza, times: int) -> None:
    for number in range(times):
        try:
            if number % 5 == 0:
                client.orders.create([f"product-{number}"], idempotency_key=f"key-{number}")
            elif number % 5 == 1:
                client.request("GET", f"/orders/{number}", params={"n": number})
            else:
                client.orders.get(f"order-{next(numbers)}")
        except veza.VezaError as error:
            repr(error)


def rounds(client: veza.Veza, times: int) -> None:
    threads = [threading.Thread(target=calls, args=(client, times // THREADS)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    http = httpx.Client(transport=httpx.MockTransport(answer))
    client = veza.Veza("http://veza.test", email="e@veza.test", password="p", http_client=http, max_retries=0)
    rounds(client, WARM_UP)
    before = resident()
    rounds(client, CALLS)
    print(json.dumps({"growth_mib": resident() - before}))


if __name__ == "__main__":
    main()
