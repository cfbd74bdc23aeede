from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab_desktop.artifacts import ChatMessage
from lab_desktop.errors import Cancelled, ModelError
from lab_desktop.export.adapter import write_adapter
from lab_desktop.jobs.run import Run
from lab_desktop.models import sampling
from lab_desktop.models.llama import LlamaModel
from lab_desktop.models.text_model import Request
from lab_desktop.paths import practice_model
from tests.export import lora
from tests.fakes import tiny_model
from tests.models.asking import SCHEMA, ask, replies


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[int], Any]]:
    """Every (tokens so far, logits after them) from which the engine chose a next token."""
    steps: list[tuple[list[int], Any]] = []
    take = sampling.Writing.take

    def record(self: Any, logits: Any) -> bool:
        steps.append((self.tokens[: self.length].tolist(), logits.copy()))
        return take(self, logits)

    monkeypatch.setattr(sampling.Writing, "take", record)
    return steps


def assert_as_computed_alone(model: LlamaModel, seen: list[tuple[list[int], Any]]) -> None:
    # Texts may differ where two tokens are equally likely (the cache holds 16-bit floats); scores may not.
    for tokens, logits in seen:
        np.testing.assert_allclose(logits, model.logits(tokens)[-1], atol=5e-2)


def test_many_more_requests_than_slots_are_answered_as_one_at_a_time(model: LlamaModel, seen: Any) -> None:
    requests = [ask(f"{number} questions", "A system message that all share.") for number in range(21)]

    together = replies(model, requests)

    assert len({reply.text for reply in together}) > 10
    assert len(seen) >= 21
    assert_as_computed_alone(model, seen)


def test_a_shared_prefix_is_computed_once(path: Path) -> None:
    document = "The island of Velmora lies far out at sea. " * 10
    requests = [ask(f"{number}?", document, max_tokens=1) for number in range(20)]
    with LlamaModel(path, context_tokens=1024, parallel=4, threads=1) as model:
        separate = [len(model.tokenizer.chat_prompt(request.messages)) for request in requests]
        replies(model, requests)

        assert sum(separate) > 9000
        assert model.decoded_tokens < max(separate) + 20 * 50


def test_a_conversation_continues_from_what_the_cache_holds(path: Path) -> None:
    with LlamaModel(path, context_tokens=1024, parallel=2, threads=1) as model:
        text = "".join(model.stream(ask("Tell me of the island. " * 20, max_tokens=8, schema=SCHEMA)))
        before = model.decoded_tokens
        turns = (
            *ask("Tell me of the island. " * 20).messages,
            ChatMessage("assistant", text),
            ChatMessage("user", "?"),
        )
        list(model.stream(Request(turns, max_tokens=1)))

        assert model.decoded_tokens - before < 60


def test_too_few_cells_make_it_slower_but_lose_no_reply(path: Path, seen: Any, model: LlamaModel) -> None:
    requests = [ask(f"{number} {'word ' * 10}", max_tokens=80) for number in range(8)]
    with LlamaModel(path, context_tokens=1024, parallel=4, threads=1, cells=256) as small:
        assert small._context.cells == 256
        together = replies(small, requests)

    assert all(reply.tokens == 80 or reply.finish == "stop" for reply in together)
    assert_as_computed_alone(model, seen[::7])


def test_a_request_that_cannot_fit_says_so_and_the_others_are_answered(model: LlamaModel) -> None:
    long, short = replies(model, [ask("word " * 400), ask("word")])

    assert (long.finish, long.text) == ("too_long", "")
    assert short.tokens > 0
    with pytest.raises(ModelError, match="can hold 1,024"):
        list(model.stream(ask("word " * 400)))


def test_the_context_ends_a_reply(model: LlamaModel) -> None:
    found = replies(model, [ask(f"{number} {'word ' * 190}", max_tokens=5000) for number in range(6)])

    cut = [reply for reply in found if reply.finish == "length"]
    assert cut
    assert all(reply.prompt_tokens + reply.tokens == 1024 for reply in cut)


def test_a_cancelled_model_is_clean_and_answers_again(model: LlamaModel, seen: Any) -> None:
    requests = [ask(f"{number} {'word ' * 50}", max_tokens=50) for number in range(12)]
    asked = iter(range(10_000))

    with pytest.raises(Cancelled):
        list(model.complete(requests, is_cancelled=lambda: next(asked) > 20))
    with pytest.raises(Cancelled):
        list(model.stream(requests[0], is_cancelled=lambda: True))

    assert all(reply.tokens for reply in replies(model, requests))
    assert_as_computed_alone(model, seen[::20])


def test_stopping_in_the_middle_of_a_step_leaves_a_usable_model(model: LlamaModel, monkeypatch: Any) -> None:
    monkeypatch.setattr("lab_desktop.models.llama_calls._CANCEL_INTERVAL_S", 0.0)  # ask at every node of the graph
    request = ask("word " * 150, max_tokens=3)
    model.use_adapter(None)  # an empty cache
    asked = iter(range(10_000))

    with pytest.raises(Cancelled):
        list(model.complete([request], is_cancelled=lambda: next(asked) == 10))  # not between steps: inside the first

    assert next(asked) == 11
    assert replies(model, [request]) == replies(model, [request])


def test_an_iteration_left_in_the_middle_does_not_block_the_next(model: LlamaModel) -> None:
    for _ in model.complete([ask(f"{number}") for number in range(9)]):
        break

    assert replies(model, [ask("1")])[0].tokens > 0


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaModel]:
    """A base with two adapters, "first" and "second"."""
    folder = tmp_path_factory.mktemp("adapted")
    base = tiny_model(folder / "base.gguf")
    adapters = {
        name: write_adapter(lora.random_adapter(folder / name, base, seed=seed), Run(folder / f"{name}-run"))
        for seed, name in enumerate(("first", "second"), 1)
    }
    with LlamaModel(base, adapters=adapters, context_tokens=1024, parallel=4, threads=1) as loaded:
        yield loaded


def test_an_adapter_is_switched_on_and_off_and_the_base_comes_back_to_the_last_bit(adapted: LlamaModel) -> None:
    found = {}
    for step, name in enumerate((None, "first", "second", None, "second", "first")):
        adapted.use_adapter(name)
        found[step] = adapted.logits(lora.PROMPT)
    base, first, second, base_again, second_again, first_again = found.values()

    np.testing.assert_array_equal(base, base_again)
    np.testing.assert_array_equal(first, first_again)
    np.testing.assert_array_equal(second, second_again)
    for one, other in ((base, first), (base, second), (first, second)):
        assert np.abs(one - other).max() > 0.5


def test_an_adapter_computes_what_llama_cpps_own_class_computes_with_it(adapted: LlamaModel, tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base.gguf")
    adapter = write_adapter(lora.random_adapter(tmp_path / "second", base, seed=2), Run(tmp_path / "run"))

    adapted.use_adapter("second")

    np.testing.assert_allclose(adapted.logits(lora.PROMPT), lora.logits(base, adapter), atol=5e-2)  # 16-bit cache


def test_what_one_adapter_has_read_is_not_reused_by_another(adapted: LlamaModel, seen: Any) -> None:
    request = ask("What grows on the island? " * 8, max_tokens=4)
    length = len(adapted.tokenizer.chat_prompt(request.messages))
    chosen_from = {}
    texts = set()
    for name in ("first", None, "second"):
        adapted.use_adapter(name)
        before = adapted.decoded_tokens
        texts |= {reply.text for reply in replies(adapted, [request, request])}
        chosen_from[name] = list(seen)
        seen.clear()

        assert length <= adapted.decoded_tokens - before < 1.5 * length  # once, for both
    assert len(texts) == 3
    for name, steps in chosen_from.items():
        adapted.use_adapter(name)
        assert_as_computed_alone(adapted, steps)


def test_an_adapter_that_was_not_given_changes_nothing(adapted: LlamaModel) -> None:
    adapted.use_adapter("first")
    before = adapted.logits(lora.PROMPT)

    with pytest.raises(KeyError):
        adapted.use_adapter("third")

    np.testing.assert_array_equal(adapted.logits(lora.PROMPT), before)


def test_an_adapter_cannot_change_in_the_middle_of_an_answer(adapted: LlamaModel) -> None:
    adapted.use_adapter(None)
    (whole,) = replies(adapted, [ask("Tell me", max_tokens=20)])
    adapted.use_adapter(None)
    pieces = adapted.stream(ask("Tell me", max_tokens=20))
    text = next(pieces)

    for interrupt in (lambda: adapted.use_adapter("first"), lambda: adapted.logits(lora.PROMPT)):
        with pytest.raises(RuntimeError, match="answering already"):
            interrupt()

    assert text + "".join(pieces) == whole.text


@pytest.mark.slow
def test_while_a_long_prompt_is_read_a_cancel_is_heard_within_a_second() -> None:
    long = ask("The island of Velmora lies far out at sea. " * 270)
    with LlamaModel(practice_model()) as model:
        assert len(model.tokenizer.chat_prompt(long.messages)) > 3000
        for answer in (lambda stop: list(model.complete([long], stop)), lambda stop: list(model.stream(long, stop))):
            model.use_adapter(None)  # an empty cache
            before = model.decoded_tokens
            asked_at = [time.monotonic()]

            def is_cancelled(before: int = before, asked_at: list[float] = asked_at) -> bool:
                asked_at.append(time.monotonic())
                return model.decoded_tokens > before and len(asked_at) > 6  # in the second part of the prompt or later

            with pytest.raises(Cancelled):
                answer(is_cancelled)
            asked_at.append(time.monotonic())

            assert 0 < model.decoded_tokens - before < 3000
            assert max(later - earlier for earlier, later in pairwise(asked_at)) < 1
        assert replies(model, [ask("Say hello.")])[0].tokens > 0
