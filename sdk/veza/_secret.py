"""A string that no repr, log, pickle or traceback shows."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

MASK = "**********"


class Secret:
    """A password or token. Reading it takes `get_secret_value()`; copying keeps it, pickling refuses.

    Args:
        value: the text to keep out of sight.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        """Return the text itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    def __str__(self) -> str:
        return MASK

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._value.encode("utf-8", "surrogatepass"), other._value.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled; pass its value on by a way that keeps it secret")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accept a Secret or a string that is not empty; write the mask."""
        from pydantic_core import core_schema  # noqa: PLC0415  (only models need it)

        text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema(strict=True, min_length=1))
        return core_schema.union_schema(
            [core_schema.is_instance_schema(cls), text],
            mode="left_to_right",
            custom_error_type="wrong_type",
            custom_error_message="Input should be a non-empty string",
            serialization=core_schema.to_string_ser_schema(when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        return {"type": "string", "minLength": 1, "writeOnly": True}


def scrub(text: str, secrets: tuple[Secret, ...]) -> str:
    """Replace every known secret in a text that came from outside."""
    for secret in secrets:
        value = secret.get_secret_value()
        if value and value in text:
            text = text.replace(value, MASK)
    return text
