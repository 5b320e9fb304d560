"""The settings of a client, and the base of its URLs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from veza._operations import BASE_PATH
from veza.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from veza._retry import RetryPolicy
    from veza.hooks import Hooks


@dataclass(frozen=True, slots=True)
class Settings:
    """What `with_options` can change.

    Attributes:
        timeout: seconds for each attempt's connecting, writing and each read.
        deadline: seconds for each call in all; None for no limit.
        retry: how often and how long a call tries.
        idempotency: whether the backend honours `Idempotency-Key`.
        new_key: makes an idempotency key.
        hooks: what is called with each attempt.
        keep_content: whether a result keeps the body that it was read from.
        checkout_page: the template of the page to pay on, for a backend that gives a client secret and no URL.
    """

    timeout: float
    deadline: float | None
    retry: RetryPolicy
    idempotency: bool
    new_key: Callable[[], str]
    checkout_page: str | None
    hooks: Hooks | None = None
    keep_content: bool = False


def count(value: object, name: str) -> int:
    """Return a number of times as it is.

    Raises:
        InvalidRequestError: it is not an int from 0 on.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidRequestError(f"{name} must be an int that is not negative")
    return value


def random_key() -> str:
    """Return a key that no other call has."""
    import uuid  # noqa: PLC0415  (only writes need it)

    return str(uuid.uuid4())


def random_jitter() -> float:
    """Return a random number from 0 to 1."""
    import random  # noqa: PLC0415  (only retries need it)

    return random.random()  # noqa: S311  (it spreads retries; it protects nothing)


def api_root(base_url: str) -> str:
    """Return the URL that every path is appended to.

    Raises:
        InvalidRequestError: not an http(s) URL of a host, or one with userinfo, query or fragment.
    """
    try:
        parts = urlsplit(base_url)
        _ = parts.port
    except (ValueError, AttributeError, TypeError):
        raise InvalidRequestError("base_url is not a URL") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidRequestError("base_url must be an http or https URL with a host")
    if not base_url.isprintable() or " " in base_url:
        raise InvalidRequestError("base_url has characters that no URL has, such as a space or the end of a line")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidRequestError("base_url must have no user, password, query or fragment")
    root = base_url.rstrip("/")
    return root if parts.path.rstrip("/").endswith(BASE_PATH) else root + BASE_PATH
