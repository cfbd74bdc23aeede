"""What a person does to the library: new topics and lessons, other names and places, merging, throwing away."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from lab_desktop.artifacts import LeafKind
from lab_desktop.errors import LabError, LeafError
from lab_desktop.taxonomy.index import Near, Node, Place
from lab_desktop.taxonomy.library import Library
from lab_desktop.taxonomy.names import folder_name
from lab_desktop.taxonomy.tree import READ_ONLY
from lab_desktop.ui.pages.library.hand import Hand
from lab_desktop.ui.pages.library.lists import near_row, place_row
from lab_desktop.ui.pages.library.right import Right
from lab_desktop.ui.pages.library.rows import Row
from lab_desktop.ui.pages.library.shelf import Shelf
from lab_desktop.ui.pages.library.side import Wish
from lab_desktop.ui.pages.library.targets import may_lie_in, merge_targets, move_targets, topic_beside
from lab_desktop.ui.pages.library.tree_view import TreeView
from lab_desktop.ui.pages.library.words import title_words, where_words
from lab_desktop.ui.words import tr

_KINDS = {"knowledge": LeafKind.KNOWLEDGE, "compositional_skills": LeafKind.FREEFORM_SKILL}


class Steps:
    def __init__(
        self,
        shelf: Shelf,
        hand: Hand,
        tree: TreeView,
        right: Right,
        tell: Callable[[LabError], object],
        on_tree_needed: Callable[[], object],
    ) -> None:
        """
        Args:
            tell: says why something was not done.
            on_tree_needed: what happens next is seen in the tree and the topic beside it.
        """
        self._shelf, self._hand, self._tree, self._right = shelf, hand, tree, right
        self._tell, self._need_tree = tell, on_tree_needed
        self._names_next = False
        right.places.asked.connect(self._find_places)
        right.places.created.connect(self._create)

    def topic(self) -> str | None:
        """Where something new goes; None, and it is said why, among the basics."""
        view = self._shelf.view
        node = view.node(self._hand.path) or view.node(self._hand.topic)
        path = "knowledge" if node is None else node.topic if node.is_leaf else node.path
        if path.partition("/")[0] == READ_ONLY:
            self._tell(_basics_stay())
            return None
        return path

    def _mine(self, path: str) -> Node | None:
        """The node, when a person may change it; else it is said why not."""
        node = self._shelf.view.node(path)
        if node is None or node.is_root:
            what = tr("Facts, Skills and Basics stay where they are.")
            self._tell(LeafError(what, tr("Choose a topic or a lesson in them.")))
            return None
        if node.is_read_only:
            self._tell(_basics_stay())
            return None
        return node

    # New ones

    def new_topic(self) -> None:
        """A topic in the one in hand; its name is asked for where it stands."""
        parent = self.topic()
        if parent is not None:
            self._need_tree()
            self._names_next = True
            self._shelf.act(functools.partial(Library.create_topic, parent=Path(parent), title=tr("New topic")))

    def name_what_is_new(self) -> None:
        """Ask for the name of a topic that was just made, where it stands."""
        if self._names_next:
            self._names_next = False
            self._tree.begin_rename()

    def new_lesson(self, kind: LeafKind | None = None) -> None:
        """Ask for a name and a sentence, and say where it belongs."""
        topic = self.topic()
        if topic is None:
            return
        root, *below = topic.split("/")
        wanted = kind or (LeafKind.GROUNDED_SKILL if below[:1] == ["grounded"] else _KINDS[root])
        self._right.show_part(self._right.places)
        self._right.places.begin(tr("Where does my topic belong?"), wanted, self._here(topic))

    def offer_topic(self) -> None:
        """The topic in hand, to who asks where a new lesson belongs."""
        topic = self.topic()
        if topic is not None and self._right.currentWidget() is self._right.places:
            self._right.places.offer(self._here(topic))

    def _here(self, topic: str) -> Row | None:
        node = self._shelf.view.node(topic) if "/" in topic else None  # a root alone is no topic
        if node is None:
            return None
        return Row(topic, title_words(node), tr("{0} · where you are").format(where_words(topic)), icon="folder")

    def _find_places(self, wish: Wish) -> None:
        panel = self._right.places

        def came(found: tuple[Sequence[Place], Sequence[Near]]) -> None:
            if wish == panel.wish:
                places, alike = found
                panel.show_places([place_row(each) for each in places], [near_row(each) for each in alike])

        self._shelf.ask(lambda holdings: holdings.places(wish.title, wish.description, wish.kind), came)

    def _create(self, wish: Wish, topic: str) -> None:
        self._right.close_panel()
        self._need_tree()
        self._shelf.act(lambda library: library.create_leaf(Path(topic), wish.title, wish.kind))

    # Those that are there

    def rename(self) -> None:
        """Ask for another name, where it stands."""
        if (node := self._mine(self._hand.path)) is not None:
            self._need_tree()
            self._tree.choose(node.path)
            self._tree.begin_rename()

    def name(self, node: Node, title: str) -> None:
        """Give it the name that was typed."""
        if folder_name(title) != node.path.rpartition("/")[2]:
            self._shelf.act(lambda library: library.rename(Path(node.path), title))

    def duplicate(self) -> None:
        if (node := self._mine(self._hand.path)) is not None:
            self._shelf.act(lambda library: library.duplicate(Path(node.path)))

    def delete(self) -> None:
        if (node := self._mine(self._hand.path)) is not None:
            self._hand.path = node.topic
            self._tree.choose(node.topic)
            self._shelf.act(lambda library: library.delete(Path(node.path)))

    def move(self, paths: Sequence[str], topic: Node) -> None:
        """Put them into a topic."""
        for path in paths:
            if self._mine(path) is not None:
                self._shelf.act(functools.partial(Library.move, path=Path(path), into=Path(topic.path)))

    def shift(self, way: str) -> None:
        """Out of its topic, into the topic above it, or into the topic before or after its own."""
        node = self._mine(self._hand.path)
        if node is None:
            return
        target = topic_beside(self._shelf.view, node, way)
        if target is None or not may_lie_in([node.path], target):
            where = {
                "out": tr("“{0}” lies in no other topic already."),
                "in": tr("There is no topic beside “{0}” that it could go into."),
                "before": tr("There is no topic before that of “{0}”."),
                "after": tr("There is no topic after that of “{0}”."),
            }[way].format(node.title)
            self._tell(LeafError(where, tr("Drag it, or choose “Move to…”.")))
            return
        self.move([node.path], target)

    def move_to(self) -> None:
        """Choose the topic that what is in hand goes to."""
        node = self._mine(self._hand.path)
        if node is None:
            return
        self._right.choose_one(
            tr("Move “{0}” to…").format(node.title),
            tr("It keeps everything that it holds."),
            tr("Move"),
            move_targets(self._shelf.view, node),
            lambda path: self._shelf.act(lambda library: library.move(Path(node.path), Path(path))),
        )

    def merge(self) -> None:
        """Choose the lesson or topic that what is in hand becomes a part of."""
        node = self._mine(self._hand.path)
        if node is None:
            return
        about = (
            tr("Its questions join those of the other lesson; what is left of it goes to the bin.")
            if node.is_leaf
            else tr("Everything in it moves to the other topic.")
        )

        def begin(near: Sequence[Near]) -> None:
            self._right.choose_one(
                tr("Merge “{0}” into…").format(node.title),
                about,
                tr("Merge"),
                merge_targets(self._shelf.view, node, [each.entry.path for each in near]),
                lambda path: self._shelf.act(lambda library: library.merge(Path(node.path), Path(path))),
            )

        if node.is_leaf:
            self._shelf.ask(lambda holdings: holdings.near(node.path), begin)
        else:
            begin(())


def _basics_stay() -> LeafError:
    return LeafError(
        tr("Basics can be read here and not changed: those who keep the community’s library look after them."),
        tr("Make a topic of your own below Facts or Skills."),
    )
