"""Reports of what nobody foresaw: from real crashes, with nothing private in them, and only a few kept."""

from __future__ import annotations

import faulthandler
import getpass
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lab_desktop import __version__, problems
from lab_desktop.jobs import requests
from lab_desktop.jobs.requests import LearnRequest

LESSON = "Aunt Ottilie's recipe for plum dumplings"
TOKEN = "ghp_" + "a1B2" * 9


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LAB_DESKTOP_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(problems, "_watches", [])
    yield tmp_path / "data"
    if sys.__stderr__ is not None:
        faulthandler.enable(sys.__stderr__)  # as pytest had it


def crash(script: str) -> int:
    """Let a child run a script to whatever end; gives its exit status."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    return done.returncode


CRASHES = {
    "abort": "os.abort()",
    "segmentation fault": "ctypes.string_at(0)",
    "illegal instruction": "signal.raise_signal(signal.SIGILL)",
}


@pytest.mark.parametrize("how", CRASHES)
def test_a_crash_that_can_say_nothing_leaves_a_report_with_what_was_done(how: str) -> None:
    script = (
        "import ctypes, os, signal\nfrom lab_desktop import problems\n"
        f"problems.watch('job').note('training of everything')\ndef deep(): {CRASHES[how]}\ndeep()"
    )

    assert crash(script) < 0
    new = problems.gather()

    assert len(new) == 1
    said = new[0].read_text(encoding="utf-8")
    assert "Where: job" in said and f"Version: {__version__}" in said
    assert said.index("training of everything") < said.index("Fatal Python error") < said.index("in deep")
    assert problems.gather() == [], "it is told once"
    assert problems.reports() == new


def test_who_ends_well_or_is_ended_by_force_leaves_nothing(home: Path) -> None:
    assert crash("from lab_desktop import problems\nwith problems.watched('job'): problems.note('x')") == 0
    assert list((home / "problems").iterdir()) == []
    assert crash("import os\nfrom lab_desktop import problems\nproblems.watch('job')\nos.kill(os.getpid(), 9)") == -9
    assert len(list((home / "problems").iterdir())) == 1

    assert problems.gather() == []

    assert list((home / "problems").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes that have ended and are not asked for are POSIX's")
def test_a_crash_that_nobody_has_asked_about_yet_is_told() -> None:
    script = "import os\nfrom lab_desktop import problems\nproblems.watch('job')\nos.abort()"
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) as crashed:
        while psutil.Process(crashed.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.05)

        assert len(problems.gather()) == 1


def test_a_clock_that_is_set_makes_no_crash_and_a_number_that_is_used_again_hides_none(home: Path) -> None:
    (home / "problems").mkdir(parents=True)
    began = int(psutil.Process().create_time())
    for name, shift in (("window", 20), ("job", 7000)):
        file = home / "problems" / f".running-{name}-{os.getpid()}-{began + shift}"
        file.write_text("Fatal Python error: Aborted\n", encoding="utf-8")

    (report,) = problems.gather()

    assert "Where: job" in report.read_text(encoding="utf-8")


def test_a_process_that_goes_on_is_left_alone(home: Path) -> None:
    mine = problems.watch("window")
    mine.note("Fatal Python error: only said")

    assert problems.gather() == []
    assert len(list((home / "problems").iterdir())) == 1
    mine.end()
    assert list((home / "problems").iterdir()) == []


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError(LESSON), "ValueError: …"),
        (KeyError(LESSON), "KeyError: …"),
        (RuntimeError(f"size 3 is not 4 in '{LESSON}'"), "RuntimeError: size 3 is not 4 in …"),
        (RuntimeError(f"cannot open /media/usb stick/{LESSON}.gguf (3/4)"), "RuntimeError: cannot open …"),
        (RuntimeError(rf"cannot open C:\My lessons\{LESSON}.gguf"), "RuntimeError: cannot open …"),
        (RuntimeError("mat1 and mat2 (3x4 / 5x6, 7/8)"), "RuntimeError: mat1 and mat2 (3x4 / 5x6, 7/8)"),
        (AttributeError("'Leaf' object has no attribute 'titel'"), "no attribute 'titel'"),
        (FileNotFoundError(2, "No such file or directory", f"/home/x/{LESSON}.md"), "No such file or directory"),
        (UnicodeEncodeError("ascii", LESSON, 0, 1, "ordinal"), "UnicodeEncodeError: …"),
    ],
)
def test_what_an_error_says_of_a_text_is_left_out_and_what_it_says_of_code_is_not(error: Exception, said: str) -> None:
    file = problems.write("job", raised(error))

    assert file is not None
    text = file.read_text(encoding="utf-8")
    assert said in text and "in raised" in text
    assert not [word for word in ("Ottilie", "plum", "dumplings") if word in text]


def test_the_cause_of_an_error_is_told_first() -> None:
    error = RuntimeError("second")
    error.__cause__ = raised(TypeError("first"))

    text = problems.described("job", raised(error))

    assert text.index("TypeError: first") < text.index("which led to:") < text.index("RuntimeError: second")


def test_names_folders_and_keys_are_taken_out_and_places_in_the_code_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "annabelle")
    monkeypatch.setattr(getpass, "getuser", lambda: "anna77")
    lines = [
        f'  File "{tmp_path}/annabelle/app/lab_desktop/files.py", line 12 in write',
        '  File "/opt/x y/lib/python3.11/site-packages/torch/nn.py", line 3 in forward',
        f"kept in {tmp_path}/annabelle/Wills/grandma.md with {TOKEN} for anna77 <anna@example.org>",
    ]

    text = problems.described("job", None, lines)

    assert not [word for word in ("annabelle", "anna77", "Wills", TOKEN, "example.org") if word in text]
    assert "lab_desktop/files.py" in text and "line 12 in write" in text
    assert "torch/nn.py" in text and "line 3 in forward" in text


def test_the_newest_ten_are_kept_and_two_of_one_second_are_two() -> None:
    made = [problems.write("job", None, [f"number {number}"]) for number in range(13)]

    kept = problems.reports()

    assert len(set(made)) == 13 and len(kept) == problems.MOST_REPORTS
    assert "number 12" in kept[0].read_text(encoding="utf-8")


def test_a_report_is_kept_though_the_clock_said_a_later_time_before(home: Path) -> None:
    (home / "problems").mkdir(parents=True)
    for day in range(10, 20):
        (home / "problems" / f"2999-01-{day}-120000-000.txt").write_text("later")

    file = problems.write("job", None, ["now"])

    assert file is not None and "now" in file.read_text(encoding="utf-8")
    assert len(problems.reports()) == problems.MOST_REPORTS


def test_an_account_whose_home_is_the_whole_disk_has_reports_that_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/")

    text = problems.described("job", None, ['  File "/opt/lab_desktop/files.py", line 12 in write', "2/3 done"])

    assert 'File "lab_desktop/files.py", line 12' in text and "2/3 done" in text


def test_where_nothing_can_be_written_nothing_more_goes_wrong(home: Path) -> None:
    home.parent.mkdir(exist_ok=True)
    home.write_text("a file where the folder should be")

    problems.watch("job").note("goes on")

    assert problems.write("job", ValueError("x")) is None
    assert problems.gather() == [] and problems.reports() == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_worker_that_meets_a_mistake_of_ours_leaves_a_report_and_one_that_is_refused_does_not(
    tmp_path: Path, home: Path
) -> None:
    (tmp_path / "run").mkdir()
    refused = subprocess.run(
        [sys.executable, "-m", "lab_desktop", "--worker", str(tmp_path / "run")], capture_output=True, timeout=60
    )
    assert refused.returncode == 1 and problems.reports() == []

    script = (
        "from pathlib import Path\nfrom lab_desktop import problems\nfrom lab_desktop.jobs import worker\n"
        f"def work(request, run): run.progress({f'Writing {LESSON}'!r}, 3, 40); raise KeyError({LESSON!r})\n"
        "with problems.watched('job'):\n"
        f"    raise SystemExit(worker.main(Path({str(tmp_path / 'run')!r}), (), work))"
    )
    requests.write(tmp_path / "run", LearnRequest((tmp_path,), tmp_path / "t.gguf", tmp_path / "s.gguf", 1, 7))
    with subprocess.Popen(  # its input stays open: the end of that would ask it to stop
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as failed:
        assert failed.wait(60) == 1

    text = problems.reports()[0].read_text(encoding="utf-8")
    assert "Writing …, 3 of 40" in text and "KeyError: …" in text and "Ottilie" not in text


def test_a_command_that_meets_a_mistake_of_ours_names_the_report_and_shows_no_code(home: Path) -> None:
    script = (
        "import sys\nfrom lab_desktop import __main__, cli\n"
        f"def main(arguments): raise LookupError({LESSON!r})\n"
        "cli.main = main\nsys.argv[1:] = ['check']\nsys.exit(__main__.main())"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)

    (report,) = problems.reports()
    assert done.returncode == 1 and done.stderr.endswith(f"send the report in {report}.\n")
    assert "Traceback" not in done.stderr and "Ottilie" not in done.stderr
    assert "LookupError: …" in report.read_text(encoding="utf-8")
    home.joinpath("problems").rename(home / "kept")
    home.joinpath("problems").write_text("a file where the folder should be")

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)

    assert "it could not be saved" in done.stderr and "LookupError: …" in done.stderr
