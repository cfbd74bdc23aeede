"""The house's rules about who may import whom (README.md, "Map of the code"), read from the source."""

from __future__ import annotations

import ast
import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "lab_desktop"
HERE = {**os.environ, "PYTHONPATH": str(ROOT)}

STEPS = {"taxonomy", "documents", "generation", "training", "export", "evaluation", "contribution"}
GROUND = {
    "artifacts", "errors", "files", "paths", "settings", "log", "hardware", "words", "bins", "jobs.errands", "jobs.run",
    "jobs.events", "keys", "private", "problems", "servers", "jobs.shortage",
}  # fmt: skip
"""What everybody may use."""
SEEN = (
    GROUND
    | {"taxonomy", "documents", "editing", "contribution", "repository", "jobs.requests"}
    | {"models.account", "models.card"}
    | {"models.arrivals", "models.catalogue", "models.choosing", "models.elsewhere", "models.facts", "models.lineage"}
    | {"models.handover", "models.offers", "models.records", "models.remote", "models.remote_calls", "models.store"}
    | {"evaluation.exam", "evaluation.measured", "evaluation.questions", "selftest"}
    | {"capacity", "chats", "corrections", "drafts", "needs", "licences", "projects", "reviews", "versions", "votes"}
)
"""What the window shows."""
SHARED = {
    "ui.background", "ui.chat_process", "ui.downloads", "ui.editor", "ui.errand", "ui.guard", "ui.held", "ui.icons",
    "ui.jobs", "ui.known", "ui.news", "ui.preferences", "ui.session", "ui.sharing", "ui.signing_in",
    "ui.theme", "ui.widgets", "ui.words",
}  # fmt: skip
"""What pages may use of the window: no page knows another, nor the window."""
CHAT = {"ui.pages.chat", "ui.pages.chat_items", "ui.pages.chat_parts", "ui.pages.chat_teach"}
HOME = {"ui.pages.home", "ui.pages.home_cards", "ui.pages.home_new"}

MAY_IMPORT = {
    # Where the rooms below are not enough: the most specific line counts. "X" stands for X and all below it.
    "artifacts": set(),
    "errors": set(),
    "words": set(),
    "bins": {"errors", "files"},
    "files": {"errors"},
    "keys": {"errors"},
    "private": set(),
    "licences": {"errors", "files", "paths"},
    "problems": {"errors", "files", "hardware", "paths", "private"},
    "versions": {"errors", "files", "paths"},
    "servers": {"errors", "files", "paths"},
    "paths": {"errors"},
    "settings": GROUND - {"jobs.run", "jobs.events"},
    "log": {"errors", "paths"},
    "hardware": {"errors"},
    "repository": GROUND | {"repository", "taxonomy.tree"},
    "jobs": set(),
    "jobs.events": set(),
    "jobs.run": {"errors", "files", "jobs.events"},
    "jobs.requests": GROUND,
    "jobs.errands": {"errors", "files", "jobs.requests", "paths"},
    "jobs.shortage": {"errors", "files", "hardware"},
    "jobs.conversation": GROUND | {"models", "generation", "evaluation"},
    "jobs.conversion": GROUND | {"documents"},
    "jobs.drawing": GROUND | {"documents", "jobs.conversion"},
    "capacity": GROUND,
    "needs": GROUND | {"capacity", "models", "training.choice", "training.phases", "training.thrift"},
    "reviews": GROUND,
    "selftest": GROUND | {"selftest"},
    "corrections": GROUND | {"evaluation"},
    "votes": GROUND,
    "chats": GROUND,
    "drafts": GROUND | {"taxonomy", "editing"},
    "editing": GROUND | {"taxonomy", "documents", "editing"},
    "projects": GROUND | {"jobs.requests", "reviews", "taxonomy"},
    "jobs.worker": GROUND
    | {"contribution", "jobs.requests", "models.download", "models.moving", "models.upload", "workflow"},
    "models": GROUND | {"models"},
    "models.card": GROUND | {"jobs.requests", "models"},
    "models.choosing": GROUND | {"capacity", "models.catalogue", "models.facts", "models.offers"},
    "models.lineage": GROUND | {"jobs.requests", "projects"},
    "models.store": GROUND | {"models", "projects"},
    **{step: GROUND | {"models", step} for step in STEPS},
    "contribution": GROUND | {"contribution", "corrections", "documents", "projects", "repository", "taxonomy"},
    "workflow": GROUND | STEPS | {"models", "repository", "jobs.requests", "reviews"},
    "terminal": {"jobs.events"},
    "commands.models": GROUND | {"capacity", "commands.arguments", "models", "terminal"},
    "commands.selftest": GROUND | {"commands.arguments", "selftest", "terminal"},
    "commands": GROUND | STEPS | {"commands", "terminal", "models", "repository", "jobs.requests", "workflow"},
    "cli": {"commands", "errors", "problems", "terminal", "ui", "versions"},
    "__main__": GROUND
    | {"cli", "jobs.worker", "jobs.conversation", "jobs.conversion", "jobs.drawing", "jobs.requests", "selftest", "ui"},
    "ui": SEEN | {"ui"},
    "ui.showing": {"documents", "jobs.conversion"},
    "ui.widgets": {"ui.icons", "ui.jobs", "ui.theme", "ui.widgets", "ui.words"},
    "ui.editor": SEEN
    | {"ui.background", "ui.chat_process", "ui.editor", "ui.guard", "ui.icons", "ui.theme", "ui.widgets", "ui.words"},
    **{f"ui.pages.{page}": SEEN | SHARED | {f"ui.pages.{page}"} for page in ("activity", "lesson", "welcome")},
    **dict.fromkeys(CHAT, SEEN | SHARED | CHAT),
    **dict.fromkeys(HOME, SEEN | SHARED | HOME),
    "ui.pages.improve": SEEN | SHARED | {"ui.pages.improve"},
    "ui.pages.library": SEEN | SHARED | {"ui.pages.library"},
    "ui.pages.models": SEEN | SHARED | {"ui.pages.models"},
    "ui.pages.share": SEEN | SHARED | {"ui.pages.share"},
    "__init__": set(),
}

MODEL_LIBRARIES = ("torch", "transformers", "peft", "mlx", "mlx_lm", "llama_cpp", "gguf")
MODEL_ROOMS = (
    "training.torch_backend", "training.torch_model", "training.torch_ranks", "training.mlx_backend",
    "training.mlx_model", "training.mlx_ranks", "models.llama_calls", "models.grammar", "models.gguf", "export",
)  # fmt: skip

DOCUMENT_LIBRARIES = {
    "pypdfium2": ("documents.pdf", "documents.pdf_pages"),
    "mammoth": ("documents.docx",),
    "bs4": ("documents.docx", "documents.epub", "documents.html", "documents.shown"),
}
ONLY_IN = {
    "PySide6": ("ui",),
    "git": ("repository",),
    "github": ("contribution.github",),
    "gitlab": ("contribution.gitlab",),
    **DOCUMENT_LIBRARIES,
    **dict.fromkeys(MODEL_LIBRARIES, MODEL_ROOMS),
}

HEAVY = {*MODEL_LIBRARIES, *DOCUMENT_LIBRARIES, "PySide6", "cryptography", "github", "gitlab"}
TAKE_A_MOMENT = HEAVY | {
    "asyncio", "filelock", "git", "httpx2", "huggingface_hub", "jinja2", "jsonschema", "numpy", "openpyxl", "regex",
    "requests", "sqlite3", "yaml",
}  # fmt: skip

HARMLESS_CALLS = {
    # Calls at module level that do nothing but make a value.
    "Signal", "TypeVar", "compile", "dataclass", "deque", "dict", "dtype", "enumerate", "field", "frozenset",
    "get_args", "getLogger", "items", "lower", "lru_cache", "maketrans",
     "namedtuple", "no_grad", "range", "set", "str", "tuple", "zip",
}  # fmt: skip

WINDOW_SAFE = [
    "artifacts", "errors", "files", "paths", "hardware", "jobs.run", "jobs.events", "jobs.requests", "jobs.worker",
    "models.account", "models.arrivals", "models.card", "models.catalogue", "models.choosing", "models.elsewhere",
    "models.facts", "models.gguf",
    "models.lineage", "models.moving", "models.offers", "models.records", "models.store", "models.text_model",
    "taxonomy", "taxonomy.check", "taxonomy.qna", "taxonomy.tree",
    "taxonomy.attribution", "taxonomy.differences", "taxonomy.library.history", "taxonomy.importing", "taxonomy.index",
    "taxonomy.library", "taxonomy.names", "documents", "repository", "bins", "documents.convert", "documents.safely",
    "documents.source", "documents.drawing", "documents.places", "editing", "capacity", "needs", "chats",
    "corrections", "drafts", "projects", "reviews", "votes", "keys", "servers", "models.remote",
    "contribution.contributions", "contribution.following", "contribution.sending", "licences", "problems", "versions",
]  # fmt: skip


@functools.cache
def modules() -> dict[str, Path]:
    """Every module of the package by its name below lab_desktop; a folder's __init__ bears the folder's name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = path
    return found


def imported(source: str) -> set[str]:
    """Full names of what a source imports anywhere, but not what only a type checker would.

    `from a import b` counts as "a.b".

    Raises:
        AssertionError: a relative import, which hides where it points.
    """
    names = set()
    tree = ast.parse(source)
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def breaches(module: str, source: str, known: set[str]) -> list[str]:
    """The rules that a module of this name with this source would break."""
    broken = []
    for name in sorted(imported(source)):
        first, _, rest = name.partition(".")
        if first == "lab_desktop":
            target = _module_of(rest, known)
            if target != module and not _is_below(target, _line(module)):
                broken.append(f"{module} imports {target}")
        elif first in ONLY_IN and not _is_below(module, ONLY_IN[first]):
            broken.append(f"{module} imports {first}")
    return broken


def work_at_import(source: str) -> list[str]:
    """Calls that a module makes while it is imported, apart from harmless ones; its own functions are followed."""
    found: list[str] = []
    tree = ast.parse(source)
    own = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}

    class Visitor(ast.NodeVisitor):
        def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
            for part in (*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)):
                self.visit(part)

        visit_AsyncFunctionDef = visit_FunctionDef

        def visit_Lambda(self, node: ast.Lambda) -> None:
            pass

        def visit_If(self, node: ast.If) -> None:
            if "__name__" not in ast.unparse(node.test):
                self.generic_visit(node)

        def visit_Call(self, node: ast.Call) -> None:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "?")
            if name in own and isinstance(node.func, ast.Name):
                body, own[name].body = own[name].body, []  # once is enough
                for statement in body:
                    self.visit(statement)
            elif name not in HARMLESS_CALLS and not _only_makes_a_value(node):
                found.append(f"line {node.lineno}: {ast.unparse(node)[:60]}")
            self.generic_visit(node)

    Visitor().visit(tree)
    return found


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    assert breaches(module, modules()[module].read_text(encoding="utf-8"), set(modules())) == []


@pytest.mark.parametrize("module", modules())
def test_nothing_happens_when_a_module_is_imported(module: str) -> None:
    assert work_at_import(modules()[module].read_text(encoding="utf-8")) == []


def test_the_rules_can_be_broken() -> None:
    known = set(modules()) | {"generation.seeds", "ui.app"}

    def broken(module: str, source: str) -> list[str]:
        return breaches(module, source, known)

    assert broken("training.loop", "from lab_desktop.generation import seeds") == [
        "training.loop imports generation.seeds"
    ]
    assert broken("training.loop", "from lab_desktop import generation") == ["training.loop imports generation"]
    assert broken("errors", "import lab_desktop.files") == ["errors imports files"]
    assert broken("workflow", "import torch") == ["workflow imports torch"]
    assert broken("taxonomy.tree", "def f():\n    import gguf.constants") == ["taxonomy.tree imports gguf"]
    assert broken("workflow", "from git import Repo") == ["workflow imports git"]
    assert broken("models.store", "from PySide6.QtCore import QObject") == ["models.store imports PySide6"]
    assert broken("ui.app", "from lab_desktop.models import llama") == ["ui.app imports models.llama"] or (
        "models.llama" not in known
    )
    assert broken("ui.pages.home", "from lab_desktop.ui.pages.chat import ChatPage") == [
        "ui.pages.home imports ui.pages.chat"
    ]
    assert broken("ui.widgets.basic", "from lab_desktop.ui.session import Session") == [
        "ui.widgets.basic imports ui.session"
    ]
    assert broken("training.torch_backend", "import torch\nfrom lab_desktop.models import gguf") == []
    with pytest.raises(AssertionError, match="relative"):
        broken("training.loop", "from . import batches")
    assert work_at_import("import logging\nlogging.basicConfig()") == ["line 2: logging.basicConfig()"]
    assert work_at_import("def f(x=open('y')): pass") == ["line 1: open('y')"]
    assert work_at_import("def f():\n    open('y')\nx = f()") == ["line 2: open('y')"]
    assert work_at_import("def f():\n    open('y')\nif __name__ == '__main__':\n    f()") == []


def test_what_the_window_imports_loads_no_library_of_models_or_documents() -> None:
    loaded_by(WINDOW_SAFE, but=())
    loaded_by([name for name in modules() if name.startswith("ui") and name != "ui.showing"], but=("PySide6",))


def test_the_window_stands_before_what_its_pages_need_is_loaded() -> None:
    loaded = loaded_by(["cli", "ui.app"], but=("PySide6",))

    assert sorted(TAKE_A_MOMENT & loaded) == ["PySide6", "filelock", "yaml"]
    assert [name for name in sorted(loaded) if name.startswith("lab_desktop.commands.")] == []


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [("--help", ()), ("check --help", ()), ("--chat", ()), ("--convert", ()), ("--worker nowhere", ("filelock",))],
)
def test_a_process_that_only_begins_loads_nothing_that_takes_a_moment(
    arguments: str, needed: tuple[str, ...], tmp_path: Path
) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "lab_desktop", *arguments.split()]

    begun = subprocess.run(
        command, cwd=tmp_path, env=HERE, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )

    loaded = {line.rpartition("|")[2].strip() for line in begun.stderr.splitlines()}
    assert "lab_desktop.hardware" in loaded, begun.stderr
    assert sorted(TAKE_A_MOMENT & loaded - set(needed)) == []


def loaded_by(modules_of_ours: list[str], but: tuple[str, ...]) -> set[str]:
    """Import them in a fresh process: none of the heavy libraries is loaded; gives all that are loaded."""
    names = [f"lab_desktop.{name}" for name in modules_of_ours if name in modules()]
    script = f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\nprint(*sys.modules)"

    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)

    loaded = set(result.stdout.split())
    assert (sorted(HEAVY & loaded - set(but)), result.stderr) == ([], "")
    return loaded


def _line(module: str) -> set[str]:
    """What the most specific line of the table allows."""
    name = module
    while name not in MAY_IMPORT:
        assert "." in name, f"{module} stands in no room of the table: add it to the README and here"
        name = name.rpartition(".")[0]
    return MAY_IMPORT[name]


def _is_below(module: str, rooms: set[str] | tuple[str, ...]) -> bool:
    return module == "__init__" or any(module == room or module.startswith(room + ".") for room in rooms)


def _module_of(name: str, known: set[str]) -> str:
    """The module that `lab_desktop.NAME` means: names of functions and values are cut off."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name or "__init__"


def _only_makes_a_value(call: ast.Call) -> bool:
    # An enum's or dataclass's constructor, by our naming: classes are capitalised. And methods of literal text.
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr[0].isupper() or isinstance(function.value, ast.Constant)
    return isinstance(function, ast.Name) and function.id.lstrip("_")[:1].isupper()
