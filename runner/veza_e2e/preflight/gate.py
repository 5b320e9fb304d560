"""The gate: what must be true before anything is bought. It only reads, and runs every check, whatever fails first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import field
from email.utils import parsedate_to_datetime

from veza import HealthState, NotFoundError, Product, RateLimitError, Veza, VezaError
from veza.money import Money
from veza_e2e.config import Environment
from veza_e2e.frozen import dataclass
from veza_e2e.journal import timestamp
from veza_e2e.journal.events import PreflightChecked, PreflightFinished
from veza_e2e.money.doubt import SKEW
from veza_e2e.ports.processor import KeyWord
from veza_e2e.ports.protocols import Clock
from veza_e2e.preflight.credentials import email, password
from veza_e2e.preflight.deciding import Means, key_check, live_checks
from veza_e2e.preflight.liveness import Liveness, judge, mode_of
from veza_e2e.preflight.offers import MAX_PAGES, PER_PAGE, affordable
from veza_e2e.preflight.services import check as _check
from veza_e2e.preflight.services import modes, others, processor
from veza_e2e.preflight.told import Told, quoted, told

REHEARSAL_HEADER = "x-veza-rehearsal"
LOGINS = 3


@dataclass(frozen=True, slots=True)
class Gate:
    """What the pre-flight goes by."""

    environment: Environment
    live: bool
    """`--live` was given."""
    unattended: bool
    limit: Money
    product: str | None
    email: str | None
    has_password: bool
    processor_key: str | None
    """Only its prefix is looked at, which tells a sandbox key from a live one."""
    recent_logins: int = 0
    """Logins of this account in the last 15 minutes, as far as this archive knows."""
    means: Means = field(default_factory=Means)
    """What the run brings along to be decided by."""


@dataclass(slots=True)
class _Seen:
    status: Told | None = None
    products: list[Product] | None = None
    rehearsal: bool = False
    liveness: Liveness = field(default_factory=lambda: judge(None, (), None))
    candidate: Product | None = None

    @property
    def live(self) -> bool:
        """Whether the backend is taken for a live one."""
        return self.status is not None and self.liveness.live


def preflight(
    gate: Gate,
    api: Veza,
    clock: Clock,
    emit: Callable[[PreflightChecked], object],
    key: Callable[[], tuple[KeyWord, str]] | None = None,
) -> PreflightFinished:
    """Run every check and emit each result; return the overall result.

    Args:
        gate: what is checked against.
        api: the backend.
        clock: this machine's.
        emit: called with each check's result.
        key: asks the processor whether it accepts its key; None if there is no processor to ask.
    """
    seen = _Seen()
    blocked = False
    for check in _checks(gate, api, clock, seen, key):
        emit(check)
        blocked = blocked or check.status == "blocked"
    return PreflightFinished(
        passed=not blocked,
        reported_environment=seen.status.environment if seen.status else None,
        live=seen.live,
        rehearsal=seen.rehearsal,
        funds="real" if seen.live and gate.live and not seen.rehearsal and not blocked else "test",
        expected_cents=seen.candidate.price_cents if seen.candidate else None,
        expected_currency=seen.candidate.currency if seen.candidate else None,
    )


def _checks(
    gate: Gate, api: Veza, clock: Clock, seen: _Seen, key: Callable[[], tuple[KeyWord, str]] | None
) -> Iterator[PreflightChecked]:
    yield _health(api)
    yield _environment(gate, api, seen)
    yield from _clock(clock, seen)
    yield from _modes(gate, seen)
    yield processor(seen.status)
    yield from others(seen.status)
    yield modes(seen.status, gate.processor_key or "", seen.liveness, rehearsal=seen.rehearsal)
    yield from _products(gate, api, seen)
    yield from _checkout_hosts(gate)
    yield email(gate.email)
    yield password(has=gate.has_password)
    if gate.recent_logins >= LOGINS - 1:
        yield _logins(gate)
    # A status that cannot be read blocks the run; what else it needs is said all the same.
    live = gate.live and (seen.status is None or seen.live)
    yield from key_check(gate.means, key() if key is not None else None, wanted=live)
    if live:
        yield from live_checks(gate.means, rehearsal=seen.rehearsal)


def _health(api: Veza) -> PreflightChecked:
    try:
        state = api.system.health().status
    except NotFoundError as error:
        return _check(
            "health",
            "blocked",
            f"the backend answered 404 at /api/v1/health: {error}",
            "The host answers, but has no such path. base_url is the part before /api/v1.",
        )
    except RateLimitError as error:
        wait = "Wait a few minutes" if error.retry_after is None else f"Wait {math.ceil(error.retry_after)} seconds"
        message = f"the backend takes no more requests for now: {error}"
        return _check("health", "blocked", message, f"{wait}, then start again.")
    except VezaError as error:
        return _check(
            "health", "blocked", f"the backend is not up: {error}", "Check base_url and that the backend runs."
        )
    if state is HealthState.UNHEALTHY:
        return _check(
            "health", "blocked", "the backend calls itself unhealthy", "Its database may be away: see its log."
        )
    if state is not HealthState.HEALTHY:
        hint = "A call may take longer or fail: see its log."
        return _check("health", "warn", f"the backend calls itself {quoted(str(state))}", hint)
    return _check("health", "ok", f"the backend is {state}")


def _environment(gate: Gate, api: Veza, seen: _Seen) -> PreflightChecked:
    expected = ", ".join(gate.environment.expected_environment)
    try:
        seen.status = told(api)
    except VezaError as error:
        return _check("environment", "blocked", f"/status cannot be read: {error}", "The environment must be known.")
    seen.rehearsal = seen.status.response_info.headers.get(REHEARSAL_HEADER) == "1"
    reported = seen.status.environment
    services = [name for name, mode in seen.status.modes.items() if mode_of(mode) == "live"]
    seen.liveness = judge(reported, sorted(services), gate.environment.live)
    if reported is None:
        kind = seen.status.unreadable["environment"]
        return _check(
            "environment",
            "blocked",
            f"/status does not name its environment: $.data.environment is {kind}",
            "The environment must be known.",
        )
    if reported not in gate.environment.expected_environment:
        return _check(
            "environment",
            "blocked",
            f"/status reports {quoted(reported)}, expected is {expected}",
            "Is this the right base_url?"
            if seen.liveness.live
            else f"Is this the right base_url? If so, set expected_environment of {gate.environment.name}.",
        )
    rehearsal = "; it is the rehearsal backend, which moves no money" if seen.rehearsal else ""
    return _check("environment", "ok", f"/status reports {reported}{rehearsal}")


def _clock(clock: Clock, seen: _Seen) -> Iterator[PreflightChecked]:
    """Warn if this machine's clock differs from the backend's: times and due dates use this machine's clock."""
    try:
        theirs = parsedate_to_datetime(seen.status.response_info.headers["date"]) if seen.status else None
    except (KeyError, ValueError, OverflowError):
        return
    if theirs is None or theirs.tzinfo is None:
        return
    ours = clock.now()
    if abs(ours - theirs) > SKEW:
        message = f"this machine's clock says {timestamp(ours)}, the backend's {timestamp(theirs)}"
        yield _check("clock", "warn", message, "Set the clock: times in the report, and what is due, go by it.")


def _modes(gate: Gate, seen: _Seen) -> Iterator[PreflightChecked]:
    """Check that option, configuration and backend agree on real or test money."""
    if seen.status is None or seen.status.environment is None:
        yield _check("mode", "blocked", "/status names no environment, so live or test is not known", "See above.")
    elif seen.live and not gate.live:
        yield _check(
            "mode",
            "blocked",
            f"the backend is live ({seen.liveness.reason}), and --live was not given",
            "A card that is used here is charged. Is this the environment that you meant?",
        )
    elif gate.environment.live and not gate.live:
        yield _check(
            "mode",
            "blocked",
            f"{gate.environment.name} is configured as live and --live was not given",
            "Is this the environment that you meant?",
        )
    elif gate.live and not seen.live:
        yield _check(
            "mode",
            "warn",
            f"--live WAS GIVEN, BUT THE BACKEND IS NOT LIVE ({seen.status.environment}): "
            "the funds are TEST FUNDS, and no such run turns a release to GO",
            "Leave --live out for a dry-run, or choose the live environment.",
        )
    elif gate.live and seen.rehearsal:
        yield _check("mode", "ok", "a live run is rehearsed; the funds are test funds")
    else:
        shown = f"live, with real money ({seen.liveness.reason})" if seen.live else "not live, test funds"
        by_table = f": {seen.liveness.reason}" if seen.liveness.configured and not seen.live else ""
        yield _check("mode", "ok", f"{shown}{by_table}")


def _products(gate: Gate, api: Veza, seen: _Seen) -> Iterator[PreflightChecked]:
    try:
        seen.products = []
        for number, page in enumerate(api.products.list(limit=PER_PAGE).pages(), 1):
            seen.products += page.data
            if number >= MAX_PAGES:
                break
    except VezaError as error:
        yield _check("products", "blocked", f"the products cannot be listed: {error}", "See above.")
        return
    if not seen.products:
        yield _check("products", "blocked", "there is no product", "Put a test product of about 5 EUR on sale.")
        return
    yield _check("products", "ok", f"{len(seen.products)} products")
    yield _candidate(gate, seen, seen.products)


def _candidate(gate: Gate, seen: _Seen, products: list[Product]) -> PreflightChecked:
    fitting = [product for product in products if affordable(product, gate.limit)]
    if gate.product is not None:
        fitting = [product for product in fitting if product.id == gate.product]
        if not fitting:
            listed = next((product for product in products if product.id == gate.product), None)
            found = (
                f"is {listed.status} at {Money(listed.price_cents, listed.currency)}, the limit is {gate.limit}"
                if listed
                else "is not among the products"
            )
            hint = "Choose another." if seen.live else "Choose another, or raise --max-amount."
            return _check("limit", "blocked", f"product {gate.product!r} {found}", hint)
    if not fitting:
        return _check(
            "limit",
            "blocked",
            f"no product on sale costs at most {gate.limit}",
            f"Put a test product of about 5 EUR on sale{'' if seen.live else ', or raise --max-amount'}.",
        )
    seen.candidate = fitting[0]
    prices = sorted(product.price_cents for product in fitting)
    low, high = (Money(price, gate.limit.currency) for price in (prices[0], prices[-1]))
    spread = f"{low}" if low == high else f"{low} to {high}"
    return _check("limit", "ok", f"{len(fitting)} of them within the limit of {gate.limit} ({spread})")


def _checkout_hosts(gate: Gate) -> Iterator[PreflightChecked]:
    environment = gate.environment
    if not environment.loopback and not environment.checkout_hosts:
        yield _check(
            "checkout_hosts",
            "warn",
            "checkout_hosts is empty: a checkout page on any host would be offered",
            f"Set checkout_hosts of {environment.name}, and read the host before you pay.",
        )


def _logins(gate: Gate) -> PreflightChecked:
    """Production allows three logins in 15 minutes (a fact of the real backend's configuration)."""
    if gate.recent_logins == LOGINS - 1:
        message = f"this session's login is the last of {LOGINS} that production allows in 15 minutes"
    else:
        message = f"there were {gate.recent_logins} logins in 15 minutes; production allows {LOGINS}"
    return _check("logins", "warn", message, "Wait a quarter of an hour, or expect to wait at step 1.")
