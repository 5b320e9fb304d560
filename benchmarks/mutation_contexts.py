"""A plugin for pytest: notes which lines of the runner each test ran, its fixtures included, and how long it took."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator
from pathlib import Path

import coverage
import pytest

_MAP = Path(os.environ["MUTATION_MAP"])  # read before the tests settle their own environment
_runner = coverage.Coverage(data_file=None, source=[os.environ["MUTATION_SOURCE"]], config_file=False)
_ROOT = Path(__file__).resolve().parents[1]
_took: dict[str, float] = {}


def pytest_configure() -> None:
    _runner.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    _runner.switch_context(item.nodeid)
    begun = time.perf_counter()
    try:
        return (yield)
    finally:
        _took[item.nodeid] = time.perf_counter() - begun
        _runner.switch_context("")


def pytest_unconfigure() -> None:
    _runner.stop()
    data = _runner.get_data()
    files = {
        str(Path(name).resolve().relative_to(_ROOT)): data.contexts_by_lineno(name) for name in data.measured_files()
    }
    _MAP.write_text(json.dumps({"took": _took, "files": files}), encoding="utf-8")
