"""Whether a backend moves real money. It is a test backend only by a positive word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Literal

from veza_e2e.frozen import dataclass

LIVE_WORDS = frozenset({"live", "prod", "production"})
TEST_WORDS = frozenset({"staging", "sandbox", "test", "dev", "development", "local", "qa", "rehearsal"})


def _words(name: str) -> set[str]:
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    return set(re.findall("[a-z]+", plain.lower()))


def mode_of(said: str) -> Literal["live", "test"] | None:
    """Return what a service's word for its mode means; None if it is no word for one."""
    words = _words(said)
    return "live" if words & LIVE_WORDS else "test" if words & TEST_WORDS else None


@dataclass(frozen=True, slots=True)
class Liveness:
    """What a backend is taken for."""

    live: bool
    reason: str
    """By which word, in one clause."""
    configured: bool = False
    """Whether nothing but the environment's table says so."""
    contradicted: bool = False
    """Whether the name says test, and a service says live."""


def judge(environment: str | None, live_services: Iterable[str], configured: bool | None) -> Liveness:
    """Return what the backend is taken for.

    Args:
        environment: what `/status` calls it; None if it does not say.
        live_services: names of services whose mode is live.
        configured: `live` of the environment's table; None if it is not set.
    """
    words = _words(environment or "")
    services = ", ".join(live_services)
    # A word such as `prodeu` says neither, and then no test word does.
    test = bool(words & TEST_WORDS) and not any(word.startswith(("prod", "live")) for word in words)
    if named := words & LIVE_WORDS:
        return Liveness(live=True, reason=f"its name has the word {min(named)!r}")
    if services:
        return Liveness(live=True, reason=f"{services} is in live mode", contradicted=test)
    if test:
        return Liveness(live=False, reason=f"its name has the word {min(words & TEST_WORDS)!r}")
    if configured is not None:
        said = f"`live = {str(configured).lower()}` in the environment's table; no word of its name tells"
        return Liveness(live=configured, reason=said, configured=True)
    return Liveness(live=True, reason="no word of its name says that it is a test backend")
