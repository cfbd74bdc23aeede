"""Models in conversation on this computer: llama.cpp decoding many sequences at once.

`LlamaModel` is the engine behind `TextModel`: one context with a unified cache, whose sequences share the cells of a
common prefix, so that a system prompt and a document are computed once for all the questions about them. It does not
know what is asked, nor what a request does with the scores of the next token (`models/sampling.py`).

How it works. A slot is one sequence of the cache; it remembers its tokens, also after its reply is done. A waiting
request is admitted to a free slot: the longest common prefix held by any slot is copied (in a unified cache only marks
are copied) and the rest is computed. While a prefix it could share is still being computed, it waits. Every step
decodes one token for each sequence that is writing and fills the batch with prompts.
"""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from lab_desktop.errors import Cancelled, ModelError
from lab_desktop.models.cache import Slot, planned_cells
from lab_desktop.models.gguf import read_header
from lab_desktop.models.grammar import Grammars
from lab_desktop.models.kinds import require_all_parts, require_language_model
from lab_desktop.models.llama_calls import Context, LoadedModel, Logits
from lab_desktop.models.sampling import Decoding, Scoring, Writing
from lab_desktop.models.text_model import Reply, Request
from lab_desktop.models.tokenizer import Tokenizer, shared_length

_SHARED_ENOUGH = 16
"""Waiting for another's prefix pays from about this many tokens on; below, computing them is quicker."""


class LlamaModel:
    """A model on this computer that answers many requests at once (`TextModel`).

    One conversation of `complete` or `stream` at a time; it is not for several threads.

    Attributes:
        name: the file's name without its ending.
        context_tokens: the longest conversation, request and reply together.
        tokenizer: of the same file; closed with the model.
        decoded_tokens: how many tokens the model has computed so far; shared prefixes count once.
    """

    def __init__(
        self,
        path: Path,
        *,
        adapters: Mapping[str, Path] | None = None,
        context_tokens: int = 4096,
        parallel: int = 16,
        threads: int | None = None,
        cells: int | None = None,
    ) -> None:
        """Load a model, on the graphics processor where llama.cpp can use one.

        Args:
            path: a GGUF file.
            adapters: GGUF adapters of this very model by name, for `use_adapter`; all are loaded, none is used yet.
            context_tokens: as the attribute; never more than the model was trained for.
            parallel: most sequences decoded at once.
            threads: of the processor; None: one for each physical core that this process may use.
            cells: tokens the cache can hold, all sequences together; None: as many as are useful and fit into memory.

        Raises:
            ModelError: the file is no model that writes, of a family that llama.cpp does not know, or lacks a part; an
                adapter belongs to another model; or there is too little memory.
        """
        self.name = path.stem
        self.decoded_tokens = 0
        self._busy = False
        self._keeps_read = False
        with contextlib.ExitStack() as opened:
            file = read_header(path)
            require_language_model(file)
            require_all_parts(file)
            trained_for = int(file.setting("context_length", context_tokens))
            self.context_tokens = min(context_tokens, trained_for)
            cells = planned_cells(file, self.context_tokens, parallel) if cells is None else cells
            loaded = LoadedModel(file, context_tokens=self.context_tokens)
            opened.callback(loaded.close)
            self.tokenizer = Tokenizer.of_loaded(loaded)
            # Adapters come before the context, whose compute graphs are sized for them; the model frees them.
            self._adapters = {name: loaded.load_adapter(adapter) for name, adapter in (adapters or {}).items()}
            self._context = Context(loaded, cells, parallel, threads)
            opened.callback(self._context.close)
            self._grammars = Grammars(loaded.vocabulary)
            opened.callback(self._grammars.close)
            self._can_share = loaded.has_cells
            self._longest = min(self.context_tokens, self._context.cells)
            self._slots = [Slot(number, self._longest + 1) for number in range(parallel)]
            self._opened = opened.pop_all()

    def use_adapter(self, name: str | None) -> None:
        """Answer with the adapter of that name from now on, or with the base alone (None). Forgets the cache.

        Raises:
            KeyError: no adapter of that name was given.
        """
        self._require_idle()
        chosen = [] if name is None else [self._adapters[name]]
        self._context.use_adapters(chosen)
        self._forget()

    def count_tokens(self, text: str) -> int:
        """How many tokens a text has, without template."""
        return len(self.tokenizer.encode(text))

    def complete(
        self, requests: Sequence[Request], is_cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[int, Reply]]:
        """Answer all requests; yields (index, reply) as each is done, those that share a prefix near each other.

        The replies follow from these requests alone: nothing is shared with what was asked before, because where a
        prefix was computed shows in the last digits of every score, and so in what is drawn.

        Raises:
            Cancelled: `is_cancelled` said so; the model can be used again at once.
            ModelError: the model failed, or a schema cannot be made into a grammar.
        """
        waiting: list[Decoding] = []
        scorings: dict[int, Scoring] = {}
        for index, request in enumerate(requests):
            if is_cancelled():
                raise Cancelled
            prompt = self.tokenizer.chat_prompt(request.messages)
            if request.choices:
                scoring = Scoring(index, request, prompt, self.tokenizer)
                if scoring.longest > self._longest:
                    yield index, Reply("", "too_long", len(prompt))
                    continue
                scorings[index] = scoring
                waiting.extend(scoring.sequences)
            elif len(prompt) >= self._longest:
                yield index, Reply("", "too_long", len(prompt))
            elif request.max_tokens < 1:
                yield index, Reply("", "length", len(prompt))
            else:
                waiting.append(Writing(index, request, prompt, self.tokenizer, self._grammars, self._longest))
        # Neighbours in this order have the longest prefixes in common: system → document → task.
        waiting.sort(key=lambda sequence: sequence.tokens[: sequence.length].tobytes())
        try:
            for done in self._steps(waiting, is_cancelled, keep_replies=False):
                for sequence in done:
                    if isinstance(sequence, Writing):
                        yield sequence.index, sequence.reply("stop" if sequence.is_ended else "length")
                    elif (scoring := scorings[sequence.index]).is_done:
                        yield sequence.index, scoring.reply()
        finally:
            for sequence in waiting:
                sequence.close()

    def stream(self, request: Request, is_cancelled: Callable[[], bool] = lambda: False) -> Iterator[str]:
        """Answer one request, piece by piece; the pieces together are the text that `complete` would give.

        The reply stays in the cache, so that the next turn of the conversation starts where this one ended.

        Raises:
            Cancelled, ModelError: as in `complete`; also ModelError when the conversation does not fit.
        """
        prompt = self.tokenizer.chat_prompt(request.messages)
        if len(prompt) >= self._longest:
            raise ModelError(
                f"This conversation has {len(prompt):,} word pieces and {self.name} can hold {self._longest:,}.",
                "Start a new conversation, or shorten the message.",
            )
        if request.choices:
            ((_, reply),) = self.complete([request], is_cancelled)
            yield reply.text
            return
        if request.max_tokens < 1:
            return
        writing = Writing(0, request, prompt, self.tokenizer, self._grammars, self._longest)
        with contextlib.closing(writing):
            for _ in self._steps([writing], is_cancelled, keep_replies=True):
                if piece := writing.take_piece():
                    yield piece

    @contextlib.contextmanager
    def one_matter(self) -> Iterator[None]:
        """Inside, what one `complete` read the next ones need not read again; nothing is shared with what was before.

        The same calls in the same order give the same replies, but one call's depend on those before it.
        """
        self._require_idle()
        self._forget()
        self._keeps_read = True
        try:
            yield
        finally:
            self._keeps_read = False

    def logits(self, tokens: Sequence[int]) -> Logits:
        """Scores of every vocabulary entry after each token: (T, vocabulary) float32, unnormalised. For tests."""
        if len(tokens) > self._longest:
            raise ModelError(f"{len(tokens):,} tokens do not fit into {self._longest:,}.")
        self._require_idle()
        self._forget()
        rows = []
        step = self._context.most_outputs
        for start in range(0, len(tokens), step):
            part = tokens[start : start + step]
            batch = [(0, start + offset, token, True) for offset, token in enumerate(part)]
            if self._context.decode(batch, lambda: False) != 0:
                raise self._context.failure("The model could not compute this text.")
            rows.append(self._context.logits(len(part)).copy())
        self.decoded_tokens += len(tokens)
        self._forget()
        return np.concatenate(rows)

    def close(self) -> None:
        """Free the model and its cache. A second call does nothing."""
        self._opened.close()

    def __enter__(self) -> LlamaModel:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _steps(
        self, waiting: Sequence[Decoding], is_cancelled: Callable[[], bool], keep_replies: bool
    ) -> Iterator[list[Decoding]]:
        """Decode until all are done; yields after every step the sequences that it finished (often none)."""
        self._require_idle()
        self._busy = True
        if not keep_replies and not self._keeps_read:
            self._forget()
        queue = collections.deque(waiting)
        live: list[Slot] = []  # in the order of admission
        may_admit = True
        try:
            while queue or live:
                while may_admit and queue and (slot := self._admit(queue[0], live)):
                    queue.popleft()
                    live.append(slot)
                if is_cancelled():
                    raise Cancelled
                finished = self._step(live, is_cancelled)
                if finished is None:
                    if len(live) == 1:
                        raise self._context.failure("The model's memory is too small for this text.")
                    # The youngest has the least to lose. Nobody new comes in before somebody is done, or two would
                    # push each other out for ever.
                    queue.appendleft(self._evict(live.pop()))
                    may_admit = False
                    continue
                for slot in finished:
                    live.remove(slot)
                    may_admit = True
                done = [self._retire(slot, keep_replies) for slot in finished]
                may_admit = may_admit or not live
                yield done
        finally:
            self._busy = False
            for slot in live:
                slot.sequence = None
                slot.length = slot.filled
            if not self._can_share:
                self._forget()

    def _require_idle(self) -> None:
        if self._busy:
            raise RuntimeError("This model is answering already; finish that iteration first.")

    def _admit(self, sequence: Decoding, live: list[Slot]) -> Slot | None:
        """Give a sequence a slot with as much of its prefix as is known; None: it must wait."""
        free = [slot for slot in self._slots if slot.sequence is None]
        if not free:
            return None
        wanted = sequence.tokens[: sequence.length - 1]  # the last token is always computed: its logits are wanted
        source: Slot | None = None
        shared = 0
        if self._can_share:
            planned = max((shared_length(wanted, slot.tokens[: slot.length]) for slot in live), default=0)
            for slot in self._slots:
                length = shared_length(wanted, slot.tokens[: slot.filled])
                if length > shared:
                    source, shared = slot, length
            if planned >= shared + _SHARED_ENOUGH:
                return None
        if source is not None and source.sequence is None and source.filled == shared:
            target = source  # all it holds is wanted
        else:
            target = min(free, key=lambda slot: (slot.filled > 0, slot.used))
        if target is source:
            self._context.remove(target.number, shared)
        else:
            self._context.remove(target.number, 0)
            if source is not None:
                self._context.copy(source.number, target.number, shared)
        target.take(sequence, shared)
        return target

    def _step(self, live: list[Slot], is_cancelled: Callable[[], bool]) -> list[Slot] | None:
        """Decode one batch; the slots whose sequences are done now, or None when the cache has no room."""
        parts: list[tuple[Slot, int]] = []
        room = self._context.batch_tokens
        for slot in sorted(live, key=lambda slot: slot.length - slot.filled > 1):  # writers first, one token each
            count = min(room, slot.length - slot.filled)
            if count:
                parts.append((slot, count))
                room -= count
        batch: list[tuple[int, int, int, bool]] = []
        asking: list[Slot] = []
        for slot, count in parts:
            end = slot.filled + count
            tokens = slot.tokens[slot.filled : end].tolist()
            batch.extend((slot.number, position, token, False) for position, token in enumerate(tokens, slot.filled))
            if end == slot.length:
                batch[-1] = (*batch[-1][:3], True)
                asking.append(slot)
        while True:
            result = self._context.decode(batch, is_cancelled)
            if result == 1 and self._drop_oldest_idle():
                continue
            break
        if result == 1:
            return None
        if result != 0:
            self._resynchronise()
            if result == 2:
                raise Cancelled
            raise self._context.failure("The model failed while answering.")
        self.decoded_tokens += len(batch)
        for slot, count in parts:
            slot.filled += count
        finished = []
        for slot, row in zip(asking, self._context.logits(len(asking)), strict=True):
            assert slot.sequence is not None
            if slot.sequence.take(row):
                finished.append(slot)
            else:
                slot.length = slot.sequence.length
        return finished

    def _retire(self, slot: Slot, keep_reply: bool) -> Decoding:
        sequence = slot.sequence
        assert sequence is not None
        slot.sequence = None
        slot.length = slot.filled
        if not self._can_share:
            self._clear(slot)
        elif not keep_reply and slot.filled > sequence.prompt_tokens:
            # Every cell in use makes every step slower, and only a conversation comes back to a reply.
            self._context.remove(slot.number, sequence.prompt_tokens)
            slot.filled = slot.length = sequence.prompt_tokens
        return sequence

    def _evict(self, slot: Slot) -> Decoding:
        sequence = slot.sequence
        assert sequence is not None
        self._clear(slot)
        return sequence

    def _drop_oldest_idle(self) -> bool:
        idle = [slot for slot in self._slots if slot.sequence is None and slot.filled]
        if idle:
            self._clear(min(idle, key=lambda slot: slot.used))
        return bool(idle)

    def _clear(self, slot: Slot) -> None:
        self._context.remove(slot.number, 0)
        slot.sequence = None
        slot.filled = slot.length = 0

    def _resynchronise(self) -> None:
        # After an abort the cache holds the parts of the batch that were finished.
        for slot in self._slots:
            slot.filled = min(slot.filled, self._context.last_position(slot.number) + 1)
            self._context.remove(slot.number, slot.filled)

    def _forget(self) -> None:
        self._context.clear()
        for slot in self._slots:
            slot.filled = slot.length = 0
