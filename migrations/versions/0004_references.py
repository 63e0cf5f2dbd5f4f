"""References: in their usual form, and a key that sorts them as people count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

# The catalogue's own rules, not a copy of them: keys must be those that the program writes. A
# later change to the rules needs a migration that writes every key anew.
from retrieval.catalogue.references import SORT_KEY_LENGTH, normalise_reference, sort_key

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SortKey = sa.String(SORT_KEY_LENGTH).with_variant(
    sa.String(SORT_KEY_LENGTH, collation="C"), "postgresql"
)
AS_WRITTEN = "reference as written"

documents = sa.table(
    "documents",
    sa.column("id", sa.BigInteger()),
    sa.column("reference", sa.String()),
    sa.column("sort_key", sa.String()),
    sa.column("details", sa.JSON()),
)


def upgrade() -> None:
    op.add_column("documents", sa.Column("sort_key", SortKey, nullable=False, server_default=""))
    connection = op.get_bind()
    rows = connection.execute(
        sa.select(documents.c.id, documents.c.reference, documents.c.details)
    ).all()
    taken = {row.reference for row in rows}
    changed = []
    for row in rows:
        usual, details = normalise_reference(row.reference), row.details
        if usual in taken:  # itself, or another document's: two spellings stay two documents
            usual = row.reference
        else:
            taken.add(usual)
            details = {**(details or {}), AS_WRITTEN: row.reference}
        changed.append(
            {"at": row.id, "usual": usual, "key": sort_key(usual), "details_after": details}
        )
    if changed:
        connection.execute(
            sa.update(documents)
            .where(documents.c.id == sa.bindparam("at"))
            .values(
                reference=sa.bindparam("usual"),
                sort_key=sa.bindparam("key"),
                details=sa.bindparam("details_after", type_=sa.JSON()),
            ),
            changed,
        )
    op.create_index("ix_documents_sort_key", "documents", ["sort_key"])


def downgrade() -> None:
    op.drop_index("ix_documents_sort_key", "documents")
    op.drop_column("documents", "sort_key")
