from __future__ import annotations

from pathlib import Path

from retrieval import catalogue


def test_the_catalogue_knows_no_other_room() -> None:
    folder = Path(catalogue.__file__).parent
    for module in folder.glob("*.py"):
        for line in module.read_text(encoding="utf-8").splitlines():
            if line.startswith(("from retrieval", "import retrieval")):
                assert line.startswith("from retrieval.catalogue"), (module, line)
            assert not line.startswith(("from ingest", "import ingest", "from ui", "import ui"))
