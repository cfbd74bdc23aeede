"""Small parcels and contributions that are ready to be sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lab_desktop.artifacts import LeafKind
from lab_desktop.contribution import contributions
from lab_desktop.contribution.contributions import Author, Contribution
from lab_desktop.contribution.destinations import Destination
from lab_desktop.contribution.letter import Letter
from lab_desktop.contribution.parcel import Parcel
from tests.taxonomy import leaves

ADA = Author("Ada Lovelace", "7+ada@users.noreply.github.com")
SHOUT = "compositional_skills/writing/shout"


def letter(body: str = "What it teaches.\n") -> Letter:
    return Letter("Add a skill: Shout", body)


def skill(text: str = "", path: str = SHOUT, before: dict[str, bytes] | None = None) -> Parcel:
    """A skill that is new, unless the community had it before."""
    qna = (text or leaves.skill()).encode()
    files = {f"{path}/qna.yaml": qna, f"{path}/attribution.txt": b"Title of work: Shout\n"}
    return Parcel(path, "Shout", LeafKind.FREEFORM_SKILL, files, {}, before or {})


def facts(path: str = "knowledge/places/orra") -> Parcel:
    """Facts with a document in a folder below the lesson's."""
    files = {f"{path}/qna.yaml": leaves.knowledge().encode(), f"{path}/attribution.txt": b"Title of work: Orra\n"}
    documents = {f"{path}/texts/orra.md": b"# Orra\n\nThe light is red.\n"}
    return Parcel(path, "Orra", LeafKind.KNOWLEDGE, files, documents, {})


def agreed(contribution: Contribution, destination: Destination) -> Contribution:
    """The contribution with everything that a person says of it, written."""
    ready = replace(contribution, destination=destination, author=ADA, agreed_at=1_763_780_000.0)
    contributions.save(ready)
    return ready


def ready(library: Path, destination: Destination, parcel: Parcel | None = None) -> Contribution:
    """A new contribution that only waits to be sent."""
    return agreed(contributions.start(library, parcel or skill(), letter()), destination)
