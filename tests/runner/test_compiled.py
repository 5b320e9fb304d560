"""Compiled templates are kept where Python keeps compiled modules, and used only where they are the same."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader

from veza_e2e.report.compiled import Compiled


class Compiling(Environment):
    """Counts what it compiles."""

    compiled = 0

    def compile(self, *given: Any, **named: Any) -> Any:
        self.compiled += 1
        return super().compile(*given, **named)


def rendered(folder: Path, kind: str = "text", made_by: str = "1") -> tuple[str, int]:
    """Render the page as a new process does; return it, and how many templates had to be compiled."""
    cache = Compiled(folder, kind, made_by)
    one = Compiling(loader=FileSystemLoader(folder), autoescape=True, bytecode_cache=cache)
    return one.get_template("page").render(name="a"), one.compiled


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "page").write_text("Hello {{ name }}", encoding="utf-8")
    return tmp_path


def test_a_template_is_compiled_once(folder: Path) -> None:
    assert [rendered(folder) for _ in range(3)] == [("Hello a", 1), ("Hello a", 0), ("Hello a", 0)]
    assert {path.parent.name for path in folder.rglob("*") if path.name != "page"} - {folder.name} == {"__pycache__"}


def test_another_text_environment_or_version_is_compiled_anew(folder: Path) -> None:
    rendered(folder)
    assert rendered(folder, kind="html") == ("Hello a", 1)
    assert rendered(folder, made_by="2") == ("Hello a", 1)
    (folder / "page").write_text("Bye {{ name }}", encoding="utf-8")
    assert rendered(folder, made_by="2") == ("Bye a", 1)
    assert rendered(folder, made_by="2") == ("Bye a", 0)


def test_a_broken_file_is_replaced(folder: Path) -> None:
    rendered(folder)
    (kept,) = (folder / "__pycache__").iterdir()
    whole = kept.read_bytes()
    for broken in (b"", whole[:20], whole[:60], whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1])):
        kept.write_bytes(broken)
        assert rendered(folder) == ("Hello a", 1)
        assert kept.read_bytes() == whole


def test_nothing_is_kept_where_python_keeps_nothing_or_may_not_write(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "__pycache__").write_text("no folder", encoding="utf-8")
    assert [rendered(folder) for _ in range(2)] == [("Hello a", 1), ("Hello a", 1)]
    (folder / "__pycache__").unlink()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert [rendered(folder) for _ in range(2)] == [("Hello a", 1), ("Hello a", 1)]
    assert [path.name for path in folder.iterdir()] == ["page"]
