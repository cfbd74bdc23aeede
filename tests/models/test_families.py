"""What a student's header says is believed only where it fits itself and the family; the rest is refused in words."""

from __future__ import annotations

import collections
import dataclasses
import math
import tracemalloc
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from lab_desktop.artifacts import ChatMessage
from lab_desktop.errors import ModelError
from lab_desktop.models.blueprints import blueprint
from lab_desktop.models.chat import ChatTemplate
from lab_desktop.models.families import (
    Blueprint,
    in_file_order,
    read_weight,
    require_family,
    tensor_name,
)
from lab_desktop.models.gguf import GgufFile, read_header, read_tensor
from lab_desktop.models.llama import LlamaModel
from lab_desktop.models.text_model import Request
from lab_desktop.models.tokenizer import Tokenizer
from tests.fakes import FAMILIES, tiny_student


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, GgufFile]:
    folder = tmp_path_factory.mktemp("families")
    return {family: read_header(tiny_student(folder / f"{family}.gguf", family)) for family in FAMILIES}


def changed(file: GgufFile, **settings: Any) -> GgufFile:
    """The header with other values; "." written as "__", None takes a key out."""
    metadata = dict(file.metadata)
    for key, value in settings.items():
        name = f"{file.architecture}.{key.replace('__', '.')}"
        metadata.pop(name, None)
        if value is not None:
            metadata[name] = value
    return dataclasses.replace(file, metadata=metadata)


def whole(plan: Blueprint, name: str) -> np.ndarray:
    return np.concatenate([rows for _, rows in read_weight(plan, name)])


@pytest.mark.parametrize("family", FAMILIES)
def test_every_tensor_of_a_file_has_its_place_in_the_model(files: dict[str, GgufFile], family: str) -> None:
    plan = blueprint(files[family])

    found = {tensor_name(plan, name) for name in plan.weights}

    rotations = {name for name in files[family].tensors if name.startswith("rope_")}
    assert found == files[family].tensors.keys() - rotations
    for name, shape in plan.weights.items():
        assert whole(plan, name).shape == shape
    assert {f"{module}.weight" for module in plan.adapted} <= plan.weights.keys()


def test_rows_come_in_blocks_and_are_all_there(files: dict[str, GgufFile], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab_desktop.models.gguf._BLOCK_VALUES", 1000)

    blocks = list(read_weight(blueprint(files["qwen2"]), "model.embed_tokens.weight"))

    assert [start for start, _ in blocks[:3]] == [0, 15, 30]
    assert np.array_equal(
        np.concatenate([rows for _, rows in blocks]), read_tensor(files["qwen2"], "token_embd.weight")
    )


def test_reading_all_weights_takes_memory_for_a_block_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab_desktop.models.gguf._BLOCK_VALUES", 1024)
    path = tiny_student(tmp_path / "small.gguf", "qwen2", quantization=gguf.GGMLQuantizationType.Q8_0)
    plan = blueprint(read_header(path))
    for name in plan.weights:  # what Python keeps of it for the next time
        collections.deque(read_weight(plan, name), maxlen=0)

    tracemalloc.start()
    try:
        for name in plan.weights:
            for _ in read_weight(plan, name):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    largest = 4 * max(math.prod(shape) for shape in plan.weights.values())
    assert peak < largest / 2


@pytest.mark.parametrize("family", FAMILIES)
def test_what_was_learned_goes_back_into_the_files_order(files: dict[str, GgufFile], family: str) -> None:
    plan = blueprint(files[family])

    for module in plan.adapted:
        stored = read_tensor(files[family], f"{tensor_name(plan, module)}.weight")
        assert np.array_equal(in_file_order(plan, module, whole(plan, f"{module}.weight")), stored)


@pytest.mark.parametrize("name", ["model.vision.proj", "model.layers.9.mlp.up_proj", "model.layers.x.mlp.up_proj", ""])
def test_a_name_that_no_part_has_has_no_tensor(files: dict[str, GgufFile], name: str) -> None:
    assert tensor_name(blueprint(files["llama"]), name) is None


def test_layers_that_see_a_window_turn_in_their_own_way(files: dict[str, GgufFile]) -> None:
    two, three = blueprint(files["gemma2"]), blueprint(files["gemma3"])

    assert two.windows == (8, 0)
    assert three.windows == (8, 8, 8, 8, 8, 0, 8)
    assert len(set(three.rotations)) == 2
    assert three.rotations[0].speeds[-1] == pytest.approx(1 / 10000 ** (30 / 32))
    assert three.rotations[5].speeds[-1] == pytest.approx(1 / 1e6 ** (30 / 32))


def test_a_context_stretched_evenly_slows_the_rotations(files: dict[str, GgufFile]) -> None:
    plain = blueprint(files["qwen2"]).rotations[0].speeds

    stretched = blueprint(changed(files["qwen2"], rope__scaling__type="linear", rope__scaling__factor=4.0))

    assert np.allclose(stretched.rotations[0].speeds, plain / 4)
    ignored = blueprint(changed(files["qwen2"], rope__scaling__type="none", rope__scaling__factor=4.0))
    assert np.array_equal(ignored.rotations[0].speeds, plain)


@pytest.mark.parametrize(
    ("family", "settings", "says"),
    [
        ("llama", {"expert_count": 8}, "mixture of experts"),
        ("llama", {"rope__scaling__type": "yarn"}, 'a context stretched by "yarn", which cannot be taught'),
        ("llama", {"rope__dimension_count": 8}, "partly rotated heads"),
        ("llama", {"attention__value_length": 8}, "keys and values of different width"),
        ("llama", {"attention__head_count_kv": [2, 4]}, "layers that differ"),
        ("granite", {"rope__scaling__finetuned": False}, "no positions"),
        ("llama", {"block_count": 3}, 'lacks "blk.2.attn_q.weight"'),
        ("llama", {"block_count": 1}, 'parts that others of its family do not have ("blk.1.'),
        ("llama", {"block_count": 1 << 30}, "layers"),
        ("llama", {"block_count": 900}, "does not have them"),
        ("llama", {"block_count": 0}, "block count is 0"),
        ("llama", {"block_count": "two"}, "block count is 'two'"),
        ("llama", {"block_count": []}, "block count is 0"),
        ("llama", {"block_count": [[2], [3]]}, "layers that differ"),
        ("llama", {"block_count": "x" * 10_000}, "block count is 'xxx"),
        ("llama", {"block_count": None}, "does not say its block count"),
        ("llama", {"attention__head_count": 0}, "head count is 0"),
        ("llama", {"attention__head_count": 3}, "heads"),
        ("llama", {"attention__head_count": 8}, "heads"),
        ("llama", {"embedding_length": 128, "attention__key_length": 16}, "another shape"),
        ("llama", {"attention__layer_norm_rms_epsilon": float("nan")}, "epsilon is nan"),
        ("llama", {"rope__freq_base": -1.0}, "freq base is -1.0"),
        ("llama", {"rope__scaling__factor": float("inf")}, "factor is inf"),
        ("llama", {"rope__scaling__factor": -2.0}, "rotations cannot be"),
        ("granite", {"logit_scale": 0.0}, "logit scale is 0.0"),
        ("gemma2", {"attention__sliding_window": -8}, "windows cannot be"),
        ("gemma3", {"attention__sliding_window_pattern": [True, False]}, "windows cannot be"),
        ("gemma3", {"attention__sliding_window_pattern": "x"}, "pattern is 'x'"),
        ("gemma3", {"rope__freq_base_swa": 1e300}, "rotations cannot be"),
    ],
)
def test_a_header_that_cannot_be_is_refused_in_words(
    files: dict[str, GgufFile], family: str, settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(ModelError) as refused:
        blueprint(changed(files[family], **settings))

    assert says in refused.value.message
    assert f'"{family}.gguf"' in refused.value.message
    assert len(refused.value.message) < 250
    assert refused.value.hint


def test_a_file_with_parts_that_the_family_has_not_is_refused(files: dict[str, GgufFile]) -> None:
    file = files["qwen3"]
    strange = dataclasses.replace(file.tensors["blk.0.attn_norm.weight"], name="blk.0.attn_sub_norm.weight")

    with pytest.raises(ModelError, match="attn_sub_norm"):
        blueprint(dataclasses.replace(file, tensors={**file.tensors, strange.name: strange}))


@pytest.mark.parametrize("architecture", ["mamba", "gpt-oss", ""])
def test_a_family_that_cannot_be_taught_is_refused_before_it_is_downloaded(architecture: str) -> None:
    with pytest.raises(ModelError, match=r'"big\.gguf" is of .*which cannot be taught here') as refused:
        require_family("big.gguf", architecture)

    for known in ("Llama 3", "Granite", "Qwen", "Gemma", "Phi-3", "Mistral"):
        assert known in refused.value.hint


def test_a_mixture_is_known_by_its_familys_name() -> None:
    with pytest.raises(ModelError, match="mixture of experts"):
        require_family("big.gguf", "qwen3moe")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_families_turn_end_is_learned(files: dict[str, GgufFile], family: str) -> None:
    ends = {"llama": "<|eot_id|>", "granite": "<|end_of_text|>", "phi3": "<|end|>"}
    ends |= dict.fromkeys(("qwen2", "qwen3"), "<|im_end|>") | dict.fromkeys(("gemma2", "gemma3"), "<end_of_turn>")
    system = ChatMessage("system", "Be brief.")

    with Tokenizer(files[family].path) as tokenizer:
        prompt, answer = tokenizer.chat_row((system, ChatMessage("user", "Hi"), ChatMessage("assistant", "Ho")))

        assert files[family].metadata["tokenizer.ggml.tokens"][answer[-1]] == ends[family]
        assert tokenizer.decode(answer) == "Ho"
        # Gemma's template refuses a system message; what it says comes before the question.
        assert "Be brief." in tokenizer.decode(prompt)


def test_a_model_that_could_think_aloud_is_taught_the_answer_alone(files: dict[str, GgufFile]) -> None:
    file = files["qwen3"]
    thought = "<think>\n\n</think>\n\n"
    template = (
        "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' }}"
        "{% if loop.last and message.role == 'assistant' %}THOUGHT{% endif %}"
        "{{ message.content + '<|im_end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
        "{% if enable_thinking is defined and enable_thinking is false %}THOUGHT{% endif %}{% endif %}"
    ).replace("THOUGHT", f"{{{{ {thought!r} }}}}")
    file = dataclasses.replace(file, metadata={**file.metadata, "tokenizer.chat_template": template})

    with Tokenizer(file.path) as tokenizer:
        tokenizer.template = ChatTemplate(file)
        prompt, answer = tokenizer.chat_row((ChatMessage("user", "Hi"), ChatMessage("assistant", "Ho")))

        assert tokenizer.decode(prompt).endswith(thought)
        assert tokenizer.decode(answer) == "Ho"
        assert prompt == tokenizer.chat_prompt([ChatMessage("user", "Hi")])


def test_a_large_cache_does_not_stretch_a_short_conversation(files: dict[str, GgufFile]) -> None:
    request = Request((ChatMessage("user", "Where does the ferry leave?"),), choices=("Pier 9", "Oda"))
    found = []
    for cells in (256, 2048):  # the model's own context is 1024
        with LlamaModel(files["phi3"].path, context_tokens=256, parallel=1, threads=1, cells=cells) as model:
            found.append(dict(model.complete([request]))[0].probabilities)

    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_what_a_small_student_is_made_of_is_what_was_written(tmp_path: Path) -> None:
    plan = blueprint(read_header(tiny_student(tmp_path / "granite.gguf", "granite")))

    assert (plan.embedding_scale, plan.logit_divisor) == (12.0, 1.5)
    assert (plan.residual_scale, plan.attention_scale) == (pytest.approx(0.22), pytest.approx(0.2))
    assert plan.is_tied
