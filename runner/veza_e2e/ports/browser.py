"""Opens pages in the operator's own browser."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from veza_e2e.child import for_a_persons_program


class PersonsBrowser:
    """Opens the checkout page in the operator's own browser.

    Args:
        window: whether a browser can open a window. A browser inside the terminal would take over the prompt.
    """

    by: Literal["operator", "script"] = "operator"

    def __init__(self, *, window: bool) -> None:
        self._window = window

    def open(self, url: str) -> bool:
        """See `protocols.Browser`."""
        return self._window and url.startswith(("https://", "http://")) and _opened(url)


def open_file(path: Path, *, window: bool) -> bool:
    """Open a file in the person's browser; return whether that could be done.

    Args:
        path: an absolute path.
        window: see `PersonsBrowser`.
    """
    return window and _opened(path.as_uri())


def _opened(address: str) -> bool:
    import webbrowser  # noqa: PLC0415 - only where there is a window

    try:
        with for_a_persons_program():
            return webbrowser.open(address)
    except webbrowser.Error:
        return False
