from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
from sqlalchemy import select, update

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.marks import mark_rows
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Embedding, Mark, Page
from retrieval.index import load_index, refresh_index
from retrieval.ink import SEEN
from retrieval.model import Model
from retrieval.proposal_ranking import MOST_LEARNED, rank_proposals
from retrieval.realism import logits
from tests.drawn_marks import add_marks

#: The marks of these seeds are confirmed; those of the others are proposals.
CONFIRMED, PROPOSED = range(5), range(5, 14)


def an_archive(archive: Archive, model: Model) -> tuple[list[int], list[int]]:
    """Marks on segmented pages, confirmed and proposed. The confirmed ones are drawn a second time.

    The first five proposals are drawn as those that were confirmed, and each scores the same.
    """
    confirmed = add_marks(archive, CONFIRMED)
    proposed = add_marks(archive, PROPOSED)
    with archive.session() as session:
        session.execute(update(Page).values(segmenter="strokes-6"))
        crops = dict(session.execute(select(Mark.id, Mark.crop)).all())
        for mark in proposed:
            session.execute(
                update(Mark).where(Mark.id == mark).values(status="proposed", score=0.4)
            )
        for mark, like in zip(proposed, confirmed, strict=False):
            session.execute(update(Mark).where(Mark.id == mark).values(crop=crops[like]))
    return confirmed, proposed


def ranked(archive: Archive, model: Model) -> int:
    """Index the archive and rank its proposals; by how many confirmed marks."""
    refresh_index(archive, model)
    return rank_proposals(archive, model)


def seen(archive: Archive, marks: Sequence[int]) -> list[float | None]:
    with archive.session() as session:
        rows = session.execute(select(Mark.id, Mark.realism).where(Mark.id.in_(marks)))
        found = dict(rows.all())
    return [found[mark] for mark in marks]


def test_proposals_like_confirmed_marks_are_the_likeliest(
    archive: Archive, tiny_model: Model
) -> None:
    confirmed, proposed = an_archive(archive, tiny_model)
    assert ranked(archive, tiny_model) == 5
    likely = np.array(seen(archive, proposed), float)
    assert likely[:5].min() > likely[5:].max()
    assert seen(archive, confirmed) == [None] * 5
    with archive.session() as session:
        assert mark_rows(session, proposed[:1])[proposed[0]].score == 0.4, "what was seen stays"


def test_four_confirmed_marks_say_too_little(archive: Archive, tiny_model: Model) -> None:
    confirmed, proposed = an_archive(archive, tiny_model)
    ranked(archive, tiny_model)
    with archive.session() as session:
        session.execute(update(Mark).where(Mark.id == confirmed[0]).values(status="rejected"))
    assert ranked(archive, tiny_model) == 0
    assert seen(archive, proposed) == [None] * len(proposed)


def test_crops_that_were_taken_in_as_marks_do_not_count(
    archive: Archive, tiny_model: Model
) -> None:
    confirmed, proposed = an_archive(archive, tiny_model)
    with archive.session() as session:
        crop = select(Mark.page_id).where(Mark.id == confirmed[0]).scalar_subquery()
        session.execute(update(Page).where(Page.id == crop).values(segmenter=None))
    assert ranked(archive, tiny_model) == 0
    assert seen(archive, proposed) == [None] * len(proposed)


def test_what_was_rejected_takes_down_what_looks_like_it(
    archive: Archive, tiny_model: Model
) -> None:
    _, proposed = an_archive(archive, tiny_model)
    rejected, twin = proposed[-1], proposed[-2]
    with archive.session() as session:
        crop = session.scalars(select(Mark.crop).where(Mark.id == rejected)).one()
        session.execute(update(Mark).where(Mark.id == twin).values(crop=crop))
    ranked(archive, tiny_model)
    before = seen(archive, proposed[:-1])
    with archive.session() as session:
        session.execute(update(Mark).where(Mark.id == rejected).values(status="rejected"))
    ranked(archive, tiny_model)
    after = seen(archive, proposed[:-1])
    below = [
        logits(np.array(some[5:-1])).mean() - logits(np.array(some[-1])) for some in (before, after)
    ]
    assert below[1] > below[0] + 0.1
    assert seen(archive, [rejected]) == [None]


def test_a_proposal_without_a_score_has_no_realism(archive: Archive, tiny_model: Model) -> None:
    _, proposed = an_archive(archive, tiny_model)
    with archive.session() as session:
        session.execute(update(Mark).where(Mark.id == proposed[0]).values(score=None))
    ranked(archive, tiny_model)
    assert [one is None for one in seen(archive, proposed)] == [True] + [False] * 8


def test_nothing_is_written_a_second_time(
    archive: Archive, tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, proposed = an_archive(archive, tiny_model)
    ranked(archive, tiny_model)
    before = seen(archive, proposed)
    written: list[Sequence[object]] = []
    monkeypatch.setattr("retrieval.proposal_ranking.in_parts", _watching(written))
    ranked(archive, tiny_model)
    assert seen(archive, proposed) == before
    assert not [part for part in written if part and isinstance(part[0], dict)]


def _watching(
    written: list[Sequence[object]],
) -> Callable[[Sequence[object], int], Iterator[Sequence[object]]]:
    def watched(items: Sequence[object], most: int) -> Iterator[Sequence[object]]:
        for part in in_parts(items, most):
            written.append(part)
            yield part

    return watched


def test_marks_from_all_over_the_archive_are_learned_from(
    archive: Archive, tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_LEARNED > 6
    monkeypatch.setattr("retrieval.proposal_ranking.MOST_LEARNED", 6)
    monkeypatch.setattr("retrieval.proposal_ranking._AT_ONCE", 4)
    _, proposed = an_archive(archive, tiny_model)
    assert ranked(archive, tiny_model) == 5
    assert None not in seen(archive, proposed)


def test_an_archive_without_proposals_has_nothing_to_rank(
    archive: Archive, tiny_model: Model
) -> None:
    marks = add_marks(archive, range(6))
    with archive.session() as session:
        session.execute(update(Page).values(segmenter="strokes-6"))
    ranked(archive, tiny_model)
    assert seen(archive, marks) == [None] * 6
    with archive.session() as session:
        assert session.scalar(select(Embedding.mark_id).limit(1)) is not None


def rejected_marks(archive: Archive, model: Model, seeds: range) -> dict[int, str | None]:
    """Reject drawn marks on pages, rank, and return how those that were embedded were seen."""
    marks = add_marks(archive, seeds)
    with archive.session() as session:
        session.execute(update(Page).values(segmenter="strokes-6"))
        session.execute(update(Mark).where(Mark.id.in_(marks)).values(status="rejected"))
    ranked(archive, model)
    return embedded_rejected(archive)


def embedded_rejected(archive: Archive) -> dict[int, str | None]:
    with archive.session() as session:
        rows = session.execute(
            select(Mark.id, Embedding.seen)
            .join(Embedding, Embedding.mark_id == Mark.id)
            .where(Mark.status == "rejected")
            .order_by(Mark.id)
        )
        return dict(rows.all())


def test_what_was_rejected_before_there_was_an_index_is_learned_from_and_not_found(
    archive: Archive, tiny_model: Model
) -> None:
    _, proposed = an_archive(archive, tiny_model)
    ranked(archive, tiny_model)
    before = seen(archive, proposed)
    with archive.session() as session:
        other = select(Mark.crop).where(Mark.id == proposed[-1]).scalar_subquery()
        (mark,) = add_marks(archive, range(20, 21))
        session.execute(update(Mark).where(Mark.id == mark).values(status="rejected", crop=other))
        session.execute(update(Page).values(segmenter="strokes-6"))
    done = refresh_index(archive, tiny_model)
    assert rank_proposals(archive, tiny_model) == 5
    after = seen(archive, proposed)
    below = [logits(np.array(some[5:])) for some in (before, after)]
    fell = below[1] - below[0]
    assert fell[-1] < fell[:-1].min()
    assert done.embedded == 0 and mark not in load_index(archive, tiny_model).marks
    assert embedded_rejected(archive) == {mark: SEEN}


def test_a_rejected_mark_is_embedded_again_where_it_is_seen_otherwise_now(
    archive: Archive, tiny_model: Model
) -> None:
    an_archive(archive, tiny_model)
    kept = rejected_marks(archive, tiny_model, range(20, 23))
    assert list(kept.values()) == [SEEN] * 3
    older, cut, same = kept
    with archive.session() as session:
        session.execute(update(Embedding).where(Embedding.mark_id == older).values(seen="ink-3"))
        other = select(Mark.crop).where(Mark.id == same).scalar_subquery()
        session.execute(update(Mark).where(Mark.id == cut).values(crop=other))
    rank_proposals(archive, tiny_model)
    assert embedded_rejected(archive) == kept
    with archive.session() as session:
        vectors = dict(session.execute(select(Embedding.mark_id, Embedding.vector)).all())
    assert vectors[cut] == vectors[same]


def test_where_nothing_is_learned_nothing_that_was_rejected_is_embedded(
    archive: Archive, tiny_model: Model
) -> None:
    add_marks(archive, range(4))
    assert rejected_marks(archive, tiny_model, range(20, 23)) == {}


def test_rejected_marks_from_all_over_the_archive_are_learned_from(
    archive: Archive, tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.proposal_ranking.MOST_LEARNED", 6)
    monkeypatch.setattr("retrieval.proposal_ranking.EMBEDDED_AT_ONCE", 4)
    an_archive(archive, tiny_model)
    first = list(rejected_marks(archive, tiny_model, range(20, 44)))
    assert len(first) == 6
    thirds = {(mark - 15) // 8 for mark in first}
    assert thirds == {0, 1, 2}
    more = list(rejected_marks(archive, tiny_model, range(44, 46)))
    assert set(first) <= set(more) and len(more) <= 8


def test_a_rejected_mark_whose_crop_is_gone_teaches_nothing(
    archive: Archive, tiny_model: Model
) -> None:
    an_archive(archive, tiny_model)
    marks = add_marks(archive, range(20, 22))
    with archive.session() as session:
        session.execute(update(Page).values(segmenter="strokes-6"))
        session.execute(update(Mark).where(Mark.id.in_(marks)).values(status="rejected"))
        session.execute(update(Mark).where(Mark.id == marks[0]).values(crop="0" * 64))
    assert ranked(archive, tiny_model) == 5
    assert list(embedded_rejected(archive)) == marks[1:]
