from __future__ import annotations

from retrieval.catalogue import figures
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import Failure


def test_counts(filled: Archive) -> None:
    with filled.session() as session:
        counts = figures.counts(session)
    assert counts == figures.Counts(
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


def test_reasons_that_differ_in_addresses_numbers_or_past_a_colon_are_one(filled: Archive) -> None:
    reasons = ["It has 1,200 pixels.", "It has 99 pixels.", "Broken: at 7.", "Broken: late."]
    reasons += ["It is of an unknown type, not a JPEG, JPEG 2000 or PNG."]
    reasons += [f"http://x/{at} answered 404 (Not Found)." for at in "ab"]
    with filled.writing() as session:
        for at, reason in enumerate(reasons):
            session.add(
                Failure(
                    source=f"{at}.png",
                    frame=0,
                    location=str(at),
                    size=1,
                    mtime_ns=1,
                    reason=reason,
                    advice="a",
                )
            )
    with filled.session() as session:
        assert figures.failure_reasons(session) == {
            "Broken": 2,
            "It has N pixels.": 2,
            "It is of an unknown type, not a JPEG, JPEG 2000 or PNG.": 1,
            "The address answered N (Not Found).": 2,
            "r": 1,
        }


def test_the_size_of_an_archive_is_that_of_what_is_found_in_it(filled: Archive) -> None:
    with filled.session() as session:
        assert figures.size(session) == figures.Size(documents=3, pages=4, marks=5)


def test_what_lacks_its_other_half_is_counted(filled: Archive) -> None:
    with filled.session() as session:
        assert figures.pages_without_document(session) == 1
        assert figures.documents_without_pages(session) == 1
