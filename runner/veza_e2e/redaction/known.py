"""What a session knows of secrets: credentials, tokens learnt from the wire, and ids that only look like secrets."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import lru_cache

from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass
from veza_e2e.redaction import patterns
from veza_e2e.redaction.encodings import SHORT, base64_forms, variants
from veza_e2e.redaction.names import EVERYDAY
from veza_e2e.redaction.needles import LEAST, bones, core
from veza_e2e.redaction.patterns import ALIAS, WITHHELD

KEPT_PER_KIND = 16
"""Tokens of a kind that are looked for; an older one has been replaced by the backend."""

_IDS = 4096
_TINY = 4
_LONG, _VERY_LONG, _DISTINCT = 16, 32, 8
_NAMES_AN_ID = re.compile(r"id|(?!request_)\w+_id")
_BEGINNING = 8
_ID = re.compile(rf"[A-Za-z0-9_.\-]{{{_BEGINNING},128}}")


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that texts are searched for."""

    shown: str
    """What stands in its place: an alias, or a masked address."""
    credential: bool
    """Whether this client authenticates with it: no id may hold it either."""
    forms: Sequence[str]
    deep: bool = False
    """Whether it has letters and digits enough to be found in every encoding."""
    based: Sequence[str] = field(default=())
    """What longer base64 texts hold of it."""


class Known:
    """Secrets by value, each with an alias in first-seen order.

    Every value with a secret's name has an alias. Texts are searched for credentials, and for those tokens from the
    wire that are long and look random: a cookie `currency=EUR` must not replace a currency.
    """

    def __init__(self) -> None:
        self._aliases: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._given: dict[str, Secret] = {}
        self._learnt: dict[str, OrderedDict[str, Secret]] = {}
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._begins: dict[str, list[str]] = {}
        """The ids by how they begin, so that a search costs as much for many as for few."""
        self.changes = 0
        """Counts what was added: what was made from older values is out of date."""

    def __len__(self) -> int:
        return len(self._aliases)

    def alias(self, kind: str, value: str) -> str:
        """Return the alias of a value, a new one if it was not seen before."""
        if not value or value == WITHHELD or ALIAS.fullmatch(value):
            return value
        if value not in self._aliases:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._aliases[value] = f"{{{{{kind}:{self._counts[kind]}}}}}"
        return self._aliases[value]

    def reserve(self, text: str) -> None:
        """Number new aliases after those in `text`: what an earlier process recorded of the same session."""
        for alias in ALIAS.findall(text):
            kind, _, number = alias[2:-2].partition(":")
            self._counts[kind] = max(self._counts.get(kind, 0), int(number))

    def give(self, kind: str, value: str) -> None:
        """Add a secret that was known before the session began. It never expires.

        One that is a word of the record itself, or a number as short as an amount, has an alias where it stands as a
        secret, and is not looked for anywhere else: the steps, statuses and amounts would go with it.
        """
        if kind != "email" and (value.lower() in EVERYDAY or (value.isdecimal() and len(value) < SHORT)):
            self.alias(kind, value)
            return
        shown = patterns.mask(value) if kind == "email" else self.alias(kind, value)
        self._given[value] = _secret(value, shown, credential=kind != "email")
        self.changes += 1

    def learn(self, kind: str, value: str, *, credential: bool = False) -> str:
        """Return the alias of a token on the wire; look for it from now on if it cannot be an everyday value."""
        shown = self.alias(kind, value)
        if shown == value or value in self._given or not (credential or looks_random(value)):
            return shown
        tokens = self._learnt.setdefault(kind, OrderedDict())
        known = tokens.get(value)
        if known is None or (credential and not known.credential):
            tokens[value] = _secret(value, shown, credential=credential)
            self.changes += 1
        tokens.move_to_end(value)
        if len(tokens) > KEPT_PER_KIND:
            tokens.popitem(last=False)
        return shown

    def note(self, value: JSON, name: str = "data") -> None:
        """Remember the ids in a record, so that texts which name them are not changed."""
        if isinstance(value, str | int):  # an abstract type is slow to ask, and most values are texts
            if not isinstance(value, bool) and self.names_an_id(name):
                self.note_id(str(value))
        elif isinstance(value, Mapping):
            for key, item in value.items():
                self.note(item, str(key))
        elif isinstance(value, Sequence):
            for item in value:
                self.note(item, name)

    @staticmethod
    @lru_cache(maxsize=4096)
    def names_an_id(name: str) -> bool:
        """Whether a member of this name is an id."""
        return _NAMES_AN_ID.fullmatch(name) is not None

    def note_id(self, value: str) -> None:
        """Remember an id. A plain word is not remembered: it would split what stands around it."""
        if value in self._ids:
            self._ids.move_to_end(value)
        elif (
            _ID.fullmatch(value)
            and not ALIAS.search(value)
            and (re.search("[0-9]", value) or any(patterns.secrets(value)))
        ):
            self._ids[value] = None
            self._begins.setdefault(value[:_BEGINNING], []).append(value)
            if len(self._ids) > _IDS:
                oldest, _ = self._ids.popitem(last=False)
                alike = self._begins[oldest[:_BEGINNING]]
                alike.remove(oldest)
                if not alike:
                    del self._begins[oldest[:_BEGINNING]]

    def exact(self, text: str) -> str | None:
        """Return what stands for a text that is a secret as a whole."""
        given = self._given.get(text)
        if given is not None:
            return given.shown
        return next((tokens[text].shown for tokens in self._learnt.values() if text in tokens), None)

    def secrets(self) -> Iterator[Secret]:
        """Iterate over what texts are searched for."""
        yield from self._given.values()
        for tokens in self._learnt.values():
            yield from tokens.values()

    def cores(self) -> dict[str, str]:
        """Return the secret parts of the credentials, each with its kind."""
        found = {}
        for tokens in (self._given, *self._learnt.values()):
            for value, one in tokens.items():
                if one.credential:
                    kind = one.shown[2:-2].partition(":")[0]
                    found[core(kind, value)] = kind
        return found

    def bounded(self) -> dict[str, str]:
        """Return the given secrets that are too short to be looked for inside words, and what is shown."""
        return {value: one.shown for value, one in self._given.items() if _TINY <= len(value) < SHORT}

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where ids stand in a text, in order, without overlaps."""
        found: list[tuple[int, int]] = []
        at, last = 0, len(text) - _BEGINNING if self._ids else -1
        while at <= last:
            ids = self._begins.get(text[at : at + _BEGINNING])
            end = max((at + len(one) for one in ids if text.startswith(one, at)), default=0) if ids else 0
            if end:
                found.append((at, end))
            at = end or at + 1
        return found


def looks_random(value: str) -> bool:
    """Whether a value is long and mixed enough to be a token: no word, number, code or date."""
    if len(value) < _LONG or len(set(value)) < _DISTINCT or any(letter.isspace() for letter in value):
        return False
    digits = sum(letter.isdigit() for letter in value)
    letters = sum(letter.isalpha() for letter in value)
    return (digits > 0 and letters > _TINY) or (letters > 0 and len(value) >= _VERY_LONG)


def _secret(value: str, shown: str, *, credential: bool) -> Secret:
    if len(value) < SHORT:
        return Secret(shown, credential, ())
    kind = shown[2:-2].partition(":")[0]
    deep = len(bones(core(kind, value))) >= LEAST
    return Secret(shown, credential, tuple(variants(value)), deep, tuple(base64_forms(value)))
