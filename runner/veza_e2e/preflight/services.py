"""The checks of the services that the backend uses, the payment processor first."""

from __future__ import annotations

from veza import ProcessorMode, Service, ServiceState
from veza_e2e.journal.events import CheckStatus, PreflightChecked
from veza_e2e.preflight.liveness import Liveness
from veza_e2e.preflight.told import Told, quoted

PROCESSOR = "hyperswitch"
_ENABLE = "Enable it on the backend before anything is bought."


def check(name: str, status: CheckStatus, message: str, hint: str | None = None) -> PreflightChecked:
    """Return what a check says."""
    return PreflightChecked(name=name, status=status, message=message, hint=hint)


def processor(status: Told | None) -> PreflightChecked:
    """Check that Hyperswitch is there and not disabled."""
    service = status.services.get(PROCESSOR) if status else None
    if service is None:
        unreadable = status.unreadable if status else {}
        place = next((one for one in (f"services.{PROCESSOR}", "services") if one in unreadable), None)
        said = "/status does not list Hyperswitch"
        if place is not None:
            said = f"what /status says of Hyperswitch is unreadable: $.data.{place} is {unreadable[place]}"
        return check("hyperswitch", "blocked", said, "Without the processor nothing can be paid.")
    if service.is_disabled:
        return check(
            "hyperswitch", "blocked", _disabled(service), "Enable it on the backend before anything is bought."
        )
    if service.status is ServiceState.HEALTHY:
        return check("hyperswitch", "ok", "Hyperswitch is healthy")
    if service.status is ServiceState.ENABLED:
        return check("hyperswitch", "ok", "Hyperswitch is enabled; whether it works is not told")
    if service.status is ServiceState.DEGRADED:
        return check("hyperswitch", "warn", "Hyperswitch is degraded", "A payment may take longer or fail.")
    return check(
        "hyperswitch",
        "blocked",
        f"Hyperswitch is {quoted(str(service.status))}",
        _ENABLE,
    )


def _disabled(service: Service) -> str:
    if service.status is ServiceState.DISABLED:
        return "Hyperswitch is 'disabled'"
    way = "`enabled: false`" if service.enabled is False else "`disabled: true`"
    return f"Hyperswitch is disabled ({way}), though its status is {quoted(str(service.status))}"


def modes(status: Told | None, key: str, liveness: Liveness, *, rehearsal: bool) -> PreflightChecked:
    """Check that the processor, its key and all other services are of the backend's own mode."""
    live = status is not None and liveness.live
    if liveness.contradicted and status is not None:
        return check(
            "processor_mode",
            "blocked",
            f"the backend calls itself {quoted(status.environment or '')}, but {liveness.reason}",
            "A live service must not be used for tests: ask the backend's makers which it is.",
        )
    service = status.services.get(PROCESSOR) if status else None
    mode = service.mode if service else None
    wanted = ProcessorMode.LIVE if live else ProcessorMode.SANDBOX
    side = "live" if live else "not live"
    if mode is not None and mode is not wanted:
        return check(
            "processor_mode",
            "blocked",
            f"the backend is {side}, but its processor is in {quoted(str(mode))} mode",
            "A processor in test mode proves nothing on production; a live one must not be used for tests.",
        )
    other = _of_the_other_mode(status, wanted)
    if other is not None:
        return check(
            "processor_mode",
            "blocked",
            f"the backend is {side}, but its service {quoted(other)} is in {'sandbox' if live else 'live'} mode",
            "A service in test mode proves nothing on production; a live one must not be used for tests.",
        )
    if (live and not rehearsal and key.startswith("snd_")) or (not live and key.startswith("prd_")):
        return check(
            "processor_mode",
            "blocked",
            f"the backend is {side}, but HYPERSWITCH_API_KEY is of the other mode",
            "Use the key of the same environment.",
        )
    if mode is None:
        return check(
            "processor_mode", "warn", "/status does not tell the processor's mode", "Check it at its dashboard."
        )
    return check("processor_mode", "ok", f"the processor is in {mode} mode")


def _of_the_other_mode(status: Told | None, wanted: ProcessorMode) -> str | None:
    """Return a service beside the processor that moves real money where none should, or none where it should."""
    services = status.services if status else {}
    unwanted = ProcessorMode.SANDBOX if wanted is ProcessorMode.LIVE else ProcessorMode.LIVE
    return next((name for name, one in services.items() if name != PROCESSOR and one.mode is unwanted), None)
