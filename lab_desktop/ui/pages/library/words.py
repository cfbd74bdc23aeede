"""The library in words: kinds, places, badges, amounts, and what was done to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from lab_desktop.artifacts import title_of
from lab_desktop.taxonomy.badges import Badge, Sharing
from lab_desktop.taxonomy.index import Node
from lab_desktop.taxonomy.library import Step
from lab_desktop.ui.words import day_words, number, tr

BADGES = (Badge.DRAFT, Badge.READY, Badge.TRAINED, Badge.SHARED, Badge.PROBLEM)


def badge_of(badge: Badge | None) -> tuple[str, str, str]:
    """(word, tone, icon) of a lesson's state; None: nobody has looked yet."""
    if badge is None:
        return tr("Not looked at yet"), "plain", ""
    return {
        Badge.DRAFT: (tr("Draft"), "plain", "edit"),
        Badge.READY: (tr("Ready"), "good", "check"),
        Badge.TRAINED: (tr("Trained"), "accent", "improve"),
        Badge.SHARED: (tr("Shared"), "accent", "share"),
        Badge.PROBLEM: (tr("Problem"), "bad", "warn"),
    }[badge]


def root_words(root: str) -> str:
    """The plain word for one of the three kinds of a taxonomy."""
    return {
        "knowledge": tr("Facts"),
        "compositional_skills": tr("Skills"),
        "foundational_skills": tr("Basics"),
    }.get(root, root)


def title_words(node: Node) -> str:
    """What a node is called: a root by its plain word."""
    return root_words(node.path) if node.is_root else node.title


def about_root(root: str) -> str:
    """What one of the three kinds is, and who may change it."""
    return {
        "knowledge": tr("What is true: lessons from a text, with questions about it."),
        "compositional_skills": tr("How to do something: lessons made of examples."),
        "foundational_skills": tr(
            "Skills that others build on. Those who keep the community’s library look after them, so they can be read "
            "here and not changed."
        ),
    }.get(root, "")


def kind_words(kind: str) -> tuple[str, str]:
    """A kind of lesson, and the field's term for it."""
    return {
        "knowledge": (tr("Facts lesson"), tr("(knowledge)")),
        "freeform_skill": (tr("Skill lesson"), tr("(skill)")),
        "grounded_skill": (tr("Skill lesson with material"), tr("(grounded skill)")),
    }.get(kind, (tr("Lesson"), ""))


def place_words(titles: Sequence[str]) -> str:
    """Where something lies: "Facts › Islands"."""
    return " › ".join(titles)


def where_words(path: str) -> str:
    """The topics that a path lies in: "knowledge/islands/velmora" → "Facts › Islands"."""
    root, *parts = path.split("/")
    if not parts:
        return ""
    return place_words([root_words(root), *(title_of(part) for part in parts[:-1])])


def lessons_words(count: int) -> str:
    return tr("1 lesson") if count == 1 else tr("{0} lessons").format(number(count))


def amount_words(is_facts: bool, parts: int, questions: int) -> str:
    """How much a lesson holds."""
    if not is_facts:
        return tr("1 example") if questions == 1 else tr("{0} examples").format(number(questions))
    passages = tr("1 passage") if parts == 1 else tr("{0} passages").format(number(parts))
    asked = tr("1 question") if questions == 1 else tr("{0} questions").format(number(questions))
    return f"{passages} · {asked}"


def readiness(is_facts: bool, parts: int, questions: int) -> float:
    """How much of the least that a lesson needs is there, 0–1: five passages of three questions, or five examples."""
    if not is_facts:
        return min(1.0, questions / 5)
    return (min(parts, 5) + min(questions, 15)) / 20


def step_words(step: Step) -> str:
    """What was done, as the menu names it: "Move “Velmora”"."""
    if step.kind == "import" and len(step.made) > 1:
        return tr("Import of {0}").format(lessons_words(len(step.made)))
    return {
        "create_topic": tr("New Topic “{0}”"),
        "create_leaf": tr("New Lesson “{0}”"),
        "rename": tr("Rename “{0}”"),
        "move": tr("Move “{0}”"),
        "duplicate": tr("Duplicate “{0}”"),
        "merge": tr("Merge “{0}”"),
        "delete": tr("Delete “{0}”"),
        "restore": tr("Put Back “{0}”"),
        "import": tr("Import “{0}”"),
    }.get(step.kind, "{0}").format(step.title)


def sharing_words(sharing: Sharing) -> str:
    """Who else has a lesson, and since when."""
    day = day_words(date.fromtimestamp(sharing.at)) if sharing.at is not None else ""
    if not sharing.to:
        return tr("In the community’s library since {0}.").format(day) if day else tr("In the community’s library.")
    return tr("Sent to {0} on {1}.").format(sharing.to, day) if day else tr("Sent to {0}.").format(sharing.to)


def change_words(kind: str) -> tuple[str, str, str]:
    """(word, tone, icon) of how a lesson stands to the community's version."""
    return {
        "new": (tr("New"), "good", "plus"),
        "changed": (tr("Changed"), "accent", "edit"),
        "moved": (tr("Moved"), "warn", "arrow-right"),
        "deleted": (tr("Deleted"), "plain", "bin"),
    }[kind]


def days_left_words(days: int) -> str:
    if days < 1:
        return tr("goes today")
    return tr("1 day left") if days == 1 else tr("{0} days left").format(days)
