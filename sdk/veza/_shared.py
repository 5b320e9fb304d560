"""What replicas keep in their store: the login that they share, and refused credentials. No input or output."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from veza._gate import FOREVER, again, holds_for
from veza._secret import Secret
from veza._session import expiry
from veza.errors import InvalidRequestError, VezaError, error_class

if TYPE_CHECKING:
    from veza._wire import Json

_MOST_REFUSALS: Final = 8
_ROUNDS: Final = 200_000
_WRONG_PASSWORD: Final = 900.0
"""Seconds. Not for ever: a store outlives the service that is started again after its account was mended."""


@lru_cache(maxsize=32)
def _digest(account: Credentials, salt: str) -> str:
    """Return what tells credentials apart; slow, so that it betrays no password to whoever reads the store."""
    text = json.dumps([account.email, account.password.get_secret_value()]).encode()
    made = hashlib.pbkdf2_hmac("sha256", text, base64.b64decode(salt), _ROUNDS)
    return base64.b64encode(made).decode()


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account and its password."""

    email: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the backend said to credentials, and until when (in seconds of Unix time) they are not sent again."""

    salt: str
    digest: str
    status: int
    message: str
    code: str | None
    request_id: str | None
    until: float

    @classmethod
    def of(cls, account: Credentials, error: VezaError, now: float) -> Refusal | None:
        """Return what is to be remembered of an error; None if it is no refusal."""
        status = error.status_code
        seconds = _WRONG_PASSWORD if status in FOREVER else holds_for(error)
        if status is None or seconds is None:
            return None
        salt = base64.b64encode(os.urandom(16)).decode()
        digest = _digest(account, salt)
        return cls(salt, digest, status, error.message, error.code, error.request_id, now + seconds)

    def concerns(self, account: Credentials) -> bool:
        """Whether these credentials were refused."""
        return _digest(account, self.salt) == self.digest

    def error(self, now: float) -> VezaError:
        """Return the error that is raised in place of another login."""
        first = error_class(self.status)(
            self.message,
            status_code=self.status,
            code=self.code,
            request_id=self.request_id,
            method="POST",
            path="/auth/login",
        )
        return again(first, self.until - now)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store holds. Times are seconds of Unix time."""

    email: str | None = None
    access: Secret | None = None
    refresh: Secret | None = None
    expires_at: float | None = None
    refusals: tuple[Refusal, ...] = field(default=(), repr=False)

    @classmethod
    def read(cls, text: str | None, email: str | None) -> Kept:
        """Read what was written, for an account.

        Raises:
            InvalidRequestError: it was written by something else, or for another account.
        """
        if text is None:
            return cls(email)
        try:
            kept = cls._of(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InvalidRequestError("the token store holds what SharedLogin did not write") from None
        if None not in {kept.email, email} and kept.email != email:
            raise InvalidRequestError("the token store holds another account's login; give each account its own store")
        return replace(kept, email=email)

    @classmethod
    def _of(cls, told: dict[str, Json]) -> Kept:
        access, refresh = told["access_token"], told["refresh_token"]
        if not isinstance(access, str | None) or not isinstance(refresh, str | None):
            raise TypeError
        expires_at, email = told.get("expires_at"), told.get("email")
        if not isinstance(expires_at, int | float | None) or not isinstance(email, str | None):
            raise TypeError
        refusals = tuple(Refusal(**one) for one in told.get("refusals") or ())  # type: ignore[union-attr,arg-type]
        return cls(email, _secret(access), _secret(refresh), expires_at, refusals)

    def text(self) -> str:
        """Return what is written."""
        told = {
            "email": self.email,
            "access_token": None if self.access is None else self.access.get_secret_value(),
            "refresh_token": None if self.refresh is None else self.refresh.get_secret_value(),
            "expires_at": self.expires_at,
            "refusals": [{name: getattr(one, name) for name in Refusal.__slots__} for one in self.refusals],
        }
        return json.dumps(told)

    def usable(self, rejected: str | None, now: float) -> str | None:
        """Return the access token, unless it was just rejected or ends soon."""
        if self.access is None or (self.expires_at is not None and now >= self.expires_at):
            return None
        return None if self.token == rejected else self.token

    @property
    def token(self) -> str:
        """The access token, of which there is one."""
        assert self.access is not None
        return self.access.get_secret_value()

    def refused(self, account: Credentials | None, now: float) -> VezaError | None:
        """Return why these credentials are not sent; None if they may be."""
        for one in self.refusals:
            if account is not None and now < one.until and one.concerns(account):
                return one.error(now)
        return None

    def noting(self, refusal: Refusal, now: float) -> Kept:
        """Return this with one more refusal."""
        held = [one for one in self.refusals if now < one.until]
        return replace(self, refusals=(*held[1 - _MOST_REFUSALS :], refusal))

    def renewed(self, access: Secret, refresh: Secret, expires_in: int | None, now: float) -> Kept:
        """Return this with other tokens; `now` is when they were asked for."""
        return replace(self, access=access, refresh=refresh, expires_at=expiry(expires_in, now))


def _secret(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)
