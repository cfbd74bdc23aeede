"""The text of a pull request: every section of the taxonomy's own template, filled from real data, and nothing made up.

What people and models wrote stands there as it is read, and is nothing else: it makes no markup, tells nobody, closes
no issue, and gives the host no commands.
Source: the template of github.com/instructlab/taxonomy (.github/pull_request_template.md) and its CONTRIBUTING.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from lab_desktop.artifacts import Leaf, LeafKind
from lab_desktop.contribution.parcel import Parcel, private_things, problems
from lab_desktop.contribution.proof import Proof, Shown, examples
from lab_desktop.errors import ContributionError

MOST_TITLE = 72
FEWEST_EXAMPLES = 5
_MOST_NOTE = 8_000
_MOST_TEXT = 1_500
"""Letters of one question or answer."""
_MOST_LINE = 400
_MOST_LISTED = 12


@dataclass(frozen=True)
class Letter:
    """Attributes:
    title: one line, at most 72 letters: of the commit and of the pull request.
    body: Markdown.
    """

    title: str
    body: str


def letter(parcel: Parcel, shown: Proof | None, note: str = "") -> Letter:
    """Write it.

    Args:
        shown: from the report; None: the sections say that nothing was trained with it yet.
        note: what the person wants to say; stands first.

    Raises:
        LeafError: the parcel's qna.yaml is none.
    """
    leaf = parcel.leaf
    best = examples(shown) if shown else []
    parts = [paragraphs(note[:_MOST_NOTE])] if note.strip() else []
    parts += ["**Describe the contribution to the taxonomy**", "\n".join(f"- {line}" for line in _about(parcel, leaf))]
    parts += ["**Input given at the prompt**", *_said(shown, best, "question")]
    parts += ["**Response from the original model**", *_said(shown, best, "before")]
    parts += ["**Response from the fine-tuned model**", *_said(shown, best, "after"), *_summary(shown)]
    parts += ["**Contribution checklist**", "\n".join(_checklist(parcel, leaf, shown))]
    return Letter(_title(parcel), "\n\n".join(parts) + "\n")


def message(parcel: Parcel, title: str, name: str, email: str) -> str:
    """The commit's message: title, a line of what it is, and `Signed-off-by: NAME <EMAIL>` (Developer Certificate of
    Origin 1.1), the author's exactly.

    Args:
        name, email: of the commit's author; `author` makes them so that git never writes them otherwise.

    Raises:
        ContributionError: no commit can have such an author.
        LeafError: the parcel's qna.yaml is none.
    """
    if not all(text and text == _one_line(text) and not set("<>") & set(text) for text in (name, email)):
        raise ContributionError(
            f"No author can be written as “{_one_line(name)} <{_one_line(email)}>”.",
            "Write the name and the e-mail address anew.",
        )
    said = f"{_what(parcel.leaf).capitalize()} at {_PATH.sub(' ', parcel.path)}: {_amount(parcel.leaf)}."
    return f"{_as_title(title)}\n\n{said}\n\nSigned-off-by: {name} <{email}>\n"


def author(name: str, email: str) -> tuple[str, str]:
    """A name and an e-mail address as git writes them into a commit, so that the sign-off is equal to the author.

    Git leaves out < and >, and blanks, dots, commas, colons, semicolons, quotes and backslashes at both ends.

    Raises:
        ContributionError: nothing is left of one of them, or the address is none.
    """
    name, email = (re.sub(r"[<>]", "", _one_line(text)).strip(_CRUD) for text in (name, email))
    if not name or not re.fullmatch(r"[^\s@]+@[^\s@]+", email):
        raise ContributionError(
            "The sign-off needs a name and an e-mail address.",
            "Write both, as they may stand in the community's history for everyone to read.",
        )
    return name, email


def paragraphs(text: str) -> str:
    """A person's text of several lines as Markdown that reads just like it."""
    lines = _clean(text).strip().split("\n")
    return "\n".join(_START.sub(lambda sign: f"\\{sign[0]}", _harmless(line.strip())) for line in lines)


def fenced(text: str) -> str:
    """A text as a block of code that nothing in it can end."""
    text = _clean(text).strip("\n") or "(nothing)"
    if len(text) > _MOST_TEXT:
        text = f"{text[:_MOST_TEXT].rstrip()}\n… ({len(text) - _MOST_TEXT} more letters)"
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}"


_CRUD = " .,:;\"\\'\t"
_JOINER = "\u2060"
"""Seen by nobody: a mention, or the number of an issue, that has it inside is none."""
_MARKUP = re.compile(r"[\\`*_{}\[\]<>|~&$]")
_REFERENCE = re.compile(
    r"(?<=[@#!$%&~^])(?=\w)|(?<=/issues/)(?=\d)|(?<=/pull/)(?=\d)|(?<=/merge_requests/)(?=\d)|(?<=GH-)(?=\d)"
    r"|(?<=:)(?=[a-z0-9_+-]{1,40}:)|^(?=/)",
    re.IGNORECASE,
)
"""Where a host would see a person, an issue, a label, an emoji or a command."""
_ADDRESS = re.compile(r"(https?://[\w.~:/?#@!$&'()*+,;=%-]{1,500})", re.ASCII)
_ISSUE = re.compile(r"/(?:issues|pull|merge_requests|commit)/")
_START = re.compile(r"^[#+=-]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ud800-\udfff\ufeff]"
)
"""Controls, and marks that turn round what is read."""
_TITLE = re.compile(r"[^\w ,.()'’–:+…-]")
_PATH = re.compile(r"[^\w /.()-]")


def _title(parcel: Parcel) -> str:
    kind = "knowledge" if parcel.kind is LeafKind.KNOWLEDGE else "skill"
    return _as_title(f"{'Add' if parcel.is_new else 'Improve'} {kind}: {parcel.title}")


def _as_title(text: str) -> str:
    text = _one_line(_TITLE.sub(" ", _one_line(text)))
    return text if len(text) <= MOST_TITLE else f"{text[: MOST_TITLE - 1].rstrip()}…"


def _about(parcel: Parcel, leaf: Leaf) -> Iterator[str]:
    new = "A new" if parcel.is_new else "Another version of the"
    yield f"{new} {_what(leaf)} {_line(leaf.title)} at {_code(parcel.path)}."
    if leaf.kind is LeafKind.KNOWLEDGE:
        yield f"Subject: {_line(leaf.domain)}. {_line(leaf.document_outline)}"
    else:
        yield f"The task: {_line(leaf.task_description)}"
    yield f"It has {_amount(leaf)}."
    for path, content in list(parcel.documents.items())[:_MOST_LISTED]:
        words = len(content.split())
        yield f"Its document is {_code(parcel.name_of(path))}, {words:,} words."
    for work in parcel.credits[:_MOST_LISTED]:
        source = "own work" if work.is_own else _line(work.link)
        yield f"Source: {_line(work.title)} ({source}), by {_line(work.creators)}, licence {_line(work.licence)}."


def _said(shown: Proof | None, best: list[Shown], which: str) -> Iterator[str]:
    if shown is None:
        yield "No model was trained with it yet."
        return
    if not best:
        yield "No question about it was asked."
        return
    if which != "question":
        model = shown.original if which == "before" else shown.trained
        yield f"The model: {_code(model)}" if model else "The model has no name."
    for number, each in enumerate(best, start=1):
        verdict = {"before": each.was_right, "after": each.is_right}.get(which)
        found = {True: "found right", False: "found wrong", None: "without a verdict"}[verdict]
        yield f"Question {number}:" if which == "question" else f"Answer to question {number}, {found}:"
        yield fenced(getattr(each, which))


def _summary(shown: Proof | None) -> Iterator[str]:
    if shown is None:
        return
    if shown.total:
        yield (
            f"Of {shown.total} questions about it that were never practised, the original answered "
            f"{shown.right_before} rightly and the fine-tuned model {shown.right_after}."
        )
    worse = sum(each.is_worse for each in shown.questions)
    if worse:
        count = "One" if worse == 1 else f"{worse}"
        yield f"{count} of those that the original answered rightly went wrong; the last question above is such a one."
    if not shown.is_of_this:
        yield "The lesson was changed after this was measured."


def _checklist(parcel: Parcel, leaf: Leaf, shown: Proof | None) -> Iterator[str]:
    written, kept = shown.made if shown else (0, 0)
    is_tested = shown is not None and shown.is_of_this and kept > 0
    untested = "it was changed since it was tested" if shown and not shown.is_of_this else "it was not tested yet"
    yield _item(
        is_tested,
        "The contribution was tested with data generation (LAB Desktop's, in place of `ilab generate`)",
        f"{written} practice questions were written from it, and {kept} of them kept" if is_tested else untested,
    )
    strict = [problem for problem in problems(parcel, "file") if problem.severity == "error"]
    yield _item(
        is_tested and not strict,
        "No errors or warnings were produced by it",
        "the check that comes before, in which warnings count as errors, has nothing to say"
        if is_tested and not strict
        else f"the check finds {_count(len(strict), 'problem')}" if strict else untested,
    )  # fmt: skip
    yield _item(True, f"All [commits are signed off]({_TAXONOMY}/CONTRIBUTING.md#legal) (DCO)", "")
    count = len(leaf.seed_examples)
    yield _item(
        count >= FEWEST_EXAMPLES,
        "The `qna.yaml` file contains at least 5 `seed_examples`",
        f"it has {count}",
    )
    wrong = [problem for problem in problems(parcel) if problem.severity == "error" or problem.layout]
    yield _item(
        not wrong,
        "The `qna.yaml` file was linted and prettified",
        f"the check finds {_count(len(wrong), 'problem')}" if wrong else "",
    )
    yield _item(
        bool(parcel.credits),
        "An `attribution.txt` file in the same folder as the `qna.yaml` file",
        "" if parcel.credits else "there is none",
    )
    things = Counter(each.kind for found in private_things(parcel).values() for each in found)
    listed = ", ".join(f"{_THINGS[kind]}: {count}" for kind, count in sorted(things.items()))
    yield _item(
        not things,
        "Content does not include PII or otherwise sensitive or confidential information",
        f"a look for such things found what may be some ({listed})"
        if things
        else "a look for e-mail addresses, phone numbers, keys, names and folders found nothing",
    )
    yield _item(
        False,
        "Content does not include anything documented in the project's "
        f"[Avoid these Topics]({_TAXONOMY}/docs/SKILLS_GUIDE.md#avoid-these-topics) guidelines",
        "no program can decide this; it is left to the people who read it",
    )


_TAXONOMY = "https://github.com/instructlab/taxonomy/blob/main"
_THINGS = {
    "e-mail": "e-mail addresses", "phone": "phone numbers", "key": "keys", "name": "names", "folder": "folders",
}  # fmt: skip


def _item(is_so: bool, text: str, why: str) -> str:
    return f"- [{'x' if is_so else ' '}] {text}{f' – {why}' if why else ''}"


def _what(leaf: Leaf) -> str:
    return {
        LeafKind.KNOWLEDGE: "knowledge lesson",
        LeafKind.FREEFORM_SKILL: "skill lesson",
        LeafKind.GROUNDED_SKILL: "skill lesson with material",
    }[leaf.kind]


def _amount(leaf: Leaf) -> str:
    count = len(leaf.seed_examples)
    if leaf.kind is not LeafKind.KNOWLEDGE:
        return _count(count, "example")
    return f"{_count(count, 'passage')} with {_count(sum(len(each.pairs) for each in leaf.seed_examples), 'question')}"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _line(text: str) -> str:
    """A text in one line, as Markdown that reads just like it."""
    text = _one_line(text)
    return _harmless(text if len(text) <= _MOST_LINE else f"{text[:_MOST_LINE].rstrip()}…")


def _code(text: str) -> str:
    text = _one_line(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{text}{fence}" if fence == "`" else f"{fence} {text} {fence}"


def _one_line(text: str) -> str:
    return " ".join(_clean(text).split())


def _clean(text: str) -> str:
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _harmless(line: str) -> str:
    parts = _ADDRESS.split(line)
    for index, part in enumerate(parts):
        address = part.rstrip(".,:;!?')(") if index % 2 else ""
        if _ISSUE.search(address):
            address = ""  # the issue would be told of it
        text = _MARKUP.sub(lambda sign: f"\\{sign[0]}", _REFERENCE.sub(_JOINER, part[len(address) :]))
        parts[index] = f"<{address}>{text}" if address else text
    return "".join(parts)
