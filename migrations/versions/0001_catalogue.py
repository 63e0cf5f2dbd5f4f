"""Documents, pages, marks, failures, models and embeddings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("id", Id, nullable=False),
        sa.Column("reference", sa.String(255), nullable=False),
        sa.Column("series", sa.String(64), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("date", sa.String(255), nullable=True),
        sa.Column("year_from", sa.Integer(), nullable=True),
        sa.Column("year_to", sa.Integer(), nullable=True),
        sa.Column("ship", sa.String(255), nullable=True),
        sa.Column("place", sa.String(255), nullable=True),
        sa.Column("captain", sa.String(255), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_documents"),
        sa.UniqueConstraint("reference", name="uq_documents_reference"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_documents_series", "documents", ["series"])
    op.create_index("ix_documents_ship", "documents", ["ship"])
    op.create_index("ix_documents_year_from", "documents", ["year_from"])

    op.create_table(
        "pages",
        sa.Column("id", Id, nullable=False),
        sa.Column("document_id", Id, nullable=True),
        sa.Column("source", sa.String(1024), nullable=False),
        sa.Column("location", sa.String(4096), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("duplicate_of", Id, nullable=True),
        sa.Column("segmenter", sa.String(64), nullable=True),
        sa.Column("ingested_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pages"),
        sa.UniqueConstraint("source", "frame", name="uq_pages_source_frame"),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name="fk_pages_document_id_documents"
        ),
        sa.ForeignKeyConstraint(["duplicate_of"], ["pages.id"], name="fk_pages_duplicate_of_pages"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pages_document_id", "pages", ["document_id"])
    op.create_index("ix_pages_sha256", "pages", ["sha256"])
    op.create_index("ix_pages_location", "pages", ["location"])

    op.create_table(
        "marks",
        sa.Column("id", Id, nullable=False),
        sa.Column("page_id", Id, nullable=False),
        sa.Column("x", sa.Integer(), nullable=False),
        sa.Column("y", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("polygon", sa.JSON(), nullable=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("origin", sa.String(128), nullable=False),
        sa.Column("crop", sa.String(64), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_marks"),
        sa.ForeignKeyConstraint(["page_id"], ["pages.id"], name="fk_marks_page_id_pages"),
        sa.CheckConstraint("status in ('proposed', 'confirmed', 'rejected')", name="status"),
        sa.CheckConstraint("width > 0 and height > 0", name="box"),
        sqlite_autoincrement=True,  # an index may still know a deleted mark: its id is not reused
    )
    op.create_index("ix_marks_page_id", "marks", ["page_id"])
    op.create_index("ix_marks_status", "marks", ["status"])

    op.create_table(
        "failures",
        sa.Column("id", Id, nullable=False),
        sa.Column("source", sa.String(1024), nullable=False),
        sa.Column("location", sa.String(4096), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.Column("failed_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_failures"),
        sa.UniqueConstraint("source", "frame", name="uq_failures_source_frame"),
    )

    op.create_table(
        "models",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("architecture", sa.String(64), nullable=False),
        sa.Column("objective", sa.String(64), nullable=False),
        sa.Column("origin", sa.String(32), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
    )

    op.create_table(
        "embeddings",
        sa.Column("mark_id", Id, nullable=False),
        sa.Column("model_id", sa.String(64), nullable=False),
        sa.Column("crop", sa.String(64), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("embedded_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("mark_id", "model_id", name="pk_embeddings"),
        sa.ForeignKeyConstraint(
            ["mark_id"], ["marks.id"], name="fk_embeddings_mark_id_marks", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_embeddings_model_id_models"),
    )
    op.create_index("ix_embeddings_model_id", "embeddings", ["model_id"])


def downgrade() -> None:
    for table in ("embeddings", "models", "failures", "marks", "pages", "documents"):
        op.drop_table(table)
