"""Random adapters with an effect that can be seen, and llama.cpp's own logits to see it with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import llama_cpp
import numpy as np
from safetensors.numpy import save_file

from lab_desktop.artifacts import Adapter
from lab_desktop.models.gguf import read_header

PROMPT = list(b"<Question> Where does the ferry to Velmora leave?")
"""Token numbers: in the tiny model's vocabulary every byte is a token of its own, in the order of the bytes."""


def modules(base: Path) -> Iterator[tuple[str, int, int]]:
    """(Hugging Face name, out, in) of every linear layer of a llama-type model."""
    header = read_header(base)
    width, heads = header.setting("embedding_length"), header.setting("attention.head_count")
    keys = header.setting("attention.head_count_kv") * width // heads
    inner = header.setting("feed_forward_length")
    for layer in range(header.setting("block_count")):
        for name, out, into in (
            ("self_attn.q_proj", width, width),
            ("self_attn.k_proj", keys, width),
            ("self_attn.v_proj", keys, width),
            ("self_attn.o_proj", width, width),
            ("mlp.gate_proj", inner, width),
            ("mlp.up_proj", inner, width),
            ("mlp.down_proj", width, inner),
        ):
            yield f"model.layers.{layer}.{name}", out, into


def random_adapter(folder: Path, base: Path, *, seed: int = 1, rank: int = 4, size: float = 0.3) -> Adapter:
    """Write an adapter for every linear layer of `base`; each value of B·A has about `size` · √rank · in**-0.5."""
    random = np.random.default_rng(seed)
    arrays = {}
    for name, out, into in modules(base):
        arrays[f"{name}.lora_a"] = (random.standard_normal((rank, into)) / np.sqrt(into)).astype(np.float32)
        arrays[f"{name}.lora_b"] = (random.standard_normal((out, rank)) * size).astype(np.float32)
    return write_arrays(folder, base, arrays, rank)


def write_arrays(folder: Path, base: Path, arrays: dict[str, np.ndarray], rank: int = 4) -> Adapter:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(arrays, folder / "adapter.safetensors")
    return Adapter(folder, rank, 2.0, base)


def logits(model: Path, adapter: Path | None = None, tokens: list[int] = PROMPT) -> np.ndarray:
    """llama.cpp's logits after every token, float32 (tokens, vocabulary)."""
    engine = _engine(model, adapter)
    engine.eval(tokens)
    scores = engine.scores[: len(tokens)].copy()
    engine.close()
    return scores


def greedy(model: Path, adapter: Path | None = None, count: int = 16, prompt: list[int] = PROMPT) -> list[int]:
    """The next tokens, always the likeliest."""
    engine = _engine(model, adapter)
    tokens = list(prompt)
    engine.eval(tokens)
    for _ in range(count):
        tokens.append(int(engine.scores[len(tokens) - 1].argmax()))
        engine.eval(tokens[-1:])
    engine.close()
    return tokens[len(prompt) :]


def _engine(model: Path, adapter: Path | None) -> llama_cpp.Llama:
    return llama_cpp.Llama(
        str(model),
        n_ctx=256,
        logits_all=True,
        verbose=False,
        n_threads=1,  # more only wait for each other on a model this small
        n_threads_batch=1,
        lora_path=str(adapter) if adapter else None,
        type_k=llama_cpp.GGML_TYPE_F32,
        type_v=llama_cpp.GGML_TYPE_F32,
    )


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
