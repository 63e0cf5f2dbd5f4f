"""Whether an input that could not be read was given as crops; it was the end of a text before.

And an index by which failures are found at the places of files.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "failures", sa.Column("as_crops", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_index("ix_failures_location", "failures", ["location"])
    op.execute("UPDATE failures SET as_crops = true WHERE tried LIKE '%, crops'")
    op.execute("UPDATE failures SET tried = NULL WHERE tried = 'again, crops'")


def downgrade() -> None:
    op.execute("UPDATE failures SET tried = 'again, crops' WHERE as_crops AND tried IS NULL")
    op.drop_index("ix_failures_location", "failures")
    op.drop_column("failures", "as_crops")
