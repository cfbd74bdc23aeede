"""moving.py: the models go elsewhere and back; killed between any two steps, every model is in one place and found."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from lab_desktop import paths
from lab_desktop.errors import Cancelled, StorageError
from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import DownloadRequest, MoveRequest
from lab_desktop.jobs.run import Run
from lab_desktop.models import moving, records, store
from lab_desktop.models.records import Record
from tests.drills.changes import killed_at
from tests.fakes import tiny_model


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tiny_model(tmp_path_factory.mktemp("m") / "t.gguf", width=32, heads=2, kv_heads=1, feed_forward=32, layers=1)
    return path.read_bytes()


@pytest.fixture
def model(tiny: bytes) -> Path:
    """A downloaded model among two others, one of them in the bin."""
    path = paths.models() / "makers" / "tiny-GGUF" / "tiny.gguf"
    for each in (path, paths.models() / "mine.gguf", paths.models() / ".bin" / "1700000000000-old" / "old.gguf"):
        each.parent.mkdir(parents=True, exist_ok=True)
        each.write_bytes(tiny)
    check = hashlib.sha256(tiny).hexdigest()
    records.write_record(path, Record("makers/tiny-GGUF", "tiny.gguf", "0" * 40, check, len(tiny), "mit", "T", "2026"))
    return path


def move(target: Path | None, is_cancelled: bool = False) -> None:
    request = MoveRequest(target)
    with Run(errands.write(request), is_cancelled=lambda: is_cancelled).open() as run:
        moving.move(request, run)


@pytest.fixture(params=["the same disk", "another disk"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder on the disk where the models are, and one on another: there a file cannot have two names."""
    if request.param == "the same disk":
        yield tmp_path
        return
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == paths.user_data().stat().st_dev:
        pytest.skip("there is no other disk to try it with")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != ".lab-desktop-models"
    }


def paths_found() -> set[str]:
    return {str(each.path) for each in store.on_this_computer() if each.problem == "" and each.origin != "practice"}


def test_models_go_to_another_folder_on_to_a_third_and_back(model: Path, other: Path) -> None:
    before, found = files(paths.models()), paths_found()
    assert len(found) == 2
    for target in (other / "disk", other / "other disk", None):
        move(target)

        assert files(paths.models()) == before
        assert paths_found() == found, "every noted path stays right"
        assert moving.place() == (target or paths.models()).resolve()
        assert errands.waiting() == []
    assert not paths.models().is_symlink()
    assert not (other / "disk").exists() and not (other / "other disk").exists()
    assert [path.name for path in paths.user_data().glob(".models*")] == []


def test_a_stopped_move_changes_nothing_and_goes_on_later(model: Path, tmp_path: Path) -> None:
    before = files(paths.models())

    with pytest.raises(Cancelled):
        move(tmp_path / "disk", is_cancelled=True)

    assert not paths.models().is_symlink() and files(paths.models()) == before
    assert len(errands.waiting()) == 1
    move(tmp_path / "disk")
    assert files(tmp_path / "disk") == before


@pytest.mark.slow
@pytest.mark.parametrize("has_moved_before", [False, True])
def test_killed_before_any_of_its_steps_a_move_loses_nothing(tiny: bytes, other: Path, has_moved_before: bool) -> None:
    """A real child is killed before its first change of the disk, its second, and so on, until one comes to its end."""
    model = paths.models() / "tiny.gguf"
    model.parent.mkdir(parents=True)
    model.write_bytes(tiny)
    if has_moved_before:
        move(other / "start")
    copying = range(1, 16, 3)  # what happens there is the same again and again
    for step in (*copying, *range(16, 200)):
        ended = []
        # On to the next folder, or away and home again.
        for target in (other / f"disk {step}", None)[: 1 if has_moved_before else 2]:
            ended.append(not killed_at(step, partial(move, target)))

            assert paths_found() == {str(model)} and model.read_bytes() == tiny, step
            move(target)
            assert paths_found() == {str(model)} and model.read_bytes() == tiny, step
            assert moving.place() == (target or paths.models()).resolve()
        assert [path.name for path in paths.user_data().glob(".models*")] == []
        assert sum(path.is_dir() for path in other.iterdir()) == has_moved_before, "old folders are gone"
        if all(ended):
            break
    assert 25 < step < 199


@pytest.mark.parametrize("has_new_link", [True, False])
def test_a_change_over_that_was_killed_between_its_renames_is_finished(
    model: Path, tmp_path: Path, has_new_link: bool
) -> None:
    before = files(paths.models())
    shutil.copytree(paths.models(), tmp_path / "disk")
    (paths.user_data() / ".models-new").symlink_to(tmp_path / "disk")
    paths.models().rename(paths.user_data() / ".models-old-1")
    if not has_new_link:
        (paths.user_data() / ".models-new").rename(paths.models())

    moving.settle()

    assert moving.place() == tmp_path / "disk" and files(paths.models()) == before
    assert not (paths.user_data() / ".models-old-1").exists()


def test_an_old_folder_is_never_deleted_while_there_is_no_new_one(model: Path) -> None:
    paths.models().rename(paths.user_data() / ".models-old-1")

    moving.settle()

    assert (paths.user_data() / ".models-old-1" / "mine.gguf").exists()


def test_a_folder_with_other_things_or_inside_the_models_is_refused(model: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")

    for target in (tmp_path / "full", paths.models() / "inside", paths.user_data()):
        with pytest.raises(StorageError):
            move(target)

    assert not paths.models().is_symlink() and (tmp_path / "full" / "letter.txt").exists()


def test_a_damaged_model_is_not_carried_on_as_if_it_were_whole(model: Path, other: Path) -> None:
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    model.write_bytes(data)

    if other.stat().st_dev == model.stat().st_dev:
        move(other / "disk")  # the very same file goes along
    else:
        with pytest.raises(StorageError, match="check number"):
            move(other / "disk")
        assert not paths.models().is_symlink()

    assert model.read_bytes() == bytes(data)


def test_models_are_not_moved_while_one_arrives(model: Path, tmp_path: Path) -> None:
    folder = errands.write(DownloadRequest("a/b", "c.gguf"))

    with Run(folder).open(), pytest.raises(StorageError, match="under way"):
        move(tmp_path / "disk")

    move(tmp_path / "disk")
    assert moving.place() == tmp_path / "disk"


def test_a_disk_that_is_not_connected_is_told(model: Path, tmp_path: Path) -> None:
    move(tmp_path / "disk")
    (tmp_path / "disk").rename(tmp_path / "unplugged")

    assert store.missing_place() == tmp_path / "disk"
    assert paths_found() == set()
    for action in (partial(move, tmp_path / "elsewhere"), partial(store.link, tmp_path / "unplugged" / "mine.gguf")):
        with pytest.raises(StorageError, match="that is not there"):
            action()
    (tmp_path / "unplugged").rename(tmp_path / "disk")
    assert len(paths_found()) == 2 and store.missing_place() is None


def test_what_the_person_laid_beside_the_models_goes_along(model: Path, tmp_path: Path) -> None:
    move(tmp_path / "disk")
    (tmp_path / "disk" / "notes.txt").write_text("mine")

    move(None)

    assert (paths.models() / "notes.txt").read_text() == "mine"
