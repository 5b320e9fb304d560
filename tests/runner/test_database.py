"""The seller's transfers from a real PostgreSQL: psql's own output in each format, and no way to write."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pexpect
import psycopg
import pytest
from front_door import ACCOUNT, Shell, pay
from postgres import USER, Server, program
from surroundings import PATIENCE

from veza import SystemClock, Veza
from veza_e2e import ledger_names
from veza_e2e.config import Secrets, load
from veza_e2e.ledger_names import LedgerNames
from veza_e2e.money.transfer_rows import license_status
from veza_e2e.ports import psql_output
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


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    """A server in a folder of its own, with one order of two transfers and one of none."""
    server = Server()
    url = f"{server.dsn}/postgres"
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
    server.remove()


def rows_of(dsn: str, sql: str) -> list[dict[str, Any]]:
    """What the connection reads; it must not fail."""
    reading = DatabaseLedger(dsn).rows(sql, ORDER)
    assert reading.rows is not None, reading.reason
    return [dict(row) for row in reading.rows]


def psql(dsn: str, order: str, *settings: str, names: LedgerNames = ledger.ASSUMED) -> str:
    """What the operator sees: the script typed into psql, as it is shown."""
    commands = "\n".join([*(f"\\pset {setting}" for setting in settings), ledger.script(order, names)])
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
    rows = psql_output.parse(psql(dsn, ORDER, *FORMATS[form]))
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
    (row,) = psql_output.parse(psql(dsn, NOTHING, *(FORMATS | more)[form]))
    assert (row["order_id"], row["amount_cents"], row["unexplained_cents"]) == (NOTHING, None, 1000)


@pytest.mark.parametrize("separator", [(), ("fieldsep '\\t'",)])
def test_a_cell_that_holds_the_separator_is_refused_and_not_misread(dsn: str, separator: tuple[str, ...]) -> None:
    with pytest.raises(psql_output.PasteError, match="holds the separator"):
        psql_output.parse(psql(dsn, PIPED, "format unaligned", *separator))
    with pytest.raises(psql_output.PasteError, match="holds the separator"):
        psql_output.parse(psql(dsn, PIPED))
    (row,) = psql_output.parse(psql(dsn, PIPED, "format csv"))
    assert row["error_message"] == "a | b\tc"


@pytest.mark.parametrize("form", [*FORMATS, "unaligned", "unaligned with tabs"])
def test_a_paste_that_lost_its_last_row_is_never_read_as_the_rest(dsn: str, form: str) -> None:
    more = {"unaligned": ("format unaligned",), "unaligned with tabs": ("format unaligned", "fieldsep '\\t'")}
    lines = psql(dsn, ORDER, *(FORMATS | more)[form]).split("\n")
    last = next(number for number, line in enumerate(lines) if "000000000002" in line)
    for cut in range(last - 4, len(lines)):
        with suppress(psql_output.PasteError):
            rows = psql_output.parse("\n".join(lines[:cut]))
            assert [row["amount_cents"] for row in rows] == [900, 50], cut


def test_a_message_of_two_lines_with_a_bar_hides_no_double_transfer(dsn: str) -> None:
    double = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2cdd"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("INSERT INTO orders VALUES (%s, 500, 0, 'EUR')", (double,))
        for name, message in (("tr_a", "first try failed:\nacct_x | insufficient"), ("tr_b", None)):
            connection.execute(
                "INSERT INTO seller_transfers VALUES"
                " (gen_random_uuid(), %s, NULL, %s, 450, 50, 'EUR', 'completed', 0, NULL, %s)",
                (double, name, message),
            )
        try:
            for form in ((), ("border 2",), ("format unaligned",)):
                with pytest.raises(psql_output.PasteError):
                    psql_output.parse(psql(dsn, double, *form))
            for form in (("format csv",), ("expanded on",), ("linestyle unicode",)):
                pasted = psql_output.parse(psql(dsn, double, *form))
                assert [row["stripe_transfer_id"] for row in pasted] == ["tr_a", "tr_b"]
                assert {row["unexplained_cents"] for row in pasted} == {-500}
            assert [row["unexplained_cents"] for row in rows_of(dsn, ledger.query(double))] == [-500, -500]
        finally:
            connection.execute("DELETE FROM seller_transfers WHERE order_id = %s", (double,))
            connection.execute("DELETE FROM orders WHERE id = %s", (double,))


def test_the_database_and_psql_tell_the_same(dsn: str) -> None:
    read = rows_of(dsn, ledger.query(ORDER))
    pasted = psql_output.parse(psql(dsn, ORDER, "format csv"))
    numbers = sorted(ledger.WHOLE)
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
    reading = DatabaseLedger(dsn).rows(write, ORDER)
    assert reading.rows is None
    assert re.search("read-only transaction|multiple commands", reading.reason or ""), reading.reason
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
            reading = DatabaseLedger(dsn).rows(ledger.query(ORDER, names), ORDER)
            assert reading.rows is None
            assert reading.reason
            if type_ != "text":
                names = ledger_names.read({"amount_cents": "amount", "major_units": ["amount_cents"]})
                assert [row["amount_cents"] for row in rows_of(dsn, ledger.query(ORDER, names))] == [90000, 5000]
        finally:
            connection.execute("ALTER TABLE seller_transfers DROP amount; DROP TABLE other")
            connection.execute("ALTER TABLE seller_transfers RENAME kept TO amount_cents")


@pytest.mark.parametrize(
    ("dsn_like", "why"),
    [
        ("postgresql://veza:hunter22@127.0.0.1:1/none", "the connection was refused"),
        ("not a hunter22", "VEZA_DATABASE_URL is not a connection string"),
        ("postgresql://hunter22@[::1", "VEZA_DATABASE_URL is not a connection string"),
        ("postgresql://veza:hunter22@hunter22.invalid/none", "the database's host is not known"),
        ("{}/hunter22", "the server has no such database or user as in VEZA_DATABASE_URL"),
        ("{}/postgres?options=-c%20role%3Dhunter22", "the server has no such database or user as in VEZA_DATABASE_URL"),
    ],
)
def test_a_database_that_cannot_be_reached_says_why_and_nothing_of_the_connection_string(
    dsn: str, dsn_like: str, why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    ledger_ = DatabaseLedger(dsn_like.format(dsn.removesuffix("/postgres")))
    reading = ledger_.rows(ledger.query(ORDER), ORDER)
    assert (reading.rows, reading.reason) == (None, why)
    assert ledger_.trial() == why
    assert "hunter22" not in "".join(capfd.readouterr())


def test_what_the_server_says_of_the_query_is_said(dsn: str) -> None:
    names = ledger_names.read({"seller_id": "vendor"})
    reading = DatabaseLedger(dsn).rows(ledger.query(ORDER, names), ORDER)
    assert reading.reason == "the database says: column t.vendor does not exist"
    assert DatabaseLedger(dsn).trial() is None


def hang_up(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


@contextmanager
def mute(after: int) -> Iterator[str]:
    """A server that takes a connection, answers so many messages as PostgreSQL would, and then nothing any more."""
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as stack:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    held = stack.enter_context(server.accept()[0])
                    for answer in GREETING[:after]:
                        held.recv(4096)
                        held.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"postgresql://veza@127.0.0.1:{server.getsockname()[1]}/postgres?sslmode=disable&gssencmode=disable"
        hang_up(server)
        thread.join(PATIENCE)


GREETING = (b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", b"C\0\0\0\x0aBEGIN\0Z\0\0\0\x05T")
"""Authentication ok and ready; then the answer to BEGIN."""


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_server_that_falls_silent_is_not_waited_for_without_limit(after: int) -> None:
    begun = time.monotonic()
    with mute(after) as silent:
        reading = DatabaseLedger(silent, limit=1).rows(ledger.query(ORDER), ORDER)
    assert "not answer in time" in (reading.reason or "")
    assert time.monotonic() - begun < PATIENCE


def test_a_signal_ends_the_reading_though_the_server_is_silent() -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupted)
    try:
        with mute(2) as silent:
            ledger_ = DatabaseLedger(silent, limit=2)
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(KeyboardInterrupt):
                ledger_.rows(ledger.query(ORDER), ORDER)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_table_that_is_locked_is_not_waited_for_without_limit(dsn: str) -> None:
    with psycopg.connect(dsn) as other:
        other.execute("LOCK TABLE seller_transfers IN ACCESS EXCLUSIVE MODE")
        reading = DatabaseLedger(dsn).rows(ledger.query(ORDER), ORDER)
    assert reading.reason == "the database says: canceling statement due to lock timeout"


@contextmanager
def overheard(dsn: str) -> Iterator[tuple[str, bytearray]]:
    """A relay to the database, and all that went through it to the server."""
    port = int(dsn.rpartition(":")[2].partition("/")[0])
    heard = bytearray()

    def pass_on(one: socket.socket, other: socket.socket, kept: bytearray | None) -> None:
        with suppress(OSError):
            while part := one.recv(65536):
                if kept is not None:
                    kept.extend(part)
                other.sendall(part)
        with suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)

    def serve(server: socket.socket, stack: ExitStack) -> None:
        with suppress(OSError):
            while True:
                ours = stack.enter_context(server.accept()[0])
                theirs = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                for one, other, kept in ((ours, theirs, heard), (theirs, ours, None)):
                    thread = threading.Thread(target=pass_on, args=(one, other, kept))
                    thread.start()
                    stack.callback(thread.join, PATIENCE)
                    stack.callback(hang_up, one)

    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as stack:
        listening = threading.Thread(target=serve, args=(server, stack))
        listening.start()
        own = dsn.replace(f":{port}/", f":{server.getsockname()[1]}/")
        yield f"{own}?sslmode=disable&gssencmode=disable", heard
        hang_up(server)
        listening.join(PATIENCE)


def test_nothing_outlives_a_transaction_that_a_pool_in_transaction_mode_would_not_know(dsn: str) -> None:
    with overheard(dsn) as (relay, heard):
        ledger_ = DatabaseLedger(relay)
        amounts = [
            [row["amount_cents"] for row in ledger_.rows(ledger.query(ORDER), ORDER).rows or ()] for _ in range(7)
        ]
    assert amounts == [[900, 50]] * 7
    assert heard.count(b"BEGIN READ ONLY\0") == 7
    assert heard.count(b"SELECT o.id AS order_id") == heard.count(b"\0SELECT o.id AS order_id") == 7
    assert heard.count(b"SET ") == heard.count(b"SET LOCAL ") == 21
    assert b"options\0" not in heard


def test_an_order_that_the_database_does_not_know_is_not_an_order_without_transfers(dsn: str) -> None:
    unknown = "00000000-0000-4000-8000-00000000ffff"
    assert rows_of(dsn, ledger.query(unknown)) == []
    (row,) = rows_of(dsn, ledger.query(NOTHING))
    assert (row["transfer_id"], row["row_count"]) == (None, 1)


def test_rows_that_a_policy_hides_are_not_read_as_none_and_those_it_shows_are_not_known_to_be_all(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE ROLE limited LOGIN; GRANT SELECT ON orders, seller_transfers TO limited")
        connection.execute("ALTER TABLE seller_transfers ENABLE ROW LEVEL SECURITY")
        try:
            ledger_ = DatabaseLedger(dsn.replace(f"{USER}@", "limited@"))
            reading = ledger_.rows(ledger.query(ORDER), ORDER)
            assert reading.rows is None
            assert "row level security may hide the rows" in (reading.reason or "")
            connection.execute("CREATE POLICY narrow ON seller_transfers USING (amount_cents = 900)")
            (row,) = ledger_.rows(ledger.query(ORDER), ORDER).rows or ()
            assert (row["amount_cents"], row["row_count"]) == (900, None)
        finally:
            connection.execute("DROP POLICY IF EXISTS narrow ON seller_transfers")
            connection.execute("ALTER TABLE seller_transfers DISABLE ROW LEVEL SECURITY")
            connection.execute("REVOKE ALL ON orders, seller_transfers FROM limited; DROP ROLE limited")


@pytest.mark.parametrize("strings", ["on", "off"])
@pytest.mark.parametrize("order_id", ["ord_1", "it's \\ an id; --", "ord :x \u00e9\n", ORDER, "17", "9" * 25])
def test_an_id_of_any_kind_finds_its_order_and_nothing_else(dsn: str, order_id: str, strings: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA texts; CREATE TABLE texts.orders (id text, total_amount_cents int)")
        connection.execute("CREATE TABLE texts.seller_transfers (LIKE seller_transfers)")
        connection.execute("ALTER TABLE texts.seller_transfers ALTER order_id TYPE text")
        try:
            connection.execute("INSERT INTO texts.orders VALUES (%s, 500), ('other', 600)", (order_id,))
            names = ledger_names.read({
                "schema": "texts", "orders": {"schema": "texts", "tax_amount_cents": False, "currency": False},
            })  # fmt: skip
            own = f"{dsn}?options=-c%20standard_conforming_strings%3D{strings}"
            (row,) = DatabaseLedger(own).rows(ledger.query(order_id, names), order_id).rows or ()
            assert (row["order_id"], row["total_amount_cents"]) == (order_id, 500)
            (row,) = psql_output.parse(psql(own, order_id, "format csv", names=names))
            assert (row["order_id"], row["total_amount_cents"]) == (order_id.strip(), 500)
        finally:
            connection.execute("DROP SCHEMA texts CASCADE")


def test_an_id_of_another_kind_than_the_column_finds_nothing_and_is_no_error(dsn: str) -> None:
    assert rows_of(dsn, ledger.query("ord_1")) == []


def test_the_licenses_state_is_read_where_its_table_is_configured(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE licenses (order_id uuid, status text)")
        try:
            names = ledger_names.read({"licenses": {}})
            assert license_status(rows_of(dsn, ledger.query(ORDER, names))) is None
            connection.execute("INSERT INTO licenses VALUES (%s, 'revoked')", (ORDER,))
            assert license_status(rows_of(dsn, ledger.query(ORDER, names))) == "revoked"
            connection.execute("INSERT INTO licenses VALUES (%s, 'active')", (ORDER,))
            assert license_status(rows_of(dsn, ledger.query(ORDER, names))) == "active, revoked"
        finally:
            connection.execute("DROP TABLE licenses")


def test_the_file_with_the_sql_is_what_psql_runs(dsn: str, tmp_path: Path) -> None:
    path = DatabaseLedger(dsn, tmp_path / "sql").script(ledger.script(ORDER), "../../a b'")
    assert path == str(tmp_path / "sql" / "order-______a_b_.sql")
    done = subprocess.run(
        [program("psql"), "-X", "--csv", "-f", path, dsn],
        capture_output=True, encoding="utf-8", timeout=PATIENCE, check=True,
    )  # fmt: skip
    assert [row["row_count"] for row in psql_output.parse(done.stdout)] == [2, 2]
    (tmp_path / "file").touch()
    assert DatabaseLedger(dsn, tmp_path / "file").script("SELECT 1", ORDER) is None


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
        read = rows_of(own, ledger.query(order_id))
        pasted = psql_output.parse(psql(own, order_id, "format csv"))
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
            yield shell, ACCOUNT | {"VEZA_DATABASE_URL": own.replace(f"{USER}@", "reader@")}
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
