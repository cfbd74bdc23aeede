"""What a file is, told by its content; the name decides only between Markdown and plain text."""

from __future__ import annotations

import io
import re
import zipfile

from lab_desktop.documents.converted import Kind
from lab_desktop.errors import DocumentError

SUFFIXES = (".pdf", ".docx", ".html", ".htm", ".xhtml", ".epub", ".md", ".markdown", ".txt")
"""Of the files that an open dialog offers."""

_HEAD = 4096
_HTML = re.compile(rb"<(!doctype\s+html|html|head|body|article|div|p|h[1-6]|table|meta|title)\b[^>]*>", re.IGNORECASE)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"BM", b"RIFF")
_AS_DOCX = 'Open it in the program that made it and save it as Word (".docx") or PDF.'


def kind_of(data: bytes, name: str) -> Kind:
    """The kind of a document.

    Args:
        data: all of it.
        name: of the file, for sentences and to tell Markdown from text.

    Raises:
        DocumentError: it is of a kind that cannot be converted; the hint says how to save it.
    """
    head = data[:_HEAD]
    if b"%PDF-" in head[:1024]:
        return Kind.PDF
    if head.startswith(b"PK\x03\x04"):
        return _archive(data, name)
    _refuse_others(head, name)
    bare = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    is_utf16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in head and not is_utf16:
        raise DocumentError(f'"{name}" is not a document that can be read: it is neither text nor PDF, Word, HTML '
                            "or EPUB.", "Save it as PDF, Word or text, then choose that.")  # fmt: skip
    suffix = name.lower().rpartition(".")[2]
    if suffix in ("md", "markdown"):
        return Kind.MARKDOWN
    text = head.decode("utf-16", errors="ignore").encode() if is_utf16 else bare
    if (found := _HTML.search(text)) and (suffix in ("html", "htm", "xhtml") or (text.lstrip()[:1] == b"<" and (
        found.start() < 1024
    ))):  # fmt: skip
        return Kind.HTML
    return Kind.HTML if suffix in ("html", "htm", "xhtml") else Kind.TEXT


def _archive(data: bytes, name: str) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            mime = b""
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                mime = archive.read("mimetype").strip()
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise DocumentError(
            f'"{name}" is damaged: it is an archive that ends too early or was changed.',
            "Copy or download it again.",
            str(error),
        ) from error
    if mime == b"application/epub+zip" or "META-INF/container.xml" in names:
        return Kind.EPUB
    if "word/document.xml" in names or any(entry.startswith("word/document") for entry in names):
        return Kind.DOCX
    for is_found, what, hint in (
        (mime.startswith(b"application/vnd.oasis"), "an OpenDocument file", _AS_DOCX),
        (
            any(entry.startswith("xl/") for entry in names),
            "an Excel table",
            "Save the sheet as PDF, or copy and paste it.",
        ),
        (any(entry.startswith("ppt/") for entry in names), "a PowerPoint presentation", "Save it as PDF."),
        (
            any(entry.endswith(".iwa") or entry == "Index.zip" for entry in names),
            "a Pages, Numbers or Keynote document",
            "In Pages choose File ▸ Export To ▸ Word or PDF.",
        ),
    ):
        if is_found:
            raise DocumentError(f'"{name}" is {what}, which cannot be read yet.', hint)
    raise DocumentError(f'"{name}" is an archive of files and no document.', "Unpack it and choose a document inside.")


def _refuse_others(head: bytes, name: str) -> None:
    suffix = name.lower().rpartition(".")[2]
    if head.startswith(_OLE):
        if suffix in ("doc", "dot"):
            raise DocumentError(f'"{name}" is a document of an old Word, which cannot be read.', _AS_DOCX)
        raise DocumentError(
            f'"{name}" is locked with a password, or of an old Office, and cannot be read.',
            "Open it in the program that made it, take off the password, and save it as Word or PDF.",
        )
    if head.lstrip(b" \t\r\n\xef\xbb\xbf").startswith(b"{\\rtf"):
        raise DocumentError(f'"{name}" is a rich text (RTF), which cannot be read yet.', _AS_DOCX)
    if head.startswith(_PICTURES):
        raise DocumentError(
            f'"{name}" is a picture, and text in pictures cannot be read yet.',
            "Choose a document with text, or type what it says.",
        )
    if head[60:68] in (b"BOOKMOBI", b"TEXtREAd"):
        raise DocumentError(f'"{name}" is a Kindle book, which cannot be read.', "Choose its EPUB or PDF instead.")
    if head.startswith(b"bplist") or (suffix in ("pages", "numbers", "key") and b"\0" in head):
        raise DocumentError(
            f'"{name}" is a Pages, Numbers or Keynote document, which cannot be read yet.',
            "In Pages choose File ▸ Export To ▸ Word or PDF.",
        )
