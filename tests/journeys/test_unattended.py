"""An unattended run on the rehearsal backend: what it prints, keeps and exits with."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from front_door import ACCOUNT, Shell, books, figures
from meddling import Answer, meddling

STEPS = ["login", "products", "order", "pay", "completed", "license", "transfers", "refund", "revoked"]
ACCEPTANCE = [
    "preflight", "dry_run", "order_completed", "amount_matches", "license_granted",
    "transfer_booked", "refund_completed", "license_revoked", "bank_statement",
]  # fmt: skip


def test_nine_steps_pass_and_the_money_comes_back(shell: Shell) -> None:
    result = shell.run("--refund")
    document = result.json
    assert result.code == 0
    assert [(step["number"], step["name"], step["status"]) for step in document["steps"]] == [
        (number, name, "passed") for number, name in enumerate(STEPS, 1)
    ]
    assert document["outcome"] == "passed"
    assert figures(document["money"]) == (500, 500, "EUR")
    assert (document["live"], document["rehearsal"], document["funds"]) == (False, True, "test")
    assert (document["decision"], document["refund_open"], document["waiting_for"]) == ("PENDING", False, None)
    assert [item["id"] for item in document["acceptance"]] == ACCEPTANCE
    assert {item["id"]: item["status"] for item in document["acceptance"]} == dict.fromkeys(ACCEPTANCE, "met") | {
        "dry_run": "not_applicable",
        "bank_statement": "not_applicable",
    }
    assert {row["id"]: row["status"] for row in document["reconciliation"]} == dict.fromkeys(
        ["R1", "R2", "R3", "R4", "R5", "R6"], "equal"
    )
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", document["session"])


def test_the_traces_name_events_that_exist(shell: Shell) -> None:
    result = shell.run("--refund")
    seqs = {line["seq"] for line in shell.journal(result)}
    document = result.json
    named = [seq for step in document["steps"] for seq in step["trace"]]
    named += [seq for item in document["acceptance"] for seq in item["evidence"]]
    assert named
    assert set(named) <= seqs


def test_a_kept_purchase_skips_the_last_two_steps_and_can_be_refunded_later(shell: Shell) -> None:
    kept = shell.run("--no-refund")
    assert kept.code == 0
    assert [name for name, status in kept.steps.items() if status == "skipped"] == ["refund", "revoked"]
    assert "8/9 refund: refund, if you say so\n    skipped  the run was started without a refund" in kept.stderr
    assert re.search("9/9 revoked: .*\n    skipped", kept.stderr)
    assert kept.json["refund_open"] is True
    assert kept.json["money"]["refunded_cents"] == 0
    refunded = shell("--json", "resume", kept.json["session"])
    assert refunded.code == 0
    assert refunded.json["refund_open"] is False
    assert refunded.json["money"]["refunded_cents"] == 500
    assert set(refunded.steps.values()) == {"passed"}


def test_ten_lines_check_the_chain(shell: Shell) -> None:
    result = shell.run("--refund")
    prev = "0" * 64
    for raw in (shell.folder / result.json["paths"]["journal"]).read_bytes().splitlines():
        line = json.loads(raw)
        canonical = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        assert canonical == raw
        claimed = line.pop("hash")
        body = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        assert (line["prev"], claimed) == (prev, hashlib.sha256(body).hexdigest())
        prev = claimed


def test_the_last_event_holds_the_digests_of_the_views(shell: Shell) -> None:
    result = shell.run("--refund")
    last = shell.journal(result)[-1]
    folder = (shell.folder / result.json["paths"]["journal"]).parent
    assert last["type"] == "SessionEnded"
    assert last["views"] == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("session.log", "report.md")
    }
    assert shell("verify", "--all").code == 0


def test_no_secret_is_in_any_file_or_on_screen(shell: Shell) -> None:
    password = "a passphrase that nobody must see 7391"
    result = shell.run("--refund", env={"OPERATOR_EMAIL": "quiet.person@veza.test", "OPERATOR_PASSWORD": password})
    assert result.code == 0
    kept = [path for path in shell.folder.rglob("*") if path.is_file() and "backend.db" not in path.name]
    texts = [path.read_bytes().decode("utf-8", "replace") for path in kept] + [result.stdout, result.stderr]
    assert any("q***@veza.test" in text for text in texts)
    for text in texts:
        assert password not in text
        assert "quiet.person" not in text
        assert not re.search(r"eyJ[A-Za-z0-9_-]{10,}\.", text)
        assert "4242424242424242" not in text


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--env", "nowhere", "run"], 2, "there is no environment 'nowhere'"),
        (["run", "--frobnicate"], 2, "--frobnicate"),
        (["run", "--unattended", "--live"], 2, "contradict"),
        (["run", "--live", "--record", "x"], 2, "contradict"),
        (["run", "--live"], 2, "terminal"),
        (["run", "--unattended", "--fault", "meteor"], 2, "meteor"),
        (["run", "--unattended", "--max-amount", "lots"], 2, "lots"),
        (["run", "--unattended", "--max-amount", "1.00 EUR"], 3, "1.00 EUR"),
        (["run", "--unattended", "--product", "no-such-product"], 3, "no-such-product"),
        (["resume", "01ARZ3NDEKTSV4RRFFQ69G5FAV"], 2, "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        (["frobnicate"], 2, "frobnicate"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(shell: Shell, words: list[str], code: int, said: str) -> None:
    result = shell("--json", *words)
    assert result.code == code
    assert said in result.json["error"]["message"]
    assert not list(shell.folder.rglob("journal.jsonl"))
    assert not list((shell.folder / ".veza-e2e").glob("re*/*"))


def test_a_bad_address_blocks_the_gate_and_all_checks_are_made(shell: Shell) -> None:
    result = shell("--json", "preflight", env={"OPERATOR_EMAIL": "nobody", "OPERATOR_PASSWORD": "x y z"})
    assert result.code == 3
    checks = {item["name"]: item["status"] for item in result.json["items"]}
    assert checks["email"] == "blocked"
    assert checks["password"] == "ok"
    assert (result.json["ok"], "OPERATOR_EMAIL" in result.json["error"]["message"]) == (False, True)


def test_a_key_that_the_processor_refuses_is_said_at_the_gate(shell: Shell) -> None:
    with shell.serving() as base_url:
        shell.configure("staging", base_url, reports="sandbox")
        wrong = shell("--env", "staging", "preflight", env={**ACCOUNT, "HYPERSWITCH_API_KEY": "the-wrong-one"})
        right = shell("--env", "staging", "--json", "preflight", env=ACCOUNT)
    assert wrong.code == 0
    assert "processor_key:  THE PROCESSOR REFUSES THE KEY (it answered 401)" in wrong.stderr
    assert re.search("veza-e2e --env staging attest dashboard --session [0-9A-Z]{26} --by NAME", wrong.stderr)
    assert {item["name"]: item["status"] for item in right.json["items"]}["processor_key"] == "ok"


@pytest.mark.parametrize("configured", ["", "live = false\n"])
def test_a_plain_run_never_reaches_a_charge_at_a_backend_that_is_called_prod_eu(shell: Shell, configured: str) -> None:
    def change(answer: Answer) -> None:
        if answer.path.endswith("/status"):
            answer.body["data"] = {"environment": "prod-eu", "services": {"hyperswitch": "ok"}}

    with shell.serving() as server, meddling(server, change) as base_url:
        shell.configure("eu", base_url, reports="prod-eu")
        settings = shell.folder / "veza-e2e.toml"
        settings.write_text(
            settings.read_text(encoding="utf-8").replace("live = false\n", configured), encoding="utf-8"
        )
        result = shell("--env", "eu", "--json", "run", env=ACCOUNT, stdin="1\n\n")
        assert books(server)["orders"] == 0
    assert result.code == 3
    assert "the backend is live (its name has the word 'prod'), and --live was not given" in result.stderr
    assert "--live" not in result.json["error"]["hint"]


def test_what_p_paid_is_recorded_and_replayed(shell: Shell) -> None:
    """The test card is the operator's own doing, so that a replay needs none."""
    result = shell(
        "--json", "run", "--no-refund", "--product", "a0a51e32-83a8-5c40-8142-33b4cf5ca8b1", "--record", "by-p",
        stdin="p\n\nskip\nno psql here\n",
    )  # fmt: skip
    assert "p = test card" in result.stderr
    assert "Paid with a test card." in result.stderr
    assert result.json["money"]["charged_cents"] == 500
    played = shell("--json", "replay", "by-p")
    assert (played.code, played.json["ok"]) == (0, True), played.stderr


def test_staging_takes_no_faults_and_no_unattended_run(shell: Shell) -> None:
    shell.configure("staging", "https://staging.veza.test", reports="staging")
    assert shell("--env", "staging", "run", "--fault", "webhook_lost").code == 2
    assert shell("--env", "staging", "run", "--unattended").code == 2


def test_a_backend_that_cannot_be_reached_blocks_the_gate(shell: Shell) -> None:
    shell.configure("staging", "http://127.0.0.1:9", reports="staging")
    result = shell("--json", "--env", "staging", "run", env={"OPERATOR_EMAIL": "a@veza.test", "OPERATOR_PASSWORD": "x"})
    assert result.code == 3
    assert (result.json["session"], result.json["outcome"], result.json["paths"]) == (None, "refused", None)
    assert not list(shell.folder.rglob("journal.jsonl"))


def test_the_plan_sends_only_reads_and_begins_nothing(shell: Shell) -> None:
    result = shell("--json", "run", "--plan", "--unattended")
    assert result.code == 0
    assert [item["name"] for item in result.json["items"]] == STEPS
    assert result.json["session"] is None
    assert not list(shell.folder.rglob("journal.jsonl"))


def test_the_hostile_product_shows_as_text(shell: Shell) -> None:
    listed = shell("--json", "run", "--plan", "--unattended")
    assert listed.code == 0
    result = shell.run("--refund", "--product", "6bf64f8c-e26a-5d67-9f3d-0c12956a260f")
    report = (shell.folder / result.json["paths"]["report"]).read_text(encoding="utf-8")
    log = (shell.folder / result.json["paths"]["log"]).read_text(encoding="utf-8")
    assert result.code == 0
    assert "<script>" not in report
    assert '<script>alert(1)</script> | "x" ⏎# y' in log
    assert '<script>alert(1)</script> | "x" ⏎# y' in result.stderr
    assert not any(line.startswith("# y") for line in (report + log + result.stderr).splitlines())


def test_sessions_share_no_file(shell: Shell) -> None:
    first, second = shell.run("--refund"), shell.run("--refund")
    folders = {str(Path(result.json["paths"]["journal"]).parent) for result in (first, second)}
    assert len(folders) == 2
