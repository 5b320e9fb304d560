"""The board: each release with its decision, why, what is due, and the one next command; the most urgent first."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from markupsafe import Markup

from veza_e2e.evidence import Summary
from veza_e2e.evidence.due import Command, bank_command, statement_due, todos
from veza_e2e.evidence.release import EX_9
from veza_e2e.frozen import dataclass
from veza_e2e.site.live_report import attest_command, decision_words, due_mark, evidence_signed
from veza_e2e.site.releases import Archived, Entry, Release, slug


@dataclass(frozen=True, slots=True)
class Card:
    """A release on the board."""

    name: str
    url: str
    decision: str
    css: str
    reason: str
    money: str | None
    """What the account says while real money is or may be out; None if none is."""
    funds: str
    due: tuple[str | Markup, ...]
    """Each thing that is due; empty if nothing is."""
    evidence: str
    """Whether the evidence behind the decision is signed, and by whom."""
    ex_9: str
    next: str | None
    """The one next command; None if only a person can go on."""
    advice: str
    """What the command does, or what to do without one."""


@dataclass(frozen=True, slots=True)
class Board:
    """All releases, the most urgent first."""

    cards: tuple[Card, ...]
    """Runs with open money that decide about no release; then releases with a live run, or with one that is damaged."""
    waiting: tuple[Card, ...]
    """Releases without a live run."""


def board(shown: Archived, archive: str, policy: Path | None = None, up: str = "", *, markdown: bool = False) -> Board:
    """Return the board.

    Args:
        shown: the newest first, which is kept among equally urgent ones.
        archive: the path from the page to the sessions' pages, with a slash at its end.
        policy: OpenSSH's allowed signers file, if there is one.
        up: the path from the page to the site's root.
        markdown: link to pages of Markdown, not to those that were built from it.
    """
    end = ".md" if markdown else ".html"
    ranked = sorted(shown.releases, key=_urgency)
    begun = [release for release in ranked if release.live or release.undecided]
    deciding = {release.live.session for release in begun if release.live}
    beside = [
        _beside(one, one.summary, archive + (one.page if markdown else one.html))
        for one in shown.entries
        if one.summary and one.session not in deciding
    ]
    return Board(
        (*(card for card in beside if card.money), *(_card(release, policy, up, end) for release in begun)),
        tuple(_card(release, policy, up, end) for release in ranked if release not in begun),
    )


def _urgency(release: Release) -> tuple[int, date]:
    """Return the place of the first that holds, and the day by which something is due."""
    summary = release.summary
    real = summary if summary and summary.funds == "real" else None
    window = statement_due(real) if real else None
    holds = (
        real is not None and _out(real),
        release.undecided > 0,
        real is not None and real.item("bank_statement").status == "not_met",
        window is not None,
        release.decision == "NO-GO",
        real is not None and release.decision == "PENDING",
        release.decision == "GO",
    )
    return holds.index(True) if True in holds else len(holds), window.latest if window else date.max


def _out(summary: Summary) -> bool:
    return summary.funds == "real" and summary.money.may_be_out and not summary.money.settled


def _card(release: Release, policy: Path | None, up: str, end: str) -> Card:
    summary = release.summary
    command, advice = _next(release)
    funds = {"real": "real money", "test": "test funds"}[summary.funds] if summary else _unknown(release)
    attested = release.attested(EX_9)
    gone = summary is not None and summary.abandoned and release.decision == "PENDING"
    return Card(
        name=release.name,
        url=f"{up}releases/{slug(release.name)}{end}",
        decision=decision_words(release),
        css=release.decision.lower(),
        reason=f"the run was abandoned: {summary.money.sentence}" if gone and summary else release.reason,
        money=summary.money.sentence if summary and _out(summary) else None,
        funds=funds,
        due=tuple(_due(release)),
        evidence=evidence_signed(release, policy),
        ex_9=f"attested by {attested.by} on {attested.at[:10]}" if attested else "not attested",
        next=command,
        advice=advice,
    )


def _unknown(release: Release) -> str:
    return "damaged" if release.undecided else "no live run"


def _beside(entry: Entry, summary: Summary, url: str) -> Card:
    """Return the card of a session that decides about no release, for its money."""
    todo = next(iter(todos(summary)), None)
    why = "a later run decides about the release" if summary.release else "it was run without --release"
    return Card(
        name=f"{summary.release}, earlier run" if summary.release else "No release",
        url=url,
        decision=summary.decision,
        css=summary.decision.lower(),
        reason=f"session {entry.session}: {why}",
        money=summary.money.sentence if _out(summary) else None,
        funds="real money" if summary.funds == "real" else "test funds",
        due=tuple(todo.said for todo in todos(summary)),
        evidence="not applicable",
        ex_9="not applicable",
        next=todo.command if todo else None,
        advice=_advice(summary, todo.said) if todo else "Look at the session.",
    )


def _due(release: Release) -> Iterator[str | Markup]:
    summary = release.summary
    if release.undecided:
        yield "not known of the damaged live sessions"
    for other in release.unsettled:
        for todo in todos(other.summary) if other.summary else ():
            yield f"{other.session}: {todo.said}"
    if summary is None or summary.funds != "real":
        return
    for todo in todos(summary):
        yield todo.said
    window = statement_due(summary)
    if window is not None:
        earliest, latest = (
            Markup('<span class="veza-word">{}</span>').format(day) for day in (window.earliest, window.latest)
        )
        yield Markup("bank statement between {} and {}").format(earliest, latest) + due_mark(window)


def _next(release: Release) -> tuple[str | None, str]:
    """Return the one next command of a release, and what it does. No command here asks for a live run."""
    summary = release.summary
    if release.undecided:
        damaged = next(one for one in release.doubtful if one.claimed and one.claimed.live_requested)
        return shlex.join(["veza-e2e", "verify", damaged.session]), "Says what is damaged."
    return _before_live(release) if summary is None else next(_after_live(release, summary))


def _after_live(release: Release, summary: Summary) -> Iterator[tuple[str, str]]:
    write = _write(summary)
    if summary.funds == "real" or summary.money.may_be_out:
        for todo in todos(summary):
            yield todo.command, _advice(summary, todo.said)
    if summary.outcome == "incomplete" and not summary.abandoned:
        yield write("resume", str(summary.session)), "Continues the live run."
    if statement_due(summary) is not None:
        yield bank_command(str(summary.session), write), "Records the refund, once the bank statement shows it."
    if release.attested(EX_9) is None and "GO" in {summary.decision, summary.rehearsed_decision}:
        yield attest_command(release, EX_9), "Attests EX-9, which no machine can see."
    if release.decision == "GO":
        yield write("release", release.name, "--markdown"), "Prints the row for your GO/NO-GO document."
    yield write("show", str(summary.session)), "Shows the live run, step by step."


def _advice(summary: Summary, said: str) -> str:
    said = said.replace(f"{summary.money.sentence}: ", "money is open: ", 1)
    return f"{said[:1].upper()}{said[1:]}."


def _before_live(release: Release) -> tuple[str | None, str]:
    dry = release.dry_run.summary if release.dry_run else None
    if dry is None:
        words = ["veza-e2e", "--env", "staging", "run", "--release", release.name]
        return shlex.join(words), "Makes the dry-run."
    if dry.outcome == "incomplete" and not dry.abandoned:
        return _write(dry)("resume", str(dry.session)), "Continues the dry-run."
    if dry.outcome != "passed":
        return _write(dry)("show", str(dry.session)), "Shows why the dry-run did not pass."
    return None, "The dry-run passed. The live run is next, by a person at a terminal."


def _write(summary: Summary) -> Command:
    """Return what writes a command in a session's environment."""
    return lambda *words: shlex.join(["veza-e2e", "--env", summary.environment, *words])
