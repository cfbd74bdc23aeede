"""Grammars that hold a reply to a JSON schema: made once for each schema, followed by each reply on its own.

Over llama.cpp's grammar sampler; does not know how tokens are chosen.
"""

from __future__ import annotations

import ctypes
import json
import re
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from lab_desktop.errors import ModelError
from lab_desktop.models.llama_calls import Logits, Vocabulary, quiet_llama_cpp

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class Grammars:
    """Grammars made from JSON schemas, each parsed once."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._samplers: dict[str, Any] = {}

    def start(self, schema: dict[str, Any]) -> Grammar:
        """A fresh grammar for one reply.

        Raises:
            ModelError: the schema uses something that cannot be made into a grammar.
        """
        text = json.dumps(schema)
        if text not in self._samplers:
            self._samplers[text] = self._parse(text)
        return Grammar(llama_cpp.llama_sampler_clone(self._samplers[text]))

    def close(self) -> None:
        for sampler in self._samplers.values():
            llama_cpp.llama_sampler_free(sampler)
        self._samplers.clear()

    def _parse(self, schema: str) -> Any:
        log = quiet_llama_cpp()
        rules = rules_of(json.loads(schema))
        sampler = llama_cpp.llama_sampler_init_grammar(self._vocabulary.pointer, rules.encode("utf-8"), b"root")
        if not sampler:
            raise _no_grammar("\n".join(log))
        return sampler


class Grammar:
    """Where one reply stands in its grammar."""

    def __init__(self, sampler: Any) -> None:
        self._sampler = sampler

    def allowed(self, tokens: npt.NDArray[np.int64], logits: Logits) -> npt.NDArray[np.int64]:
        """Those of the tokens that may come next, in the same order."""
        candidates = np.zeros(len(tokens), _CANDIDATE)
        candidates["id"] = tokens
        candidates["logit"] = logits[tokens]
        array = llama_cpp.llama_token_data_array(
            data=candidates.ctypes.data_as(llama_cpp.llama_token_data_p), size=len(tokens), selected=-1, sorted=False
        )
        llama_cpp.llama_sampler_apply(self._sampler, ctypes.byref(array))
        allowed: npt.NDArray[np.int64] = tokens[np.isfinite(candidates["logit"])]
        return allowed

    def accept(self, token: int) -> None:
        llama_cpp.llama_sampler_accept(self._sampler, token)

    def close(self) -> None:
        if self._sampler is not None:
            llama_cpp.llama_sampler_free(self._sampler)
            self._sampler = None


def rules_of(schema: dict[str, Any]) -> str:
    """The grammar of a JSON schema as llama.cpp writes grammars (GBNF).

    Raises:
        ModelError: the schema uses something that cannot be made into a grammar.
    """
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    try:
        return _strict_characters(json_schema_to_gbnf(json.dumps(schema)))
    except (AssertionError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _no_grammar(str(error)) from error


def _strict_characters(rules: str) -> str:
    # The package's rule lets raw control characters and half surrogate pairs into a string: neither is JSON or text.
    character = (
        r'char ::= [^"\\\x00-\x1F\x7F] | "\\" (["\\/bfnrt] | "u" ([0-9a-ce-fA-CE-F] [0-9a-fA-F] | [dD] [0-7]) '
        r"[0-9a-fA-F] [0-9a-fA-F])"
    )
    return re.sub(r"^char ::= .*$", lambda _: character, rules, flags=re.MULTILINE)


def _no_grammar(details: str) -> ModelError:
    return ModelError("The required form of the answer cannot be made into a grammar.", "Report this.", details)
