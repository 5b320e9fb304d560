"""Checks a downloaded session of Veza without any part of Veza: chain, views, addenda, manifests, signatures.

    python3 verify_session.py FOLDER [ALLOWED_SIGNERS]

FOLDER holds journal.jsonl and the files beside it. ALLOWED_SIGNERS is OpenSSH's file of the keys that you trust;
without it no signature is checked. Ends with 0, or with 6 if anything is damaged. Needs Python 3.9.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, Tuple

LIMITS = """What this cannot show: who wrote the files, unless a signature is checked. Without one, somebody who writes
all of them anew leaves no trace. With one, the newest manifest can still be taken away, with all that only it lists."""
Row, Event = Tuple[str, str, str], Any  # an event is what JSON holds; what does not fit raises: then it is damaged
KEYGEN = ("ssh-keygen", "-Y")


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def parsed(line: bytes) -> Event:
    value = json.loads(line.decode())
    if not line.endswith(b"\n") or canonical(value) + b"\n" != line:
        raise ValueError("is not in canonical form")
    return value


def hash_of(event: Event) -> str:
    return sha256(canonical({name: value for name, value in event.items() if name != "hash"}))


def chain(journal: Path) -> Iterator[Event]:
    before, ended = "0" * 64, False
    for number, line in enumerate(journal.read_bytes().splitlines(keepends=True), 1):
        if not line.endswith(b"\n") and not ended:
            return  # an open session may end in half a line
        event = parsed(line)
        if (event["seq"], event["prev"], event["hash"], ended) != (number, before, hash_of(event), False):
            raise ValueError(f"event {number} does not fit the chain")
        yield event
        before, ended = event["hash"], event["type"] == "SessionEnded"


def digest(path: Path, expected: object, by: str) -> Row:
    if not path.is_file():
        return path.name, "damaged", f"{by} names it, and it is not here"
    same = sha256(path.read_bytes()) == expected
    return path.name, "ok" if same else "damaged", f"{'has' if same else 'does not have'} the digest that {by} names"


def journal_rows(folder: Path, events: list[Event], _: str | None) -> Iterator[Row]:
    events.extend(chain(folder / "journal.jsonl"))
    first, last, parts = events[0], events[-1], folder.resolve().parts
    month, session = tuple(first["at"].split("-")[:2]), first["session"]
    placed, named = re.fullmatch("[0-9]{4}/[0-9]{2}", "/".join(parts[-3:-1])), re.fullmatch("[0-9A-Z]{26}", parts[-1])
    right = parts[-3:] == (*month, session) if placed else parts[-1] == session if named else True
    yield "identity", "ok" if right else "damaged", f"session {session} of {'-'.join(month)}, in {folder}"
    yield from other_rows(folder.resolve() / "../../..", first.get("others") or {}, "the journal")
    if last["type"] != "SessionEnded":
        yield "chain", "not checked", f"{len(events)} events fit; the session is open, its last lines may be missing"
        return
    yield "chain", "ok", f"{len(events)} events, last hash {last['hash']}"
    for name in sorted({"report.md", "session.log"} - last["views"].keys()):
        yield name, "not checked", "the journal names no digest of it"
    yield from (digest(folder / Path(name).name, one, "the journal") for name, one in last["views"].items())


def other_rows(archive: Path, named: Event, by: str) -> Iterator[Row]:
    for name, one in named.items():
        held = [p.read_bytes() for p in archive.glob(f"[0-9]*/[0-9]*/{Path(name).name}/journal.jsonl")]
        said = "not checked" if not held else "ok" if any(f'"hash":"{one}"'.encode() in d for d in held) else "damaged"
        yield f"session {name}", said, f"{by} names an event of it{'' if held else '; it is not here'}"


def addendum_rows(folder: Path, events: list[Event], _: str | None) -> Iterator[Row]:
    before = None
    for number, path in enumerate(sorted(folder.glob("addendum-*.json")), 1):
        found = parsed(path.read_bytes())
        said = (found["session"], found["session_hash"], found["number"], path.name, found["hash"])
        right = (events[0]["session"], events[-1]["hash"], number, f"addendum-{number:03d}.json", hash_of(found))
        fits = said == right and found.get("previous") in (None, before) and events[-1]["type"] == "SessionEnded"
        yield path.name, "ok" if fits else "damaged", f"number {number}; its journal and the one before it"
        before = found["hash"]


def manifest_rows(folder: Path, events: list[Event], _: str | None) -> Iterator[Row]:
    previous, files, archive = None, {}, folder.resolve() / "../../.."
    place = "/".join([*events[0]["at"].split("-")[:2], events[0]["session"]])
    for number, path in enumerate(sorted(folder.glob("manifest-*.json")), 1):
        found = parsed(path.read_bytes())
        files = found["files"]
        said = (found["type"], found["number"], found["previous"], found["folder"], found["session"], path.name)
        right = ("Manifest", number, previous, place, place[8:], f"manifest-{number:03d}.json")
        previous = sha256(path.read_bytes())
        fits = said == right and "journal.jsonl" in files and events[-1]["type"] == "SessionEnded"
        yield path.name, "ok" if fits else "damaged", f"SHA-256 {previous}; its place, and the one before it"
        yield from (digest(folder / Path(name).name, one, path.name) for name, one in files.items())
        for name, one in found["attestations"].items():
            there, absent = archive / "attestations", f"{path.name} names it, and no attestation is here"
            yield digest(there / name, one, path.name) if there.is_dir() else (name, "not checked", absent)
        yield from other_rows(archive, found["sessions"], path.name)
    if previous is None:
        yield "manifest", "not checked", "there is none: nothing shows whether an addendum was taken away"
    for path in sorted(folder.glob("addendum-*.json")):
        if previous is not None and path.name not in files:
            yield path.name, "not checked", "no manifest lists it"


def signature_rows(folder: Path, _: list[Event], signers: str | None) -> Iterator[Row]:
    newest = sorted(folder.glob("manifest-*.json"))[-1:] or [folder / "journal.jsonl"]
    if not newest[0].with_name(newest[0].name + ".sig").exists():
        yield f"{newest[0].name}.sig", "not signed", "nobody vouches for these files"
    for path in sorted(folder.glob("*.sig")):
        if not path.with_suffix("").is_file():
            yield path.name, "damaged", "the signed file is gone"
        elif signers is None:
            yield path.name, "not checked", "name the keys that you trust"
        else:
            who = [*KEYGEN, "find-principals", "-f", signers, "-s", str(path)]
            name = subprocess.run(who, capture_output=True).stdout.decode().split("\n")[0].split(",")[0] or "nobody"
            check = [*KEYGEN, "verify", "-f", signers, "-I", name, "-n", "veza-e2e", "-s", str(path)]
            fits = subprocess.run(check, input=path.with_suffix("").read_bytes(), capture_output=True).returncode == 0
            yield path.name, "ok" if fits else "damaged", f"signed by {name}" if fits else "by no key that is allowed"


def main(folder: Path, signers: str | None = None) -> int:
    events, rows = list[Event](), list[Row]()
    for check in (journal_rows, addendum_rows, manifest_rows, signature_rows):
        try:
            rows.extend(check(folder, events, signers))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
            rows.append((check.__name__, "damaged", f"{type(error).__name__}: {error}"))
    print("\n".join(f"{status:11}  {name}: {said}" for name, status, said in rows), LIMITS, sep="\n")
    return 6 if any(status == "damaged" for _, status, _ in rows) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]) if len(sys.argv) in {2, 3} else __doc__)
