from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

from ingest.annotations.formats import ANNOTATION_FORMATS, EXPORT_FORMATS
from ingest.annotations.wanted import Wanted
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.documents import Filters
from retrieval.catalogue.tables import Document, Identity, IdentityMark, Mark, Page
from tests.ingest.annotations.exported import exported_text
from tests.ingest.scans import dump


def test_rejected_marks_are_written_unless_they_are_not_wanted(filled: Archive) -> None:
    with filled.writing() as session:
        session.get_one(Mark, 1).status = "rejected"
    count = len(dump(filled)["marks"])
    for form in (*ANNOTATION_FORMATS.values(), EXPORT_FORMATS["csv"]):
        if form.a_file_an_image:
            continue
        whole = exported_text(filled, form)
        less = exported_text(filled, form, Wanted(frozenset({"proposed", "confirmed"})))
        assert whole.count("rejected") - less.count("rejected") == 1
    rows = list(csv.reader(io.StringIO(exported_text(filled, EXPORT_FORMATS["csv"]))))
    assert len(rows) == count + 1
    assert [int(row[0]) for row in rows[1:]] == list(range(1, count + 1))


def test_a_table_says_whose_mark_it_is(filled: Archive) -> None:
    with filled.writing() as session:
        session.add_all([Identity(id=1, name="Jan de Vries"), Identity(id=2, name="the anchor")])
        session.flush()
        for identity, mark, certainty, person, day in (
            (2, 2, "certain", "=Bea", 7),
            (1, 2, "possible", "Ada", 9),
            (1, 1, "probable", "Bea", 8),
        ):
            said_at = datetime(2026, 3, day, 12, 30, tzinfo=UTC)
            said: dict[str, Any] = {"certainty": certainty, "said_by": person, "said_at": said_at}
            session.add(IdentityMark(identity_id=identity, mark_id=mark, **said))
    for form in (ANNOTATION_FORMATS["csv"], EXPORT_FORMATS["csv"]):
        rows = list(csv.reader(io.StringIO(exported_text(filled, form))))
        assert rows[0][-4:] == ["identity", "certainty", "said_by", "said_at"]
        assert {row[0]: row[-4:] for row in rows[1:] if any(row[-4:])} == {
            "1": ["Jan de Vries", "probable", "Bea", "2026-03-08T12:30:00Z"],
            "2": [
                "Jan de Vries; the anchor",
                "possible; certain",
                "Ada; =Bea",
                "2026-03-09T12:30:00Z; 2026-03-07T12:30:00Z",
            ],
        }


def test_a_table_says_how_likely_proposals_are_where_that_was_reckoned(filled: Archive) -> None:
    for form in (ANNOTATION_FORMATS["csv"], EXPORT_FORMATS["csv"]):
        assert "realism" not in exported_text(filled, form)
    with filled.writing() as session:
        session.get_one(Mark, 2).realism = 0.125
    for form in (ANNOTATION_FORMATS["csv"], EXPORT_FORMATS["csv"]):
        rows = csv.DictReader(io.StringIO(exported_text(filled, form)))
        assert {row["mark"]: row["realism"] for row in rows if row["realism"]} == {"2": "0.125"}


def test_only_marks_of_the_statuses_and_the_documents_wanted_are_written(filled: Archive) -> None:
    with filled.writing() as session:
        session.add(Document(id=1, reference="A 1", ship="De Hoop", year_from=1702, year_to=1702))
        session.flush()
        session.get_one(Page, 1).document_id = 1
        session.get_one(Mark, 2).status = "confirmed"
    form = EXPORT_FORMATS["csv"]

    def marks(wanted: Wanted) -> list[int]:
        text = exported_text(filled, form, wanted)
        return [int(row["mark"]) for row in csv.DictReader(io.StringIO(text))]

    assert marks(Wanted(frozenset({"confirmed"}))) == [2]
    with filled.writing() as session:
        session.add_all([Identity(id=1, name="Jan"), Identity(id=2, name="the anchor")])
        session.flush()
        for identity, mark in ((1, 1), (1, 3), (2, 2)):
            said = {"certainty": "certain", "said_by": "Ada"}
            session.add(IdentityMark(identity_id=identity, mark_id=mark, **said))
    assert marks(Wanted(identity="Jan")) == [1, 3]
    assert marks(Wanted(where=Filters(ship="De Hoop"), identity="Jan")) == [1]
    assert marks(Wanted(frozenset({"confirmed"}), identity="Jan")) == []
    assert marks(Wanted(where=Filters(ship="De Hoop"))) == [1, 2]
    assert marks(Wanted(where=Filters(year_from=1703))) == []
    both = Wanted(frozenset({"proposed"}), Filters(ship="De Hoop"))
    assert marks(both) == [1]
    (image,) = json.loads(exported_text(filled, ANNOTATION_FORMATS["coco"], both))["images"]
    assert image["file_name"] == "a/1.png"


def test_a_page_without_wanted_marks_is_written_all_the_same(filled: Archive) -> None:
    wanted = Wanted(frozenset({"confirmed"}))
    told = json.loads(exported_text(filled, ANNOTATION_FORMATS["coco"], wanted))
    assert (len(told["images"]), told["annotations"]) == (5, [])
