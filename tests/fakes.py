"""Small real things for tests: tiny random GGUFs that llama.cpp loads, and a teacher that replies as told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import gguf
import numpy as np

from lab_desktop.errors import Cancelled
from lab_desktop.models.text_model import Reply, Request

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


_TOKENS = 288
"""Of every vocabulary here: llama.cpp's quantisation wants blocks of 32."""
_Settings = dict[str, int | float | bool | str]
"""Keys of a header after the architecture's name."""


def tiny_model(
    path: Path,
    *,
    seed: int = 0,
    layers: int = 2,
    width: int = 64,
    heads: int = 4,
    kv_heads: int = 2,
    feed_forward: int = 128,
    context: int = 2048,
    quantization: gguf.GGMLQuantizationType = gguf.GGMLQuantizationType.F32,
    template: str = CHAT_TEMPLATE,
) -> Path:
    """Write a random llama-type model with a byte-level vocabulary (256 bytes, 3 specials, padded to 288) to `path`.

    Its answers are nonsense but deterministic, and every part of the real path runs on it in milliseconds.
    Norms are stored as F32, everything else as `quantization`.
    """
    random = np.random.default_rng(seed)
    settings: _Settings = {
        **_shape(layers, width, feed_forward, heads, kv_heads, context),
        "rope.dimension_count": width // heads,
    }
    writer = _begun(path, "llama", "tiny", replace(_TINY, template=template), settings)

    def add(name: str, *shape: int) -> None:
        _add_random(writer, random, quantization, name, *shape)

    head = width // heads
    add("token_embd.weight", _TOKENS, width)
    for block in range(layers):
        add(f"blk.{block}.attn_norm.weight", width)
        add(f"blk.{block}.attn_q.weight", width, width)
        add(f"blk.{block}.attn_k.weight", kv_heads * head, width)
        add(f"blk.{block}.attn_v.weight", kv_heads * head, width)
        add(f"blk.{block}.attn_output.weight", width, width)
        add(f"blk.{block}.ffn_norm.weight", width)
        add(f"blk.{block}.ffn_gate.weight", feed_forward, width)
        add(f"blk.{block}.ffn_up.weight", feed_forward, width)
        add(f"blk.{block}.ffn_down.weight", width, feed_forward)
    add("output_norm.weight", width)
    add("output.weight", _TOKENS, width)
    _write(writer)
    return path


@dataclass(frozen=True)
class _Kind:
    """What is its own about a family's tiny model.

    Attributes:
        tokenizer: (tokenizer.ggml.model, tokenizer.ggml.pre).
        specials: control tokens, from number 256 on.
        ends: (beginning, end of text), of `specials`.
        template: the chat template.
        settings: keys after the architecture's name.
    """

    tokenizer: tuple[str, str]
    specials: tuple[str, ...]
    ends: tuple[str, str]
    template: str
    settings: dict[str, int | float]
    layers: int = 2
    head_width: int = 16


_CHATML = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_TINY = _Kind(("gpt2", "smollm"), _CHATML, ("<|im_start|>", "<|im_end|>"), CHAT_TEMPLATE, {})
_GEMMA_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else 'user') + '\n' + message['content'] | trim"
    " + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)


def _gemma(settings: dict[str, int | float], layers: int = 2) -> _Kind:
    return _Kind(
        ("llama", "default"),
        ("<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"),
        ("<bos>", "<eos>"),
        _GEMMA_TEMPLATE,
        {"attention.key_length": 32, "attention.value_length": 32, "attention.sliding_window": 8, **settings},
        layers,
        head_width=32,
    )


_FAMILIES = {
    "llama": _Kind(
        ("gpt2", "llama-bpe"),
        ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        ("<|begin_of_text|>", "<|end_of_text|>"),
        "{{ bos_token }}{% for message in messages %}"
        "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}"
        "{{ message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
        {},
    ),
    "granite": _Kind(
        ("gpt2", "refact"),
        ("<|end_of_text|>", "<|start_of_role|>", "<|end_of_role|>"),
        ("<|end_of_text|>", "<|end_of_text|>"),
        "{% for message in messages %}{{ '<|start_of_role|>' + message['role'] + '<|end_of_role|>' + message['content']"
        " + '<|end_of_text|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|start_of_role|>assistant<|end_of_role|>' }}{% endif %}",
        {"embedding_scale": 12.0, "residual_scale": 0.22, "attention.scale": 0.2, "logit_scale": 1.5},
    ),
    "qwen2": _Kind(("gpt2", "qwen2"), _CHATML, ("<|endoftext|>", "<|im_end|>"), CHAT_TEMPLATE, {}),
    "qwen3": _Kind(
        ("gpt2", "qwen2"),
        _CHATML,
        ("<|endoftext|>", "<|im_end|>"),
        CHAT_TEMPLATE,
        {"attention.key_length": 32, "attention.value_length": 32},
        head_width=32,
    ),
    "gemma2": _gemma({"attn_logit_softcapping": 2.0, "final_logit_softcapping": 12.0}),
    "gemma3": _gemma({"rope.freq_base": 1e6}, layers=7),  # every sixth sees everything
    "phi3": _Kind(
        ("llama", "default"),
        ("<unk>", "<s>", "</s>", "<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
        ("<s>", "<|endoftext|>"),
        "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] + '<|end|>\n' }}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}",
        {"rope.dimension_count": 12, "rope.scaling.attn_factor": 1.2, "rope.scaling.original_context_length": 1024},
    ),
}
FAMILIES = tuple(_FAMILIES)


def tiny_student(
    path: Path,
    family: str,
    *,
    seed: int = 0,
    quantization: gguf.GGMLQuantizationType = gguf.GGMLQuantizationType.F32,
    has_template: bool = True,
    has_bias: bool = False,
    **settings: int | float | bool | str,
) -> Path:
    """Write a random model of a family (of `FAMILIES`) to `path`, with everything that sets the family apart.

    Bytes are tokens 0 to 255, control tokens follow. 64 wide, four heads over two; some hundred kB.

    Args:
        settings: keys after the architecture's name, "." written as "__", beside or instead of the family's own.
    """
    kind = _FAMILIES[family]
    random = np.random.default_rng(seed)
    width, heads, kv_heads, inner = 64, 4, 2, 96
    given: _Settings = {
        **_shape(kind.layers, width, inner, heads, kv_heads, 2048),
        "rope.dimension_count": kind.head_width,
        **kind.settings,
        **{key.replace("__", "."): value for key, value in settings.items()},
    }
    writer = _begun(path, family, f"tiny {family}", kind, given, has_template)

    def add(name: str, *shape: int) -> None:
        _add_random(writer, random, quantization, name, *shape)

    queries, keys = heads * kind.head_width, kv_heads * kind.head_width
    rotated = int(given["rope.dimension_count"])
    is_tied = family not in ("llama", "qwen2", "phi3")
    # As an output layer, embeddings of unit size would leave no doubt about the next token.
    _add_random(writer, random, quantization, "token_embd.weight", _TOKENS, width, size=0.2 if is_tied else 1.0)
    if family == "llama":
        writer.add_tensor("rope_freqs.weight", np.linspace(1, 8, rotated // 2, dtype=np.float32))
    if family == "phi3":
        writer.add_tensor("rope_factors_short.weight", np.linspace(1, 2, rotated // 2, dtype=np.float32))
        writer.add_tensor("rope_factors_long.weight", np.linspace(2, 9, rotated // 2, dtype=np.float32))
    for layer in range(kind.layers):
        block = f"blk.{layer}"
        add(f"{block}.attn_norm.weight", width)
        if family == "phi3":
            add(f"{block}.attn_qkv.weight", queries + 2 * keys, width)
            add(f"{block}.ffn_up.weight", 2 * inner, width)
        else:
            add(f"{block}.attn_q.weight", queries, width)
            add(f"{block}.attn_k.weight", keys, width)
            add(f"{block}.attn_v.weight", keys, width)
            add(f"{block}.ffn_gate.weight", inner, width)
            add(f"{block}.ffn_up.weight", inner, width)
        if has_bias or family == "qwen2":
            for part, size in (("q", queries), ("k", keys), ("v", keys)):
                add(f"{block}.attn_{part}.bias", size)
        if family in ("qwen3", "gemma3"):
            add(f"{block}.attn_q_norm.weight", kind.head_width)
            add(f"{block}.attn_k_norm.weight", kind.head_width)
        if family in ("gemma2", "gemma3"):
            add(f"{block}.post_attention_norm.weight", width)
            add(f"{block}.post_ffw_norm.weight", width)
        add(f"{block}.attn_output.weight", width, queries)
        add(f"{block}.ffn_norm.weight", width)
        add(f"{block}.ffn_down.weight", width, inner)
    add("output_norm.weight", width)
    if not is_tied:
        add("output.weight", _TOKENS, width)
    _write(writer)
    return path


def _shape(layers: int, width: int, inner: int, heads: int, kv_heads: int, context: int) -> _Settings:
    """What every family's header says of its size."""
    return {
        "block_count": layers,
        "context_length": context,
        "embedding_length": width,
        "feed_forward_length": inner,
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "rope.freq_base": 10000.0,
    }


def _begun(
    path: Path, architecture: str, name: str, kind: _Kind, settings: _Settings, has_template: bool = True
) -> gguf.GGUFWriter:
    """A file with everything but its tensors."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(name)
    add_key = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
    for key, value in settings.items():
        add_key[type(value)](f"{architecture}.{key}", value)
    tokens, types = _vocabulary(kind)
    writer.add_tokenizer_model(kind.tokenizer[0])
    writer.add_tokenizer_pre(kind.tokenizer[1])
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    if kind.tokenizer[0] == "gpt2":
        writer.add_token_merges(["t h", "Ġ t"])  # llama.cpp wants a list that is not empty
    else:
        writer.add_token_scores([0.0] * len(tokens))
        writer.add_unk_token_id(tokens.index("<unk>"))
        writer.add_add_space_prefix(False)
    writer.add_bos_token_id(tokens.index(kind.ends[0]))
    writer.add_eos_token_id(tokens.index(kind.ends[1]))
    writer.add_add_bos_token(kind.ends[0] in ("<|begin_of_text|>", "<bos>"))
    if has_template:
        writer.add_chat_template(kind.template)
    return writer


def _vocabulary(kind: _Kind) -> tuple[list[str], list[int]]:
    """Bytes, the family's control tokens, two merged ones, and unused ones."""
    if kind.tokenizer[0] == "gpt2":
        single, type_of_bytes, merged = _printable_bytes(), gguf.TokenType.NORMAL, ["th", "Ġt"]
    else:
        single, type_of_bytes = [f"<0x{byte:02X}>" for byte in range(256)], gguf.TokenType.BYTE
        merged = ["\u2581", "t"]
    unused = [f"<unused{number}>" for number in range(_TOKENS - 256 - len(kind.specials) - len(merged))]
    types = [type_of_bytes] * 256
    types += [gguf.TokenType.UNKNOWN if special == "<unk>" else gguf.TokenType.CONTROL for special in kind.specials]
    types += [gguf.TokenType.NORMAL] * len(merged) + [gguf.TokenType.UNUSED] * len(unused)
    return [*single, *kind.specials, *merged, *unused], [int(each) for each in types]


def _printable_bytes() -> list[str]:
    # GPT-2's map from bytes to printable characters: printable ones stand for themselves, the rest move up from 256.
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    moved = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(moved)) for byte in range(256)]


def _add_random(
    writer: gguf.GGUFWriter,
    random: np.random.Generator,
    quantization: gguf.GGMLQuantizationType,
    name: str,
    *shape: int,
    size: float = 1.0,
) -> None:
    values = (random.standard_normal(shape) / np.sqrt(shape[-1]) * 1.5 * size).astype(np.float32)
    if len(shape) == 1:
        writer.add_tensor(name, np.float32(name.endswith(".weight")) + 0.1 * values)
        return
    if name == "token_embd.weight":
        values *= np.sqrt(shape[-1])  # embeddings of unit size, or every token looks alike
    writer.add_tensor(name, gguf.quantize(values, quantization), raw_dtype=quantization)


def _write(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class FakeTeacher:
    """A TextModel that answers from a function of the request; keeps what it was asked.

    Attributes:
        requests: every request in the order asked.
    """

    def __init__(self, answer: Callable[[Request], Reply | str], context_tokens: int = 4096) -> None:
        self.name = "fake teacher"
        self.context_tokens = context_tokens
        self.requests: list[Request] = []
        self._answer = answer

    def count_tokens(self, text: str) -> int:
        return max(1, len(text) // 4)

    def complete(
        self, requests: Sequence[Request], is_cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[int, Reply]]:
        # Out of order on purpose, as the batched engine does it.
        order = sorted(range(len(requests)), key=lambda index: hashlib.sha1(str(index).encode()).digest())
        for index in order:
            if is_cancelled():
                raise Cancelled
            self.requests.append(requests[index])
            answer = self._answer(requests[index])
            yield index, answer if isinstance(answer, Reply) else Reply(answer, "stop")

    def stream(self, request: Request, is_cancelled: Callable[[], bool] = lambda: False) -> Iterator[str]:
        for _, reply in self.complete([request], is_cancelled):
            yield reply.text
