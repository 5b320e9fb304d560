"""The first event: how long a session waits, and what else it settles for every later process."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from veza_e2e.config import Limits, Secrets, load
from veza_e2e.engine.start import Asked, first_event
from veza_e2e.journal.events import SessionStarted


def started(asked: Asked, *, limits: Limits | None = None, **environment: Any) -> SessionStarted:
    settings = load("rehearsal")
    settings = replace(
        settings, limits=limits or settings.limits, environment=replace(settings.environment, **environment)
    )
    return first_event(settings, asked, Secrets(email="operator@veza.test"))("01KY5T5Q00000000000000000A")


def test_a_person_has_half_an_hour_and_a_script_a_quarter_of_a_minute() -> None:
    person, script = started(Asked()), started(Asked(unattended=True))
    assert (person.poll_timeout_ms, person.grace_ms) == (1_800_000, 60_000)
    assert (script.poll_timeout_ms, script.grace_ms) == (15_000, 3_000)


@pytest.mark.parametrize(
    ("faults", "seconds"),
    [
        (("webhook_delay=4",), 15 + 12),
        (("slow=2", "webhook_lost"), 15 + 6),
        (("webhook_delay=4", "slow=2.5", "jwt_ttl=30"), 15 + 12 + 6),
        (("refund_pending", "transfer_late=9"), 15),
    ],
)
def test_a_script_waits_three_times_as_long_as_a_fault_delays(faults: tuple[str, ...], seconds: int) -> None:
    assert started(Asked(unattended=True, faults=faults)).poll_timeout_ms == 1000 * seconds
    assert started(Asked(faults=faults)).poll_timeout_ms == 1_800_000, "a person waits long enough anyway"


def test_a_time_limit_that_is_configured_counts_for_everybody() -> None:
    for asked in (Asked(), Asked(unattended=True, faults=("webhook_delay=4",))):
        assert started(asked, limits=Limits(poll_timeout=90)).poll_timeout_ms == 90_000


@pytest.mark.parametrize(
    ("configured", "faults", "honoured"), [(True, (), True), (True, ("no_idempotency",), False), (False, (), False)]
)
def test_keys_are_trusted_where_they_are_configured_and_no_fault_says_otherwise(
    configured: bool, faults: tuple[str, ...], honoured: bool
) -> None:
    assert started(Asked(faults=faults), idempotency=configured).idempotency is honoured


def test_the_account_is_on_record_masked_and_without_an_address_not_at_all() -> None:
    assert started(Asked()).account == "o***@veza.test"
    settings = load("rehearsal")
    assert first_event(settings, Asked(), Secrets())("01KY5T5Q00000000000000000A").account == ""
