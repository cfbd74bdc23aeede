"""Documents as other programs write them, made here: PDF by hand, Word and EPUB as archives of XML."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from dataclasses import dataclass, field

_WIDTHS = {
    **dict.fromkeys("ijl'|", 222), **dict.fromkeys(" .,:;!/ftI[]\\", 278), **dict.fromkeys("r()-", 333),
    **dict.fromkeys("cksvxyzJ", 500), **dict.fromkeys("ABEKPSVXY&", 667), **dict.fromkeys("CDHNRUw", 722),
    **dict.fromkeys("GOQ", 778), **dict.fromkeys("mM", 833), "W": 944, "T": 611, "F": 611, "Z": 611,
}  # fmt: skip
ODD = "F5"
"""The font of letters that are not Western."""


def width(text: str, size: float) -> float:
    """Of Helvetica, in points."""
    return sum(_WIDTHS.get(letter, 556) for letter in text) * size / 1000


@dataclass
class Pdf:
    """A PDF that grows by texts at places; (0, 0) is the page's lower left corner."""

    title: str = ""
    pages: list[list[bytes]] = field(default_factory=list)
    turns: dict[int, int] = field(default_factory=dict)
    _odd: dict[str, int] = field(default_factory=dict)

    def page(self, turn: int = 0) -> Pdf:
        self.turns[len(self.pages)] = turn
        self.pages.append([])
        return self

    def text(self, x: float, y: float, text: str, size: float = 10, font: str = "F1", turned: bool = False) -> Pdf:
        """One line. `font`: F1 plain, F2 bold, F3 italic, F4 code, F5 any letters."""
        if font == ODD:
            codes = bytes(self._odd.setdefault(letter, 33 + len(self._odd)) for letter in text)
        else:
            codes = text.encode("cp1252")
        matrix = f"0 1 -1 0 {x:.2f} {y:.2f}" if turned else f"1 0 0 1 {x:.2f} {y:.2f}"
        self.pages[-1].append(f"BT /{font} {size} Tf {matrix} Tm <{codes.hex()}> Tj ET\n".encode())
        return self

    def words(self, x: float, y: float, *words: tuple[str, str] | str, size: float = 10) -> Pdf:
        """One line of words in different fonts: ("name", "F2")."""
        for word in words:
            text, font = word if isinstance(word, tuple) else (word, "F1")
            self.text(x, y, text, size, font)
            x += width(text + " ", size) * (1.12 if font == "F2" else 1)
        return self

    def prose(self, x: float, y: float, wide: float, text: str, size: float = 10, indent: float = 0) -> float:
        """A paragraph, broken into lines; returns where the next line would stand."""
        line = ""
        start = x + indent
        for word in text.split():
            if line and start + width(f"{line} {word}", size) > x + wide:
                self.text(start, y, line, size)
                y -= 1.2 * size
                line, start = word, x
            else:
                line = f"{line} {word}".strip()
        self.text(start, y, line, size)
        return y - 1.2 * size

    def picture(self, x: float = 0, y: float = 0, wide: float = 612, high: float = 792) -> Pdf:
        self.pages[-1].append(f"q {wide} 0 0 {high} {x} {y} cm /Im1 Do Q\n".encode())
        return self

    def data(self, password: str = "") -> bytes:
        """The file; with a password, locked by it (RC4, 40 bits, as since PDF 1.1)."""
        objects: list[bytes] = []

        def add(body: bytes) -> int:
            objects.append(body)
            return len(objects)

        lock = _Lock(password) if password else None

        def stream(content: bytes, head: bytes = b"") -> int:
            packed = zlib.compress(content)
            if lock:
                packed = lock.locked(len(objects) + 1, packed)
            return add(b"<< %s /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (head, len(packed), packed))

        add(b"<< /Type /Catalog /Pages 2 0 R >>")
        add(b"")
        fonts = b""
        for number, name in enumerate((b"Helvetica", b"Helvetica-Bold", b"Helvetica-Oblique", b"Courier"), start=1):
            made = add(b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>" % name)
            fonts += b"/F%d %d 0 R " % (number, made)
        cmap = stream(self._cmap())
        made = add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode %d 0 R >>" % cmap)
        fonts += b"/F5 %d 0 R " % made
        image = stream(
            b"\x80", b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8"
        )
        kids = []
        for number, content in enumerate(self.pages):
            body = stream(b"".join(content))
            kids.append(
                add(
                    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Rotate %d /Contents %d 0 R /Resources "
                    b"<< /Font << %s >> /XObject << /Im1 %d 0 R >> >> >>" % (self.turns[number], body, fonts, image)
                )
            )
        listed = b" ".join(b"%d 0 R" % kid for kid in kids)
        objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), listed)
        info = b"/Info %d 0 R " % add(b"<< /Title <%s> >>" % self._title(lock, len(objects) + 1)) if self.title else b""
        locking = b"/Encrypt %d 0 R /ID [<00> <00>] " % add(lock.dictionary()) if lock else b""
        return _file(objects, info + locking)

    def _title(self, lock: _Lock | None, number: int) -> bytes:
        data = b"\xfe\xff" + self.title.encode("utf-16-be")
        return (lock.locked(number, data) if lock else data).hex().encode()

    def _cmap(self) -> bytes:
        lines = [f"<{code:02x}> <{letter.encode('utf-16-be').hex()}>" for letter, code in self._odd.items()]
        return (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
            f"1 begincodespacerange <00> <ff> endcodespacerange\n{len(lines)} beginbfchar\n"
            + "\n".join(lines)
            + "\nendbfchar endcmap end end"
        ).encode()


def _file(objects: list[bytes], trailer: bytes) -> bytes:
    out = io.BytesIO(b"")
    out.write(b"%PDF-1.5\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for place in places:
        out.write(b"%010d 00000 n \n" % place)
    out.write(b"trailer << /Size %d /Root 1 0 R %s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, table))
    return out.getvalue()


class _Lock:
    """The standard lock of PDF 1.4, section 3.5: revision 2, 40 bits."""

    _PAD = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")

    def __init__(self, password: str) -> None:
        padded = (password.encode() + self._PAD)[:32]
        self._owner = _rc4(hashlib.md5(padded).digest()[:5], padded)
        self._key = hashlib.md5(padded + self._owner + (-4).to_bytes(4, "little", signed=True) + b"\0").digest()[:5]

    def locked(self, number: int, data: bytes) -> bytes:
        key = hashlib.md5(self._key + number.to_bytes(3, "little") + b"\0\0").digest()[:10]
        return _rc4(key, data)

    def dictionary(self) -> bytes:
        user = _rc4(self._key, self._PAD).hex().encode()
        return b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (self._owner.hex().encode(), user)


def _rc4(key: bytes, data: bytes) -> bytes:
    box = list(range(256))
    j = 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    i = j = 0
    out = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)


def archive(files: dict[str, str | bytes], *, stored: tuple[str, ...] = ()) -> bytes:
    """A zip."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content, zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED)
    return data.getvalue()


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def word(body: str, *, notes: dict[int, str] | None = None, title: str = "", more: dict[str, str | bytes] | None = None,
         links: str = "") -> bytes:  # fmt: skip
    """A Word document around the XML of its body."""
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{name.replace(" ", "")}"><w:name w:val="{name.lower()}"/></w:style>'
        for name in ("Title", "Heading 1", "Heading 2")
    )
    footnotes = "".join(
        f'<w:footnote w:id="{number}">{paragraph(text)}</w:footnote>' for number, text in (notes or {}).items()
    )
    numbering = (
        '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>'
        '<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/></w:lvl></w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>'
    )
    kinds = "".join(
        f'<Relationship Id="r{place}" Type="{_R}/{part}" Target="{part}.xml"/>'
        for place, part in enumerate(("styles", "numbering", "footnotes"))
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    files: dict[str, str | bytes] = {
        "[Content_Types].xml": f'{head}<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": f'{head}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r" '
        f'Type="{_R}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'{head}<w:document {W} xmlns:r="{_R}"><w:body>{body}</w:body></w:document>',
        "word/_rels/document.xml.rels": f'{head}<Relationships xmlns="{_PACKAGE}/relationships">{kinds}{links}'
        "</Relationships>",
        "word/styles.xml": f"{head}<w:styles {W}>{styles}</w:styles>",
        "word/numbering.xml": f"{head}<w:numbering {W}>{numbering}</w:numbering>",
        "word/footnotes.xml": f"{head}<w:footnotes {W}>{footnotes}</w:footnotes>",
        **(more or {}),
    }
    if title:
        files["docProps/core.xml"] = (
            f'{head}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
            f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></cp:coreProperties>'
        )
    return archive(files)


def paragraph(text: str, style: str = "", number: int = 0) -> str:
    """A paragraph of a Word document; `text` may hold further runs after "|"."""
    properties = f'<w:pStyle w:val="{style}"/>' if style else ""
    if number:
        properties += f'<w:numPr><w:ilvl w:val="0"/><w:numId w:val="{number}"/></w:numPr>'
    return f"<w:p><w:pPr>{properties}</w:pPr>{run(text)}</w:p>"


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def table(*rows: tuple[str, ...]) -> str:
    """A table of a Word document."""
    lines = "".join("<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) + "</w:tr>" for row in rows)
    return f"<w:tbl>{lines}</w:tbl>"


def book(chapters: dict[str, str], *, title: str = "A book", more: dict[str, str | bytes] | None = None,
         spine: tuple[str, ...] = ()) -> bytes:  # fmt: skip
    """An EPUB; chapters are bodies by file name, in reading order unless `spine` says otherwise."""
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    items = "".join(
        f'<item id="c{place}" href="{name}" media-type="application/xhtml+xml"/>' for place, name in enumerate(chapters)
    )
    order = [list(chapters).index(name) for name in spine or chapters]
    refs = "".join(f'<itemref idref="c{place}"/>' for place in order)
    files: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": f'{head}<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<rootfiles><rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles>'
        "</container>",
        "OPS/book.opf": f'{head}<package xmlns="http://www.idpf.org/2007/opf"><metadata '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></metadata>'
        f"<manifest>{items}</manifest><spine>{refs}</spine></package>",
        **{
            f"OPS/{name}": f'{head}<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'
            f"<head><title>{title}</title></head><body>{body}</body></html>"
            for name, body in chapters.items()
            if ".." not in name
        },
        **(more or {}),
    }
    return archive(files, stored=("mimetype",))
