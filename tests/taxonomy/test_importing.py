"""Any file is read as far as it can be, and everything that this changes or leaves out is said."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lab_desktop.artifacts import DocumentSource, LeafKind, Pair, SeedExample
from lab_desktop.errors import LeafError, StorageError
from lab_desktop.taxonomy.check import check_leaf, has_errors
from lab_desktop.taxonomy.importing import ORIGINALS, Imported, keep_original, read_anything, write_imported
from lab_desktop.taxonomy.qna import read_leaf, to_yaml
from tests.taxonomy.leaves import knowledge, skill, write
from tests.taxonomy.test_qna import ANY_TEXT, TRAPS, leaf


def read(text: str | bytes, tmp_path, place: str = "topic") -> Imported:
    return read_anything(text, tmp_path / place)


def answered(answer: str) -> str:
    """A knowledge leaf whose third example's second answer, in line 27, is `answer`, as written in the file."""
    return knowledge().replace('"Fact 21."', answer)


def answer_of(imported: Imported) -> str:
    return imported.leaf.seed_examples[2].pairs[1].answer


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(LeafKind), st.lists(ANY_TEXT, min_size=1, max_size=8))
@example(LeafKind.KNOWLEDGE, TRAPS)
@example(LeafKind.GROUNDED_SKILL, [*TRAPS, "\ud83d", ""])
def test_what_our_writer_wrote_is_read_as_it_is(tmp_path, kind, texts):
    written = leaf(kind, texts, tmp_path / "topic")

    imported = read(to_yaml(written), tmp_path)

    assert imported.leaf == written
    assert imported.is_exact, (imported.repairs, imported.losses)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_an_unfinished_leaf_that_was_written_is_read_as_it_is(tmp_path, data):
    text = st.sampled_from(["", " ", "x", "a\nb", "#"])
    pairs = st.lists(st.builds(Pair, text, text), max_size=4).map(tuple)
    examples = data.draw(st.lists(st.builds(SeedExample, pairs, text), max_size=6))
    document = data.draw(st.none() | st.builds(DocumentSource, text, text, st.lists(text, max_size=2).map(tuple)))
    written = replace(
        leaf(LeafKind.KNOWLEDGE, ["x"], tmp_path / "topic"), seed_examples=tuple(examples), document=document
    )

    imported = read(to_yaml(written), tmp_path)

    assert imported.leaf == written
    assert imported.is_exact, (imported.repairs, imported.losses)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        *((each, each) for each in ("Yes", "no", "on", "42", "012", "3.14", "0x1F", "12:30", "190:20:30")),
        *((each, each) for each in ("2024-01-01", "2024-13-45", "2001-12-14 21:59:43", ".inf", "#tag", "[a, b]")),
        *((each, each) for each in ("{a: b}", "!important", "&joint", "& more", "=", "<<", "!x y", "[a, [b]]")),
        *((each, each) for each in ("@home", "*x", "*bold* text", "%x", "`x`", "a: b: c", "a: b", "[a", "{a", "- x")),
        *((each, each) for each in ("|x", ">x", "> 5 apples", "? x", '"Fact" and more', "'a' or 'b'", ": x", "@a: b")),
        ('"C:\\dir"', "C:\\dir"),
        ('"Fact', "Fact"),
        ("'it's'", "it's"),
        ('"say \\"hi\\" in C:\\dir"', 'say "hi" in C:\\dir'),
        ("a: b:\n          more", "a: b: more"),
        ("\n          1. a\n          2. b: c", "1. a\n2. b: c"),
        ("!!str 42", "42"),
        ("\n          - a\n          - b", "- a\n- b"),
        ("null", ""),
        ("~", ""),
        ("'it's 'so' here'", "it's 'so' here"),
        ("'say ''it''s", "say 'it's"),
        ('"a "b" c"', 'a "b" c'),
        ("1e3", "1e3"),
        ("Fact 21.", "Fact 21."),
        (">-\n          folded\n          text", "folded text"),
    ],
)  # fmt: skip
def test_an_answer_is_taken_as_it_was_written(written, text, tmp_path):
    imported = read(answered(written), tmp_path)

    assert answer_of(imported) == text.strip()
    assert len(imported.leaf.seed_examples) == 5
    assert all(len(each.pairs) == 3 for each in imported.leaf.seed_examples)
    assert imported.losses == ()
    if written in ("Fact 21.", "!!str 42", "1e3") or written.startswith(">-"):
        assert imported.is_exact
        return
    (repair,) = [each for each in imported.repairs if "Only blanks" not in each.why]
    assert repair.line in (27, 28)
    assert repair.why.endswith(".") and repair.before != repair.after


def test_a_repair_shows_the_line_before_and_after(tmp_path):
    (repair,) = read(answered("012"), tmp_path).repairs

    assert (repair.line, repair.before, repair.after) == (27, "answer: 012", 'answer: "012"')
    assert "a number" in repair.why


@pytest.mark.parametrize("text", [skill(version=1), skill(version=2), skill(context=True, version=2)])
def test_old_skills_become_version_3(text, tmp_path):
    imported = read(text, tmp_path)

    assert imported.leaf.version == 3
    assert imported.leaf.seed_examples[4].pairs == (Pair("Rhyme on 4?", "Number 4."),)
    (repair,) = imported.repairs
    assert (repair.line, repair.after) == (1, "version: 3")
    assert "older format" in repair.why
    write(tmp_path / "topic", to_yaml(imported.leaf))
    assert read_leaf(tmp_path / "topic") == imported.leaf


def test_old_knowledge_keeps_its_questions_and_asks_for_passages(tmp_path):
    text = skill(version=2).replace("task_description", 'domain: "Islands"\ntask_description')
    text += 'document:\n  repo: "island"\n  commit: "abc"\n  patterns:\n    - "*.md"\n'

    imported = read(text, tmp_path)

    assert imported.leaf.kind is LeafKind.KNOWLEDGE
    (example_,) = imported.leaf.seed_examples
    assert example_.context == "" and len(example_.pairs) == 5
    assert imported.leaf.document_outline == "Rhyme."
    assert any("old format" in repair.why and repair.line == 1 for repair in imported.repairs)
    assert imported.losses == ()


def test_old_knowledge_with_contexts_keeps_them_together(tmp_path):
    text = skill(version=2, context=True).replace('"Bay 1"', '"Bay 0"')
    text += 'document:\n  repo: "island"\n  commit: "abc"\n  patterns:\n    - "*.md"\n'

    examples = read(text, tmp_path).leaf.seed_examples

    assert [(each.context, len(each.pairs)) for each in examples] == [
        ("Bay 0", 2), ("Bay 2", 1), ("Bay 3", 1), ("Bay 4", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "count"),
    [
        (lambda text: text.replace("\n", "\r\n"), 1),
        (lambda text: text.replace("\n", "\r"), 1),
        (lambda text: "\ufeff" + text, 1),
        (lambda text: text.rstrip("\n"), 1),
        (lambda text: text + "\n\n\n", 1),
        (lambda text: text.replace('"jane"', '"jane"   '), 1),
        (lambda text: text.replace("domain: ", "domain:   "), 1),
        (lambda text: "```yaml\n" + text + "```\n", 1),
        (lambda text: text.encode("utf-16"), 1),
        (lambda text: "---\n" + text, 0),
        (lambda text: "---\n" + text + "---\n", 0),
        (lambda text: "%YAML 1.1\n---\n" + text, 0),
        (lambda text: text.replace('"', "'"), 0),
        (lambda text: text.replace('"Fact 21."', "Fact 21."), 0),
        (lambda text: text.replace("\n", "\n    ").rstrip(" ").replace("version", "    version", 1), 1),
    ],
)
def test_layout_changes_no_text(change, count, tmp_path):
    expected = read(knowledge(), tmp_path).leaf

    imported = read(change(knowledge()), tmp_path)

    assert imported.leaf == expected
    assert len([each for each in imported.repairs if "blank" not in each.after]) >= min(count, 1)
    assert len(imported.repairs) <= count + 1, imported.repairs
    assert [loss for loss in imported.losses if "%YAML" not in loss.text] == []


def test_latin_1_bytes_are_read_and_named_by_line(tmp_path):
    imported = read(answered('"café – naïve"').encode("cp1252"), tmp_path)

    assert answer_of(imported) == "café – naïve"
    (repair,) = imported.repairs
    assert repair.line == 27 and "café – naïve" in repair.after and "UTF-8" in repair.why


def test_control_and_half_characters_are_dropped_and_shown(tmp_path):
    for sign, shown in (("\x07", "\\u0007"), ("\ud83d", "\\ud83d"), ("\x00", None)):
        if shown is None:
            with pytest.raises(LeafError, match="zero bytes"):
                read(answered(f'"a{sign}b"'), tmp_path)
            continue
        imported = read(answered(f'"a{sign}b"'), tmp_path)
        assert answer_of(imported) == "ab"
        assert shown in imported.repairs[0].before


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("        answer", "\tanswer"),
        lambda text: text.replace("  ", "\t"),
        lambda text: text.replace("    ", "\t"),
        lambda text: text.replace("  ", "\xa0\xa0"),
        lambda text: text.replace('        answer: "Fact 21."', '       answer: "Fact 21."'),
        lambda text: text.replace('        answer: "Fact 21."', '          answer: "Fact 21."'),
        lambda text: text.replace('      - question: "Item 21?"', '     - question: "Item 21?"'),
        lambda text: text.replace('    questions_and_answers:', '   questions_and_answers:', 1),
        lambda text: text.replace('  - context: "Bay 2', ' - context: "Bay 2'),
        lambda text: text.replace('- question: "Item 21?"', '-question: "Item 21?"'),
        lambda text: text.replace('question: "Item 21?"', 'question:"Item 21?"'),
        lambda text: text.replace("  commit", "   commit"),
        lambda text: text.replace("domain:", " domain:"),
        lambda text: text.replace("- question", "– question"),
        lambda text: text.replace("- context", "* context"),
        lambda text: text.replace(" answer", ' "answer"').replace("domain:", " domain:"),
        lambda text: text.replace("answer", "Answer").replace("domain:", " domain:"),
    ],
    ids=range(17),
)  # fmt: skip
def test_odd_indents_are_straightened_line_by_line(change, tmp_path):
    expected = read(knowledge(), tmp_path).leaf
    text = change(knowledge())
    assert text != knowledge()

    imported = read(text, tmp_path)

    assert imported.leaf == expected
    assert imported.losses == ()
    lines = text.split("\n")
    assert imported.repairs
    for repair in imported.repairs:
        assert repair.before == lines[repair.line - 1] or repair.why.startswith("The indent differs"), repair


def test_a_block_that_is_not_indented_is_read_up_to_the_next_field(tmp_path):
    text = knowledge().replace('context: "Bay 2 has a pier."', "context: |\n    One.\n\n    Two: three.")

    imported = read(text, tmp_path)

    assert imported.leaf.seed_examples[2].context == "One.\n\nTwo: three.\n"
    assert len(imported.leaf.seed_examples) == 5


def test_a_line_of_a_block_that_slipped_to_the_left_stays_in_it(tmp_path):
    text = knowledge().replace('context: "Bay 2 has a pier."', "context: |\n      One.\n        two\n  three.")

    imported = read(text, tmp_path)

    assert imported.leaf.seed_examples[2].context == "One.\n  two\nthree.\n"
    assert [(repair.line, repair.before) for repair in imported.repairs] == [(25, "  three.")]


def test_fields_inside_a_sound_block_are_its_text(tmp_path):
    inside = "context: |\n      answer: @x\n      - question: %y\n"
    text = knowledge().replace('context: "Bay 2 has a pier."\n', inside).replace('"Fact 00."', "@home")

    imported = read(text, tmp_path)

    assert imported.leaf.seed_examples[2].context == "answer: @x\n- question: %y\n"
    assert imported.leaf.seed_examples[0].pairs[0].answer == "@home"
    assert len(imported.repairs) == 1


def test_comments_are_listed_and_not_taken_for_text(tmp_path):
    text = "# head\n" + answered('"a # b" # tail').replace("seed_examples:", "seed_examples: # five")
    text = text.replace('"Fact 00."', "|  # block\n          # text\n          of it")

    imported = read(text, tmp_path)

    assert [(loss.line, loss.text) for loss in imported.losses] == [
        (1, "# head"), (6, "# five"), (10, "# block"), (30, "# tail"),
    ]  # fmt: skip
    assert {loss.what for loss in imported.losses} == {"a comment"}
    assert answer_of(imported) == "a # b"
    assert imported.leaf.seed_examples[0].pairs[0].answer == "# text\nof it\n"


def test_unknown_fields_are_listed_with_all_they_say(tmp_path):
    text = knowledge().replace("domain:", 'hue:\n  - "blue"\n  - deep: 1\ndomain:')
    text = text.replace('"Fact 21."', '"x"\n        mood: "fine"')

    losses = read(text, tmp_path).losses

    assert [(loss.line, loss.what) for loss in losses] == [(3, 'the field "hue"'), (31, 'the field "mood"')]
    assert losses[0].text == 'hue:\n  - "blue"\n  - deep: 1'
    assert losses[1].text == 'mood: "fine"'


def test_of_a_field_that_is_written_twice_the_earlier_is_listed(tmp_path):
    text = knowledge() + 'domain: "Seas"\n'

    imported = read(text, tmp_path)

    assert imported.leaf.domain == "Seas"
    (loss,) = imported.losses
    assert (loss.line, loss.text) == (3, 'domain: "Islands"')
    assert "twice" in loss.what

    twice = read(answered('"x"\n        answer: "y"'), tmp_path)
    assert answer_of(twice) == "y"
    assert [loss.text for loss in twice.losses] == ['answer: "x"']


def test_forgotten_hyphens_make_pairs_all_the_same(tmp_path):
    text = knowledge().replace('      - question: "Item 21?"', '        question: "Item 21?"')

    imported = read(text, tmp_path)

    assert imported.leaf == read(knowledge(), tmp_path).leaf
    assert imported.losses == ()
    (repair,) = imported.repairs
    assert repair.line == 26 and "hyphen" in repair.why

    text = skill().replace('  - question: "Rhyme on 2?"', '    question: "Rhyme on 2?"')
    assert read(text, tmp_path).leaf == read(skill(), tmp_path).leaf


def test_an_answer_with_a_hyphen_of_its_own_belongs_to_the_question_before(tmp_path):
    text = knowledge().replace('        answer: "Fact 21."', '      - answer: "Fact 21."')

    imported = read(text, tmp_path)

    assert imported.leaf == read(knowledge(), tmp_path).leaf
    assert [(repair.line, repair.after) for repair in imported.repairs] == [(27, 'answer: "Fact 21."')]

    text = knowledge().replace("    questions_and_answers", "  - questions_and_answers")
    assert read(text, tmp_path).leaf == read(knowledge(), tmp_path).leaf


def test_names_that_are_nearly_right_are_understood(tmp_path):
    text = knowledge().replace("created_by", "Created By").replace("seed_examples", "seed_example")
    text = text.replace("questions_and_answers", "questions_and_answer").replace("document_outline", "outline")

    imported = read(text, tmp_path)

    assert imported.leaf == read(knowledge(), tmp_path).leaf
    assert imported.losses == ()
    assert len(imported.repairs) == 8


def test_pasted_parts_are_read(tmp_path):
    examples = read(knowledge(), tmp_path).leaf.seed_examples
    body = knowledge()[knowledge().index("  - context") : knowledge().index("document:")]

    whole = read(body, tmp_path, "knowledge/a")
    one = read(body[: body.index('  - context: "Bay 1')], tmp_path, "knowledge/a")
    pairs = read('- question: "Q?"\n  answer: "A."\n- question: "R?"\n  answer: "B."\n', tmp_path)
    short = read("Q: Is it? \nA: yes\nQ: And?\nA: no\n", tmp_path)
    letter = read(f"Dear all,\n\n{skill()}\nBest regards\nJane\n", tmp_path)
    bare = read("question: Q?\nanswer: A.\n", tmp_path)
    chat = read(f"Here it is:\n\n```yaml\n{skill()}```\nHave fun!\n", tmp_path)

    assert whole.leaf.seed_examples == examples and whole.leaf.kind is LeafKind.KNOWLEDGE
    assert one.leaf.seed_examples == examples[:1]
    assert [each.pairs[0] for each in pairs.leaf.seed_examples] == [Pair("Q?", "A."), Pair("R?", "B.")]
    assert pairs.leaf.kind is LeafKind.FREEFORM_SKILL
    assert [each.pairs[0] for each in short.leaf.seed_examples] == [Pair("Is it?", "yes"), Pair("And?", "no")]
    assert letter.leaf == read(skill(), tmp_path).leaf
    assert [loss.text for loss in letter.losses] == ["Dear all,", "Best regards", "Jane"]
    assert bare.leaf.seed_examples == (SeedExample((Pair("Q?", "A."),)),)
    assert chat.leaf == read(skill(), tmp_path).leaf
    assert [loss.text for loss in chat.losses] == ["Here it is:", "Have fun!"]


def test_a_second_lesson_in_the_file_is_listed_whole(tmp_path):
    imported = read(skill() + "---\n" + knowledge(), tmp_path)

    assert imported.leaf == read(skill(), tmp_path).leaf
    (loss,) = imported.losses
    assert loss.text == knowledge().strip()
    assert loss.line == skill().count("\n") + 2


def test_a_mixed_skill_and_blank_answers_stay_as_they_are(tmp_path):
    text = skill().replace('  - question: "Rhyme on 2?"', '  - context: "Bay"\n    question: "Rhyme on 2?"')
    text = text.replace('"Number 3."', '""')

    imported = read(text, tmp_path)

    assert imported.is_exact
    assert [each.context for each in imported.leaf.seed_examples] == [None, None, "Bay", None, None]
    assert imported.leaf.seed_examples[3].pairs[0].answer == ""
    assert imported.leaf.kind is LeafKind.GROUNDED_SKILL


def test_aliases_and_merges_are_written_out(tmp_path):
    text = skill().replace('"Rhyme on 1?"', '&q "Rhyme on 1?"').replace('"Number 2."', "*q")
    text = text.replace('  - question: "Rhyme on 3?"', '  - <<: {context: "Bay"}\n    question: "Rhyme on 3?"')

    imported = read(text, tmp_path)

    assert imported.leaf.seed_examples[2].pairs[0].answer == "Rhyme on 1?"
    assert imported.leaf.seed_examples[3].context == "Bay"
    assert len(imported.repairs) == 2 and imported.losses == ()


def test_an_alias_stays_one_in_a_file_that_is_mended(tmp_path):
    text = skill().replace('"Rhyme on 1?"', '&q "Rhyme on 1?"').replace('"Number 2."', "*q")

    imported = read(text.replace('"Number 3."', "@home"), tmp_path)

    assert imported.leaf.seed_examples[2].pairs[0].answer == "Rhyme on 1?"
    assert imported.leaf.seed_examples[3].pairs[0].answer == "@home"


def test_a_field_that_only_looks_like_another_is_not_taken_for_it(tmp_path):
    text = skill().replace('    answer: "Number 2."', '    answer: "Number 2."\n    question_id: "7"\n    Answer: "x"')

    imported = read(text, tmp_path)

    assert imported.leaf == read(skill(), tmp_path).leaf
    assert [loss.text for loss in imported.losses] == ['question_id: "7"', 'Answer: "x"']

    other = read(knowledge().replace("domain:", "domain_id:"), tmp_path)
    assert other.leaf.domain == ""
    assert [loss.text for loss in other.losses] == ['domain_id: "Islands"']


def test_where_the_lines_are_yaml_of_another_kind_they_are_mended_too(tmp_path):
    for lines in ("-question: a\n  answer: b", "\xa0\xa0- question: a\n\xa0\xa0\xa0\xa0answer: b"):
        imported = read(f"created_by: x\nseed_examples:\n  {lines}\n".replace("  \xa0", "\xa0"), tmp_path)
        assert imported.leaf.seed_examples == (SeedExample((Pair("a", "b"),)),)
        assert imported.losses == ()


def test_the_kind_follows_from_the_fields_and_then_from_the_place(tmp_path):
    task = skill().replace("task_description", 'domain: "Poems"\ntask_description')
    bare = "seed_examples:\n" + "  - context: c\n    question: q\n    answer: a\n" * 2

    assert read(task, tmp_path).leaf.kind is LeafKind.FREEFORM_SKILL
    assert [loss.text for loss in read(task, tmp_path).losses] == ['domain: "Poems"']
    assert read(task, tmp_path, "knowledge/x").leaf.kind is LeafKind.KNOWLEDGE
    assert read(bare, tmp_path, "compositional_skills/x").leaf.kind is LeafKind.GROUNDED_SKILL
    facts = read(bare, tmp_path, "knowledge/x")
    assert facts.leaf.seed_examples == (SeedExample((Pair("q", "a"),) * 2, "c"),)
    assert any(repair.line == 2 and "passage" in repair.why for repair in facts.repairs)


def test_the_document_may_be_written_in_odd_ways(tmp_path):
    start = knowledge()[: knowledge().index("document:")]

    number = read(knowledge().replace('"abc123"', "0123456").replace('\n    - "*.md"', ' "*.md"'), tmp_path)
    text = read(start + "document: https://example.org/x\n", tmp_path)
    listed = read(knowledge().replace("document:\n  repo", "document:\n  - repo").replace("\n  ", "\n    "), tmp_path)

    assert number.leaf.document == DocumentSource("island", "0123456", ("*.md",))
    assert text.leaf.document == DocumentSource("https://example.org/x", "", ())
    assert listed.leaf.seed_examples == read(knowledge(), tmp_path).leaf.seed_examples


def test_what_stands_in_the_wrong_branch_gets_its_right_place(tmp_path):
    imported = read(knowledge(), tmp_path, "compositional_skills/islands")

    assert imported.leaf.node == ("knowledge", "islands")
    assert [repair.after for repair in imported.repairs] == ["knowledge/islands"]


def test_a_misnamed_file_and_a_folder_with_one_are_read(tmp_path):
    (tmp_path / "topic").mkdir()
    (tmp_path / "topic" / "qna.yml").write_text(skill())

    for source in (tmp_path / "topic" / "qna.yml", tmp_path / "topic"):
        imported = read_anything(source, tmp_path / "topic")
        assert [(repair.before, repair.after) for repair in imported.repairs] == [("qna.yml", "qna.yaml")]

    for nothing in (tmp_path / "nowhere.yaml", tmp_path):
        with pytest.raises(LeafError) as caught:
            read_anything(nothing, tmp_path)
        assert caught.value.hint


def test_lines_that_fit_nowhere_are_listed(tmp_path):
    lines = skill().splitlines(keepends=True)
    lines.insert(6, "lorem ipsum dolor\n")

    imported = read("".join(lines), tmp_path)

    assert imported.leaf == read(skill(), tmp_path).leaf
    assert [(loss.line, loss.text) for loss in imported.losses] == [(7, "lorem ipsum dolor")]


def test_the_original_is_kept_before_anything_is_written(tmp_path):
    text = "# mine\n" + skill()
    imported = read(text, tmp_path)

    file = write_imported(imported, tmp_path / "topic")

    kept = tmp_path / "topic" / ORIGINALS / "qna.yaml.txt"
    assert kept.read_text() == text
    assert not has_errors(check_leaf(file))
    assert keep_original(text.encode(), tmp_path / "topic") == kept
    assert keep_original(b"other", tmp_path / "topic") != kept
    assert kept.read_text() == text

    write_imported(read(skill(context=True), tmp_path), tmp_path / "topic")
    assert skill() in {each.read_text() for each in (tmp_path / "topic" / ORIGINALS).iterdir()}

    write_imported(read(skill(), tmp_path), tmp_path / "exact")
    assert not (tmp_path / "exact" / ORIGINALS).exists()


def test_when_the_lesson_cannot_be_written_the_original_is_safe_already(tmp_path):
    text = "# mine\n" + skill()
    (tmp_path / "topic" / "qna.yaml").mkdir(parents=True)
    (tmp_path / "topic" / "qna.yaml" / "inside").touch()

    with pytest.raises(StorageError):
        write_imported(read(text, tmp_path), tmp_path / "topic")

    assert (tmp_path / "topic" / ORIGINALS / "qna.yaml.txt").read_text() == text

    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ORIGINALS).touch()
    with pytest.raises(StorageError):
        write_imported(read(text, tmp_path), tmp_path / "other")
    assert not (tmp_path / "other" / "qna.yaml").exists()


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))


@pytest.mark.parametrize(
    "data",
    [
        "",
        " \n\n",
        "Hello world",
        "42",
        "- a\n- b\n",
        "colour: blue\n",
        BOMB,
        "seed_examples: &a [*a]\n",
        "seed_examples: &a {<<: *a}\n",
        "[" * 100_000,
        "a: " + "{a: " * 60 + "}" * 60,
        "- " * 100_000,
        "x" * 5_000_001,
        b"\0" * 1000,
        bytes(range(256)),
        bytes(range(1, 256)) * 50,
        "question: @\n" * 3000 + "\t- [",
        "```\n" * 1000,
        "---\n" * 5000,
        "seed_examples:\n" + "garbage here\n: : :\n" * 500,
        '"' * 100_000,
        "question: @\n" * 30_000,
        "- " + "* - " * 50_000 + "question: @\n",
        "answer: '\n" * 2000,
        "%" * 1000,
        'a: "\\UFFFFFFFF"\n',
        "question: \"\\UFFFFFFFF\"\nanswer: x\n",
        "? [a]\n: b\n",
    ],
)  # fmt: skip
def test_hostile_texts_are_read_or_refused_quickly_and_in_a_sentence(data, tmp_path):
    start = time.thread_time()
    try:
        read(data, tmp_path)
    except LeafError as error:
        assert error.message.endswith(".") and error.hint
    assert time.thread_time() - start < 15


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([knowledge(), skill(context=True), skill(version=1)]),
    st.lists(
        st.tuples(
            st.integers(0, 2000),
            st.integers(0, 20),
            st.sampled_from(
                ["", "\n", " ", '"', "'", ":", "- ", "#", "[", "{", "&a ", "*a", "!x ", "\t", "\x85", "|", "---\n"]
            ),
        ),
        max_size=4,
    ),
)  # fmt: skip
def test_no_damage_raises_anything_but_a_sentence_and_no_text_is_silently_lost(tmp_path, text, damages):
    for at, length, part in damages:
        text = text[: at % len(text)] + part + text[at % len(text) + length :]
    try:
        imported = read(text, tmp_path)
    except LeafError as error:
        assert error.hint
        return
    # Every word of the file is in the leaf, in a repair or in a loss.
    left = to_yaml(imported.leaf) + "".join(each.before for each in imported.repairs)
    left += "".join(each.text for each in imported.losses)
    missing = [
        word
        for word in ("Bay", "Fact", "Number", "Rhyme", "Item", "island", "jane")
        if left.count(word) < text.count(word)
    ]
    assert not missing, (missing, imported.repairs, imported.losses)
    again = read(to_yaml(imported.leaf), tmp_path)
    assert again.leaf == imported.leaf
    assert again.is_exact, (again.repairs, again.losses)
