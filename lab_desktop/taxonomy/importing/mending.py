"""Text that means to be a qna.yaml becomes text that YAML can read.

Other encodings, Markdown fences, several documents, control characters; the lines themselves are mended (sweep.py)
only where the file is not YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from lab_desktop.errors import LeafError
from lab_desktop.taxonomy.importing.repairs import Loss, Mended, Repair
from lab_desktop.taxonomy.importing.sweep import FIELD_LINE, NAMES, Sweep, says_something
from lab_desktop.taxonomy.source import MOST_BYTES, SourceProblem, compose

_MOST_MENDED = 200_000
"""Letters of a file that is not YAML and is mended all the same; a lesson has some ten thousand."""
_MOST_WORK = 4_000_000
"""Letters that are parsed in all while lines are left out one by one."""
_MOST_LEFT_OUT = 20

_ODD_NAME = re.compile(rf"[\W_]+(?:{NAMES})\Z", re.IGNORECASE)
_FENCE = re.compile(r"(`{3,}|~{3,})\s*[\w.+-]*\s*\Z")
_SEPARATOR = re.compile(r"(?:---|\.\.\.)\s*(?:#.*)?\Z")
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def mend(data: bytes) -> Mended:
    """Text that YAML can read, from the bytes of a file or of what was pasted.

    Raises:
        LeafError: it is empty, too large, no text, or means to exhaust the reader; or what is wrong cannot be found.
    """
    if len(data) > MOST_BYTES:
        raise LeafError(
            f"The file has {len(data) / 1e6:.0f} MB; the most is {MOST_BYTES / 1e6:.0f} MB.",
            "Keep long documents in files of their own, and only short passages here.",
        )
    mended = _decoded(data)
    _leave_out_fences(mended)
    _choose_document(mended)
    _drop_control_characters(mended)
    try:
        mended.root = compose(mended.text)
        if not _has_odd_names(mended.root):
            return mended
    except SourceProblem as problem:
        if len(mended.text) > _MOST_MENDED:
            raise _refused(problem, mended) from problem
    mended.was_yaml = False
    Sweep(mended).run()
    _parse_or_leave_out(mended)
    return mended


def _refused(problem: SourceProblem, mended: Mended) -> LeafError:
    line = mended.numbers[min(problem.line, len(mended.numbers)) - 1] if mended.numbers else 1
    return LeafError(f"This lesson cannot be read. Line {line}: {problem.message}", problem.hint)


def _decoded(data: bytes) -> Mended:
    mended = Mended([], [])
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
        mended.repairs.append(Repair(1, "UTF-16", "UTF-8", "The file has another encoding than lessons have."))
    elif b"\0" in data:
        raise LeafError("This is not a text: it has zero bytes.", "Choose a lesson file (qna.yaml).")
    else:
        if data.startswith(b"\xef\xbb\xbf"):
            data = data[3:]
            mended.repairs.append(Repair(1, "U+FEFF", "", "An invisible mark stands at the start of the file."))
        text = "\n".join(_decoded_lines(data, mended))
    text = text.removeprefix("\ufeff")
    if "\r" in text:
        mended.repairs.append(Repair(1, "CRLF", "LF", "The line ends are those of another system."))
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise LeafError("There is nothing in it.", "Choose a file with a lesson, or paste one.")
    mended.lines = text.split("\n")
    mended.numbers = list(range(1, len(mended.lines) + 1))
    return mended


def _decoded_lines(data: bytes, mended: Mended) -> Iterator[str]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        try:
            # Half characters come from a paste: they are said like control characters.
            yield line.decode("utf-8", errors="surrogatepass")
        except UnicodeDecodeError:
            text = line.decode("cp1252", errors="replace")
            before = line.decode("utf-8", errors="replace").strip()
            why = "The characters of this line are not UTF-8; they are read as Western European (Windows-1252)."
            mended.repairs.append(Repair(number, before, text.strip(), why))
            yield text


def _leave_out_fences(mended: Mended) -> None:
    """Keep what stands in a Markdown code fence, where the lesson is in one."""
    opened = next((at for at, line in enumerate(mended.lines) if _FENCE.match(line)), None)
    first = next((at for at, line in enumerate(mended.lines) if FIELD_LINE.match(line)), None)
    if opened is None or (first is not None and first < opened):
        return
    mark = mended.lines[opened].strip()[:3]
    closed = next(
        (at for at in range(opened + 1, len(mended.lines)) if mended.lines[at].rstrip().startswith(mark)),
        len(mended.lines),
    )
    why = "The lesson stood between the fences of a code block."
    mended.repairs.append(Repair(mended.numbers[opened], mended.lines[opened], "", why))
    outside = [*range(opened), *range(closed + 1, len(mended.lines))]
    mended.losses += [
        Loss(mended.numbers[at], "a line outside the code block", mended.lines[at])
        for at in outside
        if mended.lines[at].strip()
    ]
    mended.lines, mended.numbers = mended.lines[opened + 1 : closed], mended.numbers[opened + 1 : closed]
    mended.lines.append("")
    mended.numbers.append(closed + 1)


def _choose_document(mended: Mended) -> None:
    """Keep one of several YAML documents: the first that has examples, else the first with a field."""
    cuts = [at for at, line in enumerate(mended.lines) if _SEPARATOR.match(line)]
    if not cuts:
        return
    parts = [
        range(start, end)
        for start, end in zip([0, *(cut + 1 for cut in cuts)], [*cuts, len(mended.lines)], strict=True)
    ]
    written = [part for part in parts if any(says_something(mended.lines[at]) for at in part)]
    with_fields = [part for part in written if any(FIELD_LINE.match(mended.lines[at]) for at in part)]
    with_examples = [
        part
        for part in with_fields
        if any(re.match(r"\s*(?:seed_examples|-?\s*question)\b", mended.lines[at]) for at in part)
    ]
    kept = next(iter([*with_examples, *with_fields, *written]), parts[0])
    for part in parts:
        rest = "\n".join(mended.lines[at] for at in part).strip()
        if part != kept and rest:
            first = next(at for at in part if mended.lines[at].strip())
            what = "another lesson in the same file" if part in with_fields else "a part before or after the lesson"
            mended.losses.append(Loss(mended.numbers[first], what, rest))
    mended.lines, mended.numbers = [mended.lines[at] for at in kept], [mended.numbers[at] for at in kept]
    if mended.lines and mended.lines[-1]:
        mended.lines.append("")
        mended.numbers.append(mended.numbers[-1])


def _drop_control_characters(mended: Mended) -> None:
    for at, line in enumerate(mended.lines):
        if _CONTROL.search(line):
            shown = _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", line)
            mended.lines[at] = _CONTROL.sub("", line)
            why = "Invisible control characters, or half characters, were in this line."
            mended.repairs.append(Repair(mended.numbers[at], shown.strip(), mended.lines[at].strip(), why))


def _has_odd_names(root: yaml.Node | None) -> bool:
    """True where a name such as "-question" shows that YAML did not see the lines as they were meant."""
    seen: set[int] = set()
    rest = [root] if root is not None else []
    while rest:
        node = rest.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                if isinstance(name, yaml.ScalarNode) and _ODD_NAME.match(name.value):
                    return True
                rest += [name, value]
        elif isinstance(node, yaml.SequenceNode):
            rest += node.value
    return False


def _parse_or_leave_out(mended: Mended) -> None:
    """Parse; a line that still fits nowhere is left out and listed.

    Raises:
        LeafError: too many lines would have to go.
    """
    most = min(_MOST_LEFT_OUT, _MOST_WORK // max(1, len(mended.text)))
    for attempt in range(most + 1):
        try:
            mended.root = compose(mended.text)
            return
        except SourceProblem as problem:
            at = min(problem.line, len(mended.lines)) - 1
            if problem.ours or attempt == most or not mended.lines[at].strip():
                raise _refused(problem, mended) from problem
            mended.leave_out(at, "a line that fits nowhere")
