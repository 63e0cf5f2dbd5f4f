from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console
from sqlalchemy import update

from ingest.listing import location_of
from ingest.reading import file_digest
from ingest.stamp import file_stamp
from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveError
from retrieval.crops import write_crop
from retrieval.evaluation.coverage import MEASURES, coverage
from retrieval.evaluation.regions import check_pages, read_regions
from tests.drawn_marks import drawn_mark
from tests.ui.evaluation.fetching import pictures_where_nothing_is_fetched
from ui.evaluation.regions_page import write_regions_report
from ui.told.regions import (
    Regions,
    as_json,
    recall_table,
    region_sentences,
    shown_table,
)

HOSTILE = "<script>alert('x')</script>"


@pytest.fixture
def regions(archive: Archive, tmp_path: Path) -> Regions:
    """A page with a found mark, a missed one and a false proposal; one without; one gone."""
    page = np.full((300, 200, 3), 240, np.uint8)
    page[20:80, 20:80] = drawn_mark(1)
    page[200:260, 100:160] = drawn_mark(2)
    master = tmp_path / "master.png"
    cv2.imwrite(str(master), page)
    marks = {
        "<b>one</b>.png": [((20, 20, 60, 60), 0.9), ((100, 20, 30, 30), 0.7)],
        "two.png": [((5, 5, 60, 60), 0.2)],
        "gone.png": [],
    }
    (size, mtime), sha256 = file_stamp(master), file_digest(master)
    with archive.session() as session:
        for source, boxes in marks.items():
            location = "/nowhere/gone.png" if source == "gone.png" else location_of(master)
            row = tables.Page(
                source=source, location=location, width=200, height=300, sha256=sha256,
                size=size, mtime_ns=mtime, segmenter="strokes-3",
            )  # fmt: skip
            session.add(row)
            session.flush()
            for (x, y, width, height), score in boxes:
                crop = write_crop(archive.crops_folder, page[y : y + height, x : x + width])
                session.add(
                    tables.Mark(
                        page_id=row.id, x=x, y=y, width=width, height=height, score=score,
                        origin="strokes-3", crop=crop,
                    )
                )  # fmt: skip
    path = tmp_path / "truth.csv"
    path.write_text(
        "source,x,y,width,height,zone\n"
        f"<b>one</b>.png,20,20,60,60,margin\n<b>one</b>.png,100,200,60,60,{HOSTILE}\n"
        "two.png,,,,,\ngone.png,10,10,20,20,margin\nnone.png,1,1,2,2,\n"
        "<b>one</b>.png,500,0,5,5,margin\n"
    )
    checked = check_pages(archive, read_regions(path), path.name)
    measured = coverage([one.covered for one in checked.pages], 0.5)
    return Regions(checked, measured, 0.5, complete=False)


def test_the_page_holds_everything_itself_and_no_markup_of_others(
    archive: Archive, regions: Regions, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "report"
    path = write_regions_report(archive, regions, folder, "<i>truth</i>.csv", 10**6)
    assert [one.name for one in folder.iterdir()] == ["regions.html"]
    text = path.read_text(encoding="utf-8")
    pictures = pictures_where_nothing_is_fetched(text)
    assert pictures == 3, "one missed box with its picture, two false proposals"
    assert "<b>one</b>.png" not in text
    assert "&lt;b&gt;one&lt;/b&gt;.png" in text
    assert "&lt;script&gt;alert(" in text
    assert "&lt;i&gt;truth&lt;/i&gt;.csv" in text


def test_the_page_says_what_was_missed_and_what_is_false(
    archive: Archive, regions: Regions, tmp_path: Path
) -> None:
    text = write_regions_report(archive, regions, tmp_path, "truth.csv", 10**6).read_text("utf-8")
    assert "33.3 %" in text
    assert "<br>100,200,60,60" in text
    assert "<b>margin: no proposal</b><br>gone.png<br>10,10,20,20" in text
    assert "its master cannot be read" in text
    assert "<b>score 0.70</b>" in text
    assert "Pages that the file does not name were not looked at." in text


def test_the_page_says_by_what_a_false_proposal_was_ranked(
    archive: Archive, regions: Regions, tmp_path: Path
) -> None:
    with archive.session() as session:
        session.execute(update(tables.Mark).where(tables.Mark.x == 100).values(realism=0.65))
    checked = check_pages(archive, read_regions(tmp_path / "truth.csv"), "truth.csv")
    measured = coverage([one.covered for one in checked.pages], 0.5)
    ranked = Regions(checked, measured, 0.5, complete=False)
    text = write_regions_report(archive, ranked, tmp_path, "truth.csv", 10**6).read_text("utf-8")
    assert "<b>realism 0.65</b>" in text and "score 0.70" not in text
    assert "with a score, or realism where they have it, of 0.5 or more" in text


def test_the_known_box_is_drawn_into_the_picture(
    archive: Archive, regions: Regions, tmp_path: Path
) -> None:
    text = write_regions_report(archive, regions, tmp_path, "truth.csv", 10**6).read_text("utf-8")
    (picture,) = re.findall(r'src="(data:[^"]*)" alt="100,200,60,60', text)
    content = np.frombuffer(base64.b64decode(picture.split(",")[1]), np.uint8)
    image = cv2.imdecode(content, cv2.IMREAD_COLOR_RGB).astype(int)
    # 36 pixels of page around the box; the master ends 40 below it and right of it.
    assert image.shape == (132, 132, 3)
    red = (image[..., 0] > image[..., 2] + 50) & (image[..., 0] > 90)
    rows, columns = np.nonzero(red)
    assert 34 <= rows.min() <= 37
    assert 94 <= columns.max() <= 97
    assert not red[50:80, 50:80].any()


def test_a_missed_box_on_a_master_that_was_replaced_has_no_picture(
    archive: Archive, regions: Regions, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "master.png"), np.full((300, 200, 3), 90, np.uint8))
    text = write_regions_report(archive, regions, tmp_path, "truth.csv", 10**6).read_text("utf-8")
    assert not re.findall(r'src="data:[^"]*" alt="100,200,60,60', text)
    assert "<br>100,200,60,60" in text


def test_a_false_proposal_whose_crop_is_gone_has_no_picture(
    archive: Archive, regions: Regions, tmp_path: Path
) -> None:
    shutil.rmtree(archive.crops_folder)
    text = write_regions_report(archive, regions, tmp_path, "truth.csv", 10**6).read_text("utf-8")
    assert "its crop is gone or damaged" in text
    assert "<b>score 0.70</b>" in text


def test_a_folder_that_cannot_be_written_is_said(
    archive: Archive, regions: Regions, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ArchiveError, match=r"report cannot be written to .*file"):
        write_regions_report(archive, regions, tmp_path / "file", "truth.csv", 10**6)


def test_the_terminal_and_json_hold_the_figures(regions: Regions) -> None:
    console = Console(width=160, no_color=True)
    with console.capture() as captured:
        console.print(recall_table(regions))
        console.print(shown_table(regions))
    text = captured.get()
    assert re.search(r"all +3 +0\.333", text)
    assert re.search(r"margin +2 +0\.500", text)
    assert HOSTILE in text
    assert re.search(r"with marks +2 +1\.0 +1\.0 +0\.5 +0\.5", text)
    assert re.search(r"without +1 +0\.0", text)
    said = " ".join(region_sentences(regions))
    assert "3 boxes on 2 pages. 1 page without a mark. Segmented by strokes-3 (3)." in said
    assert "1 source of the regions not in the archive" in said
    assert "1 row passed over: truth.csv, line 7: the box lies outside" in said
    told = json.loads(json.dumps(as_json(regions)))
    assert (told["pages"], told["boxes"], told["first"], told["threshold"]) == (3, 3, 12, 0.5)
    assert told["unknown_sources"] == ["none.png"]
    everything = told["recall"][0]
    assert everything["sort"] is None
    assert set(everything["shares"]) == set(MEASURES)
    assert set(everything["shares"]["centre_in_first"]) == {"value", "low", "high"}
    assert [one["pages"] for one in told["shown"]] == ["with marks", "without"]
    assert told["shown"][0]["false"]["mean"]["value"] == 0.5
