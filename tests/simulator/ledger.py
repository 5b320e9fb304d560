"""The simulated connection to the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from simulator import database
from simulator.world import World

from veza_e2e.ports import protocols


class SimulatedLedger:
    """Reads the books by the walkthrough's SQL.

    Args:
        world: the books.
    """

    source: Literal["pasted", "database", "rehearsal"]

    def __init__(self, world: World) -> None:
        self.world = world
        self.state = world.plan.ledger
        self.source = "database" if self.state in {"connection", "broken", "empty"} else "pasted"

    def rows(self, sql: str, order_id: str) -> Any:
        """The rows; none if the operator has to run the SQL."""
        if self.state == "connection":
            self.world.catch_up()
            names, rows = database.run(self.world, sql)
            return self._reading([dict(zip(names, map(self._typed, names, row), strict=True)) for row in rows])
        if self.state == "empty":
            return self._reading([])
        return self._reading(None, "connection refused" if self.state == "broken" else None)

    def _typed(self, name: str, value: object) -> object:
        integer = self.world.plan.ids == "integer" and name.endswith("_id") and str(value).isdigit()
        return int(str(value)) if integer else value

    def _reading(self, rows: Sequence[Mapping[str, object]] | None, reason: str | None = None) -> Any:
        """The answer of a connection, as the port of this version has it."""
        kind = getattr(protocols, "LedgerReading", None)
        return rows if kind is None else kind(rows, reason)

    def peek(self, order_id: str) -> str | None:
        """Nothing: this is no rehearsal backend."""
        return None

    def script(self, sql: str, order_id: str) -> str | None:
        """No file: the prompt shows the SQL."""
        return None

    def reachable(self) -> Any:
        """Whether the connection can be made, where the gate asks."""
        return None if self.state == "connection" else "connection refused"
