"""`init`: writes a commented configuration, and what git should know of the folders."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import click

from veza_e2e import config
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items
from veza_e2e.journal import disk

_ATTRIBUTES = ("docs/archive/** -text", "cassettes/** -text")
"""Journals and recordings are checked byte by byte: git must not change their line ends."""
_FILE = """\
# What veza-e2e walks through, and what it may cost. Secrets never stand here: they come from OPERATOR_EMAIL,
# OPERATOR_PASSWORD, HYPERSWITCH_API_KEY and VEZA_DATABASE_URL, the keyring or a hidden prompt.
# `veza-e2e config show` says where each value comes from.

{staging}
{production}
[limits]
max_amount = {max_amount}\t# caps an order's total; another currency is over the limit
poll_timeout = "30m"\t# how long order and refund are waited for

[report]
{operator}\t# the name in the report
# canary_release = "https://…"\t# a link; also go_no_go, hyperswitch_dashboard, stripe_dashboard

# [signing]
# key = "~/.ssh/id_ed25519"\t# signs each manifest by itself
# allowed_signers = "…"\t# who may sign; outside the archive
"""
_ENVIRONMENT = """\
[env.{name}]
base_url = {url}\t# the part before /api/v1; https off loopback
expected_environment = {expected}\t# what /status must report, one of these
live = {live}\t# true: real money; `--live` is then required
idempotency = false\t# true where this backend honours Idempotency-Key
checkout_hosts = []\t# where the checkout page may be, such as ["pay.example.com"]
# hyperswitch_url = "https://…"\t# the processor's API, for the cross-check with HYPERSWITCH_API_KEY
# [env.{name}.ledger]\t# other names of seller_transfers and its columns
"""
_COMMENTS = 48
"""The column of the comments."""


@click.command()
@click.option("--staging", metavar="URL", help="The staging backend's address.")
@click.option("--production", metavar="URL", help="The production backend's address.")
@click.option(
    "--max-amount", default="10.00 EUR", show_default=True, metavar="AMOUNT", help="The most that an order may cost."
)
@click.option("--operator", metavar="NAME", help="Your name in the report.")
@click.pass_obj
def init(
    invocation: Invocation, *, staging: str | None, production: str | None, max_amount: str, operator: str | None
) -> None:
    """Write a commented veza-e2e.toml; ask for what is not given. An existing file is not overwritten.

    Also adds lines to .gitattributes, so that git does not change a journal's bytes, and makes the folder .veza-e2e,
    which git ignores.
    """
    path = invocation.config or config.CONFIG_FILE
    if path.exists():
        raise Stop(Exit.USAGE, f"{path} exists, and is not overwritten", "edit it, or name another: --config FILE")
    if staging is None and production is None and sys.stdin.isatty():
        staging = _asked("The staging backend's address (Enter: later)")
        production = _asked("The production backend's address (Enter: later)")
        operator = operator or _asked("Your name in the report (Enter: none)")
    text = _FILE.format(
        staging=_environment("staging", staging, live=False),
        production=_environment("prod", production, live=True),
        max_amount=json.dumps(max_amount),
        operator=f"operator = {json.dumps(operator, ensure_ascii=False)}" if operator else '# operator = "…"',
    )
    _written(path, _aligned(text))
    rows = [Item(str(path), "written", "secrets are never in it")]
    if missing := _attributes(path.parent):
        rows.append(Item(str(path.parent / ".gitattributes"), "written", ", ".join(missing)))
    disk.make_ignored(path.parent / config.STATE)
    first = "staging" if staging else "rehearsal"
    rows.append(Item("next", "try", replace(invocation, environment=first).command("preflight")))
    items(invocation, rows, ok=True)


def _asked(text: str) -> str | None:
    click.echo(f"{text}: ", err=True, nl=False)
    answer = sys.stdin.readline()
    if not answer:
        raise Stop(Exit.INCOMPLETE, "the input ended before there was an answer", "nothing was written")
    return answer.strip() or None


def _environment(name: str, url: str | None, *, live: bool) -> str:
    """Return the table of an environment; commented out if its address is not known."""
    shown = json.dumps(url or f"https://{'' if live else 'staging.'}example.com", ensure_ascii=False)
    expected = json.dumps([name, "production"] if live else [name])
    table = _ENVIRONMENT.format(name=name, url=shown, expected=expected, live="true" if live else "false")
    if url:
        return table
    return "".join(line if line.startswith("#") else f"# {line}" for line in table.splitlines(keepends=True))


def _aligned(text: str) -> str:
    """Return a text with what stands behind its tabs in one column."""
    lines = (line.partition("\t") for line in text.splitlines())
    return "".join(f"{code:<{_COMMENTS}}{comment}".rstrip() + "\n" for code, _, comment in lines)


def _written(path: Path, text: str) -> None:
    """Write the configuration, if it can be read."""
    try:
        config.check(path, text)
    except config.ConfigError as error:
        raise Stop(Exit.USAGE, str(error), "nothing was written; correct the option and try again") from error
    try:
        disk.create(path, text.encode())
    except FileExistsError as error:
        raise Stop(Exit.USAGE, f"{path} exists, and is not overwritten", "edit it") from error
    except OSError as error:
        raise Stop(
            Exit.FAILED, f"{path}: {error.strerror}", "make the folder writable, or name another file: --config FILE"
        ) from error


def _attributes(folder: Path) -> list[str]:
    """Add the lines that .gitattributes lacks, and return them."""
    path = folder / ".gitattributes"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    missing = [line for line in _ATTRIBUTES if line not in before.splitlines()]
    if missing:
        begun = before + ("\n" if before and not before.endswith("\n") else "")
        disk.replace(path, (begun + "".join(f"{line}\n" for line in missing)).encode())
    return missing
