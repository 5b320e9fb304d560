"""Histories that once violated what must hold, and what they must end in."""

from __future__ import annotations

from pathlib import Path

from simulator.disk import new_root
from simulator.history import History
from simulator.plan import Plan


def lived(root: Path, **deviations: object) -> tuple[History, list[tuple[str, int | None]]]:
    """Live a history; gives it, and each command's name and exit code."""
    plan = Plan(seed=1)
    for name, value in deviations.items():
        plan = plan.having(name, value)
    history = History(plan, new_root(root))
    told = history.run()
    assert told.violations == []
    return history, [(ran.words[0], ran.exit) for ran in history.sim.ran]


def test_an_order_made_under_a_conflict_is_found_with_its_key(root: Path) -> None:
    history, commands = lived(root, network=((6, "conflict_after"),))
    assert commands[0] == ("run", 0)
    assert len(history.sim.world.own_orders()) == 1


def test_an_order_made_under_a_conflict_is_named_where_no_key_tells(root: Path) -> None:
    history, commands = lived(root, network=((6, "conflict_after"),), honoured=False)
    (order,) = history.sim.world.own_orders()
    assert commands[0] == ("run", 1)
    assert order.id in history.sim.ran[0].err
    assert history.sim.ran[0].document["account"] == "at risk"
    assert commands[-1] == ("resume", 1)
    assert history.sim.ran[-1].document["account"] == "untouched", "once it has expired"


def test_an_order_that_was_made_late_and_paid_elsewhere_is_taken_over_by_the_operators_word(root: Path) -> None:
    lost = {"honoured": False, "key": "none", "network": ((6, "late_after"),)}
    history, commands = lived(root, **lost, checkout="elsewhere")
    assert commands[:2] == [("run", 4), ("resume", 0)]
    (order,) = history.sim.world.own_orders()
    assert history.sim.operator.questions["paid_elsewhere"] == 1
    assert history.sim.ran[1].document["order_id"] == order.id
    assert history.sim.ran[1].document["account"] == "returned"


def test_a_session_without_an_order_is_barred_by_the_money_of_another(root: Path) -> None:
    history, commands = lived(root, wander="run", network=((4, "error_after"),), kills=(132,))
    assert commands[:4] == [("run", 4), ("run", None), ("resume", 3), ("resume", 0)]
    assert len(history.sim.world.own_orders()) == 1


def test_a_report_that_could_not_be_written_is_not_named(root: Path) -> None:
    history, _ = lived(root, disk_full=120)
    full = next(ran for ran in history.sim.ran if "cannot be written" in ran.err)
    assert "charged 5.00 EUR" in full.err
    assert "license 1f4ba65e-2999-4392-a488-b84f1c615359 revoked" in full.err, "step 9 has passed"
    assert "  report  " not in full.err


def test_a_login_secret_in_the_place_of_a_payment_is_neither_kept_nor_sent_on(root: Path) -> None:
    history, _ = lived(root, echo="password", honoured=False, network=((6, "error_after"),))
    assert history.sim.ran[-1].document["account"] == "untouched", "the order expired"


def test_a_second_payment_is_found_even_if_the_first_names_another_order(root: Path) -> None:
    unread = ((2, "garbage"),)  # before the page is offered: it would not be
    history, _ = lived(root, checkout="pay_twice", metadata="foreign", processor_network=unread)
    assert history.sim.ran[0].document["money"]["charged_cents"] == 1000


def test_a_surcharge_that_the_processor_told_is_not_paid_when_the_page_would_be_offered_again(root: Path) -> None:
    history, _ = lived(root, surcharge=40, checkout="early")
    assert "the processor asks 5.40 EUR" in history.sim.ran[1].err
    assert not any(one.received for one in history.sim.world.payments.values())


def test_a_surcharge_that_nobody_told_bars_no_other_session(root: Path) -> None:
    history, commands = lived(root, live=True, key="none", surcharge=40, wander="run", kills=(40,))
    assert commands[:3] == [("run", None), ("run", 0), ("resume", 0)]
    assert len(history.sim.world.own_orders()) == 2


def test_a_product_that_another_session_bought_ends_this_one_and_nothing_was_charged_by_it(root: Path) -> None:
    history, commands = lived(root, wander="run", kills=(237,), disk_full=28)
    assert commands[:3] == [("run", 4), ("run", None), ("resume", 1)]
    assert "ORDER_ALREADY_OWNED" in history.sim.ran[2].err
    assert history.sim.ran[2].document["account"] == "untouched"


def test_a_second_payment_that_only_the_dashboard_shows_is_no_go(root: Path) -> None:
    history, _ = lived(root, live=True, key="none", checkout="pay_twice")
    first, second = (ran for ran in history.sim.ran if ran.words[:2] == ("attest", "dashboard"))
    assert "if the dashboard lists another payment" in first.out
    assert second.exit == 0
    items = {one["id"]: one["status"] for one in history.sim.ran[-1].document["acceptance"]}
    assert (items["amount_matches"], items["refund_completed"]) == ("not_met", "not_met")
    assert history.sim.ran[-1].document["decision"] == "NO-GO"


def test_a_payment_whose_id_was_withheld_is_not_asked_for_after_a_resume(root: Path) -> None:
    history, commands = lived(root, live=True, echo="password", license="missing", kills=(52, 168, 212))
    assert commands[-1][0] != "abandon", "the session ended"
    assert not any(
        "withheld" in line for ran in history.sim.ran for line in ran.err.splitlines() if "did not tell" in line
    )


def test_a_manifest_that_a_full_disk_keeps_from_being_written_is_no_defect(root: Path) -> None:
    history, commands = lived(root, live=True, dispute="after_refund", disk_full=87)
    assert commands[:2] == [("run", 0), ("resume", 1)]
    assert "do not give it again; its manifest is not" in history.sim.ran[1].err + history.sim.ran[1].out


def test_a_charge_that_step_5_could_not_compare_is_compared_at_the_end(root: Path) -> None:
    history, commands = lived(root, capture="other_currency", mistake="quit", processor_network=((10, "garbage"),))
    assert commands[:2] == [("run", 4), ("resume", 1)]
    assert "the order's total is 5.00 EUR, the processor received 5.00 USD" in history.sim.ran[1].err


def test_a_refund_that_only_the_backend_told_is_looked_at_again_after_a_kill(root: Path) -> None:
    kills = (194,)
    history, commands = lived(root, live=True, dry_run=False, license="revoked", refund="processor_lags", kills=kills)
    assert commands[:3] == [("run", 1), ("resume", None), ("resume", 1)]
    looked = history.sim.ran[2].document
    assert (looked["account"], looked["refund_open"]) == ("unknown", None)
    assert "the processor says charged 5.00 EUR, back 0.00 EUR so far" in history.sim.ran[2].err
    assert history.sim.ran[-1].document["account"] == "returned", "days later, when the processor tells it, too"


def test_the_processor_is_asked_before_a_refund_beside_a_dispute_counts_as_arrived(root: Path) -> None:
    plan = {"live": True, "dry_run": True, "refund": "processor_lags", "dispute": "before_refund"}
    history, commands = lived(root, **plan, kills=(181,))
    assert commands[:2] == [("run", None), ("resume", 1)]
    looked = history.sim.ran[1].document
    assert (looked["account"], looked["refund_open"]) == ("unknown", None)
    assert "the processor says charged 5.00 EUR, back 0.00 EUR so far" in history.sim.ran[1].err
    assert '"finding":"dispute_opened"' in history.journals[looked["session"]].decode()


def test_a_processor_that_does_not_list_the_refund_yet_is_waited_for(root: Path) -> None:
    history, commands = lived(root, live=True, refund="processor_hides")
    assert commands[0] == ("run", 4)
    first, last = history.sim.ran[0].document, history.sim.ran[-1].document
    assert (first["waiting_for"], first["account"], first["decision"]) == ("refund", "unknown", "PENDING")
    assert (last["outcome"], last["account"], last["decision"]) == ("passed", "returned", "GO")


def test_a_zero_beside_a_refund_that_succeeded_is_an_amount_that_is_not_told(root: Path) -> None:
    history, commands = lived(root, live=True, refund="zero_told")
    assert commands[0] == ("run", 0)
    assert history.sim.ran[-1].document["decision"] == "GO"
    assert not any("back 0.00" in line and "refunded" in line for line in history.sim.ran[0].err.splitlines())


def test_a_cancelled_transfer_beside_the_one_that_was_paid_out_counts_zero(root: Path) -> None:
    history, commands = lived(root, live=True, transfer="cancelled_too")
    assert commands[0] == ("run", 0)
    assert history.sim.ran[-1].document["decision"] == "GO"


def test_a_processor_that_tells_currencies_in_small_letters_is_read_as_any_other(root: Path) -> None:
    history, commands = lived(root, live=True, currency_case="lower")
    assert commands[0] == ("run", 0)
    assert history.sim.ran[-1].document["decision"] == "GO"


def test_money_that_is_only_reserved_is_no_charge_and_no_no_go(root: Path) -> None:
    history, commands = lived(root, live=True, capture="authorised")
    assert commands[0] == ("run", 1)
    first = history.sim.ran[0].document
    assert (first["account"], first["money"]["charged_cents"], first["decision"]) == ("at risk", None, "PENDING")


def test_a_capture_that_follows_the_end_turns_what_passed_into_failed(root: Path) -> None:
    history, commands = lived(root, live=True, again="captured")
    assert commands[:2] == [("run", 0), ("resume", 1)]
    looked = history.sim.ran[1].document
    assert (looked["outcome"], looked["money"]["charged_cents"], looked["decision"]) == ("failed", 1000, "NO-GO")
    assert "refund it at the processor's dashboard, then look again with: " in history.sim.ran[1].err


def test_a_key_that_was_revoked_after_the_refund_leaves_a_way_to_go(root: Path) -> None:
    history, commands = lived(root, live=True, key="revoked")
    assert commands[0] == ("run", 0)
    assert history.sim.ran[0].document["account"] == "unknown"
    assert "attest" in [name for name, _ in commands]
    assert (history.sim.ran[-1].document["account"], history.sim.ran[-1].document["decision"]) == ("returned", "GO")


def test_a_refund_that_fails_after_the_end_is_told_by_step_9(root: Path) -> None:
    history, commands = lived(root, live=True, refund="fails_late")
    assert commands[:2] == [("run", 0), ("resume", 1)]
    steps = {one["name"]: one["status"] for one in history.sim.ran[1].document["steps"]}
    assert steps["revoked"] == "failed"
    assert {one["id"]: one["status"] for one in history.sim.ran[1].document["reconciliation"]}["R4"] == "differs"
