"""Logins and accounts."""

from __future__ import annotations

from veza._secret import Secret
from veza.models._base import Count, Filled, Id, Model, Omitted, OpenEnum, Text, Timestamp, Token


class Role(OpenEnum):
    """What an account may do."""

    USER = "user"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"


class User(Model):
    """An account (operation getMe)."""

    id: Id
    """The account's id."""
    username: Text
    """The name shown to others."""
    email: Text
    """The e-mail address, which is also the login."""
    role: Role
    """What the account may do."""
    avatar_url: Text | None = None
    """A picture; None if there is none."""
    created_at: Omitted[Timestamp] = None
    """When the account was made."""
    last_login: Timestamp | None = None
    """When it last logged in; None where it never did."""


class Tokens(Model):
    """Renewed tokens (operation refreshToken)."""

    access_token: Token
    """The token of the calls to come."""
    refresh_token: Omitted[Secret] = None
    """The next refresh token, where the backend rotates them: the earlier one is then used up."""
    token_type: Filled
    """How the token is sent; `Bearer`."""
    expires_in: Count
    """Seconds until the access token ends."""


class Login(Model):
    """A login's tokens and its account (operation login)."""

    access_token: Token
    """The token of the calls to come."""
    refresh_token: Secret
    """What a new access token is had for."""
    token_type: Filled
    """How the token is sent; `Bearer`."""
    expires_in: Count
    """Seconds until the access token ends."""
    user: User
    """The account."""
