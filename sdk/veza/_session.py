"""The login: what the client holds of it, and how a request carries it. No input or output.

`issued` and `authorize` are the one place that knows how the backend authenticates; a backend with cookies and a
CSRF token changes them alone.
"""

from __future__ import annotations

import re
import threading
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from veza._process import follow_forks
from veza._secret import Secret
from veza.errors import InvalidRequestError, InvalidResponseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from veza.models.auth import Login, Tokens

_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")
_LONGEST_MARGIN: Final = 30.0
_MARGIN_SHARE: Final = 0.2


class Renewal(Enum):
    """How to come by a token."""

    REFRESH = auto()
    LOGIN = auto()
    IMPOSSIBLE = auto()


def as_secret(value: str | Secret | None, name: str) -> Secret | None:
    """Wrap what a caller gave; a token must be able to travel in a header.

    Raises:
        InvalidRequestError: the value is empty or not text.
    """
    if value is None or isinstance(value, Secret):
        return value
    given: object = value
    if not isinstance(given, str) or not given:
        raise InvalidRequestError(f"{name} must be a non-empty string")
    return Secret(value)


def as_token(value: str | Secret | None) -> Secret:
    """Wrap an access token from outside.

    Raises:
        InvalidRequestError: it is not text that a header can carry.
    """
    token = as_secret(value, "access_token")
    if token is None or not _VISIBLE.fullmatch(token.get_secret_value()):
        raise InvalidRequestError("access_token has characters that no header can carry")
    return token


def expiry(expires_in: int | None, now: float) -> float | None:
    """Return when a token is to be renewed: a little before it ends; None for when the backend refuses it."""
    return None if expires_in is None else now + expires_in - min(_LONGEST_MARGIN, expires_in * _MARGIN_SHARE)


class Session:
    """Credentials and tokens of one account. Thread-safe; shows no secret.

    Args:
        email: the login's e-mail address.
        password: its password.
        access_token: a token that is already there.
        refresh_token: what renews it.
    """

    __slots__ = ("__weakref__", "_held", "_lock", "email", "password")

    def __init__(
        self, email: str | None, password: Secret | None, access_token: Secret | None, refresh_token: Secret | None
    ) -> None:
        self.email = email
        self.password = password
        # Replaced as one, so that a process forked at any moment holds tokens of one login.
        self._held: tuple[Secret | None, Secret | None, float | None] = (access_token, refresh_token, None)
        self._lock = threading.Lock()
        follow_forks(self)

    def forked(self) -> None:
        """Keep the tokens of the parent process, and not a lock that one of its threads may hold."""
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Session {'with' if self.access else 'without'} a token>"

    @property
    def access(self) -> Secret | None:
        """The access token in hand."""
        return self._held[0]

    @property
    def refresh(self) -> Secret | None:
        """The refresh token in hand."""
        return self._held[1]

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Everything that must not show."""
        return tuple(secret for secret in (self.password, self.access, self.refresh) if secret is not None)

    def usable(self, now: float, rejected: Secret | None) -> Secret | None:
        """Return the token in hand, unless it runs out soon or was just rejected."""
        access, _, expires_at = self._held
        if access is None or (expires_at is not None and now >= expires_at):
            return None
        return None if rejected is not None and access == rejected else access

    def renewal(self) -> Renewal:
        """Say how a new token can be had."""
        if self.refresh is not None:
            return Renewal.REFRESH
        return Renewal.LOGIN if self.email is not None and self.password is not None else Renewal.IMPOSSIBLE

    def accept(self, access: Secret, refresh: Secret | None, expires_in: int | None, now: float) -> Secret:
        """Take the tokens of a login or a renewal.

        Args:
            access: the new token.
            refresh: the new refresh token; None keeps the one in hand.
            expires_in: seconds; the token is renewed a little before. None: when the backend refuses it.
            now: the clock's monotonic time when the request was sent.

        Raises:
            InvalidResponseError: no header can carry the token.
        """
        if not _VISIBLE.fullmatch(access.get_secret_value()):
            raise InvalidResponseError("the access token has characters that no header can carry")
        expires_at = expiry(expires_in, now)
        with self._lock:
            self._held = (access, refresh or self.refresh, expires_at)
        return access

    def provided(self, access: Secret) -> Secret:
        """Take a token from a provider, which holds until the backend refuses it."""
        with self._lock:
            self._held = (access, self.refresh, None)
        return access

    def refused(self, refresh: Secret) -> None:
        """Forget a refresh token that the backend no longer takes."""
        with self._lock:
            access, held, expires_at = self._held
            if held == refresh:
                self._held = (access, None, expires_at)

    def ended(self) -> None:
        """Forget the tokens of a login that was ended; the credentials stay."""
        with self._lock:
            self._held = (None, None, None)


def authorize(token: Secret) -> Mapping[str, str]:
    """Return the headers by which a request carries its login."""
    return {"Authorization": f"Bearer {token.get_secret_value()}"}


def issued(result: Login | Tokens) -> tuple[Secret, Secret | None]:
    """Return the access token and the refresh token that a login or a renewal gave."""
    return result.access_token, result.refresh_token
