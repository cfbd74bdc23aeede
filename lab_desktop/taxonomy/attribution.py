"""attribution.txt: whose work a leaf is made from, and that it may be used.

One item per line and a blank line between works, as InstructLab's taxonomy writes it. Read tolerantly, for people write
it by hand; written in one form. What is not understood is kept, never dropped.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from lab_desktop.errors import LeafError
from lab_desktop.files import write_text

FILE_NAME = "attribution.txt"
OWN = "my own"
"""What stands in place of a link where the author of the leaf wrote the work."""
MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Licence:
    """A licence that InstructLab's community accepts.

    Attributes:
        id: its SPDX identifier, as it is written to the file.
        name: in plain words.
        means: what it allows and asks for, in a sentence.
    """

    id: str
    name: str
    means: str


LICENCES = (
    Licence("CC0-1.0", "Public domain (CC0)", "Anyone may do anything with it."),
    Licence("CC-BY-4.0", "Creative Commons Attribution", "Anyone may use it and must name the author."),
    Licence(
        "CC-BY-SA-4.0",
        "Creative Commons Attribution, share alike (Wikipedia)",
        "Anyone may use it, must name the author, and must pass changes on under the same licence.",
    ),
    Licence("CDLA-Permissive-2.0", "Community Data Licence", "Anyone may use the data and must pass on this licence."),
    Licence("Apache-2.0", "Apache Licence 2.0", "Anyone may use it and must keep its notices."),
    Licence("MIT", "MIT Licence", "Anyone may use it and must keep its notice."),
)


@dataclass(frozen=True)
class Attribution:
    """One work that a leaf is made from.

    Attributes:
        title: what the work is called.
        link: where it is found, or `OWN`.
        revision: a link that always shows the version that was used; "" for one's own work.
        licence: SPDX identifier where it has one.
        creators: who made it, as written.
        copyright, modifications, derived_from: where they apply, else "".
        others: lines that say something else, as written.
    """

    title: str = ""
    link: str = ""
    revision: str = ""
    licence: str = ""
    creators: str = ""
    copyright: str = ""
    modifications: str = ""
    derived_from: str = ""
    others: tuple[str, ...] = ()

    @property
    def is_own(self) -> bool:
        """True where the author of the leaf wrote the work."""
        return _is_own(self.link)


@dataclass(frozen=True)
class Gap:
    """What an attribution lacks.

    Attributes:
        field: name of the attribute of `Attribution`; "" where it is about the whole.
        message: what is wrong, in a sentence.
        hint: what to do.
    """

    field: str
    message: str
    hint: str


def own_work(title: str, creators: str, licence: str = "CC-BY-4.0") -> Attribution:
    """The attribution of a work that the author of the leaf wrote."""
    return Attribution(title, OWN, licence=licence, creators=creators)


def read_attribution(folder: Path) -> tuple[Attribution, ...]:
    """The works named in `folder`/attribution.txt; none where there is no such file.

    Raises:
        LeafError: it cannot be opened, or is no text of a reasonable size.
    """
    file = folder / FILE_NAME
    try:
        if file.stat().st_size > MOST_BYTES:
            raise LeafError(f'"{file}" is larger than {MOST_BYTES // 1_000_000} MB.', "Keep only the attribution.")
        data = file.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise LeafError(f'"{file}" cannot be opened: {error.strerror}.', "Check its permissions.") from error
    try:
        return parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return parse(data.decode("cp1252", errors="replace"))


def write_attribution(works: Iterable[Attribution], folder: Path) -> Path:
    """Write `works` as `folder`/attribution.txt, and give that path.

    Raises:
        StorageError: the file cannot be written; an older one is untouched.
    """
    file = folder / FILE_NAME
    write_text(file, to_text(works))
    return file


def parse(text: str) -> tuple[Attribution, ...]:
    """The works that the text of an attribution.txt names."""
    lines = text.removeprefix("\ufeff").splitlines()
    if any(_labelled(line)[0] for line in lines):
        works = list(_labelled_works([line for line in lines if line.strip()]))
    else:
        parts = itertools.groupby(lines, key=lambda line: bool(line.strip()))
        works = [_unlabelled([line.strip() for line in part]) for is_written, part in parts if is_written]
    return tuple(work for work in works if work != Attribution())


def to_text(works: Iterable[Attribution]) -> str:
    """The text of an attribution.txt: parsed again it gives the same works."""
    return "\n".join("".join(f"{line}\n" for line in _lines(work)) for work in works)


def licence_id(text: str) -> str:
    """The SPDX identifier of an accepted licence that `text` means, else `text` without outer blanks."""
    text = text.strip()
    known = {_letters(name): licence.id for licence in LICENCES for name in (licence.id, licence.name)}
    if found := known.get(_letters(text)) or known.get(_letters(_OTHER_NAMES.get(_letters(text), ""))):
        return found
    for pattern, id in _LINKS:
        if re.search(pattern, text, re.IGNORECASE):
            return id
    return text


def problems(work: Attribution) -> tuple[Gap, ...]:
    """What is missing before a leaf made from `work` may be given to the community."""
    return tuple(_problems(work))


def _problems(work: Attribution) -> Iterator[Gap]:
    if not work.title.strip():
        yield Gap("title", "The work has no title.", "Write what it is called.")
    if not work.link.strip():
        yield Gap("link", "It is not said where the work comes from.", f'Write its address, or "{OWN}".')
    if not work.is_own and work.link.strip() and not work.revision.strip():
        hint = "Give a link that always shows the version you used, for Wikipedia: Tools ▸ Permanent link."
        yield Gap("revision", "It is not said which version of the work was used.", hint)
    if not work.creators.strip():
        yield Gap(
            "creators", "It is not said who made the work.", "Name the creators, for Wikipedia: Wikipedia Authors."
        )
    names = ", ".join(licence.id for licence in LICENCES)
    if not work.licence.strip():
        yield Gap("licence", "The work has no licence.", f"Choose one of {names}.")
    elif licence_id(work.licence) not in {licence.id for licence in LICENCES}:
        message = f'The community does not list "{work.licence.strip()}" among the licences that it accepts.'
        yield Gap("licence", message, f"Use works under one of {names}, or keep this lesson to yourself.")


_LABELS = {
    "title": "Title of work",
    "link": "Link to work",
    "revision": "Revision",
    "licence": "License of the work",
    "creators": "Creator names",
    "copyright": "Copyright",
    "modifications": "Modifications",
    "derived_from": "Derived from",
}
"""As InstructLab's taxonomy writes them, in its order."""
_OTHER_LABELS = {
    "title": ("titleofwork", "title", "titleofthework", "work", "name"),
    "link": ("linktowork", "link", "linktothework", "url", "source", "website"),
    "revision": ("revision", "revisionlink", "revisionid", "linktorevision", "permalink", "permanentlink", "version"),
    "licence": (
        "licenseofthework",
        "licenseofwork",
        "licenceofthework",
        "licenceofwork",
        "license",
        "licence",
        "worklicense",
    ),
    "creators": (
        "creatornames",
        "creatorname",
        "creators",
        "creator",
        "author",
        "authors",
        "authornames",
        "contributors",
    ),
    "copyright": ("copyright", "copyrightnotice", "copyrightinformation", "copyrightholder"),
    "modifications": ("modifications", "modification", "modified", "changes", "modificationnotice"),
    "derived_from": ("derivedfrom", "derivation", "derivedwork", "derivedfromwork"),
}
"""Labels that people write, letters only."""
_FIELD_OF = {label: field for field, labels in _OTHER_LABELS.items() for label in labels}
_OTHER_NAMES = {
    "ccby": "CC-BY-4.0",
    "ccbysa": "CC-BY-SA-4.0",
    "cc0": "CC0-1.0",
    "cc010universal": "CC0-1.0",
    "publicdomain": "CC0-1.0",
    "apache": "Apache-2.0",
    "apache2": "Apache-2.0",
    "apachelicense20": "Apache-2.0",
    "apachelicenseversion20": "Apache-2.0",
    "mitlicense": "MIT",
    "themitlicense": "MIT",
    "cdlapermissive": "CDLA-Permissive-2.0",
    "creativecommonsattribution40": "CC-BY-4.0",
    "creativecommonsattribution40international": "CC-BY-4.0",
    "creativecommonsattributionsharealike40": "CC-BY-SA-4.0",
    "creativecommonsattributionsharealike40international": "CC-BY-SA-4.0",
}
_LINKS = (
    (r"creativecommons\.org/licenses/by-sa/4\.0", "CC-BY-SA-4.0"),
    (r"creativecommons\.org/licenses/by/4\.0", "CC-BY-4.0"),
    (r"creativecommons\.org/publicdomain/zero/1\.0", "CC0-1.0"),
    (r"apache\.org/licenses/LICENSE-2\.0", "Apache-2.0"),
    (r"opensource\.org/licenses?/mit\b", "MIT"),
    (r"cdla\.dev/permissive-2-0", "CDLA-Permissive-2.0"),
)
_LABELLED = re.compile(r"\s*(?:[-*•]\s+)?(?:\*\*)?([A-Za-z][A-Za-z' ()/_-]{2,40}?)(?:\*\*)?\s*[:：]\s*(?:\*\*)?\s*(.*)")
_ADDRESS = re.compile(r"\s*(?:https?://|www\.)\S+\s*\Z", re.IGNORECASE)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def _is_own(link: str) -> bool:
    return _letters(link) in ("myown", "myownwork", "own", "ownwork", "mine")


def _labelled_works(lines: list[str]) -> Iterator[Attribution]:
    """A title, or a label that comes again, begins the next work; blank lines mean nothing."""
    work = Attribution()
    last = ""
    for line in lines:
        field, value = _labelled(line)
        if not field and last and line[0].isspace():  # people break long lines and indent the rest
            work = _with(work, last, f"{getattr(work, last)} {value}".strip())
        elif not field:
            work = replace(work, others=(*work.others, value))
        else:
            if getattr(work, field) or (field == "title" and work != Attribution()):
                yield work
                work = Attribution()
            work = _with(work, field, licence_id(value) if field == "licence" else value)
            last = field
    yield work


def _with(work: Attribution, field: str, value: str) -> Attribution:
    change: dict[str, Any] = {field: value}
    return replace(work, **change)


def _labelled(line: str) -> tuple[str, str]:
    """(field, what is said of it); ("", the line) where no known label begins it."""
    found = _LABELLED.match(line)
    field = _FIELD_OF.get(_letters(found[1])) if found else None
    return (field, found[2].strip()) if found and field else ("", line.strip())


def _unlabelled(lines: list[str]) -> Attribution:
    """Lines in InstructLab's order without labels: what each is follows from what it looks like."""
    work = Attribution()
    accepted = {licence.id for licence in LICENCES}
    for line in lines:
        if _is_own(line) and not work.link:
            work = replace(work, link=OWN)
        elif _ADDRESS.match(line) and licence_id(line) == line and not (work.link and work.revision):
            work = _with(work, "revision" if work.link else "link", line)
        elif licence_id(line) in accepted and not work.licence:
            work = replace(work, licence=licence_id(line))
        elif not work.title:
            work = replace(work, title=line)
        elif not work.creators:
            work = replace(work, creators=line)
        else:
            work = replace(work, others=(*work.others, line))
    return work


def _lines(work: Attribution) -> Iterator[str]:
    for field in fields(work):
        value = " ".join(str(getattr(work, field.name)).split()) if field.name in _LABELS else ""
        # A title begins a work, so its line is there even where it has none.
        if value or field.name == "title":
            yield f"{_LABELS[field.name]}: {value}".rstrip()
    yield from (" ".join(line.split()) for line in work.others if line.strip())
