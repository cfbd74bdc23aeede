"""drafts.py: a lesson that begins with one answer put right."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab_desktop import drafts
from lab_desktop.errors import LeafError, StorageError
from lab_desktop.taxonomy.check import check_leaf, has_errors
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.taxonomy.schema import is_knowledge
from lab_desktop.taxonomy.source import read_source

PASSAGE = "The ferry Petrel takes nine hours.\nIt sails on Tuesdays: weather permitting."


def test_an_answer_without_a_passage_begins_a_skill_and_the_next_is_added(tmp_path: Path) -> None:
    first = drafts.keep(tmp_path, "our-manual", "Who are you?", 'I am "Ada": a helper.')
    found = drafts.find(tmp_path, "our-manual", has_passage=False)
    assert found == first == drafts.Draft(tmp_path / "our_manual_skill", "Our manual skill", 1)

    second = drafts.keep(tmp_path, "our-manual", "Say it shorter.", "Ada.\n\nA helper.", into=found)

    assert second.questions == 2
    examples = read_source(second.folder / "qna.yaml").value["seed_examples"]
    assert examples == [
        {"question": "Who are you?", "answer": 'I am "Ada": a helper.'},
        {"question": "Say it shorter.", "answer": "Ada.\n\nA helper."},
    ]


def test_an_answer_with_a_passage_begins_a_facts_lesson_with_its_document(tmp_path: Path) -> None:
    draft = drafts.keep(tmp_path, "velmora", "How long does the ferry take?", "Nine hours.", PASSAGE)
    draft = drafts.keep(tmp_path, "velmora", "When does it sail?", "On Tuesdays.", PASSAGE, draft)
    draft = drafts.keep(tmp_path, "velmora", "Who keeps the light?", "Bram.", "Bram keeps the light.", draft)

    value = read_source(draft.folder / "qna.yaml").value
    assert draft.questions == 3
    assert is_knowledge(draft.folder / "qna.yaml", value)
    assert [len(example["questions_and_answers"]) for example in value["seed_examples"]] == [2, 1]
    assert (draft.folder / drafts.PASSAGES).read_text().count("Petrel") == 1
    fields = {problem.field for problem in check_leaf(draft.folder)}
    assert "document.patterns" not in fields
    assert "created_by" in fields


def test_a_draft_with_enough_examples_becomes_a_lesson_by_filling_in_what_is_missing(tmp_path: Path) -> None:
    draft = None
    for number in range(5):
        draft = drafts.keep(tmp_path, "", f"Question {number}?", f"Answer {number}.", into=draft)
    assert draft is not None
    file = draft.folder / "qna.yaml"

    file.write_text(
        file.read_text()
        .replace('created_by: ""', 'created_by: "ada"')
        .replace('task_description: ""', 'task_description: "Numbers."')
    )

    assert not has_errors(check_leaf(draft.folder))
    assert len(read_leaf(draft.folder).seed_examples) == 5


def test_the_same_question_gets_the_new_answer(tmp_path: Path) -> None:
    draft = drafts.keep(tmp_path, "", "Who?", "Mira.", PASSAGE)

    draft = drafts.keep(tmp_path, "", "Who?", "Bram.", PASSAGE, draft)

    assert draft.questions == 1
    assert "Mira" not in (draft.folder / "qna.yaml").read_text()


def test_a_draft_beside_which_something_cannot_be_read_is_not_written_anew(tmp_path: Path) -> None:
    draft = drafts.keep(tmp_path, "", "Who?", "Mira.", PASSAGE)
    (draft.folder / drafts.PASSAGES).write_bytes(b"\xff\xfe\x00")

    assert drafts.find(tmp_path, "", has_passage=True) is None
    with pytest.raises(LeafError, match="cannot be added"):
        drafts.keep(tmp_path, "", "When?", "1811.", PASSAGE, draft)

    assert (draft.folder / drafts.PASSAGES).read_bytes() == b"\xff\xfe\x00"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "note: mine\n",
        lambda text: text.replace("seed_examples:", "seed_examples: 7\nrest:"),
        lambda text: text + "  broken: [",
    ],
)
def test_a_draft_changed_by_hand_is_left_alone_and_another_is_begun(tmp_path: Path, change: object) -> None:
    draft = drafts.keep(tmp_path, "", "Who?", "Mira.")
    file = draft.folder / "qna.yaml"
    file.write_text(change(file.read_text()))  # type: ignore[operator]
    before = file.read_text()

    with pytest.raises(LeafError, match="cannot be added"):
        drafts.keep(tmp_path, "", "When?", "1811.", into=draft)
    assert drafts.find(tmp_path, "", has_passage=False) is None
    other = drafts.keep(tmp_path, "", "When?", "1811.")

    assert other.folder.name == "chat_skill_2"
    assert file.read_text() == before
    assert drafts.find(tmp_path, "", has_passage=False) == other


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "drafts").write_text("a file, no folder")

    with pytest.raises(StorageError):
        drafts.keep(tmp_path / "drafts", "", "Who?", "Mira.")
