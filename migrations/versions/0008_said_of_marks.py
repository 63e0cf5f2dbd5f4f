"""What the person who judged a group said of each of its marks, and how sure they were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("group_marks", sa.Column("certainty", sa.String(16), nullable=True))
    # Older judgements did not keep which marks were left out of them. A mark that is in the
    # identity of its group since then, or since before, was most probably not.
    op.execute("""
        UPDATE group_marks SET certainty = (
            SELECT identity_marks.certainty
            FROM groups JOIN identity_marks ON identity_marks.identity_id = groups.identity_id
            WHERE groups.id = group_marks.group_id
                AND identity_marks.mark_id = group_marks.mark_id
                AND identity_marks.said_at <= groups.said_at
        )
    """)


def downgrade() -> None:
    op.drop_column("group_marks", "certainty")
