"""The topics of libraries, each once, without lessons."""

from __future__ import annotations

from pathlib import Path

from lab_desktop.editing.topics import Topic, topics


def names(topic: Topic) -> object:
    return {each.title: names(each) for each in topic.children}


def test_topics_of_several_libraries_are_one_tree_without_lessons_hidden_folders_and_links(tmp_path: Path) -> None:
    for place in ("one/knowledge/arts/old_masters", "two/knowledge/arts/music", "two/knowledge/History", "one/.git"):
        (tmp_path / place).mkdir(parents=True)
    lesson = tmp_path / "one" / "knowledge" / "arts" / "velmora"
    (lesson / ".editing").mkdir(parents=True)
    (lesson / "qna.yaml").touch()
    (tmp_path / "two" / "knowledge" / "round").symlink_to(tmp_path / "two")

    found = topics([tmp_path / "one", tmp_path / "two", tmp_path / "none"], "knowledge")

    assert found.path == Path("knowledge")
    assert names(found) == {"Arts": {"Music": {}, "Old masters": {}}, "History": {}}
    assert found.children[0].children[0].path == Path("knowledge/arts/music")
