"""What the middle shows: the lessons of a topic, what was found, what is different, what was deleted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtWidgets import QLineEdit

from lab_desktop import bins
from lab_desktop.artifacts import title_of
from lab_desktop.repository import Change, Changes
from lab_desktop.taxonomy.index import Hit, Node
from lab_desktop.taxonomy.library import Binned
from lab_desktop.ui.pages.library.compared import Comparison, thrown
from lab_desktop.ui.pages.library.hand import Hand
from lab_desktop.ui.pages.library.holdings import Holdings
from lab_desktop.ui.pages.library.lists import bin_rows, change_rows, hit_row, lesson_rows
from lab_desktop.ui.pages.library.middle import Middle
from lab_desktop.ui.pages.library.right import Right
from lab_desktop.ui.pages.library.rows import Row, Rows
from lab_desktop.ui.pages.library.shelf import Shelf
from lab_desktop.ui.pages.library.words import lessons_words, root_words, where_words
from lab_desktop.ui.words import tr

_TOLD_AT_ONCE = 5
"""Lessons that are compared in one go, so that others have their turn."""


class TopicView:
    """The lessons in a topic and below."""

    def __init__(self, shelf: Shelf, hand: Hand, middle: Middle) -> None:
        self._shelf, self._hand, self._middle = shelf, hand, middle

    def show(self, path: str) -> None:
        """A topic, or the nearest above where it was."""
        view = self._shelf.view
        while view.node(path) is None and "/" in path:
            path = path.rpartition("/")[0]
        self._hand.mode, self._hand.topic = "topic", path
        self._middle.begin(self.title(path))
        topic = self._shown(path)
        rows = lesson_rows(topic) if topic is not None else Rows()
        if topic is not None and not rows and self._shelf.wanted.is_on:
            self._middle.show_rows((), (tr("Nothing here fits."), tr("Show all lessons to see the others.")))
        elif not rows and self._shelf.is_open and not (topic is not None and topic.is_read_only):
            self._middle.show_first()
        else:
            self._middle.show_rows(rows, (tr("Nothing here."), ""))
        if self._hand.path:
            self._middle.list.choose(self._hand.path)

    def title(self, path: str) -> str:
        """What a topic is called."""
        return root_words(path) if "/" not in path else title_of(path.rpartition("/")[2])

    def _shown(self, path: str) -> Node | None:
        """The node of a path in what is shown, which may be a part of all."""
        nodes: Sequence[Node] = self._shelf.view.roots
        while True:
            found = next((node for node in nodes if path == node.path or path.startswith(f"{node.path}/")), None)
            if found is None or found.path == path:
                return found
            nodes = found.children


class SearchView:
    """What is found while somebody types; of many questions only the last is asked."""

    def __init__(self, shelf: Shelf, hand: Hand, middle: Middle, field: QLineEdit) -> None:
        self._shelf, self._hand, self._middle, self._field = shelf, hand, middle, field
        self._wanted: str | None = None
        self._is_finding = False

    def show(self, words: str) -> None:
        """What these words are found in; "" nothing is asked any more."""
        self._wanted = words if words.strip() else None
        if not self._is_finding:
            self._find_next()

    def _find_next(self) -> None:
        words = self._wanted
        if words is None:
            return
        self._is_finding, self._wanted = True, None
        wanted = self._shelf.wanted

        def came(hits: Sequence[Hit]) -> None:
            self._is_finding = False
            if self._wanted is not None:
                self._find_next()
            elif self._field.text().strip():
                self._show_hits(words, hits)

        self._shelf.ask(lambda holdings: holdings.find(words, wanted), came)

    def _show_hits(self, words: str, hits: Sequence[Hit]) -> None:
        about = tr("Found in {0}.").format(lessons_words(len(hits))) if hits else ""
        self._hand.mode = "search"
        self._middle.begin(tr("“{0}”").format(" ".join(words.split())), about, is_aside=True)
        nothing = tr("Nothing found."), tr("Try fewer or other words; the beginning of a word is enough.")
        self._middle.show_rows([hit_row(hit, self._shelf.view) for hit in hits], nothing)


class ChangesView:
    """What is new or different since the community's version; of the one in hand every difference, at the right."""

    def __init__(
        self, shelf: Shelf, hand: Hand, middle: Middle, right: Right, on_take: Callable[[str], object]
    ) -> None:
        """
        Args:
            on_take: shows the lesson at a path as it is.
        """
        self._shelf, self._hand, self._middle, self._right, self._take = shelf, hand, middle, right, on_take
        self._found = Changes((), (), ())
        self._told: dict[Path, str] = {}
        self._is_telling = False

    def show(self) -> None:
        if self._hand.mode != "changes":
            self._hand.mode = "changes"
            self._middle.begin(_changes_title(), tr("Comparing with the community’s version …"), is_aside=True)
            self._middle.list.show_rows(())

        def came(found: Changes) -> None:
            if self._hand.mode == "changes":
                self._found = found
                self._show_rows()
                self._tell_next(list(found.leaves))

        self._shelf.ask(Holdings.changes, came)

    def _show_rows(self) -> None:
        rows = change_rows(self._found, self._told, self._shelf.view)
        count = len([each for each in rows if not each.is_head])
        differences = tr("1 difference") if count == 1 else tr("{0} differences").format(count)
        about = tr("{0} from the community’s version. Basics can only be read, so they never count.")
        self._middle.begin(_changes_title(), about.format(differences) if rows else "", is_aside=True)
        nothing = (
            tr("Everything is as the community has it."),
            tr("A lesson that you begin, change, move or delete appears here."),
        )
        self._middle.show_rows(rows, nothing)
        if not rows:
            self._right.show_part(self._right.preview)
        elif (taken := self._middle.list.row) is not None and taken.key:
            self.choose(taken)
        else:
            self._middle.list.choose(next(each.key for each in rows if not each.is_head))

    def _tell_next(self, changes: list[Change]) -> None:
        """Say in the rows in what lessons differ, a few at a time."""
        changes = [change for change in changes if change.kind != "new"]
        now, later = changes[:_TOLD_AT_ONCE], changes[_TOLD_AT_ONCE:]
        if not now or self._is_telling:
            return
        self._is_telling = True

        def came(told: dict[Path, str]) -> None:
            self._is_telling = False
            self._told |= told
            if self._hand.mode == "changes":
                rows = change_rows(self._found, self._told, self._shelf.view)
                self._middle.list.show_rows(rows)
                self._tell_next(later)

        self._shelf.ask(lambda holdings: holdings.sentences(now), came)

    def choose(self, row: Row) -> None:
        """A row was come to."""
        change = next((each for each in self._found.leaves if each.path.parent.as_posix() == row.key), None)
        panel = self._right.changes
        if change is not None and change.kind == "new":
            self._right.show_part(self._right.preview)
            self._take(row.key)
            return
        self._right.show_part(panel)
        if change is not None:
            shown = change
            self._compare(row, lambda holdings: holdings.compare(shown))
        elif Path(row.key) in self._found.misnamed:
            panel.show_misnamed(row.title, where_words(row.key), Path(row.key).name)
        else:
            self._compare(row, lambda holdings: holdings.before(Path(row.key)))

    def _compare(self, row: Row, work: Callable[[Holdings], Comparison]) -> None:
        if not self._right.changes.is_shown(row.key):
            self._right.changes.show_coming(row.title, where_words(row.key))

        def came(found: Comparison) -> None:
            taken = self._middle.list.row
            if self._hand.mode == "changes" and taken is not None and taken.key == row.key:
                self._right.changes.show_comparison(found)

        self._shelf.ask(work, came)

    def is_deleted(self, key: str) -> bool:
        """True for a lesson that is not there any more."""
        return Path(key, "qna.yaml") in self._found.deleted


class BinView:
    """Deleted lessons and topics."""

    def __init__(self, shelf: Shelf, hand: Hand, middle: Middle, right: Right) -> None:
        self._shelf, self._hand, self._middle, self._right = shelf, hand, middle, right
        self._thrown: dict[str, Binned] = {}

    def show(self) -> None:
        if self._hand.mode != "bin":
            self._hand.mode = "bin"
            self._middle.begin(tr("Deleted lessons"), is_aside=True)
            self._middle.list.show_rows(())

        def came(binned: Sequence[Binned]) -> None:
            if self._hand.mode == "bin":
                self._show(binned)

        self._shelf.ask(Holdings.binned, came)

    def _show(self, binned: Sequence[Binned]) -> None:
        self._thrown = {str(each.entry): each for each in binned}
        rows = bin_rows(binned, time.time())
        about = tr("What is deleted stays here for {0} days.").format(bins.BIN_DAYS)
        self._middle.begin(tr("Deleted lessons"), about, is_aside=True)
        self._middle.show_rows(rows, (tr("Nothing was deleted."), ""))
        if not rows:
            self._right.show_part(self._right.preview)
            return
        if (taken := self._middle.list.row) is not None:
            self.choose(taken)
        else:
            self._middle.list.choose(rows[0].key)
        self._middle.offer(tr("Put back"), lambda: self.put_back(""))

    def choose(self, row: Row) -> None:
        """A row was come to: what it holds is shown at the right."""
        if (entry := self._thrown.get(row.key)) is None:
            return
        panel, lying = self._right.changes, entry.entry / entry.path.name
        self._right.show_part(panel)
        if not panel.is_shown(entry.path.as_posix()):
            panel.show_coming(entry.title, where_words(entry.path.as_posix()))

        def came(found: Comparison) -> None:
            taken = self._middle.list.row
            if self._hand.mode == "bin" and taken is not None and taken.key == row.key:
                panel.show_comparison(found, has_foot=False)

        self._shelf.ask(lambda _: thrown(lying, entry.path), came)

    def put_back(self, key: str) -> None:
        """Take an entry out of the bin; "" the one in hand."""
        taken = self._middle.list.row
        entry = self._thrown.get(key or (taken.key if taken else ""))
        if entry is not None:
            self._shelf.act(lambda library: library.restore(entry))


def _changes_title() -> str:
    return tr("What is new or different")
