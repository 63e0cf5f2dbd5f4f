"""The proposed groups as the page shows them, and what a person says of them."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from ingest.taken_back import TAKEN_BACK
from retrieval.catalogue import tables
from retrieval.catalogue.groups import ProposedGroup, replace_proposed_groups
from tests.paper_archive import HOSTILE, Papers, index_papers
from tests.ui.web.visiting import Visit, address_of, html_of, name_box, said_in
from ui.web.wording import as_markdown


@pytest.fixture
def grouped(papers: Papers) -> Papers:
    """The papers with two proposed groups: the mark of every page, and two that are not alike."""
    same = tuple(page[0] for page in papers.marks)
    with papers.archive.writing() as session:
        model = session.scalars(select(tables.Model.id)).one()
        proposals = [
            ProposedGroup(same, (0.99, 0.98, 0.97)),
            ProposedGroup((papers.marks[0][1], papers.marks[1][2]), (0.8, 0.8)),
        ]
        replace_proposed_groups(session, model, 1e-4, 0.8, proposals)
        owner = session.get_one(tables.Document, 1)
        owner.ship = HOSTILE
    return papers


def _judge(page: AppTest, button: str, person: str = "A. Reader") -> None:
    page.text_input(key="person").set_value(person)
    page.button(key=button).click().run()
    assert not page.exception


def test_the_way_to_the_groups(grouped: Papers, visit: Visit) -> None:
    page = visit(grouped.archive.folder)
    assert page.button(key="groups").label == "Review 2 groups"
    page.button(key="groups").click().run()
    assert not page.exception
    assert "Are these one merchant’s mark?" in html_of(page)
    assert "3 marks, on average as alike as 1 in 10,000 unrelated marks" in html_of(page)
    assert len(page.checkbox) == 3
    assert "De Hoop, 1710" in html_of(page)
    assert "HCA 32/1/1" in html_of(page)
    page.button(key="search").click().run()
    assert address_of(page) == {}
    assert {box.key for box in page.checkbox} == {"turned", "mirrored"}


def test_of_a_group_it_is_said_how_alike_it_is_if_that_is_known(
    grouped: Papers, visit: Visit
) -> None:
    with grouped.archive.writing() as session:
        session.get_one(tables.Group, 1).share = 1.0
    page = visit(grouped.archive.folder, group="1")
    assert "3 marks, on average as alike as any two marks. Likeness is a hint" in html_of(page)
    with grouped.archive.writing() as session:
        for mark in grouped.marks[2]:
            session.get_one(tables.Mark, mark).status = "rejected"
    index_papers(grouped.archive)
    page = visit(grouped.archive.folder, group="1")
    said = "2 marks, in an archive with too few marks to say how rare their likeness is. Likeness"
    assert said in html_of(page)


def test_an_archive_without_groups_says_how_to_have_some(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder)
    assert any("prizemarks group" in caption.value for caption in page.caption)
    page = visit(papers.archive.folder, group="0")
    assert "No groups left" in html_of(page)
    page = visit(papers.archive.folder, group="99")
    assert "Group 99 no longer exists" in page.warning[0].value


def test_accepting_a_group_keeps_what_was_ticked_and_goes_on(grouped: Papers, visit: Visit) -> None:
    one, two, three = (page[0] for page in grouped.marks)
    page = visit(grouped.archive.folder, group="0")
    box = next(box for box in page.checkbox if (box.key or "").endswith(f"-{two}"))
    box.uncheck().run()
    name_box(page).set_value("figure of four").run()
    _judge(page, "accept")
    said = ("figure of four", "probable", "A. Reader")
    assert said_in(grouped) == {one: said, three: said}
    assert "Saved: 2 marks identified as" in page.success[0].value.replace("\\", "")
    assert len(page.checkbox) == 2
    assert page.text_input(key="person").value == "A. Reader"
    _judge(page, "refuse")
    assert "No groups left" in html_of(page)
    with grouped.archive.session() as session:
        verdicts = session.execute(select(tables.Group.verdict, tables.Group.said_by)).all()
    assert verdicts == [("same", "A. Reader"), ("different", "A. Reader")]


def test_what_was_typed_last_counts_when_the_button_is_pressed(
    grouped: Papers, visit: Visit
) -> None:
    one, two, three = (page[0] for page in grouped.marks)
    page = visit(grouped.archive.folder, group="0")
    # The browser sends these with the click: nothing ran in between.
    name_box(page).set_value("Jan de Vries")
    page.selectbox(key="certainty-1").set_value("certain")
    page.checkbox(key=f"same-1-{two}").uncheck()
    _judge(page, "accept")
    said = ("Jan de Vries", "certain", "A. Reader")
    assert said_in(grouped) == {one: said, three: said}
    assert "Saved: 2 marks identified as “Jan de Vries”, certain" in page.success[0].value.replace(
        "\\", ""
    )
    page.text_input(key="person").set_value("B. Reader")
    page.button(key="refuse").click().run()
    with grouped.archive.session() as session:
        people = session.scalars(select(tables.Group.said_by).order_by(tables.Group.id)).all()
    assert people == ["A. Reader", "B. Reader"]


def test_nothing_is_kept_without_a_name(grouped: Papers, visit: Visit) -> None:
    page = visit(grouped.archive.folder, group="0")
    _judge(page, "accept", person="")
    assert "Enter a name for" in page.error[0].value.replace("\\", "")
    assert said_in(grouped) == {}
    assert len(page.checkbox) == 3


def test_a_group_that_was_replaced_meanwhile_is_not_judged(grouped: Papers, visit: Visit) -> None:
    page = visit(grouped.archive.folder, group="0")
    page.text_input(key="person").set_value("A. Reader").run()
    with grouped.archive.writing() as session:
        model = session.scalars(select(tables.Model.id)).one()
        replace_proposed_groups(session, model, 1e-4, 0.8, [])
    page.button(key="refuse").click().run()
    assert not page.exception
    assert "no longer exists" in page.error[0].value.replace("\\", "")


@pytest.mark.parametrize("left", [0, 1])
def test_a_group_whose_marks_were_rejected_leads_to_the_next(
    grouped: Papers, visit: Visit, left: int
) -> None:
    page = visit(grouped.archive.folder, group="1")
    with grouped.archive.writing() as session:
        for same in grouped.marks[left:]:
            session.get_one(tables.Mark, same[0]).status = "rejected"
    page.run()
    assert not page.exception and not page.error
    assert "Too few marks are left to compare" in html_of(page)
    assert "on average as alike" not in html_of(page)
    assert not page.checkbox and "person" not in {box.key for box in page.text_input}
    assert not {button.key for button in page.button} & {"accept", "refuse"}
    page.button(key="after").click().run()
    assert address_of(page) == {"group": "2"}
    assert len(page.checkbox) == 2


def test_a_judged_group_says_who_judged_it(grouped: Papers, visit: Visit) -> None:
    page = visit(grouped.archive.folder, group="0")
    _judge(page, "accept", person=HOSTILE[:60])
    page = visit(grouped.archive.folder, group="1")
    assert "said on" in page.info[0].value.replace("\\", "")
    assert "![x]" not in page.info[0].value
    assert not page.checkbox
    assert "already: as mark" in html_of(page)


def test_from_a_group_to_a_page_and_back(grouped: Papers, visit: Visit) -> None:
    mark = grouped.marks[0][0]
    page = visit(grouped.archive.folder, group="1")
    page.button(key=f"open-{mark}").click().run()
    assert address_of(page) == {"group": "1", "open": str(mark)}
    page.button(key="back").click().run()
    assert address_of(page) == {"group": "1"}
    page.button(key=f"open-{mark}").click().run()
    page.button(key=f"more-{mark}").click().run()
    assert address_of(page) == {"mark": str(mark)}


def test_what_was_ticked_and_written_outlasts_a_look_at_a_page(
    grouped: Papers, visit: Visit
) -> None:
    mark = grouped.marks[0][0]
    page = visit(grouped.archive.folder, group="1")
    page.checkbox(key=f"same-1-{mark}").uncheck()
    name_box(page).set_value("figure of four")
    page.selectbox(key="certainty-1").set_value("possible").run()
    page.button(key=f"open-{mark}").click().run()
    page.button(key="back").click().run()
    assert [box.value for box in page.checkbox] == [False, True, True]
    assert name_box(page).value == "figure of four"
    assert page.selectbox(key="certainty-1").value == "possible"


def test_a_name_that_a_mark_has_got_meanwhile_is_offered(grouped: Papers, visit: Visit) -> None:
    (one, other, *_), (_, _, third, _), _ = grouped.marks
    with grouped.archive.writing() as session:
        model = session.scalars(select(tables.Model.id)).one()
        replace_proposed_groups(
            session, model, 1e-4, 0.8, [ProposedGroup(pair, (0.9, 0.9)) for pair in
                                        ((one, other), (one, third))],
        )  # fmt: skip
    page = visit(grouped.archive.folder, group="0")
    page.button(key="after").click().run()
    assert name_box(page).value == f"as mark {one}"
    page.button(key="before").click().run()
    name_box(page).set_value("figure of four")
    _judge(page, "accept")
    assert name_box(page).value == "figure of four"


def test_nobody_elses_words_become_markup(grouped: Papers, visit: Visit) -> None:
    page = visit(grouped.archive.folder, group="0")
    assert "&lt;img src=x" in html_of(page)
    assert "<img" not in html_of(page)
    for element in (*page.markdown, *page.caption, *page.info):
        assert "evil.example" not in element.value


def test_what_was_said_of_a_group_is_shown_where_its_marks_are(
    grouped: Papers, visit: Visit
) -> None:
    one, two, three = (page[0] for page in grouped.marks)
    page = visit(grouped.archive.folder, group="0")
    name_box(page).set_value(HOSTILE)
    _judge(page, "accept")
    escaped = "&lt;img src=x onerror=alert(1)&gt;"
    page = visit(grouped.archive.folder, mark=str(one))
    assert html_of(page).count(f"<p class='pm-already'>confirmed, identified as “{escaped}") == 2
    page.button(key=f"open-{two}").click().run()
    assert f"Identity</th><td>{escaped}" in html_of(page)
    assert ", probable, as A. Reader said on" in html_of(page)
    keys = [button.key or "" for button in page.button]
    assert "confirm" not in keys and "reject" not in keys, "that is to be taken back first"
    looks = [key for key in keys if key.startswith(f"look-{HOSTILE}-")]
    assert [int(key.rsplit("-", 1)[1]) for key in looks] == [one, three]
    page.button(key=looks[1]).click().run()
    assert address_of(page) == {"mark": str(one), "open": str(three)}
    page.button(key="group-1").click().run()
    assert address_of(page) == {"mark": str(one), "group": "1"}
    assert "<img" not in html_of(page) and "![x]" not in page.info[0].value


def test_a_judgement_is_looked_at_again_and_taken_back(grouped: Papers, visit: Visit) -> None:
    page = visit(grouped.archive.folder, group="0")
    name_box(page).set_value("figure of four")
    _judge(page, "accept")
    page.button(key="again").click().run()
    assert address_of(page) == {"group": "1"}
    assert "one merchant’s mark, “figure of four”" in page.info[0].value.replace("\\", "")
    page.text_input(key="person").set_value("").run()
    page.button(key="take back").click().run()
    assert "Enter a name for" in page.error[0].value.replace("\\", "")
    page.text_input(key="person").set_value("Bo")
    page.button(key="take back").click().run()
    assert not page.exception and not page.info
    said = page.success[0].value.replace("\\", "")
    assert said.startswith("Taken back what A. Reader said on ")
    assert said.endswith(": the group is a proposal again.")
    kept = (grouped.archive.folder / TAKEN_BACK).read_text().splitlines()
    assert kept[0] == "of,said,said_by,said_at,taken_back_by,taken_back_at"
    assert kept[1].startswith('group 1,"one merchant’s mark, figure of four",A. Reader,20')
    assert ",Bo,20" in kept[1] and len(kept) == 2
    assert said_in(grouped) == {}
    assert len(page.checkbox) == 3
    _judge(page, "accept")
    assert set(said_in(grouped)) == {page[0] for page in grouped.marks}


def test_what_another_has_judged_meanwhile_is_not_taken_back(grouped: Papers, visit: Visit) -> None:
    _judge(visit(grouped.archive.folder, group="1"), "accept", "Ada")
    adas, bos = (visit(grouped.archive.folder, group="1") for _ in range(2))
    _judge(adas, "take back", "Ada")
    _judge(adas, "refuse", "Ada")
    _judge(bos, "take back", "Bo")
    said = "Ada has since judged group 1 (different): reload."
    assert [one.value for one in bos.error] == [as_markdown(said)]
    assert "not one merchant’s mark" in bos.info[0].value.replace("\\", "")


def test_a_second_group_of_a_merchant_joins_his_name(grouped: Papers, visit: Visit) -> None:
    page = visit(grouped.archive.folder, group="0")
    name_box(page).set_value("Jan")
    _judge(page, "accept")
    name_box(page).set_value("Jan")
    _judge(page, "accept")
    assert "none of these marks has it" in page.error[0].value.replace("\\", "")
    page.checkbox(key="same-as-2-1").check()
    _judge(page, "accept")
    assert not page.error
    assert {name for name, *_ in said_in(grouped).values()} == {"Jan"} and len(
        said_in(grouped)
    ) == 5
