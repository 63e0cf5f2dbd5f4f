"""Search results as the command prints them: JSON lines for programs, a table for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from retrieval.search import Hit
from ui.wording import alikeness


def as_json(query: str, model: str, hits: Sequence[Hit]) -> str:
    """Return one query's ranked list as a JSON object on one line."""
    answer = {"query": query, "model": model, "results": [_result(hit) for hit in hits]}
    return json.dumps(answer, ensure_ascii=False)


def _result(hit: Hit) -> dict[str, Any]:
    return {
        "rank": hit.rank,
        "mark": hit.mark,
        "score": round(hit.score, 6),
        "source": hit.source,
        "page": hit.page,
        "box": list(hit.box),
        "document": hit.document,
    }


def as_table(query: str, hits: Sequence[Hit]) -> Table:
    """Return one query's ranked list as a table with calibrated scores."""
    table = Table(title=escape(query), title_justify="left")
    for heading in ("", "mark", "how alike", "source", "box", "reference", "ship", "date"):
        table.add_column(heading, overflow="fold")
    for hit in hits:
        document = hit.document or {}
        table.add_row(
            str(hit.rank),
            str(hit.mark),
            alikeness(hit.unrelated),
            escape(hit.source),
            ",".join(map(str, hit.box)),
            *(escape(str(document.get(name) or "")) for name in ("reference", "ship", "date")),
        )
    return table
