"""What all models share: frozen, unknown fields and values kept, wrong types refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from veza._ids import IntegerId
from veza._secret import Secret
from veza._wire import JsonNumber

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

    from veza._response import ResponseInfo

_RFC3339 = r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$"
_ZERO_TIME = r"^(0001-01-01|0000-12-31)[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$"
_AFTER_ZERO = datetime(2, 1, 1, tzinfo=UTC)
_LARGEST_EXACT_FLOAT = 2**53
_WHOLE = re.compile(r"-?[0-9]{1,19}(\.0+)?")


class Model(BaseModel):
    """The base of every model.

    Frozen. Fields that the backend sends and this version does not know are kept (`model_extra`).
    A known field with a wrong type is refused.
    """

    __slots__ = ("_response",)

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="allow", defer_build=True, protected_namespaces=(), ser_json_temporal="iso8601"
    )

    @property
    def response_info(self) -> ResponseInfo | None:
        """The answer that this object came from: request id, headers, retries. None for a nested object."""
        return getattr(self, "_response", None)

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Read an object. Amounts in major units are read exactly into minor units.

        Raises:
            pydantic.ValidationError: a known field is missing or of a wrong type, or an amount in major units cannot
                be read exactly, or is not the amount in minor units beside it.
        """
        from veza.models._amounts import unread, with_cents  # noqa: PLC0415  (models import it in turn)

        read = super().model_validate(with_cents(obj), **options)
        if wrong := unread(read):
            place, why = wrong
            kind = PydanticCustomError("amount", "{why}", {"why": why})
            error = InitErrorDetails(type=kind, loc=place, input=None)
            raise ValidationError.from_exception_data(cls.__name__, [error], hide_input=True)
        return read

    def _with_response(self, info: ResponseInfo) -> Self:
        object.__setattr__(self, "_response", info)
        return self

    def __copy__(self) -> Self:
        return self._follow(super().__copy__())

    def __deepcopy__(self, memo: dict[int, object] | None = None) -> Self:
        return self._follow(super().__deepcopy__(memo))

    def _follow(self, copied: Self) -> Self:
        info = self.response_info
        return copied if info is None else copied._with_response(info)

    def __getstate__(self) -> dict[object, object]:
        return {**super().__getstate__(), "_response": self.response_info}

    def __setstate__(self, state: dict[object, object]) -> None:
        info = state.pop("_response", None)
        super().__setstate__(state)
        if info is not None:
            object.__setattr__(self, "_response", info)


class OpenEnum(StrEnum):
    """A status of the backend, compared as an enum and as text. Values that are new to this version are kept."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str) or not value:
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member

    @property
    def known(self) -> bool:
        """Whether this version of the SDK knows the value."""
        return self._value_ in type(self)._value2member_map_

    def __reduce_ex__(self, protocol: object) -> tuple[type[Self], tuple[str]]:
        return type(self), (self._value_,)


def _either(choices: list[core_schema.CoreSchema], what: str) -> core_schema.CoreSchema:
    """Return the schema of the first choice that fits, with one error for all of them."""
    wrong = f"Input should be {what}"
    return core_schema.union_schema(
        [*choices], mode="left_to_right", custom_error_type="wrong_type", custom_error_message=wrong
    )


def _from_number(value: object) -> int:
    """JSON Schema's integer is a number without a fraction, so `1.0` is one; read from its text, exactly."""
    if isinstance(value, JsonNumber):
        if _WHOLE.fullmatch(value.text):
            return int(value.text.partition(".")[0])
        if value.is_integer() and abs(value) < _LARGEST_EXACT_FLOAT:
            return int(value)
    elif isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_EXACT_FLOAT:
        return int(value)
    raise ValueError("Input should be an integer")


def _from_int(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return IntegerId(value)
    raise ValueError("Input should be a non-empty string or an integer")


class _Integer:
    def __init__(self, minimum: int | None = None, *, point: bool = True) -> None:
        self.minimum = minimum
        self.point = point

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        strict = core_schema.int_schema(strict=True, ge=self.minimum)
        if not self.point:
            return strict
        written = core_schema.chain_schema([core_schema.no_info_plain_validator_function(_from_number), strict])
        return _either([strict, written], "an integer")

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        return {"type": "integer"} if self.minimum is None else {"type": "integer", "minimum": self.minimum}


class _Id:
    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        text = core_schema.str_schema(strict=True, min_length=1)
        return _either([text, core_schema.no_info_plain_validator_function(_from_int)], "an id")

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        if handler.mode == "serialization":
            return {
                "type": ["string", "integer"],
                "minLength": 1,
                "maxLength": 64,
                "pattern": "^[A-Za-z0-9_-]+$",
            }
        return {"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer"}]}


class _Currency:
    """Three letters in any case, read as capitals: Stripe writes them small."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.str_schema(strict=True, pattern=r"^[A-Za-z]{3}$", to_upper=True)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        return {"type": "string", "pattern": "^[A-Za-z]{3}$"}


class _Absent:
    """What Go writes for a text or a time that is not there yet, `""` or the year 1, is read as None.

    Args:
        first: whether this is looked for first, since the field's own type would take an empty text as it is.
    """

    def __init__(self, *, first: bool = False) -> None:
        self.first = first

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        zero = core_schema.chain_schema(
            [
                core_schema.str_schema(strict=True, pattern=rf"^$|{_ZERO_TIME}"),
                core_schema.no_info_plain_validator_function(_none),
            ]
        )
        own = handler(source)
        return _either([zero, own] if self.first else [own, zero], "as documented, null or empty")

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        found = handler(schema["choices"][int(self.first)])  # the field's own, of the union that was made above
        if handler.mode != "serialization":
            return found
        return {**found, "anyOf": [*found["anyOf"], {"const": ""}]}


def _none(_: object) -> None:
    return None


class _NullIs:
    """Null is read as what Go's own zero value means: an empty list, a count of 0."""

    def __init__(self, zero: Callable[[], object]) -> None:
        self.zero = zero

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        # An `after` function sees what was read, so that the places of errors within a list stay as they are.
        return core_schema.no_info_after_validator_function(self._zero, core_schema.nullable_schema(handler(source)))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        found = handler(schema["schema"]["schema"])  # the field's own, within
        listed = handler.mode == "serialization" and found.get("type") == "array"
        return {**found, "type": ["array", "null"]} if listed else found

    def _zero(self, value: object) -> object:
        return self.zero() if value is None else value


class _Timestamp:
    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        text = core_schema.chain_schema(
            [
                core_schema.str_schema(strict=True, pattern=_RFC3339),
                core_schema.datetime_schema(tz_constraint="aware", ge=_AFTER_ZERO),
            ]
        )
        value = core_schema.datetime_schema(strict=True, tz_constraint="aware")
        either = _either([text, value], "a date-time with its offset")
        # A strict datetime still reads "1767225600" as a date, though only from JSON.
        return core_schema.json_or_python_schema(json_schema=text, python_schema=either)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        return {"type": "string", "format": "date-time"}


class _Declared:
    """Bounds that the contract promises, said in the JSON schema of mode "serialization"; reading tolerates others."""

    def __init__(self, **keywords: object) -> None:
        self.keywords = keywords

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        found = handler(schema)
        return {**found, **self.keywords} if handler.mode == "serialization" else found


class _Omitted:
    """A field that the contract leaves out and never sends as null; reading tolerates null."""

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        found = handler(schema)
        if handler.mode != "serialization":
            return found
        kept: list[dict[str, object]] = [one for one in found["anyOf"] if one != {"type": "null"}]
        return kept[0] if len(kept) == 1 else {"anyOf": kept}


_Kind = TypeVar("_Kind")

Integer: TypeAlias = Annotated[int, _Integer()]
Count: TypeAlias = Annotated[int, _Integer(0)]
Cents: TypeAlias = Annotated[int, _Integer(0, point=False)]
Id: TypeAlias = Annotated[str, _Id()]
Text: TypeAlias = Annotated[str, Strict()]
Flag: TypeAlias = Annotated[bool, Strict()]
Currency: TypeAlias = Annotated[str, _Currency()]
Timestamp: TypeAlias = Annotated[datetime, _Timestamp()]
Filled: TypeAlias = Annotated[str, Strict(), Field(min_length=1)]
Url: TypeAlias = Annotated[str, Strict(), Field(min_length=1), _Declared(format="uri")]
LicenseType: TypeAlias = Annotated[str, Strict(), _Declared(minLength=1, maxLength=64)]
LicenseTold: TypeAlias = Annotated[str, Strict(), Field(min_length=1), _Declared(maxLength=64)]
Tally: TypeAlias = Annotated[int, _Integer(), _NullIs(int), _Declared(minimum=0)]
Token: TypeAlias = Annotated[Secret, _Declared(pattern="^[!-~]+$")]
Maybe: TypeAlias = Annotated[_Kind | None, _Absent()]
"""A text, id, status or time that may be null, empty, or Go's time of the year 1."""
Omitted: TypeAlias = Annotated[_Kind | None, _Omitted()]
"""An amount or a flag that the contract leaves out and never sends as null."""
Unsaid: TypeAlias = Annotated[_Kind | None, _Absent(), _Omitted()]
"""Both."""
MaybeText: TypeAlias = Annotated[_Kind | None, _Absent(first=True)]
UnsaidText: TypeAlias = Annotated[_Kind | None, _Absent(first=True), _Omitted()]
"""For a text that might as well be empty."""
Listed: TypeAlias = Annotated[tuple[_Kind, ...], _NullIs(tuple)]
Mapped: TypeAlias = Annotated[dict[str, _Kind], _NullIs(dict)]
