from __future__ import annotations

from rich.table import Table

from ui.command import rendered


def test_a_table_shows_names_as_they_are() -> None:
    table = Table()
    table.add_column("source")
    table.add_row("f:100:.jpg")
    assert "f:100:.jpg" in rendered(table)
