"""The library page: topics at the left, the lessons of one in the middle, the lesson in hand at the right."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QKeyEvent, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QMenu, QStackedWidget, QWidget

from lab_desktop import bins
from lab_desktop.artifacts import LeafKind, title_of
from lab_desktop.errors import LabError, LeafError
from lab_desktop.repository import Changes
from lab_desktop.taxonomy.importing import Imported
from lab_desktop.taxonomy.index import Hit, Near, Place
from lab_desktop.taxonomy.library import Binned, Library, Step
from lab_desktop.taxonomy.names import folder_name
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.pages.library import preview as preview_part
from lab_desktop.ui.pages.library.holdings import Filter, Holdings, Node
from lab_desktop.ui.pages.library.import_sheet import ImportSheet
from lab_desktop.ui.pages.library.libraries import Libraries
from lab_desktop.ui.pages.library.lists import (
    bin_rows,
    change_rows,
    hit_row,
    lesson_rows,
    near_row,
    place_row,
    target_row,
)
from lab_desktop.ui.pages.library.middle import Middle
from lab_desktop.ui.pages.library.preview import Preview
from lab_desktop.ui.pages.library.rows import Row, Rows
from lab_desktop.ui.pages.library.shelf import Shelf
from lab_desktop.ui.pages.library.side import PickPanel, PlacePanel, Wish
from lab_desktop.ui.pages.library.sight import Sight, look_into
from lab_desktop.ui.pages.library.targets import may_lie_in, merge_targets, move_targets, topic_beside
from lab_desktop.ui.pages.library.toolbar import Strip, Toolbar
from lab_desktop.ui.pages.library.tree_model import TreeModel
from lab_desktop.ui.pages.library.tree_view import TreeView
from lab_desktop.ui.pages.library.use import Use
from lab_desktop.ui.pages.library.words import (
    lessons_words,
    root_words,
    step_words,
    where_words,
)
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Banner, Label, Tone, column, row, rule

_TREE_WIDTH = 248
_NARROW_BELOW = 1000
_KINDS = {"knowledge": LeafKind.KNOWLEDGE, "compositional_skills": LeafKind.FREEFORM_SKILL}


class LibraryPage(QWidget):
    """
    Attributes:
        shelf: the library on disk.
        libraries, use: which library it is; its lessons in the project in hand.
        edits: what the Edit menu offers while this page is in front.
    """

    changed = Signal()
    """What is in hand, or how much there is."""
    lesson_opened = Signal(Path)
    """The folder of a lesson that should be opened."""
    facts_wanted = Signal()
    """A facts lesson from a document."""
    skill_wanted = Signal()
    """A skill lesson by examples."""
    import_wanted = Signal()
    """A lesson from a file."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.shelf = Shelf(session.home, self)
        self._mode = "topic"
        self._topic = "knowledge"
        self._hand = ""
        self._wanted_words: str | None = None
        self._is_finding = False
        self._renames = False
        self._trained: tuple[Path, ...] = ()
        self._thrown: dict[str, Binned] = {}
        self._taken: Callable[[str], object] = lambda _: None
        self._offer: Callable[[str], object] = lambda _: None

        self.toolbar = Toolbar(self._search, self._filter, self._page_menu)
        self.toolbar.field.returnPressed.connect(self._open_first)
        self.toolbar.new.clicked.connect(lambda: self.begin_lesson())
        self._strip = Strip(self.shelf.cancel)
        self._banner = Banner("info", "", "")
        self._told = QWidget()
        self._told.setLayout(row(self._banner, margins=(16, 8, 16, 8)))
        self._told.hide()
        self._model = TreeModel()
        self._model.renamed.connect(self._rename)
        self._model.moved.connect(self._move)
        self.tree = TreeView(self._model)
        self.tree.chosen.connect(self._tree_chosen)
        self.tree.opened.connect(lambda node: self._open(node.path))
        self.tree.shifted.connect(self._shift)
        self.tree.menu_wanted.connect(lambda node, place: self._node_menu(node.path, place))
        head = row(Label(self.tr("Topics"), "strong"), Label(self.tr("(taxonomy)"), "small", "text3"), -1, gap=6,
                   margins=(16, 14, 8, 6))  # fmt: skip
        self._left = QWidget()
        left = column(head, row(self.tree, margins=(8, 0, 4, 8)))
        left.setStretch(1, 1)
        self._left.setLayout(left)

        self.middle = Middle()
        self.shelf.in_sight = self.middle.list.in_sight
        self.middle.left.connect(self._leave)
        self.middle.list.chosen.connect(self._row_chosen)
        self.middle.list.opened.connect(self._row_opened)
        self.middle.list.menu_wanted.connect(lambda found, place: self._node_menu(found.key, place))
        self.middle.facts.clicked.connect(self.facts_wanted)
        self.middle.skill.clicked.connect(self.skill_wanted)
        self.middle.file.clicked.connect(self.import_wanted)
        self.facts_wanted.connect(lambda: self.begin_lesson(LeafKind.KNOWLEDGE))
        self.skill_wanted.connect(lambda: self.begin_lesson(LeafKind.FREEFORM_SKILL))
        self.import_wanted.connect(self._import)
        self.lesson_opened.connect(session.edit)

        self.preview = Preview(lambda: self._open(self._hand), self.use_in_project)
        self.places = PlacePanel()
        self.places.asked.connect(self._find_places)
        self.places.created.connect(self._create)
        self.places.alike_opened.connect(self._reveal)
        self.places.closed.connect(self._close_side)
        self.pick = PickPanel()
        self.pick.closed.connect(self._close_side)
        self.pick.picked.connect(self._picked)
        self.pick.asked.connect(lambda words: self._offer(words))
        self._right = QStackedWidget()
        for part in (self.preview, self.places, self.pick):
            self._right.addWidget(part)

        body = row(self._left, rule(is_upright=True), self.middle, rule(is_upright=True), self._right)
        body.setStretch(2, 1)
        whole = column(
            self.toolbar, rule(), self._strip, self._told,
            body,
        )  # fmt: skip
        whole.setStretch(4, 1)
        self.setLayout(whole)
        self.use = Use(session, self.shelf, self.say)
        self.libraries = Libraries(session, self.shelf, self.say, self)
        self.edits = self._actions()
        self.shelf.changed.connect(self._redraw)
        self.shelf.opened.connect(self._begin_library)
        self.shelf.done.connect(self._done)
        self.shelf.refused.connect(self.tell)
        self.shelf.busy_changed.connect(lambda: self._strip.show_work(self.shelf.busy, self.shelf.share))
        session.preferences.changed.connect(self._library_chosen)
        session.changed.connect(self._mark_trained)

    # What the window asks

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        return self.tree

    def heading(self) -> tuple[str, str]:
        count = lessons_words(self.shelf.view.own) if self.shelf.is_open else ""
        return self.tr("Library"), count

    def next_step(self) -> tuple[str, str, Callable[[], object]]:
        node, project = self.shelf.view.node(self._hand), self._session.project
        if not self.shelf.is_open:
            return "", "", lambda: None
        if node is not None and node.is_leaf and node.badge in ("ready", "trained", "shared") and project is not None:
            words = self.tr("let “{0}” learn “{1}”.").format(project.title, node.title)
            return words, self.tr("Use in project"), self.use_in_project
        if self.shelf.view.own == 0:
            return self.tr("write your first lesson."), self.tr("New lesson"), self.begin_lesson
        return self.tr("choose a lesson, or begin a new one."), self.tr("New lesson"), self.begin_lesson

    @property
    def count(self) -> int:
        """Lessons that are no basics, as far as is known."""
        return self.shelf.view.own

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        guarded(self._appear)

    def _appear(self) -> None:
        if self.shelf.root != self._session.library:
            self.shelf.open(self._session.library)
        else:
            self.shelf.look()

    def _library_chosen(self) -> None:
        if self.isVisible() and self.shelf.root != self._session.library:
            self._mode, self._topic, self._hand = "topic", "knowledge", ""
            self._right.setCurrentWidget(self.preview)
            self.preview.show_nothing()
            self.shelf.open(self._session.library)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_narrow = self.width() < look().grown(_NARROW_BELOW)
        self._left.setFixedWidth(look().grown(_TREE_WIDTH - 28 * is_narrow))
        self._right.setFixedWidth(preview_part.width() - 54 * is_narrow)

    def say(
        self, tone: Tone, cause: str, safe: str = "", button: str = "", do: Callable[[], object] | None = None
    ) -> None:
        """Tell something above everything, until there is something else to tell."""
        self._banner.say(tone, cause, safe, button, do)
        self._told.show()

    def tell(self, error: LabError) -> None:
        """Say why something was not done."""
        self.say("bad", error.message, error.hint)

    def _begin_library(self) -> None:
        self._told.hide()
        self._mark_trained(is_new=True)

    def _mark_trained(self, *, is_new: bool = False) -> None:
        """Lessons that some project's model learned bear its badge."""
        if not (self.shelf.is_open and self.isVisible()):
            return
        states = ((project, self._session.known.state(project.run)) for project in self._session.projects)
        trained = tuple(project.lessons for project, state in states if state.has_adapter)
        if is_new or trained != self._trained:
            self._trained = trained
            self.shelf.ask(lambda holdings: holdings.mark(trained), lambda _: self.shelf.show_only(self.shelf.wanted))

    # Showing

    def _redraw(self) -> None:
        view = self.shelf.view
        roots = tuple(_named(root) for root in view.roots)
        self.tree.show_tree(roots)
        if self.tree.node is None and roots:
            self.tree.choose("knowledge")
        self._show_undo()
        if self._mode == "topic":
            self._show_topic(self._topic)
        elif self._mode == "search":
            self._search(self.toolbar.field.text())
        elif self._mode == "changes":
            self.show_changes()
        else:
            self.show_bin()
        self._show_hand()
        self.changed.emit()

    def _show_topic(self, path: str) -> None:
        view = self.shelf.view
        while view.node(path) is None and "/" in path:
            path = path.rpartition("/")[0]
        self._topic = path
        self._begin("topic", self._title(path), "")
        topic = next((root for root in view.roots if root.path == path), None) or self._shown(path)
        rows = lesson_rows(topic) if topic is not None else Rows()
        if topic is not None and not rows and self.shelf.wanted.is_on:
            self.middle.show_rows((), (self.tr("Nothing here fits."), self.tr("Show all lessons to see the others.")))
        elif not rows and self.shelf.is_open and not (topic is not None and topic.is_read_only):
            self.middle.show_first()
        else:
            self.middle.show_rows(rows, (self.tr("Nothing here."), ""))
        if self._hand:
            self.middle.list.choose(self._hand)

    def _shown(self, path: str) -> Node | None:
        """The node of a path in what is shown, which may be a part of all."""
        nodes: Sequence[Node] = self.shelf.view.roots
        while True:
            found = next((node for node in nodes if path == node.path or path.startswith(f"{node.path}/")), None)
            if found is None or found.path == path:
                return found
            nodes = found.children

    def _begin(self, mode: str, title: str, about: str) -> None:
        self._mode = mode
        self.middle.begin(title, about, is_aside=mode != "topic")

    def _title(self, path: str) -> str:
        node = self.shelf.view.node(path)
        return root_words(path) if "/" not in path else node.title if node else title_of(path.rpartition("/")[2])

    def _show_hand(self) -> None:
        """The lesson or topic in hand, at the right."""
        node = self.shelf.view.node(self._hand)
        if node is None:
            self.preview.show_nothing()
            return
        if not node.is_leaf:
            self.preview.show_topic(_named(node), where_words(node.path))
            return
        self.preview.show_coming(node.title, where_words(node.path))
        folder = self.shelf.root / node.path

        def came(seen: Sight) -> None:
            now = self.shelf.view.node(node.path)
            if self._hand == node.path and now is not None:
                self.preview.show_lesson(now, where_words(node.path), seen)

        self.shelf.ask(lambda _: look_into(folder), came)

    def _take(self, path: str) -> None:
        if path != self._hand:
            self._hand = path
            self._show_hand()
            self.changed.emit()

    def _tree_chosen(self, node: Node) -> None:
        self._take(node.path)
        topic = node.topic if node.is_leaf else node.path
        if self._mode == "topic" and topic == self._topic:
            self.middle.list.choose(node.path)
        elif self._mode == "topic" or self.tree.hasFocus():
            self.toolbar.clear()
            self._show_topic(topic)

    def _row_chosen(self, found: Row) -> None:
        if self._mode == "bin":
            return
        if self.middle.list.hasFocus() or self._mode != "topic":
            self._take(found.key)

    def _row_opened(self, found: Row) -> None:
        if self._mode == "bin":
            self._put_back(found.key)
        elif self._mode == "topic":
            self._open(found.key)
        else:
            self._reveal(found.key)

    def _reveal(self, path: str) -> None:
        """Show a lesson in its topic."""
        self.toolbar.clear()
        self._close_side()
        self._mode = "topic"
        self._hand = path
        self.tree.choose(path)
        self._show_topic(path.rpartition("/")[0])
        self._show_hand()
        self.middle.list.setFocus()
        self.changed.emit()

    def _leave(self) -> None:
        """Back to the topic."""
        self.toolbar.clear()
        self._show_topic(self._topic)
        self.tree.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._mode != "topic":
            self._leave()
        else:
            super().keyPressEvent(event)

    # Finding

    def begin_search(self) -> None:
        """Begin to search."""
        self.toolbar.field.setFocus()
        self.toolbar.field.selectAll()

    def _search(self, words: str) -> None:
        """What the words are found in, as they are typed; of many questions only the last is asked."""
        if not words.strip():
            self._wanted_words = None
            if self._mode == "search":
                self._show_topic(self._topic)
            return
        self._wanted_words = words
        if not self._is_finding:
            self._find_next()

    def _find_next(self) -> None:
        words = self._wanted_words
        if words is None:
            return
        self._is_finding, self._wanted_words = True, None
        wanted = self.shelf.wanted

        def came(hits: Sequence[Hit]) -> None:
            self._is_finding = False
            if self._wanted_words is not None:
                self._find_next()
            elif self.toolbar.field.text().strip():
                self._show_hits(words, hits)

        self.shelf.ask(lambda holdings: holdings.find(words, wanted), came)

    def _show_hits(self, words: str, hits: Sequence[Hit]) -> None:
        about = self.tr("Found in {0}.").format(lessons_words(len(hits))) if hits else ""
        self._begin("search", self.tr("“{0}”").format(" ".join(words.split())), about)
        nothing = self.tr("Nothing found."), self.tr("Try fewer or other words; the beginning of a word is enough.")
        self.middle.show_rows([hit_row(hit, self.shelf.view) for hit in hits], nothing)

    def _open_first(self) -> None:
        """Return in the search field opens what is in hand, or the first that was found."""
        if self._mode == "search" and self.middle.list.rows:
            self._reveal((self.middle.list.row or self.middle.list.rows[0]).key)

    def _filter(self, wanted: Filter) -> None:
        self.shelf.show_only(wanted)

    # The views beside the topics

    def show_changes(self) -> None:
        """What is new or different since the community's version."""
        title = self.tr("What is new or different")
        if self._mode != "changes":
            self.toolbar.clear()
            self._begin("changes", title, self.tr("Comparing with the community’s version …"))
            self.middle.list.show_rows(())

        def came(found: tuple[Changes, dict[Path, tuple[str, ...]]]) -> None:
            if self._mode == "changes":
                self._show_changes(title, *found)

        self.shelf.ask(Holdings.changes, came)

    def _show_changes(self, title: str, found: Changes, told: dict[Path, tuple[str, ...]]) -> None:
        rows = change_rows(found, told, self.shelf.view)
        about = self.tr("Compared with the community’s version: {0}.").format(
            self.tr("1 difference") if len(rows) == 1 else self.tr("{0} differences").format(len(rows))
        )
        self._begin("changes", title, about if rows else "")
        nothing = (
            self.tr("Everything is as the community has it."),
            self.tr("A lesson that you begin, change, move or delete appears here."),
        )
        self.middle.show_rows(rows, nothing)

    def show_bin(self) -> None:
        """Deleted lessons and topics."""
        if self._mode != "bin":
            self.toolbar.clear()
            self._begin("bin", self.tr("Deleted lessons"), "")
            self.middle.list.show_rows(())

        def came(thrown: Sequence[Binned]) -> None:
            if self._mode == "bin":
                self._show_bin(thrown)

        self.shelf.ask(Holdings.binned, came)

    def _show_bin(self, thrown: Sequence[Binned]) -> None:
        self._thrown = {str(each.entry): each for each in thrown}
        rows = bin_rows(thrown, time.time())
        about = self.tr("What is deleted stays here for {0} days.").format(bins.BIN_DAYS)
        self._begin("bin", self.tr("Deleted lessons"), about)
        self.middle.show_rows(rows, (self.tr("Nothing was deleted."), ""))
        if rows:
            if self.middle.list.row is None:
                self.middle.list.choose(rows[0].key)
            self.middle.offer(self.tr("Put back"), lambda: self._put_back(""))

    def _put_back(self, key: str) -> None:
        taken = self.middle.list.row
        thrown = self._thrown.get(key or (taken.key if taken else ""))
        if thrown is not None:
            self.shelf.act(lambda library: library.restore(thrown))

    # Steps

    def _done(self, step: Step) -> None:
        """Tell what was done, where it cannot be seen, and take in hand what came of it."""
        self._told.hide()
        if step.kind == "delete" and step.result is None:
            cause = self.tr("“{0}” is in the bin.").format(step.title)
            safe = self.tr("It stays there for {0} days.").format(bins.BIN_DAYS)
            self.say("info", cause, safe, self.tr("Undo"), self.shelf.undo)
        elif step.kind == "merge" and step.result is not None:
            cause = self.tr("“{0}” is a part of “{1}” now.").format(step.title, title_of(step.result.name))
            self.say("info", cause, "", self.tr("Undo"), self.shelf.undo)
        if step.result is not None:
            path = step.result.as_posix()
            if step.kind == "create_leaf" and self.isVisible():
                self.lesson_opened.emit(self.shelf.root / step.result)
            if self._mode != "topic":
                return
            self._hand = path
            if self.tree.choose(path) and self._renames:
                self._renames = False
                self.tree.begin_rename()
            self._show_hand()
            self.changed.emit()

    def _may_change(self, path: str) -> Node | None:
        """The node, when a person may change it; else it is said why not."""
        node = self.shelf.view.node(path)
        if node is None or node.is_root:
            what = self.tr("Facts, Skills and Basics stay where they are.")
            self.tell(LeafError(what, self.tr("Choose a topic or a lesson in them.")))
            return None
        if node.is_read_only:
            self.tell(self._basics_stay())
            return None
        return node

    def _basics_stay(self) -> LeafError:
        return LeafError(
            self.tr("Basics can be read here and not changed: those who keep the community’s library look after them."),
            self.tr("Make a topic of your own below Facts or Skills."),
        )

    def _topic_in_hand(self) -> str | None:
        """Where something new goes; None, and it is said why, among the basics."""
        node = self.shelf.view.node(self._hand) or self.shelf.view.node(self._topic)
        path = "knowledge" if node is None else node.topic if node.is_leaf else node.path
        if path.startswith("foundational_skills"):
            self.tell(self._basics_stay())
            return None
        return path

    def new_topic(self) -> None:
        """A topic in the one in hand; its name is asked for where it stands."""
        parent = self._topic_in_hand()
        if parent is not None:
            self._leave_for_topic()
            self._renames = True
            self.shelf.act(functools.partial(Library.create_topic, parent=Path(parent), title=self.tr("New topic")))

    def _leave_for_topic(self) -> None:
        if self._mode != "topic":
            self.toolbar.clear()
            self._show_topic(self._topic)

    def rename(self) -> None:
        if (node := self._may_change(self._hand)) is not None:
            self._leave_for_topic()
            self.tree.choose(node.path)
            self.tree.begin_rename()

    def _rename(self, node: Node, title: str) -> None:
        if folder_name(title) != node.path.rpartition("/")[2]:
            self.shelf.act(lambda library: library.rename(Path(node.path), title))

    def duplicate(self) -> None:
        if (node := self._may_change(self._hand)) is not None:
            self.shelf.act(lambda library: library.duplicate(Path(node.path)))

    def delete(self) -> None:
        if (node := self._may_change(self._hand)) is not None:
            self._hand = node.topic
            self.tree.choose(node.topic)
            self.shelf.act(lambda library: library.delete(Path(node.path)))

    def _move(self, paths: Sequence[str], topic: Node) -> None:
        for path in paths:
            if self._may_change(path) is not None:
                self.shelf.act(functools.partial(Library.move, path=Path(path), into=Path(topic.path)))

    def _shift(self, way: str) -> None:
        """Out of its topic, into the topic above it, or into the topic before or after its own."""
        node = self._may_change(self._hand)
        if node is None:
            return
        target = topic_beside(self.shelf.view, node, way)
        if target is None or not may_lie_in([node.path], target):
            where = {
                "out": self.tr("“{0}” lies in no other topic already."),
                "in": self.tr("There is no topic beside “{0}” that it could go into."),
                "before": self.tr("There is no topic before that of “{0}”."),
                "after": self.tr("There is no topic after that of “{0}”."),
            }[way].format(node.title)
            self.tell(LeafError(where, self.tr("Drag it, or choose “Move to…”.")))
            return
        self._move([node.path], target)

    def move_to(self) -> None:
        """Choose the topic that what is in hand goes to."""
        node = self._may_change(self._hand)
        if node is None:
            return
        self._choose_one(
            self.tr("Move “{0}” to…").format(node.title),
            self.tr("It keeps everything that it holds."),
            self.tr("Move"),
            move_targets(self.shelf.view, node),
            lambda path: self.shelf.act(lambda library: library.move(Path(node.path), Path(path))),
        )

    def merge(self) -> None:
        """Choose the lesson or topic that what is in hand becomes a part of."""
        node = self._may_change(self._hand)
        if node is None:
            return
        about = (
            self.tr("Its questions join those of the other lesson; what is left of it goes to the bin.")
            if node.is_leaf
            else self.tr("Everything in it moves to the other topic.")
        )

        def begin(near: Sequence[Near]) -> None:
            self._choose_one(
                self.tr("Merge “{0}” into…").format(node.title),
                about,
                self.tr("Merge"),
                merge_targets(self.shelf.view, node, [each.entry.path for each in near]),
                lambda path: self.shelf.act(lambda library: library.merge(Path(node.path), Path(path))),
            )

        if node.is_leaf:
            self.shelf.ask(lambda holdings: holdings.near(node.path), begin)
        else:
            begin(())

    def _choose_one(
        self, heading: str, about: str, button: str, nodes: Sequence[Node], on_taken: Callable[[str], object]
    ) -> None:
        rows = [target_row(node) for node in nodes]

        def show(words: str) -> None:
            asked = words.casefold().split()
            self.pick.show_rows([each for each in rows if all(word in each.spoken.casefold() for word in asked)])

        self._taken, self._offer = on_taken, show
        self._right.setCurrentWidget(self.pick)
        self.pick.begin(heading, about, button)

    def _picked(self, path: str) -> None:
        self._close_side()
        self._taken(path)

    def _close_side(self) -> None:
        if self._right.currentWidget() is not self.preview:
            self._right.setCurrentWidget(self.preview)
            self.tree.setFocus()

    # New lessons

    def begin_lesson(self, kind: LeafKind | None = None) -> None:
        """Ask for a name and a sentence, and say where it belongs."""
        topic = self._topic_in_hand()
        if topic is None:
            return
        root = topic.partition("/")[0]
        wanted = kind or (LeafKind.GROUNDED_SKILL if "grounded" in topic.split("/")[1:2] else _KINDS[root])
        here = None
        if "/" in topic:
            here = Row(
                topic, self._title(topic), self.tr("{0} · where you are").format(where_words(topic)), icon="folder"
            )
        self._right.setCurrentWidget(self.places)
        self.places.begin(self.tr("Where does my topic belong?"), wanted, here)

    def _find_places(self, wish: Wish) -> None:
        def came(found: tuple[Sequence[Place], Sequence[Near]]) -> None:
            if wish == self.places.wish:
                places, alike = found
                self.places.show_places([place_row(each) for each in places], [near_row(each) for each in alike])

        self.shelf.ask(lambda holdings: holdings.places(wish.title, wish.description, wish.kind), came)

    def _create(self, wish: Wish, topic: str) -> None:
        self._close_side()
        self._leave_for_topic()
        self.shelf.act(lambda library: library.create_leaf(Path(topic), wish.title, wish.kind))

    def _import(self) -> None:
        title = self.tr("Choose a lesson file (qna.yaml)")
        name, _ = QFileDialog.getOpenFileName(self, title, "", self.tr("Lesson files (*.yaml *.yml)"))
        if name:
            self.import_file(Path(name))

    def import_file(self, file: Path) -> None:
        """A copy of a lesson, with what lies beside its file, in the topic in hand or where its kind belongs."""
        topic = self._topic_in_hand()
        if topic is None:
            return

        def came(imported: Imported) -> None:
            bring = functools.partial(self.shelf.bring, imported, file, topic)
            if imported.is_exact:
                bring()
                return
            sheet = ImportSheet(file, imported, self)
            sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            sheet.accepted.connect(bring)
            sheet.open()

        self.shelf.ask(lambda holdings: holdings.examine(file, topic), came)

    def _open(self, path: str) -> None:
        node = self.shelf.view.node(path)
        if node is not None and node.is_leaf:
            self.lesson_opened.emit(self.shelf.root / path)

    def use_in_project(self) -> None:
        """Copy the lesson in hand into the project in hand."""
        if (node := self.shelf.view.node(self._hand)) is not None:
            self.use.begin(node)

    # Menus

    def _actions(self) -> list[QAction]:
        def add(text: str, keys: str, do: Callable[[], object]) -> QAction:
            made = QAction(text, self)
            made.setMenuRole(QAction.MenuRole.NoRole)
            made.setShortcut(QKeySequence(keys))
            made.triggered.connect(lambda _: do())
            return made

        def line() -> QAction:
            made = QAction(self)
            made.setSeparator(True)
            return made

        self._undo = add("", "Ctrl+Z", self.shelf.undo)
        self._redo = add("", "Ctrl+Shift+Z", self.shelf.redo)
        self._show_undo()
        return [
            self._undo, self._redo, line(),
            add(self.tr("New Lesson…"), "Ctrl+Shift+N", self.begin_lesson),
            add(self.tr("New Topic"), "Ctrl+Alt+N", self.new_topic), line(),
            add(self.tr("Rename"), "F2", self.rename),
            add(self.tr("Duplicate"), "Ctrl+D", self.duplicate),
            add(self.tr("Move to…"), "Ctrl+Shift+M", self.move_to),
            add(self.tr("Merge into…"), "", self.merge),
            add(self.tr("Delete"), "Ctrl+Backspace", self.delete), line(),
            add(self.tr("Find in Lessons"), "Ctrl+F", self.begin_search),
        ]  # fmt: skip

    def _show_undo(self) -> None:
        view = self.shelf.view
        for action, step, some, none in (
            (self._undo, view.undo, self.tr("Undo {0}"), self.tr("Nothing to Undo")),
            (self._redo, view.redo, self.tr("Redo {0}"), self.tr("Nothing to Redo")),
        ):
            action.setText(some.format(step_words(step.kind, step.title)) if step is not None else none)
            action.setEnabled(step is not None)

    def _node_menu(self, path: str, place: QPoint) -> None:
        node = self.shelf.view.node(path)
        if node is None or self._mode == "bin":
            return
        self._take(path)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if node.is_leaf:
            menu.addAction(self.tr("Open")).triggered.connect(lambda: self._open(path))
            menu.addAction(self.tr("Use in project")).triggered.connect(self.use_in_project)
        else:
            menu.addAction(self.tr("New lesson here…")).triggered.connect(lambda: self.begin_lesson())
            menu.addAction(self.tr("New topic here")).triggered.connect(self.new_topic)
        if not node.is_root:
            menu.addSeparator()
            menu.addActions([action for action in self.edits[6:11] if not action.isSeparator()])
        menu.addSeparator()
        menu.addAction(self.tr("Show in folder")).triggered.connect(lambda: _show_folder(self.shelf.root / path))
        menu.popup(place)

    def _page_menu(self) -> QMenu:
        """What can be done with the whole library."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def add(text: str, do: Callable[[], object]) -> None:
            menu.addAction(text).triggered.connect(lambda _: do())

        add(self.tr("Where does my topic belong?"), self.begin_lesson)
        add(self.tr("What is new or different"), self.show_changes)
        add(self.tr("Deleted lessons ({0})").format(self.shelf.view.binned), self.show_bin)
        menu.addSeparator()
        add(self.tr("Update from the community"), self.libraries.update)
        menu.addSeparator()
        for title, root in self.libraries.others():
            add(title, functools.partial(self.libraries.open, root))
        add(self.tr("Open a library in a folder…"), self.libraries.open_folder)
        add(self.tr("Open a library at an address…"), self.libraries.open_address)
        menu.addSeparator()
        add(self.tr("Show in folder"), lambda: _show_folder(self.shelf.root))
        return menu


def _show_folder(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(folder))


def _named(node: Node) -> Node:
    """A root under its plain word."""
    return replace(node, title=root_words(node.path)) if node.is_root else node
