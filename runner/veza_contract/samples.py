"""`contract samples`: what files of a real backend hold, and for which operation each is taken."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from veza_contract import columns, har, likeness
from veza_contract.judging import REDIRECTS

TABLES: Final = ("seller_transfers", "orders")
"""The tables that step 7 reads."""
FOREIGN: Final = r"is no JSON, no HAR, no answer with its head (curl -i) and no \d of psql"
LARGEST: Final = 64 * 2**20
_DEEPEST: Final = 100
_SUFFIXES: Final = frozenset({".json", ".har", ".txt", ".http", ".csv", ".out", ".log", ".sql", ".psql", ""})
_HEAD: Final = re.compile(rb"HTTP/\d(?:\.\d)?\s+(\d{3})[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*(?:\r?\n|$)")
_VERBOSE: Final = re.compile(r"^< HTTP/", re.MULTILINE)
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class UnreadableError(Exception):
    """A file that holds no sample: says why, without what it holds."""


class NotJsonError(UnreadableError):
    """A body that is not JSON; with a head before it, it is an answer all the same."""


@dataclass(frozen=True, slots=True)
class Sample:
    """An answer and the operation that it is taken for.

    Attributes:
        operation: the operationId; empty for an error of an unknown operation.
        how: what it was told by.
        status: None where only the body was saved.
        body: as it came; None where none was saved.
        base: the base path that it came from, where ours is another.
        moved: method and path, where the contract has others.
    """

    operation: str
    how: str
    status: int | None
    body: bytes | None
    base: str = ""
    moved: str = ""

    @property
    def answer(self) -> bytes | None:
        """The body; empty where the status says that there is none; None where it was not saved."""
        if self.body is None and self.status in {HTTPStatus.NO_CONTENT, *REDIRECTS}:
            return b""
        return None if self.status == 0 else self.body


@dataclass(slots=True)
class Held:
    """What one file holds.

    Attributes:
        path: the file.
        samples: the answers in it.
        tables: the tables that psql described in it.
        problem: why nothing of it, or not all of it, was judged.
        notes: what else there is to say.
    """

    path: Path
    samples: list[Sample] = field(default_factory=list)
    tables: list[columns.Table] = field(default_factory=list)
    problem: str = ""
    notes: list[str] = field(default_factory=list)


def files(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield the files, those of folders in order of their names, and whether each was named itself."""
    seen: set[Path] = set()
    for path in paths:
        inside = sorted(p for p in path.rglob("*") if _wanted(p, path)) if path.is_dir() else [path]
        for one in inside:
            if one.resolve() not in seen:
                seen.add(one.resolve())
                yield one, one == path


def _wanted(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.is_file() and path.suffix.lower() in _SUFFIXES


def read(path: Path, named: str, mapped: Mapping[str, str]) -> Held:
    """Read one file; what is wrong with it is said in the result.

    Args:
        path: the file.
        named: the operation or the table that the operator says it is of; else empty.
        mapped: `METHOD /path` of the operations that the backend has elsewhere.
    """
    held = Held(path)
    try:
        raw = _content(path)
        head, status, body = _http(raw)
        text = _text(body)
        if text.lstrip()[:1] in {"{", "["} or head:
            _json_sample(held, body, status, named, mapped)
        else:
            _described(held, text, named)
    except UnreadableError as error:
        held.problem = str(error)
    return held


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise UnreadableError(f"is larger than {LARGEST >> 20} MiB")
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableError(error.strerror or type(error).__name__) from None
    if not raw.strip():
        raise UnreadableError("is empty")
    if raw.startswith(_UTF16):
        raise UnreadableError("is UTF-16, as Windows PowerShell writes it: save it as UTF-8")
    return raw


def _http(raw: bytes) -> tuple[bool, int | None, bytes]:
    """Take the heads off that `curl -i` prints; the last one is the answer's."""
    body, status = raw.lstrip(b"\xef\xbb\xbf \r\n"), None
    while (head := _HEAD.match(body)) is not None:
        status, body = int(head[1]), body[head.end() :]
    return status is not None, status, raw if status is None else body


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"is not UTF-8, at byte {error.start + 1}") from None


def _described(held: Held, text: str, named: str) -> None:
    held.tables = columns.tables(text, named)
    if not held.tables:
        mixed = "is curl -v, which mixes all that was said: save it with curl -si" if _VERBOSE.search(text) else ""
        raise UnreadableError(mixed or columns.refusal(text) or FOREIGN)
    if named and named not in TABLES:
        held.tables = []
        raise UnreadableError(f"is psql's description of a table, and no answer of {named}")


def _json_sample(held: Held, body: bytes, status: int | None, named: str, mapped: Mapping[str, str]) -> None:
    twice: set[str] = set()
    value: Any = None
    if body.strip():
        try:
            value = _parsed(_text(body), twice)
        except NotJsonError:
            if status is None:
                raise
    if har.is_har(value):
        _har(held, har.read(value, mapped))
        return
    if named in TABLES:
        raise UnreadableError(rf"is JSON, and no \d of {named}")
    if twice:
        held.notes.append(f"{len(twice)} members stand there twice; the SDK reads the last of each")
    found = likeness.Told(named, "as you say") if named else likeness.told(held.path.stem, status, value, body)
    if found.operation is None:
        raise UnreadableError(found.how)
    held.samples.append(Sample(found.operation, found.how, status, body))


def _parsed(text: str, twice: set[str]) -> Any:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice.update(name for name in found if names.count(name) > 1)
        return found

    def refused(name: str) -> None:
        raise UnreadableError(f"is not JSON: it holds {name}")

    try:
        value = json.loads(text, object_pairs_hook=members, parse_constant=refused)
    except json.JSONDecodeError as error:
        what = (
            "more than one answer; save one a file"
            if error.msg == "Extra data" and text.lstrip()[:1] in "{["
            else error.msg
        )
        raise NotJsonError(f"is not JSON: {what}, line {error.lineno} column {error.colno}") from None
    except (RecursionError, ValueError):
        raise UnreadableError(
            "is not JSON that can be read: nested too deeply, or a number of too many digits"
        ) from None
    if _deeper(value, _DEEPEST):
        raise UnreadableError(f"is nested deeper than {_DEEPEST} levels")
    return value


def _deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [inner for one in level if isinstance(one, dict | list) for inner in _inside(one)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _har(held: Held, found: har.Har) -> None:
    for entry in found.entries:
        moved = entry.request if entry.mapped else ""
        sample = Sample(entry.operation, f"by {entry.request}", entry.status, entry.body, entry.base, moved)
        held.samples.append(sample)
    if found.others:
        alike = ", ".join(
            f"{name} ({count} times)" if count > 1 else name for name, count in found.like_ours.most_common(8)
        )
        also = f'; with JSON: {alike}. If one is ours, say so: --map OP="METHOD /path"' if alike else ""
        held.notes.append(f"{found.others} other requests were left out{also}")
    held.problem = "; ".join(found.damaged[:5])
    if not found.entries and not held.problem:
        held.problem = "no request in it is one of our operations"
