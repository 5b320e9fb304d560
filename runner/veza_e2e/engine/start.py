"""Starts a session: its first event, then the pre-flight."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import distribution, version
from typing import Protocol

from veza_e2e.config import Secrets, Settings
from veza_e2e.engine.session import Parts, Stage, open_stage
from veza_e2e.frozen import dataclass
from veza_e2e.journal import MemorySink
from veza_e2e.journal.account import account_digest
from veza_e2e.journal.events import SCHEMA, WALKTHROUGH, PreflightChecked, SessionStarted
from veza_e2e.preflight.deciding import Means
from veza_e2e.preflight.gate import Gate, preflight
from veza_e2e.redaction import Redactor, mask

POLL_TIMEOUT = 1800
SCRIPTED_POLL_TIMEOUT = 15
GRACE = 60
SCRIPTED_GRACE = 3
_TOOLS = ("veza", "httpx", "pydantic", "vcrpy", "jinja2")

_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Asked:
    """The options given on the command line."""

    live: bool = False
    release: str | None = None
    unattended: bool = False
    refund: bool | None = None
    product: str | None = None
    faults: tuple[str, ...] = ()


class First(Protocol):
    """Makes the first event of a session."""

    def __call__(
        self,
        session: str,
        *,
        base_url: str = "",
        dry_run: Mapping[str, str] | None = None,
        others: Mapping[str, str] | None = None,
    ) -> SessionStarted:
        """Return the first event of the session with this id, at this backend."""
        ...


def first_event(settings: Settings, asked: Asked, secrets: Secrets) -> First:
    """Return a function that makes the first event of a session."""
    email = secrets.email or ""
    limits, environment = settings.limits, settings.environment
    scripted = asked.unattended

    def make(
        session: str,
        *,
        base_url: str = "",
        dry_run: Mapping[str, str] | None = None,
        others: Mapping[str, str] | None = None,
    ) -> SessionStarted:
        return SessionStarted(
            schema=SCHEMA,
            walkthrough=WALKTHROUGH,
            session=session,
            tools=tools(),
            environment=environment.name,
            base_url=base_url or environment.base_url,
            account=mask(email) if email else "",
            account_digest=account_digest(email),
            live_requested=asked.live,
            unattended=scripted,
            release=asked.release,
            product=asked.product,
            refund=asked.refund,
            idempotency=environment.idempotency and "no_idempotency" not in asked.faults,
            max_amount_cents=limits.max_amount.minor,
            max_amount_currency=limits.max_amount.currency,
            poll_timeout_ms=1000 * _poll_timeout(settings, asked),
            operator=settings.report.operator,
            links=settings.report.links,
            faults=asked.faults,
            dry_run=dry_run,
            others=others,
            loopback=environment.loopback,
            grace_ms=1000 * (SCRIPTED_GRACE if scripted else GRACE),
            checkout_hosts=environment.checkout_hosts,
        )

    return make


def _poll_timeout(settings: Settings, asked: Asked) -> int:
    if settings.limits.poll_timeout is not None:
        return settings.limits.poll_timeout
    if not asked.unattended:
        return POLL_TIMEOUT
    delays = [fault.partition("=")[2] for fault in asked.faults if fault.startswith(("webhook_delay=", "slow="))]
    return SCRIPTED_POLL_TIMEOUT + sum(3 * int(float(delay)) for delay in delays)


def tools() -> dict[str, str]:
    """Return the versions of Veza, Python and the libraries, for the journal."""
    return {"python": platform.python_version(), **{name: _version(name) for name in _TOOLS}}


@cache
def _version(name: str) -> str:
    """Return a library's version; reading its whole description, as `version` does, costs five times as much."""
    header = (distribution(name).read_text("METADATA") or "").partition("\nVersion: ")[2]
    return header.partition("\n")[0] or version(name)


def gate_of(
    settings: Settings, asked: Asked, secrets: Secrets, *, recent_logins: int = 0, means: Means | None = None
) -> Gate:
    """Return what the pre-flight checks against."""
    return Gate(
        environment=settings.environment,
        live=asked.live,
        unattended=asked.unattended,
        limit=settings.limits.max_amount,
        product=asked.product,
        email=secrets.email,
        has_password=secrets.password is not None,
        processor_key=secrets.hyperswitch_api_key,
        recent_logins=recent_logins,
        means=means or Means(),
    )


def begin(parts: Parts, started: Callable[[str], SessionStarted], gate: Gate) -> Stage:
    """Run the pre-flight in memory; a session gets its folder only after it passes.

    Args:
        parts: the mode's parts.
        started: returns the first event, given the session's id.
        gate: what the pre-flight checks against.
    """
    first = started(parts.ports.ids.session(parts.ports.clock.now()))
    begun = open_stage(parts, MemorySink(), idempotency=first.idempotency)
    begun.journal.append(first)
    redactor, journal = parts.redactor, begun.journal
    # A recording of version 1 knows no such call.
    key = None if begun.processor is None or first.walkthrough == "1" else begun.processor.key
    done = preflight(gate, begun.api, parts.ports.clock, lambda check: journal.append(_redacted(check, redactor)), key)
    reported = done.reported_environment
    journal.append(replace(done, reported_environment=None if reported is None else redactor.text(reported)))
    return begun


def _redacted(check: PreflightChecked, redactor: Redactor) -> PreflightChecked:
    """Redact a check's texts, which may quote the backend, and cut them then: half a secret is not recognised."""
    hint = None if check.hint is None else _shortened(redactor.text(check.hint))
    return replace(check, message=_shortened(redactor.text(check.message)), hint=hint)


def _shortened(text: str) -> str:
    """Return a text of one paragraph, cut if the backend made it long."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
