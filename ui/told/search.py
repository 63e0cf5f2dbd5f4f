"""Search results for whom they are: JSON lines for programs, a table for people, CSV to keep."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.markup import escape
from rich.table import Table

from ingest.csv_text import BYTE_ORDER_MARK, as_shown, table_text
from retrieval.orientation import UPRIGHT, Orientation
from retrieval.search import Found, Hit
from ui.canvases import beyond
from ui.wording import alikeness, held_in_words, is_notable, known

#: The columns of `as_csv`: of the result, of its document, of its page's canvas.
_OF_HIT = (
    "rank", "mark", "status", "unrelated", "source", "page", "x", "y", "width", "height",
)  # fmt: skip
_OF_DOCUMENT = ("reference", "title", "date", "ship", "captain", "place")
_OF_CANVAS = ("page_label", "attribution", "rights")


def as_json(
    query: str,
    model: str,
    hits: Sequence[Found],
    names: Mapping[int, str],
    ways: Sequence[Orientation] = (UPRIGHT,),
) -> str:
    """Return one query's ranked list as a JSON object on one line.

    Where the query was held in several `ways`, each result says in which one it was found:
    `turned`, degrees clockwise, after it was `mirrored`, left for right, or not. `unrelated` is
    the share of unrelated marks that look as alike, of a place that of unrelated spots, in (0, 1],
    to three figures. `status` says whether a person confirmed the mark or the program proposed it.
    `identity` is what the mark is said to be by `names`, or null. `mark` and `status` are null for
    a place without a mark. Where the page's IIIF canvas says
    what its document does not, that is in `canvas`: `label`, `attribution`, `rights`, those of
    them that there are.
    """
    results = [
        _result(hit, names) | (_way(hit) if len(ways) > 1 else {}) | _canvas(hit) for hit in hits
    ]
    return json.dumps({"query": query, "model": model, "results": results}, ensure_ascii=False)


def _way(hit: Found) -> dict[str, Any]:
    return {"turned": hit.held.turned, "mirrored": hit.held.mirrored}


def _canvas(hit: Found) -> dict[str, Any]:
    said = beyond(hit.canvas, hit.document)
    if said is None:
        return {}
    return {"canvas": {name: text for name, text in asdict(said).items() if text is not None}}


def _result(hit: Found, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "rank": hit.rank,
        "mark": hit.mark if isinstance(hit, Hit) else None,
        "status": hit.status if isinstance(hit, Hit) else None,
        "identity": _identity(hit, names),
        "score": round(hit.score, 6),
        "unrelated": float(f"{hit.unrelated:.3g}"),
        "source": hit.source,
        "page": hit.page,
        "box": list(hit.box),
        "document": hit.document,
    }


def _identity(hit: Found, names: Mapping[int, str]) -> str | None:
    return names.get(hit.mark) if isinstance(hit, Hit) else None


def as_csv(
    hits: Sequence[Found], names: Mapping[int, str], ways: Sequence[Orientation] = (UPRIGHT,)
) -> str:
    """Return one query's ranked list as a table in CSV, as a spreadsheet shows it.

    Its columns are called as those of `export --format csv` and the fields of `as_json`, without
    `score`, which is a proposal's in such tables; `names` are the identities of marks. What would
    be run as a formula is written as text.
    """
    several = ("turned", "mirrored") if len(ways) > 1 else ()
    rows = []
    for hit in hits:
        said, document = beyond(hit.canvas, hit.document), hit.document or {}
        found = [
            *(document.get(name) for name in _OF_DOCUMENT),
            *((said.label, said.attribution, said.rights) if said is not None else [None] * 3),
            _identity(hit, names),
        ]
        rows.append(
            [
                hit.rank,
                hit.mark if isinstance(hit, Hit) else None,
                hit.status if isinstance(hit, Hit) else None,
                float(f"{hit.unrelated:.3g}"),
                as_shown(hit.source),
                hit.page,
                *hit.box,
                *(_way(hit).values() if several else ()),
                *(as_shown(known(one)) for one in found),
            ]
        )
    columns = (*_OF_HIT, *several, *_OF_DOCUMENT, *_OF_CANVAS, "identity")
    return BYTE_ORDER_MARK + table_text(columns, rows)


def as_table(
    query: str,
    hits: Sequence[Found],
    names: Mapping[int, str],
    ways: Sequence[Orientation] = (UPRIGHT,),
) -> Table:
    """Return one query's ranked list as a table with calibrated scores.

    Where the query was held in several `ways`, a column says in which one each was found; where
    people said anything of the marks, another gives it: confirmed, or its identity by `names`.
    """
    table = Table(title=escape(query), title_justify="left")
    way = ["the query"] if len(ways) > 1 else []
    said = [_said(hit, names) for hit in hits]
    of_people = ["identity"] if any(said) else []
    headings = (
        "", "mark", *of_people, "how alike", *way, "source", "box", "reference", "ship", "date",
    )  # fmt: skip
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for hit, word in zip(hits, said, strict=True):
        document = hit.document or {}
        table.add_row(
            str(hit.rank),
            str(hit.mark) if isinstance(hit, Hit) else "none",
            *([escape(word)] if of_people else []),
            alikeness(hit.unrelated, "mark" if isinstance(hit, Hit) else "spot"),
            *([held_in_words(hit.held)] if way else []),
            escape(hit.source),
            ",".join(map(str, hit.box)),
            *(escape(str(document.get(name) or "")) for name in ("reference", "ship", "date")),
        )
    return table


def caution(hits: Sequence[Found], *, few: bool) -> str | None:
    """Return what to say above one query's ranked list in which nothing is clearly alike, if so.

    `few` says that the archive has too few marks to know how rare a likeness of two of them is.
    """
    if not hits or any(is_notable(hit.unrelated) for hit in hits):
        return None
    if few and all(isinstance(hit, Hit) for hit in hits):
        return "There are too few marks to say how rare a likeness is: compare them by eye."
    return (
        "Nothing here is clearly alike. Many unrelated marks are as close as the closest ones: "
        "treat them as hints at most."
    )


def _said(hit: Found, names: Mapping[int, str]) -> str:
    """Return what people said of a result: its identity, or that it is a mark."""
    confirmed = "a mark" if isinstance(hit, Hit) and hit.status == "confirmed" else ""
    return _identity(hit, names) or confirmed
