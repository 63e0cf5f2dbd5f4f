"""What became of a labels file's rows, for a person and for programs."""

from __future__ import annotations

from typing import Any

from retrieval.evaluation.labels import Labelled
from ui.wording import counted, some_of, unread_sentences

#: Rows of the labels file that met no mark and are told one by one; --json tells all.
MOST_MISSED = 5


def label_sentences(labelled: Labelled) -> list[str]:
    """Return what became of the rows of a labels file, one fact a line."""
    lines = [f"{len(labelled.marks)} marks of {len(labelled.names)} labels."]
    if labelled.unknown:
        lines.append(
            f"{len(labelled.unknown)} sources are not in the archive and were passed over, "
            f"such as {labelled.unknown[0]!r}."
        )
    if labelled.missed:
        lines.append(f"{len(labelled.missed)} rows mean no mark:")
        lines += some_of(labelled.missed, MOST_MISSED)
    if labelled.on_copies:
        lines.append(
            f"{counted(labelled.on_copies, 'mark')} on copies of pages passed over: label the "
            "pages that they are copies of."
        )
    if labelled.same_picture:
        lines.append(
            f"{counted(labelled.same_picture, 'mark')} passed over: the picture is byte for byte "
            "that of another mark of the label."
        )
    if labelled.without_ink:
        lines.append(
            f"{counted(labelled.without_ink, 'mark')} without ink passed over: each would be found "
            "by any other."
        )
    if labelled.unlabelled:
        lines.append(f"{counted(labelled.unlabelled, 'row')} without a label passed over.")
    if labelled.several:
        lines.append(
            f"{counted(len(labelled.several), 'row')} passed over, for a mark has one label here. "
            "Write it in a column 'label', which goes before 'identity':"
        )
        lines += some_of(labelled.several, MOST_MISSED)
    said = f"Nothing was measured of {counted(len(labelled.unread), 'mark')}:"
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
