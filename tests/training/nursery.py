"""A process that has loaded the libraries and forks a training for every line it reads, for tests that kill them.

Loading takes seconds and would hide the instants that matter. It only imports before it forks: no thread runs yet.
Says "ready"; then for each line the child's id, and "exit <status>" when the child is gone (negative: the signal).
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from lab_desktop.jobs.run import Run
from lab_desktop.training.choice import choose
from lab_desktop.training.loop import train
from tests.training.students import bytes_of, small_plan, write_dataset

_MODULES = {
    "torch": ("lab_desktop.training.torch_backend", "transformers.models.llama.modeling_llama"),
    "mlx": ("lab_desktop.training.mlx_backend",),
}


def main(model: Path, folder: Path) -> None:
    dataset = write_dataset(folder / "dataset")
    for module in _MODULES[choose().library]:
        importlib.import_module(module)
    _say("ready")
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            with Run(folder / "run").open() as run:
                train(dataset, model, small_plan(), run, chat_row=bytes_of)
            os._exit(0)
        _say(str(child))
        _, status = os.waitpid(child, 0)
        _say(f"exit {os.waitstatus_to_exitcode(status)}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
