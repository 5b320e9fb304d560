"""Says of each operation whether a run of `contract test` proved it: by a success that the SDK reads."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Final

_LONGEST: Final = 400
_JUDGED: Final = frozenset({
    "Response violates schema", "Undocumented Content-Type", "Undocumented status code", "JSON deserialization error",
    "Missing Content-Type header", "Malformed media type", "Content deserialization error",
})  # fmt: skip
"""Failures about an answer's form. The SDK's own reading decides: it raises its error for any error answer."""

_TITLE: Final = re.compile(r"^- (?:[A-Z]{2}\d+ )?")
_HARMLESS: Final = frozenset({
    "Missing required response headers", "Response header does not conform to the schema",
    "Schema-violating request accepted", "Missing required header accepted", "API accepted schema-violating request",
})  # fmt: skip
"""Failures about what the SDK does not need, or never sends."""


@dataclass(frozen=True, slots=True)
class Found:
    """The result for one operation.

    Attributes:
        name: method and path, or the phase.
        status: `proven` by a success, `not shown`, `failed`, or `error` (it could not be tested); `ok` for a phase.
        message: why, in one line.
        titles: schemathesis's names of its failures.
    """

    name: str
    status: str
    message: str
    titles: frozenset[str] = frozenset()


@dataclass
class Noted:
    """The answers of an operation: how many of each status, what the SDK cannot read, what it reads otherwise."""

    statuses: Counter[int] = field(default_factory=Counter)
    breaks: dict[str, None] = field(default_factory=dict)
    drifts: dict[str, None] = field(default_factory=dict)

    @property
    def proven(self) -> bool:
        """Whether there was a success."""
        return any(_is_success(status) for status in self.statuses)

    @property
    def told(self) -> str:
        """The answers in words: `200 (12), 401 (3)`."""
        return ", ".join(f"{status} ({count})" for status, count in sorted(self.statuses.items()))


def noted(path: Path) -> dict[str, Noted]:
    """Read the notes of a run; a last line that is cut off does not count."""
    found: dict[str, Noted] = {}
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    for line in lines:
        if line.endswith("\n"):
            said = json.loads(line)
            one = found.setdefault(said["name"], Noted())
            one.statuses[said["status"]] += 1
            one.breaks |= dict.fromkeys(said["breaks"])
            one.drifts |= dict.fromkeys(said["drifts"])
    return found


def reported(report: Path, redacted: Callable[[str], str]) -> tuple[Found, ...]:
    """Read schemathesis's report, and write it again without secrets; empty if there is none."""
    text = redacted(report.read_text(encoding="utf-8", errors="replace")) if report.exists() else ""
    if not text:
        report.unlink(missing_ok=True)  # schemathesis was ended before it wrote it
        return ()
    report.write_text(text, encoding="utf-8")
    try:
        root = ET.fromstring(text)  # noqa: S314 - written by our own child; entities are not resolved
    except ET.ParseError as error:
        return (Found("report", "error", f"the report is not XML: {error}"),)
    return tuple(_case(case) for case in root.iter("testcase"))


def proven(operations: Iterable[str], found: Iterable[Found], notes: Mapping[str, Noted]) -> tuple[Found, ...]:
    """Return the result for each operation that was to be tested, and for whatever else failed.

    Args:
        operations: the operations' names: method and path.
        found: schemathesis's results.
        notes: the answers.
    """
    said = {one.name: one for one in found}
    rows = [_operation(name, said.pop(name, None), notes.get(name, Noted())) for name in operations]
    every = [break_ for one in notes.values() for break_ in one.breaks]
    wrong = (one for one in said.values() if one.status in {"failed", "error"})
    rows += [one for one in wrong if every or not one.titles or one.titles - _JUDGED - _HARMLESS]
    return tuple(rows)


def _operation(name: str, found: Found | None, notes: Noted) -> Found:
    if notes.breaks:
        return Found(name, "failed", "; ".join(notes.breaks)[:_LONGEST])
    odd = any(not _is_success(status) and not _is_error(status) for status in notes.statuses)
    if found is not None and found.status in {"failed", "error"}:
        left = found.titles - _HARMLESS - (frozenset() if odd else _JUDGED)
        if found.status == "error" or left or not found.titles:
            return Found(name, found.status, found.message, found.titles)
    if not notes.proven:
        why = f"no success among its answers ({notes.told})" if notes.statuses else "nothing was sent, or nothing came"
        return Found(name, "not shown", why)
    tolerated = [*(found.titles if found is not None else ()), *notes.drifts]
    more = f"; the SDK tolerates: {'; '.join(sorted(tolerated))}" if tolerated else ""
    return Found(name, "proven", f"{notes.told}{more}"[:_LONGEST])


def _is_success(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004 - the class of successes


def _is_error(status: int) -> bool:
    return 400 <= status < 600  # noqa: PLR2004 - the classes of errors


def _case(case: ET.Element) -> Found:
    name = case.get("name", "")
    problems = [part for part in case if part.tag in {"failure", "error", "skipped"}]
    if not problems:
        return Found(name, "ok", "answers as documented")
    status = "error" if any(part.tag == "error" for part in problems) else "failed"
    if all(part.tag == "skipped" for part in problems):
        status = "skipped"
    told = [_why(part.text or "") or [part.get("message") or "no word of why"] for part in problems]
    titles = frozenset(_TITLE.sub("", line) for lines in told for line in lines if line.startswith("- "))
    said = [" / ".join(line.removeprefix("- ").strip() for line in lines) for lines in told]
    message = " · ".join(dict.fromkeys(said))
    return Found(name, status, message[:_LONGEST], titles)


def _why(text: str) -> list[str]:
    """Return schemathesis's reason for a failure, without the request and the response; a title begins with a dash."""
    kept = takewhile(lambda line: not line.startswith(("[", "Reproduce")), text.splitlines())
    return [line.rstrip() for line in kept if line.strip() and not _is_number(line)]


def _is_number(line: str) -> bool:
    number, _, rest = line.partition(". ")
    return number.isdecimal() and rest.startswith("Test Case ID")
