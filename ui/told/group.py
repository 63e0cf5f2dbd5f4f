"""What `prizemarks group` says when it has finished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.marks import mark_rows
from retrieval.catalogue.suggesting import command_on
from retrieval.evaluation.agreement import Agreement
from retrieval.evaluation.labels import Labelled
from retrieval.grouping import Grouping
from ui.told.labels import label_fields
from ui.wording import alike_on_average, counted

#: Groups in the table, and marks of each whose sources are named.
LARGEST, NAMED = 10, 3
_SIZES = ((2, 2), (3, 3), (4, 5), (6, 10), (11, 20), (21, None))


def as_json(found: Grouping, labelled: Labelled | None, agreed: Agreement | None) -> dict[str, Any]:
    """Return a grouping for programs, every group with its marks."""
    return {
        "model": found.model,
        "share": found.share,
        "cosine": round(found.cosine, 6),
        "marks": found.marks,
        "without_ink": found.without_ink,
        "settled": found.settled,
        "groups": [
            {
                "marks": list(group.marks),
                "likeness": [round(likeness, 6) for likeness in group.likeness],
            }
            for group in found.groups
        ],
        "agreement": None
        if agreed is None or labelled is None
        else {
            **label_fields(labelled),
            "pairs_proposed": agreed.proposed,
            "pairs_relevant": agreed.relevant,
            "pairs_right": agreed.right,
            "precision": agreed.precision,
            "recall": agreed.recall,
            "f1": agreed.f1,
            "adjusted_rand": agreed.adjusted_rand,
        },
    }


def group_sentences(folder: Path, found: Grouping) -> list[str]:
    """Return a grouping for a person, one fact a line."""
    inside = sum(len(group.marks) for group in found.groups)
    lines = [
        f"{counted(len(found.groups), 'group')} with {inside:,} of {counted(found.marks, 'mark')} "
        f"under model {found.model}: {alike_on_average(found.share, few=found.few)} "
        f"(cosine {found.cosine:.3f})."
    ]
    sizes = [
        f"{number} of {least}{'' if most == least else f' to {most}' if most else ' or more'}"
        for least, most in _SIZES
        if (number := _between(found, least, most))
    ]
    if sizes:
        lines.append("Marks in a group: " + ", ".join(sizes) + ".")
    if found.without_ink:
        lines.append(
            f"{counted(found.without_ink, 'mark')} without ink left out: blank pictures cannot be "
            "compared."
        )
    if found.settled:
        settled = counted(found.settled, "of them has", "of them have")
        lines.append(f"{settled} already been judged by a person, and will not change.")
    if len(found.groups) > found.settled:
        lines.append(f"These are proposals. To review them: {command_on(folder, 'serve')}")
    return lines


def _between(found: Grouping, least: int, most: int | None) -> int:
    sizes = [len(group.marks) for group in found.groups]
    return sum(least <= size and (most is None or size <= most) for size in sizes)


def largest_table(archive: Archive, found: Grouping) -> Table:
    """Return the largest groups as a table."""
    shown = found.groups[:LARGEST]
    with archive.session() as session:
        rows = mark_rows(session, [mark for group in shown for mark in group.marks[:NAMED]])
    table = Table(title="The largest groups", title_justify="left")
    for heading in ("marks", "mean cosine", "the most typical: mark, source, reference"):
        table.add_column(heading, overflow="fold")
    for group in shown:
        named = [
            f"{mark}, {rows[mark].source}, {(rows[mark].document or {}).get('reference') or '-'}"
            for mark in group.marks[:NAMED]
            if mark in rows
        ]
        table.add_row(
            str(len(group.marks)),
            f"{group.cohesion:.3f}",
            "\n".join(map(escape, named)),
            end_section=True,
        )
    return table


def agreement_sentence(agreed: Agreement) -> str:
    """Say how well the groups agree with labels."""
    precision = "–" if agreed.precision is None else f"{agreed.precision:.3f}"
    return (
        f"Against the labels of {agreed.marks} marks: pairwise precision {precision} "
        f"({agreed.right} of {agreed.proposed} proposed pairs), recall {agreed.recall:.3f} (of "
        f"{agreed.relevant}), F1 {agreed.f1:.3f}; adjusted Rand index {agreed.adjusted_rand:.3f}."
    )
