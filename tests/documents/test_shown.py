"""What is shown of a document without pages can run nothing, load nothing and hold nothing up."""

from __future__ import annotations

import base64
import re
import socket
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_desktop.documents.archive import Archive
from lab_desktop.documents.converted import Shown
from lab_desktop.documents.reader import Limits
from lab_desktop.documents.safely import show_safely
from lab_desktop.documents.shown import MOST_PART, show
from lab_desktop.errors import DocumentError
from tests.documents.makers import Pdf, archive, book, paragraph, run, table, word

ROOT = Path(__file__).resolve().parents[2]
OURS = re.compile(
    r'</?(p|h[1-6]|pre|ul|ol|li|table|tr|b|i|u|s|sup|sub|code|blockquote|br)>|<(td|th) colspan="\d+">|</t[dh]>'
    '|<img src="picture:[1-9][0-9]*" alt="[^"<>]*">|<table border="1" cellspacing="0" cellpadding="5">'
)


@pytest.fixture(autouse=True)
def our_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child finds the package that the tests are beside."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def shows(tmp_path: Path):
    def show_it(data: bytes | str, name: str) -> Shown:
        file = tmp_path / name
        file.write_bytes(data if isinstance(data, bytes) else data.encode())
        return show(file)[0]

    return show_it


def is_ours(shown: Shown) -> bool:
    """Nothing but words and elements that were written here."""
    return all("<" not in OURS.sub("", part) for part in shown.parts)


def test_a_page_keeps_its_form_and_its_words(shows):
    shown = shows(
        "<title>T</title><nav>Menu</nav><h1>Velmora</h1><p>An <b>island</b> with <a href='http://x/'>a map</a>."
        "<ul><li>salt<ol><li>grey</ol><li>wool<li>rope</ul>"
        "<table><tr><th>Year</th><th>What</th></tr><tr><td colspan=2>1382</td></tr></table>"
        "<blockquote><p>Said so.</blockquote>Loose &amp; <i>free</i>",
        "a.html",
    )

    assert shown.form == "html"
    assert shown.parts == (
        "<h1>Velmora</h1><p>An <b>island</b> with a map.</p><ul><li>salt<ol><li>grey</li></ol></li><li>wool</li>"
        "<li>rope</li></ul>"
        '<table border="1" cellspacing="0" cellpadding="5"><tr><th colspan="1">Year</th><th colspan="1">What</th></tr>'
        '<tr><td colspan="2">1382</td></tr></table>'
        "<blockquote><p>Said so.</p></blockquote><p>Loose &amp; <i>free</i></p>",
    )  # fmt: skip


def test_word_and_book_and_text_are_shown_each_in_its_way(shows):
    docx = word(paragraph("Velmora", "Heading1") + paragraph(f"An |{run('island')}") + table(("a", "b"), ("c", "d")))
    epub = book({"a.xhtml": "<h1>One</h1><p>First.</p>", "b.xhtml": "<h1>Two</h1><p>Second.</p>"})

    assert shows(docx, "a.docx").parts[0].startswith("<h1>Velmora</h1><p>An ")
    assert shows(epub, "a.epub").parts == ("<h1>One</h1><p>First.</p><h1>Two</h1><p>Second.</p>",)
    assert shows("# One\n\n*a*\n", "a.md") == Shown("markdown", ("# One\n\n*a*\n",), ())
    assert shows("<b> is not markup here.\n", "a.txt") == Shown(
        "text", ("<b> is not markup here.\n",), ((1, "isnotmarkuphere"),)
    )
    with pytest.raises(DocumentError, match="has pages, which are drawn"):
        shows(Pdf().page().text(72, 700, "Hello").data(), "a.pdf")


def test_nothing_of_a_hostile_page_is_left_and_nothing_is_fetched(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        at = f"http://127.0.0.1:{server.getsockname()[1]}"
        page = (
            f'<base href="{at}"><link rel=stylesheet href="{at}/a.css"><style>@import "{at}/b.css"</style>'
            f'<body background="{at}/c.png" onload="go()"><script src="{at}/a.js">go()</script>'
            f'<p style="background:url({at}/d.png)" onclick="go()">Text <img src="{at}/e.png" alt="a &lt;map&gt;">'
            f'<img src="file:///etc/passwd"><a href="javascript:go()">here</a></p><iframe src="{at}"></iframe>'
            f'<picture><source srcset="{at}/f.png"></picture><img src="../../etc/passwd" alt="b">'
            f'<svg><script>go()</script></svg><object data="{at}"></object><p hidden>Secret</p>'
        )
        for name, data in (("a.html", page.encode()), ("a.epub", book({"a.xhtml": page}))):
            (tmp_path / name).write_bytes(data)
            shown = show_safely(tmp_path / name)
            assert shown.parts == ("<p>Text [Picture: a &lt;map&gt;][Picture]here</p><p>[Picture: b]</p>",)
        with pytest.raises(TimeoutError):
            server.accept()


def png(wide: int, high: int, colour: bytes, claimed: int = 0) -> bytes:
    """A picture in one colour, of three bytes, or four with how much of it is seen.

    Args:
        claimed: the width that its head tells.
    """

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", claimed or wide, high, 8, 2 if len(colour) == 3 else 6, 0, 0, 0)
    rows = (b"\0" + colour * wide) * high
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_pictures_inside_a_document_come_as_pixels(tmp_path):
    red, clear = png(1000, 100, b"\xff\0\0"), png(20, 10, b"\0\0\0\0")
    inside = base64.b64encode(red).decode()
    drawing = (
        '<w:p><w:r><w:drawing xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><wp:inline>'
        '<wp:docPr id="1" name="a" descr="a map"/><a:graphic><a:graphicData><pic:pic><pic:blipFill>'
        '<a:blip r:embed="p1"/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>'
        "</w:p>"
    )
    image = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"
    link = f'<Relationship Id="p1" Type="{image}" Target="media/a.png"/>'
    made = {
        "a.html": f'<p>Text</p><img src="data:image/png;base64,{inside}"><img src="data:image/png;base64,{inside}">',
        "a.epub": book({"c/a.xhtml": "<p>Text</p><img src='../i/a.png'/>"}, more={"OPS/i/a.png": red}),
        "a.docx": word(paragraph("Text") + drawing, more={"word/media/a.png": red}, links=link),
        "clear.html": f'<img src="data:image/png;base64,{base64.b64encode(clear).decode()}">',
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())

    for name in ("a.html", "a.epub", "a.docx"):
        shown = show_safely(tmp_path / name)
        assert '<img src="picture:1" width="400" height="40">' in shown.parts[0], name
        ((number, picture),) = shown.pictures.items()
        assert (number, picture.width, picture.height, picture.pixels[:3]) == (1, 800, 80, b"\0\0\xff")
    shown = show_safely(tmp_path / "clear.html")
    assert (shown.pictures[1].width, shown.pictures[1].pixels[:3]) == (20, b"\xff\xff\xff")


def test_a_picture_that_is_damaged_or_far_too_large_is_its_description(tmp_path):
    hostile = {
        "i/cut.png": png(300, 300, b"\xff\0\0")[:60],
        "i/claims.png": png(3, 3, b"\xff\0\0", claimed=900_000),
        "i/svg.png": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        "i/bomb.png": b"\x89PNG" + b"\0" * 300_000_000,
    }
    names = " ".join(f'<img src="{name}" alt="{name[2:-4]}"/>' for name in hostile)
    (tmp_path / "a.epub").write_bytes(
        book({"a.xhtml": f"<p>{names}</p>"}, more={f"OPS/{name}": data for name, data in hostile.items()})
    )

    shown = show_safely(tmp_path / "a.epub", limits=Limits(memory_bytes=500_000_000))

    assert shown.parts == ("<p>[Picture: cut] [Picture: claims] [Picture: svg] [Picture: bomb]</p>",)
    assert shown.pictures == {}


def test_a_picture_is_unpacked_only_as_far_as_it_may_be_large():
    made = Archive(archive({"fits.png": b"\0" * 20_000_000, "does-not.png": b"\0" * 20_000_001}), "a.docx")

    assert len(made.picture("fits.png") or b"") == 20_000_000
    assert made.picture("does-not.png") is None and made.picture("gone.png") is None


def test_tables_and_lists_are_neither_deep_nor_wide(shows):
    deep = "<table><tr><td>a" * 60 + "</td></tr></table>" * 60
    lists = "<ul><li>b" * 60 + "</li></ul>" * 60
    wide = "<table>" + "<tr>" + "<td colspan=100>c</td>" * 50 + "</tr>" + "<tr><td>d</td></tr>" * 3000 + "</table>"

    shown = shows(deep + lists + wide, "a.html")

    whole = "".join(shown.parts)
    assert is_ours(shown) and whole.count("a") >= 60
    assert max(_depths(whole, "table")) == 1 and max(_depths(whole, "ul")) <= 5
    assert all(part.count("<td") <= 1100 for part in re.findall("<table.*?</table>", whole))
    assert 'colspan="40"' in whole and "100" not in whole


def _depths(html: str, name: str) -> list[int]:
    depth, depths = 0, [0]
    for found in re.findall(f"<(/?){name}[ >]", html):
        depth += -1 if found else 1
        depths.append(depth)
    return depths


def test_a_long_document_comes_in_parts_that_know_how_they_begin(shows):
    chapters = "".join(
        f"<h1>Chapter {number} of the long story</h1>" + f"<p>In year {number} nothing happened at all.</p>" * 600
        for number in range(6)
    )
    shown = shows(chapters + "<p>" + "word " * 40_000, "a.html")

    assert len(shown.parts) == 6 and max(map(len, shown.parts)) <= MOST_PART
    assert all(f"Chapter {number} of" in "".join(shown.parts) for number in range(6))
    assert is_ours(shown) and all(part.startswith("<h1>") for part in shown.parts[:2])
    assert {page for page, _ in shown.starts} >= set(range(1, 6))
    assert sum(part.count("word") for part in shown.parts) == 40_000


def test_a_page_that_is_nested_without_end_is_its_words(shows):
    shown = shows("<div>" * 5000 + "deep" + "</div>" * 5000, "a.html")

    assert shown.parts == ("<p>deep</p>",)


PIECES = [
    "<p>", "</p>", "<table>", "<tr>", "<td colspan=3>", "</td>", "<ul>", "<li>", "</ul>", "<ol>", "<a href='x'>",
    "</a>", "<b>", "</b>", "<h1>", "</h1>", "<pre>", "</pre>", "word ", "<", ">", "&lt;", "&#0;", "<!--", "-->", "<br>",
    "<dl><dt>", "<dd>", "<img alt='<b>'>", "<img src='data:image/png;base64,AAAA' alt='&quot;>'>",
    "<caption>", "<blockquote>", "<drawn number=7 alt='<b>'>", "<![CDATA[", "<span>", "<script>",
]  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_of_any_html_at_all_only_our_own_elements_are_left(tmp_path_factory, parts):
    file = tmp_path_factory.mktemp("fuzz") / "a.html"
    file.write_text("x" + "".join(parts))

    assert is_ours(show(file)[0])
