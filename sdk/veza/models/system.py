"""What the backend says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from pydantic import Field, model_validator

from veza.models._base import Filled, Flag, Mapped, Model, Omitted, OpenEnum, Text, Unsaid, UnsaidText

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

_REAL_MONEY: Final = frozenset({"live", "prod", "production"})
_UP: Final = frozenset({"healthy", "ok", "up", "operational"})


class HealthState(OpenEnum):
    """Whether the backend works. `ok`, `up` and `operational`, in any case, are read as `healthy`."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return next((one for one in cls if one.value == _state(value)), None) or super()._missing_(value)


class ServiceState(OpenEnum):
    """Whether a service works. `ok`, `up` and `operational`, in any case, are read as `healthy`."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    ENABLED = "enabled"
    """Switched on; whether it works is not told."""
    DISABLED = "disabled"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return next((one for one in cls if one.value == _state(value)), None) or super()._missing_(value)


def _state(value: object) -> str:
    small = value.lower() if isinstance(value, str) else ""
    return "healthy" if small in _UP else small


class ProcessorMode(OpenEnum):
    """What a processor calls its mode of operation."""

    SANDBOX = "sandbox"
    LIVE = "live"


class Health(Model):
    """The answer of `system.health()` (operation getHealth)."""

    status: HealthState
    """Whether the backend works."""


class Service(Model):
    """A service that the backend uses; where the backend writes it as a text, that is its status."""

    status: ServiceState
    """Whether it works. Where the backend gives no status, what `enabled` or `disabled` says."""
    mode: Unsaid[ProcessorMode] = None
    """A processor's mode; None where the service has none."""
    enabled: Omitted[Flag] = None
    """Whether it is switched on; None where the backend does not say it in this way."""
    disabled: Omitted[Flag] = None
    """Whether it is switched off; None where the backend does not say it in this way."""

    @property
    def is_disabled(self) -> bool:
        """Whether it is switched off, in whichever way the backend says so."""
        return self.status is ServiceState.DISABLED or self.enabled is False or self.disabled is True

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        found = handler(schema)
        if handler.mode != "serialization":
            return found
        return {"anyOf": [{"type": "string", "enum": [str(one) for one in ServiceState]}, found]}

    @model_validator(mode="before")
    @classmethod
    def _told(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"status": value}
        if not isinstance(value, dict) or value.get("status") not in (None, ""):
            return value
        on, off = value.get("enabled"), value.get("disabled")
        if on is False or off is True:
            return {**value, "status": ServiceState.DISABLED.value}
        if on is True or off is False:
            return {**value, "status": ServiceState.ENABLED.value}
        return value


class Status(Model):
    """The answer of `system.status()` (operation getStatus)."""

    environment: Filled
    """The environment's name; `live`, `prod` and `production` mean real money."""
    version: UnsaidText[Text] = None
    """The backend's release; None where it keeps it to itself."""
    services: Mapped[Service] = Field(default_factory=dict)
    """The services by name, the payment processor (`hyperswitch`) among them."""

    @property
    def is_live(self) -> bool:
        """Whether real money moves here."""
        return self.environment.lower() in _REAL_MONEY
