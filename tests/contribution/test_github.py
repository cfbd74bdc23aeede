"""github.py against a server that speaks as GitHub does, with its moods: nothing is made twice, each no is said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from lab_desktop.contribution import patience
from lab_desktop.contribution.accounts import NotSignedIn
from lab_desktop.contribution.destinations import Destination
from lab_desktop.contribution.hosts import Host, Place, Unreachable, host
from lab_desktop.errors import Cancelled, ContributionError
from lab_desktop.files import write_json
from tests.github_server import GitHubServer, Pull, User
from tests.json_server import Fault, JsonServer

TOKEN = "ghp_planted0123456789"
TAXONOMY = "instructlab/taxonomy"
BRANCH = "lesson/velmora-1a2b3c"
QUOTA = {"X-RateLimit-Remaining": "0", "X-RateLimit-Limit": "5000"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for seconds waits for hundredths."""
    for name, seconds in (("FIRST_WAIT_S", 0.01), ("FIRST_LOOK_S", 0.01), ("LONGEST_LOOK_S", 0.05), ("READY_S", 2.0)):
        monkeypatch.setattr(patience, name, seconds)


@pytest.fixture
def hub() -> Iterator[GitHubServer]:
    server = GitHubServer()
    server.users[TOKEN] = User("anna")
    server.add(TAXONOMY)
    with server.running():
        yield server


def at(server: GitHubServer, token: str = TOKEN, is_cancelled: Callable[[], bool] = lambda: False) -> Host:
    return host(Destination("team", f"{server.address}/{TAXONOMY}", "github", server.api), token, is_cancelled)


def never() -> bool:
    return False


def opened(server: GitHubServer) -> Pull:
    server.pulls.append(Pull(1, TAXONOMY, f"anna:{BRANCH}", "Velmora", "…"))
    return server.pulls[0]


def test_an_account_is_its_login_and_an_address_that_gives_nothing_away(hub: GitHubServer) -> None:
    hub.users[TOKEN] = User("anna", 77, "Anna\n<Brenner>", "anna@example.org")

    account = at(hub).account()

    assert (account.forge, account.host, account.login, account.name) == ("github", hub.host, "anna", "Anna Brenner")
    assert account.email == "77+anna@users.noreply.127.0.0.1"
    assert account.emails == (account.email, "anna@example.org")
    assert account.may_write and not account.lacks


@pytest.mark.parametrize("public", ["an na@x.org", "a@b>\nSigned-off-by: x <y@z>", "", "anna"])
def test_an_address_that_no_commit_could_bear_is_not_offered(hub: GitHubServer, public: str) -> None:
    hub.users[TOKEN] = User("anna", 77, None, public)

    account = at(hub).account()

    assert (account.name, account.emails) == ("anna", (account.email,))


@pytest.mark.parametrize(
    ("user", "may_write", "lacks"),
    [
        (User("anna", scopes="repo, gist"), True, ""),
        (User("anna", scopes="gist, read:org"), False, "it lacks the scope “public_repo”"),
        (User("anna", scopes=""), False, "it lacks the scope “public_repo”"),
        (User("anna", scopes=None), True, ""),
        (User("anna", scopes=None, may=False), True, "only for the repositories that it was made for"),
    ],
)
def test_what_a_token_may_is_known_before_it_is_needed(
    hub: GitHubServer, user: User, may_write: bool, lacks: str
) -> None:
    hub.users[TOKEN] = user

    account = at(hub).account()

    assert account.may_write is may_write
    assert lacks in account.lacks and bool(lacks) is bool(account.lacks)
    assert list(hub.repos) == [TAXONOMY]


def test_a_repository_is_told_as_it_is_for_this_account(hub: GitHubServer) -> None:
    hub.add("anna/secret", is_private=True, branch="trunk")
    hub.add("other/secret", is_private=True)

    mine = at(hub).place("Anna/Secret")

    assert mine == Place(
        "anna/secret", f"{hub.address}/anna/secret.git", f"{hub.address}/anna/secret", "trunk", True, True
    )
    assert at(hub).place("other/secret") is None
    assert at(hub).place("nobody/nothing") is None
    taxonomy = at(hub).place(TAXONOMY)
    assert taxonomy is not None and not taxonomy.may_push


@pytest.mark.parametrize("name", ["../../user", "a", "a/../b", "a/b?x=1", "a/b\n", "-a/b"])
def test_a_name_that_would_lead_elsewhere_is_not_asked_for(hub: GitHubServer, name: str) -> None:
    with pytest.raises(ContributionError, match="no name of a repository"):
        at(hub).place(name)

    assert hub.lines == []


# Forks


def test_a_new_fork_is_waited_for_until_it_can_be_pushed_to(hub: GitHubServer) -> None:
    hub.fork_looks = 3
    empty_for = iter([False, False])
    hub.has_branch = lambda repo, branch: next(empty_for, True)

    fork = at(hub).ensure_fork(TAXONOMY, never)

    assert (fork.full_name, fork.branch, fork.may_push) == ("anna/taxonomy", "main", True)
    assert hub.lines.count("POST /repos/instructlab/taxonomy/forks") == 1
    assert hub.lines.count("GET /repos/anna/taxonomy/branches/main") == 3


def test_a_fork_that_never_comes_is_given_up_in_words_and_found_the_next_time(
    hub: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.fork_looks = 10**6
    monkeypatch.setattr(patience, "READY_S", 0.1)
    with pytest.raises(Unreachable, match="not finished your copy"):
        at(hub).ensure_fork(TAXONOMY, never)
    hub.repos["anna/taxonomy"].looks = 0

    assert at(hub).ensure_fork(TAXONOMY, never).full_name == "anna/taxonomy"
    assert hub.lines.count("POST /repos/instructlab/taxonomy/forks") == 1


def test_waiting_for_a_fork_can_be_stopped(hub: GitHubServer) -> None:
    hub.fork_looks = 10**6
    began = time.monotonic()

    with pytest.raises(Cancelled):
        at(hub).ensure_fork(TAXONOMY, lambda: time.monotonic() - began > 0.2)


def test_a_fork_under_another_name_is_found_among_hundreds(hub: GitHubServer) -> None:
    for number in range(230):
        hub.add(f"person{number}/taxonomy", parent=TAXONOMY)
    hub.add("anna/my-lessons", parent=TAXONOMY)

    assert at(hub).ensure_fork(TAXONOMY, never).full_name == "anna/my-lessons"
    assert not [line for line in hub.lines if line.startswith("POST")]


def test_an_older_fork_need_not_have_the_branch_of_the_original(hub: GitHubServer) -> None:
    hub.add("anna/taxonomy", parent=TAXONOMY, branch="master")
    hub.has_branch = lambda repo, branch: (repo, branch) == ("anna/taxonomy", "master")

    assert at(hub).ensure_fork(TAXONOMY, never).branch == "master"


def test_a_fork_that_was_closed_is_said_so(hub: GitHubServer) -> None:
    hub.add("anna/taxonomy", parent=TAXONOMY, is_archived=True)

    with pytest.raises(ContributionError, match="Your copy anna/taxonomy takes nothing"):
        at(hub).ensure_fork(TAXONOMY, never)


def test_a_token_that_could_not_open_the_pull_request_makes_no_fork_either(hub: GitHubServer) -> None:
    hub.users[TOKEN] = User("anna", scopes=None, may_request=False)
    with pytest.raises(ContributionError, match="does not let you do that"):
        at(hub).ensure_fork(TAXONOMY, never)
    assert list(hub.repos) == [TAXONOMY]

    hub.users[TOKEN] = User("anna", scopes=None)

    assert at(hub).ensure_fork(TAXONOMY, never).full_name == "anna/taxonomy"
    assert hub.pulls == []


def test_a_fork_gets_a_longer_name_where_its_own_is_taken(hub: GitHubServer) -> None:
    hub.add("anna/taxonomy")

    assert at(hub).ensure_fork(TAXONOMY, never).full_name == "anna/instructlab-taxonomy"


def test_a_fork_gets_any_name_where_the_longer_one_is_taken_too(hub: GitHubServer) -> None:
    hub.add("anna/taxonomy")
    hub.add("anna/instructlab-taxonomy")

    assert at(hub).ensure_fork(TAXONOMY, never).full_name == "anna/taxonomy-1"


def test_who_may_push_needs_no_fork(hub: GitHubServer) -> None:
    hub.repos[TAXONOMY].pushers.add("anna")

    assert at(hub).ensure_fork(TAXONOMY, never).full_name == TAXONOMY
    assert not [line for line in hub.lines if line.startswith("POST")]


def test_a_closed_or_missing_repository_is_said_so(hub: GitHubServer) -> None:
    hub.add("old/lessons", is_archived=True)

    with pytest.raises(ContributionError, match="was closed"):
        at(hub).ensure_fork("old/lessons", never)
    with pytest.raises(ContributionError, match="no repository gone/lessons"):
        at(hub).ensure_fork("gone/lessons", never)


# Repositories for documents


def test_the_repository_for_documents_is_made_once(hub: GitHubServer) -> None:
    first = at(hub).ensure_repository("taxonomy-documents", "Documents of lessons")
    second = at(hub).ensure_repository("taxonomy-documents", "Documents of lessons")

    assert first == second
    assert first.full_name == "anna/taxonomy-documents" and not first.is_private
    assert hub.lines.count("POST /user/repos") == 1


@pytest.mark.parametrize("fault", [{"is_cut": True}, {"status": 502}])
def test_a_repository_that_was_made_although_the_answer_was_lost_is_found(
    hub: GitHubServer, fault: dict[str, object]
) -> None:
    hub.faults.append(Fault("POST /user/repos", is_done=True, **fault))  # type: ignore[arg-type]

    assert at(hub).ensure_repository("taxonomy-documents", "").full_name == "anna/taxonomy-documents"
    assert hub.lines.count("POST /user/repos") == 1


def test_a_private_repository_takes_no_documents(hub: GitHubServer) -> None:
    hub.add("anna/taxonomy-documents", is_private=True)

    with pytest.raises(ContributionError, match="private, so nobody could read"):
        at(hub).ensure_repository("taxonomy-documents", "")


# Pull requests


def into_and_fork(server: GitHubServer) -> tuple[Place, Place]:
    server.add("anna/taxonomy", parent=TAXONOMY)
    into, fork = at(server).place(TAXONOMY), at(server).place("anna/taxonomy")
    assert into is not None and fork is not None
    return into, fork


def test_a_pull_request_is_opened_once(hub: GitHubServer) -> None:
    into, fork = into_and_fork(hub)

    first = at(hub).ensure_request(into, fork, BRANCH, "Facts about Velmora", "…")
    second = at(hub).ensure_request(into, fork, BRANCH, "Facts about Velmora", "…")

    assert first == second
    assert (first.number, first.page) == (1, f"https://github.com/{TAXONOMY}/pull/1")
    assert [(pull.head, pull.title, pull.body) for pull in hub.pulls] == [
        (f"anna:{BRANCH}", "Facts about Velmora", "…")
    ]


def test_who_may_push_opens_it_from_the_repository_itself(hub: GitHubServer) -> None:
    hub.repos[TAXONOMY].pushers.add("anna")
    into = at(hub).ensure_fork(TAXONOMY, never)

    for _ in range(2):
        assert at(hub).ensure_request(into, into, BRANCH, "Velmora", "…").number == 1
    assert [pull.head for pull in hub.pulls] == [f"instructlab:{BRANCH}"]


def test_a_pull_request_whose_answer_was_lost_is_not_opened_again(hub: GitHubServer) -> None:
    into, fork = into_and_fork(hub)
    hub.faults.append(Fault(f"POST /repos/{TAXONOMY}/pulls", is_cut=True, is_done=True))

    assert at(hub).ensure_request(into, fork, BRANCH, "Velmora", "…").number == 1
    assert len(hub.pulls) == 1


def test_a_pull_request_that_another_window_opens_meanwhile_is_taken(hub: GitHubServer) -> None:
    into, fork = into_and_fork(hub)
    opened(hub)
    # What is listed may be a moment old: the first look does not see it.
    hub.faults.append(Fault(f"GET /repos/{TAXONOMY}/pulls", 200, body=[]))

    assert at(hub).ensure_request(into, fork, BRANCH, "Velmora", "…").number == 1
    assert len(hub.pulls) == 1


def test_an_accepted_pull_request_is_not_opened_again_and_a_declined_one_is(hub: GitHubServer) -> None:
    into, fork = into_and_fork(hub)
    pull = opened(hub)
    pull.state, pull.is_merged = "closed", True
    assert at(hub).ensure_request(into, fork, BRANCH, "Velmora", "…").number == 1

    pull.is_merged = False

    assert at(hub).ensure_request(into, fork, BRANCH, "Velmora", "…").number == 2


def test_pull_requests_of_others_are_not_taken_for_ones_own(hub: GitHubServer) -> None:
    into, fork = into_and_fork(hub)
    hub.pulls.append(Pull(1, TAXONOMY, f"bert:{BRANCH}", "Velmora", "…"))
    # A host that does not understand what is looked for gives all there are.
    hub.faults.append(Fault(f"GET /repos/{TAXONOMY}/pulls", 200, body=[hub._pull(hub.pulls[0])]))

    assert at(hub).ensure_request(into, fork, BRANCH, "Velmora", "…").number == 2


def test_a_branch_that_is_not_there_is_said_so(hub: GitHubServer) -> None:
    into, fork = into_and_fork(hub)
    hub.has_branch = lambda repo, branch: False

    with pytest.raises(ContributionError, match=r"does not take it: .*head invalid"):
        at(hub).ensure_request(into, fork, BRANCH, "Velmora", "…")


# Standing


def test_a_reviewers_last_word_counts(hub: GitHubServer) -> None:
    pull = opened(hub)
    assert at(hub).standing(TAXONOMY, 1).outcome == "open"
    pull.review("rita", "CHANGES_REQUESTED", "Line 12, please.")
    assert at(hub).standing(TAXONOMY, 1).outcome == "changes asked"
    pull.review("sam", "APPROVED")
    pull.review("rita", "COMMENTED", "Thank you, I will look.")
    assert at(hub).standing(TAXONOMY, 1).outcome == "changes asked"

    pull.review("rita", "APPROVED")

    assert at(hub).standing(TAXONOMY, 1).outcome == "open"
    pull.state = "closed"
    assert at(hub).standing(TAXONOMY, 1).outcome == "declined"
    pull.is_merged = True
    assert at(hub).standing(TAXONOMY, 1).outcome == "accepted"


def test_everything_that_was_said_is_one_conversation_in_its_order(hub: GitHubServer) -> None:
    pull = opened(hub)
    pull.comment("bot", "Thank you!", "2026-11-20T10:00:00Z")
    pull.review("rita", "CHANGES_REQUESTED", "", "2026-11-20T12:00:00Z")
    pull.note("rita", "Is this year right?", "knowledge/velmora/qna.yaml", 12, "2026-11-20T11:00:00Z")
    pull.comments[0]["user"] = None

    standing = at(hub).standing(TAXONOMY, 1)

    assert [(each.id, each.who, each.text, each.file, each.line) for each in standing.comments] == [
        ("comment-1", "somebody", "Thank you!", "", 0),
        ("line-1", "rita", "Is this year right?", "knowledge/velmora/qna.yaml", 12),
        ("review-1", "rita", "Asked for changes.", "", 0),
    ]
    assert standing.head == pull.sha
    assert standing.comments[0].at == 1_763_632_800.0 + 365 * 86400


def test_what_a_host_says_neither_steers_nor_hides_and_can_be_kept(hub: GitHubServer, tmp_path: Path) -> None:
    evil = "a\x1b[2J\x07\ud800\u202eb"
    pull = opened(hub)
    pull.comment(evil, evil)
    pull.review(evil, "APPROVED", evil)
    pull.note(evil, evil, evil, 3)

    standing = at(hub).standing(TAXONOMY, 1)

    assert {(each.text, each.who) for each in standing.comments} == {("ab", "a[2Jb")}
    assert {each.file for each in standing.comments} == {"", "a[2Jb"}
    write_json(tmp_path / "standing.json", asdict(standing))


def test_a_refusal_neither_steers_nor_hides_the_token(hub: GitHubServer) -> None:
    split = f"{TOKEN[:9]}\u200b{TOKEN[9:]}"
    hub.faults.append(Fault("POST /user/repos", 422, body={"message": f"No\x1b[2J \ud800{split}!"}))

    with pytest.raises(ContributionError) as caught:
        at(hub).ensure_repository("papers", "Papers")

    assert "No …!" in caught.value.message
    assert TOKEN not in caught.value.details and caught.value.message.isprintable()


def test_a_long_conversation_is_read_to_its_end(hub: GitHubServer) -> None:
    pull = opened(hub)
    for number in range(230):
        pull.comment("rita", f"{number}")

    assert len(at(hub).standing(TAXONOMY, 1).comments) == 230


def test_checks_say_what_they_found_and_where(hub: GitHubServer) -> None:
    pull = opened(hub)
    pull.run("lint", "failure", "1 error", "yamllint \x1b[31mfailed\x1b[0m", annotations=2)
    pull.annotations += [
        {"path": "qna.yaml", "start_line": 12, "annotation_level": "failure", "message": "line too long"},
        {"path": "qna.yaml", "start_line": 1, "annotation_level": "notice", "message": "Node 20"},
    ]
    pull.run("DCO", "success", "All signed off")
    pull.run("triage", None)
    pull.run("deploy", "action_required")
    pull.run("skipped", "skipped")
    pull.statuses.append(
        {"context": "ci/old", "state": "error", "description": "broken", "target_url": "javascript:alert(1)"}
    )

    checks = at(hub).standing(TAXONOMY, 1).checks

    assert [(check.name, check.state, check.says) for check in checks] == [
        ("lint", "failed", "1 error\nyamllint failed\nqna.yaml, line 12: line too long"),
        ("DCO", "passed", "All signed off"),
        ("triage", "waiting", ""),
        ("deploy", "waiting", "Somebody has to let this check run first."),
        ("skipped", "passed", ""),
        ("ci/old", "failed", "broken"),
    ]
    assert checks[0].page == f"https://github.com/{TAXONOMY}/runs/1"
    assert checks[-1].page == ""


def test_checks_that_are_not_shown_keep_nothing_else_back(hub: GitHubServer) -> None:
    opened(hub)
    hub.faults.append(Fault("/check-runs", 403, body={"message": "Resource not accessible by personal access token"}))

    standing = at(hub).standing(TAXONOMY, 1)

    assert (standing.outcome, standing.checks) == ("open", ())


def test_a_reply_is_written_once_even_where_its_answer_is_lost(hub: GitHubServer) -> None:
    pull = opened(hub)
    hub.faults.append(Fault(f"POST /repos/{TAXONOMY}/issues/1/comments", is_cut=True, is_done=True))

    with pytest.raises(Unreachable):
        at(hub).reply(TAXONOMY, 1, "Done.")

    assert [each["body"] for each in pull.comments] == ["Done."]
    at(hub).reply(TAXONOMY, 1, "And this.")
    assert [each["body"] for each in pull.comments] == ["Done.", "And this."]


# Moods


@pytest.mark.parametrize("fault", [{"status": 503}, {"is_cut": True}, {"status": 502}])
def test_what_passes_is_not_noticed(hub: GitHubServer, fault: dict[str, object]) -> None:
    hub.faults += [Fault("GET /user", **fault)] * 3  # type: ignore[arg-type]

    assert at(hub).account().login == "anna"


@pytest.mark.parametrize("fault", [{"status": 503}, {"is_cut": True}])
def test_what_does_not_pass_is_a_sentence(hub: GitHubServer, fault: dict[str, object]) -> None:
    hub.faults += [Fault("GET /user", **fault)] * 9  # type: ignore[arg-type]

    with pytest.raises(Unreachable, match=r"not well now|broke off"):
        at(hub).account()

    assert len(hub.lines) == patience.ATTEMPTS


def test_a_used_up_quota_is_waited_for(hub: GitHubServer) -> None:
    hub.faults.append(Fault("GET /user", 429, {"Retry-After": "0"}, {"message": "slow down"}))
    hub.faults.append(
        Fault("GET /user", 403, {**QUOTA, "X-RateLimit-Reset": "1"}, {"message": "API rate limit exceeded"})
    )

    began = time.monotonic()

    assert at(hub).account().login == "anna"
    assert time.monotonic() - began >= 1.0


def test_a_quota_that_is_away_for_long_is_said_with_the_time(hub: GitHubServer) -> None:
    reset = time.time() + 150
    hub.faults.append(
        Fault("GET /user", 403, {**QUOTA, "X-RateLimit-Reset": f"{reset:.0f}"}, {"message": "API rate limit exceeded"})
    )

    with pytest.raises(ContributionError) as caught:
        at(hub).account()

    whens = [time.strftime("%H:%M", time.localtime(reset + after)) for after in (0, 60)]
    assert any(f"used up until {when}" in caught.value.message for when in whens)
    assert len(hub.lines) == 1


def test_waiting_for_a_quota_can_be_stopped(hub: GitHubServer) -> None:
    hub.faults.append(
        Fault("GET /user", 403, {"Retry-After": "60"}, {"message": "You have exceeded a secondary rate limit"})
    )
    began = time.monotonic()

    with pytest.raises(Cancelled):
        at(hub, is_cancelled=lambda: time.monotonic() - began > 0.2).account()

    assert time.monotonic() - began < 5


def test_who_has_stopped_asks_nothing(hub: GitHubServer) -> None:
    with pytest.raises(Cancelled):
        at(hub, is_cancelled=lambda: True).account()

    assert hub.lines == []


def test_a_refused_token_is_not_a_matter_of_patience(hub: GitHubServer) -> None:
    with pytest.raises(NotSignedIn, match="does not accept your sign-in") as caught:
        at(hub, "ghp_wrong0123456789").account()

    assert "ghp_wrong" not in f"{caught.value.message} {caught.value.hint} {caught.value.details}"
    assert len(hub.lines) == 1


def test_a_missing_scope_is_named(hub: GitHubServer) -> None:
    hub.users[TOKEN] = User("anna", scopes="gist")

    with pytest.raises(ContributionError, match="lacks the scope “public_repo”") as caught:
        at(hub).ensure_fork(TAXONOMY, never)

    assert "public_repo" in caught.value.hint


def test_a_token_of_the_newer_kind_that_may_not_is_told_which_would_do(hub: GitHubServer) -> None:
    hub.users[TOKEN] = User("anna", scopes=None, may=False)

    with pytest.raises(ContributionError, match="does not let you do that") as caught:
        at(hub).ensure_fork(TAXONOMY, never)

    assert "classic" in caught.value.hint


def test_a_sign_on_of_the_owners_is_explained(hub: GitHubServer) -> None:
    hub.faults.append(Fault("/forks", 403, {"X-GitHub-SSO": "required; url=https://github.com/x"}, {"message": "SAML"}))

    with pytest.raises(ContributionError, match="their own sign-on"):
        at(hub).ensure_fork(TAXONOMY, never)


def test_a_renamed_repository_is_followed(hub: GitHubServer) -> None:
    hub.faults.append(
        Fault("GET /repos/old/name", 301, {"Location": f"{hub.api}/repos/{TAXONOMY}"}, {"message": "Moved Permanently"})
    )

    place = at(hub).place("old/name")

    assert place is not None and place.full_name == TAXONOMY


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_token_goes_on_to_no_other_host(hub: GitHubServer, status: int) -> None:
    with JsonServer().running() as other:
        target = f"http://localhost:{other.port}/api/v3/user"
        hub.faults.append(Fault("GET /user", status, {"Location": target}, {"message": "Moved", "url": target}))

        with pytest.raises(ContributionError):
            at(hub).account()

        assert not any(TOKEN in str(asked.headers) for asked in other.asked)


def test_a_list_goes_on_at_no_other_host(hub: GitHubServer) -> None:
    opened(hub)
    with JsonServer().running() as other:
        for host_elsewhere in ("localhost", "127.0.0.1"):
            link = {"Link": f'<http://{host_elsewhere}:{other.port}/api/v3/more>; rel="next"'}
            hub.faults.append(Fault("/reviews", 200, link, [{}]))
            with pytest.raises(ContributionError):
                at(hub).standing(TAXONOMY, 1)

        assert other.asked == []


@pytest.mark.parametrize(
    "body",
    [b"<html>Please log in</html>", b"{", [], {"login": 7, "id": "x"}, {"login": "a/../b", "id": 1}, None, b"\xff"],
)
def test_an_answer_that_is_none_is_said_so(hub: GitHubServer, body: object) -> None:
    hub.faults.append(Fault("GET /user", 200, body=body))

    with pytest.raises(ContributionError, match="cannot be understood"):
        at(hub).account()


def test_addresses_of_another_host_are_not_taken_over(hub: GitHubServer) -> None:
    told = hub._repo(hub.repos[TAXONOMY], hub.users[TOKEN])
    wrong = {**told, "clone_url": "https://evil.example/x.git", "html_url": "file:///etc/passwd"}
    hub.faults.append(Fault(f"GET /repos/{TAXONOMY}", 200, body=wrong))

    place = at(hub).place(TAXONOMY)

    assert place is not None
    assert (place.address, place.page) == (f"https://{hub.host}/{TAXONOMY}.git", f"https://{hub.host}/{TAXONOMY}")


def test_nobody_there_is_a_sentence(hub: GitHubServer) -> None:
    gone = Destination("team", "http://127.0.0.1:9/a/b", "github", "http://127.0.0.1:9/api/v3")

    with pytest.raises(Unreachable, match="no connection to 127"):
        host(gone, TOKEN).account()
    with pytest.raises(Unreachable, match="was not found"):
        host(
            Destination("team", "https://no.such.invalid/a/b", "github", "https://no.such.invalid/api/v3"), TOKEN
        ).account()


@pytest.mark.parametrize(
    "api", ["http://github.com/api/v3", "https://evil.example/api/v3", "", "https://api.github.com.evil.example"]
)
def test_a_token_goes_only_to_the_interface_of_its_host(api: str) -> None:
    with pytest.raises(ContributionError):
        host(Destination("team", "https://github.com/a/b", "github", api), TOKEN)
