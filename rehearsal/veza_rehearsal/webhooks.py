"""The outbox: sends the processor's webhooks over HTTP, and repeats each until it is accepted."""

from __future__ import annotations

import asyncio
import http.client
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from veza_rehearsal.clock import moment, stamp
from veza_rehearsal.fulfilment import sign

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from veza_rehearsal.database import Row
    from veza_rehearsal.means import Means

PATH: Final = "/webhooks/hyperswitch"
"""The path that receives the webhooks."""

_RETRIES: Final = (1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 28800, 28800)
_OK: Final = range(200, 300)
_LONGEST_WAIT: Final = 60.0
_OUTAGE: Final = 0.5


class Timed(Protocol):
    """A part of the backend that has something to do when its time has come."""

    def pass_time(self) -> None:
        """Do everything that is due."""
        ...

    def next_time(self) -> datetime | None:
        """Return the next time at which something is due."""
        ...


class Outbox:
    """Sends due webhooks, and runs what else is due.

    Args:
        means: Database, clock and switches.
        parts: The parts that time changes.
        key: The key that signs the webhooks.
        port: The backend's own port on 127.0.0.1.
    """

    def __init__(self, means: Means, parts: Sequence[Timed], key: str, port: int) -> None:
        self._means = means
        self._database = means.database
        self._clock = means.clock
        self._faults = means.faults
        self._parts = parts
        self._key = key
        self._port = port
        self._woken = asyncio.Event()
        self._busy = asyncio.Lock()

    def wake(self) -> None:
        """Wake the outbox, because something may be due."""
        self._woken.set()

    async def run(self) -> None:
        """Send webhooks when they are due, until the backend ends."""
        while True:
            self._woken.clear()
            try:
                await self._work()
                pause = self._pause()
            except self._database.failures:
                pause = _OUTAGE
            try:
                await asyncio.wait_for(self._woken.wait(), pause)
            except TimeoutError:
                continue

    async def catch_up(self) -> None:
        """Do everything that is due, including what a delivery triggers, and note what is due later."""
        await self._work()
        self.wake()

    async def _work(self) -> None:
        async with self._busy:
            while True:
                with self._database.transaction():
                    for part in self._parts:
                        part.pass_time()
                due = self._database.all(
                    "SELECT * FROM hs_events WHERE state = 'pending' AND due_at <= ? ORDER BY due_at, seq",
                    self._means.stamp(),
                )  # fmt: skip
                if not due:
                    return
                for event in due:
                    await self._deliver(event)

    def _pause(self) -> float:
        event = self._database.one("SELECT min(due_at) AS at FROM hs_events WHERE state = 'pending'")
        times = [moment(event["at"])] if event and event["at"] else []
        times += [at for part in self._parts if (at := part.next_time()) is not None]
        if not times:
            return _LONGEST_WAIT
        return min(_LONGEST_WAIT, max(0.001, (min(times) - self._clock.now()).total_seconds() + 0.001))

    async def _deliver(self, event: Row) -> None:
        if self._faults.on("webhook_lost"):
            self._note(event, "lost")
            return
        key = "not the key" if self._faults.on("webhook_bad_signature") else self._key
        raw = event["body"].encode()
        taken = await asyncio.to_thread(_post, self._port, raw, sign(key, raw).decode())
        if taken and event["copies"] > 1:
            self._database.run("UPDATE hs_events SET copies = copies - 1 WHERE seq = ?", event["seq"])
        elif taken:
            self._note(event, "delivered")
        elif event["attempts"] >= len(_RETRIES):
            self._note(event, "given up")
        else:
            again = self._clock.now() + timedelta(seconds=_RETRIES[event["attempts"]])
            self._database.run(
                "UPDATE hs_events SET attempts = attempts + 1, due_at = ? WHERE seq = ?", stamp(again), event["seq"]
            )

    def _note(self, event: Row, state: str) -> None:
        self._database.run("UPDATE hs_events SET state = ?, attempts = attempts + 1 WHERE seq = ?", state, event["seq"])


def _post(port: int, raw: bytes, signature: str) -> bool:
    headers = {"Content-Type": "application/json", "X-Webhook-Signature-512": signature}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", PATH, raw, headers)
        return connection.getresponse().status in _OK
    except OSError:
        return False
    finally:
        connection.close()
