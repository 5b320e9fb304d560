"""The checks of the services that the backend uses, the payment processor first."""

from __future__ import annotations

from collections.abc import Iterator

from veza import Service, ServiceState
from veza_e2e.journal.events import CheckStatus, PreflightChecked
from veza_e2e.preflight.liveness import Liveness, mode_of
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
        return check("hyperswitch", "blocked", _disabled(service), _ENABLE)
    if service.status is ServiceState.HEALTHY:
        return check("hyperswitch", "ok", "Hyperswitch is healthy")
    if service.status is ServiceState.ENABLED:
        return check("hyperswitch", "ok", "Hyperswitch is enabled; /status does not say whether it works")
    if service.status is ServiceState.DEGRADED:
        return check("hyperswitch", "warn", "Hyperswitch is degraded", "A payment may take longer or fail.")
    return check(
        "hyperswitch",
        "blocked",
        f"Hyperswitch is {quoted(str(service.status))}",
        "See why in the backend's log.",
    )


def _disabled(service: Service) -> str:
    if service.status is ServiceState.DISABLED:
        return "Hyperswitch is 'disabled'"
    way = "`enabled: false`" if service.enabled is False else "`disabled: true`"
    return f"Hyperswitch is disabled ({way}), though its status is {quoted(str(service.status))}"


def others(status: Told | None) -> Iterator[PreflightChecked]:
    """Warn of services beside the processor of which something cannot be read."""
    unreadable = status.unreadable if status else {}
    places = [place for place in unreadable if place.startswith("services.") and place != f"services.{PROCESSOR}"]
    if places:
        shown = ", ".join(f"$.data.services.{quoted(one.partition('.')[2])} is {unreadable[one]}" for one in places)
        yield check("services", "warn", f"/status has services that cannot be read: {shown}", "See what they are.")


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
    said = (status.modes if status else {}).get(PROCESSOR)
    side, wanted = ("live", "live") if live else ("not live", "test")
    wrong = "A service in test mode proves nothing on production; a live one must not be used for tests."
    if said is not None and mode_of(said) != wanted:
        what = f"the backend is {side}, but its processor is in {quoted(said)} mode"
        return check("processor_mode", "blocked", what, wrong)
    other = next((name for name, mode in status.modes.items() if mode_of(mode) != wanted), None) if status else None
    if other is not None and status is not None:
        what = f"the backend is {side}, but its service {quoted(other)} is in {quoted(status.modes[other])} mode"
        return check("processor_mode", "blocked", what, wrong)
    if (live and not rehearsal and key.startswith("snd_")) or (not live and key.startswith("prd_")):
        return check(
            "processor_mode",
            "blocked",
            f"the backend is {side}, but HYPERSWITCH_API_KEY is of the other mode",
            "Use the key of the same environment.",
        )
    if said is None:
        return check(
            "processor_mode", "warn", "/status does not tell the processor's mode", "Check it at its dashboard."
        )
    return check("processor_mode", "ok", f"the processor is in {quoted(said)[1:-1]} mode")
