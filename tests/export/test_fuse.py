from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from transformers import LlamaConfig, LlamaForCausalLM

from lab_desktop.artifacts import Adapter
from lab_desktop.errors import Cancelled, ExportError, ModelError
from lab_desktop.export import fuse as fuse_module
from lab_desktop.export.adapter import write_adapter
from lab_desktop.export.fuse import fuse
from lab_desktop.export.verified import is_finished
from lab_desktop.jobs import events
from lab_desktop.jobs.run import Run
from lab_desktop.models.gguf import read_header, read_tensor
from tests.export.lora import PROMPT, greedy, logits, random_adapter, sha256, write_arrays
from tests.fakes import tiny_model


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "base.gguf")


@pytest.fixture
def adapter(tmp_path: Path, base: Path) -> Adapter:
    return random_adapter(tmp_path / "adapter", base)


def test_the_fused_model_thinks_what_the_mathematics_says(tmp_path, base, adapter):
    expected = _merged_by_torch(base, adapter)

    fuse(adapter, tmp_path / "new.gguf", Run(tmp_path), "F32")
    write_adapter(adapter, Run(tmp_path))

    assert np.abs(logits(tmp_path / "new.gguf") - expected).max() < 1e-3
    assert np.abs(logits(base, adapter.gguf) - expected).max() < 1e-3
    assert np.abs(logits(base) - expected).max() > 0.5  # the adapter's effect is sizeable, so agreeing means something


def test_f16_changes_the_answers_by_rounding_only(tmp_path, base, adapter):
    fuse(adapter, tmp_path / "new.gguf", Run(tmp_path))
    write_adapter(adapter, Run(tmp_path))

    assert np.abs(logits(tmp_path / "new.gguf") - logits(base, adapter.gguf)).max() < 0.05
    assert greedy(tmp_path / "new.gguf") == greedy(base, adapter.gguf) != greedy(base)


@pytest.mark.parametrize("fast", [True, False])
def test_a_shipped_adapter_is_fused_into_what_base_and_adapter_say_together(tmp_path, base, adapter, monkeypatch, fast):
    monkeypatch.setattr(fuse_module, "has_fast_bf16", lambda: fast)
    shipped = write_adapter(adapter, Run(tmp_path), sixteen_bit=True)

    made = fuse_module.fuse_shipped(shipped, base, tmp_path / "teacher.gguf", Run(tmp_path))

    assert made.quantization == ("BF16" if fast else "F16")
    together, fused = logits(base, shipped), logits(made.path)
    assert np.abs(fused - together).mean() < (0.05 if fast else 0.01) * together.std()
    assert np.abs(logits(base) - together).mean() > 0.2 * together.std()
    assert is_finished(made.path, fuse_module.shipped_fingerprint(shipped, base))


def test_a_shipped_adapter_of_another_model_is_refused(tmp_path, base, adapter):
    shipped = write_adapter(adapter, Run(tmp_path))
    other = tiny_model(tmp_path / "other.gguf", width=32)

    with pytest.raises(ExportError, match=r"not an adapter for other\.gguf"):
        fuse_module.fuse_shipped(shipped, other, tmp_path / "teacher.gguf", Run(tmp_path))
    with pytest.raises(ExportError, match=r"not an adapter for base\.gguf"):
        fuse_module.fuse_shipped(base, base, tmp_path / "teacher.gguf", Run(tmp_path))
    assert not (tmp_path / "teacher.gguf").exists()


@pytest.mark.parametrize("kind", [gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.F16])
def test_a_base_in_another_size_is_fused_from_its_own_weights(tmp_path, kind):
    base = tiny_model(tmp_path / "base.gguf", quantization=kind)
    adapter = random_adapter(tmp_path / "adapter", base)

    fuse(adapter, tmp_path / "new.gguf", Run(tmp_path), "F32")

    assert np.abs(logits(tmp_path / "new.gguf") - _merged_by_torch(base, adapter)).max() < 1e-3


def test_tensors_without_a_change_and_all_metadata_are_the_bases_own(tmp_path, base):
    arrays = {
        "model.layers.0.mlp.up_proj.lora_a": np.ones((4, 64), np.float32),
        "model.layers.0.mlp.up_proj.lora_b": np.ones((128, 4), np.float32),
    }

    fuse(write_arrays(tmp_path / "adapter", base, arrays), tmp_path / "island-F16.gguf", Run(tmp_path))

    old, new = read_header(base), read_header(tmp_path / "island-F16.gguf")
    ours = {"general.name", "general.file_type", "lab_desktop.made_from"}
    assert {key: value for key, value in new.metadata.items() if key not in ours} == {
        key: value for key, value in old.metadata.items() if key not in ours
    }
    assert (new.metadata["general.name"], new.metadata["general.file_type"]) == ("island", 1)
    assert list(new.tensors) == list(old.tensors)
    for name, info in new.tensors.items():
        is_norm = len(info.shape) == 1
        assert info.type == (gguf.GGMLQuantizationType.F32 if is_norm else gguf.GGMLQuantizationType.F16)
        before, after = read_tensor(old, name), read_tensor(new, name)
        if name == "blk.0.ffn_up.weight":
            assert np.allclose(after - before, 8.0, atol=0.01)  # scale 2 × four ones
        else:
            assert np.array_equal(after, before if is_norm else before.astype(np.float16))
    gguf.GGUFReader(tmp_path / "island-F16.gguf")  # the format's own reader finds nothing to say either


def test_another_alignment_is_kept(tmp_path, base):
    odd = tmp_path / "odd.gguf"
    _rewrite_with_alignment(base, odd, 128)
    adapter = random_adapter(tmp_path / "adapter", odd)

    fuse(adapter, tmp_path / "new.gguf", Run(tmp_path))

    assert all(info.offset % 128 == 0 for info in read_header(tmp_path / "new.gguf").tensors.values())
    assert greedy(tmp_path / "new.gguf") == greedy(odd, write_adapter(adapter, Run(tmp_path)))


def test_values_too_large_for_f16_become_its_largest_and_are_reported(tmp_path, base):
    b = np.zeros((288, 4), np.float32)
    b[65] = 1e4
    arrays = {"lm_head.lora_a": np.ones((4, 64), np.float32), "lm_head.lora_b": b}
    said: list[events.Event] = []

    with Run(tmp_path, said.append).open() as run:
        fuse(write_arrays(tmp_path / "adapter", base, arrays), tmp_path / "new.gguf", run)

    row = read_tensor(read_header(tmp_path / "new.gguf"), "output.weight")[65]
    assert (row == 65504).all()
    assert [event.text for event in said if isinstance(event, events.Notice)] == [
        "64 weights were too large for F16 and were set to the largest value it can hold."
    ]


def test_weights_that_are_not_numbers_are_refused(tmp_path, base):
    data = bytearray(base.read_bytes())
    offset = read_header(base).tensors["blk.1.ffn_up.weight"].offset
    data[offset : offset + 4] = np.float32("nan").tobytes()
    base.write_bytes(data)
    adapter = random_adapter(tmp_path / "adapter", base)

    with pytest.raises(ExportError, match=r'"blk\.1\.ffn_up\.weight" of the new model are not all numbers'):
        fuse(adapter, tmp_path / "new" / "new.gguf", Run(tmp_path))

    assert list((tmp_path / "new").iterdir()) == []


def test_a_model_that_answers_with_no_numbers_does_not_get_its_name(tmp_path, base):
    # Norms are copied unseen; only the question that every file is asked can find this.
    data = bytearray(base.read_bytes())
    offset = read_header(base).tensors["output_norm.weight"].offset
    data[offset : offset + 4] = np.float32("nan").tobytes()
    base.write_bytes(data)
    adapter = random_adapter(tmp_path / "adapter", base)

    with pytest.raises(ExportError, match="was written but cannot be used"):
        fuse(adapter, tmp_path / "new" / "new.gguf", Run(tmp_path))

    assert list((tmp_path / "new").iterdir()) == []


def test_the_inputs_stay_as_they_are(tmp_path, base, adapter):
    before = sha256(base), sha256(adapter.weights)

    fuse(adapter, tmp_path / "new.gguf", Run(tmp_path))

    assert (sha256(base), sha256(adapter.weights)) == before


def test_cancelling_between_tensors_leaves_nothing(tmp_path, adapter):
    said: list[events.Event] = []

    with pytest.raises(Cancelled):
        fuse(adapter, tmp_path / "new" / "new.gguf", Run(tmp_path, said.append, lambda: len(said) > 5))

    assert list((tmp_path / "new").iterdir()) == []


def test_what_a_killed_job_left_behind_is_removed(tmp_path, adapter):
    half = tmp_path / ".new.gguf.k2j4x.part"
    half.write_bytes(b"GGUF")
    other = tmp_path / ".new-too.gguf.k2j4x.part"
    other.write_bytes(b"GGUF")

    fuse(adapter, tmp_path / "new.gguf", Run(tmp_path))

    assert not half.exists()
    assert other.exists()


def test_a_missing_base_and_an_unknown_size_are_refused_in_words(tmp_path, adapter):
    with pytest.raises(ModelError, match="no model file"):
        fuse(replace(adapter, base=tmp_path / "gone.gguf"), tmp_path / "new.gguf", Run(tmp_path))
    with pytest.raises(ExportError, match='not as "Q9"'):
        fuse(adapter, tmp_path / "new.gguf", Run(tmp_path), "Q9")


_MEASURE = """
import json, resource, sys
from pathlib import Path
from lab_desktop.artifacts import Adapter
from lab_desktop.export import fuse, verified
from lab_desktop.jobs.run import Run

verified._ask = lambda path, base: None  # llama.cpp maps the whole file to answer; here the writing is measured
tiny, large = (Adapter(Path(folder), 4, 2.0, Path(base)) for folder, base in (sys.argv[1:3], sys.argv[3:5]))
peaks = []
for adapter in (tiny, large):
    fuse.fuse(adapter, adapter.folder / "new.gguf", Run(adapter.folder))
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
print(json.dumps(peaks))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has another unit elsewhere")
def test_memory_stays_near_one_tensor_however_many_there_are(tmp_path):
    tiny = tiny_model(tmp_path / "tiny.gguf")
    large = tiny_model(tmp_path / "large.gguf", layers=24, width=256, feed_forward=2048)
    arguments = []
    for base in (tiny, large):
        adapter = random_adapter(tmp_path / base.stem, base)
        arguments += [str(adapter.folder), str(base)]

    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *arguments], capture_output=True, text=True, check=True, timeout=120
    )

    before, after = json.loads(done.stdout)
    largest = 2048 * 256 * 4
    assert large.stat().st_size > 30 * largest
    assert after - before < 8 * largest


def _merged_by_torch(base: Path, adapter: Adapter) -> np.ndarray:
    """Logits of transformers' own model with W + scale·B·A in its own names and row order."""
    header = read_header(base)
    config = LlamaConfig(
        vocab_size=288,
        hidden_size=header.setting("embedding_length"),
        intermediate_size=header.setting("feed_forward_length"),
        num_hidden_layers=header.setting("block_count"),
        num_attention_heads=header.setting("attention.head_count"),
        num_key_value_heads=header.setting("attention.head_count_kv"),
        rms_norm_eps=header.setting("attention.layer_norm_rms_epsilon"),
        rope_theta=10000.0,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config).eval()
    factors = load_file(adapter.weights)
    state = {}
    for name in model.state_dict():
        module = name.removesuffix(".weight")
        weight = read_tensor(header, _gguf_name(module))
        heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}.get(module.split(".")[-1])
        if heads:  # back to Hugging Face's order: the even rows of a head, then its odd ones
            by_head = weight.reshape(heads, -1, weight.shape[1])
            weight = np.concatenate([by_head[:, 0::2], by_head[:, 1::2]], axis=1).reshape(weight.shape)
        if f"{module}.lora_b" in factors:
            weight = weight + adapter.scale * factors[f"{module}.lora_b"] @ factors[f"{module}.lora_a"]
        state[name] = torch.from_numpy(np.array(weight))
    model.load_state_dict(state)
    with torch.no_grad():
        return model(torch.tensor([PROMPT])).logits[0].numpy()


def _gguf_name(module: str) -> str:
    parts = {
        "model.embed_tokens": "token_embd",
        "model.norm": "output_norm",
        "lm_head": "output",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
    }
    if module in parts:
        return f"{parts[module]}.weight"
    _, _, layer, rest = module.split(".", 3)
    return f"blk.{layer}.{parts[rest]}.weight"


def _rewrite_with_alignment(source: Path, target: Path, alignment: int) -> None:
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, "llama")
    writer.add_custom_alignment(alignment)
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            writer.add_key_value(field.name, field.contents(), field.types[0], field.types[-1])
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
