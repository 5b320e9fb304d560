"""The fake backend's account: logins, their limits, and tokens."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from veza.testing._shop import Object, RefusalError

if TYPE_CHECKING:
    from veza.testing._clock import AsyncFakeClock, FakeClock

EMAIL: Final = "operator@veza.test"
PASSWORD: Final = "rehearsal"  # noqa: S105  (of a fake account)
USER: Final = "user-1"
_REFRESH_SECONDS: Final = 30 * 24 * 3600
_WINDOW: Final = 15 * 60


class Account:
    """What the fake backend knows of its one account."""

    def __init__(
        self,
        *,
        clock: FakeClock | AsyncFakeClock,
        email: str,
        password: str,
        expires_in: int,
        rotate: bool,
        login_limit: int | None,
        account_lock: int | None,
    ) -> None:
        self.clock: FakeClock | AsyncFakeClock = clock
        self.email: str = email
        self.password: str = password
        self.expires_in: int = expires_in
        self.rotate: bool = rotate
        self.login_limit: int | None = login_limit
        self.account_lock: int | None = account_lock
        self._access: dict[str, float] = {}
        self._refresh: dict[str, float] = {}
        self._used: set[str] = set()
        self._issued = 0
        self._logins: list[tuple[float, str, bool]] = []

    def revoke_access(self) -> None:
        """Make every access token that was given invalid."""
        self._access.clear()

    def revoke_refresh(self, token: str | None = None) -> None:
        """Make a refresh token invalid; without one, all that were given, as a login elsewhere does."""
        for one in list(self._refresh) if token is None else [token]:
            self._refresh.pop(one, None)

    def issue(self) -> Object:
        """Make an access token and return what says so."""
        self._issued += 1
        access = f"access-{self._issued}"
        self._access[access] = self.clock.monotonic() + self.expires_in
        return {"access_token": access, "token_type": "Bearer", "expires_in": self.expires_in}

    def issue_refresh(self) -> str:
        """Make a refresh token and return it."""
        refresh = f"refresh-{self._issued}"
        self._refresh[refresh] = self.clock.monotonic() + _REFRESH_SECONDS
        return refresh

    def user(self) -> Object:
        """Return the account as the API shows it."""
        return {"id": USER, "username": self.email.partition("@")[0], "email": self.email, "role": "user"}

    def log_in(self, email: str, password: str) -> Object:
        """Check credentials; return new tokens, which end the refresh tokens of earlier logins."""
        email, now = email.strip().lower(), self.clock.monotonic()
        recent = [one for one in self._logins if one[0] > now - _WINDOW]
        if self.login_limit is not None and len(recent) >= self.login_limit:
            wait = max(1, math.ceil(recent[-self.login_limit][0] + _WINDOW - now))
            raise RefusalError(429, "RATE_LIMIT_EXCEEDED", "Too many requests", {"Retry-After": str(wait)})
        known = email == self.email.strip().lower()
        tries = [right for _, name, right in recent if name == email]
        if known and self.account_lock and len(tries) >= self.account_lock and not any(tries[-self.account_lock :]):
            raise RefusalError(423, "ACCOUNT_LOCKED", "Account is locked")
        right = known and password == self.password
        self._logins.append((now, email, right))
        if not right:
            raise RefusalError(401, None, "Invalid credentials")
        self.revoke_refresh()
        return self.issue() | {"refresh_token": self.issue_refresh(), "user": self.user()}

    def renew(self, refresh: str) -> Object:
        """Return new tokens. If tokens are used up, a used one ends the account's logins."""
        if self._refresh.get(refresh, -math.inf) <= self.clock.monotonic():
            raise RefusalError(401, None, "Invalid refresh token")
        if refresh in self._used:
            self.revoke_refresh()
            raise RefusalError(401, None, "Refresh token was used before; the login has ended")
        if not self.rotate:
            return self.issue()
        self._used.add(refresh)
        return self.issue() | {"refresh_token": self.issue_refresh()}

    def authenticate(self, token: str) -> None:
        """Refuse a token that was not given, or has ended."""
        ends = self._access.get(token)
        if ends is None or self.clock.monotonic() >= ends:
            code = "AUTH_TOKEN_INVALID" if ends is None else "AUTH_TOKEN_EXPIRED"
            raise RefusalError(401, code, "The access token is not valid")
