"""Reads any backend's spec, OpenAPI 3.0 to 3.2 or Swagger 2.0, in YAML or JSON, into one form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from veza_contract import readers
from veza_contract.model import Spec
from veza_contract.schema import SchemaError

_LARGEST: Final = 32 * 2**20


class SpecError(Exception):
    """A spec cannot be read; the message says where and why."""


def load(where: str | Path, *, client: httpx.Client | None = None) -> dict[str, Any]:
    """Read a spec's document from a file or an http(s) URL.

    Raises:
        SpecError: it is missing, or neither JSON nor YAML.
    """
    try:
        raw = _fetched(str(where), client) if str(where).startswith(("http://", "https://")) else _file(Path(where))
        document = _parsed(raw)
    except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise SpecError(f"{where}: {error}") from error
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SpecError(f"{where}: neither JSON nor YAML: {first}") from error
    if not isinstance(document, dict):
        raise SpecError(f"{where}: the document is not an object")
    return document


def _fetched(url: str, client: httpx.Client | None) -> bytes:
    with client or httpx.Client(timeout=30, trust_env=False) as http:
        response = http.get(url)
        response.raise_for_status()
        return response.content


def _file(path: Path) -> bytes:
    if path.stat().st_size > _LARGEST:
        raise SpecError(f"{path}: larger than 32 MiB")
    return path.read_bytes()


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return _yaml(raw)


def _yaml(raw: bytes) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = yaml.load(raw, Loader=loader)  # noqa: S506 - a safe loader
    if _written_out(document, {}) > _LARGEST:
        raise SpecError("larger than 32 MiB once its aliases are written out")
    return json.loads(json.dumps(document, default=str))  # in JSON, keys and dates are text


def _written_out(value: Any, known: dict[int, int]) -> int:
    """Return about how many bytes `value` takes as JSON. Repeats by an alias count each time.

    Raises:
        ValueError: an alias refers to a value that contains it.
    """
    if not isinstance(value, dict | list):
        return len(str(value)) + 3
    size = known.get(id(value))
    if size is None:
        known[id(value)] = -1
        parts = [part for pair in value.items() for part in pair] if isinstance(value, dict) else value
        size = known[id(value)] = sum(_written_out(part, known) for part in parts) + 2
    if size < 0:
        raise ValueError("an alias leads back to what it stands in")
    return size


def read(document: Mapping[str, Any]) -> Spec:
    """Convert a document to the one form.

    Raises:
        SpecError: it is not an OpenAPI 3.x or Swagger 2.0 document, or a part of it cannot be read.
    """
    version = str(document.get("openapi") or document.get("swagger") or "")
    if not re.match(r"3\.[0-2]|2\.0", version):
        raise SpecError(f"not an OpenAPI 3.x or Swagger 2.0 document (version {version or 'missing'!r:.20})")
    try:
        reader = readers.Swagger(document) if version.startswith("2") else readers.OpenAPI(document, version)
        operations = tuple(reader.operations())
    except SchemaError as error:
        raise SpecError(str(error)) from error
    except RecursionError as error:
        raise SpecError("a part of the document is nested too deeply to be read") from error
    except (AttributeError, TypeError, KeyError) as error:
        raise SpecError(f"a part of the document is not of the form it should be: {error}") from error
    info = document.get("info")
    title = str(info.get("title", "")) if isinstance(info, dict) else ""
    return Spec(title, version, operations, document, tuple(reader.warnings), reader.prefix, reader.based)
