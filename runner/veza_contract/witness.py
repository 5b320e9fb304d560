"""A hook of schemathesis: notes each answer as it comes, and ends one that is too large or too slow.

It runs in the child process of `contract test`. What it notes holds names and kinds, and no value.
"""

from __future__ import annotations

import json
import os
import resource
import time
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import requests
import schemathesis

from veza_contract.findings import Verdict
from veza_contract.judging import judge
from veza_contract.live import NOTES, SLOWEST
from veza_contract.operations import operation_ids

_LARGEST: Final = 5 * 2**20
_MEMORY: Final = 4 * 2**30
_CHUNK: Final = 2**16
_MOST_CHANGES: Final = 5
_PARENT: Final = os.getppid()

with suppress(ValueError, OSError):  # a lower limit than that is in force
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _bounded(response: requests.Response, **_: Any) -> requests.Response:
    """Read a body, as far as it is neither too large nor too slow."""
    slowest = float(os.environ.get(SLOWEST, "inf"))
    began, parts, size = time.monotonic(), list[bytes](), 0
    while part := response.raw.read1(_CHUNK, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > _LARGEST:
            raise _ended("the answer is larger than 5 MiB")
        if time.monotonic() - began > slowest:
            raise _ended(f"the answer has no end after {slowest:.0f} seconds")
    response._content = b"".join(parts)  # noqa: SLF001 - requests has no other way to hand a body over
    response._content_consumed = True  # noqa: SLF001
    return response


def _ended(why: str) -> requests.exceptions.ConnectionError:
    return requests.exceptions.ConnectionError(OSError(why))  # schemathesis looks for the reason within it


@schemathesis.hook("before_call")
def bound(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Read the answer within limits; send nothing once nobody waits for it."""
    del context, case
    if os.getppid() != _PARENT:
        os._exit(1)
    kwargs["hooks"] = {"response": _bounded}


@schemathesis.hook("after_call")
def note(context: schemathesis.HookContext, case: schemathesis.Case[Any], response: schemathesis.Response) -> None:
    """Note an answer: its operation, its status, and what of it the SDK cannot read."""
    del context
    operation = operation_ids().get(case.operation.label, "")
    success = HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES
    changes = judge(operation, response.status_code, response.content) if operation and success else []
    said = {
        "name": case.operation.label,
        "status": response.status_code,
        "breaks": [str(one) for one in changes if one.verdict is Verdict.BREAK][:_MOST_CHANGES],
        "drifts": [str(one) for one in changes if one.verdict is Verdict.DRIFT][:_MOST_CHANGES],
    }
    if NOTES in os.environ:
        with Path(os.environ[NOTES]).open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(said)}\n")
