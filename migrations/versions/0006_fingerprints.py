"""What pages look like and which look alike; under which limits a failure came about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("pages", sa.Column("fingerprint", sa.LargeBinary(), nullable=True))
    op.add_column("failures", sa.Column("tried", sa.String(128), nullable=True))
    op.create_table(
        "resemblances",
        sa.Column("page_id", Id, nullable=False),
        sa.Column("like_id", Id, nullable=False),
        sa.Column("distance", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("page_id", name="pk_resemblances"),
        sa.ForeignKeyConstraint(
            ["page_id"], ["pages.id"], name="fk_resemblances_page_id_pages", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["like_id"], ["pages.id"], name="fk_resemblances_like_id_pages", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_resemblances_like_id", "resemblances", ["like_id"])


def downgrade() -> None:
    op.drop_table("resemblances")
    op.drop_column("failures", "tried")
    op.drop_column("pages", "fingerprint")
