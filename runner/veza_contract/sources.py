"""Reads a spec's document: a bounded file or URL, JSON or YAML, with the files beside it that it refers to."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from veza_contract.parsing import LARGEST, Source, SpecError, parsed
from veza_contract.schema import UNREAD, escaped

DEADLINE: Final = 30.0
OTHERS: Final = "x-other-files"
"""Where the documents of the files beside a spec stand in its own document."""

_SILENCE: Final = 10.0
_SECRET: Final = re.compile(r"(?<==)[^&#]*")


def shown(where: str | Path) -> str:
    """Return an address without its user, its password and the values of its query."""
    try:
        url = httpx.URL(str(where))
    except httpx.InvalidURL:
        return re.split(r"[?#]", str(where))[0].rpartition("@")[2]
    if not url.host:
        return str(where)
    query = _SECRET.sub("…", url.query.decode("ascii", "replace")) if b"=" in url.query else "…"
    return f"{url.scheme}://{url.netloc.decode()}{url.path}{f'?{query}' if url.query else ''}"


def load(
    where: str | Path,
    *,
    client: httpx.Client | None = None,
    now: Callable[[], float] = time.monotonic,
) -> Source:
    """Read a document from a file or an http(s) URL, within 32 MiB and 30 seconds.

    Raises:
        SpecError: it is missing, too large, too slow, or neither JSON nor YAML.
    """
    if str(where).startswith(("http://", "https://")):
        name, raw = shown(where), _fetched(str(where), client, now)
        return parsed(raw, name)
    path = Path(where)
    source = parsed(_file(path), str(where))
    _Beside(path, source).follow()
    return source


def _fetched(url: str, client: httpx.Client | None, now: Callable[[], float]) -> bytes:
    name, began = shown(url), now()
    content = bytearray()
    try:
        with client or httpx.Client(timeout=_SILENCE, trust_env=False) as http, http.stream("GET", url) as response:
            if response.status_code != httpx.codes.OK:
                raise SpecError(f"{name}: answered {response.status_code}")
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > LARGEST:
                    raise SpecError(f"{name}: larger than 32 MiB")
                if now() - began > DEADLINE:
                    raise SpecError(f"{name}: not there after {DEADLINE:.0f} seconds")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = str(error).replace(url, name) or type(error).__name__
        raise SpecError(f"{name}: {why}") from error
    return bytes(content)


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror or error}") from error
    if len(raw) > LARGEST:
        raise SpecError(f"{path}: larger than 32 MiB")
    return raw


class _Beside:
    """Brings the files that a document refers to into it, and turns the references to them into local ones.

    Only files in the document's own folder, or below it, are read.
    """

    def __init__(self, path: Path, source: Source) -> None:
        self._root = path.resolve().parent
        self._main = path.resolve()
        self._source = source
        self._size = 0

    def follow(self) -> None:
        others: dict[str, Any] = {}
        waiting: list[tuple[Path, dict[str, Any]]] = [(self._main, self._source.document)]
        while waiting:
            here, document = waiting.pop()
            for node in _referring(document):
                file, _, fragment = node["$ref"].partition("#")
                if not file and here == self._main:
                    continue
                name = self._name(here, file)
                if name and name not in others:
                    others[name] = self._read(file, name)
                    waiting.append((self._root / name, others[name]))
                prefix = f"/{OTHERS}/{escaped(name)}" if name else ""
                node["$ref"] = f"#{prefix}{fragment if fragment != '/' else ''}"
        if others:
            self._source.document[OTHERS] = others

    def _read(self, file: str, name: str) -> dict[str, Any]:
        """Return a file's document; if it is not to be read, or cannot be, one that says why."""
        target = (self._root / name).resolve()
        if target.exists() and not target.is_file():
            return {UNREAD: f"{file} is not a file"}
        if "://" in file or not target.is_relative_to(self._root):
            return {UNREAD: f"{file} is not in the spec's folder; it is not read"}
        try:
            raw = _file(target)
            self._size += len(raw)
            if self._size > LARGEST:
                return {UNREAD: "the files beside the spec are larger than 32 MiB"}
            found = parsed(raw, name)
        except SpecError as error:
            return {UNREAD: str(error).replace(f"{target}", file)}
        self._source.notes += found.notes
        return found.document

    def _name(self, here: Path, file: str) -> str:
        """Return the name of the file that one refers to, from the spec's folder; empty for the spec itself."""
        if "://" in file:
            return file
        target = (here.parent / file).resolve() if file else here
        return "" if target == self._main else os.path.relpath(target, self._root)


def _referring(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the nodes with a reference, before any of them is changed."""
    waiting, found = [document], []
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("$ref"), str):
                found.append(one)
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    yield from found
