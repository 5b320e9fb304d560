"""Puts the parts of the rehearsal backend together."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from veza_rehearsal import catalogue, of_2025, schema
from veza_rehearsal.accounts import Accounts, Operator
from veza_rehearsal.api import Api
from veza_rehearsal.clock import Ids, SeededClock, SystemClock, stamp, wall_time
from veza_rehearsal.faults import Fault, FaultBoard
from veza_rehearsal.fulfilment import Fulfilment
from veza_rehearsal.means import Means
from veza_rehearsal.presentation import Dialect
from veza_rehearsal.processor import Processor
from veza_rehearsal.retries import Retries
from veza_rehearsal.shop import Shop
from veza_rehearsal.transfers import Transfers
from veza_rehearsal.webhooks import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from veza_rehearsal.clock import Clock
    from veza_rehearsal.contract import Contract
    from veza_rehearsal.database import Database

_KEPT_BY_RESET: Final = frozenset({"meta"})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a rehearsal backend.

    Attributes:
        base_url: Its own URL.
        port: Its port on 127.0.0.1.
        environment: `sandbox` or `live`.
        operator: The account to log in to.
        faults: The switches that are on at the start.
        seed: Makes ids, tokens and the clock repeatable.
    """

    base_url: str
    port: int
    environment: str
    operator: Operator
    faults: Sequence[Fault] = ()
    seed: int | None = None


class Backend:
    """The rehearsal backend without its HTTP side.

    Args:
        database: Stores everything; a restart continues from its state.
        settings: The settings.
        contract: The operations.
        wall: Returns the time, unless the settings have a seed.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        contract: Contract,
        wall: Callable[[], datetime] = wall_time,
    ) -> None:
        self.database = database
        self.settings = settings
        starts = int(self._meta("starts", "0"))
        offset = float(self._meta("clock_offset", "0"))
        self.clock: Clock = SystemClock(offset, wall) if settings.seed is None else SeededClock(offset, starts)
        self._source = random.SystemRandom() if settings.seed is None else random.Random(f"{settings.seed}/{starts}")  # noqa: S311 - a seed is asked for
        self.ids = Ids(self._source)
        self.faults = FaultBoard(database)
        self.ids.small = lambda: self.faults.on(of_2025.SWITCH)
        token_key, webhook_key = self._keys()
        means = self.means = Means(database, self.clock, self.ids, self.faults, settings.base_url)
        self.accounts = Accounts(means, settings.operator, token_key)
        self.processor = Processor(means)
        self.retries = Retries(means, self.processor)
        shop = Shop(means, self.processor)
        self.api = Api(means, self.accounts, shop, settings.environment, Dialect(contract, self.faults))
        transfers = Transfers(means)
        self.fulfilment = Fulfilment(means, transfers, webhook_key)
        self.outbox = Outbox(means, (self.processor, transfers), webhook_key, settings.port)
        self._throw_switches()
        with database.transaction():
            self._set_meta("starts", str(starts + 1))
            self._install()

    def now(self) -> str:
        """Return the backend's time, as the API shows it."""
        return stamp(self.clock.now())

    def advance(self, seconds: float) -> None:
        """Move the backend's clock. The move survives a restart."""
        self.clock.advance(seconds)
        with self.database.transaction():
            self._set_meta("clock_offset", str(float(self._meta("clock_offset", "0")) + seconds))

    def reset(self) -> None:
        """Reset everything, switches and clock included."""
        self.clock.reset()
        if self.settings.seed is not None:
            self._source.seed(f"{self.settings.seed}/0")
        with self.database.transaction():
            for table in schema.TABLES:
                if table not in _KEPT_BY_RESET:
                    self.database.run(f"DELETE FROM {table}")  # noqa: S608 - the tables' own names
            self._set_meta("clock_offset", "0")
        self.faults.replace(())
        self._keys()
        with self.database.transaction():
            self._install()

    def _install(self) -> None:
        if self.database.one("SELECT id FROM products LIMIT 1") is None:
            catalogue.install(self.database, small=self.faults.on(of_2025.SWITCH))
        self.accounts.install()

    def _throw_switches(self) -> None:
        # The same arguments mean a restart, which keeps the switches and their counts.
        wanted = " ".join(str(fault) for fault in self.settings.faults)
        if self._meta("faults", "") != wanted:
            self.faults.replace(self.settings.faults)
            with self.database.transaction():
                self._set_meta("faults", wanted)

    def _keys(self) -> tuple[str, str]:
        # Draw at every start, so that a seeded backend draws the same ids afterwards.
        drawn = {"token_key": self.ids.secret(), "webhook_key": self.ids.secret()}
        with self.database.transaction():
            for name, value in drawn.items():
                if not self._meta(name, ""):
                    self._set_meta(name, value)
        return self._meta("token_key", ""), self._meta("webhook_key", "")

    def _meta(self, name: str, default: str) -> str:
        row = self.database.one("SELECT value FROM meta WHERE name = ?", name)
        return default if row is None else str(row["value"])

    def _set_meta(self, name: str, value: str) -> None:
        self.database.run(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name, value,
        )  # fmt: skip
