"""`python -m veza_rehearsal`: runs the rehearsal backend as a process of its own.

Whoever starts it waits for it, so that it imports no more than it needs.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from veza_rehearsal.defaults import DEFAULT_EMAIL, DEFAULT_PASSWORD
from veza_rehearsal.faults import parse_fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from veza_rehearsal.faults import Fault


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes or standard input ends.

    Args:
        arguments: The command line; None takes the process's own.

    Returns:
        The exit code: 0, or 2 if it cannot start.
    """
    options = _parser().parse_args(arguments)
    # PyJWT imports it where it is installed, for algorithms that are not used here.
    sys.modules.setdefault("cryptography", None)  # type: ignore[arg-type]
    gc.disable()  # of what an import makes nothing is garbage

    from veza_rehearsal import app, contract, server, store  # noqa: PLC0415 - as above
    from veza_rehearsal.accounts import Operator  # noqa: PLC0415
    from veza_rehearsal.api import OPERATIONS  # noqa: PLC0415
    from veza_rehearsal.backend import Backend, Settings  # noqa: PLC0415

    gc.enable()
    operator = Operator(
        email=os.environ.get("OPERATOR_EMAIL") or DEFAULT_EMAIL,
        password=os.environ.get("OPERATOR_PASSWORD") or DEFAULT_PASSWORD,
    )
    try:
        operations = contract.load(options.contract, OPERATIONS)
        database = store.connect(options.database)
        bound = server.listen(options.port)
        log = options.log.open("a", buffering=1, encoding="utf-8") if options.log else None
    except (OSError, ValueError) as error:
        print(f"the rehearsal backend cannot start: {error}", file=sys.stderr)  # noqa: T201 - it is a command
        return 2
    port = bound.getsockname()[1]
    with closing(database), log or nullcontext():
        settings = Settings(
            f"http://127.0.0.1:{port}", port, options.environment, operator, options.fault, options.seed
        )
        backend = Backend(database, settings, operations)
        application = app.build(backend, operations, log)
        server.serve(application, backend, bound, until_stdin_closes=options.until_stdin_closes)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m veza_rehearsal", description="The rehearsal backend, on loopback.")
    parser.add_argument("--contract", type=Path, required=True, help="the OpenAPI document, YAML or JSON")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--database", required=True, help="sqlite:///PATH or a PostgreSQL DSN")
    parser.add_argument("--environment", choices=["sandbox", "live"], default="sandbox")
    parser.add_argument("--fault", type=_fault, action="append", default=[], metavar="SWITCH")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when standard input ends")
    parser.add_argument("--seed", type=int, help="make ids, tokens and the clock repeatable")
    parser.add_argument("--log", type=Path, help="append a line of JSON for each request")
    return parser


def _fault(text: str) -> Fault:
    try:
        return parse_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
