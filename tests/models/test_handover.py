"""models/handover.py: what LM Studio and Ollama find afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab_desktop.errors import ModelError
from lab_desktop.models import elsewhere
from lab_desktop.models.handover import ollama_name, to_lm_studio, to_ollama


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "run" / "My lesson-and-2-more-Q4_K_M.gguf"
    path.parent.mkdir()
    path.write_bytes(b"GGUF" + bytes(5000))
    return path


def test_lm_studio_finds_the_model_and_nothing_is_copied(home: Path, model: Path) -> None:
    (home / ".lmstudio").mkdir()

    place = to_lm_studio(model)

    assert place.samefile(model)
    assert [found.path for found in elsewhere.find() if found.program == "LM Studio"] == [place]
    assert len(place.relative_to(home / ".lmstudio" / "models").parts) == 3
    model.unlink()
    model.write_bytes(b"GGUF made anew")
    assert to_lm_studio(model).read_bytes() == b"GGUF made anew"
    assert to_lm_studio(model) == place


def test_without_lm_studio_a_sentence_says_so(home: Path, model: Path) -> None:
    with pytest.raises(ModelError, match="LM Studio has no folder"):
        to_lm_studio(model)
    assert not (home / ".lmstudio").exists()


def test_ollama_is_called_with_a_modelfile_that_names_the_model(
    home: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = home / "bin" / "ollama"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$@" > "$HOME/asked"\ncat "$4" >> "$HOME/asked"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    name = to_ollama(model)

    assert name == ollama_name(model) == "my-lesson-and-2-more"
    asked = (home / "asked").read_text(encoding="utf-8").splitlines()
    assert asked[0] == f"create {name} -f {model.stem}.Modelfile"
    assert asked[-1] == f"FROM ./{model.name}"


def test_what_ollama_complains_about_is_told(home: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = home / "bin" / "ollama"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "could not connect" >&2\nexit 1\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    with pytest.raises(ModelError, match="did not take") as caught:
        to_ollama(model)

    assert "could not connect" in caught.value.details


def test_without_ollama_the_modelfile_is_there_all_the_same(
    home: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(ModelError, match="not on this computer") as caught:
        to_ollama(model)

    assert "ollama create my-lesson-and-2-more" in caught.value.hint
    assert model.with_suffix(".Modelfile").read_text(encoding="utf-8").endswith(f"FROM ./{model.name}\n")
