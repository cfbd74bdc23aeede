"""Small real things for tests: a tiny random GGUF that llama.cpp loads, and a teacher that replies as told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
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
) -> Path:
    """Write a random llama-type model with a byte-level vocabulary (256 bytes, 3 specials, padded to 288) to `path`.

    Its answers are nonsense but deterministic, and every part of the real path runs on it in milliseconds.
    Norms are stored as F32, everything else as `quantization`.
    """
    random = np.random.default_rng(seed)
    tokens, types = _byte_vocabulary()
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_block_count(layers)
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(feed_forward)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_rope_dimension_count(width // heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(["t h", "Ġ t"])  # llama.cpp wants a list that is not empty
    writer.add_bos_token_id(257)
    writer.add_eos_token_id(258)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)

    def add(name: str, *shape: int) -> None:
        values = (random.standard_normal(shape) / np.sqrt(shape[-1]) * 1.5).astype(np.float32)
        if len(shape) == 1:
            writer.add_tensor(name, np.ones(shape, np.float32) + 0.1 * values)
            return
        if name == "token_embd.weight":
            values *= np.sqrt(shape[-1])  # embeddings of unit size, or every token looks alike
        writer.add_tensor(name, gguf.quantize(values, quantization), raw_dtype=quantization)

    head = width // heads
    add("token_embd.weight", len(tokens), width)
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
    add("output.weight", len(tokens), width)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _byte_vocabulary() -> tuple[list[str], list[int]]:
    # GPT-2's map from bytes to printable characters: printable ones stand for themselves, the rest move up from 256.
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    moved = iter(range(256, 512))
    tokens = [chr(byte) if byte in printable else chr(next(moved)) for byte in range(256)]
    types = [int(gguf.TokenType.NORMAL)] * 256
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    merged = ["th", "Ġt"]
    unused = [f"<unused{number}>" for number in range(288 - 256 - len(specials) - len(merged))]
    types += [int(gguf.TokenType.CONTROL)] * 3 + [int(gguf.TokenType.NORMAL)] * 2
    types += [int(gguf.TokenType.UNUSED)] * len(unused)
    return [*tokens, *specials, *merged, *unused], types


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
