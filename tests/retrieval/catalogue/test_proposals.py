from __future__ import annotations

from sqlite3 import Cursor
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.documents import Filters
from retrieval.catalogue.proposals import (
    number_to_judge,
    number_up_to,
    proposals_after,
    sheet_before,
)
from retrieval.catalogue.tables import Document, Mark, Page

ALL = Filters()
#: Score and realism of the proposals with ids from 1 on, and these in the order in which they come.
SCORES = (
    (0.5, None), (0.9, 0.1), (None, None), (0.2, 0.8), (0.5, None), (0.0, None), (0.1 + 0.2, None),
)  # fmt: skip
ORDER = [4, 1, 5, 7, 2, 3, 6]


@pytest.fixture
def proposals(either: Engine) -> Engine:
    """Seven proposals, of De Hoop but for the fourth; then a confirmed mark, and one on a copy."""
    with Session(either) as session, session.begin():
        documents = [Document(reference=f"HCA 32/{n}", ship=ship) for n, ship in
                     enumerate(("De Hoop", "Amity"))]  # fmt: skip
        pages = [
            Page(
                document=document, source=f"{number}.png", location=f"/{number}.png", width=99,
                height=99, sha256="0" * 64, size=1, mtime_ns=1,
            )
            for number, document in enumerate([*documents, documents[0]])
        ]  # fmt: skip
        session.add_all(pages)
        session.flush()
        pages[2].duplicate_of = pages[0].id
        rows = [(pages[at == 3], "proposed", *scores) for at, scores in enumerate(SCORES)]
        rows += [(pages[0], "confirmed", 0.99, None), (pages[2], "proposed", 0.99, None)]
        for page, status, score, realism in rows:
            session.add(
                Mark(
                    page=page, x=0, y=0, width=1, height=1, status=status, score=score,
                    realism=realism, origin="strokes-1", crop="0" * 64,
                )
            )  # fmt: skip
            session.flush()
    return either


def test_the_likeliest_come_first_and_nothing_twice(proposals: Engine) -> None:
    with Session(proposals) as session:
        assert number_to_judge(session, ALL) == 7
        assert proposals_after(session, ALL, 0, 9) == ORDER
        for at, mark in enumerate(ORDER, start=1):
            assert proposals_after(session, ALL, mark, 3) == ORDER[at : at + 3]
            assert number_up_to(session, ALL, mark) == at
        assert number_up_to(session, ALL, 0) == 0


def test_a_sheet_leads_back_to_the_one_before(proposals: Engine) -> None:
    with Session(proposals) as session:
        assert [sheet_before(session, ALL, mark, 3) for mark in (0, *ORDER)] == [
            0, 0, 0, 0, 4, 1, 5, 7,
        ]  # fmt: skip


def test_what_was_judged_keeps_its_place(proposals: Engine) -> None:
    with Session(proposals) as session, session.begin():
        session.get_one(Mark, 5).status = "rejected"
        session.flush()
        assert proposals_after(session, ALL, 0, 9) == [4, 1, 7, 2, 3, 6]
        assert proposals_after(session, ALL, 5, 9) == [7, 2, 3, 6]
        assert number_up_to(session, ALL, 5) == 2
        assert sheet_before(session, ALL, 5, 1) == 4
        assert proposals_after(session, ALL, 99, 2) == [4, 1], "that one is gone"
        assert number_up_to(session, ALL, 99) == sheet_before(session, ALL, 99, 1) == 0


def test_the_filters_narrow_them(proposals: Engine) -> None:
    hoop, amity = Filters(ship="De Hoop"), Filters(ship="Amity")
    with Session(proposals) as session:
        assert [number_to_judge(session, where) for where in (hoop, amity)] == [6, 1]
        assert proposals_after(session, hoop, 4, 2) == [1, 5]
        assert sheet_before(session, hoop, 5, 2) == 0
        assert number_up_to(session, hoop, 5) == 2
        assert proposals_after(session, amity, 0, 9) == [4]
        assert number_to_judge(session, Filters(year_from=1700)) == 0


def test_a_sheet_is_found_without_looking_at_the_others(archive: Archive) -> None:
    plans: list[tuple[str, list[str]]] = []

    @event.listens_for(archive.engine, "before_cursor_execute")
    def explain(
        connection: Connection, cursor: Cursor, statement: str, parameters: Any, *_: object
    ) -> None:
        rows = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plans.append((statement, [row[3] for row in rows]))

    with archive.session() as session:
        session.add(
            Page(
                source="1.png", location="/1.png", width=9, height=9, sha256="1" * 64, size=1,
                mtime_ns=1, marks=[
                    Mark(x=0, y=0, width=1, height=1, origin="strokes-1", crop="0" * 64)
                ],
            )
        )  # fmt: skip
        session.flush()
        plans.clear()
        proposals_after(session, ALL, 0, 3)
        proposals_after(session, ALL, 1, 3)
        sheet_before(session, ALL, 1, 3)
        number_up_to(session, ALL, 1)
    sheets = [plan for statement, plan in plans if "duplicate_of" in statement]
    by_index = "SEARCH marks USING INDEX ix_marks_likely (status=?"
    assert [plan[0] for plan in sheets] == [
        f"{by_index})", f"{by_index} AND <expr><?)", *[f"{by_index} AND <expr>>?)"] * 2
    ]  # fmt: skip
    assert not [step for plan in sheets for step in plan if "ORDER BY" in step]
