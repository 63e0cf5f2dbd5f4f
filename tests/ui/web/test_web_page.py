"""The page as Streamlit runs it, without a browser: a canvas cannot be drawn on here."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from ingest.status import archive_status
from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.groups import ProposedGroup, replace_proposed_groups
from retrieval.catalogue.judgements import Statement, accept_chosen
from retrieval.gan.architecture import Architecture
from retrieval.gan.settings import Settings
from retrieval.index import refresh_index
from retrieval.learn import train_on_archive
from retrieval.model import bundled_model
from tests.drawn_marks import drawn_mark
from tests.paper_archive import PLACES, SIDE, Papers, add_mark, index_papers
from tests.ui.web.visiting import Visit, address_of, cards_of, html_of


def test_where_there_is_no_archive_the_page_says_so(tmp_path: Path, visit: Visit) -> None:
    page = visit(tmp_path / "none")
    assert "There is no archive" in page.error[0].value


def test_an_empty_archive_says_what_to_run(archive: Archive, visit: Visit) -> None:
    page = visit(archive.folder)
    assert "empty" in page.info[0].value
    assert page.code[0].value == f"prizemarks ingest {archive.folder} SOURCE"


def test_an_archive_that_is_not_indexed_says_what_to_run(papers: Papers, visit: Visit) -> None:
    with papers.archive.session() as session:
        session.query(tables.Embedding).delete()
    page = visit(papers.archive.folder)
    assert page.code[0].value == f"prizemarks index {papers.archive.folder}"
    assert not cards_of(page)


def test_a_first_visit_shows_what_there_is(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder)
    assert "3 documents" in html_of(page)
    assert "12 marks" in html_of(page)
    assert "trained on this archive" in html_of(page)
    assert len(cards_of(page)) == 12
    assert address_of(page) == {}


def test_an_address_names_a_mark_and_the_same_marks_come_first(
    papers: Papers, visit: Visit
) -> None:
    (one, *_), (two, *_), (three, *_) = papers.marks
    page = visit(papers.archive.folder, mark=str(one))
    found = cards_of(page)
    assert set(found[:2]) == {two, three}
    assert one not in found
    assert len(found) == 11


def test_the_results_shown_can_be_downloaded(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder, mark=str(papers.marks[0][0]))
    (button,) = page.get("download_button")
    assert button.proto.label == "Download these results as CSV"
    assert not visit(papers.archive.folder).get("download_button")


def test_of_a_few_marks_it_is_not_said_how_alike_they_are(papers: Papers, visit: Visit) -> None:
    with papers.archive.writing() as session:
        for mark in papers.marks[2]:
            session.get_one(tables.Mark, mark).status = "rejected"
    index_papers(papers.archive)
    page = visit(papers.archive.folder, mark=str(papers.marks[0][0]))
    assert len(cards_of(page)) == 7
    assert [said.value for said in page.info] == [
        "There are too few marks to say how rare a likeness is: compare them by eye."
    ]


def test_more_and_not_like_this_change_the_query_and_the_address(
    papers: Papers, visit: Visit
) -> None:
    (one, *_), (two, *_), (three, *_) = papers.marks
    page = visit(papers.archive.folder)
    page.button(key=f"more-{one}").click().run()
    assert address_of(page) == {"mark": str(one)}
    page.button(key=f"less-{two}").click().run()
    assert address_of(page) == {"mark": str(one), "unlike": str(two)}
    assert two not in cards_of(page)
    page.button(key=f"remove-{two}").click().run()
    assert cards_of(page)[0] in (two, three)
    page.button(key="start again").click().run()
    assert address_of(page) == {}
    assert not page.exception


def test_not_like_this_moves_what_a_region_finds(papers: Papers, visit: Visit) -> None:
    x, y = PLACES[3]
    asked = {"page": str(papers.pages[1]), "region": f"{x},{y},{SIDE},{SIDE}"}
    page = visit(papers.archive.folder, **asked)
    before = cards_of(page)
    page.button(key=f"less-{before[1]}").click().run()
    assert address_of(page) == {**asked, "unlike": str(before[1])}
    assert set(cards_of(page)) == set(before) - {before[1]}
    assert cards_of(page) != [mark for mark in before if mark != before[1]]


def test_a_card_says_whether_its_mark_is_confirmed(papers: Papers, visit: Visit) -> None:
    asked, confirmed = papers.marks[0][0], papers.marks[2][3]
    word = "<p class='pm-already'>confirmed</p>"
    assert word not in html_of(visit(papers.archive.folder))
    with papers.archive.session() as session:
        session.get_one(tables.Mark, confirmed).status = "confirmed"
    for page in (visit(papers.archive.folder), visit(papers.archive.folder, mark=str(asked))):
        cards = [html for html in html_of(page).split("\n") if "pm-card" in html]
        at = cards_of(page).index(confirmed)
        assert [number for number, card in enumerate(cards) if word in card] == [at]


def test_no_two_buttons_or_boxes_are_called_the_same(
    papers: Papers, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one, other, *_), (two, *_), _ = papers.marks
    with papers.archive.writing() as session:
        model = session.query(tables.Model.id).scalar()
        group = ProposedGroup((one, other, two), (0.9, 0.8, 0.7))
        replace_proposed_groups(session, model, 1e-4, 0.8, [group])
        for name in ("Jan", "Piet"):
            chosen = ProposedGroup((one, other, two), (0.9, 0.8, 0.7))
            accept_chosen(session, model, 1e-4, chosen, Statement(name, "certain", "Ada"))
    monkeypatch.setattr("ui.web.pageview._MOST_OTHERS", 1)
    asked = {"mark": f"{one},{two}", "unlike": str(other)}
    place = {"place": f"{papers.pages[0]},1,1,20,20"}
    opened, identities = {"open": str(one)}, ({"identity": "0"}, {"identity": "1"})
    for params in ({}, asked, opened, {"group": "2"}, place, *identities, {"group": "1"}):
        page = visit(papers.archive.folder, **params)
        named = (page.button, page.checkbox, page.toggle, page.text_input, page.selectbox)
        labels = [widget.label for some in named for widget in some]
        assert len(labels) == len(set(labels))
    # A box is heard as its label is written, Markdown and all.
    assert page.checkbox(key=f"same-1-{two}").label == f"One of them (mark {two})"
    page = visit(papers.archive.folder, **asked)
    assert page.button(key=f"open-{papers.marks[2][0]}").label == "Open page :small[of mark 9]"
    assert page.button(key=f"remove-{two}").label == f"Remove :small[mark {two}]"


def test_nobody_elses_words_reach_markdown(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder, open=str(papers.marks[0][1]))
    for element in (*page.markdown, *page.caption, *page.warning, *page.info):
        assert "evil.example" not in element.value


def test_an_archive_of_any_name_is_in_the_command_as_it_is(
    papers: Papers, visit: Visit, tmp_path: Path
) -> None:
    folder = tmp_path / "a` **b** `"
    shutil.copytree(papers.archive.folder, folder)
    page = visit(folder)
    assert [one.value for one in page.code] == [f"prizemarks index '{folder}' --everywhere"]
    for element in (*page.markdown, *page.caption, *page.warning, *page.info):
        assert "**b**" not in element.value


def test_a_setting_that_is_wrong_meanwhile_is_said(papers: Papers, visit: Visit) -> None:
    (papers.archive.folder / "prizemarks.toml").write_text("max_megapixel = 400")
    for params in (
        {"open": str(papers.marks[0][1])},
        {"place": f"{papers.pages[0]},10,20,30,40"},
        {"page": str(papers.pages[0]), "region": "10,20,30,40"},
    ):
        page = visit(papers.archive.folder, **params)
        assert [error.value.replace("\\", "") for error in page.error] == [
            f"{papers.archive.folder}/prizemarks.toml sets 'max_megapixel', which is not a "
            "setting: correct it (the nearest is 'max_megapixels') or remove it."
        ]


def test_an_address_that_is_not_understood_is_said_to_be(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder, mark="one", region="x")
    assert len(page.warning) == 2
    assert len(cards_of(page)) == 12


def test_a_new_index_shows_without_a_restart(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder, mark=str(papers.marks[0][0]))
    image = np.full((360, 500, 3), 246, np.uint8)
    image[100:160, 130:190] = drawn_mark(1, SIDE)
    cv2.imwrite(str(papers.archive.folder.parent / "new.png"), image)
    added = add_mark(papers.archive, papers.pages[2], image, (130, 100))
    page.run()
    assert any("1 mark cannot be found yet" in info.value for info in page.info)
    index_papers(papers.archive)
    page.run()
    assert added in cards_of(page)[:3]
    assert not any("cannot be found yet" in info.value for info in page.info)


def test_marks_that_are_new_are_missed_though_as_many_were_rejected(
    papers: Papers, visit: Visit
) -> None:
    with papers.archive.writing() as session:
        for mark in papers.marks[0][:3]:
            session.get_one(tables.Mark, mark).status = "rejected"
    for seed in (78, 79):
        add_mark(papers.archive, papers.pages[2], drawn_mark(seed, SIDE), (0, 0))
    page = visit(papers.archive.folder)
    assert any("2 marks cannot be found yet" in info.value for info in page.info)
    assert f"prizemarks index {papers.archive.folder}" in [code.value for code in page.code]
    assert archive_status(papers.archive).not_indexed == 2


def test_the_page_stays_with_the_model_that_is_indexed(papers: Papers, visit: Visit) -> None:
    archive, one = papers.archive, str(papers.marks[0][0])
    (folder,) = archive.models_folder.iterdir()
    newer = train_on_archive(
        archive, Settings(Architecture("dcgan", size=32, width=8), steps=1, batch=4, identities=4)
    ).model
    page = visit(archive.folder, mark=one)
    assert len(cards_of(page)) == 11
    assert f"model {folder.name[:8]} trained on this archive" in html_of(page)
    assert f"Model {newer.id[:8]} has been trained" in page.info[0].value
    assert page.code[0].value == f"prizemarks index {archive.folder}"
    page = visit(archive.folder, newer.id)
    assert "not indexed yet" in page.info[0].value
    assert page.code[0].value == f"prizemarks index {archive.folder}"

    refresh_index(archive, newer)
    page = visit(archive.folder, mark=one)
    assert f"model {newer.id[:8]} trained on this archive" in html_of(page) and not page.info
    page = visit(archive.folder, folder.name, mark=one)
    assert f"model {folder.name[:8]} trained on this archive" in html_of(page)
    page = visit(archive.folder, bundled_model().id)
    assert page.code[0].value == f"prizemarks index {archive.folder} --model bundled"


def test_of_a_model_that_is_gone_it_is_said_and_which_to_search_with(
    papers: Papers, visit: Visit
) -> None:
    archive = papers.archive
    (folder,) = archive.models_folder.iterdir()
    folder.rename(archive.folder.parent / "gone")
    page = visit(archive.folder)
    assert "There is no model in" in page.error[0].value.replace("\\", "")
    assert [one.value for one in page.code] == [
        f"prizemarks serve {archive.folder} --model bundled"
    ]
    assert not any("not indexed" in one.value for one in page.info)
    page = visit(archive.folder, bundled_model().id)
    assert not page.error
    assert page.code[0].value == f"prizemarks index {archive.folder} --model bundled"


def test_more_is_shown_on_demand(papers: Papers, visit: Visit) -> None:
    image = np.full((360, 500, 3), 246, np.uint8)
    for number in range(20):
        image[100:160, 130:190] = drawn_mark(100 + number, SIDE)
        add_mark(papers.archive, papers.pages[2], image, (130, 100))
    index_papers(papers.archive)
    page = visit(papers.archive.folder, mark=str(papers.marks[0][0]))
    assert len(cards_of(page)) == 24
    page.button(key="more").click().run()
    assert len(cards_of(page)) == 31
    assert address_of(page)["shown"] == "48"
