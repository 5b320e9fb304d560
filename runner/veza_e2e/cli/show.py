"""`show`: shows one session, step by step."""

from __future__ import annotations

import click

from veza_e2e.cli.lookup import stored_session, summary_of
from veza_e2e.cli.output import Invocation, document, labelled
from veza_e2e.cli.session_line import due_line, session_line


@click.command()
@click.argument("session")
@click.pass_obj
def show(invocation: Invocation, session: str) -> None:
    """Show one session, step by step."""
    stored = stored_session(invocation, session)
    summary = summary_of(stored)
    if invocation.json:
        document(summary.to_json(stored.paths))
        return
    labelled(f"{stored.session}  ", session_line(invocation, summary, due=False))
    for step in summary.steps:
        labelled(f"  {step.number} {step.name:<10} {step.status:<8} ", step.observed)
        if step.status == "failed":
            labelled("      ", f"{step.meaning or ''} {step.todo or ''}")
    click.echo("")
    for item in summary.acceptance:
        labelled(f"  {item.status.replace('_', ' '):<15} ", f"{item.title}: {item.reason}")
    click.echo("")
    labelled("", f"{summary.decision}: {summary.reason}")
    due = due_line(invocation, summary)
    if due is not None:
        labelled("due: ", due)
    click.echo(stored.paths["report"])
