"""What `prizemarks status` says about an archive."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

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
from ui.wording import counted, some_of, waits

#: Pages that look like another which are named.
_MOST_ALIKE = 5
#: Files that are missing which are named.
_MOST_MISSING = 5


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

    def as_json(self) -> dict[str, Any]:
        """Return the status for a program."""
        return asdict(self)

    def sentences(self) -> list[str]:
        """Return the status for a person, one fact a line."""
        held = self.counts
        marks = ", ".join(f"{number} {status}" for status, number in held.marks.items())
        lines = [
            f"{self.folder}",
            f"  documents   {held.documents} ({held.documents_without_pages} without a page)",
            f"  pages       {held.pages} ({held.pages_without_document} without a document, "
            f"{held.duplicate_pages} copies of another, {held.resembling_pages} that look like "
            "another)",
            f"  marks       {sum(held.marks.values())} ({marks})",
            f"  identities  {held.identities}",
            f"  groups      {held.groups['proposed']} to review, {held.groups['same']} accepted, "
            f"{held.groups['different']} refused",
            f"  quarantine  {held.failures}" + (" (see quarantine.csv)" if held.failures else ""),
            *(f"    {number:>6} {reason}" for reason, number in self.failure_reasons.items()),
            f"  model       {self.model or 'none'}",
            f"  not indexed {self.not_indexed}",
        ]
        if self.everywhere.pages:
            lines += _everywhere_sentences(self.index_command, self.everywhere)
        lines += [
            f"{counted(number, 'page')} whose marks were proposed by {segmenter}, not "
            f"{self.segmenter}."
            for segmenter, number in self.older_segmenters.items()
        ]
        if sum(self.older_segmenters.values()) > self.older_missing:
            anew = command_on(self.folder, "ingest", "--resegment")
            lines.append(f"To look for marks on them again: {anew}")
        if self.older_missing:
            lines.append(
                f"{counted(self.older_missing, 'page')} of these cannot be read again: the files "
                "are missing."
            )
        if self.missing_masters:
            missing = counted(
                len(self.missing_masters), "page file is missing", "page files are missing"
            )
            lines.append(
                f"{missing}. The marks are kept; if the files have moved, ingest them from their "
                "new place:"
            )
            named = [f"  {source}" for source in self.missing_masters]
            lines += some_of(named, _MOST_MISSING, "more")
        alike = [f"  {one.called} looks like {one.like_called}" for one in self.resembling]
        if alike:
            lines.append("Perhaps the same page, scanned or saved twice:")
            lines += some_of(alike, _MOST_ALIKE, "more")
        if held.failures:
            again = command_on(self.folder, "ingest", "--retry-quarantined")
            lines.append(f"To retry them: {again}")
        if self.training_problem is not None:
            anew = command_on(self.folder, "train", "--restart")
            lines += [self.training_problem, f"To train from the start: {anew}"]
        elif self.unfinished_training:
            resume = command_on(self.folder, "train", "--resume")
            lines.append(f"Interrupted training: {resume}")
        if self.model_problem is not None:
            lines.append(self.model_problem)
        if self.model is None:
            lines.append(f"To search with another model meanwhile: {self.search_command}")
        if not held.pages:
            lines.append(f"Next: {command_on(self.folder, 'ingest', 'SOURCE')}")
        elif self.not_indexed:
            lines.append(f"Next: {self.index_command}")
        if self.model_waiting is not None:
            index = command_on(self.folder, "index")
            lines.append(f"{waits(self.model_waiting)} To search with it: {index}")
        return lines


def _everywhere_sentences(command: str, found: Standing) -> list[str]:
    """Return which pages `search --everywhere` covers, and the command that updates them."""
    line = f"  everywhere  {found.searchable} of {counted(found.pages, 'page')}"
    if found.older:
        line += f", {found.older} of them indexed by an older version"
    if found.missing:
        line += f"; {found.missing} not yet"
    if found.other_model:
        line += f", of which {found.other_model} only under another model"
    lines = [line]
    if found.current < found.pages:
        lines.append(f"To update: {command} --everywhere")
    return lines


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
