from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.source_names import sources_meant
from retrieval.evaluation.regions import Region, check_pages, read_regions

Mark = tuple[tuple[int, int, int, int], str, float | None]  # box, status, score


def add_page(
    archive: Archive, source: str, marks: tuple[Mark, ...] = (), **values: object
) -> tuple[int, list[int]]:
    """Put a page of 200 x 300 pixels with marks into the archive; return its id and theirs."""
    page_values = {
        "source": source, "location": f"/nowhere/{source}", "width": 200, "height": 300,
        "sha256": f"{source:0>64}"[:64], "size": 1, "mtime_ns": 1, "segmenter": "strokes-3",
    } | values  # fmt: skip
    with archive.session() as session:
        page = tables.Page(**page_values)
        session.add(page)
        session.flush()
        ids = []
        for (x, y, width, height), status, score in marks:
            mark = tables.Mark(
                page_id=page.id, x=x, y=y, width=width, height=height, status=status,
                score=score, origin="strokes-3", crop="0" * 64,
            )  # fmt: skip
            session.add(mark)
            session.flush()
            ids.append(mark.id)
        return page.id, ids


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "truth.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "encoding", "sort"),
    [
        ("source,x,y,width,height\na.png,1,2,30,40\nb.png,,,,\n", "utf-8", ""),
        ("source,zone,x0,y0,x1,y1\na.png,Stamp,1,2,31,42\nb.png,,,,,\n", "utf-8", "Stamp"),
        ("\ufeffFile;X;Y;W;H;Place\r\n.\\a.png;1.2;2;30;40;margin\r\nb.png\r\n", "utf-8", "margin"),
        ("left\ttop\tright\tbottom\timage\n1\t2\t31\t42\ta.png\n\t\t\t\tb.png\n", "utf-16", ""),
        (
            "source,identity,x,y,width,height,x0,x1,place,kind\n"
            "a.png,m,1,2,30,40,5,6,text,crop\nb.png,,,,,,,,,\n", "utf-8", "crop",
        ),
    ],
)  # fmt: skip
def test_boxes_are_read_as_either_form_has_them(
    tmp_path: Path, text: str, encoding: str, sort: str
) -> None:
    one, other = read_regions(written(tmp_path, text, encoding))
    assert (one.source, one.box, one.sort) == ("a.png", (1, 2, 31, 42), sort)
    assert (other.source, other.box, other.line) == ("b.png", None, 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("source,x,y,width,height\n", "header and no rows"),
        ("source,x,y\na.png,1,2\n", "no columns for a box, only 'source', 'x', 'y'"),
        ("name,x,y,width,height\na.png,1,2,3,4\n", "no column 'source'"),
        ("source,x,y,w,h\n,1,2,3,4\n", "line 2: there is no source"),
        (
            "source,x,y,w,h\na.png,1,2,3,\n",
            "line 2: a box needs x, y, width, height; there is",
        ),
        ("source,x0,y0,x1,y1\na.png,9,2,9,4\n", "line 2: a box of 0 x 2 has no area"),
        ("source,x0,y0,x1,y1\na.png,1,2,wide,4\n", "the x1 is 'wide', not a number"),
        ("source,x0,y0,x1,y1\na.png,1,2,nan,4\n", "the x1 is 'nan', not a number"),
        ("source,x0,y0,x1,y1\na.png,1,2,inf,4\n", "the x1 is 'inf', not a number"),
        ("source,x0,y0,x1,y1\na.png,1,2,1e30,4\n", "the x1 is '1e30', not a number of pixels"),
        ("source,page,x0,y0,x1,y1\na.png,2.5,1,2,3,4\n", "the page is '2.5', not a whole number"),
        ("source,x,y,w,h,zone,Zone\na.png,1,2,3,4,a,b\n", "two columns are named 'Zone'"),
    ],
)
def test_what_cannot_be_understood_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(MetadataError, match=said):
        read_regions(written(tmp_path, text))


@given(text=st.text(st.sampled_from("source,xywhidth01 \n\r\"';-.e9\t"), max_size=80))
def test_any_text_is_read_or_refused(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = written(tmp_path_factory.getbasetemp(), "source,x,y,width,height\n" + text)
    try:
        regions = read_regions(path)
    except MetadataError:
        return
    for one in regions:
        assert one.source
        assert one.box is None or (one.box[0] < one.box[2] and one.box[1] < one.box[3])


def test_proposals_stand_best_first_and_what_a_person_said_before_them(
    archive: Archive, tmp_path: Path
) -> None:
    page, marks = add_page(
        archive,
        "box 1/003.png",
        (
            ((0, 0, 10, 10), "proposed", 0.3),
            ((20, 0, 10, 10), "rejected", 0.99),
            ((40, 0, 10, 10), "proposed", 0.8),
            ((60, 0, 10, 20), "confirmed", 0.1),
            ((80, 0, 10, 10), "confirmed", None),
        ),
    )
    path = written(
        tmp_path, "source,x,y,w,h,zone\n003.PNG,60,0,10,20,margin\n003.png,-5,290,30,40,\n"
    )
    checked = check_pages(archive, read_regions(path), path.name)
    (one,) = checked.pages
    assert (one.page, one.source, one.segmenter) == (page, "box 1/003.png", "strokes-3")
    assert one.marks.tolist() == [marks[3], marks[4], marks[2], marks[0]]
    assert one.covered.scores.tolist() == [1.0, 1.0, 0.8, 0.3]
    assert one.covered.proposals[0].tolist() == [60, 0, 70, 20]
    assert one.covered.sorts == ("margin", "")
    np.testing.assert_array_equal(one.covered.boxes, [[60, 0, 70, 20], [0, 290, 25, 300]])
    assert checked.segmenters == {"strokes-3": 1}
    assert checked.passed_over == checked.unknown == ()


def test_proposals_stand_in_the_order_of_their_realism_where_they_have_one(
    archive: Archive,
) -> None:
    boxes = ((0, 0, 10, 10), (20, 0, 10, 10), (40, 0, 10, 10))
    proposed = zip(boxes, ("proposed",) * 3, (0.1, 0.2, 0.3), strict=True)
    _, marks = add_page(archive, "1.png", tuple(proposed))
    with archive.session() as session:
        session.get_one(tables.Mark, marks[0]).realism = 0.9
        session.get_one(tables.Mark, marks[2]).realism = 0.15
    regions = [Region(2, "1.png", box=(0, 0, 5, 5))]
    (one,) = check_pages(archive, regions, "regions.csv").pages
    assert one.marks.tolist() == [marks[0], marks[1], marks[2]]
    assert one.covered.scores.tolist() == [0.9, 0.2, 0.15]


def test_only_pages_that_are_named_are_looked_at_unless_the_file_is_complete(
    archive: Archive, tmp_path: Path
) -> None:
    boxed, _ = add_page(archive, "boxed.png")
    empty, _ = add_page(archive, "empty.png")
    other, _ = add_page(archive, "other.png", (((0, 0, 9, 9), "proposed", 0.9),))
    add_page(archive, "copy of boxed.png", duplicate_of=boxed)
    add_page(archive, "copy of other.png", duplicate_of=other)
    add_page(archive, "crop.png", segmenter=None)
    add_page(archive, "beyond.png")
    path = written(
        tmp_path,
        "source,x,y,w,h\nboxed.png,1,2,30,40\nempty.png,,,,\ngone.png,1,2,3,4\ngone.png,5,5,5,5\n"
        "crop.png,1,2,3,4\nbeyond.png,200,0,10,10\nboxed.png,1,2,30,40\n",
    )
    regions = read_regions(path)
    checked = check_pages(archive, regions, path.name)
    assert [page.page for page in checked.pages] == [boxed, empty]
    assert [len(page.covered.boxes) for page in checked.pages] == [1, 0]
    assert checked.unknown == ("gone.png",)
    assert [sentence.split(": ", 1) for sentence in checked.passed_over] == [
        [
            "truth.csv, line 6",
            "crop.png was ingested as a crop, in which the program does not look for marks.",
        ],
        ["truth.csv, line 7", "the box lies outside beyond.png, which is 200 x 300 pixels."],
        ["truth.csv, line 8", "it repeats line 2."],
    ]
    whole = check_pages(archive, regions, path.name, complete=True)
    assert [page.page for page in whole.pages] == [boxed, empty, other]
    assert whole.pages[2].covered.scores.tolist() == [0.9]


def test_pages_that_a_row_may_mean_are_not_without_a_mark(archive: Archive, tmp_path: Path) -> None:
    for source in ("a/1.png", "b/1.png"):
        add_page(archive, source)
    first, _ = add_page(archive, "leaves.tif")
    second, _ = add_page(archive, "leaves.tif", frame=1)
    path = written(
        tmp_path,
        "source,page,x,y,w,h\n1.png,,1,1,9,9\nleaves.tif,,1,1,9,9\n"
        f"a/1.png,{first},1,1,9,9\nleaves.tif,{second},1,1,9,9\n",
    )
    checked = check_pages(archive, read_regions(path), path.name, complete=True)
    assert [page.page for page in checked.pages] == [second]
    ambiguous, several, wrong = checked.passed_over
    assert "1.png matches 2 pages, such as 'a/1.png' and 'b/1.png'" in ambiguous
    assert "leaves.tif has 2 pages; say which in a column `page`" in several
    assert f"a/1.png has no page {first}" in wrong


@pytest.mark.parametrize("complete", [False, True])
def test_files_of_which_any_may_be_meant_are_read_only_for_what_a_complete_file_leaves_out(
    archive: Archive, tmp_path: Path, complete: bool
) -> None:
    for source in ("a/1.png", "b/1.png", "2.png"):
        add_page(archive, source)
    asked: list[object] = []

    @event.listens_for(archive.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, given: Any, *_: object) -> None:
        asked.extend(given)

    path = written(tmp_path, "source,x,y,w,h\n1.png,1,2,3,4\n2.png,1,2,3,4\n")
    checked = check_pages(archive, read_regions(path), path.name, complete=complete)
    assert [page.source for page in checked.pages] == ["2.png"]
    assert ({"a/1.png", "b/1.png"} <= set(asked)) is complete


def test_contradictions_and_strangers_are_refused(archive: Archive, tmp_path: Path) -> None:
    add_page(archive, "a.png")
    path = written(tmp_path, "source,x,y,w,h\na.png,1,2,3,4\na.png,,,,\n")
    with pytest.raises(MetadataError, match=r"gives a\.png a mark on line 2 and none on line 3"):
        check_pages(archive, read_regions(path), path.name)
    path = written(tmp_path, "source,x,y,w,h\nz.png,1,2,3,4\n")
    with pytest.raises(MetadataError, match=r"None of the 1 sources in truth\.csv is in"):
        check_pages(archive, read_regions(path), path.name)
    path = written(tmp_path, "source,x,y,w,h\na.png,1000,2,3,4\n")
    with pytest.raises(MetadataError, match=r"lies outside a\.png"):
        check_pages(archive, read_regions(path), path.name)


def test_a_source_is_meant_by_its_path_or_as_much_of_the_end_as_suffices(archive: Archive) -> None:
    for source in ("hca 32/1/003.jpg", "hca 32/2/003.jpg", "003.jpg", "Hca 33/004.jpg"):
        add_page(archive, source)
    names = ["003.jpg", "2/003.JPG", "004.jpg", "/mnt/scans/hca 33/004.jpg", "../004.jpg", "", "/"]
    with archive.session() as session:
        found = sources_meant(session, names)
    assert found == {
        "003.jpg": ("003.jpg",),
        "2/003.JPG": ("003.jpg", "hca 32/2/003.jpg"),
        "004.jpg": ("Hca 33/004.jpg",),
        "/mnt/scans/hca 33/004.jpg": ("Hca 33/004.jpg",),
        "../004.jpg": (),
        "": (),
        "/": (),
    }


def test_a_source_is_meant_by_its_name_as_macos_writes_it(archive: Archive) -> None:
    for source in ("é.jpg", "1/é.jpg", "1/ö.jpg"):
        add_page(archive, source)
    with archive.session() as session:
        found = sources_meant(session, ["e\u0301.jpg", "é.jpg", "o\u0308.jpg"])
    assert found == {
        "e\u0301.jpg": ("é.jpg",),
        "é.jpg": ("é.jpg",),
        "o\u0308.jpg": ("1/ö.jpg",),
    }
