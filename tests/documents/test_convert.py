"""Word, HTML, EPUB, Markdown and text become clean Markdown; what is none of them is refused in words."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lab_desktop.documents.convert import convert, convert_html, convert_text
from lab_desktop.documents.converted import Converted, Kind, Note, on_pages
from lab_desktop.documents.passages import Document, passages
from lab_desktop.errors import DocumentError
from tests.documents.makers import archive, book, paragraph, run, table, word


@pytest.fixture
def read(tmp_path: Path):
    def convert_data(data: bytes | str, name: str) -> Converted:
        (tmp_path / name).write_bytes(data.encode() if isinstance(data, str) else data)
        return convert(tmp_path / name)

    return convert_data


PAGE = """<!DOCTYPE html><html><head><title>Velmora &amp; the sea</title><style>p {color: red}</style></head><body>
<nav><a href="/">Home</a></nav><script>alert("no")</script>
<main><h1>Velmora</h1><p>An <b>island</b> in the <em>northern</em> <a href="https://x.example/sea">sea</a>,
12&nbsp;km<sup>2</sup>.<sup><a href="#n1" id="r1">1</a></sup></p>
<h2>Trade</h2><ul><li>salt<ul><li>coarse</li></ul></li><li>wool</li></ul><ol start="3"><li>Sail</li><li>Land</li></ol>
<table><caption>Ports</caption><thead><tr><th>Port</th><th>Ships</th></tr></thead>
<tbody><tr><td>Anmar</td><td>12 | 14</td></tr><tr><td>Bell</td><td>3</td></tr></tbody></table>
<p>First line<br>second line</p><pre><code>a  =  1
# no heading</code></pre><blockquote><p>Said she.</p></blockquote>
<p style="display: none">hidden</p><img src="https://x.example/a.png" alt="A map"><iframe src="x"></iframe>
<section><h2>Notes</h2><ol><li id="n1"><p>Measured in 1874. <a href="#r1">↩</a></p></li></ol></section></main>
<footer>Cookies</footer></body></html>"""


def test_a_web_page_keeps_what_is_read_and_nothing_else(read):
    converted = read(PAGE, "a.html")

    assert converted.text == (
        "# Velmora\n\nAn **island** in the *northern* sea, 12 km².[^1]\n\n[^1]: Measured in 1874.\n\n## Trade\n\n"
        "- salt\n  - coarse\n- wool\n\n3. Sail\n4. Land\n\nPorts\n\n| Port | Ships |\n| --- | --- |\n"
        "| Anmar | 12 \\| 14 |\n| Bell | 3 |\n\nFirst line\nsecond line\n\n```\na  =  1\n# no heading\n```\n\n"
        "> Said she.\n"
    )
    assert (converted.kind, converted.title) == (Kind.HTML, "Velmora & the sea")
    assert [(note.about, note.text) for note in converted.notes] == [
        ("around", "Menus and the like around the main text were left out."),
        ("pictures", "1 picture left out."),
    ]


@pytest.mark.parametrize("odd", ["<![ if !IE]>", "<![endif]>", "<![\x10 7>", "<![if gte mso 9]>"])
def test_what_another_program_put_between_brackets_hides_nothing(odd: str) -> None:
    assert convert_html(f"<h1>Velmora</h1>{odd}<p>An island.</p>").text == "# Velmora\n\nAn island.\n"


def test_a_page_of_an_encyclopaedia_loses_only_what_is_for_the_mouse():
    text = """<h1>Velmora</h1><p>An island.<sup id="r1"><a href="#n1">[1]</a></sup> It has<br>
    a harbour.<sup><a href="#n2">[2]</a></sup><sup><a href="#n1">[1]</a></sup></p>
    <h2>Trade<span class="mw-editsection">[<a href="x">edit</a>]</span><a class="headerlink" href="#t">¶</a></h2>
    <dl><dt>Pan</dt><dd>A flat pool.</dd></dl><h2>References</h2><ol>
    <li id="n1"><span class="mw-cite-backlink">^ <a href="#r1">a</a></span> The Ledger.</li>
    <li id="n2"><b><a href="#r2">^</a></b> Letters.</li></ol>"""

    assert convert_html(text).text == (
        "# Velmora\n\nAn island.[^1] It has\na harbour.[^2][^1]\n\n[^1]: The Ledger.\n\n[^2]: Letters.\n\n"
        "## Trade\n\n**Pan**\nA flat pool.\n"
    )


def test_merged_cells_keep_their_places_and_are_said(read):
    text = (
        '<table><tr><th colspan="2">Ports</th><th>Since</th></tr><tr><td rowspan="2">North</td><td>Anmar</td>'
        "<td>1874</td></tr><tr><td>Bell</td><td>1901</td></tr></table>"
    )
    converted = convert_html(text)

    assert converted.text == (
        "| Ports |  | Since |\n| --- | --- | --- |\n| North | Anmar | 1874 |\n| North | Bell | 1901 |\n"
    )
    assert converted.notes[0].text.startswith("1 table had merged cells") and converted.notes[0].needs_a_look


def test_a_table_that_only_arranges_is_taken_apart():
    assert convert_html("<table><tr><td><p>One.</p></td><td><p>Two.</p></td></tr></table>").text == "One.\n\nTwo.\n"


def test_what_a_clipboard_wraps_around_is_not_bold():
    text = '<meta charset="utf-8"><b style="font-weight:normal"><p>Plain.</p><p><b>Bold</b> word.</p></b>'

    assert convert_html(text).text == "Plain.\n\n**Bold** word.\n"


def test_lists_that_word_writes_out_become_lists():
    text = "<p class=MsoListParagraphCxSpFirst>·&nbsp;&nbsp; salt</p><p class=MsoListParagraphCxSpLast>· wool</p>"

    assert convert_html(text).text == "- salt\n\n- wool\n"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("Übergröße – ≤ 5 €".encode(), ()),
        (b"\xef\xbb\xbf" + "Übergröße – ≤ 5 €".encode(), ()),
        ("Übergröße – ≤ 5 €".encode("utf-16"), ()),
        ("\ufeffÜbergröße – ≤ 5 €".encode("utf-16-be"), ()),
        ("Übergröße – € \x81".encode("cp1252", errors="ignore"), ("Western European (Windows)",)),
        (b"\xdcbergr\xf6\xdfe \x81", ("Western European (Windows)",)),
    ],
)
def test_the_encoding_of_a_text_is_found_and_a_guess_is_said(data, says, read):
    converted = read(data, "a.txt")

    assert converted.text.startswith("Übergröße") and converted.kind is Kind.TEXT
    assert len(converted.notes) == len(says)
    assert all(name in note.text for name, note in zip(says, converted.notes, strict=True))


def test_a_page_in_another_encoding_that_it_names_is_read(read):
    text = '<html><head><meta charset="koi8-r"></head><body><p>Остров в море</p></body></html>'

    converted = read(text.encode("koi8-r"), "a.html")

    assert (converted.text, converted.notes) == ("Остров в море\n", ())


def test_a_text_broken_at_a_margin_is_joined_and_poems_and_lists_are_not():
    prose = (
        "Velmora is an island in the northern sea that nobody had\nseen before the spring of that year, when a "
        "fishing\nboat lost its way in the fog.\r\n\r\n• salt\n• wool\n\nRoses are red,\nviolets are blue."
    )

    assert convert_text(prose).text == (
        "Velmora is an island in the northern sea that nobody had seen before the spring of that year, when a fishing "
        "boat lost its way in the fog.\n\n- salt\n- wool\n\nRoses are red,\nviolets are blue.\n"
    )


def test_markdown_stays_as_it_is_but_for_line_ends_and_blanks(read):
    converted = read("# Velmora  \r\n\r\n\r\n* salt\r\n\r\n```\r\na\r\n\r\n\r\nb\r\n```\r\n", "a.md")

    assert converted.text == "# Velmora\n\n* salt\n\n```\na\n\n\nb\n```\n"
    assert (converted.kind, converted.title) == (Kind.MARKDOWN, "Velmora")


WORD = word(
    paragraph("Velmora", "Title")
    + paragraph("Trade", "Heading1")
    + f"<w:p>{run('The ')}{run('capital', '<w:b/>')}{run(' is ')}{run('Orsa', '<w:i/>')}{run('.')}"
    '<w:r><w:footnoteReference w:id="2"/></w:r></w:p>'
    + paragraph("salt", number=1)
    + paragraph("wool", number=1)
    + table(("Port", "Ships"), ("Anmar", "12"))
    + paragraph("Food", "Heading2")
    + paragraph("Fish.")
    + f"<w:p><w:del>{run('gone')}</w:del><w:ins>{run('new')}</w:ins></w:p>",
    notes={2: "By the sea."},
    title="All about Velmora",
)


def test_a_word_document_keeps_headings_lists_tables_emphasis_and_footnotes(read):
    converted = read(WORD, "a.docx")

    assert converted.text == (
        "# Velmora\n\n# Trade\n\nThe **capital** is *Orsa*.[^1]\n\n- salt\n- wool\n\n| Port | Ships |\n| --- | --- |\n"
        "| Anmar | 12 |\n\n[^1]: By the sea.\n\n## Food\n\nFish.\n\nnew\n"
    )
    assert (converted.kind, converted.title, converted.notes) == (Kind.DOCX, "All about Velmora", ())


def test_macros_and_outside_links_of_a_word_document_are_never_opened(read, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"\x89PNG")
    picture = (
        '<w:p><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
        '><a:graphic xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:graphicData><pic:pic '
        'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:blipFill><a:blip r:link="x1"/>'
        "</pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
    )
    links = (
        '<Relationship Id="x1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" '
        f'Target="file://{tmp_path}/secret.png" TargetMode="External"/>'
        '<Relationship Id="x2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"'
        ' Target="http://127.0.0.1:9/evil.dotm" TargetMode="External"/>'
    )
    data = word(paragraph("Text.") + picture, links=links, more={"word/vbaProject.bin": b"\0" * 100})

    converted = read(data, "a.docm")

    assert converted.text == "Text.\n"
    assert [note.text for note in converted.notes] == ["1 picture left out."]


def test_an_electronic_book_is_read_in_its_order_with_notes_from_another_chapter(read):
    chapters = {
        "two.xhtml": "<h1>Two</h1><p>The end.</p>",
        "one.xhtml": '<h1>One</h1><p>The start<a epub:type="noteref" href="notes.xhtml#n7">7</a>.</p>'
        '<img src="a.png" alt=""/>',
        "notes.xhtml": '<h1>Notes</h1><aside epub:type="footnote" id="n7"><p>In spring.</p></aside>',
    }
    converted = read(book(chapters, title="The Book", spine=("one.xhtml", "two.xhtml", "notes.xhtml")), "a.epub")

    assert converted.text == "# One\n\nThe start[^1].\n\n[^1]: In spring.\n\n# Two\n\nThe end.\n"
    assert (converted.kind, converted.title) == (Kind.EPUB, "The Book")


def test_passages_are_cut_at_the_headings_of_a_converted_document(read):
    text = read(PAGE, "a.html").text

    found = passages([Document(Path("a.md"), text)], lambda part: len(part.split()), 30)

    assert [passage.heading for passage in found][:2] == ["Velmora", "Velmora › Trade"]
    assert "| Anmar | 12 \\| 14 |" in "".join(passage.text for passage in found)


@pytest.mark.parametrize(
    ("name", "make", "kind"),
    [
        ("a.txt", lambda: WORD, Kind.DOCX),
        ("a.pdf", lambda: book({"a.xhtml": "<p>Text</p>"}), Kind.EPUB),
        ("a.docx", lambda: b"<!DOCTYPE html><p>Text</p>", Kind.HTML),
        ("noname", lambda: b"Only text", Kind.TEXT),
        ("a.txt", lambda: b"if a < b then <p> is a tag", Kind.TEXT),
        ("a.md", lambda: b"<p align=center>Text</p>", Kind.MARKDOWN),
    ],
)
def test_the_kind_is_told_by_the_content(name, make, kind, read):
    assert read(make(), name).kind is kind


@pytest.mark.parametrize(
    ("name", "data", "says", "hint"),
    [
        ("a.pdf", b"", "is empty", ""),
        ("a.txt", b" \n\n\0\0", "is empty", ""),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Word", ".docx"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "locked with a password", "password"),
        ("a.rtf", b"{\\rtf1 text}", "RTF", ".docx"),
        (
            "a.odt",
            archive({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<a/>"}),
            "OpenDocument",
            ".docx",
        ),
        ("a.pages", archive({"Index/Document.iwa": b"x"}), "Pages", "Export To"),
        ("a.xlsx", archive({"xl/workbook.xml": "<a/>"}), "Excel", "PDF"),
        ("a.pptx", archive({"ppt/presentation.xml": "<a/>"}), "PowerPoint", "PDF"),
        ("a.zip", archive({"a.txt": "x"}), "archive of files", "Unpack"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "picture", "text"),
        ("a.exe", b"MZ\x90\0" + bytes(range(256)) * 4, "not a document", "Save it"),
        ("a.docx", WORD[: len(WORD) // 2], "damaged", "again"),
        ("a.html", b"<html><script>x</script></html>", "no text", ""),
    ],
)
def test_what_cannot_be_read_is_named_with_what_to_do(name, data, says, hint, read):
    with pytest.raises(DocumentError, match=says) as caught:
        read(data, name)
    assert hint in caught.value.hint and caught.value.hint


def test_a_copy_protected_book_says_so_and_scrambled_fonts_are_no_protection(read):
    def locked(method: str) -> bytes:
        text = (
            '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><EncryptedData xmlns='
            f'"http://www.w3.org/2001/04/xmlenc#"><EncryptionMethod Algorithm="{method}"/></EncryptedData></encryption>'
        )
        return book({"a.xhtml": "<p>Text</p>"}, more={"META-INF/encryption.xml": text})

    with pytest.raises(DocumentError, match="copy-protected"):
        read(locked("http://www.w3.org/2001/04/xmlenc#aes128-cbc"), "a.epub")
    assert read(locked("http://www.idpf.org/2008/embedding"), "b.epub").text == "Text\n"


@pytest.mark.parametrize("href", ["../../secret.xhtml", "/etc/passwd", "file:///etc/passwd", "..%2F..%2Fa.xhtml"])
def test_a_book_whose_chapters_lead_out_of_it_is_refused(href, read):
    with pytest.raises(DocumentError, match="outside of it"):
        read(book({href: "<p>Text</p>", "b.xhtml": "<p>x</p>"}, more={"OPS/x": ""}), "a.epub")


def test_an_archive_with_a_file_that_would_lie_outside_is_refused(read):
    with pytest.raises(DocumentError, match="outside"):
        read(book({"a.xhtml": "<p>Text</p>"}, more={"../../evil": "x"}), "a.epub")


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("head", [BOMB, OUTSIDE])
def test_entities_are_never_expanded_nor_fetched(head, read):
    inside = "&j;" if head is BOMB else "&a;"
    body = f'{head}<w:document xmlns:w="x"><w:body>{inside}</w:body></w:document>'

    with pytest.raises(DocumentError, match="defines entities"):
        read(word("", more={"word/document2.xml": body}), "a.docx")
    with pytest.raises(DocumentError, match="defines entities"):
        read(archive({"META-INF/container.xml": f"{head}<container>{inside}</container>"}), "a.epub")


def test_deep_nesting_costs_no_stack(read):
    deep = 50_000

    converted = convert_html("<div>" * deep + "Deep down." + "</div>" * deep)

    assert converted.text == "Deep down.\n" and converted.notes[0].about == "nested"
    with pytest.raises(DocumentError, match="nested far too deeply"):
        read(word("<w:p>" * deep + "</w:p>" * deep), "a.docx")


@pytest.mark.parametrize(
    "text",
    [
        "<ul>" + "<li>item</li>" * 5_000 + "</ul>",
        "<table>" + "<tr><td>a</td><td>b</td></tr>" * 2_500 + "</table>",
        "<table><tr>" + '<td colspan="1000" rowspan="1000">a</td>' * 500 + "</tr></table>",
        "<p>" * 7_500 + "x",
        "<b>a</b> " * 7_500,
        '<a href="#x">1</a>' * 2_500 + '<p id="x">note</p>',
        "*" * 75_000 + "x",
    ],
    ids=["items", "rows", "spans", "open", "bold", "calls", "stars"],
)
def test_much_of_anything_takes_seconds(text):
    began = time.process_time()

    assert convert_html(text).text
    assert time.process_time() - began < 5


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    import os

    file = tmp_path / "a.txt"
    file.write_text("One text that is long enough.")
    real = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        found = real(descriptor)
        with open(file, "a") as stream:
            stream.write("More.")
        return found

    monkeypatch.setattr(os, "fstat", fstat)
    with pytest.raises(DocumentError, match="changed while it was read"):
        convert(file)


def test_pages_are_said_in_runs():
    assert on_pages([3]) == "page 3"
    assert on_pages([9, 1, 2, 3, 3]) == "pages 1–3, 9"


def test_a_result_survives_the_journey_as_json():
    converted = Converted("a\n", "A", Kind.PDF, 2, (Note("tables", "Look.", (1, 2), True),), "00")

    assert Converted.from_json(converted.to_json()) == converted
