from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import MetadataError, ModelError, SetupError
from retrieval.embedding import embed
from retrieval.evaluation import evaluate as evaluation
from retrieval.evaluation import features as features_module
from retrieval.evaluation.baselines import Baseline
from retrieval.evaluation.evaluate import evaluate
from retrieval.evaluation.features import (
    Features,
    Matching,
    compared,
    cosine,
    euclidean,
    lone_model_features,
    model_features,
    relative,
    vectors_of,
)
from retrieval.evaluation.labels import Labelled, find_marks, read_labels
from retrieval.index import load_index, nearest, refresh_index
from retrieval.model import Model
from tests.drawn_marks import add_marks, drawn_mark


def labelled_archive(archive: Archive, folder: Path, text: str) -> Labelled:
    path = folder / "labels.csv"
    path.write_text(text)
    return find_marks(archive, read_labels(path), path.name)


@pytest.fixture
def labelled(archive: Archive, tmp_path: Path) -> Labelled:
    """Nine marks of three labels: seeds 0, 3, 6 are drawn alike no more than others."""
    add_marks(archive, range(9))
    rows = "".join(f"{seed}.png,{'abc'[seed % 3]}\n" for seed in range(9))
    return labelled_archive(archive, tmp_path, "source,label\n" + rows)


def told_apart() -> Features:
    """Features that are the label itself, once: no mark is ever mistaken."""
    calls = iter(range(1_000_000))

    def vectors(ink: np.ndarray) -> np.ndarray:
        rows = [next(calls) % 3 for _ in ink]
        return np.eye(3, dtype=np.float32)[rows]

    return Features(16, vectors)


def not_here() -> Features:
    raise SetupError("not installed; pip install it")


def lost() -> Features:
    raise ModelError("There is no model in models/12.")


def test_the_models_row_is_what_search_finds(
    archive: Archive, labelled: Labelled, tiny_model: Model
) -> None:
    stored = vectors_of(archive, labelled.crops, model_features(tiny_model))
    direct = embed(tiny_model, [drawn_mark(seed) for seed in range(9)])
    np.testing.assert_allclose(stored, direct, atol=2e-2)
    refresh_index(archive, tiny_model)
    scores, marks = nearest(load_index(archive, tiny_model), stored, 9)
    everything = np.arange(9)
    likeness = compared(stored, everything, model_features(tiny_model))(everything)
    found = np.searchsorted(labelled.marks, marks)
    np.testing.assert_allclose(scores, np.take_along_axis(likeness, found, axis=1), atol=1e-3)
    alone = evaluate(archive, labelled, tiny_model)
    (case,) = alone.cases
    assert (case.name, len(case.queries), len(case.gallery)) == ("mark → mark", 9, 9)
    right = labelled.labels[(likeness - 3 * np.eye(9)).argmax(axis=1)] == labelled.labels
    measured = alone.rows[0].scores[case.name].micro["precision_at_1"].value
    assert measured == pytest.approx(right.mean())
    assert alone.rows[0].invariance is None


def test_a_model_alone_is_compared_by_its_own_embedding(
    archive: Archive, labelled: Labelled, tiny_model: Model
) -> None:
    features = lone_model_features(tiny_model)
    stored = vectors_of(archive, labelled.crops, features)
    likeness = compared(stored, np.arange(4), features)(np.array([7]))
    np.testing.assert_allclose(likeness, stored[[7]] @ stored[:4].T, atol=1e-6)
    together = compared(stored, np.arange(4), model_features(tiny_model))(np.array([7]))
    assert (together >= likeness).all()
    assert (together > likeness + 1e-4).any()


def test_rows_stand_side_by_side_and_say_what_is_missing(
    archive: Archive, labelled: Labelled, tiny_model: Model
) -> None:
    besides: dict[str, Baseline] = {"oracle": told_apart, "absent": not_here, "lost": lost}
    told: list[str] = []
    found = evaluate(
        archive, labelled, tiny_model, baselines=besides, report=lambda *said: told.append(said[2])
    )
    assert [row.name for row in found.rows][1:] == ["oracle", "absent", "lost"]
    scores = found.rows[1].scores["mark → mark"]
    assert {estimate.value for estimate in scores.micro.values()} == {1.0}
    assert found.rows[2].scores == {}
    assert found.rows[2].note == "not installed; pip install it"
    assert (found.rows[3].scores, found.rows[3].note) == ({}, "There is no model in models/12.")
    assert {"oracle", found.rows[0].name} <= set(told)


def test_failures_are_the_models_worst_one_a_label(
    archive: Archive, labelled: Labelled, tiny_model: Model
) -> None:
    found = evaluate(archive, labelled, tiny_model)
    failures = found.failures["mark → mark"]
    assert failures
    places = [failure.place for failure in failures]
    assert places == sorted(places, reverse=True)
    assert min(places) > 1
    assert len({labelled.labels[one.query] for one in failures}) == len(failures)
    for failure in failures:
        label = labelled.labels[failure.query]
        assert labelled.labels[failure.wanted] == label
        assert failure.query not in {failure.wanted, *failure.found}
        assert labelled.labels[failure.found[0]] != label
        assert len(failure.found) == 5


def test_sketches_ask_crops_and_crops_ask_crops(
    archive: Archive, tmp_path: Path, tiny_model: Model
) -> None:
    add_marks(archive, range(7))
    labelled = labelled_archive(
        archive,
        tmp_path,
        "source,label,kind\n0.png,a,sketch\n1.png,a,crop\n2.png,a,crop\n3.png,b,sketch\n"
        "4.png,b,sketch\n5.png,b,crop\n6.png,c,sketch\n",
    )
    found = evaluate(archive, labelled, tiny_model)
    asked = {case.name: case for case in found.cases}
    assert asked["sketch → crop"].queries.tolist() == [0, 3, 4]
    assert asked["sketch → crop"].gallery.tolist() == [1, 2, 5]
    assert asked["sketch → crop"].left_out == 1
    assert asked["crop → crop"].queries.tolist() == [1, 2]
    assert asked["crop → crop"].left_out == 1
    assert found.rows[0].scores["sketch → crop"].queries == 3


def test_sketches_without_a_crop_answer_nothing(
    archive: Archive, tmp_path: Path, tiny_model: Model
) -> None:
    add_marks(archive, range(3))
    labelled = labelled_archive(
        archive,
        tmp_path,
        "source,label,kind\n0.png,a,sketch\n1.png,a,sketch\n2.png,b,sketch\n",
    )
    with pytest.raises(MetadataError, match="no crop with the same label"):
        evaluate(archive, labelled, tiny_model)


def test_pairs_are_compared_for_a_sample_which_the_row_states(
    archive: Archive, labelled: Labelled, tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared_pairs: list[tuple[int, int]] = []

    def likeness(one: int, other: int) -> float:
        compared_pairs.append((one, other))
        return float(one % 3 == other % 3)

    def matching() -> Matching:
        calls = iter(range(1_000_000))
        return Matching(16, lambda ink: [next(calls) for _ in ink], likeness)

    monkeypatch.setattr(evaluation, "PAIRS", 40)
    monkeypatch.setattr(evaluation, "_FEWEST_QUERIES", 1)
    found = evaluate(archive, labelled, tiny_model, baselines={"pairs": matching})
    row = found.rows[1]
    assert row.scores["mark → mark"].queries == 4
    assert row.scores["mark → mark"].micro["mean_average_precision"].value == 1
    assert len(compared_pairs) == 4 * 9
    assert row.note == "mark → mark: 4 of 9 queries, chosen at random, seed 0"
    assert found.rows[0].scores["mark → mark"].queries == 9


def test_equal_arguments_give_equal_figures_and_curves(
    archive: Archive, labelled: Labelled, tiny_model: Model
) -> None:
    one, other = (evaluate(archive, labelled, tiny_model, curves=True) for _ in range(2))
    assert one.rows == other.rows
    assert one.rows[0].invariance is not None
    assert one.rows[0].invariance.marks == 9


def test_long_vectors_are_halved_and_the_gallery_is_taken_in_parts(
    archive: Archive, labelled: Labelled, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = Features(64, lambda ink: ink.reshape(len(ink), -1))
    vectors = vectors_of(archive, labelled.crops, pixels)
    assert (vectors.dtype, vectors.shape) == (np.float16, (9, 4096))
    gallery = np.array([8, 1, 5, 0, 3])
    features = replace(pixels, compare=euclidean)
    whole = compared(vectors, gallery, features)(np.array([0, 7]))
    monkeypatch.setattr(features_module, "_GALLERY_AT_ONCE", 2)
    parts = compared(vectors, gallery, features)(np.array([0, 7]))
    # Squares: of a picture's distance to itself the root makes rounding large.
    np.testing.assert_allclose(parts**2, whole**2, rtol=1e-5, atol=1e-3)
    assert whole[0, 3] == pytest.approx(0, abs=0.1)


def test_comparisons() -> None:
    one = np.array([[3.0, 4.0]], np.float32)
    others = np.array([[3.0, 4.0], [-3.0, -4.0], [0.0, 4.0]], np.float32)
    assert cosine(one / 5, others / 5)[0, :2].tolist() == pytest.approx([1, -1])
    assert euclidean(one, others)[0].tolist() == pytest.approx([0, -10, -3], abs=1e-3)
    assert relative(one, others)[0].tolist() == pytest.approx([0, -1, -3 / 9], abs=1e-3)
