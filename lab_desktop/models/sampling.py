"""What a request does with the scores of the next token: write a reply, or say how likely a few texts are.

`Writing` takes the likeliest token or draws one, within a grammar where a schema asks for one; `Scoring` adds up
log-probabilities. Both are told the scores by the engine (`models/llama.py`), and know nothing of caches and batches.
"""

from __future__ import annotations

import codecs
import collections
import itertools
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lab_desktop.errors import ModelError
from lab_desktop.models.grammar import Grammars
from lab_desktop.models.llama_calls import Logits
from lab_desktop.models.text_model import Reply, Request
from lab_desktop.models.tokenizer import Tokenizer, Tokens

_LIKELIEST = 64
"""Sampling looks at this many tokens; the others together have next to no probability."""
_MANY = 2048
"""Where a grammar refuses the likeliest, it is asked about this many before all (which takes as long as a step)."""
_NEAR = 12.0
"""Scores this far below the highest are e⁻¹² times as likely, and rarely among the likeliest."""


class Decoding(Protocol):
    """What a slot works on.

    Attributes:
        index: of the request.
        tokens: room for the whole sequence; [0, length) are known.
        prompt_tokens: of these, what was read.
    """

    index: int
    tokens: Tokens
    length: int
    prompt_tokens: int

    def take(self, logits: Logits) -> bool:
        """Look at the scores after the last known token; True when done, else one more token is known."""
        ...

    def close(self) -> None: ...


class Writing:
    """A reply in the making.

    Attributes:
        is_ended: the model ended it, or a stop text did; False at the end means that the room was used up.
    """

    def __init__(
        self,
        index: int,
        request: Request,
        prompt: list[int],
        tokenizer: Tokenizer,
        grammars: Grammars,
        longest: int,
    ) -> None:
        self.index = index
        self.prompt_tokens = self.length = len(prompt)
        self._last = min(self.prompt_tokens + request.max_tokens, longest)
        self.tokens: Tokens = np.zeros(self._last + 1, np.int32)
        self.tokens[: self.length] = prompt
        self.is_ended = False
        self._tokenizer = tokenizer
        self._temperature = request.temperature
        self._random = np.random.default_rng(request.seed)
        self._grammar = grammars.start(request.schema) if request.schema is not None else None
        self._stop = tuple(stop for stop in request.stop if stop)
        # Under a grammar bytes that are no UTF-8 must not come in: what replaces them could swallow a quote.
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace" if self._grammar is None else "strict")
        self._text = ""
        self._given = 0

    def take(self, logits: Logits) -> bool:
        token = self._choose(logits)
        if self._tokenizer.is_end(token):
            self._finish()
            return True
        if self._grammar is not None:
            self._grammar.accept(token)
        self.tokens[self.length] = token
        self.length += 1
        self._text += self._bytes.decode(self._tokenizer.piece(token))
        ends = [at for stop in self._stop if (at := self._text.find(stop)) >= 0]
        if ends:
            self._text = self._text[: min(ends)]
            self.is_ended = True
            return True
        return self.length >= self._last

    def take_piece(self) -> str:
        """What can be shown since the last call: nothing that a stop text or the final strip could take back."""
        text = self._text.lstrip()
        if self.is_ended:
            text = text.rstrip()
        elif self.length < self._last:
            held = max((_overlap(text, stop) for stop in self._stop), default=0)
            text = text[: len(text) - held].rstrip()
        else:
            text = (text + self._tail()).strip()
        piece = text[self._given :]
        self._given = max(self._given, len(text))
        return piece

    def reply(self, finish: str) -> Reply:
        text = self._text if self.is_ended else self._text + self._tail()
        return Reply(text.strip(), finish, self.prompt_tokens, self.length - self.prompt_tokens)

    def close(self) -> None:
        if self._grammar is not None:
            self._grammar.close()

    def _finish(self) -> None:
        self._text += self._tail()
        self.is_ended = True

    def _tail(self) -> str:
        # Half a character at the end is shown as such; under a grammar it is left out, to stay cut-off JSON.
        return "" if self._grammar is not None else codecs.decode(self._bytes.getstate()[0], "utf-8", "replace")

    def _choose(self, logits: Logits) -> int:
        """The likeliest token or one drawn from the likeliest, among those that the grammar lets through.

        Asking the grammar about one token is cheap, about many it is not. So a token is chosen first and asked about
        then; only where it is refused are others asked about, and one of those let through is chosen. The odds are the
        same: where those let through have the probability P together, p + (1 - P) · p / P = p / P.
        """
        if self._temperature <= 0:
            token = int(logits.argmax())
        else:
            token = self._draw(_likeliest(logits, _LIKELIEST), logits)
        if self._allowed(np.array([token]), logits).size:
            return token
        for count in (_LIKELIEST, _MANY, len(logits)):
            allowed = self._allowed(_likeliest(logits, count), logits)
            if allowed.size:
                return int(allowed[0]) if self._temperature <= 0 else self._draw(allowed, logits)
        raise ModelError("The model cannot continue in the required form.", "Report this with the log.")

    def _allowed(self, tokens: npt.NDArray[np.int64], logits: Logits) -> npt.NDArray[np.int64]:
        """The 64 likeliest of the tokens that the grammar lets through, likeliest first."""
        if self._grammar is None:
            return tokens
        allowed = self._grammar.allowed(tokens, logits)
        likeliest_first = allowed[np.argsort(-logits[allowed], kind="stable")].tolist()
        return np.fromiter(itertools.islice(filter(self._is_text, likeliest_first), _LIKELIEST), np.int64)

    def _is_text(self, token: int) -> bool:
        state = self._bytes.getstate()
        try:
            self._bytes.decode(self._tokenizer.piece(token), self._tokenizer.is_end(token))
            pending = self._bytes.getstate()[0]
            # Python notices half a surrogate pair only at its third byte, when it is too late to choose another second.
            return not (pending[:1] == b"\xed" and pending[1:2] >= b"\xa0")
        except UnicodeDecodeError:
            return False
        finally:
            self._bytes.setstate(state)

    def _draw(self, tokens: npt.NDArray[np.int64], logits: Logits) -> int:
        """One of the tokens, by softmax(logits / temperature) with this request's own generator."""
        scores = logits[tokens].astype(np.float64) / self._temperature
        weights = np.exp(scores - scores.max()).cumsum()
        at = int(np.searchsorted(weights, self._random.random() * weights[-1], side="right"))
        return int(tokens[min(at, len(tokens) - 1)])


class Scoring:
    """How likely each of a few texts comes next: the summed log-probability of its tokens.

    Tokens after the point where a text has parted from all others do not count: they follow from what came before.
    One short sequence for each point where texts part; the cache makes them share the prompt. A text that another one
    begins with is told apart by the token that ends the turn.
    """

    def __init__(self, index: int, request: Request, prompt: list[int], tokenizer: Tokenizer) -> None:
        self._choices = request.choices
        self._prompt_tokens = len(prompt)
        end = tokenizer.end_of_turn
        self._spelled = [(*tokenizer.encode(choice), end) for choice in request.choices]
        beginnings = collections.Counter(text[:n] for text in set(self._spelled) for n in range(len(text)))
        forks = {beginning for beginning, count in beginnings.items() if count > 1} | {()}
        # Between two forks lie tokens that all texts there share; they count too, against texts that parted earlier.
        self._points = {point: _ScoringPoint(index, prompt, point, self._spelled) for point in forks}

    @property
    def sequences(self) -> list[_ScoringPoint]:
        return list(self._points.values())

    @property
    def longest(self) -> int:
        return max(point.length for point in self._points.values())

    @property
    def is_done(self) -> bool:
        return all(point.scores is not None for point in self._points.values())

    def reply(self) -> Reply:
        totals = np.array([self._log_probability(text) for text in self._spelled])
        weights = np.exp(totals - totals.max())
        probabilities = weights / weights.sum()
        likeliest = self._choices[int(probabilities.argmax())]
        return Reply(likeliest.strip(), "stop", self._prompt_tokens, 0, tuple(probabilities.tolist()))

    def _log_probability(self, text: tuple[int, ...]) -> float:
        total = 0.0
        for position, token in enumerate(text):
            point = self._points.get(text[:position])
            if point is None:
                break
            assert point.scores is not None
            total += point.scores[token]
        return total


class _ScoringPoint:
    """A prompt and the tokens that several choices begin with.

    Attributes:
        scores: log-probability of each token with which a choice goes on; None until known.
    """

    def __init__(
        self, index: int, prompt: list[int], beginning: tuple[int, ...], spelled: Sequence[tuple[int, ...]]
    ) -> None:
        self.index = index
        self.tokens: Tokens = np.array([*prompt, *beginning], np.int32)
        self.length = self.prompt_tokens = len(self.tokens)
        at = len(beginning)
        self._following = {text[at] for text in spelled if len(text) > at and text[:at] == beginning}
        self.scores: dict[int, float] | None = None

    def take(self, logits: Logits) -> bool:
        highest = logits.max()
        total = float(highest) + float(np.log(np.exp(logits - highest).sum(dtype=np.float64)))
        # Not those of the whole vocabulary: thousands of requests wait for each other's end.
        self.scores = {token: float(logits[token]) - total for token in self._following}
        return True

    def close(self) -> None:
        pass


def _likeliest(logits: Logits, count: int) -> npt.NDArray[np.int64]:
    """The tokens with the highest scores, in the order of the vocabulary."""
    if len(logits) <= count:
        return np.arange(len(logits))
    tokens = np.flatnonzero(logits >= logits.max() - _NEAR)  # far quicker than to partition all
    if len(tokens) < count:
        tokens = np.arange(len(logits))
    if len(tokens) > count:
        tokens = np.sort(tokens[np.argpartition(logits[tokens], -count)[-count:]])
    return tokens


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of the text could be the beginning of the stop text."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)
