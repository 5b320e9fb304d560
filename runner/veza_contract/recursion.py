"""Handles schemas that refer to themselves, whose parts need the `$defs` of the whole."""

from __future__ import annotations

from veza_contract.schema import Schema, SchemaError, merged, text


def carried(whole: Schema, part: Schema) -> Schema:
    """Return a part of a schema, with the `$defs` of the whole if it refers to them."""
    if isinstance(whole, dict) and "$defs" in whole and isinstance(part, dict) and '"#/$defs/' in text(part):
        return {**part, "$defs": whole["$defs"]}
    return part


def within(whole: Schema, key: str) -> Schema:
    """Return the schema below a keyword, with its `$defs`; a schema that allows any value if there is none."""
    return carried(whole, whole.get(key, True)) if isinstance(whole, dict) else True


def opened(schema: Schema) -> Schema:
    """Merge a schema's `allOf`, and replace a reference by its target.

    Raises:
        SchemaError: it refers only to itself.
    """
    seen: set[str] = set()
    found = merged(schema)
    while isinstance(found, dict) and "$ref" in found:
        if found["$ref"] in seen:
            raise SchemaError(f"{found['$ref']} refers to nothing but itself")
        seen.add(found["$ref"])
        found = merged(carried(found, found["$defs"][found["$ref"].rpartition("/")[2]]))
    return found
