"""Pages that look like another: flagged, so that one scan in two files is not taken for two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from ingest.fingerprint import BYTES, Looks
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Page, Resemblance

#: Bits in which two prints of one page may differ. Of 77 real pages, many of one volume, no two
#: pages come below 60.
MOST = 46

_WORDS = BYTES // 8


class Fingerprints:
    """The fingerprints of an archive's pages, copies left out: 40 bytes a page, in memory."""

    def __init__(self) -> None:
        self._ids = np.empty(0, np.int64)  # ascending; the first `_held` count
        self._words = np.empty((_WORDS, 0), np.uint64)
        self._held = 0
        self._is_loaded = False

    def load(self, session: Session) -> None:
        """Take in what the catalogue has, unless that has been done."""
        if self._is_loaded:
            return
        rows = session.execute(
            select(Page.id, Page.fingerprint)
            .where(Page.fingerprint.is_not(None), Page.duplicate_of.is_(None))
            .order_by(Page.id)
            .execution_options(yield_per=10_000)
        )
        ids, prints = [], []
        for part in rows.partitions():
            ids.append(np.array([row.id for row in part], np.int64))
            prints.append(_words(b"".join(row.fingerprint for row in part)))
        if ids:
            self._ids, self._words = np.concatenate(ids), np.concatenate(prints, axis=1)
        self._held, self._is_loaded = len(self._ids), True

    def put(self, page: int, fingerprint: bytes) -> None:
        """Make it the page's fingerprint."""
        at = int(np.searchsorted(self._ids[: self._held], page))
        if at == self._held or self._ids[at] != page:
            if self._held == len(self._ids):
                room = max(1024, self._held // 2)
                self._ids = np.concatenate([self._ids, np.zeros(room, np.int64)])
                self._words = np.concatenate(
                    [self._words, np.zeros((_WORDS, room), np.uint64)], axis=1
                )
            self._ids[at + 1 : self._held + 1] = self._ids[at : self._held].copy()
            self._words[:, at + 1 : self._held + 1] = self._words[:, at : self._held].copy()
            self._held += 1
        self._ids[at] = page
        self._words[:, at] = _words(fingerprint)[:, 0]

    def remove(self, pages: Sequence[int]) -> None:
        """Forget the pages, those of them that are here."""
        ids = self._ids[: self._held]
        first, behind = (np.searchsorted(ids, pages, side) for side in ("left", "right"))
        at = first[first < behind]
        if len(at):
            kept = np.delete(self._words[:, : self._held], at, axis=1)
            self._held = kept.shape[1]
            self._ids[: self._held] = np.delete(ids, at)
            self._words[:, : self._held] = kept

    def of(self, page: int) -> bytes | None:
        """Return the page's fingerprint; None where it has none here."""
        at = int(np.searchsorted(self._ids[: self._held], page))
        if at == self._held or self._ids[at] != page:
            return None
        return self._words[:, at].tobytes()

    def near(self, looks: Looks) -> dict[int, int]:
        """Return the pages that look so, within `MOST` bits, each with its distance.

        Every page is compared: 4 ms for 100,000 of them, a quarter of a second for 3.5 million.
        """
        found: dict[int, int] = {}
        words = self._words[:, : self._held]
        for fingerprint in (looks.fingerprint, *looks.shifted):
            ours = _words(fingerprint)
            half = np.bitwise_count(words[0] ^ ours[0]) + np.bitwise_count(words[1] ^ ours[1])
            few = np.flatnonzero(half <= MOST)  # the other half is needed of these alone
            rest = np.bitwise_count(words[2:, few] ^ ours[2:]).sum(axis=0, dtype=np.int64)
            for at, distance in zip(few, half[few] + rest, strict=True):
                if distance <= MOST:
                    page = int(self._ids[at])
                    found[page] = min(int(distance), found.get(page, MOST))
        return found


def flag(session: Session, known: Fingerprints, page: int, looks: Looks | None) -> None:
    """Note which earlier page the page looks like, and which later ones look like it.

    What was noted of it before is dropped; pages that were said to look like it are compared
    again. A page that looks like several is noted with the nearest. Call `known.load` first.
    """
    release(session, known, [page])
    if looks is None:
        return
    known.put(page, looks.fingerprint)
    near = known.near(looks)
    near.pop(page)
    _note_earlier(session, page, near)
    later = {other: distance for other, distance in near.items() if other > page}
    if later:
        said = set(
            session.scalars(select(Resemblance.page_id).where(Resemblance.page_id.in_(later)))
        )
        _note(session, [(other, page, later[other]) for other in sorted(later.keys() - said)])


def release(session: Session, known: Fingerprints, pages: Sequence[int]) -> None:
    """Forget what the pages looked like: they have changed, are gone, or are copies.

    Pages that stay and were said to look like one of them are compared again. Call `known.load`
    first.
    """
    known.remove(pages)
    said: set[int] = set()
    for some in in_parts(pages):
        said.update(
            session.scalars(select(Resemblance.page_id).where(Resemblance.like_id.in_(some)))
        )
        for column in (Resemblance.page_id, Resemblance.like_id):
            session.execute(delete(Resemblance).where(column.in_(some)))
    for page in sorted(said.difference(pages)):
        if (fingerprint := known.of(page)) is not None:
            # What is later and looks like it is said to look like this one or another, or is
            # among these: no page but these has to be noted anew.
            _note_earlier(session, page, known.near(Looks(fingerprint, ())))


def _note_earlier(session: Session, page: int, near: Mapping[int, int]) -> None:
    """Note the nearest of the earlier pages that the page looks like, given their distances."""
    earlier = [(distance, other) for other, distance in near.items() if other < page]
    if earlier:
        distance, other = min(earlier)
        _note(session, [(page, other, distance)])


def _note(session: Session, found: Iterable[tuple[int, int, int]]) -> None:
    rows = [
        {"page_id": page, "like_id": other, "distance": distance} for page, other, distance in found
    ]
    if rows:
        session.execute(insert(Resemblance), rows)


def _words(fingerprints: bytes) -> NDArray[np.uint64]:
    """Fingerprints one after another as (words, N) of 64 bits."""
    return np.frombuffer(fingerprints, np.uint64).reshape(-1, _WORDS).T
