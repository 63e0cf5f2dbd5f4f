"""How much an archive holds, in figures."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from retrieval.catalogue.groups import groups_to_judge
from retrieval.catalogue.tables import (
    Document,
    Embedding,
    Failure,
    Group,
    Identity,
    Mark,
    Model,
    Page,
    Resemblance,
)


@dataclass(frozen=True)
class Size:
    """How large an archive is, in what a visitor of it looks for."""

    documents: int
    pages: int
    marks: int  # that nobody rejected


def size(session: Session) -> Size:
    """Return how many documents, pages and marks there are."""
    return Size(
        documents=_number(session, select(func.count()).select_from(Document)),
        pages=_number(session, select(func.count()).select_from(Page)),
        marks=_number(session, select(func.count()).where(Mark.status != "rejected")),
    )


@dataclass(frozen=True)
class Counts:
    """How much an archive holds: `marks` by status, `embeddings` by model, `groups` by verdict.

    Those that nobody has judged yet count as "proposed", as long as they have marks to judge.
    """

    documents: int
    pages: int
    pages_without_document: int
    documents_without_pages: int
    duplicate_pages: int
    resembling_pages: int
    marks: dict[str, int]
    failures: int
    models: int
    embeddings: dict[str, int]
    identities: int
    groups: dict[str, int]


def counts(session: Session) -> Counts:
    """Return how many documents, pages, marks, failures, models and embeddings there are."""
    marks = {"proposed": 0, "confirmed": 0, "rejected": 0}
    for status, marks_of_status in session.execute(
        select(Mark.status, func.count()).group_by(Mark.status)
    ):
        marks[status] = marks_of_status
    groups = {"proposed": groups_to_judge(session), "same": 0, "different": 0}
    for verdict, groups_of_verdict in session.execute(
        select(Group.verdict, func.count())
        .where(Group.verdict.is_not(None))
        .group_by(Group.verdict)
    ):
        groups[str(verdict)] = groups_of_verdict
    embeddings = dict.fromkeys(session.scalars(select(Model.id)), 0)
    for model, vectors in session.execute(
        select(Embedding.model_id, func.count()).group_by(Embedding.model_id)
    ):
        embeddings[model] = vectors
    return Counts(
        documents=_number(session, select(func.count()).select_from(Document)),
        pages=_number(session, select(func.count()).select_from(Page)),
        pages_without_document=pages_without_document(session),
        documents_without_pages=documents_without_pages(session),
        duplicate_pages=_number(
            session, select(func.count()).select_from(Page).where(Page.duplicate_of.is_not(None))
        ),
        resembling_pages=_number(session, select(func.count()).select_from(Resemblance)),
        marks=marks,
        failures=_number(session, select(func.count()).select_from(Failure)),
        models=len(embeddings),
        embeddings=embeddings,
        identities=number_of_identities(session),
        groups=groups,
    )


def number_of_identities(session: Session) -> int:
    """Return how many identities people have named."""
    return _number(session, select(func.count()).select_from(Identity))


def pages_without_document(session: Session) -> int:
    """Return how many pages are of no document."""
    return _number(session, select(func.count()).where(Page.document_id.is_(None)))


def documents_without_pages(session: Session) -> int:
    """Return how many documents have no page."""
    bare = ~exists().where(Page.document_id == Document.id)
    return _number(session, select(func.count()).select_from(Document).where(bare))


def _number(session: Session, statement: Select[int]) -> int:
    return session.execute(statement).scalar_one()


def pages_of_others(session: Session, segmenter: str) -> dict[str, dict[str, int]]:
    """Return how many pages each source has whose marks another segmenter proposed, by that.

    Crops have none.
    """
    found: dict[str, dict[str, int]] = {}
    rows = session.execute(
        select(Page.segmenter, Page.source, func.count())
        .where(Page.segmenter.is_not(None), Page.segmenter != segmenter)
        .group_by(Page.segmenter, Page.source)
        .order_by(Page.segmenter)
    )
    for other, source, number in rows:
        found.setdefault(str(other), {})[source] = number
    return found


def failure_reasons(session: Session) -> dict[str, int]:
    """Return how many inputs failed for each reason, the most frequent first.

    Reasons that differ in their addresses, their numbers, or in what follows a colon, are one.
    """
    reasons: Counter[str] = Counter()
    for reason, number in session.execute(
        select(Failure.reason, func.count()).group_by(Failure.reason)
    ):
        alike = re.sub(r"https?://\S+", "The address", reason).split(":")[0]
        reasons[re.sub(r"(?<![0-9])(?<!JPEG )[0-9][0-9,.]*(?<![,.])", "N", alike)] += number
    return dict(sorted(reasons.items(), key=lambda one: (-one[1], one[0])))
