"""A request is remembered by its run folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab_desktop.errors import RunError
from lab_desktop.files import write_json
from lab_desktop.jobs import errands, requests
from lab_desktop.jobs.requests import LearnRequest


def test_a_request_comes_back_with_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    request = LearnRequest((Path("leaf"),), Path("t.gguf"), tmp_path / "s.gguf", samples=30, seed=7)

    requests.write(tmp_path / "run", request)

    assert requests.read(tmp_path / "run") == LearnRequest(
        (tmp_path / "leaf",), tmp_path / "t.gguf", tmp_path / "s.gguf", samples=30, seed=7
    )


def test_a_folder_without_a_request_is_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run folder"):
        requests.read(tmp_path)
    with pytest.raises(RunError, match="does not exist"):
        requests.read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"job": "dance"}',
        '{"job": "learn", "leaves": 3}',
        '{"job": "learn", "leaves": ["a"]}',
        '{"job": "learn", "leaves": [], "teacher": "t", "student": "s", "samples": 1e999, "seed": 1}',
    ],
)
def test_a_damaged_request_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "request.json").write_text(text)

    with pytest.raises(RunError):
        requests.read(tmp_path)


def test_an_errand_of_an_earlier_version_is_read(own_home: Path) -> None:
    told = {"job": "download", "repo": "a/b", "file": "c.gguf", "revision": "main", "title": "C", "only_looks": False}
    folder = own_home / "errands" / "c"
    write_json(folder / "request.json", told)

    assert errands.read(folder) == errands.DownloadRequest("a/b", "c.gguf", title="C")
    write_json(folder / "request.json", {**told, "only_looks": True})
    assert errands.read(folder) == errands.LookRequest("a/b", "c.gguf")
