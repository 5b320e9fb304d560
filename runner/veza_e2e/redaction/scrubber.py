"""Replaces secrets inside texts, and leaves the ids that stand in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

from veza_e2e.canonical import JSON
from veza_e2e.redaction import patterns
from veza_e2e.redaction.encodings import SHORT
from veza_e2e.redaction.known import Known
from veza_e2e.redaction.layers import plain
from veza_e2e.redaction.names import EVERYDAY
from veza_e2e.redaction.needles import Needles
from veza_e2e.redaction.patterns import ALIAS, WITHHELD, Match
from veza_e2e.redaction.scanner import BASE64, Finding, SecretScanner, Sought

_REMEMBERED, _LONG = 4096, 256
"""How many values that hold no credential are remembered, and of what length."""
_WORD = re.compile(r"\S+")
_ODD = re.compile(r"[A-Za-z0-9+/]*(?:[a-z0-9][A-Z]|[A-Za-z][0-9]|[0-9][A-Za-z])")
"""How a word begins that may be the rest of a withheld one beside it."""
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}|&#|&[a-z]{2,6};|\\u[0-9a-fA-F]{4}")


class Scrubber:
    """Searches texts for what a session knows, and for what looks like a secret.

    Args:
        known: the session's secrets and ids; it learns from what is found.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self._forms: dict[str, str] = {}
        self._credentials: dict[str, str] = {}
        self._addresses: dict[str, str] = {}
        self._scanner = SecretScanner(Sought({}))
        self._needles = Needles({})
        self._unchanged: set[str] = set()
        self._seen = 0

    def scrub(self, text: str) -> str:
        """Return a text with each secret replaced by its alias, each address masked."""
        self._refresh()
        shown = self._replaced(text)
        if shown == text or not self._known.spans(text):
            return shown
        text = _substituted(text, self._credentials)
        edges = [0, *(edge for span in self._known.spans(text) for edge in span), len(text)]
        parts = [text[start:end] for start, end in pairwise(edges)]
        # Every second part is an id.
        joined = "".join(part if place % 2 else self._replaced(part) for place, part in enumerate(parts))
        return WITHHELD if self.find(joined) else joined

    def known(self, text: str) -> str:
        """Return a text without what is known, in whatever form."""
        self._refresh()
        return self._unknown(_substituted(text, self._forms))

    def holds(self, text: str) -> bool:
        """Whether a text holds a credential, in whatever form."""
        self._refresh()
        return self._needles.find(text) is not None

    def verbatim(self, value: str) -> str:
        """Return an id, amount, currency, status or time as it is; `[withheld]` if it holds a credential."""
        self._refresh()
        if value in EVERYDAY or value in self._unchanged:
            return value
        if any(True for _ in self._scanner.strict.find(value)):
            return WITHHELD
        shown = _substituted(value, self._addresses)
        if shown == value and len(value) <= _LONG and len(self._unchanged) < _REMEMBERED:
            self._unchanged.add(value)
        return shown

    def find(self, value: JSON | bytes) -> list[Finding]:
        """Return every secret that a record holds."""
        if not isinstance(value, bytes):
            self._known.note(value)
        self._refresh()
        return list(self._scanner.find(value))

    def _replaced(self, text: str) -> str:
        known = self._known.exact(text)
        if known is not None:
            return known
        text = _substituted(text, self._forms)
        for short, shown in self._known.bounded().items():
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(short)}(?![A-Za-z0-9])", shown, text)
        if len(text) < SHORT:
            return text
        text = self._unknown(text)
        if not text.isascii() and _looks(plain(text)) > _looks(text):
            return WITHHELD  # a card's number in other digits, or with format characters in it
        text = _spliced(text, patterns.secrets(text), self._replacement)
        text = _spliced(text, patterns.named(text), self._replacement)
        text = _spliced(text, patterns.emails(text), lambda _, value: patterns.mask(value))
        self._refresh()
        text = BASE64.sub(lambda run: WITHHELD if self._scanner.hides(run[0]) else run[0], text)
        # Encoded more than once, or in a way that has no form of its own here.
        return WITHHELD if _ENCODED.search(text) and self.find(text) else text

    def _unknown(self, text: str) -> str:
        """Withhold the words that hold a credential in another form than those above; else the whole text.

        Where only a part of one is found, more of it may stand beside: nothing of the text is shown then.
        """
        found = self._needles.find(text)
        if found is None:
            return text
        if found.how == "whole":
            less = _WORD.sub(lambda word: WITHHELD if self._is_whole(word[0]) else word[0], text)
            if less != text and not _has_rest(less) and self._needles.find(less) is None:
                return less
        return WITHHELD

    def _is_whole(self, word: str) -> bool:
        found = self._needles.find(word)
        return found is not None and found.how == "whole"

    def _replacement(self, match: patterns.Match, value: str) -> str:
        return "***@" if match.kind == "userinfo" else self._known.learn(match.kind, value)

    def _refresh(self) -> None:
        """Make again what depends on the known secrets."""
        if self._seen == self._known.changes:
            return
        self._seen = self._known.changes
        self._unchanged.clear()
        secrets = list(self._known.secrets())
        self._forms = {form: one.shown for one in secrets for form in one.forms}
        self._credentials = {form: one.shown for one in secrets if one.credential for form in one.forms}
        self._addresses = {form: shown for form, shown in self._forms.items() if not ALIAS.fullmatch(shown)}
        sought: dict[bool, dict[str, str]] = {True: {}, False: {}}
        for one in secrets:
            kind = one.shown[2:-2].partition(":")[0] if ALIAS.fullmatch(one.shown) else "email"
            if not (one.credential and one.deep):  # the needles find those
                sought[one.credential] |= dict.fromkeys((*one.forms, *one.based), kind)
        cores = self._known.cores()
        if cores != self._needles.secrets:
            self._needles = Needles(cores)
        self._scanner = SecretScanner(
            Sought(sought[True], sought[False], tuple(self._known.bounded()), needles=self._needles), self._known.spans
        )


def _looks(text: str) -> int:
    return sum(1 for _ in patterns.secrets(text))


def _has_rest(text: str) -> bool:
    """Whether beside a withheld word stands one that may be the rest of it."""
    return any(
        (one.endswith(WITHHELD) and _ODD.match(other)) or (other.startswith(WITHHELD) and _ODD.match(one))
        for one, other in pairwise(text.split())
    )


def _spliced(text: str, found: Iterable[Match], shown: Callable[[Match, str], str]) -> str:
    """Return a text with each match replaced, in one pass; of matches that overlap the first counts."""
    parts, end = [], 0
    for match in sorted(found, key=lambda match: (match.start, -match.end)):
        if match.start >= end:
            parts += [text[end : match.start], shown(match, text[match.start : match.end])]
            end = match.end
    return "".join([*parts, text[end:]])


def _substituted(text: str, forms: Mapping[str, str]) -> str:
    for form in sorted((one for one in forms if one in text), key=len, reverse=True):
        text = text.replace(form, forms[form])
    return text
