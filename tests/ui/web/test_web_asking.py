"""What is looked for: boxes on pages, uploaded pictures, turned and mirrored."""

from __future__ import annotations

import io
import runpy

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.drawn_marks import drawn_mark
from tests.ingest.odd_files import pdf_in_pdf
from tests.paper_archive import PLACES, SIDE, Papers, add_mark, index_papers
from tests.ui.web.visiting import PAGE, Visit, address_of, cards_of, html_of


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


def test_the_mark_is_found_on_a_photograph_and_framed(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder, by="upload")
    photograph = np.full((900, 1200, 3), (84, 58, 40), np.uint8)
    photograph[100:800, 200:1000] = 225
    mark = drawn_mark(6, SIDE)
    height, width = mark.shape[:2]
    photograph[300 : 300 + height, 600 : 600 + width] = mark if mark.ndim == 3 else mark[..., None]
    content = io.BytesIO()
    Image.fromarray(photograph).save(content, "PNG")
    page.file_uploader(key="upload").upload("photograph.png", content.getvalue()).run()
    assert not page.exception
    assert any("the part in the frame" in caption.value for caption in page.caption)
    assert cards_of(page)[0] == papers.marks[1][2]


def test_an_upload_without_ink_is_said_to_be_empty(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder, by="upload", everywhere="1")
    content = io.BytesIO()
    bare, mark = Image.new("RGB", (90, 90), "white"), Image.fromarray(drawn_mark(6, SIDE))
    bare.save(content, "TIFF", save_all=True, append_images=[mark])
    page.file_uploader(key="upload").upload("two.tif", content.getvalue()).run()
    assert not page.exception
    assert "This picture has no ink" in page.error[0].value
    assert any(
        "several images; the search uses the first" in caption.value for caption in page.caption
    )
    assert not cards_of(page)


def test_an_upload_that_is_no_picture_is_said_to_be(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder, by="upload")
    page.file_uploader(key="upload").upload("[x](y).png", b"%PDF-1.7 nothing").run()
    assert not page.exception
    assert "It is a truncated PDF: its end is missing. Copy it again" in page.error[
        0
    ].value.replace("\\", "")
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
        "deep.pdf cannot be used. Reading it took more than 2 seconds, and was stopped. Cut out "
        "the mark, and save that as PNG or JPEG."
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
