from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from retrieval.catalogue.documents import Filters
from ui.web.view import MOST_MARKS, MOST_SHOWN, SHOWN, View, from_address, to_address

_MARKS = st.lists(st.integers(1, 10**9), max_size=5, unique=True).map(tuple)
_YEAR = st.none() | st.integers(0, 9999)
_NAME = st.none() | st.text(min_size=1, max_size=20)
_WHERE = st.builds(
    lambda years, *names: Filters(*years, *names),
    st.tuples(_YEAR, _YEAR).filter(lambda years: None in years or years[0] <= years[1]),
    _NAME,
    _NAME,
)
_BOX = st.tuples(*[st.integers(0, 9999)] * 2, *[st.integers(1, 9999)] * 2)
_OPENED = st.none() | st.integers(1, 10**9)
_PLACE = st.none() | st.tuples(st.integers(1, 10**9), _BOX)
_SHOWN = st.integers(SHOWN, MOST_SHOWN)
_WAYS = st.tuples(st.booleans(), st.booleans())


@given(
    _MARKS.filter(bool),
    _MARKS,
    _WHERE,
    _OPENED,
    _SHOWN,
    st.none() | st.integers(0, 10**9),
    _WAYS,
    st.booleans(),
    _PLACE,
    st.none() | st.integers(0, 10**9),
    _SHOWN,
    st.none() | st.integers(0, 10**9),
)
def test_a_query_by_marks_survives_its_address(
    liked,
    disliked,
    where,
    opened,
    shown,
    group,
    ways,
    everywhere,
    place,
    identity,
    members,
    proposals,
) -> None:
    disliked = tuple(mark for mark in disliked if mark not in liked)
    view = View(
        way="marks",
        liked=liked,
        disliked=disliked,
        where=where,
        opened=opened,
        shown=shown,
        group=group,
        turned=ways[0],
        mirrored=ways[1],
        everywhere=everywhere,
        place=place,
        identity=identity,
        members=members if identity else SHOWN,
        proposals=proposals,
    )
    assert from_address(to_address(view)) == (view, [])


@given(_MARKS, st.integers(1, 10**9), st.none() | _BOX, _WHERE)
def test_a_query_by_region_survives_its_address(liked, page, region, where) -> None:
    view = View(way="page", liked=liked, page=page, region=region, where=where)
    assert from_address(to_address(view)) == (view, [])


@given(st.sampled_from(["draw", "upload", "page"]), _MARKS)
def test_chosen_marks_survive_the_address_of_another_way_to_ask(way, liked) -> None:
    view = View(way=way, liked=liked)
    assert from_address(to_address(view)) == (view, [])


def test_an_address_says_which_way_is_open_where_that_is_not_plain() -> None:
    assert to_address(View(way="marks", liked=(3, 5))) == {"mark": "3,5"}
    assert to_address(View(way="draw", liked=(3, 5))) == {"mark": "3,5", "by": "draw"}
    assert to_address(View(way="page", liked=(3, 5), page=7)) == {
        "mark": "3,5",
        "by": "page",
        "page": "7",
    }
    assert to_address(View(way="page", page=7)) == {"page": "7"}
    assert to_address(View(way="page")) == {"by": "page"}
    assert from_address({"by": "marks"}) == (View(), [])


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "by",
                "mark",
                "unlike",
                "page",
                "region",
                "from",
                "to",
                "series",
                "ship",
                "open",
                "shown",
                "group",
                "turned",
                "mirrored",
                "everywhere",
                "place",
                "identity",
                "members",
                "proposals",
            ]
        ),
        st.text(max_size=30) | st.from_regex(r"[0-9,\-]{0,30}", fullmatch=True),
    )
)
def test_any_address_leads_somewhere(params) -> None:
    view, problems = from_address(params)
    assert len(view.liked) <= MOST_MARKS
    assert SHOWN <= view.shown <= MOST_SHOWN
    assert all(problem.endswith(".") for problem in problems)
    again, none = from_address(to_address(view))
    assert not none
    assert (again.way, again.liked, again.disliked) == (view.way, view.liked, view.disliked)


def test_what_an_address_says_wrongly_is_said() -> None:
    view, problems = from_address({"mark": "1,x", "page": "3", "region": "1,2,3"})
    assert view == View(way="page", page=3)
    assert len(problems) == 2
    assert "mark='1,x'" in problems[0]
    assert "'1,2,3' is not a region" in problems[1]


def test_of_more_marks_than_a_search_takes_it_is_said_that_they_are_left_out() -> None:
    view, problems = from_address({"mark": ",".join(map(str, range(1, 53)))})
    assert view.liked == tuple(range(1, 51))
    assert problems == ["mark in the address names 52 marks: only the first 50 are used."]


def test_a_box_that_lies_on_no_page_is_said_to_be_none() -> None:
    far = "1,99999999999,5,5"
    view, problems = from_address({"page": "3", "region": far, "place": f"3,{far}"})
    assert view == View(way="page", page=3)
    assert problems == [
        f"The region '{far}' is larger than any page: give pixels of the page.",
        f"place='3,{far}' in the address does not name a place: The region '{far}' is larger than "
        "any page: give pixels of the page.",
    ]


def test_likes_and_dislikes_exclude_each_other() -> None:
    view = View().more_like(3).more_like(5).not_like(3)
    assert (view.way, view.liked, view.disliked) == ("marks", (5,), (3,))
    view = view.more_like(3)
    assert (view.liked, view.disliked) == ((5, 3), ())


def test_more_like_this_holds_the_query_as_before_and_a_new_start_does_not() -> None:
    view = View(turned=True, mirrored=True).more_like(3)
    assert len(view.ways) == 8
    assert len(view.start_again().ways) == 1


def test_more_like_an_identity_looks_for_its_marks_alone() -> None:
    before = View(
        way="marks", liked=(9,), disliked=(2,), where=Filters(ship="Anna"), identity=3, turned=True
    )
    after = before.more_like_all(tuple(range(1, 60)))
    assert after == View(
        way="marks", liked=tuple(range(1, 51)), where=Filters(ship="Anna"), turned=True
    )
    assert after.searching and not before.searching


def test_without_a_liked_mark_there_is_no_query_by_marks() -> None:
    assert View().more_like(3).forget(3) == View()
    assert View(where=Filters(series="HCA 32")).more_like(3).start_again().where.series == "HCA 32"


def test_an_answer_to_a_click_closes_the_page_and_starts_from_the_top() -> None:
    view = View(opened=7, shown=96, group=3, proposals=24).more_like(7)
    assert (view.opened, view.shown, view.group, view.proposals) == (None, SHOWN, None, None)


def test_a_sheet_of_proposals_is_judged_where_nothing_lies_over_it() -> None:
    sheet = View(proposals=0)
    assert sheet.judging and not sheet.searching
    for over in ({"opened": 7}, {"place": (1, (1, 2, 3, 4))}, {"group": 0}, {"identity": 0}):
        covered = replace(sheet, **over)
        assert not covered.judging and not covered.searching
    assert View().searching and not View().judging
