"""Checks a cassette: it loads within its size limits, holds no secret, and matches the contract."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from veza_e2e.cassettes import files, tape
from veza_e2e.cassettes.errors import PREFLIGHT, CassetteError
from veza_e2e.cassettes.keep import EXPECTED, REPORT, SUMMARY
from veza_e2e.cassettes.origins import ORIGIN
from veza_e2e.cassettes.spec import Spec
from veza_e2e.config import REHEARSAL
from veza_e2e.frozen import dataclass
from veza_e2e.redaction import Redactor

OLD = timedelta(days=90)
_INDEX = re.compile(r"\.\d+(?=[.:]|$)")
_CONTRACT = "/api/v1/"


@dataclass(frozen=True, slots=True)
class Finding:
    """A result of the check.

    Attributes:
        status: `bad` makes the check fail, `warn` does not.
        message: what was found, with its step and field.
    """

    status: Literal["bad", "warn"]
    message: str


def check(folder: Path, spec: Spec, redactor: Redactor, now: datetime) -> Iterator[Finding]:
    """Iterate over a cassette's problems.

    Args:
        folder: the cassette's folder.
        spec: the contract, or another API description.
        redactor: knows this machine's secrets.
        now: to tell the age of a recording. Only recordings of a real backend grow old.
    """
    try:
        recording = tape.read(folder)
        texts = {name: files.read(folder / EXPECTED / name) for name in (REPORT, SUMMARY)}
    except CassetteError as error:
        yield Finding("bad", str(error))
        return
    for entry in recording.entries:
        for found in redactor.find(dict(entry.data) if entry.kind != "start" else [str(dict(entry.data))]):
            yield Finding(
                "bad", f"{entry.place} (step {entry.step or PREFLIGHT}): a secret ({found.kind}) at {found.place}"
            )
    for name, text in texts.items():
        for found in redactor.find(text):
            yield Finding("bad", f"{EXPECTED}/{name}: a secret ({found.kind})")
    for problem in _against(spec, recording):
        yield Finding("bad", problem)
    for entry in recording.interactions:
        if entry.withheld:
            message = f"the answer's body ({entry.withheld}) was not kept; a replay answers with blanks"
            yield Finding("warn", f"{entry.place} (step {entry.step or PREFLIGHT}): {message}")
    age = now - datetime.fromisoformat(recording.header["recorded_at"])
    if recording.header["environment"] != REHEARSAL and age > OLD:
        yield Finding("warn", f"recorded {age.days} days ago at {recording.header['environment']}; record it again")


def _against(spec: Spec, recording: tape.Tape) -> Iterator[str]:
    """Iterate over what breaks the description: a line for each field, with its first place."""
    wrong: dict[str, list[str]] = {}
    base = str(recording.entries[0].data["meta"].get("base_url", ORIGIN)).rstrip("/")
    for entry in recording.interactions:
        request = entry.data["request"]
        path = request["url"].removeprefix(base)
        if path.startswith(_CONTRACT):
            for problem in spec.problems({**entry.data, "request": {**request, "url": ORIGIN + path}}):
                field = ": ".join(_INDEX.sub(".*", problem).split(": ")[:2])
                wrong.setdefault(field, []).append(f"{entry.place} (step {entry.step or PREFLIGHT}): {problem}")
    for first, *more in wrong.values():
        yield f"{first}; and {len(more)} times more" if more else first
