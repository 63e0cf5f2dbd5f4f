"""What is noted of pages that look alike when some of them go, and what that costs."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select

from ingest.fingerprint import BYTES, Looks
from ingest.forgetting import Forgotten, forget
from ingest.resemblance import Fingerprints, flag, release
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import Page, Resemblance
from tests.ingest.scans import rows


def prints_at(*distances: int) -> list[bytes]:
    """Fingerprints with so many bits set, from the first: |a - b| bits lie between two of them."""
    return [
        np.packbits(np.arange(8 * BYTES) < distance, bitorder="little").tobytes()
        for distance in distances
    ]


def add_pages(archive: Archive, prints: list[bytes], folders: list[str]) -> None:
    """Add pages 1, 2, ... to the archive, each compared with all before it."""
    known = Fingerprints()
    with archive.writing() as session:
        known.load(session)
        for number, (fingerprint, folder) in enumerate(zip(prints, folders, strict=True), start=1):
            source = f"{folder}/{number}.png"
            page = Page(
                id=number, source=source, location=f"/{source}", width=9, height=9,
                sha256=f"{number:064}", size=9, mtime_ns=0, fingerprint=fingerprint,
            )  # fmt: skip
            session.add(page)
            session.flush()
            flag(session, known, number, Looks(fingerprint, ()))


def noted(archive: Archive) -> list[tuple[int, int, int]]:
    statement = select(Resemblance.page_id, Resemblance.like_id, Resemblance.distance)
    return rows(archive, statement.order_by(Resemblance.page_id))


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[Looks]:
    """What was compared with all fingerprints since the test began."""
    every: list[Looks] = []
    near = Fingerprints.near

    def counted(self: Fingerprints, looks: Looks) -> dict[int, int]:
        every.append(looks)
        return near(self, looks)

    monkeypatch.setattr(Fingerprints, "near", counted)
    return every


def test_pages_that_go_together_are_not_compared_again(
    archive: Archive, compared: list[Looks]
) -> None:
    add_pages(archive, prints_at(*range(40)), ["going"] * 30 + ["staying"] * 10)
    assert noted(archive) == [(page, page - 1, 1) for page in range(2, 41)]
    compared.clear()
    assert forget(archive, ["going"]) == Forgotten(pages=30)
    assert noted(archive) == [(page, page - 1, 1) for page in range(32, 41)]
    assert len(compared) == 1  # page 31, which was like 30


def test_what_stays_is_noted_with_the_nearest_that_stays(
    archive: Archive, compared: list[Looks]
) -> None:
    distances, folders = [40, 0, 20, 43, 60, 45, 300], ["a", "b", "b", "b", "b", "b", "b"]
    add_pages(archive, prints_at(*distances), folders)
    assert noted(archive) == [(2, 1, 40), (3, 1, 20), (4, 1, 3), (5, 4, 17), (6, 4, 2)]
    compared.clear()
    forget(archive, ["a"])
    assert noted(archive) == [(3, 2, 20), (4, 3, 23), (5, 4, 17), (6, 4, 2)]
    assert len(compared) == 3


def test_a_copy_that_stays_takes_the_place_of_its_original(archive: Archive) -> None:
    add_pages(archive, prints_at(10, 200, 12, 15), ["a", "b", "b", "b"])
    known = Fingerprints()
    with archive.writing() as session:
        known.load(session)
        copy = session.get_one(Page, 2)
        copy.duplicate_of, copy.fingerprint = 1, prints_at(10)[0]
        session.flush()
        flag(session, known, 2, None)
    forget(archive, ["a"])
    assert noted(archive) == [(3, 2, 2), (4, 3, 3)]
    assert rows(archive, select(Page.id, Page.duplicate_of)) == [(2, None), (3, None), (4, None)]


def test_a_long_chain_of_pages_breaks_at_one_link(archive: Archive, compared: list[Looks]) -> None:
    rng = np.random.default_rng(1)
    bits, prints = np.zeros(8 * BYTES, np.uint8), []
    for _ in range(600):
        bits[rng.choice(8 * BYTES, 40, replace=False)] ^= 1
        prints.append(np.packbits(bits).tobytes())
    add_pages(archive, prints, ["a"] * len(prints))
    chain = [(page, page - 1, 40) for page in range(2, 601)]
    assert noted(archive) == chain
    known = Fingerprints()
    compared.clear()
    with archive.writing() as session:
        known.load(session)
        release(session, known, [1])
    assert noted(archive) == chain[1:]
    assert len(compared) == 1
