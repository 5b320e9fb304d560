"""A user's program is understood by mypy --strict and by pyright, and its mistakes are found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

HERE = Path(__file__).parent
CHECKERS = {
    "mypy": ("-m", "mypy", "--strict", "--no-error-summary"),
    "pyright": ("-m", "pyright", "--pythonpath", sys.executable),
}
MISTAKES = """
import veza

client = veza.Veza("http://veza.test", retries=3)
client.orders.get(41)
client.orders.create(["11"]).order.total + 5
client.products.list(limit="20")
client.orders.refund("1")
client.orders.get("1", time_out=3)
veza.Veza.from_env(retries=3)
veza.Vexa("http://veza.test")
veza.modells
veza.SharedLogin(client, veza.AsyncFileTokenStore("login"))
veza.AsyncSharedLogin(client, veza.FileTokenStore("login"))
veza.stores.redis.RedisTokenStore("redis://127.0.0.1", ttl=3)
veza.stores.postgres.PostgresTokenStore(3)
for product in client.products.list():
    product.cost
"""


def checked(name: str, path: Path) -> str:
    command = [sys.executable, *CHECKERS[name], str(path)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=HERE.parents[1]).stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKERS)
def test_a_typed_program_passes(name: str) -> None:
    assert "error" not in checked(name, HERE / "typed_use.py").replace("0 errors", "")


@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKERS)
def test_mistakes_are_found(name: str, tmp_path: Path) -> None:
    program = tmp_path / "mistakes.py"
    program.write_text(MISTAKES, encoding="utf-8")
    printed = checked(name, program)
    lines = MISTAKES.splitlines()
    for number, line in enumerate(lines, start=1):
        if line and not line.startswith(("import", "for")):
            assert f"mistakes.py:{number}:" in printed, line
