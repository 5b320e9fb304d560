"""A command's output: one JSON document or a result on standard output, messages on standard error."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import field
from datetime import date
from enum import IntEnum
from pathlib import Path

import click

from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass
from veza_e2e.ports.machine import Machine
from veza_e2e.ports.screen import columns, folded, line, plain, width

_NARROWEST = 20
"""Columns that a text gets beside its label, however narrow the terminal."""


class Exit(IntEnum):
    """The exit codes that are promised to callers."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    INCOMPLETE = 4
    DIFFERS = 5
    DAMAGED = 6
    INTERRUPTED = 130


class Stop(Exception):  # noqa: N818 - a command's end, with its exit code
    """Ends a command with a message and what to do about it."""

    def __init__(self, code: Exit, message: str, hint: str, document: dict[str, JSON] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.document = document or {}


@dataclass(frozen=True, slots=True)
class Invocation:
    """The global options, which stand before the command."""

    environment: str
    archive: Path | None
    config: Path | None
    json: bool
    color: bool
    machine: Machine = field(default_factory=Machine)

    def command(self, *words: str) -> str:
        """Return the exact command line of some words, with the global options of this invocation."""
        given = ["veza-e2e"]
        if self.environment != "rehearsal":
            given += ["--env", self.environment]
        if self.archive is not None:
            given += ["--archive", str(self.archive)]
        if self.config is not None:
            given += ["--config", str(self.config)]
        return shlex.join([*given, *words])

    @property
    def today(self) -> date:
        """The day in UTC."""
        return self.machine.clock.now().date()


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a command's result."""

    name: str
    status: str
    message: str


def document(value: JSON) -> None:
    """Print the one JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def items(invocation: Invocation, rows: Sequence[Item], *, ok: bool) -> None:
    """Print a command's items: as JSON, or a line each."""
    if invocation.json:
        document({"ok": ok, "items": [{"name": r.name, "status": r.status, "message": r.message} for r in rows]})
        return
    room = max((len(row.status) for row in rows), default=0)
    for row in rows:
        labelled(f"{row.status:<{room}}  ", f"{row.name}: {row.message}")


def labelled(label: str, text: str) -> None:
    """Print a label and a text on standard output. A terminal gets a long one broken between words.

    A command in a long text goes on a line of its own, and stays whole. Outside text may be hostile.
    """
    lines = [plain(text)]
    room = max(width() - len(label), _NARROWEST) if _on_terminal() else None
    if room is not None and columns(lines[0]) > room:
        prose, name, command = lines[0].partition("veza-e2e ")
        lines = folded(prose.rstrip(), room).split("\n") if prose.strip() else []
        lines += [f"{name}{command}"] if name else []
    for number, one in enumerate(lines):
        click.echo(f"{'' if number else label:<{len(label)}}{one}")


def _on_terminal() -> bool:
    try:
        return sys.stdout.isatty()
    except ValueError:
        return False


def say(text: str) -> None:
    """Print a line on standard error. If standard error is closed, the work continues."""
    line(text)


def stopped(stop: Stop, *, as_json: bool) -> int:
    """Print why a command ended and return its exit code."""
    if as_json:
        document({**stop.document, "error": {"message": stop.message, "hint": stop.hint}})
    say(f"veza-e2e: {plain(stop.message)}")
    if stop.hint:
        say(f"  {plain(stop.hint)}")
    return int(stop.code)
