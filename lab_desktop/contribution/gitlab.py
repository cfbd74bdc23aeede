"""GitLab, anywhere: the only module that imports python-gitlab.

Source: https://docs.gitlab.com/api/rest/ (version 4)
"""

from __future__ import annotations

import datetime
import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import gitlab as library
import requests
from gitlab.exceptions import GitlabError

from lab_desktop import __version__
from lab_desktop.contribution import patience, refusals
from lab_desktop.contribution.accounts import Account, NotSignedIn
from lab_desktop.contribution.hosts import Check, Comment, Outcome, Place, PullRequest, Standing
from lab_desktop.contribution.patience import Asking
from lab_desktop.contribution.refusals import Forbidden, Missing, Unfit
from lab_desktop.contribution.wording import a_page, an_address, an_email, full_name_of, one_line, plain, whole
from lab_desktop.errors import ContributionError

MOST_COMMENTS, MOST_CHECKS, MOST_FOUND = 500, 100, 100
_DEVELOPER = 30
"""The access level from which an account may push (https://docs.gitlab.com/api/access_requests/)."""
_PASSED = {"success", "skipped", "manual"}
_FAILED = {"failed", "canceled"}
_VERDICTS = {"approved this merge request": "Approved.", "requested changes": "Asked for changes."}


class GitLab:
    """One host with one account's token (`hosts.Host`)."""

    def __init__(self, api: str, host: str, token: str, is_cancelled: Callable[[], bool] = lambda: False) -> None:
        logging.getLogger("gitlab").setLevel(logging.WARNING)
        self._host, self._token = host, token
        self._asked = Asking(host, self._refused, is_cancelled)
        # As a bearer: this header, unlike GitLab's own, is left out where a request would go on to another host.
        self._lab = library.Gitlab(
            api.removesuffix("/api/v4"),
            oauth_token=token,
            timeout=patience.TIMEOUT_S,
            user_agent=f"lab-desktop/{__version__}",
            per_page=100,
            keep_base_url=True,
            session=_Session(host, api),
        )

    def __repr__(self) -> str:
        return f"GitLab({self._host!r})"

    def account(self) -> Account:
        """Who the token belongs to, and whether it may write."""
        told = self._asked(lambda: self._lab.http_get("/user"))
        facts = told if isinstance(told, dict) else {}
        number, login = facts.get("id"), facts.get("username")
        if not isinstance(number, int) or not isinstance(login, str) or not re.fullmatch(r"[\w.-]{1,255}", login):
            raise refusals.not_understood(self._host, "no account")
        private = f"{number}-{login}@users.noreply.{urlsplit(f'//{self._host}').hostname}"
        told_emails = (an_email(facts.get(name)) for name in ("commit_email", "public_email"))
        emails = tuple(dict.fromkeys(each for each in (private, *told_emails) if each))
        lacks = self._lacks()
        name = one_line(facts.get("name")) or login
        return Account("gitlab", self._host, login, name, private, emails, not lacks, lacks)

    def place(self, full_name: str) -> Place | None:
        """A repository; None: there is none, or it is not shown to this account."""
        found = self._find(full_name)
        return self._place(found) if found else None

    def ensure_fork(self, full_name: str, is_cancelled: Callable[[], bool]) -> Place:
        """The account's fork, found under whatever name, else made and waited for. The repository itself where the
        account may push there."""
        original = self._find(full_name)
        if original is None:
            raise refusals.no_repository(self._host, full_name)
        place = self._place(original)
        if self._asked(lambda: original.archived):
            raise refusals.closed(full_name)
        if place.may_push:
            return place
        login = self._login()
        number = self._asked.made_once(lambda: self._own_fork(original, login), lambda: self._fork(original))
        return self._asked.waited_for(lambda: self._when_ready(number), is_cancelled)

    def ensure_repository(self, name: str, description: str) -> Place:
        """The account's own public repository of this name, made where there is none."""
        full_name = f"{self._login()}/{name}"
        wanted = {"name": name, "path": name, "description": description, "visibility": "public"}
        place = self._asked.made_once(
            lambda: self.place(full_name), lambda: self._place(self._lab.projects.create(wanted))
        )
        return refusals.require_public(place)

    def ensure_request(self, into: Place, fork: Place, branch: str, title: str, body: str) -> PullRequest:
        """The open merge request from a branch, or the accepted one; made where there is neither."""
        target, source = self._asked(lambda: (self._project(into.full_name), self._project(fork.full_name)))

        def found() -> PullRequest | None:
            listed = target.mergerequests.list(
                state="all", source_branch=branch, order_by="created_at", sort="desc", iterator=True
            )
            for each in islice(listed, MOST_FOUND):
                if each.source_project_id == source.id and each.state in ("opened", "locked", "merged"):
                    return self._request(each)
            return None

        wanted = {
            "source_branch": branch,
            "target_branch": into.branch,
            "target_project_id": target.id,
            "title": title,
            "description": body,
        }
        return self._asked.made_once(
            lambda: self._asked(found), lambda: self._request(source.mergerequests.create(wanted))
        )

    def standing(self, into: str, number: int) -> Standing:
        """How a merge request stands. Cost: about five requests."""
        request = self._asked(lambda: self._project(into).mergerequests.get(number))
        head = self._asked(lambda: request.sha)
        if not re.fullmatch(r"[0-9a-f]{40,64}", str(head)):
            raise refusals.not_understood(self._host, "no head")
        comments = self._asked(lambda: list(_comments(self._notes(request))))
        wants = self._reviewers(request)
        outcome = self._asked(lambda: _outcome(request, wants))
        return Standing(outcome, tuple(self._checks(request, head)), tuple(comments), head, time.time())

    def reply(self, into: str, number: int, text: str) -> None:
        """Write a comment."""
        request = self._asked(lambda: self._project(into).mergerequests.get(number))
        self._asked(lambda: request.notes.create({"body": text}), is_repeatable=False)

    # Forks

    def _own_fork(self, original: Any, login: str) -> int | None:
        """The number of the account's fork."""

        def found() -> int | None:
            for each in islice(original.forks.list(owned=True, iterator=True), MOST_FOUND):
                if each.path_with_namespace.lower().startswith(f"{login.lower()}/"):
                    return int(each.id)
            return None

        return self._asked(found)

    def _fork(self, original: Any) -> int:
        """Make it, under a longer name where the account has something else of that name."""
        try:
            return self._asked.once(lambda: int(original.forks.create({}).id))
        except Unfit:
            name = original.path_with_namespace.replace("/", "-")
        return self._asked.once(lambda: int(original.forks.create({"name": name, "path": name}).id))

    def _when_ready(self, number: int) -> Place | None:
        """A fork when its main branch is there; None: not yet.

        Raises:
            ContributionError: the host could not make it, or nothing can be pushed to it.
        """
        project = self._asked(lambda: self._lab.projects.get(number))
        status = self._asked(lambda: project.import_status)
        if status == "failed":
            raise ContributionError(
                f"{self._host} could not make your copy of the repository.",
                f"Make a copy (fork) on its page ({a_page(project.web_url)}), then go on.",
            )
        if status not in ("none", "finished"):
            return None
        place = self._place(project)
        try:
            self._asked(lambda: project.branches.get(place.branch))
        except Missing:
            return None
        return refusals.require_pushable(place)

    # What a merge request is made of

    def _notes(self, request: Any) -> Iterable[Any]:
        return islice(request.notes.list(order_by="created_at", sort="asc", iterator=True), MOST_COMMENTS)

    def _reviewers(self, request: Any) -> bool:
        """True while a reviewer's last word is that something should change; older hosts do not tell."""
        try:
            listed = self._asked(lambda: list(islice(request.reviewer_details.list(iterator=True), MOST_FOUND)))
        except (Missing, Forbidden):
            return False
        return any(each.attributes.get("state") == "requested_changes" for each in listed)

    def _checks(self, request: Any, head: str) -> Iterator[Check]:
        """The jobs of the newest pipeline, and what others report of the commit."""
        pipeline = request.attributes.get("head_pipeline")
        if not isinstance(pipeline, dict):
            return
        try:
            project = self._lab.projects.get(pipeline.get("project_id") or request.project_id, lazy=True)
            statuses = self._asked(
                lambda: list(islice(project.commits.get(head, lazy=True).statuses.list(iterator=True), MOST_CHECKS))
            )
        except (Missing, Forbidden):  # they belong to the fork, and its owner may hide them
            statuses = []
        told = [status.attributes for status in statuses] or [{**pipeline, "name": "Pipeline"}]
        for each in sorted(told, key=lambda one: one.get("id") or 0):
            page = a_page(each.get("target_url") or each.get("web_url"))
            yield Check(one_line(each.get("name")), _state(each), plain(str(each.get("description") or "")), page)

    # Asking

    def _refused(self, error: Exception) -> Exception | None:
        """What a status says to a person; None: it is none."""
        if not isinstance(error, GitlabError):
            return None
        status = error.response_code or 0
        text = patience.said(_message(error), self._token)
        scope = "api" if status == 403 and "insufficient_scope" in text else ""
        return refusals.refusal(self._host, status, text, "Ask the owners of the repository.", scope)

    def _find(self, full_name: str) -> Any | None:
        try:
            return self._asked(lambda: self._project(full_name))
        except Missing:
            return None

    def _project(self, full_name: str) -> Any:
        return self._lab.projects.get(full_name_of(full_name, self._host))

    def _login(self) -> str:
        told = self._asked(lambda: self._lab.http_get("/user"))
        return full_name_of(f"{told['username']}/x" if isinstance(told, dict) else "", self._host)[:-2]

    def _place(self, project: Any) -> Place:
        def found() -> Place:
            facts = project.attributes
            full_name = full_name_of(facts["path_with_namespace"], self._host)
            return Place(
                full_name,
                an_address(facts["http_url_to_repo"], self._host) or f"https://{self._host}/{full_name}.git",
                a_page(facts["web_url"]) or f"https://{self._host}/{full_name}",
                facts.get("default_branch") or "main",
                facts["visibility"] == "private",
                _may_push(facts.get("permissions")) and not facts.get("archived"),
            )

        return self._asked(found)

    def _request(self, request: Any) -> PullRequest:
        return PullRequest(int(request.iid), a_page(request.web_url))

    def _lacks(self) -> str:
        """What the token may not, in words; "" for nothing that could be found out."""
        try:
            scopes = self._asked(lambda: self._lab.personal_access_tokens.get("self").scopes)
        except (Missing, Forbidden, Unfit, NotSignedIn):  # it is of a kind that does not tell
            return ""
        if isinstance(scopes, list) and "api" not in scopes:
            return f"This token may not send anything to {self._host}: it lacks the scope “api”."
        return ""


class _Session(requests.Session):
    """The library's connection: it goes on to no other host, and does not wait by itself."""

    def __init__(self, host: str, api: str) -> None:
        super().__init__()
        self._host, self._origin = host, _origin(api)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if not target:
            return None
        is_same = _origin(urljoin(resp.url, target)) == self._origin
        return target if is_same and resp.request.method == "GET" else None

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """
        Raises:
            Passing: the host is too busy, or not well.
            ContributionError: a list of the host goes on at another.
        """
        if _origin(str(request.url)) != self._origin:
            raise refusals.not_understood(self._host, "another host")
        response = super().send(request, **options)
        if response.status_code == 429:
            headers = {name.lower(): text for name, text in response.headers.items()}
            told = patience.asked_wait(headers)
            wait_s = told if told is not None else patience.until(headers.get("ratelimit-reset", ""))
            raise patience.too_often(self._host, 60.0 if wait_s is None else wait_s)
        if response.status_code >= 500:
            raise patience.not_well(self._host, response.status_code)
        return response


def _origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc.lower()


def _outcome(request: Any, wants_changes: bool) -> Outcome:
    if request.state == "merged":
        return "accepted"
    if request.state == "closed":
        return "declined"
    return "changes asked" if wants_changes else "open"


def _comments(notes: Iterable[Any]) -> Iterator[Comment]:
    for note in notes:
        text = _VERDICTS.get(note.body.strip(), "") if note.system else note.body
        if not text:
            continue
        where = note.attributes.get("position") or {}
        at = datetime.datetime.fromisoformat(note.created_at).timestamp()
        who = one_line((note.author or {}).get("username")) or "somebody"
        line = where.get("new_line") or where.get("old_line") or 0
        yield Comment(f"note-{note.id}", who, whole(text), at, one_line(where.get("new_path")), int(line))


def _state(facts: dict[str, Any]) -> Literal["passed", "failed", "waiting"]:
    status = facts.get("status")
    if status in _PASSED or (status in _FAILED and facts.get("allow_failure")):
        return "passed"
    return "failed" if status in _FAILED else "waiting"


def _may_push(permissions: Any) -> bool:
    levels = [each.get("access_level") for each in (permissions or {}).values() if isinstance(each, dict)]
    return any(isinstance(level, int) and level >= _DEVELOPER for level in levels)


def _message(error: GitlabError) -> str:
    """What a refusal says: a text, or texts below names."""
    said: Any = error.error_message
    with_body = error.response_body or b""
    if b"insufficient_scope" in with_body:
        return "insufficient_scope"
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
