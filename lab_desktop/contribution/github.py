"""GitHub, and GitHub Enterprise: the only module that imports PyGithub.

Source: https://docs.github.com/en/rest (version 2022-11-28)
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import github as library
from github import Auth, GithubException

from lab_desktop import __version__
from lab_desktop.contribution import patience, refusals
from lab_desktop.contribution.accounts import Account
from lab_desktop.contribution.hosts import Check, Comment, Outcome, Place, PullRequest, Standing
from lab_desktop.contribution.patience import Asking
from lab_desktop.contribution.refusals import Forbidden, Missing, Unfit
from lab_desktop.contribution.wording import a_page, an_address, an_email, full_name_of, one_line, plain, whole
from lab_desktop.errors import ContributionError

if TYPE_CHECKING:
    from github.CheckRun import CheckRun
    from github.PullRequest import PullRequest as Pull
    from github.PullRequestReview import PullRequestReview
    from github.Repository import Repository

MOST_COMMENTS, MOST_CHECKS, MOST_ANNOTATIONS = 500, 100, 50
MOST_PULLS = 100
MOST_FORKS = 3000
"""So many of a repository's forks are looked through for the account's own."""

_ENOUGH = {"repo", "public_repo"}
"""Scopes of a token, each of which lets it write to public repositories."""
_PASSED = {"success", "neutral", "skipped"}
_WAITING = {"action_required", "stale"}
_STATES: dict[str, Literal["passed", "waiting", "failed"]] = {"success": "passed", "pending": "waiting"}
_VERDICTS = {"APPROVED": "Approved.", "CHANGES_REQUESTED": "Asked for changes."}
_WORDS = {
    "action_required": "Somebody has to let this check run first.",
    "cancelled": "The check was stopped before its end.",
    "timed_out": "The check took too long and was given up.",
    "startup_failure": "The check could not begin.",
}


class GitHub:
    """One host with one account's token (`hosts.Host`)."""

    def __init__(self, api: str, host: str, token: str, is_cancelled: Callable[[], bool] = lambda: False) -> None:
        # At its finest level the library notes headers and bodies.
        logging.getLogger("github").setLevel(logging.WARNING)
        self._host, self._token = host, token
        self._asked = Asking(host, self._refused, is_cancelled)
        self._hub = library.Github(
            auth=Auth.Token(token),
            base_url=api,
            timeout=patience.TIMEOUT_S,
            user_agent=f"lab-desktop/{__version__}",
            per_page=100,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
        )

    def __repr__(self) -> str:
        return f"GitHub({self._host!r})"

    def account(self) -> Account:
        """Who the token belongs to, and whether it may write to public repositories."""
        user = self._asked(lambda: self._hub.get_user().complete())
        number, login, told, public = self._asked(lambda: (user.id, user.login, user.name, user.email))
        if not re.fullmatch(r"[\w.\[\]-]{1,100}", str(login), re.ASCII) or not isinstance(number, int):
            raise refusals.not_understood(self._host, "no account")
        hostname = urlsplit(f"//{self._host}").hostname
        private = f"{number}+{login}@users.noreply.{hostname}"
        emails = tuple(dict.fromkeys(each for each in (private, an_email(public)) if each))
        may_write, lacks = self._may_write()
        return Account("github", self._host, login, one_line(told) or login, private, emails, may_write, lacks)

    def place(self, full_name: str) -> Place | None:
        """A repository; None: there is none, or it is not shown to this account."""
        found = self._find(full_name)
        return self._place(found) if found else None

    def ensure_fork(self, full_name: str, is_cancelled: Callable[[], bool]) -> Place:
        """The account's fork, found under whatever name, else made and waited for. The repository itself where the
        account may push there.

        Cost: one request where it may push, about three where the fork bears the same name, else one for each hundred
        forks of the repository; where it is new, some more while it is waited for.
        """
        original = self._find(full_name)
        if original is None:
            raise refusals.no_repository(self._host, full_name)
        if self._asked(lambda: original.archived):
            raise refusals.closed(full_name)
        place = self._place(original)
        if place.may_push:
            return place
        login = self._login()
        found, is_taken = self._own_fork(original, place, login)
        if found is None:
            self._require_may_request(original)
            found = self._fork(original, full_name.replace("/", "-") if is_taken else "")
        return self._when_ready(found, is_cancelled)

    def ensure_repository(self, name: str, description: str) -> Place:
        """The account's own public repository of this name, made where there is none."""
        full_name = f"{self._login()}/{name}"
        place = self._asked.made_once(
            lambda: self.place(full_name),
            lambda: self._place(
                self._hub.get_user().create_repo(
                    name, description=description, private=False, has_issues=False, has_wiki=False, has_projects=False
                )
            ),
        )
        return refusals.require_public(place)

    def ensure_request(self, into: Place, fork: Place, branch: str, title: str, body: str) -> PullRequest:
        """The open pull request from a branch, or the accepted one; made where there is neither."""
        owner = fork.full_name.partition("/")[0]
        repo = self._repo(into.full_name)

        def found() -> PullRequest | None:
            listed = repo.get_pulls(state="all", head=f"{owner}:{branch}", sort="created", direction="desc")
            # A host that does not understand `head` gives all of them.
            for pull in islice(listed, MOST_PULLS):
                if _is_from(pull, owner, branch) and (pull.state == "open" or pull.merged_at):
                    return self._request(pull)
            return None

        return self._asked.made_once(
            lambda: self._asked(found),
            lambda: self._request(repo.create_pull(base=into.branch, head=f"{owner}:{branch}", title=title, body=body)),
        )

    def standing(self, into: str, number: int) -> Standing:
        """How a pull request stands.

        Cost: six requests, one more for each hundred comments, and one for each failed check with annotations.
        """
        repo = self._repo(into)
        pull = self._asked(lambda: repo.get_pull(number).complete())
        reviews = self._asked(lambda: list(islice(pull.get_reviews(), MOST_COMMENTS)))
        comments = self._asked(lambda: list(self._comments(pull, reviews)))
        head = self._asked(lambda: pull.head.sha)
        if not re.fullmatch(r"[0-9a-f]{40,64}", str(head)):
            raise refusals.not_understood(self._host, "no head")
        checks = self._all_checks(repo, head)
        outcome = self._asked(lambda: _outcome(pull, reviews))
        return Standing(outcome, tuple(checks), tuple(sorted(comments, key=lambda one: one.at)), head, time.time())

    def reply(self, into: str, number: int, text: str) -> None:
        """Write a comment."""
        pull = self._asked(lambda: self._repo(into).get_pull(number).complete())
        self._asked(lambda: pull.create_issue_comment(text), is_repeatable=False)

    # Forks

    def _own_fork(self, original: Repository, place: Place, login: str) -> tuple[Repository | None, bool]:
        """(the account's fork, its usual name is taken by another repository)."""
        same_name = self._find(f"{login}/{place.full_name.partition('/')[2]}")
        if same_name is not None and self._asked(lambda: _is_fork_of(same_name, place.full_name)):
            return same_name, False

        def found() -> Repository | None:
            forks = islice(original.get_forks(), MOST_FORKS)
            return next((fork for fork in forks if fork.owner.login.lower() == login.lower()), None)

        return self._asked(found), same_name is not None

    def _fork(self, original: Repository, name: str) -> Repository:
        """Ask for a fork; GitHub gives the one that is there already, so asking twice makes nothing twice."""
        try:
            return self._asked(
                lambda: original.create_fork(**({"name": name} if name else {}), default_branch_only=True)
            )
        except Unfit:
            if not name:
                raise
        return self._asked(lambda: original.create_fork(default_branch_only=True))

    def _when_ready(self, fork: Repository, is_cancelled: Callable[[], bool]) -> Place:
        """Wait until a fork's main branch is there.

        Raises:
            ContributionError: it takes too long, or nothing can be pushed to it.
            Cancelled
        """
        full_name = full_name_of(self._asked(lambda: fork.full_name), self._host)

        def look() -> Place | None:
            found = self._find(full_name)
            place = self._place(found) if found is not None else None
            return place if found is not None and place and self._has_branch(found, place.branch) else None

        return refusals.require_pushable(self._asked.waited_for(look, is_cancelled))

    def _require_may_request(self, original: Repository) -> None:
        """Tokens of the newer kinds do not tell whether they may open pull requests: an empty one cannot be opened, so
        whether what is missing is asked for, or nothing may be asked at all, tells it before anything is sent.

        Raises:
            Forbidden
        """
        if self._hub.oauth_scopes is None:
            try:
                self._asked(lambda: original.create_pull(base="", head="", title="", body=""))
            except Unfit:
                return

    def _has_branch(self, repo: Repository, branch: str) -> bool:
        try:
            self._asked(lambda: repo.get_branch(branch))
        except Missing:
            return False
        return True

    # What a pull request is made of

    def _comments(self, pull: Pull, reviews: Iterable[PullRequestReview]) -> Iterator[Comment]:
        for said in islice(pull.get_issue_comments(), MOST_COMMENTS):
            yield Comment(f"comment-{said.id}", _login(said.user), whole(said.body or ""), said.created_at.timestamp())
        for review in reviews:
            text = review.body or _VERDICTS.get(review.state, "")
            if text and review.submitted_at:
                yield Comment(f"review-{review.id}", _login(review.user), whole(text), review.submitted_at.timestamp())
        for note in islice(pull.get_review_comments(), MOST_COMMENTS):
            line = note.line or note.original_line or 0
            at = note.created_at.timestamp()
            yield Comment(f"line-{note.id}", _login(note.user), whole(note.body or ""), at, one_line(note.path), line)

    def _all_checks(self, repo: Repository, head: str) -> list[Check]:
        """Those that this account may see."""
        try:
            return self._asked(lambda: list(self._checks(repo, head)))
        except (Missing, Forbidden):
            return []

    def _checks(self, repo: Repository, head: str) -> Iterator[Check]:
        commit = repo.get_commit(head)
        runs = list(islice(commit.get_check_runs(), MOST_CHECKS))
        for run in sorted(runs, key=lambda one: (one.started_at.timestamp() if one.started_at else 0.0, one.id)):
            yield self._check(run)
        for status in commit.get_combined_status().statuses[:MOST_CHECKS]:
            state = _STATES.get(status.state, "failed")
            yield Check(one_line(status.context), state, plain(status.description or ""), a_page(status.target_url))

    def _check(self, run: CheckRun) -> Check:
        conclusion = run.conclusion or ""
        name, page = one_line(run.name), a_page(run.html_url)
        if run.status != "completed" or conclusion in _WAITING:
            return Check(name, "waiting", _WORDS.get(conclusion, ""), page)
        if conclusion in _PASSED:
            return Check(name, "passed", plain(run.output.title or "") if run.output else "", page)
        parts = [_WORDS.get(conclusion, "")]
        if run.output:
            parts += [run.output.title or "", run.output.summary or ""]
            if run.output.annotations_count:
                parts += [
                    f"{note.path}, line {note.start_line}: {note.message}"
                    for note in islice(run.get_annotations(), MOST_ANNOTATIONS)
                    if note.annotation_level != "notice"
                ]
        return Check(name, "failed", plain("\n".join(part for part in parts if part)), page)

    # Asking

    def _refused(self, error: Exception) -> Exception | None:
        """What a status says to a person; None: it is none."""
        if not isinstance(error, GithubException):
            return None
        status = error.status if isinstance(error.status, int) else 0
        headers = {str(name).lower(): str(text) for name, text in (error.headers or {}).items()}
        data = error.data if isinstance(error.data, Mapping) else {}
        text = patience.said(" ".join(_messages(data)), self._token)
        if status in (403, 429) and (wait_s := _asked_wait(headers, text)) is not None:
            return patience.too_often(self._host, wait_s)
        if status == 429 or status >= 500:
            return patience.not_well(self._host, status)
        if status == 403 and headers.get("x-github-sso", "").startswith("required"):
            return ContributionError(
                "The owners of this repository want your token to be allowed by their own sign-on first.",
                f"On {self._host}, under Settings ▸ Developer settings ▸ Tokens, press “Configure SSO” beside it.",
                f"status {status} {text}".strip(),
            )
        fine_grained = (
            "A token of the kind “fine-grained” cannot contribute to other people's repositories: make one of the kind "
            "“classic” with “public_repo”."
        )
        scope = _lacking(headers) if status in (403, 404) else ""
        return refusals.refusal(self._host, status, text, fine_grained, scope, "token (classic)")

    def _find(self, full_name: str) -> Repository | None:
        try:
            return self._asked(lambda: self._repo(full_name).complete())
        except Missing:
            return None

    def _repo(self, full_name: str) -> Repository:
        return self._hub.get_repo(full_name_of(full_name, self._host))

    def _login(self) -> str:
        return self._asked(lambda: self._hub.get_user().login)

    def _place(self, repo: Repository) -> Place:
        def found() -> Place:
            full_name = full_name_of(repo.full_name, self._host)
            return Place(
                full_name,
                an_address(repo.clone_url, self._host) or f"https://{self._host}/{full_name}.git",
                a_page(repo.html_url) or f"https://{self._host}/{full_name}",
                repo.default_branch or "main",
                bool(repo.private),
                bool(repo.permissions and repo.permissions.push) and not repo.archived,
            )

        return self._asked(found)

    def _request(self, pull: Pull) -> PullRequest:
        return PullRequest(pull.number, a_page(pull.html_url))

    def _may_write(self) -> tuple[bool, str]:
        """(the token may write somewhere, what it may not in words); what cannot be found out is allowed."""
        scopes = self._hub.oauth_scopes
        if scopes is not None:
            if _ENOUGH & {scope.strip() for scope in scopes}:
                return True, ""
            return False, f"This token may not send anything to {self._host}: it lacks the scope “public_repo”."
        # Tokens of the newer kinds do not tell. A repository without a name cannot be made; whether one is asked for
        # the name, or may not ask at all, tells it.
        try:
            self._asked(lambda: self._hub.requester.requestJsonAndCheck("POST", "/user/repos", input={"name": ""}))
        except (Forbidden, Missing):
            return True, f"At {self._host} this token does only for the repositories that it was made for."
        except Unfit:
            pass
        return True, ""


def _outcome(pull: Pull, reviews: Iterable[PullRequestReview]) -> Outcome:
    """The last word of each reviewer counts; a comment is no word for or against."""
    if pull.merged:
        return "accepted"
    if pull.state != "open":
        return "declined"
    words: dict[str, str] = {}
    for review in reviews:
        if review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            words[_login(review.user)] = review.state
    return "changes asked" if "CHANGES_REQUESTED" in words.values() else "open"


def _is_fork_of(repo: Repository, full_name: str) -> bool:
    origins = [each.full_name.lower() for each in (repo.parent, repo.source) if each] if repo.fork else []
    return full_name.lower() in origins


def _is_from(pull: Pull, owner: str, branch: str) -> bool:
    return pull.head.ref == branch and bool(pull.head.user) and pull.head.user.login.lower() == owner.lower()


def _login(user: Any) -> str:
    """An account that is gone has no name."""
    return one_line(user.login) if user else "somebody"


def _messages(data: Mapping[str, Any]) -> Iterator[str]:
    """What a refusal says, its parts too."""
    if isinstance(data.get("message"), str):
        yield data["message"]
    errors = data.get("errors")
    for each in errors if isinstance(errors, list) else []:
        if isinstance(each, str):
            yield each
        elif isinstance(each, Mapping) and (text := each.get("message") or each.get("code")):
            yield " ".join(str(part) for part in (each.get("field"), text) if part)


def _asked_wait(headers: Mapping[str, str], text: str) -> float | None:
    """Seconds until the quota is there again; None: this is not about a quota.

    Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
    """
    if (told := patience.asked_wait(headers)) is not None:
        return told
    if headers.get("x-ratelimit-remaining") == "0":
        return patience.until(headers.get("x-ratelimit-reset", "")) or 60.0
    return 60.0 if "rate limit" in text.lower() else None


def _lacking(headers: Mapping[str, str]) -> str:
    """The scope that would do and is not among the token's; "" where that is not the matter."""
    if "x-oauth-scopes" not in headers:
        return ""
    has = {scope.strip() for scope in headers["x-oauth-scopes"].split(",")} - {""}
    accepted = [scope.strip() for scope in headers.get("x-accepted-oauth-scopes", "").split(",") if scope.strip()]
    if not accepted or "repo" in has or has & set(accepted):
        return ""
    return "public_repo" if "public_repo" in accepted else accepted[0]
