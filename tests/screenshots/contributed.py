"""Contributions in any state, written with the parts that write them; what hosts and reviewers say is made up."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from lab_desktop.artifacts import LeafKind
from lab_desktop.contribution import clashes, contributions, following, journal
from lab_desktop.contribution.contributions import Author, Contribution
from lab_desktop.contribution.destinations import COMMUNITY, Destination, destination
from lab_desktop.contribution.hosts import Check, Comment, Outcome, Standing
from lab_desktop.contribution.letter import Letter
from lab_desktop.contribution.parcel import Parcel
from tests.screenshots.states import LESSON

ADA = Author("Ada Lovelace", "7+ada@users.noreply.github.com")
Stage = Literal["draft", "ready", "waiting", "sent"]
LETTER = """\
### Describe the contribution to the taxonomy

Facts about the island of Velmora: where it lies, how it began, what people live on. Five passages, fifteen questions.

### Input given at the prompt

> When was Velmora settled?

### Response from the original model

It is a small town on the coast, known for its long history.

### Response from the fine-tuned model

Velmora was settled in 1382.
"""
CREDITS = """\
Title of work: Velmora
Link to work: my own
License of the work: CC-BY-SA-4.0
Creator names: Ada Lovelace
"""
PASSED = (Check("DCO", "passed"), Check("Lint taxonomy", "passed"), Check("spellcheck", "passed"))
FAILED = (
    Check("DCO", "passed"),
    Check(
        "Lint taxonomy", "failed",
        "knowledge/geography/velmora/qna.yaml, line 12: line too long (132 > 120 characters)\n"
        "knowledge/geography/velmora/qna.yaml, line 40: trailing spaces",
        "https://github.com/instructlab/taxonomy/actions/runs/1",
    ),
    Check("spellcheck", "waiting"),
)  # fmt: skip


def community() -> Destination:
    return destination(COMMUNITY)


def parcel(title: str = "The island of Velmora", name: str = "velmora", before: bytes = b"") -> Parcel:
    """The practice lesson under another name."""
    path = f"knowledge/geography/{name}"
    qna = (LESSON / "qna.yaml").read_bytes()
    files = {f"{path}/qna.yaml": qna, f"{path}/attribution.txt": CREDITS.encode()}
    documents = {f"{path}/velmora.md": (LESSON / "velmora.md").read_bytes()}
    return Parcel(path, title, LeafKind.KNOWLEDGE, files, documents, {f"{path}/qna.yaml": before} if before else {})


def contribute(
    library: Path,
    title: str = "The island of Velmora",
    name: str = "velmora",
    stage: Stage = "sent",
    to: Destination | None = None,
    number: int = 214,
    trouble: tuple[str, str] = ("", ""),
) -> Contribution:
    """A contribution that came so far.

    Args:
        library: where the lesson lies.
        trouble: why it is not there yet, and what to do.
    """
    sent = parcel(title, name)
    letter = Letter(f"Add facts: {title}", LETTER)
    made = contributions.start(library, sent, letter)
    if stage == "draft":
        return made
    to = to or community()
    made = replace(
        made, destination=to, author=ADA, agreed_at=time.time(), is_wanted=stage == "waiting", trouble=trouble[0],
        hint=trouble[1],
    )  # fmt: skip
    contributions.save(made)
    if stage == "sent":
        _send(made, number)
    return made


def _send(contribution: Contribution, number: int) -> None:
    to = contribution.destination
    assert to is not None
    identity = contributions.identity(contribution)
    if to.kind == "file":
        journal.note(contribution.folder, "file", to.address, file=to.address, identity=identity)
        return
    if to.forge:
        journal.note(contribution.folder, "fork", to.address, fork="ada/taxonomy", login="ada")
    documents = ("https://github.com/ada/taxonomy-documents.git", "1" * 40)
    journal.note(contribution.folder, "documents", to.address, address=documents[0], commit=documents[1])
    journal.note(contribution.folder, "commit", to.address, commit="2" * 40, identity=identity)
    if to.forge:
        page = f"{COMMUNITY}/pull/{number}"
        journal.note(contribution.folder, "request", to.address, number=number, page=page)


def stand(
    contribution: Contribution,
    outcome: Outcome = "open",
    checks: Sequence[Check] = PASSED,
    said: Sequence[tuple[str, str, str, int]] = (),
    is_read: bool = False,
) -> None:
    """What the host says of it.

    Args:
        said: (who, text, file, line) of each comment.
    """
    now = time.time()
    comments = tuple(
        Comment(str(place), who, text, now + 60 * place, file, line)
        for place, (who, text, file, line) in enumerate(said, start=1)
    )
    contributions.note_standing(
        contribution, Standing(outcome, tuple(checks), comments, "2" * 40, now + 60 * len(comments))
    )
    if is_read:
        contributions.mark_read(contribution)


TALK = (
    ("mia-reviews", "Thank you for this! A lesson about a whole island is a fine thing to have.", "", 0),
    (
        "mia-reviews",
        "Please name the source of passage 2.\n\nThe guide says how: `attribution.txt` wants\n\n"
        "- the title of the work\n- a link to it\n- its licence",
        "knowledge/geography/velmora/attribution.txt", 1,
    ),
    ("ada", "I wrote it myself, from the island's own records.", "", 0),
    ("jo", "Then say so in the credits, and it is fine with me.", "knowledge/geography/velmora/qna.yaml", 12),
)  # fmt: skip


def every_state(home: Path) -> None:
    """A contribution in each state, oldest first."""
    library = home / "library"
    pack = Destination("file", str(home / "bread.labpack"))
    team = destination("https://git.example.org/museum/lessons.git")
    contribute(library, "Bread and its flours", "bread", to=pack)
    contribute(library, "Old letters", "letters", to=team)
    stand(
        contribute(library, "Rock pools", "pools", number=97),
        "declined",
        said=(("jo", "There is one already.", "", 0),),
    )
    stand(contribute(library, "Osmery harbour office", "harbour", number=101), "accepted", is_read=True)
    contribute(library, "Answering visitors’ letters", "answers", number=188)
    stand(contribute(library, "Our service manual", "manual", number=199), checks=(*PASSED[:2], FAILED[2]))
    clash(home)
    stand(contribute(library), "changes asked", FAILED, TALK[:2])
    contribute(library, "Tides", "tides", "waiting", trouble=("github.com cannot be reached.", "It is sent later."))
    contribute(library, "The lighthouse", "lighthouse", "ready")
    contribute(library, "Ferries", "ferries", "draft")


def clash(home: Path) -> Contribution:
    """Somebody changed the same lesson at the community's."""
    made = contribute(home / "library", "Kings and queens", "kings", "ready")
    sent = contributions.parcel_of(made)
    qna = f"{sent.path}/qna.yaml"
    theirs = sent.files[qna].decode().replace("1382", "1383").replace("created_by: ", "created_by: their-")
    credits = CREDITS.replace("Velmora", "Velmora, a history").replace("Ada Lovelace", "Jo")
    with contextlib.suppress(clashes.Clashed):
        clashes.require_none(
            made.folder,
            sent,
            {qna: theirs.encode(), f"{sent.path}/attribution.txt": credits.encode()},
            community().name,
        )
    words = f"Somebody changed “{made.title}” at {community().name} already. Nothing was sent."
    return contributions.update(made, trouble=words, hint="Look at both versions.")


def answered(home: Path) -> Contribution:
    """A conversation with an answer that waits."""
    made = contribute(home / "library")
    stand(made, "changes asked", PASSED, TALK, is_read=True)
    following.write_reply(made, "Done: the credits say now that I wrote it.")
    return made
