"""projects.py: folders that say how far they are by what lies in them."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lab_desktop import paths, projects
from lab_desktop.errors import LeafError, RunError
from lab_desktop.files import write_json
from lab_desktop.jobs import requests

VELMORA = paths.resources() / "practice" / "velmora"


def test_a_project_has_its_own_copy_of_its_lessons(tmp_path: Path) -> None:
    project = projects.create(tmp_path, "Our manual", [VELMORA])

    assert (next(project.lessons.rglob("qna.yaml"))).read_bytes() == (VELMORA / "qna.yaml").read_bytes()
    assert projects.read(project.folder) == project
    assert projects.every(tmp_path) == [project]


def test_lessons_of_an_app_that_may_only_be_read_may_be_changed_in_a_project(tmp_path: Path) -> None:
    shipped = tmp_path / "app" / VELMORA.name
    shutil.copytree(VELMORA, shipped)
    for path in (*shipped.rglob("*"), shipped):
        path.chmod(0o444 if path.is_file() else 0o555)

    project = projects.create(tmp_path / "home", "Velmora", [shipped])
    projects.add_lessons(project, [shipped])

    copies = [project.lessons, *project.lessons.rglob("*")]
    assert len(copies) > 3
    assert all(path.stat().st_mode & stat.S_IWUSR for path in copies)
    for path in (shipped, *shipped.rglob("*")):
        path.chmod(0o755)


def test_a_lesson_is_added_at_its_place_and_one_that_is_there_is_kept_aside(tmp_path: Path) -> None:
    project = projects.create(tmp_path / "projects", "Mine", [VELMORA])
    library = tmp_path / "knowledge" / "islands" / "osmery"
    shutil.copytree(VELMORA, library)
    (library / ".hidden").touch()
    (library / ".originals").mkdir()
    (library / ".originals" / "velmora.pdf").write_bytes(b"%PDF")
    assert projects.lesson_states(project, [VELMORA, library]) == {VELMORA: "same", library: "new"}

    projects.add_lessons(project, [library])
    (library / "velmora.md").write_text("Other words.", encoding="utf-8")
    assert projects.lesson_states(project, [library]) == {library: "other"}
    projects.add_lessons(project, [library])

    own = project.lessons / "knowledge" / "islands" / "osmery"
    assert {path.name for path in own.iterdir()} == {".originals", *(path.name for path in VELMORA.iterdir())}
    assert (own / ".originals" / "velmora.pdf").read_bytes() == b"%PDF"
    assert (own / "velmora.md").read_text("utf-8") == "Other words."
    (kept,) = (project.folder / "replaced").iterdir()
    assert (kept / "velmora.md").read_bytes() == (VELMORA / "velmora.md").read_bytes()
    assert projects.lesson_states(project, [library]) == {library: "same"}


def test_copies_follow_lessons_and_topics_that_moved_and_a_place_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    islands = tmp_path / "knowledge" / "islands"
    for name in ("osmery", "velmora", "orra"):
        shutil.copytree(VELMORA, islands / name)
    project = projects.create(tmp_path / "projects", "Mine", [islands / name for name in ("osmery", "velmora", "orra")])
    own = project.lessons / "knowledge"

    projects.follow(project, [(Path("knowledge/islands/osmery"), Path("knowledge/history/osmery"))])
    assert sorted(path.parent.name for path in own.rglob("qna.yaml")) == ["orra", "osmery", "velmora"]
    assert (own / "history" / "osmery" / "velmora.md").is_file()
    projects.follow(project, [(Path("knowledge/islands/orra"), Path("knowledge/history/osmery"))])
    assert (own / "islands" / "orra" / "qna.yaml").is_file()
    projects.follow(project, [(Path("knowledge/islands"), Path("knowledge/sea/isles")), (Path("a"), Path("b"))])

    assert (own / "sea" / "isles" / "velmora" / "qna.yaml").is_file()
    assert (own / "sea" / "isles" / "orra" / "qna.yaml").is_file()


def test_a_draft_is_not_added_and_nothing_else_is(tmp_path: Path) -> None:
    project = projects.create(tmp_path / "projects", "Mine", [VELMORA])
    draft = tmp_path / "knowledge" / "draft"
    draft.mkdir(parents=True)
    (draft / "qna.yaml").write_text("version: 3\n", encoding="utf-8")
    other = tmp_path / "knowledge" / "other"
    shutil.copytree(VELMORA, other)

    with pytest.raises(LeafError):
        projects.add_lessons(project, [other, draft])

    assert not (project.lessons / "knowledge" / "other").exists()


def test_two_projects_may_have_the_same_title(tmp_path: Path) -> None:
    first, second = (projects.create(tmp_path, "Über uns / 2026", [VELMORA]) for _ in range(2))

    assert first.folder != second.folder
    assert first.title == second.title


def test_a_run_asks_for_the_projects_lessons_and_model(tmp_path: Path) -> None:
    project = projects.create(tmp_path, "Our manual", [VELMORA])
    first = projects.new_run(project, Path("/models/m.gguf"))
    second = projects.new_run(project, Path("/models/m.gguf"))

    assert (first.name, second.name) == ("001", "002")
    assert project.run == second
    request = requests.read(second)
    assert (request.leaves, request.student) == ((project.lessons,), Path("/models/m.gguf"))


def test_how_far_a_run_is_follows_from_its_files(tmp_path: Path) -> None:
    assert projects.state(None).station == "practice"
    (tmp_path / "samples.jsonl").write_text('{"accepted": true}\n{"accepted": false}\n', encoding="utf-8")
    assert (projects.state(tmp_path).written, projects.state(tmp_path).kept) == (2, 1)
    stations = {"dataset/manifest.json": "train", "adapter/adapter.json": "check", "report.json": "use"}
    for name, station in stations.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}", encoding="utf-8")
        assert projects.state(tmp_path).station == station


def test_counts_follow_a_file_that_grows_and_one_that_is_another(tmp_path: Path) -> None:
    counts, file = projects.Counts(), tmp_path / "samples.jsonl"
    kept, dropped = '{"id": "a", "accepted": true}\n', '{"id": "b", "accepted": false}\n'
    file.write_text(kept * 3 + dropped[:9], encoding="utf-8")
    assert counts.count(tmp_path) == (3, 3)

    file.write_text(kept * 3 + dropped * 2, encoding="utf-8")
    assert counts.count(tmp_path) == (5, 3)
    file.write_text(dropped, encoding="utf-8")
    assert counts.count(tmp_path) == (1, 0)
    file.unlink()
    assert counts.count(tmp_path) == (0, 0)


def test_a_file_that_cannot_be_read_is_told_in_the_state(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").mkdir()

    assert '"samples.jsonl"' in projects.state(tmp_path).problem


@pytest.mark.parametrize("content", ["", "[]", '{"title": 3}', '{"title": "x", "samples": "many"}'])
def test_a_damaged_project_is_told_and_the_others_are_shown(tmp_path: Path, content: str) -> None:
    whole = projects.create(tmp_path, "Whole", [VELMORA])
    broken = projects.create(tmp_path, "Broken", [VELMORA])
    (broken.folder / projects.FILE_NAME).write_text(content, encoding="utf-8")

    assert projects.every(tmp_path) == [whole]
    with pytest.raises(RunError):
        projects.read(broken.folder)


def test_a_setting_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    project = projects.create(tmp_path, "Our manual", [VELMORA])
    file = project.folder / projects.FILE_NAME
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"colour": "blue"}), encoding="utf-8")

    assert projects.read(project.folder) == project


@pytest.mark.parametrize("content", ["", "[]", '{"title": 3}', None])
def test_a_damaged_project_is_found_and_put_right_with_its_models(tmp_path: Path, content: str | None) -> None:
    model, teacher = tmp_path / "granite.gguf", tmp_path / "teacher.gguf"
    project = replace(projects.create(tmp_path, "Our manual", [VELMORA]), model=str(model), teacher=str(teacher))
    projects.new_run(replace(project, samples=40), paths.practice_model())
    file = project.folder / projects.FILE_NAME
    file.write_text(content, encoding="utf-8") if content is not None else file.unlink()

    whole, (damaged,) = projects.found(tmp_path)
    mended = projects.mend(damaged)

    assert whole == []
    assert projects.found(tmp_path) == ([mended], [])
    assert (mended.title, mended.model, mended.teacher, mended.samples) == (
        "our-manual", str(model), str(teacher), 40,
    )  # fmt: skip
    if content is not None:
        assert (project.folder / "project.json.damaged").read_text(encoding="utf-8") == content


def test_a_damaged_project_of_the_practice_model_learns_with_it_again(tmp_path: Path) -> None:
    project = projects.create(tmp_path, "Velmora", [VELMORA])
    projects.new_run(project, paths.practice_model())
    (project.folder / projects.FILE_NAME).write_text("{", encoding="utf-8")

    mended = projects.mend(projects.found(tmp_path)[1][0])

    assert (mended.model, mended.teacher) == ("", "")


def test_a_project_that_was_killed_while_it_was_put_right_is_still_found(tmp_path: Path) -> None:
    project = projects.create(tmp_path, "Velmora", [VELMORA])
    file = project.folder / projects.FILE_NAME
    file.rename(file.with_name("project.json.damaged"))

    (damaged,) = projects.found(tmp_path)[1]
    projects.mend(damaged)

    assert [each.title for each in projects.every(tmp_path)] == ["velmora"]


def test_how_long_it_practises_is_kept_with_the_project_and_its_run(tmp_path: Path) -> None:
    project = projects.create(tmp_path, "Velmora", [VELMORA])
    run = projects.new_run(project, paths.practice_model())
    before = requests.read(run)
    assert before.effort == "standard"

    chosen = projects.choose_effort(project, "thorough")

    assert requests.read(run) == replace(before, effort="thorough")
    assert projects.read(project.folder) == chosen
    assert requests.read(projects.new_run(chosen, paths.practice_model())).effort == "thorough"
    write_json(project.folder / projects.FILE_NAME, {"title": "Velmora", "effort": "endless"})
    with pytest.raises(RunError, match="damaged"):
        projects.read(project.folder)


def test_what_a_killed_creation_left_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "velmora" / "lessons").mkdir(parents=True)

    assert projects.found(tmp_path) == ([], [])


def test_the_run_in_hand_hears_how_many_questions_are_wanted(tmp_path: Path) -> None:
    project = projects.create(tmp_path, "Velmora", [VELMORA])
    run = projects.new_run(project, paths.practice_model())
    before = requests.read(run)

    projects.ask_for(project, 40)

    assert requests.read(run) == replace(before, samples=40)
    assert projects.read(project.folder).samples == 40


def test_a_lesson_that_comes_again_leaves_the_project_its_own_questions(tmp_path: Path) -> None:
    bare = tmp_path / "library" / "knowledge" / "velmora"
    shutil.copytree(VELMORA, bare)
    (bare / "exam.yaml").unlink()
    project = projects.create(tmp_path / "projects", "Mine", [bare])
    own = project.lessons / "knowledge" / "velmora" / "exam.yaml"
    own.write_text("questions: [{question: Who, answer: Mira.}]\n", encoding="utf-8")
    assert projects.lesson_states(project, [bare]) == {bare: "same"}

    projects.add_lessons(project, [bare])

    assert "Mira." in own.read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="uses setuid to lose root's right to read everywhere")
@pytest.mark.parametrize("mode", [0o000, 0o400, 0o600])
def test_a_project_that_may_not_be_opened_is_told_and_keeps_nobody_from_the_others(tmp_path: Path, mode: int) -> None:
    root = tmp_path / "projects"
    for title in ("Open", "Shut"):
        projects.create(root, title, [VELMORA])
    (shut,) = root.glob("[sS]hut*")
    (root / "a file").touch(mode=0)
    shut.chmod(mode)
    script = """
import os, sys
from pathlib import Path
from lab_desktop import projects
from lab_desktop.errors import StorageError
os.chdir(sys.argv[1])  # the folders above belong to the caller alone
if os.getuid() == 0:
    os.setuid(65534)
whole, damaged = projects.found(Path("."))
print([each.title for each in whole], [each.why for each in damaged])
try:
    projects.mend(damaged[0])
except StorageError as error:
    print(error.message)
"""

    done = subprocess.run([sys.executable, "-c", script, str(root)], capture_output=True, text=True, timeout=60)
    shut.chmod(0o700)

    assert done.stdout.splitlines() == [
        "['Open'] ['Its folder may not be opened.']",
        f"project.json could not be written: {shut.name} does not allow writing.",
    ], done.stderr
