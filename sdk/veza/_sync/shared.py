# Written by sdk/generate.py; not edited by hand.
"""One login for all replicas of a service, kept in a store that they share."""

from __future__ import annotations

from copy import copy
from typing import Final

from veza._session import issued
from veza._shared import Credentials, Kept, Refusal
from veza._sync.client import Veza
from veza._turn import ThreadTurn
from veza.errors import (
    APITimeoutError,
    AuthenticationError,
    DeadlineExceededError,
    InvalidResponseError,
    LeaseEndedError,
    VezaError,
    error_class,
)
from veza.tokens import TokenStore

_SHARE: Final = 0.8
"""The part of a lease that may pass before the tokens are there; the rest is for writing them."""
_TOO_SLOW: Final = "the login took longer than the lease of the token store's lock; make the lease longer"
_LOOKS_AGAIN: Final = 1.0
"""Seconds for which a refusal is not read again, so that refused calls do not all ask the store."""


class SharedLogin:
    """A token provider: logs in once for all replicas that share its store, and renews for all if a token is refused.

    A refused login (401, 403, 423, 429) is kept in the store too, by a salted digest of the credentials, so that one
    replica is told and the others know: until its time, and for 15 minutes after a 401.

    Args:
        client: a client with `email` and `password`, used for nothing else.
        store: where the login is kept. Each account needs its own.
    """

    def __init__(self, client: Veza, store: TokenStore) -> None:
        self._client = client
        self._engine = client._engine  # noqa: SLF001  (its account and its clock)
        self._store = store
        self._turn = ThreadTurn()
        self._recent: tuple[float, VezaError] | None = None

    def __call__(self, rejected: str | None) -> str:
        """Return the shared access token, after making a new one if it was rejected.

        Raises:
            VezaError: as `auth.login` and `auth.refresh`.
            TokenStoreError: the store cannot be read or written.
        """
        token, _ = self._read(rejected)
        if token is not None:
            return token
        with self._turn.lock():
            token, _ = self._read(rejected)
            if token is not None:
                return token
            with self._store.lock() as lease:
                ends = None if lease is None else self._engine.clock.monotonic() + lease * _SHARE
                token, kept = self._read(rejected)
                return token or self._made(rejected, kept, ends)

    def _read(self, rejected: str | None) -> tuple[str | None, Kept]:
        """Return the token in the store, None if a new one is to be made, and all that is kept.

        Raises:
            APIStatusError: the credentials were refused, and their time has not come.
        """
        now, recent = self._engine.clock.monotonic(), self._recent
        if recent is not None and now < recent[0]:
            raise copy(recent[1])
        kept = self._kept()
        token = kept.usable(rejected, self._now())
        refused = None if token is not None else kept.refused(self._credentials(), self._now())
        if refused is not None:
            self._recent = (now + _LOOKS_AGAIN, refused)
            raise copy(refused)
        return token, kept

    def _made(self, rejected: str | None, kept: Kept, ends: float | None) -> str:
        try:
            made = self._renewed(kept, ends)
        except VezaError as error:
            refusal = _told(error)
        else:
            if not self._written(made):  # another replica went on meanwhile; what it wrote is what all share
                token = (self._kept()).usable(rejected, self._now())
                if token is not None:
                    return token
            return made.token
        self._note(kept, refusal)
        raise refusal

    def _note(self, kept: Kept, error: VezaError) -> None:
        account = self._credentials()
        if account is None:
            return
        if error.attempts:
            refusal = Refusal.of(account, error, self._now())
            if refusal is not None:
                self._written(kept.noting(refusal, self._now()))
        elif error.status_code is not None:  # the client's own memory, which outlasts the store's
            self._recent = (self._engine.clock.monotonic() + _LOOKS_AGAIN, copy(error))  # without its frames

    def _renewed(self, kept: Kept, ends: float | None) -> Kept:
        if kept.refresh is not None:
            now = self._now()
            try:
                tokens = self._client.auth.refresh(kept.refresh, deadline=self._left(ends))
            except AuthenticationError:
                pass  # used up or revoked: log in anew
            else:
                access, rotated = issued(tokens)
                return kept.renewed(access, rotated or kept.refresh, tokens.expires_in, now)
        now = self._now()
        login = self._client.auth.login(deadline=self._left(ends))
        access, refresh = issued(login)
        if refresh is None:
            raise InvalidResponseError("the login gave no refresh token, so replicas cannot share it")
        return kept.renewed(access, refresh, login.expires_in, now)

    def _kept(self) -> Kept:
        return Kept.read(self._store.read(), self._engine.session.email)

    def _written(self, kept: Kept) -> bool:
        try:
            self._store.write(kept.text())
        except LeaseEndedError:
            return False
        return True

    def _credentials(self) -> Credentials | None:
        email, password = self._engine.session.email, self._engine.session.password
        return None if email is None or password is None else Credentials(email, password)

    def _now(self) -> float:
        return self._engine.clock.now().timestamp()

    def _left(self, ends: float | None) -> float | None:
        if ends is None:
            return None
        left = ends - self._engine.clock.monotonic()
        if left <= 0:
            raise APITimeoutError(_TOO_SLOW, reason="read_timeout")
        return left


def _told(error: VezaError) -> VezaError:
    """Return what the lease's end cut short as what it was: its deadline is not the caller's."""
    if not isinstance(error, DeadlineExceededError):
        return error
    kind = APITimeoutError if error.status_code is None else error_class(error.status_code)
    message = _TOO_SLOW if error.status_code is None else error.message
    return kind(
        message,
        status_code=error.status_code,
        code=error.code,
        request_id=error.request_id,
        method=error.method,
        path=error.path,
        attempts=error.attempts,
        retry_after=error.retry_after,
        reason=error.reason,
        host=error.host,
        port=error.port,
    )
