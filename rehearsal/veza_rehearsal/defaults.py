"""The rehearsal backend's accounts and key. None of them opens anything real."""

from __future__ import annotations

from typing import Final

DEFAULT_EMAIL: Final = "operator@veza.test"
"""The operator's account, if `OPERATOR_EMAIL` is not set."""

DEFAULT_PASSWORD: Final = "correct horse battery staple"  # noqa: S105 - a documented phrase for loopback
"""Its password, if `OPERATOR_PASSWORD` is not set; always the second account's."""

LISTENER_EMAIL: Final = "listener@veza.test"
"""A second account, so that "not your order" can be rehearsed."""

PROCESSOR_API_KEY: Final = "snd_rehearsal"
"""The Hyperswitch stub's API key."""
