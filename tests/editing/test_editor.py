"""Saving as one types: what is on disk after every step, a restart, a crash, and somebody else's change."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab_desktop.artifacts import LeafKind, Pair
from lab_desktop.editing import journal
from lab_desktop.editing import lesson as edit
from lab_desktop.editing.editor import ChangedElsewhere, Editor
from lab_desktop.editing.folder import files_of, read_lesson, write_file
from lab_desktop.editing.leaf import with_ids_of
from lab_desktop.editing.lesson import Field, Lesson, Mark, with_text
from lab_desktop.errors import LabError, LeafError, StorageError
from lab_desktop.taxonomy.qna import read_draft, read_leaf
from tests.editing.lessons import Change, changes, new, whole

DOMAIN = Field("domain")


_OPEN: list[Editor] = []


def test_half_files_that_a_kill_left_go_and_those_of_another_window_stay(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    old, young = folder / ".qna.yaml.a1.part", folder / ".qna.yaml.b2.part"
    for half in (old, young):
        half.write_text("version: 3\n")
    os.utime(old, (0, 0))

    opened(folder)

    assert [path.name for path in folder.glob(".*.part")] == [young.name]


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """No test leaves a journal open."""
    yield
    while _OPEN:
        with contextlib.suppress(LabError):
            _OPEN.pop().close()


def opened(folder: Path) -> Editor:
    _OPEN.append(Editor(folder))
    return _OPEN[-1]


def put(root: Path, lesson: Lesson) -> Path:
    """The lesson's own files in its place below `root`, as somebody else would have made them."""
    folder = root.joinpath(*lesson.node)
    for name, text in files_of(lesson, folder).items():
        if not name.startswith("."):
            write_file(folder, name, text)
    return folder


def kept(lesson: Lesson) -> Lesson:
    """What must come back of a lesson, with ids from 1."""
    return with_ids_of(replace(lesson, patterns=()), Lesson(lesson.kind, lesson.node))


def type_in(editor: Editor, text: str, field: Field = DOMAIN, now: float = 0.0) -> None:
    editor.apply(lambda lesson: with_text(lesson, field, text), "typing", field, is_typing=True, now=now)


def test_nothing_is_written_before_something_changes(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    (folder / "qna.yaml").write_text((folder / "qna.yaml").read_text().replace('"jane"', "jane"))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    editor = opened(folder)
    editor.close()

    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_change_is_on_disk_half_a_second_later_and_only_its_file_is_written(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    document = (folder / "velmora.md").stat().st_mtime_ns

    type_in(editor, "Isles", now=10.0)

    assert not editor.save_if_due(10.4)
    assert read_draft(folder).domain == "Islands"
    assert editor.save_if_due(10.5)
    assert read_leaf(folder).domain == "Isles"
    assert editor.is_saved
    assert (folder / "velmora.md").stat().st_mtime_ns == document
    assert not editor.save_if_due(99)


def test_who_types_without_a_pause_is_saved_all_the_same(tmp_path: Path) -> None:
    editor = opened(put(tmp_path, whole()))
    saved = []
    for tenth in range(20):
        type_in(editor, "I" * (tenth + 1), now=tenth / 10)
        if editor.save_if_due(tenth / 10):
            saved.append(tenth)
    assert saved == [5, 11, 17]


def test_suggestions_empty_cards_and_the_title_come_back_after_a_restart(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    editor.apply(
        lambda it: edit.add_pairs(it, it.examples[0].id, [Pair("Who?", "Rolf.")], Mark.SUGGESTED, ["By Rolf."])
    )
    editor.apply(lambda it: edit.add_pairs(it, it.examples[1].id, [Pair("", "")]))
    editor.apply(lambda it: edit.accept(edit.add_pairs(it, 1, [Pair("a", "b")], Mark.SUGGESTED), it.last_id + 1))
    editor.apply(lambda it: edit.add_example(it, "", [Pair("New?", "Yes.")], Mark.SUGGESTED))
    editor.apply(lambda it: with_text(it, Field("title"), "Velmora & Söhne"))
    editor.close()
    shutil.copytree(folder, tmp_path / "copy" / "velmora")
    (folder / ".editing" / "history.jsonl").unlink()

    lesson = read_lesson(folder)

    assert kept(lesson) == kept(editor.lesson)
    assert "Who?" not in (folder / "qna.yaml").read_text()
    assert lesson.title == "Velmora & Söhne"
    assert [pair.mark for pair in lesson.examples[0].pairs][-2:] == [Mark.SUGGESTED, Mark.ACCEPTED]
    assert lesson.examples[0].pairs[-2].sentence == "By Rolf."


def test_suggestions_stay_when_qna_yaml_was_changed_by_somebody_else(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    editor.apply(lambda it: edit.add_pairs(it, it.examples[0].id, [Pair("Who?", "Rolf.")], Mark.SUGGESTED))
    editor.close()
    (folder / "qna.yaml").write_text((folder / "qna.yaml").read_text().replace("Islands", "Isles"))

    lesson = read_lesson(folder)

    assert lesson.domain == "Isles"
    assert lesson.examples[0].pairs[-1].question == "Who?"
    assert lesson.examples[0].pairs[-1].mark is Mark.SUGGESTED


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"of": "", "name": "velmora", "title": 7, "kind": "x", "examples": 7}']
)
def test_a_damaged_hidden_file_loses_only_what_was_not_decided(tmp_path: Path, damage: str) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    type_in(editor, "Isles")
    editor.close()
    for name in ("lesson.json", "history.jsonl"):
        (folder / ".editing" / name).write_text(damage)

    again = opened(folder)

    assert kept(again.lesson) == kept(editor.lesson)
    assert again.undoes is None
    type_in(again, "Bays")
    again.close()
    assert read_leaf(folder).domain == "Bays"


def test_undo_goes_on_after_a_restart(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    start = editor.lesson
    lessons = [start]
    for number in range(30):
        type_in(editor, f"Isles {number}", now=number * 10.0)
        lessons.append(editor.lesson)
        if number % 3 == 0:
            editor.save()
    editor.undo()
    editor.undo()
    editor.close()

    again = opened(folder)

    assert again.lesson == lessons[-3]
    assert again.redo() is not None
    assert again.lesson == lessons[-2]
    for lesson in reversed(lessons[:-2]):
        step = again.undo()
        assert step is not None and step.words == "typing" and step.field == DOMAIN
        assert again.lesson == lesson
    assert again.undo() is None
    again.close()
    assert read_leaf(folder).domain == "Islands"


def test_a_step_that_was_typed_on_or_undone_and_done_otherwise_is_there_once_after_a_restart(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    for text in ("I", "Is", "Isl"):
        type_in(editor, text, now=0)
        editor.save()
    type_in(editor, "Isle", now=10)
    editor.save()
    editor.undo()
    type_in(editor, "Bay", now=20)
    editor.close()

    again = opened(folder)
    seen = [again.lesson.domain]
    while again.undo():
        seen.append(again.lesson.domain)

    assert seen == ["Bay", "Isl", "Islands"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(LeafKind),
    st.lists(st.one_of(changes(), st.sampled_from(["undo", "redo", "save", "open"])), max_size=15),
)
def test_whatever_is_done_the_disk_says_the_same_and_a_restart_goes_on(
    tmp_path: Path, kind: LeafKind, steps: list[Change | str]
) -> None:
    root = tmp_path / "t"
    shutil.rmtree(root, ignore_errors=True)
    folder = put(root, whole(kind))
    editor = opened(folder)
    for step in [*steps, "save"]:
        if step == "undo":
            editor.undo()
        elif step == "redo":
            editor.redo()
        elif step == "save":
            editor.save()
        elif step == "open":
            editor.close()
            before, words = editor.lesson, editor.undoes
            editor = opened(folder)
            assert editor.lesson == before
            assert (editor.undoes is None) == (words is None)
        else:
            editor.apply(step)  # type: ignore[arg-type]

    on_disk = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    wanted = {name: text.encode("utf-8", "replace") for name, text in files_of(editor.lesson, folder).items()}
    assert {name: on_disk.get(name) for name in wanted if ".editing" not in name} == {
        name: text for name, text in wanted.items() if ".editing" not in name
    }
    assert {name for name in on_disk if ".editing" not in name} == {name for name in wanted if ".editing" not in name}
    editor.close()


def test_a_journal_that_grew_is_written_anew_with_the_newest_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "MOST_STEPS", 40)
    folder = put(tmp_path, whole())
    editor = opened(folder)
    files = []
    for number in range(100):
        type_in(editor, f"Isles {number}", now=number * 10.0)
        editor.save()
        files.append((folder / ".editing" / "history.jsonl").stat().st_ino)
    assert sum(one != two for one, two in itertools.pairwise(files)) < 15
    for _ in range(5):
        editor.undo()
    editor.close()
    rows = (folder / ".editing" / "history.jsonl").read_text().count("\n")

    again = opened(folder)
    seen = [again.lesson.domain]
    while again.undo():
        seen.append(again.lesson.domain)

    assert rows <= 40
    assert seen[:5] == [f"Isles {number}" for number in (94, 93, 92, 91, 90)]
    assert 10 <= len(seen) <= 40


def test_typing_into_a_long_document_adds_little_to_the_journal(tmp_path: Path) -> None:
    text = "Velmora has a pier. " * 40_000
    folder = put(tmp_path, edit.add_document(whole(), "velmora.md", text))
    editor = opened(folder)
    field = Field("document", document="velmora.md")
    type_in(editor, text[:400_000] + "x" + text[400_000:], field, now=0)
    editor.save()
    size = (folder / ".editing" / "history.jsonl").stat().st_size

    type_in(editor, text[:400_000] + "xy" + text[400_000:], field, now=10)
    start = time.thread_time()
    editor.save()

    assert time.thread_time() - start < 2
    assert (folder / ".editing" / "history.jsonl").stat().st_size - size < 3000
    editor.close()
    assert opened(folder).undo() is not None


def test_a_lesson_too_long_for_the_journal_is_saved_all_the_same(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    type_in(editor, "Isles")
    editor.save()
    editor.apply(lambda it: edit.add_document(it, "long.md", "word " * 300_000))
    editor.close()

    assert not (folder / ".editing" / "history.jsonl").exists()
    assert kept(opened(folder).lesson) == kept(editor.lesson)


def test_a_change_from_elsewhere_is_offered_and_never_written_over(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    type_in(editor, "Isles")
    theirs = (folder / "qna.yaml").read_text().replace("jane", "ada")
    (folder / "qna.yaml").write_text(theirs)

    with pytest.raises(ChangedElsewhere, match="another program") as caught:
        editor.save()

    assert caught.value.names == ("qna.yaml",)
    assert (folder / "qna.yaml").read_text() == theirs
    assert not editor.is_saved
    editor.take_theirs()
    editor.save()
    assert (editor.lesson.created_by, editor.lesson.domain) == ("ada", "Islands")
    editor.undo()
    editor.save()
    assert (read_leaf(folder).created_by, read_leaf(folder).domain) == ("jane", "Isles")


def test_ours_can_be_kept_and_theirs_is_one_undo_away(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    type_in(editor, "Isles")
    (folder / "qna.yaml").write_text((folder / "qna.yaml").read_text().replace("jane", "ada"))

    editor.keep_ours()

    assert (read_leaf(folder).created_by, read_leaf(folder).domain) == ("jane", "Isles")
    editor.undo()
    editor.save()
    assert read_leaf(folder).created_by == "ada"


def test_theirs_that_cannot_be_read_is_put_aside_when_ours_is_kept(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    type_in(editor, "Isles")
    (folder / "qna.yaml").write_text("a: [")

    with pytest.raises(LeafError, match="Line 1"):
        editor.take_theirs()
    editor.keep_ours()

    assert read_leaf(folder).domain == "Isles"
    assert (folder / ".editing" / "removed" / "qna.yaml").read_text() == "a: ["


def test_a_file_that_was_only_touched_or_says_the_same_is_no_change(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    os.utime(folder / "qna.yaml", (1, 1))
    (folder / "more.md").write_text("# More\n")

    editor.apply(lambda it: edit.add_document(it, "more.md", "# More\n"))
    editor.save()

    assert editor.changed_elsewhere() == ()
    (folder / "new.md").write_text("theirs")
    editor.apply(lambda it: edit.add_document(it, "new.md", "ours"))
    with pytest.raises(ChangedElsewhere, match="new"):
        editor.save()


def test_a_change_while_it_was_closed_is_a_step_that_can_be_undone(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    type_in(editor, "Isles")
    editor.close()
    (folder / "qna.yaml").write_text((folder / "qna.yaml").read_text().replace("Isles", "Bays"))

    again = opened(folder)

    assert again.lesson.domain == "Bays"
    assert again.is_saved
    again.undo()
    again.close()
    assert read_leaf(folder).domain == "Isles"


def test_a_document_that_is_taken_out_lies_hidden_and_comes_back_with_undo(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    text = (folder / "velmora.md").read_text()

    editor.apply(lambda it: edit.remove_document(it, "velmora.md"))
    editor.save()

    assert not (folder / "velmora.md").exists()
    assert (folder / ".editing" / "removed" / "velmora.md").read_text() == text
    editor.undo()
    editor.close()
    assert (folder / "velmora.md").read_text() == text


def test_the_history_moves_with_the_lesson(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    type_in(editor, "Isles")
    editor.apply(lambda it: with_text(it, Field("title"), "Our Velmora"))
    editor.save()
    moved = folder.with_name("our_velmora")
    folder.rename(moved)

    editor.moved(moved)
    type_in(editor, "Bays", now=10)
    editor.close()

    assert read_leaf(moved).domain == "Bays"
    assert editor.lesson.node[-1] == "our_velmora"
    again = opened(moved)
    assert (again.lesson.title, again.lesson.domain) == ("Our Velmora", "Bays")
    again.undo()
    assert (again.lesson.title, again.lesson.domain) == ("Our Velmora", "Isles")
    again.close()
    elsewhere = moved.with_name("island")
    moved.rename(elsewhere)
    assert opened(elsewhere).lesson.title == "Island"
    assert opened(elsewhere).lesson.node[-1] == "island"


def test_a_lesson_that_cannot_be_written_says_so_and_loses_nothing(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    type_in(editor, "Isles")
    (folder / ".editing").write_text("a file where the folder should be")

    with pytest.raises(StorageError):
        editor.save()

    assert not editor.is_saved
    assert read_leaf(folder).domain == "Islands"
    (folder / ".editing").unlink()
    editor.save()
    assert read_leaf(folder).domain == "Isles"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("note: mine\n", 'the field "note"'),
        ("# a comment\n", "its comments"),
        ('created_by: "two"\n', "there twice"),
    ],
)
def test_a_lesson_that_would_lose_something_is_not_opened(tmp_path: Path, text: str, said: str) -> None:
    folder = put(tmp_path, whole())
    before = (folder / "qna.yaml").read_text() + text
    (folder / "qna.yaml").write_text(before)

    with pytest.raises(LeafError, match=said) as caught:
        opened(folder)

    assert "Import" in caught.value.hint
    assert (folder / "qna.yaml").read_text() == before


def test_an_older_skill_is_opened_and_saved_as_the_newest(tmp_path: Path) -> None:
    folder = put(tmp_path, whole(LeafKind.FREEFORM_SKILL))
    file = folder / "qna.yaml"
    file.write_text(file.read_text().replace("version: 3", "version: 2"))
    editor = opened(folder)
    assert "version: 2" in file.read_text()

    type_in(editor, "ada", Field("created_by"))
    editor.close()

    assert read_leaf(folder).version == 3


CHILD = """
import random, sys, time
from pathlib import Path
from lab_desktop.editing import lesson as edit
from lab_desktop.editing import editor as room
from lab_desktop.editing.editor import Editor
from lab_desktop.editing.lesson import Field, with_text
folder, seed = Path(sys.argv[1]), int(sys.argv[2])
dice = random.Random(seed)
room.DUE_S = room.DUE_S if seed % 2 else 0.0  # saving all the time, it is killed while it saves
editor = Editor(folder)
number = int(editor.lesson.domain.split()[-1]) if editor.lesson.domain.startswith("Edit ") else 0
print("open", number, flush=True)
while True:
    number += 1
    editor.apply(lambda it: with_text(it, Field("domain"), f"Edit {number}"), "typing", Field("domain"), is_typing=True)
    name = editor.lesson.documents[0].name
    editor.apply(lambda it: with_text(it, Field("document", document=name), f"# Edit {number}\\n\\nText."), "typing")
    editor.apply(lambda it: with_text(it, Field("attribution"), f"Edit {number}"), "typing")
    print(number, time.monotonic(), flush=True)
    editor.save_if_due(time.monotonic())
    time.sleep(dice.random() * 0.02)
"""


@pytest.mark.slow
def test_a_kill_at_any_moment_loses_at_most_a_second_and_the_lesson_is_always_readable(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    dice = random.Random(3)
    for round_ in range(8):
        script = [sys.executable, "-c", CHILD, str(folder), str(round_)]
        with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            began = int(child.stdout.readline().split()[1])
            time.sleep(0.6 + dice.random() * 0.8)
            os.kill(child.pid, signal.SIGKILL)
            killed = time.monotonic()
            done = [(int(number), float(at)) for number, at in map(str.split, child.stdout.read().splitlines())]

        assert read_lesson(folder).examples
        editor = opened(folder)
        number = int(editor.lesson.domain.split()[-1]) if editor.lesson.domain != "Islands" else 0
        safe = max((each for each, at in done if at < killed - 1), default=began)
        assert number >= safe
        if number:
            assert editor.lesson.documents[0].text == f"# Edit {number}\n\nText."
            assert editor.lesson.attribution == f"Edit {number}"
        editor.save()
        editor.close()
        assert read_leaf(folder).domain == editor.lesson.domain
    assert number > 20


def test_a_kill_between_two_files_is_mended_when_the_lesson_is_opened(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    editor.apply(lambda it: edit.add_document(it, "velmora.md", "# New\n\nText."))
    type_in(editor, "Isles")
    type_in(editor, "Title of work: other", Field("attribution"))
    names = [name for name in files_of(editor.lesson, folder) if name != ".editing/lesson.json"]
    editor.save()
    editor.close()
    after = {name: (folder / name).read_text() for name in names}
    before = files_of(whole(), folder)

    for count in range(len(names)):
        for place, name in enumerate(names):
            (folder / name).write_text(after[name] if place < count else before[name])

        again = opened(folder)

        assert (again.lesson.domain, again.lesson.documents[0].text) == ("Isles", "# New\n\nText.")
        assert not again.is_saved
        again.close()
        assert {name: (folder / name).read_text() for name in names} == after
        assert json.loads((folder / ".editing" / "lesson.json").read_text())["title"] == "Velmora"


def test_an_empty_lesson_can_be_opened_and_written(tmp_path: Path) -> None:
    for kind in LeafKind:
        folder = tmp_path / kind / Path(*new(kind).node)
        write_file(folder, "qna.yaml", files_of(new(kind), folder)["qna.yaml"] if kind != LeafKind.KNOWLEDGE else "")
        editor = opened(folder)
        assert editor.lesson.is_knowledge == (kind is LeafKind.KNOWLEDGE)
        type_in(editor, "ada", Field("created_by"))
        editor.close()
        assert read_draft(folder).created_by == "ada"


def test_one_can_type_on_while_another_thread_saves(tmp_path: Path) -> None:
    folder = put(tmp_path, whole())
    editor = opened(folder)
    is_done = threading.Event()

    def save() -> None:
        while not is_done.is_set():
            editor.save()

    saver = threading.Thread(target=save)
    saver.start()
    try:
        for number in range(60):
            type_in(editor, f"Isles {number}", now=number * 10.0)
            time.sleep(0.001 * (number % 12))
            type_in(editor, f"Bays {number}", now=number * 10.0 + 5)
            while not editor.is_saved:
                time.sleep(0.001)
            assert read_draft(folder).domain == f"Bays {number}"
    finally:
        is_done.set()
        saver.join()

    last = editor.lesson
    editor.close()
    assert opened(folder).lesson == last


def test_git_sees_the_lesson_and_nothing_of_what_is_hidden_beside_it(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    folder = put(tmp_path, whole())
    editor = opened(folder)
    type_in(editor, "Isles")
    editor.apply(lambda it: edit.add_document(it, "more.md", "More."))
    editor.save()
    editor.apply(lambda it: edit.remove_document(it, "more.md"))
    editor.save()

    said = subprocess.run(
        ["git", "-C", str(tmp_path), "status", "--porcelain", "-uall"], capture_output=True, text=True, check=True
    ).stdout

    assert sorted(Path(line[3:]).name for line in said.splitlines()) == ["attribution.txt", "qna.yaml", "velmora.md"]
    assert (folder / ".editing" / "removed" / "more.md").is_file()
