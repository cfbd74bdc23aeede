"""A lesson as a reader sees it, as a page to send by mail: passages with questions, or examples; texts and credits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from lab_desktop.artifacts import Leaf, LeafKind, SeedExample, title_of
from lab_desktop.contribution.parcel import Parcel
from lab_desktop.documents.markdown import is_code, is_table, sections
from lab_desktop.taxonomy.attribution import LICENCES, Attribution

MOST_LETTERS = 400_000
"""Of a document's text on the page; the whole of it goes along as a file."""
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
"""Controls, and marks that turn round what is read."""
_ADDRESS = re.compile(r"https?://[^\s<>\"']{1,2000}")
_STRONG = re.compile(r"\*\*([^*\n]{1,300})\*\*")
_HEADING = re.compile(r"#{1,6}[ \t]+(\S[^\n]{0,120})(?:\n|\Z)")
_LICENCES = {licence.id: licence for licence in LICENCES}


def page(parcel: Parcel) -> str:
    """One HTML page of the lesson, whole in itself (no scripts, no addresses that load something); for people who have
    no LAB Desktop. Every text of the lesson is escaped.

    Raises:
        LeafError: the parcel's qna.yaml is none.
    """
    leaf = parcel.leaf
    title = _text(parcel.title)
    body = "".join([*_head(parcel, leaf), *_lesson(leaf), *_documents(parcel), *_credits(parcel)])
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n"
        "<footer>Prepared with LAB Desktop, where this lesson can be imported and taught.</footer>\n</body>\n</html>\n"
    )


def _head(parcel: Parcel, leaf: Leaf) -> Iterator[str]:
    is_facts = leaf.kind is LeafKind.KNOWLEDGE
    above = [title_of(part) for part in parcel.path.split("/")[1:-1] if part != "grounded"]
    place = " ▸ ".join(["Facts" if is_facts else "Skill", *above])
    yield f'<header>\n<p class="place">{_text(place)}</p>\n<h1 dir="auto">{_text(parcel.title)}</h1>\n'
    about = leaf.document_outline if is_facts else leaf.task_description
    if about.strip():
        yield f'<p class="about" dir="auto">{_text(about)}</p>\n'
    yield f'<p class="amount">{_amount(parcel, leaf)}</p>\n</header>\n'


def _amount(parcel: Parcel, leaf: Leaf) -> str:
    parts = len(leaf.seed_examples)
    if leaf.kind is not LeafKind.KNOWLEDGE:
        return _count(parts, "example")
    questions = sum(len(example.pairs) for example in leaf.seed_examples)
    listed = [_count(parts, "passage"), _count(questions, "question")]
    if parcel.documents:
        listed.append(_count(len(parcel.documents), "document"))
    return " · ".join(listed)


def _lesson(leaf: Leaf) -> Iterator[str]:
    for number, example in enumerate(leaf.seed_examples, start=1):
        yield "<section>\n"
        yield from _passage(number, example) if leaf.kind is LeafKind.KNOWLEDGE else _example(number, example)
        yield "</section>\n"


def _passage(number: int, example: SeedExample) -> Iterator[str]:
    context = (example.context or "").strip()
    heading = _HEADING.match(context)
    name = f'<span class="number">{number}</span> {_text(heading[1].strip())}' if heading else f"Passage {number}"
    text = context[heading.end() :] if heading else context
    yield f'<h2 dir="auto">{name}</h2>\n'
    yield from _markdown(text)
    yield '<table class="pairs">\n'
    yield '<thead><tr><th scope="col">Question</th><th scope="col">Answer</th></tr></thead>\n<tbody>\n'
    for pair in example.pairs:
        yield f'<tr><td dir="auto">{_text(pair.question)}</td><td dir="auto">{_text(pair.answer)}</td></tr>\n'
    yield "</tbody>\n</table>\n"


def _example(number: int, example: SeedExample) -> Iterator[str]:
    yield f"<h2>Example {number}</h2>\n<dl>\n"
    parts = [("The text", example.context)] if example.context is not None else []
    parts += [part for pair in example.pairs for part in (("The task", pair.question), ("The answer", pair.answer))]
    for name, text in parts:
        yield f'<dt>{name}</dt>\n<dd class="text" dir="auto">{_text(text or "")}</dd>\n'
    yield "</dl>\n"


def _documents(parcel: Parcel) -> Iterator[str]:
    if not parcel.documents:
        return
    yield '<section class="documents">\n<h2>The documents</h2>\n'
    for path, content in sorted(parcel.documents.items()):
        name = parcel.name_of(path).removesuffix(".md")
        text = content.decode("utf-8", errors="replace")
        words = _count(len(text.split()), "word")
        yield f'<details>\n<summary><span dir="auto">{_text(name)}</span> '
        yield f'<span class="quiet">{words}</span></summary>\n'
        yield '<div class="document">\n'
        yield from _markdown(text[:MOST_LETTERS])
        if len(text) > MOST_LETTERS:
            yield '<p class="quiet">… The rest is in the document itself.</p>\n'
        yield "</div>\n</details>\n"
    yield "</section>\n"


def _markdown(text: str) -> Iterator[str]:
    """The headings, tables and paragraphs of a Markdown text; whatever else is in it reads as it was written."""
    above: tuple[str, ...] = ()
    for headings, blocks in sections(text.replace("\r\n", "\n")):
        for depth, heading in enumerate(headings):
            if headings[: depth + 1] != above[: depth + 1]:
                level = min(3 + depth, 6)
                yield f'<h{level} dir="auto">{_marked(heading)}</h{level}>\n'
        above = headings
        for block in blocks:
            if is_code(block):
                yield f"<pre>{_text(chr(10).join(line for line in block if not is_code([line])))}</pre>\n"
            elif is_table(block):
                yield "<table>\n"
                yield from (
                    f"<tr>{_cells(line, 'td' if row else 'th')}</tr>\n" for row, line in enumerate(block) if row != 1
                )
                yield "</table>\n"
            else:
                yield f'<p class="text" dir="auto">{_marked(chr(10).join(block))}</p>\n'


def _cells(line: str, tag: str) -> str:
    cells = re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
    return "".join(f'<{tag} dir="auto">{_marked(cell.strip())}</{tag}>' for cell in cells)


def _marked(text: str) -> str:
    return _STRONG.sub(r"<strong>\1</strong>", _text(text))


def _credits(parcel: Parcel) -> Iterator[str]:
    works = parcel.credits
    if not works:
        return
    yield '<section class="credits">\n<h2>Credits</h2>\n'
    for work in works:
        yield f'<p><cite dir="auto">{_text(work.title)}</cite><br>\n'
        yield f'<span class="quiet">{" · ".join(_told(work))}</span></p>\n'
    yield "</section>\n"


def _told(work: Attribution) -> Iterator[str]:
    if work.creators:
        yield f'<span dir="auto">{_text(work.creators)}</span>'
    yield "own work" if work.is_own else _link(work.link)
    if work.licence:
        known = _LICENCES.get(work.licence)
        yield _text(f"{known.name} ({known.id})" if known else work.licence)


def _link(text: str) -> str:
    address = text.strip()
    if not _ADDRESS.fullmatch(address):
        return _text(text)
    return f'<a href="{escape(address)}" rel="noreferrer noopener">{_text(address)}</a>'


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _text(text: str) -> str:
    return escape(_UNSEEN.sub("", text.replace("\r\n", "\n")))


_STYLE = """
:root { color-scheme: light dark; --ground: #faf9f7; --card: #ffffff; --text: #1d1d1f; --quiet: #5c5c62;
  --line: #dedbd6; --accent: #1f56c4; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #1c1c1e; --card: #262628; --text: #f2f2f4; --quiet: #a8a8ae; --line: #3c3c40; --accent: #86b0ff; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 17px/1.6 -apple-system, "Segoe UI", "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere; }
main { max-width: 46rem; margin: 0 auto; padding: 3.5rem 1.5rem 1rem; }
header { margin-bottom: 2.5rem; }
h1 { font-size: 2.1rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; margin: 0 0 0.75rem; }
h2 { font-size: 1.15rem; line-height: 1.35; font-weight: 620; margin: 0 0 0.75rem; }
p { margin: 0 0 0.75rem; }
a { color: var(--accent); }
cite { font-style: normal; font-weight: 600; }
.place { color: var(--accent); font-size: 0.87rem; font-weight: 600; margin-bottom: 0.4rem; }
.about { font-size: 1.1rem; margin-bottom: 0.5rem; white-space: pre-wrap; }
.amount, .quiet { color: var(--quiet); font-size: 0.92rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.5rem 1.75rem;
  margin-bottom: 1.25rem; }
.number { display: inline-block; min-width: 1.4em; color: var(--quiet); font-variant-numeric: tabular-nums;
  font-weight: 500; }
.text { white-space: pre-wrap; }
table { width: 100%; border-collapse: collapse; margin-top: 1.1rem; table-layout: fixed; }
th { text-align: start; font-size: 0.8rem; font-weight: 600; color: var(--quiet); padding: 0 1rem 0.4rem 0; }
td { vertical-align: top; border-top: 1px solid var(--line); padding: 0.6rem 1rem 0.6rem 0; white-space: pre-wrap; }
td:last-child, th:last-child { padding-inline-end: 0; }
.pairs td:last-child { color: var(--quiet); }
dl { margin: 0; }
dt { font-size: 0.8rem; font-weight: 600; color: var(--quiet); margin-top: 0.9rem; }
dt:first-child { margin-top: 0; }
dd { margin: 0.15rem 0 0; }
details + details { border-top: 1px solid var(--line); }
summary { cursor: pointer; padding: 0.6rem 0; }
.document { font-size: 0.95rem; padding: 0.25rem 0 1rem; }
h3, h4, h5, h6 { font-size: 1rem; line-height: 1.4; font-weight: 620; margin: 1.25rem 0 0.4rem; }
h3:first-child { margin-top: 0; }
pre { white-space: pre-wrap; font: 0.88rem/1.5 ui-monospace, Menlo, Consolas, monospace; margin: 0 0 0.75rem; }
footer { max-width: 46rem; margin: 0 auto; padding: 0.5rem 1.5rem 3rem; color: var(--quiet); font-size: 0.87rem; }
@media (max-width: 34rem) {
  main { padding: 1.75rem 1rem 0.5rem; }
  section { padding: 1.1rem 1.1rem; }
  .pairs, .pairs tbody, .pairs tr, .pairs td { display: block; }
  .pairs thead { display: none; }
  .pairs td { padding: 0.6rem 0 0; }
  .pairs td:last-child { border-top: 0; padding: 0.1rem 0 0.6rem; }
}
@media print {
  :root { color-scheme: light; --ground: #ffffff; --card: #ffffff; --text: #000000; --quiet: #444444; --line: #bbbbbb;
    --accent: #000000; }
  body { font-size: 11pt; }
  main, footer { max-width: none; padding-left: 0; padding-right: 0; }
  main { padding-top: 0; }
  section { border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 1rem 0; margin: 0; }
  h2, h3, h4, tr { break-inside: avoid; }
  h2, h3, h4 { break-after: avoid; }
}
"""
