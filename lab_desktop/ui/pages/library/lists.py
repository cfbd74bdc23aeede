"""What stands in the page's lists: lessons, what was found, what is different, what was deleted, what can be chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lab_desktop import bins
from lab_desktop.artifacts import LeafKind, title_of
from lab_desktop.repository import Changes
from lab_desktop.taxonomy.badges import Badge
from lab_desktop.taxonomy.index import Entry, Hit, Near, Node, Place
from lab_desktop.taxonomy.library import Binned
from lab_desktop.ui.pages.library.holdings import View
from lab_desktop.ui.pages.library.rows import Row, Rows
from lab_desktop.ui.pages.library.words import (
    amount_words,
    badge_of,
    change_words,
    days_left_words,
    place_words,
    readiness,
    root_words,
    where_words,
)
from lab_desktop.ui.words import tr

_DAY_S = 86_400
_DONE = (Badge.READY, Badge.TRAINED, Badge.SHARED)
_ALMOST = 0.95
"""The ring of a lesson that holds enough and is not ready."""


def lesson_rows(topic: Node) -> Rows:
    """The lessons in a topic and below, in the order of the tree."""
    lessons: list[Entry] = []
    waiting = [topic]
    while waiting:
        node = waiting.pop()
        if node.lesson is not None:
            lessons.append(node.lesson)
        waiting += node.children[::-1]
    return Rows([lesson.path for lesson in lessons], lambda number: _lesson(lessons[number], topic.path))


def _lesson(lesson: Entry, topic: str) -> Row:
    is_facts = lesson.kind is LeafKind.KNOWLEDGE
    below = lesson.topic[len(topic) + 1 :] if lesson.topic.startswith(f"{topic}/") else ""
    amount = amount_words(is_facts, lesson.examples, lesson.questions) if lesson.kind else lesson.problem
    place = place_words([title_of(part) for part in below.split("/") if part])
    second = " · ".join(filter(None, (place, amount)))
    share = 1.0 if lesson.badge in _DONE else min(_ALMOST, readiness(is_facts, lesson.examples, lesson.questions))
    return Row(lesson.path, lesson.title, second, badge_of(lesson.badge) if lesson.badge else None, share)


def hit_row(hit: Hit, view: View) -> Row:
    """A lesson that was found, with the words that were asked for marked."""
    node = view.node(hit.entry.path)
    badge = badge_of(node.badge) if node is not None and node.badge else None
    found = {
        "title": tr("name"),
        "description": tr("description"),
        "question": tr("question"),
        "answer": tr("answer"),
        "passage": tr("passage"),
        "document": tr("document"),
    }.get(hit.where, hit.where)
    parts: list[tuple[str, bool]] = []
    text, at = hit.snippet.text, 0
    for start, end in hit.snippet.marks:
        parts += [(text[at:start], False), (text[start:end], True)]
        at = end
    parts.append((text[at:], False))
    snippet = tuple(part for part in parts if part[0])
    second = f"{where_words(hit.entry.path)} · {found}"
    return Row(hit.entry.path, hit.entry.title, second, badge, icon="document", snippet=snippet)


def change_rows(found: Changes, told: Mapping[Path, str], view: View) -> list[Row]:
    """What is new or different since the community's version, in words; what is gone stands apart.

    Args:
        told: in what a lesson differs, by its file.
    """
    rows = []
    for change in found.leaves:
        path = change.path.parent.as_posix()
        node = view.node(path)
        second = told.get(change.path) or where_words(path)
        if change.was is not None and change.kind == "moved":
            second = _moved_words(path, change.was.parent.as_posix())
        title = node.title if node is not None else title_of(change.path.parent.name)
        rows.append(Row(path, title, second, change_words(change.kind), icon="document"))
    for file in found.misnamed:
        second = tr("nobody finds “{0}”: a lesson file has another name").format(file.name)
        rows.append(Row(file.as_posix(), title_of(file.parent.name), second, badge_of(Badge.PROBLEM), icon="warn"))
    if found.deleted and rows:
        rows.append(Row("", tr("Not here any more"), is_head=True))
    for file in found.deleted:
        second = tr("was in {0}").format(where_words(file.parent.as_posix()))
        title = title_of(file.parent.name)
        rows.append(Row(file.parent.as_posix(), title, second, change_words("deleted"), icon="document"))
    return rows


def _moved_words(path: str, was: str) -> str:
    if where_words(path) == where_words(was):
        return tr("{0} · was called “{1}”").format(where_words(path), title_of(was.rpartition("/")[2]))
    return tr("now in {0}, was in {1}").format(where_words(path), where_words(was))


def bin_rows(thrown: Sequence[Binned], now: float) -> list[Row]:
    """What was deleted, and how long it stays.

    Args:
        now: seconds since 1970.
    """
    rows = []
    for each in thrown:
        days = bins.BIN_DAYS - int((now - each.deleted) / _DAY_S)
        second = tr("was in {0} · {1}").format(where_words(each.path.as_posix()), days_left_words(days))
        rows.append(Row(str(each.entry), each.title, second, icon="bin"))
    return rows


def place_row(found: Place) -> Row:
    """A topic where something may belong, with who lives there."""
    beside = ", ".join(entry.title for entry in found.neighbours[:3])
    where = where_words(found.path)
    second = tr("{0} · beside {1}").format(where, beside) if beside else where
    return Row(found.path, _title(found.path), second, icon="folder")


def near_row(found: Near) -> Row:
    """A lesson much like the one that is wished for."""
    return Row(found.entry.path, found.entry.title, found.why, icon="document")


def target_row(node: Node) -> Row:
    """What can be chosen as the place for something."""
    return Row(node.path, _title(node.path), where_words(node.path), icon="document" if node.is_leaf else "folder")


def _title(path: str) -> str:
    return title_of(path.rpartition("/")[2]) if "/" in path else root_words(path)
