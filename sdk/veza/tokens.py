"""Where a service with several replicas gets its access token from, so that they share one login."""

from __future__ import annotations

from typing import Protocol


class TokenProvider(Protocol):
    """Gives `Veza` its access tokens. Called by one thread at a time of each client, from any thread."""

    def __call__(self, rejected: str | None) -> str:
        """Return an access token.

        Args:
            rejected: the token that the backend has just refused with 401, None at first. Return another one: make
                it, or read the one that another replica made meanwhile.
        """
        ...


class AsyncTokenProvider(Protocol):
    """Gives `AsyncVeza` its access tokens. Called by one task at a time of each client."""

    async def __call__(self, rejected: str | None) -> str:
        """As `TokenProvider`."""
        ...
