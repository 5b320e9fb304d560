"""`python -m veza.testing`: a backend on loopback to try the client on. It keeps nothing, and Ctrl-C ends it."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from contextlib import suppress

from veza.testing._accounts import EMAIL, PASSWORD
from veza.testing._connect import serve
from veza.testing._obliging import ObligingBackend


def main() -> None:
    """Serve until Ctrl-C, after printing the variables that the documentation's examples read."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with serve(ObligingBackend()) as url, suppress(KeyboardInterrupt):
        variables = {"VEZA_URL": url, "OPERATOR_EMAIL": EMAIL, "OPERATOR_PASSWORD": PASSWORD}
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
        sys.stdout.writelines([*lines, "# Ctrl-C ends it.\n"])
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
