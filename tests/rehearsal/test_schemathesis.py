"""schemathesis against the backend, over loopback: all phases, default checks; the same seed, the same bytes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from surroundings import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.conftest import Backend, Child

pytestmark = pytest.mark.process

CONTRACT = Path(__file__).parents[2] / "sdk" / "veza" / "openapi.yaml"


def examine(shop: Backend, folder: Path, examples: int) -> str:
    """Run schemathesis with the operator's token; gives what it printed."""
    settings = folder / "schemathesis.toml"
    settings.write_text("[generation]\ndeterministic = true\n", encoding="utf-8")
    token = shop.login()["access_token"]
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings), "run", str(CONTRACT)]
    command += ["--url", f"{shop.base_url}/api/v1", "--header", f"Authorization: Bearer {token}"]
    command += ["--max-examples", str(examples), "--no-color", "--workers", "1"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=folder, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_contract_holds_in_every_phase_and_the_same_seed_gives_the_same_bytes(
    run: Callable[..., Child], tmp_path: Path
) -> None:
    logs = []
    port = 0
    for turn in ("first", "second"):
        folder = tmp_path / turn
        folder.mkdir()
        shop = run("--seed=7", f"--port={port}", database=f"sqlite:///{folder}/rehearsal.db")
        port = shop.port
        printed = examine(shop, folder, 6)
        assert re.search(r"(\d+) generated, \1 passed", printed), printed
        for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
            assert f"✅ {phase}" in printed, printed
        shop.kill()
        logs.append(shop.log.read_bytes())
        shop.log.unlink()
    # Each line holds the digest of its answer.
    assert len(logs[0].splitlines()) > 300
    assert logs[0] == logs[1]


def test_another_seed_gives_other_ids_and_no_seed_random_ones(run: Callable[..., Child], tmp_path: Path) -> None:
    def first_order(name: str, *options: str) -> str:
        shop = run(*options, database=f"sqlite:///{tmp_path}/{name}.db")
        shop.login()
        order_id: str = shop.order()["order"]["id"]
        shop.kill()
        return order_id

    seeded = first_order("a", "--seed=7")
    assert first_order("b", "--seed=7") == seeded
    assert first_order("c", "--seed=8") != seeded
    assert first_order("d") not in {seeded, first_order("e")}


def test_a_seeded_restart_repeats_no_id(run: Callable[..., Child]) -> None:
    ids = []
    for _ in range(2):
        shop = run("--seed=7")
        shop.login()
        ids.append(shop.order()["order"]["id"])
        shop.kill()
    assert ids[0] != ids[1]


def test_a_seeded_reset_begins_anew(run: Callable[..., Child]) -> None:
    shop = run("--seed=7")
    orders = []
    for _ in range(2):
        shop.login()
        orders.append(shop.order())
        shop.http.post("/rehearsal/reset")
    assert orders[0] == orders[1]
