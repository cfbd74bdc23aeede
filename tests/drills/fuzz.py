"""Bytes that no program wrote, given to the parsers of foreign files.

Each try changes a real file of its kind: bits, bytes, numbers at their limits, parts cut out, doubled or taken from
another file; texts also get words of their language. It runs in a child with little memory and little time. What is
not survived is kept as a file below `tests/data/found`, and from then on a test reads it.
"""

from __future__ import annotations

import collections
import hashlib
import io
import itertools
import json
import random
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.drills.inputs_child import Outcome, Try, outcomes
from tests.drills.inputs_row import Row

FOUND = Path(__file__).parents[1] / "data" / "found"
"""Inputs that were not survived once, each in a folder that is named for its parser."""


_NUMBERS = tuple(
    (form, number & (1 << 8 * struct.calcsize(form)) - 1)
    for form in ("<B", "<H", "<I", "<Q", ">I")
    for number in (0, 1, -1, 0x7F, 0x80, 0x7FFF_FFFF, 1 << 31, 1 << 62, 1 << 63, 12, 9, 8)
)
_YAML = (
    b"&a [*a, *a]",
    b"*a",
    b"!!python/object:os.system x",
    b"<<: *a",
    b"? ",
    b"- - - - - ",
    b"[[[[[[[[[[",
    b"{{{{{{",
    b"|+9\n",
    b">-\n",
    b"\x00",
    b"\xff\xfe",
    b"\t",
    b"%YAML 9.9\n",
    b"---\n",
    b"...\n",
    b"1e999",
    b"0x",
    b"2026-99-99",
    b"!!binary |\n ",
    b"!!timestamp x",
    b"!!int ''",
    b"!!float .",
    b'"\\U00110000"',
    b"version: 3\nversion: 3\n",
    b"=",
    b"!!set {a}",
    b"!!omap [a]",
    b"!!pairs [a]",
    b"1:60:99",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"~",
    b"key: &k\n  *k : 1",
)
_JINJA = (
    b"{% for i in range(99999) %}",
    b"{% endfor %}",
    b"{{ messages.__class__ }}",
    b"{{ ''|attr('__class__') }}",
    b"{{ 'x' * 99999999 }}",
    b"{% set a = a * a %}",
    b"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    b"|tojson",
    b"{% if ",
    b"{% endif %}",
    b"{{ [1] * 99999999 }}",
    b"{{ '%9999999d' % 1 }}",
    b"{{ range(10**9)|list }}",
    b"|join",
    b"{% set n = namespace(x=[]) %}",
    b"{% set n.x = [n.x, n.x] %}",
    b"{{ n.x|string }}",
    b"|sort",
    b"|unique|list",
    b"{{ cycler('a').next() }}",
    b"{{ dict(a=1)|dictsort }}",
    b"{{ messages|groupby('role') }}",
    b"|truncate(99999999)",
    b"{{ 10 ** 99999 }}",
    b"{{ self }}",
    b"{{ loop }}",
    b"{% block a %}{{ self.a() }}{% endblock %}",
    b"{% include 'x' %}",
    b"{{ messages|map(attribute='content')|list }}",
    b"{{ joiner(1)() }}",
    b"|wordcount",
    b"|filesizeformat",
    b"|round(999)",
)
_PDF = (
    b"<<",
    b">>",
    b" R",
    b"/Kids [1 0 R 1 0 R]",
    b"/Length 99999999",
    b"/Filter /FlateDecode",
    b"stream\n",
    b"endobj",
    b"/MediaBox [0 0 1e30 1e30]",
    b"/Count 999999999",
    b"obj",
    b"xref",
    b"/Prev 0",
    b"(((((",
    b"BT",
    b"Tf",
    b"cm",
)
_HTML = (
    b"<table>" * 40,
    b"<ul><li>" * 90,
    b"<td colspan=99999999 rowspan=99999>",
    b"<!--",
    b"<![CDATA[",
    b"&#x110000;",
    b"&amp;" * 50,
    b"<pre>",
    b"<img src='data:image/png;base64,AAAA'>",
    b"<svg>",
    b"<template>",
    b"</p>" * 30,
    b"<b>" * 300,
    b"<script>",
    b"<style>",
    b"<base href=file:///>",
    b"\x00",
    b"<frameset>",
    b"<ol start=99999999999999999999><li>",
)


@dataclass(frozen=True)
class Parser:
    """What reads foreign bytes.

    Attributes:
        name: of the parser.
        suffix: of its files.
        seeds: real files of its kind.
        words: of its language, which a change puts in.
        read: reads a file as the program does, in a folder of its own.
    """

    name: str
    suffix: str
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...]
    read: Callable[[Path], object]


def fuzz(seconds: float, seed: int) -> Iterator[Row]:
    """Change real files at random and give them to each parser in turn; inputs that failed are kept as files.

    Args:
        seconds: of the clock, for all parsers together.
        seed: of every random choice.

    Yields:
        A row for each parser.
    """
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        found: dict[str, list[Outcome]] = collections.defaultdict(list)
        for outcome in outcomes(__name__, seconds, folder=folder, seed=seed):
            found[outcome.what].append(outcome)
            if outcome.lost:
                _keep(outcome, kept_beside(Path(folder), outcome.number))
    for name, tried in found.items():
        lost = [outcome.lost for outcome in tried if outcome.lost]
        told = f"{lost[0]}; kept in {FOUND / name}" if lost else ""
        yield Row(name, "changed at random", len(tried), len(tried) - len(lost), told)


def tries(folder: str, seed: int) -> Iterator[Try]:
    """Changed files without end, for one parser after the other."""
    place = Path(tempfile.mkdtemp(dir=folder))
    known = parsers(place)
    chance = random.Random(seed)
    for number, parser in enumerate(itertools.cycle(known)):
        seed_file = chance.choice(parser.seeds)
        is_packed = seed_file[:2] == b"PK" and chance.random() < 0.6
        data = _changed_inside(seed_file, parser, chance) if is_packed else changed(seed_file, parser, chance)

        def do(parser: Parser = parser, data: bytes = data, number: int = number) -> str:
            kept_beside(Path(folder), number).write_bytes(data)
            return read_found(parser, data, place)

        yield Try(parser.name, "changed at random", do)


def read_found(parser: Parser, data: bytes, place: Path) -> str:
    """Give bytes to a parser in a folder of their own; gives "" and raises what `Try.do` may."""
    file = place / f"file{parser.suffix}"
    file.write_bytes(data)
    try:
        parser.read(file)
    finally:
        file.unlink(missing_ok=True)
    return ""


def changed(data: bytes, parser: Parser, chance: random.Random) -> bytes:
    """A real file with a few changes."""
    made = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(made) + 1)
        at = min(at, chance.randrange(400)) if chance.random() < 0.5 else at
        end = min(len(made), at + chance.choice((1, 4, 8, 64, 1000)))
        way = chance.randrange(7)
        if way == 0 and at < len(made):
            made[at] ^= 1 << chance.randrange(8)
        elif way == 1:
            made[at:end] = chance.randbytes(end - at)
        elif way == 2:
            del made[at:end]
        elif way == 3:
            made[at:at] = made[at:end] * chance.choice((1, 3, 100))
        elif way == 4:
            form, number = chance.choice(_NUMBERS)
            made[at : at + struct.calcsize(form)] = struct.pack(form, number)
        elif way == 5 and parser.words:
            made[at:at] = chance.choice(parser.words)
        else:
            other = chance.choice(parser.seeds)
            start = chance.randrange(len(other) + 1)
            made[at:end] = other[start : start + chance.choice((4, 64, 1000))]
    return bytes(made)


def _changed_inside(data: bytes, parser: Parser, chance: random.Random) -> bytes:
    """An archive in which one file is changed, and whole again."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        files = {name: old.read(name) for name in old.namelist()}
        name = chance.choice(sorted(files))
        files[name] = changed(files[name], parser, chance)
        if "labpack.json" in files and name == "lesson.bundle":  # its check number would refuse it at once
            facts = json.loads(files["labpack.json"])
            files["labpack.json"] = json.dumps({**facts, "digest": hashlib.sha256(files[name]).hexdigest()}).encode()
        for each, content in files.items():
            new.writestr(each, content)
    return made.getvalue()


def kept_beside(folder: Path, number: int) -> Path:
    """Where the input of a try lies until many more have come."""
    return folder / f"input-{number % 512}"


def _keep(outcome: Outcome, file: Path) -> None:
    if not file.exists():
        return
    data = file.read_bytes()
    target = FOUND / outcome.what / hashlib.sha256(data).hexdigest()[:12]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def parsers(place: Path) -> tuple[Parser, ...]:
    """Every parser of foreign bytes, with real files to begin with.

    Args:
        place: an empty folder.
    """
    import gguf

    from lab_desktop.artifacts import ChatMessage
    from lab_desktop.contribution import labpack
    from lab_desktop.contribution.letter import Letter
    from lab_desktop.documents.convert import convert
    from lab_desktop.documents.shown import show
    from lab_desktop.documents.table import read_table
    from lab_desktop.evaluation.questions import _read as read_exam
    from lab_desktop.models.chat import ChatTemplate
    from lab_desktop.models.facts import facts_in
    from lab_desktop.models.gguf import GgufFile, read_header, read_tensor
    from lab_desktop.taxonomy.attribution import parse
    from lab_desktop.taxonomy.check import check_leaf
    from lab_desktop.taxonomy.importing import Haul, read_anything
    from lab_desktop.taxonomy.qna import read_draft
    from tests.documents.makers import Pdf, book, paragraph, table, word
    from tests.fakes import CHAT_TEMPLATE, tiny_model, tiny_student
    from tests.screenshots import contributed, states

    def lesson(file: Path) -> None:
        leaf = file.with_name("qna.yaml")
        file.rename(leaf)
        check_leaf(leaf.parent)
        read_anything(leaf, leaf.parent)
        read_draft(leaf.parent)

    def exam(file: Path) -> None:
        read_exam(file, "leaf", "exam")

    def model(file: Path) -> None:
        header = read_header(file)
        for name in list(header.tensors)[:2]:
            read_tensor(header, name)
        facts_in(header)

    def template(file: Path) -> None:
        source = file.read_bytes().decode("utf-8", "replace")
        header = GgufFile(file, {"tokenizer.chat_template": source, "tokenizer.ggml.tokens": ["<s>"]}, {})
        ChatTemplate(header).render([ChatMessage("system", "Be brief."), ChatMessage("user", "Hi")], True)

    def mail(file: Path) -> None:
        labpack.read(file)

    def archive(file: Path) -> None:
        haul = Haul(file)
        haul.look(lambda what, share: None, lambda: False)
        haul.close()

    def document(file: Path) -> None:
        convert(file)
        if file.suffix != ".pdf":  # pages are drawn
            show(file)

    leaves = [(folder / "qna.yaml").read_bytes() for folder in (states.LESSON, states.MANUAL, states.SKILL)]
    exams = [(folder / "exam.yaml").read_bytes() for folder in (states.LESSON, states.SKILL)]
    models = (
        tiny_model(place / "a.gguf", width=32, heads=2, kv_heads=1, feed_forward=32, layers=1).read_bytes(),
        tiny_model(
            place / "b.gguf", width=32, heads=2, kv_heads=1, feed_forward=32, layers=1,
            quantization=gguf.GGMLQuantizationType.Q8_0,
        ).read_bytes(),
    )  # fmt: skip
    templates = [CHAT_TEMPLATE.encode()]
    for family in ("llama", "gemma2", "qwen3"):
        header = read_header(tiny_student(place / f"{family}.gguf", family))
        templates.append(str(header.metadata["tokenizer.chat_template"]).encode())
    pack = place / "a.labpack"
    labpack.write(pack, contributed.parcel(), Letter("Add facts", "Body"), contributed.ADA, 1_763_780_000.0)
    lessons = io.BytesIO()
    with zipfile.ZipFile(lessons, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in states.LESSON.iterdir():
            zipped.write(path, f"knowledge/velmora/{path.name}")
    body = paragraph("The light of Orra is red.", "Heading1") + table(("a", "b"), ("c", "d"))
    page = b"<h1>Orra</h1><p>The <b>light</b> is red.</p><table><tr><td>a<td>b</table><ul><li>one<li>two</ul>"
    mailed, prose = pack.read_bytes(), (states.LESSON / "velmora.md").read_bytes()
    for path in place.glob("*"):
        path.unlink()
    return (
        Parser("model headers", ".gguf", models, (b"general.alignment", b"GGUF", bytes(8)), model),
        Parser("lessons", ".yaml", tuple(leaves), _YAML, lesson),
        Parser("exams", ".yaml", tuple(exams), (*_YAML, b"matches: '(a+)+$'"), exam),
        Parser("chat templates", ".jinja", tuple(templates), _JINJA, template),
        Parser("lessons by mail", ".labpack", (mailed,), (), mail),
        Parser("archives of lessons", ".zip", (lessons.getvalue(),), (b"PK\x03\x04", b"../"), archive),
        Parser("PDF", ".pdf", (Pdf("Orra").page().text(72, 700, "The light.", 12).data(),), _PDF, document),
        Parser("Word", ".docx", (word(body),), (b"PK\x03\x04",), document),
        Parser("EPUB", ".epub", (book({"one": page.decode()}),), (b"PK\x03\x04",), document),
        Parser("HTML", ".html", (page,), _HTML, document),
        Parser("text", ".txt", (prose,), (b"# ", b"|---|", b"\0", b"```"), document),
        Parser("tables", ".csv", (b'question,answer\n"Shout: ink",INK\n' * 9,), (b'"', b"\0", b";", b"\t"), read_table),
        Parser("credits", ".txt", (contributed.CREDITS.encode(),), (b"\0", b": "),
               lambda file: parse(file.read_bytes().decode("utf-8", "replace"))),
    )  # fmt: skip
