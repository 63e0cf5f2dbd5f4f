"""Identities: marks that a person says are the same merchant's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "identities",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_identities"),
        sa.UniqueConstraint("name", name="uq_identities_name"),
    )
    op.create_table(
        "identity_marks",
        sa.Column("identity_id", Id, nullable=False),
        sa.Column("mark_id", Id, nullable=False),
        sa.Column("certainty", sa.String(16), nullable=False),
        sa.Column("said_by", sa.String(255), nullable=False),
        sa.Column("said_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("identity_id", "mark_id", name="pk_identity_marks"),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["identities.id"],
            name="fk_identity_marks_identity_id_identities",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["mark_id"], ["marks.id"], name="fk_identity_marks_mark_id_marks", ondelete="CASCADE"
        ),
        sa.CheckConstraint("certainty in ('certain', 'probable', 'possible')", name="certainty"),
    )


def downgrade() -> None:
    op.drop_table("identity_marks")
    op.drop_table("identities")
