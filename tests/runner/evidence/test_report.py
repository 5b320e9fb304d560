"""The views: made from the journal alone, every link to an event that is there, the same bytes everywhere."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from plain_markdown import same_in_both
from scripted_session import ORDER, PAYMENT, REFUND, SESSION, Script
from surroundings import environment

from veza_e2e.canonical import JSON
from veza_e2e.evidence import BankStatement, summarise
from veza_e2e.report import render, template_version
from veza_e2e.report.view import view

HOSTILE = '<script>alert(1)</script> | "x" \n# y'


def report(script: Script) -> str:
    return render(script.lines)["report.md"].decode()


def rows(page: str, title: str) -> list[list[str]]:
    table = page.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines[2:]]


def test_the_title_says_environment_funds_and_release() -> None:
    assert report(Script().start(release="v1").until("login")).splitlines()[0] == (
        "# Payment walkthrough · rehearsal · test funds · release v1"
    )
    real = report(Script().start(live=True, rehearsal=False, release="v1"))
    assert real.splitlines()[0] == "# Payment walkthrough · prod · REAL MONEY · release v1"
    stamped = report(Script().start(live=True, rehearsal=True))
    assert "TEST FUNDS" in stamped.splitlines()[0]
    assert "TEST FUNDS: " in stamped


def test_the_verdict_leads_with_the_money() -> None:
    assert report(Script().start().until("revoked")).splitlines()[2] == "**charged 5.00 EUR, back 5.00 EUR**"
    assert "charged 5.00 EUR, back 0.00 EUR, open 5.00 EUR" in report(Script().start().until("transfers").keep())
    assert "nothing was charged" in report(Script().start().until("login"))
    assert "the card may be charged" in report(Script().start().until("pay"))


def test_nine_rows_and_nine_items() -> None:
    page = report(Script().start().until("license"))
    assert [row[0][:2] for row in rows(page, "The nine steps")] == [f"{n}." for n in range(1, 10)]
    assert len(rows(page, "Acceptance")) == 9
    assert [row[1] for row in rows(page, "The nine steps")] == ["passed"] * 6 + ["pending"] * 3


def test_what_the_owner_asked_for_is_on_the_page() -> None:
    page = report(Script().start(live=True, rehearsal=False, release="v1").until("revoked"))
    for part in (
        ORDER, PAYMENT, REFUND, "Test product of about 5 EUR", "Personal card, not corporate",
        "Sandbox against live confusion", "VAT line in the EU", "Bank-statement lag inside the refund window",
        "veza-e2e ", "Canary release document", "GO/NO-GO checklist", "Hyperswitch dashboard",
        "Stripe dashboard", "## Prerequisite EX-9", "KYC", "Archive the log", "Flip the release's row",
        "Rotate `OPERATOR_PASSWORD`", "[docs.example/canary](https://docs.example/canary)",
    ):  # fmt: skip
        assert part in page


def test_every_link_leads_to_an_event_of_the_record() -> None:
    script = Script().start(live=True, rehearsal=False, release="v1").until("revoked")
    found = same_in_both(report(script))
    numbers = [row[0] for table in found.tables if table[0] == ["Event", "At", "What"] for row in table[1:]]
    assert numbers == [str(line.seq) for line in script.lines]
    assert sum(link.startswith("#") for link in found.links) > 30
    for table in found.tables:
        for cell in (row[-1] for row in table[1:] if table[0][-1] == "Evidence" and row[-1]):
            assert set(re.findall(r"(?:^|, )([0-9]+) (?!more)", cell)) <= set(numbers)


def test_every_call_is_there_with_request_and_answer() -> None:
    found = same_in_both(report(Script().start().until("revoked")))
    assert sum(one.startswith("HTTP ") for one in found.fenced) == 10
    (sent,) = [one for one in found.fenced if one.startswith("POST http://127.0.0.1:9/api/v1/orders\n")]
    assert "authorization: [redacted]" in sent
    page = report(Script().start().until("revoked"))
    assert "POST /api/v1/orders → 201: 12 ms, request id req-3" in page


def test_a_hostile_product_is_text() -> None:
    script = Script()
    script.title = HOSTILE
    views = render(script.start(release=HOSTILE).until("revoked").lines)
    found = same_in_both(views["report.md"].decode())
    shown = [row[:2] for table in found.tables for row in table]
    assert ["Product", '<script>alert(1)</script> | "x" ⏎# y'] in shown
    assert "<" not in views["report.md"].decode()
    assert "\n# y" not in views["report.md"].decode()
    assert "\n# y" not in views["session.log"].decode()


def test_a_poll_that_tells_nothing_new_is_named_not_repeated() -> None:
    script = Script().start().until("pay")
    for _ in range(600):
        script.call("completed", "getOrder", script.order("pending_payment"), path=f"/orders/{ORDER}")
    page = report(script)
    assert "599 reads, each with an answer that is shown above" in page
    assert len(page) < 60_000


def test_the_log_has_one_line_an_event() -> None:
    script = Script().start().until("revoked")
    log = render(script.lines)["session.log"].decode()
    stamped = [
        line
        for line in log.splitlines()
        if re.match(r"[0-9]{4}-.*Z  #[0-9]+ +(info|ask|call|ok|WARN|FAIL) +[a-z-]+ +\S", line)
    ]
    assert len(stamped) == len(script.lines)


def test_the_end_of_the_session_is_not_in_its_own_views() -> None:
    script = Script().start().until("revoked")
    before = render(script.lines)
    assert render(script.end().lines) == before


SECRET_BODY: JSON = {"email": "o***@veza.test", "password": "{{password:1}}"}


@pytest.mark.process
def test_curl_takes_secrets_from_shell_variables_and_expands_nothing_else(tmp_path: Path) -> None:
    from veza_e2e.journal.events import CallFinished  # noqa: PLC0415
    from veza_e2e.report.calls import describe  # noqa: PLC0415

    event = CallFinished(
        call=1, step="login", operation="login", target="api", method="POST", url="http://127.0.0.1:9/a?b=$(id)",
        request_headers={"authorization": "Bearer {{access_token:1}}", "x": "`id` 'q' $HOME"},
        request_body={"json": SECRET_BODY}, status=200, response_headers={}, response_body=None, request_id=None,
        started_at="2026-05-04T09:00:00.000Z", elapsed_ms=1,
    )  # fmt: skip
    curl = tmp_path / "curl"
    curl.write_text('#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done\n', encoding="utf-8")
    curl.chmod(0o755)
    said = subprocess.run(
        ["sh", "-c", describe(event).curl],
        env=environment(
            PATH=f"{tmp_path}:{os.environ['PATH']}", VEZA_ACCESS_TOKEN="T", OPERATOR_PASSWORD="P", OPERATOR_EMAIL="E"
        ),
        capture_output=True, encoding="utf-8", check=True,
    ).stdout.splitlines()  # fmt: skip
    assert said == [
        "-X", "POST", "http://127.0.0.1:9/a?b=$(id)", "-H", "authorization: Bearer T", "-H", "x: `id` 'q' $HOME",
        "--data", '{"email":"E","password":"P"}',
    ]  # fmt: skip


@pytest.mark.process
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland"])
def test_the_bytes_do_not_depend_on_time_zone_locale_or_hash_seed(tmp_path: Path, zone: str) -> None:
    script = Script().start(release="v1").until("revoked")
    path = tmp_path / "journal.jsonl"
    path.write_bytes(bytes(script.sink.data))
    code = (
        "import hashlib,sys; from pathlib import Path; from veza_e2e.journal import read; "
        "from veza_e2e.report import render, template_version; views = render(read(Path(sys.argv[1])).lines); "
        "print(*(hashlib.sha256(views[n]).hexdigest() for n in sorted(views)), template_version())"
    )
    elsewhere = environment(TZ=zone, PYTHONHASHSEED="7", LC_ALL="C")
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], env=elsewhere, capture_output=True, encoding="utf-8", check=True
    )
    views = render(script.lines)
    here = [hashlib.sha256(views[name]).hexdigest() for name in sorted(views)]
    assert done.stdout.split() == [*here, template_version()]


def test_the_summary_and_the_page_agree() -> None:
    script = Script().start(live=True, rehearsal=False).until("completed").fail("license", "license_missing")
    summary = summarise(script.lines)
    page = report(script)
    assert f"| Decision | {summary.decision}: {summary.reason} |" in page
    assert "The money is not settled. (" in page
    assert "| Account | charged: more was received than came back |" in page
    assert "something was wrong. what it means what to do" in page


def test_money_that_is_out_or_not_credited_in_full_is_never_shown_as_good() -> None:
    real = Script().start(live=True, rehearsal=False).until("revoked").end()
    wrong = BankStatement(
        session=real.session, session_hash=real.lines[-1].hash, number=1, seq=len(real.lines) + 1,
        at="2026-05-12T09:00:00.000Z", seen="credit", date="2026-05-11", amount_cents=400, currency="EUR",
    )  # fmt: skip
    colours = {
        "passed": view(real.lines).css,
        "wrong bank amount": view(real.lines, [wrong]).css,
        "kept": view(Script().start().until("transfers").keep().lines).css,
        "at risk": view(Script().start().until("pay").lines).css,
        "failed": view(Script().start().until("order").fail("pay", "declined").lines).css,
        "refused": view(Script().start(blocked=True).lines).css,
    }
    assert colours == {
        "passed": "passed", "wrong bank amount": "incomplete", "kept": "incomplete", "at risk": "incomplete",
        "failed": "failed", "refused": "idle",
    }  # fmt: skip


def test_the_head_says_what_is_due_and_the_next_command() -> None:
    def head(script: Script) -> dict[str, str]:
        return {fact.name: getattr(fact.value, "text", str(fact.value)) for fact in view(script.lines).head}

    left = head(Script().start().until("order").pause("pay", "left", "operator"))
    assert left["Due"] == "the walkthrough can be resumed"
    assert left["Next command"] == f"veza-e2e --env rehearsal resume {SESSION}"
    awaited = head(Script().start(live=True, rehearsal=False).until("revoked").end())
    assert awaited["Due"] == "bank statement between 2026-05-11 and 2026-05-13, overdue after 2026-05-18"
    assert awaited["Next command"].startswith(f"veza-e2e --env prod bank {SESSION} --seen credit")
    rehearsed = head(Script().start(live=True).until("revoked").end())
    assert (rehearsed["Due"], "Next command" in rehearsed) == ("nothing", False)
    out = head(Script().start(live=True, rehearsal=False).until("completed").fail("license", "license_missing").end())
    assert out["Next command"] in out["Due"]
    blocked = report(Script().start(blocked=True))
    assert "The pre-flight blocked the run. limit: 5.00 EUR is within 10.00 EUR (" in blocked
