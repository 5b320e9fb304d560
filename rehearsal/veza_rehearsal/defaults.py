"""The accounts and the key that the rehearsal backend knows; none of them opens anything real."""

from __future__ import annotations

from typing import Final

DEFAULT_EMAIL: Final = "operator@veza.test"
"""The operator's account, where `OPERATOR_EMAIL` is not set."""

DEFAULT_PASSWORD: Final = "correct horse battery staple"  # noqa: S105 - a documented phrase for loopback
"""Its password, where `OPERATOR_PASSWORD` is not set; always that of the second account."""

LISTENER_EMAIL: Final = "listener@veza.test"
"""A second account, so that "not your order" can be rehearsed."""

PROCESSOR_API_KEY: Final = "snd_rehearsal"
"""The Hyperswitch stub's API key."""
