"""What sending to a repository of ten thousand lessons costs: cloning it, fetching what is new, committing and pushing.

The repository is made in a temporary folder: lessons of random words with attributions, in three hundred commits.
Times are of one run each, git's own included.
"""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab_desktop.repository.outgoing import Signature, open_outgoing

_LESSONS = 10_000
_WORDS = 700
_MOST_CLONE, _MOST_COMMIT, _MOST_PUSH = 20.0, 1.0, 2.0


def main() -> None:
    """Print a table of seconds and of git's and our processor time."""
    with tempfile.TemporaryDirectory() as name:
        remote, folder = Path(name, "taxonomy.git"), Path(name, "hidden", "clone")
        make(remote, _LESSONS, _WORDS)
        address = f"file://{remote}"
        print(f"{_LESSONS} lessons, {_size(remote) / 1e6:.0f} MB packed")
        print(f"{'what':50}{'seconds':>9}{'processor':>11}")
        quiet: Any = (lambda what, share: None, lambda: False)
        outgoing = _spent(f"first time (at most {_MOST_CLONE} s)", lambda: open_outgoing(folder, address, None, *quiet))
        print(f"the hidden clone has {_size(folder) / 1e6:.0f} MB")
        _spent("brought up to date", lambda: open_outgoing(folder, address, None, *quiet))
        place = "knowledge/geography/velmora"
        files = {f"{place}/qna.yaml": b"seed examples\n", f"{place}/attribution.txt": b"Title of work: Velmora\n"}
        who = Signature("Jane", "jane@example.org", 1763780000.0)
        commit = _spent(
            f"a commit (at most {_MOST_COMMIT} s)", lambda: outgoing.commit(files, "Velmora", who, [outgoing.head])
        )
        _spent(
            f"a push (at most {_MOST_PUSH} s)",
            lambda: outgoing.push(address, commit, "lesson/velmora", None, *quiet),
        )
        _spent("reading the lesson back", lambda: outgoing.read(commit, place))


def make(repository: Path, lessons: int, words_each: int) -> None:
    """A bare repository of so many lessons with words from a vocabulary, in up to three hundred commits."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(repository)], check=True)
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 10))) for _ in range(4000)]
    process = subprocess.Popen(["git", "fast-import", "--quiet"], cwd=repository, stdin=subprocess.PIPE)
    assert process.stdin is not None
    each = max(1, lessons // 300)
    for number in range(lessons):
        if number % each == 0:
            process.stdin.write(
                b"commit refs/heads/main\ncommitter J <j@example.org> %d +0000\n" % (1_700_000_000 + number)
            )
            process.stdin.write(b"data 5\nmore\n\n")
        root = ("knowledge", "compositional_skills")[number % 2]
        folder = f"{root}/area_{number % 17}/field_{number % 211}/lesson_{number}"
        for name, count in (("qna.yaml", words_each), ("attribution.txt", words_each // 30)):
            content = " ".join(chance.choices(words, k=count)).encode()
            process.stdin.write(f"M 100644 inline {folder}/{name}\ndata {len(content)}\n".encode() + content + b"\n")
    process.stdin.close()
    assert process.wait() == 0


def _spent(what: str, work: Callable[[], Any]) -> Any:
    start, before = time.perf_counter(), os.times()
    result = work()
    after = os.times()
    print(f"{what:50}{time.perf_counter() - start:9.2f}{sum(after[:4]) - sum(before[:4]):11.2f}")
    return result


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
