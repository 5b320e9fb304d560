# Written by sdk/generate.py; not edited by hand.
"""A store for several machines: a Redis server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import redis

from veza._secret import Secret
from veza._stores import secrets_of, store_error
from veza._sync.leased import LeasedStore
from veza.errors import InvalidRequestError

_SECONDS: Final = 10.0
"""For connecting and for each answer, unless the URL says otherwise."""
_ACQUIRE: Final = """
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
  redis.call('HSET', KEYS[1], 'holder', ARGV[1])
  return 1
end
return 0
"""
_RELEASE: Final = "if redis.call('GET', KEYS[2]) == ARGV[1] then return redis.call('DEL', KEYS[2]) end return 0"
_WRITE: Final = """
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'text', ARGV[2])
  return 1
end
return 0
"""


class RedisTokenStore(LeasedStore):
    """A token store in a Redis server (6 or later), or in what speaks its protocol.

    The login is the hash `{veza:login}`, the lock the key `{veza:login}:lock`, which expires by the server's clock.

    Args:
        server: its URL (`redis://…`, `rediss://…` with TLS, `unix://…`), or a client of yours, which stays open.
        name: what the keys begin with: one for each account.
        lease: seconds after which the lock of a replica that was killed ends. A login must take no longer.

    Raises:
        InvalidRequestError: the URL is malformed.
    """

    def __init__(self, server: str | redis.Redis, *, name: str = "veza:login", lease: float = 30.0) -> None:
        super().__init__(name, lease)
        self._keys = (f"{{{name}}}", f"{{{name}}}:lock")
        self._client = None if isinstance(server, str) else server
        self._url = Secret(server) if isinstance(server, str) else None
        self._secrets = secrets_of(server) if isinstance(server, str) else ()
        if self._url is not None:
            self._made(self._url)  # connects nowhere

    @staticmethod
    def _made(url: Secret) -> redis.Redis:
        try:
            return redis.Redis.from_url(
                url.get_secret_value(), socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS
            )
        except (ValueError, TypeError):  # their text quotes the URL
            pass
        raise InvalidRequestError("the Redis URL is malformed: it is like redis://USER:PASSWORD@HOST:6379/0")

    @contextmanager
    def _connected(self) -> Iterator[redis.Redis]:
        try:
            if self._client is not None:
                yield self._client
            elif self._url is not None:
                with self._made(self._url) as client:
                    yield client
        except redis.RedisError as error:
            raise store_error("Redis", f"{type(error).__name__}: {error}", self._secrets) from None

    def _acquire(self, connection: redis.Redis, holder: str) -> bool:
        return self._ran(connection, _ACQUIRE, holder, str(max(1, round(self._lease * 1000))))

    def _release(self, connection: redis.Redis, holder: str) -> None:
        self._ran(connection, _RELEASE, holder)

    def _write(self, connection: redis.Redis, holder: str, text: str) -> bool:
        return self._ran(connection, _WRITE, holder, text)

    def _read(self, connection: redis.Redis) -> str | None:
        text = connection.hget(self._keys[0], "text")
        return text.decode() if isinstance(text, bytes) else text

    def _ran(self, connection: redis.Redis, script: str, *arguments: str) -> bool:
        done: Any = connection.eval(script, len(self._keys), *self._keys, *arguments)
        return bool(done)
