"""`chat`: a conversation with one model, or with two side by side."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from lab_desktop.artifacts import ChatMessage
from lab_desktop.commands import arguments
from lab_desktop.commands.arguments import NewCommand
from lab_desktop.errors import RunError
from lab_desktop.jobs import requests
from lab_desktop.terminal import next_line, print_remark, print_result, printable

_ANSWER_TOKENS = 512


def add(new: NewCommand) -> None:
    """Add it to the command line."""
    chat = new("chat", _chat)
    chat.add_argument(
        "model",
        nargs="?",
        type=arguments.filled,
        default="practice",
        metavar="MODEL",
        help='a .gguf file, a run folder, or "practice" (default)',
    )
    chat.add_argument("--adapter", type=arguments.path, metavar="A", help="an adapter (.gguf) for it")
    chat.add_argument("--compare", action="store_true", help="show the original's and the trained model's answer")


def _chat(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop.models.chat import fit_conversation
    from lab_desktop.models.llama import LlamaModel
    from lab_desktop.models.text_model import Request

    base, adapter = _models(options)
    if options.compare and adapter is None:
        raise RunError("There is nothing to compare with.", "Name a run folder, or a model and its --adapter.")
    voices: dict[str, str | None] = {"": "trained" if adapter else None}
    if options.compare:
        voices = {"original: ": None, "trained:  ": "trained"}
    with LlamaModel(base, adapters={"trained": adapter} if adapter else {}) as model:
        learned = " with what it learned" if adapter and not options.compare else ""
        print_remark(f"{model.name}{learned}. An empty line or Ctrl-D ends.")
        said: dict[str, list[ChatMessage]] = {voice: [] for voice in voices}
        while question := next_line("> "):
            for voice, adapter_name in voices.items():
                model.use_adapter(adapter_name)
                said[voice].append(ChatMessage("user", question))
                messages, left_out = fit_conversation(
                    said[voice],
                    lambda turns: len(model.tokenizer.chat_prompt(turns)),
                    model.context_tokens - _ANSWER_TOKENS,
                )
                if left_out:
                    print_remark(f"(the oldest {left_out} turns no longer fit and are left out)")
                print_result(voice, end="", flush=True)
                answer = ""
                for piece in model.stream(Request(messages, _ANSWER_TOKENS), is_cancelled=stopped.is_set):
                    answer += piece
                    print_result(printable(piece), end="", flush=True)
                print_result("")
                said[voice].append(ChatMessage("assistant", answer))
    return 0


def _models(options: argparse.Namespace) -> tuple[Path, Path | None]:
    """(base, adapter); a run folder brings both."""
    folder = Path(options.model)
    if folder.is_dir():
        from lab_desktop.workflow import read_adapter

        requests.read(folder.resolve())
        adapter = read_adapter(folder.resolve())
        return adapter.base, options.adapter or adapter.gguf
    return arguments.model_file(options.model), options.adapter
