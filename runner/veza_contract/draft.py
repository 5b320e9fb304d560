"""Writes another backend's spec as a draft of our `openapi.yaml`, for `contract diff --write`."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml

from veza._operations import BASE_PATH
from veza_contract.matching import Match
from veza_contract.model import Operation, Spec
from veza_contract.modern import Modern
from veza_contract.schema import UNUSABLE
from veza_contract.spec import SpecError

_OURS: Final = ("tags", "summary", "description")


def draft(ours: Spec, theirs: Spec, found: Iterable[Match]) -> str:
    """Return the draft as YAML: their paths, parameters and schemas under our operationIds, marked as facts.

    What they lack stays as ours, marked as assumed. What only they offer is left out, since the SDK has no method for
    it.

    Raises:
        SpecError: a part of their spec is invalid.
    """
    try:
        document = _document(ours, theirs, list(found))
    except (*UNUSABLE, KeyError) as error:
        raise SpecError(
            f"no draft can be made: a part of the document is not of the form it should be: {error}"
        ) from error
    return "# A draft, by `veza-e2e contract diff --write`: read it before it becomes sdk/veza/openapi.yaml.\n" + (
        yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    )


def _document(ours: Spec, theirs: Spec, found: list[Match]) -> dict[str, Any]:
    document = copy.deepcopy(dict(ours.document))
    components: dict[str, dict[str, Any]] = copy.deepcopy(document.get("components", {}))
    modern = Modern(theirs, components)
    components["securitySchemes"] = components.get("securitySchemes", {}) | modern.schemes
    components["schemas"] = components.get("schemas", {}) | modern.schemas()
    base = theirs.base or (BASE_PATH if all(_rooted(match) for match in found) else "")
    paths: dict[str, dict[str, Any]] = {}
    for match in found:
        own = _node(document, match.ours, ours.base)
        if match.theirs is None:
            path, node = match.ours.path.removeprefix(base), {**own, "x-veza-evidence": "assumed"}
        else:
            path = match.theirs.path.removeprefix(base)
            node = _merged(own, modern.operation(match.theirs, match.ours))
        method = (match.theirs or match.ours).method.lower()
        paths.setdefault(path or "/", {})[method] = node
    document |= {"servers": [{"url": base or "/"}], "paths": paths, "components": components}
    document.pop("security", None)
    return document


def _rooted(match: Match) -> bool:
    return (match.theirs or match.ours).path.startswith(f"{BASE_PATH}/")


def _merged(own: Mapping[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    kept = {key: own[key] for key in _OURS if key in own}
    responses = {"responses": own["responses"]}
    return {"operationId": own["operationId"], **kept, "x-veza-evidence": "fact", **responses, **theirs}


def _node(document: Mapping[str, Any], operation: Operation, base: str) -> dict[str, Any]:
    node = document["paths"][operation.path.removeprefix(base)][operation.method.lower()]
    security = node.get("security", document.get("security", []))
    return {**node, "security": security}
