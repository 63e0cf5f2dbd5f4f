from __future__ import annotations

import csv
import io
from collections import defaultdict

import pytest

from ingest.synthetic.records import documents_csv, plan_documents


def test_plan_is_deterministic_and_has_as_many_documents_as_pages() -> None:
    assert plan_documents(7, 60, 80) == plan_documents(7, 60, 80)
    assert plan_documents(7, 60, 80) != plan_documents(8, 60, 80)


@pytest.mark.parametrize(("identities", "pages"), [(1, 1), (1, 30), (60, 1), (500, 3), (7, 200)])
def test_any_counts_make_a_plan(identities: int, pages: int) -> None:
    documents = plan_documents(1, identities, pages)
    assert len(documents) == pages
    assert len({document.reference for document in documents}) == pages
    for document in documents:
        assert all(0 <= identity < identities for identity in document.identities)
        assert len(set(document.identities)) == len(document.identities) <= 4


def test_a_mark_recurs_where_a_historian_would_look_for_it() -> None:
    documents = plan_documents(7, 60, 80)
    captains: dict[int, set[str]] = defaultdict(set)
    years: dict[int, list[int]] = defaultdict(list)
    for document in documents:
        for identity in document.identities:
            captains[identity].add(document.captain)
            years[identity].append(document.year)
    recurring = [identity for identity, seen in years.items() if len(seen) > 1]
    assert len(recurring) > 20
    close = [i for i in recurring if len(captains[i]) == 1 and max(years[i]) - min(years[i]) <= 10]
    assert len(close) > len(recurring) / 2
    assert any(not document.identities for document in documents)


def test_documents_csv_survives_commas_and_accents() -> None:
    documents = plan_documents(7, 60, 80)
    rows = list(csv.DictReader(io.StringIO(documents_csv(documents))))
    assert [row["title"] for row in rows] == [document.title for document in documents]
    assert any("," in row["title"] for row in rows)
    assert {row["place"] for row in rows} == {document.place for document in documents}
