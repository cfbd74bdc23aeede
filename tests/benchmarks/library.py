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
        walk = _median(lambda: _walk(root))
        print(f"{'what':50}{'seconds':>9}{'processor':>11}{'ratio':>8}")
        _row("os.walk with a stat of every file", walk, walk)
        index = Index(root, file)
        _row("first start: the tree with its names", _spent(lambda: (index.look(), index.tree())), walk)
        _row("first start: everything read", _spent(index.refresh), walk)
        index.close()
        kept = sum(each.stat().st_size for each in file.parent.glob(f"{file.name}*"))
        print(f"the index has {kept / size:.1f} × the size of the library")
        _row(f"opened and compared with the disk (at most {_MOST_OPEN} s)", _median(lambda: _open(root, file)), walk)
        index = Index(root, file)
        index.refresh()
        _row(f"is anything new? (at most {_MOST_VERIFY} s)", _median(index.changed_since), walk)
        _search(index, words)
        start = time.perf_counter()
        left = index.verify_some(_VERIFY_S)
        print(f"badges: {(_LESSONS - left) / (time.perf_counter() - start):.0f} lessons a second")
        index.close()


def _search(index: Index, words: list[str]) -> None:
    """Print how long answers take, in milliseconds: median and longest of several each, and the longest's processor."""
    print(f"{f'search (at most {_MOST_SEARCH_MS} ms)':50}{'median':>9}{'longest':>9}{'processor':>11}{'found':>8}")
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
        found = 0
        times = []
        for ask in asked:
            start, began = time.perf_counter(), time.process_time()
            found += ask()
            times.append(((time.perf_counter() - start) * 1000, (time.process_time() - began) * 1000))
        longest, processor = max(times)
        middle = statistics.median(each for each, _ in times)
        print(f"{label:50}{middle:9.1f}{longest:9.1f}{processor:11.1f}{found / len(asked):8.1f}")


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


def _row(label: str, spent: tuple[float, float], walk: tuple[float, float]) -> None:
    """A line of the table; the ratio is of processor time, which others at work on the machine change least."""
    print(f"{label:50}{spent[0]:9.2f}{spent[1]:11.2f}{spent[1] / walk[1]:7.1f}×", flush=True)


def _median(work: Callable[[], object]) -> tuple[float, float]:
    seconds, processor = zip(*(_spent(work) for _ in range(_ROUNDS)), strict=True)
    return statistics.median(seconds), statistics.median(processor)


def _spent(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and seconds of the processor."""
    start, began = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - began


if __name__ == "__main__":
    main()
