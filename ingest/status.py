"""The state of an archive: what is in it, what failed, and what is out of date."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.everywhere import Standing, standing
from ingest.missing import missing_masters
from ingest.segmentation import SEGMENTER
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ModelError, TrainingError
from retrieval.catalogue.figures import Counts, counts, failure_reasons, pages_of_others
from retrieval.catalogue.marks import number_to_embed
from retrieval.catalogue.resemblances import ResemblanceRow, resemblances
from retrieval.catalogue.suggesting import command_on
from retrieval.index_state import index_command, named_model
from retrieval.ink import SEEN
from retrieval.learn import has_unfinished_run
from retrieval.which_model import archive_model, model_at_hand, searched_model, waiting_model


@dataclass(frozen=True)
class Status:
    """The state of an archive and what to do next."""

    folder: str
    counts: Counts
    model: str | None  # that searches are made under; None: it cannot be had
    model_waiting: str | None  # trained since, and not indexed yet
    model_problem: str | None  # why either of them cannot be had
    model_at_hand: str  # `model`, or what can be searched under instead of it
    not_indexed: int  # under the model at hand
    everywhere: Standing  # the same
    unfinished_training: bool
    training_problem: str | None  # why it cannot be gone on with
    failure_reasons: dict[str, int]
    segmenter: str
    older_segmenters: dict[str, int]  # pages by the segmenter that proposed their marks
    older_missing: int  # of these pages, those whose masters are not at hand
    missing_masters: tuple[str, ...]  # sources of pages
    resembling: tuple[ResemblanceRow, ...]
    search_command: str  # under the model at hand
    index_command: str  # that brings `not_indexed` to nothing


def archive_status(archive: Archive) -> Status:
    """Return the state of an archive under the model that a search would use.

    Where its files are lost, under that which can be searched instead.
    """
    searched = waiting = model_problem = problem = None
    try:
        searched = searched_model(archive)
        if (waiting := waiting_model(archive)) is not None:
            archive_model(archive, waiting)
    except ModelError as error:
        model_problem, waiting = str(error), None
    model = searched or model_at_hand(archive)
    try:
        unfinished = has_unfinished_run(archive)
    except TrainingError as error:
        unfinished, problem = True, str(error)
    named = "" if searched else f"--model {named_model(model.id)}"
    with archive.session() as session:
        held = counts(session)
        not_indexed = number_to_embed(session, model.id, SEEN)
        reasons = failure_reasons(session)
        older = pages_of_others(session, SEGMENTER)
        alike = tuple(resemblances(session))
    missing = missing_masters(archive)
    return Status(
        folder=str(archive.folder),
        counts=held,
        model=None if searched is None else searched.id,
        model_waiting=waiting,
        model_problem=model_problem,
        model_at_hand=model.id,
        not_indexed=not_indexed,
        everywhere=standing(archive, model),
        unfinished_training=unfinished,
        training_problem=problem,
        failure_reasons=reasons,
        segmenter=SEGMENTER,
        older_segmenters={name: sum(pages.values()) for name, pages in older.items()},
        older_missing=sum(pages.get(one, 0) for pages in older.values() for one in missing),
        missing_masters=missing,
        resembling=alike,
        search_command=command_on(archive.folder, "search", f"IMAGE {named}".strip()),
        index_command=index_command(archive, model.id),
    )
