from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from lab_desktop.errors import ModelError
from lab_desktop.models.llama import LlamaModel
from lab_desktop.paths import practice_model
from tests.models.asking import SCHEMA, ask, replies


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_a_reply_under_a_schema_is_json_even_from_a_random_model(model: LlamaModel, temperature: float) -> None:
    requests = [
        ask(f"{number}", schema=SCHEMA, max_tokens=200, temperature=temperature, seed=number) for number in range(24)
    ]

    for reply in replies(model, requests):
        assert reply.finish == "stop"
        row = json.loads(reply.text)
        assert set(row) == {"question", "score"} and row["score"] in (1, 2, 3)
        row["question"].encode("utf-8")


def test_json_cut_off_by_max_tokens_says_length(model: LlamaModel) -> None:
    (reply,) = replies(model, [ask("x", schema=SCHEMA, max_tokens=5)])

    assert reply.finish == "length"


def test_a_schema_that_is_no_schema_is_an_error_in_words(model: LlamaModel) -> None:
    with pytest.raises(ModelError, match="grammar"):
        replies(model, [ask("x", schema={"type": "no such type"})])


def test_choices_are_the_softmax_of_the_models_logits(model: LlamaModel) -> None:
    (reply,) = replies(model, [ask("Is it so?", choices=("Yes", "No", "Maybe"))])

    last = model.logits(model.tokenizer.chat_prompt(ask("Is it so?").messages))[-1].astype(np.float64)
    tokens = [model.tokenizer.encode(letter)[0] for letter in "YNM"]
    weights = np.exp(last[tokens] - last.max())
    assert reply.probabilities == pytest.approx(tuple(weights / weights.sum()), rel=2e-2)
    assert math.isclose(sum(reply.probabilities), 1.0)
    assert reply.text == ("Yes", "No", "Maybe")[int(np.argmax(reply.probabilities))]


def test_choices_that_begin_alike_are_told_apart_by_all_their_tokens(model: LlamaModel) -> None:
    prompt = model.tokenizer.chat_prompt(ask("How many?").messages)
    (reply,) = replies(model, [ask("How many?", choices=("1", "10", "12", "2"))])

    def following(tokens: list[int]) -> Any:
        scores = model.logits([*prompt, *tokens])[-1].astype(np.float64)
        return scores - np.log(np.exp(scores).sum())

    one, two, zero = (model.tokenizer.encode(digit)[0] for digit in "120")
    first, second = following([]), following([one])
    end = model.tokenizer.end_of_turn
    totals = np.exp([first[one] + second[end], first[one] + second[zero], first[one] + second[two], first[two]])
    assert reply.probabilities == pytest.approx(tuple(totals / totals.sum()), rel=2e-2)


def test_a_seed_makes_sampling_repeatable_whatever_else_is_asked(model: LlamaModel) -> None:
    warm = [ask("A story", temperature=1.0, seed=seed) for seed in (1, 2, 1)]

    alone = replies(model, warm[:1])
    first, second, third = replies(model, [*warm, *(ask(f"{number}") for number in range(6))])[:3]

    assert first.text == third.text == alone[0].text != second.text


def test_pieces_of_a_stream_are_the_text_of_the_reply(model: LlamaModel) -> None:
    for settings in ({}, {"temperature": 1.2, "seed": 5, "max_tokens": 60}, {"schema": SCHEMA, "max_tokens": 90}):
        request = ask("Anything", **settings)
        model.use_adapter(None)  # an empty cache both times: then the two are the same to the last bit
        pieces = list(model.stream(request))
        model.use_adapter(None)
        assert len(pieces) > 3
        assert "".join(pieces) == replies(model, [request])[0].text


def test_a_reply_ends_before_a_stop_text(model: LlamaModel) -> None:
    model.use_adapter(None)
    (whole,) = replies(model, [ask("Go", max_tokens=30, temperature=1.0)])
    stop = whole.text[6:9]

    request = ask("Go", max_tokens=30, temperature=1.0, stop=(stop,))
    model.use_adapter(None)
    (cut,) = replies(model, [request])
    model.use_adapter(None)

    assert cut.text == whole.text[: whole.text.index(stop)].strip()
    assert cut.finish == "stop"
    assert "".join(model.stream(request)) == cut.text


def test_draws_under_a_grammar_have_the_odds_of_the_model_among_what_is_let_through(model: LlamaModel) -> None:
    prompt = [*model.tokenizer.chat_prompt(ask("Name one").messages), *model.tokenizer.encode('"')]
    last = model.logits(prompt)[-1].astype(np.float64)
    likeliest = [int(token) for token in np.argsort(-last)[:64]]  # sampling looks at no more
    tokens = [token for token in likeliest if chr(token).isascii() and chr(token).isalnum()][:6]
    schema = {"enum": [chr(token) + "xxx" for token in tokens]}
    requests = [ask("Name one", schema=schema, max_tokens=3, temperature=2.0, seed=seed) for seed in range(2000)]

    drawn = Counter(ord(reply.text[1]) for reply in replies(model, requests))

    weights = np.exp(last[tokens] / 2.0)
    expected = weights / weights.sum() * len(requests)
    chi_squared = sum((drawn[token] - count) ** 2 / count for token, count in zip(tokens, expected, strict=True))
    assert len(tokens) == 6 and min(expected) > 20
    assert chi_squared < 25  # five degrees of freedom: once in seven thousand


@pytest.mark.slow
def test_the_practice_model_answers_a_batch_under_a_schema() -> None:
    with LlamaModel(practice_model(), parallel=8) as model:
        found = replies(
            model, [ask(f"Ask about animal number {number}.", schema=SCHEMA, max_tokens=80) for number in range(12)]
        )

    assert all(json.loads(reply.text)["question"] for reply in found if reply.finish == "stop")
    assert sum(reply.finish == "stop" for reply in found) > 6
