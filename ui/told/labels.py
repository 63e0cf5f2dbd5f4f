"""What became of a labels file's rows, for a person and for programs."""

from __future__ import annotations

from typing import Any

from retrieval.evaluation.labels import Labelled
from ui.wording import counted, some_of, unread_sentences

#: Most rows without a mark that are listed one by one; --json lists all.
MOST_MISSED = 5


def label_sentences(labelled: Labelled) -> list[str]:
    """Return what became of the rows of a labels file, one fact a line."""
    marks, labels = len(labelled.marks), len(labelled.names)
    lines = [f"{counted(marks, 'mark')} with {counted(labels, 'label')}."]
    if labelled.unknown:
        unknown = counted(
            len(labelled.unknown), "source is not in the archive", "sources are not in the archive"
        )
        lines.append(f"{unknown}; skipped, such as {labelled.unknown[0]!r}.")
    if labelled.missed:
        lines.append(f"{counted(len(labelled.missed), 'row matches', 'rows match')} no mark:")
        lines += some_of(labelled.missed, MOST_MISSED)
    if labelled.on_copies:
        lines.append(
            f"{counted(labelled.on_copies, 'mark')} on duplicate pages skipped: label marks on "
            "the original pages instead."
        )
    if labelled.same_picture:
        lines.append(
            f"{counted(labelled.same_picture, 'mark')} skipped: same picture, byte for byte, as "
            "another mark with that label."
        )
    if labelled.without_ink:
        lines.append(
            f"{counted(labelled.without_ink, 'mark')} without ink skipped: blank pictures all look "
            "alike."
        )
    if labelled.unlabelled:
        lines.append(f"{counted(labelled.unlabelled, 'row')} without a label skipped.")
    if labelled.several:
        lines.append(
            f"{counted(len(labelled.several), 'row')} skipped, because a mark has only one label "
            "here. Write it in a column 'label', which is read instead of 'identity':"
        )
        lines += some_of(labelled.several, MOST_MISSED)
    said = f"{counted(len(labelled.unread), 'mark')} could not be measured:"
    return lines + unread_sentences(said, labelled.unread)


def label_fields(labelled: Labelled) -> dict[str, Any]:
    """Return the same as fields of an object for JSON, with all that was passed over."""
    return {
        "marks": len(labelled.marks),
        "labels": len(labelled.names),
        "unknown_sources": list(labelled.unknown),
        "missed_rows": list(labelled.missed),
        "on_copies": labelled.on_copies,
        "same_picture": labelled.same_picture,
        "without_ink": labelled.without_ink,
        "unlabelled_rows": labelled.unlabelled,
        "rows_of_several_names": list(labelled.several),
        "unread": list(labelled.unread),
    }
