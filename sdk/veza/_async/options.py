"""The options of a client, for what passes them on."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypedDict

from veza._clock import AsyncClock
from veza._http_types import AsyncHttpClient
from veza._secret import Secret
from veza.errors import InvalidRequestError
from veza.hooks import Hooks
from veza.tokens import AsyncTokenProvider


class AsyncClientOptions(TypedDict, total=False):
    """The keyword arguments of `AsyncVeza`."""

    email: str | None
    password: str | Secret | None
    access_token: str | Secret | None
    refresh_token: str | Secret | None
    timeout: float
    max_retries: int
    idempotency: bool
    http_client: AsyncHttpClient | None
    clock: AsyncClock | None
    deadline: float | None
    max_retry_after: float
    idempotency_keys: Callable[[], str] | None
    jitter: Callable[[], float] | None
    token_provider: AsyncTokenProvider | None
    checkout_page: str | None
    hooks: Hooks | None
    keep_content: bool
    app_info: str | None
    requests_per_second: float | None


def from_environment(options: AsyncClientOptions) -> tuple[str, AsyncClientOptions]:
    """Return the backend's URL, and the options with the account of the environment, unless they have one.

    Raises:
        InvalidRequestError: `VEZA_URL` is not set.
    """
    url = os.environ.get("VEZA_URL")
    if not url:
        raise InvalidRequestError("VEZA_URL is not set: it is the backend's URL, without /api/v1")
    passed = {name for name, value in options.items() if value is not None}
    if {"email", "password", "access_token", "refresh_token", "token_provider"} & passed:
        return url, options
    account: AsyncClientOptions = {
        "email": os.environ.get("OPERATOR_EMAIL") or None,
        "password": _secret("OPERATOR_PASSWORD"),
        "access_token": _secret("VEZA_ACCESS_TOKEN"),
    }
    return url, {**options, **account}


def _secret(name: str) -> Secret | None:
    """Return a variable of the environment, which no traceback with its variables shows."""
    value = os.environ.get(name)
    return Secret(value) if value else None
