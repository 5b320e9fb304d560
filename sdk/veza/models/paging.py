"""Where a page stands in its list."""

from __future__ import annotations

from veza.models._base import Model, Tally


class Meta(Model):
    """Where a page stands in its list. A count that is left out is 0, as Go leaves out zeros."""

    page: Tally = 0
    """This page's number, from 1."""
    per_page: Tally = 0
    """How many items a page holds."""
    total: Tally = 0
    """How many items the list holds."""
    total_pages: Tally = 0
    """How many pages the list has."""

    @property
    def pages(self) -> int:
        """How many pages the list has: as told, else as `total` and `per_page` make; 0 if neither tells."""
        if self.total_pages > 0 or self.per_page < 1:
            return self.total_pages
        return -(-self.total // self.per_page)
