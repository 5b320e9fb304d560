"""Asks the person at the terminal: prompts on standard error, answers from standard input."""

from __future__ import annotations

import os
import select
import termios
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import click

from veza_e2e.ports import screen
from veza_e2e.ports.progress import Beats, Progress, packed
from veza_e2e.ports.protocols import EndOfInput
from veza_e2e.ports.psql_output import begun
from veza_e2e.ports.screen import plain

_CHUNK = 65536
_MAX_PASTE = 1024 * 1024
_WORDS = frozenset({"skip", "q"})
"""Answers to a prompt for a paste that need no further line."""


class Lines:
    """Reads whole lines from a file descriptor, with a time limit. An unfinished last line is not an answer."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = b""
        self._ended = False

    def next(self, timeout: float | None = None) -> str | None:
        """Return the next line without its end; None after `timeout` seconds.

        Raises:
            EndOfInput: there is no further line.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while b"\n" not in self._buffer:
            left = None if until is None else max(0.0, until - time.monotonic())
            if not self._ready(left):
                return None
            if not self._read() or len(self._buffer) > _MAX_PASTE:
                raise EndOfInput
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode("utf-8", "replace").rstrip("\r")

    def waiting(self, seconds: float = 0.05) -> bool:
        """Whether more input is waiting, as during a paste."""
        if b"\n" in self._buffer:
            return True
        return self._ready(seconds) and self._read()

    @property
    def typed(self) -> bool:
        """Whether a person types them. A pipe is not typed at: its lines are answers in their order."""
        try:
            return os.isatty(self._descriptor)
        except OSError:
            return False

    def drop(self) -> None:
        """Forget what a person has typed so far."""
        if self.typed:
            self._buffer = b""
            termios.tcflush(self._descriptor, termios.TCIFLUSH)

    def _ready(self, seconds: float | None) -> bool:
        try:
            # Python acts on a signal between two waits: one that comes just before an endless wait would be kept by it.
            while not (ready := select.select([self._descriptor], [], [], _TICK if seconds is None else seconds)[0]):
                if seconds is not None:
                    break
            return bool(ready)
        except (OSError, ValueError):  # closed: the next read reports the end
            return True

    def _read(self) -> bool:
        """Read what is there; return False at the end of input, which a terminal reports only once."""
        if not self._ended:
            try:
                chunk = os.read(self._descriptor, _CHUNK)
            except OSError:
                chunk = b""
            self._ended = not chunk
            self._buffer += chunk
        return not self._ended


_KEYS = frozenset({"r", "s", "q"})
_TICK = 1.0
"""Seconds after which a progress is drawn again."""
_SLICE = 0.1
"""Seconds between two looks at the keyboard in a wait."""


class TerminalOperator:
    """Asks a person."""

    by: Literal["operator", "script"] = "operator"

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._shown: str | None = None
        self._waited: str | None = None
        self._beats = Beats()
        screen.entered()

    def ask(
        self, question: str, text: str, *, timeout: float | None = None, progress: Progress | None = None
    ) -> str | None:
        """See `protocols.Operator`. Only what is typed after the question is shown is an answer."""
        first = self._shown != text
        if first:
            self._lines.drop()
        if progress is None or not screen.redraws():
            if first:
                self._prompt(text)
            elif not screen.prompting():
                self._prompt(text.rpartition("\n")[2])
        elif first:
            self._above(text)
        self._shown, self._waited = text, None
        line = self._next(timeout, text.rpartition("\n")[2], progress)
        if line is not None:
            self._shown = None
            screen.entered()
        return line

    def pause(self, progress: Progress, sleep: Callable[[float], None]) -> str | None:
        """See `protocols.Operator`. Only what is typed during the wait counts."""
        if not self._lines.typed:
            self._beats.sleep(progress, sleep)
            return None
        if self._waited != progress.what:
            self._lines.drop()
        self._waited = progress.what
        slept = 0.0
        while slept < progress.pause:
            self._tell(progress, slept, progress.keys)
            line = self._lines.next(0)
            if line is None:
                step = min(_SLICE, progress.pause - slept)
                sleep(step)
                slept += step
                continue
            screen.entered()
            answer = line.strip().lower()
            if answer in _KEYS:
                return answer
            if answer:
                self.tell(f"{answer!r:.20} does nothing while this waits: {progress.keys}.")
        return None

    def _tell(self, progress: Progress, later: float, prompt: str) -> None:
        """Tell how a wait stands, on a screen or in plain lines."""
        if screen.redraws():
            screen.area(packed(progress.parts(later), screen.width() - 1), _styled(prompt))
        elif self._beats.due(replace(progress, elapsed=progress.elapsed + later)) == 0:
            self._beats.tell(progress, later)

    def _next(self, timeout: float | None, prompt: str, progress: Progress | None) -> str | None:
        """Return the next line; meanwhile tell how the wait stands."""
        if progress is None or timeout is None:
            return self._lines.next(timeout)
        began = time.monotonic()
        while True:
            later = time.monotonic() - began
            self._tell(progress, later, prompt)
            left = timeout - later
            line = self._lines.next(max(0.0, min(left, _TICK)))
            if line is not None or left <= _TICK:
                return line

    def paste(self, question: str, text: str, peek: Callable[[], str] | None = None) -> str:
        """See `protocols.Operator`."""
        self._waited = None
        self._prompt(text)
        kept: list[str] = []
        while True:
            line = self._lines.next() or ""
            screen.entered()
            stripped = line.strip()
            if stripped == "s" and peek is not None and not kept:
                for row in peek().split("\n"):
                    screen.line(plain(row), whole=True)
                self._prompt(text.rpartition("\n")[2])
                continue
            if stripped.lower() in _WORDS and not kept:
                return stripped
            if stripped.startswith("@") and not kept:
                content = self._file(stripped[1:].strip())
                if content is not None:
                    return content
                self._prompt(text.rpartition("\n")[2])
                continue
            if stripped in {"", "."}:
                # psql prints an empty line between two results: one before ours does not end the paste.
                if kept and stripped == "" and not begun(kept) and self._lines.waiting():
                    continue
                return "\n".join(kept)
            kept.append(line)

    def _file(self, name: str) -> str | None:
        try:
            path = Path(name).expanduser()
            if not path.is_file():
                self.tell(f"{name} is not a file.")
                return None
            if path.stat().st_size > _MAX_PASTE:
                self.tell(f"{path} is larger than 1 MiB; this is not psql's answer for one order.")
                return None
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            self.tell(f"{name}: {error.strerror}")
        except (RuntimeError, ValueError) as error:  # no home folder, or an impossible file name
            self.tell(f"{name}: {error}")
        return None

    def tell(self, text: str) -> None:
        """See `protocols.Operator`."""
        screen.line(plain(text))

    def _prompt(self, text: str) -> None:
        self._above(text)
        screen.prompt(_styled(text.rpartition("\n")[2]))

    def _above(self, text: str) -> None:
        sql = False  # a paragraph that is a statement is copied as it stands
        before = ""
        for line in text.split("\n")[:-1]:
            sql = bool(line) and (sql or (not before and line.startswith(("BEGIN", "SELECT"))))
            screen.line(plain(line), whole=sql)
            before = line


def _styled(prompt: str) -> str:
    text = screen.folded(plain(prompt), screen.width() - 3) if screen.on_screen() else plain(prompt)
    return click.style("? ", fg="cyan", bold=True) + text
