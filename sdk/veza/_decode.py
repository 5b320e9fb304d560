"""Reads a response's bytes into a typed result.

Pydantic reads a response of the documented form in one pass. Any other is read again, slowly: without the envelope,
amounts as decimals, integers written with a point. If that fails too, the response is refused.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, TypeVar

from typing_extensions import TypedDict

from veza._wire import parse, unwrap
from veza.errors import InvalidResponseError

if TYPE_CHECKING:
    from veza._call import Answer
    from veza._wire import Json

    Place: TypeAlias = tuple[str | int, ...]
    from veza.models._base import Model
    from veza.models.paging import Meta

Found = TypeVar("Found", bound="Model")
_Data = TypeVar("_Data")
_MOST_PLACES: Final = 5
_LONGEST_PLACE: Final = 80
_readers: dict[object, Any] = {}


class Reader(Generic[_Data]):
    """Reads the data of one kind of answer.

    Args:
        kind: the type of the data.
        name: what errors call it.
        empty: what stands for data that was left out.
        meta: the type of a page's position; None if the response is not a page.
    """

    __slots__ = ("_empty", "_envelope", "_kind", "_meta", "_name", "_wrong")

    def __init__(self, kind: Any, name: str, empty: Json = None, meta: type[Meta] | None = None) -> None:
        from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415  (built when first used)

        fields = {"success": Literal[True], "data": kind} | ({} if meta is None else {"meta": meta})
        self._envelope = TypeAdapter(TypedDict("_Envelope", fields)).validator  # type: ignore[operator]
        self._kind = kind
        self._meta = meta
        self._empty = empty
        self._name = name
        self._wrong = ValidationError

    def __call__(self, body: bytes) -> _Data:
        """Return the data.

        Raises:
            InvalidResponseError: the body is not such an answer; what it holds is not repeated.
        """
        found = self._found(body)
        if found is None:
            value = parse(body)
            return self.read(unwrap(value), place_of(value))
        data: _Data = found["data"]
        return data

    def page(self, body: bytes) -> tuple[_Data, Meta]:
        """Return the data and where its page stands. Errors as calling it."""
        found = self._found(body)
        if found is not None:
            data, meta = found["data"], found["meta"]
        else:
            value = parse(body)
            data = self.read(unwrap(value), place_of(value))
            told = value.get("meta") if isinstance(value, dict) else None
            # An empty page needs no word on where it stands.
            meta = self._validated(self._meta, {} if told is None and not data else told, ("meta",))
        return data, meta

    def _found(self, body: bytes) -> dict[str, Any] | None:
        if suspect(body):
            return None
        try:
            found: dict[str, Any] = self._envelope.validate_json(body)
        except self._wrong:
            return None
        return found

    def read(self, value: Json, place: Place = ()) -> _Data:
        """Return the data of a value that was parsed before; `place` is where it stood. Errors as calling it."""
        from veza.models._amounts import unread, with_cents  # noqa: PLC0415  (only if the answer is not as expected)

        try:
            adapted = with_cents(self._empty if value is None else value)
        except RecursionError:
            raise InvalidResponseError(f"{self._unreadable}: it is nested too deep") from None
        data: _Data = self._validated(self._kind, adapted, place)
        if wrong := unread(data):
            raise InvalidResponseError(f"{self._unreadable}: {_path((*place, *wrong[0]))} ({wrong[1]})")
        return data

    @property
    def _unreadable(self) -> str:
        return f"the answer is unreadable as {self._name}"

    def _validated(self, kind: Any, value: object, place: Place) -> Any:
        try:
            return _validator(kind).validate_python(value)
        except self._wrong as error:
            wrong = error.errors(include_url=False, include_context=False, include_input=False)
        places = ", ".join(f"{_path((*place, *one['loc']))} ({one['type']})" for one in wrong[:_MOST_PLACES])
        raise InvalidResponseError(f"{self._unreadable}: {places}")


@cache
def _validator(kind: Any) -> Any:
    from pydantic import TypeAdapter  # noqa: PLC0415  (only if an answer is not as expected)

    return TypeAdapter(kind).validator


def suspect(body: bytes) -> bool:
    """Whether a body may hold an amount in major units. Cheap: it looks for the ends of their names."""
    return b'amount"' in body or b'price"' in body


def place_of(value: Json) -> Place:
    """Return where an answer's data stand: in its envelope, or by themselves."""
    return () if unwrap(value) is value else ("data",)


def _path(place: Place) -> str:
    """Write a place as a JSON path: `$.data.items[0].price_cents`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return f"${''.join(steps)}"[:_LONGEST_PLACE]


def one(model: type[Found]) -> Reader[Found]:
    """Return the reader of an answer that holds one object."""
    reader: Reader[Found] | None = _readers.get(model)
    if reader is None:
        reader = _readers[model] = Reader(model, model.__name__)
    return reader


def many(model: type[Found], meta: type[Meta] | None = None) -> Reader[tuple[Found, ...]]:
    """Return the reader of an answer that holds a list, or a page of one; a list that was left out is empty."""
    reader: Reader[tuple[Found, ...]] | None = _readers.get((model, meta))
    if reader is None:
        kind = tuple[model, ...]  # type: ignore[valid-type]  # the model in hand
        reader = _readers[model, meta] = Reader(kind, f"list of {model.__name__}", [], meta)
    return reader


def nothing(body: bytes) -> None:
    """Read an answer that holds nothing: an empty body, or an envelope that says it went well.

    Raises:
        InvalidResponseError: it says that it did not, or is not JSON.
    """
    if body:
        unwrap(parse(body))


def attached(answer: Answer[Found]) -> Found:
    """Return an answer's object, which then says what answer it came from."""
    return answer.result._with_response(answer.info)  # noqa: SLF001  (models are ours)
