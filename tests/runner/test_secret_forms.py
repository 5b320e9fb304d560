"""120 ways to write five kinds of secrets down: none gets through a text, an id or the gate."""

from __future__ import annotations

import pytest
from secret_forms import FORMS, HARMLESS, SECRETS
from secret_search import kept, knowing

from veza_e2e.redaction import Redactor

PARTS = {
    "percent of UTF-16", "hex dump", "every second escaped", "first two thirds", "last two thirds", "two halves apart",
    "base64 in binary",
}  # fmt: skip
"""Forms in which a secret is found by a part of it; a part is made of ASCII letters and digits."""
OTHER_LETTERS = ("Ήσυχες-Ενυδρίδες7 & 93 Πύλες", "密码很长很长很长很长很长很长", "Stille-Ötter7 & 93 Tore")  # noqa: RUF001 - Greek


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


@pytest.mark.parametrize("password", OTHER_LETTERS)
def test_a_password_in_other_letters_is_shown_in_no_whole_form(password: str) -> None:
    here = Redactor({"password": password})
    shown = {form: here.text(f"before {write(password)} after") for form, write in FORMS.items() if form not in PARTS}
    assert [form for form, text in shown.items() if FORMS[form](password) in text] == []


@pytest.mark.parametrize("text", HARMLESS)
def test_a_text_that_only_looks_like_a_secret_stays_readable(text: str) -> None:
    here = knowing()
    assert here.text(text) == text
    assert here.kept({"observed": text}) == {"observed": text}
    assert here.find({"title": text}) == []
