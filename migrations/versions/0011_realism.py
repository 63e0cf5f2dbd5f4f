"""How likely a proposal is a mark, by what people said of others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("marks", sa.Column("realism", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("marks", "realism")
