"""Where a page stands in its list."""

from __future__ import annotations

from veza.models._base import Model, Natural, Positive


class Meta(Model):
    """Where a page stands in its list."""

    page: Positive
    """This page's number, from 1."""
    per_page: Positive
    """How many items a page holds."""
    total: Natural
    """How many items the list holds."""
    total_pages: Natural
    """How many pages the list has."""
