"""Search results as the command prints them: JSON lines for programs, a table for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.markup import escape
from rich.table import Table

from retrieval.everywhere import Found
from retrieval.orientation import UPRIGHT, Orientation
from retrieval.search import Hit
from ui.canvases import beyond
from ui.wording import alikeness, held_in_words


def as_json(
    query: str, model: str, hits: Sequence[Found], ways: Sequence[Orientation] = (UPRIGHT,)
) -> str:
    """Return one query's ranked list as a JSON object on one line.

    Where the query was held in several `ways`, each result says in which one it was found:
    `turned`, degrees clockwise, after it was `mirrored`, left for right, or not. `unrelated` is
    the share of unrelated marks that look as alike, of a place that of unrelated spots, in (0, 1],
    to three figures. `status` says whether a person confirmed the mark or the program proposed it.
    `mark` and `status` are null for a place that is no mark. Where the page's IIIF canvas says
    what its document does not, that is in `canvas`: `label`, `attribution`, `rights`, those of
    them that there are.
    """
    results = [_result(hit) | (_way(hit) if len(ways) > 1 else {}) | _canvas(hit) for hit in hits]
    return json.dumps({"query": query, "model": model, "results": results}, ensure_ascii=False)


def _way(hit: Found) -> dict[str, Any]:
    return {"turned": hit.held.turned, "mirrored": hit.held.mirrored}


def _canvas(hit: Found) -> dict[str, Any]:
    said = beyond(hit.canvas, hit.document)
    if said is None:
        return {}
    return {"canvas": {name: text for name, text in asdict(said).items() if text is not None}}


def _result(hit: Found) -> dict[str, Any]:
    return {
        "rank": hit.rank,
        "mark": hit.mark if isinstance(hit, Hit) else None,
        "status": hit.status if isinstance(hit, Hit) else None,
        "score": round(hit.score, 6),
        "unrelated": float(f"{hit.unrelated:.3g}"),
        "source": hit.source,
        "page": hit.page,
        "box": list(hit.box),
        "document": hit.document,
    }


def as_table(query: str, hits: Sequence[Found], ways: Sequence[Orientation] = (UPRIGHT,)) -> Table:
    """Return one query's ranked list as a table with calibrated scores.

    Where the query was held in several `ways`, a column says in which one each was found.
    """
    table = Table(title=escape(query), title_justify="left")
    several = len(ways) > 1
    way = ["the query"] if several else []
    for heading in ("", "mark", "how alike", *way, "source", "box", "reference", "ship", "date"):
        table.add_column(heading, overflow="fold")
    for hit in hits:
        document = hit.document or {}
        table.add_row(
            str(hit.rank),
            str(hit.mark) if isinstance(hit, Hit) else "none",
            alikeness(hit.unrelated, "mark" if isinstance(hit, Hit) else "spot"),
            *([held_in_words(hit.held)] if several else []),
            escape(hit.source),
            ",".join(map(str, hit.box)),
            *(escape(str(document.get(name) or "")) for name in ("reference", "ship", "date")),
        )
    return table
