"""The backend as a process: how it starts, ends and starts again."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from surroundings import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.conftest import Child

pytestmark = pytest.mark.process

CONTRACT = Path(__file__).parents[2] / "sdk" / "veza" / "openapi.yaml"


def test_it_ends_when_its_parent_goes_away(run: Callable[..., Child]) -> None:
    shop = run()
    assert shop.process.stdin is not None
    shop.process.stdin.close()
    assert shop.process.wait(timeout=PATIENCE) == 0


def test_a_child_leaves_ctrl_c_to_its_parent(run: Callable[..., Child]) -> None:
    shop = run()
    shop.process.send_signal(signal.SIGINT)
    assert shop.api("GET", "/health").status_code == 200
    shop.process.send_signal(signal.SIGTERM)
    assert shop.process.wait(timeout=PATIENCE) in {0, -signal.SIGTERM}


def test_alone_it_ends_on_ctrl_c(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "veza_rehearsal", "--contract", str(CONTRACT)]
    command += ["--database", f"sqlite:///{tmp_path}/x.db"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, encoding="utf-8") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith('{"base_url"')
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_a_restart_on_the_same_port_goes_on(run: Callable[..., Child]) -> None:
    first = run("webhook_delay=60")
    login = first.login()
    placed = first.order(key="k")
    first.submit(placed["checkout_url"])
    first.kill()
    second = run("webhook_delay=60", f"--port={first.port}")
    assert second.base_url == first.base_url
    second.http.headers["Authorization"] = f"Bearer {login['access_token']}"
    assert second.order(key="k") == placed
    assert second.api("POST", "/auth/refresh", json={"refresh_token": login["refresh_token"]}).status_code == 200
    assert second.read(placed["order"]["id"])["status"] == "pending_payment"
    second.settle(61)
    assert second.read(placed["order"]["id"])["status"] == "completed"


def test_what_fell_due_meanwhile_is_done_before_the_first_request(run: Callable[..., Child]) -> None:
    first = run("order_completion_crash")
    first.login()
    order = first.paid()
    first.kill()
    second = run("webhook_duplicate")
    second.login()
    second.settle(2)
    assert second.read(order)["status"] == "completed"
    second.kill()
    third = run("refund_fails_late=0")
    third.login()
    assert third.refunded(order)["status"] == "refunded"
    third.kill()
    fourth = run("refund_fails_late=0")
    fourth.login()
    assert fourth.read(order)["status"] == "refund_failed"


def test_the_moved_clock_stays_moved(run: Callable[..., Child]) -> None:
    first = run()
    first.settle(24 * 3600)
    moved = first.http.get("/rehearsal/books").headers["Date"]
    first.kill()
    assert run().http.get("/rehearsal/books").headers["Date"][:16] == moved[:16]


def test_reset_forgets_everything(run: Callable[..., Child]) -> None:
    shop = run("vat_added=10")
    shop.login()
    shop.paid()
    answer = shop.http.post("/rehearsal/reset")
    assert answer.json()["orders"] == 0
    assert shop.api("GET", "/auth/me").status_code == 401
    shop.login()
    assert shop.order()["order"]["total_amount_cents"] == 500


def test_the_clock_takes_only_seconds_to_come(run: Callable[..., Child]) -> None:
    shop = run()
    for seconds in (-1, True, "1", None, 10**9):
        assert shop.http.post("/rehearsal/clock", json={"advance_seconds": seconds}).status_code == 400
    assert shop.http.post("/rehearsal/clock", content=b"{").status_code == 400
    assert shop.http.post("/rehearsal/clock", content=b'{"advance_seconds": NaN}').status_code == 400


def cannot_start(*arguments: str) -> str:
    command = [sys.executable, "-m", "veza_rehearsal", *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def test_what_cannot_start_says_why(run: Callable[..., Child], tmp_path: Path) -> None:
    contract = ("--contract", str(CONTRACT))
    database = ("--database", f"sqlite:///{tmp_path}/x.db")
    assert "no database mysql://" in cannot_start(*contract, "--database", "mysql://x")
    assert "No such file" in cannot_start("--contract", "nothing.yaml", *database)
    assert "fault switch webhook_delay needs its seconds" in cannot_start(
        *contract, *database, "--fault", "webhook_delay"
    )
    assert "address already in use" in cannot_start(*contract, *database, "--port", str(run().port)).lower()
    odd = tmp_path / "odd.yaml"
    odd.write_text("paths: {/x: {get: {operationId: unheardOf}}}\n", encoding="utf-8")
    assert "unheardOf" in cannot_start("--contract", str(odd), *database)
    for text in ("just a text\n", "paths: [\n", "paths: []\n"):
        odd.write_text(text, encoding="utf-8")
        assert "odd.yaml" in cannot_start("--contract", str(odd), *database)
    assert "nowhere" in cannot_start(*contract, "--database", f"sqlite:///{tmp_path}/nowhere/x.db")
    assert "odd.yaml" in cannot_start(*contract, "--database", f"sqlite:///{odd}")
    assert "refused" in cannot_start(*contract, "--database", "postgresql://127.0.0.1:1/x?connect_timeout=2")
