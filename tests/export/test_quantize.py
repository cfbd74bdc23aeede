from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from lab_desktop.errors import Cancelled, ExportError, ModelError, StorageError
from lab_desktop.export import verified
from lab_desktop.export.adapter import write_adapter
from lab_desktop.export.fuse import fuse
from lab_desktop.export.quantize import KINDS, file_type, quantize, quantized_bytes
from lab_desktop.jobs import events
from lab_desktop.jobs.run import Run
from lab_desktop.models.gguf import read_header
from tests.export.lora import logits, random_adapter, sha256
from tests.fakes import tiny_model


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "source.gguf", width=256, feed_forward=512)


def test_q8_answers_as_base_and_adapter_do(tmp_path, source):
    adapter = random_adapter(tmp_path / "adapter", source)
    write_adapter(adapter, Run(tmp_path))
    full = fuse(adapter, tmp_path / "new-F16.gguf", Run(tmp_path))

    small = quantize(full.path, tmp_path / "new-Q8_0.gguf", "Q8_0", Run(tmp_path))

    assert small.size_bytes == small.path.stat().st_size < 0.6 * full.size_bytes
    # llama.cpp also rounds what flows through Q8_0 layers to eight bits: the distance is not that of the weights alone.
    beside, new = logits(source, adapter.gguf), logits(small.path)
    assert np.abs(new - beside).mean() < 0.1 * np.abs(beside - logits(source)).mean()
    # Random weights often leave two tokens nearly level; where the best is clearly ahead, the answer is the same.
    second, best = np.sort(beside, axis=1)[:, -2:].T
    clear = best - second > 0.4
    assert clear.sum() > 15
    assert (new.argmax(axis=1) == beside.argmax(axis=1))[clear].all()
    assert (logits(source).argmax(axis=1) != beside.argmax(axis=1))[clear].any()


@pytest.mark.parametrize("kind", KINDS)
def test_every_size_is_what_it_says_and_about_as_large_as_foretold(tmp_path, source, kind):
    foretold = quantized_bytes(read_header(source), kind)

    made = quantize(source, tmp_path / f"{kind}.gguf", kind, Run(tmp_path))

    assert read_header(made.path).metadata["general.file_type"] == file_type(kind)
    assert made.quantization == kind
    assert 0.9 * foretold < made.size_bytes < 1.1 * foretold


def test_the_source_stays_and_the_log_is_silent(tmp_path, source, capfd):
    before = sha256(source)
    said: list[events.Event] = []

    quantize(source, tmp_path / "new.gguf", "Q4_K_M", Run(tmp_path, said.append))

    assert sha256(source) == before
    assert capfd.readouterr() == ("", "")
    tensors = len(read_header(source).tensors)
    assert events.Progress("Making it smaller (Q4_K_M)", tensors, tensors) in said


def test_an_unknown_size_and_a_foreign_source_are_refused_in_words(tmp_path, source):
    with pytest.raises(ExportError, match='"Q17" is not a size'):
        quantize(source, tmp_path / "new.gguf", "Q17", Run(tmp_path))
    (tmp_path / "letter.gguf").write_text("Dear llama, this is no model at all.")
    with pytest.raises(ModelError, match="not a model file"):
        quantize(tmp_path / "letter.gguf", tmp_path / "new.gguf", "Q8_0", Run(tmp_path))
    assert not (tmp_path / "new.gguf").exists()


def test_what_llama_cpp_refuses_leaves_nothing_and_is_said(tmp_path, source):
    data = bytearray(source.read_bytes())
    offset = read_header(source).tensors["blk.0.ffn_up.weight"].offset
    data[offset : offset + 4] = np.float32("nan").tobytes()
    source.write_bytes(data)

    with pytest.raises(ExportError, match=r"could not be made smaller \(Q8_0\)") as caught:
        quantize(source, tmp_path / "new" / "new.gguf", "Q8_0", Run(tmp_path))

    assert "failed to quantize" in caught.value.details
    assert list((tmp_path / "new").iterdir()) == []


def test_a_cancelled_quantization_leaves_nothing(tmp_path, source):
    said: list[events.Event] = []

    with pytest.raises(Cancelled):
        quantize(source, tmp_path / "new" / "new.gguf", "Q8_0", Run(tmp_path, said.append, lambda: len(said) > 3))

    assert list((tmp_path / "new").iterdir()) == []


def test_too_little_space_is_found_before_anything_is_written(small_disk, tmp_path, source):
    with pytest.raises(
        StorageError, match=r"does not fit: \d+\.\d MB needed, \d+\.\d MB free in .* Nothing was written"
    ):
        quantize(source, small_disk / "new.gguf", "F16", Run(tmp_path))

    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("write", ["fuse", "quantize"])
def test_a_disk_that_fills_in_the_middle_is_said_and_leaves_nothing(small_disk, tmp_path, source, write, monkeypatch):
    # Another program takes the space after it was counted.
    monkeypatch.setattr(verified, "require_space", lambda folder, size_bytes, what: None)

    with pytest.raises(StorageError, match="disk is full"):
        if write == "fuse":
            fuse(random_adapter(tmp_path / "adapter", source), small_disk / "new.gguf", Run(tmp_path))
        else:
            quantize(source, small_disk / "new.gguf", "F16", Run(tmp_path))

    assert list(small_disk.iterdir()) == []
    assert shutil.disk_usage(small_disk).used == 0


def test_a_folder_that_cannot_be_written_is_said(small_disk, tmp_path, source):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    with pytest.raises(StorageError, match=r"could not be written: .* does not allow writing"):
        quantize(tiny_model(tmp_path / "tiny.gguf"), small_disk / "new.gguf", "Q8_0", Run(tmp_path))
