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

_OURS: Final = ("tags", "summary", "description")


def draft(ours: Spec, theirs: Spec, found: Iterable[Match]) -> tuple[str, list[str]]:
    """Return the draft as YAML: their paths, parameters and schemas under our operationIds, marked as facts.

    What they lack stays as ours, marked as assumed, and so does an operation that cannot be read: beside the draft
    stands what that is and why. What only they offer is left out, since the SDK has no method for it.
    """
    document, left = _document(ours, theirs, list(found))
    return "# A draft, by `veza-e2e contract diff --write`: read it before it becomes sdk/veza/openapi.yaml.\n" + (
        yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    ), left


def _document(ours: Spec, theirs: Spec, found: list[Match]) -> tuple[dict[str, Any], list[str]]:
    document = copy.deepcopy(dict(ours.document))
    components: dict[str, dict[str, Any]] = copy.deepcopy(document.get("components", {}))
    moderns, left = _moderns(found, components)
    said: list[tuple[str, str, dict[str, Any]]] = []
    for match in found:
        own = _node(document, match.ours, ours.base)
        path, node = match.ours.path, {**own, "x-veza-evidence": "assumed"}
        if match.theirs is not None and match.theirs.entry is not None:
            try:
                modern = moderns[id(match.theirs.entry.reader)]
                path, node = match.theirs.path, _merged(own, modern.operation(match.theirs, match.ours))
            except (*UNUSABLE, KeyError) as error:
                left.append(f"{match.ours.id}: {error}")
        said.append((path, (match.theirs or match.ours).method.lower(), node))
    base = next(base for base in (theirs.base, BASE_PATH, "") if all(path.startswith(f"{base}/") for path, *_ in said))
    paths: dict[str, dict[str, Any]] = {}
    for path, method, node in said:
        paths.setdefault(path.removeprefix(base), {})[method] = node
    document |= {"servers": [{"url": base or "/"}], "paths": paths, "components": components}
    document.pop("security", None)
    return document, left


def _moderns(found: Iterable[Match], components: dict[str, dict[str, Any]]) -> tuple[dict[int, Modern], list[str]]:
    """Return the converters of their documents, whose schemas and logins join our components."""
    entries = [match.theirs.entry for match in found if match.theirs is not None and match.theirs.entry is not None]
    moderns: dict[int, Modern] = {}
    left: list[str] = []
    for entry in entries:
        if id(entry.reader) not in moderns:
            modern = moderns[id(entry.reader)] = Modern(entry.reader.document, components)
            components["securitySchemes"] = components.get("securitySchemes", {}) | modern.schemes
            components["schemas"] = components.get("schemas", {}) | modern.schemas(left)
    return moderns, left


def _merged(own: Mapping[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    kept = {key: own[key] for key in _OURS if key in own}
    responses = {"responses": own["responses"]}
    return {"operationId": own["operationId"], **kept, "x-veza-evidence": "fact", **responses, **theirs}


def _node(document: Mapping[str, Any], operation: Operation, base: str) -> dict[str, Any]:
    node = document["paths"][operation.path.removeprefix(base)][operation.method.lower()]
    security = node.get("security", document.get("security", []))
    return {**node, "security": security}
