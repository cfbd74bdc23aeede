"""A lesson as a value: what is written of it, and what stays beside."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab_desktop.artifacts import LeafKind, Pair
from lab_desktop.editing import lesson as edit
from lab_desktop.editing.folder import files_of, lesson_of
from lab_desktop.editing.leaf import patterns, to_leaf
from lab_desktop.editing.lesson import Field, Mark
from lab_desktop.errors import DocumentError
from lab_desktop.paths import resources
from lab_desktop.taxonomy.qna import read_draft, read_leaf, to_yaml
from tests.editing.lessons import new, whole

VELMORA = resources() / "practice" / "velmora"


def test_the_practice_lesson_is_the_same_leaf_after_the_editor() -> None:
    leaf = read_leaf(VELMORA)

    lesson = lesson_of(VELMORA, read_draft(VELMORA))

    assert to_leaf(lesson, VELMORA) == leaf
    assert [document.name for document in lesson.documents] == ["velmora.md"]
    assert "CC-BY-4.0" in lesson.attribution
    assert len({pair.id for example in lesson.examples for pair in example.pairs}) == 15


def test_a_suggestion_is_not_written_until_it_is_accepted() -> None:
    lesson = edit.add_pairs(whole(), 1, [Pair("Who came?", "Rolf.")], Mark.SUGGESTED, ["Rolf came."])
    suggested = lesson.last_id
    assert to_yaml(to_leaf(lesson, Path())) == to_yaml(to_leaf(whole(), Path()))

    accepted = edit.accept(lesson, suggested)

    assert Pair("Who came?", "Rolf.") in to_leaf(accepted, Path()).seed_examples[0].pairs
    assert accepted.pair(suggested).sentence == "Rolf came."
    edited = edit.with_text(lesson, Field("answer", pair=suggested), "Captain Rolf.")
    assert edited.pair(suggested).mark is Mark.ACCEPTED


def test_empty_cards_and_passages_are_not_written() -> None:
    lesson = edit.add_example(edit.add_pairs(whole(), 1, [Pair(" ", "")]))

    assert to_leaf(lesson, Path()) == to_leaf(whole(), Path())


def test_the_example_of_a_skill_has_one_card_and_others_get_rows() -> None:
    lesson = edit.add_example(new(LeafKind.FREEFORM_SKILL), pairs=[Pair("a", "1"), Pair("b", "2")])
    lesson = edit.add_pairs(lesson, lesson.examples[0].id, [Pair("c", "3")])

    assert [[pair.question for pair in example.pairs] for example in lesson.examples] == [["a"], ["b"], ["c"]]
    assert len({lesson.last_id, *(example.id for example in lesson.examples)}) == 3 or lesson.last_id > 3
    ids = [example.id for example in lesson.examples] + [e.pairs[0].id for e in lesson.examples]
    assert len(set(ids)) == 6
    assert len(edit.remove_pair(lesson, lesson.examples[0].pairs[0].id).examples) == 2


def test_a_skill_that_becomes_grounded_keeps_its_material_both_ways() -> None:
    grounded = whole(LeafKind.GROUNDED_SKILL)

    freeform = edit.with_kind(grounded, LeafKind.FREEFORM_SKILL)

    assert {example.context for example in to_leaf(freeform, Path()).seed_examples} == {None}
    assert edit.with_kind(freeform, LeafKind.GROUNDED_SKILL) == grounded
    with pytest.raises(ValueError, match="cannot become"):
        edit.with_kind(whole(), LeafKind.FREEFORM_SKILL)


@pytest.mark.parametrize(
    "name", ["../x.md", "/x.md", ".x.md", "a//b.md", "a\\b.md", "qna.yaml", "attribution.txt", "x.pdf"]
)
def test_a_document_cannot_have_a_name_that_leads_elsewhere(name: str) -> None:
    with pytest.raises(DocumentError, match="cannot be called"):
        edit.add_document(new(), name, "x")


def test_patterns_stay_while_they_find_the_documents() -> None:
    lesson = lesson_of(VELMORA, read_draft(VELMORA))
    assert patterns(lesson) == ("velmora.md",)

    more = edit.add_document(lesson, "more [1].md", "x")

    assert patterns(more) == ("more [[]1].md", "velmora.md")
    assert patterns(edit.add_document(lesson, "velmora.md", "other")) == ("velmora.md",)


def test_what_a_lesson_keeps_of_a_text_can_always_be_written(tmp_path: Path) -> None:
    lesson = edit.with_text(new(), Field("domain"), "a\r\nb\rc\0\ud800")

    assert lesson.domain == "a\nb\nc\ufffd\ufffd"
    files_of(edit.with_text(lesson, Field("attribution"), "\ud800"), tmp_path)["attribution.txt"].encode()


def test_the_field_in_which_a_text_stands_is_found_however_its_lines_are() -> None:
    lesson = lesson_of(VELMORA, read_draft(VELMORA))
    first = lesson.examples[0]

    def found(text: str) -> Field | None:
        return edit.field_with(lesson, text)

    assert found("Ysolda   Karrow,\na rope maker from Calder Reach. She") == Field("context", first.id)
    assert found("When was Velmora settled?") == Field("question", first.id, first.pairs[0].id)
    assert found("They were led by") == Field("answer", first.id, first.pairs[1].id)
    assert found("LAB Desktop contributors") == Field("attribution")
    assert found("The ferry from") == Field("document", document=lesson.documents[0].name)
    assert (found("nowhere in it"), found("  ")) == (None, None)
