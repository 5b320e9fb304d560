"""120 ways to write five kinds of secrets down: none gets through a text, an id or the gate."""

from __future__ import annotations

import json

import pytest
from secret_forms import DSN, DSN_PASSWORD, FORMS, HARMLESS, KNOWN, SECRETS

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


def traces(form: str, kind: str) -> set[str]:
    """The parts of a written secret. Of a database's URL everything but the password is no secret."""
    found = pieces(FORMS[form](SECRETS[kind]))
    return found - pieces(FORMS[form](DSN.replace(DSN_PASSWORD, "x" * len(DSN_PASSWORD)))) if kind == "dsn" else found


def kept(form: str, kind: str, shown: str) -> bool:
    """Whether a shown text still holds a part of a written secret."""
    return any(piece in shown for piece in traces(form, kind))


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_secret_is_shown(form: str, kind: str) -> None:
    here, written = knowing(), FORMS[form](SECRETS[kind])
    shown = here.text(f"before {written} after")
    assert not kept(form, kind, shown)
    assert any(mark in shown for mark in ("[withheld]", "{{", "***")), "what is withheld is marked"
    assert here.find(shown) == []
    assert here.find({"title": written}), "the gate finds it where nothing withholds it"


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_secret_is_shown_as_an_id(form: str, kind: str) -> None:
    here, written = knowing(), FORMS[form](SECRETS[kind])
    assert here.members({"order_id": written}) == ({"order_id": "[withheld]"}, ["order_id"])
    assert here.kept({"order_id": written}) == {"order_id": "[withheld]"}


@pytest.mark.parametrize("text", HARMLESS)
def test_a_text_that_only_looks_like_a_secret_stays_readable(text: str) -> None:
    here = knowing()
    assert here.text(text) == text
    assert here.kept({"observed": text}) == {"observed": text}
    assert here.find({"title": text}) == []
