"""An index by which the likeliest proposals are found without looking at the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    likely = sa.text("coalesce(realism, score, 0.0) DESC")
    op.create_index("ix_marks_likely", "marks", ["status", likely, "id", "page_id"])


def downgrade() -> None:
    op.drop_index("ix_marks_likely", "marks")
