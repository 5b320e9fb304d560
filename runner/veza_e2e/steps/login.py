"""Step 1: logs in."""

from __future__ import annotations

from veza_e2e.redaction import mask
from veza_e2e.steps.context import Context
from veza_e2e.steps.results import Buyer
from veza_e2e.steps.step import step


@step("login", Buyer)
def login(context: Context) -> Buyer:
    """Log in with e-mail and password (operation login)."""
    user = context.api.auth.login().user
    return Buyer(user_id=user.id, email=mask(user.email))
