"""A destination that means harm: none of it becomes a file here, it starts nothing, and costs no more than others."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from lab_desktop.errors import LibraryError
from lab_desktop.repository import compare, program, transfer
from lab_desktop.repository.outgoing import open_outgoing, reopened
from tests.git_server import Fault
from tests.repository.conftest import BAY, LESSON, Place, git, go_on, lesson, others_add, silent


def store(repository: Path, kind: str, content: bytes) -> str:
    """An object as it is, however wrong."""
    command = ["git", "-C", str(repository), "hash-object", "-t", kind, "-w", "--literally", "--stdin"]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout.decode().strip()


def tree(repository: Path, *entries: tuple[str, bytes, str]) -> str:
    """A tree of (mode, name, object), whatever the names are."""
    rows = (f"{mode} ".encode() + name + b"\0" + bytes.fromhex(named) for mode, name, named in entries)
    return store(repository, "tree", b"".join(rows))


def put(repository: Path, folder: str, named: str) -> None:
    """A commit on main whose tree has one more folder at its top."""
    listed = git(repository, "ls-tree", "main")
    rows = f"{listed}\n040000 tree {named}\t{folder}\n"
    made = subprocess.run(
        ["git", "-C", str(repository), "mktree"], input=rows.encode(), capture_output=True, check=True
    ).stdout.decode()
    git(
        repository,
        "update-ref",
        "refs/heads/main",
        git(repository, "commit-tree", made.strip(), "-p", "main", "-m", "x"),
    )


def trap(folder: Path) -> tuple[Path, Path]:
    """(a program that leaves a trace, the trace)."""
    sprung, script = folder / "sprung", folder / "trap.sh"
    script.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{sprung}'\n")
    script.chmod(0o755)
    return script, sprung


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_links_odd_names_and_folders_for_git_itself_are_never_files_here(place: Place, tmp_path: Path) -> None:
    blob = store(place.remote, "blob", b"touch sprung\n")
    away = store(place.remote, "blob", str(tmp_path / "outside").encode())
    hooks = tree(place.remote, ("100755", b"post-checkout", blob))
    evil = tree(
        place.remote,
        ("40000", b"..", hooks),
        ("40000", b".GIT", hooks),
        ("40000", b".git", hooks),
        ("100644", b".gitattributes", store(place.remote, "blob", b"* filter=lfs diff=lfs merge=lfs -text\n")),
        ("100644", b"\x1b]0;owned\x07.md", blob),
        ("100644", b"a\nb", blob),
        ("100644", b"good.md", blob),
        ("40000", b"knowledge", hooks),
        ("120000", b"link", away),
        ("100644", b"large.bin", store(place.remote, "blob", b"version https://git-lfs.github.com/spec/v1\n")),
        ("160000", b"part", "1" * 40),
        ("100644", b"\xff\xfe", blob),
    )
    put(place.remote, "evil", evil)
    others_add(place.remote, ".gitmodules", b'[submodule "part"]\n\tpath = evil/part\n\turl = file:///etc\n')

    outgoing = place.opened()
    commit = lesson(outgoing)
    place.push(outgoing, commit)

    assert set(outgoing.read(outgoing.head, "evil")) == {
        "evil/good.md",
        "evil/knowledge/post-checkout",
        "evil/large.bin",
    }
    assert outgoing.read(outgoing.head, "evil")["evil/large.bin"].startswith(b"version https://git-lfs")
    assert place.branches()["lesson/velmora"] == commit
    assert git(place.remote, "rev-parse", f"{commit}:evil") == evil, "what is not ours goes on as it is"
    assert {path.name for path in tmp_path.iterdir()} == {"served", "hidden"}
    names = {path.name for path in place.folder.rglob("*")}
    assert not names & {"good.md", "post-checkout", "link", "part"}


def test_folders_that_unfold_to_ten_thousand_million_files_cost_nothing(place: Place) -> None:
    named = store(place.remote, "blob", b"x")
    row = "100644"
    for _ in range(10):
        named = tree(place.remote, *((row, b"d%d" % number, named) for number in range(10)))
        row = "40000"
    put(place.remote, "bomb", named)
    before = os.times()

    outgoing = place.opened()
    commit = lesson(outgoing, LESSON | {"bomb/d0/d0/ours.md": b"x"})
    place.push(outgoing, commit)
    found = outgoing.read(commit, "")

    assert place.branches()["lesson/velmora"] == commit
    assert len(found) <= compare.MOST_FILES
    assert outgoing.read(commit, "bomb/d0/d0")["bomb/d0/d0/d0/d0/d0/d0/d0/d0/d0/d0"] == b"x"
    assert sum(os.times()[:4]) - sum(before[:4]) < 10


def test_a_file_that_unfolds_to_very_much_is_left_out_or_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    others_add(place.remote, "knowledge/science/bay/zeros.md", bytes(30_000_000))

    outgoing = place.opened()

    assert set(outgoing.read(outgoing.head, "knowledge/science")) == {BAY, "knowledge/science/bay/attribution.txt"}
    monkeypatch.setattr(program, "MOST_MEMORY", 5_000_000)
    with pytest.raises(LibraryError, match="larger"):
        open_outgoing(place.folder.parent / "other", place.address, None, silent, go_on)
    assert not (place.folder.parent / "other").exists()


def test_a_repository_that_is_too_large_is_refused_and_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    others_add(place.remote, "knowledge/large.md", os.urandom(3_000_000))
    monkeypatch.setattr(transfer, "MOST_BYTES", 100_000)
    monkeypatch.setattr(transfer, "_POLL_S", 0.001)

    with pytest.raises(LibraryError, match="more than"):
        place.opened()

    assert [path.name for path in place.folder.parent.iterdir()] == [".clone.lock"]


@pytest.mark.timeout(30)
def test_a_server_that_never_stops_answering_is_given_up(place: Place) -> None:
    rows = "".join(f"003d{number:040x} refs/heads/main\n" for number in range(120_000))
    place.server.faults.append(Fault("GET git-upload-pack", 200, rows))
    began = time.process_time()

    with pytest.raises(LibraryError):
        place.opened()

    assert time.process_time() - began < 5
    assert not place.folder.exists()


def test_hooks_and_settings_in_the_clone_start_nothing(place: Place, tmp_path: Path) -> None:
    script, sprung = trap(tmp_path)
    outgoing = place.opened()
    (place.folder / "hooks").mkdir(exist_ok=True)
    for hook in (
        "pre-push",
        "reference-transaction",
        "post-update",
        "pre-auto-gc",
        "post-rewrite",
        "fsmonitor-watchman",
    ):
        (place.folder / "hooks" / hook).write_text(script.read_text())
        (place.folder / "hooks" / hook).chmod(0o755)
    with open(place.folder / "config", "a") as config:
        config.write(f"[core]\n\tfsmonitor = {script}\n\tsshCommand = {script}\n\tgitProxy = {script}\n")
        config.write(f"[credential]\n\thelper = {script}\n[gpg]\n\tprogram = {script}\n[push]\n\tgpgSign = true\n")
        config.write(f'[url "ext::{script} "]\n\tinsteadOf = http://\n[include]\n\tpath = {tmp_path}/more\n')
    others_add(place.remote, "knowledge/arts/new/qna.yaml")

    commit = lesson(place.opened())
    place.push(outgoing, commit)

    assert place.branches()["lesson/velmora"] == commit
    assert not sprung.exists(), sprung.read_text()


def test_how_a_person_set_up_git_for_their_own_work_changes_nothing(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, sprung = trap(tmp_path)
    (tmp_path / "template" / "hooks").mkdir(parents=True)
    for hook in ("pre-push", "reference-transaction"):
        (tmp_path / "template" / "hooks" / hook).write_text(script.read_text())
        (tmp_path / "template" / "hooks" / hook).chmod(0o755)
    (tmp_path / "gitconfig").write_text(
        f"""
        [core]\nhooksPath = {tmp_path}/template/hooks\nautocrlf = true\nattributesFile = {tmp_path}/attributes
        [init]\ntemplateDir = {tmp_path}/template\ndefaultObjectFormat = sha256\ndefaultRefFormat = reftable
        [push]\ngpgSign = true\npushOption = x\nfollowTags = true\nrecurseSubmodules = on-demand
        [fetch]\nprune = true\npruneTags = true
        [safe]\nbareRepository = explicit
        [commit]\ngpgSign = true
        [i18n]\ncommitEncoding = latin1
        [filter "evil"]\nclean = {script}
        [credential]\nhelper = {script}
        """
    )
    (tmp_path / "attributes").write_text("* filter=evil text\n")
    plain = lesson(place.opened())
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    place.folder = tmp_path / "other" / "clone"

    outgoing = place.opened()
    commit = lesson(outgoing)
    place.push(outgoing, commit)

    assert commit == plain
    assert place.opened() == outgoing
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    assert place.branches()["lesson/velmora"] == commit
    assert not sprung.exists(), sprung.read_text()


def test_a_folder_that_is_pushed_to_starts_nothing_here(place: Place, tmp_path: Path) -> None:
    script, sprung = trap(tmp_path)
    folder = tmp_path / "stick"
    git(tmp_path, "clone", "-q", str(place.remote), str(folder))
    for hook in ("pre-receive", "update", "post-receive", "post-update", "proc-receive", "push-to-checkout",
                 "reference-transaction", "post-checkout", "pre-auto-gc"):  # fmt: skip
        (folder / ".git" / "hooks").mkdir(exist_ok=True)
        (folder / ".git" / "hooks" / hook).write_text(script.read_text())
        (folder / ".git" / "hooks" / hook).chmod(0o755)
    (folder / ".git" / "objects" / "info" / "alternates").write_text(f"{place.remote / 'objects'}\n")
    for key, value in {
        "core.alternateRefsCommand": str(script),
        "core.fsmonitor": str(script),
        "uploadpack.packObjectsHook": str(script),
        "filter.evil.smudge": str(script),
        "filter.evil.process": str(script),
        "receive.denyCurrentBranch": "updateInstead",
        "receive.procReceiveRefs": "refs/heads/lesson/velmora",
        "receive.autogc": "true",
        "gc.auto": "1",
    }.items():
        git(folder, "config", key, value)
    (folder / ".git" / "info").mkdir(exist_ok=True)
    (folder / ".git" / "info" / "attributes").write_text("* filter=evil\n")
    git(folder, "symbolic-ref", "HEAD", "refs/heads/lesson/velmora")
    sprung.unlink(missing_ok=True)
    address = f"file://{folder}"

    outgoing = open_outgoing(place.folder, address, None, silent, go_on)
    commit = lesson(outgoing)
    with pytest.raises(LibraryError):
        outgoing.push(address, commit, "lesson/velmora", None, silent, go_on)
    outgoing.push(address, commit, "lesson/other", None, silent, go_on)

    assert outgoing.remote_branch(address, "lesson/other", None) == commit
    assert not sprung.exists(), sprung.read_text()
    git(folder, "push", "-q", f"file://{folder}", f"{commit}:refs/heads/plain")
    assert sprung.exists(), "the trap would not have sprung for anybody"


def test_a_folder_that_lacks_something_fetches_it_from_nowhere(place: Place, tmp_path: Path) -> None:
    script, sprung = trap(tmp_path)
    folder = tmp_path / "stick"
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    others_add(folder, BAY, b"".join(b"line %d\n" % number for number in range(300)))
    address = f"file://{folder}"
    outgoing = open_outgoing(place.folder, address, None, silent, go_on)
    commit = lesson(outgoing, {BAY: outgoing.read(outgoing.head, "knowledge")[BAY] + b"more\n"})
    for wanted in (f"main:{BAY}", "main:knowledge"):
        named = git(folder, "rev-parse", wanted)
        (folder / ".git" / "objects" / named[:2] / named[2:]).unlink()
    for key, value in {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "evil",
        "remote.evil.promisor": "true",
        "remote.evil.url": f"file://{place.remote}",
        "remote.evil.uploadpack": str(script),
        "receive.unpackLimit": "1",
    }.items():
        git(folder, "config", key, value)

    with pytest.raises(LibraryError, match="could not store"):
        outgoing.push(address, commit, "lesson/velmora", None, silent, go_on)
    with pytest.raises(LibraryError):
        open_outgoing(tmp_path / "other" / "clone", address, None, silent, go_on)

    assert not sprung.exists(), sprung.read_text()
    with pytest.raises(subprocess.CalledProcessError):
        git(place.folder, "push", address, f"{commit}:refs/heads/plain")
    assert sprung.exists(), "the trap would not have sprung for anybody"


def test_what_a_remote_says_is_shown_without_what_is_not_seen(place: Place) -> None:
    said = "\\033]0;owned\\007\\033[2J\\342\\200\\256gnp.exe \\302\\233 bell\\a"
    place.server.hook("taxonomy", f"printf '{said}\\n' >&2; exit 1")
    outgoing = place.opened()

    with pytest.raises(LibraryError) as caught:
        place.push(outgoing, lesson(outgoing))

    assert "gnp.exe" in caught.value.details
    assert not re.search(r"[^\n\t\x20-\x7e]", caught.value.details)


def test_a_clone_that_is_a_link_is_not_taken_for_one(place: Place, tmp_path: Path) -> None:
    place.opened()
    place.folder.rename(tmp_path / "elsewhere")
    place.folder.symlink_to(tmp_path / "elsewhere")
    before = everything(tmp_path / "elsewhere")

    assert reopened(place.folder, place.address) is None
    assert place.opened().head

    assert not place.folder.is_symlink()
    assert everything(tmp_path / "elsewhere") == before
