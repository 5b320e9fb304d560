"""What is public, what is generated, and what an import loads."""

from __future__ import annotations

import gc
import inspect
import json
import re
import subprocess
import sys
import typing
from importlib.metadata import entry_points, version
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from benchmarks import bench_sdk_memory

import veza
from veza import _operations
from veza._async.client import AsyncVeza
from veza._sync.client import Veza

ROOT = Path(__file__).parents[2]
PROMISED = (
    "base_url", "email", "password", "access_token", "refresh_token", "timeout", "max_retries", "idempotency",
    "http_client", "clock",
)  # fmt: skip


def printed_by(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout


@pytest.mark.process
def test_derived_files_are_what_would_be_written() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "sdk" / "generate.py", "--check"], capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.process
def test_a_stale_file_is_noticed(tmp_path: Path) -> None:
    copy = tmp_path / "sdk"
    for name in ("generate.py", "veza/openapi.yaml", "veza/_async/orders.py"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((ROOT / "sdk" / name).read_bytes())
    command = [sys.executable, str(copy / "generate.py")]
    assert subprocess.run([*command, "--check"], capture_output=True, check=False).returncode == 1
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert subprocess.run([*command, "--check"], capture_output=True, check=False).returncode == 0


def test_the_contract_as_json_is_the_contract() -> None:
    package = files("veza")
    written = yaml.safe_load(package.joinpath("openapi.yaml").read_text(encoding="utf-8"))
    assert json.loads(package.joinpath("openapi.json").read_text(encoding="utf-8")) == written


def test_the_table_has_every_operation() -> None:
    contract = json.loads(files("veza").joinpath("openapi.json").read_text(encoding="utf-8"))
    told = {
        one["operationId"]: (method.upper(), path)
        for path, item in contract["paths"].items()
        for method, one in item.items()
        if isinstance(one, dict) and "operationId" in one
    }
    assert {name: (one.method, one.path) for name, one in _operations.OPERATIONS.items()} == told


def test_the_promised_signatures() -> None:
    for kind in (Veza, AsyncVeza):
        parameters = inspect.signature(kind).parameters
        assert tuple(parameters)[: len(PROMISED)] == PROMISED
        assert parameters["base_url"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for name, one in parameters.items() if name != "base_url")
        assert (parameters["timeout"].default, parameters["max_retries"].default) == (30.0, 2)


def members(kind: Any) -> dict[str, Any]:
    found = {name: value for name, value in vars(kind).items() if not name.startswith("_")}
    return {re.sub("^aclose$", "close", name): value for name, value in found.items()}


@pytest.mark.parametrize("resource", ["client", "system", "auth", "products", "orders", "licenses"])
def test_both_clients_have_the_same_names_and_arguments(resource: str) -> None:
    name = "Veza" if resource == "client" else resource.capitalize()
    one = getattr(__import__(f"veza._sync.{resource}", fromlist=[name]), name)
    two = getattr(__import__(f"veza._async.{resource}", fromlist=[name]), f"Async{name}")
    assert members(one).keys() == members(two).keys()
    for member, value in members(one).items():
        if inspect.isfunction(value):
            both = [list(inspect.signature(which).parameters.values()) for which in (value, members(two)[member])]
            assert [(p.name, p.kind, p.default) for p in both[0]] == [(p.name, p.kind, p.default) for p in both[1]]


@pytest.mark.process
def test_exports_are_sorted_complete_and_lazy() -> None:
    assert veza.__all__ == sorted(veza.__all__)
    modules = ["errors", "hooks", "models", "money", "stores", "testing", "tokens"]
    assert dir(veza) == sorted([*veza.__all__, *modules])
    assert all(getattr(veza, name) is not None for name in veza.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = veza.nothing  # type: ignore[attr-defined]
    assert printed_by("import sys, veza; print({'httpx', 'pydantic'} & sys.modules.keys())") == "set()\n"


@pytest.mark.process
def test_submodules_are_there_after_an_import() -> None:
    names = ["errors", "hooks", "models", "money", "stores", "testing", "tokens"]
    code = f"import veza; print(*(getattr(veza, name).__name__ for name in {names}))"
    assert printed_by(code).split() == [f"veza.{name}" for name in names]


def test_the_hints_of_a_client_are_there_at_run_time() -> None:
    for kind in (Veza, AsyncVeza):
        hints = typing.get_type_hints(kind.__init__)
        assert hints["password"] == str | veza.Secret | None
        assert hints["hooks"] == veza.Hooks | None
        assert typing.get_type_hints(kind.with_options)["deadline"] == float | None
        assert "options" in typing.get_type_hints(kind.from_env)
    assert typing.get_type_hints(veza.Attempt)["error"] == veza.VezaError | None


@pytest.mark.parametrize("client", [veza.Veza("http://veza.test"), veza.AsyncVeza("http://veza.test")])
@pytest.mark.parametrize("resource", ["auth", "licenses", "orders", "products", "system"])
def test_the_hints_of_every_method_can_be_read_at_run_time(client: Any, resource: str) -> None:
    kind = type(getattr(client, resource))
    methods = [value for name, value in vars(kind).items() if not name.startswith("_")]
    assert methods
    for method in methods:
        assert "return" in typing.get_type_hints(method)


@pytest.mark.parametrize("name", sorted(veza.__all__))
def test_the_hints_of_every_public_class_can_be_read_at_run_time(name: str) -> None:
    public = getattr(veza, name)
    if isinstance(public, type):
        typing.get_type_hints(public)
        typing.get_type_hints(vars(public).get("__init__", object))


@pytest.mark.parametrize("name", ["SharedLogin", "FileTokenStore", "RedisTokenStore", "PostgresTokenStore"])
@pytest.mark.parametrize("prefix", ["", "Async"])
def test_the_hints_of_what_replicas_share_can_be_read_at_run_time(name: str, prefix: str) -> None:
    homes = {"RedisTokenStore": veza.stores.redis, "PostgresTokenStore": veza.stores.postgres}
    kind = getattr(homes.get(name, veza), prefix + name)
    methods = [value for one in kind.__mro__ for value in vars(one).values() if inspect.isfunction(value)]
    assert len(methods) > 2
    for method in methods:
        typing.get_type_hints(method)


@pytest.mark.process
def test_a_client_builds_no_model_and_a_call_only_its_own() -> None:
    code = (
        "import sys, veza; from veza.testing import *; c = connect(FakeBackend());"
        "print(sorted(m for m in sys.modules if m.startswith('veza.models.'))); c.products.get('11');"
        "print(sorted(m for m in sys.modules if m.startswith('veza.models.')), 'veza._async.client' in sys.modules)"
    )
    assert printed_by(code) == "[]\n['veza.models._base', 'veza.models.paging', 'veza.models.products'] False\n"


@pytest.mark.process
def test_an_import_loads_neither_the_runner_nor_the_helpers_for_tests() -> None:
    code = "import sys; from veza import *; print([m for m in sys.modules if m.startswith(('veza_', 'veza.testing'))])"
    assert printed_by(code) == "[]\n"
    code = "import sys; import veza.stores, veza.tokens; print({'redis', 'psycopg', 'asyncio'} & sys.modules.keys())"
    assert printed_by(code) == "set()\n"
    code = "import sys, veza.testing; print([m for m in sys.modules if m.startswith(('veza_', 'pytest', 'yaml'))])"
    assert printed_by(code) == "[]\n"


def test_the_version_is_that_of_the_distribution() -> None:
    assert veza.__version__ == version("veza")


def test_the_pytest_plugin_is_registered() -> None:
    (entry,) = entry_points(group="pytest11", name="veza")
    assert entry.value == "veza.testing.plugin"


def test_no_module_is_long() -> None:
    for path in (ROOT / "sdk" / "veza").rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 320, path.name


def test_calls_from_eight_threads_leave_nothing_behind() -> None:
    """Each call brings something new: an id, a status, a field, an error, now and then a renewed login."""
    http = httpx.Client(transport=httpx.MockTransport(bench_sdk_memory.answer))
    client = veza.Veza("http://veza.test", email="e@veza.test", password="p", http_client=http, max_retries=0)

    def after(calls: int) -> tuple[int, int]:
        bench_sdk_memory.rounds(client, calls)
        gc.collect()
        return len(gc.get_objects()), sys.getallocatedblocks()

    before = after(640)
    objects, blocks = (now - then for now, then in zip(after(800), before, strict=True))
    assert objects < 5
    assert blocks < 800 * 1.2  # pydantic keeps the last 16,384 texts
