"""The checks of the account that buys: its address, and whether there is a password."""

from __future__ import annotations

import re

from veza_e2e.journal.events import PreflightChecked
from veza_e2e.preflight.services import check

_ADDRESS = re.compile(r"[^@\s<>(),;:\\\"\[\]\x00-\x1f\x7f]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def email(address: str | None) -> PreflightChecked:
    """Check that the account's address is one."""
    if address is None:
        return check("email", "blocked", "OPERATOR_EMAIL is not set", "Set it to the address of the account that buys.")
    if not _ADDRESS.fullmatch(address):
        return check(
            "email",
            "blocked",
            f"OPERATOR_EMAIL does not parse as an e-mail address ({len(address)} characters)",
            "Set it to an address such as name@example.com.",
        )
    return check("email", "ok", "OPERATOR_EMAIL is an e-mail address")


def password(*, has: bool) -> PreflightChecked:
    """Check that there is a password to log in with."""
    if has:
        return check("password", "ok", "there is a password")
    return check(
        "password",
        "blocked",
        "there is no password",
        "Set OPERATOR_PASSWORD, store it in the keyring (service veza-e2e), or run on a terminal that can ask for it.",
    )
