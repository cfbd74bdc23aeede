"""GitLab on this computer: the endpoints that are used, with the fields that it publishes.

    GET  /user, /personal_access_tokens/self
    GET  /projects/ID, POST /projects, GET /projects/ID/forks, POST /projects/ID/fork
    GET  /projects/ID/repository/branches/B, /projects/ID/repository/commits/SHA/statuses
    GET and POST /projects/ID/merge_requests, GET …/1, …/1/reviewers, GET and POST …/1/notes

ID is a number or GROUP%2FNAME. `Fault`s of json_server.py are what goes wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.json_server import Asked, JsonServer, Said

WHEN = "2026-11-22T08:00:00.123Z"
SHA = "2" * 40


@dataclass
class Person:
    """Attributes:
    scopes: of a personal access token; None: a token that does not tell.
    """

    login: str
    number: int = 31
    name: str = "Anna Brenner"
    public_email: str = ""
    scopes: list[str] | None = field(default_factory=lambda: ["api"])


@dataclass
class Project:
    """Attributes:
    parent: number of what it is a fork of.
    looks: how many requests it takes until it is imported.
    levels: access level by login.
    """

    number: int
    full_name: str
    parent: int = 0
    looks: int = 0
    status: str = "none"
    visibility: str = "public"
    is_archived: bool = False
    branch: str | None = "main"
    levels: dict[str, int] = field(default_factory=dict)


@dataclass
class Request:
    number: int
    into: int
    source: int
    branch: str
    title: str
    body: str
    state: str = "opened"
    sha: str = SHA
    notes: list[dict[str, Any]] = field(default_factory=list)
    reviewers: dict[str, str] = field(default_factory=dict)
    pipeline: dict[str, Any] | None = None
    statuses: list[dict[str, Any]] = field(default_factory=list)

    def note(self, who: str, text: str, is_system: bool = False, position: dict[str, Any] | None = None) -> None:
        self.notes.append(
            {
                "id": len(self.notes) + 1,
                "author": {"username": who},
                "body": text,
                "system": is_system,
                "created_at": WHEN,
                **({"position": position} if position else {}),
            }
        )


class GitLabServer(JsonServer):
    """Attributes:
    people: by token.
    projects: by number.
    fork_looks: how many requests it takes until a new fork is imported.
    """

    base = "/api/v4"

    def __init__(self) -> None:
        super().__init__()
        self.people: dict[str, Person] = {}
        self.projects: dict[int, Project] = {}
        self.requests: list[Request] = []
        self.fork_looks = 0
        self.git = ""
        self.has_branch: Callable[[str, str], bool] = lambda project, branch: True
        self.on_made: Callable[[Project], None] = lambda project: None

    @property
    def api(self) -> str:
        return f"{self.address}{self.base}"

    def add(self, full_name: str, **facts: Any) -> Project:
        number = len(self.projects) + 1
        self.projects[number] = Project(number, full_name, **facts)
        return self.projects[number]

    def answer(self, asked: Asked) -> Said:
        person = self.people.get(asked.headers.get("authorization", "").removeprefix("Bearer "))
        if person is None:
            return Said({"message": "401 Unauthorized"}, 401)
        if asked.line == "GET /user":
            facts = {"id": person.number, "username": person.login, "name": person.name, "commit_email": None}
            return Said({**facts, "public_email": person.public_email})
        if asked.line == "GET /personal_access_tokens/self":
            told = Said({"id": 1, "name": "LAB", "scopes": person.scopes})
            return told if person.scopes is not None else Said({"message": "404 Not Found"}, 404)
        if asked.method == "POST" and "api" not in (person.scopes or ["api"]):
            return Said({"error": "insufficient_scope", "error_description": "…", "scope": "api"}, 403)
        if asked.line == "POST /projects":
            return self._make(person, asked.body["path"], {"visibility": asked.body["visibility"], "branch": None})
        match = re.fullmatch(r"/projects/([^/]+)(/.*)?", asked.path)
        project = self._project(unquote(match[1]), person) if match else None
        return self._of_project(asked, person, project, match[2] or "") if match and project else _not_found("Project")

    def _project(self, name: str, person: Person) -> Project | None:
        for each in self.projects.values():
            if str(each.number) == name or each.full_name.lower() == name.lower():
                return each if each.visibility != "private" or self._level(each, person) else None
        return None

    def _of_project(self, asked: Asked, person: Person, project: Project, rest: str) -> Said:
        if rest == "":
            told = self._told(project, person)
            project.looks -= 1
            return Said(told)
        if rest == "/forks":
            forks = [each for each in self.projects.values() if each.parent == project.number]
            if asked.query.get("owned"):
                forks = [each for each in forks if self._level(each, person) >= 50]
            return self.page([self._told(each, person) for each in forks], asked)
        if rest == "/fork":
            name = (asked.body or {}).get("path") or project.full_name.rpartition("/")[2]
            facts = {"parent": project.number, "looks": self.fork_looks, "status": "finished"}
            return self._make(person, name, facts)
        if match := re.fullmatch(r"/repository/branches/(.+)", rest):
            name = unquote(match[1])
            is_there = self.has_branch(project.full_name, name)
            return Said({"name": name, "commit": {"id": SHA}}) if is_there else _not_found("Branch")
        if match := re.fullmatch(r"/repository/commits/([0-9a-f]+)/statuses", rest):
            return self.page([row for each in self.requests if each.sha == match[1] for row in each.statuses], asked)
        if rest == "/merge_requests":
            return self._requests(asked, project)
        if match := re.fullmatch(r"/merge_requests/(\d+)(/.*)?", rest):
            found = [each for each in self.requests if (each.number, each.into) == (int(match[1]), project.number)]
            return self._of_request(asked, person, found[0], match[2] or "") if found else _not_found()
        return _not_found()

    def _requests(self, asked: Asked, project: Project) -> Said:
        if asked.method == "GET":
            found = [each for each in reversed(self.requests) if each.into == project.number]
            found = [each for each in found if each.branch == asked.query.get("source_branch", each.branch)]
            return self.page([self._of(each) for each in found], asked)
        branch, into = asked.body["source_branch"], asked.body["target_project_id"]
        for each in self.requests:
            if (each.source, each.branch, each.state) == (project.number, branch, "opened"):
                text = f"Another open merge request already exists for this source branch: !{each.number}"
                return Said({"message": [text]}, 409)
        self.requests.append(
            Request(
                len(self.requests) + 1, into, project.number, branch, asked.body["title"], asked.body["description"]
            )
        )
        return Said(self._of(self.requests[-1]), 201)

    def _of_request(self, asked: Asked, person: Person, request: Request, rest: str) -> Said:
        if rest == "":
            return Said({**self._of(request), "head_pipeline": request.pipeline})
        if rest == "/reviewers":
            return self.page([{"user": {"username": w}, "state": s} for w, s in request.reviewers.items()], asked)
        if rest == "/notes":
            if asked.method == "POST":
                request.note(person.login, asked.body["body"])
                return Said(request.notes[-1], 201)
            return self.page(request.notes, asked)
        return _not_found()

    def _make(self, person: Person, path: str, facts: dict[str, Any]) -> Said:
        full_name = f"{person.login}/{path}"
        if any(each.full_name.lower() == full_name.lower() for each in self.projects.values()):
            return Said({"message": {"path": ["has already been taken"], "name": ["has already been taken"]}}, 409)
        project = self.add(full_name, levels={person.login: 50}, **facts)
        self.on_made(project)
        return Said(self._told(project, person), 201)

    def _told(self, project: Project, person: Person) -> dict[str, Any]:
        level = self._level(project, person)
        base = self.git or self.address
        return {
            "id": project.number,
            "path_with_namespace": project.full_name,
            "http_url_to_repo": f"{base}/{project.full_name}.git",
            "web_url": f"{base}/{project.full_name}",
            "default_branch": project.branch,
            "visibility": project.visibility,
            "archived": project.is_archived,
            "import_status": "started" if project.looks > 0 else project.status,
            "permissions": {"project_access": {"access_level": level} if level else None, "group_access": None},
        }

    def _of(self, request: Request) -> dict[str, Any]:
        return {
            "id": 1000 + request.number,
            "iid": request.number,
            "project_id": request.into,
            "source_project_id": request.source,
            "state": request.state,
            "sha": request.sha,
            "web_url": f"{self.address}/-/merge_requests/{request.number}",
        }

    def _level(self, project: Project, person: Person) -> int:
        return project.levels.get(person.login, 0)


def _not_found(what: str = "") -> Said:
    return Said({"message": f"404 {what} Not Found".replace("  ", " ")}, 404)
