"""A contribution goes out step by step, to real git behind real servers: everything or nothing, and nothing twice."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import keyring
import pytest

from lab_desktop import paths, repository
from lab_desktop.contribution import contributions, patience, sending
from lab_desktop.contribution.contributions import Contribution, State
from lab_desktop.contribution.parcel import prepare
from lab_desktop.contribution.sending import Clashed, send
from lab_desktop.errors import Cancelled, ContributionError, LabError, StorageError, Unreached
from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import ShareRequest
from lab_desktop.jobs.events import Event, Progress
from lab_desktop.jobs.run import Run
from tests.contribution.hub import FACTS, SKILL, TAXONOMY, TOKEN, Hub, said, somebody_commits
from tests.contribution.parcels import ADA
from tests.git_server import PUSH
from tests.git_server import Fault as GitFault
from tests.gitlab_server import GitLabServer, Person, Project
from tests.json_server import Fault as ApiFault
from tests.keyrings import MemoryKeyring
from tests.taxonomy.leaves import instructlab_rejects


def do(contribution: Contribution, told: list[Event] | None = None) -> dict[str, Any]:
    """Send it, as a worker does."""
    with Run(contribution.folder, (told if told is not None else []).append).open() as run:
        return send(contribution, run)


def now(contribution: Contribution) -> Contribution:
    return contributions.read(contribution.folder)


def test_facts_go_with_their_documents_to_the_community(hub: Hub) -> None:
    made = hub.prepared(FACTS, hub.community)
    told: list[Event] = []

    result = do(made, told)

    assert set(hub.branches("ada/taxonomy")) == {"main", made.branch}
    files = hub.files("ada/taxonomy", made.branch)
    documents = hub.branches("ada/taxonomy-documents")["main"]
    assert set(files) == {"README.md", "knowledge/.gitkeep", f"{FACTS}/qna.yaml", f"{FACTS}/attribution.txt"}
    assert f'commit: "{documents}"' in files[f"{FACTS}/qna.yaml"]
    assert f'repo: "{hub.git.address("ada/taxonomy-documents")}"' in files[f"{FACTS}/qna.yaml"]
    assert hub.files("ada/taxonomy-documents", documents)[f"{FACTS}/texts/old/orra.md"].startswith("# Orra")
    commit = said(hub.git.repository("ada/taxonomy"), "log", "-1", "--format=%an <%ae>%n%cn <%ce>%n%B", made.branch)
    assert commit.splitlines()[:2] == [f"{ADA.name} <{ADA.email}>"] * 2
    assert f"Signed-off-by: {ADA.name} <{ADA.email}>" in commit
    (pull,) = hub.hub.pulls
    assert (pull.into, pull.head) == (TAXONOMY, f"ada:{made.branch}")
    assert pull.body == contributions.letter_of(made).body
    assert result == {"page": pull_page(1), "commit": hub.branches("ada/taxonomy")[made.branch], "number": 1}
    assert contributions.state(now(made)) is State.SENT
    counts = [(event.done, event.total) for event in told if isinstance(event, Progress)]
    assert counts[0] == (0, 6) and counts[-1] == (6, 6) and counts == sorted(counts)


def test_what_arrives_passes_the_community_s_own_checks(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (FACTS, SKILL):
        made = hub.prepared(path, hub.community)
        do(made)
        for name, text in hub.files("ada/taxonomy", made.branch).items():
            (tmp_path / "checked" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "checked" / name).write_text(text)

        file = tmp_path / "checked" / path / "qna.yaml"
        assert not instructlab_rejects(file, "contribution", monkeypatch, real_lint=True)
        assert (file.parent / "attribution.txt").read_text().strip()


def pull_page(number: int) -> str:
    return f"https://github.com/{TAXONOMY}/pull/{number}"


def test_pressed_again_nothing_is_asked_and_nothing_sent(hub: Hub) -> None:
    made = hub.prepared(FACTS, hub.community)
    first = do(made)
    hub.hub.asked.clear()
    hub.git.asked.clear()

    assert do(made) == first
    assert (hub.hub.asked, hub.git.asked) == ([], [])
    assert len(repository.sent(hub.library)) == 1


def test_killed_before_it_noted_that_the_library_knows_it_tells_it_once(hub: Hub) -> None:
    made = hub.prepared(SKILL, hub.team)
    do(made)
    journal = made.folder / "steps.jsonl"
    journal.write_text("".join(line for line in journal.read_text().splitlines(True) if '"noted"' not in line))

    do(made)

    assert len(repository.sent(hub.library)) == 1


@pytest.mark.parametrize("damage", ["a line", "all of it"])
def test_what_was_done_is_found_again_when_its_journal_is_damaged(hub: Hub, damage: str) -> None:
    made = hub.prepared(SKILL, hub.community)
    first = do(made)
    journal = made.folder / "steps.jsonl"
    journal.write_text(f"nonsense\n{journal.read_text()}" if damage == "a line" else "")

    assert do(made) == first
    assert contributions.state(now(made)) is State.SENT
    assert len(hub.hub.pulls) == 1 and len(repository.sent(hub.library)) == 1


def test_documents_that_are_not_there_any_more_are_sent_again(hub: Hub) -> None:
    made = hub.prepared(FACTS, hub.community)
    hub.hub.faults.append(ApiFault("POST /repos/instructlab/taxonomy/pulls", 422, body={"message": "no"}))
    with pytest.raises(ContributionError):
        do(made)
    shutil.rmtree(hub.git.repository("ada/taxonomy-documents"))
    del hub.hub.repos["ada/taxonomy-documents"]

    do(made)

    commit = hub.branches("ada/taxonomy-documents")["main"]
    assert f'commit: "{commit}"' in hub.files("ada/taxonomy", made.branch)[f"{FACTS}/qna.yaml"]


def test_a_request_that_was_closed_and_opened_again_goes_on(hub: Hub) -> None:
    made = hub.prepared(SKILL, hub.community)
    do(made)
    hub.hub.pulls[0].state = "closed"
    sending.follow(made)
    assert contributions.state(made) is State.DECLINED
    hub.hub.pulls[0].state = "open"
    edit(hub)

    do(renewed(hub, made))

    assert "RAIN AGAIN" in hub.files("ada/taxonomy", made.branch)[f"{SKILL}/qna.yaml"]
    assert len(hub.hub.pulls) == 1 and contributions.state(now(made)) is State.CHECKING


def test_what_nobody_agreed_to_does_not_go_with_what_was_agreed_to(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    made, update = hub.prepared(SKILL, hub.community), contributions.update

    def changed_meanwhile(contribution: Contribution, **changes: Any) -> Contribution:
        monkeypatch.undo()
        edit(hub)
        contributions.renew(now(made), prepare(hub.library, Path(SKILL)), contributions.letter_of(made))
        return update(contribution, **changes)

    monkeypatch.setattr(contributions, "update", changed_meanwhile)
    do(made)

    assert "RAIN AGAIN" not in hub.files("ada/taxonomy", made.branch)[f"{SKILL}/qna.yaml"]
    assert contributions.state(now(made)) is State.DRAFT


def no_room(*words: Any, **named: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("which", ["TemporaryFile", "TemporaryDirectory"])
def test_without_room_for_what_git_is_given_it_is_a_sentence(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    if which == "TemporaryDirectory":  # this computer's own git is asked for the sign-in
        keyring.set_keyring(MemoryKeyring())
    made = hub.prepared(SKILL, hub.community)
    monkeypatch.setattr(tempfile, which, no_room)

    with pytest.raises(StorageError, match="disk is full"):
        do(made)

    assert hub.hub.pulls == []


def test_a_folder_that_went_read_only_at_the_last_step_is_a_sentence(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    made = hub.prepared(SKILL, hub.team)
    request, unlink = errands.write(ShareRequest(made.folder)) / errands.FILE_NAME, Path.unlink
    monkeypatch.setattr(
        Path, "unlink", lambda path, missing_ok=False: no_room() if path == request else unlink(path, missing_ok)
    )

    with pytest.raises(StorageError):
        do(made)

    assert contributions.state(now(made)) is State.SENT


def test_the_library_is_told_what_was_sent_unless_it_was_changed_since(hub: Hub) -> None:
    made = hub.prepared(FACTS, hub.community)
    do(made)
    (noted,) = repository.sent(hub.library)
    assert (noted.path, noted.to) == (FACTS, pull_page(1))
    assert noted.digest == repository.digest_of(hub.library / FACTS)

    other = hub.prepared(SKILL, hub.team)
    file = hub.library / SKILL / "qna.yaml"
    file.write_text(file.read_text().replace("RAIN", "RAIN!"))
    do(other)
    assert len(repository.sent(hub.library)) == 1
    assert contributions.state(now(other)) is State.SENT


def test_without_pull_requests_the_branch_is_pushed_and_documents_go_along(hub: Hub) -> None:
    made = hub.prepared(FACTS, hub.team)

    result = do(made)

    files = hub.files("team/lessons", made.branch)
    documents = said(hub.git.repository("team/lessons"), "rev-parse", f"{made.branch}^").strip()
    assert files[f"{FACTS}/texts/old/orra.md"].startswith("# Orra")
    assert f'commit: "{documents}"' in files[f"{FACTS}/qna.yaml"]
    assert "Signed-off-by: Ada" in said(hub.git.repository("team/lessons"), "log", "-1", "--format=%B", documents)
    assert (result["number"], result["page"]) == (0, f"http://{hub.git.host}/team/lessons")
    assert hub.hub.asked == []


def test_a_folder_takes_it_and_an_empty_one_too(hub: Hub, tmp_path: Path) -> None:
    said(tmp_path, "init", "-q", "--bare", "-b", "main", str(tmp_path / "shelf.git"))
    destination = replace(hub.team, address=(tmp_path / "shelf.git").as_uri())
    made = hub.prepared(SKILL, destination)

    do(made)

    assert "Shout" in said(tmp_path / "shelf.git", "show", f"{made.branch}:{SKILL}/qna.yaml")


def test_a_team_s_documents_go_to_its_own_repository(hub: Hub) -> None:
    hub.git.make("team/papers")
    made = hub.prepared(FACTS, replace(hub.team, documents=hub.git.address("team/papers")))

    do(made)

    commit = hub.branches("team/papers")[made.branch]
    assert f'commit: "{commit}"' in hub.files("team/lessons", made.branch)[f"{FACTS}/qna.yaml"]
    assert f"{FACTS}/texts/old/orra.md" not in hub.files("team/lessons", made.branch)


def test_what_a_team_keeps_to_itself_is_not_made_public(hub: Hub) -> None:
    hub.hub.repos[TAXONOMY].is_private = True
    hub.hub.repos[TAXONOMY].pushers = {"ada"}
    made = hub.prepared(FACTS, hub.community)

    do(made)

    assert "ada/taxonomy-documents" not in hub.hub.repos
    assert f"{FACTS}/texts/old/orra.md" in hub.files(TAXONOMY, made.branch)


def test_facts_go_to_a_team_at_gitlab(hub: Hub) -> None:
    lab = GitLabServer()
    lab.people[TOKEN] = Person("ada")
    lab.add("team/lessons")
    lab.git = hub.hub.git
    hub.git.accounts["oauth2"] = TOKEN

    def make(project: Project) -> None:
        parent = lab.projects.get(project.parent)
        hub.git.make(project.full_name, hub.git.repository(parent.full_name) if parent else None)

    lab.on_made, lab.has_branch = make, hub.hub.has_branch
    with lab.running():
        made = hub.prepared(FACTS, replace(hub.team, forge="gitlab", api=lab.api))
        result = do(made)
        assert do(made) == result

    assert [(each.number, each.branch) for each in lab.requests] == [(result["number"], made.branch)]
    assert hub.branches("ada/lessons")[made.branch] == result["commit"]
    assert set(hub.files("ada/taxonomy-documents", "main")) == {"README.md", f"{FACTS}/texts/old/orra.md"}


def test_two_lessons_share_the_repository_of_documents(hub: Hub) -> None:
    do(hub.prepared(FACTS, hub.community))
    (hub.library / "knowledge" / "places" / "orra").rename(hub.library / "knowledge" / "places" / "norra")
    do(hub.prepared("knowledge/places/norra", hub.community))

    documents = hub.files("ada/taxonomy-documents", "main")
    assert set(documents) == {"README.md", f"{FACTS}/texts/old/orra.md", "knowledge/places/norra/texts/old/orra.md"}
    assert [pull.number for pull in hub.hub.pulls] == [1, 2]


def test_a_document_that_went_is_not_taken_for_one_of_the_lesson(hub: Hub) -> None:
    made = hub.prepared(FACTS, hub.community)
    do(made)
    document = hub.library / FACTS / "texts" / "old" / "orra.md"
    document.rename(document.with_name("island.md"))

    do(renewed(hub, made))

    assert set(hub.files("ada/taxonomy-documents", "main")) == {"README.md", f"{FACTS}/texts/old/island.md"}


def renewed(hub: Hub, contribution: Contribution) -> Contribution:
    """The contribution with the lesson as it is now, agreed to again."""
    parcel = prepare(hub.library, Path(contribution.path))
    again = contributions.renew(now(contribution), parcel, contributions.letter_of(contribution))
    return contributions.update(again, agreed_at=2.0)


def edit(hub: Hub, path: str = SKILL, new: str = "RAIN AGAIN") -> None:
    file = hub.library / path / "qna.yaml"
    file.write_text(file.read_text().replace("RAIN", new))


def test_a_changed_lesson_updates_the_same_pull_request(hub: Hub) -> None:
    made = hub.prepared(SKILL, hub.community)
    first = do(made)
    edit(hub)
    again = renewed(hub, made)
    assert contributions.state(again) is State.READY

    second = do(again)

    assert (second["number"], second["page"]) == (1, first["page"])
    assert second["commit"] != first["commit"]
    assert hub.branches("ada/taxonomy")[made.branch] == second["commit"]
    assert "RAIN AGAIN" in hub.files("ada/taxonomy", made.branch)[f"{SKILL}/qna.yaml"]
    assert len(hub.hub.pulls) == 1
    assert len(repository.sent(hub.library)) == 2


def test_a_moved_lesson_moves_in_the_same_pull_request(hub: Hub) -> None:
    made = hub.prepared(SKILL, hub.community)
    first = do(made)
    before, moved = Path(SKILL), Path("compositional_skills/elsewhere/loud")
    (hub.library / moved).parent.mkdir()
    (hub.library / before).rename(hub.library / moved)

    contributions.follow(hub.library, [(before, moved)])
    assert (now(made).path, contributions.state(now(made))) == (moved.as_posix(), State.SENT)
    again = renewed(hub, now(made))
    second = do(again)

    assert second["number"] == first["number"] and len(hub.hub.pulls) == 1
    sent = [name for name in hub.files("ada/taxonomy", made.branch) if name.endswith("qna.yaml")]
    assert sent == [f"{moved}/qna.yaml"]


def test_what_others_put_onto_the_branch_is_not_thrown_away(hub: Hub) -> None:
    made = hub.prepared(SKILL, hub.community)
    do(made)
    theirs = hub.git.repository("ada/taxonomy")
    commit = somebody_commits(theirs, {"note.md": "a reviewer's"}, made.branch)
    edit(hub)

    with pytest.raises(ContributionError, match="Somebody added to what you sent"):
        do(renewed(hub, made))

    assert hub.branches("ada/taxonomy")[made.branch] == commit
    assert contributions.state(now(made)) is State.READY and now(made).trouble


def test_what_was_decided_on_is_not_added_to(hub: Hub) -> None:
    made = hub.prepared(SKILL, hub.community)
    do(made)
    hub.hub.pulls[0].is_merged, hub.hub.pulls[0].state = True, "closed"
    hub.hub.pulls[0].sha = "1" * 40
    found = sending.follow(made)
    assert found is not None and found.outcome == "accepted"
    assert contributions.state(made) is State.ACCEPTED
    edit(hub)

    with pytest.raises(ContributionError, match="decided on already"):
        do(renewed(hub, made))


def test_decided_on_since_it_was_asked_last_nothing_is_pushed(hub: Hub) -> None:
    made = hub.prepared(SKILL, hub.community)
    do(made)
    before = hub.branches("ada/taxonomy")
    hub.hub.pulls[0].state = "closed"
    edit(hub)

    with pytest.raises(ContributionError, match="decided on already"):
        do(renewed(hub, made))

    assert hub.branches("ada/taxonomy") == before
    assert contributions.standing(made).outcome == "declined"  # type: ignore[union-attr]


def test_what_they_took_in_from_us_is_no_change_of_others(hub: Hub) -> None:
    made = hub.prepared(SKILL, hub.team)
    commit = do(made)["commit"]
    bare = hub.git.repository("team/lessons")
    said(bare, "update-ref", "refs/heads/main", commit)
    said(bare, "update-ref", "-d", f"refs/heads/{made.branch}")
    edit(hub)

    do(renewed(hub, made))

    assert "RAIN AGAIN" in hub.files("team/lessons", made.branch)[f"{SKILL}/qna.yaml"]
    hub.move_on("team/lessons", {f"{SKILL}/qna.yaml": "theirs"})
    edit(hub, new="NOW RAIN")
    with pytest.raises(Clashed):
        do(hub.prepared(SKILL, hub.team))


def test_it_is_told_how_it_stands(hub: Hub) -> None:
    made = hub.prepared(SKILL, hub.community)
    assert sending.follow(made) is None
    do(made)
    hub.hub.pulls[0].review("bo", "CHANGES_REQUESTED", "More examples.", "2027-11-22T08:00:00Z")

    found = sending.follow(made)

    assert found is not None and found.outcome == "changes asked"
    assert contributions.standing(made) == found
    assert contributions.state(made) is State.CHANGES
    assert contributions.unread(made) >= 1
    assert sending.follow(hub.prepared(SKILL, hub.team)) is None


def test_another_version_there_is_shown_and_overwritten_only_on_top(hub: Hub) -> None:
    made = hub.prepared(SKILL, hub.community)
    theirs = {f"{SKILL}/qna.yaml": "version: 3\ncreated_by: bo\n", f"{SKILL}/note.md": "x"}
    head = hub.move_on(TAXONOMY, theirs)

    with pytest.raises(Clashed, match="Somebody changed “Shout”"):
        do(made)

    assert hub.branches(TAXONOMY) == {"main": head} and "ada/taxonomy" not in hub.hub.repos
    assert (now(made).is_wanted, contributions.state(now(made))) == (False, State.READY)
    found = sending.clash(now(made))
    assert found is not None
    assert found.theirs == {f"{SKILL}/qna.yaml": b"version: 3\ncreated_by: bo\n"}
    assert found.ours == contributions.parcel_of(made).files

    kept = sending.keep_ours(now(made))
    assert (kept.is_wanted, kept.trouble) == (True, "")
    assert sending.clash(kept) is None
    do(kept)
    assert said(hub.git.repository("ada/taxonomy"), "rev-parse", f"{made.branch}^").strip() == head
    assert hub.files("ada/taxonomy", made.branch)[f"{SKILL}/note.md"].strip() == "x"


def test_a_third_version_after_the_decision_is_shown_again(hub: Hub) -> None:
    made = hub.prepared(SKILL, hub.community)
    hub.move_on(TAXONOMY, {f"{SKILL}/qna.yaml": "theirs"})
    with pytest.raises(Clashed):
        do(made)
    sending.keep_ours(made)
    hub.move_on(TAXONOMY, {f"{SKILL}/qna.yaml": "theirs again"})

    with pytest.raises(Clashed):
        do(made)

    found = sending.clash(made)
    assert found is not None and found.theirs == {f"{SKILL}/qna.yaml": b"theirs again"}


def test_what_is_there_already_in_the_same_words_is_no_clash(hub: Hub) -> None:
    made = hub.prepared(SKILL, hub.community)
    ours = contributions.parcel_of(made).files[f"{SKILL}/qna.yaml"].decode()
    hub.move_on(TAXONOMY, {f"{SKILL}/qna.yaml": ours.rstrip("\n") + "\n"})

    do(made)

    assert len(hub.hub.pulls) == 1


def test_the_destination_moves_on_between_and_nothing_is_sent_twice(hub: Hub) -> None:
    made = hub.prepared(FACTS, hub.community)
    do(made)
    journal = made.folder / "steps.jsonl"
    rows = [line for line in journal.read_text().splitlines() if json.loads(line)["step"] in ("documents", "pushing")]
    journal.write_text("".join(f"{line}\n" for line in rows))  # killed right after the push
    before = hub.branches("ada/taxonomy")
    hub.move_on(TAXONOMY, {"other.md": "new"})

    result = do(made)

    assert hub.branches("ada/taxonomy") == before
    assert (result["number"], len(hub.hub.pulls)) == (1, 1)


def test_nobody_signed_in_it_waits(hub: Hub) -> None:
    kept = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyring())
    made = hub.prepared(SKILL, hub.community)

    with pytest.raises(ContributionError, match="Nobody is signed in"):
        do(made)

    assert contributions.state(now(made)) is State.WAITING
    assert "Nobody is signed in" in now(made).trouble
    keyring.set_keyring(kept)
    do(now(made))
    assert (now(made).is_wanted, now(made).trouble) == (False, "")


def test_without_a_connection_it_waits_and_pressed_again_it_goes(hub: Hub) -> None:
    away = replace(hub.team, address="http://127.0.0.1:9/team/lessons.git")
    made = hub.prepared(SKILL, away)

    with pytest.raises(Unreached):
        do(made)

    assert contributions.state(now(made)) is State.WAITING
    contributions.save(replace(now(made), destination=hub.team))
    do(made)
    assert made.branch in hub.branches("team/lessons")


def test_what_is_refused_does_not_wait(hub: Hub) -> None:
    made = hub.prepared(SKILL, hub.team)
    hub.git.protect("team/lessons", made.branch)

    with pytest.raises(LabError, match="protected") as refused:
        do(made)

    assert contributions.state(now(made)) is State.READY
    assert now(made).trouble == refused.value.message and now(made).hint
    (hub.git.repository("team/lessons") / "hooks" / "update").unlink()
    do(made)


def test_a_token_that_may_not_write_is_told_so(hub: Hub) -> None:
    hub.hub.users[TOKEN].scopes = "read:user"
    made = hub.prepared(SKILL, hub.community)

    with pytest.raises(ContributionError, match="public_repo"):
        do(made)

    assert contributions.state(now(made)) in (State.READY, State.WAITING)
    hub.hub.users[TOKEN].scopes = "public_repo"
    do(made)


def test_an_empty_repository_is_told_so(hub: Hub) -> None:
    hub.git.make("ada/new")
    hub.hub.add("ada/new")
    made = hub.prepared(SKILL, replace(hub.community, address=f"http://{hub.git.host}/ada/new"))

    with pytest.raises(ContributionError, match="is empty"):
        do(made)


def test_a_repository_that_is_not_there_is_told_so(hub: Hub) -> None:
    made = hub.prepared(SKILL, replace(hub.community, address=f"http://{hub.git.host}/ada/nothing"))

    with pytest.raises(ContributionError, match="There is no ada/nothing"):
        do(made)


def test_what_nobody_agreed_to_is_not_sent(hub: Hub) -> None:
    made = hub.prepared(SKILL, hub.community)
    contributions.save(replace(made, agreed_at=0.0))

    with pytest.raises(ContributionError, match="not agreed to yet"):
        do(made)

    contributions.save(replace(made, author=None))
    with pytest.raises(ContributionError, match="not finished yet"):
        do(made)
    assert hub.hub.asked == []


def test_what_the_community_would_refuse_is_not_sent(hub: Hub) -> None:
    (hub.library / SKILL / "attribution.txt").unlink()
    made = hub.prepared(SKILL, hub.community)

    with pytest.raises(ContributionError, match="Nothing was sent"):
        do(made)

    assert (hub.hub.asked, hub.git.asked) == ([], [])


def test_cancelled_it_is_ready_again_and_what_was_done_stays(hub: Hub) -> None:
    made = hub.prepared(FACTS, hub.community)
    asked = 0

    def is_cancelled() -> bool:
        nonlocal asked
        asked += 1
        return bool(contributions.done(made).documents[1])

    with pytest.raises(Cancelled), Run(made.folder, is_cancelled=is_cancelled).open() as run:
        send(made, run)

    assert contributions.state(now(made)) is State.READY
    assert contributions.done(made).documents[1] and not contributions.done(made).commit
    documents = hub.branches("ada/taxonomy-documents")
    (made.folder / "steps.jsonl").unlink()  # as if it had been killed before it was noted
    do(made)
    assert hub.branches("ada/taxonomy-documents") == documents


GIT, API = "git", "hub"
FAULTS: dict[str, tuple[str, Any]] = {
    "the host is full": (GIT, GitFault(PUSH, status=507, says="quota exceeded")),
    "asked too often": (GIT, GitFault("git-receive-pack", status=429)),
    "refused": (GIT, GitFault(PUSH, status=403)),
    "not well": (GIT, GitFault("git-upload-pack", status=503)),
    "cut before it has arrived": (GIT, GitFault(PUSH, cut_after=10)),
    "the answer is lost": (GIT, GitFault(PUSH, loses_answer=True)),
    "the sign-in ran out": (API, ApiFault("GET /user", 401, body={"message": "Bad credentials"})),
    "the quota is used up": (
        API,
        ApiFault("/forks", 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9999999999"}),
    ),
    "the fork is refused": (API, ApiFault("POST /repos/instructlab/taxonomy/forks", 403, body={"message": "no"})),
    "the fork is made and nobody hears it": (API, ApiFault("/forks", is_cut=True, is_done=True)),
    "the request is refused": (API, ApiFault("POST /repos/instructlab/taxonomy/pulls", 422, body={"message": "no"})),
    "the request is made and nobody hears it": (
        API,
        ApiFault("POST /repos/instructlab/taxonomy/pulls", is_cut=True, is_done=True),
    ),
    "the documents' place is made and nobody hears it": (API, ApiFault("POST /user/repos", is_cut=True, is_done=True)),
}


@pytest.mark.parametrize("what", FAULTS)
def test_whatever_goes_wrong_pressed_again_it_is_there_once(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(patience, "FIRST_WAIT_S", 0.01)
    made = hub.prepared(FACTS, hub.community)
    where, fault = FAULTS[what]
    (hub.git if where == GIT else hub.hub).faults.append(fault)

    try:
        result = do(made)
    except LabError as error:
        assert error.message and error.hint and TOKEN not in error.message + error.hint + error.details
        assert now(made).trouble == error.message
        assert contributions.state(now(made)) in (State.READY, State.WAITING)
        result = do(made)

    assert (len(hub.git.faults), len(hub.hub.faults)) == (0, 0)
    assert hub.branches("ada/taxonomy") == {**hub.branches(TAXONOMY), made.branch: result["commit"]}
    assert [pull.number for pull in hub.hub.pulls] == [result["number"]] == [1]
    assert sorted(hub.hub.repos) == ["ada/taxonomy", "ada/taxonomy-documents", TAXONOMY]
    assert said(hub.git.repository("ada/taxonomy-documents"), "rev-list", "--count", "main").strip() == "1"
    assert (now(made).trouble, contributions.state(now(made))) == ("", State.SENT)
    assert len(repository.sent(hub.library)) == 1


def test_the_token_is_nowhere_but_in_the_keyring(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    made = hub.prepared(FACTS, hub.community)
    told: list[Event] = []
    with caplog.at_level("DEBUG"):
        do(made, told)

    places = [paths.user_data(), hub.library, hub.git.root]
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    assert len(files) > 30
    assert [file for file in files if TOKEN.encode() in file.read_bytes()] == []
    assert TOKEN not in repr(told) + caplog.text
