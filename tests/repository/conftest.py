"""A community's repository behind a server on this computer, and who may push there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab_desktop.repository.outgoing import Credentials, Outgoing, Signature, open_outgoing
from tests.git_server import GitServer
from tests.taxonomy import leaves

SECRET = "ghp_Planted0Secret1Nobody2May3See"
JANE = Signature("Jane Roe", "1234+jane@users.noreply.github.com", 1763780000.5)
BAY = "knowledge/science/bay/qna.yaml"
LESSON = {
    "knowledge/geography/velmora/qna.yaml": leaves.knowledge(7).encode(),
    "knowledge/geography/velmora/attribution.txt": b"Title of work: Velmora\n",
}


def git(root: Path, *command: str) -> str:
    """Plain git, as somebody who knows it would type it."""
    who = ["-c", "user.name=Jane", "-c", "user.email=jane@example.org"]
    done = subprocess.run(["git", "-C", str(root), *who, *command], capture_output=True, check=True, timeout=60)
    return done.stdout.decode().strip()


def silent(what: str, share: float) -> None:
    assert what
    assert 0 <= share <= 1


def go_on() -> bool:
    return False


@dataclass
class Place:
    """A destination and somebody who may push there."""

    server: GitServer
    folder: Path
    credentials: Credentials
    name: str = "taxonomy"

    @property
    def address(self) -> str:
        return self.server.address(self.name)

    @property
    def remote(self) -> Path:
        return self.server.repository(self.name)

    def opened(self, credentials: Credentials | None = None) -> Outgoing:
        return open_outgoing(self.folder, self.address, credentials, silent, go_on)

    def branches(self, name: str = "") -> dict[str, str]:
        listed = git(self.server.repository(name or self.name), "for-each-ref", "--format=%(refname) %(objectname)")
        return {line.split()[0].removeprefix("refs/heads/"): line.split()[1] for line in listed.splitlines()}

    def push(self, outgoing: Outgoing, commit: str, branch: str = "lesson/velmora", expects: str = "") -> None:
        outgoing.push(self.address, commit, branch, self.credentials, silent, go_on, expects)


def lesson(outgoing: Outgoing, files: dict[str, bytes] = LESSON) -> str:
    message = f"Teach Velmora\n\nSigned-off-by: {JANE.name} <{JANE.email}>\n"
    return outgoing.commit(files, message, JANE, [outgoing.head] if outgoing.head else [])


def others_add(remote: Path, name: str, content: bytes = b"x\n", branch: str = "main", mode: str = "100644") -> str:
    """A commit that somebody else makes at the remote."""
    tip = subprocess.run(
        ["git", "-C", str(remote), "rev-parse", "-q", "--verify", branch], capture_output=True, check=False
    ).stdout.decode()
    stream = f"commit refs/heads/{branch}\nmark :1\ncommitter Max <max@example.org> 1763700000 +0000\ndata 4\nmore\n"
    stream += f"from {tip}" if tip else ""
    body = stream.encode() + f"M {mode} inline {name}\ndata {len(content)}\n".encode() + content + b"\nget-mark :1\n"
    done = subprocess.run(
        ["git", "-C", str(remote), "fast-import", "--quiet"], input=body, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


@pytest.fixture(scope="session")
def community(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository of lessons, to be copied."""
    root = tmp_path_factory.mktemp("community") / "taxonomy.git"
    git(root.parent, "init", "-q", "--bare", "-b", "main", root.name)
    others_add(root, BAY, leaves.knowledge().encode())
    others_add(root, "knowledge/science/bay/attribution.txt", b"Title of work: Bay\n")
    others_add(root, "compositional_skills/writing/rhyme/qna.yaml", leaves.skill().encode())
    return root


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    root = tmp_path / "served"
    root.mkdir()
    with GitServer(root, {"jane": SECRET}).running() as server:
        yield server


@pytest.fixture
def place(server: GitServer, community: Path, tmp_path: Path) -> Place:
    """The community's repository, where jane may push."""
    server.make("taxonomy", community)
    return Place(server, tmp_path / "hidden" / "clone", Credentials("jane", SECRET, server.host))
