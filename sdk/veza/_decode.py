"""From an answer to a typed result."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from veza._wire import unwrap
from veza.errors import InvalidResponseError

if TYPE_CHECKING:
    from veza._call import Answer, Call
    from veza._wire import Json
    from veza.models._base import Model

_Model = TypeVar("_Model", bound="Model")
_MOST_PLACES = 5


def decode(answer: Answer, model: type[_Model], call: Call) -> _Model:
    """Read a result of one object.

    Raises:
        InvalidResponseError: the answer is not what the contract says; the values it holds are not named.
    """
    return _validated(_data(answer, call), model, answer, call)._with_response(answer.info)  # noqa: SLF001  (models are ours)


def decode_list(answer: Answer, model: type[_Model], call: Call) -> tuple[_Model, ...]:
    """Read a result of many objects; a list that was left out is empty. Errors as `decode`."""
    data = _data(answer, call)
    if data is None:
        return ()
    if not isinstance(data, list):
        raise _shapeless("a list was expected", answer, call)
    return tuple(_validated(item, model, answer, call) for item in data)


def decode_meta(answer: Answer, model: type[_Model], call: Call) -> _Model:
    """Read where a page stands in its list. Errors as `decode`."""
    value = answer.value
    return _validated(value.get("meta") if isinstance(value, dict) else None, model, answer, call)


def _data(answer: Answer, call: Call) -> Json:
    try:
        return unwrap(answer.value)
    except InvalidResponseError as error:
        message = error.message
    raise _shapeless(message, answer, call)


def _validated(data: Json, model: type[_Model], answer: Answer, call: Call) -> _Model:
    from pydantic import ValidationError  # noqa: PLC0415  (models loaded it before)

    try:
        return model.model_validate(data)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)
    places = ", ".join(
        f"{'.'.join(map(str, one['loc'])) or model.__name__} ({one['type']})" for one in wrong[:_MOST_PLACES]
    )
    raise _shapeless(f"not a {model.__name__}: {places}", answer, call)


def _shapeless(message: str, answer: Answer, call: Call) -> InvalidResponseError:
    info = answer.info
    return InvalidResponseError(
        f"the response has a shape that is not expected: {message}",
        status_code=info.status_code,
        request_id=info.request_id,
        method=call.method,
        path=call.path,
        attempts=info.retry_count + 1,
        idempotency_key=call.idempotency_key,
    )
