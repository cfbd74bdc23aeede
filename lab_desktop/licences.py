"""What this program is made of, and under which licences: as the built app was packed, from source as it is installed.

A built app carries `resources/licences.json.gz`, which packaging/licences.py writes; texts that are the same lie in it
once. From source the installed packages are read: what they say of themselves, and the texts they bring.
"""

from __future__ import annotations

import functools
import gzip
import importlib.metadata
import json
import re
import sysconfig
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from lab_desktop import __version__, files, paths
from lab_desktop.errors import RunError

PROGRAM = "LAB Desktop"
LICENCE = "Apache-2.0"
FILE_NAME = "licences.json.gz"
QT = ("PySide6-Essentials", "shiboken6")

_TEXT_FILE = re.compile(r"(LICEN[CS]E|NOTICE|COPYING)", re.IGNORECASE)
_MOST_LETTERS = 2_000_000
"""Of one text."""
_WHAT_IS_SAID = {
    "MIT": "MIT", "MIT License": "MIT", "MPL-2.0": "MPL-2.0", "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Apache 2.0": LICENCE, "Apache-2.0": LICENCE, "Apache 2.0 License": LICENCE, "Apache Software License": LICENCE,
    "PSFL": "PSF-2.0", "BSD-2-Clause": "BSD-2-Clause", "BSD-3-Clause": "BSD-3-Clause",
    "LGPL-3.0-or-later": "LGPL-3.0-or-later", "MPL-2.0 AND MIT": "MPL-2.0 AND MIT",
    "LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only": "LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only",
}  # fmt: skip
"""What packages write where an SPDX expression belongs → that expression. "BSD" alone is told by its text."""
_GCC = "GPL-3.0-or-later WITH GCC-exception-3.1"
_BY_NAME = {
    "cobble": "BSD-2-Clause",
    "numpy": f"BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0 AND LGPL-2.1-or-later AND {_GCC}",
    "pygithub": "LGPL-3.0-or-later",
    "pypdfium2": "(BSD-3-Clause OR Apache-2.0) AND BSD-2-Clause AND BSL-1.0 AND FTL AND HPND AND IJG AND libpng-2.0 "
    "AND libtiff AND MIT AND Unicode-3.0 AND Zlib",
    "torch": "BSD-3-Clause AND Apache-2.0 AND Apache-2.0 WITH LLVM-exception AND BSD-2-Clause AND BSL-1.0 AND MIT "
    f"AND {_GCC}",
}
"""Of packages that say too little of themselves: libraries of others lie in some."""
_BORROWED = {
    "mlx-metal": [("mlx", "LICENSE")],
    "pyside6-essentials": [("PyGithub", "COPYING.LESSER"), ("PyGithub", "COPYING")],
    "shiboken6": [("PyGithub", "COPYING.LESSER"), ("PyGithub", "COPYING")],
    "tokenizers": [("huggingface-hub", "LICENSE")],
}
"""Packages without a text of their own → where the same text lies."""

_MIT = """Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated \
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the \
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit \
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the \
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE \
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR \
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR \
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
_BSD_2 = """Redistribution and use in source and binary forms, with or without modification, are permitted provided \
that the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this list of conditions and the following \
disclaimer.

2. Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following \
disclaimer in the documentation and/or other materials provided with the distribution.
"""
_BSD_3 = """
3. Neither the name of the copyright holder nor the names of its contributors may be used to endorse or promote \
products derived from this software without specific prior written permission.
"""
_BSD_END = """
THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, \
INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE \
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, \
SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR \
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, \
WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE \
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
"""
_WRITTEN = {"MIT": _MIT, "BSD-2-Clause": _BSD_2 + _BSD_END, "BSD-3-Clause": _BSD_2 + _BSD_3 + _BSD_END}
_HOLDERS = {"cobble": "Copyright (c) Michael Williamson"}


@dataclass(frozen=True)
class Part:
    """Something that this program brings along.

    Attributes:
        licence: an SPDX expression; "" where it is not known.
        page: its home, "" where it has none.
        note: how what its licence asks for is met, in a sentence or two; "" where it asks only to be shown.
        texts: the licence itself, and notices.
    """

    name: str
    version: str
    licence: str
    page: str
    note: str
    texts: tuple[str, ...]


@functools.cache
def parts() -> tuple[Part, ...]:
    """Everything that this program is made of, itself first.

    Raises:
        RunError: the built app's list is damaged.
    """
    file = paths.resources() / FILE_NAME
    return tuple(read(file) if file.is_file() else [*own_works(), *around(), *map(package, locked())])


def locked() -> list[str]:
    """The packages that the program runs on, as its lock names them; without a lock those that it asks for by name."""
    try:
        lines = (paths.resources().parent / "packaging" / "requirements.lock").read_text(encoding="utf-8").splitlines()
    except OSError:
        try:
            lines = importlib.metadata.requires("lab-desktop") or []
        except importlib.metadata.PackageNotFoundError:
            lines = []
    wanted = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    names = {each.name for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})}
    return sorted(filter(_is_installed, names), key=str.casefold)


def package(name: str) -> Part:
    """An installed package, as it describes itself; without texts where it brings none and none is known.

    Raises:
        importlib.metadata.PackageNotFoundError: it is not installed.
    """
    found = importlib.metadata.distribution(name)
    said = found.metadata.json
    key = str(said["name"]).lower().replace("_", "-")
    texts = [_read(Path(str(found.locate_file(file)))) for file in found.files or [] if _is_text(str(file))]
    texts = texts or [text for other, file in _BORROWED.get(key, []) for text in _text_of(other, file)]
    licence = _BY_NAME.get(key) or _expression(said, texts)
    if not texts and key in _HOLDERS:
        texts = [f"{_HOLDERS[key]}\n\n{_WRITTEN[licence]}"]
    return Part(str(said["name"]), str(said["version"]), licence, _page(said), note(licence, key), tuple(texts))


def own_works() -> list[Part]:
    """What was written for this program: itself, its lessons, and what its teacher learned from."""
    apache = _text_of("huggingface-hub", "LICENSE")
    attribution = _text_of("pypdfium2", "CC-BY-4.0.txt")
    lesson = "Texts and questions about an invented island, and the lessons that a new library begins with."
    taught = "Trained by this program from texts that were written for it; those are under CC-BY-4.0 too."
    credit = "Copyright The LAB Desktop authors.\n"
    return [
        Part(PROGRAM, __version__, LICENCE, "", "With its help, prompts, icons and pictures.", (credit, *apache)),
        Part("Practice lesson and starter library", __version__, "CC-BY-4.0", "", lesson, (credit, *attribution)),
        Part("Practice teacher", __version__, LICENCE, "", taught, (credit, *apache)),
    ]


def around() -> list[Part]:
    """What no package stands for: Python, and libraries inside the packages that bring no text for them."""
    python = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    version = sysconfig.get_config_var("py_version") or ""
    qt = _version_of(QT[0])
    inside = [
        ("ggml and llama.cpp", _version_of("llama-cpp-python"), "MIT", "https://github.com/ggml-org/llama.cpp",
         "Copyright (c) 2023-2026 The ggml authors"),
        ("double-conversion, inside Qt", qt, "BSD-3-Clause", "https://github.com/google/double-conversion",
         "Copyright 2006-2011, the V8 project authors. All rights reserved."),
        ("MD4C, inside Qt", qt, "MIT", "https://github.com/mity/md4c", "Copyright (c) 2016-2024 Martin Mitáš"),
        ("PCRE2, inside Qt", qt, "BSD-3-Clause", "https://www.pcre.org",
         "Copyright (c) 1997-2024 University of Cambridge. Copyright (c) 2010-2024 Zoltan Herczeg"),
    ]  # fmt: skip
    texts = tuple(
        text
        for name in ("freetype", "harfbuzz", "icu", "libjpeg_turbo", "libpng", "zlib")
        for text in _text_of("pypdfium2", f"{name}.txt") + _text_of("pypdfium2", f"{name}.md")
    )
    licence = "FTL AND MIT AND Unicode-3.0 AND BSD-3-Clause AND IJG AND libpng-2.0 AND Zlib"
    page = "https://doc.qt.io/qt-6/licenses-used-in-qt.html"
    return [
        Part("Python", version, "PSF-2.0", "https://www.python.org", "", (_read(python),) if python.is_file() else ()),
        *(
            Part(name, version, licence, page, "", (f"{holder}\n\n{_WRITTEN[licence]}",))
            for name, version, licence, page, holder in inside
        ),
        Part("FreeType, HarfBuzz, ICU, libjpeg, libpng and zlib, inside Qt", qt, licence, page, "", texts),
    ]


def note(licence: str, key: str = "") -> str:
    """How a licence that asks for more than to be shown is met, in a sentence or two."""
    if key in (name.lower() for name in QT):
        return (
            "Used under the LGPL, version 3. Qt and PySide lie beside the program as libraries of their own, "
            "unchanged; you may put others in their place, and study how they work. Their source: "
            "https://download.qt.io/official_releases/QtForPython/"
        )
    if "LGPL" in licence:
        return "It lies beside the program as files of its own, unchanged; you may put others in their place."
    if "MPL" in licence:
        return "Its files are unchanged; their source is here, and on its page."
    return ""


def write(file: Path, some: Iterable[Part]) -> None:
    """Write a list that `read` reads; texts that are the same are written once.

    Raises:
        StorageError: it cannot be written.
    """
    texts: dict[str, int] = {}
    rows = []
    for part in some:
        numbers = [texts.setdefault(text, len(texts)) for text in part.texts]
        rows.append([part.name, part.version, part.licence, part.page, part.note, numbers])
    data = json.dumps({"parts": rows, "texts": list(texts)}, ensure_ascii=False).encode("utf-8")
    with files.replacing(file) as temporary:
        temporary.write_bytes(gzip.compress(data, 9, mtime=0))


def read(file: Path) -> list[Part]:
    """The parts of a list that `write` wrote.

    Raises:
        RunError: it cannot be read, or is not what was written.
    """
    try:
        found = json.loads(gzip.decompress(file.read_bytes()))
        texts = [str(text) for text in found["texts"]]
        return [
            Part(
                str(name), str(version), str(licence), str(page), str(said), tuple(texts[number] for number in numbers)
            )
            for name, version, licence, page, said, numbers in found["parts"]
        ]
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, IndexError) as error:
        message = "The list of licences cannot be read."
        raise RunError(message, "Set the program up again to get it back.", str(error)) from error


def _expression(said: Mapping[str, Any], texts: Sequence[str]) -> str:
    if expression := said.get("license_expression"):
        return str(expression)
    classes = [str(each).rpartition(" :: ")[2] for each in said.get("classifier", []) if each.startswith("License ::")]
    for words in (str(said.get("license", "")).partition("\n")[0].strip(), *classes):
        if words in _WHAT_IS_SAID:
            return _WHAT_IS_SAID[words]
        if words.startswith("BSD"):
            return (
                "BSD-3-Clause"
                if any("either the name" in text or "names of" in text for text in texts)
                else "BSD-2-Clause"
            )
    return ""


def _page(said: Mapping[str, Any]) -> str:
    pairs = (str(each).partition(",") for each in said.get("project_url", []))
    named = {name.strip().lower(): page.strip() for name, _, page in pairs}
    page = said.get("home_page") or next((named[name] for name in _PAGES if name in named), "")
    return str(page) if str(page).startswith(("https://", "http://")) else ""


_PAGES = ("homepage", "source", "source code", "repository", "github", "documentation", "docs")


def _is_text(file: str) -> bool:
    if ".dist-info/" not in file or file.endswith((".py", ".pyc")):
        return False
    return ".dist-info/licenses/" in file or bool(_TEXT_FILE.search(Path(file).name))


def _text_of(name: str, file: str) -> list[str]:
    """A text that a package brings under this name; [] where it does not."""
    if not _is_installed(name):
        return []
    found = importlib.metadata.distribution(name)
    return [
        _read(Path(str(found.locate_file(each))))
        for each in found.files or []
        if each.name == file and _is_text(str(each))
    ]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")[:_MOST_LETTERS]
    except OSError:
        return ""


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _version_of(name: str) -> str:
    return importlib.metadata.version(name) if _is_installed(name) else ""
