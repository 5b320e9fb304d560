"""Reads the contract: gives routes by operationId, and checks each request."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import jsonschema_rs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_BOOLEANS: Final = {"true": True, "false": False}


class InvalidRequestError(Exception):
    """The request does not have the documented form.

    Args:
        code: One of the backend's `VALIDATION_*` codes.
        reasons: What is wrong, by place. Never a value, which might be a password.
    """

    def __init__(self, code: str, reasons: Mapping[str, str]) -> None:
        super().__init__(code)
        self.code = code
        self.reasons = dict(reasons)


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation.

    Attributes:
        name: Its name; a header's in lower case.
        place: `path`, `query`, `header` or `cookie`.
        required: Whether it must be sent.
        type: The JSON type of its value.
        validator: Checks the value.
    """

    name: str
    place: str
    required: bool
    type: str
    validator: jsonschema_rs.Validator

    def read(self, text: str) -> str | int | bool:
        """Read the value from its text.

        Raises:
            InvalidRequestError: It has the wrong type, or its schema refuses it.
        """
        value: str | int | bool = text
        if self.type == "integer" and _INTEGER.fullmatch(text):
            value = int(text)
        elif self.type == "boolean" and text in _BOOLEANS:
            value = _BOOLEANS[text]
        for error in self.validator.iter_errors(value):
            raise InvalidRequestError("VALIDATION_ERROR", {self.name: error.kind.name})
        return value


class Operation:
    """One operation of the contract.

    Args:
        document: The whole contract.
        path: The path with its base.
        method: The method, in upper case.
        item: The path item.
        definition: The operation object.
    """

    def __init__(
        self, document: dict[str, Any], path: str, method: str, item: dict[str, Any], definition: dict[str, Any]
    ) -> None:
        self._document = document
        self._item = item
        self._definition = definition
        self.id: str = definition.get("operationId", f"{method} {path}")
        self.path = path
        self.method = method

    @cached_property
    def security(self) -> list[dict[str, list[str]]]:
        """The alternatives, of which one must be met; empty if the operation is public."""
        return self._definition.get("security", self._document.get("security", []))  # type: ignore[no-any-return]

    @cached_property
    def parameters(self) -> list[Parameter]:
        """The parameters, including those of the path item."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for raw in [*self._item.get("parameters", []), *self._definition.get("parameters", [])]:
            parameter = self.resolve(raw)
            found[parameter["in"], parameter["name"]] = parameter
        return [self._parameter(parameter) for parameter in found.values()]

    @cached_property
    def body_schema(self) -> dict[str, Any] | None:
        """The schema of the JSON body, if there is one."""
        body = self.resolve(self._definition.get("requestBody", {}))
        schema = body.get("content", {}).get("application/json", {}).get("schema")
        return None if schema is None else self.resolve(schema)

    @cached_property
    def _body_validator(self) -> jsonschema_rs.Validator:
        return self._validator(self.body_schema)

    def response_schema(self, status: int) -> dict[str, Any]:
        """Return the schema of the JSON response with this status; one that allows anything if there is none."""
        response = self.resolve(self._definition.get("responses", {}).get(str(status), {}))
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        return self.resolve(schema)

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        """Follow local references."""
        while "$ref" in node:
            target: Any = self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def read_parameters(self, place: str, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """Read the parameters of one place. Ignores unknown names, as Gin does.

        Raises:
            InvalidRequestError: One is missing, repeated, or invalid.
        """
        sent: dict[str, list[str]] = {}
        for name, text in pairs:
            sent.setdefault(name, []).append(text)
        values = {}
        for parameter in self.parameters:
            if parameter.place != place:
                continue
            texts = sent.get(parameter.name, [])
            if len(texts) > 1:
                raise InvalidRequestError("VALIDATION_ERROR", {parameter.name: "repeated"})
            if texts:
                values[parameter.name] = parameter.read(texts[0])
            elif parameter.required:
                raise InvalidRequestError("VALIDATION_ERROR", {parameter.name: "required"})
        return values

    def read_body(self, content_type: str, raw: bytes) -> dict[str, Any]:
        """Read the JSON body.

        Raises:
            InvalidRequestError: It is not JSON, or its schema refuses it.
        """
        if self.body_schema is None or not (raw or self.resolve(self._definition["requestBody"]).get("required")):
            return {}
        if content_type.partition(";")[0].strip().lower() != "application/json":
            raise InvalidRequestError("VALIDATION_CONTENT_TYPE", {"Content-Type": "must be application/json"})
        body = _strict_json(raw)
        for error in self._body_validator.iter_errors(body):
            place = "/" + "/".join(str(part) for part in error.instance_path)
            raise InvalidRequestError("VALIDATION_ERROR", {place: error.kind.name})
        return body  # type: ignore[no-any-return]

    def _parameter(self, parameter: dict[str, Any]) -> Parameter:
        schema = self.resolve(parameter.get("schema", {}))
        name = parameter["name"].lower() if parameter["in"] == "header" else parameter["name"]
        return Parameter(
            name,
            parameter["in"],
            required=parameter.get("required", False),
            type=schema.get("type", "string"),
            validator=self._validator(schema),
        )

    def _validator(self, schema: dict[str, Any] | None) -> jsonschema_rs.Validator:
        document = {
            **(schema or {}),
            "components": {"schemas": self._document.get("components", {}).get("schemas", {})},
        }
        return jsonschema_rs.Draft202012Validator(document)


class Contract:
    """The operations of an OpenAPI 3 document.

    Args:
        document: The document.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        servers = document.get("servers") or [{"url": ""}]
        self.base_path = urlsplit(servers[0]["url"]).path.rstrip("/")
        self.operations = {operation.id: operation for operation in self._read()}
        self.security_schemes: dict[str, dict[str, Any]] = document.get("components", {}).get("securitySchemes", {})

    def routes(self) -> dict[str, dict[str, Operation]]:
        """Return the operations by path (with its base) and method."""
        routes: dict[str, dict[str, Operation]] = {}
        for operation in self.operations.values():
            routes.setdefault(operation.path, {})[operation.method] = operation
        return routes

    def _read(self) -> Iterator[Operation]:
        for path, item in self._document["paths"].items():
            for method in _METHODS:
                if method in item:
                    yield Operation(self._document, self.base_path + path, method.upper(), item, item[method])


def load(path: Path, known: AbstractSet[str]) -> Contract:
    """Read the contract from a YAML or JSON file.

    Args:
        path: The file.
        known: The operationIds that the backend can carry out.

    Returns:
        The contract.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not an OpenAPI document, or the backend does not know one of its operationIds.
    """
    raw = path.read_bytes()
    try:
        document = json.loads(raw) if path.suffix == ".json" else _of_yaml(raw)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as {path.suffix.removeprefix('.')}: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise ValueError(f"{path} is no OpenAPI document: it has no paths")  # noqa: TRY004 - a wrong file, not a wrong call
    contract = Contract(document)
    unknown = contract.operations.keys() - known
    if unknown:
        raise ValueError(f"{path} has operations that the rehearsal backend lacks: {', '.join(sorted(unknown))}")
    return contract


def _strict_json(raw: bytes) -> Any:
    try:
        return json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
    except (ValueError, RecursionError):
        raise InvalidRequestError("VALIDATION_MALFORMED_JSON", {"body": "is not JSON"}) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is repeated")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is beyond what a number can be here")
    return number


def _of_yaml(raw: bytes) -> object:
    import yaml  # noqa: PLC0415 - the runner hands in JSON

    try:
        return yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
