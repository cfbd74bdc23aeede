"""Where the window's program of the built app begins: it opens the window, and leaves every command to the engine."""

from __future__ import annotations

import importlib
import os
import sys


def main() -> int:
    """Open the window or do what needs Qt; a command becomes the engine's process, in the same terminal.

    Returns:
        The exit status.
    """
    from lab_desktop import paths

    if sys.argv[1:] == ["--imports"]:
        return _try_imports()
    arguments = [word for word in sys.argv[1:] if not word.startswith("-psn_")]  # macOS's number of the process
    is_file = len(arguments) == 1 and arguments[0].lower().endswith(".labpack")
    if arguments and not is_file and arguments[0] not in paths.NEED_QT:
        command = paths.child(*arguments)
        os.execv(command[0], command)
    sys.argv[1:] = arguments
    try:
        from PySide6 import QtWidgets  # noqa: F401
    except ImportError as error:
        sys.stderr.write(f"The window cannot open: {error}.\nInstall that library, or use a command: --help\n")
        return 1
    from lab_desktop.__main__ import main as start

    return start()


def _try_imports() -> int:
    """Say which of the modules named on standard input cannot be imported, and why: a build asks this."""
    for name in sys.stdin.read().split():
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what was asked for
            sys.stdout.write(f"{name}: {type(error).__name__}: {error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
