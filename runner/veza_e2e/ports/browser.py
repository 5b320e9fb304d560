"""Opens the checkout page in the operator's own browser."""

from __future__ import annotations

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
        if not self._window or not url.startswith(("https://", "http://")):
            return False
        import webbrowser  # noqa: PLC0415 - only where there is a window

        try:
            with for_a_persons_program():
                return webbrowser.open(url)
        except webbrowser.Error:
            return False
