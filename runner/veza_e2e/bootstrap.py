"""Puts the parts of each mode together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

import httpx

from veza_e2e.config import Environment, Secrets, Settings, read_secrets
from veza_e2e.engine.session import Parts
from veza_e2e.journal.chain import Line
from veza_e2e.ports.browser import PersonsBrowser
from veza_e2e.ports.ids import SystemIds
from veza_e2e.ports.interrupts import Interrupts
from veza_e2e.ports.ledger import DatabaseLedger, NoLedger, RehearsalLedger
from veza_e2e.ports.machine import Machine
from veza_e2e.ports.network import LimitedTransport
from veza_e2e.ports.protocols import Browser, Ledger, Operator, Ports
from veza_e2e.ports.scripted import ScriptedBrowser, ScriptedOperator
from veza_e2e.ports.terminal import Lines, TerminalOperator
from veza_e2e.redaction import Redactor

NOWHERE = "http://127.0.0.1:9"
"""Stands for an embedded backend that is not running; nothing is sent there."""
TEST_CARD = "4242424242424242"


@contextmanager
def assemble(
    settings: Settings,
    secrets: Secrets,
    interrupts: Interrupts,
    machine: Machine,
    *,
    unattended: bool,
    listeners: Sequence[Callable[[Line], None]] = (),
    own: str | None = None,
    session: str | None = None,
) -> Iterator[Parts]:
    """Yield the parts of a live or a rehearsed session; their connections are closed at the end.

    Args:
        settings: the chosen environment's.
        secrets: the account's login, and the keys.
        interrupts: defers signals.
        machine: gives the clock, or all ports.
        unattended: answers and pays by itself; for the rehearsal backend only.
        listeners: called with each line of the journal.
        own: the base URL of the embedded rehearsal backend.
        session: the session's id; None makes a new one.
    """
    environment = settings.environment
    base_url = own or environment.base_url or NOWHERE
    with ExitStack() as stack:
        yield Parts(
            ports=machine.ports(session)
            if machine.ports is not None
            else stack.enter_context(
                _own_ports(
                    settings,
                    secrets,
                    interrupts,
                    machine,
                    base_url,
                    local=own is not None or environment.loopback,
                    unattended=unattended,
                    session=session,
                )
            ),
            redactor=knowing(secrets),
            base_url=base_url,
            email=secrets.email,
            password=secrets.password,
            hyperswitch_url=_hyperswitch(environment, own),
            hyperswitch_api_key=secrets.hyperswitch_api_key,
            checkout_page=_checkout_page(environment, own),
            names=environment.ledger,
            guard=interrupts.deferred,
            listeners=listeners,
        )


@contextmanager
def _own_ports(
    settings: Settings, secrets: Secrets, interrupts: Interrupts, machine: Machine, base_url: str, *, local: bool,
    unattended: bool, session: str | None,
) -> Iterator[Ports]:  # fmt: skip
    operator: Operator = ScriptedOperator() if unattended else TerminalOperator(Lines(sys.stdin.fileno()))
    with LimitedTransport(interrupts.deferred) as transport, _beside(base_url, transport) as beside:
        scripted = ScriptedBrowser(beside, _card(machine.clock.now()))
        browser: Browser = scripted if unattended else PersonsBrowser(window=settings.window)
        yield Ports(
            transport=transport,
            operator=operator,
            browser=browser,
            ledger=_ledger(settings, secrets, interrupts, beside, local=local, unattended=unattended),
            clock=machine.clock,
            ids=SystemIds(session),
            till=scripted.open if local and not unattended else None,
        )


def _hyperswitch(environment: Environment, own: str | None) -> str | None:
    return f"{own}/hyperswitch" if own else environment.hyperswitch_url


def _checkout_page(environment: Environment, own: str | None) -> str | None:
    return f"{own}/hyperswitch/checkout?client_secret={{client_secret}}" if own else environment.checkout_page


def known_secrets(secrets: Secrets) -> dict[str, str]:
    """Return the secrets that are known from the start, by kind."""
    named = {
        "email": secrets.email,
        "password": secrets.password,
        "api_key": secrets.hyperswitch_api_key,
        "dsn": secrets.database_url,
        "access_token": secrets.access_token,
    }
    return {kind: value for kind, value in named.items() if value}


def knowing(secrets: Secrets) -> Redactor:
    """Return a redactor that knows a session's secrets, and the shell's: a rehearsal works with others than these."""
    own = known_secrets(secrets)
    redactor = Redactor(own)
    for kind, value in known_secrets(read_secrets()).items():
        if kind != "email" and value not in own.values():
            redactor.give(kind, value)
    return redactor


def _beside(base_url: str, transport: httpx.BaseTransport) -> httpx.Client:
    """Return a client that is not recorded, for the scripts that stand in for the operator."""
    return httpx.Client(base_url=base_url, timeout=30, trust_env=False, transport=transport)


def _card(today: datetime) -> dict[str, str]:
    soon = today + timedelta(days=366)
    return {"card_number": TEST_CARD, "expiry": f"{soon:%m/%y}", "cvc": "123"}


def _ledger(
    settings: Settings, secrets: Secrets, interrupts: Interrupts, beside: httpx.Client, *, local: bool, unattended: bool
) -> Ledger:
    scripts = settings.state / "sql"
    if secrets.database_url is not None and not unattended:
        return DatabaseLedger(secrets.database_url, scripts, deferred=interrupts.deferred)
    return RehearsalLedger(beside, read=unattended, scripts=scripts) if local else NoLedger(scripts)
