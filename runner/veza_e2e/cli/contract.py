"""Commands on the contract: diff, test, coverage."""

from __future__ import annotations

from pathlib import Path

import click
import httpx

from veza import APIConnectionError, Veza, VezaError
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items, say
from veza_e2e.config import is_loopback, read_secrets

REPORTS = Path("build/contract-test")


@click.group()
def contract() -> None:
    """Hold the contract against a backend or against another spec."""


@contract.command()
@click.option("--base-url", required=True, metavar="URL", help="The backend, without /api/v1.")
@click.option("--write", is_flag=True, help="Send writes too; refused on a live environment.")
@click.option("--rate-limit", "rate_limit", default="90/min", show_default=True, metavar="N/UNIT", help="At most.")
@click.option("--examples", default=50, show_default=True, type=click.IntRange(1, 10_000), help="For each operation.")
@click.option("--seed", type=click.IntRange(0), help="Makes a run repeatable.")
@click.pass_obj
def test(
    invocation: Invocation, *, base_url: str, write: bool, rate_limit: str, examples: int, seed: int | None
) -> int:
    """Test a running backend with schemathesis: reads only, unless --write; the login is never fuzzed.

    The token comes from VEZA_ACCESS_TOKEN; without one, only public operations are tested.
    """
    from veza_e2e.contract import live  # noqa: PLC0415 - only this command needs it

    try:
        limit = live.rate(rate_limit)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--rate-limit") from error
    address = _backend(base_url)
    _refuse(address, write=write)
    plan = live.Plan(address, read_secrets().access_token, write, limit, examples, seed)
    what = "reads and writes" if write else "nothing but GET and HEAD"
    account = "with a token" if plan.token else "public operations only, as VEZA_ACCESS_TOKEN is not set"
    say(f"Testing {address}: {what}, {account}, at most {rate_limit}.")
    outcome = live.check(plan, REPORTS)
    rows = [Item(one.name, one.status, one.message) for one in outcome.found]
    if not rows:
        rows = [Item("schemathesis", "error", f"ended with {outcome.code} and no report; see {outcome.transcript}")]
    items(invocation, rows, ok=outcome.passed)
    say(f"JUnit: {outcome.report}; the requests to repeat a failure: {outcome.transcript}")
    return int(Exit.PASSED if outcome.passed else Exit.DIFFERS)


def _backend(base_url: str) -> str:
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, TypeError) as error:
        raise click.BadParameter("it is not a URL", param_hint="--base-url") from error
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query or url.fragment:
        raise click.BadParameter("it is not like https://staging.example.com", param_hint="--base-url")
    if url.scheme == "http" and not is_loopback(url.host):
        raise click.BadParameter("it must be https; plain http is for loopback only", param_hint="--base-url")
    return str(url).rstrip("/").removesuffix("/api/v1")


def _refuse(address: str, *, write: bool) -> None:
    """Stop before anything is tested: no backend there, or writes where real money may be."""
    hint = "writes are only ever tested where the backend itself says that it is not live"
    try:
        with Veza(address, max_retries=0) as veza:
            status = veza.system.status()
    except APIConnectionError as error:
        raise Stop(Exit.REFUSED, f"{address} cannot be reached: {error.message}", "is the URL right?") from error
    except VezaError as error:
        if write:
            raise Stop(Exit.REFUSED, f"--write: /status cannot be read: {error.message}", hint) from error
        return
    if write and status.is_live:
        raise Stop(Exit.REFUSED, f"--write: the environment is {status.environment!r}: real money", hint)
