from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event

from retrieval.catalogue import queries
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import Document, Embedding, Failure, Mark, Model, Page


@pytest.fixture
def filled(archive: Archive) -> Archive:
    """Two pages of a letter of 1702, one of an undated bill, one of nothing; six marks."""
    with archive.session() as session:
        letter = Document(
            reference="HCA 32/9/1",
            series="HCA 32",
            title="Letter",
            date="1702-1704",
            year_from=1702,
            year_to=1704,
            ship="Anna",
            details={"folio": "3r"},
        )
        bill = Document(reference="HCA 4/1", series="HCA 4", ship="De Hoop")
        early = Document(reference="HCA 30/1", series="HCA 30", year_to=1690)
        session.add_all([letter, bill, early])
        for number, document in enumerate([letter, letter, bill, None], start=1):
            session.add(
                Page(
                    document=document,
                    source=f"{number}.png",
                    location=f"/in/{number}.png",
                    ordinal=3 - number if document is letter else 0,
                    width=100,
                    height=50,
                    sha256=str(number) * 64,
                    size=1,
                    mtime_ns=1,
                )
            )
        session.flush()
        for page, status, score in [
            (1, "proposed", 0.5),
            (1, "rejected", 0.1),
            (2, "confirmed", None),
            (3, "proposed", 0.9),
            (4, "proposed", 0.8),
            (4, "confirmed", None),
        ]:
            session.add(
                Mark(
                    page_id=page,
                    x=1,
                    y=2,
                    width=3,
                    height=4,
                    status=status,
                    score=score,
                    origin="strokes-1",
                    crop=f"{page}{status[0]}" * 32,
                )
            )
            session.flush()
        session.get_one(Page, 4).duplicate_of = 1
        session.add(Failure(source="x.png", location="/in/x.png", size=1, mtime_ns=1, reason="r"))
        session.add(Model(id="m", architecture="dcgan", objective="contrastive", origin="trained"))
        session.add(Model(id="n", architecture="dcgan", objective="contrastive", origin="bundled"))
        session.flush()
        for mark in (1, 3):
            crop = session.get_one(Mark, mark).crop
            session.add(
                Embedding(mark_id=mark, model_id="m", crop=crop, seen="ink", vector=b"\0" * 8)
            )
    return archive


def test_facets(filled: Archive, archive: Archive) -> None:
    with filled.session() as session:
        facets = queries.facets(session)
    assert facets.series == ("HCA 4", "HCA 30", "HCA 32")  # 4 before 30
    assert facets.ships == ("Anna", "De Hoop")
    assert (facets.year_from, facets.year_to) == (1690, 1704)


def test_facets_of_nothing(archive: Archive) -> None:
    with archive.session() as session:
        assert queries.facets(session) == queries.Facets((), (), None, None)


def test_counts(filled: Archive) -> None:
    with filled.session() as session:
        counts = queries.counts(session)
    assert counts == queries.Counts(
        documents=3,
        pages=4,
        pages_without_document=1,
        documents_without_pages=1,
        resembling_pages=0,
        duplicate_pages=1,
        marks={"proposed": 3, "confirmed": 2, "rejected": 1},
        failures=1,
        models=2,
        embeddings={"m": 2, "n": 0},
        identities=0,
        groups={"proposed": 0, "same": 0, "different": 0},
    )


@pytest.mark.parametrize(
    ("where", "marks"),
    [
        ({}, [1, 3, 4, 5, 6]),
        ({"series": "HCA 32"}, [1, 3]),
        ({"series": "HCA 3"}, []),
        ({"ship": "De Hoop"}, [4]),
        ({"year_from": 1704}, [1, 3]),
        ({"year_from": 1705}, []),
        ({"year_to": 1702}, [1, 3]),
        ({"year_to": 1701}, []),
        ({"year_from": 1703, "year_to": 1703, "ship": "Anna"}, [1, 3]),
        ({"year_from": 1, "ship": "De Hoop"}, []),  # undated: not known to fit
    ],
)
def test_marks_that_fit(filled: Archive, where: dict[str, object], marks: list[int]) -> None:
    with filled.session() as session:
        assert queries.mark_ids(session, **where) == marks  # type: ignore[arg-type]


def test_open_spans_reach_as_far_as_asked(filled: Archive) -> None:
    with filled.writing() as session:
        session.get_one(Page, 4).document_id = 3  # "before 1690"
    with filled.session() as session:
        assert queries.mark_ids(session, year_from=1500, year_to=1600) == [5, 6]
        assert queries.mark_ids(session, year_from=1691) == [1, 3]


def test_rows_of_marks_come_with_page_and_document(filled: Archive) -> None:
    with filled.session() as session:
        rows = queries.mark_rows(session, list(np.array([6, 1, 99, 2])))
    assert set(rows) == {1, 2, 6}
    row = rows[1]
    assert (row.mark, row.page, row.source, row.box) == (1, 1, "1.png", (1, 2, 3, 4))
    assert row.document is not None
    assert row.document["reference"] == "HCA 32/9/1"
    assert row.document["details"] == {"folio": "3r"}
    assert rows[6].document is None
    assert rows[6].duplicate_of == 1
    assert rows[2].status == "rejected"


def test_any_number_of_marks_may_be_asked_for(filled: Archive) -> None:
    with filled.session() as session:
        assert set(queries.mark_rows(session, range(1, 100_001))) == {1, 2, 3, 4, 5, 6}


def test_rows_of_all_marks_take_one_statement(filled: Archive) -> None:
    statements: list[str] = []

    @event.listens_for(filled.engine, "before_cursor_execute")
    def note(_c: object, _u: object, statement: str, *_: object) -> None:
        statements.append(statement)

    with filled.session() as session:
        rows = list(queries.all_mark_rows(session))
    assert [row.mark for row in rows] == [1, 3, 4, 5, 6]
    assert len([one for one in statements if one.startswith("SELECT")]) == 1


def test_pages(filled: Archive) -> None:
    with filled.session() as session:
        assert [row.page for row in queries.pages(session, limit=3)] == [1, 2, 3]
        assert [row.page for row in queries.pages(session, after=3)] == [4]
        letter = queries.pages(session, reference="HCA 32/9/1")
        assert [(row.page, row.ordinal, row.marks) for row in letter] == [(2, 1, 1), (1, 2, 1)]
        one = queries.page(session, 4)
        assert one is not None and (one.reference, one.marks, one.duplicate_of) == (None, 2, 1)
        assert queries.page(session, 99) is None
        assert [row.mark for row in queries.page_marks(session, 1)] == [1, 2]


def test_failures(filled: Archive) -> None:
    with filled.session() as session:
        (failure,) = queries.failures(session)
    assert (failure.source, failure.reason) == ("x.png", "r")


def test_marks_to_embed_are_those_without_a_vector_of_what_they_look_like(
    filled: Archive,
) -> None:
    with filled.writing() as session:
        session.get_one(Mark, 3).crop = "f" * 64
    with filled.session() as session:
        assert [mark for mark, _ in queries.marks_to_embed(session, "m", "ink")] == [3, 4, 5, 6]
        assert 1 in [mark for mark, _ in queries.marks_to_embed(session, "m", "other")]
        assert [mark for mark, _ in queries.marks_to_embed(session, "n", "ink")] == [1, 3, 4, 5, 6]


def test_what_is_left_without_the_other(filled: Archive) -> None:
    with filled.writing() as session:
        for number in (10, 9, 100):
            session.add(Document(reference=f"HCA 32/{number}"))
            session.add(
                Page(
                    source=f"{number}.png",
                    location=f"/in/{number}.png",
                    width=1,
                    height=1,
                    sha256="0" * 64,
                    size=1,
                    mtime_ns=1,
                )
            )
    with filled.session() as session:
        assert queries.references_without_page(session) == [
            *("HCA 30/1", "HCA 32/9", "HCA 32/10", "HCA 32/100"),
        ]
        assert queries.sources_without_document(session) == [
            *("4.png", "9.png", "10.png", "100.png"),
        ]


def test_the_catalogue_knows_no_other_room() -> None:
    folder = Path(queries.__file__).parent
    for module in folder.glob("*.py"):
        for line in module.read_text(encoding="utf-8").splitlines():
            if line.startswith(("from retrieval", "import retrieval")):
                assert line.startswith("from retrieval.catalogue"), (module, line)
            assert not line.startswith(("from ingest", "import ingest", "from ui", "import ui"))
