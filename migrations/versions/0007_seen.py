"""How a mark was seen when it was embedded, so that it is embedded anew when that changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("embeddings", sa.Column("seen", sa.String(32), nullable=True))


def downgrade() -> None:
    op.drop_column("embeddings", "seen")
