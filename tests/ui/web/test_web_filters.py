"""The filters beside the search."""

from __future__ import annotations

import pytest

from retrieval.catalogue import tables
from tests.paper_archive import Papers
from tests.ui.web.visiting import Visit, address_of, cards_of, html_of


def test_filters_narrow_the_search(papers: Papers, visit: Visit) -> None:
    one = papers.marks[0][0]
    page = visit(papers.archive.folder, mark=str(one), ship="Amity")
    assert set(cards_of(page)) == set(papers.marks[2])
    page.selectbox(key="ship").set_value("").run()
    assert len(cards_of(page)) == 11
    page.slider(key="years").set_value((1705, 1745)).run()
    assert set(cards_of(page)) == {*papers.marks[1], *papers.marks[2]}
    assert address_of(page) == {"mark": str(one), "from": "1705", "to": "1745"}
    page.slider(key="years").set_value((1702, 1745)).run()
    assert address_of(page) == {"mark": str(one)}


@pytest.mark.parametrize(
    ("asked", "shown", "found"),
    [
        ({"to": "0"}, (0, 0), 0),
        ({"from": "0"}, (0, 1745), 11),
        ({"from": "0", "to": "1702"}, (0, 1702), 3),
        ({"from": "9999"}, (9999, 9999), 0),
        ({"from": "1745", "to": "1710"}, (1710, 1745), 8),
    ],
)
def test_the_years_of_an_address_are_shown_as_they_narrow(
    papers: Papers, visit: Visit, asked: dict[str, str], shown: tuple[int, int], found: int
) -> None:
    page = visit(papers.archive.folder, mark=str(papers.marks[0][0]), **asked)
    assert page.slider(key="years").value == shown
    assert len(cards_of(page)) == found


def test_what_is_no_year_in_an_address_is_said_to_be(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder, **{"from": "10000", "to": "1710"})
    said = "from=10000 in the address is not a year: the last is 9999."
    assert [one.value.replace("\\", "") for one in page.warning] == [said]
    assert page.slider(key="years").value == (1702, 1710)


def test_filters_are_offered_only_where_they_are_seen_to_narrow(
    papers: Papers, visit: Visit
) -> None:
    asked = {"mark": str(papers.marks[0][0]), "ship": "De Hoop"}
    place = f"{papers.pages[0]},1,1,20,20"
    for over in ({"open": str(papers.marks[1][0])}, {"place": place}, {"group": "0"}):
        page = visit(papers.archive.folder, **asked, **over)
        assert "Narrow the search" not in html_of(page)
        assert "groups" not in {button.key for button in page.button}
        next(one for one in page.button if one.key in ("back", "search")).click().run()
        assert "Narrow the search" in html_of(page)
        assert page.selectbox(key="ship").value == "De Hoop"
        assert address_of(page) == asked


def test_filters_that_nothing_fits_say_so(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder, mark=str(papers.marks[0][0]), ship="Flying Dutchman")
    assert not cards_of(page)
    assert "No mark matches the filters: Flying Dutchman." in html_of(page)
    assert "Widen the filters" in page.info[0].value


def test_where_only_chosen_marks_are_left_it_is_not_said_that_none_is_there(
    papers: Papers, visit: Visit
) -> None:
    archive, (one, other, *rest) = papers.archive, [mark for page in papers.marks for mark in page]
    with archive.writing() as session:
        for mark in rest:
            session.get_one(tables.Mark, mark).status = "rejected"
    for params, said in (
        ({"mark": str(one), "unlike": str(other)}, "No mark but those that you chose can be found"),
        ({"mark": str(one), "unlike": str(other), "ship": "De Hoop"},
         "No mark but those that you chose matches the filters: De Hoop."),
        ({"mark": f"{one},{other}", "ship": "Amity"}, "No mark matches the filters: Amity."),
    ):  # fmt: skip
        page = visit(archive.folder, **params)
        assert not cards_of(page) and said in html_of(page)
        widen = [info.value for info in page.info if "Widen the filters" in info.value]
        assert bool(widen) == ("ship" in params)
