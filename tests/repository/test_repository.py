"""A library comes from somewhere, follows the community's version, and is compared with it; always with real git."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab_desktop import paths, repository
from lab_desktop.cli import main
from lab_desktop.errors import Cancelled, LibraryError
from lab_desktop.repository import EMPTY, Change, changes, clone, open_tree, start, transfer, update
from lab_desktop.taxonomy.library import Library
from tests.taxonomy import leaves

BAY = "knowledge/science/bay/qna.yaml"
RHYME = "compositional_skills/writing/rhyme/qna.yaml"


def git(root: Path, *command: str, check: bool = True) -> str:
    """Plain git, as somebody who knows it would type it."""
    who = ["-c", "user.name=Jane", "-c", "user.email=jane@example.org", "-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", "-C", str(root), *who, *command], capture_output=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return os.fsdecode(done.stdout)


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def commit(root: Path) -> str:
    git(root, "add", "-A", "-f")
    git(root, "commit", "-q", "--allow-empty", "-m", "more")
    return git(root, "rev-parse", "HEAD").strip()


def everything(root: Path) -> dict[str, bytes]:
    found = (path for path in root.rglob("*") if path.is_file() and ".git" not in path.relative_to(root).parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def silent(what: str, share: float) -> None:
    assert what
    assert 0 <= share <= 1


def go_on() -> bool:
    return False


@pytest.fixture
def community(tmp_path: Path) -> Path:
    """A library that others work on."""
    root = tmp_path / "community"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    write(root, BAY, leaves.knowledge())
    write(root, "knowledge/science/bay/island.md", "# Island\n")
    write(root, RHYME, leaves.skill())
    write(root, "foundational_skills/sums/qna.yaml", leaves.skill())
    write(root, "knowledge/arts/.gitkeep", "")
    commit(root)
    return root


@pytest.fixture
def mine(community: Path, tmp_path: Path) -> Path:
    """A clone of it."""
    clone(f"file://{community}", tmp_path / "mine", silent, go_on)
    return tmp_path / "mine"


def kinds(root: Path, base: str | None = None) -> dict[str, str]:
    return {str(change.path): change.kind for change in changes(root, base).leaves}


# ---- where it comes from


def test_the_starter_library_is_the_community_s_version_and_its_empty_topics_survive_a_clone(tmp_path: Path) -> None:
    starter = paths.resources() / "taxonomy"

    tree = start(tmp_path / "library", starter)

    assert (tree.has_git, tree.address, tree.community) == (True, "", "origin/main")
    assert everything(tree.root) == everything(starter)
    found = changes(tree.root)
    assert (found.leaves, found.deleted, found.misnamed) == ((), (), ())
    clone(f"file://{tree.root}", tmp_path / "copy", silent, go_on)
    folders = {path.relative_to(starter) for path in starter.rglob("*") if path.is_dir()}
    assert all((tmp_path / "copy" / folder).is_dir() for folder in folders)
    assert len([folder for folder in folders if folder.parts[0] == "knowledge"]) >= 20


def test_a_read_only_starter_gives_a_library_that_can_be_written(tmp_path: Path) -> None:
    starter = tmp_path / "starter"
    write(starter, BAY, leaves.knowledge())
    (starter / BAY).chmod(0o400)
    (starter / BAY).parent.chmod(0o500)

    root = start(tmp_path / "library", starter).root

    (starter / BAY).parent.chmod(0o700)
    write(root, BAY, "changed")
    write(root, "knowledge/science/bay/new.md", "new")


def test_a_library_is_not_started_over_another(tmp_path: Path) -> None:
    write(tmp_path / "library", "mine.txt", "mine")

    with pytest.raises(LibraryError, match="already"):
        start(tmp_path / "library", paths.resources() / "taxonomy")

    assert everything(tmp_path / "library") == {"mine.txt": b"mine"}


def test_a_clone_is_whole_and_knows_where_it_comes_from(community: Path, mine: Path) -> None:
    assert everything(mine) == everything(community)
    assert open_tree(mine) == repository.Tree(mine, True, f"file://{community}", "origin/main")
    assert [path.name for path in mine.parent.iterdir()] == ["community", "mine"]


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c 'touch {0}'", "http://example.org/x", "git://example.org/x", "--upload-pack=touch {0}", "/tmp", "",
     "fd::17/foo", "https://jane:secret@example.org/x", "ssh://-oProxyCommand=touch/x", "file:///x\n--upload-pack=y",
     "-x@example.org:y", "https://", "https:///x", "ssh://-x@example.org/y", "javascript:1"],
)  # fmt: skip
def test_an_address_of_another_kind_is_refused_and_starts_nothing(tmp_path: Path, url: str) -> None:
    trap = tmp_path / "trap"

    with pytest.raises(LibraryError) as caught:
        clone(url.format(trap), tmp_path / "mine", silent, go_on)

    assert "secret" not in caught.value.message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("file:///nowhere/at/all", "no library at this address"),
        ("https://localhost:1/x", "cannot be reached"),
        ("https://no-such-host.invalid/x", "cannot be reached"),
    ],
)
def test_an_address_where_nothing_is_is_told_in_a_sentence(tmp_path: Path, url: str, sentence: str) -> None:
    with pytest.raises(LibraryError, match=sentence) as caught:
        clone(url, tmp_path / "mine", silent, go_on)

    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("knowledge/passwd", "/etc/passwd"),
        ("knowledge/up", "../../outside"),
        ("knowledge/a/b", "../../.."),
        ("knowledge/git", "../.git/config"),
        ("knowledge/later", "science/../../../outside"),
    ],
)
def test_a_clone_with_a_link_that_leads_out_is_refused(community: Path, tmp_path: Path, name: str, target: str) -> None:
    (community / name).parent.mkdir(exist_ok=True)
    (community / name).symlink_to(target)
    commit(community)

    with pytest.raises(LibraryError, match="link"):
        clone(f"file://{community}", tmp_path / "mine", silent, go_on)

    assert not (tmp_path / "mine").exists()


def test_a_link_inside_a_library_is_no_reason_to_refuse_it(community: Path, tmp_path: Path) -> None:
    (community / "knowledge" / "same").symlink_to("science/bay")
    commit(community)

    clone(f"file://{community}", tmp_path / "mine", silent, go_on)

    assert (tmp_path / "mine" / "knowledge" / "same").is_symlink()


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    git(tmp_path / "other", "init", "-q")
    for wanted in ("empty", "foreign"):
        with pytest.raises(LibraryError, match="neither facts nor skills"):
            clone(f"file://{tmp_path / 'other'}", tmp_path / "mine", silent, go_on)
        write(tmp_path / "other", f"{wanted}.txt", "x")
        commit(tmp_path / "other")

    with pytest.raises(LibraryError, match="not a library"):
        open_tree(tmp_path / "other")
    assert not (tmp_path / "mine").exists()


def test_a_library_that_is_too_large_is_refused(
    community: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(community, "knowledge/large.md", "x" * 50_000)
    commit(community)
    monkeypatch.setattr(transfer, "MOST_BYTES", 40_000)

    with pytest.raises(LibraryError, match="more than"):
        clone(f"file://{community}", tmp_path / "mine", silent, go_on)

    assert not (tmp_path / "mine").exists()


def test_parts_of_other_repositories_are_not_fetched(community: Path, tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    git(tmp_path / "part", "init", "-q")
    write(tmp_path / "part", "secret.md", "x")
    commit(tmp_path / "part")
    git(community, "submodule", "--quiet", "add", f"file://{tmp_path / 'part'}", "knowledge/part")
    commit(community)

    clone(f"file://{community}", tmp_path / "mine", silent, go_on)

    assert not (tmp_path / "mine" / "knowledge" / "part" / "secret.md").exists()


def test_a_cancelled_clone_leaves_nothing(community: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        clone(f"file://{community}", tmp_path / "mine", silent, lambda: True)

    assert [path.name for path in tmp_path.iterdir()] == ["community"]


# ---- settings of strangers


def test_the_settings_of_a_library_start_no_program(mine: Path, community: Path, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\necho $0 $* >> '{sprung}'\ncat\n")
    trap.chmod(0o755)
    (mine / ".git" / "hooks").mkdir(exist_ok=True)
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc", "post-merge"):
        (mine / ".git" / "hooks" / hook).write_text(trap.read_text())
        (mine / ".git" / "hooks" / hook).chmod(0o755)
    for key in (
        "core.fsmonitor", "core.sshCommand", "core.pager", "core.askPass", "core.alternateRefsCommand", "diff.external",
        "diff.evil.textconv", "diff.evil.command", "filter.evil.clean", "filter.evil.smudge", "filter.a=b.process",
        "merge.evil.driver", "credential.helper", "gpg.program", "remote.origin.uploadpack",
    ):  # fmt: skip
        git(mine, "config", key, str(trap))
    git(mine, "config", "commit.gpgSign", "true")
    (mine / ".git" / "info").mkdir(exist_ok=True)
    (mine / ".git" / "info" / "attributes").write_text("* filter=evil diff=evil merge=evil\n*.md filter=a=b\n")
    write(community, "knowledge/new/qna.yaml", leaves.knowledge())
    commit(community)
    write(mine, BAY, "changed")
    write(mine, RHYME, leaves.skill())

    assert kinds(mine) == {BAY: "changed"}
    assert update(mine, silent, go_on).leaves == (Path("knowledge/new"),)
    assert kinds(mine) == {BAY: "changed"}

    assert not sprung.exists(), sprung.read_text()
    git(mine, "status", check=False)
    assert sprung.exists(), "the trap would not have sprung for anybody"


def test_settings_that_bring_in_others_are_refused(mine: Path) -> None:
    git(mine, "config", "include.path", "/tmp/evil")

    with pytest.raises(LibraryError, match="settings"):
        changes(mine)


def test_a_library_inside_another_repository_is_not_taken_for_a_part_of_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    write(tmp_path, f"library/{BAY}", leaves.knowledge())
    commit(tmp_path)

    assert not open_tree(tmp_path / "library").has_git
    assert kinds(tmp_path / "library") == {BAY: "new"}
    root = start(tmp_path / "other", tmp_path / "library").root
    assert kinds(root) == {}
    (tmp_path / "library" / ".git").mkdir()
    with pytest.raises(LibraryError):
        changes(tmp_path / "library", "HEAD")


# ---- what is new or different


def test_every_kind_of_change_is_found_with_the_text_before(mine: Path) -> None:
    before = (mine / BAY).read_text()
    rhyme = (mine / RHYME).read_text()
    write(mine, BAY, before.replace("Bay 0", "Bay zero"))
    Library(mine).move(Path(RHYME).parent, Path("compositional_skills"))
    write(mine, "knowledge/arts/new/qna.yaml", leaves.knowledge(7))
    write(mine, "knowledge/arts/wrong/qna.yml", "x")
    write(mine, "knowledge/arts/notes.md", "x")
    write(mine, "foundational_skills/mine/qna.yaml", "x")
    write(mine, "qna.yaml", "x")

    found = changes(mine)

    moved = Path("compositional_skills/rhyme/qna.yaml")
    assert found.leaves == (
        Change(moved, "moved", rhyme, Path(RHYME)),
        Change(Path("knowledge/arts/new/qna.yaml"), "new"),
        Change(Path(BAY), "changed", before),
    )
    assert found.deleted == ()
    assert found.misnamed == (Path("knowledge/arts/wrong/qna.yml"),)
    commit(mine)
    assert changes(mine) == found, "what is committed differs from the community's version just the same"


def test_what_was_deleted_is_told_apart(mine: Path) -> None:
    Library(mine).delete(Path(BAY).parent)

    found = changes(mine)

    assert (found.leaves, found.deleted) == ((), (Path(BAY),))


def test_the_empty_base_is_the_whole_tree(mine: Path) -> None:
    write(mine, "knowledge/wrong/QNA.yaml", "x")

    assert kinds(mine, EMPTY) == {BAY: "new", RHYME: "new"}
    assert changes(mine, EMPTY).misnamed == (Path("knowledge/wrong/QNA.yaml"),)


@pytest.mark.parametrize("base", ["origin/nowhere", "nowhere", "mine/main", "--all", "origin/main^", "", " "])
def test_a_version_that_is_not_there_is_told(mine: Path, base: str) -> None:
    with pytest.raises(LibraryError, match="There is no version"):
        changes(mine, base)


def test_a_folder_without_git_is_all_new(tmp_path: Path) -> None:
    write(tmp_path, BAY, leaves.knowledge())

    assert open_tree(tmp_path) == repository.Tree(tmp_path, False)
    assert kinds(tmp_path) == {BAY: "new"}
    with pytest.raises(LibraryError, match="no versions"):
        changes(tmp_path, "origin/main")


UNUSUAL = [
    "a b",
    'quo"te',
    "it's",
    "größe",
    "日本",
    "new\nline",
    "tab\tbed",
    "-dash",
    ":(top)x",
    "*",
    "back\\slash",
    "#x",
]


@pytest.mark.parametrize("tracked", [True, False])
def test_unusual_names_are_found_as_they_are(mine: Path, tracked: bool) -> None:
    names = [f"knowledge/{name}/qna.yaml" for name in UNUSUAL]
    if sys.platform == "linux":
        names.append("knowledge/" + os.fsdecode(b"\xff\xfe") + "/qna.yaml")
    for name in names:
        write(mine, name, leaves.knowledge())
    if tracked:
        commit(mine)

    assert kinds(mine) == dict.fromkeys(names, "new")


def found_by_hand(root: Path, base: str) -> set[str]:
    """The leaves that count, by the rule in plain git: one commit after the other, one question at a time."""
    ref = f"refs/remotes/{base}" if "/" in base else f"refs/heads/{base}"
    if subprocess.run(["git", "-C", str(root), "show-ref", "-q", "--verify", ref], check=False).returncode:
        nearest = base
    else:
        nearest = "HEAD"
        while subprocess.run(
            ["git", "-C", str(root), "merge-base", "--is-ancestor", nearest, ref], check=False
        ).returncode:
            nearest += "^1"
    status = git(root, "status", "--porcelain", "-z", "-uall", "--no-renames").split("\0")
    names = {line[3:] for line in status if line.startswith("??")}
    fields = git(root, "diff", "--name-status", "-z", "--no-renames", nearest).split("\0")
    names |= {name for what, name in zip(fields[::2], fields[1::2], strict=False) if what != "D"}
    return {
        name
        for name in names
        if name.split("/")[0] in ("knowledge", "compositional_skills") and name.split("/")[-1] == "qna.yaml"
    }


def test_the_nearest_ancestor_along_first_parents_is_what_counts(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(mine, "checkout", "-q", "-b", "side")
    write(mine, "knowledge/side/qna.yaml", leaves.knowledge(6))
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2001-01-01T00:00:00Z")  # the last that git lists
    commit(mine)
    monkeypatch.delenv("GIT_COMMITTER_DATE")
    git(mine, "checkout", "-q", "main")
    for name in ("one", "two", "three"):
        write(mine, f"knowledge/{name}/qna.yaml", leaves.knowledge(7))
        commit(mine)
    git(mine, "update-ref", "refs/remotes/origin/main", "HEAD~2")
    git(mine, "merge", "-q", "--no-edit", "side")
    new = {f"knowledge/{name}/qna.yaml" for name in ("two", "three", "side")}

    assert set(kinds(mine, "origin/main")) == found_by_hand(mine, "origin/main") == new
    assert set(kinds(mine, "side")) == found_by_hand(mine, "side") == {*new, "knowledge/one/qna.yaml"}
    assert kinds(mine, "main") == kinds(mine, "HEAD") == {}
    assert set(kinds(mine, "HEAD~1")) == {"knowledge/side/qna.yaml"}


VERBS = (
    "write", "write", "write", "edit", "edit", "move", "remove", "forget", "add",
    "commit", "commit", "commit", "commit", "branch", "merge", "back", "publish", "stray",
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_any_history_gives_what_plain_git_gives(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    chance = random.Random(seed)
    root = tmp_path_factory.mktemp("history") / "library"
    write(root, BAY, leaves.knowledge())
    git(root, "init", "-q", "-b", "main")
    first = commit(root)
    git(root, "update-ref", "refs/remotes/origin/main", first)
    branches = 0
    for _ in range(chance.randint(6, 24)):
        files = [path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts]
        what = chance.choice(VERBS)
        place = chance.choice(["knowledge", "compositional_skills", "foundational_skills", "docs"])
        folder = "/".join(chance.choices(["a", "b b", "ü"], k=chance.randint(1, 2)))
        if what == "write":
            write(root, f"{place}/{folder}/qna.yaml", leaves.knowledge(chance.randint(1, 9)))
        elif what == "stray":
            write(root, f"{place}/{folder}/{chance.choice(['qna.yml', 'QNA.yaml', 'notes.md', '.gitignore'])}", "a\n")
        elif what == "edit" and files:
            chance.choice(files).write_text(leaves.skill(chance.randint(1, 9)))
        elif what == "move" and files:
            target = root / place / folder / "qna.yaml"
            target.parent.mkdir(parents=True, exist_ok=True)
            chance.choice(files).replace(target)
        elif what == "remove" and files:
            chance.choice(files).unlink()
        elif what == "forget" and files:
            git(root, "rm", "-q", "--cached", "--", str(chance.choice(files).relative_to(root)), check=False)
        elif what == "add":
            git(root, "add", "-A")
        elif what == "commit":
            commit(root)
        elif what == "branch":
            branches += 1
            git(root, "checkout", "-q", "-b", f"branch{branches}", check=False)
        elif what == "back":
            commit(root)
            git(root, "checkout", "-q", f"branch{branches}" if branches and chance.random() < 0.5 else "main")
        elif what == "merge" and branches:
            commit(root)
            git(root, "merge", "-q", "-s", "ours", "--no-edit", f"branch{branches}", check=False)
        elif what == "publish":
            git(root, "update-ref", "refs/remotes/origin/main", git(root, "rev-parse", "main").strip())
    if not any((root / name).is_dir() for name in ("knowledge", "compositional_skills")):
        (root / "knowledge").mkdir()

    for base in ("origin/main", "main", first):
        found = changes(root, base)
        assert {str(change.path) for change in found.leaves} == found_by_hand(root, base), (seed, base)
        for change in found.leaves:
            assert (change.before is None) == (change.kind == "new")
            assert (change.was is not None) == (change.kind == "moved")
        assert not any((root / path).exists() for path in found.deleted)


def test_looking_changes_nothing_in_the_library(mine: Path) -> None:
    write(mine, "knowledge/arts/new/qna.yaml", leaves.knowledge())
    before = git(mine, "status", "--porcelain", "-uall"), (mine / ".git" / "index").read_bytes()
    objects = sorted(path.name for path in (mine / ".git" / "objects").rglob("*"))

    changes(mine)

    assert (git(mine, "status", "--porcelain", "-uall"), (mine / ".git" / "index").read_bytes()) == before
    assert sorted(path.name for path in (mine / ".git" / "objects").rglob("*")) == objects


def test_the_command_says_it_in_words(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["changes", str(mine)]) == 0
    assert capsys.readouterr().out == "Nothing is new or different.\n"

    Library(mine).move(Path(RHYME).parent, Path("compositional_skills"))
    Library(mine).delete(Path(BAY).parent)
    write(mine, "compositional_skills/new/qna.yaml", leaves.skill(7, context=True))
    write(mine, "knowledge/arts/new/qna.yml", "x")

    assert main(["changes", str(mine), "--base", "main"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "new      compositional_skills/new",
        "moved    compositional_skills/rhyme, was compositional_skills/writing/rhyme",
        "deleted  knowledge/science/bay",
    ]
    assert "qna.yml" in said.err
    assert main(["changes", str(mine), "--base", "nowhere"]) == 1


# ---- following the community


def test_an_update_brings_what_is_new_and_leaves_alone_what_the_person_touched(community: Path, mine: Path) -> None:
    write(mine, BAY, "the person's version")
    write(mine, "knowledge/arts/new/qna.yaml", "the person's new one")
    write(mine, "knowledge/mine/qna.yaml", leaves.knowledge())
    write(community, BAY, leaves.knowledge(6))
    write(community, "knowledge/science/bay/island.md", "# Island, told better\n")
    write(community, "knowledge/arts/new/qna.yaml", leaves.knowledge(7))
    write(community, "knowledge/arts/other/qna.yaml", leaves.knowledge(8))
    (community / RHYME).unlink()
    commit(community)

    brought = update(mine, silent, go_on)

    assert brought.leaves == (Path("knowledge/arts/other"),)
    assert brought.kept == (Path("knowledge/arts/new"), Path("knowledge/science/bay"))
    assert (mine / BAY).read_text() == "the person's version"
    assert (mine / "knowledge/arts/new/qna.yaml").read_text() == "the person's new one"
    assert (mine / "knowledge/science/bay/island.md").read_text() == "# Island, told better\n"
    assert not (mine / RHYME).exists()
    assert kinds(mine) == {BAY: "changed", "knowledge/arts/new/qna.yaml": "changed", "knowledge/mine/qna.yaml": "new"}
    assert changes(mine).leaves[2].before == leaves.knowledge(6)
    assert update(mine, silent, go_on) == repository.Update()


def test_what_both_wrote_alike_is_no_conflict(community: Path, mine: Path) -> None:
    for root in (community, mine):
        write(root, BAY, leaves.knowledge(6))
        write(root, "knowledge/arts/new/qna.yaml", leaves.knowledge(7))
        (root / RHYME).unlink()
    commit(community)

    assert update(mine, silent, go_on).kept == ()
    assert kinds(mine) == {}
    assert git(mine, "status", "--porcelain") == ""


def test_what_the_person_deleted_or_moved_stays_so(community: Path, mine: Path) -> None:
    Library(mine).move(Path(BAY).parent, Path("knowledge/arts"))
    write(community, BAY, leaves.knowledge().replace("Bay 0", "Bay zero"))
    commit(community)

    brought = update(mine, silent, go_on)

    assert brought.kept == (Path(BAY).parent,)
    assert not (mine / BAY).exists()
    assert (mine / "knowledge/arts/bay/qna.yaml").read_text() == leaves.knowledge()


def test_a_file_where_the_community_has_a_folder_now_stays(community: Path, mine: Path) -> None:
    write(mine, "knowledge/place", "a file of mine")
    write(mine, "knowledge/folder/mine.txt", "mine")
    write(community, "knowledge/place/qna.yaml", leaves.knowledge())
    write(community, "knowledge/folder", "a file now")
    commit(community)

    assert set(update(mine, silent, go_on).kept) == {Path("knowledge/place"), Path("knowledge")}
    assert (mine / "knowledge/place").read_text() == "a file of mine"
    assert (mine / "knowledge/folder/mine.txt").read_text() == "mine"


def test_a_folder_becomes_a_file_and_a_file_a_folder(community: Path, mine: Path) -> None:
    write(community, "knowledge/one", "a file")
    write(community, "knowledge/two/file", "in a folder")
    commit(community)
    update(mine, silent, go_on)
    (community / "knowledge/one").unlink()
    (community / "knowledge/two/file").unlink()
    (community / "knowledge/two").rmdir()
    write(community, "knowledge/one/file", "in a folder")
    write(community, "knowledge/two", "a file")
    commit(community)

    assert update(mine, silent, go_on).kept == ()
    assert everything(mine) == everything(community)


def test_a_library_with_commits_of_its_own_keeps_them(community: Path, mine: Path) -> None:
    write(mine, BAY, "the person's version")
    write(mine, "knowledge/mine/qna.yaml", leaves.knowledge())
    own = commit(mine)
    write(mine, "knowledge/later/qna.yaml", leaves.knowledge())
    write(community, BAY, leaves.knowledge(6))
    write(community, RHYME, leaves.skill(6))
    commit(community)

    brought = update(mine, silent, go_on)

    assert (brought.leaves, brought.kept) == ((Path(RHYME).parent,), (Path(BAY).parent,))
    assert (mine / BAY).read_text() == "the person's version"
    assert (mine / RHYME).read_text() == leaves.skill(6)
    assert own in git(mine, "rev-list", "HEAD").split()
    assert kinds(mine) == {BAY: "changed", "knowledge/mine/qna.yaml": "new", "knowledge/later/qna.yaml": "new"}
    assert update(mine, silent, go_on) == repository.Update()


def test_an_update_that_is_not_safe_or_not_there_changes_nothing(community: Path, mine: Path) -> None:
    before = everything(mine)
    (community / "knowledge" / "out").symlink_to("/etc/passwd")
    commit(community)
    with pytest.raises(LibraryError, match="link"):
        update(mine, silent, go_on)
    with pytest.raises(Cancelled):
        update(mine, silent, lambda: True)
    git(community, "checkout", "-q", "--orphan", "main2")
    commit(community)
    git(community, "branch", "-M", "main2", "main")
    (community / "knowledge" / "out").unlink()
    commit(community)
    with pytest.raises(LibraryError, match="another library"):
        update(mine, silent, go_on)
    community.rename(community.with_name("gone"))
    with pytest.raises(LibraryError, match="no library at this address"):
        update(mine, silent, go_on)
    git(mine, "config", "remote.origin.url", "https://localhost:1/x")
    with pytest.raises(LibraryError, match="cannot be reached"):
        update(mine, silent, go_on)
    git(mine, "config", "remote.origin.url", "ext::sh -c id")
    with pytest.raises(LibraryError, match="not an address"):
        update(mine, silent, go_on)
    git(mine, "config", "--unset", "remote.origin.url")
    with pytest.raises(LibraryError, match="no address"):
        update(mine, silent, go_on)

    assert everything(mine) == before
    assert kinds(mine) == {}


def test_the_lock_of_a_git_that_was_killed_is_no_obstacle_for_ever(community: Path, mine: Path) -> None:
    write(community, RHYME, leaves.skill(6))
    commit(community)
    lock = mine / ".git" / "index.lock"
    lock.touch()

    with pytest.raises(LibraryError, match="Another program"):
        update(mine, silent, go_on)
    os.utime(lock, (time.time() - 120, time.time() - 120))
    update(mine, silent, go_on)

    assert (mine / RHYME).read_text() == leaves.skill(6)


# In place of git: counts the calls and ends whoever made call number AT.
DEADLY_GIT = """#!/bin/sh
echo >> "$COUNT"
if [ "$(wc -l < "$COUNT")" -gt "$AT" ]; then kill -9 $PPID; exit 1; fi
exec {git} "$@"
"""
UPDATE = """
import sys
from pathlib import Path
from lab_desktop import repository
root = Path(sys.argv[2])
if sys.argv[1] == "update":
    repository.update(root, lambda *_: None, lambda: False)
else:
    repository.clone(sys.argv[3], root, lambda *_: None, lambda: False)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a shell script")
@pytest.mark.parametrize("work", ["update", "clone"])
def test_killed_before_any_call_of_git_it_is_whole_or_absent_and_goes_on(
    community: Path, mine: Path, tmp_path: Path, work: str
) -> None:
    write(mine, BAY, "the person's version")
    write(community, BAY, leaves.knowledge(6))
    write(community, RHYME, leaves.skill(6))
    (community / "knowledge/science/bay/island.md").unlink()
    commit(community)
    (tmp_path / "bin").mkdir()
    deadly = tmp_path / "bin" / "git"
    deadly.write_text(DEADLY_GIT.format(git=subprocess.check_output(["which", "git"], text=True).strip()))
    deadly.chmod(0o755)

    for at in range(100):
        root = tmp_path / f"{work}{at}"
        if work == "update":
            subprocess.run(["cp", "-a", str(mine), str(root)], check=True)
        count = tmp_path / f"count{at}"
        env = {**os.environ, "PATH": f"{deadly.parent}:{os.environ['PATH']}", "COUNT": str(count), "AT": str(at)}
        done = subprocess.run(
            [sys.executable, "-c", UPDATE, work, str(root), f"file://{community}"], env=env, check=False
        )
        if done.returncode == 0:
            break
        assert done.returncode == -9
        if work == "update":
            assert (root / BAY).read_text() == "the person's version"
            update(root, silent, go_on)
        elif root.exists():
            assert everything(root) == everything(community)
        else:
            clone(f"file://{community}", root, silent, go_on)
        assert (root / RHYME).read_text() == leaves.skill(6)
        assert kinds(root) == ({BAY: "changed"} if work == "update" else {})
    assert at > 5


# ---- who has a lesson


def test_what_the_community_has_as_it_is_here_is_held_since_its_commit(community: Path, mine: Path) -> None:
    made = Path("knowledge/science/cape")
    write(mine, f"{made}/qna.yaml", leaves.knowledge(6))
    before = repository.held(mine, [made, Path(BAY).parent])
    write(community, f"{made}/qna.yaml", leaves.knowledge(6))
    commit(community)
    at = float(git(community, "log", "-1", "--format=%ct"))
    update(mine, silent, go_on)

    assert before == {Path(BAY).parent}
    assert repository.held(mine, [made]) == {made}
    assert repository.held_since(mine, made) == at
    write(mine, f"{made}/qna.yaml", leaves.knowledge(5))
    assert repository.held(mine, [made]) == frozenset()
    assert repository.held(mine, []) == frozenset()


@pytest.mark.parametrize("what", ["no git", "no lesson", "a link", "an odd name", "a new line in it"])
def test_what_cannot_be_asked_is_not_held(mine: Path, tmp_path: Path, what: str) -> None:
    root, folder = mine, Path("knowledge/elsewhere")
    if what == "no git":
        root, folder = tmp_path / "plain", Path(BAY).parent
        write(root, BAY, leaves.knowledge())
    elif what == "a link":
        (root / folder).mkdir()
        (root / folder / "qna.yaml").symlink_to(root / BAY)
    elif what in ("an odd name", "a new line in it"):
        folder = Path("knowledge", os.fsdecode(b"bad\xff") if what == "an odd name" else "two\nlines")
        write(root, f"{folder}/qna.yaml", leaves.knowledge())
        commit(root)

    assert repository.held(root, [folder]) == frozenset()
    assert repository.held_since(root, folder) is None


def test_files_are_there_as_they_were_without_links(community: Path, mine: Path) -> None:
    (community / "knowledge/science/bay/link.md").symlink_to("island.md")
    write(community, "knowledge/science/bay/below/more.md", "# More\n")
    write(community, "knowledge/science/bay_two/qna.yaml", leaves.knowledge())
    commit(community)
    clone(f"file://{community}", mine.parent / "other", silent, go_on)
    (mine.parent / "other" / BAY).unlink()

    files = repository.files_before(mine.parent / "other", Path(BAY).parent)

    assert {name: len(data) for name, data in files.items()} == {
        "qna.yaml": len(leaves.knowledge()), "island.md": 9, "below/more.md": 7
    }  # fmt: skip
    assert repository.files_before(mine, Path("knowledge/nowhere")) == {}


def test_what_was_sent_is_noted_and_read_again_whatever_happened_to_the_file(mine: Path) -> None:
    bay = Path(BAY).parent
    repository.note_sent(mine, [bay], "the village school", 1000)
    repository.note_sent(mine, [bay], "https://example.org/pull/12", 2000)

    found = repository.sent(mine)
    assert [(each.path, each.to, each.at) for each in found] == [
        (bay.as_posix(), "the village school", 1000), (bay.as_posix(), "https://example.org/pull/12", 2000)
    ]  # fmt: skip
    assert found[0].digest == repository.digest_of(mine / bay) != ""
    assert kinds(mine) == {}  # git sees nothing of it
    with pytest.raises(LibraryError):
        repository.note_sent(mine, [bay, Path("knowledge/nowhere")], "x")
    file = mine / ".git" / "lab-desktop" / "shared.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"path": "torn')
    assert repository.sent(mine) == found
    repository.note_sent(mine, [bay], "another", 3000)
    assert len(repository.sent(mine)) == 3
    file.write_bytes(b'[1]\n{"path": 7}\n' + whole + b"junk\n")
    assert repository.sent(mine) == found
