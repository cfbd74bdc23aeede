"""A worker is a real process: events and nothing else on its output, one ending whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab_desktop.files import JsonLines
from lab_desktop.jobs import requests
from lab_desktop.jobs.events import Event, Failed, Finished, Notice, Progress, Stopped, from_json
from lab_desktop.jobs.requests import LearnRequest
from lab_desktop.jobs.run import Run

WORKS = {
    "finishes": "run.notice('Working.'); return {'seed': request.seed}",
    "prints": "print('noise'); os.system('echo noise'); os.write(1, b'noise'); return {}",
    "waits": """run.notice('Working.')
    while True:
        run.stop_if_cancelled()
        run.progress('Waiting', 0, 1)
        time.sleep(0.01)""",
    "fails": "raise ModelError('The file is short.', 'Download it again.', '3 of 4 bytes')",
    "breaks": "return 1 / 0",
    "wants too much": "return {'bytes': len(bytes(1 << 60))}",
    "exits": "sys.exit(3)",
    "returns what is no JSON": "return {'path': Path('.')}",
    "speaks of a name that is no text": "run.notice(os.fsdecode(b'M\\xfcller')); return {}",
    "loses its journal": "(run.folder / 'events.jsonl').mkdir(); return {}",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    requests.write(tmp_path, LearnRequest((tmp_path,), tmp_path / "t.gguf", tmp_path / "s.gguf", samples=1, seed=7))
    return tmp_path


def start(folder: Path, work: str) -> subprocess.Popen[str]:
    script = (
        "import os, sys, time\nfrom pathlib import Path\nfrom lab_desktop.errors import ModelError\n"
        "from lab_desktop.jobs import worker\n"
        f"def work(request, run):\n    {WORKS[work]}\nsys.exit(worker.main(Path(sys.argv[1]), (), work))"
    )
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdin=pipe, stdout=pipe, stderr=pipe, text=True, encoding="utf-8"
    )


def result(process: subprocess.Popen[str]) -> tuple[list[Event], int, str]:
    """Everything it said, its exit code and its standard error; its input stays open until it ended."""
    assert process.stdout and process.stderr and process.stdin
    said = [from_json(json.loads(line)) for line in process.stdout]
    errors = process.stderr.read()
    code = process.wait(timeout=20)
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
    return said, code, errors


def wait_until_working(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert "Working." in process.stdout.readline()


def test_a_job_says_its_events_and_then_its_result(folder: Path) -> None:
    said, code, errors = result(start(folder, "finishes"))

    assert (said, code, errors) == ([Notice("Working."), Finished({"seed": 7})], 0, "")
    journal = [from_json(row) for row in JsonLines(folder / "events.jsonl").rows()]
    assert journal == said


def test_a_name_that_is_no_text_is_told(folder: Path) -> None:
    said, code, _ = result(start(folder, "speaks of a name that is no text"))

    assert (said, code) == ([Notice(os.fsdecode(b"M\xfcller")), Finished({})], 0)


def test_what_a_library_prints_does_not_reach_the_events(folder: Path) -> None:
    said, code, errors = result(start(folder, "prints"))

    assert (said, code) == ([Finished({})], 0)
    assert errors.count("noise") == 3


@pytest.mark.parametrize("how", ["line", "end of input", "terminate", "interrupt"])
def test_a_job_that_is_asked_to_stop_says_so(folder: Path, how: str) -> None:
    process = start(folder, "waits")
    wait_until_working(process)
    assert process.stdin is not None
    if how == "line":
        process.stdin.write("hello\ncancel\n")
        process.stdin.flush()
    elif how == "end of input":
        process.stdin.close()
    else:
        process.send_signal(signal.SIGTERM if how == "terminate" else signal.SIGINT)

    said, code, errors = result(process)

    assert isinstance(said[-1], Stopped)
    assert {type(event) for event in said[:-1]} <= {Progress}
    assert (code, errors) == (130, "")


def test_a_reader_that_is_gone_stops_the_job(folder: Path) -> None:
    process = start(folder, "waits")
    wait_until_working(process)
    assert process.stdout is not None
    process.stdout.close()

    assert process.wait(timeout=20) == 130
    assert process.stdin and process.stderr
    process.stdin.close()
    process.stderr.close()
    assert isinstance(from_json(JsonLines(folder / "events.jsonl").rows()[-1]), Stopped)


def test_a_failure_is_told_as_it_is_written(folder: Path) -> None:
    said, code, errors = result(start(folder, "fails"))

    assert (said, code, errors) == ([Failed("The file is short.", "Download it again.", "3 of 4 bytes")], 1, "")


@pytest.mark.parametrize(
    ("work", "trace"),
    [("breaks", "ZeroDivisionError"), ("exits", "SystemExit: 3"), ("returns what is no JSON", "not JSON serializable")],
)
def test_a_bug_is_told_as_one_with_its_trace_in_the_details(folder: Path, work: str, trace: str) -> None:
    said, code, errors = result(start(folder, work))

    assert [type(event) for event in said] == [Failed]
    assert isinstance(said[0], Failed)
    assert trace in said[0].details
    assert "Traceback" not in said[0].text + said[0].hint
    assert (code, errors) == (1, "")


def test_want_of_memory_is_told_in_a_sentence_and_is_no_bug(folder: Path) -> None:
    said, code, _ = result(start(folder, "wants too much"))

    assert isinstance(said[-1], Failed) and code == 1
    assert said[-1].text.startswith("There is not enough free memory") and "MemoryError" in said[-1].details


def test_a_journal_that_cannot_be_written_does_not_change_the_ending(folder: Path) -> None:
    said, code, _ = result(start(folder, "loses its journal"))

    assert (said, code) == ([Finished({})], 0)


def test_a_folder_in_use_is_refused_and_its_journal_left_alone(folder: Path) -> None:
    with Run(folder).open():
        said, code, _ = result(start(folder, "finishes"))

    assert [type(event) for event in said] == [Failed]
    assert code == 1
    assert not (folder / "events.jsonl").exists()


def test_a_folder_that_is_no_run_is_a_failure_and_nothing_is_made(tmp_path: Path) -> None:
    said, code, _ = result(start(tmp_path / "nowhere", "finishes"))

    assert [type(event) for event in said] == [Failed]
    assert code == 1
    assert list(tmp_path.iterdir()) == []


def test_killed_in_the_middle_the_folder_is_free_for_the_next(folder: Path) -> None:
    process = start(folder, "waits")
    wait_until_working(process)
    process.kill()
    process.communicate()

    said, code, _ = result(start(folder, "finishes"))

    assert (said[-1], code) == (Finished({"seed": 7}), 0)
