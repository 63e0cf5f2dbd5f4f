"""What the sentences of several commands have in common: facts that count, and names of files."""

from __future__ import annotations

from collections.abc import Sequence

#: Remarks on the documents file that are shown; it may be wrong in every line.
MOST_PROBLEMS = 10
#: Pages without a document, and documents without a page, that are named.
MOST_NAMED = 5

TO_PAGES = "to look for marks in such files, ingest the folder that directly contains them."
TO_CROPS = (
    "to treat each as one mark, ingest the folder that directly contains them with --as marks."
)
ON_PERMISSIONS = "Check its permissions, then run this again."


def that_count(facts: Sequence[tuple[int, str]]) -> list[str]:
    """Return the sentences whose number is not 0."""
    return [sentence for number, sentence in facts if number]


def imageless(manifests: Sequence[str]) -> list[str]:
    """Return what to do about each manifest that has no image."""
    return [
        f"{one} has no supported image. Open it in a IIIF viewer: if it shows images, download "
        "them and ingest the files."
        for one in manifests
    ]


def named(left: Sequence[str]) -> str:
    """Return ": a, b, c and 9 more (--json: all)", or nothing where nothing is named."""
    if not left:
        return ""
    more = len(left) - MOST_NAMED
    others = f" and {more} more (--json: all)" if more > 0 else ""
    return f": {', '.join(left[:MOST_NAMED])}{others}"
