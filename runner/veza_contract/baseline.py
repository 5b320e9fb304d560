"""The differences that were accepted before, as an earlier `contract diff --json` printed them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from veza_contract.findings import Change


class BaselineError(Exception):
    """A baseline cannot be read; the message says which and why."""


def accepted(path: Path) -> frozenset[str]:
    """Return the ids of the differences in a baseline.

    Raises:
        BaselineError: the file is missing, or is not what `contract diff --json` prints.
    """
    try:
        items = json.loads(path.read_text(encoding="utf-8"))["items"]
        return frozenset(str(one) for item in items for one in item.get("ids", ()))
    except OSError as error:
        raise BaselineError(f"{path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BaselineError(f"{path}: is not the output of `veza-e2e --json contract diff`") from error


def fresh(changes: Iterable[Change], known: frozenset[str]) -> list[Change]:
    """Return the changes that a baseline does not have."""
    return [change for change in changes if change.id not in known]
