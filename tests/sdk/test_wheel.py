"""The wheel stands on its own: two dependencies, complete types, and the suite on the lowest versions."""

from __future__ import annotations

import os
import re
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from veza.testing import EMAIL, PASSWORD, FakeBackend, serve

from .versions import TOOLS, build, environment, installed, pins, run, suite

pytestmark = [pytest.mark.slow, pytest.mark.real_clock, pytest.mark.timeout(1800)]
LOWEST = {
    "httpx": "0.28.1", "httpx2": "2.0.0", "httpcore2": "2.0.0",
    **({"pydantic": "2.11.0", "pydantic_core": "2.33.0"} if sys.version_info < (3, 14)
       else {"pydantic": "2.12.0", "pydantic_core": "2.41.1"}),  # the first for Python 3.14
}  # fmt: skip
USE = """
import sys, veza
url, email, password = sys.argv[1:]
assert not {"veza_e2e", "yaml", "httpx2"} & sys.modules.keys()
with veza.Veza(url, email=email, password=password) as client:
    print(client.products.get("11").price, client.orders.create(["11"]).order.status)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def lowest(wheel: Path) -> Path:
    return environment("lowest", wheel, ("httpx2", *TOOLS), pins(LOWEST))


def test_the_sdk_needs_two_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith("METADATA")]
        needs = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist") or []
    plain = {re.split(r"[<>=!~\[ ;]", one)[0] for one in needs if "extra ==" not in one}
    assert plain == {"httpx", "pydantic"}
    assert {"veza/py.typed", "veza/openapi.json", "veza/openapi.yaml"} <= set(names)
    assert not any(name.startswith(("tests/", "sdk/")) for name in names)


def test_it_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    programs = environment("alone", wheel, (), pins({}))
    assert not any(one.startswith("httpx2==") for one in installed(programs))
    with serve(FakeBackend()) as url:
        printed = run(programs / "python", "-W", "error", "-I", "-c", USE, url, EMAIL, PASSWORD, cwd=tmp_path)
    assert printed == "5.00 EUR pending_payment\n"


def test_the_suite_passes_on_the_lowest_versions(lowest: Path, tmp_path: Path) -> None:
    wanted = {line.partition(" ")[0] for line in pins(LOWEST).splitlines()}
    assert installed(lowest) - wanted == set(), "a version that no constraint pins changes with the day"
    assert {f"{name}=={version}" for name, version in LOWEST.items()} <= installed(lowest)
    # Where all other tests run on the lowest httpx, it is not what differs.
    only = ("-k", "httpx2 or not httpx") if f"httpx=={LOWEST['httpx']}" in pins({}).splitlines() else ()
    assert " passed" in suite(lowest, tmp_path, "--hypothesis-profile=brief", *only)


def test_the_types_are_complete(lowest: Path, tmp_path: Path) -> None:
    path = f"{lowest}{os.pathsep}{os.environ['PATH']}"
    command = (sys.executable, "-m", "pyright", "--verifytypes", "veza", "--ignoreexternal")
    printed = run(*command, cwd=tmp_path, VIRTUAL_ENV=str(lowest.parent), PATH=path)
    assert "Type completeness score: 100%" in printed
