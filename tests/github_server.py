"""GitHub on this computer: the endpoints that are used, with the fields that it publishes, and its moods.

    GET  /user, POST /user/repos
    GET  /repos/O/N, GET and POST /repos/O/N/forks, GET /repos/O/N/branches/B
    GET and POST /repos/O/N/pulls, GET /repos/O/N/pulls/1, …/reviews, …/comments
    GET and POST /repos/O/N/issues/1/comments
    GET  /repos/O/N/commits/SHA/check-runs, …/status, GET /repos/O/N/check-runs/1/annotations
    POST /login/device/code, /login/oauth/access_token

`Fault`s of json_server.py are what goes wrong. Git itself is not here: `has_branch`, `on_made` join it to a real one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.json_server import Asked, JsonServer, Said

WHEN = "2026-11-22T08:00:00Z"
SHA = "1" * 40


@dataclass
class User:
    """Attributes:
    scopes: of a classic token; None: a token of a newer kind, that does not tell.
    may: False: a token of a newer kind that may only read.
    may_request: False: a token of a newer kind that may not open pull requests of others' repositories.
    """

    login: str
    number: int = 4242
    name: str | None = "Anna Brenner"
    email: str | None = None
    scopes: str | None = "public_repo"
    may: bool = True
    may_request: bool = True


@dataclass
class Repo:
    """Attributes:
    parent: full name of what it is a fork of.
    looks: how many requests it takes until it is there.
    pushers: logins that may push, besides its owner.
    """

    full_name: str
    parent: str = ""
    looks: int = 0
    is_private: bool = False
    is_archived: bool = False
    branch: str = "main"
    pushers: set[str] = field(default_factory=set)
    description: str = ""

    @property
    def owner(self) -> str:
        return self.full_name.partition("/")[0]


@dataclass
class Pull:
    number: int
    into: str
    head: str
    title: str
    body: str
    state: str = "open"
    is_merged: bool = False
    sha: str = SHA
    comments: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)

    def comment(self, who: str, text: str, at: str = WHEN) -> None:
        self.comments.append(
            {"id": len(self.comments) + 1, "user": {"login": who}, "body": text, "created_at": at, "updated_at": at}
        )

    def review(self, who: str, state: str, text: str = "", at: str = WHEN) -> None:
        self.reviews.append(
            {"id": len(self.reviews) + 1, "user": {"login": who}, "state": state, "body": text, "submitted_at": at}
        )

    def note(self, who: str, text: str, path: str, line: int, at: str = WHEN) -> None:
        self.notes.append(
            {
                "id": len(self.notes) + 1,
                "user": {"login": who},
                "body": text,
                "path": path,
                "line": line,
                "original_line": line,
                "created_at": at,
            }
        )

    def run(self, name: str, conclusion: str | None, title: str = "", summary: str = "", annotations: int = 0) -> None:
        self.runs.append(
            {
                "id": len(self.runs) + 1,
                "name": name,
                "head_sha": self.sha,
                "status": "completed" if conclusion else "in_progress",
                "conclusion": conclusion,
                "started_at": WHEN,
                "html_url": f"https://github.com/{self.into}/runs/{len(self.runs) + 1}",
                "output": {"title": title, "summary": summary, "text": None, "annotations_count": annotations},
            }
        )


class GitHubServer(JsonServer):
    """Attributes:
    users: by token.
    repos: by full name, in small letters.
    pulls: all of them.
    fork_looks: how many requests it takes until a new fork is there.
    git: base of the addresses for git; "": this server's.
    has_branch: (full name, branch) → it is there.
    on_made: called with a repository that was made.
    device: what the answers to the waiting of the device flow are, in order.
    """

    base = "/api/v3"

    def __init__(self) -> None:
        super().__init__()
        self.users: dict[str, User] = {}
        self.repos: dict[str, Repo] = {}
        self.pulls: list[Pull] = []
        self.fork_looks = 0
        self.git = ""
        self.has_branch: Callable[[str, str], bool] = lambda repo, branch: True
        self.on_made: Callable[[Repo], None] = lambda repo: None
        self.code: dict[str, Any] = {}
        self.device: list[dict[str, Any]] = []

    @property
    def api(self) -> str:
        return f"{self.address}{self.base}"

    def add(self, full_name: str, **facts: Any) -> Repo:
        repo = self.repos[full_name.lower()] = Repo(full_name, **facts)
        return repo

    def answer(self, asked: Asked) -> Said:
        if asked.path.startswith("/login/"):
            return self._login(asked)
        token = re.sub(r"^(token|bearer) ", "", asked.headers.get("authorization", ""), flags=re.IGNORECASE)
        user = self.users.get(token)
        if user is None:
            return Said({"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"}, 401)
        told = self._answer(asked, user)
        if user.scopes is None:
            return told
        return Said(told.value, told.status, {**told.headers, "X-OAuth-Scopes": user.scopes})

    def _answer(self, asked: Asked, user: User) -> Said:
        if asked.line == "GET /user":
            return Said(self._user(user))
        if asked.line == "POST /user/repos":
            return self._make(asked.body, user)
        match = re.fullmatch(r"/repos/([^/]+/[^/]+)(/.*)?", asked.path)
        repo = self.repos.get(match[1].lower()) if match else None
        if not match or repo is None or (repo.is_private and user.login not in {repo.owner, *repo.pushers}):
            return _not_found()
        if repo.looks > 0:
            repo.looks -= 1
            return _not_found()
        return self._of_repo(asked, user, repo, match[2] or "")

    def _of_repo(self, asked: Asked, user: User, repo: Repo, rest: str) -> Said:
        if asked.method == "POST" and "public_repo" not in (user.scopes or "") and user.scopes is not None:
            return Said({"message": "Not Found"}, 404, {"X-Accepted-OAuth-Scopes": "public_repo, repo"})
        if asked.method == "POST" and not user.may:
            return Said({"message": "Resource not accessible by personal access token"}, 403)
        if rest == "":
            return Said(self._repo(repo, user))
        if rest == "/forks":
            forks = [each for each in self.repos.values() if each.parent.lower() == repo.full_name.lower()]
            if asked.method == "GET":
                return self.page([self._repo(each, user, is_whole=False) for each in forks], asked)
            return self._fork(repo, user, asked.body or {}, forks)
        if match := re.fullmatch(r"/branches/(.+)", rest):
            if not self.has_branch(repo.full_name, match[1]):
                return Said({"message": "Branch not found"}, 404)
            return Said({"name": match[1], "commit": {"sha": SHA, "url": ""}, "protected": False})
        if rest == "/pulls":
            return self._pulls(asked, user, repo)
        if match := re.match(r"/(?:pulls|issues)/(\d+)", rest):
            found = [each for each in self.pulls if each.number == int(match[1]) and each.into == repo.full_name]
            return self._of_pull(asked, user, found[0], rest) if found else _not_found()
        if match := re.fullmatch(r"/commits/([0-9a-f]+)/(check-runs|status)", rest):
            return self._of_commit(asked, repo, match[1], match[2])
        if match := re.fullmatch(r"/check-runs/(\d+)/annotations", rest):
            return Said([each for pull in self.pulls if pull.into == repo.full_name for each in pull.annotations])
        return _not_found()

    def _of_pull(self, asked: Asked, user: User, pull: Pull, rest: str) -> Said:
        if re.fullmatch(r"/pulls/\d+", rest):
            return Said(self._pull(pull))
        if rest.endswith("/reviews"):
            return self.page(pull.reviews, asked)
        if rest.startswith("/pulls/") and rest.endswith("/comments"):
            return self.page(pull.notes, asked)
        if rest.startswith("/issues/") and rest.endswith("/comments"):
            if asked.method == "POST":
                pull.comment(user.login, asked.body["body"])
                return Said(pull.comments[-1], 201)
            return self.page(pull.comments, asked)
        return _not_found()

    def _of_commit(self, asked: Asked, repo: Repo, sha: str, what: str) -> Said:
        pulls = [each for each in self.pulls if each.into == repo.full_name and each.sha == sha]
        if not pulls:
            return Said({"message": f"No commit found for SHA: {sha}"}, 422)
        base = f"{self.api}/repos/{repo.full_name}"
        if what == "check-runs":
            runs = [{**run, "url": f"{base}/check-runs/{run['id']}"} for run in pulls[0].runs]
            return self.page(runs, asked, lambda rows: {"total_count": len(runs), "check_runs": rows})
        return Said({"state": "pending", "sha": sha, "statuses": pulls[0].statuses, "total_count": 0})

    def _make(self, wanted: dict[str, Any], user: User) -> Said:
        if not user.may or (user.scopes is not None and "repo" not in user.scopes):
            return Said({"message": "Resource not accessible by personal access token"}, 403)
        name = wanted["name"]
        if not name:
            return _unfit({"resource": "Repository", "field": "name", "code": "missing_field"})
        if f"{user.login}/{name}".lower() in self.repos:
            return _unfit({"field": "name", "message": "name already exists on this account"})
        repo = self.add(f"{user.login}/{name}", description=wanted.get("description", ""))
        repo.is_private = bool(wanted.get("private"))
        self.on_made(repo)
        return Said(self._repo(repo, user), 201)

    def _fork(self, repo: Repo, user: User, wanted: dict[str, Any], forks: list[Repo]) -> Said:
        for own in forks:
            if own.owner == user.login:
                return Said(self._repo(own, user), 202)
        name = wanted.get("name") or repo.full_name.partition("/")[2]
        while f"{user.login}/{name}".lower() in self.repos:
            if wanted.get("name"):
                return _unfit({"field": "name", "message": "name already exists on this account"})
            name += "-1"
        made = self.add(f"{user.login}/{name}", parent=repo.full_name, branch=repo.branch)
        self.on_made(made)
        told = self._repo(made, user)
        made.looks = self.fork_looks
        return Said(told, 202)

    def _pulls(self, asked: Asked, user: User, repo: Repo) -> Said:
        if asked.method == "GET":
            found = [each for each in reversed(self.pulls) if each.into == repo.full_name]
            if (head := asked.query.get("head", "")).count(":") == 1:
                found = [each for each in found if each.head == head]
            if (state := asked.query.get("state", "open")) != "all":
                found = [each for each in found if each.state == state]
            return self.page([self._pull(each) for each in found], asked)
        if not user.may_request:
            return Said({"message": "Resource not accessible by personal access token"}, 403)
        head = asked.body["head"]
        if any(each.head == head and each.state == "open" for each in self.pulls):
            return _unfit({"resource": "PullRequest", "message": f"A pull request already exists for {head}."})
        owner, _, branch = head.partition(":")
        own = [
            each
            for each in self.repos.values()
            if each.owner == owner and repo.full_name in (each.parent, each.full_name)
        ]
        if not own or not self.has_branch(own[0].full_name, branch):
            return _unfit({"resource": "PullRequest", "field": "head", "code": "invalid"})
        self.pulls.append(Pull(len(self.pulls) + 1, repo.full_name, head, asked.body["title"], asked.body["body"]))
        return Said(self._pull(self.pulls[-1]), 201)

    def _user(self, user: User) -> dict[str, Any]:
        return {
            "login": user.login,
            "id": user.number,
            "name": user.name,
            "email": user.email,
            "url": f"{self.api}/users/{user.login}",
            "html_url": f"https://github.com/{user.login}",
        }

    def _repo(self, repo: Repo, user: User, is_whole: bool = True) -> dict[str, Any]:
        may = user.login == repo.owner or user.login in repo.pushers
        told: dict[str, Any] = {
            "id": abs(hash(repo.full_name)) % 10**9,
            "name": repo.full_name.partition("/")[2],
            "full_name": repo.full_name,
            "owner": {"login": repo.owner, "id": 1},
            "private": repo.is_private,
            "archived": repo.is_archived,
            "fork": bool(repo.parent),
            "url": f"{self.api}/repos/{repo.full_name}",
            "html_url": f"{self.git or self.address}/{repo.full_name}",
            "clone_url": f"{self.git or self.address}/{repo.full_name}.git",
            "default_branch": repo.branch,
            "permissions": {"admin": may, "push": may, "pull": True},
        }
        if is_whole and repo.parent and repo.parent.lower() in self.repos:
            parent = self._repo(self.repos[repo.parent.lower()], user, is_whole=False)
            told |= {"parent": parent, "source": parent}
        return told

    def _pull(self, pull: Pull) -> dict[str, Any]:
        owner, _, branch = pull.head.partition(":")
        base = f"{self.api}/repos/{pull.into}"
        return {
            "id": pull.number,
            "number": pull.number,
            "state": pull.state,
            "title": pull.title,
            "body": pull.body,
            "merged": pull.is_merged,
            "merged_at": WHEN if pull.is_merged else None,
            "url": f"{base}/pulls/{pull.number}",
            "issue_url": f"{base}/issues/{pull.number}",
            "html_url": f"https://github.com/{pull.into}/pull/{pull.number}",
            "head": {"label": pull.head, "ref": branch, "sha": pull.sha, "user": {"login": owner}},
            "base": {"ref": "main", "sha": SHA},
        }

    def _login(self, asked: Asked) -> Said:
        if asked.path == "/login/device/code":
            return Said(
                {
                    "device_code": "3584d83530557fdd1f46af8289938c8ef79f9dc5",
                    "user_code": "WDJB-MJHT",
                    "verification_uri": f"{self.address}/login/device",
                    "expires_in": 900,
                    "interval": 0,
                    **self.code,
                }
            )
        return Said(self.device.pop(0) if len(self.device) > 1 else self.device[0])


def _not_found() -> Said:
    return Said({"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}, 404)


def _unfit(error: dict[str, str]) -> Said:
    return Said({"message": "Validation Failed", "errors": [error]}, 422)
