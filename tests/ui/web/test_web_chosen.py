"""What a person says of the marks that they chose, and how they rename what they named."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from ingest.taken_back import TAKEN_BACK
from retrieval.catalogue import tables
from retrieval.catalogue.groups import group_row
from tests.paper_archive import HOSTILE, PLACES, SIDE, Papers
from tests.ui.web.visiting import Visit, address_of, cards_of, html_of, name_box, said_in


def _say(page: AppTest, name: str = "", person: str = "A. Reader") -> None:
    page.text_input(key="person").set_value(person)
    if name:
        name_box(page).set_value(name)
    page.button(key="one merchant").click().run()
    assert not page.exception


def _certainty(page: AppTest) -> Selectbox:
    return next(box for box in page.selectbox if (box.key or "").startswith("certainty-"))


def _plain(text: str) -> str:
    return text.replace("\\", "")


def _captions(page: AppTest) -> str:
    return _plain("\n".join(caption.value for caption in page.caption))


def test_marks_found_by_search_are_called_one_merchants(papers: Papers, visit: Visit) -> None:
    (one, other, *_), (two, *_), _ = papers.marks
    page = visit(papers.archive.folder, mark=f"{one},{two},{other}")
    _certainty(page).set_value("certain")
    _say(page, "figure of four")
    said = ("figure of four", "certain", "A. Reader")
    assert said_in(papers) == {one: said, two: said, other: said}
    assert (
        _plain(page.success[0].value) == "Saved: 3 marks identified as “figure of four”, certain."
    )
    with papers.archive.session() as session:
        row = group_row(session, 1)
        marks = session.scalars(select(tables.Mark).where(tables.Mark.id.in_(row.marks)))
        assert {mark.status for mark in marks} == {"confirmed"}
    assert (row.verdict, row.identity, row.said_by) == ("same", "figure of four", "A. Reader")
    # Two of them are equal: each is as alike as 1 to the other, and as the third is to both.
    assert set(row.marks[:2]) == {one, two} and row.marks[2] == other
    assert row.likeness[0] == pytest.approx((1 + row.likeness[2]) / 2)
    page.button(key="again").click().run()
    assert address_of(page) == {"mark": f"{one},{two},{other}", "group": "1"}
    page.button(key="take back").click().run()
    assert not page.exception and said_in(papers) == {}


def test_one_mark_is_not_asked_about(papers: Papers, visit: Visit) -> None:
    (one, *_), (two, *_), _ = papers.marks
    page = visit(papers.archive.folder, mark=str(one))
    assert "one merchant" not in {button.key for button in page.button}
    page.button(key=f"more-{two}").click().run()
    assert name_box(page).value == f"as mark {one}"
    assert page.button(key="one merchant").label == "These are one merchant’s"
    page.button(key=f"remove-{two}").click().run()
    assert "one merchant" not in {button.key for button in page.button}


def test_what_some_of_the_marks_are_called_is_said_and_offered(
    papers: Papers, visit: Visit
) -> None:
    (one, other, third, _), (two, *_), _ = papers.marks
    page = visit(papers.archive.folder, mark=f"{one},{two}")
    _say(page, "Jan")
    assert "They are all identified as “Jan”." in _captions(page)
    _say(page)
    assert "already have that name" in _plain(page.error[0].value)
    page = visit(papers.archive.folder, mark=f"{other},{two}")
    assert "1 of the 2 is identified as “Jan”. With that name the others join it;" in _captions(
        page
    )
    assert name_box(page).value == "Jan"
    _say(page, person="B. Reader")
    assert said_in(papers)[other] == ("Jan", "probable", "B. Reader")
    assert said_in(papers)[two] == ("Jan", "probable", "A. Reader")
    page = visit(papers.archive.folder, mark=f"{other},{third}")
    _say(page, "the anchor")
    assert "identified as “Jan; the anchor”" in html_of(visit(papers.archive.folder, mark=str(one)))


def test_nothing_is_kept_of_chosen_marks_without_a_name(papers: Papers, visit: Visit) -> None:
    (one, *_), (two, *_), _ = papers.marks
    page = visit(papers.archive.folder, mark=f"{one},{two}")
    _say(page, person="")
    assert "Enter a name for" in _plain(page.error[0].value)
    assert said_in(papers) == {}
    _say(page, HOSTILE)
    assert "<img" not in html_of(page)
    for element in (*page.success, *page.caption):
        assert "![x]" not in element.value


def test_a_name_is_changed_on_the_page_of_a_mark(papers: Papers, visit: Visit) -> None:
    (one, other, *_), (two, *_), _ = papers.marks
    _say(visit(papers.archive.folder, mark=f"{one},{two}"), "Jan")
    _say(visit(papers.archive.folder, mark=f"{other},{two}"), "the anchor")
    page = visit(papers.archive.folder, open=str(one))
    page.text_input(key="rename-1-Jan").set_value("the anchor")
    page.button(key="rename-1").click().run()
    assert "name 'the anchor' is already taken" in _plain(page.error[0].value)
    page.text_input(key="rename-1-Jan").set_value(HOSTILE)
    page.button(key="rename-1").click().run()
    assert not page.exception and not page.error
    assert [_plain(said.value) for said in page.success] == [f"Renamed to “{HOSTILE}”."]
    assert "![x]" not in page.success[0].value
    assert not page.run().success
    assert said_in(papers)[one] == (HOSTILE, "probable", "A. Reader")
    assert page.text_input(key=f"rename-1-{HOSTILE}").value == HOSTILE
    assert "Identity</th><td>&lt;img src=x" in html_of(page) and "<img" not in html_of(page)
    assert all("![x]" not in expander.label for expander in page.expander)


def test_marks_join_a_name_that_none_of_them_has_when_that_is_ticked(
    papers: Papers, visit: Visit
) -> None:
    (one, other, third, fourth), (two, *_), _ = papers.marks
    _say(visit(papers.archive.folder, mark=f"{one},{two}"), HOSTILE)
    page = visit(papers.archive.folder, mark=f"{other},{third}")
    _say(page, HOSTILE)
    assert "say that they are the same merchant's" in _plain(page.error[0].value)
    (box,) = [box for box in page.checkbox if (box.key or "").startswith("same-as-")]
    assert _plain(box.label) == (
        f"“{HOSTILE}” already exists, with 2 marks: these marks are the same merchant’s"
    )
    assert "![x]" not in box.label and "already exists, with 2 marks: these" in box.label
    box.check()
    name_box(page).set_value("Jan")  # of another name it is not said
    page.button(key="one merchant").click().run()
    assert said_in(papers)[other] == ("Jan", "probable", "A. Reader")
    page = visit(papers.archive.folder, mark=f"{third},{fourth}")
    name_box(page).set_value(HOSTILE).run()
    next(box for box in page.checkbox if (box.key or "").startswith("same-as-")).check()
    _say(page)
    assert not page.error
    assert said_in(papers)[fourth] == (HOSTILE, "probable", "A. Reader")
    assert not [box for box in page.checkbox if (box.key or "").startswith("same-as-")]


def test_one_mark_is_taken_out_on_its_page(papers: Papers, visit: Visit) -> None:
    (one, other, *_), (two, *_), _ = papers.marks
    _say(visit(papers.archive.folder, mark=f"{one},{two},{other}"), HOSTILE)
    page = visit(papers.archive.folder, open=str(other))
    page.button(key="leave-1").click().run()
    assert "Enter a name for" in _plain(page.error[0].value)
    page.text_input(key="person").set_value("Bo")
    page.button(key="leave-1").click().run()
    assert not page.exception and not page.error
    said = _plain(page.success[0].value)
    assert said.startswith(f"Taken out of “{HOSTILE}”, which A. Reader said on ")
    assert "![x]" not in page.success[0].value
    assert set(said_in(papers)) == {one, two}
    kept = (papers.archive.folder / TAKEN_BACK).read_text().splitlines()
    assert kept[1].startswith(f"mark {other},it is {HOSTILE},A. Reader,20") and ",Bo,20" in kept[1]
    assert "A person said that it is a mark." in html_of(page)


def test_chosen_marks_are_kept_where_another_way_to_ask_is_open(
    papers: Papers, visit: Visit
) -> None:
    (one, *_), (two, *_), _ = papers.marks
    page = visit(papers.archive.folder, mark=f"{one},{two}")
    page.segmented_control(key="way").set_value("draw").run()
    assert address_of(page) == {"mark": f"{one},{two}", "by": "draw"}
    page = visit(papers.archive.folder, **address_of(page))
    assert page.segmented_control(key="way").value == "draw"
    page.segmented_control(key="way").set_value("marks").run()
    assert address_of(page) == {"mark": f"{one},{two}"}
    assert "Like these" in html_of(page)


def test_how_sure_a_person_is_of_some_marks_they_are_not_of_others(
    papers: Papers, visit: Visit
) -> None:
    (one, other, third, _), (two, *_), _ = papers.marks
    page = visit(papers.archive.folder, mark=f"{one},{two}")
    _certainty(page).set_value("certain")
    _say(page, "Jan")
    assert _certainty(page).value == "certain"
    page.button(key=f"more-{other}").click().run()
    assert _certainty(page).value == "probable"
    page.button(key="start again").click().run()
    page.button(key=f"more-{third}").click().run()
    page.button(key=f"more-{other}").click().run()
    _say(page, "the anchor")
    assert said_in(papers)[third] == ("the anchor", "probable", "A. Reader")


def test_where_another_mark_would_drop_the_first_that_is_said(
    papers: Papers, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.web.view.MOST_MARKS", 2)
    monkeypatch.setattr("ui.web.chosen.MOST_MARKS", 2)
    (one, *_), (two, *_), (three, *_) = papers.marks
    page = visit(papers.archive.folder, mark=str(one))
    said = "2 is the most a search can take: adding another removes the first."
    assert said not in html_of(page)
    page.button(key=f"more-{two}").click().run()
    assert html_of(page).count(said) == 1
    page.button(key=f"more-{three}").click().run()
    assert address_of(page) == {"mark": f"{two},{three}"}


def _reject(papers: Papers, *marks: int) -> None:
    with papers.archive.writing() as session:
        for mark in marks:
            session.get_one(tables.Mark, mark).status = "rejected"


REJECTED = "Rejected since: the search ignores it. Remove it."
GONE = "Mark 999 is not in this archive, or not any more: the search ignores it. Remove it."


def test_a_chosen_mark_that_was_rejected_or_is_gone_is_left_out_of_the_search(
    papers: Papers, visit: Visit
) -> None:
    (one, other, third, _), (two, *_), _ = papers.marks
    found = cards_of(visit(papers.archive.folder, mark=f"{one},{two}", unlike=str(third)))
    _reject(papers, other)
    asked = {"mark": f"{one},{other},{two},999", "unlike": str(third)}
    page = visit(papers.archive.folder, **asked)
    assert not page.error
    assert cards_of(page) == [mark for mark in found if mark != other]
    said = _captions(page)
    assert said.count(REJECTED) == 1 and said.count(GONE) == 1
    assert address_of(page) == asked, "what was chosen is taken away by its visitor alone"
    page.button(key=f"remove-{other}").click().run()
    page.button(key="remove-999").click().run()
    assert REJECTED not in _captions(page) and GONE not in _captions(page)


def test_a_disliked_mark_that_is_gone_never_stops_a_search(papers: Papers, visit: Visit) -> None:
    (one, *_), (two, *_), (three, *_) = papers.marks
    _reject(papers, two)
    page = visit(papers.archive.folder, mark=str(one), unlike=f"{two},999")
    assert cards_of(page)[0] == three and not page.error
    assert REJECTED in _captions(page) and GONE in _captions(page)
    x, y = PLACES[3]
    region = {"page": str(papers.pages[1]), "region": f"{x},{y},{SIDE},{SIDE}"}
    page = visit(papers.archive.folder, unlike="999", **region)
    assert cards_of(page)[0] == papers.marks[1][3] and not page.error


def test_where_no_liked_mark_is_left_it_is_said_that_there_is_nothing_to_search_by(
    papers: Papers, visit: Visit
) -> None:
    one = papers.marks[0][0]
    _reject(papers, one)
    page = visit(papers.archive.folder, mark=f"{one},999", unlike=str(papers.marks[1][0]))
    assert not page.error and not cards_of(page)
    assert "Nothing to search by" in html_of(page)
    assert [info.value for info in page.info] == [
        "The marks that you chose have been rejected, or are no longer in this archive. Remove "
        "them and choose others, or start again."
    ]


def test_what_is_said_of_chosen_marks_is_said_of_those_that_are_there(
    papers: Papers, visit: Visit
) -> None:
    (one, other, *_), (two, *_), _ = papers.marks
    _reject(papers, other)
    page = visit(papers.archive.folder, mark=f"{other},{one},{two}")
    assert name_box(page).value == f"as mark {one}"
    _say(page, "Jan")
    assert set(said_in(papers)) == {one, two}
    page = visit(papers.archive.folder, mark=f"{one},{other}")
    assert "one merchant" not in {button.key for button in page.button}


def test_a_rejected_mark_is_not_offered_to_search_by(papers: Papers, visit: Visit) -> None:
    one = papers.marks[0][0]
    assert not visit(papers.archive.folder, open=str(one)).button(key=f"more-{one}").disabled
    _reject(papers, one)
    assert visit(papers.archive.folder, open=str(one)).button(key=f"more-{one}").disabled


def test_a_name_is_known_however_it_is_typed(papers: Papers, visit: Visit) -> None:
    (one, other, third, _), (two, *_), _ = papers.marks
    _say(visit(papers.archive.folder, mark=f"{one},{two}"), "Jan", person="\u202eAda\u200b")
    assert said_in(papers)[one] == ("Jan", "probable", "Ada")
    page = visit(papers.archive.folder, mark=f"{other},{third}")
    name_box(page).set_value("\u200bJan").run()
    next(box for box in page.checkbox if (box.key or "").startswith("same-as-")).check()
    _say(page)
    assert not page.error and said_in(papers)[other] == ("Jan", "probable", "A. Reader")


def test_a_person_is_called_the_same_wherever_they_say_something(
    papers: Papers, visit: Visit
) -> None:
    (one, *_), (two, *_), _ = papers.marks
    place = f"{papers.pages[0]},1,1,20,20"
    for params in ({"mark": f"{one},{two}"}, {"open": str(one)}, {"place": place}):
        page = visit(papers.archive.folder, **params)
        assert page.text_input(key="person").proto.max_chars == 100
