"""What the backend says of itself."""

from __future__ import annotations

from typing import Final

from veza.models._base import Filled, Model, Omitted, OpenEnum, Text

_REAL_MONEY: Final = frozenset({"live", "prod", "production"})


class HealthState(OpenEnum):
    """Whether the backend works."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class ServiceState(OpenEnum):
    """Whether a service works."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    DISABLED = "disabled"


class ProcessorMode(OpenEnum):
    """What a processor calls its mode of operation."""

    SANDBOX = "sandbox"
    LIVE = "live"


class Health(Model):
    """The answer of `system.health()` (operation getHealth)."""

    status: HealthState
    """Whether the backend works."""


class Service(Model):
    """A service that the backend uses."""

    status: ServiceState
    """Whether it works; `disabled` where it is switched off."""
    mode: Omitted[ProcessorMode] = None
    """A processor's mode; None where the service has none."""


class Status(Model):
    """The answer of `system.status()` (operation getStatus)."""

    environment: Filled
    """The environment's name; `live`, `prod` and `production` mean real money."""
    version: Omitted[Text] = None
    """The backend's release; None where it keeps it to itself."""
    services: dict[str, Service]
    """The services by name, the payment processor (`hyperswitch`) among them."""

    @property
    def is_live(self) -> bool:
        """Whether real money moves here."""
        return self.environment.lower() in _REAL_MONEY
