"""Ended at every call of git, before and after it: nothing or everything was sent, and once more finishes it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab_desktop.repository.outgoing import Credentials, open_outgoing, reopened
from tests.repository.conftest import SECRET, Place, git, go_on, lesson, silent

BRANCH = "lesson/velmora"

# In place of git: counts the calls and ends whoever made call number AT, before or after it is done.
DEADLY_GIT = """#!/bin/sh
[ -n "$DEADLY" ] || exec {git} "$@"
unset DEADLY
echo >> "$COUNT"
[ "$(wc -l < "$COUNT")" -gt "$AT" ] || exec {git} "$@"
[ "$WHEN" = before ] || {git} "$@"
kill -9 $PPID
"""
SEND = """
import sys
from pathlib import Path
from lab_desktop.repository.outgoing import Credentials
from tests.drills.test_git_calls import send
address, folder, host, secret = sys.argv[1:]
send(Path(folder), address, Credentials("jane", secret, host))
"""


def send(folder: Path, address: str, credentials: Credentials) -> str:
    """One lesson, as the program sends it: the branch is looked at first."""
    outgoing = open_outgoing(folder, address, None, silent, go_on)
    commit = lesson(outgoing)
    if outgoing.remote_branch(address, BRANCH, credentials) != commit:
        outgoing.push(address, commit, BRANCH, credentials, silent, go_on)
    return commit


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_call_of_git_everything_or_nothing_was_sent_and_again_finishes(
    place: Place, tmp_path: Path, when: str
) -> None:
    deadly = tmp_path / "bin" / "git"
    deadly.parent.mkdir()
    deadly.write_text(DEADLY_GIT.format(git=subprocess.check_output(["which", "git"], text=True).strip()))
    deadly.chmod(0o755)
    before = place.branches()
    at = 0
    for at in range(40):
        place.folder = tmp_path / f"hidden{at}" / "clone"
        told = {"PATH": f"{deadly.parent}:{os.environ['PATH']}", "COUNT": str(tmp_path / f"count{at}"), "AT": str(at)}
        command = [sys.executable, "-c", SEND, place.address, str(place.folder), place.server.host, SECRET]
        done = subprocess.run(
            command, env=os.environ | told | {"DEADLY": "1", "WHEN": when}, capture_output=True, check=False, timeout=60
        )
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
        found = reopened(place.folder, place.address)
        assert found is None or found.read(found.head, "knowledge"), "a clone that is there is whole"
        sent = place.branches().get(BRANCH)

        commit = send(place.folder, place.address, place.credentials)

        assert sent in (None, commit)
        assert place.branches() == before | {BRANCH: commit}
        assert [path.name for path in place.folder.parent.iterdir() if path.suffix == ".part"] == []
        git(place.remote, "update-ref", "-d", f"refs/heads/{BRANCH}")
    assert at > 8
