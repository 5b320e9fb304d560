"""What every result says of the answer it came from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_WITHHELD = frozenset({"set-cookie", "set-cookie2", "authorization", "proxy-authenticate", "x-csrf-token"})


class ResponseInfo:
    """The answer behind a result.

    Attributes:
        status_code: the HTTP status.
        retry_count: how many attempts failed before this answer (0: the first one succeeded).
        idempotency_key: the key that every attempt of this write carried, None for reads.
        content: the body as it came, if the client was made with `keep_content=True`; never of a login. Not pickled.
    """

    __slots__ = ("_raw", "content", "idempotency_key", "retry_count", "status_code")

    def __init__(
        self,
        status_code: int,
        retry_count: int,
        raw_headers: Mapping[str, str],
        idempotency_key: str | None = None,
        content: bytes | None = None,
    ) -> None:
        self.status_code: int = status_code
        self.retry_count: int = retry_count
        self.idempotency_key: str | None = idempotency_key
        self.content: bytes | None = content
        self._raw: Mapping[str, str] = raw_headers

    @property
    def request_id(self) -> str | None:
        """The backend's id of the request (`X-Request-ID`); None where it sent none."""
        return self._raw.get("x-request-id")

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by lower-case name; cookies and tokens are left out."""
        return MappingProxyType({k.lower(): v for k, v in self._raw.items() if k.lower() not in _WITHHELD})

    def __repr__(self) -> str:
        return (
            f"ResponseInfo(status_code={self.status_code}, request_id={self.request_id!r}, "
            f"retry_count={self.retry_count})"
        )

    def __reduce__(self) -> tuple[object, ...]:
        headers = dict(self.headers)
        return ResponseInfo, (self.status_code, self.retry_count, headers, self.idempotency_key)


def set_cookies(info: ResponseInfo | None) -> tuple[str, ...]:
    """Return the `Set-Cookie` lines of an answer: for taking a login's tokens, and for nothing else."""
    lines = getattr(info._raw, "get_list", None) if info is not None else None  # noqa: SLF001  (the same module)
    return () if lines is None else tuple(lines("set-cookie"))
