"""Two hundred and forty seeded edits of the committed cassettes: every one is caught, and each finding names a step.

Half of them are edits by hand, which the seals catch. The other half are sealed again, as if the walkthrough or the
backend had changed: only strict order, strict matching and the expected bytes can catch those.
"""

from __future__ import annotations

import copy
import itertools
import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from amount import share

from veza_e2e.cassettes import tape
from veza_e2e.cassettes.errors import PREFLIGHT, CassetteError, Mismatch
from veza_e2e.cassettes.keep import accept, compare
from veza_e2e.cassettes.perform import perform
from veza_e2e.journal.events import STEPS
from veza_e2e.redaction import WITHHELD

ROOT = Path(__file__).parents[2] / "cassettes"
NAMES = sorted(path.name for path in ROOT.iterdir() if path.is_dir())
NAMED = (*STEPS, PREFLIGHT)
ROUNDS = 20

Edit = Callable[[random.Random, list[tape.Entry]], bool]


def http(entries: list[tape.Entry]) -> list[int]:
    return [index for index, entry in enumerate(entries) if entry.kind == "http"]


def swap(chance: random.Random, entries: list[tape.Entry]) -> bool:
    """Two answers to the same poll that say the same are the same in either order; the seals alone can tell."""
    pairs = [
        pair
        for pair in itertools.combinations(http(entries), 2)
        if meaning(entries[pair[0]]) != meaning(entries[pair[1]])
    ]
    one, two = chance.choice(pairs)
    entries[one], entries[two] = entries[two], entries[one]
    return True


def meaning(entry: tape.Entry) -> object:
    """Return an interaction without its number and the id of its request."""
    response = entry.data["response"]
    headers = [pair for pair in response["headers"] if pair[0] != "x-request-id"]
    return entry.step, entry.data["request"], {**response, "headers": headers}


def drop(chance: random.Random, entries: list[tape.Entry]) -> bool:
    del entries[chance.choice(http(entries))]
    return True


def add(chance: random.Random, entries: list[tape.Entry]) -> bool:
    place = chance.choice(http(entries))
    entries.insert(place, entries[place])
    return True


def change_request_body(chance: random.Random, entries: list[tape.Entry]) -> bool:
    places = [index for index in http(entries) if entries[index].data["request"]["body"]]
    return change_leaf(chance, entries[chance.choice(places)].data["request"]["body"])


def change_response_body(chance: random.Random, entries: list[tape.Entry]) -> bool:
    places = [index for index in http(entries) if entries[index].data["response"]["body"]]
    return change_leaf(chance, entries[chance.choice(places)].data["response"]["body"])


def change_header(chance: random.Random, entries: list[tape.Entry]) -> bool:
    places = [index for index in http(entries) if entries[index].data["request"]["headers"]]
    headers = entries[chance.choice(places)].data["request"]["headers"]
    headers[chance.choice(sorted(headers))] += "x"
    return True


def change_address(chance: random.Random, entries: list[tape.Entry]) -> bool:
    request = entries[chance.choice(http(entries))].data["request"]
    if chance.random() < 0.5:
        request["url"] += "x"
    else:
        request["method"] = "PUT"
    return True


def change_status(chance: random.Random, entries: list[tape.Entry]) -> bool:
    entries[chance.choice(http(entries))].data["response"]["status"] = chance.choice([404, 500, 409])
    return True


def end_early(chance: random.Random, entries: list[tape.Entry]) -> bool:
    del entries[chance.choice(http(entries)) :]
    return True


def another_answer(chance: random.Random, entries: list[tape.Entry]) -> bool:
    places = [i for i, entry in enumerate(entries) if entry.kind in {"key", "open", "rows"}]
    data: Any = entries[chance.choice(places)].data
    if "value" in data:
        data["value"] = "0" * 32
    elif "url" in data:
        data["url"] += "x"
    else:
        data["order_id"] += "x"
    return True


def old_token(chance: random.Random, entries: list[tape.Entry]) -> bool:
    """Send the token from before its renewal."""
    places = [i for i in http(entries) if "access_token:2" in str(entries[i].data["request"]["headers"])]
    if not places:
        return change_header(chance, entries)
    entries[chance.choice(places)].data["request"]["headers"]["authorization"] = "Bearer {{access_token:1}}"
    return True


def drop_anything(chance: random.Random, entries: list[tape.Entry]) -> bool:
    del entries[chance.choice([i for i, entry in enumerate(entries) if entry.kind in {"key", "ask", "open", "rows"}])]
    return True


def change_leaf(chance: random.Random, body: dict[str, Any]) -> bool:
    places = list(leaves(body))
    holder, key = chance.choice(places)
    value = holder[key]
    if isinstance(value, bool) or value is None:
        holder[key] = "something"
    else:
        holder[key] = value + 1 if isinstance(value, int) else f"{value}x"
    return True


def leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(pairs):
        if isinstance(item, dict | list):
            yield from leaves(item)
        elif item != WITHHELD:
            yield value, key


EDITS: tuple[Edit, ...] = (
    swap, drop, add, change_request_body, change_response_body, change_header, change_address, change_status,
    end_early, another_answer, old_token, drop_anything,
)  # fmt: skip


def caught(folder: Path) -> tuple[str | None, str]:
    """Return the step that a replay of `folder` stumbles at, and what it says."""
    try:
        played = perform(folder)
        difference = compare(folder, played)
    except Mismatch as mismatch:
        return mismatch.step or PREFLIGHT, str(mismatch)
    except CassetteError as error:
        return next((step for step in NAMED if f"step {step}" in str(error)), None), str(error)
    if difference is None:
        return None, "nothing was caught"
    return difference.step or PREFLIGHT, "\n".join(difference.lines)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cassettes with what they come to today, so that only the edits can make a difference."""
    folder = tmp_path_factory.mktemp("originals")
    for name in NAMES:
        accept(copied(ROOT, name, folder), perform(ROOT / name))
    return folder


def copied(origin: Path, name: str, folder: Path) -> Path:
    return Path(shutil.copytree(origin / name, folder / name))


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_edit_that_is_sealed_again_is_caught_by_what_the_walkthrough_does(
    edit: Edit, originals: Path, tmp_path: Path
) -> None:
    for seed in range(share(ROUNDS // 2)):
        chance = random.Random(f"{edit.__name__} {seed}")
        folder = copied(originals, chance.choice(NAMES), tmp_path / str(seed))
        recording = tape.read(folder)
        entries = [replace(entry, data=copy.deepcopy(dict(entry.data))) for entry in recording.entries]
        before = [dict(entry.data) for entry in copy.deepcopy(entries)]
        edit(chance, entries)
        assert [dict(entry.data) for entry in entries] != before
        for file, data in tape.published(replace(recording, entries=tuple(entries))).items():
            (folder / file).write_bytes(data)
        step, said = caught(folder)
        assert step in NAMED, f"seed {seed} of {folder.name}: {said}"


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_edit_by_hand_is_caught_by_the_seals_before_anything_is_played(
    edit: Edit, originals: Path, tmp_path: Path
) -> None:
    for seed in range(share(ROUNDS // 2)):
        chance = random.Random(f"{edit.__name__} by hand {seed}")
        folder = copied(originals, chance.choice(NAMES), tmp_path / str(seed))
        recording = tape.read(folder)
        entries = [replace(entry, data=copy.deepcopy(dict(entry.data))) for entry in recording.entries]
        edit(chance, entries)
        edited = tape.published(replace(recording, entries=tuple(entries)))
        # A person edits one of the two files, and cannot make the seals anew.
        here = [file for file in edited if facts(edited[file]) != facts((folder / file).read_bytes())]
        file = chance.choice(here)
        (folder / file).write_bytes(unsealed(edited[file], (folder / file).read_bytes()))
        with pytest.raises(CassetteError) as error:
            perform(folder)
        assert error.value.path.name in {tape.CASSETTE, tape.TAPE}
        assert any(f"step {step}" in str(error.value) for step in NAMED), str(error.value)


def facts(data: bytes) -> Any:
    """Return what a file says, seals and digests aside."""
    if b'"interactions"' in data:
        return json.loads(data)["interactions"]
    lines = [json.loads(line) for line in data.splitlines()]
    return [{name: line[name] for name in line if name not in {"seal", "digest"}} for line in lines]


def unsealed(edited: bytes, original: bytes) -> bytes:
    """Return the edited file with the seals of the original, as far as there are any."""
    if b'"interactions"' not in edited:
        seals = [json.loads(line)["seal"] for line in original.splitlines()]
        lines = [json.loads(line) for line in edited.splitlines()]
        for line, seal in zip(lines, seals, strict=False):
            line["seal"] = seal
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    document, before = json.loads(edited), json.loads(original)
    return json.dumps({**before, "interactions": document["interactions"]}).encode()
