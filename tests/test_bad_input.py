"""What people do wrong, and what disks do: each ends in a sentence, status 1, and nothing lost."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gguf
import numpy as np
import pytest

from lab_desktop import cli
from lab_desktop.jobs.run import Run
from tests.fakes import tiny_model, tiny_student
from tests.taxonomy.leaves import knowledge, skill, write

STEPS = ("generate", "train", "export", "evaluate")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture
def leaf(tmp_path):
    return write(tmp_path / "island", knowledge()).parent


def learn(leaf: Path, model: Path, run: Path | None, *more: str) -> list[str]:
    where = ["--run", str(run)] if run else []
    return ["learn", str(leaf), "--teacher", str(model), "--student", str(model), "--samples", "1", *where, *more]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below, but what a try may leave behind: hidden files (locks, half copies) and the count of seconds."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "timings.json"
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


@pytest.fixture
def refused(capsys, tmp_path) -> Callable[[list[str]], str]:
    """Run a command that must fail calmly; gives its sentences."""

    def run(arguments: list[str]) -> str:
        before = contents(tmp_path)
        status = cli.main(arguments)
        said = capsys.readouterr().err
        assert status == 1, said
        after = contents(tmp_path)
        assert {name: after.get(name) for name in before} == before
        assert "Traceback" not in said and "did not expect" not in said
        return said

    return run


def process(arguments: list[str], **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "lab_desktop", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        **options,  # type: ignore[call-overload]
    )


# Models


def damaged(kind: str, tiny: Path, folder: Path) -> Path:
    path = folder / f"{kind}.gguf"
    data = tiny.read_bytes()
    if kind == "foreign":
        writer = gguf.GGUFWriter(path, "mamba")
        writer.add_block_count(1)
        writer.add_tensor("token_embd.weight", np.zeros((4, 4), np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    elif kind == "wordless":
        tiny_student(path, "llama", has_template=False)
    elif kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes({"text": b"Not a model. " * 99, "empty": b"", "cut": data[:-9], "torn": data[:2000]}[kind])
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("text", '"text.gguf" is not a model file (GGUF)'),
        ("empty", '"empty.gguf" is not a model file (GGUF): it is too short'),
        ("cut", '"cut.gguf" is incomplete'),
        ("torn", '"torn.gguf" is damaged'),
        ("foreign", '"foreign.gguf" is of the kind "mamba", which cannot be taught here'),
        ("wordless", '"wordless.gguf" was not made for conversation'),
        ("missing", "There is no model file at"),
        ("folder", "is a folder, not a model file"),
    ],
)
def test_a_student_that_cannot_be_used_is_refused_before_any_work(kind, words, tiny, leaf, tmp_path, refused):
    said = refused(learn(leaf, tiny, tmp_path / "run", "--student", str(damaged(kind, tiny, tmp_path))))

    assert words in said
    assert not (tmp_path / "run" / "leaves").exists()


@pytest.mark.parametrize("kind", ["text", "empty", "cut", "torn", "missing", "foreign"])
def test_chat_with_a_damaged_model_says_so(kind, tiny, tmp_path, refused):
    assert f"{kind}.gguf" in refused(["chat", str(damaged(kind, tiny, tmp_path))])


# Documents


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"", '"island.md" is empty'),
        (b" \n\t\n", '"island.md" is empty'),
        (b"caf\xe9 on the harbour\n", '"island.md"'),
        (b"\x00\x01\x02" * 99, '"island.md"'),
        (None, 'No document matches "*.md"'),
    ],
)
def test_a_document_that_cannot_be_read_is_refused_before_any_work(document, words, tiny, leaf, tmp_path, refused):
    if document is None:
        (leaf / "island.md").unlink()
    else:
        (leaf / "island.md").write_bytes(document)

    assert words in refused(learn(leaf, tiny, tmp_path / "run"))
    assert not (tmp_path / "run" / "leaves").exists()


def test_a_document_of_headings_only_is_refused_and_can_be_mended(tiny, leaf, own_home, refused):
    (leaf / "island.md").write_text("# Orra\n\n## Harbour\n")
    command = learn(leaf, tiny, None)
    assert "There is no text below the headings" in refused(command)

    (leaf / "island.md").write_text("# Another heading\n")
    assert "There is no text below the headings" in refused(command)

    # What is there now was looked at, in a run of its own; not the copy of the run before.
    copies = [run / "leaves" / "knowledge" / "island" / "island.md" for run in sorted((own_home / "runs").iterdir())]
    assert [copy.read_text() for copy in copies] == ["# Orra\n\n## Harbour\n", "# Another heading\n"]


@pytest.mark.slow
def test_a_document_of_two_megabytes_is_taken(tiny, leaf, tmp_path):
    text = "".join(f"The {number}th boat of Orra is painted green and sails at dawn.\n\n" for number in range(33_000))
    (leaf / "island.md").write_text(text)
    assert len(text) > 2_000_000

    job = process(learn(leaf, tiny, tmp_path / "run"))
    wait_for(tmp_path / "run" / "events.jsonl", job, 240)
    job.send_signal(signal.SIGINT)
    _, said = job.communicate(timeout=120)

    assert job.returncode == 130, said
    assert (tmp_path / "run" / "leaves" / "knowledge" / "island" / "island.md").read_text() == text


# Lessons


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("yes", "the answer is yes without quotes, which means true"),
        ("42", "the answer is 42 without quotes, which is the number 42"),
        ("2024-01-02", "the answer is 2024-01-02 without quotes, which is a date"),
        ("null", "the answer is empty"),
        ("Tarn: a town", "A text with a colon must be in quotes"),
        ('"Tarn', "Line 10"),
        ('"Tarn"\n        answer: "Orra"', "A field is written twice"),
        ('"Tarn"\n\t    ', "tab"),
    ],
)
def test_traps_of_yaml_are_named_with_their_line(written, words, tiny, leaf, tmp_path, refused):
    file = leaf / "qna.yaml"
    file.write_text(file.read_text().replace('"Fact 00."', written, 1))

    said = refused(learn(leaf, tiny, tmp_path / "run"))

    assert words in said and "Line " in said
    assert not (tmp_path / "run").exists()


def test_a_lesson_that_is_not_utf_8_is_refused(tiny, leaf, tmp_path, refused):
    (leaf / "qna.yaml").write_bytes(knowledge().replace("Islands", "Café").encode("latin-1"))

    assert "not UTF-8" in refused(learn(leaf, tiny, tmp_path / "run"))


@pytest.mark.parametrize("path", ["nowhere", "tiny.gguf", "empty folder", "x" * 300])
def test_what_is_no_lesson_is_refused_and_leaves_no_run_behind(path, tiny, tmp_path, own_home, refused):
    (tmp_path / "empty folder").mkdir()
    (tmp_path / "tiny.gguf").write_bytes(b"x")

    assert path[:50] in refused(learn(tmp_path / path, tiny, None))
    assert list(own_home.iterdir()) == []


def test_names_with_blanks_and_letters_of_any_language_are_fine(tmp_path, tiny, refused):
    leaf = write(tmp_path / "Üb er  島" / "ré sumé", skill(), document=False).parent
    (leaf / "exam.yaml").write_text("questions: 7\n")

    assert "ré sumé" in refused(learn(leaf, tiny, tmp_path / "läuf 1"))


# Run folders


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("folder", ["nowhere", "a folder", "a file"])
def test_a_step_on_what_is_no_run_folder_is_refused_and_makes_none(step, folder, tmp_path, refused):
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a file").write_text("x")

    said = refused([step, str(tmp_path / folder)])

    assert folder in said and "lab-desktop learn LEAF --run DIR" in said
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a file", "a folder"]


@pytest.fixture
def begun(tiny, leaf, tmp_path, capsys) -> Path:
    """A run that has begun and done nothing."""
    from lab_desktop import workflow
    from lab_desktop.jobs.requests import LearnRequest

    with Run(tmp_path / "run").open() as run:
        workflow.begin(LearnRequest((leaf,), tiny, tiny, 1, 0), run)
    return tmp_path / "run"


@pytest.mark.parametrize("step", ["train", "export", "evaluate"])
def test_a_step_before_its_turn_says_that_another_comes_first(step, begun, refused):
    assert "Run the step before this one first." in refused([step, str(begun)])


def test_chat_with_a_run_that_is_not_trained_says_so(begun, refused):
    assert '"adapter.json" is missing' in refused(["chat", str(begun)])


@pytest.mark.parametrize("step", STEPS)
def test_a_second_job_on_a_run_folder_is_refused(step, begun, refused):
    with Run(begun).open():
        assert f"Another job is working in {begun}." in refused([step, str(begun)])


def test_other_settings_on_a_run_folder_are_refused(begun, leaf, tiny, refused):
    assert "started with other settings" in refused(learn(leaf, tiny, begun, "--seed", "7"))


def test_a_folder_of_other_things_does_not_become_a_run_folder(leaf, tiny, tmp_path, refused):
    (tmp_path / "mine" / "leaves").mkdir(parents=True)
    (tmp_path / "mine" / "leaves" / "poem.txt").write_text("mine")

    assert "is not empty" in refused(learn(leaf, tiny, tmp_path / "mine"))


def test_a_file_is_no_place_for_a_run(leaf, tiny, tmp_path, refused):
    (tmp_path / "notes.txt").write_text("mine")

    assert "is a file" in refused(learn(leaf, tiny, tmp_path / "notes.txt"))


@pytest.mark.parametrize("broken", ["{", "[]", '{"job": "learn"}', "\x00"])
def test_a_damaged_request_is_no_reason_to_begin_anew(broken, begun, leaf, tiny, refused):
    (begun / "request.json").write_text(broken)

    assert str(begun) in refused(["generate", str(begun)])
    assert str(begun) in refused(learn(leaf, tiny, begun))


def test_an_adapter_is_not_a_model_and_a_model_is_not_an_adapter(tiny, tmp_path, refused):
    writer = gguf.GGUFWriter(tmp_path / "adapter.gguf", "llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    assert '"adapter.gguf" is an adapter' in refused(["chat", str(tmp_path / "adapter.gguf")])
    assert '"tiny.gguf" is not an adapter' in refused(["chat", str(tiny), "--adapter", str(tiny)])
    assert "nothing to compare" in refused(["chat", str(tiny), "--compare"])


# Disks and permissions, in processes of their own


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A disk of 300 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_a_sentence_and_what_was_there_stays(small_disk, leaf, tiny, refused):
    (small_disk / "mine.txt").write_text("mine")
    with open(small_disk / "rest", "wb", buffering=0) as rest, pytest.raises(OSError, match="No space"):
        while True:
            rest.write(bytes(4096))

    said = refused(learn(leaf, tiny, small_disk / "run"))

    assert "The disk is full: " in said and "Free some space" in said


def test_a_run_goes_on_once_there_is_space_again(small_disk, leaf, tiny, refused):
    filler = small_disk / "rest"
    with open(filler, "wb", buffering=0) as rest, pytest.raises(OSError, match="No space"):
        while True:
            rest.write(bytes(4096))
    command = learn(leaf, tiny, small_disk / "run")
    refused_status = cli.main(command)
    filler.unlink()
    (leaf / "island.md").write_text("# Only a heading\n")

    assert refused_status == 1
    assert "There is no text below the headings" in refused(command)  # it has begun: the copies are complete
    assert (small_disk / "run" / "leaves" / "knowledge" / "island" / "qna.yaml").read_text() == knowledge()


def obey_permissions() -> None:
    """Root may do everything; without these two capabilities it is held to permissions like anybody."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        drop_from_bounding_set, override, read_search = 24, 1, 2
        for capability in (override, read_search):
            if libc.prctl(drop_from_bounding_set, capability, 0, 0, 0):
                raise OSError("prctl")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="drops capabilities of Linux")
@pytest.mark.parametrize(
    ("closed", "mode", "words"),
    [
        ("home", 0o500, "does not allow writing"),
        ("island/qna.yaml", 0o000, "Permission denied"),
        ("island/island.md", 0o000, '"island.md"'),
        ("island", 0o000, "Permission denied"),
        ("tiny.gguf", 0o000, '"tiny.gguf" cannot be opened'),
    ],
)
def test_what_permissions_forbid_is_a_sentence(closed, mode, words, tiny, leaf, tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    (tmp_path / "tiny.gguf").write_bytes(tiny.read_bytes())
    monkeypatch.setenv("LAB_DESKTOP_HOME", str(tmp_path / "home"))
    before = contents(tmp_path)
    (tmp_path / closed).chmod(mode)

    job = process(learn(leaf, tmp_path / "tiny.gguf", None), preexec_fn=obey_permissions)
    _, said = job.communicate(timeout=60)
    (tmp_path / closed).chmod(0o700)

    assert job.returncode == 1 and words in said, said
    assert "Traceback" not in said and "did not expect" not in said
    assert contents(tmp_path) == before


# Signals and pipes


def wait_for(path: Path, job: subprocess.Popen[str], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > end or job.poll() is not None:
            job.kill()
            raise AssertionError(f"{path} did not appear: {job.communicate()}")
        time.sleep(0.01)


@pytest.mark.parametrize("wait_s", [0.0, 0.05, 0.4])
def test_ctrl_c_ends_calmly_and_says_how_to_go_on(wait_s, tiny, leaf, tmp_path):
    run = tmp_path / "run 1"
    job = process(learn(leaf, tiny, run))
    wait_for(run / "leaves", job, 60)
    time.sleep(wait_s)
    job.send_signal(signal.SIGINT)
    _, said = job.communicate(timeout=60)

    assert job.returncode == 130, said
    assert "Traceback" not in said
    assert said.splitlines()[-2] == "Stopped. What was finished is safe."
    assert said.splitlines()[-1].startswith("To go on: lab-desktop learn ") and f"--run '{run}'" in said


INTERRUPT_WHILE_LOADING = """
import os, signal, sys
class Interrupter:
    def find_spec(self, name, path=None, target=None):
        if name == "lab_desktop.jobs.run":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupter())
from lab_desktop.__main__ import main
sys.exit(main())
"""


def test_ctrl_c_while_the_program_loads_is_no_traceback():
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPT_WHILE_LOADING, "practice"], capture_output=True, text=True, timeout=60
    )

    assert (ended.returncode, ended.stderr) == (130, "")


def test_a_reader_that_goes_away_stops_the_job_without_a_word_about_disks(tiny, leaf, tmp_path):
    with process(learn(leaf, tiny, tmp_path / "run")) as job:
        assert job.stderr is not None
        assert job.stderr.readline().startswith("Everything goes to")
        job.stderr.close()

        assert job.wait(timeout=60) == 130
    assert "disk" not in "".join(path.read_text() for path in (tmp_path / "run").glob("*.jsonl"))


def test_a_reader_of_results_that_goes_away_is_no_error(tiny):
    chat = f"yes hello | {sys.executable} -m lab_desktop chat {tiny} | head -c 1; echo ${{PIPESTATUS[1]}}"
    ended = subprocess.run(["bash", "-c", chat], capture_output=True, timeout=60)

    assert ended.stdout.endswith(b"0\n")
    assert ended.stderr == b"tiny. An empty line or Ctrl-D ends.\n"


def test_closed_streams_are_no_reason_to_fall(tiny, leaf):
    for command in (f"chat {tiny} <&-", f"check {leaf} >&-", f"chat {tiny} <&- 2>&- >&-"):
        ended = subprocess.run(
            ["bash", "-c", f"{sys.executable} -m lab_desktop {command}"], capture_output=True, timeout=60
        )
        assert (ended.returncode, b"Traceback" in ended.stderr) == (0, False), command
