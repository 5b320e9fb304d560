"""`contract test`: what a running backend proves of the contract, and what it leaves open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import click
import httpx

from veza import APIConnectionError, Veza, VezaError
from veza_contract import live
from veza_e2e.child import child_environment
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items, say
from veza_e2e.config import read_secrets
from veza_e2e.config_values import is_loopback
from veza_e2e.frozen import dataclass
from veza_e2e.preflight.liveness import judge, mode_of
from veza_e2e.preflight.told import told
from veza_e2e.redaction import Redactor

REPORTS: Final = Path("build/contract-test")
# Production allows 30 a minute, 500 reads and 30 writes an hour; it bans an address for more than 100 a minute.
_PACE: Final = "20/min"
_WRITE_PACE: Final = "14/hour"
_HINT: Final = "writes are only ever tested where everything says that the backend is a test one"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line."""

    base_url: str
    write: bool
    rate_limit: str | None
    examples: int
    seed: int | None


def report(invocation: Invocation, asked: Asked) -> int:
    """Test the backend, print what was proven, and return the exit code."""
    address = _backend(asked.base_url)
    here = is_loopback(httpx.URL(address).host)
    said = asked.rate_limit or (None if here else _PACE)
    try:
        limit = None if said is None else live.rate(said)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--rate-limit") from error
    _refuse(address, write=asked.write)
    token = read_secrets().access_token
    plan = live.Plan(
        address, token, asked.write, limit, asked.examples, asked.seed,
        write_rate=None if here or asked.rate_limit else live.rate(_WRITE_PACE), known=_known(address, token),
        environment=child_environment(), redaction=_redaction,
    )  # fmt: skip
    what = "reads and writes" if plan.write else "nothing but GET and HEAD"
    account = "with a token" if token else "public operations only, as VEZA_ACCESS_TOKEN is not set"
    say(f"Testing {address}: {what}, {account}, {'at most ' + said if said else 'as fast as it answers'}.")
    return _told(invocation, live.check(plan, REPORTS))


def _told(invocation: Invocation, outcome: live.Outcome) -> int:
    rows = [Item(one.name, one.status, one.message) for one in outcome.found]
    if outcome.code not in {0, 1} and not outcome.notes and not outcome.cut:
        rows = [Item("schemathesis", "error", f"ended with {outcome.code}; see {outcome.transcript}"), *rows]
    if outcome.cut:
        rows.append(Item("the run", "not shown", f"{outcome.cut}: what stands here is what was found so far"))
    items(invocation, rows, ok=outcome.proven)
    junit = f"JUnit: {outcome.report}; " if outcome.report.exists() else ""
    say(f"{junit}the requests to repeat a failure: {outcome.transcript}")
    if outcome.cut == live.INTERRUPTED:
        return int(Exit.INTERRUPTED)
    if outcome.failed or any(row.status == "error" for row in rows):
        return int(Exit.DIFFERS)
    return int(Exit.PASSED if outcome.proven else Exit.INCOMPLETE)


def _redaction(secrets: Mapping[str, str]) -> Callable[[str], str]:
    return Redactor(secrets).text


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
    """Stop before any test if no backend answers, or if writes might move real money."""
    try:
        with Veza(address, max_retries=0) as veza:
            status = told(veza)
    except APIConnectionError as error:
        raise Stop(Exit.REFUSED, f"{address} cannot be reached: {error.message}", "is the URL right?") from error
    except VezaError as error:
        if write:
            raise Stop(Exit.REFUSED, f"--write: /status cannot be read: {error.message}", _HINT) from error
        return
    if not write:
        return
    taken = judge(status.environment, sorted(n for n, mode in status.modes.items() if mode_of(mode) == "live"), None)
    unclear = [name for name, mode in status.modes.items() if mode_of(mode) != "test"]
    if taken.live:
        raise Stop(Exit.REFUSED, f"--write: {status.environment!r} may be real money: {taken.reason}", _HINT)
    if unclear:
        raise Stop(
            Exit.REFUSED, f"--write: the mode of {', '.join(sorted(unclear))} does not say that it is a test", _HINT
        )


def _known(address: str, token: str | None) -> dict[str, str]:
    """Return a product and an order that the backend has, so that asking for one can succeed."""
    found: dict[str, str] = {}
    with Veza(address, access_token=token, max_retries=0) as veza:
        with suppress(VezaError):
            for product in veza.products.list(limit=1).data[:1]:
                found["product_id"] = str(product.id)
        if token:
            with suppress(VezaError):
                for order in veza.orders.list(limit=1).data[:1]:
                    found["order_id"] = str(order.id)
    return found
