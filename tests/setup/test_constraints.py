"""One constraints.txt serves every promised Python: how pins are merged, and what the pins of today admit."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from tools.constraints import Package, Resolution, admitted, merge, pins, promised, read_report, requirements

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OLDEST = ("3.11.0", "3.11.2", "3.12.0", "3.13.0", "3.14.0")
"""The first release of each promised Python, and Debian 12's."""


def resolution(python: str, **versions: str) -> Resolution:
    packages = {name: Package(name, version, "") for name, version in versions.items()}
    return Resolution(tuple(map(int, python.split("."))), "23.0.1", packages, 0.0)


def environment(python: str) -> dict[str, str]:
    return {"python_full_version": python, "python_version": python.rpartition(".")[0]}


def test_a_pin_that_all_pythons_share_has_no_marker() -> None:
    assert merge([resolution("3.12.1", six="1.17"), resolution("3.11.2", six="1.17")]) == ["six==1.17"]


def test_a_package_that_some_pythons_do_not_need_is_pinned_for_all() -> None:
    assert merge([resolution("3.11.2", zipp="4.1"), resolution("3.12.1")]) == ["zipp==4.1"]


def test_a_difference_between_minor_versions_begins_with_the_newer_ones_first_release() -> None:
    lines = merge([resolution("3.11.7", six="1"), resolution("3.12.1", six="2"), resolution("3.13.0", six="2")])
    assert lines == ['six==1 ; python_version < "3.12"', 'six==2 ; python_version >= "3.12"']


def test_a_difference_within_a_minor_version_begins_where_it_was_seen() -> None:
    lines = merge([resolution("3.11.2", six="1"), resolution("3.11.7", six="2"), resolution("3.14.1", six="3")])
    assert lines == [
        'six==1 ; python_full_version < "3.11.7"',
        'six==2 ; python_full_version >= "3.11.7" and python_version < "3.14"',
        'six==3 ; python_version >= "3.14"',
    ]


@pytest.mark.parametrize("python", OLDEST)
def test_each_python_has_at_most_one_pin_of_a_package(python: str) -> None:
    read = map(Requirement, pins())
    names = [pin.name for pin in read if pin.marker is None or pin.marker.evaluate(environment(python))]
    assert sorted(names) == sorted(set(names))


def test_pips_report_is_read() -> None:
    report = {
        "pip_version": "23.0.1",
        "environment": {"python_full_version": "3.11.2"},
        "install": [
            {"metadata": {"name": "Jinja2", "version": "3.1.6", "requires_python": ">=3.7"}},
            {"metadata": {"name": "pytz", "version": "1"}},
        ],
    }
    read = read_report(report)
    assert (read.python, read.packages["jinja2"].requires_python) == ((3, 11, 2), ">=3.7")
    assert merge([read]) == ["Jinja2==3.1.6", "pytz==1"]


def test_a_pin_that_refuses_a_python_is_left_out_on_it() -> None:
    known = [Package("pymdown-extensions", "13.1", ">=3.11.5")]
    lines = ["pymdown_extensions==13.1", "pymdown-extensions==12.3", "six==1.17"]
    assert list(admitted(lines, (3, 11, 2), known)) == lines[1:]
    assert list(admitted(lines, (3, 11, 5), known)) == lines


def test_every_pin_admits_the_pythons_that_it_is_for() -> None:
    looked_at, refused = 0, []
    for pin in map(Requirement, pins()):
        if pin.marker is not None and not pin.marker.evaluate():
            continue  # for another Python; `make constraints-check` resolves there
        try:
            installed = distribution(pin.name)
        except PackageNotFoundError:
            continue  # not needed on this Python
        looked_at += 1
        assert pin.specifier.contains(installed.version), f"{pin.name} {installed.version} is installed, not {pin}"
        needs = SpecifierSet(",".join(installed.metadata.get_all("Requires-Python") or ()))
        refused += [
            f"{pin} needs Python {needs}, not {python}"
            for python in OLDEST
            if (pin.marker is None or pin.marker.evaluate(environment(python))) and not needs.contains(python)
        ]
    assert refused == []
    assert looked_at > 100


def test_all_requirements_have_a_pin() -> None:
    pinned = {Requirement(line).name.lower().replace("_", "-") for line in pins()}
    assert {Requirement(line).name.lower().replace("_", "-") for line in requirements()} <= pinned
    assert "veza" not in pinned


def test_the_file_names_no_index() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert re.findall(r"://|@|^\s*-", text, re.MULTILINE) == []


def test_the_promise_is_the_same_everywhere() -> None:
    minors = sorted(promised())
    oldest = ".".join(map(str, minors[0]))
    assert PYPROJECT["project"]["requires-python"] == f">={oldest}"
    assert PYPROJECT["tool"]["mypy"]["python_version"] == oldest
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    assert minors == [(3, minor) for minor in range(minors[0][1], minors[-1][1] + 1)]
    assert {tuple(map(int, python.split(".")[:2])) for python in OLDEST} == set(minors)
    assert f"sys.version_info < {minors[0]}" in (ROOT / "tools" / "venv.sh").read_text(encoding="utf-8")


def test_the_tests_run_on_every_promised_python() -> None:
    workflow = yaml.safe_load((ROOT / ".forgejo" / "workflows" / "test.yml").read_text(encoding="utf-8"))
    images = workflow["jobs"]["test"]["strategy"]["matrix"]["image"]
    tried = {tuple(map(int, found[1].split("."))) for one in images if (found := re.match(r"python:(3\.\d+)", one))}
    assert tried == promised()
    assert [one for one in images if one.startswith("debian:12")] != []
