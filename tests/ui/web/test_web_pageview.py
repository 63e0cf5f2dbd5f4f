"""A mark on its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.catalogue import tables
from retrieval.catalogue.errors import QueryError
from retrieval.crops import crop_path
from tests.drawn_marks import drawn_mark
from tests.paper_archive import SIDE, Papers, add_mark, index_papers
from tests.ui.web.visiting import Visit, address_of, cards_of, html_of
from ui.web.wording import as_markdown


def test_a_page_opens_with_its_document(papers: Papers, visit: Visit) -> None:
    mark = papers.marks[0][1]
    page = visit(papers.archive.folder, mark=str(papers.marks[1][0]))
    page.button(key=f"open-{mark}").click().run()
    assert address_of(page)["open"] == str(mark)
    shown = html_of(page)
    assert "HCA 32/1/1" in shown
    assert "220, 50, 60 × 60 pixels of 500 × 360" in shown
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
    assert "<img" not in shown
    page.button(key="back").click().run()
    assert address_of(page) == {"mark": str(papers.marks[1][0])}
    assert len(cards_of(page)) == 11


def test_a_page_that_is_there_twice_says_so(papers: Papers, visit: Visit) -> None:
    first, second, third = papers.pages
    with papers.archive.session() as session:
        session.add(tables.Resemblance(page_id=second, like_id=first, distance=3))
        copy = session.get(tables.Page, third)
        assert copy is not None
        copy.duplicate_of = second
        for mark in session.query(tables.Mark).where(tables.Mark.page_id == third):
            mark.status = "proposed"
    assert not visit(papers.archive.folder).info, "the copy's marks are not said to be missing"
    shown = html_of(visit(papers.archive.folder, open=str(papers.marks[1][0])))
    assert "Perhaps the same page as</th><td>0.png" in shown
    assert "Same file as</th><td>2.png" in shown
    shown = html_of(visit(papers.archive.folder, open=str(papers.marks[0][0])))
    assert "Perhaps the same page as</th><td>1.png" in shown and "Same file" not in shown


def test_a_page_whose_master_is_gone_shows_the_crop(papers: Papers, visit: Visit) -> None:
    with papers.archive.session() as session:
        found = session.get(tables.Page, papers.pages[0])
        assert found is not None
        Path(found.location).unlink()
    page = visit(papers.archive.folder, open=str(papers.marks[0][1]))
    assert "cannot be opened" in page.warning[0].value.replace("\\", "")
    assert page.image
    page = visit(papers.archive.folder, page=str(papers.pages[0]))
    assert "cannot be opened" in page.warning[0].value.replace("\\", "")


def test_a_page_that_went_while_it_was_looked_up_is_said_to_be_gone(
    papers: Papers, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise QueryError("There is no page 1.")

    monkeypatch.setattr("ui.web.loading.page_image", gone)
    page = str(papers.pages[0])
    for params in (
        {"open": str(papers.marks[0][1])}, {"page": page}, {"place": f"{page},1,1,20,20"},
    ):  # fmt: skip
        shown = visit(papers.archive.folder, **params)
        assert shown.warning[0].value.startswith(as_markdown("There is no page 1."))


def test_a_master_whose_path_cannot_be_one_is_said_to_be_unreadable(
    papers: Papers, visit: Visit
) -> None:
    with papers.archive.writing() as session:
        session.get_one(tables.Page, papers.pages[0]).location = "/scans/a\0b.png"
    page = visit(papers.archive.folder, open=str(papers.marks[0][1]))
    assert "its master cannot be read" in page.warning[0].value
    assert page.image


def test_marks_that_are_not_here_are_said_to_be_missing(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder, open="999")
    assert "no mark 999" in page.warning[0].value


def test_a_crop_that_is_gone_does_not_stop_the_page(papers: Papers, visit: Visit) -> None:
    image = drawn_mark(77, SIDE)  # of no other test: what was once shown is remembered
    mark = add_mark(papers.archive, papers.pages[2], image, (0, 0))
    index_papers(papers.archive)
    with papers.archive.session() as session:
        found = session.get(tables.Mark, mark)
        assert found is not None
        crop_path(papers.archive, found.crop).unlink()
    page = visit(papers.archive.folder, mark=str(papers.marks[0][0]))
    assert mark in cards_of(page)
    assert any("missing" in caption.value for caption in page.caption)


def test_a_proposal_is_called_a_mark_or_none_on_its_page(papers: Papers, visit: Visit) -> None:
    mark = papers.marks[0][1]

    def offered() -> set[str]:
        return {button.key or "" for button in page.button} & {"confirm", "reject", "take back"}

    def known() -> tuple[str, str]:
        with papers.archive.session() as session:
            row = session.get_one(tables.Mark, mark)
            return row.status, row.origin

    page = visit(papers.archive.folder, open=str(mark))
    assert offered() == {"confirm", "reject"}
    page.button(key="confirm").click().run()
    assert "Enter a name for" in page.error[0].value
    assert known() == ("proposed", "test")
    page.text_input(key="person").set_value("![x](http://evil.example)")
    page.button(key="confirm").click().run()
    assert known() == ("confirmed", "person:![x](http://evil.example)")
    assert "![x](http://evil.example) said that it is a mark." in html_of(page)
    assert offered() == {"reject", "take back"}
    page.button(key="reject").click().run()
    assert known() == ("rejected", "person:![x](http://evil.example)")
    assert offered() == {"confirm", "take back"}
    page.text_input(key="person").set_value("").run()
    page.button(key="take back").click().run()
    assert "Enter a name for" in page.error[0].value
    page.text_input(key="person").set_value("Bo")
    page.button(key="take back").click().run()
    assert known() == ("proposed", "test")
    assert offered() == {"confirm", "reject"}
    assert not page.exception and not page.error
    assert page.success[0].value == as_markdown(
        "Taken back: ![x](http://evil.example) had said that it is not a mark."
    )


def test_of_two_people_at_one_mark_the_second_is_told_what_the_first_said(
    papers: Papers, visit: Visit
) -> None:
    mark = papers.marks[0][1]
    adas, bos = (visit(papers.archive.folder, open=str(mark)) for _ in range(2))
    adas.text_input(key="person").set_value("Ada")
    adas.button(key="confirm").click().run()
    bos.text_input(key="person").set_value("Bo")
    bos.button(key="reject").click().run()
    said = f"Ada has since said that mark {mark} is a mark: reload."
    assert [one.value for one in bos.error] == [as_markdown(said)]
    assert "Ada said that it is a mark." in html_of(bos)
    with papers.archive.session() as session:
        assert session.get_one(tables.Mark, mark).origin == "person:Ada"
    bos.button(key="reject").click().run()
    assert not bos.error and "Bo said that it is not a mark." in html_of(bos)


def test_what_was_cut_out_beforehand_is_not_asked_about(papers: Papers, visit: Visit) -> None:
    mark = papers.marks[0][1]
    with papers.archive.session() as session:
        row = session.get_one(tables.Mark, mark)
        row.status, row.score, row.origin = "confirmed", None, "ingest"
    page = visit(papers.archive.folder, open=str(mark))
    assert "Is this a mark?" not in html_of(page)


def test_an_imported_mark_is_called_none_but_is_no_proposal(papers: Papers, visit: Visit) -> None:
    mark = papers.marks[0][1]
    with papers.archive.session() as session:
        row = session.get_one(tables.Mark, mark)
        row.status, row.origin, row.proposed_by = "confirmed", "import:theirs.csv", None
    page = visit(papers.archive.folder, open=str(mark))
    assert "A person said that it is a mark." in html_of(page)
    buttons = {button.key or "" for button in page.button}
    assert buttons & {"confirm", "reject", "take back"} == {"reject"}


def test_the_other_marks_of_a_page_stand_with_the_likeliest_first(
    papers: Papers, visit: Visit
) -> None:
    opened, *others = papers.marks[0]
    likely = {
        others[0]: ("proposed", 0.9, 0.2), others[1]: ("proposed", 0.3, None),
        others[2]: ("confirmed", 0.1, None),
    }  # fmt: skip
    with papers.archive.writing() as session:
        for mark, (status, score, realism) in likely.items():
            row = session.get_one(tables.Mark, mark)
            row.status, row.score, row.realism = status, score, realism
    page = visit(papers.archive.folder, open=str(opened))
    looks = [button.key for button in page.button if (button.key or "").startswith("look-")]
    assert looks == [f"look-{others[at]}" for at in (2, 1, 0)]
