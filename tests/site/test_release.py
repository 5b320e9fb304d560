"""release: the decision by the rules that the site goes by, in words, as a row, and as a report."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from front_door import Result, Shell
from markdown import markdown  # type: ignore[import-untyped]  # it has no stubs
from plain_markdown import same_in_both
from scripted_session import ORDER, SESSION, Script
from ten_sessions import DRY_RUN, HOSTILE

from veza_e2e.archive.sessions import Stored
from veza_e2e.journal.addenda import Reread
from veza_e2e.journal.events import SessionAbandoned, StepStarted
from veza_e2e.redaction import Redactor

RELEASE = ("--env", "prod", "release", "2026.05")
EARLIER, LATER = SESSION[:-1] + "0", SESSION[:-1] + "B"


@pytest.fixture
def archive(shell: Shell) -> Path:
    (shell.folder / "veza-e2e.toml").write_text(
        '[env.prod]\nbase_url = "https://veza.example"\nexpected_environment = ["prod"]\nlive = true\n',
        encoding="utf-8",
    )
    return shell.folder / "docs" / "archive" / "payment-e2e"


def real(session: str = SESSION, *, release: str = "2026.05") -> Script:
    at = datetime(2026, 5, 4, 9, tzinfo=UTC)
    return Script(at, session=session).start(live=True, rehearsal=False, release=release, dry_run=DRY_RUN)


def statuses(result: Result) -> dict[str, str]:
    return {item["name"]: item["status"] for item in result.json["items"]}


def message(result: Result, name: str) -> str:
    (found,) = [str(item["message"]) for item in result.json["items"] if item["name"] == name]
    return found


def goes(shell: Shell, archive: Path) -> None:
    """Bring release 2026.05 to GO by commands, as far as a test can."""
    real().until("revoked").end().store(archive)
    bank = ("bank", SESSION, "--seen", "credit", "--date", "2026-05-12", "--amount", "5.00 EUR")
    assert shell("--env", "prod", *bank).code == 0
    assert shell("--env", "prod", "attest", "ex-9", "--by", "A. Person", "--release", "2026.05").code == 0


def test_a_release_goes_from_pending_to_go(shell: Shell, archive: Path) -> None:
    real().until("revoked").end().store(archive)
    before = shell("--json", *RELEASE)
    assert (before.code, statuses(before)["decision"]) == (0, "PENDING")
    assert "bank statement (pending)" in message(before, "decision")
    assert statuses(before)["due"] == "pending"
    assert "veza-e2e --env prod attest ex-9 --by NAME --release 2026.05" in message(before, "ex_9")
    bank = ("bank", SESSION, "--seen", "credit", "--date", "2026-05-12", "--amount", "5.00 EUR")
    assert shell("--env", "prod", *bank).code == 0
    assert "but EX-9 is not attested" in message(shell("--json", *RELEASE), "decision")
    assert shell("--env", "prod", "attest", "ex-9", "--by", "A. Person").code == 0
    after = shell("--json", *RELEASE)
    assert [statuses(after)[name] for name in ("decision", "bank_statement", "ex_9", "due")] == [
        "GO",
        "met",
        "met",
        "ok",
    ]


def test_a_journal_without_an_event_may_belong_to_any_release(shell: Shell, archive: Path) -> None:
    goes(shell, archive)
    (real(EARLIER, release="other").until("completed").store(archive) / "journal.jsonl").write_bytes(b"")
    result = shell("--json", *RELEASE)
    assert (result.code, statuses(result)["decision"]) == (6, "PENDING")
    assert statuses(result)[f"damaged {EARLIER}"] == "damaged"
    assert shell("show", EARLIER).code == 6
    assert "damaged" in shell("sessions").stdout


def refund_failed(run: Script) -> Reread:
    """What `resume` learns of a run two weeks after it ended."""
    return Reread(
        session=run.session, session_hash=run.lines[-1].hash, number=1, seq=len(run.lines) + 1,
        at="2026-05-20T09:00:00.000Z", order_status="refund_failed", refund_status="failed", refunded_cents=0,
        currency="EUR", failed=True, observed="its refund failed", order_id=ORDER,
    )  # fmt: skip


def test_a_dry_run_that_failed_since_carries_no_go(shell: Shell, archive: Path) -> None:
    dry = Script(datetime(2026, 5, 3, 9, tzinfo=UTC), session=DRY_RUN["session"]).start(release="2026.05", sandbox=True)
    dry.until("revoked").end()
    stored = Stored(dry.session, dry.store(archive))
    goes(shell, archive)
    assert statuses(shell("--json", *RELEASE))["decision"] == "GO"
    stored.add(refund_failed(dry), Redactor())
    result = shell("--json", *RELEASE)
    assert [statuses(result)[name] for name in ("decision", "dry_run", "dry-run")] == ["PENDING", "not_met", "failed"]
    assert message(result, "decision") == f"the dry-run {dry.session} is failed now"
    due = "nothing is due, though not all is met: dry run"
    assert (statuses(result)["due"], message(result, "due")) == ("not_met", due)
    assert due in shell(*RELEASE, "--markdown").stdout
    shown = shell("--json", "show", SESSION).json
    assert (shown["decision"], shown["acceptance"][1]["status"]) == ("PENDING", "not_met")
    listed = {item["name"]: item["message"] for item in shell("--json", "sessions").json["items"]}
    assert "decision PENDING" in listed[SESSION]


def test_a_dry_run_that_failed_since_takes_no_no_go_back(shell: Shell, archive: Path) -> None:
    dry = Script(datetime(2026, 5, 3, 9, tzinfo=UTC), session=DRY_RUN["session"]).start(release="2026.05", sandbox=True)
    stored = Stored(dry.session, dry.until("revoked").end().store(archive))
    real().until("completed").say(StepStarted(step="license")).fail("license", "license_missing").store(archive)
    before = shell("--json", *RELEASE)
    stored.add(refund_failed(dry), Redactor())
    after = shell("--json", *RELEASE)
    assert [statuses(one)["decision"] for one in (before, after)] == ["NO-GO", "NO-GO"]
    assert statuses(after)["dry_run"] == "not_met"


def test_a_run_that_names_another_is_later_whatever_the_clock_said(shell: Shell, archive: Path) -> None:
    """A clock a day behind gives the later run the smaller id."""
    goes(shell, archive)
    between = SESSION[:-1] + "5"
    at = datetime(2026, 5, 3, 9, tzinfo=UTC)
    Script(at, session=between).start(others={SESSION: "a" * 64}).until("order").store(archive)
    late = Script(at, session=EARLIER).start(
        live=True, rehearsal=False, release="2026.05", dry_run=DRY_RUN, others={between: "b" * 64}
    )
    late.until("completed").say(StepStarted(step="license")).fail("license", "license_missing").store(archive)
    result = shell("--json", *RELEASE)
    assert statuses(result)["decision"] == "NO-GO"
    assert message(result, "live run").startswith(EARLIER)
    assert f"resume {EARLIER}" in message(result, "due")


def test_money_that_is_open_in_an_earlier_run_is_due(shell: Shell, archive: Path) -> None:
    goes(shell, archive)
    real(EARLIER).until("completed").store(archive)
    result = shell("--json", *RELEASE)
    assert statuses(result)["decision"] == "GO"
    assert f"resume {EARLIER}" in message(result, "due")
    assert f"resume {EARLIER}" in shell(*RELEASE, "--markdown").stdout


def test_an_order_that_nobody_pays_any_more_is_not_due_once_it_is_abandoned(shell: Shell, archive: Path) -> None:
    for session, hours in ((EARLIER, 1), (SESSION, 25)):
        run = real(session).until("order")
        run.clock.at += timedelta(hours=hours)
        run.say(SessionAbandoned(reason="the page expired")).end("incomplete").store(archive)
        result = shell("--json", *RELEASE)
        assert (statuses(result)["decision"], statuses(result)["due"]) == ("PENDING", "pending"), "the earlier one"
    assert message(result, "due").count("abandoned, the card may be charged") == 1
    assert f"--session {EARLIER}" in message(result, "due")


def test_a_failure_after_the_charge_is_a_no_go_and_stays_visible(shell: Shell, archive: Path) -> None:
    failed = real(EARLIER).until("completed").say(StepStarted(step="license")).fail("license", "license_missing")
    failed.end("failed").store(archive)
    assert statuses(shell("--json", *RELEASE))["decision"] == "NO-GO"
    goes(shell, archive)
    later = shell("--json", *RELEASE)
    assert statuses(later)["decision"] == "GO"
    assert statuses(later)[f"earlier {EARLIER}"] == "NO-GO"


def test_a_damaged_session_holds_the_go_back_and_the_command_that_frees_it_works(shell: Shell, archive: Path) -> None:
    goes(shell, archive)
    other = real(LATER, release="2026.06").until("products").store(archive)
    content = (other / "journal.jsonl").read_bytes()
    (other / "journal.jsonl").write_bytes(content.replace(b'"release":"2026.06"', b'"release":"2026.07"'))
    held = shell("--json", *RELEASE)
    assert (held.code, held.json["ok"], statuses(held)["decision"]) == (6, False, "PENDING")
    assert statuses(held)[f"damaged {LATER}"] == "damaged"
    (words,) = re.findall(r"veza-e2e (.* attest unrelated .*) --by NAME --note TEXT", message(held, f"damaged {LATER}"))
    assert shell(*words.split(), "--by", "B. Person", "--note", "a test of the disk").code == 0
    freed = shell("--json", *RELEASE)
    assert (freed.code, statuses(freed)["decision"]) == (0, "GO")
    assert "B. Person" in message(freed, f"unrelated {LATER}")


def test_a_damaged_attestation_counts_for_nothing(shell: Shell, archive: Path) -> None:
    goes(shell, archive)
    (path,) = (archive / "attestations").iterdir()
    path.write_bytes(path.read_bytes().replace(b"A. Person", b"B. Person"))
    result = shell("--json", *RELEASE)
    assert (result.code, statuses(result)["decision"], statuses(result)["attestations"]) == (6, "PENDING", "damaged")


def test_an_unknown_release_is_a_usage_error_with_the_nearest_name(shell: Shell, archive: Path) -> None:
    real().until("products").store(archive)
    result = shell("--json", "--env", "prod", "release", "2026.5")
    assert result.code == 2
    assert result.json["error"]["hint"] == "did you mean: veza-e2e --env prod release 2026.05"


def test_the_row_is_one_line_of_a_markdown_table_whatever_the_names_are(shell: Shell, archive: Path) -> None:
    real(release=HOSTILE).until("revoked").end().store(archive)
    result = shell("--env", "prod", "release", HOSTILE, "--markdown")
    (row,) = result.stdout.splitlines()
    table = f"| a | b | c | d | e | f |\n|---|---|---|---|---|---|\n{row}\n"
    html = markdown(table, extensions=["tables"])
    cells = [unescape(cell) for cell in re.findall("<td>(.*?)</td>", html)]
    assert len(cells) == 6
    assert cells[0] == HOSTILE.replace("\n", "⏎")
    assert cells[1] == "PENDING"
    assert cells[3] == SESSION
    assert "<script" not in html


def test_the_commands_in_row_and_report_can_be_copied(shell: Shell, archive: Path) -> None:
    real().until("transfers").keep().end().store(archive)
    row = shell(*RELEASE, "--markdown").stdout
    assert shell(*RELEASE, "--report", "REPORT.md").code == 0
    report = (shell.folder / "REPORT.md").read_text(encoding="utf-8")
    for text in (row, report):
        assert f"veza-e2e --env prod resume {SESSION}" in text


def test_the_report_is_plain_markdown_with_both_runs_and_all_items(shell: Shell, archive: Path) -> None:
    goes(shell, archive)
    result = shell(*RELEASE, "--report", "PAYMENT_E2E_LIVE_REPORT.md")
    assert result.code == 0
    text = (shell.folder / "PAYMENT_E2E_LIVE_REPORT.md").read_text(encoding="utf-8")
    assert text.startswith("# PAYMENT_E2E_LIVE_REPORT: release 2026.05\n\n**GO**: all nine acceptance items are met")
    assert "<" not in text, "plain Markdown holds no HTML"
    found = same_in_both(text)
    steps = [table for table in found.tables if table[0] == ["Step", "Status", "Observed", "Evidence"]]
    assert [len(table) for table in steps] == [10], "the dry-run that the live run cites is not here"
    assert len([line for line in text.splitlines() if line.startswith(("- [x] ", "- [ ] "))]) == 13
    said = unescape(text)
    for part in (
        SESSION, "charged 5.00 EUR, back 5.00 EUR", "REAL MONEY",
        "- [x] The bank statement shows the refund: dry-run not checked, live run met",
        "- [x] Prerequisite EX-9", "## The operator's risks", "## Linked artefacts", "- [x] Log archived",
        "- [ ] OPERATOR_PASSWORD rotated",
        "2026-05-12", "bank statement: credit on 2026-05-12, 5.00 EUR", "ex-9, by A. Person on", "R1: order total",
    ):  # fmt: skip
        assert part in said, part
    again = shell(*RELEASE, "--report", "PAYMENT_E2E_LIVE_REPORT.md")
    assert again.code == 0
    assert (shell.folder / "PAYMENT_E2E_LIVE_REPORT.md").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("place", ["docs/archive/payment-e2e/REPORT.md", "not-there/REPORT.md"])
def test_a_report_is_written_into_no_archive_and_no_folder_that_is_not_there(
    shell: Shell, archive: Path, place: str
) -> None:
    real().until("products").store(archive)
    assert shell(*RELEASE, "--report", place).code == 2
    assert not (shell.folder / place).exists()


def test_json_is_one_document_with_the_row_in_it(shell: Shell, archive: Path) -> None:
    real().until("products").store(archive)
    result = shell("--json", *RELEASE, "--markdown")
    assert json.loads(result.stdout)["ok"] is True
    assert message(result, "markdown").startswith("| 2026.05 | PENDING |")


def test_a_release_of_another_archive_is_named_with_the_command_that_shows_it(shell: Shell, archive: Path) -> None:
    real().until("revoked").end().store(archive)
    missed = shell("release", "2026.05")
    assert missed.code == 2
    assert "it is in docs/archive/payment-e2e: veza-e2e --env prod release 2026.05" in missed.stderr
    assert shell("--env", "prod", "release", "2026.05").code == 0


def test_several_damaged_live_runs_are_counted(shell: Shell, archive: Path) -> None:
    for session in (EARLIER, LATER):
        journal = real(session).until("revoked").end().store(archive) / "journal.jsonl"
        journal.write_bytes(journal.read_bytes().replace(b"answers 200", b"answers 201"))
    assert message(shell("--json", *RELEASE), "decision") == "2 damaged live sessions, which cannot be judged"


def test_a_damaged_live_run_is_not_called_none_and_what_is_due_is_not_known(shell: Shell, archive: Path) -> None:
    journal = real().until("revoked").end().store(archive) / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"answers 200", b"answers 201"))
    shown = shell("--json", *RELEASE)
    assert shown.code == 6
    said = {item["name"]: (item["status"], item["message"]) for item in shown.json["items"]}
    assert said["decision"] == ("PENDING", "1 damaged live session, which cannot be judged")
    assert said["live run"] == ("damaged", "1 damaged, see below")
    assert said["due"] == ("pending", "not known of the damaged live sessions")
    written = shell(*RELEASE, "--report", "report.md")
    assert written.code == 6
    report = (shell.folder / "report.md").read_text(encoding="utf-8")
    assert "\nDue: not known of the damaged live sessions\n" in report
    assert "A live run that may belong to this release is damaged." in report
