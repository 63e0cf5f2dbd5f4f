"""What a search found, as CSV, as JSON and as a table."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from retrieval.catalogue.canvases import CanvasRow
from retrieval.orientation import UPRIGHT, Orientation
from retrieval.places import Place
from retrieval.search import Hit
from ui.command import rendered
from ui.told.search import as_csv, as_json, as_table, caution

HIT = Hit(
    rank=1, mark=17, score=0.871203, unrelated=0.00049651, source="=cmd|x.jpg", page=4,
    box=(120, 340, 90, 110), crop="0" * 64, status="proposed",
    document={
        "reference": "HCA 32/1", "title": "@Letter\nof 3 May", "ship": "De Hoop", "date": None,
    },
    held=Orientation(turned=90, mirrored=True), canvas=CanvasRow("f. 12r", "The Archive", None),
)  # fmt: skip
PLACE = Place(
    rank=2, score=0.7, unrelated=0.01, source="2.png", page=5, box=(1, 2, 3, 4), document=None
)


def test_results_are_rows_that_a_spreadsheet_shows_and_does_not_run() -> None:
    text = as_csv([HIT, PLACE], {17: "+Jan; the anchor"})
    assert text.startswith("\ufeffrank,mark,status,unrelated,source,page,x,y,width,height,ref")
    first, second = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert first == {
        "rank": "1", "mark": "17", "status": "proposed", "unrelated": "0.000497",
        "source": "'=cmd|x.jpg", "page": "4", "x": "120", "y": "340", "width": "90",
        "height": "110", "reference": "HCA 32/1", "title": "'@Letter of 3 May", "date": "",
        "ship": "De Hoop", "captain": "", "place": "", "page_label": "f. 12r",
        "attribution": "The Archive", "rights": "", "identity": "'+Jan; the anchor",
    }  # fmt: skip
    assert (second["mark"], second["status"], second["source"]) == ("", "", "2.png")
    assert (second["reference"], second["identity"]) == ("", "")


def test_held_in_several_ways_each_row_says_in_which() -> None:
    text = as_csv([HIT], {}, (UPRIGHT, Orientation(turned=90, mirrored=True)))
    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert (row["turned"], row["mirrored"], row["identity"]) == ("90", "True", "")


def test_json_says_whose_mark_it_is() -> None:
    told = json.loads(as_json("a.png", "ab12", [HIT, PLACE], {17: "Jan; the anchor"}))
    assert [one["identity"] for one in told["results"]] == ["Jan; the anchor", None]


def test_the_table_says_what_people_said_where_they_did() -> None:
    assert "identity" not in rendered(as_table("a.png", [HIT, PLACE], {}))
    confirmed = replace(HIT, mark=18, status="confirmed")
    table = as_table("a.png", [HIT, confirmed, PLACE], {17: "[b]Jan"})
    assert list(table.columns[2].cells) == ["\\[b]Jan", "a mark", ""]


def test_a_list_without_anything_clearly_alike_says_so() -> None:
    near, far = replace(HIT, unrelated=0.01), replace(HIT, unrelated=0.0101)
    said = "Nothing here is clearly alike."
    assert caution([near, far], few=False) is None
    assert (caution([far], few=False) or "").startswith(said)
    assert caution([far, PLACE], few=False) is None, "what is alike need not be first"
    assert caution([], few=False) is None


def test_of_too_few_marks_it_is_said_that_nothing_is_known() -> None:
    unknown = replace(HIT, unrelated=1.0)
    assert (caution([unknown], few=True) or "").startswith("There are too few marks")
    assert caution([unknown, PLACE], few=True) is None, "of places more is known"
    far = replace(PLACE, unrelated=0.3)
    assert (caution([unknown, far], few=True) or "").startswith("Nothing here is clearly alike.")
