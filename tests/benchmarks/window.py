"""What the window costs before it does anything: its start against an empty window's, its memory, its imports.

Each start is a process of its own with a person's folder of its own, drawn without a screen; a window is usable when it
has been drawn and its event loop has come round once. Medians of several starts; the first one, which fills the disk's
cache, does not count. Import time is what Python itself says (-X importtime).
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_STARTS = 5
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
import psutil
from PySide6.QtCore import QTimer
window.resize(1440, 900)
window.show()
def usable():
    print(round(psutil.Process().memory_info().rss / 1e6), flush=True)
    app.quit()
QTimer.singleShot(0, usable)
app.exec()
"""


def main() -> None:
    """Print a table: start in seconds and memory of an empty window and of ours, and the dearest imports."""
    empty, ours = _started(_EMPTY), _started(_OURS)
    print(f"start to a usable window, median of {_STARTS}")
    print(f"{'window':10}{'seconds':>9}{'MB':>7}")
    for name, (seconds, size_mb) in (("empty", empty), ("ours", ours)):
        print(f"{name:10}{seconds:9.2f}{size_mb:7.0f}")
    print(f"ratio {ours[0] / empty[0]:.2f} (at most {_MOST_START}), memory {ours[1]:.0f} MB (at most {_MOST_MB})")
    spent = _imports()
    whole = sum(own for own, _ in spent.values()) / 1e6
    print(f"imports {whole:.2f} s, {whole / ours[0]:.0%} of the start; the dearest, with what they import:")
    for name, (_, total) in sorted(spent.items(), key=lambda each: -each[1][1])[:12]:
        print(f"  {name:40}{total / 1e3:7.0f} ms")


def _started(script: str) -> tuple[float, float]:
    """Median seconds and MB of a start."""
    seconds, sizes = [], []
    for number in range(_STARTS + 1):
        start = time.perf_counter()
        told = _run(["-c", script + _SHOW]).stdout
        if number:
            seconds.append(time.perf_counter() - start)
            sizes.append(float(told.split()[-1]))
    return statistics.median(seconds), statistics.median(sizes)


def _imports() -> dict[str, tuple[int, int]]:
    """Microseconds of every module that our start imports: by itself, and with what it imports."""
    told = _run(["-X", "importtime", "-c", _OURS + _SHOW]).stderr
    lines = re.findall(r"import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)", told)
    return {name: (int(own), int(total)) for own, total, name in lines}


def _run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"LAB_DESKTOP_HOME": home, "QT_QPA_PLATFORM": "offscreen"}
        return subprocess.run(
            [sys.executable, *arguments], cwd=_ROOT, env=environment, capture_output=True, text=True, check=True
        )


if __name__ == "__main__":
    main()
