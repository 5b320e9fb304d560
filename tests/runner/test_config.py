"""The configuration: every refusal names the file, the setting and the value, and never repeats a secret."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from veza.money import Money
from veza_e2e.config import REHEARSAL_ARCHIVE, ConfigError, Secrets, load, read_secrets
from veza_e2e.config_values import is_loopback

GOOD = 'base_url = "https://staging.example.com"\nexpected_environment = ["staging"]\n'


def refused(tmp_path: Path, text: str, name: str = "staging") -> str:
    path = tmp_path / "veza-e2e.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(name, config=path)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def staging(line: str) -> str:
    return f"[env.staging]\n{GOOD}{line}\n"


def test_all_settings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "veza-e2e.toml"
    path.write_text(
        """
[env.production]
base_url = "https://api.example.com/api/v1/"
expected_environment = ["prod", "live"]
live = true
idempotency = true
checkout_hosts = ["pay.example.com"]
hyperswitch_url = "https://hs.example.com"
[limits]
max_amount = "7.50 EUR"
poll_timeout = "90s"
[report]
operator = "Ada"
canary_release = "https://forge.example.com/canary"
""",
        encoding="utf-8",
    )
    settings = load("production", config=path)
    environment = settings.environment
    assert environment.base_url == "https://api.example.com"
    assert (environment.live, environment.idempotency, environment.loopback) == (True, True, False)
    assert environment.expected_environment == ("prod", "live")
    assert settings.limits.max_amount == Money(750, "EUR")
    assert settings.limits.poll_timeout == 90
    assert settings.report.links == {"canary_release": "https://forge.example.com/canary"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[env.staging]\n", "env.staging.base_url is missing"),
        ('[env.staging]\nbase_url = "https://a.example"', "env.staging.expected_environment is missing"),
        (staging("livee = true"), "env.staging.livee is not a setting; did you mean live?"),
        (staging('live = "yes"'), "env.staging.live must be true or false, not 'yes'"),
        (staging("idempotency = 1"), "env.staging.idempotency must be true or false, not 1"),
        (staging('checkout_hosts = "pay.example.com"'), "env.staging.checkout_hosts must be a list of texts"),
        (staging("checkout_hosts = [1]"), "env.staging.checkout_hosts must be a list of texts"),
        (staging('checkout_hosts = [""]'), "env.staging.checkout_hosts must be a list of texts"),
        (staging('hyperswitch_url = "http://hs.example.com"'), "'http://hs.example.com' must be https"),
        (staging('hyperswitch_url = "hs.example.com"'), "env.staging.hyperswitch_url: 'hs.example.com' is not like"),
        (staging('[limits]\nmax_amount = "ten"'), "limits.max_amount: 'ten': money is written as"),
        (staging("[limits]\nmax_amount = 10.0"), "limits.max_amount: 10.0: money is written as"),
        (staging('[limits]\nmax_amount = "0.00 EUR"'), "limits.max_amount: 0.00 EUR buys nothing"),
        (staging('[limits]\nmax_amount = "-5.00 EUR"'), "limits.max_amount: -5.00 EUR buys nothing"),
        (staging('[limits]\npoll_timeout = "half an hour"'), "limits.poll_timeout: 'half an hour' is not like"),
        (staging("[limits]\npoll_timeout = 1800"), "limits.poll_timeout: 1800 is not like"),
        (staging("[limits]\nmax_amout = 1"), "limits.max_amout is not a setting; did you mean max_amount?"),
        (staging("[report]\noperator = 5"), "report.operator must be a text, not 5"),
        (staging("[reports]\noperator = 5"), "reports is not a setting; did you mean report?"),
        ("env = 5", "env must be a table, not 5"),
        ("[env]\nstaging = 5", "staging must be a table, not 5"),
        ("[env.rehearsal]\n" + GOOD, "[env.rehearsal]: this name is the embedded backend's"),
        ('[env.staging]\nbase_url = "https://a.example"\nexpected_environment = []', "names nothing"),
        ("[env.staging", "Expected ']'"),
        (staging("ledger = 5"), "ledger must be a table, not 5"),
        (
            staging('[env.staging.ledger]\namount_cent = "x"'),
            "env.staging.ledger.amount_cent is not a setting; did you mean amount_cents?",
        ),
        (staging('[env.staging.ledger.orders]\nstatus = "x"'), "env.staging.ledger.orders.status is not a setting"),
        (staging("[env.staging.ledger]\namount_cents = false"), "env.staging.ledger.amount_cents cannot be false"),
        (
            staging("[env.staging.ledger]\nseller_id = true"),
            "env.staging.ledger.seller_id: True is not a plain SQL name",
        ),
        (
            staging("[env.staging.ledger]\nmajor_units = true"),
            "env.staging.ledger.major_units must be a list of amount",
        ),
        (staging('[env.staging.ledger]\nmajor_units = ["status"]'), "env.staging.ledger.major_units must be a list"),
        (staging("[env.staging.ledger]\norders = 5"), "env.staging.ledger.orders must be a table, not 5"),
        (staging("[env.staging.ledger]\ncurrency = false\norders = {currency = false}"), "are both false"),
    ],
)
def test_each_mistake_is_named(tmp_path: Path, text: str, message: str) -> None:
    assert message in refused(tmp_path, text)


@pytest.mark.parametrize(
    "name", ['x"; DROP TABLE orders; --', "a.b", "", "a b", "1a", "a" * 64, "é", "a\\u0000", "--", "a'"]
)  # fmt: skip
@pytest.mark.parametrize("key", ["table", "schema", "amount_cents", "orders.table", "orders.id"])
def test_only_a_plain_name_enters_the_sql(tmp_path: Path, key: str, name: str) -> None:
    message = refused(tmp_path, staging(f"[env.staging.ledger]\n{key} = {json.dumps(name)}"))
    assert message.startswith(f"env.staging.ledger.{key}: ")
    assert "is not a plain SQL name (letters, digits and _, at most 63, no digit first" in message


@pytest.mark.parametrize(
    "url",
    ["http://staging.example.com", "http://10.0.0.1", "http://127.0.0.1.example.com", "http://localhost.example.com",
     "ftp://staging.example.com", "https://", "/api", "", "https://a.example?x=1", "https://a.example#x",
     "javascript:alert(1)", "https://[::1", "http://0.0.0.0:1"],
)  # fmt: skip
def test_off_loopback_it_is_https_and_nothing_else(tmp_path: Path, url: str) -> None:
    text = f'[env.staging]\nbase_url = "{url}"\nexpected_environment = ["staging"]'
    assert refused(tmp_path, text).startswith("env.staging.base_url: ")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8765", "http://localhost:1", "http://[::1]:8765", "http://127.9.9.9"]
)
def test_loopback_may_be_plain_http(tmp_path: Path, url: str) -> None:
    path = tmp_path / "veza-e2e.toml"
    path.write_text(f'[env.staging]\nbase_url = "{url}"\nexpected_environment = ["staging"]', encoding="utf-8")
    environment = load("staging", config=path).environment
    assert environment.loopback
    assert environment.base_url == url


@pytest.mark.parametrize(
    "line",
    [
        'base_url = "https://ada:s3cretvalue@staging.example.com"', 'base_url = "https://s3cretvalue@[::1"',
        'base_url = "https://staging.example.com?token=s3cretvalue"', 'base_url = "https://[x?token=s3cretvalue"',
        'base_url = "https://staging.example.com#s3cretvalue"',
    ],
)  # fmt: skip
def test_a_secret_in_an_address_is_refused_and_not_repeated(tmp_path: Path, line: str) -> None:
    text = f'[env.staging]\n{line}\nexpected_environment = ["staging"]'
    assert "s3cretvalue" not in refused(tmp_path, text)


@pytest.mark.parametrize(
    "key", ["password", "api_key", "operator_email", "access_token", "database_url", "client_secret"]
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path, key: str) -> None:
    message = refused(tmp_path, staging(f'{key} = "s3cretvalue"'))
    assert "secrets come from the environment, never from this file" in message
    assert "s3cretvalue" not in message


@pytest.mark.parametrize("link", ["canary_release", "go_no_go", "hyperswitch_dashboard", "stripe_dashboard"])
def test_a_link_with_a_password_never_gets_into_a_report(tmp_path: Path, link: str) -> None:
    message = refused(tmp_path, staging(f'[report]\n{link} = "https://ada:s3cretvalue@forge.example.com"'))
    assert message.startswith(f"report.{link} holds a user name or password")
    assert "s3cretvalue" not in message


def test_an_unknown_environment_names_the_known_ones(tmp_path: Path) -> None:
    message = refused(tmp_path, staging(""), name="stagging")
    assert re.match(r"there is no environment 'stagging'; known: rehearsal, staging", message)


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load("rehearsal", config=tmp_path / "none.toml")
    path = tmp_path / "latin.toml"
    path.write_bytes(b"# \xe9")
    with pytest.raises(ConfigError, match=r"latin.toml: .*utf-8"):
        load("rehearsal", config=path)


def test_the_rehearsal_needs_no_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.write_text("", encoding="utf-8")
    settings = load("rehearsal", config=path)
    assert settings.environment.embedded
    assert settings.archive == REHEARSAL_ARCHIVE
    assert not settings.environment.live


@pytest.mark.parametrize(
    ("host", "ours"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("127.0.0.1.evil.example", False), ("10.0.0.1", False),
     ("0.0.0.0", False), ("", False), ("2130706433", False), ("LOCALHOST.", False)],
)  # fmt: skip
def test_loopback_is_this_machine_and_no_name_that_looks_like_it(host: str, ours: bool) -> None:
    assert is_loopback(host) is ours


def test_secrets_come_from_the_environments_variables_and_no_repr_shows_them() -> None:
    names = ["OPERATOR_EMAIL", "OPERATOR_PASSWORD", "HYPERSWITCH_API_KEY", "VEZA_DATABASE_URL", "VEZA_ACCESS_TOKEN"]
    values = {name: f"value-of-{name}" for name in names}
    secrets = read_secrets(values)
    found = {secrets.email, secrets.password, secrets.hyperswitch_api_key, secrets.database_url, secrets.access_token}
    assert found == set(values.values())
    assert "value-of" not in repr(secrets)
    assert read_secrets(dict.fromkeys(names, "")) == Secrets()


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac always has windows")
def test_a_browser_can_open_a_window_only_where_the_environment_names_one() -> None:
    assert load("rehearsal", variables={}).window is False
    assert load("rehearsal", variables={"DISPLAY": ""}).window is False
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        assert load("rehearsal", variables={name: ":0"}).window is True


def test_the_files_for_signing_are_named_beside_the_file_that_names_them(tmp_path: Path) -> None:
    path = tmp_path / "veza-e2e.toml"
    path.write_text('[signing]\nkey = "keys/me.pub"\nallowed_signers = "/etc/allowed"\n', encoding="utf-8")
    signing = load("rehearsal", config=path).signing
    assert (signing.key, signing.allowed_signers) == (tmp_path / "keys" / "me.pub", Path("/etc/allowed"))


@pytest.mark.parametrize(
    ("table", "said"),
    [("key = 5", "signing.key must be the path"), ('key = " "', "signing.key"), ('kee = "x"', "signing.kee is not a")],
)
def test_what_is_no_file_for_signing_is_named(tmp_path: Path, table: str, said: str) -> None:
    path = tmp_path / "veza-e2e.toml"
    path.write_text(f"[signing]\n{table}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load("rehearsal", config=path)
