"""The gate: each check says ok, warn or blocked of what it saw, all are made, and only reads are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from front_door import Time, serving
from meddling import Answer, meddling
from sdk import backend_of_2025 as of_2025
from surroundings import PATIENCE

from veza import Veza
from veza.money import Money
from veza.testing import FakeClock, Reply
from veza_e2e.config import Environment
from veza_e2e.journal.events import PreflightChecked, PreflightFinished
from veza_e2e.ports.processor import NO_PAYMENT, KeyWord
from veza_e2e.ports.protocols import Clock
from veza_e2e.preflight.deciding import Means, Rows
from veza_e2e.preflight.gate import REHEARSAL_HEADER, Gate, preflight

if TYPE_CHECKING:
    from runner.conftest import Walk

ALL = ["health", "environment", "mode", "hyperswitch", "processor_mode", "products", "limit", "email", "password"]
READY = Gate(
    environment=Environment("staging", "http://127.0.0.1:1", ("sandbox",)),
    live=False, unattended=False, limit=Money(1000, "EUR"), product=None,
    email="operator@veza.test", has_password=True, processor_key=None,
)  # fmt: skip
NOW = Time()
LIVE = replace(READY, environment=Environment("live", "http://127.0.0.1:1", ("live",), live=True), live=True)


def made(
    gate: Gate, base_url: str, clock: Clock = NOW, key: Callable[[], tuple[KeyWord, str]] | None = None
) -> tuple[dict[str, PreflightChecked], PreflightFinished]:
    checks: list[PreflightChecked] = []
    with httpx.Client(trust_env=False, timeout=PATIENCE) as http:
        finished = preflight(gate, Veza(base_url, http_client=http, max_retries=0), clock, checks.append, key)
    named = {check.name: check for check in checks}
    assert len(named) == len(checks)
    assert all(check.hint for check in checks if check.status != "ok"), "what is not ok says what to do"
    return named, finished


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("sandbox"), time=NOW) as base_url:
        yield base_url


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("live"), time=NOW, environment="live") as base_url:
        yield base_url


@pytest.fixture
def faulty(sandbox: str) -> Iterator[str]:
    yield sandbox
    httpx.post(f"{sandbox}/rehearsal/faults", json={"faults": []}, trust_env=False, timeout=PATIENCE)


def throw(base_url: str, *faults: str) -> None:
    answer = httpx.post(f"{base_url}/rehearsal/faults", json={"faults": faults}, trust_env=False, timeout=PATIENCE)
    assert answer.status_code == 200


def blocked(checks: dict[str, PreflightChecked]) -> list[str]:
    return [name for name, check in checks.items() if check.status == "blocked"]


def test_what_is_ready_passes(sandbox: str) -> None:
    checks, finished = made(READY, sandbox)
    assert [name for name, check in checks.items() if check.status == "ok"] == ALL
    assert finished == PreflightFinished(
        passed=True, reported_environment="sandbox", live=False, rehearsal=True, funds="test", expected_cents=500,
        expected_currency="EUR",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "names", "said"),
    [
        ("hyperswitch_disabled", ["hyperswitch"], "disabled"),
        ("processor_mode_mismatch", ["mode", "processor_mode"], "hyperswitch is in live mode"),
    ],
)
def test_a_fault_blocks_by_name_and_all_other_checks_are_made(
    faulty: str, fault: str, names: list[str], said: str
) -> None:
    throw(faulty, fault)
    checks, finished = made(READY, faulty)
    assert blocked(checks) == names
    assert said in checks[names[-1]].message
    assert not finished.passed
    assert list(checks) == ALL


def test_a_backend_that_is_down_blocks_and_nothing_is_guessed() -> None:
    checks, finished = made(READY, "http://127.0.0.1:1")
    assert blocked(checks) == ["health", "environment", "mode", "hyperswitch", "products"]
    assert (finished.live, finished.funds, finished.reported_environment) == (False, "test", None)


def test_another_environment_than_the_expected_is_blocked(sandbox: str) -> None:
    checks, _ = made(replace(READY, environment=Environment("s", "", ("staging",))), sandbox)
    assert blocked(checks) == ["environment"]
    assert "'sandbox', expected is staging" in checks["environment"].message


def reporting(base_url: str, environment: object, modes: dict[str, str]) -> AbstractContextManager[str]:
    """A backend whose /status says other things: its environment, and services with a mode."""

    def change(answer: Answer) -> None:
        if answer.path.endswith("/status"):
            data = answer.body["data"]
            data["environment"] = environment
            for name, mode in modes.items():
                data["services"].setdefault(name, {"status": "healthy"})["mode"] = mode

    return meddling(base_url, change)


NAMES: list[tuple[str, dict[str, str], bool | None]] = [
    *(
        (name, {}, True)
        for name in ("prod-eu", "pre-prod", "PRODUCTION", "eu.live.2", "test-prod", "pr\u00f3duction-test")
    ),
    *((name, {}, False) for name in ("staging", "Staging-2", "qa", "eu_test", "local", "dev1", "rehearsal")),
    *((name, {}, None) for name in ("delivery", "reproduction", "testing", "-", "prodeu-dev", "livestock-test")),
    ("staging", {"stripe": "live"}, True),
    ("staging", {"stripe": "Production"}, True),
    ("canary", {"stripe": "live"}, True),
    ("canary", {"stripe": "sandbox"}, None),
]
"""What a backend reports: its name, its services' modes, and whether it is live. None: no word tells."""


@pytest.mark.parametrize(
    ("environment", "modes", "live", "configured"),
    [
        *((*name, None) for name in NAMES),
        *(
            (name, {}, live, configured)
            for name, live in (("prod-eu", True), ("staging", False), ("canary", None))
            for configured in (False, True)
        ),
    ],
)
def test_a_backend_is_a_test_one_only_by_a_positive_word(
    sandbox: str, environment: str, modes: dict[str, str], live: bool | None, configured: bool | None
) -> None:
    """If no word tells, the environment's table decides; without it the backend counts as live."""
    with reporting(sandbox, environment, modes) as base_url:
        given = replace(READY, environment=Environment("s", "", (environment,), live=configured))
        checks, finished = made(given, base_url)
    expected = live if live is not None else configured is not False
    assert finished.live is expected
    assert (checks["mode"].status == "ok") is (not expected and not configured)
    if live is None and configured is False:
        assert "`live = false` in the environment's table" in checks["mode"].message


def test_no_hint_of_a_block_suggests_live_or_a_setting_that_lets_a_charge_through(sandbox: str) -> None:
    for environment, modes in (("prod-eu", {}), ("canary", {}), ("staging", {"stripe": "live"})):
        for expected, limit in ((environment, 1000), ("other", 100)):
            given = replace(READY, environment=Environment("s", "", (expected,)), limit=Money(limit, "EUR"))
            with reporting(sandbox, environment, modes) as base_url:
                checks, _ = made(given, base_url)
            hints = [check.hint or "" for check in checks.values() if check.status == "blocked"]
            assert hints
            lets_through = ("--live", "live =", "expected_environment", "--max-amount")
            assert not [hint for hint in hints if any(word in hint for word in lets_through)]


def test_a_live_backend_without_live_is_blocked(live: str) -> None:
    checks, finished = made(replace(LIVE, live=False), live)
    assert blocked(checks) == ["mode"]
    assert "--live was not given" in checks["mode"].message
    assert finished.funds == "test"


def test_the_configuration_never_stands_in_for_live(sandbox: str) -> None:
    checks, _ = made(replace(READY, environment=Environment("s", "", ("sandbox",), live=True)), sandbox)
    assert blocked(checks) == ["mode"]


CITED = {"session": "01KQPH1RM0DRY0000000000000", "hash": "c" * 64, "ended_at": "2026-06-14T09:00:00.000Z"}
DECIDED = Means("2026.06", CITED, ex_9=True, rows=lambda: Rows(ready=True, said="by a connection"), session="01S")
DECIDING = ["processor_key", "release", "dry_run", "ledger", "ex_9"]


def accepted() -> tuple[KeyWord, str]:
    return "accepted", "it answered 404"


def test_a_live_run_that_brings_everything_along_is_told_so(live: str) -> None:
    checks, _ = made(replace(LIVE, means=DECIDED), live, key=accepted)
    assert [checks[name].status for name in DECIDING] == ["ok"] * 5


@pytest.mark.parametrize(
    ("means", "name", "said", "hint"),
    [
        ({"release": None, "dry_run": None}, "release", "GO IS IMPOSSIBLE for this run: no release", "--release"),
        ({"release": None, "dry_run": None}, "dry_run", "GO IS IMPOSSIBLE for this run: without a release", "dry-run"),
        ({"dry_run": None}, "dry_run", "GO IS IMPOSSIBLE for this run: no dry-run of release 2026.06", "14 days"),
        ({"dry_run": CITED | {"refund": "no"}}, "dry_run", "counts, but had no refund", "not tried"),
        (
            {"rows": lambda: Rows(ready=False, said="the operator pastes them")},
            "ledger", "the operator pastes them", "veza-e2e rows 01S",
        ),
        ({"ex_9": False}, "ex_9", "is not attested", "veza-e2e attest ex-9 --by NAME --release 2026.06"),
        ({"ex_9": None}, "ex_9", "an attestation is damaged", "veza-e2e attest ex-9 --by NAME --release 2026.06"),
    ],
)  # fmt: skip
def test_what_a_live_run_lacks_for_a_go_is_said_with_the_command_that_supplies_it(
    live: str, means: dict[str, Any], name: str, said: str, hint: str
) -> None:
    checks, finished = made(replace(LIVE, means=replace(DECIDED, **means)), live, key=accepted)
    assert (checks[name].status, finished.passed) == ("warn", True)
    assert said in checks[name].message
    assert hint in (checks[name].hint or "")
    assert "--live" not in (checks[name].hint or "")


def test_a_rehearsal_is_no_dry_run_for_real_funds_and_one_for_a_rehearsed_decision(live: str) -> None:
    means = replace(DECIDED, dry_run=CITED | {"rehearsal": "yes"})
    assert made(replace(LIVE, means=means), live)[0]["dry_run"].status == "ok"

    def real(answer: Answer) -> None:
        answer.headers.append((REHEARSAL_HEADER, "0"))

    with meddling(live, real) as base_url:
        checks, finished = made(replace(LIVE, means=means), base_url)
    assert finished.funds == "real"
    assert "ran on the rehearsal backend, not on staging" in checks["dry_run"].message


def test_what_a_live_run_lacks_is_said_though_the_backend_is_down() -> None:
    checks, finished = made(LIVE, "http://127.0.0.1:1")
    assert not finished.passed
    assert [checks[name].status for name in DECIDING] == ["warn"] * 5


def test_what_decides_a_release_is_no_matter_off_live(sandbox: str) -> None:
    for given in (READY, replace(READY, live=True)):
        checks, _ = made(replace(given, means=DECIDED), sandbox)
        assert not set(DECIDING) & set(checks)


@pytest.mark.parametrize("live_run", [False, True])
@pytest.mark.parametrize(
    ("word", "status", "said"),
    [
        (("accepted", "it answered 404"), "ok", "accepts the key"),
        (("refused", "it answered 401"), "warn", "THE PROCESSOR REFUSES THE KEY (it answered 401)"),
        (("unknown", "it answered 502"), "warn", "is not known: it answered 502"),
        (None, "warn", "HYPERSWITCH_API_KEY or hyperswitch_url is not set"),
    ],
)
def test_what_the_processor_makes_of_its_key_is_said_of_every_run_that_has_one(
    sandbox: str, live: str, word: tuple[KeyWord, str] | None, status: str, said: str, *, live_run: bool
) -> None:
    key = None if word is None else lambda: word
    given = replace(LIVE, means=DECIDED) if live_run else READY
    checks, finished = made(given, live if live_run else sandbox, key=key)
    assert finished.passed
    if word is None and not live_run:
        assert "processor_key" not in checks
        return
    assert (checks["processor_key"].status, said in checks["processor_key"].message) == (status, True)
    if status == "warn" and live_run:
        assert "veza-e2e attest dashboard --session 01S --by NAME" in (checks["processor_key"].hint or "")


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (httpx.Response(404, json={"error": {"code": "HE_02"}}), "ok", "accepts"),
        (httpx.Response(404, text="404 page not found"), "warn", "not known: it answered 404"),
        (httpx.Response(401, json={"error": {"code": "IR_01"}}), "warn", "REFUSES THE KEY (it answered 401)"),
        (httpx.Response(403), "warn", "REFUSES THE KEY (it answered 403)"),
        (httpx.Response(400, json={"error": {"code": "IR_06"}}), "warn", "not known: it answered 400"),
        (httpx.Response(503), "warn", "not known: it answered 503"),
        (httpx.ConnectError("no route"), "warn", "not known: it could not be asked: ConnectError"),
    ],
)
def test_the_key_is_tried_with_one_read_of_a_payment_that_cannot_exist(
    walk: Walk, answer: httpx.Response | Exception, status: str, said: str
) -> None:
    sent: list[httpx.Request] = []

    def processor(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    walk.processor = processor
    walk.begin()
    (check,) = [check for check in walk.events(PreflightChecked) if check.name == "processor_key"]
    assert (check.status, said in check.message) == (status, True)
    (request,) = sent
    assert (request.method, request.url.path) == ("GET", f"/payments/{NO_PAYMENT}")


def test_a_recording_of_version_1_asks_the_processor_nothing_at_the_gate(walk: Walk) -> None:
    walk.processor = lambda _: pytest.fail("the processor was asked")
    walk.started["walkthrough"] = "1"
    walk.begin()
    assert not [check for check in walk.events(PreflightChecked) if check.name == "processor_key"]


def test_live_on_a_backend_that_is_not_is_warned_of_and_its_funds_are_test(sandbox: str) -> None:
    checks, finished = made(replace(READY, live=True), sandbox)
    assert blocked(checks) == []
    assert checks["mode"].status == "warn"
    assert "NOT LIVE" in checks["mode"].message
    assert finished.funds == "test"


def test_the_rehearsal_backend_never_has_real_funds_whatever_it_pretends(live: str) -> None:
    checks, finished = made(LIVE, live)
    assert blocked(checks) == []
    assert (finished.live, finished.rehearsal, finished.funds) == (True, True, "test")


@pytest.mark.parametrize(
    ("limit", "product", "said"),
    [
        (Money(100, "EUR"), None, "no product on sale costs at most 1.00 EUR"),
        (Money(1000, "JPY"), None, "no product on sale costs at most 1000 JPY"),
        (Money(1000, "EUR"), "nothing\x1b[2J", "is not among the products"),
    ],
)
def test_what_cannot_be_bought_is_blocked(sandbox: str, limit: Money, product: str | None, said: str) -> None:
    checks, finished = made(replace(READY, limit=limit, product=product), sandbox)
    assert blocked(checks) == ["limit"]
    assert said in checks["limit"].message
    assert "\x1b" not in checks["limit"].message
    assert finished.expected_cents is None


@pytest.mark.parametrize("email", [None, "operator", "operator@", "@veza.test", "a b@veza.test", "a@b", "x@y.z\n"])
def test_an_address_that_is_none_is_blocked_and_not_repeated(sandbox: str, email: str | None) -> None:
    checks, _ = made(replace(READY, email=email), sandbox)
    assert blocked(checks) == ["email"]
    assert email is None or email.strip() not in checks["email"].message


def test_a_missing_password_is_blocked(sandbox: str) -> None:
    checks, _ = made(replace(READY, has_password=False), sandbox)
    assert blocked(checks) == ["password"]


def test_a_live_processor_key_on_a_backend_that_is_not_is_blocked(sandbox: str) -> None:
    checks, _ = made(replace(READY, processor_key="prd_" + "x" * 8), sandbox)
    assert blocked(checks) == ["processor_mode"]
    assert "xxxx" not in checks["processor_mode"].message


@pytest.mark.parametrize(
    ("services", "name", "status"),
    [
        ({}, "hyperswitch", "blocked"),
        ({"hyperswitch": {"status": "degraded", "mode": "sandbox"}}, "hyperswitch", "warn"),
        ({"hyperswitch": {"status": "asleep", "mode": "sandbox"}}, "hyperswitch", "blocked"),
        ({"hyperswitch": {"status": "healthy"}}, "processor_mode", "warn"),
        ({"hyperswitch": {"status": "healthy", "mode": "moonlight"}}, "processor_mode", "blocked"),
        ({"hyperswitch": {"status": "healthy", "enabled": False}}, "hyperswitch", "blocked"),
        ({"hyperswitch": {"status": "ok", "disabled": True}}, "hyperswitch", "blocked"),
        ({"hyperswitch": {"disabled": True}}, "hyperswitch", "blocked"),
        ({"hyperswitch": {"enabled": True}}, "hyperswitch", "ok"),
        ({"hyperswitch": "disabled"}, "hyperswitch", "blocked"),
        ({"hyperswitch": "ok"}, "hyperswitch", "ok"),
        ({"hyperswitch": "UP", "stripe": {"status": "ok", "mode": "live"}}, "processor_mode", "blocked"),
        ({"hyperswitch": "operational", "stripe": {"status": "ok", "mode": "sandbox"}}, "processor_mode", "warn"),
    ],
)
def test_what_status_says_of_the_processor(walk: Walk, services: dict[str, object], name: str, status: str) -> None:
    walk.backend.script("getStatus", Reply(data={"environment": "test", "services": services}))
    try:
        walk.begin()
    except AssertionError:
        assert status == "blocked"
    (check,) = [check for check in walk.events(PreflightChecked) if check.name == name]
    assert check.status == status


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"environment": None}, {"environment": "$.data.environment is null", "mode": "live or test is not known"}),
        ({"environment": ""}, {"environment": "is an empty text", "mode": "live or test is not known"}),
        (
            {"services": {"hyperswitch": {"mode": "sandbox"}}},
            {"hyperswitch": "services.hyperswitch is an object"},
        ),
        (
            {"services": {"hyperswitch": 1, "database": "ok"}},
            {"hyperswitch": "services.hyperswitch is a number"},
        ),
        ({"services": []}, {"hyperswitch": "$.data.services is a list"}),
        ({"services": {"hyperswitch": "ok", "database": 7}}, {}),
    ],
)
def test_an_unreadable_member_of_status_blocks_only_what_needs_it(
    walk: Walk, data: dict[str, object], said: dict[str, str]
) -> None:
    whole = {"environment": "test", "services": {"hyperswitch": "ok"}}
    walk.backend.script("getStatus", Reply(data=whole | data))
    if said:
        with pytest.raises(AssertionError):
            walk.begin()
    else:
        walk.begin()
    checks = {check.name: check for check in walk.events(PreflightChecked)}
    assert blocked(checks) == list(said)
    assert all(words in checks[name].message for name, words in said.items())
    assert walk.backend.count("getStatus") == 1


def test_a_status_that_holds_no_object_is_said_to_be_unreadable(walk: Walk) -> None:
    walk.backend.script("getStatus", Reply(data=["test"]))
    with pytest.raises(AssertionError):
        walk.begin()
    (check,) = [check for check in walk.events(PreflightChecked) if check.name == "environment"]
    assert "unreadable as Status: $.data is a list" in check.message


def test_a_404_at_the_path_of_health_is_said_to_be_one(walk: Walk) -> None:
    walk.backend.script("getHealth", Reply(status=404, body=b"404 page not found"))
    with pytest.raises(AssertionError):
        walk.begin()
    (check,) = [check for check in walk.events(PreflightChecked) if check.name == "health"]
    assert "answered 404 at /api/v1/health" in check.message
    assert "not up" not in check.message


@pytest.mark.parametrize(("headers", "wait"), [({"Retry-After": "900"}, "900 seconds"), ({}, "a few minutes")])
def test_a_backend_that_takes_no_more_requests_is_not_called_down(
    walk: Walk, headers: dict[str, str], wait: str
) -> None:
    walk.backend.script("getHealth", *[Reply(status=429, headers=headers)] * 3)
    with pytest.raises(AssertionError):
        walk.begin()
    (check,) = [check for check in walk.events(PreflightChecked) if check.name == "health"]
    assert (check.status, check.hint) == ("blocked", f"Wait {wait}, then start again.")
    assert "not up" not in check.message


@pytest.mark.parametrize("state", ["degraded", "tired"])
def test_a_backend_that_is_not_quite_well_is_warned_of(walk: Walk, state: str) -> None:
    walk.backend.script("getHealth", Reply(json={"status": state}))
    walk.begin()
    (check,) = [check for check in walk.events(PreflightChecked) if check.name == "health"]
    assert (check.status, state in check.message) == ("warn", True)


def test_an_unhealthy_backend_is_not_called_ok(walk: Walk) -> None:
    walk.backend.script("getHealth", Reply(json={"status": "unhealthy"}))
    with pytest.raises(AssertionError):
        walk.begin()
    (check,) = [check for check in walk.events(PreflightChecked) if check.name == "health"]
    assert check.status == "blocked"
    assert "unhealthy" in check.message


def test_only_reads_are_sent(walk: Walk) -> None:
    walk.begin()
    assert {sent.method for sent in walk.backend.sent} == {"GET"}
    assert walk.backend.count("login") == 0


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_is_not_the_backends_is_warned_of(sandbox: str, days: int) -> None:
    clock = FakeClock(NOW.now() + timedelta(days=days))
    checks, finished = made(READY, sandbox, clock)
    assert checks["clock"].status == "warn"
    assert f"{clock.now():%Y-%m-%dT%H:}" in checks["clock"].message
    assert finished.passed


def test_a_clock_that_is_right_is_not_spoken_of(sandbox: str) -> None:
    assert "clock" not in made(READY, sandbox)[0]


def test_against_a_backend_of_2025_everything_is_read_and_only_what_is_not_there_blocks() -> None:
    with of_2025.serving(of_2025.Of2025()) as base_url:
        checks, _ = made(replace(READY, environment=Environment("s", base_url, ("development",))), base_url)
    assert blocked(checks) == ["products"], "there is no commerce in it"
    assert "there is no product" in checks["products"].message
    assert checks["health"].message == "the backend is healthy"
    assert checks["hyperswitch"].status == "ok"
    assert checks["processor_mode"].status == "warn"


def test_health_at_the_path_of_2025_is_a_404_at_ours() -> None:
    with of_2025.serving(of_2025.Of2025(health=False)) as base_url:
        checks, _ = made(READY, base_url)
    assert "answered 404 at /api/v1/health" in checks["health"].message


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("prod-eu", "'prod-eu'"),
        ("tok-access-q8Zr51LkPw0vXb7TgYhN", "a text of 31 characters, which is no name"),
        ("staging\n\x1b[2J", "a text of 12 characters, which is no name"),
        ("s" * 500, "a text of 500 characters, which is no name"),
    ],
)
def test_what_a_backend_calls_itself_is_quoted_only_if_it_looks_like_a_name(
    sandbox: str, name: str, shown: str
) -> None:
    with reporting(sandbox, name, {}) as base_url:
        checks, _ = made(READY, base_url)
    assert checks["environment"].message == f"/status reports {shown}, expected is sandbox"


def test_a_live_service_that_is_otherwise_unreadable_counts_and_is_warned_of(sandbox: str) -> None:
    def change(answer: Answer) -> None:
        if answer.path.endswith("/status"):
            answer.body["data"]["services"] |= {
                "paypal": {"mode": "live"},
                "stripe": {"status": "ok", "mode": ["live"]},
            }

    with meddling(sandbox, change) as base_url:
        checks, finished = made(READY, base_url)
    assert (finished.live, finished.passed) == (True, False)
    assert "paypal is in live mode" in checks["processor_mode"].message
    assert checks["services"].status == "warn"
    assert "'paypal'" in checks["services"].message
    assert "'stripe'" in checks["services"].message
