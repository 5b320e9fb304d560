"""Keeps accounts and logins, and issues tokens."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import jwt

from veza_rehearsal import of_2025
from veza_rehearsal.answers import Answer, RefusedError, envelope, error_code, error_limit, error_text
from veza_rehearsal.clock import moment, stamp
from veza_rehearsal.defaults import DEFAULT_PASSWORD, LISTENER_EMAIL

if TYPE_CHECKING:
    from veza_rehearsal.database import Row
    from veza_rehearsal.means import Means

_ISSUER: Final = "veza-rehearsal"
_ACCESS_SECONDS: Final = 900
_REFRESH: Final = timedelta(days=30)
_LOGIN_WINDOW: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Operator:
    """The account that the walkthrough logs in to.

    Attributes:
        email: Its e-mail address.
        password: Its password, kept in memory only.
    """

    email: str
    password: str


class TokenError(Exception):
    """The access token is not accepted.

    Args:
        code: `AUTH_TOKEN_EXPIRED`, `AUTH_TOKEN_INVALID` or `CSRF_TOKEN_INVALID`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Accounts:
    """Logs in, renews and ends logins.

    Args:
        means: Database, clock, ids and switches.
        operator: The operator's account.
        secret: The key that signs the access tokens.
    """

    def __init__(self, means: Means, operator: Operator, secret: str) -> None:
        self._means = means
        self._database = means.database
        self._clock = means.clock
        self._ids = means.ids
        self._faults = means.faults
        self._secret = secret
        self._passwords = {_folded(LISTENER_EMAIL): DEFAULT_PASSWORD, _folded(operator.email): operator.password}

    def install(self) -> None:
        """Make missing accounts. The caller holds the transaction."""
        for email in self._passwords:
            if self._by_email(email) is None:
                username = email.partition("@")[0] or "operator"
                self._database.run(
                    "INSERT INTO users (id, email, username, role, created_at) VALUES (?, ?, ?, 'user', ?)",
                    self._ids.uuid(), email, username, self._means.stamp(),
                )  # fmt: skip

    def login(self, body: dict[str, Any], address: str) -> Answer:
        """Carry out `login`.

        Raises:
            RefusedError: Too many logins (429) or a locked account (423).
        """
        email = _folded(body["email"])
        user = self._by_email(email)
        self._limit(address)
        if user is not None:
            self._locked(user["id"])
        right = user is not None and hmac.compare_digest(_octets(self._passwords[email]), _octets(body["password"]))
        now = self._means.stamp()
        self._database.run(
            "INSERT INTO login_attempts (address, user_id, succeeded, at) VALUES (?, ?, ?, ?)",
            address, user["id"] if user else None, int(right), now,
        )  # fmt: skip
        if user is None or not right:
            return error_text(401, "Invalid credentials")
        self._database.run("DELETE FROM refresh_tokens WHERE user_id = ?", user["id"])
        self._database.run("UPDATE users SET last_login = ? WHERE id = ?", now, user["id"])
        return envelope(200, self._tokens(user["id"]) | {"user": self.profile(user | {"last_login": now})})

    def refresh(self, body: dict[str, Any]) -> Answer:
        """Carry out `refreshToken`. It uses up the token that was sent; a used token ends all of the user's logins."""
        token = self._token(body["refresh_token"])
        if token is None or moment(token["expires_at"]) <= self._clock.now():
            return error_text(401, "Invalid refresh token")
        if token["used_at"] is not None:
            self._database.run("DELETE FROM refresh_tokens WHERE user_id = ?", token["user_id"])
            return error_text(401, "Refresh token was used before; the login has ended")
        if not self._faults.on(of_2025.SWITCH):
            now = self._means.stamp()
            self._database.run("UPDATE refresh_tokens SET used_at = ? WHERE digest = ?", now, token["digest"])
        return envelope(200, self._tokens(token["user_id"]))

    def logout(self, body: dict[str, Any], user: Row) -> Answer:
        """Carry out `logout`. An unknown token is not an error."""
        if body.get("all_devices"):
            self._database.run("DELETE FROM refresh_tokens WHERE user_id = ?", user["id"])
        digest = _digest(body["refresh_token"])
        self._database.run("DELETE FROM refresh_tokens WHERE user_id = ? AND digest = ?", user["id"], digest)
        return envelope(200, message="Logged out")

    def authenticated(self, token: str, csrf: str | None) -> Row:
        """Return the user of an access token.

        Args:
            token: The access token.
            csrf: The CSRF token that came with it; None if none is needed.

        Returns:
            The row of `users`.

        Raises:
            TokenError: The token is expired, is not this backend's, or does not match the CSRF token.
        """
        try:
            claims = jwt.decode(
                token, self._secret, algorithms=["HS256"], issuer=_ISSUER,
                options={"verify_exp": False, "verify_iat": False, "require": ["sub", "exp", "jti"]},
            )  # fmt: skip
        except (jwt.PyJWTError, UnicodeError):
            raise TokenError("AUTH_TOKEN_INVALID") from None
        if claims["exp"] <= self._clock.now().timestamp():
            raise TokenError("AUTH_TOKEN_EXPIRED")
        if csrf is not None and not hmac.compare_digest(_octets(self._csrf(claims["jti"])), _octets(csrf)):
            raise TokenError("CSRF_TOKEN_INVALID")
        user = self._database.one("SELECT * FROM users WHERE id = ?", claims["sub"])
        if user is None:
            raise TokenError("AUTH_TOKEN_INVALID")
        return user

    def profile(self, user: Row) -> Row:
        """Show a user."""
        return {**user, "avatar_url": None}

    def _tokens(self, user_id: str) -> Row:
        now = self._clock.now()
        asked = self._faults.value("jwt_ttl")
        lifetime = _ACCESS_SECONDS if asked is None else int(asked)
        claims: Row = {
            "iss": _ISSUER,
            "sub": user_id,
            "iat": int(now.timestamp()),
            # Keep the fraction, so that a token for one second does not expire in the moment it is made.
            "exp": now.timestamp() + lifetime,
            "jti": self._ids.uuid(),
        }
        refresh = self._ids.secret()
        self._database.run(
            "INSERT INTO refresh_tokens (digest, user_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
            _digest(refresh), user_id, stamp(now), stamp(now + _REFRESH),
        )  # fmt: skip
        return {
            "access_token": jwt.encode(claims, self._secret, algorithm="HS256"),
            "refresh_token": refresh,
            "csrf_token": self._csrf(claims["jti"]),
            "token_type": "Bearer",
            "expires_in": lifetime,
        }

    def _csrf(self, jti: str) -> str:
        return hmac.new(self._secret.encode(), jti.encode(), hashlib.sha256).hexdigest()

    def _limit(self, address: str) -> None:
        limit = self._faults.value("login_limit")
        if limit is None:
            return
        now = self._clock.now()
        recent = self._database.all(
            "SELECT at FROM login_attempts WHERE address = ? AND at > ? ORDER BY at",
            address, stamp(now - _LOGIN_WINDOW),
        )  # fmt: skip
        if len(recent) >= int(limit):
            reset = moment(recent[-int(limit)]["at"]) + _LOGIN_WINDOW
            wait, end = (reset - now).total_seconds(), reset.timestamp()
            raise RefusedError(too_many(int(limit), wait, end, cut=self._faults.on(of_2025.SWITCH)))

    def _locked(self, user_id: str) -> None:
        limit = self._faults.value("account_lock")
        if limit is None:
            return
        latest = self._database.all(
            "SELECT succeeded FROM login_attempts WHERE user_id = ? AND at > ? ORDER BY seq DESC LIMIT ?",
            user_id, stamp(self._clock.now() - _LOGIN_WINDOW), int(limit),
        )  # fmt: skip
        if len(latest) == int(limit) and not any(row["succeeded"] for row in latest):
            raise RefusedError(error_code(423, "ACCOUNT_LOCKED", "Account is locked"))

    def _by_email(self, email: str) -> Row | None:
        # An unknown name never reaches the database, whatever characters it holds.
        return self._database.one("SELECT * FROM users WHERE email = ?", email) if email in self._passwords else None

    def _token(self, token: str) -> Row | None:
        return self._database.one("SELECT * FROM refresh_tokens WHERE digest = ?", _digest(token))


def too_many(limit: int, wait: float, reset: float, *, cut: bool) -> Answer:
    """Answer 429: the limit is used up for `wait` seconds, until the Unix time `reset`.

    Args:
        limit: How many requests are allowed.
        wait: For how long no further one is.
        reset: The Unix time at which one is.
        cut: Whether it is said in the form of 2025, which cuts the seconds to whole ones.
    """
    seconds = int(wait) if cut else max(1, int(-(-wait // 1)))
    headers = {
        "Retry-After": str(seconds),
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(-(-reset // 1))),
    }
    if cut:
        return error_limit("Too many requests", seconds, int(-(-reset // 1)), headers)
    return error_code(429, "RATE_LIMIT_EXCEEDED", "Too many requests", headers=headers)


def _folded(email: str) -> str:
    return email.strip().lower()


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _digest(token: str) -> str:
    return hashlib.sha256(_octets(token)).hexdigest()
