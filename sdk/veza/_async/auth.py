"""Logging in and out."""

from __future__ import annotations

from typing import Unpack

from veza import _operations as contract
from veza._async.resource import AsyncResource
from veza._call import seconds
from veza._decode import nothing
from veza._options import CallOptions
from veza._params import Email
from veza._secret import Secret
from veza._session import as_secret
from veza.errors import InvalidRequestError
from veza.models.auth import Login, Tokens, User


class AsyncAuth(AsyncResource):
    """Logging in and out. Calls that need a login log in by themselves, so this is seldom needed."""

    async def login(
        self,
        email: Email | None = None,
        password: str | Secret | None = None,
        *,
        remember_me: bool | None = None,
        deadline: float | None = None,
        **options: Unpack[CallOptions],
    ) -> Login:
        """Log in; the client uses the tokens from then on (operation login).

        A login ends the refresh tokens of this account's earlier logins. If the client's own credentials were refused
        (401, 403, 423, 429), they are not sent again before the time that the answer named, if any, and a day at most;
        credentials that are passed here are always sent.

        Args:
            email: the account; the client's where it is left out. The client keeps to it from then on.
            password: its password; the client's where it is left out.
            remember_me: ask for a longer login.
            deadline: seconds for all attempts and waits.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            AuthenticationError: 401, the credentials are wrong.
            LockedError: 423, the account is locked.
            VezaError: as any call.
        """
        session = self._engine.session
        own = email is None and password is None
        email = email or session.email
        password = as_secret(password, "password") or session.password
        if email is None or password is None:
            raise InvalidRequestError("login needs an email and a password, here or on the client")
        limit = seconds(deadline, "deadline")
        renewer = self._engine.renewer
        if own:
            return await renewer.login_again(
                email, password, self._settings, remember_me=remember_me, deadline=limit, **options
            )
        login = await renewer.login(
            email, password, self._settings, remember_me=remember_me, deadline=limit, anyway=True, **options
        )
        session.email, session.password = email, password
        return login

    async def refresh(
        self,
        refresh_token: str | Secret | None = None,
        *,
        deadline: float | None = None,
        **options: Unpack[CallOptions],
    ) -> Tokens:
        """Renew the access token; the client uses it from then on (operation refreshToken).

        Args:
            refresh_token: the token to renew by; the client's where it is left out.
            deadline: seconds for all attempts and waits.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            AuthenticationError: 401, the refresh token was used up or revoked.
            VezaError: as any call.
        """
        refresh_token = as_secret(refresh_token, "refresh_token") or self._engine.session.refresh
        if refresh_token is None:
            raise InvalidRequestError("refresh needs a refresh token, here or on the client")
        limit = seconds(deadline, "deadline")
        return await self._engine.renewer.refresh(refresh_token, self._settings, deadline=limit, **options)

    async def logout(
        self,
        refresh_token: str | Secret | None = None,
        *,
        all_devices: bool | None = None,
        deadline: float | None = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """End a login; the client forgets its tokens (operation logout).

        Args:
            refresh_token: the login to end; the client's where it is left out.
            all_devices: end every login of the account.
            deadline: seconds for all attempts and waits.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            VezaError: as any call.
        """
        session = self._engine.session
        refresh_token = as_secret(refresh_token, "refresh_token") or session.refresh
        if refresh_token is None:
            raise InvalidRequestError("logout needs a refresh token, here or on the client")
        fields = {"refresh_token": refresh_token, "all_devices": all_devices}
        await self._send(contract.LOGOUT, nothing, fields=fields, deadline=deadline, **options)
        session.ended()

    async def me(self, *, deadline: float | None = None, **options: Unpack[CallOptions]) -> User:
        """Ask which account is logged in (operation getMe).

        Args:
            deadline: seconds for all attempts and waits.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            VezaError: as any call.
        """
        return await self._one(contract.GET_ME, User, deadline=deadline, **options)
