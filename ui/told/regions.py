"""How well known boxes are covered, on the terminal: two tables and sentences, or JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from retrieval.evaluation.coverage import FIRST, Coverage, Recall, Shown
from retrieval.evaluation.measures import Estimate
from retrieval.evaluation.regions import Checked
from ui.told.evaluate import interval
from ui.told.labels import MOST_MISSED
from ui.wording import counted, some_of

#: The measures as a table heads them; the last two are those at the threshold or over.
HEADINGS = {
    "centre_in_first": f"centre\nin {FIRST}",
    "overlap_in_first": f"IoU 0.5\nin {FIRST}",
    "centre_in_all": "centre\nin all",
    "overlap_in_all": "IoU 0.5\nin all",
    "centre_shown": "centre\nshown",
    "overlap_shown": "IoU 0.5\nshown",
}


@dataclass(frozen=True)
class Regions:
    """The pages that were checked, what was measured on them, and the threshold that held."""

    checked: Checked
    coverage: Coverage
    threshold: float
    complete: bool  # pages that the file does not name count as pages without a mark


def region_sentences(regions: Regions) -> list[str]:
    """Return what became of the file's rows, one fact a line."""
    checked, total = regions.checked, regions.coverage.recall[0]
    empty = len(checked.pages) - total.pages
    lines = [f"{counted(total.boxes, 'box', 'boxes')} on {counted(total.pages, 'page')}."]
    lines.append(
        f"{counted(empty, 'page')} without a mark"
        + (", pages that the file does not name among them." if regions.complete else ".")
    )
    segmented = ", ".join(f"{name} ({count})" for name, count in checked.segmenters.items())
    lines.append(f"Segmented by {segmented}.")
    if checked.unknown:
        lines.append(
            f"{counted(len(checked.unknown), 'source')} of the regions not in the archive and "
            f"passed over, such as {checked.unknown[0]!r}."
        )
    if checked.passed_over:
        lines.append(f"{counted(len(checked.passed_over), 'row')} passed over:")
        lines += some_of(checked.passed_over, MOST_MISSED)
    return lines


def recall_table(regions: Regions) -> Table:
    """Return the shares of the boxes that were found, with 95 % intervals, a sort a row."""
    table = Table(
        title=f"boxes found (shown: score or realism >= {regions.threshold:g})",
        title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False,
    )  # fmt: skip
    table.add_column("", overflow="fold")
    table.add_column("boxes", justify="right", no_wrap=True)
    for heading in HEADINGS.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for recall in regions.coverage.recall:
        cells = [_cell(recall.shares.get(name)) for name in HEADINGS]
        table.add_row(escape(sort_name(recall)), str(recall.boxes), *cells)
    return table


def shown_table(regions: Regions) -> Table:
    """Return how many proposals a page shows, and how many of them are false."""
    table = Table(
        title=f"proposals a page, score or realism >= {regions.threshold:g}, mean and median",
        title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False,
    )  # fmt: skip
    table.add_column("pages")
    table.add_column("", justify="right", no_wrap=True)
    for heading in ("proposals\nmean", "\nmedian", "false\nmean", "\nmedian"):
        table.add_column(heading, justify="right", no_wrap=True)
    for shown in regions.coverage.shown:
        cells = [
            f"{one.value:.1f}\n[dim]{one.low:.1f}–{one.high:.1f}[/dim]"
            for spread in (shown.proposals, shown.false)
            for one in (spread.mean, spread.median)
        ]
        table.add_row(pages_name(shown), str(shown.pages), *cells)
    return table


def sort_name(recall: Recall) -> str:
    """Return what a row of boxes is called."""
    if recall.sort is None:
        return "all"
    return recall.sort or "(no sort)"


def pages_name(shown: Shown) -> str:
    """Return what a row of pages is called."""
    return "with marks" if shown.marked else "without"


def as_json(regions: Regions) -> dict[str, Any]:
    """Return everything that was measured as an object for JSON."""
    checked = regions.checked
    return {
        "pages": len(checked.pages),
        "boxes": regions.coverage.recall[0].boxes,
        "first": FIRST,
        "threshold": regions.threshold,
        "complete": regions.complete,
        "segmenters": checked.segmenters,
        "unknown_sources": list(checked.unknown),
        "passed_over": list(checked.passed_over),
        "recall": [asdict(one) for one in regions.coverage.recall],
        "shown": [
            {
                "pages": pages_name(one),
                "number": one.pages,
                "proposals": asdict(one.proposals),
                "false": asdict(one.false),
            }
            for one in regions.coverage.shown
        ],
    }


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    return f"{estimate.value:.3f}\n[dim]{interval(estimate)}[/dim]"
