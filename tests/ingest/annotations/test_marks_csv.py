from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ingest.annotations.formats import ANNOTATION_FORMATS, EXPORT_FORMATS
from retrieval.catalogue.canvases import CanvasRow
from retrieval.catalogue.identities import Word
from tests.ingest.annotations.understood import A_BOX, PAGE, all_said, only, said_by


def test_a_table_from_a_spreadsheet() -> None:
    text = "Source;X;Y;Width;Height;Status\r\nb.png;1;2;3;4;REJECTED\r\n;;;;;\r\nÿ.png;5;6;7;8;\r\n"
    for content in (text.encode("cp1252"), text.encode("utf-8-sig"), text.encode("utf-16")):
        first, second = said_by(content).images
        assert (first.source, second.source) == ("b.png", "ÿ.png")
        assert first.annotations[0].status == "rejected"
        assert second.annotations[0].status is None


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\r\nsource;x;y;width;height\r\nb, c.png;1;2;3;4\r\n",
        '"sep=;";;;;\n"source";"x";"y";"width";"height"\n"b, c.png";1;2;3;4\n',
        '"source","x","y","width","height"\n"b, c.png", 1, 2, 3, 4\n',
        '"source";"x,y,z";"y";"width";"height";x\nb, c.png;;2;3;4;1\n',
        "\n \nsource\tx\ty\twidth\theight\nb, c.png\t1\t2\t3\t4\n",
    ],
)
def test_tables_are_parted_as_files_of_documents_are(text: str) -> None:
    (image,) = said_by(text).images
    assert (image.source, image.annotations[0].box) == ("b, c.png", (1, 2, 3, 4))


def test_a_region_is_called_by_the_line_that_it_begins_in() -> None:
    text = 'source,x,y,width,height,note\nb.png,1,2,3,4,"two\nlines"\nb.png,1,2,3,no,"two\nlines"\n'
    said = said_by(text)
    assert said.images[0].annotations[0].where == "line 2"
    assert said.refused[0].startswith("line 4: ")


@pytest.mark.parametrize("source", [" a.png", "  ", 'a "b".png', " a, b.png"])
def test_a_name_that_begins_with_a_space_comes_back(source: str) -> None:
    for form in ("csv", "via-csv"):
        text = ANNOTATION_FORMATS[form].text([replace(PAGE, names=(source,))])
        assert [image.source for image in said_by(text).images] == [source]


def test_a_box_that_was_corrected_in_a_table_goes_before_the_old_outline() -> None:
    text = 'source,x,y,width,height,polygon\nb.png,{},0,9,9,"0,0 9,0 9,9"\n'
    assert only(text.format(0)).polygon == ((0, 0), (9, 0), (9, 9))
    assert only(text.format(1)).polygon is None


def test_the_list_of_marks_has_the_columns_of_the_contract() -> None:
    rows = list(csv.reader(io.StringIO(EXPORT_FORMATS["csv"].text([PAGE]))))
    assert rows[0] == [
        "mark", "source", "page", "x", "y", "width", "height", "status", "score", "reference",
    ]  # fmt: skip
    assert rows[1] == ["7", "a/b.png", "1", "10", "20", "30", "40", "confirmed", "", ""]
    rows = list(csv.reader(io.StringIO(ANNOTATION_FORMATS["csv"].text([PAGE]))))
    assert rows[0][10:] == [
        "frame", "origin", "created", "polygon", "page_width", "page_height", "sha256",
    ]  # fmt: skip


def test_realism_follows_where_it_was_reckoned_and_is_not_taken_back() -> None:
    page = replace(PAGE, annotations=(A_BOX, replace(A_BOX, mark=8, realism=0.25)))
    for formats in (EXPORT_FORMATS, ANNOTATION_FORMATS):
        text = formats["csv"].text([page])
        assert [row["realism"] for row in csv.DictReader(io.StringIO(text))] == ["", "0.25"]
        assert [said.realism for said in all_said(said_by(text))] == [None, None]


@pytest.mark.parametrize("formula", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1"])
def test_what_others_say_is_no_formula(formula: str) -> None:
    page = replace(PAGE, described=CanvasRow("f. 1r", formula, None))
    (row,) = csv.DictReader(io.StringIO(EXPORT_FORMATS["csv"].text([page])))
    assert (row["page_label"], row["attribution"]) == ("f. 1r", f"'{formula}")


@pytest.mark.parametrize("origin", ["=1+1", "@SUM(1)", "'=1", "''-1", "'tis", "person:Ada"])
def test_an_origin_that_is_a_formula_is_none_in_a_spreadsheet_and_comes_back(origin: str) -> None:
    page = replace(PAGE, annotations=(replace(A_BOX, origin=origin),))
    text = ANNOTATION_FORMATS["csv"].text([page])
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["origin"] == (origin if origin in ("'tis", "person:Ada") else f"'{origin}")
    assert only(text).origin == origin


def test_whose_mark_it_is_comes_last_where_anybody_said_so() -> None:
    word = Word("=Jan", "possible", "@Ada", datetime(2026, 3, 8, 12, 30, tzinfo=UTC))
    one, other = A_BOX, replace(A_BOX, mark=8, identities=(word,))
    page = replace(PAGE, annotations=(one, other), described=CanvasRow("f. 1r", None, None))
    for formats in (EXPORT_FORMATS, ANNOTATION_FORMATS):
        text = formats["csv"].text([page])
        rows = list(csv.reader(io.StringIO(text)))
        assert rows[0][-5:] == ["rights", "identity", "certainty", "said_by", "said_at"]
        assert [row[-4:] for row in rows[1:]] == [
            ["", "", "", ""],
            ["'=Jan", "possible", "'@Ada", "2026-03-08T12:30:00Z"],
        ]
        assert [said.identities for said in all_said(said_by(text))] == [(), ()]


@pytest.mark.parametrize(
    "table",
    [
        "source;x;y;width;height;score\n1.png;1;2;3;4;0,93\n1.png;1;2;3;4;,5\n",
        "source\tx\ty\twidth\theight\tscore\n1.png\t1\t2\t3\t4\t0,93\n1.png\t1\t2\t3\t4\t0.5\n",
        'source,x,y,width,height,score\n1.png,1,2,3,4,"0,93"\n1.png,1,2,3,4,.5\n',
    ],
)
def test_a_score_may_have_a_decimal_comma(table: str) -> None:
    said = said_by(table)
    (image,) = said.images
    assert [one.score for one in image.annotations] == [0.93, 0.5]
    assert said.refused == ()


def test_a_row_with_a_bad_score_is_taken_without_it() -> None:
    rows = "1.png;1;2;3;4;9,3\n1.png;5;2;3;4;high\n1.png;9;2;3;4;0,9,3\n1.png;x;2;3;4;high\n"
    said = said_by(f"source;x;y;width;height;score\n{rows}")
    (image,) = said.images
    assert [(one.box[0], one.score) for one in image.annotations] == [
        (1, None),
        (5, None),
        (9, None),
    ]
    assert said.refused == (
        "line 2: its score 9.3 is not between 0 and 1; the mark is imported without it.",
        "line 3: its score is not a number; the mark is imported without it.",
        "line 4: its score is not a number; the mark is imported without it.",
        "line 5: its x is not a number.",
    )
