"""Redaction changes what people and files get, never what the walkthrough works with."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from any_answers import AnyAnswers
from front_door import Shell
from front_door import figures as money_of
from meddled import Meddled
from meddling import Answer

PASSWORD = "open sesame & 7 more words"


@pytest.fixture
def shell(tmp_path: Path) -> Meddled:
    return Meddled(tmp_path)


def cookie(text: str) -> Callable[[Answer], object]:
    """Set a cookie with every answer that holds an order; `{id}` is the order's."""

    def change(answer: Answer) -> None:
        if answer.order:
            answer.cookies.append(text.format(id=answer.order["id"]))

    return change


def member(name: str, value: object) -> Callable[[Answer], object]:
    def change(answer: Answer) -> None:
        if answer.order:
            answer.order[name] = value

    return change


def token_that_is_the_id(answer: Answer) -> None:
    if answer.order:
        answer.order.update(access_token=answer.order["id"], csrf_token=answer.order["payment_id"])
        answer.headers.append(("X-CSRF-Token", answer.order["id"]))


ODD: dict[str, Callable[[Answer], object]] = {
    "a cookie that is the currency": cookie("currency=EUR; Path=/"),
    "a cookie that is the order's id": cookie("last_order={id}; Path=/"),
    "a cookie that is the total": cookie("visits=500; Path=/"),
    "a cookie that is a status": cookie("state=completed; Path=/"),
    "a member with a secret's name, the value a status": member("csrf_mode", "active"),
    "a member with a secret's name, the value the currency": member("secret", "EUR"),
    "tokens that are the order's ids": token_that_is_the_id,
}


def figures(document: dict[str, Any]) -> dict[str, Any]:
    """What the walkthrough found, without what each run has of its own."""
    names = ("outcome", "money", "refund_open", "waiting_for")
    steps = [(step["name"], step["status"]) for step in document["steps"]]
    equal = [(one["id"], one["status"]) for one in document["reconciliation"]]
    found = {name: document[name] for name in names} | {"money": money_of(document["money"])}
    return {**found, "steps": steps, "reconciliation": equal}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the walkthrough finds if nothing odd is said."""
    return figures(Shell(tmp_path_factory.mktemp("plain")).run("--refund").json)


@pytest.mark.parametrize("odd", ODD)
def test_what_a_backend_puts_beside_the_order_changes_nothing_and_replays(
    shell: Meddled, plain: dict[str, Any], odd: str
) -> None:
    shell.change = ODD[odd]
    recorded = odd in list(ODD)[1::3]
    result = shell.run("--refund", *(("--record", "odd") if recorded else ()))
    assert (result.code, figures(result.json)) == (0, plain)
    journal = shell.journal(result)
    (placed,) = [line["result"] for line in journal if line["type"] == "StepFinished" and line["step"] == "order"]
    assert placed["order_id"] == result.json["order_id"]
    assert "{{" not in json.dumps([line.get("result") for line in journal if line.get("step") != "login"])
    assert not recorded or shell("replay", "odd").code == 0


@pytest.mark.parametrize("odd", list(ODD)[:2])
def test_and_a_session_that_failed_after_the_charge_reaches_its_refund(shell: Meddled, odd: str) -> None:
    shell.change = ODD[odd]
    failed = shell.run("--fault", "license_not_granted")
    assert (failed.code, failed.json["refund_open"]) == (1, True)
    resumed = shell("--json", "resume", failed.json["session"])
    assert money_of(resumed.json["money"]) == (500, 500, "EUR")


@pytest.mark.parametrize("seed", range(int(os.environ.get("VEZA_TEST_EXAMPLES", "2"))))
def test_any_answers_that_the_contract_allows_give_the_same_results(
    shell: Meddled, seed: int, record_property: Callable[[str, object], None]
) -> None:
    odd = AnyAnswers(seed)
    shell.change, shell.texts = odd, {"out": odd.out, "back": odd.back}
    fault = ("--fault", "license_not_granted") if seed % 2 else ()
    result = shell.run("--refund", *fault)
    if fault:
        result = shell("--json", "resume", result.json["session"])
    record_property("answers", odd.answers)
    document = result.json
    assert money_of(document["money"]) == (500, 500, "EUR"), result.stderr
    assert document["outcome"] == ("failed" if fault else "passed"), result.stderr
    assert {document["order_id"], document["payment_id"], document["refund_id"]} <= set(odd.renamed.values())
    finished = [line["result"] for line in shell.journal(result) if line["type"] == "StepFinished"]
    for name, value in [one for members in finished for one in members.items()]:
        assert name in {"email", "checkout_url"} or "{{" not in str(value), (name, value)
        assert "[withheld]" not in str(value), (name, value)


@pytest.mark.parametrize("name", ["id", "payment_id"])
def test_a_login_secret_in_an_order_stops_before_the_charge(shell: Meddled, name: str) -> None:
    shell.change = member(name, f"41-{PASSWORD}")
    result = shell.run("--refund", env={"OPERATOR_EMAIL": "operator@veza.test", "OPERATOR_PASSWORD": PASSWORD})
    written = "".join(path.read_text(encoding="utf-8") for path in shell.folder.rglob("*.jsonl"))
    assert PASSWORD not in written + result.stdout + result.stderr
    assert result.code == 1
    (failed,) = [line for line in shell.journal(result) if line["type"] == "StepFailed"]
    assert failed["finding"] == "secret_echoed"
    assert {"id": "order_id"}.get(name, name) in failed["observed"]
    assert result.json["money"]["charged_cents"] in {None, 0}


def test_after_the_charge_it_is_withheld_and_the_refund_goes_on(shell: Meddled) -> None:
    def echo(answer: Answer) -> None:
        if answer.path.endswith("/licenses/mine") and answer.body["data"]:
            answer.body["data"][0]["id"] = PASSWORD

    shell.change = echo
    result = shell.run("--refund", env={"OPERATOR_EMAIL": "operator@veza.test", "OPERATOR_PASSWORD": PASSWORD})
    assert (result.code, result.json["money"]["refunded_cents"]) == (0, 500)
    (granted,) = [one for one in shell.journal(result) if one["type"] == "StepFinished" and one["step"] == "license"]
    assert granted["result"]["license_id"] == "[withheld]"
    assert "license_id withheld: the answer held a login secret" in granted["observed"]
    for path in shell.folder.rglob("*"):
        if path.is_file() and path.suffix != ".db":
            assert PASSWORD not in path.read_text(encoding="utf-8", errors="replace"), path
