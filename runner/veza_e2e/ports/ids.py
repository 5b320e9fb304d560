"""Makes random ids for sessions, and idempotency keys."""

from __future__ import annotations

import secrets
from datetime import datetime


class SystemIds:
    """Random ids.

    Args:
        session: the session's id; None makes a new one.
    """

    def __init__(self, session: str | None = None) -> None:
        self._session = session

    def session(self, at: datetime) -> str:
        """See `protocols.Ids`."""
        return self._session or new_session(at)

    def key(self) -> str:
        """See `protocols.Ids`."""
        return secrets.token_hex(16)


def new_session(at: datetime) -> str:
    """Return a ULID for a session that starts at `at`."""
    from ulid import ULID  # noqa: PLC0415 - only a new session needs it

    return str(ULID.from_datetime(at))
