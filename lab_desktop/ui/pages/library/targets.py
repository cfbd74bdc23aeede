"""Where a topic or a lesson can go: into which topics, beside which, and what it can be merged with."""

from __future__ import annotations

from collections.abc import Sequence

from lab_desktop.taxonomy.index import Node
from lab_desktop.ui.pages.library.holdings import View


def may_lie_in(paths: Sequence[str], topic: Node) -> bool:
    """True when these can be moved into a topic: of the same kind, not into themselves, not where they are."""
    return (
        not topic.is_leaf
        and not topic.is_read_only
        and all(
            path.split("/")[0] == topic.path.split("/")[0]
            and path.rpartition("/")[0] != topic.path
            and not f"{topic.path}/".startswith(f"{path}/")
            for path in paths
        )
    )


def move_targets(view: View, node: Node) -> list[Node]:
    """The topics that it can be moved into, by place."""
    found = (each for each in view.all() if may_lie_in([node.path], each))
    return sorted(found, key=lambda each: each.path)


def merge_targets(view: View, node: Node, near: Sequence[str]) -> list[Node]:
    """What it can become a part of, what is most like it first.

    Args:
        near: paths of lessons like it, the likest first.
    """
    rank = {path: place for place, path in enumerate(near)}
    found = (each for each in view.all() if _can_take(each, node))
    return sorted(found, key=lambda each: (rank.get(each.path, len(rank)), each.path))


def topic_beside(view: View, node: Node, way: str) -> Node | None:
    """The topic that "out", "in", "before" or "after" means for a node; None: there is none."""
    topic = view.node(node.topic)
    if way == "out":
        found = view.node(topic.topic) if topic is not None else None
    elif way == "in":
        found = _neighbour(view, node, -1) or _neighbour(view, node, 1)
    else:
        found = _neighbour(view, topic, -1 if way == "before" else 1) if topic is not None else None
    return found if found is not None and may_lie_in([node.path], found) else None


def _neighbour(view: View, node: Node, by: int) -> Node | None:
    """The next topic before or after a node, in the same one."""
    parent = view.node(node.topic)
    children = parent.children if parent is not None else ()
    at = next((place for place, each in enumerate(children) if each.path == node.path), -1)
    others = children[:at][::-1] if by < 0 else children[at + 1 :]
    return next((each for each in others if not each.is_leaf), None)


def _can_take(one: Node, node: Node) -> bool:
    return (
        one.root == node.root
        and one.is_leaf == node.is_leaf
        and one.path not in (node.path, node.topic)
        and not one.path.startswith(f"{node.path}/")
        and (one.lesson is None or node.lesson is None or one.lesson.kind is node.lesson.kind)
    )
