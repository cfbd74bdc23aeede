"""llama.cpp's C functions behind a few classes: a loaded model, its vocabulary, a context with its batch.

Everything that passes pointers to llama.cpp is here and in `models/grammar.py`; what is asked of a model, and in what
order, is not known here.
"""

from __future__ import annotations

import collections
import ctypes
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt
from llama_cpp._ggml import libggml, libggml_base_path

from lab_desktop import hardware
from lab_desktop.errors import ModelError
from lab_desktop.models.gguf import GgufFile, read_header

_BATCH_TOKENS = 512
_CANCEL_INTERVAL_S = 0.05
_LONGER_THAN_ANY_CACHE = 1 << 30
_log_lines: collections.deque[str] = collections.deque(maxlen=20)
_WANT_OF_MEMORY = ("Cannot allocate memory", "failed to allocate", "unable to allocate", "bad_alloc")
"""What llama.cpp, ggml and the system say of a file for which there is no room."""
_log_callback: Any = None

Logits = npt.NDArray[np.float32]


class LoadedModel:
    """A model file in memory: its weights, or the vocabulary alone.

    Attributes:
        file: what its header says.
        pointer: what llama.cpp wants to see; None once closed.
        vocabulary: valid until the model is closed.
    """

    def __init__(self, file: GgufFile, vocabulary_only: bool = False, context_tokens: int | None = None) -> None:
        """Load a file, on the graphics processor where llama.cpp can use one.

        Args:
            context_tokens: the longest conversation there will be.

        Raises:
            ModelError: llama.cpp does not know the family, or cannot read the file.
        """
        log = quiet_llama_cpp()
        parameters = llama_cpp.llama_model_default_params()
        parameters.vocab_only = vocabulary_only
        parameters.n_gpu_layers = -1
        overrides = _short_rotations(file, context_tokens)
        if overrides is not None:
            parameters.kv_overrides = overrides
        self.file = file
        self.pointer: Any = llama_cpp.llama_model_load_from_file(str(file.path).encode("utf-8"), parameters)
        if not self.pointer:
            raise _cannot_open(file, "\n".join(log))
        self.vocabulary = Vocabulary(self.pointer)

    @property
    def has_cells(self) -> bool:
        """Whether the cache holds a cell for each token; a recurrent state cannot be cut at a token or shared."""
        is_recurrent = llama_cpp.llama_model_is_recurrent(self.pointer) or llama_cpp.llama_model_is_hybrid(self.pointer)
        return not is_recurrent

    def load_adapter(self, path: Path) -> Any:
        """Read an adapter for `Context.use_adapters`; it is freed with the model.

        Raises:
            ModelError: the file is no adapter, or one of another model.
        """
        file = read_header(path)
        if file.metadata.get("general.type") != "adapter":
            raise ModelError(f'"{path.name}" is not an adapter.', "Choose the adapter.gguf of a training run.")
        log = quiet_llama_cpp()
        adapter = llama_cpp.llama_adapter_lora_init(self.pointer, str(path).encode("utf-8"))
        if not adapter:
            if _says_want_of_memory(details := "\n".join(log)):
                raise _too_large(details)
            raise ModelError(
                f'"{path.name}" was trained for another model than "{self.file.path.name}".',
                "Choose the model it was trained on.",
                "\n".join(log),
            )
        return adapter

    def close(self) -> None:
        """Free everything. A second call does nothing."""
        if self.pointer:
            llama_cpp.llama_model_free(self.pointer)
            self.pointer = None


class Vocabulary:
    """The tokens a model knows.

    Attributes:
        pointer: what llama.cpp wants to see.
        size: how many tokens there are.
        beginning: the token with which every text has to begin; None where there is none.
        end: the token that ends a text.
    """

    def __init__(self, model: Any) -> None:
        self.pointer = llama_cpp.llama_model_get_vocab(model)
        self.size = int(llama_cpp.llama_vocab_n_tokens(self.pointer))
        self.end = int(llama_cpp.llama_vocab_eos(self.pointer))
        must_begin = llama_cpp.llama_vocab_get_add_bos(self.pointer)
        self.beginning = int(llama_cpp.llama_vocab_bos(self.pointer)) if must_begin else None

    def tokens(self, data: bytes, parse_special: bool) -> list[int]:
        """Tokens of UTF-8; nothing is added at its ends."""
        room = len(data) + 16
        buffer = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self.pointer, data, len(data), buffer, room, False, parse_special)
        if count < 0:
            buffer = (llama_cpp.llama_token * -count)()
            count = llama_cpp.llama_tokenize(self.pointer, data, len(data), buffer, -count, False, parse_special)
        return list(buffer[:count])

    def piece(self, token: int) -> bytes:
        """The bytes one token stands for; a control token has none."""
        room = 64
        while True:
            buffer = ctypes.create_string_buffer(room)
            size = llama_cpp.llama_token_to_piece(self.pointer, token, buffer, room, 0, False)
            if size >= 0:
                return buffer.raw[:size]
            room = -size

    def is_end(self, token: int) -> bool:
        """Whether a token ends the assistant's turn or the text."""
        return bool(llama_cpp.llama_vocab_is_eog(self.pointer, token))


class Context:
    """llama.cpp's context and batch, in numbers and arrays.

    Attributes:
        cells: tokens the cache can hold.
        batch_tokens: the longest batch.
        most_outputs: positions of one batch that may ask for logits.
    """

    def __init__(self, model: LoadedModel, cells: int, parallel: int, threads: int | None) -> None:
        log = quiet_llama_cpp()
        threads = threads or hardware.threads()
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = cells
        parameters.n_batch = parameters.n_ubatch = _BATCH_TOKENS
        parameters.n_seq_max = parallel
        self.most_outputs = max(parallel, 64)
        parameters.n_outputs_max = self.most_outputs  # the default reserves logits for every token of a batch
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.kv_unified = True
        parameters.swa_full = True  # a window's cache forgets the prefix that others want to share
        parameters.no_perf = True
        self._context = llama_cpp.llama_init_from_model(model.pointer, parameters)
        if not self._context:
            raise _too_large("\n".join(log))
        self.cells = int(llama_cpp.llama_n_ctx(self._context))
        # A batch larger than the cache is not an error to llama.cpp but the end of the process.
        self.batch_tokens = min(_BATCH_TOKENS, int(llama_cpp.llama_n_batch(self._context)))
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._vocabulary = model.vocabulary.size
        self._log = log
        self._batch = _Batch(_BATCH_TOKENS)
        self._is_cancelled: Callable[[], bool] = lambda: False
        self._asked = 0.0
        self._abort = llama_cpp.ggml_abort_callback(self._should_abort)
        self._never_abort = llama_cpp.ggml_abort_callback()
        self._step_s = 1.0
        self._is_watched: bool | None = None

    def decode(self, batch: Sequence[tuple[int, int, int, bool]], is_cancelled: Callable[[], bool]) -> int:
        """Compute a batch of (sequence, position, token, logits wanted); llama_decode's code: 1 no room, 2 stopped."""
        self._is_cancelled = is_cancelled
        started = self._asked = time.monotonic()
        # The question costs about a microsecond for each of a thousand graph nodes: too much for steps that are short.
        is_long = len(batch) > self.most_outputs or self._step_s > _CANCEL_INTERVAL_S
        if is_long != self._is_watched:
            self._is_watched = is_long
            llama_cpp.llama_set_abort_callback(self._context, self._abort if is_long else self._never_abort, None)
        result = int(llama_cpp.llama_decode(self._context, self._batch.filled(batch)))
        if result == 0:
            llama_cpp.llama_synchronize(self._context)
            self._step_s = time.monotonic() - started
        return result

    def logits(self, rows: int) -> Logits:
        """The logits asked for in the last batch, in its order: (rows, vocabulary), valid until the next decode."""
        if rows == 0:
            return np.zeros((0, self._vocabulary), np.float32)
        pointer = llama_cpp.llama_get_logits(self._context)
        return np.ctypeslib.as_array(pointer, shape=(rows, self._vocabulary))

    def remove(self, sequence: int, start: int) -> None:
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, start, -1)

    def copy(self, source: int, target: int, length: int) -> None:
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def last_position(self, sequence: int) -> int:
        return int(llama_cpp.llama_memory_seq_pos_max(self._memory, sequence))

    def clear(self) -> None:
        llama_cpp.llama_memory_clear(self._memory, False)

    def use_adapters(self, adapters: list[Any]) -> None:
        pointers = (llama_cpp.llama_adapter_lora_p_ctypes * max(1, len(adapters)))(*adapters)
        scales = (ctypes.c_float * max(1, len(adapters)))(*[1.0] * len(adapters))
        if llama_cpp.llama_set_adapters_lora(self._context, pointers, len(adapters), scales) != 0:
            raise self.failure("The adapter cannot be used with this model.")

    def failure(self, message: str) -> ModelError:
        return ModelError(message, "Try again; if it happens again, choose a smaller model.", "\n".join(self._log))

    def close(self) -> None:
        llama_cpp.llama_free(self._context)

    def _should_abort(self, _: Any) -> bool:
        now = time.monotonic()
        if now - self._asked < _CANCEL_INTERVAL_S:
            return False
        self._asked = now
        return self._is_cancelled()


class _Batch:
    """llama.cpp's batch over numpy arrays, so that filling it costs next to nothing."""

    def __init__(self, room: int) -> None:
        self._tokens = np.zeros(room, np.int32)
        self._positions = np.zeros(room, np.int32)
        self._sequences = np.zeros(room, np.int32)
        self._wants = np.zeros(room, np.int8)
        self._ones = np.ones(room, np.int32)
        first = self._sequences.ctypes.data
        self._places = np.arange(first, first + 4 * room, 4, dtype=np.uintp)

        def pointer(array: npt.NDArray[Any], field: str) -> Any:
            return ctypes.cast(array.ctypes.data, dict(llama_cpp.llama_batch._fields_)[field])

        self._batch = llama_cpp.llama_batch(
            n_tokens=0,
            token=pointer(self._tokens, "token"),
            embd=None,
            pos=pointer(self._positions, "pos"),
            n_seq_id=pointer(self._ones, "n_seq_id"),
            seq_id=pointer(self._places, "seq_id"),
            logits=pointer(self._wants, "logits"),
        )

    def filled(self, batch: Sequence[tuple[int, int, int, bool]]) -> Any:
        count = len(batch)
        table = np.array(batch, np.int32)
        self._sequences[:count] = table[:, 0]
        self._positions[:count] = table[:, 1]
        self._tokens[:count] = table[:, 2]
        self._wants[:count] = table[:, 3]
        self._batch.n_tokens = count
        return self._batch


def quiet_llama_cpp() -> collections.deque[str]:
    """Keep llama.cpp from printing; its last warnings and errors since this call are in the list that comes back."""
    global _log_callback
    _log_lines.clear()
    if _log_callback is None:
        _log_callback = llama_cpp.llama_log_callback(_keep_line)
        llama_cpp.llama_log_set(_log_callback, None)
        _load_kernels()
        llama_cpp.llama_backend_init()
    # Every time: the package's own classes set theirs.
    llama_cpp.llama_log_set(_log_callback, None)
    return _log_lines


def _load_kernels() -> None:
    """Load the kernels that fit this processor best, where llama.cpp was built with a file of them for each generation.

    From its own folder alone: asked without one, it would also take what lies in the folder one happens to be in.
    """
    if not libggml.ggml_backend_reg_count():
        libggml.ggml_backend_load_all_from_path(str(libggml_base_path).encode("utf-8"))


def _keep_line(level: int, text: bytes, _: Any) -> None:
    if level in (3, 4):  # ggml: warning and error; the wrapper's table names them one too low
        _log_lines.append(text.decode("utf-8", errors="replace").rstrip())


def _short_rotations(file: GgufFile, context_tokens: int | None) -> Any:
    """What keeps llama.cpp from stretching the rotary positions of conversations that need no stretching, or None.

    It goes by the cells of the whole cache, which holds many conversations; a model with two sets of factors (Phi-3)
    means one conversation's length, and is trained with the short ones.
    """
    key = f"{file.architecture}.rope.scaling.original_context_length"
    if context_tokens is None or "rope_factors_short.weight" not in file.tensors:
        return None
    if context_tokens > file.metadata.get(key, file.metadata.get(f"{file.architecture}.context_length", 0)):
        return None
    overrides = (llama_cpp.llama_model_kv_override * 2)()  # ends with an empty key
    overrides[0].tag = llama_cpp.LLAMA_KV_OVERRIDE_TYPE_INT
    overrides[0].key = key.encode("utf-8")
    overrides[0].value.val_i64 = _LONGER_THAN_ANY_CACHE
    return overrides


def _says_want_of_memory(details: str) -> bool:
    return any(words in details for words in _WANT_OF_MEMORY)


def _too_large(details: str) -> ModelError:
    return ModelError(
        "There is not enough memory to run this model.", "Close other programs, or choose a smaller model.", details
    )


def _cannot_open(file: GgufFile, details: str) -> ModelError:
    if "unknown model architecture" in details:
        return ModelError(
            f'"{file.path.name}" is a model of the family "{file.architecture}", which this version cannot run.',
            "Choose a model of another family, or update this program.",
            details,
        )
    if _says_want_of_memory(details):
        return _too_large(details)
    return ModelError(
        f'"{file.path.name}" cannot be opened as a model.', "Download it again, or choose another file.", details
    )
