"""Indexes of what pages, marks and identities are looked for by where others refer to them."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_pages_duplicate_of", "pages", ["duplicate_of"])
    op.create_index("ix_identity_marks_mark_id", "identity_marks", ["mark_id"])
    op.create_index("ix_groups_identity_id", "groups", ["identity_id"])


def downgrade() -> None:
    op.drop_index("ix_groups_identity_id", "groups")
    op.drop_index("ix_identity_marks_mark_id", "identity_marks")
    op.drop_index("ix_pages_duplicate_of", "pages")
