"""Lessons for tests: small ones, and random ones for hypothesis."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from lab_desktop.artifacts import LeafKind, Pair
from lab_desktop.editing import lesson as edit
from lab_desktop.editing.lesson import Field, Lesson, Mark

TEXT = "# Velmora\n\n" + "\n\n".join(
    f"## Bay {number}\n\nBay {number} was settled in 18{number}0 by Captain Rolf. Its pier is {number}2 metres long."
    for number in range(6)
)


def new(kind: LeafKind = LeafKind.KNOWLEDGE) -> Lesson:
    """An empty lesson that lies in a taxonomy."""
    root = "knowledge" if kind is LeafKind.KNOWLEDGE else "compositional_skills"
    return Lesson(kind, (root, "geography", "velmora"), "Velmora")


def whole(kind: LeafKind = LeafKind.KNOWLEDGE) -> Lesson:
    """A lesson in which nothing is missing."""
    lesson = new(kind)
    for number in range(5):
        context = f"Bay {number} was settled in 18{number}0 by Captain Rolf." if lesson.is_grounded else ""
        count = 3 if lesson.is_knowledge else 1
        pairs = [Pair(f"What is {number}{pair} of bay {number}?", f"It is {pair}.") for pair in range(count)]
        lesson = edit.add_example(lesson, context, pairs)
    if lesson.is_knowledge:
        lesson = edit.add_document(lesson, "velmora.md", TEXT)
    about = {"domain": "Islands", "document_outline": "An island."}
    texts = about if lesson.is_knowledge else {"task_description": "Rhyme."}
    source = "Title of work: Velmora\nLink to work: my own\n"
    for name, text in {"created_by": "jane", "attribution": source, **texts}.items():
        lesson = edit.with_text(lesson, Field(name), text)  # type: ignore[arg-type]
    return lesson


WRITING = st.one_of(
    st.sampled_from(
        ["", " ", "\n", "a", "Bay 1", "Yes", "null", "# x", "two\nlines", "a: b", "\u2028", "\ud800", "é", "\r\nx"]
    ),
    st.text(max_size=8),
)

Change = Callable[[Lesson], Lesson]


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """Any step of an editor; what it points at is chosen when it is done, so it fits any lesson."""
    kind = draw(st.sampled_from(range(10)))
    text, other = draw(WRITING), draw(WRITING)
    pick = draw(st.integers(0, 30))
    mark = draw(st.sampled_from(Mark))

    def change(lesson: Lesson) -> Lesson:
        examples = [example.id for example in lesson.examples]
        pairs = [pair.id for example in lesson.examples for pair in example.pairs]
        example = examples[pick % len(examples)] if examples else 0
        pair = pairs[pick % len(pairs)] if pairs else 0
        if kind == 0:
            return edit.add_example(lesson, text, [Pair(text, other)] if pick % 2 else [], mark, at=pick % 3)
        if kind == 1 and example:
            return edit.add_pairs(lesson, example, [Pair(text, other)], mark)
        if kind == 2 and pair:
            return edit.with_text(lesson, Field("question" if pick % 2 else "answer", pair=pair), text)
        if kind == 3 and example:
            return edit.with_text(lesson, Field("context", example), text)
        if kind == 4 and pair:
            return edit.remove_pair(lesson, pair)
        if kind == 5 and example:
            return (
                edit.remove_example(lesson, example) if pick % 3 == 0 else edit.move_example(lesson, example, pick % 4)
            )
        if kind == 6 and pair:
            return edit.accept(lesson, pair)
        if kind == 7:
            names = ("title", "created_by", "domain", "document_outline", "task_description", "attribution", "repo")
            return edit.with_text(lesson, Field(names[pick % len(names)]), text)  # type: ignore[arg-type]
        if kind == 8 and lesson.is_knowledge:
            name = ("velmora.md", "doc [1].md", "sub/Doc *.txt")[pick % 3]
            is_there = any(each.name == name for each in lesson.documents)
            return edit.remove_document(lesson, name) if is_there else edit.add_document(lesson, name, text)
        if kind == 9 and pair and lesson.is_knowledge:
            return edit.move_pair(lesson, pair, example, pick % 4)
        return lesson

    return change
