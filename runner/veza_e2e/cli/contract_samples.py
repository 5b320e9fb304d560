"""`contract samples`: real answers and psql's tables in, every difference out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import click

from veza_contract import ledger_tables, matching
from veza_contract import samples as reading
from veza_contract.columns import Table
from veza_contract.findings import Change, Verdict
from veza_contract.judging import judge, ours
from veza_contract.ledger_tables import Mended, Wanted
from veza_contract.members import CHECKOUT_SETTING
from veza_contract.operations import base_path
from veza_contract.samples import Held, Sample
from veza_contract.sides import CONTRACT_FILE
from veza_e2e.bootstrap import known_secrets
from veza_e2e.canonical import JSON
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items, say
from veza_e2e.config import REHEARSAL, ConfigError, load, read_secrets
from veza_e2e.ledger_names import NEEDED, ORDERS, TRANSFERS, Kind, LedgerNames, TableNames
from veza_e2e.redaction import Redactor


def report(invocation: Invocation, paths: tuple[Path, ...], named: tuple[str, ...], words: tuple[str, ...]) -> int:
    """Read the files, print what differs, and return the exit code.

    Args:
        invocation: the global options.
        paths: files and folders.
        named: `OP=FILE`.
        words: `OP="METHOD /path"`.
    """
    said = [_named(word) for word in named]
    if not paths and not said:
        raise click.UsageError("there is nothing to read: give files or folders")
    try:
        mapped = matching.kept() | (given := dict(matching.entry(word) for word in words))
        environment = load(invocation.environment, config=invocation.config).environment
    except (matching.MapError, ConfigError) as error:
        raise click.UsageError(str(error)) from error
    _known([*mapped, *(name for _, name in said)])
    if given:
        matching.keep(mapped)
        say(f"The map is kept in {matching.MAP_FILE}.")
    told = {path.resolve(): name for path, name in said}
    result = _Report(invocation, environment.ledger, has_page=environment.checkout_page is not None)
    for path, own in reading.files([*paths, *(path for path, _ in said)]):
        result.add(reading.read(path, told.get(path.resolve(), ""), mapped), own=own)
    return result.end()


def _named(word: str) -> tuple[Path, str]:
    name, equals, file = word.partition("=")
    if not equals or not name or not file:
        raise click.BadParameter(f"{word!r:.80} is not like getOrder=answer.json", param_hint="--as")
    return Path(file), name


def _known(names: Sequence[str]) -> None:
    known = [*ours(), *reading.TABLES]
    for name in names:
        if name not in known:
            raise click.UsageError(f"{name!r:.60} is neither an operation nor a table of ours: {', '.join(known)}")


@dataclass
class _Report:
    """Collects what is to be said, and how it ends."""

    invocation: Invocation
    names: LedgerNames
    has_page: bool
    rows: list[Item] = field(default_factory=list)
    tables: list[tuple[str, Table]] = field(default_factory=list)
    judged: int = 0
    unread: int = 0

    def add(self, held: Held, *, own: bool) -> None:
        """Add what one file holds."""
        name = str(held.path)
        for operation, some in _grouped(held.samples).items():
            self.rows += self._judged(name, operation, some)
        self.tables += [(name, table) for table in held.tables]
        self.rows += [Item(name, "note", note) for note in held.notes]
        if held.problem == reading.FOREIGN and not own:
            self.rows.append(Item(name, "note", f"left out: {held.problem}"))
        elif held.problem:
            self.unread += 1
            self.rows.append(Item(name, "unread", held.problem))

    def _judged(self, name: str, operation: str, some: Sequence[Sample]) -> Iterator[Item]:
        bodies = [(one.status, body) for one in some if (body := one.answer) is not None]
        found = Counter(change for status, body in bodies for change in judge(operation, status, body))
        if self.has_page:
            found = Counter({one: count for one, count in found.items() if one.file != CHECKOUT_SETTING})
        self.judged += len(bodies)
        order = list(Verdict)
        told = [*_moved(some), *sorted(found, key=lambda change: order.index(change.verdict))]
        if bodies:
            yield Item(name, "differs" if _broken(told) else "ok", _taken(operation, some))
        if len(bodies) < len(some):
            lacking = f"{len(some) - len(bodies)} of {len(some)} answers of {operation} are not in the file"
            yield Item(name, "note", f"{lacking}: save the HAR with its contents")
        for change in told:
            count = f" (in {found[change]} of {len(bodies)} answers)" if len(bodies) > 1 and change in found else ""
            yield Item(name, str(change.verdict), f"{operation or 'error'} {change}{count}")

    def end(self) -> int:
        """Compare the tables, print everything, and return the exit code."""
        mended = self._tables() if self.tables else []
        broken = any(row.status in {"break", "differs"} for row in self.rows)
        environment = self.invocation.environment if self.invocation.environment != REHEARSAL else "staging"
        paste = ledger_tables.toml(environment, mended)
        clean = Redactor(known_secrets(read_secrets())).text
        rows = [
            Item(row.name, row.status, clean(row.message.replace("env.NAME", f"env.{environment}")))
            for row in self.rows
        ]
        if paste and self.invocation.json:
            rows.append(Item(f"env.{environment}.ledger", "mapping", paste))
        passed = bool(self.judged or self.tables) and not self.unread
        if not broken and not passed:
            self._stop(rows)
        items(self.invocation, rows, ok=not broken and passed)
        if paste and not self.invocation.json:
            click.echo(f"\n# For veza-e2e.toml; look at what is marked with a question:\n{paste}")
        return int(Exit.DIFFERS if broken else Exit.PASSED)

    def _stop(self, rows: Sequence[Item]) -> NoReturn:
        message = f"{self.unread} of the files could not be judged" if self.unread else "nothing in it can be judged"
        document: dict[str, JSON] = {
            "ok": False, "items": [{"name": r.name, "status": r.status, "message": r.message} for r in rows]
        }  # fmt: skip
        if not self.invocation.json:
            items(self.invocation, rows, ok=False)
        raise Stop(Exit.USAGE, message, "each says above why, and what to do", document)

    def _tables(self) -> list[Mended]:
        both = _wanted(self.names.transfers), _wanted(self.names.orders)
        found: dict[str, tuple[str, Table]] = {}
        for name, table in self.tables:
            role = ledger_tables.role_of(table, both)
            if not role or role in found:
                why = f"a second {role}" if role else "neither its name nor its columns tell which table of ours it is"
                self.unread += 1
                self.rows.append(Item(name, "unread", f"{table.label}: {why}; say so, --as seller_transfers=FILE"))
            else:
                found[role] = name, table
        mended = {}
        for wanted in both:
            if wanted.role in found:
                name, table = found[wanted.role]
                changes, mended[wanted.role] = ledger_tables.compare(table, wanted)
                broken = _broken(changes)
                self.rows.append(Item(name, "differs" if broken else "ok", f"{table.label}, taken for {wanted.role}"))
                self._say(name, changes)
                if not broken:
                    del mended[wanted.role]
            else:
                message = rf"not described, though the SQL reads it: save \d {wanted.table} as well"
                self.rows.append(Item(wanted.role, "note", message))
        self._joined(found, both, mended)
        return list(mended.values())

    def _joined(
        self, found: Mapping[str, tuple[str, Table]], both: tuple[Wanted, Wanted], mended: dict[str, Mended]
    ) -> None:
        """Say what the two tables, or a foreign key to the one that was not described, tell of each other."""
        if "seller_transfers" not in found:
            return
        name, transfers = found["seller_transfers"]
        foreign, key = (_real(wanted, column, mended) for wanted, column in zip(both, ("order_id", "id"), strict=True))
        if "orders" in found:
            changes = ledger_tables.joined(transfers, found["orders"][1], foreign, key)
        else:
            changes, mending = ledger_tables.referred(transfers, foreign, both[1])
            mended |= {"orders": mending} if changes else {}
        self._say(name, changes)

    def _say(self, name: str, changes: Sequence[Change]) -> None:
        self.rows += [Item(name, str(change.verdict), f"{change.operation} {change}") for change in changes]


def _broken(changes: Sequence[Change]) -> bool:
    return any(change.verdict is Verdict.BREAK for change in changes)


def _real(wanted: Wanted, column: str, mended: Mapping[str, Mended]) -> str:
    """The real name of a column: as psql has it, else as configured."""
    guessed = mended[wanted.role].values.get(column) if wanted.role in mended else None
    return str(guessed or wanted.real[column] or "")


def _grouped(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for one in samples:
        found.setdefault(one.operation, []).append(one)
    return found


def _taken(operation: str, some: Sequence[Sample]) -> str:
    answers = f"{len(some)} answers" if len(some) > 1 else "an answer"
    statuses = sorted({str(one.status) for one in some if one.status})
    shown = f" ({', '.join(statuses)})" if statuses else ""
    return f"{answers}{shown} of {operation}, {some[0].how}" if operation else f"{some[0].how}{shown}"


def _moved(some: Sequence[Sample]) -> Iterator[Change]:
    """Say which of a HAR's requests the SDK would send elsewhere."""
    for base in sorted({one.base for one in some if one.base}):
        message = f"the base path is {base}, ours {base_path()}"
        yield Change(Verdict.BREAK, some[0].operation, "", "base path", message, file=f"{CONTRACT_FILE} (servers)")
    for moved in sorted({one.moved for one in some if one.moved}):
        own = ours()[some[0].operation]
        path = own.path.removeprefix(base_path())
        if moved != f"{own.method} {path}":
            message = f"theirs is {moved}, ours {own.method} {path}"
            yield Change(Verdict.BREAK, own.id, "", "path", message, file=f"{CONTRACT_FILE} (paths)")


def _wanted(names: TableNames) -> Wanted:

    kinds: Mapping[str, Kind] = TRANSFERS if names.assumed == "seller_transfers" else ORDERS
    return Wanted(
        names.assumed, "" if kinds is TRANSFERS else "orders.", names.table, names.schema, kinds,
        {name: names.real(name) for name in kinds}, NEEDED[names.assumed], names.major,
    )  # fmt: skip
