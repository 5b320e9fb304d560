"""Token stores in a Redis server: `pip install veza[redis]`."""

from __future__ import annotations

try:
    from veza._async.redis_store import AsyncRedisTokenStore
    from veza._sync.redis_store import RedisTokenStore
except ModuleNotFoundError as _error:
    if (_error.name or "").partition(".")[0] != "redis":
        raise
    raise ModuleNotFoundError("veza.stores.redis needs redis-py: pip install 'veza[redis]'", name="redis") from None

__all__ = ["AsyncRedisTokenStore", "RedisTokenStore"]
