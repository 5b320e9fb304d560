"""Every number, status and time on the sessions' pages is that of `--json` and of the journal."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from front_door import Shell
from scripted_session import Script
from ten_sessions import DRY_RUN, Sessions

from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.evidence import BankStatement
from veza_e2e.journal import Line
from veza_e2e.journal.events import STEPS, CallFailed, CallFinished, StepFinished, StepStarted
from veza_e2e.redaction import Redactor
from veza_e2e.report.escape import plain
from veza_e2e.site.build import write_tree
from veza_e2e.site.shell import staged

REPOSITORY = Path(__file__).parents[2]
LIVE = "01KQS9EFM000000000000000CC"


@dataclass
class Cell:
    text: str = ""
    seqs: list[int] = field(default_factory=list)


class PageRead(HTMLParser):
    """A session's page: its tables by the id of their heading, its head, its record, and all its text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: dict[str, list[list[Cell]]] = {}
        self.head: dict[str, str] = {}
        self.record: dict[int, str] = {}
        self.text = ""
        self._section, self._name, self._open = "", "", ""
        self._cell: Cell | None = None
        self._events: list[int] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        event = re.fullmatch(r"event-([0-9]+)", found.get("id") or "")
        if tag == "h2":
            self._section = found.get("id") or ""
        elif tag == "tr":
            self.tables.setdefault(self._section, []).append([])
        elif tag in {"td", "th"}:
            self._cell = Cell()
            self.tables[self._section][-1].append(self._cell)
        elif tag == "a" and self._cell is not None:
            led = re.fullmatch(r"#(?:event-([0-9]+)|addenda)", found.get("href") or "")
            self._cell.seqs += [int(led[1] or 0)] if led else []
        elif event:
            self._events.append(int(event[1]))
            self.record.setdefault(int(event[1]), "")
        self._open = tag if tag in {"dt", "dd"} else self._open

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._cell = None
        elif tag in {"dt", "dd"}:
            self._open = ""
        elif tag in {"p", "summary"}:
            self._events.clear()

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._cell is not None:
            self._cell.text += data
        elif self._open == "dt":
            self._name = data
        elif self._open == "dd":
            self.head[self._name] = self.head.get(self._name, "") + data
        for seq in self._events:
            self.record[seq] += data

    def rows(self, section: str) -> list[list[Cell]]:
        return self.tables[section][1:]


def twelve(sessions: Sessions, root: Path) -> Archive:
    """The ten sessions, the dry-run, and a live run with real funds, VAT and a bank statement."""
    shutil.copytree(sessions.root, root)
    script = Script(session=LIVE).start(live=True, rehearsal=False, release="live", dry_run=DRY_RUN)
    script.total, script.tax = 600, 100
    folder = script.until("revoked").end().store(root)
    statement = BankStatement(
        session=LIVE, session_hash=script.lines[-1].hash, number=1, seq=len(script.lines) + 1,
        at="2026-05-12T09:00:00.000Z", seen="credit", date="2026-05-11", amount_cents=600, currency="EUR",
        reference="VEZA 4711",
    )  # fmt: skip
    Stored(LIVE, folder).add(statement, Redactor())
    return Archive(root)


def test_every_number_status_and_time_is_that_of_json_and_journal(sessions: Sessions, tmp_path: Path) -> None:
    archive = twelve(sessions, tmp_path / "archive")
    write_tree(archive, REPOSITORY / "docs", tmp_path / "src")
    kept = archive.sessions()
    assert len(kept) >= 12
    for stored in kept:
        shown = Shell(tmp_path)("--archive", str(archive.root), "--json", "show", stored.session).json
        made = staged(tmp_path / "src").joinpath(*stored.folder.parts[-3:]) / "index.html"
        page = PageRead(made.read_text(encoding="utf-8"))
        reading = stored.read()
        check_head(page, shown)
        check_judged(page, shown, len(reading.lines))
        check_money(page, shown, len(reading.lines))
        check_record(page, reading.lines)
        check_durations(page, reading.lines)
        check_text(page, shown, stored.addenda(reading), reading.lines)


def check_head(page: PageRead, shown: Mapping[str, Any]) -> None:
    decided = f"{shown['decision']}: {shown['decision_reason']}"
    assert page.head["Decision"].removesuffix("; a release also needs EX-9 attested") == plain(decided)
    assert page.head["Outcome"] == shown["outcome"]
    assert page.head["Account"].startswith(f"{shown['account']}: ")
    assert page.head["Funds"].startswith("REAL MONEY" if shown["funds"] == "real" else ("test funds", "TEST FUNDS"))
    assert page.head["Due"]


def check_judged(page: PageRead, shown: Mapping[str, Any], events: int) -> None:
    """Statuses, observations and evidence; an addendum's number leads to the addenda."""

    def led(cell: Cell, seqs: list[int]) -> bool:
        return sorted(cell.seqs) == sorted(seq if seq <= events else 0 for seq in set(seqs))

    def worded(status: str) -> str:
        return status.replace("_", " ")

    for row, step in zip(page.rows("the-nine-steps"), shown["steps"], strict=True):
        assert [row[0].text.partition(".")[0], row[1].text] == [str(step["number"]), step["status"]]
        assert row[2].text == plain(step["observed"])
        assert led(row[3], step["trace"]) or step["observed"] == "begun, not finished"
    for row, item in zip(page.rows("acceptance"), shown["acceptance"], strict=True):
        assert [row[0].text, row[1].text] == [item["title"], worded(item["status"])]
        assert led(row[3], item["evidence"])
    for row, rule in zip(page.rows("reconciliation"), shown["reconciliation"], strict=True):
        assert [row[0].text[:2], row[1].text] == [rule["id"], worded(rule["status"])]
        same = rule["left"] == rule["right"]
        sides = f"both {rule['left']}" if same else f"{rule['left']} against {rule['right']}"
        assert row[2].text == ("" if rule["left"] is None else plain(sides))


def check_money(page: PageRead, shown: Mapping[str, Any], events: int) -> None:
    witnesses = {"backend": "backend", "processor": "processor", "bank statement": "bank"}
    found: dict[str, list[tuple[str, str | None, list[int]]]] = {"charged": [], "refunded": []}
    for row in page.rows("receipt"):
        kind = {"charged": "charged", "refunded": "refunded", "credited": "refunded"}.get(
            row[0].text.lower().removeprefix("not ")
        )
        if kind:
            amount = None if row[1].text == "not told" else row[1].text.removesuffix(" so far")
            assert row[0].text.startswith("Not ") is bool(amount and amount.startswith("0.00"))
            found[kind].append((witnesses[row[4].text], amount, row[5].seqs))
    for kind, figures in found.items():
        told = shown["money"]["witnesses"][kind]
        assert [figure[:2] for figure in figures] == [(one["by"], one["amount"]) for one in told]
        for (*_, seqs), one in zip(figures, told, strict=True):
            assert (one["seq"] if one["seq"] <= events else 0) in seqs
    named = {row[0].text: row[1].text for row in page.rows("product-order-and-ids")}
    for title, name in (("Order", "order_id"), ("Payment", "payment_id"), ("Refund", "refund_id")):
        assert named.get(title) == shown[name]
    assert named["Session"] == shown["session"]


def check_record(page: PageRead, lines: Sequence[Line]) -> None:
    assert sorted(page.record) == [line.seq for line in lines]
    chapters = re.findall(r"^.+: ([0-9]+) events?(?:, ([0-9]+) calls?)?$", page.text, re.MULTILINE)
    assert sum(int(events) for events, _ in chapters) == len(lines)
    made = [line for line in lines if isinstance(line.event, CallFinished | CallFailed)]
    assert sum(int(calls or 0) for _, calls in chapters) == len(made)
    for line in lines:
        text, event = page.record[line.seq].strip(), line.event
        merged = "reads, each with an answer that is shown above" in text
        if not merged:
            assert text.startswith(f"{line.seq} · {line.at[11:23]} · ")
        if isinstance(event, CallFinished) and not merged:
            assert f" → {event.status}" in text
        if isinstance(event, CallFinished | CallFailed) and not merged:
            assert f"{event.elapsed_ms} ms" in text


def check_durations(page: PageRead, lines: Sequence[Line]) -> None:
    """Where a step began once and ended by itself, it took the time between; to a tenth of a second."""
    if "compared-with-the-run-before" not in page.tables:
        return
    for row, step in zip(page.rows("compared-with-the-run-before"), STEPS, strict=True):
        begun = [datetime.fromisoformat(line.at) for line in lines if line.event == StepStarted(step=step)]
        ends = [line for line in lines if isinstance(line.event, StepFinished) and line.event.step == step]
        if len(begun) == len(ends) == 1:
            ms = (datetime.fromisoformat(ends[0].at) - begun[0]) // timedelta(milliseconds=1)
            assert row[1].text == f"{ms // 1000}.{ms % 1000 // 100} s"
        elif not begun:
            assert row[1].text == "did not begin"


def check_text(page: PageRead, shown: Mapping[str, Any], addenda: Sequence[object], lines: Sequence[Line]) -> None:
    """Every amount and time anywhere on the page stands in the journal, an addendum, or what `--json` says."""
    told = " ".join([*(f"{line.at} {line.event!r}" for line in lines), *map(repr, addenda), json.dumps(shown)])
    dry = {"5.00 EUR", "0.00 EUR"} if shown["session"] == LIVE else set()  # what its dry-run is compared by
    for amount in set(re.findall(r"\b[0-9]+\.[0-9]{2} [A-Z]{3}\b", page.text)) - dry:
        cents = str(int(amount.partition(" ")[0].replace(".", "")))
        assert amount in told or re.search(rf"\b{cents}\b", told), (shown["session"], amount)
    for day, time in set(re.findall(r"\b(20[0-9-]{8}) ([0-9:]{8}) UTC", page.text)):
        assert f"{day}T{time}" in told, (shown["session"], day, time)
