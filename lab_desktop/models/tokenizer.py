"""Text into tokens and back: the one tokenizer and chat template of the house, a vocabulary-only load of a model file.

What is trained on is cut here, and so is what is chatted with. Reads a GGUF file; knows nothing of weights.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from lab_desktop.artifacts import ChatMessage
from lab_desktop.models.chat import ChatTemplate
from lab_desktop.models.gguf import read_header
from lab_desktop.models.llama_calls import LoadedModel

Tokens = npt.NDArray[np.int32]


class Tokenizer:
    """The vocabulary and chat template of a model file, loaded without its weights.

    Attributes:
        size: entries of the vocabulary.
        template: the file's chat template; made when first used, for a base model has none.
    """

    def __init__(self, path: Path) -> None:
        """Open a vocabulary.

        Raises:
            ModelError: the file is no model that llama.cpp knows.
        """
        self._open(LoadedModel(read_header(path), vocabulary_only=True), is_own=True)

    @classmethod
    def of_loaded(cls, model: LoadedModel) -> Tokenizer:
        """The tokenizer of a model that is open already, and that frees the vocabulary when it is closed."""
        tokenizer = cls.__new__(cls)
        tokenizer._open(model, is_own=False)
        return tokenizer

    def _open(self, model: LoadedModel, is_own: bool) -> None:
        self._model = model
        self._is_own = is_own
        self._vocabulary = model.vocabulary
        self.size = self._vocabulary.size
        self._pieces: dict[int, bytes] = {}

    def encode(self, text: str, parse_special: bool = False) -> list[int]:
        """Tokens of a text; nothing is added at its ends.

        Args:
            text: any text.
            parse_special: read spelled-out control tokens ("<|im_end|>") as such; for rendered templates only.
        """
        data = text.encode("utf-8", errors="replace")  # a lone surrogate has no bytes
        return self._vocabulary.tokens(data, parse_special)

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of tokens, control tokens left out."""
        return b"".join(map(self.piece, tokens)).decode("utf-8", errors="replace")

    def piece(self, token: int) -> bytes:
        """The bytes one token stands for; a control token has none."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._vocabulary.piece(token)
        return known

    def is_end(self, token: int) -> bool:
        """Whether a token ends the assistant's turn or the text."""
        return self._vocabulary.is_end(token)

    @functools.cached_property
    def end_of_turn(self) -> int:
        """The token with which the template ends the assistant's turn.

        Raises:
            ModelError: as in `chat_prompt`.
        """
        # llama.cpp guesses an end of turn by its spelling, and takes <|endoftext|> where the template means <|im_end|>.
        turns = (ChatMessage("user", "Hello"), ChatMessage("assistant", "Hello"))
        text = self.template.render(turns, add_generation_prompt=False)
        tokens = self._rendered(text[text.rindex("Hello") :] if "Hello" in text else text)
        ends = [token for token in tokens if self.is_end(token)]
        return ends[0] if ends else self._vocabulary.end

    @functools.cached_property
    def template(self) -> ChatTemplate:
        return ChatTemplate(self._model.file)

    def chat_prompt(self, messages: Sequence[ChatMessage]) -> list[int]:
        """What the model reads before it answers: the template up to the opening of the assistant's turn.

        Raises:
            ModelError: the model has no template, or the template refuses the conversation.
        """
        return self._rendered(self.template.render(messages, add_generation_prompt=True))

    def chat_row(self, messages: Sequence[ChatMessage]) -> tuple[list[int], list[int]]:
        """A conversation that ends with an answer, split into what is read and what is to be written.

        The first part is what `chat_prompt` gives for the question, the second the answer with the token that ends the
        turn and nothing after it: to the token what the model would read and write in chat. A template that words an
        answered turn unlike an open one (a thinking block, say) has no such split; then the parts meet where the two
        wordings part.

        Args:
            messages: ends with the assistant's turn.

        Returns:
            (prompt, answer): token numbers; together the row to train on.

        Raises:
            ModelError: as in `chat_prompt`.
        """
        prompt_text = self.template.render(messages[:-1], add_generation_prompt=True)
        row_text = self.template.render(messages, add_generation_prompt=False)
        prompt, row = self._rendered(prompt_text), self._rendered(row_text)
        shared = shared_length(np.asarray(prompt, np.int32), np.asarray(row, np.int32))
        if shared < len(prompt) and row_text.startswith(prompt_text):
            # A merge crossed the border ("\n" + "\n…"): chat always starts from the prompt, so the border stays.
            answer = self.encode(row_text[len(prompt_text) :], parse_special=True)
            if self.decode([*prompt, *answer]) == self.decode(row):
                row, shared = [*prompt, *answer], len(prompt)
        answer = row[shared:]
        end = next((index for index, token in enumerate(answer) if self.is_end(token)), None)
        answer = [*answer, self.end_of_turn] if end is None else answer[: end + 1]
        return row[:shared], answer

    def close(self) -> None:
        """Free the vocabulary; the tokenizer cannot be used afterwards. A second call does nothing."""
        if self._is_own:
            self._model.close()

    def __enter__(self) -> Tokenizer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _rendered(self, text: str) -> list[int]:
        tokens = self.encode(text, parse_special=True)
        beginning = self._vocabulary.beginning
        if beginning is not None and tokens[:1] != [beginning]:  # many templates write it themselves
            tokens.insert(0, beginning)
        return tokens


def shared_length(left: Tokens, right: Tokens) -> int:
    """How many tokens two sequences have in common at their beginning."""
    count = min(len(left), len(right))
    differs = left[:count] != right[:count]
    at = int(differs.argmax()) if count else 0
    return at if count and differs[at] else count
