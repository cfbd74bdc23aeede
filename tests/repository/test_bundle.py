"""A lesson in a file: what one writes another opens, and nothing but a whole, sound one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab_desktop.errors import Cancelled, LibraryError, StorageError
from lab_desktop.repository import outgoing as room
from lab_desktop.repository.outgoing import Outgoing, empty_outgoing, open_bundle
from tests.repository.conftest import JANE, LESSON, Place, git, go_on, lesson, silent
from tests.repository.test_hostile_remotes import store, tree


@pytest.fixture
def written(tmp_path: Path) -> tuple[Outgoing, str, Path]:
    """(a repository of no remote, its commit, the bundle with it)."""
    made = empty_outgoing(tmp_path / "made")
    commit = lesson(made)
    made.bundle(commit, "", "lesson/velmora", tmp_path / "velmora.bundle")
    return made, commit, tmp_path / "velmora.bundle"


def test_what_was_written_is_opened_as_it_was(written: tuple[Outgoing, str, Path], tmp_path: Path) -> None:
    made, commit, file = written

    opened = open_bundle(file, tmp_path / "opened", silent, go_on)

    assert (opened.branch, opened.head) == ("lesson/velmora", commit)
    assert opened.read(opened.head, "") == LESSON
    assert git(made.folder, "for-each-ref", "refs/heads") == ""
    assert not list(tmp_path.rglob("*.part"))
    assert open_bundle(file, tmp_path / "opened", silent, go_on) == opened, "it is made anew"


def test_a_bundle_can_leave_out_what_the_other_side_has(place: Place, tmp_path: Path) -> None:
    outgoing = place.opened()
    commit = lesson(outgoing)
    whole, part = tmp_path / "whole.bundle", tmp_path / "part.bundle"
    outgoing.bundle(commit, "", "lesson/velmora", whole)
    outgoing.bundle(commit, outgoing.head, "lesson/velmora", part)

    assert part.stat().st_size < whole.stat().st_size
    assert open_bundle(whole, tmp_path / "opened", silent, go_on).is_in(outgoing.head, commit)
    with pytest.raises(LibraryError, match="builds on a version"):
        open_bundle(part, tmp_path / "other", silent, go_on)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("kind", ["empty", "cut", "changed", "text", "zip", "two branches", "tag", "foreign"])
def test_what_is_no_whole_bundle_of_one_branch_is_refused(
    written: tuple[Outgoing, str, Path], tmp_path: Path, kind: str
) -> None:
    made, commit, file = written
    data = file.read_bytes()
    if kind in ("two branches", "tag"):
        git(made.folder, "update-ref", "refs/heads/a", commit)
        git(made.folder, "update-ref", "refs/tags/b", commit)
        git(made.folder, "bundle", "create", str(file), *(["refs/heads/a", "refs/tags/b"] if " " in kind else ["b"]))
    else:
        middle = len(data) - 60
        changed = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        contents = {"empty": b"", "cut": data[:-30], "changed": changed, "text": b"Hello\n" * 99, "zip": b"PK\x03\x04"}
        file.write_bytes(contents.get(kind, b"# v9 git bundle\n\n"))

    with pytest.raises(LibraryError, match="cannot be opened") as caught:
        open_bundle(file, tmp_path / "opened", silent, go_on)

    assert '"velmora.bundle"' in caught.value.message
    assert not (tmp_path / "opened").exists()
    assert not list(tmp_path.glob("*.part"))


def test_a_bundle_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        open_bundle(tmp_path / "none.bundle", tmp_path / "opened", silent, go_on)


def test_a_bundle_with_folders_for_git_itself_is_refused(tmp_path: Path) -> None:
    made = empty_outgoing(tmp_path / "made")
    blob = store(made.folder, "blob", b"touch sprung\n")
    hooks = tree(made.folder, ("100755", b"post-checkout", blob))
    for name in (b".git", b"..", b".GiT"):
        commit = git(made.folder, "commit-tree", tree(made.folder, ("40000", name, hooks)), "-m", "x")
        made.bundle(commit, "", "lesson", tmp_path / "evil.bundle")
        with pytest.raises(LibraryError, match="cannot be opened"):
            open_bundle(tmp_path / "evil.bundle", tmp_path / "opened", silent, go_on)

    assert not (tmp_path / "opened").exists()


def test_links_in_a_bundle_are_left_out(tmp_path: Path) -> None:
    made = empty_outgoing(tmp_path / "made")
    link = store(made.folder, "blob", b"/etc/passwd")
    blob = store(made.folder, "blob", b"x")
    commit = git(
        made.folder, "commit-tree", tree(made.folder, ("120000", b"link", link), ("100644", b"real", blob)), "-m", "x"
    )
    made.bundle(commit, "", "lesson", tmp_path / "x.bundle")

    opened = open_bundle(tmp_path / "x.bundle", tmp_path / "opened", silent, go_on)

    assert opened.read(opened.head, "") == {"real": b"x"}


def test_a_bundle_that_is_too_large_is_not_opened(
    written: tuple[Outgoing, str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_BUNDLE_BYTES", 100)

    with pytest.raises(LibraryError, match="MB"):
        open_bundle(written[2], tmp_path / "opened", silent, go_on)


def test_a_cancelled_opening_leaves_nothing_and_a_failed_writing_the_old_file(
    written: tuple[Outgoing, str, Path], tmp_path: Path
) -> None:
    made, commit, file = written
    before = file.read_bytes()

    with pytest.raises(Cancelled):
        open_bundle(file, tmp_path / "opened", silent, lambda: True)
    with pytest.raises(LibraryError):
        made.bundle("1" * 40, "", "lesson/velmora", file)
    with pytest.raises(LibraryError):
        made.bundle(commit, commit, "lesson/velmora", file)

    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".lock") == ["made", "velmora.bundle"]


def test_documents_go_along(tmp_path: Path) -> None:
    made = empty_outgoing(tmp_path / "made")
    files = LESSON | {"documents/velmora.pdf": os.urandom(200_000)}
    commit = made.commit(files, "Velmora", JANE, [])
    made.bundle(commit, "", "lesson/velmora", tmp_path / "velmora.bundle")

    opened = open_bundle(tmp_path / "velmora.bundle", tmp_path / "opened", silent, go_on)

    assert opened.read(opened.head, "") == files
