"""What a recorded call costs while the backend changes its cookies with every answer: the last calls, the first."""

from __future__ import annotations

import secrets
import sys
import time

import httpx
from benchmarks.targets import told

from veza.testing import FakeClock
from veza_contract.operations import operation_of
from veza_e2e.journal import Journal, MemorySink
from veza_e2e.ports.wire import Recorder, RecordingTransport
from veza_e2e.redaction import Redactor

CALLS, PART = 5000, 500
BOUND = 1.5
ORDER = {
    "id": "0b6d1c0e-0000-4000-8000-000000000001", "status": "completed", "total_amount_cents": 500, "currency": "EUR",
    "created_at": "2026-04-01T10:00:00Z", "items": [{"product_id": "11", "price_cents": 500}],
}  # fmt: skip


def answer(_: httpx.Request) -> httpx.Response:
    """Answer with cookies, a CSRF token and a request id that were never seen before."""
    headers = [("Set-Cookie", f"{name}={secrets.token_urlsafe(24)}; Path=/") for name in ("sid", "csrf_token")]
    headers.append(("X-Request-ID", secrets.token_hex(16)))
    return httpx.Response(200, headers=headers, json={"success": True, "data": {**ORDER, "message": "as you asked"}})


def main() -> int:
    """Print the figures; 1 if the last calls cost more than the bound."""
    redactor = Redactor({"password": "open sesame, please"})
    recorder = Recorder(Journal(MemorySink(), FakeClock(), redactor=redactor), redactor, FakeClock())
    transport = RecordingTransport(httpx.MockTransport(answer), "api", recorder, operation_of)
    spent = []
    with httpx.Client(transport=transport) as client:
        for call in range(CALLS):
            began = time.process_time()
            client.get(
                f"http://veza.test/api/v1/orders/{ORDER['id']}", headers={"Authorization": "Bearer 0123456789ab"}
            )
            if call >= PART:  # the first part warms up
                spent.append(time.process_time() - began)
    first, last = (sum(part) / PART for part in (spent[:PART], spent[-PART:]))
    print("| calls | CPU ms a call | ratio |\n|---|--:|--:|")
    print(f"| {PART + 1} to {2 * PART} | {first * 1000:.2f} | 1 |")
    print(f"| {CALLS - PART + 1} to {CALLS} | {last * 1000:.2f} | {last / first:.2f} |")
    return int(not told(f"a recorded call after {CALLS:,} with rotating cookies, x after {PART}", last / first, BOUND))


if __name__ == "__main__":
    sys.exit(main())
