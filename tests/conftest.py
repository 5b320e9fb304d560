"""For all tests: surroundings that are the same everywhere, and a test that starts a process says so.

`make quick` runs every test that starts no process. A test that does is marked `process`, by itself or by a fixture
named here; one that starts a process without it fails. Hypothesis draws the same examples in each run of the same tests
and keeps no database; `build` holds what it caches.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Generator
from pathlib import Path

import amount
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir
from surroundings import settle_in

settle_in()  # before any test module is imported
_tables = Path(__file__).parents[1] / "build" / "hypothesis"
set_hypothesis_home_dir(_tables)
os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(_tables)  # for the generators in child processes
_hurry = [HealthCheck.too_slow]  # a busy machine says nothing about the code
settings.register_profile("suite", deadline=None, database=None, derandomize=True, suppress_health_check=_hurry)
settings.register_profile("brief", settings.get_profile("suite"), max_examples=6)
settings.register_profile("quarter", settings.get_profile("suite"), max_examples=25)
settings.register_profile("thorough", settings.get_profile("suite"), max_examples=1000, derandomize=False)
settings.load_profile("suite")

STARTERS = frozenset({"adapted", "browser", "dsn", "key", "page", "project", "run", "server", "site", "wheel"})
"""Fixtures that start processes."""
_EVENTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"})
LONGEST = (
    "sdk/test_wheel.py", "site/test_pages.py", "simulator/test_histories.py", "journeys/test_crash.py",
    "contract/test_drill.py", "sdk/test_replicas.py", "sdk/test_servers.py",
)  # fmt: skip
"""Files that take the longest. They come first, so that none is left at the end while a core has nothing to do."""
_running: list[pytest.Item] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--brief", action="store_true", help="a quarter of the examples that could go on for ever")
    parser.addoption("--shuffle", type=int, metavar="SEED", help="files, and tests within a file, in random order")


def pytest_configure(config: pytest.Config) -> None:
    brief = bool(config.getoption("--brief"))
    amount.choose(brief=brief)
    if brief:
        settings.load_profile("quarter")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests whose fixtures start processes; shuffle them if a seed is given."""
    for item in items:
        if STARTERS & set(getattr(item, "fixturenames", ())) - parameters(item):
            item.add_marker(pytest.mark.process)
    if (seed := config.getoption("--shuffle")) is not None:
        shuffle(items, random.Random(seed))
        return
    ranks = {Path(__file__).parent / name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


def parameters(item: pytest.Item) -> set[str]:
    """The names of a test's own parameters: one may be called as a fixture is, and is none."""
    told = [mark.args[0] for mark in item.iter_markers("parametrize") if not mark.kwargs.get("indirect")]
    return {name.strip() for names in told for name in (names.split(",") if isinstance(names, str) else names)}


def shuffle(items: list[pytest.Item], chance: random.Random) -> None:
    by_file: dict[Path, list[pytest.Item]] = {}
    for item in items:
        by_file.setdefault(item.path, []).append(item)
    files = list(by_file.values())
    chance.shuffle(files)
    for file in files:
        chance.shuffle(file)
    items[:] = [item for file in files for item in file]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Know which test runs, its fixtures included."""
    _running[:] = [item]
    try:
        return (yield)
    finally:
        _running.clear()


def _refuse_unmarked(event: str, _arguments: tuple[object, ...]) -> None:
    if event in _EVENTS and _running and _running[0].get_closest_marker("process") is None:
        raise RuntimeError(f"{_running[0].nodeid} starts a process: mark it with @pytest.mark.process")


sys.addaudithook(_refuse_unmarked)
