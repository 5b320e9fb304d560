"""Seeded tamperings with an archive, and what `verify` and the strangers' verifier say before and after each."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

from keys import new_key, policy
from scripted_session import Script

from veza_e2e import report
from veza_e2e.archive.manifests import digest_of, unnamed
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.archive.signatures import sign
from veza_e2e.canonical import digest, dumps
from veza_e2e.evidence import Attestation, BankStatement
from veza_e2e.journal import GENESIS, parse
from veza_e2e.journal.chain import chain
from veza_e2e.journal.events import SessionEnded, SessionStarted
from veza_e2e.redaction import Redactor
from veza_e2e.verify import LIMITS, lacks_signature, verify, verify_archive

SCRIPT = Path(__file__).parents[1] / "docs" / "verify_session.py"
DRY, LIVE, LAST, OPEN = (f"01KQS3EFM0000000000000000{letter}" for letter in "ABCD")
ENDED = (DRY, LIVE, LAST)
Rows = dict[str, str]
"""What is said of each artefact: `status: message`, by name."""

UNSIGNED = "no allowed key vouches for it"
ANEW = "who writes journal, views, addenda and manifests anew leaves no trace"
NEWEST = "the newest manifest with all that only it lists"
NOT_ITS_PART = "not its part"
TAIL = "the tail cannot be proven"
UNNAMED = f"no other session names {LAST}"


@dataclass(frozen=True)
class World:
    """An archive that nobody tampered with, and the keys."""

    root: Path
    key: Path
    stranger: Path
    policy: Path | None
    """None if nothing in the archive is signed."""

    @property
    def signed(self) -> bool:
        return self.policy is not None


def make(folder: Path, *, signed: bool) -> World:
    """Make an archive of four sessions: a dry-run, a live run with two addenda, a later one, and an open one."""
    key, stranger = new_key(folder / "keys" / "operator"), new_key(folder / "keys" / "stranger")
    root = folder / "archive"
    at = datetime(2026, 5, 4, 9, tzinfo=UTC)
    archive = Archive(root, (lambda path: sign(path, key)) if signed else None)

    def stored(script: Script) -> Stored:
        path = script.store(root)
        return Stored(path.name, path, archive.signs)

    dry = Script(at, session=DRY).start(release="2026.05").until("revoked").end()
    stored(dry).vouch()
    attestation = Attestation(id="01KQS3EFM00000000000000000", item="ex-9", by="A. Person", at="2026-05-04T09:00:00Z")
    archive.attest(attestation, Redactor())
    cited = {"session": DRY, "hash": dry.lines[-1].hash, "ended_at": dry.lines[-1].at}
    opened = stored(Script(at + timedelta(hours=2), session=OPEN).start().until("pay"))
    live = Script(at + timedelta(hours=1), session=LIVE).start(live=True, release="2026.05", dry_run=cited)
    one = stored(live.until("revoked").end())
    one.vouch()
    for seen in ("nothing", "credit"):
        one.add(statement(one, seen), Redactor())
    began = Script(at + timedelta(hours=3), session=LAST).start(others=unnamed(archive.others()))
    last = stored(began.until("revoked").end())
    last.vouch()
    last.add(statement(last, "credit"), Redactor())
    assert opened.last_hash is not None
    return World(root, key, stranger, policy(folder / "policy", operator=key) if signed else None)


def statement(stored: Stored, seen: Any, **more: Any) -> BankStatement:
    lines = stored.read().lines
    return BankStatement(
        session=stored.session, session_hash=lines[-1].hash, number=1, seq=len(lines) + 1,
        at="2026-05-12T09:00:00.000Z", seen=seen, date="2026-05-12", amount_cents=500, currency="EUR", **more,
    )  # fmt: skip


# What is said.


def verified(world: World, root: Path) -> Rows:
    """Return the rows of `verify --all`, and with a policy of `--require-signature`."""
    archive = Archive(root)
    checks = [(one.session, check) for one in archive.sessions() for check in verify(one, world.policy)]
    checks += [("", check) for check in verify_archive(archive, world.policy)]
    lack = {one for _, one in checks if world.signed and lacks_signature(one) and one.status != "damaged"}
    said = {one: f"{UNSIGNED if one in lack else one.status}: {one.message}" for _, one in checks}
    return {f"{of} {one.name}".strip(): said[one] for of, one in checks}


def by_a_stranger(world: World, root: Path) -> Rows:
    """Return the rows of the strangers' verifier, of each session."""
    spec = importlib.util.spec_from_file_location("verify_session", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows: Rows = {}
    for where in sorted(
        {path.parent for path in root.rglob("*") if path.is_file() and path.parent.name[:2] == DRY[:2]}
    ):
        screen = StringIO()
        with redirect_stdout(screen):
            code = module.main(where, *([str(world.policy)] if world.policy else []))
        *said, _, _ = screen.getvalue().splitlines()
        rows |= {f"{where.name} {line[13:].partition(':')[0]}": f"{line[:11].strip()}: {line}" for line in said}
        assert code == (6 if any(line.startswith("damaged") for line in said) else 0)
    return rows


def found(before: Rows, after: Rows, *, signed: bool) -> bool:
    """Whether a row says that something is wrong which none said before. Of a signed archive only damage counts."""
    wrong = {
        name: said for name, said in after.items() if not said.startswith(("ok:", "open:")) and said != before.get(name)
    }
    if any(said.startswith("damaged") for said in wrong.values()):
        return True
    if signed:  # --require-signature
        return any(said.startswith(UNSIGNED) for said in wrong.values())
    return any(after[name].split(":")[0] != before.get(name, "ok").split(":")[0] for name in wrong)


# Tamperings.


@dataclass(frozen=True)
class Tampering:
    """One way to tamper; `apply` returns what was done.

    Attributes:
        unproven: what `verify` says beforehand of what it cannot prove; None if it must be found.
        of: `signed`, `unsigned` or `both` archives.
        session: whether the strangers' verifier, which checks one session, can see it.
    """

    apply: Callable[[Path, Random, World], None]
    unproven: str | None = None
    of: str = "both"
    session: bool = True


def folder(root: Path, session: str) -> Path:
    return next(root.glob(f"*/*/{session}"))


def flip(path: Path, chance: Random) -> None:
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    place = chance.randrange(len(data))
    data[place] ^= 1 << chance.randrange(8)
    path.write_bytes(bytes(data))


def cut(path: Path, chance: Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: chance.randrange(len(data))])


def gone(path: Path, _: Random) -> None:
    path.unlink()


def longer(path: Path, chance: Random) -> None:
    path.write_bytes(path.read_bytes() + bytes([chance.randrange(32, 127)]) + b"\n" * chance.randrange(2))


def other_bytes(path: Path, chance: Random) -> None:
    """Put another file of the archive in its place."""
    root = path.parents[3] if "attestations" not in path.parts else path.parents[1]
    others = [one for one in sorted(root.rglob("*.*")) if one.is_file() and one.read_bytes() != path.read_bytes()]
    path.write_bytes(chance.choice(others).read_bytes())


def any_file(pattern: str, how: Callable[[Path, Random], None], sessions: tuple[str, ...] = ENDED) -> Any:
    def apply(root: Path, chance: Random, _: World) -> None:
        files = [one for session in sessions for one in sorted(folder(root, session).glob(pattern))]
        how(chance.choice(files), chance)

    return apply


def lines_of(how: Callable[[list[bytes], Random], None], sessions: tuple[str, ...] = ENDED) -> Any:
    def apply(root: Path, chance: Random, _: World) -> None:
        path = folder(root, chance.choice(sessions)) / "journal.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        before = list(lines)
        how(lines, chance)
        assert lines != before
        path.write_bytes(b"".join(lines))

    return apply


def _swapped(lines: list[bytes], chance: Random) -> None:
    one, two = chance.sample(range(len(lines)), 2)
    lines[one], lines[two] = lines[two], lines[one]


def _without(lines: list[bytes], chance: Random) -> None:
    del lines[chance.randrange(len(lines) - 1)]


def _twice(lines: list[bytes], chance: Random) -> None:
    lines.insert(place := chance.randrange(len(lines)), lines[place])


def _shorter(lines: list[bytes], chance: Random) -> None:
    del lines[chance.randrange(4, len(lines)) :]


def story_changed(journal: Path, chance: Random, dry_run: str | None = None) -> None:
    """Write a journal anew with another story, its chain and the views' digests right; and the views.

    Args:
        journal: its path.
        chance: chooses what is told.
        dry_run: the last hash of the dry-run, if it is to be cited anew.
    """
    lines = parse(journal.read_bytes(), journal).lines
    told = [place for place, line in enumerate(lines) if hasattr(line.event, "observed")]
    place, data, prev, kept = chance.choice(told), b"", GENESIS, list(lines[:0])
    for line in lines:
        event = line.event
        if line.seq == place + 1:
            event = replace(event, observed=f"all is well {chance.random()}")  # type: ignore[call-arg]
        if isinstance(event, SessionStarted) and event.dry_run is not None and dry_run is not None:
            event = replace(event, dry_run={**event.dry_run, "hash": dry_run})
        if isinstance(event, SessionStarted) and event.others:
            root = journal.parents[3]
            now = {name: str(Stored(name, folder(root, name)).last_hash) for name in event.others}
            event = replace(event, others=now)
        if isinstance(event, SessionEnded):
            views = report.render(kept)
            for name, view in views.items():
                (journal.parent / name).write_bytes(view)
            event = replace(event, views={name: digest_of(journal.parent / name) for name in views})
        made, written = chain(line.seq, line.at, event, prev)
        data, prev = data + written, made.hash
        kept.append(made)
    journal.write_bytes(data)


def resealed(path: Path, **change: Any) -> str:
    members = {**json.loads(path.read_bytes()), **change}
    rest = {name: value for name, value in members.items() if name != "hash"}
    path.write_bytes(dumps({**rest, "hash": digest(rest)}).encode() + b"\n")
    return digest(rest)


def manifests_anew(where: Path, root: Path) -> None:
    """Write a session's manifests anew, so that each fits what is there."""
    previous = None
    for path in sorted(where.glob("manifest-*.json")):
        members = json.loads(path.read_bytes())
        members["files"] = {name: digest_of(where / name) for name in members["files"] if (where / name).exists()}
        members["attestations"] = {name: digest_of(root / "attestations" / name) for name in members["attestations"]}
        path.write_bytes(
            dumps({**members, "previous": previous, "folder": "/".join(where.parts[-3:])}).encode() + b"\n"
        )
        previous = digest_of(path)


def all_anew(root: Path, chance: Random, sessions: tuple[str, ...] = ENDED) -> None:
    """Write whole sessions anew, each with another story, and all that cites them."""
    for session in sessions:
        where = folder(root, session)
        story_changed(where / "journal.jsonl", chance, Stored(DRY, folder(root, DRY)).last_hash)
        last, before = Stored(session, where).last_hash, None
        for path in sorted(where.glob("addendum-*.json")):
            before = resealed(path, session_hash=last, previous=before)
    for session in ENDED:
        where = folder(root, session)
        for path in sorted(where.glob("manifest-001.json")):
            members = json.loads(path.read_bytes())
            held = {
                name: Stored(name, folder(root, name)).last_hash for name in members["sessions"] if name in sessions
            }
            path.write_bytes(dumps({**members, "sessions": {**members["sessions"], **held}}).encode() + b"\n")
        manifests_anew(where, root)


def unsign(root: Path) -> None:
    for path in root.rglob("*.sig"):
        path.unlink()


def sign_all(root: Path, key: Path) -> None:
    unsign(root)
    for path in sorted(root.rglob("manifest-*.json")):
        sign(path, key)


def rewritten(sessions: tuple[str, ...], then: Callable[[Path, World], None] | None = None) -> Any:
    def apply(root: Path, chance: Random, world: World) -> None:
        all_anew(root, chance, sessions)
        if then is not None:
            then(root, world)

    return apply


def one_rewritten(root: Path, chance: Random, world: World) -> None:
    """Write one session anew that another one names, and leave the other alone."""
    del world
    session = chance.choice((DRY, LIVE))
    kept = {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and session not in path.parts}
    all_anew(root, chance, (session,))
    for path, data in kept.items():
        path.write_bytes(data)


def addendum_changed(root: Path, chance: Random, _: World) -> None:
    path = chance.choice([*folder(root, LIVE).glob("addendum-*"), *folder(root, LAST).glob("addendum-*")])
    resealed(path, amount_cents=chance.randrange(1, 500), note="as on the statement")


def addendum_with_manifests(root: Path, chance: Random, world: World) -> None:
    addendum_changed(root, chance, world)
    for session in (LIVE, LAST):
        before = None
        for path in sorted(folder(root, session).glob("addendum-*.json")):
            before = resealed(path, previous=before)
        manifests_anew(folder(root, session), root)


def addendum_forged(root: Path, chance: Random, _: World) -> None:
    where = folder(root, chance.choice(ENDED))
    number = len(list(where.glob("addendum-*.json"))) + 1
    one = Stored(where.name, where)
    one.add(statement(one, "credit", note=f"forged {chance.random()}"), Redactor())
    for path in sorted(where.glob("manifest-*.json"))[-1:]:
        path.unlink()
    assert (where / f"addendum-{number:03d}.json").exists()


def rolled_back(root: Path, chance: Random, _: World) -> None:
    """Take the newest manifest away, with its signature and the addendum that only it lists."""
    where = folder(root, chance.choice((LIVE, LAST)))
    newest = max(where.glob("manifest-*.json"))
    addendum = max(where.glob("addendum-*.json"))
    for path in (newest, newest.with_name(newest.name + ".sig"), addendum):
        path.unlink(missing_ok=True)


def no_manifests(root: Path, chance: Random, _: World) -> None:
    for path in folder(root, chance.choice(ENDED)).glob("manifest-*"):
        path.unlink()


def attestation_forged(root: Path, chance: Random, _: World) -> None:
    said = Attestation(
        id=f"01KQS3EFM000000000000000{chance.randrange(10, 99)}", item="ex-9", by="N. Body", at="2026-05-04T09:00:00Z"
    )
    Archive(root).attest(said, Redactor())


def attestation(how: Callable[[Path, Random], None]) -> Any:
    return lambda root, chance, _: how(next(iter(sorted((root / "attestations").glob("*.json")))), chance)


def attestation_resealed(root: Path, chance: Random, _: World) -> None:
    resealed(next(iter((root / "attestations").glob("*.json"))), by=f"N. Body {chance.random()}")


def moved(how: str) -> Any:
    def apply(root: Path, chance: Random, _: World) -> None:
        where = folder(root, chance.choice((*ENDED, OPEN)))
        if how == "month":
            place = root / "2026" / f"{chance.choice((1, 2, 3, 4, 6, 7)):02d}" / where.name
        elif how == "year":
            place = root / str(chance.randrange(2020, 2026)) / "05" / where.name
        elif how == "name":
            place = where.with_name(f"{where.name}-{chance.randrange(100)}")
        else:
            place = where.with_name(where.name[:-2] + chance.choice("EFGH") + where.name[-1])
        place.parent.mkdir(parents=True, exist_ok=True)
        where.rename(place)

    return apply


def copied(root: Path, chance: Random, _: World) -> None:
    where = folder(root, chance.choice((*ENDED, OPEN)))
    shutil.copytree(where, root / "2026" / f"{chance.randrange(6, 13):02d}" / where.name)


def swapped_folders(root: Path, chance: Random, _: World) -> None:
    one, two = (folder(root, session) for session in chance.sample([*ENDED, OPEN], 2))
    aside = one.rename(one.with_name("aside"))
    two.rename(one)
    aside.rename(two)


def swapped_files(pattern: str) -> Any:
    """Swap two files of the same name between two sessions."""

    def apply(root: Path, chance: Random, _: World) -> None:
        sessions = ENDED if not pattern.startswith("addendum") else (LIVE, LAST)
        one, two = (folder(root, session) for session in chance.sample(sessions, 2))
        name = chance.choice([path.name for path in sorted(one.glob(pattern)) if (two / path.name).exists()])
        first, second = (one / name).read_bytes(), (two / name).read_bytes()
        (one / name).write_bytes(second)
        (two / name).write_bytes(first)

    return apply


def removed(*sessions: str) -> Any:
    def apply(root: Path, chance: Random, _: World) -> None:
        shutil.rmtree(folder(root, chance.choice(sessions)))

    return apply


def emptied(root: Path, chance: Random, _: World) -> None:
    (folder(root, chance.choice((*ENDED, OPEN))) / "journal.jsonl").unlink()


def signature_swapped(root: Path, chance: Random, _: World) -> None:
    one, two = chance.sample(sorted(root.rglob("*.sig")), 2)
    one.write_bytes(two.read_bytes())


def signed_by_a_stranger(root: Path, chance: Random, world: World) -> None:
    signature = chance.choice(sorted(root.rglob("*.sig")))
    signature.unlink()
    sign(signature.with_suffix(""), world.stranger)


def newest_unsigned(root: Path, chance: Random, _: World) -> None:
    max(folder(root, chance.choice(ENDED)).glob("*.sig")).unlink()


def strangers_policy(root: Path, chance: Random, world: World) -> None:
    all_anew(root, chance)
    sign_all(root, world.stranger)
    policy(root / "allowed_signers", operator=world.stranger)


CHANGES = {"flipped": flip, "cut": cut, "gone": gone, "longer": longer, "another's": other_bytes}


def _of_files() -> Iterator[tuple[str, Tampering]]:
    for kind in ("journal.jsonl", "report.md", "session.log", "addendum-*.json", "manifest-*.json"):
        for name, how in CHANGES.items():
            if (kind, name) != ("manifest-*.json", "gone"):
                yield f"{kind} {name}", Tampering(any_file(kind, how))
    for name, how in CHANGES.items():
        yield f"attestation {name}", Tampering(attestation(how))
    for name, how in (("flipped", flip), ("cut", cut), ("another's", other_bytes)):
        yield f"signature {name}", Tampering(any_file("*.sig", how), of="signed")
    for kind in ("journal.jsonl", "report.md", "session.log", "addendum-*.json", "manifest-*.json"):
        yield f"{kind} of two sessions swapped", Tampering(swapped_files(kind))


TAMPERINGS: dict[str, Tampering] = {
    **dict(_of_files()),
    "a manifest gone": Tampering(any_file("manifest-*.json", gone)),
    "lines swapped": Tampering(lines_of(_swapped)),
    "a line cut out": Tampering(lines_of(_without)),
    "a line twice": Tampering(lines_of(_twice)),
    "last lines cut off": Tampering(lines_of(_shorter)),
    "open: a bit flipped": Tampering(any_file("journal.jsonl", flip, (OPEN,)), TAIL),
    "open: last lines cut off": Tampering(lines_of(_shorter, (OPEN,)), TAIL),
    "open: a line cut out": Tampering(lines_of(_without, (OPEN,)), TAIL),
    "open: written anew": Tampering(
        lambda root, chance, _: story_changed(folder(root, OPEN) / "journal.jsonl", chance), TAIL
    ),
    "a story changed, its chain right": Tampering(any_file("journal.jsonl", story_changed)),
    "an addendum changed, its hash right": Tampering(addendum_changed),
    "an addendum changed, all manifests right": Tampering(addendum_with_manifests, ANEW, "unsigned"),
    "an addendum changed, all manifests right, signed before": Tampering(addendum_with_manifests, of="signed"),
    "an addendum forged": Tampering(addendum_forged),
    "the newest manifest gone with what it lists": Tampering(rolled_back, NEWEST),
    "all manifests gone": Tampering(no_manifests),
    "an attestation forged": Tampering(attestation_forged, session=False),
    "an attestation changed, its hash right": Tampering(attestation_resealed),
    "a folder in another month": Tampering(moved("month")),
    "a folder in another year": Tampering(moved("year")),
    "a folder renamed": Tampering(moved("name")),
    "a folder named as another session": Tampering(moved("session")),
    "a folder copied": Tampering(copied),
    "two folders swapped": Tampering(swapped_folders),
    "a session gone that another one names": Tampering(removed(DRY, LIVE, OPEN)),
    "the newest session gone": Tampering(removed(LAST), UNNAMED, session=False),
    "a journal gone": Tampering(emptied, session=False),
    "one session written anew": Tampering(one_rewritten),
    "the newest session written anew": Tampering(rewritten((LAST,)), ANEW, "unsigned"),
    "all written anew": Tampering(rewritten(ENDED), ANEW, "unsigned"),
    "all written anew, the signatures left": Tampering(rewritten(ENDED), of="signed"),
    "all written anew, unsigned": Tampering(rewritten(ENDED, lambda root, _: unsign(root)), of="signed"),
    "all written anew, signed by a stranger": Tampering(
        rewritten(ENDED, lambda root, world: sign_all(root, world.stranger)), of="signed"
    ),
    "all written anew, the stranger's policy put in": Tampering(strangers_policy, of="signed"),
    "signatures swapped": Tampering(signature_swapped, of="signed"),
    "signed by a stranger": Tampering(signed_by_a_stranger, of="signed"),
    "the newest signature gone": Tampering(newest_unsigned, of="signed"),
}


def kinds(*, signed: bool) -> list[str]:
    """Return the names of the tamperings with a signed archive, or with one that is not."""
    return [name for name, one in TAMPERINGS.items() if one.of in {"both", "signed" if signed else "unsigned"}]


@dataclass(frozen=True)
class Outcome:
    """What came of one tampering: `found`, `said before`, or `missed`; of both verifiers.

    The strangers' one checks a session: what is no part of any is `not its part`.
    """

    verify: str
    stranger: str


class Trial:
    """Tries tamperings with copies of one archive."""

    def __init__(self, world: World, aside: Path) -> None:
        self.world = world
        self.aside = aside
        self.before, self.before_stranger = verified(world, world.root), by_a_stranger(world, world.root)

    def outcome(self, name: str, seed: int) -> Outcome:
        """Tamper with a copy, and compare what is said of it with what was said before."""
        tampering = TAMPERINGS[name]
        root = self.aside / "archive"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(self.world.root, root)
        tampering.apply(root, Random(f"{name} {seed}"), self.world)
        unproven = tampering.unproven
        warned = unproven is not None and unproven in " ".join([LIMITS, *self.before.values()])
        after, after_stranger = verified(self.world, root), by_a_stranger(self.world, root)
        missed = "said before" if warned else "missed"
        seen = found(_anywhere(self.before, self.world.root), _anywhere(after, root), signed=self.world.signed)
        stranger = "found" if found(self.before_stranger, after_stranger, signed=False) else missed
        return Outcome("found" if seen else missed, stranger if tampering.session else NOT_ITS_PART)


def _anywhere(rows: Rows, root: Path) -> Rows:
    """Return the rows without the folder's name, which differs between an archive and its copy."""
    return {name: said.replace(str(root), "") for name, said in rows.items()}
