"""Runs first in the window's program: the engine's packages become its own, the environment the person's again."""

import os
import sys


def _begin() -> None:
    here = os.path.dirname(os.path.realpath(sys.executable))  # noqa: PTH120 - pathlib lies in the engine too
    inside = os.path.join("..", "Resources", "engine") if sys.platform == "darwin" else "engine"  # noqa: PTH118
    engine = os.path.normpath(os.path.join(here, inside))  # noqa: PTH118
    library = os.path.join(engine, "lib", "python%d.%d" % sys.version_info[:2])  # noqa: PTH118, UP031
    for name in ("", "lib-dynload", "site-packages"):
        sys.path.append(os.path.join(library, name) if name else library)  # noqa: PTH118
    # What the program's starter set for itself is not for the programs that it starts in turn.
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before
    else:
        os.environ.pop("LD_LIBRARY_PATH", None)
    for name in [name for name in os.environ if name.startswith("_PYI_")]:
        del os.environ[name]


_begin()
