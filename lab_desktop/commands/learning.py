"""`practice` and `learn`: the whole loop, from lessons to a report."""

from __future__ import annotations

import argparse
import threading

from lab_desktop import paths
from lab_desktop.commands import agreement, arguments, run_folder
from lab_desktop.commands.arguments import NewCommand
from lab_desktop.errors import RunError
from lab_desktop.jobs.requests import EFFORTS, LearnRequest
from lab_desktop.servers import Server
from lab_desktop.terminal import print_remark, print_result


def add(new: NewCommand) -> None:
    """Add both to the command line."""
    practice = new("practice", _practice)
    practice.add_argument("--run", type=arguments.path, metavar="DIR", help="folder for everything it makes")

    learn = new("learn", _learn)
    learn.add_argument(
        "leaves", type=arguments.path, nargs="+", metavar="LEAF", help="a folder with a qna.yaml, or a taxonomy"
    )
    learn.add_argument("--run", type=arguments.path, metavar="DIR", help="folder for everything it makes")
    learn.add_argument(
        "--teacher",
        type=arguments.filled,
        default="practice",
        metavar="M",
        help='a .gguf file, "practice" (default), or a model on a server: https://host/v1#model',
    )
    arguments.add_model(learn, "--student")
    learn.add_argument(
        "--samples",
        type=arguments.count,
        default=0,
        metavar="N",
        help="practice questions wanted in all (default: as many as the lessons hold)",
    )
    learn.add_argument(
        "--from",
        dest="start_from",
        type=arguments.path,
        metavar="RUN",
        help="go on from what an earlier run taught the student",
    )
    learn.add_argument(
        "--effort",
        choices=tuple(EFFORTS),
        default="standard",
        help="how long the student practises: half as many rounds as usual, as many (default), twice as many",
    )
    learn.add_argument("--seed", type=arguments.seed, default=0, metavar="N", help="of everything random (default 0)")


def _practice(options: argparse.Namespace, stopped: threading.Event) -> int:
    model = paths.practice_model()
    request = LearnRequest(
        leaves=(paths.practice_lesson(),),
        teacher=model,
        student=model,
        samples=0,
        seed=0,
    )
    print_remark(
        "The practice lesson: a small model learns about Velmora, an island that was invented for it.\nIt takes some "
        "minutes; Ctrl-C stops it, and the same command goes on where it stopped."
    )
    return _learn_in(options, "practice", request, stopped)


def _learn(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop.taxonomy.qna import read_leaf
    from lab_desktop.taxonomy.tree import find_leaves

    request = LearnRequest(
        leaves=tuple(leaf.resolve() for leaf in options.leaves),
        teacher=arguments.teacher(options.teacher),
        student=arguments.model_file(options.student),
        samples=options.samples,
        seed=options.seed,
        start_from=options.start_from.resolve() if options.start_from else None,
        effort=options.effort,
    )
    # Looked at before there is a run folder, so that a slip of the pen leaves no empty run behind.
    for path in request.leaves:
        for leaf in find_leaves(path):
            read_leaf(leaf)
    if isinstance(request.teacher, Server):
        agreement.ask_for(request.teacher)
    first = request.leaves[0]
    return _learn_in(options, first.parent.name if first.is_file() else first.name, request, stopped)


def _learn_in(options: argparse.Namespace, name: str, request: LearnRequest, stopped: threading.Event) -> int:
    from lab_desktop import workflow
    from lab_desktop.evaluation.table import report_text

    options.folder = options.run.resolve() if options.run else run_folder.new_or_unfinished(name, request)
    if not workflow.is_as_begun(request, options.folder):
        raise RunError(
            f"The lessons have changed since the run in {options.folder} began.", "Choose a new folder with --run."
        )
    with run_folder.opened(options.folder, stopped, f"Everything goes to {options.folder}\n\n") as run:
        report = workflow.learn(request, run)
    print_result(report_text(report))
    print_result(f"The new model: {options.folder / report.model}")
    print_result(f'Talk to it:    lab-desktop chat "{options.folder}" --compare')
    return 0
