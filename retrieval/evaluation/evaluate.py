"""The evaluation: labelled marks and features in, a table with intervals and curves out.

Nothing in the archive is changed, and its index is not used: every row, the model's too, computes
its vectors from the same normalised pictures. The model's row finds marks as `search` does, by the
company they keep, too; among the baselines is the same model without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import MetadataError, ModelError, SetupError
from retrieval.evaluation.baselines import Baseline
from retrieval.evaluation.features import (
    Features,
    Matching,
    compared,
    ink_pictures,
    model_features,
    vectors_of,
)
from retrieval.evaluation.invariance import Invariance, invariance, sample_size
from retrieval.evaluation.labels import Labelled, with_ink
from retrieval.evaluation.measures import Ranked, Scores, Similarity, answerable, rank, score
from retrieval.model import Model, bundled_model

#: Pairs of pictures that a row compared pair by pair looks at, at most; but 20 queries at least.
PAIRS = 200_000
_FEWEST_QUERIES = 20
#: Queries shown that went worst, one a label, and the places of their lists that are shown.
WORST, SHOWN = 12, 5

#: Called with (done, total, what is going on).
Report = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Case:
    """Which marks ask and which are looked through: rows of the labelled marks."""

    name: str
    queries: NDArray[np.int64]
    gallery: NDArray[np.int64]
    left_out: int  # queries whose label has no other mark in the gallery


@dataclass(frozen=True)
class Failure:
    """A query that went badly: rows of the labelled marks."""

    query: int
    place: int  # of the first mark of its label
    wanted: int  # that mark
    found: tuple[int, ...]  # what stood at the head of the list instead


@dataclass(frozen=True)
class Row:
    """One kind of features: its scores by case, and how it bears turns, scales and shifts."""

    name: str
    scores: dict[str, Scores]
    invariance: Invariance | None = None
    note: str = ""


@dataclass(frozen=True)
class Evaluation:
    """Everything an evaluation found; `rows[0]` is the model."""

    model: str
    labelled: Labelled
    cases: tuple[Case, ...]
    rows: tuple[Row, ...]
    failures: dict[str, tuple[Failure, ...]]  # of the model, by case


def cases_of(labelled: Labelled) -> tuple[Case, ...]:
    """Return sketch to crop and crop to crop, or mark to mark where the labels do not say.

    A case without an answerable query is left out.
    """
    everything = np.arange(len(labelled.marks))
    if labelled.sketches is None:
        named = [("mark → mark", everything, everything)]
    else:
        sketches, crops = np.flatnonzero(labelled.sketches), np.flatnonzero(~labelled.sketches)
        named = [("sketch → crop", sketches, crops), ("crop → crop", crops, crops)]
    cases = []
    for name, queries, gallery in named:
        asked = answerable(labelled.labels, queries, gallery)
        if len(asked):
            cases.append(Case(name, asked, gallery, len(queries) - len(asked)))
    return tuple(cases)


def model_name(model: Model) -> str:
    """Return what a model is called in the table."""
    settings = model.manifest.get("settings", {})
    trained = [settings.get("objective", "contrastive"), *settings.get("switches", [])]
    where = "bundled weights" if model.id == bundled_model().id else f"model {model.id[:8]}"
    return f"{where} ({model.shape.name}, {', '.join(trained)})"


def evaluate(
    archive: Archive,
    labelled: Labelled,
    model: Model,
    *,
    baselines: Mapping[str, Baseline] | None = None,
    curves: bool = False,
    seed: int = 0,
    report: Report = lambda done, total, remark: None,
) -> Evaluation:
    """Measure the model, and the `baselines` if any are given, on the labelled marks.

    `curves` adds the invariance curves. A baseline that the installation has no means for, or the
    archive no weights, keeps its row, which says so. A mark whose crop cannot be read, or has no
    ink, is left out (`Labelled.unread`, `without_ink`). Equal arguments give equal figures. Raises
    MetadataError when no query can be answered.
    """
    labelled = with_ink(
        archive,
        labelled,
        model.shape.size,
        lambda done, total: report(done, total, "reading the marks"),
    )
    cases = cases_of(labelled)
    if not cases:
        raise MetadataError(
            "No query can be answered: the labels have sketches, but no crop with the same label."
        )
    failures: dict[str, tuple[Failure, ...]] = {}
    rows = []
    own: dict[str, Baseline] = {model_name(model): lambda: model_features(model)}
    for name, make in {**own, **(baselines or {})}.items():
        try:
            features = make()
        except (SetupError, ModelError) as error:
            rows.append(Row(name, {}, None, str(error)))
            continue

        def shown(done: int, total: int, name: str = name) -> None:
            report(done, total, name)

        similarities, asked, note = _similarities(archive, labelled, cases, features, seed, shown)
        scores = {}
        for case in cases:
            similarity = similarities[case.name]
            ranked = rank(labelled.labels, asked[case.name], case.gallery, similarity, shown)
            scores[case.name] = score(ranked, seed)
            if name in own:
                failures[case.name] = _worst(labelled, case, ranked, similarity)
        bends = None
        if curves and isinstance(features, Features):
            chosen = _sample(np.arange(len(labelled.marks)), sample_size(features.side), seed)
            crops = [labelled.crops[row] for row in chosen]
            ink = np.concatenate(list(ink_pictures(archive, crops, features.side)))
            bends = invariance(features, ink, shown)
        rows.append(Row(name, scores, bends, note))
    return Evaluation(model.id, labelled, cases, tuple(rows), failures)


def _sample(rows: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    if len(rows) <= count:
        return rows
    return np.sort(np.random.default_rng([seed, 1]).choice(rows, count, replace=False))


def _similarities(
    archive: Archive,
    labelled: Labelled,
    cases: tuple[Case, ...],
    features: Features | Matching,
    seed: int,
    shown: Callable[[int, int], None],
) -> tuple[dict[str, Similarity], dict[str, NDArray[np.int64]], str]:
    """Return each case's similarity, the queries that are asked of it, and the row's note."""
    if isinstance(features, Features):
        vectors = vectors_of(archive, labelled.crops, features, shown)
        return (
            {case.name: compared(vectors, case.gallery, features) for case in cases},
            {case.name: case.queries for case in cases},
            features.note,
        )
    described: list[object] = []
    for ink in ink_pictures(archive, labelled.crops, features.side):
        described += features.describe(ink)
        shown(len(described), len(labelled.crops))
    asked, notes = {}, [features.note] if features.note else []
    for case in cases:
        most = max(_FEWEST_QUERIES, PAIRS // len(case.gallery))
        asked[case.name] = _sample(case.queries, most, seed)
        if most < len(case.queries):
            notes.append(
                f"{case.name}: {most} of {len(case.queries)} queries, chosen at random, seed {seed}"
            )
    return (
        {case.name: _paired(described, case.gallery, features, shown) for case in cases},
        asked,
        "; ".join(notes),
    )


def _paired(
    described: list[object],
    gallery: NDArray[np.int64],
    features: Matching,
    shown: Callable[[int, int], None],
) -> Similarity:
    def similarity(rows: NDArray[np.int64]) -> NDArray[np.float32]:
        scores = np.empty((len(rows), len(gallery)), np.float32)
        for done, (row, likenesses) in enumerate(zip(rows, scores, strict=True), start=1):
            for at, other in enumerate(gallery):
                likenesses[at] = features.likeness(described[row], described[other])
            shown(done, len(rows))
        return scores

    return similarity


def _worst(
    labelled: Labelled, case: Case, ranked: Ranked, similarity: Similarity
) -> tuple[Failure, ...]:
    """Return the queries whose first relevant mark stands last, one a label, worst first."""
    order = np.argsort(-ranked.first, kind="stable")
    _, heads = np.unique(ranked.labels[order], return_index=True)
    worst = [int(at) for at in order[np.sort(heads)][:WORST] if ranked.first[at] > 1]
    failures = []
    for at in worst:
        query = int(ranked.queries[at])
        scores = similarity(np.array([query]))[0]
        others = case.gallery != query
        listed = case.gallery[others][np.argsort(-scores[others], kind="stable")]
        right = labelled.labels[listed] == labelled.labels[query]
        failures.append(
            Failure(
                query,
                int(ranked.first[at]),
                int(listed[right][0]),
                tuple(int(mark) for mark in listed[:SHOWN]),
            )
        )
    return tuple(failures)
