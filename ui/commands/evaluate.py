"""`prizemarks evaluate`: how well marks find their like, and how well pages' marks are found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.files import check_is_outside
from retrieval.settings import read_settings
from ui.command import (
    DONE,
    FAILURES,
    ArchiveArgument,
    JsonOption,
    ModelOption,
    archive_to_read,
    rendered,
)
from ui.progress import bar

if TYPE_CHECKING:
    from retrieval.evaluation.evaluate import Evaluation
    from retrieval.evaluation.labels import Labelled
    from ui.told.regions import Regions


def evaluate(
    archive: ArchiveArgument,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            help="CSV with columns source,label: marks with the same label are the same mark.",
        ),
    ] = None,
    regions: Annotated[
        Path | None,
        typer.Option(
            metavar="TRUTH.csv",
            help="CSV with columns source,x,y,width,height or source,x0,y0,x1,y1: all marks of the "
            "pages named. A row with an empty box is a page without a mark; other pages are "
            "ignored.",
        ),
    ] = None,
    complete: Annotated[
        bool,
        typer.Option(
            "--complete", help="With --regions: pages not named in TRUTH.csv have no marks."
        ),
    ] = False,
    baselines: Annotated[
        bool,
        typer.Option(
            "--baselines", help="With --labels: also measure pixels, HOG, SIFT and other features."
        ),
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write HTML reports with figures and failures to this folder."
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Use only the labels with this value in their column split.")
    ] = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how well searches find labelled marks, and how well marks are found on pages.

    Nothing in the archive changes. Marks that a person confirmed or imported also count as found;
    rejected ones do not.

    Example: prizemarks evaluate my-archive --labels labels.csv --baselines --report report
    """
    from retrieval.evaluation.labels import find_marks, read_labels
    from ui.evaluation.page import write_report
    from ui.evaluation.regions_page import write_regions_report

    with archive_to_read(archive) as opened:
        for_labels = baselines or split is not None or model is not None
        _check_asked(labels, regions, for_labels=for_labels, for_regions=complete)
        if report is not None:
            check_is_outside(report, opened.folder)
        # Both files are read before anything is measured at length.
        labelled = None
        if labels is not None:
            labelled = find_marks(opened, read_labels(labels, split), labels.name)
        covered = _covered(opened, regions, complete) if regions is not None else None
        found = None
        if labelled is not None:
            found = _measured(opened, labelled, model, baselines, curves=report is not None)
        _say(found, covered, as_json)  # before the reports: if one cannot be written, this is kept
        written = []
        if report is not None and found is not None and labels is not None:
            written.append(write_report(opened, found, report, labels.name))
        if report is not None and covered is not None and regions is not None:
            limit = read_settings(archive).max_pixels
            written.append(write_regions_report(opened, covered, report, regions.name, limit))
    if not as_json:
        for path in written:
            typer.echo(f"Report: {path}")
    raise typer.Exit(FAILURES if found is not None and found.labelled.unread else DONE)


def _check_asked(
    labels: Path | None, regions: Path | None, *, for_labels: bool, for_regions: bool
) -> None:
    """Raise RequestError where options are given without the file that they need."""
    if labels is None and regions is None:
        raise RequestError(
            "There is nothing to measure against: give --labels, --regions, or both."
        )
    if labels is None and for_labels:
        raise RequestError("--baselines, --split and --model need --labels: give it as well.")
    if regions is None and for_regions:
        raise RequestError("--complete needs --regions: give it as well.")


def _say(found: Evaluation | None, covered: Regions | None, as_json: bool) -> None:
    """Print what was measured by labels and by regions."""
    from ui.told import evaluate as answers
    from ui.told import regions as region_answers
    from ui.told.labels import label_sentences

    if as_json:
        answer = answers.as_json(found) if found is not None else {}
        if covered is not None:
            answer["regions"] = region_answers.as_json(covered)
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    if found is not None:
        for line in label_sentences(found.labelled):
            typer.echo(line)
        for case in found.cases:
            typer.echo(rendered(answers.case_table(found, case)))
        for line in answers.note_sentences(found):
            typer.echo(line)
    if covered is not None:
        for line in region_answers.region_sentences(covered):
            typer.echo(line)
        typer.echo(rendered(region_answers.recall_table(covered)))
        typer.echo(rendered(region_answers.shown_table(covered)))


def _measured(
    archive: Archive, labelled: Labelled, model: str | None, baselines: bool, *, curves: bool
) -> Evaluation:
    from retrieval.evaluation.baselines import baselines_of
    from retrieval.evaluation.evaluate import evaluate as measure
    from retrieval.which_model import archive_model

    chosen = archive_model(archive, model)
    besides = baselines_of(archive, chosen) if baselines else None
    with bar("Evaluating") as show:
        return measure(archive, labelled, chosen, baselines=besides, curves=curves, report=show)


def _covered(archive: Archive, regions: Path, complete: bool) -> Regions:
    from ingest.segmentation import DEFAULT_THRESHOLD
    from retrieval.evaluation.coverage import coverage
    from retrieval.evaluation.regions import check_pages, read_regions
    from ui.told.regions import Regions

    checked = check_pages(archive, read_regions(regions), regions.name, complete=complete)
    measured = coverage([page.covered for page in checked.pages], DEFAULT_THRESHOLD)
    return Regions(checked, measured, DEFAULT_THRESHOLD, complete)
