"""An example for the help of each command that does something."""

from __future__ import annotations

from collections.abc import Mapping

import click

EXAMPLES: Mapping[str, str] = {
    "init": "init --staging https://staging.example.com",
    "config show": "--env staging config show",
    "preflight": "--env prod preflight --live",
    "run": "--env staging run --release 2026.12",
    "resume": "--env staging resume latest",
    "abandon": '--env staging abandon latest --reason "the card was lost"',
    "rows": "--env prod rows latest --file rows.csv",
    "sessions": "sessions --limit 5",
    "show": "show latest",
    "open": "open latest",
    "bank": '--env prod bank latest --seen credit --date 2026-12-08 --amount "5.00 EUR"',
    "attest": '--env prod attest ex-9 --by "A. Person" --release 2026.12',
    "release": "--env prod release 2026.12 --markdown",
    "render": "render latest --single-file session.html",
    "verify": "verify --all",
    "sign": "sign latest --key ~/.ssh/id_ed25519",
    "replay": "replay --junit results.xml",
    "cassettes keep": "cassettes keep latest staging-refund",
    "cassettes check": "cassettes check",
    "contract diff": "contract diff --spec openapi.yaml",
    "contract test": "contract test --base-url https://staging.example.com",
    "contract samples": "contract samples answers.har",
    "contract coverage": "contract coverage",
    "rehearsal serve": "rehearsal serve --fault webhook_lost",
    "site build": "site build --into docs/payments",
    "site serve": "site serve --port 0",
}
"""The words behind `veza-e2e`, by the command's name."""


def exemplify(command: click.Command, name: str) -> None:
    """Put the example into the help of a command, and of those below it."""
    if isinstance(command, click.Group):
        for below, one in command.commands.items():
            exemplify(one, f"{name} {below}")
        command.epilog = f"Example: veza-e2e {name} {next(iter(command.commands))} --help"
    elif name in EXAMPLES:
        command.epilog = f"Example: veza-e2e {EXAMPLES[name]}"
