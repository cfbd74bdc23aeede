"""The library page: topics at the left, the lessons of one in the middle, the lesson in hand at the right."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QMenu, QWidget

from lab_desktop import bins
from lab_desktop.artifacts import LeafKind, title_of
from lab_desktop.errors import LabError
from lab_desktop.taxonomy.badges import Badge, Sharing
from lab_desktop.taxonomy.index import Node
from lab_desktop.taxonomy.library import Step
from lab_desktop.taxonomy.tree import own_folder
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.pages.library.bringing import Bringing, dropped
from lab_desktop.ui.pages.library.hand import Hand
from lab_desktop.ui.pages.library.libraries import Libraries
from lab_desktop.ui.pages.library.menus import Edits, fleeting_menu, library_menu, show_folder
from lab_desktop.ui.pages.library.middle import Middle
from lab_desktop.ui.pages.library.preview import Preview
from lab_desktop.ui.pages.library.right import Right
from lab_desktop.ui.pages.library.rows import Row
from lab_desktop.ui.pages.library.shelf import Shelf
from lab_desktop.ui.pages.library.sight import Sight, look_into
from lab_desktop.ui.pages.library.steps import Steps
from lab_desktop.ui.pages.library.toolbar import Strip, Toolbar
from lab_desktop.ui.pages.library.tree_model import TreeModel
from lab_desktop.ui.pages.library.tree_view import TreeView
from lab_desktop.ui.pages.library.use import Use
from lab_desktop.ui.pages.library.views import BinView, ChangesView, SearchView, TopicView
from lab_desktop.ui.pages.library.words import lessons_words, where_words
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Banner, Label, Tone, column, row, rule

_TREE_WIDTH = 248
_NARROW_BELOW = 1000
_USABLE = (Badge.READY, Badge.TRAINED, Badge.SHARED)


class LibraryPage(QWidget):
    """
    Attributes:
        shelf: the library on disk.
        hand: where the person is in it.
        steps, bringing: what is done to it, and what comes into it.
        libraries, use: which library it is; its lessons in the project in hand.
        edits: what the Edit menu offers while this page is in front.
    """

    changed = Signal()
    """What is in hand, or how much there is."""
    lesson_opened = Signal(Path)
    """The folder of a lesson that should be opened."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._trained: tuple[Path, ...] = ()
        self.shelf = Shelf(session.home, session.bins_time, self)
        self.hand = Hand()
        self._build()
        self._link()

    def _build(self) -> None:
        """The parts, and where they stand."""
        self.toolbar = Toolbar(self._search, self.shelf.show_only, self._page_menu)
        self.strip = Strip(self.shelf.cancel)
        self._banner = Banner("info", "", "")
        self._told = QWidget()
        self._told.setLayout(row(self._banner, margins=(16, 8, 16, 8)))
        self._told.hide()
        self.model = TreeModel()
        self.tree = TreeView(self.model)
        head = row(Label(self.tr("Topics"), "strong"), Label(self.tr("(taxonomy)"), "small", "text3"), -1, gap=6,
                   margins=(16, 14, 8, 6))  # fmt: skip
        self._left = QWidget()
        left = column(head, row(self.tree, margins=(8, 0, 4, 8)))
        left.setStretch(1, 1)
        self._left.setLayout(left)
        self._left_rule = rule(is_upright=True)
        self.middle = Middle()
        self.preview = Preview(lambda: self._open(self.hand.path), self.use_in_project, self.share)
        self.right = Right(self.preview)
        body = row(self._left, self._left_rule, self.middle, rule(is_upright=True), self.right)
        body.setStretch(2, 1)
        whole = column(self.toolbar, rule(), self.strip, self._told, body)
        whole.setStretch(4, 1)
        self.setLayout(whole)
        self.setAcceptDrops(True)

    def _link(self) -> None:
        """Who does what, and who hears of it."""
        session, shelf, hand = self._session, self.shelf, self.hand
        self.topics = TopicView(shelf, hand, self.middle)
        self.search = SearchView(shelf, hand, self.middle, self.toolbar.field)
        self.changes = ChangesView(shelf, hand, self.middle, self.right, self._take)
        self.bin = BinView(shelf, hand, self.middle, self.right)
        self.steps = Steps(shelf, hand, self.tree, self.right, self.tell, self._back_to_topic)
        self.bringing = Bringing(shelf, self.steps.topic, self.tell, self)
        self.use = Use(session, shelf, self.say)
        self.libraries = Libraries(session, shelf, self.say, self)
        self._edits = Edits(shelf, self.steps, self.begin_search, self)
        self.edits = self._edits.actions

        self.toolbar.field.returnPressed.connect(self._open_first)
        self.toolbar.new.clicked.connect(lambda: self.begin_lesson())
        self.model.renamed.connect(self.steps.name)
        self.model.moved.connect(self.steps.move)
        self.tree.chosen.connect(self._tree_chosen)
        self.tree.opened.connect(lambda node: self._open(node.path))
        self.tree.shifted.connect(self.steps.shift)
        self.tree.menu_wanted.connect(lambda node, place: self._node_menu(node.path, place))
        self.middle.left.connect(self._leave)
        self.middle.list.chosen.connect(self._row_chosen)
        self.middle.list.opened.connect(self._row_opened)
        self.middle.list.menu_wanted.connect(lambda found, place: self._node_menu(found.key, place))
        self.middle.facts.clicked.connect(lambda: self.begin_lesson(LeafKind.KNOWLEDGE))
        self.middle.skill.clicked.connect(lambda: self.begin_lesson(LeafKind.FREEFORM_SKILL))
        self.middle.file.clicked.connect(self.bringing.choose_file)
        self.right.places.alike_opened.connect(self._reveal)
        self.right.closed.connect(self.tree.setFocus)
        self.right.changes.opened.connect(self._reveal)
        self.right.changes.wanted_back.connect(lambda path: shelf.put_back(Path(path)))
        self.lesson_opened.connect(session.edit)
        shelf.in_sight = self.middle.list.in_sight
        shelf.changed.connect(self._redraw)
        shelf.opened.connect(self._begin_library)
        shelf.done.connect(self._done)
        shelf.refused.connect(self.tell)
        shelf.lost.connect(self._tell_loss)
        shelf.busy_changed.connect(lambda: self.strip.show_work(shelf.busy, shelf.share))
        session.preferences.changed.connect(self._library_chosen)
        session.changed.connect(self._mark_trained)
        self._edits.show(shelf.view)

    # What the window asks

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        return self.tree

    def heading(self) -> tuple[str, str]:
        count = lessons_words(self.shelf.view.own) if self.shelf.is_open else ""
        return self.tr("Library"), count

    def next_step(self) -> tuple[str, str, Callable[[], object]]:
        node, project = self.shelf.view.node(self.hand.path), self._session.project
        if not self.shelf.is_open:
            return "", "", lambda: None
        if node is not None and node.badge in _USABLE and project is not None:
            words = self.tr("let “{0}” learn “{1}”.").format(project.title, node.title)
            return words, self.tr("Use in project"), self.use_in_project
        if node is not None and node.badge in _USABLE:
            words = self.tr("let a model learn “{0}”.").format(node.title)
            return words, self.tr("Begin a project"), self.begin_project
        if self.shelf.view.own == 0:
            return self.tr("write your first lesson."), self.tr("New lesson"), self.begin_lesson
        return self.tr("choose a lesson, or begin a new one."), self.tr("New lesson"), self.begin_lesson

    @property
    def count(self) -> int:
        """Lessons that are no basics, as far as is known."""
        return self.shelf.view.own

    # Coming and going

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
            self.hand.mode, self.hand.topic, self.hand.path = "topic", "knowledge", ""
            self.right.show_part(self.preview)
            self.preview.show_nothing()
            self.shelf.open(self._session.library)

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

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Room for what is shown: differences need more than a lesson at a glance, and no topics beside them."""
        is_narrow, is_changes = self.width() < look().grown(_NARROW_BELOW), self.hand.mode == "changes"
        for part in (self._left, self._left_rule):
            part.setVisible(not (is_narrow and is_changes))
        self._left.setFixedWidth(look().grown(_TREE_WIDTH - 28 * is_narrow))
        self.right.fit(self.width(), is_narrow=is_narrow, is_wide=is_changes)

    def say(
        self, tone: Tone, cause: str, safe: str = "", button: str = "", do: Callable[[], object] | None = None
    ) -> None:
        """Tell something above everything, until there is something else to tell."""
        self._banner.say(tone, cause, safe, button, do)
        self._told.show()

    def tell(self, error: LabError) -> None:
        """Say why something was not done."""
        self.say("bad", error.message, error.hint)

    def _tell_loss(self, error: LabError) -> None:
        """What was done cannot be undone any more."""
        kept = functools.partial(show_folder, own_folder(self.shelf.root))
        self.say("warn", error.message, error.hint, self.tr("Show in folder"), kept)

    # Showing

    def _redraw(self) -> None:
        view = self.shelf.view
        self.tree.show_tree(view.roots)
        if self.tree.node is None and view.roots:
            self.tree.choose("knowledge")
        self._edits.show(view)
        if self.hand.mode == "topic":
            self.topics.show(self.hand.topic)
        elif self.hand.mode == "search":
            self.search.show(self.toolbar.field.text())
        elif self.hand.mode == "changes":
            self.changes.show()
        else:
            self.bin.show()
        self._show_hand()
        self.changed.emit()

    def _show_topic(self, path: str) -> None:
        self.topics.show(path)
        if self.right.currentWidget() is self.right.changes:
            self.right.show_part(self.preview)
        self.steps.offer_topic()
        self._fit()

    def show_changes(self) -> None:
        """What is new or different since the community's version."""
        self.toolbar.clear()
        self.right.close_panel()
        self.changes.show()
        self._fit()
        self.middle.list.setFocus()

    def show_bin(self) -> None:
        """Deleted lessons and topics."""
        self.toolbar.clear()
        self.right.close_panel()
        self.bin.show()
        self._fit()
        self.middle.list.setFocus()

    def begin_search(self) -> None:
        """Begin to search."""
        self.toolbar.field.setFocus()
        self.toolbar.field.selectAll()

    def _search(self, words: str) -> None:
        self.search.show(words)
        if not words.strip() and self.hand.mode == "search":
            self._show_topic(self.hand.topic)

    def _open_first(self) -> None:
        """Return in the search field opens what is in hand, or the first that was found."""
        if self.hand.mode == "search" and self.middle.list.rows:
            self._reveal((self.middle.list.row or self.middle.list.rows[0]).key)

    def _show_hand(self) -> None:
        """The lesson or topic in hand, at the right."""
        node = self.shelf.view.node(self.hand.path)
        if node is None:
            self.preview.show_nothing()
            return
        if not node.is_leaf:
            self.preview.show_topic(node, where_words(node.path))
            return
        self.preview.show_coming(node.title, where_words(node.path))
        folder, path = self.shelf.root / node.path, node.path

        def came(found: tuple[Sight, Sharing | None]) -> None:
            now = self.shelf.view.node(path)
            if self.hand.path == path and now is not None:
                self.preview.show_lesson(now, where_words(path), *found)

        self.shelf.ask(lambda holdings: (look_into(folder), holdings.sharing(path)), came)

    def _take(self, path: str) -> None:
        if path != self.hand.path:
            self.hand.path = path
            self._show_hand()
            self.changed.emit()

    def _tree_chosen(self, node: Node) -> None:
        is_changes = self.hand.mode == "changes"
        if not is_changes or self.tree.hasFocus():
            self._take(node.path)
        topic = node.topic if node.is_leaf else node.path
        if self.hand.mode == "topic" and topic == self.hand.topic:
            self.middle.list.choose(node.path)
        elif self.hand.mode == "topic" or self.tree.hasFocus():
            self.toolbar.clear()
            self._show_topic(topic)

    def _row_chosen(self, found: Row) -> None:
        if self.hand.mode == "changes":
            self.changes.choose(found)
        elif self.hand.mode == "bin":
            self.bin.choose(found)
        elif self.middle.list.hasFocus() or self.hand.mode == "search":
            self._take(found.key)

    def _row_opened(self, found: Row) -> None:
        if self.hand.mode == "bin":
            self.bin.put_back(found.key)
        elif self.hand.mode == "topic":
            self._open(found.key)
        elif self.hand.mode == "changes" and self.changes.is_deleted(found.key):
            self.right.changes.put_back.setFocus()
        else:
            self._reveal(found.key)

    def _reveal(self, path: str) -> None:
        """Show a lesson in its topic."""
        self.toolbar.clear()
        self.right.show_part(self.preview)
        self.hand.mode, self.hand.path = "topic", path
        self.tree.choose(path)
        self._show_topic(path.rpartition("/")[0])
        self._show_hand()
        self.middle.list.setFocus()
        self.changed.emit()

    def _leave(self) -> None:
        """Back to the topic."""
        self.toolbar.clear()
        self._show_topic(self.hand.topic)
        self._show_hand()
        self.tree.setFocus()

    def _back_to_topic(self) -> None:
        if self.hand.mode != "topic":
            self.toolbar.clear()
            self._show_topic(self.hand.topic)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.hand.mode != "topic":
            self._leave()
        else:
            super().keyPressEvent(event)

    # Doing

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
        elif len(step.made) > 1 and step.path is None and step.kind == "import":
            cause = self.tr("{0} came into the library.").format(lessons_words(len(step.made)))
            self.say("good", cause, self.tr("Nothing else changed."), self.tr("Undo"), self.shelf.undo)
        if step.result is None:
            return
        is_one = step.kind == "create_leaf" or (step.kind == "import" and len(step.made) == 1)
        if is_one and self.isVisible():
            self.lesson_opened.emit(self.shelf.root / step.result)
        if self.hand.mode != "topic":
            return
        self.hand.path = step.result.as_posix()
        if self.tree.choose(self.hand.path):
            self.steps.name_what_is_new()
        self._show_hand()
        self.changed.emit()

    def begin_lesson(self, kind: LeafKind | None = None) -> None:
        """Ask for a name and a sentence, and say where it belongs."""
        self.steps.new_lesson(kind)

    def import_file(self, source: Path) -> None:
        """Show what a lesson file, or a folder or archive with many, holds, and take in what is chosen."""
        self.bringing.bring(source)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        source = dropped(event.mimeData())
        if source is not None:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.import_file(source)

    def _open(self, path: str) -> None:
        node = self.shelf.view.node(path)
        if node is not None and node.is_leaf:
            self.lesson_opened.emit(self.shelf.root / path)

    def use_in_project(self) -> None:
        """Copy the lesson in hand into the project in hand."""
        if (node := self.shelf.view.node(self.hand.path)) is not None:
            self.use.begin(node)

    def begin_project(self) -> None:
        """Make a project of the lesson in hand."""
        if (node := self.shelf.view.node(self.hand.path)) is not None:
            self.use.begin_project(node)

    def share(self) -> None:
        """Give the lesson in hand to others."""
        node = self.shelf.view.node(self.hand.path)
        if node is not None and node.is_leaf:
            self._session.share(self.shelf.root / node.path)

    def _node_menu(self, path: str, place: QPoint) -> None:
        node = self.shelf.view.node(path)
        if node is None or self.hand.mode == "bin":
            return
        self._take(path)
        menu = fleeting_menu(self)
        if node.is_leaf:
            menu.addAction(self.tr("Open")).triggered.connect(lambda: self._open(path))
            menu.addAction(self.tr("Use in project")).triggered.connect(self.use_in_project)
            menu.addAction(self.tr("New project with it")).triggered.connect(self.begin_project)
            if not node.is_read_only:
                menu.addAction(self.tr("Share…")).triggered.connect(self.share)
        else:
            menu.addAction(self.tr("New lesson here…")).triggered.connect(lambda: self.begin_lesson())
            menu.addAction(self.tr("New topic here")).triggered.connect(self.steps.new_topic)
        if not node.is_root:
            menu.addSeparator()
            menu.addActions(self._edits.about_one)
        menu.addSeparator()
        menu.addAction(self.tr("Show in folder")).triggered.connect(lambda: show_folder(self.shelf.root / path))
        menu.popup(place)

    def _page_menu(self) -> QMenu:
        """What can be done with the whole library."""
        views = (
            (self.tr("Where does my topic belong?"), self.begin_lesson),
            (self.tr("What is new or different"), self.show_changes),
            (self.tr("Deleted lessons ({0})").format(self.shelf.view.binned), self.show_bin),
        )
        return library_menu(self.shelf, self.libraries, self.bringing, views, self)
