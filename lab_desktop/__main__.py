"""Where the program starts: a worker (`--worker FOLDER [STEP…]`), a model in conversation (`--chat`), the reader of a
document (`--convert`), a command (see cli.py), or without any the window.

Imports wait until `main`, so that Ctrl-C while they load ends calmly too.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Start what the arguments ask for; returns the exit status."""
    arguments = sys.argv[1:]
    try:
        from lab_desktop import hardware

        hardware.wait_politely()
        if arguments[:1] == ["--worker"] and len(arguments) > 1:
            from pathlib import Path

            from lab_desktop.jobs import worker

            return worker.main(Path(arguments[1]), arguments[2:])
        if arguments == ["--chat"]:
            from lab_desktop.jobs import conversation

            return conversation.main()
        if arguments == ["--convert"]:
            from lab_desktop.jobs import conversion

            return conversion.main()
        from lab_desktop import cli

        return cli.main(arguments)
    except KeyboardInterrupt:  # while the program was still loading
        return 130
    except Exception:  # noqa: BLE001 - the last net: what nobody foresaw becomes a report instead of a traceback
        return _report_bug()


def _report_bug() -> int:
    import tempfile
    import traceback
    from pathlib import Path

    from lab_desktop import paths

    details = traceback.format_exc()
    hint = "Try again; if it happens again, "
    for folder in (paths.user_data(), Path(tempfile.gettempdir())):
        report = folder / "last-problem.txt"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            report.write_text(details, encoding="utf-8", errors="replace")
        except OSError:
            continue
        hint += f"send the report in {report}."
        break
    else:
        hint += f"send this report (it could not be saved):\n{details}"
    sys.stderr.write(f"Something happened that LAB Desktop did not expect. What was finished is safe.\n{hint}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
