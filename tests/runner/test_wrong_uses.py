"""Wrong uses of the command line: each says what is wrong with its value, and a way out that works as pasted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from front_door import Shell

GOOD = '[env.staging]\nbase_url = "http://127.0.0.1:9"\nexpected_environment = ["staging"]\n'
_MISUSED = re.compile(r"there is no (command|option|environment|fault)|requires an argument|No such file|Traceback")
_COMMAND = re.compile(r"(veza-e2e( [^`]+)?)$")
BANK = "bank {ended} --seen credit"
DASHBOARD = "attest dashboard --session {ended} --by A"

# What was typed | the exit code | what is said | the way out, in which ~ is the command.
USES = r"""
rnu | 2 | no command 'rnu'; known: init, config, preflight, run, | did you mean: ~ run
sessoins | 2 | no command 'sessoins' | did you mean: ~ sessions
zzzz | 2 | no command 'zzzz' | see: ~ --help
atest ex-9 --by A | 2 | no command 'atest' | did you mean: ~ attest ex-9 --by A
cassettes chek | 2 | no command 'chek'; known: check, keep | did you mean: ~ cassettes check
contract dif | 2 | no command 'dif' | did you mean: ~ contract diff
site biuld | 2 | no command 'biuld' | did you mean: ~ site build
--env stagin sessions | 2 | no environment 'stagin'; known: rehearsal, staging | did you mean: ~ --env staging preflight
--env reharsal sessions | 2 | no environment 'reharsal' | did you mean: ~ preflight
sessions --env stagin | 2 | no environment 'stagin' | did you mean: ~ --env staging preflight
--env | 2 | '--env' requires an argument | see: ~ --help
--confg veza-e2e.toml sessions | 2 | no option --confg | did you mean: ~ --config veza-e2e.toml sessions
--config none.toml sessions | 2 | none.toml: No such file | correct it, then try: ~ --config none.toml preflight
--archive veza-e2e.toml sessions | 2 | 'veza-e2e.toml' is a file | see: ~ --help
run --liev | 2 | no option --liev | see: ~ run --help
run --planned | 2 | no option --planned | did you mean: ~ run --plan
run extra | 2 | unexpected extra argument (extra) | see: ~ run --help
run --release | 2 | '--release' requires an argument | see: ~ run --help
run --release '' | 2 | --release '' is not a release's name | name it like 2026.12
run --release ' 2026.12' | 2 | --release ' 2026.12' is not a release's name | leave --release out
run --live | 2 | --live needs a terminal | start it in a terminal
run --live --unattended | 2 | --unattended and --live contradict each other | leave --unattended out
run --live --record x | 2 | no live run is recorded | leave --record out
run --unattended --record ../x | 2 | '../x' is not a cassette's name | name it like staging-refund
run --unattended --record 'x y' | 2 | 'x y' is not a cassette's name | name it like staging-refund
run --unattended --fault webhok_lost | 2 | no fault switch 'webhok_lost' | did you mean: ~ run --fault webhook_lost
run --unattended --fault webhook_lost=x | 2 | takes no argument, but was given 'webhook_lost=x' | see: ~ run --help
run --unattended --fault qqq | 2 | no fault switch 'qqq': the switches are webhook_delay, | see: ~ run --help
run --unattended --max-amount 10 | 2 | '10' is not an amount: money is written as "5.00 EUR" | see: ~ run --help
run --unattended --max-amount '5,00 EUR' | 2 | '5,00 EUR' is not an amount | see: ~ run --help
run --unattended --max-amount '-5.00 EUR' | 2 | -5.00 EUR buys nothing | such as --max-amount "10.00 EUR"
run --unattended --max-amount '0.00 EUR' | 2 | 0.00 EUR buys nothing | such as --max-amount "10.00 EUR"
run --unattended --max-amount '1.00 EUR' | 3 | no product on sale costs at most 1.00 EUR | or raise --max-amount
run --unattended --product nope | 3 | product 'nope' is not among the products | Choose another
run --env staging --unattended | 3 | 127.0.0.1:9 refused it | Check base_url
--env staging run --fault webhook_lost | 2 | the embedded rehearsal backend only, not for staging | leave --fault out
resume 01ZZZ | 2 | no session '01ZZZ' in build/rehearsals | list them: ~ --env rehearsal sessions
resume a b | 2 | unexpected extra argument (b) | see: ~ resume --help
--env staging resume | 2 | no session of staging is left to resume | list them: ~ --env staging sessions
--env staging resume {ended} | 2 | no session '{ended}' in docs/archive/payment-e2e | ~ --env staging sessions
abandon | 2 | Missing argument 'SESSION' | see: ~ abandon --help
abandon {open} | 2 | Missing option '--reason' | see: ~ abandon --help
abandon {open} --reason '' | 2 | --reason is empty | write why: --reason TEXT
abandon nope --reason x | 2 | no session 'nope' | list them: ~ --env rehearsal sessions
abandon {open} --reason x --accept-loss 5 | 2 | --accept-loss '5' is not an amount | write it as "5.00 EUR"
abandon {open} --reason x --accept-loss '5.00 EUR' | 3 | is not what is open (nothing) | rehearsal show {open}
rows nope | 2 | no session 'nope' | list them: ~ sessions
rows {ended} --file none.csv | 2 | 'none.csv' does not exist | see: ~ rows --help
rows {ended} --file . | 2 | '.' is a directory | see: ~ rows --help
show | 2 | Missing argument 'SESSION' | see: ~ show --help
show nope | 2 | no session 'nope' in build/rehearsals, docs/archive/payment-e2e | list them: ~ sessions
show 01 | 2 | sessions begin with '01': | list them: ~ sessions
bank {ended} | 2 | Missing option '--seen'. Choose from: credit, charge-dropped, nothing | see: ~ bank --help
bank {ended} --seen money --date 2026-06-20 | 2 | 'money' is not one of 'credit' | see: ~ bank --help
bank latest --seen credt --date 2026-06-20 | 2 | 'credt' is not one of | did you mean: ~ bank latest --seen credit
rehearsal serve --environment=sandbx | 2 | 'sandbx' is not | did you mean: ~ rehearsal serve --environment=sandbox
BANK --date tomorrow --amount '5.00 EUR' | 2 | --date 'tomorrow' is not a day | write it as 2026-12-30
BANK --date 2026-13-01 --amount '5.00 EUR' | 2 | '2026-13-01' is not a day | write it as 2026-12-30
BANK --date 2026-06-15 | 2 | --amount is missing | write it as "5.00 EUR"
BANK --date 2026-06-15 --amount '-5.00 EUR' | 2 | not an amount of money that was seen | write it as "5.00 EUR"
BANK --date 2020-01-01 --amount '5.00 EUR' | 2 | 2020-01-01 lies before the session | read the day off the statement
BANK --date 2099-01-01 --amount '5.00 EUR' | 2 | 2099-01-01 lies in the future | record what the statement shows
BANK --date 2026-06-15 --amount '5.00 EUR' --evidence none.pdf | 2 | 'none.pdf' does not exist | see: ~ bank --help
bank {open} --seen nothing --date 2026-06-15 | 3 | {open} has not ended | end it first: ~ resume {open}
attest ex-10 --by A | 2 | 'ex-10' is not an item that can be attested; known: ex-9, | did you mean: ~ attest ex-9 --by A
attest ex-9 | 2 | Missing option '--by' | see: ~ attest --help
attest ex-9 --by '' | 2 | --by names nobody | write who says so: --by "A. Person"
attest ex-9 --by A --session {ended} | 2 | ex-9 is said of a release, not of a session | name it with --release
attest ex-9 --by A --charged '5.00 EUR' | 2 | --charged: only for dashboard | see: ~ attest --help
attest dashboard --by A | 2 | --session is missing | list them: ~ sessions
DASHBOARD | 2 | no figure is given | see --charged, --refunded and --reversed
DASHBOARD --payment p | 2 | --payment and --charged belong together | give the payment's id
DASHBOARD --charged x | 2 | --charged 'x' is not an amount | write it as "5.00 EUR"
DASHBOARD --release r --refunded '0.00 EUR' | 2 | what a dashboard shows is said of a session | leave --release out
attest unrelated --session {ended} --by A | 2 | --note is missing | write it: --note "TEXT"
attest unrelated --session {ended} --by A --note n | 3 | {ended} is not damaged | see: ~ show {ended}
release 2026.13 | 2 | no session of release '2026.13' | did you mean: ~ release 2026.12
release 2026.12 --report no/such/x.md | 2 | no/such/x.md: its folder is not there | make it: mkdir -p no/such
release 2026.12 --report build/rehearsals/x.md | 2 | lies in the archive | name another place
render --single-file x.html | 2 | --single-file is of one session: name it | list them: ~ sessions
render {ended} --single-file no/such/x.html | 2 | its folder is not there | make it: mkdir -p no/such
render nope | 2 | no session 'nope' | list them: ~ sessions
verify nope | 2 | no session 'nope' | list them: ~ sessions
verify --allowed-signers none | 2 | 'none' does not exist | see: ~ verify --help
sign {ended} | 2 | nothing says which key signs | name one: --key FILE, or [signing] key
sign {ended} --key none | 2 | 'none' does not exist | see: ~ sign --help
sign {open} --key veza-e2e.toml | 3 | {open} has not ended | end it first: ~ resume {open}
replay nope | 2 | no cassette in cassettes | make one: ~ run --record NAME
replay --acept | 2 | no option --acept | did you mean: ~ replay --accept
cassettes keep nope x | 2 | no recording of a session 'nope' | list the sessions: ~ sessions
cassettes keep {ended} ../x | 2 | a cassette's name is made of a-z, 0-9 | name it like staging-refund
cassettes check --spec none.yaml | 2 | none.yaml: No such file | name a file that holds an OpenAPI description
contract diff | 2 | Missing option '--spec' | see: ~ contract diff --help
contract diff --spec none.yaml | 2 | none.yaml: No such file | see: ~ contract diff --help
contract test --base-url x | 2 | it is not like https://staging.example.com | see: ~ contract test --help
contract samples | 2 | there is nothing to read | see: ~ contract samples --help
rehearsal serve --port 99999 | 2 | 99999 is not in the range | see: ~ rehearsal serve --help
rehearsal serve --fault thre_ds | 2 | no fault switch 'thre_ds' | did you mean: ~ rehearsal serve --fault three_ds
site build --out veza-e2e.toml | 2 | 'veza-e2e.toml' is a file | see: ~ site build --help
"""

SETTINGS = [
    ("[env.staging\n", "Expected ']'"),
    ("[envs.staging]\n", "envs is not a setting; did you mean env?"),
    ("[env.staging]\nbase_ulr = 'x'\n", "env.staging.base_ulr is not a setting; did you mean base_url?"),
    (GOOD + "[limits]\nmax_amout = '1'\n", "limits.max_amout is not a setting; did you mean max_amount?"),
    (GOOD + "[limits]\nmax_amount = '10'\n", "limits.max_amount: '10': money is written as"),
    (GOOD + "[report]\noperater = 'x'\n", "report.operater is not a setting; did you mean operator?"),
    (GOOD + "live = 'yes'\n", "env.staging.live must be true or false, not 'yes'"),
    (GOOD + "password = 'x'\n", "secrets come from the environment"),
    (GOOD.replace("http:", "ftp:"), "'ftp://127.0.0.1:9' is not like https://staging.example.com"),
    (GOOD.replace("127.0.0.1:9", "x.test"), "'http://x.test' must be https"),
]


def uses() -> Iterator[tuple[str, int, str, str]]:
    for line in USES.strip().splitlines():
        words, code, said, way = (part.strip() for part in line.split(" | "))
        yield words.replace("BANK", BANK).replace("DASHBOARD", DASHBOARD), int(code), said, way.replace("~", "veza-e2e")


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, dict[str, str]]:
    """A folder with a session that has ended and one that has not."""
    shell = Shell(tmp_path_factory.mktemp("wrong"))
    ended = shell("--json", "run", "--unattended", "--refund", "--release", "2026.12").json["session"]
    opened = shell("--json", "run").json["session"]
    (shell.folder / "veza-e2e.toml").write_text(GOOD, encoding="utf-8")
    return shell, {"ended": ended, "open": opened}


def test_there_are_a_hundred() -> None:
    assert len(list(uses())) + len(SETTINGS) >= 100


@pytest.mark.parametrize(("words", "code", "said", "way"), list(uses()), ids=[one[0] for one in uses()])
def test_a_wrong_use_says_what_and_a_way_out_that_works(
    named: tuple[Shell, dict[str, str]], words: str, code: int, said: str, way: str
) -> None:
    shell, sessions = named
    result = shell(*shlex.split(words.format(**sessions)))
    *_, message, hint = result.stderr.rstrip().splitlines()
    assert result.code == code
    assert message.startswith("veza-e2e: ")
    assert said.format(**sessions) in message
    assert way.format(**sessions) in hint
    assert "--live" not in hint
    works(shell, hint)


def works(shell: Shell, hint: str) -> None:
    """Paste the command of a hint, if it has one that ends by itself."""
    found = _COMMAND.search(hint)
    if found is None or "rehearsal serve" in hint or "NAME" in hint or hint.endswith("site build"):
        return
    again = shell(*shlex.split(found[1])[1:])
    assert not _MISUSED.search(again.stderr) or "none.toml" in hint, again.stderr


@pytest.mark.parametrize(("text", "said"), SETTINGS, ids=[one[1] for one in SETTINGS])
def test_a_wrong_setting_is_named_and_once_corrected_the_way_out_works(
    named: tuple[Shell, dict[str, str]], text: str, said: str
) -> None:
    shell, _ = named
    path = shell.folder / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    result = shell("--config", "wrong.toml", "--env", "staging", "sessions")
    message, hint = result.stderr.rstrip().splitlines()
    assert result.code == 2
    assert message.startswith("veza-e2e: wrong.toml: ")
    assert said in message
    assert hint == "  correct it, then try: veza-e2e --env staging --config wrong.toml preflight"
    path.write_text(GOOD, encoding="utf-8")
    assert shell(*shlex.split(hint)[5:]).code == 3, "the gate is made, and this backend is not there"


def test_global_options_may_stand_after_the_command(named: tuple[Shell, dict[str, str]], tmp_path: Path) -> None:
    shell, sessions = named
    assert shell("sessions", "--json").json == shell("--json", "sessions").json
    assert shell("show", sessions["ended"], "--env=staging", "--no-color").code == 0
    assert shell("--json", "sessions", "--archive", str(tmp_path)).json["items"] == []


def test_an_environment_that_no_file_names_leads_to_init(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    refused = shell("--env", "staging", "run")
    assert refused.code == 2
    message, hint = refused.stderr.rstrip().splitlines()
    assert message == "veza-e2e: there is no environment 'staging'; known: rehearsal (there is no veza-e2e.toml)"
    assert shell(*shlex.split(hint.rpartition(": veza-e2e ")[2])).code == 0
    assert (tmp_path / "veza-e2e.toml").is_file()
