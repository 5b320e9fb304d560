"""Records one process's work on a session."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from veza_e2e.canonical import JSON
from veza_e2e.config import Settings
from veza_e2e.engine.finish import Ended
from veza_e2e.engine.session import Parts
from veza_e2e.journal.codec import to_data
from veza_e2e.journal.events import WALKTHROUGH, SessionStarted
from veza_e2e.preflight.gate import Gate

if TYPE_CHECKING:
    from veza_e2e.cassettes.record import Recording


def recording_folder(settings: Settings, session: str) -> Path:
    """Return where a session is recorded until it is published."""
    return settings.state / "recordings" / session


def description(first: SessionStarted, gate: Gate, parts: Parts) -> dict[str, JSON]:
    """Return everything that a replay needs to rebuild this process; it holds no secret."""
    environment = gate.environment
    return {
        "session": first.session,
        "walkthrough": WALKTHROUGH,
        "unattended": first.unattended,
        "browser": parts.ports.browser.by,
        "ledger": parts.ports.ledger.source,
        "base_url": parts.base_url,
        "hyperswitch_url": parts.hyperswitch_url,
        # Split at its placeholders (the odd pieces): as a whole, its query would look like a secret.
        "checkout_page": None if parts.checkout_page is None else re.split(r"\{(\w+)\}", parts.checkout_page),
        "ledger_names": parts.names.document(),
        "cross_check": parts.hyperswitch_api_key is not None,
        "started": to_data(replace(first, others=None)),  # a recording is of no archive
        "gate": {
            "environment": environment.name,
            "expected_environment": environment.expected_environment,
            "live_configured": environment.live,
            "live": gate.live,
            "unattended": gate.unattended,
            "product": gate.product,
            "has_password": gate.has_password,
            "recent_logins": gate.recent_logins,
        },
    }


def record(
    settings: Settings, parts: Parts, meta: Mapping[str, JSON], session: str, *, journal: int = 0
) -> tuple[Parts, Recording]:
    """Wrap the parts so that they are recorded."""
    from veza_e2e.cassettes.record import Recording  # noqa: PLC0415 - slow to import; see `cli.lean`

    folder, at = recording_folder(settings, session), parts.ports.clock.now()
    if journal:
        recording = Recording.resume(
            folder, parts.redactor, meta, at=at, base_url=parts.base_url, hyperswitch_url=parts.hyperswitch_url,
            journal=journal,
        )  # fmt: skip
    else:
        recording = Recording.start(
            folder, parts.redactor, meta, at=at, base_url=parts.base_url, hyperswitch_url=parts.hyperswitch_url
        )
    return replace(parts, ports=recording.wrap(parts.ports), listeners=(*parts.listeners, recording.heard)), recording


def close_recording(recording: Recording | None, ended: Ended) -> Ended:
    """Finish this process's recording; add a failure to write it to how the session ended."""
    if recording is None or ended.problem is not None:
        return ended
    try:
        recording.finish()
    except OSError as error:
        return replace(ended, problem=error)
    return ended
