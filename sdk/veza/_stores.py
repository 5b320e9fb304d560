"""Where a store is, as its user says it, and what its driver's error becomes."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote, urlsplit

from veza._secret import Secret, scrub
from veza.errors import InvalidRequestError, TokenStoreError

_CONNECT_TIMEOUT: Final = "10"
"""Seconds, unless the DSN says otherwise."""
_MALFORMED: Final = "the DSN is malformed: it is like postgresql://USER:PASSWORD@HOST:5432/DATABASE"


def store_error(server: str, text: str, secrets: tuple[Secret, ...]) -> TokenStoreError:
    """Return the error that is raised in the place of a driver's, on one line and without secrets."""
    return TokenStoreError(f"{server} cannot be used as a token store: {scrub(' '.join(text.split()), secrets)}")


def secrets_of(url: str) -> tuple[Secret, ...]:
    """Return what no error may quote of a URL."""
    try:
        password = urlsplit(url).password
    except ValueError:
        password = None
    return tuple(Secret(one) for one in ([url] if password is None else [url, password, unquote(password)]))


def whole_dsn(dsn: str) -> Secret:
    """Return a DSN with a timeout for connecting.

    Raises:
        InvalidRequestError: it is malformed.
    """
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415  (an extra)

    parts = _parts(dsn)
    ports = str(parts.get("port", "0"))  # a password with a slash reads as one
    if not parts or not ports.replace(",", "").isdecimal():
        raise InvalidRequestError(_MALFORMED)
    return Secret(make_conninfo(dsn, connect_timeout=parts.get("connect_timeout", _CONNECT_TIMEOUT)))


def secrets_of_dsn(dsn: str) -> tuple[Secret, ...]:
    """Return what no error may quote of a DSN."""
    return tuple(Secret(str(value)) for name, value in _parts(dsn).items() if name in {"password", "sslpassword"})


def _parts(dsn: str) -> dict[str, str | int | None]:
    from psycopg import ProgrammingError  # noqa: PLC0415  (an extra)
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415

    try:
        return dict(conninfo_to_dict(dsn))
    except ProgrammingError:  # its text quotes the DSN
        return {}
