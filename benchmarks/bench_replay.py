"""What a replayed call costs, beside httpx's own mock transport, plain vcrpy and cassetter; what loading and a whole
`veza-e2e replay` cost. CPU time, the best of several rounds, as ratios of one run."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import vcr  # type: ignore[import-untyped]
from benchmarks.targets import all_told
from vcr.request import Request  # type: ignore[import-untyped]

from veza import SystemClock
from veza_e2e.cassettes import tape
from veza_e2e.cassettes.record import Recording
from veza_e2e.cassettes.replay import Replay
from veza_e2e.ports.ids import SystemIds
from veza_e2e.ports.ledger import NoLedger
from veza_e2e.ports.protocols import Ports
from veza_e2e.ports.scripted import ScriptedBrowser, ScriptedOperator
from veza_e2e.redaction import Redactor

ROUNDS = 9
FEW, SOME, MANY = 40, 400, 2000
CALL, FLAT, LOADING, WHOLE = 4.0, 1.5, 0.2, 0.6
ROOT = Path(__file__).parents[1]
TOKEN, ALIAS = "Bearer 0123456789abcdef", "Bearer {{access_token:1}}"
ITEM = {"product_id": "11", "license_type": "standard", "price_cents": 500}
ORDER = {
    "id": "0b6d1c0e-0000-4000-8000-000000000001",
    "buyer_id": "7",
    "status": "completed",
    "total_amount_cents": 500,
    "currency": "EUR",
    "items": [ITEM] * 20,
    "created_at": "2026-04-01T10:00:00Z",
}
BODY = json.dumps({"success": True, "data": ORDER}).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        pass


def _timed(
    open_client: Callable[[], tuple[AbstractContextManager[Any], httpx.Client]],
    url: str,
    count: int,
    rounds: int = ROUNDS,
    token: str = TOKEN,
) -> float:
    """CPU seconds of a call: the best round."""
    best = float("inf")
    for _ in range(rounds):
        around, client = open_client()
        with around, client:
            client.get(f"{url}/api/v1/orders/0", headers={"Authorization": token})
            began = time.process_time()
            for number in range(1, count):
                assert client.get(f"{url}/api/v1/orders/{number}", headers={"Authorization": token}).content
            best = min(best, (time.process_time() - began) / (count - 1))
    return best


def _mock() -> tuple[AbstractContextManager[Any], httpx.Client]:
    headers = {"content-type": "application/json"}
    return nullcontext(), httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=BODY))
    )


def _record_ours(folder: Path, url: str, count: int) -> Path:
    meta: dict[str, Any] = {"started": {"environment": "rehearsal"}}
    recording = Recording.start(folder, Redactor(), meta, at=datetime.now(UTC), base_url=url)
    beside = httpx.Client(base_url=url)
    ports = Ports(
        httpx.HTTPTransport(),
        ScriptedOperator(),
        ScriptedBrowser(beside, {}),
        NoLedger(),
        SystemClock(),
        SystemIds("01"),
    )
    with httpx.Client(transport=recording.wrap(ports).transport) as client:
        for number in range(count):
            client.get(f"{url}/api/v1/orders/{number}", headers={"Authorization": TOKEN})
    recording.finish()
    beside.close()
    kept = folder.with_name(f"{folder.name}-kept")
    kept.mkdir()
    for name, data in tape.published(tape.read(folder)).items():
        (kept / name).write_bytes(data)
    return kept


def _ours(folder: Path) -> Callable[[], tuple[AbstractContextManager[Any], httpx.Client]]:
    def opened() -> tuple[AbstractContextManager[Any], httpx.Client]:
        replay = Replay(folder)
        replay.next_process()
        return nullcontext(), httpx.Client(transport=replay.ports.transport)

    return opened


def _record_vcr(path: Path, url: str, count: int) -> Path:
    cassette = vcr.cassette.Cassette(str(path))
    answer = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-type": ["application/json"]},
        "body": {"string": BODY},
    }
    for number in range(count):
        cassette.append(Request("GET", f"{url}/api/v1/orders/{number}", b"", {}), answer)
    cassette._save(force=True)  # noqa: SLF001 - recording 2,000 the usual way takes a minute
    return path


def _vcr(path: Path) -> Callable[[], tuple[AbstractContextManager[Any], httpx.Client]]:
    return lambda: (vcr.use_cassette(str(path), record_mode="none"), httpx.Client())


def _cassetter(
    path: Path, url: str, count: int
) -> Callable[[], tuple[AbstractContextManager[Any], httpx.Client]] | None:
    try:
        import cassetter  # noqa: PLC0415 - measured where it is installed
    except ModuleNotFoundError:
        return None
    with cassetter.use_cassette(str(path), record_mode=cassetter.RecordMode.ALL), httpx.Client() as client:
        for number in range(count):
            client.get(f"{url}/api/v1/orders/{number}", headers={"Authorization": TOKEN})
    return lambda: (cassetter.use_cassette(str(path), record_mode=cassetter.RecordMode.NONE), httpx.Client())


def _loading(folder: Path) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        tape.read(folder)
        best = min(best, time.process_time() - began)
    return best


def _whole() -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "veza_e2e", "replay", "refund"], cwd=ROOT, capture_output=True, check=False
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0, done.stdout + done.stderr
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def main() -> int:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url, alias = f"http://127.0.0.1:{server.server_address[1]}", "http://veza.test"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few, many = (_record_ours(folder / f"ours-{n}", url, n) for n in (FEW, MANY))
        mock = _timed(_mock, alias, FEW)
        ours, ours_many = (_timed(_ours(kept), alias, n, token=ALIAS) for kept, n in ((few, FEW), (many, MANY)))
        rows = [
            ("httpx.MockTransport", mock),
            ("veza-e2e, 40 interactions", ours),
            ("veza-e2e, 2,000 interactions", ours_many),
        ]
        plain = _timed(_vcr(_record_vcr(folder / "few.yaml", url, FEW)), url, FEW)
        plain_many = _timed(_vcr(_record_vcr(folder / "many.yaml", url, SOME)), url, SOME, rounds=1)
        rows += [("vcrpy, 40 interactions", plain), (f"vcrpy, {SOME} interactions", plain_many)]
        rival = _cassetter(folder / "rival.yaml", url, FEW)
        if rival is not None:
            rows.append(("cassetter, 40 interactions", _timed(rival, url, FEW)))
        loading, whole = _loading(many), _whole()
    server.shutdown()
    print(f"{'a replayed call':<32} {'µs':>8} {'x MockTransport':>16}")
    for label, seconds in rows:
        print(f"{label:<32} {seconds * 1e6:>8.0f} {seconds / mock:>16.2f}")
    if rival is None:
        print("cassetter is not installed, so it was not measured")
    checks = (
        (f"a replayed call at {FEW} interactions, x `httpx.MockTransport`", ours / mock, CALL),
        (f"a replayed call at {MANY:,} interactions, x at {FEW}", ours_many / ours, FLAT),
        (f"loading {MANY:,} interactions, s CPU", loading, LOADING),
        ("`veza-e2e replay refund`, s CPU", whole, WHOLE),
    )
    return int(not all_told(checks))


if __name__ == "__main__":
    sys.exit(main())
