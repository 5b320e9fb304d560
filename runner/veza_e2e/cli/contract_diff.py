"""`contract diff`: what another spec breaks in this SDK, printed as text, JSON or Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click
import httpx

from veza_contract import baseline, comparing, draft, matching, spec
from veza_contract.comparing import Comparison
from veza_contract.findings import Change, once
from veza_contract.matching import Match
from veza_contract.model import Spec
from veza_contract.operations import document as contract
from veza_e2e.cli.output import Exit, Invocation, Item, document, items, say
from veza_e2e.config_values import is_loopback
from veza_e2e.frozen import dataclass

DRAFT: Final = Path("openapi.draft.yaml")
_HTML: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("|"): "&#124;", ord("`"): "&#96;",
                ord("@"): "&#64;", ord("["): "&#91;", ord("*"): "&#42;", ord("_"): "&#95;"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for: the specs' places, the map's entries, and how to compare and print."""

    places: tuple[str, ...]
    words: tuple[str, ...]
    write: bool
    partial: bool
    baseline: Path | None
    form: str


@dataclass(frozen=True, slots=True)
class _Result:
    compared: Comparison
    shown: list[Change]
    accepted: int
    broken: bool

    @property
    def sentence(self) -> str:
        every = len(self.compared.matches)
        known = f"; {self.accepted} differences are in the baseline" if self.accepted else ""
        return f"{self.compared.compared} of our {every} operations are in their spec{known}."

    @property
    def same(self) -> list[Match]:
        touched = {change.operation for change in self.compared.changes}
        return [match for match in self.compared.matches if match.theirs is not None and match.ours.id not in touched]


def report(invocation: Invocation, options: Options) -> int:
    """Compare, print what differs, write the draft if asked to, and return the exit code."""
    places = [_place(one) for one in options.places]
    try:
        given = dict(matching.entry(word) for word in options.words)
        entries = matching.kept() | given
        known = frozenset[str]() if options.baseline is None else baseline.accepted(options.baseline)
        ours, theirs = spec.read(contract()), spec.opened(places)
        found = comparing.compare(ours, theirs, entries, partial=options.partial)
    except (matching.MapError, spec.SpecError, baseline.BaselineError) as error:
        raise click.UsageError(str(error)) from error
    if given:
        matching.keep(entries)
        say(f"The map is kept in {matching.MAP_FILE}.")
    left = baseline.fresh(found.changes, known)
    broken = not found.compared or any(map(comparing.breaks, left))
    _print(invocation, options.form, _Result(found, once(left), len(found.changes) - len(left), broken))
    if options.write:
        _draft(ours, theirs, found)
    return int(Exit.DIFFERS if broken else Exit.PASSED)


def _place(where: str) -> str:
    """Accept a file, an https URL, or a URL on this machine."""
    if "://" not in where:
        return where
    try:
        url = httpx.URL(where)
    except httpx.InvalidURL as error:
        raise click.BadParameter("it is not a URL", param_hint="--spec") from error
    if url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host)):
        return where
    raise click.BadParameter("a URL must be https; plain http is for loopback only", param_hint="--spec")


def _print(invocation: Invocation, form: str, result: _Result) -> None:
    if invocation.json:
        document({
            "ok": not result.broken,
            "operations": {"ours": len(result.compared.matches), "compared": result.compared.compared},
            "accepted": result.accepted,
            "items": [*map(_as_json, result.shown), *(_same(match) for match in result.same)],
        })  # fmt: skip
    elif form == "markdown":
        click.echo(_markdown(result))
    else:
        rows = [Item(one.name, one.verdict, str(one)) for one in result.shown]
        rows += [Item(one["name"], one["status"], one["message"]) for one in map(_same, result.same)]
        items(invocation, rows, ok=not result.broken)
    say(result.sentence)


def _as_json(change: Change) -> dict[str, str | list[str]]:
    return {
        "name": change.name, "status": change.verdict, "message": str(change), "rule": change.rule,
        "operation": change.operation, "method": change.method, "place": change.place, "what": change.message,
        "value": change.value, "file": change.file, "also": list(change.also), "ids": list(change.ids),
    }  # fmt: skip


def _same(match: Match) -> dict[str, str]:
    message = f"by {match.how}: {match.ours.method} {match.ours.path}"
    return {"name": match.ours.id, "status": "same", "message": message}


def _markdown(result: _Result) -> str:
    """Return the result as a table, for a comment or a job's summary. Nothing of their spec is read as Markdown."""
    lines = [f"### Contract: {'breaks the SDK' if result.broken else 'breaks nothing'}", "", result.sentence]
    if result.shown:
        lines += ["", "| | Where | What | Rule |", "|---|---|---|---|"]
    for change in result.shown:
        cells = (change.verdict, change.name, str(change), change.rule)
        lines.append("| " + " | ".join(" ".join(cell.split()).translate(_HTML) for cell in cells) + " |")
    return "\n".join(lines)


def _draft(ours: Spec, theirs: Spec, found: Comparison) -> None:
    drafted, left = draft.draft(ours, theirs, found.matches)
    for one in left:
        say(f"As ours in the draft: {one}")
    DRAFT.write_text(drafted, encoding="utf-8")
    say(f"Drafted {DRAFT}: read it, put it in the place of sdk/veza/openapi.yaml, run python sdk/generate.py.")
