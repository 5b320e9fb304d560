"""`show`: shows one session, step by step."""

from __future__ import annotations

import click

from veza_e2e.cli.lookup import stored_session, summary_of
from veza_e2e.cli.output import Invocation, document
from veza_e2e.cli.session_line import session_line
from veza_e2e.ports.screen import plain


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
    click.echo(f"{stored.session}  {plain(session_line(invocation, summary))}")
    for step in summary.steps:
        click.echo(f"  {step.number} {step.name:<10} {step.status:<8} {plain(step.observed)}")
        if step.status == "failed":
            click.echo(f"      {plain(step.meaning or '')} {plain(step.todo or '')}")
    click.echo("")
    for item in summary.acceptance:
        click.echo(f"  {item.status.replace('_', ' '):<15} {item.title}: {plain(item.reason)}")
    click.echo(f"\n{summary.decision}: {plain(summary.reason)}\n{stored.paths['report']}")
