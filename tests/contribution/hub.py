"""A GitHub of this computer: its interface and real git behind it, a library with two lessons, and a person's token."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keyring

from lab_desktop import keys, repository
from lab_desktop.contribution import accounts, contributions
from lab_desktop.contribution.contributions import Contribution
from lab_desktop.contribution.destinations import Destination
from lab_desktop.contribution.letter import letter
from lab_desktop.contribution.parcel import prepare
from lab_desktop.taxonomy import attribution
from tests.contribution.parcels import agreed
from tests.drills.runs import freeform_leaf, knowledge_leaf
from tests.git_server import GitServer
from tests.github_server import GitHubServer, Repo, User
from tests.keyrings import MemoryKeyring

TOKEN = "ghp_PlantedTokenThatNobodyMaySee1234"
FACTS = "knowledge/places/orra"
SKILL = "compositional_skills/shout"
TAXONOMY = "instructlab/taxonomy"


@dataclass
class Hub:
    """
    Attributes:
        hub: its interface.
        git: its repositories.
        library: the person's, with a lesson of facts and a skill.
    """

    hub: GitHubServer
    git: GitServer
    library: Path

    @property
    def community(self) -> Destination:
        return Destination("team", f"http://{self.git.host}/{TAXONOMY}", "github", self.hub.api)

    @property
    def team(self) -> Destination:
        """A repository where nobody takes pull requests."""
        return Destination("team", self.git.address("team/lessons"))

    def prepared(self, path: str, destination: Destination) -> Contribution:
        """A contribution of a lesson as it is in the library now, which only waits to be sent."""
        parcel = prepare(self.library, Path(path))
        return agreed(contributions.start(self.library, parcel, letter(parcel, None)), destination)

    def branches(self, name: str) -> dict[str, str]:
        """{branch: commit} of a repository."""
        listed = said(
            self.git.repository(name), "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"
        )
        return dict(line.split() for line in listed.splitlines())

    def files(self, name: str, commit: str) -> dict[str, str]:
        """{path: content} of a commit."""
        packed = ["git", "-C", str(self.git.repository(name)), "archive", commit]
        data = io.BytesIO(subprocess.run(packed, capture_output=True, check=True).stdout)
        with tarfile.open(fileobj=data) as archive:
            return {each.name: os.fsdecode(archive.extractfile(each).read()) for each in archive if each.isfile()}

    def move_on(self, name: str, files: dict[str, str]) -> str:
        """Somebody else's commit on the main branch of a repository."""
        return somebody_commits(self.git.repository(name), files)


def said(root: Path, *command: str) -> str:
    """What plain git says."""
    who = ["-c", "user.name=Bo", "-c", "user.email=bo@example.org"]
    done = subprocess.run(["git", "-C", str(root), *who, *command], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return os.fsdecode(done.stdout)


def somebody_commits(bare: Path, files: dict[str, str], branch: str = "main") -> str:
    """Put files onto a branch of a bare repository, as a commit of somebody else."""
    stream = f"commit refs/heads/{branch}\ncommitter Bo <bo@example.org> 1763000000 +0000\ndata 5\nmore\n\n"
    tip = subprocess.run(
        ["git", "-C", str(bare), "rev-parse", "-q", "--verify", branch], capture_output=True, text=True
    )
    stream += f"from {tip.stdout.strip()}\n" if tip.stdout.strip() else ""
    for path, text in files.items():
        stream += f'M 100644 inline "{path}"\ndata {len(text.encode())}\n{text}\n'
    subprocess.run(["git", "-C", str(bare), "fast-import", "--quiet"], input=stream.encode(), check=True)
    return said(bare, "rev-parse", branch).strip()


def own_library(folder: Path) -> Path:
    """A person's library with a lesson of facts and a skill, both new and complete."""
    starter = folder / "starter"
    (starter / "knowledge").mkdir(parents=True)
    (starter / "knowledge" / ".gitkeep").touch()
    library = folder / "library"
    repository.start(library, starter)
    for lesson in (knowledge_leaf(library), freeform_leaf(library)):
        attribution.write_attribution([attribution.own_work(lesson.name, "Ada Lovelace")], lesson)
    return library


def set_up(folder: Path) -> Path:
    """A library and the repositories of others in a folder, for `running`; made once, it can be copied."""
    own_library(folder)
    git = GitServer(folder / "git")
    git.root.mkdir()
    for name in (TAXONOMY, "team/lessons"):
        git.make(name)
        somebody_commits(git.repository(name), {"README.md": "# Lessons\n", "knowledge/.gitkeep": ""})
    return folder


@contextlib.contextmanager
def running(made: Path, folder: Path) -> Iterator[Hub]:
    """Everything, in a copy of what `set_up` made; the person is signed in, in a keyring of the test."""
    shutil.copytree(made, folder, dirs_exist_ok=True)
    library, git = folder / "library", GitServer(folder / "git", accounts={"x-access-token": TOKEN})
    hub, before = GitHubServer(), keyring.get_keyring()
    hub.users[TOKEN] = User("ada", name="Ada Lovelace")
    hub.add(TAXONOMY)
    keyring.set_keyring(MemoryKeyring())
    try:
        with git.running(), hub.running():
            hub.git = f"http://{git.host}"

            def make(repo: Repo) -> None:
                git.make(repo.full_name, git.repository(repo.parent) if repo.parent else None)

            def has_branch(name: str, branch: str) -> bool:
                bare = git.repository(name)
                return bool(said(bare, "for-each-ref", f"refs/heads/{branch}"))

            hub.on_made, hub.has_branch = make, has_branch
            keys.keep(accounts.KEYS, f"http://{git.host}".replace("http:", "https:"), TOKEN)
            yield Hub(hub, git, library)
    finally:
        keyring.set_keyring(before)
