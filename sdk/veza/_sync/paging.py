# Written by sdk/generate.py; not edited by hand.
"""Lists that come in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeAlias, TypeVar

from veza._response import ResponseInfo
from veza.errors import InvalidResponseError
from veza.models.paging import Meta

_Result = TypeVar("_Result")
Fetch: TypeAlias = Callable[[int | None], _Result]
Item = TypeVar("Item")


class Page(Generic[Item]):
    """One page of a list. Iterating goes on through the pages that follow, asking for each when it is reached.

    An item that the next page has again, since the list grew meanwhile, is given once.

    Attributes:
        data: this page's items.
        meta: where the page stands.
        response_info: the answer that it came from.
    """

    __slots__ = ("_fetch", "data", "meta", "response_info")

    def __init__(
        self,
        data: tuple[Item, ...],
        meta: Meta,
        response_info: ResponseInfo,
        fetch: Fetch[Page[Item]],
    ) -> None:
        self.data: tuple[Item, ...] = data
        self.meta: Meta = meta
        self.response_info: ResponseInfo = response_info
        self._fetch = fetch

    def __repr__(self) -> str:
        return f"<page {self.meta.page} of {self.meta.pages}, {len(self.data)} items>"

    @property
    def has_next(self) -> bool:
        """Whether a page follows. An empty page ends the list, whatever its total says.

        Raises:
            InvalidResponseError: the page has items, and its `meta` does not say where it stands.
        """
        if not self.data:
            return False
        if self.meta.page < 1 or self.meta.pages < 1:
            raise InvalidResponseError(
                "whether a page follows cannot be read: the page has items, and its meta no page, or no count of pages",
                status_code=self.response_info.status_code,
                request_id=self.response_info.request_id,
            )
        return self.meta.page < self.meta.pages

    def next_page(self) -> Page[Item] | None:
        """Ask for the page that follows; None after the last.

        Raises:
            InvalidResponseError: the backend sent a page that was read already, or does not say whether one follows.
            VezaError: as the call that listed them.
        """
        if not self.has_next:
            return None
        page = self._fetch(self.meta.page + 1)
        if page.meta.page <= self.meta.page:
            raise InvalidResponseError(
                f"page {self.meta.page + 1} was asked for, page {page.meta.page} came",
                status_code=page.response_info.status_code,
                request_id=page.response_info.request_id,
            )
        return page

    def pages(self) -> Iterator[Page[Item]]:
        """Yield this page and those that follow, each when it is asked for."""
        page: Page[Item] | None = self
        while page is not None:
            yield page
            page = page.next_page()

    def __iter__(self) -> Iterator[Item]:
        seen: set[object] = set()
        for page in self.pages():
            for item in page.data:
                name = getattr(item, "id", None)
                if name is None or name not in seen:  # what was added meanwhile moves items to the next page
                    seen.add(name)
                    yield item
