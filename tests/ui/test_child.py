"""ui/child.py: lines from a pipe that cuts where it likes."""

from __future__ import annotations

import pytest

from lab_desktop.ui.child import ChildLines

SAID = '{"text": "Café 🏝"}\n{"text": "two"}\n'.encode()


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(SAID)])
def test_pieces_of_any_size_give_the_same_lines_even_cut_inside_a_letter(size: int) -> None:
    lines = ChildLines()

    said = [value for at in range(0, len(SAID), size) for value in lines.hear(SAID[at : at + size])]

    assert said == [{"text": "Café 🏝"}, {"text": "two"}]


def test_half_a_line_waits_for_its_end() -> None:
    lines = ChildLines()

    assert lines.hear(b'{"text"') == []
    assert lines.hear(b': "whole"}') == []
    assert lines.hear(b"\n") == [{"text": "whole"}]


def test_what_is_no_json_object_is_left_out_and_the_next_line_is_heard() -> None:
    junk = b'warning: no GPU\n[1, 2]\n7\n\xff\xfe broken\n\n{"torn": \n'

    assert ChildLines().hear(junk + b'{"text": "so"}\n') == [{"text": "so"}]
