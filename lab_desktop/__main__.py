"""Where the program starts: a worker (`--worker FOLDER [STEP…]`), a model in conversation (`--chat`), the reader of a
document (`--convert`), what draws its pages (`--draw`) or shows it otherwise (`--show`), the window that a self-test
tries (`--selftest-in FOLDER`), a command (see cli.py), or without any the window.

Imports wait until `main`, so that Ctrl-C while they load ends calmly too.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Start what the arguments ask for; returns the exit status."""
    arguments = sys.argv[1:]
    try:
        from lab_desktop import hardware
        from lab_desktop.selftest import watch

        watch.stand_guard()
        hardware.wait_politely()
        if arguments[:1] == ["--worker"] and len(arguments) > 1:
            from pathlib import Path

            from lab_desktop import problems
            from lab_desktop.jobs import worker

            with problems.watched("job"):
                return worker.main(Path(arguments[1]), arguments[2:])
        if arguments == ["--chat"]:
            from lab_desktop import problems
            from lab_desktop.jobs import conversation

            with problems.watched("chat"):
                return conversation.main()
        if arguments == ["--convert"]:
            from lab_desktop.jobs import conversion

            return conversion.main()
        if arguments == ["--draw"]:
            from lab_desktop.jobs import drawing

            return drawing.main()
        if arguments == ["--show"]:
            from lab_desktop.ui import showing

            return showing.main()
        if arguments[:1] == ["--selftest-in"] and len(arguments) == 2:
            from pathlib import Path

            from lab_desktop.ui import selftest

            return selftest.main(Path(arguments[1]))
        from lab_desktop import cli

        return cli.main(arguments)
    except KeyboardInterrupt:  # while the program was still loading
        return 130
    except Exception as error:  # noqa: BLE001 - the last net: what nobody foresaw becomes a report, no traceback
        return _report_bug(error)


def _report_bug(error: Exception) -> int:
    from lab_desktop import problems

    report = problems.write("command line", error)
    hint = "Try again; if it happens again, "
    if report is not None:
        hint += f"send the report in {report}."
    else:
        hint += f"send this report (it could not be saved):\n{problems.described('command line', error)}"
    sys.stderr.write(f"Something happened that LAB Desktop did not expect. What was finished is safe.\n{hint}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
