"""What is sent of a lesson: exactly these files, and what still keeps them from being sent."""

from __future__ import annotations

import contextlib
import glob
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lab_desktop import private, repository
from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, title_of
from lab_desktop.documents.passages import read_documents
from lab_desktop.errors import DocumentError, LeafError, LibraryError
from lab_desktop.taxonomy import attribution, names, qna
from lab_desktop.taxonomy.tree import FILE_NAME, READ_ONLY, ROOTS

if TYPE_CHECKING:
    from lab_desktop.taxonomy.check import Mode, Problem

MOST_DOCUMENT_BYTES = 10_000_000
"""Of one document; a larger one is sent only if the person says so."""
_SHOWN = 3


@dataclass(frozen=True)
class Obstacle:
    """Something that a community would refuse, or that should not go out unseen.

    Attributes:
        what: names it for the window: "lesson", "credits", "document", "private".
        message: one sentence.
        hint: what to do.
        is_final: True: it cannot be sent like this; False: the person looks at it and decides.
    """

    what: Literal["lesson", "credits", "document", "private"]
    message: str
    hint: str
    is_final: bool = True


@dataclass(frozen=True)
class Parcel:
    """A lesson as it goes out.

    Attributes:
        path: its folder in the taxonomy, with slashes: "knowledge/geography/velmora".
        title: as a person calls it.
        kind: facts or a skill.
        files: {path in the taxonomy, with slashes: content}: qna.yaml and attribution.txt. Of facts, qna.yaml names no
            repository and commit yet (`with_documents`).
        documents: {path in the documents' repository, with slashes: content}: of facts, the documents that its
            `document.patterns` name, as Markdown below the lesson's own `path`. Empty for a skill, and for facts whose
            qna.yaml names already where everybody finds them.
        before: {path in the taxonomy: content} of the same folder in the community's version that the library knows:
            empty for a new lesson.
    """

    path: str
    title: str
    kind: LeafKind
    files: Mapping[str, bytes]
    documents: Mapping[str, bytes]
    before: Mapping[str, bytes]

    @property
    def is_new(self) -> bool:
        """True where the community has no lesson at this place."""
        return not self.before

    @property
    def leaf(self) -> Leaf:
        """What its qna.yaml says.

        Raises:
            LeafError: it is none.
        """
        text = self.files.get(f"{self.path}/{FILE_NAME}", b"").decode("utf-8", errors="replace")
        return qna.parse_draft(text, Path(self.path))

    @property
    def credits(self) -> tuple[attribution.Attribution, ...]:
        """The works that its attribution.txt names."""
        return attribution.parse(
            self.files.get(f"{self.path}/{attribution.FILE_NAME}", b"").decode("utf-8", errors="replace")
        )

    def name_of(self, path: str) -> str:
        """What a file or document is called in the lesson's own folder."""
        return path.removeprefix(f"{self.path}/")


def prepare(root: Path, folder: Path) -> Parcel:
    """The parcel of a lesson as it is in the library now. Cost: reads the lesson, its documents, and git once.

    Written anew in the form of version 3 (`taxonomy.qna`), so that what goes out passes the community's checks whatever
    wrote the file here. Nothing of the library changes.

    Args:
        folder: of the lesson, relative to the library at `root`.

    Raises:
        LeafError: the lesson cannot be read.
        DocumentError: one of its documents cannot.
        LibraryError: it is none of a kind that communities take (foundational skills), or git cannot be asked.
    """
    if len(folder.parts) < 2 or folder.parts[0] not in ROOTS or folder.parts[0] == READ_ONLY:
        raise LibraryError(
            f'"{title_of(folder.name)}" is not among the facts and skills of the library, and others take only these.',
            "Move the lesson to a topic below Facts or Skills.",
        )
    here = names.inside(root, *folder.parts)
    for name in (FILE_NAME, attribution.FILE_NAME):
        if (here / name).is_symlink():
            raise LeafError(
                f'"{name}" of this lesson is a link to another file.', "Put the file itself into the lesson's folder."
            )
    path = folder.as_posix()
    leaf = _read(here)
    documents: dict[str, bytes] = {}
    if leaf.kind is LeafKind.KNOWLEDGE:
        documents = _documents(here, path, leaf.document or DocumentSource("", "", ()))
        if documents:
            leaf = replace(leaf, document=DocumentSource("", "", _patterns(documents)))
    before = _before(root, folder)
    files = {f"{path}/{FILE_NAME}": qna.to_yaml(leaf).encode("utf-8")}
    if works := attribution.read_attribution(here):
        name = f"{path}/{attribution.FILE_NAME}"
        is_theirs = works == attribution.parse(before.get(name, b"").decode("utf-8", errors="replace"))
        files[name] = before[name] if is_theirs else attribution.to_text(works).encode("utf-8")
    return Parcel(path, leaf.title, leaf.kind, files, documents, before)


def obstacles(parcel: Parcel) -> list[Obstacle]:
    """What the checks of the community's repository, and our look for private things, say; final ones first.

    The lesson in contribution mode (`taxonomy.check`), attribution.txt and its licences, the names, kinds and
    sizes of the documents, then `private.scan` of each file. Deterministic, no network.
    """
    found = [*_place(parcel), *_lesson(parcel), *_credits(parcel), *_about_documents(parcel), *_private(parcel)]
    return sorted(found, key=lambda obstacle: not obstacle.is_final)


def with_documents(parcel: Parcel, repo: str, commit: str) -> Parcel:
    """The same parcel whose qna.yaml says where its documents are; one without documents stays as it is.

    Args:
        repo: address that everybody may read: https://github.com/NAME/REPO.git
        commit: 40 hex digits.

    Raises:
        LeafError: its qna.yaml is none.
    """
    if not parcel.documents:
        return parcel
    leaf = replace(parcel.leaf, document=DocumentSource(repo, commit, _patterns(parcel.documents)))
    text = qna.to_yaml(leaf).encode("utf-8")
    return replace(parcel, files={**parcel.files, f"{parcel.path}/{FILE_NAME}": text})


def problems(parcel: Parcel, mode: Mode = "contribution") -> list[Problem]:
    """What `taxonomy.check` says of its qna.yaml; where documents are to be found counts as said."""
    # The validators behind it take longer to import than the whole window to draw.
    from lab_desktop.taxonomy.check import inspect_text

    with contextlib.suppress(LeafError):  # the check says why
        parcel = with_documents(parcel, _SOMEWHERE, _SOME_COMMIT)
    file = Path(parcel.path) / FILE_NAME
    text = parcel.files.get(file.as_posix(), b"").decode("utf-8", errors="replace")
    return list(inspect_text(text, file, mode).problems)


def private_things(parcel: Parcel) -> dict[str, list[private.Private]]:
    """{path of a file or document: what looks private in it}; only of those where something does.

    The names of who made a work are meant to stand in attribution.txt, and the author's in `created_by`.
    """
    people = private.people()
    found: dict[str, list[private.Private]] = {}
    for path, content in {**parcel.files, **parcel.documents}.items():
        text = content.decode("utf-8", errors="replace")
        is_credits = path == f"{parcel.path}/{attribution.FILE_NAME}"
        things = private.scan(text, () if is_credits else people)
        if path == f"{parcel.path}/{FILE_NAME}":
            author = [number for number, line in enumerate(text.split("\n"), 1) if line.startswith("created_by:")]
            things = [each for each in things if each.kind != "name" or each.line not in author]
        if things:
            found[path] = things
    return found


_SOMEWHERE, _SOME_COMMIT = "https://example.org/documents.git", "0" * 40
_PUBLIC = re.compile(r"https://[^\s/@]+\.[^\s/@]+/\S+")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_USUAL_NAME = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
_AVOIDED = {
    "mathematics": ("math", "maths", "mathematics", "arithmetic", "algebra", "calculus"),
    "programming": ("coding", "programming"),
    "jokes": ("joke", "jokes"),
    "poems": ("poem", "poems", "poetry", "haiku", "haikus", "limerick", "limericks"),
    "medical advice": ("medical", "medicine", "diagnosis"),
    "legal advice": ("legal", "law"),
    "financial advice": ("financial", "investing"),
    "politics": ("politics", "political", "elections"),
    "religion": ("religion", "religious"),
}
"""What the community takes no lessons on, by words of a place. Source: its guide of skills, "Avoid these topics"."""
_CALLED = {
    "e-mail": ("an e-mail address", "e-mail addresses"),
    "phone": ("a phone number", "phone numbers"),
    "key": ("a password or key", "passwords or keys"),
    "name": ("a name of who uses this computer", "names of who uses this computer"),
    "folder": ("a folder of a computer", "folders of a computer"),
}


def _read(folder: Path) -> Leaf:
    try:
        return qna.read_leaf(folder)
    except LeafError:
        return qna.read_draft(folder)  # unfinished: what is missing is an obstacle, and can be looked at


def _documents(here: Path, path: str, source: DocumentSource) -> dict[str, bytes]:
    if not source.patterns:
        raise DocumentError("The lesson has no document yet.", "Open the lesson and add the text that it teaches.")
    try:
        found = read_documents(here, source.patterns)
    except DocumentError:
        if _PUBLIC.fullmatch(source.repo) and _COMMIT.fullmatch(source.commit):
            return {}
        raise
    documents: dict[str, bytes] = {}
    taken: set[str] = set()
    for document in found:
        # Others read Markdown only, and only under its usual ending; a plain text is Markdown too.
        wanted = document.path.relative_to(here).with_suffix("").as_posix()
        stem = names.free_name(wanted, lambda name: names.same_form(name) in taken)
        taken.add(names.same_form(stem))
        documents[f"{path}/{stem}.md"] = document.text.encode("utf-8")
    return documents


def _patterns(documents: Mapping[str, bytes]) -> tuple[str, ...]:
    """Each document's own path: many lessons share a repository, and none finds another's."""
    return tuple(glob.escape(path) for path in sorted(documents))


def _before(root: Path, folder: Path) -> dict[str, bytes]:
    if not repository.open_tree(root).community:
        return {}
    found = repository.files_before(root, folder)
    return {f"{folder.as_posix()}/{name}": content for name, content in found.items() if "/" not in name}


def _place(parcel: Parcel) -> Iterator[Obstacle]:
    parts = parcel.path.split("/")
    if not all(names.is_safe(part) for part in parts):
        yield Obstacle(
            "lesson",
            "The name of its folder has signs that not every computer takes.",
            "Rename the lesson or its topic.",
        )
        return
    unusual = [part for part in parts if not _USUAL_NAME.fullmatch(part)]
    if unusual:
        yield Obstacle(
            "lesson",
            f"The community writes the names of folders in small letters a–z and _, and “{unusual[0]}” is another.",
            "Rename the lesson or its topic, or send it as it is to your team.",
            is_final=False,
        )
    if parcel.kind is LeafKind.GROUNDED_SKILL and parts[1] != "grounded":
        yield Obstacle(
            "lesson",
            "The community keeps skills whose examples come with a text below Skills ▸ Grounded.",
            "Move the lesson there, or send it as it is.",
            is_final=False,
        )
    words = [word for part in parts[1:] for word in part.lower().split("_")]
    for topic, signs in _AVOIDED.items():
        if told := next((word for word in words if word in signs), ""):
            yield Obstacle(
                "lesson",
                f"The community takes no lessons on {topic}, and the name of its place has the word “{told}”.",
                "Send it to your team instead, or go on if it is about something else.",
                is_final=False,
            )


def _lesson(parcel: Parcel) -> Iterator[Obstacle]:
    if _is_known(parcel):
        yield Obstacle(
            "lesson",
            "The community has this lesson already, with the same words.",
            "Change the lesson first, or go on if only its document is another."
            if parcel.documents
            else "Change the lesson first.",
            is_final=not parcel.documents,
        )
    for problem in problems(parcel):
        if problem.severity == "error":
            yield Obstacle("lesson", problem.plain, "Open the lesson and mend it.")


def _is_known(parcel: Parcel) -> bool:
    """The community's version has the same texts, wherever its documents are."""
    there = parcel.before.get(f"{parcel.path}/{FILE_NAME}")
    credits = parcel.before.get(f"{parcel.path}/{attribution.FILE_NAME}", b"")
    if there is None or credits != parcel.files.get(f"{parcel.path}/{attribution.FILE_NAME}", b""):
        return False
    with contextlib.suppress(LeafError):
        known = qna.parse_draft(there.decode("utf-8", errors="replace"), Path(parcel.path))
        return replace(known, version=qna.VERSION, document=None) == replace(parcel.leaf, document=None)
    return False


def _credits(parcel: Parcel) -> Iterator[Obstacle]:
    works = parcel.credits
    if not works:
        yield Obstacle(
            "credits",
            "It does not say where its texts come from, and under which licence they are.",
            "Fill in the credits: the title, who wrote it, where it is found, and the licence.",
        )
    for number, work in enumerate(works, start=1):
        whose = f"Work {number}: " if len(works) > 1 else ""
        for gap in attribution.problems(work):
            is_told = gap.field == "revision" or (gap.field == "licence" and bool(work.licence.strip()))
            yield Obstacle("credits", f"{whose}{gap.message}", gap.hint, is_final=not is_told)


def _about_documents(parcel: Parcel) -> Iterator[Obstacle]:
    for path, content in parcel.documents.items():
        name = parcel.name_of(path)
        if not path.startswith(f"{parcel.path}/") or not all(names.is_safe(part) for part in name.split("/")):
            yield Obstacle(
                "document", f"The name of the document “{_printable(name)}” has signs that not every computer takes.",
                "Rename the document.",
            )  # fmt: skip
        if len(content) > MOST_DOCUMENT_BYTES:
            yield Obstacle(
                "document",
                f"The document “{_printable(name)}” has {len(content) / 1e6:.0f} MB, more than anybody reads.",
                "Keep the part that the lesson is about, or go on.", is_final=False,
            )  # fmt: skip


def _private(parcel: Parcel) -> Iterator[Obstacle]:
    for path, things in private_things(parcel).items():
        for kind, count in Counter(each.kind for each in things).items():
            one, many = _CALLED[kind]
            listed = list(dict.fromkeys((each.text, each.line) for each in things if each.kind == kind))
            shown = ", ".join(f"“{_printable(text)}” (line {line})" for text, line in listed[:_SHOWN])
            rest = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
            seems = f"seems to have {one}" if count == 1 else f"seems to have {count} {many}"
            yield Obstacle(
                "private", f"{_file_in_words(parcel, path)} {seems}: {shown}{rest}.",
                "Take it out, or go on if everybody may read it.", is_final=False,
            )  # fmt: skip


def _file_in_words(parcel: Parcel, path: str) -> str:
    name = parcel.name_of(path)
    if path in parcel.documents:
        return f"The document “{_printable(name)}”"
    return "The credits" if name == attribution.FILE_NAME else "The lesson"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "�" for letter in text)[:80]
