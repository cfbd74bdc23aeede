"""Contributions on the disk: a folder each, what was agreed to, how far it is. Read by the window, written with care.

FOLDER/contribution.json   what was prepared and agreed to (`Contribution`)
FOLDER/lesson-DIGEST/…     the lesson, its documents and the letter as they are sent (`frozen`)
FOLDER/steps.jsonl         what was done: one line for each step, appended when it is done (`journal`)
FOLDER/standing.json       how it stood when the host was asked last, and what was read of it
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

from lab_desktop import bins, paths
from lab_desktop.contribution import frozen, journal
from lab_desktop.contribution.destinations import Destination, Forge
from lab_desktop.contribution.hosts import Check, Comment, Outcome, Standing
from lab_desktop.contribution.journal import Done as Done
from lab_desktop.contribution.letter import Letter
from lab_desktop.contribution.parcel import Parcel
from lab_desktop.errors import RunError
from lab_desktop.files import disk_errors, flush_folder, read_json, write_json
from lab_desktop.jobs.run import Run

FILE_NAME = "contribution.json"
STANDING = "standing.json"
BIN = "bin"
_LATEST = 253_402_300_800.0
"""The year 10000, in seconds since 1970."""


class State(enum.StrEnum):
    """How far a contribution is, as the window shows it."""

    DRAFT = "draft"
    """Something is missing: agreed to nothing yet, or no destination."""
    READY = "ready"
    """Agreed to; not asked to be sent yet, or stopped."""
    WAITING = "waiting"
    """Asked to be sent; there was no connection, or nobody is signed in."""
    SENT = "sent"
    """There; of a file and of remotes without pull requests, this is the end."""
    CHECKING = "checking"
    """Somebody, or an automatic check, looks at it."""
    CHANGES = "changes asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"


@dataclass(frozen=True)
class Author:
    """Whose name the commit bears, and who signed it off.

    Attributes:
        name, email: as in the commit and in its Signed-off-by line.
    """

    name: str
    email: str


@dataclass(frozen=True)
class Contribution:
    """One lesson on its way.

    Attributes:
        folder: where it is kept.
        library: the library it comes from.
        path: the lesson's folder there, with slashes.
        title: the lesson's.
        destination: None: not chosen yet.
        author: None: not said yet.
        agreed_at: when the person agreed to the sign-off, seconds since 1970; 0: not yet.
        created: seconds since 1970; also the commit's date, so that the same contribution is the same commit.
        branch: of the commit: "lesson/velmora-1a2b3c".
        run: the run whose report is the proof, or None.
        is_wanted: the person pressed Send and it is not there yet.
        trouble: why it is not there yet, in a sentence; "" for nothing. `hint`: what to do.
        digest: names what is sent (`frozen`).
        note: what the person says to those who look at it; it stands in the letter.
    """

    folder: Path
    library: Path
    path: str
    title: str
    destination: Destination | None = None
    author: Author | None = None
    agreed_at: float = 0.0
    created: float = 0.0
    branch: str = ""
    run: Path | None = None
    is_wanted: bool = False
    trouble: str = ""
    hint: str = ""
    digest: str = ""
    note: str = ""

    @property
    def is_agreed(self) -> bool:
        """True where nothing is missing to send it."""
        return self.agreed_at > 0 and self.destination is not None and self.author is not None


def start(library: Path, parcel: Parcel, letter: Letter, run: Path | None = None) -> Contribution:
    """A new draft with everything that is sent, as it is now.

    Raises:
        LeafError: a file of it has a name that not every system takes.
        StorageError
    """
    created = time.time()
    name = _short_name(parcel.path)
    folder = _free_folder(name, f"{library}\n{parcel.path}\n{created}")
    try:
        digest = frozen.freeze(folder, parcel, letter)
        contribution = Contribution(
            folder,
            library.absolute(),
            parcel.path,
            parcel.title,
            created=created,
            branch=f"lesson/{folder.name}",
            run=run.absolute() if run else None,
            digest=digest,
        )
        save(contribution)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    flush_folder(folder.parent)
    return contribution


def save(contribution: Contribution) -> None:
    """
    Raises:
        StorageError
    """
    value: dict[str, Any] = {key: field for key, field in asdict(contribution).items() if key != "folder"}
    value["library"] = str(contribution.library)
    value["run"] = str(contribution.run) if contribution.run else None
    write_json(contribution.folder / FILE_NAME, value)


def update(contribution: Contribution, **changes: Any) -> Contribution:
    """Change some fields of what is on the disk now, whoever wrote the others; gives what was written.

    Raises:
        RunError: it is damaged.
        StorageError
    """
    changed = replace(read(contribution.folder), **changes)
    save(changed)
    return changed


def renew(contribution: Contribution, parcel: Parcel, letter: Letter) -> Contribution:
    """The same contribution with the lesson as it is now: what was agreed to must be agreed to again.

    Where only the letter is another, the person's agreement stands.

    Raises:
        LeafError: a file of it has a name that not every system takes.
        StorageError
    """
    digest = frozen.freeze(contribution.folder, parcel, letter)
    if digest == contribution.digest:
        return contribution
    is_same = _is_same_lesson(contribution.folder, digest, contribution.digest)
    renewed = replace(
        contribution,
        path=parcel.path,
        title=parcel.title,
        digest=digest,
        agreed_at=contribution.agreed_at if is_same else 0.0,
        is_wanted=False,
        trouble="",
        hint="",
    )
    save(renewed)
    # What was sent up to now may be in a worker's hands, or in those of a window that has not looked again.
    frozen.sweep(contribution.folder, (digest, contribution.digest))
    return renewed


def follow(library: Path, moved: Sequence[tuple[Path, Path]]) -> None:
    """Lessons of a library lie elsewhere now: what is on its way of them goes on from there, with the request it has.

    A lesson that the community knows at its old place is left, for there it would stay beside the new one; so is what
    is being sent now.

    Args:
        moved: (old, new) of topics and lessons, relative to the library.

    Raises:
        StorageError
    """
    for each in every():
        path = Path(each.path)
        for old, new in moved:
            path = new / path.relative_to(old) if path.is_relative_to(old) else path
        if each.library != library.absolute() or path == Path(each.path) or state(each) is State.ACCEPTED:
            continue
        with contextlib.suppress(RunError):
            if parcel_of(each).is_new:
                with Run(each.folder).open():
                    update(each, path=path.as_posix())


def read(folder: Path) -> Contribution:
    """
    Raises:
        RunError: it is damaged.
    """
    try:
        value = read_json(folder / FILE_NAME, "library", "path", "title", "branch", "digest")
        known = {key: value[key] for key in Contribution.__dataclass_fields__ if key in value and key != "folder"}
        _require_types(known)
        destination = _destination(known["destination"]) if known.get("destination") else None
        author = Author(**_texts(known["author"])) if known.get("author") else None
        known |= {"library": Path(known["library"]), "run": Path(known["run"]) if known.get("run") else None}
        return Contribution(folder, **{**known, "destination": destination, "author": author})
    except (RunError, TypeError, ValueError) as error:
        raise RunError(
            f'"{FILE_NAME}" in {folder} is damaged.',
            "Prepare the lesson again; the lesson itself is safe in your library.",
            str(error),
        ) from error


def every() -> list[Contribution]:
    """All of them, newest first; a damaged one is left out."""
    found = []
    for file in paths.contributions().glob(f"*/{FILE_NAME}"):
        with contextlib.suppress(RunError):
            found.append(read(file.parent))
    return sorted(found, key=lambda each: each.created, reverse=True)


def parcel_of(contribution: Contribution) -> Parcel:
    """What is sent, as it was frozen.

    Raises:
        RunError: it is damaged.
    """
    return frozen.parcel(contribution.folder, contribution.digest)


def letter_of(contribution: Contribution) -> Letter:
    """
    Raises:
        RunError: it is damaged.
    """
    return frozen.letter(contribution.folder, contribution.digest)


def identity(contribution: Contribution) -> str:
    """Tells whether what is at the destination is what would be sent now: of files, documents, title and author.

    Raises:
        RunError: it is damaged.
    """
    author = contribution.author or Author("", "")
    return frozen.look(contribution.folder, contribution.digest).identity(author.name, author.email)


def done(contribution: Contribution) -> Done:
    """How far it is, from steps.jsonl."""
    if contribution.destination is None:
        return Done()
    return journal.done(contribution.folder, contribution.destination.address)


def is_there(contribution: Contribution, found: Done | None = None) -> bool:
    """True where all of it is at the destination, as it was agreed to.

    Args:
        found: what was done, where it is known.
    """
    found = found or done(contribution)
    if contribution.destination is None or not found.identity:
        return False
    try:
        if found.identity != identity(contribution):
            return False
    except RunError:
        return False
    return bool(not contribution.destination.forge or found.number)


def standing(contribution: Contribution) -> Standing | None:
    """How it stood when the host was asked last; None: not yet."""
    value = _standing_file(contribution)
    try:
        told = value["standing"]
        checks = tuple(_check(each) for each in told["checks"])
        comments = tuple(_comment(each) for each in told["comments"])
        if told["outcome"] not in get_args(Outcome):
            raise ValueError(str(told["outcome"])[:80])
        return Standing(told["outcome"], checks, comments, str(told["head"]), _moment(told["at"]))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def note_standing(contribution: Contribution, found: Standing) -> None:
    """Keep how it stands; what was read stays read.

    Raises:
        StorageError
    """
    value = _standing_file(contribution)
    write_json(contribution.folder / STANDING, {**value, "standing": asdict(found)})


def unread(contribution: Contribution) -> int:
    """How many comments and verdicts came since the person looked (`mark_read`)."""
    found = standing(contribution)
    if found is None:
        return 0
    value, own = _standing_file(contribution), done(contribution).login
    known = value.get("read")
    read_ids = set(map(str, known)) if isinstance(known, list) else set()
    new = sum(each.id not in read_ids and each.who != own for each in found.comments)
    return new + (found.outcome not in ("open", value.get("read_outcome")))


def mark_read(contribution: Contribution) -> None:
    """
    Raises:
        StorageError
    """
    found = standing(contribution)
    if found is not None and unread(contribution):
        seen = {"read": [each.id for each in found.comments], "read_outcome": found.outcome}
        write_json(contribution.folder / STANDING, {**_standing_file(contribution), **seen})


def state(contribution: Contribution) -> State:
    """Derived from the files; nobody writes it."""
    found = done(contribution)
    how = standing(contribution) if found.number else None
    if how is not None and how.outcome == "accepted":
        return State.ACCEPTED
    if not is_there(contribution, found):
        if not contribution.is_agreed:
            return State.DRAFT
        return State.WAITING if contribution.is_wanted else State.READY
    if how is None:
        return State.SENT
    if how.outcome == "declined":
        return State.DECLINED
    # What was sent after the last word of a reviewer is an answer to it; programs have no last word.
    words = [each.at for each in how.comments if each.who != found.login and not each.who.endswith("[bot]")]
    is_answered = found.pushed_at > max(words, default=how.at)
    return State.CHANGES if how.outcome == "changes asked" and not is_answered else State.CHECKING


@dataclass(frozen=True)
class Binned:
    """A contribution in the bin.

    Attributes:
        contribution: with the folder where it lies now.
        deleted: seconds since 1970.
    """

    contribution: Contribution
    deleted: float

    @property
    def title(self) -> str:
        return self.contribution.title


def throw_away(contribution: Contribution) -> Binned:
    """Into the bin; what was sent stays where it is.

    Raises:
        RunError: it is being sent now.
        StorageError
    """
    with Run(contribution.folder).open():
        pass
    entry = bins.new_entry(paths.contributions() / BIN, contribution.folder.name, time.time())
    with disk_errors(entry.path, "The contribution"):
        entry.path.parent.mkdir(parents=True, exist_ok=True)
        contribution.folder.rename(entry.path)
    return Binned(replace(contribution, folder=entry.path), entry.deleted)


def binned() -> list[Binned]:
    """What lies in the bin, the newest first; a damaged one is left out."""
    found = []
    for entry in bins.entries(paths.contributions() / BIN):
        with contextlib.suppress(RunError):
            found.append(Binned(read(entry.path), entry.deleted))
    return found


def put_back(thrown: Binned) -> Contribution:
    """A contribution out of the bin, as it was; it is sent when the person asks for that again.

    Raises:
        RunError: it is damaged.
        StorageError
    """
    kept = update(thrown.contribution, is_wanted=False)  # before it is back: a window sends what is wanted by itself
    folder = paths.contributions() / kept.folder.name.partition("-")[2]
    with disk_errors(folder, "The contribution"):
        kept.folder.rename(folder)
    return replace(kept, folder=folder)


def empty_bin(now: float) -> None:
    """Delete for good what has lain in the bin for thirty days at `now` (seconds since 1970)."""
    for old in bins.entries(paths.contributions() / BIN):
        if old.is_over(now):
            shutil.rmtree(old.path, ignore_errors=True)


def _is_same_lesson(folder: Path, one: str, other: str) -> bool:
    try:
        first, second = frozen.look(folder, one), frozen.look(folder, other)
    except RunError:
        return False
    return all(first.sums[part] == second.sums[part] for part in ("files", "documents"))


def _standing_file(contribution: Contribution) -> dict[str, Any]:
    try:
        return read_json(contribution.folder / STANDING)
    except RunError:
        return {}  # the host is asked again


def _short_name(path: str) -> str:
    """The lesson's name in letters that every host takes in the name of a branch."""
    return re.sub(r"[^a-z0-9_]+", "-", path.rpartition("/")[2].lower()).strip("-_")[:40] or "lesson"


def _free_folder(name: str, seed: str) -> Path:
    for number in range(1000):
        mark = hashlib.sha256(f"{seed}\n{number}".encode("utf-8", "surrogatepass")).hexdigest()[:6]
        folder = paths.contributions() / f"{name}-{mark}"
        with disk_errors(folder, "The contribution"), contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise AssertionError("a thousand names are taken")


def _destination(value: Any) -> Destination:
    told: dict[str, Any] = _texts(value)
    if told.get("kind") not in ("community", "team", "file") or told.get("forge", "") not in get_args(Forge):
        raise ValueError(str(value))
    made = Destination(**told)
    for address in (made.address, made.documents):
        urlsplit(address)  # ValueError: it can be none
    return made


def _check(value: Any) -> Check:
    told: dict[str, Any] = _texts(value)
    if told["state"] not in ("waiting", "passed", "failed"):
        raise ValueError(told["state"][:80])
    return Check(**told)


def _comment(value: Any) -> Comment:
    numbers = {name: _moment(value[name]) for name in ("at", "line") if name in value}
    told: dict[str, Any] = _texts({name: text for name, text in value.items() if name not in numbers})
    return Comment(**{**told, **numbers, "line": int(numbers.get("line", 0))})


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError(str(value)[:80])
    return {name: _text(text) for name, text in value.items()}


def _text(value: Any) -> str:
    """
    Raises:
        TypeError, ValueError: it is no text, or one that no file and no path could have.
    """
    if not isinstance(value, str):
        raise TypeError(str(value)[:80])
    value.encode()
    if "\0" in value:
        raise ValueError(value[:80])
    return value


def _moment(value: Any) -> float:
    """
    Raises:
        TypeError, ValueError: it is no number, or none that a calendar has a day for.
    """
    if not isinstance(value, int | float):
        raise TypeError(str(value)[:80])
    if not 0 <= value < _LATEST:
        raise ValueError("outside the calendar")
    return value


def _require_types(known: dict[str, Any]) -> None:
    for name in ("library", "path", "title", "branch", "trouble", "hint", "digest", "note"):
        _text(known.get(name, ""))
    for name in ("agreed_at", "created"):
        _moment(known.get(name, 0.0))
    _text(known.get("run") or "")
    if not isinstance(known.get("is_wanted", False), bool):
        raise TypeError(f"is_wanted: {known['is_wanted']!r:.80}")
    if not re.fullmatch(r"[0-9a-f]{64}", known["digest"]):
        raise ValueError(known["digest"])
