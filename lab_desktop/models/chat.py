"""Conversations as the text a model was taught to read: its own chat template, rendered with suspicion.

A template is a program inside a downloaded file, so it runs in Jinja's sandbox with a budget of steps and of text.
The words of a message cannot pretend to be the template's: a text that spells a control token ("<|im_end|>") gets an
invisible word joiner after its first character, so that it is read as the letters it shows. This module knows the
header of the file, not tokens or weights.

Source: transformers `utils/chat_template_utils.py` for the names that templates expect.
"""

from __future__ import annotations

import bisect
import datetime
import functools
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set, Sized
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from lab_desktop.artifacts import ChatMessage
from lab_desktop.errors import ModelError
from lab_desktop.models.gguf import GgufFile

_CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_MOST_STEPS = 1_000_000
"""Loop rounds and calls of one rendering; a conversation of a thousand turns needs some ten thousand."""
_LONGEST = 10_000_000
"""Characters of the longest text a template may make; the longest contexts hold some four million."""
_LONGEST_S = 5.0
"""Processor seconds of one rendering: a step on a long text may take as long as thousands on a short one."""
_LARGEST = 1 << 63
_DEEPEST_INDENT = 16
_GROWING = frozenset({"center", "expandtabs", "format", "format_map", "ljust", "rjust", "translate", "zfill"})
"""Methods of a text that make it as long as they are told to, which templates for conversations have no use for."""
_WORD_JOINER = "\u2060"
_CONTROL_TYPES = (2, 3)  # unknown and control: the ones llama.cpp reads only when told to parse special tokens
_LOOKS_LIKE_CONTROL = re.compile(r"<\|[^<>|\s]+\|>|</?s>|<(?:start|end)_of_turn>")


class ChatTemplate:
    """The chat template of one model file.

    A file without template gets ChatML when its vocabulary has ChatML's tokens, for they have no other use. Any other
    is a base model that was never taught to converse; guessing a template would give nonsense, so it is refused.

    Attributes:
        source: the Jinja text.
    """

    def __init__(self, file: GgufFile) -> None:
        """Compile the template.

        Raises:
            ModelError: the file has no template and is no ChatML model, or the template is not valid Jinja.
        """
        self._name = file.path.name
        tokens = [str(token) for token in file.metadata.get("tokenizer.ggml.tokens", [])]
        self.source = _source(file, tokens)
        self._control = _control_pattern(file, tokens)
        self._given = {
            f"{name}_token": _token_text(tokens, file.metadata.get(f"tokenizer.ggml.{key}_token_id"))
            for name, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding"))
        }
        self._environment = _Environment()
        try:
            self._template = self._environment.from_string(self.source)
        except _TEMPLATE_ERRORS as error:
            raise self._broken(error) from error

    def render(self, messages: Sequence[ChatMessage], add_generation_prompt: bool) -> str:
        """The conversation as the model reads it.

        A system message is put before the first user's turn where the template has no place for it.

        Args:
            messages: the turns, oldest first.
            add_generation_prompt: end with the opening of the assistant's turn.

        Raises:
            ModelError: the template fails, refuses the conversation, or does not come to an end.
        """
        if messages and messages[0].role == "system" and not self.has_system_role:
            messages = _merge_system(messages)
        return self._render(messages, add_generation_prompt)

    @functools.cached_property
    def has_system_role(self) -> bool:
        """Whether a system message reaches the model; some templates refuse it (Gemma), some leave it out."""
        probe = "a system message that must be seen"
        try:
            return probe in self._render([ChatMessage("system", probe), ChatMessage("user", "hello")], True)
        except ModelError:
            return False

    def neutralise(self, text: str) -> str:
        """The text with every spelling of a control token broken by an invisible word joiner."""
        if self._control is None:
            return text
        return self._control.sub(lambda found: found[0][0] + _WORD_JOINER + found[0][1:], text)

    def _render(self, messages: Sequence[ChatMessage], add_generation_prompt: bool) -> str:
        plain = [{"role": message.role, "content": self.neutralise(message.content)} for message in messages]
        self._environment.begin()
        pieces: list[str] = []
        size = 0
        try:
            for piece in self._template.generate(
                messages=plain,
                add_generation_prompt=add_generation_prompt,
                tools=None,
                documents=None,
                enable_thinking=False,  # Qwen 3: what is taught is the answer, and a form leaves no room to think aloud
                **self._given,
            ):
                size += len(piece)
                if size > _LONGEST:
                    raise SecurityError("the template writes without end")
                pieces.append(piece)
        except _TEMPLATE_ERRORS as error:
            raise self._broken(error) from error
        return "".join(pieces)

    def _broken(self, error: BaseException) -> ModelError:
        return ModelError(
            f'"{self._name}" cannot be talked to: its chat template does not work.',
            "Choose another file of this model; the template is part of the file.",
            f"{type(error).__name__}: {error}",
        )


def fit_conversation(
    messages: Sequence[ChatMessage], count_tokens: Callable[[Sequence[ChatMessage]], int], most_tokens: int
) -> tuple[tuple[ChatMessage, ...], int]:
    """Leave out the oldest turns until the conversation fits; the system message and the last turn always stay.

    What remains after the system message begins with a user's turn, as templates demand.

    Args:
        messages: the turns, oldest first; ends with the user's turn.
        count_tokens: tokens of a conversation, template included (`len(tokenizer.chat_prompt(…))`).
        most_tokens: how many may be read.

    Returns:
        (messages, left_out): what fits, and how many turns were left out, for the person to be told.
    """
    head = tuple(messages[:1]) if messages and messages[0].role == "system" else ()
    turns = tuple(messages[len(head) :])
    starts = [at for at, turn in enumerate(turns) if at in (0, len(turns) - 1) or turn.role == "user"]
    if not starts:
        return head, 0
    # The fewer turns the fewer tokens, and counting a long conversation takes long: halve instead of trying each.
    fits = bisect.bisect_left(starts[:-1], True, key=lambda start: count_tokens((*head, *turns[start:])) <= most_tokens)
    return (*head, *turns[starts[fits] :]), starts[fits]


def _source(file: GgufFile, tokens: list[str]) -> str:
    source = file.metadata.get("tokenizer.chat_template")
    if isinstance(source, str) and source.strip():
        return source
    if {"<|im_start|>", "<|im_end|>"} <= set(tokens):
        return _CHATML
    raise ModelError(
        f'"{file.path.name}" was not made for conversation: it has no chat template.',
        'Choose the variant of this model that is called "Instruct" or "Chat".',
    )


def _control_pattern(file: GgufFile, tokens: list[str]) -> re.Pattern[str] | None:
    types = file.metadata.get("tokenizer.ggml.token_type", [])
    control = {token for token, kind in zip(tokens, types, strict=False) if kind in _CONTROL_TYPES}
    # llama.cpp also treats these as control tokens when a careless converter called them ordinary.
    control |= {token for token in tokens if _LOOKS_LIKE_CONTROL.fullmatch(token)}
    control |= {_token_text(tokens, value) for key, value in file.metadata.items() if key.endswith("_token_id")}
    # A control "token" of one or two letters would be a mistake of the file, and would damage ordinary text.
    spelled = sorted((token for token in control if len(token) > 2), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, spelled))) if spelled else None


def _token_text(tokens: list[str], number: Any) -> str:
    return tokens[number] if isinstance(number, int) and 0 <= number < len(tokens) else ""


def _merge_system(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    system, *turns = messages
    for index, turn in enumerate(turns):
        if turn.role == "user":
            turns[index] = ChatMessage("user", f"{system.content}\n\n{turn.content}")
            return turns
    return [ChatMessage("user", system.content), *turns]


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, which keeps a template from reaching Python, and a budget, which keeps it from running on.

    Every loop round, call, filter and operation costs a step, and no text may grow beyond what a conversation can be.

    Attributes:
        steps_left: of the rendering under way.
        ends_at: when it has to be done, on the clock of this thread's processor time.
    """

    intercepted_binops = frozenset(["*", "**", "+", "%"])

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # the optimiser would compute constants before the budget is asked
            finalize=self._weighed,
            extensions=["jinja2.ext.loopcontrols", _Generation],
        )
        self.begin()
        for unbounded in ("batch", "center", "format", "indent", "pprint", "slice", "urlize", "wordwrap", "xmlattr"):
            self.filters.pop(unbounded)  # their widths and lengths would escape the budget
        self.globals.pop("lipsum")
        self.filters.update(tojson=self._to_json, join=self._join, replace=self._replace, string=self._string)
        self.filters.update(_counted=self._counted, _limited=self._limited, _step=self._step, _weighed=self._weighed)
        self.globals.update(raise_exception=_refuse, strftime_now=_now)

    def begin(self) -> None:
        """A new rendering, with the whole budget."""
        self.steps_left = _MOST_STEPS
        self.ends_at = time.thread_time() + _LONGEST_S

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Budget().visit(super()._parse(source, name, filename))
        return tree

    def call(self, context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        self._step()
        if any(_is_large(value) for value in (*args, *kwargs.values())):
            raise SecurityError("a text would grow without end")
        text, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
        if name in _GROWING:
            raise SecurityError(f'"{name}" makes texts without end')
        if isinstance(text, str) and name == "replace":
            self._check_replacement(text, *args)
        if isinstance(text, str) and name == "join" and len(args) == 1:
            return self._join(args[0], text)
        return self._limited(super().call(context, function, *args, **kwargs))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        self._step()
        if operator == "**" and (_is_large(left) or (isinstance(right, int | float) and abs(right) > 64)):
            raise SecurityError("a number would grow without end")
        if operator == "%" and isinstance(left, str):
            raise SecurityError("a text would be padded without end")
        for text, count in ((left, right), (right, left)):
            if operator == "*" and isinstance(text, Sized) and isinstance(count, int) and len(text) * count > _LONGEST:
                raise SecurityError("a text would grow without end")
        made = self._limited(super().call_binop(context, operator, left, right))
        return self._weighed(made) if isinstance(made, list | tuple) else made

    def _step(self, _: Any = None) -> None:
        self.steps_left -= 1
        if self.steps_left < 0 or time.thread_time() > self.ends_at:
            raise SecurityError("the template does not come to an end")

    def _counted(self, values: Iterable[Any]) -> list[Any]:
        # A list, so that `loop.last` and `loop.length` work as if we were not here.
        counted = []
        for value in values:
            self._step()
            counted.append(value)
        return counted

    def _limited(self, value: Any) -> Any:
        self._step()
        if isinstance(value, Sized) and not isinstance(value, jinja2.Undefined) and len(value) > _LONGEST:
            raise SecurityError("a text grows without end")
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise SecurityError("a number grows without end")
        return value

    def _weighed(self, value: Any) -> Any:
        """The value, whose parts each cost a step: few lists in each other can stand for more than memory holds."""
        waiting, letters = [value], 0
        while waiting and not isinstance(value, str):
            part = waiting.pop()
            if isinstance(part, str):
                letters += len(part)
                self._limited(range(letters))
            elif isinstance(part, Mapping):
                waiting += [*part.keys(), *part.values()]
            elif isinstance(part, list | tuple | Set):
                waiting += part
            else:
                self._step()
        return value

    def _join(self, values: Iterable[Any], joint: str = "", attribute: str | int | None = None) -> str:
        parts = list(values) if attribute is None else [self.getitem(value, attribute) for value in values]
        self._weighed(parts)
        if len(joint) * len(parts) > _LONGEST:
            raise SecurityError("a text would grow without end")
        return str(self._limited(joint.join(map(str, parts))))

    def _replace(self, text: str, old: str, new: str, count: int | None = None) -> str:
        self._check_replacement(text, old, new)
        return str(text).replace(str(old), str(new), -1 if count is None else count)

    def _string(self, value: Any) -> str:
        return str(self._weighed(value))

    def _to_json(self, value: Any, indent: int | None = None, **_: Any) -> str:
        # Jinja's own would escape < and > for web pages.
        self._weighed(value)
        if isinstance(indent, int) and indent > _DEEPEST_INDENT:
            raise SecurityError("a text would be indented without end")
        return json.dumps(value, ensure_ascii=False, indent=indent)

    def _check_replacement(self, text: str, old: Any = "", new: Any = "", *_: Any) -> None:
        if str(text).count(str(old)) * len(str(new)) > _LONGEST:
            raise SecurityError("a text would grow without end")


class _Budget(NodeTransformer):
    """Puts the budget into a parsed template: into loops, and around what is joined, filtered or holds others."""

    def visit_For(self, node: nodes.For) -> nodes.For:
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "_counted")
        step = _filtered(nodes.Const(None, lineno=node.lineno), "_step")
        node.body.insert(0, nodes.ExprStmt(step, lineno=node.lineno))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:
        self.generic_visit(node)
        node.nodes = [_filtered(part, "_weighed") for part in node.nodes]
        return _filtered(node, "_limited")

    def visit_Filter(self, node: nodes.Filter) -> nodes.Filter:
        self.generic_visit(node)
        return _filtered(node, "_limited")

    def visit_List(self, node: nodes.List) -> nodes.Filter:
        self.generic_visit(node)
        return _filtered(node, "_weighed")

    def visit_Dict(self, node: nodes.Dict) -> nodes.Filter:
        self.generic_visit(node)
        return _filtered(node, "_weighed")

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:
        self.generic_visit(node)
        return _filtered(node, "_weighed") if node.ctx == "load" else node


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class _Generation(Extension):
    """`{% generation %}…{% endgeneration %}` marks the assistant's words for trainers; here it is only its body."""

    tags = {"generation"}  # noqa: RUF012 (the name and kind Jinja reads)

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _is_large(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) > _LONGEST


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)


def _now(form: str) -> str:
    return datetime.datetime.now().strftime(form)


_TEMPLATE_ERRORS = (
    # What a sandboxed program can still do wrong; anything else is our own bug.
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    SyntaxError,  # Python compiles what Jinja makes of it, and takes 200 brackets inside each other
    TypeError,
    ValueError,
)
