from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import RequestError
from retrieval.crops import write_crop
from retrieval.embedding import embed_pictures
from retrieval.grouping import group_marks, group_numbers, propose_groups, usual_share
from retrieval.index import load_index, refresh_index
from retrieval.inkless import marks_without_ink
from retrieval.model import Model
from retrieval.vectors import unit
from tests.drawn_marks import add_marks


@st.composite
def clouds(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Mark ids in some order with unit vectors: a few centres, marks near and on them."""
    count = draw(st.integers(0, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    spread = draw(st.sampled_from([0.0, 0.2, 0.6, 2.0]))
    centres = rng.normal(size=(draw(st.integers(1, 8)), 6))
    which = draw(arrays(np.int64, count, elements=st.integers(0, len(centres) - 1)))
    noise = spread * rng.normal(size=(count, 6))
    return rng.permutation(count * 3)[:count] + 1, unit(centres[which] + noise).reshape(-1, 6)


cosines = st.sampled_from([-0.5, 0.3, 0.7, 0.9, 0.99])


@given(clouds(), cosines)
def test_a_mark_is_in_one_group_or_none_and_no_group_is_of_one(
    cloud: tuple[np.ndarray, np.ndarray], cosine: float
) -> None:
    marks, vectors = cloud
    groups = group_marks(marks, vectors, cosine)
    inside = [mark for group in groups for mark in group.marks]
    assert len(inside) == len(set(inside))
    assert set(inside) <= set(marks.tolist())
    assert all(len(group.marks) >= 2 for group in groups)
    sizes = [len(group.marks) for group in groups]
    assert sizes == sorted(sizes, reverse=True)


@given(clouds(), cosines)
def test_groups_are_as_alike_as_promised_and_cannot_be_joined(
    cloud: tuple[np.ndarray, np.ndarray], cosine: float
) -> None:
    marks, vectors = cloud
    groups = group_marks(marks, vectors, cosine, neighbours=64)
    row = {mark: at for at, mark in enumerate(marks.tolist())}
    likeness = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    for group in groups:
        rows = [row[mark] for mark in group.marks]
        pairs = likeness[np.ix_(rows, rows)][np.triu_indices(len(rows), 1)]
        assert pairs.mean() >= cosine - 1e-5
        assert group.cohesion == pytest.approx(pairs.mean(), abs=1e-5)
        assert list(group.likeness) == sorted(group.likeness, reverse=True)
    numbers = group_numbers(groups, marks.tolist())
    parts = [np.flatnonzero(numbers == number) for number in np.unique(numbers)]
    for at, one in enumerate(parts):
        for other in parts[at + 1 :]:
            assert likeness[np.ix_(one, other)].mean() < cosine + 1e-5


@given(clouds(), cosines, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(
    cloud: tuple[np.ndarray, np.ndarray], cosine: float, random: object
) -> None:
    marks, vectors = cloud
    shuffled = list(range(len(marks)))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert group_marks(marks, vectors, cosine) == group_marks(
        marks[shuffled], vectors[shuffled], cosine
    )


def test_the_groups_are_those_of_average_linkage() -> None:
    hierarchy = pytest.importorskip("scipy.cluster.hierarchy", reason="SciPy is not installed")
    rng = np.random.default_rng(4)
    vectors = unit(rng.normal(size=(40, 16))[rng.integers(0, 40, 300)] + rng.normal(size=(300, 16)))
    tree = hierarchy.linkage(vectors.astype(np.float64), "average", metric="cosine")
    for cosine in (0.9, 0.6, 0.4):
        theirs = hierarchy.fcluster(tree, 1 - cosine, "distance")
        ours = group_numbers(
            group_marks(np.arange(300), vectors, cosine, neighbours=300), range(300)
        )
        assert len({*zip(theirs.tolist(), ours.tolist(), strict=True)}) == len({*theirs.tolist()})
        assert len({*ours.tolist()}) == len({*theirs.tolist()})


def test_a_chain_of_marks_each_like_the_next_is_no_group() -> None:
    angles = np.linspace(0, np.pi, 30)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    cosine = float(np.cos(angles[2]))
    groups = group_marks(np.arange(30), vectors, cosine)
    assert max(len(group.marks) for group in groups) <= 5


def test_a_stamp_on_every_page_is_one_group_whatever_its_number() -> None:
    rng = np.random.default_rng(1)
    stamp, others = rng.normal(size=64), rng.normal(size=(500, 64))
    vectors = unit(np.concatenate([np.tile(stamp, (2000, 1)), others]))
    groups = group_marks(np.arange(2500), vectors, 0.8, neighbours=8)
    assert sum(len(group.marks) for group in groups) == 2000
    assert all(max(group.marks) < 2000 for group in groups)


def test_likeness_is_asked_for_as_a_share_of_unrelated_marks() -> None:
    assert usual_share(0) == 1e-3
    assert usual_share(20_000) == pytest.approx(5e-5)
    assert usual_share(10**9) == 1e-6


@pytest.fixture
def indexed(archive: Archive, tiny_model: Model) -> tuple[Archive, list[int]]:
    """Forty marks: the last ten are drawn as the first ten are, to the last pixel."""
    marks = add_marks(archive, range(30))
    twins = add_marks(archive, range(100, 110))
    with archive.session() as session:
        for mark, twin in zip(marks[:10], twins, strict=True):
            session.get_one(tables.Mark, twin).crop = session.get_one(tables.Mark, mark).crop
    refresh_index(archive, tiny_model)
    return archive, [*marks, *twins]


def _pairs(archive: Archive) -> set[frozenset[int]]:
    with archive.session() as session:
        found: dict[int, set[int]] = {}
        for row in session.query(tables.GroupMark):
            found.setdefault(row.group_id, set()).add(row.mark_id)
    return {frozenset(marks) for marks in found.values()}


def test_an_archives_groups_are_kept_as_proposals(
    indexed: tuple[Archive, list[int]], tiny_model: Model
) -> None:
    archive, marks = indexed
    found = propose_groups(archive, tiny_model, 1e-6)
    assert found.marks == 40
    assert found.cosine == load_index(archive, tiny_model).cosines.cosine(1e-6)
    twins = {frozenset((marks[at], marks[30 + at])) for at in range(10)}
    assert {frozenset(group.marks) for group in found.groups} >= twins
    assert _pairs(archive) == {frozenset(group.marks) for group in found.groups}
    with archive.session() as session:
        for group in session.query(tables.Group):
            assert (group.model_id, group.share, group.verdict) == (tiny_model.id, 1e-6, None)
        assert not session.query(tables.Identity).count()
    again = propose_groups(archive, tiny_model, 1e-6)
    assert again == found
    assert _pairs(archive) == {frozenset(group.marks) for group in found.groups}


def test_rejected_marks_copies_of_a_page_and_unlikely_proposals_are_left_out(
    indexed: tuple[Archive, list[int]], tiny_model: Model
) -> None:
    archive, marks = indexed
    with archive.session() as session:
        session.get_one(tables.Mark, marks[30]).status = "rejected"
        copied = session.get_one(tables.Mark, marks[1]).page_id
        copy = session.get_one(tables.Page, session.get_one(tables.Mark, marks[31]).page_id)
        copy.duplicate_of = copied
        for row, (status, score, realism) in {
            32: ("proposed", 0.49, None),
            33: ("proposed", 0.5, None),
            34: ("confirmed", 0.1, None),
            35: ("proposed", 0.1, 0.6),
            36: ("proposed", 0.9, 0.4),
        }.items():
            mark = session.get_one(tables.Mark, marks[row])
            mark.status, mark.score, mark.realism = status, score, realism
    found = propose_groups(archive, tiny_model, 1e-6)
    inside = {mark for group in found.groups for mark in group.marks}
    assert found.marks == 36
    assert inside.isdisjoint([*marks[30:33], marks[36]])
    assert {marks[3], marks[4], marks[33], marks[34], marks[35]} <= inside


def test_marks_that_are_like_no_other_take_little_room() -> None:
    count = 20_000
    vectors = np.random.default_rng(0).normal(size=(count, 2)).astype(np.float32)
    tracemalloc.start()
    try:
        assert group_marks(np.arange(count), vectors, np.inf, neighbours=1) == []
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 150 * count


def test_marks_without_ink_are_in_no_group(
    indexed: tuple[Archive, list[int]], tiny_model: Model
) -> None:
    archive, marks = indexed
    with archive.session() as session:
        for level, mark in zip((200, 240, 250, 255), marks[20:24], strict=True):
            paper = np.full((60, 60, 3), level, np.uint8)
            session.get_one(tables.Mark, mark).crop = write_crop(archive.crops_folder, paper)
    refresh_index(archive, tiny_model)
    found = propose_groups(archive, tiny_model, 1e-6)
    assert (found.marks, found.without_ink) == (36, 4)
    inside = {mark for group in found.groups for mark in group.marks}
    assert inside and inside.isdisjoint(marks[20:24])


def test_what_a_model_takes_for_bare_paper_is_left_out_only_where_it_is(
    indexed: tuple[Archive, list[int]], tiny_model: Model
) -> None:
    archive, marks = indexed
    blank = np.full((1, 1, tiny_model.shape.size, tiny_model.shape.size), -1, np.float32)
    vectors = np.tile(embed_pictures(tiny_model, blank), (3, 1))
    with archive.session() as session:
        paper = write_crop(archive.crops_folder, np.full((60, 60, 3), 250, np.uint8))
        session.get_one(tables.Mark, marks[1]).crop = paper
        session.get_one(tables.Mark, marks[2]).crop = "0" * 64
    three = np.array(marks[:3])
    assert marks_without_ink(archive, tiny_model, three, vectors).tolist() == marks[1:3]
    assert marks_without_ink(archive, tiny_model, three, -vectors).tolist() == []


@pytest.mark.parametrize("share", [0.0, 1e-7, 0.5, float("nan")])
def test_a_share_that_means_nothing_is_refused(
    indexed: tuple[Archive, list[int]], tiny_model: Model, share: float
) -> None:
    with pytest.raises(RequestError, match="give one from 1e-06"):
        propose_groups(indexed[0], tiny_model, share)
