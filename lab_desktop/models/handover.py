"""A model of ours in other programs: LM Studio and Ollama. Nothing is copied where a link will do.

LM Studio lists the .gguf files in its folder of models, two folders deep (OWNER/NAME/FILE). Ollama is told by a
Modelfile, which stands beside the model; what else it needs it reads from the file itself.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from lab_desktop.errors import ModelError
from lab_desktop.files import disk_errors, write_text
from lab_desktop.models.elsewhere import lm_studio_models

OWNER = "lab-desktop"
_OLLAMA_S = 1800.0


def to_lm_studio(model: Path) -> Path:
    """Let LM Studio find the model; gives its place there.

    Raises:
        ModelError: LM Studio was never started here.
        StorageError: the link could not be made.
    """
    folder = lm_studio_models(Path.home())
    if not folder.parent.is_dir():
        raise ModelError(
            "LM Studio has no folder on this computer.", "Install it and start it once, then hand the model over again."
        )
    place = folder / OWNER / _word(model.stem) / model.name
    if place.exists() and place.samefile(model):
        return place
    with disk_errors(place, "The link for LM Studio"):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        try:
            os.link(model, place)
        except OSError:  # another disk
            place.symlink_to(model.absolute())
    return place


def write_modelfile(model: Path) -> Path:
    """Write NAME.Modelfile beside the model; `ollama create NAME -f FILE` reads it.

    Raises:
        StorageError: it could not be written.
    """
    file = model.with_suffix(".Modelfile")
    write_text(file, f"# ollama create {ollama_name(model)} -f {file.name}\nFROM ./{model.name}\n")
    return file


def ollama_name(model: Path) -> str:
    """What the model is called in Ollama: lower case, without the kind of compression."""
    return _word(model.stem.rpartition("-")[0] or model.stem).lower()


def to_ollama(model: Path) -> str:
    """Give the model to Ollama; gives the name under which it is run there. Takes as long as a copy of the file.

    Raises:
        ModelError: Ollama is not here, or does not take it.
        StorageError: the Modelfile could not be written.
    """
    file, name = write_modelfile(model), ollama_name(model)
    program = _ollama_program()
    if program is None:
        raise ModelError(
            "Ollama is not on this computer.",
            f"Where it is: copy {model.name} and {file.name} there, and run: ollama create {name} -f {file.name}",
        )
    try:
        done = subprocess.run(
            [program, "create", name, "-f", file.name], cwd=file.parent, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", timeout=_OLLAMA_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError("Ollama does not answer.", "Start it, then try again.", str(error)) from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise ModelError("Ollama did not take the model.", "Start Ollama, then try again.", said[-2000:])
    return name


def _ollama_program() -> str | None:
    """Programs that a desktop starts do not see the PATH of a terminal."""
    usual = ("/usr/local/bin/ollama", "/opt/homebrew/bin/ollama", "/Applications/Ollama.app/Contents/Resources/ollama")
    found = shutil.which("ollama")
    if found is None:
        with contextlib.suppress(OSError):
            found = next((path for path in usual if os.access(path, os.X_OK)), None)
    return found


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "model"
