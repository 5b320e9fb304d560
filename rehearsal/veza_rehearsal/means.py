"""Bundles what every part of the backend needs: database, clock, ids, fault switches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from veza_rehearsal.clock import stamp

if TYPE_CHECKING:
    from veza_rehearsal.clock import Clock, Ids
    from veza_rehearsal.database import Database
    from veza_rehearsal.faults import FaultBoard


@dataclass(frozen=True, slots=True)
class Means:
    """What every part of the backend needs.

    Attributes:
        database: Stores everything.
        clock: The backend's clock.
        ids: Draws ids and secrets.
        faults: The switches that are on.
        base_url: The backend's own URL.
    """

    database: Database
    clock: Clock
    ids: Ids
    faults: FaultBoard
    base_url: str

    def stamp(self) -> str:
        """Return the backend's time, as the API shows it."""
        return stamp(self.clock.now())
