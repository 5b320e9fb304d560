"""`preflight`: runs only the pre-flight checks."""

from __future__ import annotations

import click

from veza_e2e.canonical import JSON
from veza_e2e.cli import output
from veza_e2e.cli.begun import begun, blocked, gate_of_stage
from veza_e2e.cli.calling import translated
from veza_e2e.cli.lookup import settings_of
from veza_e2e.cli.output import Exit, Invocation
from veza_e2e.engine.start import Asked
from veza_e2e.journal.events import PreflightChecked


@click.command()
@click.option("--live", is_flag=True, help="Also check what a live run needs. Nothing is charged.")
@click.pass_obj
def preflight(invocation: Invocation, *, live: bool) -> int:
    """Run only the pre-flight checks. Read-only."""
    settings = settings_of(invocation)
    asked = Asked(live=live)
    with translated(invocation.command("preflight")), begun(invocation, settings, asked) as (stage, _):
        checks = [line.event for line in stage.journal.lines if isinstance(line.event, PreflightChecked)]
        gate = gate_of_stage(stage)
        if not invocation.json:
            return int(Exit.PASSED if gate.passed else Exit.REFUSED)
        items: list[JSON] = [{"name": c.name, "status": c.status, "message": c.message} for c in checks]
        if not gate.passed:
            raise blocked(stage, {"ok": False, "items": items})
        output.document({"ok": True, "items": items})
    return int(Exit.PASSED)
