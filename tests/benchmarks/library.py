"""What finding in a library of ten thousand lessons costs: opening, checking the disk, searching; against a plain walk.

The tree is made in a temporary folder: passages of words drawn so that few are common and most are rare, as in a
language, and a document beside every second lesson. Times are medians, or the one time that something is done.
"""

from __future__ import annotations

import itertools
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lab_desktop.taxonomy.index import Index

_LESSONS = 10_000
_TOPIC = 12
_ROUNDS = 5
_VERIFY_S = 5.0
_MOST_OPEN, _MOST_VERIFY, _MOST_SEARCH_MS = 1.0, 0.3, 100


def main() -> None:
    """Print a table of seconds, each with its ratio to `os.walk` with a stat of every file, and of search times."""
    with tempfile.TemporaryDirectory() as name:
        root, file = Path(name, "library"), Path(name, "index.sqlite")
        words = _vocabulary(random.Random(1))
        size = _make(root, words, _LESSONS)
        print(f"{_LESSONS} lessons of {size / _LESSONS / 1000:.1f} kB with their documents")
        walk_s = statistics.median(_seconds(lambda: _walk(root)) for _ in range(_ROUNDS))
        print(f"{'what':44}{'seconds':>9}{'ratio':>8}")
        _row("os.walk with a stat of every file", walk_s, walk_s)
        index = Index(root, file)
        _row("first start: the tree with its names", _seconds(lambda: (index.look(), index.tree())), walk_s)
        _row("first start: everything read", _seconds(index.refresh), walk_s)
        index.close()
        kept = sum(each.stat().st_size for each in file.parent.glob(f"{file.name}*"))
        print(f"the index has {kept / size:.1f} × the size of the library")
        open_s = statistics.median(_seconds(lambda: _open(root, file)) for _ in range(_ROUNDS))
        _row(f"opened and compared with the disk (at most {_MOST_OPEN} s)", open_s, walk_s)
        index = Index(root, file)
        index.refresh()
        verify_s = statistics.median(_seconds(index.changed_since) for _ in range(_ROUNDS))
        _row(f"is anything new? (at most {_MOST_VERIFY} s)", verify_s, walk_s)
        _search(index, words)
        start = time.perf_counter()
        left = index.verify_some(_VERIFY_S)
        print(f"badges: {(_LESSONS - left) / (time.perf_counter() - start):.0f} lessons a second")
        index.close()


def _search(index: Index, words: list[str]) -> None:
    """Print how long answers take, in milliseconds: median and longest of several each."""
    print(f"{f'search (at most {_MOST_SEARCH_MS} ms)':44}{'median ms':>10}{'longest':>9}{'found':>8}")
    rare, common = words[-200:-150], words[:10]
    kinds: dict[str, list[Callable[[], int]]] = {
        "a rare word": [lambda word=word: len(index.search(word)) for word in rare],
        "the commonest words": [lambda word=word: len(index.search(word)) for word in common],
        "two common words": [lambda two=two: len(index.search(" ".join(two))) for two in itertools.pairwise(common)],
        "typing a word, letter by letter": [
            lambda word=word[:end]: len(index.search(word)) for word in words[40:44] for end in range(1, len(word))
        ],
        "nothing": [lambda: len(index.search("zzzzzz"))],
        "near-duplicates of a lesson": [
            lambda entry=entry: len(index.near(entry)) for entry in index.entries()[:: _LESSONS // 10]
        ],
        "places for a topic": [lambda word=word: len(index.places_for(word, " ".join(common))) for word in rare[:10]],
    }
    for label, asked in kinds.items():
        times, found = [], 0
        for ask in asked:
            start = time.perf_counter()
            found += ask()
            times.append((time.perf_counter() - start) * 1000)
        print(f"{label:44}{statistics.median(times):10.1f}{max(times):9.1f}{found / len(asked):8.1f}")


def _open(root: Path, file: Path) -> None:
    index = Index(root, file)
    index.look()
    index.tree()
    index.close()


def _walk(root: Path) -> int:
    return sum(os.stat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(root) for name in names)  # noqa: PTH116, PTH118


def _vocabulary(draw: random.Random) -> list[str]:
    syllables = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"]
    return list(dict.fromkeys("".join(draw.choices(syllables, k=draw.randint(2, 4))) for _ in range(30_000)))


def _make(root: Path, words: list[str], lessons: int) -> int:
    """Write the tree; gives its size in bytes."""
    draw = random.Random(2)
    # Zipf's law: the word of rank n is drawn with a weight of 1/n.
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(words) + 1)))

    def text(count: int) -> str:
        return " ".join(draw.choices(words, cum_weights=weights, k=count))

    size = 0
    for number in range(lessons):
        topic = f"{words[number // _TOPIC // 20 + 100]}/{words[number // _TOPIC + 1000]}"
        folder = (
            root / ("knowledge" if number % 2 else "compositional_skills") / topic / f"{words[number + 5000]}_{number}"
        )
        folder.mkdir(parents=True)
        lesson = _knowledge(text) if number % 2 else _skill(text)
        (folder / "qna.yaml").write_text(lesson)
        size += len(lesson)
        if number % 2:
            document = "\n\n".join(text(80) for _ in range(10))
            (folder / "document.md").write_text(document)
            size += len(document)
    return size


def _knowledge(text: Callable[[int], str]) -> str:
    lines = ["version: 3", "created_by: jane", f"domain: {text(2)}", f"document_outline: {text(8)}", "seed_examples:"]
    for _ in range(5):
        lines += [f"  - context: {text(100)}", "    questions_and_answers:"]
        for _ in range(3):
            lines += [f"      - question: {text(9)}", f"        answer: {text(15)}"]
    return "\n".join([*lines, "document:", "  repo: x", '  commit: "1"', "  patterns:", '    - "*.md"', ""])


def _skill(text: Callable[[int], str]) -> str:
    lines = ["version: 3", "created_by: jane", f"task_description: {text(8)}", "seed_examples:"]
    for _ in range(5):
        lines += [f"  - question: {text(15)}", f"    answer: {text(40)}"]
    return "\n".join([*lines, ""])


def _row(label: str, seconds: float, walk_s: float) -> None:
    print(f"{label:44}{seconds:9.2f}{seconds / walk_s:7.1f}×", flush=True)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
