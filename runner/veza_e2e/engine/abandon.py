"""Decides whether a session can be abandoned: not while money is or may be out, unless exactly that is given up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from veza.money import Money
from veza_e2e.engine.look import look
from veza_e2e.engine.session import Stage
from veza_e2e.engine.walk import context_of
from veza_e2e.journal import timestamp
from veza_e2e.money.account import Account
from veza_e2e.money.order_account import AccountState


class MoneyMayBeOutError(Exception):
    """The session cannot be abandoned: money is or may be out.

    Attributes:
        todo: what to do about it.
    """

    def __init__(self, message: str, todo: str) -> None:
        super().__init__(message)
        self.todo = todo


def give_up(stage: Stage, accepted: Money | None, tell: Callable[[str], object]) -> Money | None:
    """Read orders and payments again; return the loss that the operator accepts with it, if any.

    Args:
        stage: the session.
        accepted: what `--accept-loss` names.
        tell: shows a line to the operator.

    Raises:
        MoneyMayBeOutError: money is or may be out, and `accepted` is not exactly that.
    """
    context = context_of(stage)
    look(context)
    account = context.account()
    if not account.may_be_out:
        return None
    if accepted is not None and accepted == account.at_stake:
        return accepted
    if account.lapsed(context.clock.now()):
        tell("The order could last be paid more than 24 hours ago, and no charge was seen.")
        return None
    raise MoneyMayBeOutError(
        f"money is or may be out: {account.sentence}", _todo(account, accepted, context.clock.now())
    )


def _todo(account: Account, accepted: Money | None, now: datetime) -> str:
    if account.deniable_at is not None and now < account.deniable_at:
        return (
            f"abandon it after {timestamp(account.deniable_at)}: until then the backend may still be making the order"
        )
    stake = account.at_stake
    loss = "" if stake is None else f'; or give up exactly what is open with --accept-loss "{stake}"'
    wrong = "" if accepted is None or stake is None else f"{accepted} is not what is open ({stake}); "
    if account.state is AccountState.AT_RISK:
        return f"{wrong}resume the session, or abandon it after {timestamp(account.late_after)}{loss}"
    return f"{wrong}resume the session to get the money back first{loss}"
