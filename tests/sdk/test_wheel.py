"""The wheel stands on its own: two dependencies, complete types, and the suite on the lowest versions."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import Parser
from pathlib import Path

import pytest
from front_door import pay
from postgres import Server
from redis_server import RedisServer
from surroundings import PATIENCE

from veza.testing import EMAIL, PASSWORD, FakeBackend, serve

from .versions import ROOT, TOOLS, build, environment, installed, pins, run, suite

pytestmark = [pytest.mark.slow, pytest.mark.real_clock, pytest.mark.timeout(1800)]
LOWEST = {
    "httpx": "0.28.1", "httpx2": "2.0.0", "httpcore2": "2.0.0", "redis": "6.0.0",
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
    return environment("lowest", wheel, ("httpx2", "psycopg[binary]", "redis", *TOOLS), pins(LOWEST))


@pytest.fixture(scope="module")
def alone(wheel: Path) -> Path:
    """An environment with nothing but the SDK and what it needs."""
    return environment("alone", wheel, (), pins({}))


def test_the_sdk_needs_two_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith("METADATA")]
        needs = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist") or []
    plain = {re.split(r"[<>=!~\[ ;]", one)[0] for one in needs if "extra ==" not in one}
    assert plain == {"httpx", "pydantic"}
    assert {"veza/py.typed", "veza/openapi.json", "veza/openapi.yaml"} <= set(names)
    assert not any(name.startswith(("tests/", "sdk/")) for name in names)


def test_the_source_distribution_holds_what_packages_are_made_of(wheel: Path) -> None:
    (source,) = wheel.parent.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        tops = {name.split("/")[1] for name in archive.getnames()}
    made_of = {"sdk", "runner", "rehearsal", "templates", "docs"}
    about = {"CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "PKG-INFO", ".gitignore"}
    assert tops == made_of | about


def test_it_works_in_an_empty_environment(alone: Path, tmp_path: Path) -> None:
    assert not any(one.startswith("httpx2==") for one in installed(alone))
    with serve(FakeBackend()) as url:
        printed = run(alone / "python", "-W", "error", "-I", "-c", USE, url, EMAIL, PASSWORD, cwd=tmp_path)
    assert printed == "5.00 EUR pending_payment\n"


def test_the_first_steps_go_as_the_page_says(alone: Path, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "sdk" / "first-steps.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^```console\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (serving,) = [block for block in blocks if "rehearsal serve" in block]
    (first,) = [block.splitlines()[1:] for block in blocks if "buy.py" in block]
    with serving_rehearsal(tmp_path) as told:
        url = told.split()[5]
        assert told.replace(url, "http://127.0.0.1:8765") == serving.splitlines()[1]
        (tmp_path / "buy.py").write_text(program.replace("http://127.0.0.1:8765", url), encoding="utf-8")
        buying = subprocess.Popen(
            [alone / "python", "-I", "buy.py"], cwd=tmp_path, stdout=subprocess.PIPE, encoding="utf-8"
        )
        with buying:
            assert buying.stdout is not None
            lines = [buying.stdout.readline().rstrip("\n") for _ in first]
            assert lines[0] == first[0]
            assert lines[1].startswith(first[1].replace("http://127.0.0.1:8765/…", f"pay here: {url}/"[10:]))
            pay(lines[1].removeprefix("pay here: "))
            rest = buying.stdout.read()
        assert (buying.returncode, rest) == (0, blocks[-1])


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    redis, postgres = RedisServer(), Server()
    yield {"REDIS_URL": redis.url, "DATABASE_URL": postgres.empty("service")}
    redis.remove()
    postgres.remove()


TYPED = ("async", "auth", "errors", "httpx2", "index", "money", "pagination", "replicas", "retries", "testing")


@pytest.mark.parametrize("name", TYPED)
def test_a_pages_examples_run_as_a_reader_types_them(
    lowest: Path, servers: dict[str, str], tmp_path: Path, name: str
) -> None:
    page = (ROOT / "docs" / "sdk" / f"{name}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "page.py").write_text("\n".join(blocks), encoding="utf-8")
    python = lowest / "python"
    with subprocess.Popen(
        [python, "-I", "-m", "veza.testing"], cwd=tmp_path, stdout=subprocess.PIPE, encoding="utf-8"
    ) as backend:
        assert backend.stdout is not None
        told = [backend.stdout.readline() for _ in range(4)]
        given = dict(line.removeprefix("export ").rstrip("\n").split("=", 1) for line in told[:3])
        try:
            printed = run(python, "-I", "page.py", cwd=tmp_path, **given, **servers)
        finally:
            backend.send_signal(signal.SIGINT)
    assert backend.returncode == 0
    assert printed.splitlines() == re.findall(r"# -> (.*)$", "\n".join(blocks), re.MULTILINE)
    shown = (ROOT / "docs" / "sdk" / "index.md").read_text(encoding="utf-8")
    assert "".join(told).replace(given["VEZA_URL"], "http://127.0.0.1:40123") in shown
    examples = len(re.findall(r"^(?:async )?def test_", "\n".join(blocks), re.MULTILINE))
    if examples:
        assert f"{examples} passed" in run(python, "-I", "-m", "pytest", "-q", "page.py", cwd=tmp_path)


@contextmanager
def serving_rehearsal(folder: Path) -> Iterator[str]:
    """Type `veza-e2e rehearsal serve`, on a free port; gives the line that it prints."""
    command = [str(Path(sys.executable).parent / "veza-e2e"), "rehearsal", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, encoding="utf-8") as server:
        assert server.stdout is not None
        yield server.stdout.readline().rstrip("\n")
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=PATIENCE)


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
