"""The licences of everything that the app brings along: collected, judged, and written for the app to show.

    python packaging/licences.py [--out FILE] [--notices FOLDER]

Without --out it only prints what there is. FOLDER holds the copyright notices of the system's libraries that were
carried along, PACKAGE.txt each. Exit: 0 all of it may be shipped under Apache-2.0 · 1 something may not, or brings no
licence.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lab_desktop import licences  # noqa: E402
from lab_desktop.licences import Part  # noqa: E402

FREE = frozenset({
    "0BSD", "AFL-2.1", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC-BY-4.0", "CC0-1.0", "CNRI-Python",
    "FTL", "HPND", "IJG", "ISC", "MIT", "MIT-0", "PSF-2.0", "Python-2.0", "Unicode-3.0", "Unlicense", "X11", "Zlib",
    "LicenseRef-public-domain", "blessing", "bzip2-1.0.6", "curl", "libpng-2.0", "libtiff",
})  # fmt: skip
"""These ask to be shown, and no more."""
MET = frozenset({
    "LGPL-2.0-or-later", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MPL-2.0",
})  # fmt: skip
"""These ask that a part can be exchanged and its source be had, which is so of all that the app brings along."""
WITH = frozenset({"Apache-2.0 WITH LLVM-exception", "GPL-3.0-or-later WITH GCC-exception-3.1"})
"""Exceptions that were made for libraries such as these."""
SYSTEM = {
    "libblkid1": "LGPL-2.1-or-later",
    "libmount1": "LGPL-2.1-or-later", "libpython3.11": "PSF-2.0",
    "libselinux1": "LicenseRef-public-domain", "libbrotli1": "MIT", "libbsd0": "BSD-3-Clause",
    "libbz2-1.0": "bzip2-1.0.6",
    "libcap2": "BSD-3-Clause",
    "libcom-err2": "MIT", "libdbus-1-3": "AFL-2.1", "libegl1": "MIT", "libexpat1": "MIT", "libffi8": "MIT",
    "libfontconfig1": "HPND", "libfreetype6": "FTL", "libgcc-s1": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "libgl1": "MIT", "libgcrypt20": "LGPL-2.1-or-later", "libglib2.0-0": "LGPL-2.1-or-later", "libglx0": "MIT",
    "libgomp1": "GPL-3.0-or-later WITH GCC-exception-3.1", "libgpg-error0": "LGPL-2.1-or-later",
    "libgssapi-krb5-2": "MIT", "libk5crypto3": "MIT", "libkeyutils1": "LGPL-2.1-or-later", "libkrb5-3": "MIT",
    "libkrb5support0": "MIT", "liblz4-1": "BSD-2-Clause", "liblzma5": "0BSD", "libmd0": "BSD-3-Clause",
    "libnsl2": "LGPL-2.1-or-later", "libpcre2-16-0": "BSD-3-Clause", "libpcre2-8-0": "BSD-3-Clause",
    "libpng16-16": "libpng-2.0", "libsqlite3-0": "blessing", "libssl3": "Apache-2.0",
    "libstdc++6": "GPL-3.0-or-later WITH GCC-exception-3.1", "libsystemd0": "LGPL-2.1-or-later",
    "libtirpc3": "BSD-3-Clause", "libuuid1": "BSD-3-Clause", "libx11-6": "MIT", "libx11-xcb1": "MIT", "libxau6": "MIT",
    "libxdmcp6": "MIT", "libwayland-client0": "MIT", "libwayland-cursor0": "MIT", "libwayland-egl1": "MIT",
    "libglvnd0": "MIT", "libopengl0": "MIT", "libzstd1": "BSD-3-Clause", "zlib1g": "Zlib",
    "libicu72": "Unicode-3.0",
}  # fmt: skip
"""Packages of Debian whose libraries may be carried along. Those of X (libxcb…, libxkb…) are all MIT."""


class Refused(Exception):
    """Why the app may not be shipped, a line for each part."""


def collect(names: Sequence[str], notices: Path | None = None) -> list[Part]:
    """Everything that an app with these packages brings along, judged.

    Args:
        names: of the packages.
        notices: a folder of copyright notices of the system's libraries, PACKAGE.txt each.

    Raises:
        Refused: a part may not be shipped under Apache-2.0, or nobody knows its licence or has its text.
        importlib.metadata.PackageNotFoundError: a package is not installed.
    """
    own = [*licences.own_works(), *licences.around()]
    packages = [licences.package(name) for name in names]
    system = [_of_system(file) for file in sorted(notices.glob("*.txt"))] if notices is not None else []
    found = [*own, *packages, *system]
    if reasons := [reason for part in found for reason in reasons_against(part)]:
        raise Refused("\n".join(reasons))
    return found


def reasons_against(part: Part) -> list[str]:
    """Why a part cannot be shipped, in sentences; none where it can."""
    reasons = []
    if not any(text.strip() for text in part.texts):
        reasons.append(f"{part.name} brings no text of its licence.")
    if not part.licence:
        reasons.append(f"{part.name} does not say under which licence it is; look, and add it to the table.")
    elif not may_be_shipped(part.licence):
        reasons.append(f"{part.name} is under {part.licence}, which a program under Apache-2.0 cannot carry.")
    return reasons


def may_be_shipped(expression: str) -> bool:
    """Does this SPDX expression let a part be shipped within a program under Apache-2.0?"""
    words = re.findall(r"[()]|[^\s()]+", expression)

    def either() -> bool:
        found = both()
        while words[:1] == ["OR"]:
            words.pop(0)
            found = both() or found
        return found

    def both() -> bool:
        found = single()
        while words[:1] == ["AND"]:
            words.pop(0)
            found = single() and found
        return found

    def single() -> bool:
        if not words:
            return False
        name = words.pop(0)
        if name == "(":
            found = either()
            return words[:1] == [")"] and words.pop(0) == ")" and found
        if words[:1] == ["WITH"] and len(words) > 1:
            name = f"{name} WITH {words[1]}"
            del words[:2]
        return name in FREE or name in MET or name in WITH

    return either() and not words


def table(some: Iterable[Part]) -> str:
    """The parts, one a line."""
    return "\n".join(f"{part.name:<44.44} {part.version:<12.12} {part.licence}" for part in some)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; returns the exit status."""
    parser = argparse.ArgumentParser(description="Collect and judge the licences of what the app brings along.")
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"write the app's list ({licences.FILE_NAME})")
    parser.add_argument("--notices", type=Path, metavar="FOLDER", help="copyright notices of the system's libraries")
    options = parser.parse_args(arguments)
    try:
        found = collect(licences.locked(), options.notices)
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    print(table(found))
    if options.out is not None:
        licences.write(options.out, found)
        print(
            f"{len(found)} parts, {len({text for part in found for text in part.texts})} texts, "
            f"{options.out.stat().st_size / 1000:.0f} kB"
        )
    return 0


def _of_system(notice: Path) -> Part:
    name = notice.stem
    licence = SYSTEM.get(name) or ("MIT" if re.match(r"lib(xcb|xkb)", name) else "")
    text = notice.read_text(encoding="utf-8", errors="replace")
    return Part(name, "", licence, f"https://packages.debian.org/{name}", licences.note(licence), (text,))


if __name__ == "__main__":
    sys.exit(main())
