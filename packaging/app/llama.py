"""llama.cpp for every processor of a kind: built once with a file of kernels for each generation of them, and kept."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import sys
import tarfile
from pathlib import Path

from app import locks, tools
from app.workshop import ROOT, BuildError, Workshop

NAME = "llama-cpp-python"
LOCK = ROOT / "packaging" / "requirements.lock"
_PLAIN = (
    "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=ON", "-DLLAMA_BUILD_COMMON=OFF", "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_BUILD_TOOLS=OFF", "-DLLAMA_CURL=OFF", "-DGGML_NATIVE=OFF",
)  # fmt: skip
FLAGS = {
    # The kernels in files of their own, from plain x86-64 to AVX-512 with matrix tiles; lab_desktop loads the best.
    "linux": (*_PLAIN, "-DGGML_BACKEND_DL=ON", "-DGGML_CPU_ALL_VARIANTS=ON"),
    "darwin": (
        *_PLAIN, "-DGGML_METAL=ON", "-DGGML_METAL_EMBED_LIBRARY=ON", "-DGGML_OPENMP=OFF",
        "-DCMAKE_OSX_DEPLOYMENT_TARGET=14.0", "-DCMAKE_OSX_ARCHITECTURES=arm64", "-DCMAKE_INSTALL_NAME_DIR=@rpath",
        "-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON", "-DCMAKE_INSTALL_RPATH=@loader_path",
    ),
}  # fmt: skip
LEFT_OUT = ("sse42", "ivybridge", "piledriver", "cannonlake", "cascadelake", "cooperlake")
"""Generations between two others: the older one's kernels run there nearly as fast."""


def folder(shop: Workshop) -> Path:
    """The package `llama_cpp` for this system, as a folder; built where the cache has none for this lock and flags.

    A quarter of an hour on two slow cores; after that nothing.

    Raises:
        BuildError: it cannot be built.
    """
    requirement = f"{NAME}=={locks.requirements(LOCK)[NAME]}"
    flags = FLAGS[sys.platform]
    about = " ".join((requirement, *flags, *LEFT_OUT, platform.machine()))
    kept = shop.cache / f"llama-{hashlib.sha256(about.encode()).hexdigest()[:16]}"
    if kept.exists():
        return kept
    shop.say("llama.cpp for every processor, built once: this takes a while …")
    work = kept.with_name(f"{kept.name}.part")
    shutil.rmtree(work, ignore_errors=True)
    shop.run(
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation", "--no-binary", NAME,
        "--dest", work, requirement, env={"PYTHONPATH": str(tools.folder(shop))},
    )  # fmt: skip
    source = work / "source" if shop.is_dry else _unpacked(work)
    made = work / "made"
    shop.run("cmake", "-S", source / "vendor" / "llama.cpp", "-B", made, *flags)
    shop.run("cmake", "--build", made, "--target", "llama", "--parallel", str(os.cpu_count() or 1))
    if not shop.is_dry:
        collect(source, made / "bin", work / "llama_cpp")
        (work / "llama_cpp").rename(kept)
        shutil.rmtree(work)
    return kept


def collect(source: Path, libraries: Path, target: Path) -> None:
    """Put the package together: its Python, and each library once, under the name by which the others ask for it.

    Args:
        source: the unpacked source of llama-cpp-python.
        libraries: where the build left the shared libraries, with links to them by shorter names.
    """
    unused = shutil.ignore_patterns("__pycache__", "server", "lib")
    shutil.copytree(source / "llama_cpp", target, ignore=unused)
    (target / "lib").mkdir()
    files = [path for path in sorted(libraries.glob("lib*")) if not path.is_symlink()]
    for path in files:
        name = re.sub(r"(\.so\.\d+)\.[\d.]+$|(\.\d+)[\d.]*(\.dylib)$", r"\1\2\3", path.name)
        shutil.copy(path, target / "lib" / name)
        plain = re.sub(r"\.so\.\d+$", ".so", re.sub(r"\.\d+\.dylib$", ".dylib", name))
        if plain != name:
            (target / "lib" / plain).symlink_to(name)


def _unpacked(work: Path) -> Path:
    """The source, with the generations of processors that are wanted."""
    for archive in work.glob("*.tar.gz"):
        with tarfile.open(archive) as packed:
            packed.extractall(work / "source", filter="data")
    source = next((work / "source").iterdir())
    recipe = source / "vendor" / "llama.cpp" / "ggml" / "src" / "CMakeLists.txt"
    text = recipe.read_text(encoding="utf-8")
    for name in LEFT_OUT:
        line = re.compile(rf"^\s*ggml_add_cpu_backend_variant\({name}[ )].*\n", re.MULTILINE)
        text, count = line.subn("", text)
        if count != 1:
            raise BuildError(f"llama.cpp has no processors called {name} any more: look at LEFT_OUT in app/llama.py.")
    recipe.write_text(text, encoding="utf-8")
    return source
