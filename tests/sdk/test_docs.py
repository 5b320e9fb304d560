"""The documentation holds: every example runs and prints what it says, every public name is described."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from postgres import Server
from redis_server import RedisServer

import veza
import veza.testing
from veza import _operations
from veza._async.auth import AsyncAuth
from veza._async.licenses import AsyncLicenses
from veza._async.orders import AsyncOrders
from veza._async.products import AsyncProducts
from veza._async.system import AsyncSystem
from veza._sync import postgres_store
from veza.testing import serve
from veza.testing._obliging import ObligingBackend

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs" / "sdk"
PAGES = sorted(path.name for path in DOCS.glob("*.md"))
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
TOLD = re.compile(r"# -> (.*)$", re.MULTILINE)
WITHOUT_EXAMPLES = ("benchmarks.md", "first-steps.md", "reading.md", "replicas-measured.md")
WITH_SERVERS = ("replicas.md",)
RESOURCES = (AsyncSystem, AsyncAuth, AsyncProducts, AsyncOrders, AsyncLicenses)


def test_every_page_is_there() -> None:
    wanted = "async auth benchmarks errors first-steps httpx2 index money pagination reading reference replicas retries"
    found = [name.removesuffix(".md") for name in PAGES if not re.search("reference-|-measured", name)]
    assert found == [*wanted.split(), "testing"]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    redis, postgres = RedisServer(), Server()
    yield {"REDIS_URL": redis.url, "DATABASE_URL": postgres.empty("service")}
    redis.remove()
    postgres.remove()


def test_the_documented_table_is_the_one_that_is_made() -> None:
    page = (DOCS / "replicas.md").read_text(encoding="utf-8")
    (documented,) = re.findall(r"^```sql\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert documented.split() == postgres_store._CREATE.format(table="veza_login").split()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.process] if name in WITH_SERVERS else [])
        for name in PAGES
        if name not in WITHOUT_EXAMPLES and not name.startswith("reference")
    ],
)
def test_the_examples_run_and_print_what_they_say(
    name: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert blocks
    backend = ObligingBackend()
    scope: dict[str, Any] = {"__name__": "example"}
    printed = io.StringIO()
    for variable, value in request.getfixturevalue("servers").items() if name in WITH_SERVERS else ():
        monkeypatch.setenv(variable, value)
    with serve(backend) as url, contextlib.redirect_stdout(printed):
        monkeypatch.setenv("VEZA_URL", url)
        monkeypatch.setenv("OPERATOR_EMAIL", backend.email)
        monkeypatch.setenv("OPERATOR_PASSWORD", backend.password)
        for block in blocks:
            exec(compile(block, str(DOCS / name), "exec"), scope)
        for example in [value for key, value in scope.items() if key.startswith("test_")]:
            example(**{fixture: request.getfixturevalue(fixture) for fixture in inspect.signature(example).parameters})
    expected = [line for block in blocks for line in TOLD.findall(block)]
    lines = printed.getvalue().splitlines()
    assert lines == expected


def test_every_public_name_is_in_the_reference() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in DOCS.glob("reference*.md"))
    listed = set(re.findall(r"^::: veza\.(\w+)$", text, re.MULTILINE))
    errors = {name for name in veza.__all__ if name.endswith("Error")}
    assert listed - {"errors", "testing"} == set(veza.__all__) - errors - {"__version__"}
    assert {"errors", "testing"} <= listed


def test_every_public_name_is_documented() -> None:
    silent = []
    for name in sorted(set(veza.__all__) - {"__version__"}):
        thing = getattr(veza, name)
        members = {f"{name}.{member}": value for member, value in vars(thing).items() if not member.startswith("_")}
        told = {name: thing} | {
            place: value for place, value in members.items() if inspect.isfunction(value) or isinstance(value, property)
        }
        silent += [place for place, value in told.items() if not inspect.getdoc(value)]
    assert silent == []


def test_every_name_for_tests_is_documented() -> None:
    named = {name: getattr(veza.testing, name) for name in veza.testing.__all__}
    assert [name for name, thing in named.items() if not isinstance(thing, str) and not inspect.getdoc(thing)] == []


def test_every_operation_has_one_method_that_names_it() -> None:
    named = []
    for resource in RESOURCES:
        for name, method in inspect.getmembers(resource, inspect.isfunction):
            if name.startswith("_"):
                continue
            doc = inspect.getdoc(method) or ""
            operations = re.findall(r"\(operation (\w+)\)", doc)
            assert len(operations) == 1, name
            if not name.startswith("wait_"):
                named += operations
            assert "Raises:" in doc, name
            for argument in set(inspect.signature(method).parameters) - {"self"}:
                assert re.search(rf"^ +{argument}: ", doc, re.MULTILINE), f"{name}({argument})"
    assert sorted(named) == sorted(_operations.OPERATIONS)


def test_every_field_of_a_model_is_described() -> None:
    for name in veza.__all__:
        thing = getattr(veza, name)
        if isinstance(thing, type) and hasattr(thing, "model_fields"):
            source = inspect.getsource(thing)
            for field in thing.model_fields:
                assert re.search(rf'^    {field}: .*\n    """\S', source, re.MULTILINE), f"{name}.{field}"


def test_the_options_of_both_clients_are_described() -> None:
    for kind in (veza.Veza, veza.AsyncVeza):
        doc = inspect.getdoc(kind) or ""
        for argument in inspect.signature(kind).parameters:
            assert re.search(rf"^ +{argument}: ", doc, re.MULTILINE), argument
    hints = typing.get_type_hints(veza.Money)
    assert hints["minor"] is int
