"""`generate`, `train`, `export` and `evaluate`: one step of a run that has begun."""

from __future__ import annotations

import argparse
import threading
import time

from lab_desktop.commands import arguments, run_folder
from lab_desktop.commands.arguments import NewCommand
from lab_desktop.jobs import requests
from lab_desktop.terminal import print_result
from lab_desktop.training.ranks import is_first_process

_STEPS = ("generate", "train", "export", "evaluate")
_SIZES = ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M")


def add(new: NewCommand) -> None:
    """Add the four to the command line."""
    for name in _STEPS:
        step = new(name, _step)
        step.add_argument("folder", type=arguments.path, metavar="RUN", help="a run folder")
        if name == "generate":
            step.add_argument(
                "--instructlab",
                type=arguments.path,
                metavar="DIR",
                help="also write the rows under InstructLab's file names",
            )
        if name == "export":
            step.add_argument(
                "--as",
                dest="kinds",
                action="append",
                metavar="SIZE",
                choices=_SIZES,
                help=f"{', '.join(_SIZES)}; may be given more than once",
            )


def _step(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop import workflow
    from lab_desktop.evaluation.table import report_text
    from lab_desktop.generation.mixing import export_instructlab

    options.folder = options.folder.resolve()
    requests.read(options.folder)  # before the folder is opened, which would make it
    with run_folder.opened(options.folder, stopped, takes_several=options.command == "train") as run:
        if options.command == "generate":
            dataset = workflow.generate(run)
            print_result(f"{sum(phase.rows for phase in dataset.phases)} rows to learn from in {dataset.folder}")
            if options.instructlab:
                stamp = time.strftime("%Y-%m-%dT%H_%M_%S", time.gmtime())
                for path in export_instructlab(run, options.instructlab, stamp):
                    print_result(str(path))
        elif options.command == "train":
            adapter = workflow.train(run)
            if is_first_process():
                print_result(f"The adapter: {adapter.gguf}")
        elif options.command == "export":
            for model in workflow.export(run, tuple(options.kinds or ())):
                print_result(f"{model.path}  {model.quantization}  {model.size_bytes / 1e6:.0f} MB")
        else:
            print_result(report_text(workflow.evaluate(run)))
    return 0
