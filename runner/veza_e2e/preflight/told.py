"""What `/status` tells, member by member: one that cannot be read hides no other."""

from __future__ import annotations

import re
from dataclasses import field

from pydantic import ValidationError

from veza import InvalidResponseError, RawResponse, ResponseInfo, Service, Veza
from veza_e2e.frozen import dataclass
from veza_e2e.redaction.known import looks_random

_NAME = re.compile(r"[\w .:/-]{1,40}")


@dataclass(frozen=True, slots=True)
class Told:
    """What could be read of `/status`, and why the rest could not."""

    response_info: ResponseInfo
    environment: str | None = None
    services: dict[str, Service] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    """By service, also of one that is unreadable otherwise: what it says of its mode."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """By JSON path below the data: what stands there instead."""


def told(api: Veza) -> Told:
    """Ask for the status (operation getStatus).

    Raises:
        VezaError: there is no answer, or none that holds an object.
    """
    answer = api.request("GET", "/status", auth=False)
    data = answer.data
    if not isinstance(data, dict):
        raise _unreadable(answer)
    unreadable: dict[str, str] = {}
    environment = data.get("environment")
    if not isinstance(environment, str) or not environment:
        unreadable["environment"] = _kind(environment) if "environment" in data else "nothing"
        environment = None
    services: dict[str, Service] = {}
    modes: dict[str, str] = {}
    listed = data.get("services")
    if not isinstance(listed, dict | None):
        unreadable["services"] = _kind(listed)
    for name, value in listed.items() if isinstance(listed, dict) else ():
        mode = value.get("mode") if isinstance(value, dict) else None
        if isinstance(mode, str) and mode:
            modes[name] = mode
        try:
            services[name] = Service.model_validate(value)
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(map(str, wrong["loc"]))
            unreadable[f"services.{name}"] = f"{_kind(value)}, {place} {wrong['type']}" if place else _kind(value)
    return Told(answer.response_info, environment, services, modes, unreadable)


def _unreadable(answer: RawResponse) -> InvalidResponseError:
    info = answer.response_info
    return InvalidResponseError(
        f"the answer is unreadable as Status: $.data is {_kind(answer.data)}",
        status_code=info.status_code,
        request_id=info.request_id,
    )


def quoted(value: str) -> str:
    """Quote what the backend calls something, if it looks like a name; else say only how long it is."""
    words = re.split(r"[ .:/_-]", value)
    if _NAME.fullmatch(value) and not any(map(looks_random, (value, *words))):
        return repr(value)
    return f"a text of {len(value)} characters, which is no name"


def _kind(value: object) -> str:
    """Name the JSON kind of a value, and never the value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "a text" if value else "an empty text"
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else "a number"
