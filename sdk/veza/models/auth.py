"""Logins and accounts."""

from __future__ import annotations

from veza._secret import Secret
from veza.models._base import (
    Count,
    Filled,
    Id,
    Maybe,
    MaybeText,
    Model,
    Omitted,
    OpenEnum,
    Text,
    Timestamp,
    Token,
    Unsaid,
    UnsaidText,
)


class Role(OpenEnum):
    """What an account may do."""

    USER = "user"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"


class User(Model):
    """An account (operation getMe)."""

    id: Id
    """The account's id."""
    username: UnsaidText[Text] = None
    """The name shown to others; None where the backend does not say."""
    email: Text
    """The e-mail address, which is also the login."""
    role: Unsaid[Role] = None
    """What the account may do; None where the backend does not say."""
    avatar_url: MaybeText[Text] = None
    """A picture; None if there is none."""
    created_at: Unsaid[Timestamp] = None
    """When the account was made."""
    last_login: Maybe[Timestamp] = None
    """When it last logged in; None where it never did."""


class Tokens(Model):
    """Renewed tokens (operation refreshToken)."""

    access_token: Token
    """The token of the calls to come."""
    refresh_token: Unsaid[Secret] = None
    """The next refresh token, where the backend rotates them: the earlier one is then used up."""
    token_type: Unsaid[Filled] = None
    """How the token is sent, `Bearer`; None where the backend does not say. Nothing reads it."""
    expires_in: Omitted[Count] = None
    """Seconds until the access token ends; None where the backend does not say: it is then used until refused."""


class Login(Model):
    """A login's tokens and its account (operation login)."""

    access_token: Token
    """The token of the calls to come."""
    refresh_token: Unsaid[Secret] = None
    """What a new access token is had for; None where the backend gives none: it is then logged in again."""
    token_type: Unsaid[Filled] = None
    """How the token is sent, `Bearer`; None where the backend does not say. Nothing reads it."""
    expires_in: Omitted[Count] = None
    """Seconds until the access token ends; None where the backend does not say: it is then used until refused."""
    user: User
    """The account."""
