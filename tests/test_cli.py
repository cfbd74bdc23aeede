from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab_desktop import cli, paths, workflow
from lab_desktop.commands import chat
from lab_desktop.taxonomy.library import Library
from lab_desktop.taxonomy.qna import read_leaf
from tests.fakes import tiny_model
from tests.taxonomy.leaves import knowledge, skill, write


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny):
    """A run folder that `learn` has filled; the model is a random one, so its answers are nonsense."""
    folder = tmp_path_factory.mktemp("lesson")
    write(folder / "rhyme", skill(), document=False)
    (folder / "rhyme" / "exam.yaml").write_text(
        "questions:\n" + "".join(f'  - question: "Rhyme on {n}?"\n    answer: "Hat {n}"\n' for n in range(3))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workflow, "GENERAL_ROWS", 4)  # each costs the tiny model as much as a real one
        models = ["--teacher", str(tiny), "--student", str(tiny)]
        assert cli.main(["learn", str(folder / "rhyme"), *models, "--samples", "1", "--run", str(folder / "run")]) == 0
    return folder / "run"


def bare(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next commands read `text` from a pipe."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


@pytest.mark.slow
def test_learn_leaves_a_report_of_the_documented_form(finished):
    report = json.loads((finished / "report.json").read_text())

    assert report["format"] == 1
    assert (finished / report["model"]).is_file() and (finished / report["adapter"]).is_file()
    assert report["base"] == "tiny.gguf"
    assert set(report["seconds"]) == {"generate", "train", "export", "evaluate"}
    assert {"asked", "written", "kept", "dropped", "leaves"} <= set(report["funnel"])
    (leaf,) = report["leaves"]
    assert leaf["leaf"] == "compositional_skills/rhyme" and leaf["kind"] == "freeform_skill"
    assert leaf["exam"]["now"]["total"] == 3 and leaf["held_out"]["now"]["total"] >= 0
    for question in leaf["questions"] + report["general"]["questions"]:
        assert {"question", "reference", "before", "after", "verdict_before", "verdict_after"} <= set(question)
    assert report["general"]["now"]["total"] >= 30
    assert report["verdict"]["name"] in ("clear gain", "small gain", "no gain", "it forgot")


@pytest.mark.slow
def test_each_step_of_a_finished_run_says_its_result_again_and_changes_nothing(finished, capsys, monkeypatch):
    monkeypatch.setattr(workflow, "GENERAL_ROWS", 4)
    results = ("samples.jsonl", "dataset/manifest.json", "adapter/adapter.gguf", "models/rhyme-Q8_0.gguf")
    before = {name: (finished / name).stat().st_mtime_ns for name in results}

    said = {}
    for step in ("generate", "train", "export", "evaluate"):
        assert cli.main([step, str(finished)]) == 0
        said[step] = capsys.readouterr().out

    assert {name: (finished / name).stat().st_mtime_ns for name in results} == before
    assert "rows to learn from in" in said["generate"]
    assert str(finished / "adapter" / "adapter.gguf") in said["train"]
    assert "rhyme-Q8_0.gguf" in said["export"] and " MB" in said["export"]
    assert "exam: before" in said["evaluate"] and "Verdict: " in said["evaluate"]


@pytest.mark.slow
def test_chat_compares_the_two_models_of_a_run(finished, capsys, monkeypatch):
    bare("Hello\n", monkeypatch)

    assert cli.main(["chat", str(finished), "--compare"]) == 0

    said = capsys.readouterr().out
    assert said.startswith("original: ") and "\ntrained:  " in said


@pytest.mark.slow
def test_a_lesson_that_was_changed_is_not_learned_as_it_was(finished, tiny, capsys):
    leaf = finished.parent / "rhyme"
    shutil.copytree(leaf, finished.parent / "as it was")
    (leaf / "qna.yaml").write_text(skill().replace("Number 0", "Number nought"))

    status = cli.main(
        ["learn", str(leaf), "--teacher", str(tiny), "--student", str(tiny), "--samples", "1", "--run", str(finished)]
    )

    assert status == 1
    assert "The lessons have changed since the run in" in capsys.readouterr().err
    assert "nought" not in (finished / "leaves" / "compositional_skills" / "rhyme" / "qna.yaml").read_text()
    shutil.copyfile(finished.parent / "as it was" / "qna.yaml", leaf / "qna.yaml")


def test_chat_answers_each_line_of_a_file_and_skips_blank_ones(tiny, capsys, monkeypatch):
    monkeypatch.setattr(chat, "_ANSWER_TOKENS", 12)
    bare("Hello\n\n\nWho are you?\n", monkeypatch)

    assert cli.main(["chat", str(tiny)]) == 0

    captured = capsys.readouterr()
    assert captured.out.count("\n") >= 2
    assert captured.err == "tiny. An empty line or Ctrl-D ends.\n"


def test_chat_without_a_question_ends_at_once(tiny, capsys, monkeypatch):
    bare("", monkeypatch)

    assert cli.main(["chat", str(tiny)]) == 0

    assert capsys.readouterr().out == ""


def test_chat_survives_letters_that_are_none(tiny, capsys, monkeypatch):
    monkeypatch.setattr(chat, "_ANSWER_TOKENS", 12)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00caf\xe9\n")))

    assert cli.main(["chat", str(tiny)]) == 0


@pytest.mark.slow
@pytest.mark.usefixtures("prepared")
def test_suggest_prints_three_questions_with_answers_and_the_sentence_that_tells_them(capsys):
    lesson = paths.resources() / "practice" / "velmora"

    assert cli.main(["suggest", str(lesson), "--passage", "2"]) == 0

    blocks = capsys.readouterr().out.strip().split("\n\n")
    passage = " ".join(read_leaf(lesson).seed_examples[1].context.split())
    assert len(blocks) == 3
    for block in blocks:
        question, answer, sentence, why = block.split("\n  ")
        assert question.endswith("?") and answer and "the teacher read" in why
        assert sentence.strip('"') in passage


def test_suggest_with_a_teacher_that_finds_nothing_says_so(tmp_path, tiny, capsys):
    write(tmp_path, knowledge())

    assert cli.main(["suggest", str(tmp_path), "--teacher", str(tiny)]) == 0

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "tiny found no more questions in this passage.\n")


def test_suggest_names_the_passages_that_there_are(tmp_path, capsys):
    write(tmp_path, knowledge())

    assert cli.main(["suggest", str(tmp_path), "--passage", "6"]) == 1

    assert "has 5 passages or examples, and number 6 is wanted" in capsys.readouterr().err


def test_suggest_says_when_no_example_of_a_skill_is_surely_right(tmp_path, tiny, capsys):
    write(tmp_path, skill(), document=False)

    assert cli.main(["suggest", str(tmp_path), "--teacher", str(tiny)]) == 1

    assert "none of its examples was surely right" in capsys.readouterr().err


def test_check_says_that_all_is_well(tmp_path, capsys):
    write(tmp_path / "island", knowledge())

    assert cli.main(["check", str(tmp_path)]) == 0

    assert capsys.readouterr().out == "Everything is in order.\n"


def test_check_names_file_line_column_and_what_to_do(tmp_path, capsys):
    file = write(tmp_path / "island", knowledge().replace('"Fact 00."', "yes"))

    assert cli.main(["check", str(tmp_path)]) == 1

    problem, hint = capsys.readouterr().out.splitlines()
    assert problem.startswith(f"{file}:9:17: Example 1, question 1: the answer is yes without quotes")
    assert hint == '    Put it in quotes: answer: "yes"'


def test_check_gives_the_same_as_json(tmp_path, capsys):
    file = write(tmp_path / "island", knowledge().replace('"Fact 00."', "yes"))

    assert cli.main(["check", "--json", str(tmp_path)]) == 1

    (problem,) = json.loads(capsys.readouterr().out)
    assert (problem["file"], problem["line"], problem["column"]) == (str(file), 9, 17)
    assert problem["field"] == "seed_examples[0].questions_and_answers[0].answer"
    assert problem["severity"] == "error" and problem["message"] and problem["hint"]


def test_check_of_a_sound_leaf_is_an_empty_list(tmp_path, capsys):
    write(tmp_path, skill(), document=False)

    assert cli.main(["check", "--json", str(tmp_path)]) == 0

    assert json.loads(capsys.readouterr().out) == []


def test_import_shows_repairs_and_losses_and_writes_nothing_without_consent(tmp_path, capsys):
    text = "# mine\n" + skill(version=2).replace('"Number 2."', "012")
    file = write(tmp_path / "rhyme", text, document=False)

    assert cli.main(["import", str(file)]) == 1

    said = capsys.readouterr()
    assert 'Line 11: This is a text; YAML would read a number.\n    - answer: 012\n    + answer: "012"\n' in said.out
    assert "Line 1 is not taken over, there is no place for a comment:\n    - # mine\n" in said.out
    assert "Nothing was written" in said.err and "--yes" in said.err
    assert file.read_text() == text
    assert [path.name for path in file.parent.iterdir()] == ["qna.yaml"]


def test_import_with_consent_writes_the_lesson_and_keeps_the_original(tmp_path, capsys):
    file = write(tmp_path / "rhyme", skill(version=2), document=False)

    assert cli.main(["import", str(file.parent), "--yes"]) == 0

    assert file.read_text() == skill()
    assert (file.parent / ".originals" / "qna.yaml.txt").read_text() == skill(version=2)
    assert capsys.readouterr().out.endswith(f"{file}\n")
    assert cli.main(["check", str(file), "--mode", "file"]) == 0


def test_import_into_another_folder_says_what_is_missing_and_overwrites_nothing(tmp_path, capsys):
    file = write(tmp_path / "old", "question: Q?\nanswer: 42\n", document=False)

    assert cli.main(["import", str(file), "--into", str(tmp_path / "compositional_skills" / "new"), "--yes"]) == 0
    assert "It is not complete yet" in capsys.readouterr().out
    assert file.read_text() == "question: Q?\nanswer: 42\n"

    assert cli.main(["import", str(file), "--into", str(tmp_path / "compositional_skills" / "new"), "--yes"]) == 1
    assert "There is a lesson" in capsys.readouterr().err
    write(tmp_path / "facts", knowledge())
    assert cli.main(["import", str(tmp_path / "facts"), "--into", str(tmp_path / "compositional_skills" / "x")]) == 1
    assert "belongs below knowledge" in capsys.readouterr().err


def test_import_into_another_folder_brings_the_documents(tmp_path, capsys):
    velmora, place = paths.resources() / "practice" / "velmora", tmp_path / "knowledge" / "islands" / "velmora"

    assert cli.main(["import", str(velmora), "--into", str(place), "--yes"]) == 0

    assert "not complete" not in capsys.readouterr().out
    assert (place / "velmora.md").read_bytes() == (velmora / "velmora.md").read_bytes()
    assert (place / "attribution.txt").is_file()
    assert cli.main(["check", str(place)]) == 0


@pytest.mark.skipif(os.name == "nt", reason="there is no pty")
@pytest.mark.parametrize(("typed", "status", "is_written"), [("y\n", 0, True), ("n\n", 1, False), ("\x04", 1, False)])
def test_import_asks_a_person_at_a_terminal(typed, status, is_written, tmp_path):
    file = write(tmp_path / "rhyme", skill(version=2), document=False)
    screen, keyboard = os.openpty()
    command = [sys.executable, "-m", "lab_desktop", "import", str(file)]
    with subprocess.Popen(
        command, stdin=keyboard, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        os.write(screen, typed.encode())
        out, _ = process.communicate(timeout=60)
    os.close(screen)
    os.close(keyboard)

    assert "[y/n]" in out
    assert process.returncode == status
    assert (file.read_text() == skill()) is is_written


def test_import_of_a_folder_or_archive_brings_many_into_the_library_in_one_step(tmp_path, capsys):
    root = tmp_path / "library"
    write(root / "knowledge" / "science" / "bay", knowledge())
    friend = tmp_path / "friend"
    write(friend / "knowledge" / "science" / "bay", knowledge(6))
    write(friend / "knowledge" / "science" / "reef", knowledge())
    write(friend / "compositional_skills" / "rhyme", "# mine\n" + skill(version=2), document=False)
    write(friend / "knowledge" / "letter", "Dear Jane", document=False)

    assert cli.main(["import", str(friend), "--into", str(root)]) == 1
    said = capsys.readouterr()
    assert "Nothing was written" in said.err and not (root / "compositional_skills").exists()
    assert "fine       knowledge/science/bay_2 (its name is taken): 6 examples with 18 questions in all.\n" in said.out
    assert (
        "mended     compositional_skills/rhyme: 5 examples with 5 questions in all.\nLine 2: The lesson has" in said.out
    )
    assert "not taken  knowledge/letter/qna.yaml: There is nothing of a lesson in it.\n" in said.out

    shutil.make_archive(str(tmp_path / "friend"), "zip", friend)
    assert cli.main(["import", str(tmp_path / "friend.zip"), "--into", str(root), "--yes"]) == 0
    made = capsys.readouterr().out.splitlines()[-3:]
    assert made == [
        str(root / name) for name in ("compositional_skills/rhyme", "knowledge/science/bay_2", "knowledge/science/reef")
    ]
    assert (root / "knowledge" / "science" / "reef" / "island.md").is_file()
    assert Library(root).undo() is not None
    assert not (root / "knowledge" / "science" / "reef").exists()


def test_import_into_a_library_with_a_damaged_history_says_so(tmp_path, capsys):
    root = tmp_path / "library"
    write(root / "knowledge" / "science" / "bay", knowledge())
    Library(root).rename(Path("knowledge/science/bay"), "Bight")
    journal = root / ".lab-desktop" / "history.jsonl"
    journal.write_bytes(b"{" + journal.read_bytes())
    write(tmp_path / "friend" / "knowledge" / "reef", knowledge())

    assert cli.main(["import", str(tmp_path / "friend"), "--into", str(root), "--yes"]) == 0

    said = capsys.readouterr().err
    assert "cannot be undone any more" in said and str(next(root.glob("**/*.damaged"))) in said


def test_import_of_many_needs_lessons_and_a_library(tmp_path, capsys, monkeypatch):
    (tmp_path / "empty").mkdir()
    write(tmp_path / "library" / "knowledge" / "bay", knowledge())

    for arguments, words in (
        (["--into", str(tmp_path / "library")], "There is no lesson in"),
        (["--into", str(tmp_path / "empty")], "is not a library"),
        ([], "There is no library at"),
    ):
        monkeypatch.setenv("LAB_DESKTOP_HOME", str(tmp_path / "home"))
        assert cli.main(["import", str(tmp_path / "empty"), *arguments, "--yes"]) == 1
        assert words in capsys.readouterr().err
    library = tmp_path / "library"
    assert cli.main(["import", str(library / "knowledge"), "--into", str(library), "--yes"]) == 1
    assert "There is nothing new in it" in capsys.readouterr().err


def test_import_of_no_lesson_is_one_sentence(tmp_path, capsys):
    (tmp_path / "letter.txt").write_text("Dear Jane")

    assert cli.main(["import", str(tmp_path / "letter.txt"), "--yes"]) == 1

    assert "nothing of a lesson" in capsys.readouterr().err


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_is_filled_in_by_its_family(name):
    (commands,) = cli._parser([name])._subparsers._group_actions

    assert commands.choices[name].get_default("action").__module__ == f"lab_desktop.commands.{cli.COMMANDS[name][0]}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsuch"], "invalid choice"),
        (["learn"], "LEAF"),
        (["learn", ""], "a name is needed"),
        (["learn", "x", "--run", ""], "a name is needed"),
        (["learn", "x", "--samples", "0"], "a whole number from 1 to 100,000 is needed, not '0'"),
        (["learn", "x", "--samples", "many"], "a whole number from 1 to 100,000 is needed, not 'many'"),
        (["learn", "x", "--samples", "9" * 5000], "a whole number"),
        (["learn", "x", "--seed", "-1"], "a whole number from 0"),
        (["suggest", "x", "--passage", "0"], "a whole number from 1"),
        (["chat", " "], "a name is needed"),
        (["export", "x", "--as", "Q9"], "invalid choice"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_wanted(arguments, words, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)

    assert ended.value.code == 2
    assert words in capsys.readouterr().err
