"""Which room imports which, also inside functions and for types alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
#: What each room may import of the project, besides itself.
MAY_IMPORT = {
    "retrieval.catalogue": set(),
    "migrations": {"retrieval.catalogue"},
    "retrieval": {"retrieval.catalogue"},
    "ingest": {"retrieval", "retrieval.catalogue"},
    "ui": {"ingest", "retrieval", "retrieval.catalogue"},
}


def room_of(module: str) -> str | None:
    """The room that a module is in, by its dotted name; None for what is not the project's."""
    first, *more = module.split(".")
    if first == "retrieval" and more[:1] == ["catalogue"]:
        return "retrieval.catalogue"
    return first if first in {*MAY_IMPORT, "tests", "benchmarks", "tools"} else None


def imported(source: str, module: str) -> Iterator[tuple[int, str]]:
    """The line and the dotted name of everything that the source of a module imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.rpartition(".")[0]
            of = resolve_name("." * node.level + (node.module or ""), package)
            yield from ((node.lineno, f"{of}.{name.name}") for name in node.names)


def against_the_rule(source: str, module: str) -> list[str]:
    room = room_of(module)
    assert room is not None
    allowed = {None, room} | MAY_IMPORT[room]
    return [
        f"{module}, line {line}: {name}"
        for line, name in imported(source, module)
        if room_of(name) not in allowed
    ]


@pytest.mark.parametrize("room", ["retrieval", "ingest", "ui", "migrations"])
def test_rooms_import_one_way(room: str) -> None:
    modules = sorted((ROOT / room).rglob("*.py"))
    assert modules
    wrong = [
        found
        for path in modules
        for found in against_the_rule(
            path.read_text(encoding="utf-8"),
            ".".join(path.relative_to(ROOT).with_suffix("").parts),
        )
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("retrieval.catalogue.files", "from retrieval.crops import PREFIX"),
        ("retrieval.catalogue.files", "from retrieval import crops"),
        ("retrieval.catalogue.files", "from ..crops import PREFIX"),
        ("retrieval.search", "def one():\n    import ingest.pixels"),
        ("ingest.run", "if TYPE_CHECKING:\n    from ui import cli"),
        ("ui.cli", "from tests.drawn_marks import drawn_mark"),
        ("migrations.env", "import retrieval.model"),
        ("retrieval.strokes.glyphs", "from tools.glyphs.trace import packed"),
    ],
)
def test_an_import_the_other_way_is_seen(module: str, source: str) -> None:
    assert len(against_the_rule(source, module)) == 1


def test_an_import_the_right_way_is_let_be() -> None:
    source = "import re\nfrom retrieval import catalogue\nfrom .catalogue import files\n"
    assert against_the_rule(source, "retrieval.search") == []
    assert against_the_rule("from retrieval.catalogue import files", "migrations.env") == []
