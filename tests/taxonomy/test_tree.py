"""Leaves are found by their file, and know their place."""

from __future__ import annotations

import pytest

from lab_desktop.errors import LeafError
from lab_desktop.taxonomy.tree import find_leaves, find_misnamed, node_of
from tests.taxonomy.leaves import skill, write


def test_a_leaf_a_file_and_a_taxonomy_all_name_their_leaves(tmp_path):
    b = write(tmp_path / "tree" / "b", skill())
    a = write(tmp_path / "tree" / "a" / "deep", skill())
    write(tmp_path / "tree" / ".git" / "x", skill())

    assert find_leaves(b) == find_leaves(b.parent) == [b.parent]
    assert find_leaves(tmp_path) == [a.parent, b.parent]


def test_a_link_to_a_parent_does_not_go_round_for_ever(tmp_path):
    leaf = write(tmp_path / "a", skill())
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "b")
    write(tmp_path / "c", skill())

    assert find_leaves(tmp_path) == [leaf.parent, tmp_path / "c"]


@pytest.mark.parametrize("name", ["nowhere", "empty", "note.txt"])
def test_nothing_found_is_said_in_a_sentence(name, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "note.txt").write_text("x")

    with pytest.raises(LeafError) as caught:
        find_leaves(tmp_path / name)
    assert name in caught.value.message
    assert caught.value.hint


def test_other_spellings_are_found_for_a_warning(tmp_path):
    for name in ("qna.yml", "QNA.YAML", "qna.yaml", "other.yaml"):
        (tmp_path / name).write_text("")

    assert [file.name for file in find_misnamed(tmp_path)] == ["QNA.YAML", "qna.yml"]


def test_the_last_root_names_the_place(tmp_path):
    assert node_of(tmp_path / "knowledge" / "a" / "compositional_skills" / "b", False) == ("compositional_skills", "b")
    assert node_of(tmp_path / "foundational_skills" / "x", False) == ("foundational_skills", "x")
    assert node_of(tmp_path / "velmora", True) == ("knowledge", "velmora")
    assert node_of(tmp_path / "rhyme", False) == ("compositional_skills", "rhyme")
