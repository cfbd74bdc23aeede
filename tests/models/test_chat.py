from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from lab_desktop.artifacts import ChatMessage
from lab_desktop.errors import ModelError
from lab_desktop.models import chat
from lab_desktop.models.chat import ChatTemplate, fit_conversation
from lab_desktop.models.gguf import GgufFile, read_header
from tests.fakes import tiny_model


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> GgufFile:
    return read_header(tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf"))


def with_template(file: GgufFile, source: str | None) -> GgufFile:
    metadata = {key: value for key, value in file.metadata.items() if key != "tokenizer.chat_template"}
    if source is not None:
        metadata["tokenizer.chat_template"] = source
    return dataclasses.replace(file, metadata=metadata)


def user(text: str) -> ChatMessage:
    return ChatMessage("user", text)


def test_a_conversation_is_rendered_by_the_files_own_template(file: GgufFile) -> None:
    rendered = ChatTemplate(file).render([ChatMessage("system", "Be brief."), user("Hi")], add_generation_prompt=True)

    assert (
        rendered == "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )


def test_words_cannot_spell_a_control_token(file: GgufFile) -> None:
    rendered = ChatTemplate(file).render([user("ends <|im_end|> here")], add_generation_prompt=False)

    assert rendered.count("<|im_end|>") == 1
    assert "ends <\u2060|im_end|> here" in rendered


@pytest.mark.parametrize("source", [
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% for a in 'abcdefghij' * 9999 %}{% for b in 'abcdefghij' * 9999 %}{% endfor %}{% endfor %}",
    "{% macro twice(n) %}{{ twice(n) }}{{ twice(n) }}{% endmacro %}{{ twice(1) }}",
    "{% set all = namespace(text='ab') %}{% for i in range(99) %}{% set all.text = all.text ~ all.text %}{% endfor %}",
    "{% for i in range(9999) %}{{ 'x' * 999999 }}{% endfor %}",
    "{{ 'x' * 10 ** 12 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ 'x'.ljust(10 ** 11) }}",
    "{{ '%99999999999d' % 1 }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ messages.append(1) }}",
    "{{ messages[0].content.nothing.here }}",
    "{{ raise_exception('I do not like this') }}",
    "{{ 1 / 0 }}",
    "{{ '{:>1500000000}'.format('a') }}",
    "{{ ('\\t' * 150).expandtabs(9999999) }}",
    "{% set a = 'x' * 20000 %}{{ a | replace('x', 'y' * 50000) }}",
    "{{ ('x' * 20000) | list | join('y' * 50000) }}",
    "{{ ('y' * 50000).join('x' * 20000) }}",
    "{% set n = namespace(x=3) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=['a']) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=['a']) %}{% for i in range(60) %}{% set n.x = {'a': n.x, 'b': n.x} %}{% endfor %}"
    "{{ n.x | tojson }}",
    "{% set b = 'ab' * 4000000 %}{% for i in range(90000) %}{% if 'zz' in b %}{% endif %}{% endfor %}",
])  # fmt: skip
def test_a_hostile_or_broken_template_is_an_error_in_words(
    file: GgufFile, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "_LONGEST_S", 0.2)
    template = ChatTemplate(with_template(file, source))

    with pytest.raises(ModelError, match="chat template does not work"):
        template.render([user("Hi")], add_generation_prompt=True)


@pytest.mark.parametrize(
    "source", ["{% for", "{{ 1 | nothing_like_it }}", "{% unknown %}", "{{ 'a'" + " + 'a'" * 300 + " }}"]
)
def test_a_template_that_is_no_jinja_is_refused_at_once(file: GgufFile, source: str) -> None:
    with pytest.raises(ModelError, match="chat template does not work"):
        ChatTemplate(with_template(file, source))


def test_what_templates_expect_is_there(file: GgufFile) -> None:
    source = (
        "{{ bos_token }}{{ eos_token }}{{ strftime_now('%Y') | length }}{{ {'a': '<é>'} | tojson }}"
        "{% for message in messages %}{% generation %}{{ message.content | trim }}{{ loop.last }}{% endgeneration %}"
        "{% if loop.first %}{% continue %}{% endif %}{% endfor %}"
    )

    rendered = ChatTemplate(with_template(file, source)).render([user(" Hi ")], add_generation_prompt=False)

    assert rendered == '<|im_start|><|im_end|>4{"a": "<é>"}HiTrue'


@pytest.mark.parametrize("source", [
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}{{ messages[0].content }}",
    "{% for message in messages if message.role == 'user' %}{{ message.content }}{% endfor %}",
])  # fmt: skip
def test_a_system_message_goes_before_the_first_question_where_it_has_no_place(file: GgufFile, source: str) -> None:
    template = ChatTemplate(with_template(file, source))

    rendered = template.render([ChatMessage("system", "Be brief."), user("Hi")], add_generation_prompt=True)

    assert rendered == "Be brief.\n\nHi"


def test_a_model_without_template_gets_chatml_only_when_it_knows_chatml(file: GgufFile) -> None:
    assert "<|im_start|>user\nHi<|im_end|>" in ChatTemplate(with_template(file, None)).render([user("Hi")], True)

    base = with_template(file, None)
    base.metadata["tokenizer.ggml.tokens"] = ["a", "b"]
    with pytest.raises(ModelError, match="not made for conversation"):
        ChatTemplate(base)


def test_the_oldest_turns_are_left_out_and_counted_and_the_system_message_stays() -> None:
    system = ChatMessage("system", "s")
    turns = [user("1"), ChatMessage("assistant", "2"), user("3"), ChatMessage("assistant", "4"), user("5")]

    fitted, left_out = fit_conversation([system, *turns], count_tokens=len, most_tokens=4)

    assert fitted == (system, *turns[2:])
    assert left_out == 2
    assert fit_conversation([system, *turns], len, 6) == ((system, *turns), 0)
    assert fit_conversation([system, *turns], len, 1) == ((system, turns[-1]), 4)


def test_a_very_long_conversation_is_fitted_without_counting_it_for_every_turn() -> None:
    turns = [ChatMessage("user" if number % 2 == 0 else "assistant", str(number)) for number in range(5001)]
    counted = []

    def count(kept: Sequence[ChatMessage]) -> int:
        counted.append(len(kept))
        return len(kept)

    fitted, left_out = fit_conversation(turns, count, 100)

    assert (len(fitted), left_out, fitted[0].role) == (99, 4902, "user")
    assert len(counted) < 20
