"""A teacher on a server in the whole path: agreed to first, its rows as good, its key nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab_desktop import cli, servers, workflow
from lab_desktop.artifacts import ChatMessage, DocumentSource
from lab_desktop.errors import ServerError
from lab_desktop.files import read_json
from lab_desktop.generation.pipeline import read_samples
from lab_desktop.jobs import requests
from lab_desktop.jobs.events import Notice
from lab_desktop.jobs.requests import LearnRequest
from lab_desktop.jobs.run import Run
from lab_desktop.models.llama import LlamaModel
from lab_desktop.models.text_model import Request
from lab_desktop.servers import Server
from lab_desktop.taxonomy.qna import write_leaf
from tests.drills.runs import brief_model
from tests.generation.leaves import FACTS, ISLAND, _is_true, freeform, good_teacher, knowledge
from tests.keyrings import SHARED
from tests.model_server import ModelServer

KEY = "sk-planted-9f8e7d6c5b4a"


def teacher_says(body: dict[str, Any]) -> str:
    form = body.get("response_format", {}).get("json_schema", {}).get("schema")
    if form is not None and "rows" not in form["properties"]:
        return '{"lab": "ready"}'
    messages = tuple(ChatMessage(each["role"], each["content"]) for each in body["messages"])
    return str(good_teacher(Request(messages, seed=body["seed"], schema=form)))


def teacher_odds(body: dict[str, Any]) -> list[dict[str, Any]]:
    """High marks for what is true, whatever the scale."""
    good = {"YES": -1.0, "3": -1.0, "2": -1.5, "1": -3.5, "NO": -4.0, "0": -6.0}
    bad = {"NO": -1.0, "0": -1.0, "1": -3.5, "YES": -4.0, "2": -6.0, "3": -6.0}
    told = good if _is_true(body["messages"][-1]["content"]) else bad
    return [{"token": token, "logprob": logarithm} for token, logarithm in told.items()]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(teacher_says, odds=teacher_odds).running() as running:
        yield running


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return brief_model(tmp_path_factory.mktemp("student") / "student.gguf", seed=1)


@pytest.fixture(autouse=True)
def few_general_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow, "GENERAL_ROWS", 4)


def lessons(folder: Path) -> Path:
    leaf = replace(
        knowledge().leaf,
        document=DocumentSource("https://example.org/o.git", "0" * 40, ("*.md",)),
        document_outline="Orra",
    )
    for each in (leaf, freeform().leaf):
        write_leaf(each, folder.joinpath(*each.node))
    (folder.joinpath(*leaf.node) / "orra.md").write_text("\n\n".join(ISLAND))
    return folder


def test_a_teacher_elsewhere_writes_and_judges_as_one_here(server: ModelServer, student: Path, tmp_path: Path) -> None:
    request = LearnRequest((lessons(tmp_path / "lessons"),), server.server, student, samples=10, seed=0)
    said: list[str] = []

    with Run(
        tmp_path / "run", lambda event: said.append(event.text) if isinstance(event, Notice) else None
    ).open() as run:
        workflow.begin(request, run)
        workflow.generate(run)
        rows = read_samples(run)

    kept = {row.question: row.answer for row in rows if row.accepted and row.leaf == "knowledge/orra"}
    assert kept and kept.items() <= FACTS.items()
    assert any(row.answer.startswith("NUMBER") for row in rows if row.accepted)
    assert all(row.scores["faithfulness"] > 0.8 for row in rows if row.accepted and row.question in kept)
    assert read_json(tmp_path / "run" / "teacher.json") == {
        "teacher": "big-model", "fact_tasks_understood": 0, "fact_tasks_asked": 5,
    }  # fmt: skip
    assert said[0] == server.server.notice
    assert requests.read(tmp_path / "run") == requests.absolute(request)


def test_nothing_goes_out_before_somebody_agreed(
    server: ModelServer, student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Server, "place", servers.Place.NEAR)
    request = LearnRequest((lessons(tmp_path / "lessons"),), server.server, student, samples=10, seed=0)

    with Run(tmp_path / "run").open() as run:
        with pytest.raises(ServerError, match="Nobody has agreed"):
            workflow.begin(request, run)
        servers.agree(server.server)
        workflow.begin(request, run)
        servers.withdraw(server.server)
        with pytest.raises(ServerError, match="Nobody has agreed"):
            workflow.generate(run)
        with pytest.raises(ServerError, match="Nobody has agreed"):
            workflow._elsewhere(server.server, run)

    assert server.asked == []


def test_a_server_that_is_gone_when_answers_are_judged_leaves_that_to_the_words(
    server: ModelServer, student: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    request = LearnRequest((tmp_path,), server.server, student, samples=10, seed=0)
    gone = replace(request, teacher=Server("http://127.0.0.1:9/v1", "big-model"))

    heard = Run(tmp_path / "run", lambda event: said.append(getattr(event, "text", "")))
    with heard.open() as run, LlamaModel(student) as here:
        with workflow._judge(here, request, run) as judge:
            assert judge is not None and judge.name == "big-model"
        with workflow._judge(here, gone, run) as judge:
            assert judge is None
        with workflow._judge(here, replace(request, teacher=student), run) as judge:
            assert judge is here

    assert "Nothing answers at 127.0.0.1:9" in said[-1] and said[-1].endswith("judged by their words.")


def test_on_the_command_line_the_notice_is_shown_and_who_is_not_there_does_not_agree(
    server: ModelServer,
    student: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Server, "place", servers.Place.NEAR)
    words = ["learn", str(lessons(tmp_path / "lessons")), "--teacher", str(server.server), "--student", str(student)]

    assert cli.main([*words, "--run", str(tmp_path / "run")]) == 1

    told = capsys.readouterr().err
    assert "leaves this computer and goes to 127.0.0.1" in told and "Nobody has agreed" in told
    assert server.asked == [] and not (tmp_path / "run").exists()


def test_the_server_command_lists_models_and_tries_one_out(
    server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["server", server.server.address]) == 0
    assert capsys.readouterr().out == f"{server.server}\n"
    assert cli.main(["server", str(server.server), "--test"]) == 0
    assert "big-model: It answered in " in capsys.readouterr().out
    assert cli.main(["server", "http://example.org/v1"]) == 1
    assert "on the internet" in capsys.readouterr().err


@pytest.mark.slow
def test_the_key_is_in_no_file_no_event_and_no_process_list(student: Path, tmp_path: Path) -> None:
    server = ModelServer(teacher_says, odds=teacher_odds, key=KEY)
    with server.running():
        keys = tmp_path / "keys.json"
        keys.write_text(json.dumps({f"{servers.KEYS} {server.server.origin}": KEY}))
        folder, home = tmp_path / "run", tmp_path / "home"
        folder.mkdir()
        lesson = lessons(tmp_path / "lessons") / "compositional_skills"
        requests.write(folder, LearnRequest((lesson,), server.server, student, 1, 0))
        seen: list[str] = []
        said, errors, code = _work(folder, home, keys, seen)

        assert (code, json.loads(said.splitlines()[-1])["event"]) == (0, "finished"), errors
        assert server.headers and {each["Authorization"] for each in server.headers} == {f"Bearer {KEY}"}
        server.key = "another"
        (folder / "samples.jsonl").unlink()
        (folder / "units.jsonl").unlink()
        again, more_errors, code = _work(folder, home, keys, seen)

    assert code == 1 and "does not accept the key" in json.loads(again.splitlines()[-1])["text"]
    files = [path.read_bytes() for place in (folder, home) for path in place.rglob("*") if path.is_file()]
    assert len(files) >= 8
    assert not any(KEY.encode() in data for data in files)
    assert KEY not in said + again + errors + more_errors
    assert seen and KEY not in " ".join(seen)


def _work(folder: Path, home: Path, keys: Path, seen: list[str]) -> tuple[str, str, int]:
    """Let a worker write practice questions; `seen` takes what the process list shows meanwhile."""
    script = (
        "import sys; from pathlib import Path; from lab_desktop import workflow; from lab_desktop.jobs import worker\n"
        "workflow.GENERAL_ROWS = 4\n"
        "sys.exit(worker.main(Path(sys.argv[1]), ('generate',)))"
    )
    backend = {"PYTHON_KEYRING_BACKEND": "tests.keyrings.SharedKeyring", SHARED: str(keys)}
    environment = {**os.environ, "LAB_DESKTOP_HOME": str(home), **backend}
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(0.2):
            for each in (child := psutil.Process(process.pid), *child.children(recursive=True)):
                try:
                    seen.append(" ".join([*each.cmdline(), *each.environ().values()]))
                except psutil.Error:
                    continue

    looking = threading.Thread(target=look)
    looking.start()
    assert process.stdin is not None
    try:
        # The input stays open: its end would ask the worker to stop.
        said, errors = _both(process)
    finally:
        is_over.set()
        looking.join()
        process.stdin.close()
    return said, errors, process.wait(timeout=20)


def _both(process: subprocess.Popen[str]) -> tuple[str, str]:
    assert process.stdout is not None and process.stderr is not None
    errors: list[str] = []
    reading = threading.Thread(target=lambda: errors.append(process.stderr.read() if process.stderr else ""))
    reading.start()
    said = process.stdout.read()
    reading.join()
    process.stdout.close()
    process.stderr.close()
    return said, errors[0]
