"""How the contract wants things shown: the one place where one dialect of the API differs from another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from veza_rehearsal.contract import Operation


def shown(operation: Operation, schema: dict[str, Any], value: Any) -> Any:
    """Show a value as the contract's schema describes it.

    Args:
        operation: The operation, to follow references with.
        schema: The schema of the answer, or of a part of it.
        value: What the backend has to say, under its own names.

    Returns:
        The members that the schema names; everything, where it names none.
    """
    schema = operation.resolve(schema)
    if isinstance(value, list):
        items = schema.get("items", {})
        return [shown(operation, items, member) for member in value]
    if not isinstance(value, dict):
        return value
    for choice in (operation.resolve(option) for option in schema.get("anyOf", ())):
        if set(choice.get("required", ())) <= set(value):
            return shown(operation, choice, value)
    properties = schema.get("properties")
    if properties is None:
        return value
    return {name: shown(operation, member, value[name]) for name, member in properties.items() if name in value}
