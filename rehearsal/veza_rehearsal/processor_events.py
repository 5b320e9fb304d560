"""Writes the events for the processor's webhooks."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from veza_rehearsal.clock import moment, stamp
from veza_rehearsal.processor_views import MERCHANT

if TYPE_CHECKING:
    from veza_rehearsal.database import Row
    from veza_rehearsal.means import Means


class Events:
    """Writes events into the outbox.

    Args:
        means: Database, clock, ids and switches; the caller holds the transaction.
    """

    def __init__(self, means: Means) -> None:
        self._means = means

    def emit(self, event_type: str, kind: str, content: Row) -> None:
        """Write one event.

        Args:
            event_type: Hyperswitch's name for it, such as `payment_succeeded`.
            kind: What the content is: `payment_details`, `refund_details` or `dispute_details`.
            content: The payment, refund or dispute as it is now.
        """
        now = self._means.clock.now()
        event_id = self._means.ids.reference("evt")
        event = {
            "merchant_id": MERCHANT,
            "event_id": event_id,
            "event_type": event_type,
            "content": {"type": kind, "object": content},
            "timestamp": stamp(now),
        }
        delay = self._means.faults.value("webhook_delay") or 0
        copies = 2 if self._means.faults.on("webhook_duplicate") else 1
        self._means.database.run(
            "INSERT INTO hs_events (event_id, event_type, body, state, attempts, copies, due_at)"
            " VALUES (?, ?, ?, 'pending', 0, ?, ?)",
            event_id, event_type, json.dumps(event, separators=(",", ":")), copies,
            stamp(now + timedelta(seconds=float(delay))),
        )  # fmt: skip

    def after(self, earlier: str) -> str:
        """Return a time for `updated` that is later than the previous one, even within a millisecond."""
        return max(self._means.stamp(), stamp(moment(earlier) + timedelta(milliseconds=1)))
