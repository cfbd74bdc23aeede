from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lab_desktop.artifacts import Adapter
from lab_desktop.errors import ExportError
from lab_desktop.export.adapter import fingerprint, read_factors, write_adapter
from lab_desktop.jobs.run import Run
from lab_desktop.models.gguf import read_header, read_tensor
from tests.export.lora import random_adapter, write_arrays
from tests.fakes import tiny_model


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "base.gguf")


def test_the_adapter_file_says_what_llama_cpp_needs_to_know(tmp_path, base):
    adapter = random_adapter(tmp_path / "adapter", base, rank=4)

    path = write_adapter(adapter, Run(tmp_path))

    assert path == tmp_path / "adapter" / "adapter.gguf"
    header = read_header(path)
    assert header.metadata["general.type"] == "adapter"
    assert header.metadata["general.architecture"] == "llama"
    assert header.metadata["adapter.type"] == "lora"
    assert header.metadata["adapter.lora.alpha"] == 8.0  # scale 2 × rank 4
    assert len(header.tensors) == 2 * 7 * 2
    assert header.tensors["blk.1.ffn_down.weight.lora_a"].shape == (4, 128)
    assert header.tensors["blk.1.ffn_down.weight.lora_b"].shape == (64, 4)


def test_a_shipped_adapter_has_half_the_size(tmp_path, base):
    adapter = random_adapter(tmp_path / "adapter", base, rank=4)
    size = write_adapter(adapter, Run(tmp_path)).stat().st_size
    whole = read_header(adapter.gguf)
    full = {name: read_tensor(whole, name).copy() for name in whole.tensors}

    halved = read_header(write_adapter(adapter, Run(tmp_path), sixteen_bit=True))

    assert halved.path.stat().st_size < 0.6 * size
    for name, values in full.items():
        np.testing.assert_allclose(read_tensor(halved, name), values, rtol=1e-3, atol=1e-6)


def test_only_query_and_key_rows_change_their_order(tmp_path, base):
    rows = np.arange(64, dtype=np.float32)[:, None] * np.ones((1, 4), np.float32)
    arrays = {}
    for name in ("q_proj", "v_proj"):
        count = 64 if name == "q_proj" else 32
        arrays[f"model.layers.0.self_attn.{name}.lora_a"] = np.ones((4, 64), np.float32)
        arrays[f"model.layers.0.self_attn.{name}.lora_b"] = rows[:count].copy()

    path = write_adapter(write_arrays(tmp_path / "adapter", base, arrays), Run(tmp_path))

    written = read_header(path)
    query = read_tensor(written, "blk.0.attn_q.weight.lora_b")[:, 0]
    assert query[:16].tolist() == [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15]  # heads of 16 rows
    assert query[16] == 16
    assert read_tensor(written, "blk.0.attn_v.weight.lora_b")[:, 0].tolist() == list(range(32))


def test_a_family_that_keeps_its_rows_keeps_them(tmp_path, base):
    arrays = {
        "model.layers.0.self_attn.q_proj.lora_a": np.ones((4, 64), np.float32),
        "model.layers.0.self_attn.q_proj.lora_b": np.arange(256, dtype=np.float32).reshape(64, 4),
    }
    adapter = write_arrays(tmp_path / "adapter", base, arrays)

    factors = read_factors(adapter, _as_family(base, "qwen2"))

    assert np.array_equal(factors["blk.0.attn_q.weight"].b, arrays["model.layers.0.self_attn.q_proj.lora_b"])


def test_an_unknown_family_is_refused(tmp_path, base):
    adapter = random_adapter(tmp_path / "adapter", base)

    with pytest.raises(ExportError, match='kind "mamba"'):
        read_factors(adapter, _as_family(base, "mamba"))


def _as_family(path: Path, architecture: str):
    header = read_header(path)
    for key in [key for key in header.metadata if key.startswith("llama.")]:
        header.metadata[key.replace("llama.", f"{architecture}.")] = header.metadata[key]
    header.metadata["general.architecture"] = architecture
    return header


_A, _B = np.ones((4, 64), np.float32), np.ones((64, 4), np.float32)
_LAYER = "model.layers.0.self_attn.q_proj"


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({}, "it is empty"),
        ({f"{_LAYER}.lora_a": _A}, "only one of its two parts"),
        ({f"{_LAYER}.lora_a": _A, f"{_LAYER}.lora_b": _B[:32]}, r"has the shapes \(32, 4\)"),
        ({f"{_LAYER}.lora_a": _A[:2], f"{_LAYER}.lora_b": _B[:, :2]}, "at rank 4"),
        ({f"{_LAYER}.lora_a": _A, f"{_LAYER}.lora_b": _B * np.nan}, "not numbers"),
        ({f"{_LAYER}.lora_a": _A * np.inf, f"{_LAYER}.lora_b": _B}, "not numbers"),
        ({f"{_LAYER}.weight": _A}, "no part of an adapter"),
        ({f"{_LAYER}.lora_a": _A[0], f"{_LAYER}.lora_b": _B}, "no part of an adapter"),
        ({"model.layers.9.mlp.up_proj.lora_a": _A, "model.layers.9.mlp.up_proj.lora_b": _B}, "does not have"),
        ({"model.vision.proj.lora_a": _A, "model.vision.proj.lora_b": _B}, "does not have"),
        ({"model.embed_tokens.lora_a": _A, "model.embed_tokens.lora_b": np.ones((288, 4), np.float32)}, "not have"),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused_in_words(tmp_path, base, arrays, says):
    adapter = write_arrays(tmp_path / "adapter", base, arrays)

    with pytest.raises(ExportError, match=says):
        write_adapter(adapter, Run(tmp_path))

    assert [path.name for path in adapter.folder.iterdir()] == ["adapter.safetensors"]


@pytest.mark.parametrize("content", [None, b"", b"not safetensors at all"])
def test_an_adapter_that_cannot_be_read_is_refused_in_words(tmp_path, base, content):
    adapter = Adapter(tmp_path, 4, 2.0, base)
    if content is not None:
        adapter.weights.write_bytes(content)

    with pytest.raises(ExportError, match="missing or damaged"):
        write_adapter(adapter, Run(tmp_path))


def test_the_fingerprint_changes_with_the_adapter_and_its_scale(tmp_path, base):
    first = random_adapter(tmp_path / "a", base, seed=1)
    same = random_adapter(tmp_path / "b", base, seed=1)
    other = random_adapter(tmp_path / "c", base, seed=2)

    assert fingerprint(first) == fingerprint(same)
    assert fingerprint(first) != fingerprint(other)
    assert fingerprint(first) != fingerprint(Adapter(first.folder, first.rank, 1.0, base))
