"""What a step hands on survives the journal: an id that came as an integer is sent back as one after a resume."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from veza import IntegerId
from veza_e2e.canonical import JSON, dumps
from veza_e2e.steps.results import ChosenProduct, PlacedOrder


@pytest.mark.parametrize("product_id", ["prd_1", "15", "0015", IntegerId("15"), IntegerId(10**30)])
def test_an_id_comes_back_from_the_journal_as_it_came(product_id: str) -> None:
    chosen = ChosenProduct(product_id, "Night Drive", 500, "EUR", None, "7")
    again = ChosenProduct.from_json(cast("dict[str, Any]", json.loads(dumps(chosen.to_json()))))
    assert again == chosen
    assert type(again.product_id) is type(product_id)


def test_what_was_withheld_names_nothing_where_nothing_need_be_named() -> None:
    placed: dict[str, JSON] = {
        "order_id": "[withheld]", "payment_id": "[withheld]", "total_cents": 500, "tax_cents": 0, "currency": "EUR",
        "checkout_url": "https://pay.veza.test", "of_a_later_version": 1,
    }  # fmt: skip
    again = PlacedOrder.from_json(placed)
    assert (again.order_id, again.payment_id) == ("[withheld]", None)
    assert (again.adopted, again.discount_cents, again.tax_told) == (False, 0, True)
    assert again.observed == "order [withheld], 5.00 EUR"
