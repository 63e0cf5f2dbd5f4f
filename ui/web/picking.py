"""Which pages and marks a person is offered to start from."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from retrieval.catalogue.documents import Filters, document_conditions, in_order_of_reference
from retrieval.catalogue.marks import how_likely
from retrieval.catalogue.spelling import holds
from retrieval.catalogue.tables import Document, Mark, Page
from ui.web.wording import isolated
from ui.wording import known

#: Pages offered at once: more than this nobody scrolls through, and every one goes to the browser.
MOST_OFFERED = 300
#: Marks among which one to start from is sought: those of a few pages.
_LOOKED_AT = 200


@dataclass(frozen=True)
class Offered:
    """Pages to choose from: their names by id, and how many match in all."""

    names: dict[int, str]
    fitting: int


def offered_pages(session: Session, text: str, where: Filters, also: int | None = None) -> Offered:
    """Return the pages whose reference, title, ship or file name contains every word of `text`.

    Upper and lower case are the same.

    `where` narrows them as it narrows a search. Documents come in the order of their references,
    pages in that of their document. The page `also` is offered whatever it is called.
    """
    conditions = document_conditions(where)
    conditions += [_holds(word) for word in text.split()[:8]]
    columns = (Page.id, Page.source, Page.frame, Document.reference, Document.title)
    query = select(*columns).outerjoin(Document, Document.id == Page.document_id)
    fitting = session.scalar(
        select(func.count())
        .select_from(Page)
        .outerjoin(Document, Document.id == Page.document_id)
        .where(*conditions)
    )
    order = (*in_order_of_reference(), Page.ordinal, Page.id)
    rows = list(session.execute(query.where(*conditions).order_by(*order).limit(MOST_OFFERED)))
    if also is not None and also not in {row[0] for row in rows}:
        rows = [*session.execute(query.where(Page.id == also)), *rows]
    return Offered({row[0]: _name(*row[1:]) for row in rows}, fitting or 0)


def _holds(word: str) -> ColumnElement[bool]:
    # Of a document with many pages it is found out once.
    named = (holds(column, word) for column in (Document.reference, Document.title, Document.ship))
    return or_(
        Page.document_id.in_(select(Document.id).where(or_(*named))), holds(Page.source, word)
    )


def _name(source: str, frame: int, reference: str | None, title: str | None) -> str:
    file = source.rsplit("/", 1)[-1] + (f" [{frame + 1}]" if frame else "")
    parts = (known(reference), file, known(title))
    return " · ".join(isolated(part) for part in parts if part)


def sampled_marks(session: Session, number: int) -> list[int]:
    """Return up to `number` marks from all over the archive: the same until it changes.

    Of each part of the archive it is the likeliest to be a mark among the first `_LOOKED_AT`: a
    confirmed one, else the likeliest proposal. Most proposals are not marks.
    """
    last = session.scalar(select(func.max(Mark.id))) or 0
    found: list[int] = []
    for part in range(number):
        first, end = part * last // number, (part + 1) * last // number
        here = (
            select(Mark.id, Mark.status, how_likely().label("likely"))
            .where(Mark.id > first, Mark.id <= end, Mark.status != "rejected")
            .order_by(Mark.id)
            .limit(_LOOKED_AT)
            .subquery()
        )
        likeliest = (here.c.status == "confirmed").desc(), func.coalesce(here.c.likely, 0).desc()
        found += session.scalars(select(here.c.id).order_by(*likeliest, here.c.id).limit(1))
    return found
