"""Schemas that refer to themselves: a part of one still needs the `$defs` of the whole."""

from __future__ import annotations

from veza_contract.schema import Schema, SchemaError, merged, text


def carried(whole: Schema, part: Schema) -> Schema:
    """Return a part of a schema, with the `$defs` of the whole where it refers to them."""
    if isinstance(whole, dict) and "$defs" in whole and isinstance(part, dict) and '"#/$defs/' in text(part):
        return {**part, "$defs": whole["$defs"]}
    return part


def within(whole: Schema, key: str) -> Schema:
    """Return the schema below a keyword, with what it refers to; any value will do where there is none."""
    return carried(whole, whole.get(key, True)) if isinstance(whole, dict) else True


def opened(schema: Schema) -> Schema:
    """Fold a schema, and take what it refers to for the reference.

    Raises:
        SchemaError: it refers to nothing but itself.
    """
    seen: set[str] = set()
    found = merged(schema)
    while isinstance(found, dict) and "$ref" in found:
        if found["$ref"] in seen:
            raise SchemaError(f"{found['$ref']} refers to nothing but itself")
        seen.add(found["$ref"])
        found = merged(carried(found, found["$defs"][found["$ref"].rpartition("/")[2]]))
    return found
