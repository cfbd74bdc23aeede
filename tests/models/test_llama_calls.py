from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from lab_desktop.artifacts import ChatMessage
from lab_desktop.errors import ModelError
from lab_desktop.export.adapter import write_adapter
from lab_desktop.jobs.run import Run
from lab_desktop.models.llama import LlamaModel
from lab_desktop.models.tokenizer import Tokenizer
from tests.export.lora import random_adapter
from tests.fakes import tiny_model


def test_logits_are_those_of_llama_cpps_own_class(path: Path, model: LlamaModel) -> None:
    tokens = model.tokenizer.chat_prompt([ChatMessage("user", "How far is it to the next island? " * 4)])
    theirs = llama_cpp.Llama(str(path), n_ctx=512, n_threads=1, logits_all=True, verbose=False)
    theirs.eval(tokens)

    ours = model.logits(tokens)

    assert ours.shape == (len(tokens), model.tokenizer.size)
    np.testing.assert_allclose(ours, theirs.scores[: len(tokens)], atol=2e-2)
    theirs.close()


@pytest.mark.parametrize("content", [b"", b"not a model at all, but long enough", b"GGUF" + b"\xff" * 100])
def test_a_file_that_is_no_model_is_an_error_in_words(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.gguf"
    file.write_bytes(content)

    for opened in (Tokenizer, LlamaModel):
        with pytest.raises(ModelError, match=r"broken\.gguf"):
            opened(file)


def test_a_family_that_llama_cpp_does_not_know_is_named(tmp_path: Path, path: Path) -> None:
    file = tmp_path / "strange.gguf"
    file.write_bytes(path.read_bytes().replace(b"llama", b"lloma"))

    with pytest.raises(ModelError, match='family "lloma"'):
        LlamaModel(file)


def test_a_truncated_model_is_an_error_in_words(tmp_path: Path, path: Path) -> None:
    file = tmp_path / "half.gguf"
    file.write_bytes(path.read_bytes()[:-1000])

    with pytest.raises(ModelError, match="incomplete"):
        LlamaModel(file)


@pytest.mark.skipif(sys.platform != "linux", reason="a limit that only Linux holds")
def test_a_model_for_which_there_is_no_memory_is_not_called_damaged(tmp_path: Path) -> None:
    file = tiny_model(tmp_path / "large.gguf", width=512, heads=8, kv_heads=8, feed_forward=2048)
    room = file.stat().st_size // 2
    script = (
        "import psutil, resource, sys; from pathlib import Path\n"
        "from lab_desktop.models.gguf import read_header; from lab_desktop.models.llama_calls import LoadedModel\n"
        "file = read_header(Path(sys.argv[1]))\n"
        f"most = psutil.Process().memory_info().vms + {room}\n"
        "resource.setrlimit(resource.RLIMIT_AS, (most, most))\n"
        "LoadedModel(file)"
    )

    ended = subprocess.run([sys.executable, "-c", script, str(file)], capture_output=True, text=True, timeout=120)

    assert ended.stderr.endswith("ModelError: There is not enough memory to run this model.\n")


def test_a_model_is_no_adapter(path: Path) -> None:
    with pytest.raises(ModelError, match="not an adapter"):
        LlamaModel(path, adapters={"new": path})


@pytest.mark.parametrize("other", [{"width": 32}, {"layers": 3}, {"feed_forward": 96}, {"kv_heads": 4}])
def test_an_adapter_of_another_base_is_refused_by_name(tmp_path: Path, path: Path, other: dict[str, int]) -> None:
    base = tiny_model(tmp_path / "other.gguf", **other)
    adapter = write_adapter(random_adapter(tmp_path / "adapter", base), Run(tmp_path))

    with pytest.raises(
        ModelError, match=r'^"adapter\.gguf" was trained for another model than "tiny\.gguf"\.$'
    ) as raised:
        LlamaModel(path, adapters={"new": adapter})

    assert raised.value.hint == "Choose the model it was trained on."


def test_an_adapter_of_another_family_is_refused_by_name(tmp_path: Path, path: Path) -> None:
    adapter = write_adapter(random_adapter(tmp_path / "adapter", path), Run(tmp_path))
    adapter.write_bytes(adapter.read_bytes().replace(b"llama", b"qwen2", 1))

    with pytest.raises(ModelError, match="another model"):
        LlamaModel(path, adapters={"new": adapter})


def test_a_damaged_adapter_is_an_error_in_words(tmp_path: Path, path: Path) -> None:
    adapter = write_adapter(random_adapter(tmp_path / "adapter", path), Run(tmp_path))
    whole = adapter.read_bytes()

    for size in (0, 40, len(whole) // 2, len(whole) - 1):
        adapter.write_bytes(whole[:size])
        with pytest.raises(ModelError, match=r"adapter\.gguf"):
            LlamaModel(path, adapters={"new": adapter})


def test_a_missing_adapter_is_an_error_in_words(tmp_path: Path, path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.gguf"):
        LlamaModel(path, adapters={"new": tmp_path / "gone.gguf"})
