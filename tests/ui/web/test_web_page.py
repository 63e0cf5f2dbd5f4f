"""The page as Streamlit runs it, without a browser: a canvas cannot be drawn on here."""

from __future__ import annotations

import io
import runpy
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import QueryError
from retrieval.catalogue.groups import ProposedGroup, accept_chosen, replace_proposed_groups
from retrieval.crops import crop_path
from retrieval.gan.architecture import Architecture
from retrieval.gan.settings import Settings
from retrieval.index import refresh_index
from retrieval.learn import train_on_archive
from retrieval.model import bundled_model
from tests.drawn_marks import drawn_mark
from tests.ingest.odd_files import pdf_in_pdf
from tests.paper_archive import PLACES, SIDE, Papers, add_mark, index_papers
from tests.ui.web.visiting import PAGE, Visit, address_of, cards_of, html_of
from ui.status import archive_status
from ui.web.wording import as_markdown


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
        "So few marks do not tell how rare a likeness is: compare them by eye."
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
            said = {"name": name, "certainty": "certain", "said_by": "Ada"}
            accept_chosen(session, model, 1e-4, chosen, **said)
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
    said = "from=10000 in the address is no year: the last is 9999."
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
    assert "No mark fits the filters: Flying Dutchman." in html_of(page)
    assert "Widen the filters" in page.info[0].value


def test_where_only_chosen_marks_are_left_it_is_not_said_that_none_is_there(
    papers: Papers, visit: Visit
) -> None:
    archive, (one, other, *rest) = papers.archive, [mark for page in papers.marks for mark in page]
    with archive.writing() as session:
        for mark in rest:
            session.get_one(tables.Mark, mark).status = "rejected"
    for params, said in (
        ({"mark": str(one), "unlike": str(other)}, "No mark but those that you chose is here to"),
        ({"mark": str(one), "unlike": str(other), "ship": "De Hoop"},
         "No mark but those that you chose fits the filters: De Hoop."),
        ({"mark": f"{one},{other}", "ship": "Amity"}, "No mark fits the filters: Amity."),
    ):  # fmt: skip
        page = visit(archive.folder, **params)
        assert not cards_of(page) and said in html_of(page)
        widen = [info.value for info in page.info if "Widen the filters" in info.value]
        assert bool(widen) == ("ship" in params)


def test_a_region_of_a_page_is_a_query(papers: Papers, visit: Visit) -> None:
    x, y = PLACES[3]
    page = visit(papers.archive.folder, page=str(papers.pages[1]), region=f"{x},{y},{SIDE},{SIDE}")
    assert cards_of(page)[0] == papers.marks[1][3]
    assert page.selectbox(key="picked").value == papers.pages[1]


def test_a_box_is_written_instead_of_dragged(papers: Papers, visit: Visit) -> None:
    number = str(papers.pages[1])
    page = visit(papers.archive.folder, page=number)
    box = page.text_input(key="region text")
    assert (box.label, box.value) == ("The box, in pixels of the page (500 × 360)", "")
    x, y = PLACES[3]
    box.set_value(f" {x}, {y}, {SIDE}, {SIDE}").run()
    assert address_of(page) == {"page": number, "region": f"{x},{y},{SIDE},{SIDE}"}
    assert cards_of(page)[0] == papers.marks[1][3]
    assert page.text_input(key="region text").value == f"{x},{y},{SIDE},{SIDE}"
    x, y = PLACES[2]
    page.text_input(key="region text").set_value(f"{x},{y},{SIDE},{SIDE}").run()
    assert cards_of(page)[0] == papers.marks[1][2]
    page.text_input(key="region text").set_value("").run()
    assert address_of(page) == {"page": number}
    assert not page.exception and not page.error


def test_a_written_box_that_is_none_is_said_to_be(papers: Papers, visit: Visit) -> None:
    number = str(papers.pages[1])
    page = visit(papers.archive.folder, page=number, region="40,50,60,60")
    page.text_input(key="region text").set_value("40,50,[60](x)").run()
    assert "write x,y,w,h in pixels" in page.error[0].value.replace("\\", "")
    assert "[60](x)" not in page.error[0].value
    assert page.text_input(key="region text").value == "40,50,[60](x)"
    assert address_of(page) == {"page": number, "region": "40,50,60,60"}
    page.text_input(key="region text").set_value("480,10,400,40").run()
    (beyond,) = page.error
    assert "reaches beyond" in beyond.value.replace("\\", "")


def test_a_written_box_may_be_smaller_than_a_hand_can_drag(papers: Papers, visit: Visit) -> None:
    number = str(papers.pages[1])
    x, y = PLACES[3]
    page = visit(papers.archive.folder, page=number, region=f"{x + 20},{y + 20},2,2")
    assert address_of(page) == {"page": number, "region": f"{x + 20},{y + 20},2,2"}


def test_a_query_is_turned_and_mirrored_on_demand(papers: Papers, visit: Visit) -> None:
    turned = np.full((360, 500, 3), 246, np.uint8)
    turned[100 : 100 + SIDE, 130 : 130 + SIDE] = np.rot90(drawn_mark(6, SIDE), -1)
    lying = add_mark(papers.archive, papers.pages[2], turned, (130, 100))
    index_papers(papers.archive)
    asked = papers.marks[1][2]
    page = visit(papers.archive.folder, mark=str(asked))
    assert "the same way up" not in html_of(page)
    page.checkbox(key="turned").check().run()
    assert address_of(page) == {"mark": str(asked), "turned": "1"}
    assert cards_of(page)[0] == lying
    assert "<p class='pm-way'>turned a quarter to the right</p>" in html_of(page)
    page.checkbox(key="mirrored").check().run()
    assert address_of(page) == {"mark": str(asked), "turned": "1", "mirrored": "1"}
    assert cards_of(page)[0] == lying
    page.checkbox(key="turned").uncheck().run()
    assert address_of(page) == {"mark": str(asked), "mirrored": "1"}
    assert "quarter" not in html_of(page)
    assert not page.exception


def test_an_address_turns_an_uploaded_picture_and_a_region(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder, by="upload", turned="1")
    content = io.BytesIO()
    Image.fromarray(np.rot90(drawn_mark(6, SIDE))).save(content, "PNG")
    page.file_uploader(key="upload").upload("mark.png", content.getvalue()).run()
    assert cards_of(page)[0] == papers.marks[1][2]
    assert html_of(page).split("pm-way'>")[1].startswith("turned a quarter to the right")
    x, y = PLACES[3]
    region = f"{x},{y},{SIDE},{SIDE}"
    page = visit(papers.archive.folder, page=str(papers.pages[1]), region=region, mirrored="1")
    assert cards_of(page)[0] == papers.marks[1][3]
    assert "the same way up" in html_of(page)


def test_a_region_beyond_the_page_is_said_to_be(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder, page=str(papers.pages[1]), region="480,10,400,40")
    assert "reaches beyond" in page.error[0].value.replace("\\", "")
    page = visit(papers.archive.folder, page="999", region="1,1,40,40")
    assert "no page 999" in page.warning[0].value


def test_an_uploaded_picture_is_a_query(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder, by="upload")
    content = io.BytesIO()
    Image.fromarray(drawn_mark(6, SIDE)).save(content, "TIFF")
    page.file_uploader(key="upload").upload("mark.tif", content.getvalue()).run()
    assert not page.exception
    assert cards_of(page)[0] == papers.marks[1][2]


def test_an_upload_without_ink_is_said_to_be_empty(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder, by="upload", everywhere="1")
    content = io.BytesIO()
    bare, mark = Image.new("RGB", (90, 90), "white"), Image.fromarray(drawn_mark(6, SIDE))
    bare.save(content, "TIFF", save_all=True, append_images=[mark])
    page.file_uploader(key="upload").upload("two.tif", content.getvalue()).run()
    assert not page.exception
    assert "There is no ink in this picture" in page.error[0].value
    assert any("several images; the first" in caption.value for caption in page.caption)
    assert not cards_of(page)


def test_an_upload_that_is_no_picture_is_said_to_be(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder, by="upload")
    page.file_uploader(key="upload").upload("[x](y).png", b"%PDF-1.7 nothing").run()
    assert not page.exception
    assert "It is a PDF" in page.error[0].value.replace("\\", "")
    assert "[x](y)" not in page.error[0].value
    assert len(cards_of(page)) == 12  # the samples again


def test_an_upload_that_cannot_be_read_through_is_given_up_once(
    papers: Papers, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.query_pictures.PATIENCE", 2.0)
    page = visit(papers.archive.folder, by="upload")
    page.file_uploader(key="upload").upload("deep.pdf", pdf_in_pdf(levels=9, each=20)).run()
    said = page.error[0].value.replace("\\", "")
    assert said == (
        "deep.pdf cannot be used. Reading it took more than 2 seconds, and was given up. Choose "
        "another picture, or save it as JPEG, PNG or TIFF first."
    )
    monkeypatch.setattr("ingest.query_pictures.PATIENCE", 0.0)  # to read it again would be seen
    page.checkbox(key="turned").check().run()
    assert page.error[0].value.replace("\\", "") == said
    page.segmented_control(key="way").set_value("draw").run()
    page.segmented_control(key="way").set_value("upload").run()
    assert not page.error and not page.exception


def test_processes_that_the_page_starts_do_not_load_it() -> None:
    assert "main" not in runpy.run_path(str(PAGE), run_name="__mp_main__")


@pytest.fixture
def uploaded(papers: Papers, visit: Visit) -> AppTest:
    """The page with a picture uploaded and searched."""
    page = visit(papers.archive.folder, by="upload")
    content = io.BytesIO()
    Image.fromarray(drawn_mark(6, SIDE)).save(content, "PNG")
    page.file_uploader(key="upload").upload("mark.png", content.getvalue()).run()
    assert "Most alike first" in html_of(page)
    return page


def test_starting_again_forgets_the_uploaded_picture(papers: Papers, uploaded: AppTest) -> None:
    uploaded.button(key=f"less-{papers.marks[2][3]}").click().run()
    uploaded.button(key="start again").click().run()
    uploaded.segmented_control(key="way").set_value("upload").run()
    assert not uploaded.exception
    assert "Most alike first" not in html_of(uploaded)


def test_an_uploaded_picture_without_its_file_can_be_removed(uploaded: AppTest) -> None:
    removers = [button for button in uploaded.button if button.key == "remove picture"]
    assert not removers, "the file's own cross does that"
    uploaded.segmented_control(key="way").set_value("draw").run()
    uploaded.segmented_control(key="way").set_value("upload").run()
    assert not uploaded.file_uploader(key="upload").value
    assert "Most alike first" in html_of(uploaded)
    uploaded.button(key="remove picture").click().run()
    assert not uploaded.exception
    assert "Most alike first" not in html_of(uploaded)


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
            f"{papers.archive.folder}/prizemarks.toml sets 'max_megapixel', which is no setting: "
            "correct it (the nearest is 'max_megapixels') or take it out."
        ]


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
    assert f"Model {newer.id[:8]} was trained since" in page.info[0].value
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
    assert "name is lacking" in page.error[0].value
    assert known() == ("proposed", "test")
    page.text_input(key="person").set_value("![x](http://evil.example)")
    page.button(key="confirm").click().run()
    assert known() == ("confirmed", "person:![x](http://evil.example)")
    assert "![x](http://evil.example) said that it is one." in html_of(page)
    assert offered() == {"reject", "take back"}
    page.button(key="reject").click().run()
    assert known() == ("rejected", "person:![x](http://evil.example)")
    assert offered() == {"confirm", "take back"}
    page.text_input(key="person").set_value("").run()
    page.button(key="take back").click().run()
    assert "name is lacking" in page.error[0].value
    page.text_input(key="person").set_value("Bo")
    page.button(key="take back").click().run()
    assert known() == ("proposed", "test")
    assert offered() == {"confirm", "reject"}
    assert not page.exception and not page.error
    assert page.success[0].value == as_markdown(
        "Taken back: ![x](http://evil.example) had said that it is none."
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
    said = f"Ada has meanwhile said that mark {mark} is one: look again."
    assert [one.value for one in bos.error] == [as_markdown(said)]
    assert "Ada said that it is one." in html_of(bos)
    with papers.archive.session() as session:
        assert session.get_one(tables.Mark, mark).origin == "person:Ada"
    bos.button(key="reject").click().run()
    assert not bos.error and "Bo said that it is none." in html_of(bos)


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
    assert "A person said that it is one." in html_of(page)
    buttons = {button.key or "" for button in page.button}
    assert buttons & {"confirm", "reject", "take back"} == {"reject"}
