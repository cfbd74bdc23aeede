"""The engine on the practice model: against one sequence at a time, by number of sequences, against reading memory."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from lab_desktop.artifacts import ChatMessage
from lab_desktop.models.llama import LlamaModel
from lab_desktop.models.text_model import Request
from lab_desktop.paths import practice_model

_DOCUMENT = "The island of Velmora lies far out at sea, and nobody goes there in winter. " * 35
_REPLY_TOKENS = 24


def main() -> None:
    requests = [_ask(f"{_DOCUMENT}\nQuestion {number}: who lives there?") for number in range(48)]
    with LlamaModel(practice_model()) as model:
        prefix = len(model.tokenizer.chat_prompt(requests[0].messages))
        together = _seconds(model, requests)
    with LlamaModel(practice_model(), parallel=1) as model:
        few = requests[:4]  # it takes minutes for all
        one_by_one = 0.0
        for request in few:
            model.use_adapter(None)  # forgets the cache: nothing is shared
            one_by_one += _seconds(model, [request])
        one_by_one *= len(requests) / len(few)
    print(f"  48 requests of {prefix} tokens: {together:.1f} s; one at a time {one_by_one:.1f} s (from {len(few)});")
    print(f"  {one_by_one / together:.1f} times as fast")
    with LlamaModel(practice_model()) as model:
        for count in (1, 4, 16):
            rate = _decoding_rate(model, count)
            print(f"  {count:2} sequences: {rate:.0f} tokens/s")
            if count == 1:
                read = practice_model().stat().st_size * rate / _read_bytes_per_second()
                print(f"     which is {read:.0%} of what reading memory allows (one thread, plain sum)")


def _ask(text: str) -> Request:
    return Request((ChatMessage("user", text),), max_tokens=_REPLY_TOKENS)


def _seconds(model: LlamaModel, requests: Sequence[Request]) -> float:
    start = time.perf_counter()
    for _ in model.complete(requests):
        pass
    return time.perf_counter() - start


def _decoding_rate(model: LlamaModel, count: int) -> float:
    requests = [Request(_ask(f"Story {number}").messages, max_tokens=96, temperature=1.0) for number in range(count)]
    _seconds(model, [Request(request.messages, max_tokens=1) for request in requests])  # prompts are in the cache now
    start = time.perf_counter()
    tokens = sum(reply.tokens for _, reply in model.complete(requests))
    return tokens / (time.perf_counter() - start)


def _read_bytes_per_second() -> float:
    numbers = np.ones(32 << 20, np.float32)
    best = min(_timed_sum(numbers) for _ in range(5))
    return numbers.nbytes / best


def _timed_sum(numbers: np.ndarray) -> float:
    start = time.perf_counter()
    numbers.sum()
    return time.perf_counter() - start
