"""A terminal that keeps what it was sent as a person sees it: lines, a cursor, and what is redrawn."""

from __future__ import annotations

import re
import unicodedata

_ESCAPE = re.compile(r"\x1b(?:\[([0-9;]*)([A-Za-z])|([78]))")


class Terminal:
    """Keeps every line that was ever shown; the last `rows` of them are what is visible."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.lines = [""]
        self.raw = ""
        self._row = self._column = 0
        self._saved = (0, 0)
        self._rest = ""

    def flush(self) -> None:
        """Do nothing: pexpect calls it."""

    def write(self, text: str) -> None:
        """Take what was sent. An escape sequence may come in two parts."""
        self.raw += text
        text, self._rest = self._rest + text, ""
        position = 0
        while position < len(text):
            found = _ESCAPE.match(text, position)
            if found is not None:
                self._act(found)
                position = found.end()
            elif text[position] == "\x1b" and len(text) - position < 12 and not text[position + 1 :].startswith("]"):
                self._rest = text[position:]
                return
            else:
                self._put(text[position])
                position += 1

    def _act(self, found: re.Match[str]) -> None:
        count = int(found[1] or 1) if (found[1] or "1").isdecimal() else 1
        match found[2] or found[3]:
            case "7":
                self._saved = (len(self.lines) - self._row, self._column)
            case "8":
                self._row, self._column = len(self.lines) - self._saved[0], self._saved[1]
            case "A":
                self._row = max(self._row - count, len(self.lines) - self.rows, 0)
            case "B":
                self._row = min(self._row + count, len(self.lines) - 1)
            case "J":
                self.lines[self._row] = self.lines[self._row][: self._column]
                del self.lines[self._row + 1 :]
            case "K":
                self.lines[self._row] = "" if found[1] == "2" else self.lines[self._row][: self._column]
            case "m":
                pass
            case other:
                raise AssertionError(f"no terminal is asked for {other!r}")

    def _put(self, letter: str) -> None:
        if letter == "\r":
            self._column = 0
        elif letter == "\n":
            self._row += 1
            if self._row == len(self.lines):
                self.lines.append("")
        elif letter == "\b":
            self._column = max(self._column - 1, 0)
        elif unicodedata.category(letter) != "Cc":
            if self._column == self.columns:
                self._put("\n")
                self._column = 0
            line = self.lines[self._row].ljust(self._column)
            self.lines[self._row] = line[: self._column] + letter + line[self._column + 1 :]
            self._column += 1

    @property
    def visible(self) -> list[str]:
        """What stands on the screen now."""
        return [line.rstrip() for line in self.lines[-self.rows :]]
