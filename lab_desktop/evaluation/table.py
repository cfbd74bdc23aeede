"""The report as text for a terminal: the verdict, then every question with its answers before and now.

Answers come from models, so anything that could steer a terminal is taken out of them.
"""

from __future__ import annotations

import shutil
import unicodedata

from lab_desktop.evaluation.results import Counts, Judgement, QuestionResult, Report, Verdict, counts

_MARKS = {Verdict.RIGHT: "✓", Verdict.WRONG: "✗", Verdict.NONE: "?"}
_NARROW = 60
_WIDEST = 140
_LONGEST = 240
_LEGEND = "✓ right · ✗ wrong · ? no verdict"


def report_text(report: Report, width: int | None = None, most: int = 12) -> str:
    """The report in `width` columns (by default the terminal's), with at most `most` questions of each leaf.

    Exam questions come first, then what changed; report.json has all of them.
    """
    columns = min(max(20, width or shutil.get_terminal_size().columns), _WIDEST)  # the eye loses longer lines
    lines: list[str] = []
    for leaf in report.leaves:
        lines += _wrap(leaf.leaf, columns)
        for kind, name in (("exam", "exam"), ("held_out", "held-out practice questions")):
            results = leaf.of_kind("exam" if kind == "exam" else "held_out")
            if results:
                lines += _wrap(f"{name}: {_scores(counts(results, 'before'), counts(results, 'now'))}", columns)
        shown = sorted(leaf.questions, key=lambda result: (result.kind != "exam", not _changed(result)))
        if shown:
            lines += [*_wrap(_LEGEND, columns), "", *_table(shown[:most], columns)]
        else:
            lines += _wrap("no questions: nothing was held out, and there is no exam.yaml", columns)
        if len(shown) > most:
            lines += _wrap(f"… and {len(shown) - most} more in report.json", columns)
        lines.append("")
    if report.general:
        scores = _scores(counts(report.general, "before"), counts(report.general, "now"))
        lines += _wrap(f"general questions: {scores}", columns)
        lost = [result for result in report.general if result.is_worse]
        if lost:
            lines += [*_wrap("lost (right before, wrong now):", columns), "", *_table(lost[:most], columns)]
            if len(lost) > most:
                lines += _wrap(f"… and {len(lost) - most} more in report.json", columns)
        lines.append("")
    lines += _wrap(f"Verdict: {report.verdict.name}. {report.verdict.text}", columns)
    for advice in report.verdict.advice:
        first, *rest = _wrap(advice, columns - 2)
        lines += [f"- {first}", *(f"  {line}" for line in rest)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _scores(before: Counts, now: Counts) -> str:
    undecided = max(before.no_verdict, now.no_verdict)
    without = f" ({undecided} without a verdict)" if undecided else ""
    return f"before {before.right} of {before.total} → now {now.right} of {now.total}{without}"


def _changed(result: QuestionResult) -> bool:
    return result.judged_before.verdict != result.judged_after.verdict


def _table(results: list[QuestionResult], columns: int) -> list[str]:
    if not results:
        return []
    if columns < _NARROW:
        return [line for result in results for line in _stacked(result, columns)]
    cell = (columns - 6) // 3
    widths = (columns - 6 - 2 * cell, cell, cell)
    lines = [_row(("question", "before", "now"), widths)]
    for result in results:
        lines.append("─┼─".join("─" * width for width in widths))
        cells = [
            [*_wrap(_clean(result.asked.prompt), widths[0]), *_expected(result, widths[0])],
            _wrap(_marked(result.judged_before, result.before), widths[1]),
            _wrap(_marked(result.judged_after, result.after), widths[2]),
        ]
        for number in range(max(map(len, cells))):
            texts = tuple(cell[number] if number < len(cell) else "" for cell in cells)
            lines.append(_row(texts, widths))
    return lines


def _stacked(result: QuestionResult, columns: int) -> list[str]:
    lines = [*_wrap(_clean(result.asked.prompt), columns), *_expected(result, columns)]
    for name, text in (
        ("before ", _marked(result.judged_before, result.before)),
        ("now    ", _marked(result.judged_after, result.after)),
    ):
        first, *rest = _wrap(text, columns - 9)
        lines += [f"  {name}{first}", *(" " * 9 + line for line in rest)]
    return [*lines, ""]


def _expected(result: QuestionResult, columns: int) -> list[str]:
    """The right answer, below the question: who reads the table need not know it."""
    return _wrap(f"→ {_clean(result.asked.answer)}", columns) if result.asked.answer else []


def _row(texts: tuple[str, ...], widths: tuple[int, ...]) -> str:
    return " │ ".join(text + " " * (width - _columns(text)) for text, width in zip(texts, widths, strict=True))


def _marked(judgement: Judgement, reply: str) -> str:
    return f"{_MARKS[judgement.verdict]} {_clean(reply) or '(nothing)'}"


def _clean(text: str) -> str:
    """One line without control characters or changes of direction, shortened to what a table can hold."""
    plain = "".join(" " if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") else sign for sign in text)
    plain = " ".join(plain.split())
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"


def _wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns; unlike textwrap this knows that some signs fill two columns and some none."""
    lines, line, used = [], "", 0
    for word in text.split(" "):
        if line and used + 1 + _columns(word) <= width:
            line, used = f"{line} {word}", used + 1 + _columns(word)
            continue
        if line:
            lines.append(line)
            line, used = "", 0
        for sign in word:
            if used + _columns(sign) > width:
                lines.append(line)
                line, used = "", 0
            line, used = line + sign, used + _columns(sign)
    return [*lines, line]


def _columns(text: str) -> int:
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )
