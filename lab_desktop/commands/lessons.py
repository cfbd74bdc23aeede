"""`check` and `suggest`: a lesson while it is written."""

from __future__ import annotations

import argparse
import json
import threading
from dataclasses import asdict

from lab_desktop import paths
from lab_desktop.artifacts import LeafKind, Suggestion
from lab_desktop.commands import arguments
from lab_desktop.commands.arguments import NewCommand
from lab_desktop.errors import LeafError
from lab_desktop.terminal import print_remark, print_result, printable


def add(new: NewCommand) -> None:
    """Add both to the command line."""
    check = new("check", _check)
    check.add_argument(
        "paths", type=arguments.path, nargs="+", metavar="PATH", help="a qna.yaml, a leaf folder, or a taxonomy"
    )
    check.add_argument(
        "--mode",
        choices=("file", "contribution"),
        default="file",
        help="the file by itself (default), or also as a contribution",
    )
    check.add_argument("--json", action="store_true", help="print the problems as JSON")

    suggest = new("suggest", _suggest)
    suggest.add_argument("leaf", type=arguments.path, metavar="LEAF", help="a folder with a qna.yaml")
    suggest.add_argument(
        "--passage",
        type=arguments.count,
        default=1,
        metavar="N",
        help="which passage or example of the leaf (default 1)",
    )
    arguments.add_model(suggest, "--teacher")
    suggest.add_argument(
        "--seed", type=arguments.seed, default=0, metavar="N", help="another one gives others (default 0)"
    )


def _check(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop.taxonomy.check import check_paths, has_errors

    problems = check_paths(options.paths, options.mode)
    if options.json:
        told = [{**asdict(problem), "file": str(problem.file)} for problem in problems]
        print_result(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for problem in problems:
            kind = "" if problem.severity == "error" else " (advice)"
            print_result(f"{problem.file}:{problem.line}:{problem.column}:{kind} {problem.message}")
            if problem.hint:
                print_result(f"    {problem.hint}")
        if not problems:
            print_result("Everything is in order.")
    return 1 if has_errors(problems) else 0


def _suggest(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop.generation.suggest import meet, suggest_like, suggest_questions
    from lab_desktop.models.llama import LlamaModel
    from lab_desktop.taxonomy.qna import read_leaf

    leaf = read_leaf(options.leaf)
    if options.passage > len(leaf.seed_examples):
        raise LeafError(
            f"{leaf.title} has {len(leaf.seed_examples)} passages or examples, and number {options.passage} is wanted.",
            f"Choose a number from 1 to {len(leaf.seed_examples)}.",
        )
    example = leaf.seed_examples[options.passage - 1]
    path = arguments.model_file(options.teacher)
    taught = paths.taught_adapter(path)
    with LlamaModel(path, adapters={"teacher": taught} if taught else {}) as teacher:
        if taught:
            teacher.use_adapter("teacher")
        tutor = meet(teacher, path, stopped.is_set)
        if leaf.kind is not LeafKind.KNOWLEDGE:
            examples, place = leaf.seed_examples, options.passage - 1
            _show(suggest_like(tutor, leaf.task_description, examples, place, options.seed, stopped.is_set))
            return 0
        passage, is_empty = example.context or "", True
        with teacher.one_matter():
            for each in suggest_questions(
                tutor, passage, leaf.title, example.pairs, options.seed, is_cancelled=stopped.is_set
            ):
                _show(each)
                is_empty = False
    if is_empty:
        print_remark(f"{teacher.name} found no more questions in this passage.")
    return 0


def _show(suggestion: Suggestion) -> None:
    sentence = f'"{suggestion.sentence}"' if suggestion.sentence else ""
    lines = (suggestion.context, suggestion.question, suggestion.answer, sentence, suggestion.why)
    print_result("\n  ".join(printable(line) for line in lines if line) + "\n", flush=True)
