"""The fixture for other SDK code: a recorded backend, strict, without a socket."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from surroundings import PATIENCE

from veza import ConflictError, Veza
from veza.testing import EMAIL, PASSWORD, FakeBackend, serve
from veza_e2e.testing import Mismatch, record, replay

ROOT = Path(__file__).parents[2]
TOKEN = "{{access_token:"


def buy(client: Veza) -> int:
    """Buy the first product: the code of some shop."""
    product = next(iter(client.products.list()))
    created = client.orders.create(items=[product.id])
    with pytest.raises(ConflictError):
        client.orders.refund(created.order.id, reason="changed my mind")
    return client.orders.get(created.order.id).total_amount_cents


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A recording of it."""
    with (
        serve(FakeBackend()) as url,
        record(tmp_path / "purchase", base_url=url, email=EMAIL, password=PASSWORD, idempotency=True) as backend,
    ):
        assert buy(backend.client) > 0
    return tmp_path / "purchase"


def test_what_was_recorded_answers_again_and_holds_no_secret(recorded: Path) -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in recorded.iterdir()}
    assert set(kept) == {"cassette.json", "tape.jsonl"}
    assert not any(secret in text for text in kept.values() for secret in (EMAIL, PASSWORD, "127.0.0.1"))
    assert TOKEN in kept["cassette.json"]
    with replay(recorded) as backend:
        assert buy(backend.client) > 0


def test_other_calls_are_a_mismatch(recorded: Path) -> None:
    with pytest.raises(Mismatch, match="interaction 1"), replay(recorded) as backend:
        backend.client.licenses.mine()


def test_calls_that_are_left_out_are_a_mismatch(recorded: Path) -> None:
    with pytest.raises(Mismatch, match="ended early"), replay(recorded) as backend:
        next(iter(backend.client.products.list()))


def test_a_step_of_a_walkthrough_can_be_played_alone() -> None:
    with replay(ROOT / "cassettes" / "refund", steps=("products",)) as backend:
        (page,) = backend.client.products.list(limit=100).pages()
        assert {product.currency for product in page.data} >= {"EUR"}


@pytest.mark.process
def test_the_fixture_plays_a_cassette_to_its_end(recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["veza_e2e.testing"]\n', encoding="utf-8")
    (tmp_path / "test_shop.py").write_text(
        f"def test_all(veza_cassette):\n"
        f"    client = veza_cassette({str(recorded)!r}).client\n"
        f"    product = next(iter(client.products.list()))\n"
        f"    created = client.orders.create(items=[product.id])\n"
        f"    try:\n"
        f"        client.orders.refund(created.order.id, reason='changed my mind')\n"
        f"    except Exception:\n"
        f"        client.orders.get(created.order.id)\n"
        f"\n"
        f"def test_too_little(veza_cassette):\n"
        f"    next(iter(veza_cassette({str(recorded)!r}).client.products.list()))\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert "2 passed, 1 error" in done.stdout, done.stdout
    assert "the walkthrough ended early" in done.stdout
