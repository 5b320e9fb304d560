"""Searches what was written for parts of planted secrets, by other means than the redactor's."""

from __future__ import annotations

import json
from functools import cache

from secret_forms import DSN, DSN_PASSWORD, FORMS, KNOWN, SECRETS

from veza_e2e.redaction import Redactor

TRACE = 12
"""Characters in a row of a written secret that count as a part of it."""


def knowing() -> Redactor:
    """A redactor that knows the shell's secrets, and the tokens of a login's answer."""
    here = Redactor(KNOWN)
    tokens = {name: SECRETS[name] for name in ("access_token", "refresh_token")}
    here.body(json.dumps({"data": {**tokens, "expires_in": 900}}).encode(), "application/json")
    return here


def pieces(text: str) -> set[str]:
    return {text[at : at + TRACE] for at in range(max(1, len(text) - TRACE + 1))}


@cache
def traces(form: str, kind: str) -> set[str]:
    """The parts of a written secret. Of a database's URL everything but the password is no secret."""
    found = pieces(FORMS[form](SECRETS[kind]))
    return found - pieces(FORMS[form](DSN.replace(DSN_PASSWORD, "x" * len(DSN_PASSWORD)))) if kind == "dsn" else found


def kept(form: str, kind: str, shown: str) -> bool:
    """Whether a shown text still holds a part of a written secret."""
    return any(piece in shown for piece in traces(form, kind))
