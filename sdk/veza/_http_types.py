"""The types of HTTP clients. At run time they are `Any`: httpx2 may be missing, and loading either takes time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import httpx
    import httpx2

    HttpClient: TypeAlias = httpx.Client | httpx2.Client | Callable[[], httpx.Client | httpx2.Client]
    AsyncHttpClient: TypeAlias = (
        httpx.AsyncClient | httpx2.AsyncClient | Callable[[], httpx.AsyncClient | httpx2.AsyncClient]
    )
else:
    HttpClient: TypeAlias = Any
    AsyncHttpClient: TypeAlias = Any
