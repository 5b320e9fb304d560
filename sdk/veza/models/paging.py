"""Where a page stands in its list."""

from __future__ import annotations

from veza.models._base import Integer, Model


class Meta(Model):
    """Where a page stands in its list."""

    page: Integer
    """This page's number, from 1."""
    per_page: Integer
    """How many items a page holds."""
    total: Integer
    """How many items the list holds."""
    total_pages: Integer
    """How many pages the list has."""
