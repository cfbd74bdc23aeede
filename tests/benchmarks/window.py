"""What the window costs before it does anything: its start against an empty window's, its memory, its imports.

Each start is a process of its own with a person's folder of its own, drawn without a screen; a window is usable when it
has been drawn and its event loop has come round once. Medians of several starts; the first one, which fills the disk's
cache and compiles, does not count. Import time is what Python itself says (-X importtime).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_STARTS = 5
_SHOWN = 10
_ROOT = Path(__file__).resolve().parents[2]
_MOST_START, _MOST_MB = 2.5, 200

_EMPTY = """
import sys
from PySide6.QtWidgets import QApplication, QMainWindow
app = QApplication(sys.argv[:1])
window = QMainWindow()
"""
_OURS = """
import sys
from PySide6.QtWidgets import QApplication
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import Look
app = QApplication(sys.argv[:1])
Look(app)
window = MainWindow(Session())
"""
_SHOW = """
import time
from PySide6.QtCore import QTimer
window.resize(1440, 900)
window.show()
def usable():
    print(time.process_time(), flush=True)
    QTimer.singleShot(700, idle)
def idle():
    import psutil
    print(psutil.Process().memory_info().rss / 1e6, flush=True)
    app.quit()
QTimer.singleShot(0, usable)
app.exec()
"""


def main() -> None:
    """Print a table: start in seconds and memory of an empty window and of ours, and the dearest imports."""
    with tempfile.TemporaryDirectory() as compiled:
        _measure({"PYTHONPYCACHEPREFIX": compiled})


def _measure(environment: dict[str, str]) -> None:
    starts: dict[str, list[tuple[float, float, float]]] = {"empty": [], "ours": []}
    for number in range(_STARTS + 1):
        for name, script in (("empty", _EMPTY), ("ours", _OURS)):
            found = _start(script, environment)
            if number:
                starts[name].append(found)
    print(f"start to a usable window, medians of {_STARTS}")
    print(f"{'window':10}{'seconds':>9}{'processor':>11}{'MB':>7}")
    medians = {name: [statistics.median(each) for each in zip(*found, strict=True)] for name, found in starts.items()}
    for name, (seconds, worked, size_mb) in medians.items():
        print(f"{name:10}{seconds:9.2f}{worked:11.2f}{size_mb:7.0f}")
    empty, ours = medians["empty"], medians["ours"]
    print(
        f"ratio {ours[0] / empty[0]:.1f}, of processor time {ours[1] / empty[1]:.1f} (at most {_MOST_START}); ", end=""
    )
    print(f"memory {ours[2]:.0f} MB (at most {_MOST_MB})")
    spent = _imports(environment)
    whole = sum(own for own, _ in spent.values()) / 1e6
    print(f"imports {whole:.2f} s, {whole / ours[0]:.0%} of the start; the dearest, with what they import:")
    for name, (_, total) in sorted(spent.items(), key=lambda each: -each[1][1])[:_SHOWN]:
        print(f"  {name:40}{total / 1e3:7.0f} ms")


def _start(script: str, environment: dict[str, str]) -> tuple[float, float, float]:
    """Seconds and processor seconds until a window is usable, and its MB when it has come to rest."""
    start = time.perf_counter()
    with _opened(["-c", script + _SHOW], environment, subprocess.DEVNULL) as child:
        assert child.stdout is not None
        worked = float(child.stdout.readline())
        seconds = time.perf_counter() - start
        return seconds, worked, float(child.stdout.readline())


def _imports(environment: dict[str, str]) -> dict[str, tuple[int, int]]:
    """Microseconds of every module that is imported before our window is usable: alone, and with what it imports."""
    with _opened(["-X", "importtime", "-c", _OURS + _SHOW], environment, subprocess.STDOUT) as child:
        assert child.stdout is not None
        lines = list(child.stdout)
    told = "".join(itertools.takewhile(lambda line: not line[0].isdigit(), lines))
    found = re.findall(r"import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)", told)
    return {name: (int(own), int(total)) for own, total, name in found}


@contextlib.contextmanager
def _opened(arguments: list[str], environment: dict[str, str], errors: int) -> Iterator[subprocess.Popen[str]]:
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | environment | {"LAB_DESKTOP_HOME": home, "QT_QPA_PLATFORM": "offscreen"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, *arguments]
        with subprocess.Popen(
            command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as child:
            yield child


if __name__ == "__main__":
    main()
