"""The tree keeps its own rules: sizes, names, who reads the environment, what no committed file may hold."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from surroundings import PATIENCE

ROOT = Path(__file__).parents[2]
ROOMS = ("sdk/veza/", "runner/veza_contract/", "runner/veza_e2e/", "rehearsal/veza_rehearsal/")
EDGES = {
    "runner/veza_e2e/config.py", "runner/veza_e2e/child.py", "runner/veza_e2e/cli/lean.py",
    "rehearsal/veza_rehearsal/__main__.py", "runner/veza_contract/witness.py",
    "sdk/veza/_async/options.py", "sdk/veza/_sync/options.py",
}  # fmt: skip
"""Where the environment's variables are read, or handed on to a child process."""
LONGEST_MODULE, LONGEST_FUNCTION = 320, 60


def committed() -> tuple[str, ...]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    return tuple(name for name in done.stdout.split("\0") if name and (ROOT / name).is_file())


COMMITTED = committed()


def ours() -> list[str]:
    return [name for name in COMMITTED if name.startswith(ROOMS) and name.endswith(".py")]


@cache
def texts() -> dict[str, str]:
    found = {}
    for name in COMMITTED:
        data = (ROOT / name).read_bytes()
        if b"\0" not in data:
            found[name] = data.decode("utf-8", "replace")
    return found


def tree_of(name: str) -> ast.Module:
    return ast.parse(texts()[name])


def test_there_is_something_to_look_at() -> None:
    assert len(ours()) > 100


def test_no_module_is_long() -> None:
    long = {name: count for name in ours() if (count := len(texts()[name].splitlines())) > LONGEST_MODULE}
    assert long == {}


def test_no_function_is_long() -> None:
    long = [
        f"{name}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1}"
        for name in ours()
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_every_module_can_say_what_it_is_for() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "base", "core", "stuff"}
    assert [name for name in ours() if Path(name).stem in vague] == []
    assert [name for name in ours() if texts()[name].strip() and ast.get_docstring(tree_of(name)) is None] == []


def reads_environment(name: str) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}
        for node in ast.walk(tree_of(name))
    )


def test_the_environment_is_read_at_the_edge_only() -> None:
    assert {name for name in ours() if reads_environment(name)} <= EDGES


def test_a_packages_init_exports_and_does_nothing_else() -> None:
    allowed = ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign | ast.Expr | ast.If
    for name in ours():
        for node in tree_of(name).body if Path(name).name == "__init__.py" else ():
            lazy = isinstance(node, ast.FunctionDef) and node.name in {"__getattr__", "__dir__"}
            assert isinstance(node, allowed) or lazy, f"{name}:{node.lineno}"


def names_no_encoding(call: ast.Call) -> bool:
    """Whether a call reads or writes text in whatever encoding the locale has."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    words = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if "encoding" in given:
        return False
    if name in {"read_text", "write_text"}:
        return len(call.args) < (1 if name == "read_text" else 2)
    if name in {"open", "TemporaryFile", "NamedTemporaryFile"} and not isinstance(given.get("mode"), ast.Constant):
        bare = name == "open" and not call.args and isinstance(call.func, ast.Attribute)
        return bare or any(re.fullmatch(r"[rwax]\+?t?", word) for word in words)
    switches = (given.get(word) for word in ("text", "universal_newlines"))
    return any(isinstance(switch, ast.Constant) and switch.value is True for switch in switches)


def test_no_text_is_read_or_written_in_the_locales_encoding() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name in COMMITTED
        if name.endswith(".py")
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.Call) and names_no_encoding(node)
    ]
    assert found == []


def test_nothing_is_left_to_do() -> None:
    word = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
    sources = {n: t for n, t in texts().items() if n.endswith((".py", ".md", ".toml", ".yaml", ".yml", ".sh", ".j2"))}
    assert [name for name, text in sources.items() if word.search(text)] == []


def test_no_committed_file_names_a_machine_or_a_package_registry() -> None:
    hosts = ["pypi" + ".org", "files.python" + "hosted.org", "registry.npm" + "js.org", "proxy.golang" + ".org"]
    places = re.compile(
        "|".join(
            [
                *map(re.escape, hosts),
                r"(?<![\w.])/wo" + r"rk/",
                r"/ro" + r"ot/",
                r"/tm" + r"p/bash_jobs",
                r"/home/[a-z]+/",
            ]
        )
    )
    assert [f"{name}: {found[0]}" for name, text in texts().items() if (found := places.search(text))] == []


LEAK_TESTS = re.compile(r"^tests/|^docs/(reference|explanation)/redaction|^sdk/veza/testing/")
SECRETS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n",
    "a JSON web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "a processor's key": r"\b(?:snd|prd|dev|sk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9]{24,}\b",
    "a forge's token": r"\b(?:ghp|gho|glpat)[_-][A-Za-z0-9_-]{20,}\b",
    "a cloud's key": r"\bAKIA[0-9A-Z]{16}\b",
    "a password in an address": r"[a-z]+://[^\s/:@\"'<>{}]+:[^\s/:@\"'<>{}$*]+@(?!example|127\.)[a-z]",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_no_committed_file_holds_a_secret(kind: str) -> None:
    pattern = re.compile(SECRETS[kind])
    held = [
        f"{name}: {found[0][:60]}"
        for name, text in texts().items()
        if not LEAK_TESTS.match(name) and (found := pattern.search(text))
    ]
    assert held == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("a private key", "-----BEGIN " + "PRIVATE KEY-----\n"), ("a forge's token", "ghp" + "_" + "a1" * 18),
        ("a processor's key", "snd" + "_" + "a1" * 16), ("a cloud's key", "AK" + "IA" + "A1" * 8),
        ("a password in an address", "postgres://ada:pw@db.internal/veza"),
        ("a JSON web token", "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0NTY3OD" + ".c2lnbmF0dXJlLXZhbHVl"),
    ],
)  # fmt: skip
def test_the_search_for_secrets_can_fail(kind: str, text: str) -> None:
    assert re.search(SECRETS[kind], text)


@pytest.mark.process
def test_the_sdk_alone_loads_nothing_of_the_runner() -> None:
    code = "import sys, veza; print([name for name in sys.modules if name.startswith(('veza_e2e', 'veza_rehearsal'))])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=PATIENCE, check=True
    )
    assert done.stdout == "[]\n"


def test_one_module_knows_the_rehearsal_backend() -> None:
    imports = re.compile(r"^\s*(?:import|from) veza_rehearsal", re.MULTILINE)
    knowing = [name for name in ours() if name.startswith("runner/") and imports.search(texts()[name])]
    assert knowing == ["runner/veza_e2e/rehearsal_process.py"]


def test_the_modes_are_told_apart_where_the_parts_are_chosen() -> None:
    clocks = re.compile(r"\b(?:time\.(?:time|sleep|monotonic)|datetime\.now|datetime\.utcnow|random\.|uuid\.uuid4)\b")
    steps = [name for name in ours() if "/steps/" in name or "/engine/" in name]
    assert len(steps) > 5
    assert [name for name in steps if name.startswith("runner/") and clocks.search(texts()[name])] == []
