"""`contract`: compares the contract with other specs, tests a backend against it, counts coverage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from veza import Veza
from veza._session import issued
from veza_contract.operations import document
from veza_e2e.child import child_environment
from veza_e2e.cli.lookup import home, settings_of
from veza_e2e.cli.output import Exit, Invocation, Item, items, say
from veza_e2e.cli.writing import check_place, write_file
from veza_e2e.config import Secrets
from veza_e2e.journal import disk
from veza_e2e.redaction import Redactor
from veza_e2e.rehearsal_process import rehearsal_account, run_backend

if TYPE_CHECKING:
    from veza_contract.coverage import Counts, Row

CASSETTES = Path("cassettes")


@click.group()
def contract() -> None:
    """Compare the contract with a backend, or with another spec."""


def _redaction(secrets: Mapping[str, str]) -> Callable[[str], str]:
    return Redactor(secrets).text


@contract.command()
@click.option("--base-url", required=True, metavar="URL", help="The backend, without /api/v1.")
@click.option("--write", is_flag=True, help="Send writes too. Refused unless all signs say that it is a test backend.")
@click.option(
    "--rate-limit",
    "rate_limit",
    metavar="N/UNIT",
    help="The most requests to send. [default: 20/min; no limit on this machine]",
)
@click.option("--examples", default=20, show_default=True, type=click.IntRange(1, 10_000), help="For each operation.")
@click.option("--seed", type=click.IntRange(0), help="Makes a run repeatable.")
@click.pass_obj
def test(
    invocation: Invocation, *, base_url: str, write: bool, rate_limit: str | None, examples: int, seed: int | None
) -> int:
    """Test a running backend with schemathesis.

    Sends only reads, unless --write is given; the login is never fuzzed. The token comes from VEZA_ACCESS_TOKEN;
    without one, only public operations are tested. An operation is proven by a success that the SDK reads. One
    failed: 5; none failed, and not all were proven: 4.
    """
    from veza_e2e.cli.contract_test import Asked, report  # noqa: PLC0415 - only this command needs it

    return report(invocation, Asked(base_url, write, rate_limit, examples, seed))


@contract.command()
@click.option(
    "--spec",
    "places",
    required=True,
    multiple=True,
    metavar="FILE|URL",
    help="OpenAPI 3.x or Swagger 2.0, JSON or YAML; several count as one.",
)
@click.option(
    "--map",
    "words",
    multiple=True,
    metavar='OP="METHOD /path"',
    help="Which of their operations is our OP. Kept in contract-map.toml.",
)
@click.option("--write", is_flag=True, help="Draft the new openapi.yaml from it.")
@click.option("--partial", is_flag=True, help="Compare only the operations that the spec has.")
@click.option(
    "--baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Leave out the differences in FILE: the --json output of an earlier comparison.",
)
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", help="How to print it.")
@click.pass_obj
def diff(
    invocation: Invocation,
    *,
    places: tuple[str, ...],
    words: tuple[str, ...],
    write: bool,
    partial: bool,
    baseline: Path | None,
    form: str,
) -> int:
    """Compare a backend's spec with the contract.

    Shows what would break this SDK (exit 5), what differs and what is new. Operations are matched by --map (kept in
    contract-map.toml), by method and path, or by operationId. A part that cannot be read is named; the rest is
    compared all the same.
    """
    from veza_e2e.cli.contract_diff import Options, report  # noqa: PLC0415 - only this command needs it

    return report(invocation, Options(places, words, write, partial, baseline, form))


@contract.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--as", "named", multiple=True, metavar="OP=FILE", help="Which operation, or table, a file is of.")
@click.option(
    "--map",
    "words",
    multiple=True,
    metavar='OP="METHOD /path"',
    help="Where OP is in a HAR. Kept in contract-map.toml.",
)
@click.pass_obj
def samples(invocation: Invocation, *, paths: tuple[Path, ...], named: tuple[str, ...], words: tuple[str, ...]) -> int:
    r"""Compare real answers, and psql's tables, with the contract.

    Exit 5 if something would break. PATH is a file or a folder: saved JSON, curl -i, a browser's HAR, psql's
    \d seller_transfers and \d orders. An answer is recognised by the HAR's request, by its file's name (getOrder.json,
    POST_orders.json), or by its shape. No value is printed, only names and kinds. With --env the tables are compared
    with that environment's names.
    """
    from veza_e2e.cli.contract_samples import report  # noqa: PLC0415 - only this command needs it

    return report(invocation, paths, named, words)


@contract.command()
@click.option("--write", "page", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a page.")
@click.pass_obj
def coverage(invocation: Invocation, *, page: Path | None) -> int:
    """Count the checks of each documented answer. Exit 5 if one is not covered."""
    from veza_contract import coverage as covering  # noqa: PLC0415 - only this command needs it
    from veza_contract import spec  # noqa: PLC0415

    if page is not None:
        check_place("--write", page, home(invocation))
    _keep_tables(settings_of(invocation).state)
    say("Asking the rehearsal backend; this takes half a minute.")
    answered, documented = _answers_of_the_rehearsal()
    recordings = sorted(path for path in CASSETTES.glob("*") if path.is_dir())
    rows = covering.rows(spec.read(document()), answered, covering.recorded(recordings))
    if page is not None:
        write_file("--write", page, covering.page(rows).encode(), home(invocation))
        say(f"Written: {page}")
    covered = [Item(f"{row.operation} {row.status}", _status(row), _directions(row)) for row in rows]
    complete = documented and all(row.covered for row in rows)
    items(invocation, covered, ok=complete)
    return int(Exit.PASSED if complete else Exit.DIFFERS)


def _keep_tables(state: Path) -> None:
    """Let the generator keep its tables in our folder, not in one of its own beside it."""
    from hypothesis.configuration import set_hypothesis_home_dir  # noqa: PLC0415 - only one command needs it

    disk.make_ignored(state)
    set_hypothesis_home_dir(state / "hypothesis")


def _answers_of_the_rehearsal() -> tuple[Counts, bool]:
    """Run schemathesis on a rehearsal backend; return its responses, and whether all were as documented."""
    from veza_contract import coverage as covering  # noqa: PLC0415 - only this command needs it
    from veza_contract import live  # noqa: PLC0415

    account = rehearsal_account(Secrets())
    with TemporaryDirectory() as scratch, run_backend(Path(scratch), account) as own:
        with Veza(own.base_url, email=account.email, password=account.password) as veza:
            token, _ = issued(veza.auth.login())
        plan = live.Plan(
            own.base_url, token.get_secret_value(), write=True, examples=covering.COUNT,
            environment=child_environment(), redaction=_redaction,
        )  # fmt: skip
        outcome, archive = live.ask_everything(plan, Path(scratch))
        for one in outcome.found:
            if one.status != "ok":
                say(f"c: {one.name}: {one.message}")
        return covering.answered(archive), outcome.passed


def _status(row: Row) -> str:
    return "covered" if row.covered else "open"


def _directions(row: Row) -> str:
    checks = f"a {row.sent}, b {row.read}, static {'yes' if row.typed else 'no'}, c {row.answered}, d {row.recorded}"
    return "; ".join([row.method or "no method", row.evidence, checks, *row.problems])
