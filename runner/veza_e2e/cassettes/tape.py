"""The tape: everything that a walkthrough took from its ports, in order, and its two forms on disk.

While recording there is one file, `recording.part`, to which each entry is appended when it ends. Published are
`cassette.json`, with the HTTP interactions, and `tape.jsonl`, with everything else and the order of all entries. Each
line of the tape is sealed together with the line before, and a line for an interaction holds its digest, so that the
check finds and names an edit by hand.

| kind | members |
|---|---|
| start | process, resumed, journal (events that the process found), recorded_at, tools (versions), meta |
| http | request, and response or error; on the published tape the interaction's number and digest |
| clock | now, monotonic (microseconds), sleep (microseconds): readings since the entry before, in order |
| key | value |
| ask, paste | question (`waiting`: typed while nothing was asked), and answer, or raised and signal |
| open | url, opened |
| rows, peek | order_id, and rows or printed |
| interrupted | signal (which ended a sleep) |
| end | (the process ended by itself) |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from veza_e2e.canonical import JSON, dumps
from veza_e2e.cassettes import files, shapes
from veza_e2e.cassettes.errors import PREFLIGHT, CassetteError
from veza_e2e.frozen import dataclass

SCHEMA = 1
PART = "recording.part"
CASSETTE = "cassette.json"
TAPE = "tape.jsonl"
WAITING = "waiting"
"""The question of an `ask` that holds what was typed while the walkthrough waited, and nothing was asked."""
READINGS = ("now", "monotonic", "sleep")
_SEAL = 24


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that the walkthrough took from a port.

    Attributes:
        kind: see the module.
        step: the walkthrough's step, None before the first.
        data: the kind's members.
        place: its place in the recording, for messages.
        clock: the clock's readings since the previous entry.
    """

    kind: str
    step: str | None
    data: Mapping[str, Any]
    place: str
    clock: Mapping[str, Sequence[JSON]]

    @property
    def withheld(self) -> str | None:
        """Why the body of a response was not kept, and its length; None if it was."""
        body = (self.data.get("response") or {}).get("body") or {}
        return f"{body['withheld']}, {body['bytes']} bytes" if "withheld" in body else None


@dataclass(frozen=True, slots=True)
class Tape:
    """A recording, read from its files."""

    folder: Path
    header: Mapping[str, Any]
    entries: tuple[Entry, ...]
    tail: Mapping[str, Sequence[JSON]]
    """The clock's readings after the last entry."""

    @property
    def interactions(self) -> tuple[Entry, ...]:
        """The HTTP entries alone."""
        return tuple(entry for entry in self.entries if entry.kind == "http")


def digest(value: object) -> str:
    """Return the digest that seals a value (the start of a SHA-256, in hex)."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:_SEAL]


def read(folder: Path) -> Tape:
    """Return the recording in `folder`, published or not.

    Raises:
        CassetteError: a file is missing, damaged, edited or beyond its budget.
    """
    if (folder / CASSETTE).exists() or not (folder / PART).exists():
        return _published(folder)
    path = folder / PART
    entries, tail = _grouped(path, _part_lines(path, files.lines(path)[:-1]))
    if not entries or entries[0].kind != "start":
        raise CassetteError(path, "line 1", "a recording begins with the start of a process")
    return Tape(folder, _header(entries), entries, tail)


def _part_lines(path: Path, lines: Sequence[str]) -> Iterator[tuple[str, dict[str, JSON]]]:
    number = 0
    for index, text in enumerate(lines, 1):
        data = files.parse(path, f"line {index}", text)
        place = f"line {index}"
        if data.get("kind") == "http":
            number += 1
            place = f"interaction {number}"
        yield place, data


def _grouped(
    path: Path,
    lines: Iterator[tuple[str, dict[str, JSON]]],
) -> tuple[tuple[Entry, ...], Mapping[str, Sequence[JSON]]]:
    entries: list[Entry] = []
    clock: dict[str, list[JSON]] = {name: [] for name in READINGS}
    for place, data in lines:
        kind = data.pop("kind", None)
        shapes.check(path, f"{place} (step {data.get('step') or PREFLIGHT})", kind, data)
        if kind == "clock":
            for name in READINGS:
                clock[name] += cast("list[JSON]", data.get(name, []))
            continue
        step = cast("str | None", data.pop("step", None))
        entries.append(Entry(str(kind), step, data, place, clock))
        clock = {name: [] for name in READINGS}
    return tuple(entries), clock


def _header(entries: Sequence[Entry]) -> dict[str, Any]:
    first = entries[0].data
    return {
        "schema": SCHEMA,
        "recorded_at": first["recorded_at"],
        "environment": first["meta"]["started"]["environment"],
        "tools": first["tools"],
    }


def published(tape: Tape) -> dict[str, bytes]:
    """Return the two files of a published recording, by name."""
    interactions: list[JSON] = []
    lines: list[str] = []
    seal = ""
    for entry in (*tape.entries, Entry("", None, {}, "", tape.tail)):
        data = dict(entry.data)
        if entry.kind == "http":
            number = len(interactions) + 1
            interactions.append({"number": number, "step": entry.step, **data})
            data = {"number": number, "digest": digest(interactions[-1])}
        clock = {name: list(entry.clock[name]) for name in READINGS if entry.clock[name]}
        for kind, members in (("clock", clock), (entry.kind, data)):
            if members or kind not in {"clock", ""}:
                line = {"kind": kind, "step": entry.step, **members}
                seal = digest([seal, line])
                lines.append(dumps({**line, "seal": seal}) + "\n")
    header = {**tape.header, "tape": {"lines": len(lines), "seal": seal}}
    document = {**header, "seal": digest(header), "interactions": interactions}
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    return {CASSETTE: text.encode(), TAPE: "".join(lines).encode()}


def whole(folder: Path) -> Tape:
    """Return an unpublished recording that can be published.

    Raises:
        CassetteError: it cannot be used, or its last process did not end by itself.
    """
    recording = read(folder)
    if recording.entries[-1].kind != "end":
        raise CassetteError(folder / PART, "", "its last process did not end by itself, or a call is missing in it")
    return recording


def _published(folder: Path) -> Tape:
    path, beside = folder / CASSETTE, folder / TAPE
    document = files.parse(path, "", files.read(path))
    if document.get("schema") != SCHEMA:
        raise CassetteError(path, "", f"has the schema {document.get('schema')!r:.20}; this version reads {SCHEMA}")
    interactions = cast("list[JSON]", files.member(path, "", document, "interactions", list))
    stated = cast("dict[str, JSON]", files.member(path, "", document, "tape", dict))
    header = {key: value for key, value in document.items() if key not in {"seal", "interactions"}}
    if digest(header) != document.get("seal"):
        raise CassetteError(path, "", "what stands before the interactions was edited since it was recorded")
    lines = list(_sealed(beside, stated))
    entries, tail = _grouped(beside, iter(_joined(path, beside, lines, interactions)))
    if not entries or entries[0].kind != "start":
        raise CassetteError(beside, "line 1", "a tape begins with the start of a process")
    return Tape(folder, header, entries, tail)


def _sealed(path: Path, stated: Mapping[str, JSON]) -> Iterator[dict[str, JSON]]:
    *texts, rest = files.lines(path)
    seal, step = "", None
    for number, text in enumerate(texts, 1):
        line = files.parse(path, f"line {number}", text)
        claimed = line.pop("seal", None)
        step = line.get("step", step)
        seal = digest([seal, line])
        if seal != claimed:
            raise CassetteError(
                path, f"line {number} (step {step or PREFLIGHT})", "was edited, moved, added or left out by hand"
            )
        yield line
    if rest or len(texts) != stated.get("lines") or seal != stated.get("seal"):
        raise CassetteError(
            path, f"line {len(texts)} (step {step or PREFLIGHT})", "the end is not the one that was recorded"
        )


def _joined(
    path: Path, beside: Path, lines: Sequence[dict[str, JSON]], interactions: Sequence[JSON]
) -> Iterator[tuple[str, dict[str, JSON]]]:
    used = 0
    for index, line in enumerate(lines, 1):
        if line["kind"] != "http":
            yield f"line {index} of {beside.name}", line
            continue
        used += 1
        place = f"interaction {used}"
        where = f"{place} (step {line.get('step') or PREFLIGHT})"
        found = interactions[used - 1] if used <= len(interactions) else None
        if not isinstance(found, dict):
            raise CassetteError(path, where, "is missing")
        if digest(found) != line.get("digest") or line.get("number") != used:
            raise CassetteError(path, where, "was edited, moved, added or left out by hand")
        yield place, {"kind": "http", **found}
    if used != len(interactions):
        added = interactions[used]
        step = added.get("step") if isinstance(added, dict) else None
        raise CassetteError(path, f"interaction {used + 1} (step {step or PREFLIGHT})", "was added by hand")
