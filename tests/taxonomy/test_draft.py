"""A qna.yaml that is not finished is read; one that would lose something when it is written anew is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab_desktop.artifacts import LeafKind, Pair, SeedExample
from lab_desktop.errors import LeafError
from lab_desktop.taxonomy.check import findings, inspect, inspect_text
from lab_desktop.taxonomy.qna import parse_draft, read_draft, read_leaf, to_yaml
from lab_desktop.taxonomy.source import parse
from tests.taxonomy.leaves import knowledge, skill, write


@pytest.mark.parametrize("text", [knowledge(), skill(), skill(context=True), skill(version=2), skill(version=1)])
def test_a_whole_leaf_is_the_same_as_a_draft(tmp_path: Path, text: str) -> None:
    write(tmp_path / "topic", text)

    assert read_draft(tmp_path / "topic") == read_leaf(tmp_path / "topic")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([knowledge(), skill(), skill(context=True)]), st.data())
def test_a_leaf_without_some_of_its_fields_is_read_and_written_without_a_loss(
    tmp_path: Path, text: str, data: st.DataObject
) -> None:
    value = parse(text).value
    for name in data.draw(st.sets(st.sampled_from(sorted(value)))):
        del value[name]
    for example in value.get("seed_examples", []):
        for name in data.draw(st.sets(st.sampled_from(sorted(example)))):
            example[name] = None if name == "context" else "" if name in ("question", "answer") else []
    folder = tmp_path / ("knowledge" if "domain" in text else "compositional_skills") / "topic"
    value["version"] = 3
    import yaml

    leaf = parse_draft(yaml.safe_dump(value), folder)

    assert parse_draft(to_yaml(leaf), folder) == leaf
    assert len(leaf.seed_examples) == len(value.get("seed_examples", []))


def test_an_empty_file_is_a_draft_of_the_kind_of_its_place(tmp_path: Path) -> None:
    facts = write(tmp_path / "knowledge" / "topic", "").parent
    able = write(tmp_path / "compositional_skills" / "topic", "# nothing yet\n"[:0]).parent

    assert read_draft(facts).kind is LeafKind.KNOWLEDGE
    assert read_draft(able).kind is LeafKind.FREEFORM_SKILL
    assert read_draft(facts).seed_examples == ()


def test_a_mixed_skill_and_half_a_pair_are_read(tmp_path: Path) -> None:
    text = 'version: 3\nseed_examples:\n  - question: "a"\n  - context:\n    question: "b"\n    answer: "c"\n'

    leaf = parse_draft(text, tmp_path / "topic")

    assert leaf.kind is LeafKind.GROUNDED_SKILL
    assert leaf.seed_examples == (SeedExample((Pair("a", ""),), None), SeedExample((Pair("b", "c"),), ""))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (knowledge() + 'colour: "blue"\n', 'the field "colour"'),
        (knowledge() + 'task_description: "x"\n', 'the field "task_description"'),
        (knowledge() + 'domain: "x"\n', "which is there twice"),
        (knowledge() + "# a comment\n", "its comments"),
        (knowledge().replace('"Fact 21."', '"Fact 21." # mine'), "its comments"),
        (knowledge().replace('"Fact 21."', '"x"\n        hue: "y"'), 'example 3: question 2: the field "hue"'),
        (knowledge().replace('"Fact 21."', "42"), "example 3: answer: 42"),
        (knowledge().replace('"Fact 21."', "Yes"), "example 3: answer: True"),
        (knowledge().replace('"jane"', "42"), "created_by: 42"),
        (knowledge().replace('"abc123"', "123"), "commit: 123"),
        (knowledge().replace('- "*.md"', "- 7"), "file names"),
        (knowledge().replace("  commit:", '  hue: "x"\n  commit:'), 'field "hue"'),
        (knowledge().replace("version: 3", "version: 2"), "version 2"),
        (knowledge().replace("version: 3\n", ""), "version 1"),
        (skill().replace("version: 3", "version: true"), "version True"),
        (skill().replace("version: 3", "version: [3]"), "version"),
        (skill() + "  - loose\n", "example 6: it has no fields"),
        ("- a\n", "no fields"),
        ("seed_examples: 7\nversion: 3\n", "no list"),
        ("text", "no fields"),
    ],
)
def test_what_writing_anew_would_lose_is_said(tmp_path: Path, text: str, said: str) -> None:
    file = write(tmp_path / "topic", text)

    with pytest.raises(LeafError) as caught:
        read_draft(tmp_path / "topic")

    assert said in caught.value.message
    assert file.read_text() == text


def test_a_sign_of_a_comment_inside_a_text_is_none(tmp_path: Path) -> None:
    text = skill().replace('"Number 2."', "|-\n      # A heading\n      and # text").replace('"Number 3."', "C#3 #'s")
    text = text.replace("C#3 #'s", "a#b")

    assert "# A heading" in parse_draft(text, tmp_path / "topic").seed_examples[2].pairs[0].answer


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "\x07", "- &a [*a]"])
def test_what_is_no_yaml_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(LeafError, match="Line 1"):
        parse_draft(text, tmp_path)
    write(tmp_path / "topic", text)
    with pytest.raises(LeafError, match="Line 1"):
        read_draft(tmp_path / "topic")


def test_a_text_is_checked_as_the_file_would_be(tmp_path: Path) -> None:
    for text in (knowledge(), knowledge(4), skill(context=True), "a: [", "", knowledge().replace('"Fact 21."', "42")):
        file = write(tmp_path / "topic", text)
        for mode in ("file", "contribution"):
            assert inspect_text(text, file, mode) == inspect(file, mode)  # type: ignore[arg-type]


def test_contents_are_judged_as_their_file_without_lines() -> None:
    contents = parse(knowledge(4).replace('"Fact 21."', '" "')).value

    assert [finding.steps for finding in findings(contents, is_knowledge=True)] == [
        ("seed_examples",),
        ("seed_examples", 2, "questions_and_answers", 1, "answer"),
    ]


@pytest.mark.parametrize("text", [skill(), "all: &all\n  license: MIT\nfirst:\n  <<: *all\n"], ids=["plain", "merged"])
def test_what_one_reader_changes_no_other_sees(text: str) -> None:
    first, second = parse(text), parse(text)

    second.value.clear()

    assert parse(text).value == first.value != {}
