"""What the sheet shows of a lesson, read and written in a thread: its parcel, what keeps it, who proves it.

Draws nothing, and asks no network; git is asked here, so never in the window's own thread.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lab_desktop import projects, repository
from lab_desktop.artifacts import Leaf
from lab_desktop.contribution import accounts, contributions, destinations, letter, parcel, proof, sending
from lab_desktop.contribution.accounts import Account
from lab_desktop.contribution.contributions import Author, Contribution, Done, State
from lab_desktop.contribution.destinations import COMMUNITY, Destination
from lab_desktop.contribution.parcel import Obstacle, Parcel
from lab_desktop.contribution.proof import Proof
from lab_desktop.errors import LabError, LeafError
from lab_desktop.private import Private
from lab_desktop.projects import Project
from lab_desktop.taxonomy.attribution import Attribution
from lab_desktop.taxonomy.tree import FILE_NAME

_LETTERS_AROUND = 44
_MOST_LINES = 4_000
"""Of a difference that is shown."""
_MOST_BYTES = 200_000
"""Of a file whose difference is shown."""
_WRITTEN_DOWN = re.compile(r"\s*(?:- )?[a-z_]{3,30}: [\"|>]?-?")
_OVER = (State.ACCEPTED, State.DECLINED)


@dataclass(frozen=True)
class Finding:
    """Something private in one of the files, with the words around it.

    Attributes:
        file: as the parcel names it.
        before, after: what stands around it, on one line.
    """

    file: str
    found: Private
    before: str
    after: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What a decision is about: the same text in the same file is one decision."""
        return self.file, self.found.kind, self.found.text


@dataclass(frozen=True)
class Look:
    """A lesson as it is looked through before it goes out.

    Attributes:
        folder: of the lesson; it may be gone since.
        contribution: the draft of it, or one that goes on.
        parcel, leaf: what is sent, and as the editor reads it.
        obstacles: what keeps it from being sent, without what is private.
        findings: what is private, each text once.
        works: whose work it is made from.
        shown: what shows that it works, or None.
        is_changed: what was agreed to is not what the lesson is now.
        state: how far the contribution is.
        lines: every change, line by line.
        letter: the text that goes along, Markdown.
        is_asked: somebody was asked already to take an earlier state of it.
    """

    folder: Path
    contribution: Contribution
    parcel: Parcel
    leaf: Leaf
    obstacles: tuple[Obstacle, ...] = ()
    findings: tuple[Finding, ...] = ()
    works: tuple[Attribution, ...] = ()
    shown: Proof | None = None
    is_changed: bool = False
    state: State = State.DRAFT
    lines: tuple[str, ...] = ()
    letter: str = ""
    is_asked: bool = False

    @property
    def is_stopped(self) -> bool:
        """Something has to be mended first."""
        return any(obstacle.is_final for obstacle in self.obstacles)


@dataclass(frozen=True)
class Sent:
    """How far a contribution is, as the disk says.

    Attributes:
        is_there: all of it is where it was to go.
        has_clash: somebody changed the same lesson there.
    """

    contribution: Contribution
    state: State
    done: Done
    is_there: bool
    has_clash: bool


@dataclass(frozen=True)
class Ways:
    """Where it can go, and as whom.

    Attributes:
        community, team: the destinations; `team` is None where none was used yet.
        signed_in: who is signed in, by host.
    """

    community: Destination
    team: Destination | None = None
    signed_in: dict[str, Account] = field(default_factory=dict)


def place_of(folder: Path, library: Path, owned: Sequence[Project]) -> tuple[Path, Path]:
    """(library, lesson's folder in it) of a lesson; of a project's own copy the library's, where both say the same.

    Raises:
        LeafError: it lies in no library and no project.
    """
    if folder.is_relative_to(library):
        return library, folder.relative_to(library)
    owner = next((each for each in owned if folder.is_relative_to(each.lessons)), None)
    if owner is None:
        roots = [parent for parent in folder.parents if parent.name in ("knowledge", "compositional_skills")]
        if not roots:
            raise LeafError(f'"{folder}" is not the folder of a lesson.', "Choose a lesson of the library.")
        return roots[-1].parent, folder.relative_to(roots[-1].parent)
    place = folder.relative_to(owner.lessons)
    if (library / place / FILE_NAME).is_file() and projects.lesson_states(owner, [library / place]) == {
        library / place: "same"
    }:
        return library, place
    return owner.lessons, place


def look_through(folder: Path, library: Path, owned: Sequence[Project]) -> Look:
    """Everything that is shown of a lesson; a draft of it is kept from now on.

    Raises:
        LeafError, DocumentError, LibraryError: it cannot be read, or communities take none of its kind.
        StorageError, RunError
    """
    root, place = place_of(folder, library, owned)
    made = parcel.prepare(root, place)
    run, shown = _proof(made, root / place, owned)
    known = _open_one(root, made.path)
    if known is None:
        return _look(contributions.start(root, made, letter.letter(made, shown), run), made, shown)
    if _same(contributions.parcel_of(known), made):
        return _look(known, made, shown)
    renewed = contributions.renew(replace(known, run=run), made, letter.letter(made, shown, known.note))
    return _look(renewed, made, shown, is_changed=known.agreed_at > 0)


def go_on(contribution: Contribution, owned: Sequence[Project]) -> Look:
    """The same for a contribution that is there; where its lesson is gone, as it was frozen.

    Raises:
        RunError: it is damaged.
        as `look_through`
    """
    folder = contribution.library / contribution.path
    if (folder / FILE_NAME).is_file():
        made = parcel.prepare(contribution.library, Path(contribution.path))
    else:
        made = contributions.parcel_of(contribution)
    run, shown = _proof(made, folder, owned)
    if _same(contributions.parcel_of(contribution), made):
        return _look(contribution, made, shown)
    was_agreed = contribution.agreed_at > 0
    renewed = contributions.renew(replace(contribution, run=run), made, letter.letter(made, shown, contribution.note))
    return _look(renewed, made, shown, is_changed=was_agreed)


def keep(contribution: Contribution, **changes: Any) -> Contribution:
    """Note what the person decided; gives it as it is on the disk now.

    Raises:
        RunError: it is damaged.
        StorageError
    """
    return contributions.update(contribution, **changes)


def keep_draft(seen: Look, author: Author, note: str) -> None:
    """Note what was typed when the sheet is closed: under another name it must be agreed to again.

    Raises:
        RunError: it is damaged.
        StorageError
    """
    contribution = _with_note(seen, note)
    if author.name and author.email and author != contribution.author:
        contributions.update(contribution, author=author, agreed_at=0.0)


def _with_note(seen: Look, note: str) -> Contribution:
    """The contribution as it is on the disk now, with a note in its letter."""
    contribution, note = contributions.read(seen.contribution.folder), note.strip()
    if note == contribution.note:
        return contribution
    renewed = contributions.renew(contribution, seen.parcel, letter.letter(seen.parcel, seen.shown, note))
    return contributions.update(renewed, note=note)


def make_ready(seen: Look, destination: Destination, note: str, *, is_wanted: bool) -> Contribution:
    """Note where it goes and what the person wants to say; gives it as it can be sent.

    Args:
        is_wanted: it is to be sent now.

    Raises:
        RunError: it is damaged.
        StorageError
    """
    contribution = _with_note(seen, note)
    if destination.kind == "team":
        destinations.keep_team(destination)
    return contributions.update(contribution, destination=destination, is_wanted=is_wanted, trouble="", hint="")


def how_it_is(contribution: Contribution) -> Sent:
    """How far it is now.

    Raises:
        RunError: it is damaged.
    """
    now = contributions.read(contribution.folder)
    try:
        has_clash = bool(now.trouble) and sending.clash(now) is not None
    except LabError:
        has_clash = False
    found = contributions.done(now)
    return Sent(now, contributions.state(now), found, contributions.is_there(now, found), has_clash)


def ways() -> Ways:
    """Where it can go, and who is signed in there as far as is known without the network."""
    community = destinations.destination(COMMUNITY)
    team = destinations.team()
    hosts = {each.host for each in (community, team) if each is not None and each.forge}
    known = {host: account for host in hosts if (account := accounts.known(host)) is not None}
    return Ways(community, team, known)


def change_lines(made: Parcel) -> list[str]:
    """Every file that is sent and what changes in it, line by line, as `diff -u` writes it."""
    lines: list[str] = []
    for name in sorted(made.files.keys() | made.before.keys()):
        old, new = made.before.get(name), made.files.get(name)
        if old == new:
            lines += [f"    {name}", "    (unchanged)", ""]
            continue
        was, now = name if old is not None else "", name if new is not None else ""
        lines += [*difflib.unified_diff(_text(old), _text(new), was, now, lineterm=""), ""]
    for name, content in sorted(made.documents.items()):
        lines += [*difflib.unified_diff([], _text(content), "", name, lineterm=""), ""]
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = ["", f"    … and {len(lines) - _MOST_LINES:,} more lines"]
    return lines


def _text(content: bytes | None) -> list[str]:
    if content is None:
        return []
    return content[:_MOST_BYTES].decode("utf-8", "replace").splitlines()


def _look(contribution: Contribution, made: Parcel, shown: Proof | None, *, is_changed: bool = False) -> Look:
    folder = contribution.library / contribution.path
    found = parcel.obstacles(made)
    return Look(
        folder,
        contribution,
        made,
        made.leaf,
        tuple(each for each in found if each.what != "private"),
        _findings(made),
        made.credits,
        shown,
        is_changed,
        contributions.state(contribution),
        tuple(change_lines(made)),
        contributions.letter_of(contribution).body,
        bool(contributions.done(contribution).number),
    )


def _findings(made: Parcel) -> tuple[Finding, ...]:
    """What is private in a parcel's files and documents, each text of a file once."""
    found: dict[tuple[str, str, str], Finding] = {}
    for name, things in parcel.private_things(made).items():
        text = (made.files.get(name) or made.documents.get(name, b"")).decode("utf-8", "replace")
        for each in things:
            finding = Finding(name, each, *_around(text, each))
            found.setdefault(finding.key, finding)
    return tuple(found.values())


def _around(text: str, found: Private) -> tuple[str, str]:
    """What stands before and after it on its line, in whole words; how the file writes texts down is left out."""
    before = text[: found.start].rpartition("\n")[2]
    after = text[found.end :].partition("\n")[0]
    before = _WRITTEN_DOWN.sub("", before)
    if len(before) > _LETTERS_AROUND:
        before = "… " + before[-_LETTERS_AROUND:].partition(" ")[2]
    if len(after) > _LETTERS_AROUND:
        after = after[:_LETTERS_AROUND].rpartition(" ")[0] + " …"
    elif after.endswith('"') and '"' not in before:
        after = after[:-1]
    return " ".join(before.split()), " ".join(after.split())


def _proof(made: Parcel, folder: Path, owned: Sequence[Project]) -> tuple[Path | None, Proof | None]:
    """The newest report that knows of the lesson; one about the lesson as it is now before one of another state."""
    digest = repository.digest_of(folder) if (folder / FILE_NAME).is_file() else ""
    older: tuple[Path | None, Proof | None] = None, None
    for run in (run for project in owned for run in reversed(project.runs)):
        try:
            found = proof.proof(run, made.path, digest)
        except LabError:
            continue  # a damaged report proves nothing
        if found is not None and found.is_of_this:
            return run, found
        if found is not None and older[1] is None:
            older = run, found
    return older


def _open_one(root: Path, path: str) -> Contribution | None:
    """The newest contribution of this lesson that is not where it was to go, or about which somebody can still say
    something."""
    for each in contributions.every():
        if (each.library, each.path) == (root.absolute(), path) and not _is_over(each):
            return each
    return None


def _is_over(contribution: Contribution) -> bool:
    state = contributions.state(contribution)
    return state in _OVER or (state is State.SENT and not contributions.done(contribution).number)


def _same(frozen: Parcel, made: Parcel) -> bool:
    return (dict(frozen.files), dict(frozen.documents)) == (dict(made.files), dict(made.documents))
