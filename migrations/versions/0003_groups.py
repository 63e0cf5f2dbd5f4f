"""Groups: marks that the program proposes as one merchant's, and what a person says of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "groups",
        sa.Column("id", Id, nullable=False),
        sa.Column("model_id", sa.String(64), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("cosine", sa.Double(), nullable=False),
        sa.Column("proposed_at", Moment, nullable=False),
        sa.Column("verdict", sa.String(16), nullable=True),
        sa.Column("identity_id", Id, nullable=True),
        sa.Column("said_by", sa.String(255), nullable=True),
        sa.Column("said_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_groups"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_groups_model_id_models"),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["identities.id"],
            name="fk_groups_identity_id_identities",
            ondelete="SET NULL",
        ),
        sa.CheckConstraint("verdict in ('same', 'different')", name="verdict"),
        sa.CheckConstraint(
            "(verdict is null) = (said_by is null) and (said_by is null) = (said_at is null)",
            name="said",
        ),
        sqlite_autoincrement=True,  # a page still open must not judge another group by an old id
    )
    op.create_index("ix_groups_model_id", "groups", ["model_id"])
    op.create_table(
        "group_marks",
        sa.Column("group_id", Id, nullable=False),
        sa.Column("mark_id", Id, nullable=False),
        sa.Column("likeness", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "mark_id", name="pk_group_marks"),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name="fk_group_marks_group_id_groups", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["mark_id"], ["marks.id"], name="fk_group_marks_mark_id_marks", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_group_marks_mark_id", "group_marks", ["mark_id"])


def downgrade() -> None:
    op.drop_table("group_marks")
    op.drop_table("groups")
