"""The page where it looks over whole pages, as Streamlit runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sqlalchemy import select

from ingest.everywhere import look_everywhere
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import Mark, Page
from retrieval.shards import shard_paths, shards_folder
from tests.missed_marks import PLACES, SIDE, make_missed, make_unmarked
from tests.ui.web.visiting import Visit, html_of, places_of


def asked(archive: Archive, place: int) -> dict[str, Any]:
    with archive.session() as session:
        page = session.scalars(select(Page.id).where(Page.source == "1.png")).one()
    x, y = PLACES[place]
    return {"page": str(page), "region": f"{x},{y},{SIDE},{SIDE}", "shown": "400"}


def test_without_an_index_of_the_pages_the_command_is_named(
    archive: Archive, tmp_path: Path, visit: Visit
) -> None:
    make_missed(archive, tmp_path / "scans", 2)
    page = visit(archive.folder, everywhere="1", **asked(archive, 2))
    assert f"prizemarks index {archive.folder} --everywhere" in [one.value for one in page.code]
    assert not [box for box in page.checkbox if box.key == "everywhere"]
    assert not places_of(page)


def test_places_are_shown_when_the_box_is_ticked_and_can_be_called_marks(
    archive: Archive, tmp_path: Path, visit: Visit
) -> None:
    model = make_missed(archive, tmp_path / "scans", 2)
    look_everywhere(archive, model, workers=0)
    page = visit(archive.folder, **asked(archive, 2))
    assert not places_of(page), "only when it is asked for"
    page.checkbox(key="everywhere").check().run()
    assert page.query_params["everywhere"] in ("1", ["1"])
    found = places_of(page)
    assert found and "not among the marks" in html_of(page)

    page.button(key=f"open-place-{found[0]}").click().run()
    assert not page.exception
    assert "Is this a mark?" in html_of(page)
    page.button(key="confirm").click().run()
    assert "Enter a name for" in page.error[0].value, "a name is asked for"
    page.text_input(key="person").input("A. Reader")
    page.button(key="confirm").click().run()
    assert not page.exception and not page.error
    with archive.session() as session:
        mark = session.scalars(select(Mark).order_by(Mark.id.desc())).first()
        assert mark is not None
        number = mark.id
        named = "-".join(map(str, (mark.page_id, mark.x, mark.y, mark.width, mark.height)))
        assert (mark.status, mark.origin, named) == ("confirmed", "person:A. Reader", found[0])
    assert "confirmed" in html_of(page)
    page.button(key="back").click().run()
    assert found[0] not in places_of(page), "it is a mark now"
    page = visit(archive.folder, place=found[0].replace("-", ","))
    assert f"This is mark {number}, confirmed." in [one.value for one in page.info]
    assert "not among the marks" not in html_of(page) + page.code[0].value
    page.button(key=f"open-{number}").click().run()
    assert page.query_params["open"] in (str(number), [str(number)])
    page = visit(archive.folder, mark=str(number))
    assert not page.error and "Most alike first" in html_of(page)


def test_a_place_whose_master_is_gone_is_said(
    archive: Archive, tmp_path: Path, visit: Visit
) -> None:
    model = make_missed(archive, tmp_path / "scans", 2)
    look_everywhere(archive, model, workers=0)
    with archive.session() as session:
        mark = session.scalars(select(Mark.id).order_by(Mark.id)).first()
    for scan in (tmp_path / "scans").iterdir():
        scan.unlink()
    page = visit(archive.folder, everywhere="1", mark=str(mark))
    assert places_of(page)
    assert any("cannot be read" in caption.value for caption in page.caption)
    page = visit(archive.folder, place=places_of(page)[0].replace("-", ","))
    assert any("cannot be opened" in warning.value for warning in page.warning)


def test_a_page_whose_master_was_replaced_is_not_shown_as_if_it_were_not(
    archive: Archive, tmp_path: Path, visit: Visit
) -> None:
    make_missed(archive, tmp_path / "scans", 2)
    query = asked(archive, 2)
    cv2.imwrite(str(tmp_path / "scans/1.png"), np.full((90, 90, 3), 90, np.uint8))
    with archive.session() as session:
        mark = session.scalars(select(Mark.id).where(Mark.page_id == int(query["page"]))).one()
    place = {"place": f"{query['page']},{query['region']}"}
    for address in (place, {"open": str(mark)}, query):
        page = visit(archive.folder, **address)
        assert "its master has changed since it was ingested" in page.warning[0].value


@pytest.mark.parametrize("place", ["x", "1", "1,2", "0,1,1,5,5", "1,1,1,-5,5"])
def test_an_address_that_names_no_place_says_so(
    archive: Archive, tmp_path: Path, visit: Visit, place: str
) -> None:
    make_missed(archive, tmp_path / "scans", 1)
    page = visit(archive.folder, place=place)
    assert any("not name a place" in warning.value for warning in page.warning)


def test_a_place_beyond_its_page_is_said_to_be(
    archive: Archive, tmp_path: Path, visit: Visit
) -> None:
    make_missed(archive, tmp_path / "scans", 1)
    page = visit(archive.folder, place="1,2147483000,1,5,5")
    assert [one.value for one in page.warning] == [
        "The place 2147483000,1,5,5 reaches beyond page 1, which is 680 x 500 pixels."
    ]
    assert not [button for button in page.button if button.key == "confirm"]


def test_pages_without_a_mark_are_searched_when_they_were_looked_through(
    archive: Archive, tmp_path: Path, visit: Visit
) -> None:
    model = make_unmarked(archive, tmp_path / "scans")
    page = visit(archive.folder, **asked(archive, 2))
    assert "No marks were found" in page.info[0].value and not places_of(page)
    assert [one.value for one in page.code] == [
        f"prizemarks ingest {archive.folder} SOURCE --as marks",
        f"prizemarks index {archive.folder} --everywhere",
    ]

    look_everywhere(archive, model, workers=0)
    page = visit(archive.folder)
    assert "Also where no mark was found" in page.info[0].value
    page = visit(archive.folder, **asked(archive, 2))
    assert "0 marks" in html_of(page) and not places_of(page)
    assert "Also where no mark was found" in page.info[0].value
    assert "Widen the filters" not in page.info[0].value
    page.checkbox(key="everywhere").check().run()
    assert not page.exception and not page.error
    found = places_of(page)
    assert found and "not among the marks" in html_of(page)

    page.button(key=f"open-place-{found[0]}").click().run()
    page.text_input(key="person").input("A. Reader").run()
    page.button(key="confirm").click().run()
    assert not page.exception and not page.error
    assert any("1 mark cannot be found yet" in info.value for info in page.info)
    for shard in shard_paths(shards_folder(archive, model.id)):
        shard.unlink()
    page = visit(archive.folder, everywhere="1", **asked(archive, 2))
    assert page.code[0].value == f"prizemarks index {archive.folder}"
    assert not places_of(page)
