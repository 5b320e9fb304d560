"""Says what is wrong with a fault switch."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from veza_e2e.cli.nearest import nearest
from veza_e2e.cli.output import Exit, Stop
from veza_e2e.rehearsal_process import known_faults


def wrong_fault(error: ValueError, faults: Sequence[str], *command: str) -> Stop:
    """Say what is wrong with a fault switch, and which one was meant.

    Args:
        error: what its reader says.
        faults: the switches that were given.
        command: the command that they were given to.
    """
    known = known_faults()
    names = [fault.partition("=")[0] for fault in faults]
    unknown = next((name for name in names if name not in known), None)
    close = nearest(unknown or "", known)
    if unknown is None or close is None:
        return Stop(Exit.USAGE, str(error), f"see: {shlex.join(['veza-e2e', *command, '--help'])}")
    hint = f"did you mean: {shlex.join(['veza-e2e', *command, '--fault', close])}"
    return Stop(Exit.USAGE, f"there is no fault switch {unknown!r:.40}", hint)
