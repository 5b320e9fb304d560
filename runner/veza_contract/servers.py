"""The base paths that a spec's servers give to its operations."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from veza_contract.schema import SchemaError

_VARIABLE: Final = re.compile(r"\{([^{}]+)\}")
_MOST: Final = 32


def bases(servers: Any) -> tuple[str, ...]:
    """Return the base paths of a list of servers, each once, variables filled in; empty if it says none.

    Raises:
        SchemaError: it is not a list of servers.
    """
    if servers is None:
        return ()
    if not isinstance(servers, list) or not all(isinstance(one, dict) for one in servers):
        raise SchemaError("servers are a list of objects")
    found = (normal(urlsplit(url).path) for one in servers for url in itertools.islice(_urls(one), _MOST))
    return tuple(dict.fromkeys(found))


def _urls(server: Mapping[str, Any]) -> Iterator[str]:
    """Yield a server's address with each combination of its variables, their defaults first."""
    url = str(server.get("url") or "")
    variables = server.get("variables") or {}
    names = [name for name in dict.fromkeys(_VARIABLE.findall(url)) if isinstance(variables, dict)]
    for values in itertools.product(*(_values(variables.get(name)) for name in names)):
        given = dict(zip(names, values, strict=True))
        yield _VARIABLE.sub(lambda match, given=given: given.get(match[1], match[0]), url)  # type: ignore[misc]


def _values(variable: Any) -> list[str]:
    if not isinstance(variable, dict):
        return [""]
    enum = variable.get("enum")
    several = [variable.get("default", ""), *(enum if isinstance(enum, list) else ())]
    return list(dict.fromkeys(map(str, several)))


def normal(path: str) -> str:
    """Return a base path with a slash at its start and none at its end; empty if it is the root."""
    bare = unquote(path).strip("/")
    return f"/{re.sub('/{2,}', '/', bare)}" if bare else ""
