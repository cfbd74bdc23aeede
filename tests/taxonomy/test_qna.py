"""What is written reads back the same, and passes InstructLab's strict checks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
import yamllint.config
import yamllint.linter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, Pair, SeedExample
from lab_desktop.errors import LeafError
from lab_desktop.taxonomy.check import check_leaf
from lab_desktop.taxonomy.qna import read_leaf, to_yaml, write_leaf
from tests.taxonomy.leaves import instructlab_rejects, knowledge, skill, write

LINT_RULES = yamllint.config.YamlLintConfig("{extends: relaxed, rules: {line-length: disable}}")
TRAPS = [
    *("Yes", "42", "2024-01-01", "12:30", "#tag", "@x", "*x", "%x", "`x", "!x", "&x", "- x", "a: b", "[a]", "{a}"),
    *("~", "null", "|", ">-\n x", " leading", "trailing ", "two\nlines", "two\nlines\n", "tail\n\n", "\nhead", " a\nb"),
    *(
        "a \nb",
        "a\n\n\n\nb",
        "a\n\tb",
        "a\r\nb",
        "a\rb",
        "\x00\x07\x1bx",
        "\x7f\x85\xa0x",
        "a\x85b\nc",
        "\u2028\u2029x",
    ),
    *(
        "\ufeffbom",
        "\ufffex",
        "😀 é ß 海",
        '"quoted"',
        "it's",
        "back\\slash",
        "back\\slash\nnew",
        "\u200bzero",
        "a\n\xa0",
    ),
    *("# yamllint disable-file\nx", "---\n...\n", "a\n# b\n", "\u200bzero", "a\n\xa0", "x" * 5000),
]


def leaf(kind: LeafKind, texts: list[str], folder: Path) -> Leaf:
    """A valid leaf that uses `texts` for all its fields, each made unique where the schema asks for it."""

    def text(number: int) -> str:
        return texts[number % len(texts)]

    if kind is LeafKind.KNOWLEDGE:
        examples = tuple(
            SeedExample(tuple(Pair(f"{n}{p}{text(n)}", text(p)) for p in range(3)), f"{text(n)}{n}") for n in range(5)
        )
        document = DocumentSource(text(0), text(1), (text(2),))
        node = ("knowledge", folder.name)
        fields = {"domain": text(3), "document_outline": text(4), "document": document}
    else:
        context = text(5) if kind is LeafKind.GROUNDED_SKILL else None
        examples = tuple(SeedExample((Pair(f"{text(n)}{n}", text(n + 1)),), context) for n in range(5))
        node = ("compositional_skills", folder.name)
        fields = {"task_description": text(3)}
    return Leaf(node, folder, kind, 3, text(6), examples, **fields)


def is_written(text: str) -> bool:
    return any(letter.isprintable() and not letter.isspace() for letter in text)


TEXT = st.one_of(
    st.sampled_from(TRAPS), st.text(max_size=30), st.text(alphabet=" \n\t\r\x85ab#:-|", max_size=20)
).filter(is_written)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(LeafKind), st.lists(TEXT, min_size=1, max_size=8))
@example(LeafKind.KNOWLEDGE, TRAPS)
@example(LeafKind.GROUNDED_SKILL, TRAPS)
def test_any_leaf_reads_back_the_same_and_passes_strict_checks(tmp_path, monkeypatch, kind, texts):
    folder = tmp_path / "topic"
    written = leaf(kind, texts, folder)

    file = write_leaf(written, folder)

    assert not instructlab_rejects(file, "file", monkeypatch)
    assert read_leaf(folder) == written
    assert to_yaml(read_leaf(file)) == file.read_bytes().decode()


ANY_TEXT = st.one_of(
    st.sampled_from(
        [*TRAPS, "", " ", "\n", "\t", "\ud83d", "\ude00\ud83d", "\ud83d\ude00", "a\n\ud83d", "a\n\x00b", "x " * 3000]
    ),
    st.text(st.characters(), max_size=40),  # half characters too
    st.text(st.characters(categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")), max_size=10),
    st.text(alphabet=" \n\r\t\x85\u2028\ufeff-#:'\"\\|>%@`&*!?{}[],~", max_size=30),
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(LeafKind), st.lists(ANY_TEXT, min_size=1, max_size=8))
@example(LeafKind.KNOWLEDGE, ["a\r\nb\r\n", "\ud83d", ""])
def test_any_text_at_all_is_written_without_a_word_from_lint_and_reads_back_the_same(kind, texts):
    written = leaf(kind, texts, Path("topic").absolute())

    text = to_yaml(written)

    assert list(yamllint.linter.run(text.encode("utf-8"), LINT_RULES)) == []
    read = yaml.safe_load(text)
    assert read["created_by"] == written.created_by
    for example_, item in zip(written.seed_examples, read["seed_examples"], strict=True):
        assert item.get("context") == example_.context
        pairs = item.get("questions_and_answers", [item])
        assert [(pair["question"], pair["answer"]) for pair in pairs] == [
            (pair.question, pair.answer) for pair in example_.pairs
        ]


@pytest.mark.parametrize("text", TRAPS, ids=range(len(TRAPS)))
def test_each_trap_survives_as_every_field(text, tmp_path, monkeypatch):
    written = leaf(LeafKind.KNOWLEDGE, [text], tmp_path)

    file = write_leaf(written, tmp_path)

    assert not instructlab_rejects(file, "file", monkeypatch)
    assert read_leaf(tmp_path) == written


def test_several_lines_are_written_as_a_block_that_a_person_can_read(tmp_path):
    text = to_yaml(leaf(LeafKind.FREEFORM_SKILL, ["One.\n\nTwo: yes.\n", "Short"], tmp_path))

    assert "    answer: |\n      One.\n\n      Two: yes.\n" in text
    assert '    answer: "Short"\n' in text


@pytest.mark.parametrize("text", [knowledge(), skill(), skill(context=True)])
def test_a_canonical_file_is_written_as_it_was(text, tmp_path):
    write(tmp_path, text)

    assert to_yaml(read_leaf(tmp_path)) == text


def test_old_skills_are_read_and_written_as_version_3(tmp_path):
    for text, version in ((skill(version=2), 2), (skill(version=1), 1), (skill().replace("version: 3\n", ""), 1)):
        write(tmp_path, text)

        old = read_leaf(tmp_path)
        write_leaf(old, tmp_path)

        assert old.version == version
        assert read_leaf(tmp_path) == replace(old, version=3)


def test_kinds_and_places_are_told_apart(tmp_path):
    place = tmp_path / "knowledge" / "geography" / "velmora"
    write(place, knowledge())
    write(tmp_path / "rhyme", skill())
    write(tmp_path / "list", skill(context=True))

    assert read_leaf(place).kind is LeafKind.KNOWLEDGE
    assert read_leaf(place).name == "knowledge/geography/velmora"
    assert read_leaf(tmp_path / "rhyme").kind is LeafKind.FREEFORM_SKILL
    assert read_leaf(tmp_path / "rhyme").node == ("compositional_skills", "rhyme")
    assert read_leaf(tmp_path / "list").kind is LeafKind.GROUNDED_SKILL
    assert read_leaf(tmp_path / "list").seed_examples[1].context == "Bay 1"


def test_blanks_that_only_lint_sees_do_not_stop_reading(tmp_path):
    write(tmp_path, skill().replace('"jane"\n', '"jane"   \n\n\n\n\n') + "\n")

    assert read_leaf(tmp_path).created_by == "jane"
    assert all(problem.layout for problem in check_leaf(tmp_path))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (skill().replace('"Number 2."', "Yes"), "Line 10: Example 3: the answer is Yes without quotes"),
        (knowledge().replace('"Fact 21."', '""'), "Line 27: Example 3, question 2: the answer is empty"),
        (knowledge().replace("version: 3", "version: 2"), "old format"),
        (skill() + 'created_by: "x"\n', "written twice"),
        (skill().replace('"Number 2."', '" "'), "only blanks"),
        ("", "draft"),
        (skill().replace('"Rhyme', "Yes #"), "6 problems.*And 3 more"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_line_and_field(text, says, tmp_path):
    write(tmp_path, text)

    with pytest.raises(LeafError, match=says) as caught:
        read_leaf(tmp_path)
    assert caught.value.hint


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(LeafError, match="no file"):
        read_leaf(tmp_path / "nowhere")
