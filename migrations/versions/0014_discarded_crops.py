"""Pictures of marks that went or were cut anew, until their files are deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "discarded_crops",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True,
            nullable=False,
        ),
        sa.Column("crop", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_discarded_crops"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("discarded_crops")
