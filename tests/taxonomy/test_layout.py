"""The rules of layout are yamllint's, as InstructLab sets it up: both say the same about the same text."""

from __future__ import annotations

import time

import pytest
import yaml
import yamllint.config
import yamllint.linter
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_desktop.taxonomy.layout import faults
from lab_desktop.taxonomy.words import LINT
from tests.taxonomy.leaves import knowledge, skill

RULES = yamllint.config.YamlLintConfig("{extends: relaxed, rules: {line-length: disable}}")

SAME = [
    *("", "\n", "\n\n", "a: b\n", "a: b", "a: b\n ", "\ufeffa:  b\n", "%YAML 1.1\n---\na: b\n...\n", "a: b\n...\n\n"),
    # blank lines and line ends
    *("\na: b\n", "\n\na: b\n", "a: b\n\n", "a: b\n\n\n", "a: b\n\n\n\nc: d\n", "a: b\n\n\n\n\nc: d\n"),
    *("a: |\n  b\n\n\n\n  c\n", "a: 'x\n\n\n\n  y'\n", "a: b \n", "a: b\xa0\n", "a: |\n  x \n", "a: 'b'  \n"),
    # blanks between words
    *("a :  b\n", "a:   # c\n", "a:\n  b:    c\n", "?  a\n:  b\n", "a: &x b\n*x : c\n", "x: &x 1\n*x  : 1\n"),
    "a:  |\n  b\n",
    *("a: {b , c}\n", "a: {b,c}\n", "a: {b,  c}\n", "a: {b: c,}\n", "a: {b: c, }\n", "a: {b: c,  }\n"),
    "a: {'b':c, d:e}\n",
    *("a: [ b ]\n", "a: [  b ]\n", "a: [ b  ]\n", "a: [  ]\n", "a: [   ]\n", "a: {  }\n", "a: {b:  }\n", "[a] : b\n"),
    *("-  a\n", "-   # c\n", "-\n", "a: [b:  c]\n", "a: [?  b : c]\n", "a: {   # c\n  b: c}\n", "a: b   ,\n", "a: # c"),
    # names
    *("a: 1\na: 2\n", "a: 1\n'a': 2\n", "1: 1\n'1': 2\n", "<<: {a: 1}\n<<: {b: 2}\n", "{a: 1, a: 2}\n"),
    "[a: 1, a: 2]\n",
    *("? [a]\n: 1\n? [a]\n: 2\n", "a: {b: 1}\nb: 1\n", "a: &x b\n*x : 1\n*x : 2\n", "? a\n? a\n", "&x a: 1\n&y a: 2\n"),
    # indents
    *(" a: b\n", "a: b\n c\n", "a:\n   b\nc:\n  d\n", "a:\n- b\nc:\n  - d\n", "a:\n- b\n", "a:\n  -\n    b\n"),
    "a:\n  -\n   b\n",
    *("- - a\n  - b\n", "-\n  - a\n", "a:\n  - - b\n    - c\nd:\n- e\n", "- &x\n - a\n", "a:\n-\n b: c\n"),
    "? a\n:\n- f\n",
    *("a: &x\n  b: c\n", "a:\n   &x\n   b: c\nd:\n  e: f\n", "a: !!str\n  b\n", "a: &x b\nc:\n    *x\n"),
    "a:\n  |\n  b\n",
    *("a:\n    - b\n    - c:\n        d\n", "a:\n    b:\n      - c\n", "- a:\n  - b\n- c:\n    - d\n"),
    "a:\n- b: c\n  d:\n    - e\n",
    *("a: [\n  b,\n  c\n]\n", "a: [\n    b\n  ]\n", "a: [b,\n  c]\n", "a: [b,\n    c\n   ]\n", "a:\n  [\n  b\n  ]\n"),
    *("a: {\n  b:\n  c\n}\n", "a: {\n  b: [\n  c\n]\n}\n", "a: {b:\n  c}\n", "d:\n  e\na: {b:\n  c}\n", "a: {\n  }\n"),
    *("d:\n  e\na: {b: c, f:\n            c}\n", "d:\n  e\na: [[\n    b]]\n", "d:\n  e\na: [b, [\n      c]]\n"),
    # what is switched off
    *("# yamllint disable\na:  b\n# yamllint enable\nc:  d\n", "# yamllint disable rule:colons\na:  b \n"),
    *("# yamllint disable-file\na:  b\n", "a:  b\n# yamllint disable-file\n", "#yamllint disable\na:  b\n"),
    *("a:  b # yamllint disable-line rule:colons\n", "# yamllint disable-line rule:colons\na:  b \n"),
    *("# yamllint disable-line\n\n\n\n\na: b\n", "a: b\n# yamllint disable", "a: '# yamllint disable'\nb:  c\n"),
]  # fmt: skip
"""Every rule kept and broken, and what stands at the edge of one."""
PARTS = [
    *("", "\n", " ", "  ", '"', ":", ": ", "- ", "#", " # c\n", "42", "{}", "{", "]", ", ", ",", "null", "? ", "\n  "),
    *("\n    ", "\n- ", "\n  - ", "a: ", "\n\n\n\n", "# yamllint disable\n", "\n# yamllint disable-line rule:colons\n"),
]


def theirs(text: str) -> set[tuple[int, int, str | None, str]]:
    """(line, column, rule, level) of everything that yamllint finds."""
    return {(each.line, each.column, each.rule, each.level) for each in yamllint.linter.run(text.encode(), RULES)}


def theirs_if_any(text: str) -> set[tuple[int, int, str | None, str]] | None:
    """None where yamllint finds no way through the text: it fails, or says that it is not YAML."""
    try:
        found = theirs(text)
    except (TypeError, yaml.YAMLError):
        return None
    return None if any(rule is None for _, _, rule, _ in found) else found


def ours(text: str) -> set[tuple[int, int, str | None, str]]:
    return {(each.line, each.column, each.rule, "error" if each.is_grave else "warning") for each in faults(text)}


@pytest.mark.parametrize("text", SAME)
def test_both_find_the_same_at_the_same_place(text: str) -> None:
    assert ours(text) == theirs(text)


def test_every_rule_is_broken_by_one_of_these_texts_and_has_its_words() -> None:
    assert {rule for text in SAME for _, _, rule, _ in ours(text)} == set(LINT)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_both_break_the_same_rules_on_damaged_lessons(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([knowledge(2, 1), skill(2), skill(2, context=True), *SAME[:60]]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.sampled_from(PARTS)) + text[at + data.draw(st.integers(0, 4)) :]
    found = theirs_if_any(text)
    if found is None or _is_beyond(text):
        return

    mine = ours(text)

    assert bool(mine) is bool(found), text
    assert {each[2:] for each in mine} - {INDENT} == {each[2:] for each in found} - {INDENT}, text


INDENT = ("indentation", "warning")


def _is_beyond(text: str) -> bool:
    """Is something shared or of a kind in it? There the two may place an indent otherwise; lessons have none."""
    tokens = list(yaml.scan(text, Loader=yaml.SafeLoader))
    return any(isinstance(token, (yaml.AnchorToken, yaml.TagToken)) for token in tokens)


def test_a_file_as_long_as_can_be_takes_time_by_its_length() -> None:
    def seconds(count: int) -> float:
        text = "a:\n" + "".join(f"  - b{number}:  c \n" for number in range(count))
        began = time.process_time()
        assert len(faults(text)) == 2 * count
        return time.process_time() - began

    assert seconds(2000) < 30 * max(seconds(250), 0.01)
