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
from retrieval.crops import crop_path, write_crop
from retrieval.evaluation.labels import find_marks, read_labels, with_ink
from tests.drawn_marks import add_marks


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "labels.csv"
    path.write_bytes(text.encode(encoding))
    return path


def add_box(archive: Archive, like: int, box: tuple[int, int, int, int], status: str) -> int:
    """Another mark on the page of the mark `like`."""
    with archive.session() as session:
        other = session.get_one(tables.Mark, like)
        mark = tables.Mark(
            page_id=other.page_id, x=box[0], y=box[1], width=box[2], height=box[3], status=status,
            origin="ingest", crop=f"{box[0]:064x}",
        )  # fmt: skip
        session.add(mark)
        session.flush()
        return mark.id


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("source,label\n0.png,orb\n1.png,orb\n", "utf-8"),
        ("\ufeffSource,LABEL\r\n0.png,orb\r\n\r\n1.png,orb\r\n", "utf-8"),
        ("\ufeffsource\tlabel\r\n0.png\torb\r\n1.png\torb\r\n", "utf-16-le"),
        ("sep=;\r\nsource;label\r\n0.png;orb\r\n1.png;orb\r\n", "utf-16"),
        ("\n File ; Identity ;note\n0.png;orb;kept out\n.\\1.png; orb ;\n", "cp1252"),
    ],
)
def test_headers_and_bytes_are_taken_leniently(tmp_path: Path, text: str, encoding: str) -> None:
    found = read_labels(written(tmp_path, text, encoding))
    assert [(one.source, one.label) for one in found] == [("0.png", "orb"), ("1.png", "orb")]


def test_a_label_written_beside_an_exported_identity_holds(tmp_path: Path) -> None:
    text = (
        "mark,source,page,x,y,width,height,status,score,reference,identity,label\n"
        "1,0.png,1,0,0,60,60,confirmed,,,Jan; Piet,orb\n2,1.png,2,0,0,60,60,confirmed,,,,orb\n"
    )
    found = read_labels(written(tmp_path, text))
    assert [(one.source, one.label) for one in found] == [("0.png", "orb"), ("1.png", "orb")]


def test_rows_without_a_label_are_passed_over_and_counted(archive: Archive, tmp_path: Path) -> None:
    marks = add_marks(archive, range(5))
    path = written(
        tmp_path, "mark,source,label\n1,0.png,a; b\n2,1.png,\n3,2.png,c\n4,3.png,\n5,4.png,a; b\n"
    )
    found = find_marks(archive, read_labels(path), path.name)
    assert found.marks == (marks[0], marks[2], marks[4])
    assert found.names == ("a; b", "c"), "what a person wrote as the label is one"
    assert (found.unlabelled, found.several) == (2, ())


def test_an_exported_mark_of_several_identities_is_passed_over_and_named(
    archive: Archive, tmp_path: Path
) -> None:
    marks = add_marks(archive, range(5))
    path = written(
        tmp_path,
        "source,Identity\n0.png,Jan\n1.png,Jan; Piet\n2.png,Piet\n3.png,\n4.png,Jan\n",
    )
    found = find_marks(archive, read_labels(path), path.name)
    assert found.marks == (marks[0], marks[2], marks[4])
    assert found.names == ("Jan", "Piet")
    assert found.unlabelled == 1
    assert found.several == ("labels.csv, line 3: 1.png has several names, 'Jan; Piet'.",)


def test_marks_are_met_by_source(archive: Archive, tmp_path: Path) -> None:
    marks = add_marks(archive, range(4))
    path = written(tmp_path, "source,label\n0.png,b\n1.png,a\n2.png,b\n9.png,a\n9.png,b\n")
    found = find_marks(archive, read_labels(path), path.name)
    assert found.marks == tuple(marks[:3])
    assert [found.names[number] for number in found.labels] == ["b", "a", "b"]
    assert found.unknown == ("9.png",)
    assert found.missed == ()
    assert found.sketches is None


def test_marks_whose_crops_cannot_be_read_are_left_out(archive: Archive, tmp_path: Path) -> None:
    marks = add_marks(archive, range(5))
    path = written(
        tmp_path, "source,label,kind\n0.png,a,\n1.png,b,\n2.png,c,sketch\n3.png,c,\n4.png,b,\n"
    )
    found = find_marks(archive, read_labels(path), path.name)
    assert with_ink(archive, found, 32) is found
    crop_path(archive, found.crops[0]).unlink()
    crop_path(archive, found.crops[1]).write_bytes(b"damaged")
    steps: list[tuple[int, int]] = []
    left = with_ink(archive, found, 32, lambda *step: steps.append(step))
    assert (left.marks, left.names) == (tuple(marks[2:]), ("b", "c"))
    assert (left.crops, left.sources) == (found.crops[2:], found.sources[2:])
    assert left.labels.tolist() == [1, 1, 0]
    assert left.sketches is not None and left.sketches.tolist() == [True, False, False]
    gone, damaged = left.unread
    assert gone.startswith(f"mark {marks[0]}: The crop ") and "cannot be read" in gone
    assert damaged.startswith(f"mark {marks[1]}: The crop ") and "is damaged" in damaged
    assert steps == [(at, 5) for at in range(1, 6)]
    crop_path(archive, found.crops[4]).unlink()
    said = rf"of 5 0 have no ink, and the crops of 3 cannot be read, such as .* {marks[0]}: "
    with pytest.raises(MetadataError, match=said):
        with_ink(archive, found, 32)


def test_marks_without_ink_are_right_answers_for_nothing(archive: Archive, tmp_path: Path) -> None:
    marks = add_marks(archive, range(6))
    rows = "0.png,a\n1.png,a\n2.png,b\n3.png,b\n4.png,c\n5.png,c\n"
    path = written(tmp_path, f"source,label\n{rows}")
    with archive.session() as session:
        for level, mark in ((250, marks[4]), (240, marks[5])):
            paper = np.full((60, 60, 3), level, np.uint8)
            session.get_one(tables.Mark, mark).crop = write_crop(archive.crops_folder, paper)
    found = find_marks(archive, read_labels(path), path.name)
    left = with_ink(archive, found, 32)
    assert (left.marks, left.names, left.without_ink) == (tuple(marks[:4]), ("a", "b"), 2)
    path = written(tmp_path, "source,label\n0.png,a\n4.png,c\n5.png,c\n")
    found = find_marks(archive, read_labels(path), path.name)
    with pytest.raises(MetadataError, match=r"of 3 2 have no ink, .* 0 cannot be read\.$"):
        with_ink(archive, found, 32)


def test_a_box_picks_the_mark_it_overlaps_best(archive: Archive, tmp_path: Path) -> None:
    first, second = add_marks(archive, range(2))
    small = add_box(archive, first, (100, 100, 40, 40), "proposed")
    add_box(archive, first, (300, 300, 40, 40), "rejected")
    path = written(
        tmp_path,
        "source,x,y,width,height,label\n"
        "0.png,2,2,60,56,orb\n0.png,105,100,40,40,cross\n1.png,,,,,orb\n"
        "0.png,300,300,40,40,orb\n0.png,,,,,orb\n0.png,500,0,9,9,orb\n",
    )
    found = find_marks(archive, read_labels(path), path.name)
    labels = [found.names[number] for number in found.labels]
    assert dict(zip(found.marks, labels, strict=True)) == {
        first: "orb", second: "orb", small: "cross",
    }  # fmt: skip
    assert len(found.missed) == 3
    assert "line 5: no mark of 0.png lies at 300,300,40,40" in found.missed[0]
    assert "line 6: 0.png has 2 marks; say which" in found.missed[1]


def test_the_page_tells_images_of_one_file_apart(archive: Archive, tmp_path: Path) -> None:
    one, _two, three = add_marks(archive, range(3))
    with archive.session() as session:
        pages = {mark.id: mark.page for mark in session.query(tables.Mark)}
        pages[one].source = "1.png"
        pages[one].frame = 1
        numbers = {mark: page.id for mark, page in pages.items()}
    rows = "".join(f"1.png,{numbers[mark]},orb\n" for mark in sorted(numbers) if mark != three)
    path = written(tmp_path, f"source,page,label\n{rows}2.png,,cross\n1.png,77,orb\n")
    found = find_marks(archive, read_labels(path), path.name)
    assert found.marks == tuple(sorted(numbers))
    assert "1.png, page 77, has no mark" in found.missed[0]


def test_a_page_that_a_spreadsheet_wrote_is_taken(tmp_path: Path) -> None:
    text = "source,page,x,y,w,h,label\n0.png,12.0,1.4,2,30.5,40.0,orb\n0.png,13,,,,,orb\n"
    found = read_labels(written(tmp_path, text))
    assert [(one.page, one.box) for one in found] == [(12, (1, 2, 30, 40)), (13, None)]


def test_kinds_and_splits(archive: Archive, tmp_path: Path) -> None:
    add_marks(archive, range(4))
    path = written(
        tmp_path,
        "source,label,kind,split\n0.png,a,Sketch,test\n1.png,a,crop,test\n2.png,b,,TEST\n"
        "3.png,a,crop,train\n",
    )
    found = find_marks(archive, read_labels(path, "test"), path.name)
    assert found.sketches is not None
    assert found.sketches.tolist() == [True, False, False]
    with pytest.raises(MetadataError, match="no row in the split 'dev'; it has: TEST, test, train"):
        read_labels(path, "dev")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("source,label\n", "header and no rows"),
        ("name,what\n0.png,a\n", "no column 'source' and no column 'label', only 'name', 'what'"),
        ("source,label,Label\n0.png,a,b\n", "two columns are named 'Label'"),
        (
            "source,label\n0.png,\n1.png,\n",
            "no row with exactly one label.*the column 'label' are one",
        ),
        (
            "source,Identity\n0.png,\n1.png,Jan; Piet\n",
            "no row with exactly one label.*'Identity' are",
        ),
        ("source,label\n,orb\n", "line 2: there is no source"),
        ("source,label,x,y\n0.png,a,1,2\n", "line 2: a box needs x, y, width and height"),
        ("source,label,x,y,w,h\n0.png,a,1,2,0,4\n", "line 2: a box of 0 x 4 has no area"),
        ("source,label,x,y,w,h\n0.png,a,1,2,wide,4\n", "the width is 'wide', not a number"),
        (
            "source,label,x,y,w,h\n0.png,a,1,2,1e30,4\n",
            "the width is '1e30', not a number of pixels",
        ),
        ("source,label,page\n0.png,a,12.6\n", "line 2: the page is '12.6', not a whole number"),
        ("source,label,page\n0.png,a,1e30\n", "the page is '1e30', not a whole number"),
        ("source,label,page\n0.png,a,-3\n", "the page is '-3', not a whole number"),
        ("source,label,kind\n0.png,a,photo\n", "the kind is 'photo'; write sketch or crop"),
        ('source,label\n"0.png"x,a\n', "line 2: it is not valid CSV"),
        ("PK\x03\x04", "not text"),
    ],
)
def test_what_cannot_be_understood_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(MetadataError, match=said):
        read_labels(written(tmp_path, text))


def test_a_missing_file_and_a_missing_split_column_are_said(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="cannot be read: No such file"):
        read_labels(tmp_path / "labels.csv")
    with pytest.raises(MetadataError, match="leave out --split"):
        read_labels(written(tmp_path, "source,label\n0.png,a\n"), "test")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("8.png,a\n9.png,a\n", "None of the 2 sources in labels.csv is in"),
        ("0.png,a\n1.png,b\n9.png,a\n", "No label in labels.csv has two marks"),
        ("0.png,a\n1.png,a\n0.png,b\n", "twice: as 'a' on line 2 and as 'b' on line 4"),
    ],
)
def test_labels_that_answer_nothing_are_refused(
    archive: Archive, tmp_path: Path, rows: str, said: str
) -> None:
    add_marks(archive, range(2))
    path = written(tmp_path, f"source,label\n{rows}")
    with pytest.raises(MetadataError, match=said):
        find_marks(archive, read_labels(path), path.name)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("a,sketch", "a,crop", "as 'a' (sketch) on line 2 and as 'a' (crop) on line 4"),
        ("a,", "a,crop", "as 'a' on line 2 and as 'a' (crop) on line 4"),
        ("a,sketch", "b,crop", "as 'a' (sketch) on line 2 and as 'b' (crop) on line 4"),
    ],
)
def test_rows_that_give_one_mark_two_kinds_are_told_apart(
    archive: Archive, tmp_path: Path, first: str, second: str, said: str
) -> None:
    mark, _ = add_marks(archive, range(2))
    path = written(tmp_path, f"source,label,kind\n0.png,{first}\n1.png,a,crop\n0.png,{second}\n")
    with pytest.raises(MetadataError) as refused:
        find_marks(archive, read_labels(path), path.name)
    assert str(refused.value) == (f"labels.csv labels mark {mark} (0.png) twice: {said}. Keep one.")


def same_crop(archive: Archive, mark: int, other: int) -> None:
    """Give one mark the very picture of another."""
    with archive.writing() as session:
        session.get_one(tables.Mark, mark).crop = session.get_one(tables.Mark, other).crop


@pytest.mark.parametrize("status", ["confirmed", "proposed"])
def test_a_page_and_its_copies_are_counted_once(
    archive: Archive, tmp_path: Path, status: str
) -> None:
    marks = add_marks(archive, range(4))
    same_crop(archive, marks[1], marks[0])
    with archive.writing() as session:
        copy = session.get_one(tables.Mark, marks[1])
        copy.status = status
        copy.page.duplicate_of = session.get_one(tables.Mark, marks[0]).page_id
    path = written(tmp_path, "source,label\n0.png,a\n1.png,a\n2.png,a\n3.png,b\n")
    found = find_marks(archive, read_labels(path), path.name)
    assert found.marks == (marks[0], *marks[2:])
    assert (found.on_copies, found.same_picture) == (1, 0)


def test_a_picture_that_several_marks_have_is_counted_once(
    archive: Archive, tmp_path: Path
) -> None:
    marks = add_marks(archive, range(5))
    same_crop(archive, marks[0], marks[3])
    same_crop(archive, marks[4], marks[3])
    path = written(tmp_path, "source,label\n3.png,a\n4.png,a\n0.png,a\n1.png,b\n2.png,a\n")
    found = find_marks(archive, read_labels(path), path.name)
    assert found.marks == tuple(marks[:3])
    assert (found.on_copies, found.same_picture) == (0, 2)
    path = written(tmp_path, "source,label\n3.png,a\n4.png,a\n1.png,b\n")
    said = "2 marks were found, 0 more on copies of pages and 1 more of the same pictures"
    with pytest.raises(MetadataError, match=said):
        find_marks(archive, read_labels(path), path.name)


def test_a_picture_with_two_labels_is_refused(archive: Archive, tmp_path: Path) -> None:
    marks = add_marks(archive, range(2))
    same_crop(archive, marks[1], marks[0])
    path = written(tmp_path, "source,label\n1.png,a\n0.png,b\n")
    with pytest.raises(MetadataError) as refused:
        find_marks(archive, read_labels(path), path.name)
    assert str(refused.value) == (
        f"labels.csv labels one picture twice: mark {marks[0]} (0.png) as 'b' on line 3, and mark "
        f"{marks[1]} (1.png), the same byte for byte, as 'a' on line 2. Keep one."
    )


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text("source,label,x,y,width,height\n" + text, encoding="utf-8", newline="")
    try:
        assert read_labels(path)
    except MetadataError as error:
        assert "any.csv" in str(error)


def test_a_file_name_is_enough_where_one_source_ends_in_it(
    archive: Archive, tmp_path: Path
) -> None:
    marks = add_marks(archive, range(3))
    with archive.writing() as session:
        for number, name in enumerate(["a/x.png", "b/x.png", "b/y.png"], start=1):
            session.get_one(tables.Page, number).source = name
    path = written(tmp_path, "source,label\na/x.png,k\nB/y.png,k\ny.png,k\nx.png,l\nb/x.png,l\n")
    found = find_marks(archive, read_labels(path), path.name)
    assert found.marks == tuple(marks)
    (said,) = found.missed
    assert "line 5: x.png matches 2 files, such as a/x.png and b/x.png" in said


def test_nothing_is_read_of_files_of_which_any_may_be_meant(
    archive: Archive, tmp_path: Path
) -> None:
    marks = add_marks(archive, range(5))
    with archive.writing() as session:
        for number, name in enumerate(["a/x.png", "b/x.png", "a/y.png", "b/y.png"], start=1):
            session.get_one(tables.Page, number).source = name
    asked: list[object] = []

    @event.listens_for(archive.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, given: Any, *_: object) -> None:
        if "FROM marks" in statement:
            asked.extend(given)

    path = written(tmp_path, "source,page,label\nx.png,,k\ny.png,3,k\n4.png,,k\nb/y.png,,l\n")
    found = find_marks(archive, read_labels(path), path.name)
    assert found.marks == tuple(marks[2:])
    assert len(found.missed) == 1
    assert {"4.png", "a/y.png", "b/y.png"} < set(asked)
    assert not {"a/x.png", "b/x.png"} & set(asked)


def test_labels_that_are_all_one_say_nothing(archive: Archive, tmp_path: Path) -> None:
    add_marks(archive, range(2))
    path = written(tmp_path, "source,label\n0.png,a\n1.png,a\n")
    with pytest.raises(MetadataError, match=r"All 2 marks .* are 'a'"):
        find_marks(archive, read_labels(path), path.name)
