"""A journal names its account by too little to confirm a guess, and by enough to find the account's sessions."""

from __future__ import annotations

import hashlib

from veza_e2e.journal.account import account_digest, same_account


def test_the_digest_has_16_bits_so_that_many_addresses_fit_it() -> None:
    found = {account_digest(f"operator{number}@veza.test") for number in range(3000)}
    assert {len(digest) for digest in found} == {4}
    assert 2900 < len(found) < 3000, "different accounts differ, and some share theirs"


def test_case_does_not_matter_and_an_older_journals_whole_digest_is_the_same_account() -> None:
    mine = account_digest("Operator@Veza.test")
    whole = hashlib.sha256(b"operator@veza.test").hexdigest()
    assert mine == account_digest("operator@veza.test")
    assert same_account(mine, whole)
    assert same_account(whole, mine)
    assert not same_account(account_digest("another@veza.test"), whole)
