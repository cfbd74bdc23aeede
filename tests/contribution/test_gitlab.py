"""gitlab.py against a server that speaks as GitLab does: the same form as GitHub, nothing made twice."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import pytest

from lab_desktop.contribution import patience
from lab_desktop.contribution.accounts import NotSignedIn
from lab_desktop.contribution.destinations import Destination
from lab_desktop.contribution.hosts import Host, Place, Unreachable, host
from lab_desktop.errors import Cancelled, ContributionError
from tests.gitlab_server import GitLabServer, Person, Request
from tests.json_server import Fault, JsonServer

TOKEN = "glpat-planted0123456789"
LESSONS = "school/biology/lessons"
BRANCH = "lesson/velmora-1a2b3c"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("FIRST_WAIT_S", 0.01), ("FIRST_LOOK_S", 0.01), ("LONGEST_LOOK_S", 0.05), ("READY_S", 2.0)):
        monkeypatch.setattr(patience, name, seconds)


@pytest.fixture
def lab() -> Iterator[GitLabServer]:
    server = GitLabServer()
    server.people[TOKEN] = Person("anna")
    server.add(LESSONS)
    with server.running():
        yield server


def at(server: GitLabServer, token: str = TOKEN, is_cancelled: Callable[[], bool] = lambda: False) -> Host:
    return host(Destination("team", f"{server.address}/{LESSONS}", "gitlab", server.api), token, is_cancelled)


def never() -> bool:
    return False


def opened(server: GitLabServer) -> Request:
    server.requests.append(Request(1, 1, 2, BRANCH, "Velmora", "…"))
    return server.requests[0]


def into_and_fork(server: GitLabServer) -> tuple[Place, Place]:
    into, fork = at(server).place(LESSONS), at(server).ensure_fork(LESSONS, never)
    assert into is not None
    return into, fork


@pytest.mark.parametrize(("scopes", "lacks"), [(["api"], ""), (["read_api"], "“api”"), (None, "")])
def test_an_account_and_what_its_token_may(lab: GitLabServer, scopes: list[str] | None, lacks: str) -> None:
    lab.people[TOKEN] = Person("anna", 31, "Anna\t<B>", "anna@example.org", scopes)

    account = at(lab).account()

    assert (account.forge, account.login, account.name) == ("gitlab", "anna", "Anna B")
    assert account.emails == ("31-anna@users.noreply.127.0.0.1", "anna@example.org")
    assert account.may_write is not bool(lacks) and lacks in account.lacks


def test_a_project_is_told_as_it_is_for_this_account(lab: GitLabServer) -> None:
    lab.add("anna/secret", visibility="private", levels={"anna": 50}, branch=None)
    lab.add("bert/secret", visibility="private")

    assert at(lab).place("anna/secret") == Place(
        "anna/secret", f"{lab.address}/anna/secret.git", f"{lab.address}/anna/secret", "main", True, True
    )
    assert at(lab).place("bert/secret") is None
    lessons = at(lab).place(LESSONS)
    assert lessons is not None and (lessons.full_name, lessons.may_push) == (LESSONS, False)


def test_a_fork_is_made_waited_for_and_found_again(lab: GitLabServer) -> None:
    lab.fork_looks = 3

    first = at(lab).ensure_fork(LESSONS, never)
    second = at(lab).ensure_fork(LESSONS, never)

    assert first == second
    assert (first.full_name, first.may_push) == ("anna/lessons", True)
    assert lab.lines.count("POST /projects/1/fork") == 1


def test_a_fork_under_another_name_is_found(lab: GitLabServer) -> None:
    lab.add("anna/lessons")
    lab.add("anna/my-copy", parent=1, levels={"anna": 50}, status="finished")

    assert at(lab).ensure_fork(LESSONS, never).full_name == "anna/my-copy"


def test_a_fork_gets_a_longer_name_where_its_own_is_taken(lab: GitLabServer) -> None:
    lab.add("anna/lessons")

    assert at(lab).ensure_fork(LESSONS, never).full_name == "anna/school-biology-lessons"


def test_a_fork_whose_answer_was_lost_is_not_made_again(lab: GitLabServer) -> None:
    lab.faults.append(Fault("POST /projects/1/fork", is_cut=True, is_done=True))

    assert at(lab).ensure_fork(LESSONS, never).full_name == "anna/lessons"
    assert lab.lines.count("POST /projects/1/fork") == 1


def test_a_fork_that_could_not_be_made_is_said_so(lab: GitLabServer) -> None:
    lab.add("anna/lessons", parent=1, levels={"anna": 50}, status="failed")

    with pytest.raises(ContributionError, match="could not make your copy"):
        at(lab).ensure_fork(LESSONS, never)


def test_who_may_push_needs_no_fork_and_a_closed_project_takes_nothing(lab: GitLabServer) -> None:
    lab.projects[1].levels["anna"] = 30
    assert at(lab).ensure_fork(LESSONS, never).full_name == LESSONS

    lab.projects[1].is_archived = True

    with pytest.raises(ContributionError, match="was closed"):
        at(lab).ensure_fork(LESSONS, never)


def test_a_fork_that_was_closed_is_said_so(lab: GitLabServer) -> None:
    lab.add("anna/lessons", parent=1, levels={"anna": 50}, is_archived=True, branch="master")

    with pytest.raises(ContributionError, match="Your copy anna/lessons takes nothing"):
        at(lab).ensure_fork(LESSONS, never)


def test_waiting_for_a_fork_can_be_stopped(lab: GitLabServer) -> None:
    lab.fork_looks = 10**6
    began = time.monotonic()

    with pytest.raises(Cancelled):
        at(lab).ensure_fork(LESSONS, lambda: time.monotonic() - began > 0.2)


@pytest.mark.parametrize("fault", [None, Fault("POST /projects", is_cut=True, is_done=True)])
def test_the_repository_for_documents_is_made_once(lab: GitLabServer, fault: Fault | None) -> None:
    lab.faults += [fault] if fault else []

    first = at(lab).ensure_repository("taxonomy-documents", "Documents")
    second = at(lab).ensure_repository("taxonomy-documents", "Documents")

    assert first == second
    assert (first.full_name, first.is_private) == ("anna/taxonomy-documents", False)
    assert lab.lines.count("POST /projects") == 1


def test_a_private_project_takes_no_documents(lab: GitLabServer) -> None:
    lab.add("anna/taxonomy-documents", visibility="private", levels={"anna": 50})

    with pytest.raises(ContributionError, match="private, so nobody could read"):
        at(lab).ensure_repository("taxonomy-documents", "")


@pytest.mark.parametrize("fault", [None, Fault("POST /projects/2/merge_requests", is_cut=True, is_done=True)])
def test_a_merge_request_is_opened_once(lab: GitLabServer, fault: Fault | None) -> None:
    into, fork = into_and_fork(lab)
    lab.faults += [fault] if fault else []

    first = at(lab).ensure_request(into, fork, BRANCH, "Velmora", "…")
    second = at(lab).ensure_request(into, fork, BRANCH, "Velmora", "…")

    assert first == second and first.number == 1
    assert [(each.into, each.source, each.title) for each in lab.requests] == [(1, 2, "Velmora")]


def test_a_merge_request_that_was_not_listed_yet_is_taken(lab: GitLabServer) -> None:
    into, fork = into_and_fork(lab)
    opened(lab)
    lab.faults.append(Fault("GET /projects/1/merge_requests", 200, body=[]))

    assert at(lab).ensure_request(into, fork, BRANCH, "Velmora", "…").number == 1
    assert len(lab.requests) == 1


def test_an_accepted_one_is_not_opened_again_and_those_of_others_do_not_count(lab: GitLabServer) -> None:
    into, fork = into_and_fork(lab)
    request = opened(lab)
    request.state = "merged"
    assert at(lab).ensure_request(into, fork, BRANCH, "Velmora", "…").number == 1

    request.source = 99

    assert at(lab).ensure_request(into, fork, BRANCH, "Velmora", "…").number == 2


def test_how_it_stands(lab: GitLabServer) -> None:
    request = opened(lab)
    assert at(lab).standing(LESSONS, 1).outcome == "open"
    request.reviewers = {"rita": "requested_changes", "sam": "approved"}
    assert at(lab).standing(LESSONS, 1).outcome == "changes asked"

    request.reviewers["rita"] = "approved"

    assert at(lab).standing(LESSONS, 1).outcome == "open"
    request.state = "closed"
    assert at(lab).standing(LESSONS, 1).outcome == "declined"
    request.state = "merged"
    assert at(lab).standing(LESSONS, 1).outcome == "accepted"


def test_an_older_host_that_knows_no_reviewers_still_tells_the_rest(lab: GitLabServer) -> None:
    opened(lab)
    lab.faults.append(Fault("/reviewers", 404, body={"error": "404 Not Found"}))

    assert at(lab).standing(LESSONS, 1).outcome == "open"


def test_what_a_host_says_neither_steers_nor_hides(lab: GitLabServer) -> None:
    evil = "a\x1b[2J\x07\ud800\u202eb"
    opened(lab).note(evil, evil, position={"new_path": evil, "new_line": 3})

    (said,) = at(lab).standing(LESSONS, 1).comments

    assert (said.who, said.text, said.file) == ("a[2Jb", "ab", "a[2Jb")


def test_the_conversation_and_the_checks(lab: GitLabServer) -> None:
    request = opened(lab)
    request.note("rita", "Is this year right?", position={"new_path": "knowledge/velmora/qna.yaml", "new_line": 12})
    request.note("rita", "requested changes", is_system=True)
    request.note("rita", "added 1 commit", is_system=True)
    for number in range(120):
        request.note("bert", f"{number}")
    request.pipeline = {"id": 5, "project_id": 1, "status": "failed", "web_url": "https://gitlab.com/p/5"}

    standing = at(lab).standing(LESSONS, 1)

    assert [(each.who, each.text, each.file, each.line) for each in standing.comments[:2]] == [
        ("rita", "Is this year right?", "knowledge/velmora/qna.yaml", 12),
        ("rita", "Asked for changes.", "", 0),
    ]
    assert len(standing.comments) == 122
    assert [(each.name, each.state, each.page) for each in standing.checks] == [
        ("Pipeline", "failed", "https://gitlab.com/p/5")
    ]
    request.statuses += [
        {"id": 2, "name": "lint", "status": "failed", "description": "1 error", "target_url": "https://gitlab.com/j/2"},
        {"id": 1, "name": "dco", "status": "success"},
        {"id": 3, "name": "extra", "status": "failed", "allow_failure": True},
        {"id": 4, "name": "deploy", "status": "running"},
    ]
    assert [(each.name, each.state, each.says) for each in at(lab).standing(LESSONS, 1).checks] == [
        ("dco", "passed", ""),
        ("lint", "failed", "1 error"),
        ("extra", "passed", ""),
        ("deploy", "waiting", ""),
    ]


def test_a_reply_is_written_once_even_where_its_answer_is_lost(lab: GitLabServer) -> None:
    request = opened(lab)
    lab.faults.append(Fault("POST /projects/1/merge_requests/1/notes", is_cut=True, is_done=True))

    with pytest.raises(Unreachable):
        at(lab).reply(LESSONS, 1, "Done.")

    assert [each["body"] for each in request.notes] == ["Done."]


def test_a_refused_token_and_a_missing_scope_are_sentences(lab: GitLabServer) -> None:
    with pytest.raises(NotSignedIn, match="does not accept your sign-in"):
        at(lab, "glpat-wrong0123").account()
    lab.people[TOKEN] = Person("anna", scopes=["read_api"])
    with pytest.raises(ContributionError, match="lacks the scope “api”"):
        at(lab).ensure_fork(LESSONS, never)


def test_its_moods_pass_or_are_sentences(lab: GitLabServer) -> None:
    lab.faults += [
        Fault("GET /user", 502),
        Fault("GET /user", 429, {"Retry-After": "0"}),
        Fault("GET /user", is_cut=True),
    ]
    assert at(lab).account().login == "anna"
    lab.faults.append(Fault("GET /user", 429, {"RateLimit-Reset": f"{time.time() + 150:.0f}"}))
    with pytest.raises(ContributionError, match="used up until"):
        at(lab).account()
    lab.faults += [Fault("GET /user", 503)] * 9
    with pytest.raises(Unreachable, match="not well now"):
        at(lab).account()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_token_goes_on_to_no_other_host(lab: GitLabServer, status: int) -> None:
    with JsonServer().running() as other:
        for target in (other.address, f"http://localhost:{other.port}"):
            lab.faults.append(Fault("GET /user", status, {"Location": f"{target}/api/v4/user"}))
            with pytest.raises(ContributionError, match="cannot be understood"):
                at(lab).account()

        assert other.asked == []


def test_a_list_goes_on_at_no_other_host(lab: GitLabServer) -> None:
    opened(lab)
    with JsonServer().running() as other:
        for rest in ("/api/v4/notes?page=2", "/notes?page=2"):
            link = {"Link": f'<http://localhost:{other.port}{rest}>; rel="next"'}
            lab.faults.append(Fault("/notes", 200, link, []))
            with contextlib.suppress(ContributionError):
                at(lab).standing(LESSONS, 1)

        assert other.asked == []


@pytest.mark.parametrize("body", [b"<html>", b"{", [], {"id": "1", "username": 2}, {"id": 1, "username": "../a"}])
def test_an_answer_that_is_none_is_said_so(lab: GitLabServer, body: object) -> None:
    lab.faults.append(Fault("GET /user", 200, body=body))

    with pytest.raises(ContributionError, match="cannot be understood"):
        at(lab).account()
