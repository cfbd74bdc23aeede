"""What goes out by git: a hidden clone, commits from bytes, and pushing; with real git behind a real server."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from lab_desktop.errors import Cancelled, LibraryError
from lab_desktop.repository.outgoing import Credentials, Outgoing, Signature, open_outgoing, reopened
from tests.benchmarks.outgoing import make
from tests.git_server import PUSH, Fault
from tests.repository.conftest import BAY, JANE, LESSON, Place, git, go_on, lesson, others_add, silent

ADVERTISED = "GET git-receive-pack"


# ---- the hidden clone


def test_the_clone_has_the_newest_version_and_no_files(place: Place) -> None:
    outgoing = place.opened()

    assert (outgoing.branch, outgoing.head) == ("main", place.branches()["main"])
    assert sorted(outgoing.read(outgoing.head, "knowledge/science")) == [
        "knowledge/science/bay/attribution.txt",
        BAY,
    ]
    assert list(place.folder.rglob("qna.yaml")) == []
    assert sorted(path.name for path in place.folder.parent.iterdir()) == [".clone.lock", "clone"]


def test_opening_again_brings_what_others_added_and_without_the_network_nothing(place: Place) -> None:
    first = place.opened()
    new = others_add(place.remote, "knowledge/arts/new/qna.yaml")

    assert reopened(place.folder, place.address) == first
    assert place.opened().head == new
    assert reopened(place.folder, place.address) == place.opened()
    assert reopened(place.folder.parent / "none", place.address) is None


def test_a_rewritten_history_and_a_renamed_branch_are_followed(place: Place) -> None:
    place.opened()
    git(place.remote, "branch", "-m", "main", "trunk/new")
    git(place.remote, "update-ref", "refs/heads/trunk/new", "trunk/new~1")

    outgoing = place.opened()

    assert (outgoing.branch, outgoing.head) == ("trunk/new", place.branches()["trunk/new"])
    assert reopened(place.folder, place.address) == outgoing


def test_an_empty_remote_is_no_mistake_and_takes_a_first_commit(place: Place) -> None:
    place.server.make("documents")
    place.name = "documents"
    outgoing = place.opened()

    assert (outgoing.branch, outgoing.head) == ("", "")
    commit = outgoing.commit({"velmora.md": b"# Velmora\n"}, "Documents", JANE, [])
    place.push(outgoing, commit, "main")

    assert place.branches() == {"main": commit}
    assert place.opened() == Outgoing(place.folder, place.address, "main", commit)


def test_a_private_remote_is_opened_with_a_sign_in_and_told_in_words_without(place: Place) -> None:
    place.server.is_private = True

    with pytest.raises(LibraryError, match="asks for a password"):
        place.opened()
    assert not place.folder.exists()
    assert place.opened(place.credentials).head == place.branches()["main"]


@pytest.mark.parametrize("status", [500, 503, 404, 429])
def test_a_server_that_is_ill_leaves_the_clone_as_it_was(place: Place, status: int) -> None:
    before = place.opened()
    place.server.faults.append(Fault("GET git-upload-pack", status))

    with pytest.raises(LibraryError) as caught:
        place.opened()

    wanted = {404: "no library", 429: "used up"}.get(status, "cannot be reached")
    assert wanted in caught.value.message
    assert reopened(place.folder, place.address) == before


def test_a_clone_that_is_cut_in_the_middle_is_none(place: Place) -> None:
    # The first two requests only ask what there is.
    cuts = (None, None, 300)
    place.server.faults += [Fault("POST git-upload-pack", answer_cut_after=most) for most in cuts]

    with pytest.raises(LibraryError, match="cannot be reached"):
        place.opened()

    assert [path.name for path in place.folder.parent.iterdir()] == [".clone.lock"]
    assert place.opened().head


def test_a_cancelled_clone_leaves_nothing(place: Place) -> None:
    asked = iter([False, False, False])
    place.server.faults.append(Fault("GET git-upload-pack", waits_for=threading.Event()))

    with pytest.raises(Cancelled):
        open_outgoing(place.folder, place.address, None, silent, lambda: next(asked, True))

    assert [path.name for path in place.folder.parent.iterdir()] == [".clone.lock"]


def test_what_a_killed_git_left_and_what_was_set_in_the_clone_goes(place: Place) -> None:
    outgoing = place.opened()
    left = ["HEAD.lock", "refs/lab-desktop/newest.lock", "config.lock", "objects/pack/tmp_pack_AbCdEf", "shallow.lock"]
    for name in left:
        (place.folder / name).write_bytes(b"half")
    part = place.folder.parent / ".clone.abc.part"
    part.mkdir()
    (part / "HEAD").write_text("half")
    with open(place.folder / "config", "a") as config:
        config.write('[url "file:///elsewhere/"]\n\tinsteadOf = http://\n[core]\n\tsshCommand = touch /tmp/x\n')
    new = others_add(place.remote, "knowledge/arts/new/qna.yaml")

    assert place.opened() == Outgoing(place.folder, place.address, "main", new)

    assert not any((place.folder / name).exists() for name in left)
    place.push(outgoing, lesson(outgoing))
    assert "elsewhere" not in (place.folder / "config").read_text()


@pytest.mark.parametrize("damage", ["pack cut", "pack empty", "pack gone", "index empty", "ref empty", "HEAD empty"])
def test_a_damaged_clone_is_made_anew(place: Place, damage: str) -> None:
    outgoing = place.opened()
    what, how = damage.split()
    (file,) = {
        "pack": list(place.folder.glob("objects/pack/*.pack")),
        "index": list(place.folder.glob("objects/pack/*.idx")),
        "ref": [place.folder / "refs" / "lab-desktop" / "newest"],
        "HEAD": [place.folder / "HEAD"],
    }[what]
    file.chmod(0o600)
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:40] if how == "cut" else b"")
    new = others_add(place.remote, "knowledge/arts/new/qna.yaml")

    again = place.opened()

    assert again == Outgoing(place.folder, place.address, "main", new)
    assert again.read(outgoing.head, "knowledge")[BAY]
    assert again.read(lesson(again), "knowledge/geography/velmora") == LESSON
    assert sorted(path.name for path in place.folder.parent.iterdir()) == [".clone.lock", "clone"]


def test_two_that_open_at_once_work_one_after_the_other(place: Place) -> None:
    found: list[Outgoing] = []
    threads = [threading.Thread(target=lambda: found.append(place.opened())) for _ in range(3)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [place.opened()] * 3


# ---- commits


def test_a_commit_is_the_newest_version_with_the_files_and_bears_the_name(place: Place) -> None:
    outgoing = place.opened()

    commit = lesson(outgoing)

    assert outgoing.read(commit, "") == outgoing.read(outgoing.head, "") | LESSON
    said = git(place.folder, "log", "-1", "--format=%P|%an|%ae|%cn|%ce|%at|%ct|%B", commit).split("|")
    assert said[0] == outgoing.head
    assert said[1:5] == ["Jane Roe", "1234+jane@users.noreply.github.com"] * 2
    assert said[5:7] == ["1763780000"] * 2
    assert said[7] == "Teach Velmora\n\nSigned-off-by: Jane Roe <1234+jane@users.noreply.github.com>"
    assert git(place.folder, "log", "-1", "--format=%(trailers:key=Signed-off-by,valueonly)", commit) == git(
        place.folder, "log", "-1", "--format=%an <%ae>", commit
    )
    git(place.folder, "fsck", "--strict", commit)


def test_the_same_input_is_the_same_commit_whoever_makes_it_and_when(place: Place, tmp_path: Path) -> None:
    outgoing = place.opened()
    other = open_outgoing(tmp_path / "other", place.address, None, silent, go_on)
    backwards = dict(reversed(LESSON.items()))

    assert lesson(outgoing) == lesson(outgoing) == lesson(other, backwards)
    assert lesson(outgoing, LESSON | {"knowledge/a.md": b""}) != lesson(outgoing)


def test_what_goes_goes_with_its_folder_and_both_histories_stay(place: Place) -> None:
    outgoing = place.opened()
    first = lesson(outgoing)

    moved = outgoing.commit(
        {"knowledge/science/velmora/qna.yaml": b"new\n"},
        "Move it",
        JANE,
        [outgoing.head, first],
        ["knowledge/geography/velmora/qna.yaml", "knowledge/science/bay", "knowledge/none"],
    )

    assert sorted(outgoing.read(moved, "")) == [
        "compositional_skills/writing/rhyme/qna.yaml",
        "knowledge/science/velmora/qna.yaml",
    ]
    assert outgoing.is_in(first, moved)
    assert outgoing.is_in(outgoing.head, moved)
    assert not outgoing.is_in(moved, first)
    assert not outgoing.is_in("0" * 40, moved)
    assert not outgoing.is_in("--all", moved)


def test_names_that_are_unusual_but_harmless_arrive_as_they_are(place: Place) -> None:
    outgoing = place.opened()
    files = {
        f"knowledge/{name}/qna.yaml": name.encode()
        for name in ("a b", 'quo"te', '"q"', "größe", "日本", "-dash", "*", "#x", "it's", " lead", ".hidden", "a\u0301")
    }

    commit = lesson(outgoing, files)

    assert outgoing.read(commit, "knowledge") == outgoing.read(outgoing.head, "knowledge") | files


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../out", "a/../../out", "a//b", "a/./b", "a/", ".git/config", "a/.GIT/hooks/x", "a/.git ./x",
     "a/.g\u200cit/x", "a/.gi\ufefft/x", "GIT~1/config", "a/git~2", ".git::$INDEX_ALLOCATION/x", "a\\..\\b", "a/.git",
     "a\nb", "a\x1b[2Jb", "a\x00b", "a/\uff0egit/x", "a\u2028b", "a/\udcff", ".gitmodules", "a/.gitattributes",
     "x" * 1001, "a/...", "a/ /b"],
)  # fmt: skip
def test_a_path_that_leads_out_or_means_something_to_git_is_refused(tmp_path: Path, path: str) -> None:
    outgoing = Outgoing(tmp_path / "clone", "", "", "")

    for files, without in (({path: b"x"}, []), ({}, [path])):
        with pytest.raises(LibraryError, match="cannot be sent") as caught:
            outgoing.commit(files, "x", JANE, [], without)
        assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("mode", "content", "path", "sentence"),
    [
        ("120000", b"../../../../etc", "knowledge/way/velmora/qna.yaml", "is a link"),
        ("120000", b"..", "knowledge/way/qna.yaml", "is a link"),
        ("160000", b"", "knowledge/way/qna.yaml", "is a link"),
        ("100644", b"x", "knowledge/way/qna.yaml", "is a file"),
        ("100755", b"x", "knowledge/way/deep/qna.yaml", "is a file"),
    ],
)
def test_nothing_is_written_through_a_link_or_a_file(
    place: Place, mode: str, content: bytes, path: str, sentence: str
) -> None:
    if mode == "160000":
        git(place.remote, "read-tree", "main")
        git(place.remote, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},knowledge/way")
        tree = git(place.remote, "write-tree")
        git(place.remote, "update-ref", "refs/heads/main", git(place.remote, "commit-tree", tree, "-m", "x"))
    else:
        others_add(place.remote, "knowledge/way", content, mode=mode)
    outgoing = place.opened()

    with pytest.raises(LibraryError, match=sentence):
        lesson(outgoing, {path: b"x"})

    assert lesson(outgoing, {"knowledge/other/qna.yaml": b"x"})


def test_a_file_is_no_folder_and_a_folder_no_file(place: Place) -> None:
    outgoing = place.opened()

    with pytest.raises(LibraryError, match="at once"):
        lesson(outgoing, {"knowledge/a": b"x", "knowledge/a/b": b"x"})
    with pytest.raises(LibraryError, match="is a folder"):
        lesson(outgoing, {"knowledge/science": b"x"})
    moved = outgoing.commit({f"{BAY}/deeper": b"x"}, "x", JANE, [outgoing.head], [BAY])
    assert f"{BAY}/deeper" in outgoing.read(moved, "")


@pytest.mark.parametrize("name", ["", "Jane\nRoe", "Jane <x>", " "])
def test_a_name_that_would_forge_a_commit_is_refused(place: Place, name: str) -> None:
    outgoing = place.opened()

    for signature in (Signature(name, "jane@example.org", 1.0), Signature("Jane", name, 1.0)):
        with pytest.raises(LibraryError, match="author"):
            outgoing.commit(LESSON, "x", signature, [outgoing.head])
    with pytest.raises(LibraryError, match="not known"):
        outgoing.commit(LESSON, "x", JANE, ["main\nM 100644 inline x"])


# ---- pushing


def test_a_push_makes_the_branch_and_pushing_again_sends_nothing(place: Place) -> None:
    outgoing = place.opened()
    commit = lesson(outgoing)

    place.push(outgoing, commit)
    place.push(outgoing, commit)

    assert place.branches()["lesson/velmora"] == commit
    assert outgoing.remote_branch(place.address, "lesson/velmora", None) == commit
    assert outgoing.remote_branch(place.address, "velmora", None) == ""
    assert len([each for each in place.server.asked if each.endswith("/git-receive-pack")]) == 1
    git(place.remote, "fsck", "--strict")


def test_a_branch_is_moved_only_from_where_it_is_expected(place: Place) -> None:
    outgoing = place.opened()
    first, second = lesson(outgoing), lesson(outgoing, LESSON | {"knowledge/more.md": b"x"})
    place.push(outgoing, first)

    with pytest.raises(LibraryError, match="meanwhile"):
        place.push(outgoing, second)
    with pytest.raises(LibraryError, match="meanwhile"):
        place.push(outgoing, second, expects=outgoing.head)
    assert place.branches()["lesson/velmora"] == first
    place.push(outgoing, second, expects=first)
    assert place.branches()["lesson/velmora"] == second


def test_a_branch_that_moves_while_we_push_is_left_alone(place: Place) -> None:
    outgoing = place.opened()
    commit = lesson(outgoing)
    theirs: list[str] = []

    def move() -> None:
        theirs.append(others_add(place.remote, "knowledge/theirs.md", branch="lesson/velmora"))

    place.server.faults.append(Fault(PUSH, before=move))

    with pytest.raises(LibraryError, match="meanwhile"):
        place.push(outgoing, commit)

    assert place.branches()["lesson/velmora"] == theirs[0]


def test_a_push_that_is_cut_changes_nothing_and_one_more_finishes_it(place: Place) -> None:
    outgoing = place.opened()
    commit = lesson(outgoing, LESSON | {"knowledge/large.md": os.urandom(300_000)})
    before = place.branches()
    place.server.faults += [Fault(PUSH, cut_after=50_000)] * 9  # a first cut is tried again by git itself

    with pytest.raises(LibraryError, match="cannot be reached"):
        place.push(outgoing, commit)

    assert place.branches() == before
    assert len(place.server.faults) < 9
    place.server.faults.clear()
    place.push(outgoing, commit)
    assert place.branches()["lesson/velmora"] == commit


def test_a_push_whose_answer_was_lost_counts_as_done(place: Place) -> None:
    outgoing = place.opened()
    commit = lesson(outgoing)
    place.server.faults.append(Fault(PUSH, loses_answer=True))

    place.push(outgoing, commit)

    assert place.branches()["lesson/velmora"] == commit


def test_a_large_push_goes_in_pieces(place: Place) -> None:
    outgoing = place.opened()
    shares: list[float] = []
    commit = lesson(outgoing, LESSON | {"knowledge/large.pdf": os.urandom(2_500_000)})

    outgoing.push(
        place.address, commit, "lesson/velmora", place.credentials, lambda _, share: shares.append(share), go_on
    )

    assert place.branches()["lesson/velmora"] == commit
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_cancelled_push_is_soon_over_and_changed_nothing(place: Place) -> None:
    outgoing = place.opened()
    commit = lesson(outgoing)
    before = place.branches()
    arrived = threading.Event()
    place.server.faults.append(Fault(PUSH, waits_for=threading.Event(), before=arrived.set))

    with pytest.raises(Cancelled):
        outgoing.push(
            place.address, commit, "lesson/velmora", place.credentials, silent,
            lambda: any(each.startswith("POST") and each.endswith("receive-pack") for each in place.server.asked),
        )  # fmt: skip

    assert place.branches() == before


REFUSALS = {
    "protected": ("protected", "main"),
    "rules": ("own rules", "lesson/velmora"),
    "quota": ("used up", "lesson/velmora"),
    "privacy": ("no-reply|private", "lesson/velmora"),
    "large": ("larger", "lesson/velmora"),
    "workflow": ("older than the original", "lesson/velmora"),
}
SAID = {
    "rules": "echo 'Title is \033[31mmissing\033[0m' >&2; exit 1",
    "quota": "echo 'error: Your push would exceed the storage quota of this project' >&2; exit 1",
    "privacy": "echo 'error: GH007: Your push would publish a private email address.' >&2; exit 1",
    "large": "echo 'error: GH001: Large files detected.' >&2; exit 1",
    "workflow": "echo 'refusing to allow an OAuth App to update workflow `x` without `workflow` scope' >&2; exit 1",
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_of_the_remote_is_a_sentence_and_its_words_are_in_the_details(place: Place, kind: str) -> None:
    sentence, branch = REFUSALS[kind]
    outgoing = place.opened()
    if kind == "protected":
        place.server.protect("taxonomy", "main")
    else:
        place.server.hook("taxonomy", SAID[kind])
    before = place.branches()

    with pytest.raises(LibraryError, match=sentence) as caught:
        place.push(outgoing, lesson(outgoing), branch, expects=before.get(branch, ""))

    assert "remote: " in caught.value.details
    assert "\x1b" not in caught.value.details
    assert caught.value.hint
    assert place.branches() == before


@pytest.mark.parametrize(
    ("on", "status", "sentence"),
    [
        (ADVERTISED, 403, "other accounts"),
        (ADVERTISED, 429, "used up"),
        (PUSH, 507, "used up"),
        (PUSH, 413, "larger"),
        (PUSH, 502, "cannot be reached"),
        (ADVERTISED, 404, "no library"),
    ],
)
def test_a_status_of_the_host_is_a_sentence(place: Place, on: str, status: int, sentence: str) -> None:
    outgoing = place.opened()
    before = place.branches()
    place.server.faults.append(Fault(on, status, "<html>no</html>"))

    with pytest.raises(LibraryError, match=sentence):
        place.push(outgoing, lesson(outgoing))

    assert place.branches() == before


def test_who_may_not_push_is_told_apart_from_who_is_not_signed_in(place: Place) -> None:
    outgoing = place.opened()
    commit = lesson(outgoing)

    with pytest.raises(LibraryError, match="did not accept the sign-in"):
        outgoing.push(
            place.address, commit, "lesson/velmora", Credentials("jane", "wrong", place.server.host), silent, go_on
        )
    with pytest.raises(LibraryError, match="asks for a password"):
        outgoing.push(place.address, commit, "lesson/velmora", None, silent, go_on)
    assert "lesson/velmora" not in place.branches()


def test_without_a_connection_it_is_said_and_everything_is_kept(place: Place) -> None:
    outgoing = place.opened()
    commit = lesson(outgoing)
    gone = "http://127.0.0.1:9/taxonomy.git"

    with pytest.raises(LibraryError, match="cannot be reached"):
        outgoing.push(gone, commit, "lesson/velmora", None, silent, go_on)
    with pytest.raises(LibraryError, match="cannot be reached"):
        open_outgoing(place.folder, gone, None, silent, go_on)
    with pytest.raises(LibraryError, match="cannot be reached"):
        outgoing.remote_branch(gone, "main", None)

    assert reopened(place.folder, place.address) == outgoing
    assert outgoing.read(commit, "knowledge/geography/velmora") == LESSON


def test_a_folder_takes_a_push_too_and_a_copy_that_is_behind_gets_the_rest(place: Place, tmp_path: Path) -> None:
    place.server.make("fork", place.remote)
    git(place.server.repository("fork"), "update-ref", "refs/heads/main", "main~2")
    outgoing = place.opened()
    commit = lesson(outgoing)

    for address in (place.server.address("fork"), f"file://{place.server.repository('fork')}"):
        branch = f"lesson/{address.partition(':')[0]}"
        outgoing.push(address, commit, branch, place.credentials, silent, go_on)
        assert place.branches("fork")[branch] == commit
    git(place.server.repository("fork"), "fsck", "--strict")


def test_an_address_by_ssh_is_told_about_where_there_is_no_ssh(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    outgoing = place.opened()
    commit = lesson(outgoing)
    address = "git@127.0.0.1:team/taxonomy.git"

    for command in ("no-such-ssh", "no-such-ssh -oBatchMode=yes"):
        monkeypatch.setenv("GIT_SSH_COMMAND", command)
        with pytest.raises(LibraryError, match="not installed"):
            outgoing.push(address, commit, "lesson/velmora", place.credentials, silent, go_on)
    monkeypatch.setenv("GIT_SSH_COMMAND", "echo 'git@127.0.0.1: Permission denied (publickey).' >&2; false")
    with pytest.raises(LibraryError, match="password or a key"):
        outgoing.push(address, commit, "lesson/velmora", place.credentials, silent, go_on)
    monkeypatch.setenv("GIT_SSH_COMMAND", "false")
    with pytest.raises(LibraryError, match="cannot be reached"):
        open_outgoing(place.folder, address, place.credentials, silent, go_on)


@pytest.mark.parametrize("branch", ["", "-x", "a b", "a..b", "a/.b", "x.lock", "a\nb", "refs^", "a:b", "@", "a/"])
def test_a_branch_of_no_name_is_refused(tmp_path: Path, branch: str) -> None:
    outgoing = Outgoing(tmp_path / "clone", "", "", "")

    with pytest.raises(LibraryError, match="cannot be called"):
        outgoing.push("https://example.org/x", "1" * 40, branch, None, silent, go_on)


@pytest.mark.slow
def test_ten_thousand_lessons_cost_seconds(place: Place) -> None:
    place.name = "large"
    make(place.remote, 10_000, 60)
    before = os.times()

    outgoing = place.opened()
    commit = lesson(outgoing)
    place.push(outgoing, commit)
    again = place.opened()

    assert sum(os.times()[:4]) - sum(before[:4]) < 20
    assert again == outgoing
    assert place.branches()["lesson/velmora"] == commit
    assert outgoing.read(commit, "knowledge/geography/velmora") == LESSON
