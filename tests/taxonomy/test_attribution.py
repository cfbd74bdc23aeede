"""attribution.txt is read however it was written, and written in one form."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_desktop.errors import LeafError
from lab_desktop.taxonomy.attribution import (
    LICENCES,
    OWN,
    Attribution,
    licence_id,
    own_work,
    parse,
    problems,
    read_attribution,
    to_text,
    write_attribution,
)

WORK = Attribution(
    title="Phoenix (constellation)",
    link="https://en.wikipedia.org/wiki/Phoenix_(constellation)",
    revision="https://en.wikipedia.org/w/index.php?title=Phoenix&oldid=1237187773",
    licence="CC-BY-SA-4.0",
    creators="Wikipedia Authors",
)
WRITTEN = """\
Title of work: Phoenix (constellation)
Link to work: https://en.wikipedia.org/wiki/Phoenix_(constellation)
Revision: https://en.wikipedia.org/w/index.php?title=Phoenix&oldid=1237187773
License of the work: CC-BY-SA-4.0
Creator names: Wikipedia Authors
"""


def test_a_work_is_written_as_the_taxonomy_does_and_reads_back(tmp_path):
    file = write_attribution([WORK, own_work("Notes", "Jane")], tmp_path)

    assert file.read_text() == (
        WRITTEN + "\nTitle of work: Notes\nLink to work: my own\nLicense of the work: CC-BY-4.0\nCreator names: Jane\n"
    )
    assert read_attribution(tmp_path) == (WORK, own_work("Notes", "Jane"))
    assert problems(WORK) == problems(own_work("Notes", "Jane")) == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.lower().replace("phoenix", "Phoenix").replace("wikipedia authors", "Wikipedia Authors")
        .replace("/phoenix_", "/Phoenix_").replace("title=phoenix", "title=Phoenix"),
        lambda text: text.replace("Title of work", "- **Title of Work**"),
        lambda text: text.replace("License of the work: CC-BY-SA-4.0", "Licence: CC BY-SA 4.0"),
        lambda text: text.replace("CC-BY-SA-4.0", "https://creativecommons.org/licenses/by-sa/4.0/deed.en"),
        lambda text: text.replace("Creator names", "Authors").replace("Link to work", "URL"),
        lambda text: text.replace("Wikipedia Authors", "Wikipedia\n  Authors"),
        lambda text: "\n".join(line.partition(": ")[2] for line in text.splitlines()),
    ],
    ids=range(10),
)  # fmt: skip
def test_what_people_write_is_understood(change):
    text = change(WRITTEN)
    assert text != WRITTEN

    assert parse(text) == (WORK,)


def test_lines_that_say_something_else_are_kept():
    (work,) = parse(WRITTEN + "Accessed on a rainy day\nPhone: 12\n")

    assert work.others == ("Accessed on a rainy day", "Phone: 12")
    assert parse(to_text([work])) == (work,)


def test_a_repeated_label_or_title_begins_the_next_work():
    assert parse(WRITTEN + WRITTEN) == (WORK, WORK)
    halves = (Attribution(link="x"), Attribution("B", creators="C"))
    assert parse(to_text(halves)) == halves
    assert [work.title for work in parse("Title: A\n\nTitle: B\nLink: x\n")] == ["A", "B"]


LINE = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20).map(lambda text: " ".join(text.split()))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds(Attribution, *[LINE.map(licence_id)] * 8), min_size=1, max_size=3))
def test_any_work_reads_back_the_same(works):
    works = [work for work in works if work != Attribution()]

    assert parse(to_text(works)) == tuple(works)


@pytest.mark.parametrize(
    ("work", "field", "says"),
    [
        (Attribution(), "title", "no title"),
        (Attribution(title="x"), "link", "where the work comes from"),
        (Attribution("x", "https://x"), "revision", "which version"),
        (Attribution("x", OWN), "creators", "who made"),
        (Attribution("x", OWN, creators="Jane"), "licence", "no licence"),
        (own_work("x", "Jane", "CC-BY-NC-4.0"), "licence", '"CC-BY-NC-4.0"'),
    ],
)
def test_what_is_missing_is_said(work, field, says):
    found = [gap for gap in problems(work) if gap.field == field]

    assert says in found[0].message
    assert found[0].hint
    assert not any(gap.field == "revision" for gap in problems(own_work("x", "Jane")))


@pytest.mark.parametrize("licence", LICENCES)
def test_every_accepted_licence_is_known_by_id_and_name(licence):
    assert licence_id(f" {licence.id.lower()} ") == licence_id(licence.name) == licence.id
    assert problems(own_work("x", "Jane", licence.name)) == ()
    assert licence.means.endswith(".")


def test_a_missing_a_foreign_and_a_huge_file(tmp_path):
    assert read_attribution(tmp_path) == ()

    (tmp_path / "attribution.txt").write_bytes("Title: Café\n".encode("latin-1"))
    assert read_attribution(tmp_path)[0].title == "Café"

    (tmp_path / "attribution.txt").write_bytes(b"x" * 2_000_000)
    with pytest.raises(LeafError, match="larger than"):
        read_attribution(tmp_path)

    (tmp_path / "attribution.txt").unlink()
    (tmp_path / "attribution.txt").mkdir()
    with pytest.raises(LeafError, match="cannot be opened"):
        read_attribution(tmp_path)
