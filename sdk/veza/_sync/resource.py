# Written by sdk/generate.py; not edited by hand.
"""What every resource does with a call: check it against the contract, then send it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from veza._call import Body, Call, seconds
from veza._decode import attached, one
from veza._operation import check as allowed
from veza._operation import expand, query
from veza._options import sending
from veza._question import answering

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Unpack

    from veza._call import Answer, Result
    from veza._config import Settings
    from veza._decode import Found
    from veza._operation import Operation
    from veza._options import CallOptions
    from veza._sync.engine import Engine


class Resource:
    """A part of the API, seen through one client."""

    __slots__ = ("_engine", "_settings")

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings

    def _one(
        self,
        operation: Operation,
        model: type[Found],
        *,
        ids: Mapping[str, str] | None = None,
        fields: Mapping[str, object] | None = None,
        key: str | None = None,
        deadline: float | None = None,
        check: Callable[[Found], None] | None = None,
        **options: Unpack[CallOptions],
    ) -> Found:
        """Send a call whose answer holds one object, and hold it against what was asked."""
        read = one(model) if check is None else answering(one(model), check)
        answer = self._send(operation, read, ids=ids, fields=fields, key=key, deadline=deadline, **options)
        return attached(answer)

    def _send(
        self,
        operation: Operation,
        read: Callable[[bytes], Result],
        *,
        ids: Mapping[str, str] | None = None,
        values: Mapping[str, object] | None = None,
        fields: Mapping[str, object] | None = None,
        key: str | None = None,
        deadline: float | None = None,
        **options: Unpack[CallOptions],
    ) -> Answer[Result]:
        """Check the arguments and send them; None stands for what is left out."""
        settings = self._settings
        body: Body | None = None
        if fields is not None:
            present = {name: value for name, value in fields.items() if value is not None}
            allowed(operation.body or {}, present, operation.id)
            body = Body(present)
        if operation.keyed and key is None and settings.idempotency:
            key = settings.new_key()
        if key is not None:
            allowed(operation.parameters["Idempotency-Key"], key, "idempotency_key")
        call = Call(
            operation.method,
            expand(operation, ids) if ids else operation.path,
            query(operation, values) if values else "",
            body,
            auth=operation.auth,
            repeatable=operation.safe or (key is not None and settings.idempotency),
            idempotency_key=key,
            deadline=seconds(deadline, "deadline"),
            operation=operation.id,
            keep_content=settings.keep_content,
            **(sending(auth=operation.auth, **options) if options else {}),
        )
        return self._engine.send(call, settings, read)
