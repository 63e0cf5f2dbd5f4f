"""The tables of an archive as SQLAlchemy classes; `migrations/` alone makes or alters them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from retrieval.catalogue.references import SORT_KEY_LENGTH, sort_key

#: SQLite gives rowids only to columns declared INTEGER; PostgreSQL wants 64 bits.
Id = BigInteger().with_variant(Integer, "sqlite")
#: No row has an id beyond it, and no database takes one as a parameter.
LARGEST_ID = 2**63 - 1

#: Compared by code point, whatever language PostgreSQL was set up for; SQLite does anyway.
SortKey = String(SORT_KEY_LENGTH).with_variant(String(SORT_KEY_LENGTH, collation="C"), "postgresql")


def now() -> datetime:
    """Return the present moment in UTC, as every timestamp of the catalogue is kept."""
    return datetime.now(UTC)


def in_utc(moment: datetime) -> datetime:
    """Return a moment of the catalogue in UTC: SQLite gives it back without saying so."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Base(DeclarativeBase):
    """Declarative base; the naming convention lets Alembic alter constraints by name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _key_of_reference(context: DefaultExecutionContext) -> str:
    # SQLAlchemy gives this method no types.
    return sort_key(context.get_current_parameters()["reference"])  # type: ignore[no-untyped-call]


class Document(Base):
    """A catalogued item: reference code, title, date, ship, place and free metadata."""

    __tablename__ = "documents"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(String(255), unique=True)
    #: `references.sort_key` of the reference; whoever changes the one changes the other.
    sort_key: Mapped[str] = mapped_column(
        SortKey, default=_key_of_reference, server_default="", index=True
    )
    series: Mapped[str | None] = mapped_column(String(64), index=True)  # "HCA 32" of "HCA 32/12/5"
    title: Mapped[str | None] = mapped_column(Text)
    date: Mapped[str | None] = mapped_column(String(255))  # as the archivist wrote it
    year_from: Mapped[int | None] = mapped_column(Integer, index=True)
    year_to: Mapped[int | None] = mapped_column(Integer)
    ship: Mapped[str | None] = mapped_column(String(255), index=True)
    place: Mapped[str | None] = mapped_column(String(255))
    captain: Mapped[str | None] = mapped_column(String(255))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # every other column

    pages: Mapped[list[Page]] = relationship(back_populates="document")


class Page(Base):
    """One image of a document: where its master lies, how large it is, and its SHA-256."""

    __tablename__ = "pages"
    __table_args__ = (
        UniqueConstraint("source", "frame", name="uq_pages_source_frame"),
        Index("ix_pages_sha256", "sha256"),
        Index("ix_pages_location", "location"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    document_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id"), index=True)
    source: Mapped[str] = mapped_column(String(1024))  # the path below SOURCE, "/" between parts
    location: Mapped[str] = mapped_column(String(4096))  # absolute path or URL of the master
    frame: Mapped[int] = mapped_column(Integer, default=0)  # image within a multi-page file
    ordinal: Mapped[int] = mapped_column(Integer, default=0)  # order within the document
    width: Mapped[int] = mapped_column(Integer)  # pixels of the master, as displayed
    height: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))  # of the master file's bytes
    size: Mapped[int] = mapped_column(BigInteger)  # bytes of the master file
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    duplicate_of: Mapped[int | None] = mapped_column(ForeignKey("pages.id"), index=True)
    segmenter: Mapped[str | None] = mapped_column(String(64))  # version; None: crops, not segmented
    ingested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    # what it looks like (`ingest.fingerprint`); None: blank, a crop, or read before there was any
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)
    # what is known beside: a canvas's id and label, its rights
    details: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    document: Mapped[Document | None] = relationship(back_populates="pages")
    marks: Mapped[list[Mark]] = relationship(back_populates="page", order_by="Mark.id")


class Resemblance(Base):
    """A page that looks like another: perhaps the same page, saved or scanned again."""

    __tablename__ = "resemblances"

    page_id: Mapped[int] = mapped_column(
        ForeignKey("pages.id", ondelete="CASCADE"), primary_key=True
    )
    like_id: Mapped[int] = mapped_column(ForeignKey("pages.id", ondelete="CASCADE"), index=True)
    distance: Mapped[int] = mapped_column(Integer)  # bits in which their fingerprints differ


class Mark(Base):
    """A region of a page in pixels of the master image."""

    __tablename__ = "marks"
    __table_args__ = (
        CheckConstraint("status in ('proposed', 'confirmed', 'rejected')", name="status"),
        CheckConstraint("width > 0 and height > 0", name="box"),
        # the likeliest proposals first, as `proposals` asks for them
        Index("ix_marks_likely", "status", text("coalesce(realism, score, 0.0) DESC"), "id",
              "page_id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    page_id: Mapped[int] = mapped_column(ForeignKey("pages.id"), index=True)
    x: Mapped[int] = mapped_column(Integer)
    y: Mapped[int] = mapped_column(Integer)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    # [[x, y], ...], whose bounding box is the box; or None: the box itself
    polygon: Mapped[list[list[int]] | None] = mapped_column(JSON(none_as_null=True))
    status: Mapped[str] = mapped_column(String(16), default="proposed", index=True)
    score: Mapped[float | None] = mapped_column()  # the segmenter's, or imported, in [0, 1]
    # a proposal's, after what people said of others (`retrieval.realism`); None: not reckoned
    realism: Mapped[float | None] = mapped_column()
    origin: Mapped[str] = mapped_column(String(128))  # segmenter version or "person:<name>"
    # the origin of what was proposed with this box, whoever judged it since; None: a person's box
    proposed_by: Mapped[str | None] = mapped_column(String(128))
    crop: Mapped[str] = mapped_column(String(64))  # SHA-256 of the crop's PNG under crops/
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    page: Mapped[Page] = relationship(back_populates="marks")


class DiscardedCrop(Base):
    """The picture of a mark that went or was cut anew: its file goes when no mark has it."""

    __tablename__ = "discarded_crops"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    crop: Mapped[str] = mapped_column(String(64))  # as `Mark.crop`; one may stand here repeatedly


class Model(Base):
    """Trained weights known to the archive; the id is the content hash of the weights."""

    __tablename__ = "models"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    architecture: Mapped[str] = mapped_column(String(64))
    objective: Mapped[str] = mapped_column(String(64))
    origin: Mapped[str] = mapped_column(String(32))  # "trained" here, or "bundled" with the program
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class Embedding(Base):
    """The L2-normalised vector of one mark under one model; every index is derived from these."""

    __tablename__ = "embeddings"

    mark_id: Mapped[int] = mapped_column(
        ForeignKey("marks.id", ondelete="CASCADE"), primary_key=True
    )
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id"), primary_key=True, index=True)
    crop: Mapped[str] = mapped_column(String(64))  # the crop that was embedded
    # how it was seen (`retrieval.ink.SEEN`); None: embedded before this was noted
    seen: Mapped[str | None] = mapped_column(String(32))
    vector: Mapped[bytes] = mapped_column(LargeBinary)  # float32, little-endian
    embedded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class Failure(Base):
    """An input that could not be ingested; `quarantine.csv` is written from these rows."""

    __tablename__ = "failures"
    __table_args__ = (
        UniqueConstraint("source", "frame", name="uq_failures_source_frame"),
        Index("ix_failures_location", "location"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source: Mapped[str] = mapped_column(String(1024))
    location: Mapped[str] = mapped_column(String(4096))
    frame: Mapped[int] = mapped_column(Integer, default=0)
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    advice: Mapped[str] = mapped_column(Text, default="")
    # limits, kind and version under which it failed: under the same it need not be tried; None: it
    # may
    tried: Mapped[str | None] = mapped_column(String(128))
    as_crops: Mapped[bool] = mapped_column(default=False, server_default=false())  # given as such
    failed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class Identity(Base):
    """Marks that a person says are the same merchant's mark."""

    __tablename__ = "identities"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class IdentityMark(Base):
    """One mark's membership of an identity: how sure, who said so and when."""

    __tablename__ = "identity_marks"
    __table_args__ = (
        CheckConstraint("certainty in ('certain', 'probable', 'possible')", name="certainty"),
    )

    identity_id: Mapped[int] = mapped_column(
        ForeignKey("identities.id", ondelete="CASCADE"), primary_key=True
    )
    mark_id: Mapped[int] = mapped_column(
        ForeignKey("marks.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    certainty: Mapped[str] = mapped_column(String(16))
    said_by: Mapped[str] = mapped_column(String(255))
    said_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class Group(Base):
    """Marks that the program found alike, for a person to judge; `verdict` is None until then."""

    __tablename__ = "groups"
    __table_args__ = (
        CheckConstraint("verdict in ('same', 'different')", name="verdict"),
        CheckConstraint(
            "(verdict is null) = (said_by is null) and (said_by is null) = (said_at is null)",
            name="said",
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id"), index=True)
    share: Mapped[float] = mapped_column()  # of unrelated pairs that are as alike as was asked
    cosine: Mapped[float] = mapped_column()  # that this meant when the group was proposed
    proposed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    verdict: Mapped[str | None] = mapped_column(String(16))
    identity_id: Mapped[int | None] = mapped_column(
        ForeignKey("identities.id", ondelete="SET NULL"), index=True
    )
    said_by: Mapped[str | None] = mapped_column(String(255))
    said_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class GroupMark(Base):
    """One mark's place in a proposed group, and what was said of it when the group was judged."""

    __tablename__ = "group_marks"

    group_id: Mapped[int] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True
    )
    mark_id: Mapped[int] = mapped_column(
        ForeignKey("marks.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    likeness: Mapped[float] = mapped_column()  # mean cosine to the group's other marks
    # how sure whoever judged the group was that the mark is the identity's; None: they did not say
    # that it is
    certainty: Mapped[str | None] = mapped_column(String(16))
