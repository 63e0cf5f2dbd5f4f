"""Who proposed a mark, kept apart from who judged it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("marks", sa.Column("proposed_by", sa.String(128), nullable=True))
    # Of marks that were judged it is not known any more: they count as people's, which stay.
    op.execute("UPDATE marks SET proposed_by = origin WHERE status = 'proposed'")


def downgrade() -> None:
    op.drop_column("marks", "proposed_by")
