"""The seller's transfers from a real PostgreSQL: psql's own output in each format, and no way to write."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import psycopg
import pytest
from front_door import ACCOUNT, Shell, pay
from surroundings import PATIENCE

from veza import SystemClock, Veza
from veza_e2e import ledger_names
from veza_e2e.config import Secrets, load
from veza_e2e.ports import seller_transfers as ledger
from veza_e2e.ports.ledger import DatabaseLedger
from veza_e2e.rehearsal_process import rehearsal_account, run_backend

pytestmark = [pytest.mark.process, pytest.mark.real_clock]

ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"
NOTHING = "00000000-0000-4000-8000-000000000000"
PIPED = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3e"
ODD = "tab\there, quote \" ' and\nnext line"
TABLES = """
CREATE TABLE orders (id uuid PRIMARY KEY, total_amount_cents bigint, tax_amount_cents bigint, currency char(3));
CREATE TABLE seller_transfers (
  id uuid PRIMARY KEY, order_id uuid, seller_id uuid, stripe_transfer_id text, amount_cents bigint,
  platform_fee_cents bigint, currency char(3), status text, reversed_amount_cents bigint, stripe_reversal_id text,
  error_message text, created_at timestamptz DEFAULT now());
"""


def program(name: str) -> str:
    """Find a program of PostgreSQL, which Debian keeps off the path."""
    found = [*map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), shutil.which(name)]
    for path in found:
        if path is not None:
            return path
    pytest.fail(f"{name} is missing; run: apt-get install --yes postgresql")


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    """A server in a folder of its own, with one order of two transfers and one of none."""
    folder = Path(tempfile.mkdtemp(prefix="veza-ledger-"))
    owner = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if owner:
        shutil.chown(folder, owner)
    initdb = [
        program("initdb"),
        "--auth=trust",
        "--username=veza",
        "--no-sync",
        "--encoding=UTF8",
        "--locale=C",
        "data",
    ]
    subprocess.run(initdb, cwd=folder, user=owner, check=True, stdout=subprocess.DEVNULL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
    command = [program("postgres"), "-D", "data", *(f"--{name}={value}" for name, value in options.items())]
    with subprocess.Popen(command, cwd=folder, user=owner, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stderr is not None
        assert any("ready to accept connections" in line for line in process.stderr)
        url = f"postgresql://veza@127.0.0.1:{port}/postgres"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(TABLES.encode())
            for order in (ORDER, NOTHING, PIPED):
                connection.execute("INSERT INTO orders VALUES (%s, 1000, 0, 'EUR')", (order,))
            booked = ((ORDER, 900, None), (ORDER, 50, ODD), (PIPED, 1, "a | b\tc"))
            for number, (order, cents, message) in enumerate(booked, 1):
                connection.execute(
                    "INSERT INTO seller_transfers VALUES (%s, %s, NULL, %s, %s, 25, 'EUR', 'completed', 0, NULL, %s)",
                    (f"00000000-0000-4000-8000-00000000000{number}", order, f"tr_{number}", cents, message),
                )
        yield url
        process.terminate()
        process.stderr.read()
    shutil.rmtree(folder)


def psql(dsn: str, order: str, *settings: str) -> str:
    """What the operator sees: the script typed into psql, as it is shown."""
    commands = "\n".join([*(f"\\pset {setting}" for setting in settings), ledger.script(order)])
    done = subprocess.run(
        [program("psql"), "--no-psqlrc", dsn],
        input=commands,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=True,
    )
    return done.stdout


FORMATS = {
    "aligned": (), "with borders": ("border 2",), "without borders": ("border 1",), "expanded": ("expanded on",),
    "csv": ("format csv",), "nulls shown": ("null (null)",), "timing": ("footer off",),
    "expanded with borders of the old kind": ("expanded on", "border 1"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
def test_what_psql_prints_is_read_as_what_is_in_the_table(dsn: str, form: str) -> None:
    rows = ledger.parse(psql(dsn, ORDER, *FORMATS[form]))
    amounts = [
        (row["amount_cents"], row["platform_fee_cents"], row["status"], row["transfer_currency"]) for row in rows
    ]
    assert amounts == [(900, 25, "completed", "EUR"), (50, 25, "completed", "EUR")]
    assert {(row["order_id"], row["unexplained_cents"], row["stripe_reversal_id"]) for row in rows} == {
        (ORDER, 0, None)
    }
    assert rows[0]["error_message"] is None


@pytest.mark.parametrize("form", [*FORMATS, "unaligned", "unaligned with tabs"])
def test_an_order_without_transfers_is_seen_as_such(dsn: str, form: str) -> None:
    more = {"unaligned": ("format unaligned",), "unaligned with tabs": ("format unaligned", "fieldsep '\\t'")}
    (row,) = ledger.parse(psql(dsn, NOTHING, *(FORMATS | more)[form]))
    assert (row["order_id"], row["amount_cents"], row["unexplained_cents"]) == (NOTHING, None, 1000)


@pytest.mark.parametrize("separator", [(), ("fieldsep '\\t'",)])
def test_a_cell_that_holds_the_separator_is_refused_and_not_misread(dsn: str, separator: tuple[str, ...]) -> None:
    with pytest.raises(ledger.PasteError, match="format csv"):
        ledger.parse(psql(dsn, PIPED, "format unaligned", *separator))
    with pytest.raises(ledger.PasteError, match="format csv"):
        ledger.parse(psql(dsn, PIPED))
    (row,) = ledger.parse(psql(dsn, PIPED, "format csv"))
    assert row["error_message"] == "a | b\tc"


def test_the_database_and_psql_tell_the_same(dsn: str) -> None:
    read = DatabaseLedger(dsn).rows(ledger.query(ORDER), ORDER)
    assert read is not None
    pasted = ledger.parse(psql(dsn, ORDER, "format csv"))
    numbers = [name for name in ledger.COLUMNS if name.endswith("_cents")]
    assert [[row[name] for name in numbers] for row in read] == [[row[name] for name in numbers] for row in pasted]
    assert [row["error_message"] for row in read] == [None, ODD]
    assert all(isinstance(row[name], int) for row in read for name in numbers)


@pytest.mark.parametrize(
    "write",
    [
        "UPDATE seller_transfers SET amount_cents = 0 RETURNING *",
        "DELETE FROM seller_transfers RETURNING *",
        "INSERT INTO orders VALUES (gen_random_uuid(), 1, 0, 'EUR') RETURNING *",
        "CREATE TABLE ours (id int); SELECT 1",
        "COMMIT; BEGIN READ WRITE; DELETE FROM seller_transfers; COMMIT; SELECT 1 AS order_id",
    ],
)
def test_a_write_is_refused(dsn: str, write: str) -> None:
    assert DatabaseLedger(dsn).rows(write, ORDER) is None
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT count(*), sum(amount_cents) FROM seller_transfers").fetchone() == (3, 951)
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (3,)


@pytest.mark.parametrize("type_", ["numeric(12,2)", "double precision", "money", "text"])
def test_an_amount_in_other_units_is_never_counted_as_minor_units_nor_as_nothing(dsn: str, type_: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE other AS SELECT id, amount_cents::{type_} AS amount FROM seller_transfers")
        connection.execute("ALTER TABLE seller_transfers RENAME amount_cents TO kept")
        connection.execute(f"ALTER TABLE seller_transfers ADD amount {type_}")
        connection.execute("UPDATE seller_transfers t SET amount = other.amount FROM other WHERE other.id = t.id")
        try:
            names = ledger_names.read({"amount_cents": "amount", "orders": {"total_amount_cents": False}})
            assert DatabaseLedger(dsn).rows(ledger.query(ORDER, names), ORDER) is None
            names = ledger_names.read({"amount_cents": "amount", "major_units": ["amount_cents"]})
            read = DatabaseLedger(dsn).rows(ledger.query(ORDER, names), ORDER)
            assert (type_ == "text") or (read is not None and [row["amount_cents"] for row in read] == [90000, 5000])
        finally:
            connection.execute("ALTER TABLE seller_transfers DROP amount; DROP TABLE other")
            connection.execute("ALTER TABLE seller_transfers RENAME kept TO amount_cents")


@pytest.mark.parametrize("dsn_like", ["postgresql://veza:hunter22@127.0.0.1:1/none", "not a dsn", "postgresql://[::1"])
def test_a_database_that_cannot_be_reached_leaves_the_operator_to_paste(
    dsn_like: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert DatabaseLedger(dsn_like).rows(ledger.query(ORDER), ORDER) is None
    assert "hunter22" not in "".join(capfd.readouterr())


def test_the_query_fits_the_rehearsal_backends_own_tables(dsn: str, tmp_path: Path) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE rehearsal")
    own = dsn.removesuffix("postgres") + "rehearsal"
    account = rehearsal_account(Secrets())
    with (
        run_backend(tmp_path, account, database=own) as backend,
        Veza(backend.base_url, email=account.email, password=account.password) as api,
    ):
        product = next(iter(api.products.list().data))
        placed = api.orders.create(items=[product.id])
        pay(placed.checkout_url)
        api.orders.wait_until(placed.order.id, lambda order: order.completed_at is not None, deadline=10)
        order_id = placed.order.id
        read = DatabaseLedger(own).rows(ledger.query(order_id), order_id)
        pasted = ledger.parse(psql(own, order_id, "format csv"))
    assert read is not None
    assert [row["amount_cents"] for row in read] == [row["amount_cents"] for row in pasted]
    assert [row["unexplained_cents"] for row in (*read, *pasted)] == [0, 0]


RENAMED = """
CREATE SCHEMA billing;
CREATE SCHEMA shop;
CREATE VIEW billing."Payouts" AS SELECT id AS payout_id, order_id AS "order", seller_id, stripe_transfer_id,
  amount_cents / 100.0 AS amount, platform_fee_cents, currency, status, reversed_amount_cents AS reversed_cents,
  stripe_reversal_id, error_message AS failure_reason, created_at FROM seller_transfers;
CREATE VIEW shop.purchases AS SELECT id, total_amount_cents AS total_cents, currency FROM orders;
CREATE ROLE reader LOGIN;
GRANT USAGE ON SCHEMA billing, shop TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA billing, shop TO reader;
"""
NAMES = """
[env.staging.ledger]
schema = "billing"
table = "Payouts"
id = "payout_id"
order_id = "order"
amount_cents = "amount"
reversed_amount_cents = "reversed_cents"
error_message = "failure_reason"
major_units = ["amount_cents"]

[env.staging.ledger.orders]
schema = "shop"
table = "purchases"
total_amount_cents = "total_cents"
tax_amount_cents = false
"""


@pytest.fixture
def renamed(dsn: str, tmp_path: Path) -> Iterator[tuple[Shell, dict[str, str]]]:
    """A backend whose tables only a reader can see, under other names; and a shell that is configured for it."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE renamed")
    own = dsn.removesuffix("postgres") + "renamed"
    shell = Shell(tmp_path, SystemClock())
    account = rehearsal_account(Secrets())
    try:
        with run_backend(tmp_path / "backend", account, database=own) as backend:
            with psycopg.connect(own, autocommit=True) as connection:
                connection.execute(RENAMED.encode())
            shell.configure("staging", backend.base_url, reports="sandbox")
            yield shell, ACCOUNT | {"VEZA_DATABASE_URL": own.replace("veza@", "reader@")}
    finally:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("DROP DATABASE renamed WITH (FORCE)")
            connection.execute("DROP ROLE IF EXISTS reader")


def walk(shell: Shell, env: dict[str, str], *words: str) -> tuple[dict[str, Any], str]:
    """Walk with a refund, the operator pasting nothing; return the session as JSON, and its journal."""
    terminal = shell.spawn("--env", "staging", "run", "--refund", *words, env=env)
    terminal.expect("Which one do you buy")
    terminal.sendline("1")
    terminal.expect(r"checkout page is at [^:]+: (\S+)")
    url = str(terminal.match[1])  # type: ignore[index]
    terminal.expect("Enter = paid")
    pay(url)
    terminal.sendline("")
    terminal.expect(pexpect.EOF)
    terminal.close()
    (journal,) = shell.folder.rglob("journal.jsonl")
    document = shell("--env", "staging", "--json", "show", journal.parent.name).json
    return document, journal.read_text(encoding="utf-8")


def test_a_backend_with_other_names_is_walked_through_by_the_configuration(
    renamed: tuple[Shell, dict[str, str]],
) -> None:
    shell, env = renamed
    with (shell.folder / "veza-e2e.toml").open("a", encoding="utf-8") as config:
        config.write(NAMES)
    document, journal = walk(shell, env)
    assert document["outcome"] == "passed", document
    rules = {row["id"]: row["status"] for row in document["reconciliation"]}
    assert (rules["R2"], rules["R5"]) == ("equal", "equal")
    assert 'FROM \\"shop\\".\\"purchases\\" o LEFT JOIN \\"billing\\".\\"Payouts\\" t' in journal
    assert '"source":"database"' in journal


def test_a_table_without_fees_and_reversals_leaves_both_rules_unchecked_and_not_equal(
    renamed: tuple[Shell, dict[str, str]],
) -> None:
    shell, env = renamed
    none = NAMES.replace('reversed_amount_cents = "reversed_cents"', "reversed_amount_cents = false")
    with (shell.folder / "veza-e2e.toml").open("a", encoding="utf-8") as config:
        config.write(none.replace("major_units", "platform_fee_cents = false\nmajor_units"))
    document, _ = walk(shell, env, "--record", "renamed")
    assert document["outcome"] == "passed", document
    assert shell("--json", "replay", "renamed").code == 0, "a recording knows which columns there are"
    rules = {row["id"]: row["status"] for row in document["reconciliation"]}
    assert (rules["R2"], rules["R5"]) == ("not_checked", "not_checked")
    items = {item["id"]: item["status"] for item in document["acceptance"]}
    assert items["transfer_booked"] == "not_checked"


DESCRIBED = {
    "as it comes": (r'\d billing."Payouts"', r"\d shop.purchases"),
    "with more": (r'\d+ billing."Payouts"', r"\d+ shop.purchases"),
    "with borders of another kind": (r"\pset border 2", r"\pset linestyle unicode", r"\d billing.*", r"\d shop.*"),
    "from information_schema, as CSV": (
        r"\pset format csv",
        (
            "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema IN ('billing', 'shop') ORDER BY ordinal_position"
        ),
    ),
}


@pytest.mark.parametrize("form", DESCRIBED)
def test_what_psql_says_of_the_tables_becomes_the_configuration_that_fits_them(
    renamed: tuple[Shell, dict[str, str]], form: str
) -> None:
    shell, env = renamed
    command = [program("psql"), "--no-psqlrc", env["VEZA_DATABASE_URL"]]
    words = [word for one in DESCRIBED[form] for word in ("-c", one)]
    described = subprocess.run(
        [*command, *words], capture_output=True, encoding="utf-8", timeout=PATIENCE, check=True
    ).stdout
    (shell.folder / "tables.txt").write_text(described, encoding="utf-8")
    done = shell("--env", "staging", "--json", "contract", "samples", "tables.txt")
    assert done.code == 5, done.stdout
    *_, mapping = done.json["items"]
    assert mapping["name"] == "env.staging.ledger"
    with (shell.folder / "veza-e2e.toml").open("a", encoding="utf-8") as config:
        config.write(f"\n{mapping['message']}\n")
    done = shell("--env", "staging", "--json", "contract", "samples", "tables.txt")
    assert done.code == 0, done.stdout
    names = load("staging", config=shell.folder / "veza-e2e.toml").environment.ledger
    assert (names.transfers.relation, names.orders.relation) == ('"billing"."Payouts"', '"shop"."purchases"')
    with psycopg.connect(env["VEZA_DATABASE_URL"]) as connection:
        assert connection.execute(ledger.query(NOTHING, names).encode()).fetchall() == []
