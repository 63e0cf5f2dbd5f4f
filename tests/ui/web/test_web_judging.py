"""Proposals looked through a sheet at a time, and what a person says of them."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from ingest.confirming import judge_mark
from ingest.taken_back import TAKEN_BACK
from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.marks import mark_rows
from tests.paper_archive import Papers, add_mark
from tests.plain_user import with_mode
from tests.ui.web.visiting import Visit, address_of, html_of
from ui.web.judging import kept, left_as_they_are, verdict_on_all, verdict_on_ticked
from ui.web.loading import Sheet


@pytest.fixture
def ranked(papers: Papers) -> Papers:
    """The papers, whose proposals become less likely with each id."""
    with papers.archive.writing() as session:
        for mark in session.scalars(select(tables.Mark)):
            mark.score = 1 - mark.id / 100
    return papers


@pytest.fixture
def many(ranked: Papers) -> Papers:
    """The papers with 60 proposals in all, the others less likely than those on them."""
    for _ in range(48):
        add_mark(ranked.archive, ranked.pages[2], np.full((400, 540, 3), 90, np.uint8), (0, 0))
    with ranked.archive.writing() as session:
        for mark in session.scalars(select(tables.Mark).where(tables.Mark.id > 12)):
            mark.score = 1 - mark.id / 100
    return ranked


def _sheet(page: AppTest) -> list[int]:
    """Return the marks on the sheet, in order."""
    keys = [box.key or "" for box in page.checkbox]
    return [int(key.removeprefix("mark-")) for key in keys if key.startswith("mark-")]


def _ticked(page: AppTest) -> list[int]:
    return [mark for mark in _sheet(page) if page.checkbox(key=f"mark-{mark}").value]


def _say(page: AppTest, button: str, *ticked: int, person: str = "A. Reader") -> None:
    for mark in ticked:
        page.checkbox(key=f"mark-{mark}").check()
    page.text_input(key="person").set_value(person)
    _press(page, button)


def _press(page: AppTest, button: str) -> None:
    page.button(key=button).click().run()
    assert not page.exception


def _said(archive: Archive) -> dict[int, tuple[str, str]]:
    """Return of each mark that is no proposal its status and origin."""
    with archive.session() as session:
        rows = session.execute(select(tables.Mark.id, tables.Mark.status, tables.Mark.origin))
        return {mark: (status, origin) for mark, status, origin in rows if status != "proposed"}


def _judge(archive: Archive, mark: int, person: str) -> None:
    with archive.session() as session:
        row = mark_rows(session, [mark])[mark]
    judge_mark(archive, row, "rejected", person)


def _lines(page: AppTest) -> list[str]:
    """Return what is said of what was said last."""
    return [one.value.replace("\\", "") for one in (*page.success, *page.info)]


def test_the_way_to_the_proposals_and_back(ranked: Papers, visit: Visit) -> None:
    asked = {"mark": "3", "shown": "48"}
    page = visit(ranked.archive.folder, **asked)
    assert page.button(key="proposals").label == "Review 12 proposals"
    _press(page, "proposals")
    assert address_of(page) == asked | {"proposals": "0"}
    assert "<h2>Which of these are marks?</h2>" in html_of(page)
    assert "12 proposals are left to review, the likeliest first." in html_of(page)
    assert any("From 5 confirmed marks on, the next `prizemarks index`" in one.value
               for one in page.caption)  # fmt: skip
    assert _sheet(page) == list(range(1, 13)) and _ticked(page) == []
    assert page.checkbox(key="mark-7").label == "A mark (mark 7)"
    _press(page, "open-7")
    assert address_of(page) == asked | {"proposals": "0", "open": "7"}
    assert page.button(key="back").label == "Back to the proposals"
    page.text_input(key="person").set_value("Ada")
    _press(page, "reject")
    _press(page, "back")
    assert _sheet(page) == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12]
    _press(page, "search")
    assert address_of(page) == asked


def test_what_is_asked_from_a_proposals_page_is_answered(ranked: Papers, visit: Visit) -> None:
    page = visit(ranked.archive.folder, proposals="0", open="7")
    _press(page, "more-7")
    assert address_of(page) == {"mark": "7"}
    page = visit(ranked.archive.folder, proposals="0", open="7")
    _press(page, "other part")
    assert address_of(page) == {"page": "2"}


def test_an_archive_without_proposals_says_so(ranked: Papers, visit: Visit) -> None:
    with ranked.archive.writing() as session:
        for mark in session.scalars(select(tables.Mark)):
            mark.status = "confirmed"
    page = visit(ranked.archive.folder)
    assert "proposals" not in {button.key for button in page.button}
    assert any(one.value.startswith("None to review. `prizemarks ingest`") for one in page.caption)
    page = visit(ranked.archive.folder, proposals="0")
    assert "<h2>No proposals left to review</h2>" in html_of(page)


def test_proposals_are_judged_before_they_are_indexed(ranked: Papers, visit: Visit) -> None:
    for folder in (ranked.archive.index_folder, ranked.archive.models_folder):
        folder.rename(folder.with_name("away"))
        folder.with_name("away").rename(ranked.archive.folder.parent / folder.name)
    assert len(_sheet(visit(ranked.archive.folder, proposals="0"))) == 12


def test_the_ticked_are_marks_and_the_others_none(many: Papers, visit: Visit) -> None:
    page = visit(many.archive.folder, proposals="0")
    assert "60 proposals are left to review, the likeliest first: here are 1" in (html_of(page))
    assert _sheet(page) == list(range(1, 25))
    assert page.button(key="judge all").label == "None of these 24 is a mark"
    assert page.button(key="judge ticked").disabled
    page.checkbox(key="mark-2").check().run()
    assert page.button(key="judge all").label == "The ticked one is a mark, the other 23 are not"
    assert page.button(key="judge ticked").label == "The ticked one is a mark"
    _say(page, "judge all", 5)
    assert _lines(page) == ["Saved: 2 are marks, 22 are not marks."]
    kept = {mark: "confirmed" if mark in (2, 5) else "rejected" for mark in range(1, 25)}
    assert _said(many.archive) == {
        mark: (status, "person:A. Reader") for mark, status in kept.items()
    }
    assert _sheet(page) == list(range(25, 49)) and _ticked(page) == []
    assert "36 proposals are left" in html_of(page)
    assert page.text_input(key="person").value == "A. Reader"
    page.checkbox(key="mark-30").check().run()
    assert _lines(page) == ["Saved: 2 are marks, 22 are not marks."], (
        "as long as nothing else is said"
    )
    _say(page, "judge all")
    assert _sheet(page) == list(range(49, 61))
    _say(page, "judge all")
    assert "<h2>No proposals left to review</h2>" in html_of(page)
    assert _lines(page) == ["Saved: 12 are not marks."]
    _press(page, "take back")
    assert _sheet(page) == list(range(49, 61))
    assert set(_said(many.archive)) == set(range(1, 49))


def test_of_the_ticked_alone_something_is_said(many: Papers, visit: Visit) -> None:
    page = visit(many.archive.folder, proposals="0")
    page.checkbox(key="mark-2").check().run()
    _say(page, "judge ticked", 5)
    assert _lines(page) == ["Saved: 2 are marks."]
    said = ("confirmed", "person:A. Reader")
    assert _said(many.archive) == {2: said, 5: said}
    assert address_of(page) == {"proposals": "24"}
    assert _sheet(page) == list(range(25, 49))
    assert "here are 23 to 46." in html_of(page)
    _press(page, "take back")
    assert _lines(page) == ["Taken back: 2 are proposals again."]
    assert _said(many.archive) == {}
    assert address_of(page) == {"proposals": "0"}
    assert _sheet(page) == list(range(1, 25)) and _ticked(page) == [2, 5]
    noted = (many.archive.folder / TAKEN_BACK).read_text().splitlines()
    assert noted[0] == "of,said,said_by,said_at,taken_back_by,taken_back_at"
    assert [line.rsplit(",", 1)[0] for line in noted[1:]] == [
        "mark 2,it is a mark,A. Reader,,A. Reader",
        "mark 5,it is a mark,A. Reader,,A. Reader",
    ]


def test_sheets_are_left_as_they_are_and_come_back(many: Papers, visit: Visit) -> None:
    page = visit(many.archive.folder, proposals="0")
    assert page.button(key="before").disabled and not page.button(key="after").disabled
    page.checkbox(key="mark-3").check()
    _press(page, "after")
    assert address_of(page) == {"proposals": "24"}
    _say(page, "judge all")
    assert address_of(page) == {"proposals": "24"}
    assert _sheet(page) == list(range(49, 61))
    assert page.button(key="after").disabled
    _press(page, "before")
    assert address_of(page) == {"proposals": "0"}
    assert _sheet(page) == list(range(1, 25)) and _ticked(page) == [3]
    page = visit(many.archive.folder, proposals="24")
    _say(page, "judge all")
    assert "<h2>This was the last sheet</h2>" in html_of(page)
    assert "24 proposals before it are left to judge." in html_of(page)
    _press(page, "first")
    assert _sheet(page) == list(range(1, 25))


def test_where_all_are_ticked_there_are_no_others(ranked: Papers, visit: Visit) -> None:
    page = visit(ranked.archive.folder, proposals="0", ship="Amity")
    for mark in (9, 10, 11, 12):
        page.checkbox(key=f"mark-{mark}").check()
    page.run()
    assert page.button(key="judge all").label == "The 4 ticked ones are marks"
    assert page.button(key="judge ticked").disabled
    _say(page, "judge all")
    assert _lines(page)[0] == "Saved: 4 are marks."
    assert set(_said(ranked.archive)) == {9, 10, 11, 12}


def test_the_filters_narrow_the_sheet(many: Papers, visit: Visit) -> None:
    page = visit(many.archive.folder, proposals="6")
    assert "<h2>Narrow the proposals</h2>" in html_of(page)
    page.selectbox(key="ship").set_value("De Hoop").run()
    assert address_of(page) == {"proposals": "0", "ship": "De Hoop"}
    assert _sheet(page) == list(range(1, 9))
    assert "8 proposals are left to review, narrowed to De Hoop, the likeliest first" in html_of(
        page
    )
    _say(page, "judge all")
    assert "None matches the filters: De Hoop." in html_of(page)
    assert "Widen the filters" in _lines(page)[-1]
    next(one for one in page.button if one.label == "Clear the filters").click().run()
    assert address_of(page) == {"proposals": "0"}
    assert _sheet(page) == list(range(9, 33))
    _press(page, "take back")
    assert address_of(page) == {"proposals": "0", "ship": "De Hoop"}
    assert _sheet(page) == list(range(1, 9))


def test_nothing_is_kept_without_a_name(ranked: Papers, visit: Visit) -> None:
    page = visit(ranked.archive.folder, proposals="0")
    _say(page, "judge all", 2, person=" ")
    assert "Enter a name for" in page.error[0].value.replace("\\", "")
    assert _said(ranked.archive) == {} and _ticked(page) == [2]
    _say(page, "judge all")
    assert len(_said(ranked.archive)) == 12


def test_what_others_have_said_meanwhile_stays(many: Papers, visit: Visit) -> None:
    page = visit(many.archive.folder, proposals="0")
    page.text_input(key="person").set_value("Bo").run()
    _judge(many.archive, 3, "Ada")
    with many.archive.writing() as session:
        session.delete(session.get_one(tables.Mark, 4))
        session.get_one(tables.Mark, 7).x += 1
    _press(page, "judge all")
    assert _lines(page) == [
        "Saved: 21 are not marks. Marks 3, 4 and 7 were not changed: they have since been "
        "judged, moved or replaced."
    ]
    assert _said(many.archive)[3] == ("rejected", "person:Ada")
    assert not {4, 7} & set(_said(many.archive))
    assert _sheet(page) == [7, *range(25, 48)]
    with many.archive.session() as session:
        session.get_one(tables.Mark, 9).status = "confirmed"
    _press(page, "take back")
    assert _lines(page) == [
        "Taken back: 20 are proposals again. Mark 9 was not changed: it has since been judged, "
        "moved or replaced."
    ]
    assert set(_said(many.archive)) == {3, 9}


def test_what_another_judged_while_the_sheet_was_made_is_not_contradicted(
    ranked: Papers, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    _judge(ranked.archive, 2, "Ada")
    late = Sheet((1, 2, 3), before=0, in_all=3)
    monkeypatch.setattr("ui.web.judging.sheet_after", lambda *_: late)
    page = visit(ranked.archive.folder, proposals="0")
    assert _sheet(page) == [1, 3]
    _say(page, "judge all", 1, 3)
    assert _said(ranked.archive)[2] == ("rejected", "person:Ada")


def test_what_is_on_a_copy_is_not_asked_about(ranked: Papers, visit: Visit) -> None:
    with ranked.archive.writing() as session:
        session.get_one(tables.Page, ranked.pages[1]).duplicate_of = ranked.pages[0]
    page = visit(ranked.archive.folder)
    assert page.button(key="proposals").label == "Review 8 proposals"
    _press(page, "proposals")
    assert _sheet(page) == [1, 2, 3, 4, 9, 10, 11, 12]


def test_a_mark_whose_picture_is_gone_is_shown_as_elsewhere(ranked: Papers, visit: Visit) -> None:
    with ranked.archive.writing() as session:
        session.get_one(tables.Mark, 4).crop = "0" * 64
    page = visit(ranked.archive.folder, proposals="0")
    assert len(_sheet(page)) == 12
    assert "The picture of this mark is missing from the archive's folder." in [
        one.value for one in page.caption
    ]


@pytest.mark.parametrize("after", ["x", "-1", "1,2", "99999999999999999", "٣"])
def test_an_address_of_no_sheet_leads_to_the_search(
    ranked: Papers, visit: Visit, after: str
) -> None:
    page = visit(ranked.archive.folder, proposals=after)
    assert "in the address is not a number" in page.warning[0].value.replace("\\", "")
    assert page.button(key="proposals").label == "Review 12 proposals"


def test_an_address_after_a_mark_that_is_gone_leads_to_the_likeliest(
    ranked: Papers, visit: Visit
) -> None:
    assert _sheet(visit(ranked.archive.folder, proposals="999"))[:2] == [1, 2]


def test_a_group_of_a_proposal_leads_back_to_the_proposals(ranked: Papers, visit: Visit) -> None:
    page = visit(ranked.archive.folder, proposals="0", group="7")
    assert page.button(key="search").label == "Back to the proposals"
    _press(page, "search")
    assert address_of(page) == {"proposals": "0"}
    page = visit(ranked.archive.folder, proposals="0", identity="7")
    assert page.button(key="search").label == "Back to the proposals"


@pytest.mark.parametrize(
    ("ticked", "others", "on_all", "on_ticked"),
    [
        (0, 1, "This is not a mark", "The ticked ones are marks"),
        (0, 2, "None of these 2 is a mark", "The ticked ones are marks"),
        (1, 0, "The ticked one is a mark", "The ticked one is a mark"),
        (1, 1, "The ticked one is a mark, the other is not", "The ticked one is a mark"),
        (3, 0, "The 3 ticked ones are marks", "The 3 ticked ones are marks"),
        (3, 21, "The 3 ticked ones are marks, the other 21 are not", "The 3 ticked ones are marks"),
    ],
)
def test_what_the_buttons_say(ticked: int, others: int, on_all: str, on_ticked: str) -> None:
    assert (verdict_on_all(ticked, others), verdict_on_ticked(ticked)) == (on_all, on_ticked)


def test_what_was_kept_in_words() -> None:
    assert kept(1, 1) == "Saved: 1 is a mark, 1 is not a mark."
    assert kept(2, 0) == "Saved: 2 are marks."
    assert kept(0, 0) == "Nothing was saved."
    assert left_as_they_are([]) == ""


def test_on_a_disk_that_may_only_be_read_a_word_is_refused_and_kept_when_it_may_be_written(
    ranked: Papers, visit: Visit
) -> None:
    ranked.archive.close()
    with with_mode(ranked.archive.folder, 0o555):
        page = visit(ranked.archive.folder, proposals="0")
        page.checkbox(key="mark-1").check().run()
        _say(page, "judge ticked")
        assert "has free space and is writable" in page.error[0].value
    assert _said(ranked.archive) == {}
    page.run()
    _say(page, "judge ticked")
    assert not page.error
    assert _said(ranked.archive).keys() == {1}
