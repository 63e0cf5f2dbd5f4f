"""Pages: what is known of them beside, such as the canvas of a IIIF manifest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pages", sa.Column("details", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("pages", "details")
