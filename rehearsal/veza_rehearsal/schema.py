"""Defines the tables, in SQL that SQLite and PostgreSQL share."""

from __future__ import annotations

from typing import Final

TABLES: Final = (
    "transfers_due",
    "seller_transfers",
    "licenses",
    "order_items",
    "orders",
    "idempotency",
    "webhook_receipts",
    "hs_events",
    "hs_refunds",
    "hs_payments",
    "refresh_tokens",
    "login_attempts",
    "products",
    "sellers",
    "users",
    "faults",
    "meta",
)
"""Every table, in the order in which to delete their rows."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS faults (text TEXT PRIMARY KEY, remaining {bigint} NOT NULL);
CREATE TABLE IF NOT EXISTS users (
  id {uuid} PRIMARY KEY, email TEXT NOT NULL UNIQUE, username TEXT NOT NULL, role TEXT NOT NULL,
  created_at {time} NOT NULL, last_login {time});
CREATE TABLE IF NOT EXISTS refresh_tokens (
  digest TEXT PRIMARY KEY, user_id {uuid} NOT NULL REFERENCES users (id),
  created_at {time} NOT NULL, expires_at {time} NOT NULL, used_at {time});
CREATE TABLE IF NOT EXISTS login_attempts (
  seq {serial}, address TEXT NOT NULL, user_id {uuid}, succeeded {bigint} NOT NULL, at {time} NOT NULL);
CREATE TABLE IF NOT EXISTS sellers (
  id {uuid} PRIMARY KEY, name TEXT NOT NULL, stripe_account_id TEXT, onboarded {bigint} NOT NULL);
CREATE TABLE IF NOT EXISTS products (
  id {uuid} PRIMARY KEY, position {bigint} NOT NULL, title TEXT NOT NULL, seller_id {uuid} NOT NULL
  REFERENCES sellers (id), price_cents {bigint} NOT NULL, currency CHAR(3) NOT NULL, status TEXT NOT NULL,
  license_types TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
  seq {serial}, id {uuid} NOT NULL UNIQUE, buyer_id {uuid} NOT NULL REFERENCES users (id), status TEXT NOT NULL,
  total_amount_cents {bigint} NOT NULL, tax_amount_cents {bigint} NOT NULL, currency CHAR(3) NOT NULL,
  payment_id TEXT NOT NULL UNIQUE, payment_status TEXT, payment_updated {time}, refund_id TEXT, refund_status TEXT,
  refund_updated {time}, refunded_amount_cents {bigint} NOT NULL, created_at {time} NOT NULL,
  updated_at {time} NOT NULL, completed_at {time}, refunded_at {time});
CREATE INDEX IF NOT EXISTS orders_of_buyer ON orders (buyer_id, seq);
CREATE TABLE IF NOT EXISTS order_items (
  order_id {uuid} NOT NULL REFERENCES orders (id), position {bigint} NOT NULL, product_id {uuid} NOT NULL
  REFERENCES products (id), seller_id {uuid} NOT NULL, license_type TEXT NOT NULL, price_cents {bigint} NOT NULL,
  PRIMARY KEY (order_id, position));
CREATE TABLE IF NOT EXISTS licenses (
  seq {serial}, id {uuid} NOT NULL UNIQUE, order_id {uuid} NOT NULL REFERENCES orders (id), buyer_id {uuid} NOT NULL,
  product_id {uuid} NOT NULL, license_type TEXT NOT NULL, status TEXT NOT NULL, granted_at {time} NOT NULL,
  revoked_at {time});
CREATE INDEX IF NOT EXISTS licenses_of_buyer ON licenses (buyer_id, seq);
CREATE TABLE IF NOT EXISTS seller_transfers (
  id {uuid} PRIMARY KEY, order_id {uuid} NOT NULL REFERENCES orders (id), seller_id {uuid} NOT NULL,
  stripe_transfer_id TEXT, stripe_account_id TEXT, amount_cents {bigint} NOT NULL,
  platform_fee_cents {bigint} NOT NULL, currency CHAR(3) NOT NULL, status TEXT NOT NULL,
  reversed_amount_cents {bigint} NOT NULL, stripe_reversal_id TEXT, reversed_at {time}, error_message TEXT,
  attempts {bigint} NOT NULL, created_at {time} NOT NULL, updated_at {time} NOT NULL);
CREATE INDEX IF NOT EXISTS transfers_of_order ON seller_transfers (order_id);
CREATE TABLE IF NOT EXISTS transfers_due (
  seq {serial}, task TEXT NOT NULL, order_id {uuid} NOT NULL REFERENCES orders (id), due_at {time} NOT NULL);
CREATE TABLE IF NOT EXISTS idempotency (
  user_id {uuid} NOT NULL, operation TEXT NOT NULL, idempotency_key TEXT NOT NULL, digest TEXT NOT NULL,
  answer TEXT NOT NULL, created_at {time} NOT NULL, PRIMARY KEY (user_id, operation, idempotency_key));
CREATE TABLE IF NOT EXISTS webhook_receipts (
  event_id TEXT PRIMARY KEY, event_type TEXT NOT NULL, received_at {time} NOT NULL);
CREATE TABLE IF NOT EXISTS hs_payments (
  seq {serial}, payment_id TEXT NOT NULL UNIQUE, status TEXT NOT NULL, amount {bigint} NOT NULL,
  amount_received {bigint} NOT NULL, tax {bigint} NOT NULL, currency CHAR(3) NOT NULL, client_secret TEXT NOT NULL,
  return_url TEXT NOT NULL, description TEXT NOT NULL, seller_name TEXT NOT NULL, order_reference TEXT,
  attempts {bigint} NOT NULL, card TEXT, error_code TEXT, error_message TEXT, transaction_id TEXT, dispute_id TEXT,
  created {time} NOT NULL, updated {time} NOT NULL, expires_on {time} NOT NULL, customer_id TEXT, metadata TEXT,
  surcharge {bigint} NOT NULL DEFAULT 0, settles_at {time}, dispute_at {time});
CREATE INDEX IF NOT EXISTS payments_by_expiry ON hs_payments (status, expires_on);
CREATE TABLE IF NOT EXISTS hs_refunds (
  seq {serial}, refund_id TEXT NOT NULL UNIQUE, payment_id TEXT NOT NULL REFERENCES hs_payments (payment_id),
  amount {bigint} NOT NULL, currency CHAR(3) NOT NULL, status TEXT NOT NULL, reason TEXT, error_code TEXT,
  error_message TEXT, created_at {time} NOT NULL, updated_at {time} NOT NULL, fails_at {time});
CREATE INDEX IF NOT EXISTS refunds_of_payment ON hs_refunds (payment_id);
CREATE TABLE IF NOT EXISTS hs_events (
  seq {serial}, event_id TEXT NOT NULL UNIQUE, event_type TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL,
  attempts {bigint} NOT NULL, copies {bigint} NOT NULL, due_at {time} NOT NULL);
CREATE INDEX IF NOT EXISTS events_due ON hs_events (state, due_at)
"""


ADDED: Final = (
    ("hs_payments", "customer_id", "TEXT"),
    ("hs_payments", "metadata", "TEXT"),
    ("hs_payments", "surcharge", "{bigint} NOT NULL DEFAULT 0"),
    ("hs_payments", "settles_at", "{time}"),
    ("hs_payments", "dispute_at", "{time}"),
)
"""Columns that databases of version 0.1.0 lack: table, name and type."""

FILL_IN: Final = """
UPDATE hs_payments SET
  customer_id = (SELECT CAST(buyer_id AS TEXT) FROM orders WHERE orders.payment_id = hs_payments.payment_id),
  metadata = '{"order_id": "' || order_reference || '"}'
WHERE customer_id IS NULL AND payment_id IN (SELECT payment_id FROM orders)
"""
"""Gives a payment from before those columns the buyer and the order that it belongs to."""


def statements(*, serial: str, uuid: str, time: str, bigint: str) -> list[str]:
    """Return the statements that make the tables.

    Args:
        serial: The column type of an ascending primary key.
        uuid: That of an identifier.
        time: That of a time with its zone.
        bigint: That of a 64-bit integer.

    Returns:
        The statements. Each does nothing if its table or index exists.
    """
    text = _SCHEMA.format(serial=serial, uuid=uuid, time=time, bigint=bigint)
    return [statement.strip() for statement in text.split(";")]
