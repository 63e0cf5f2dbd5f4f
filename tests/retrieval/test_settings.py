from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.catalogue.errors import ArchiveError
from retrieval.settings import FILE, read_settings


def test_defaults_without_a_file(tmp_path: Path) -> None:
    settings = read_settings(tmp_path)
    assert settings.host == "127.0.0.1"
    assert settings.port == 8501


def test_the_file_then_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILE).write_text("port = 9000\nworkers = 3\n")
    monkeypatch.setenv("PRIZEMARKS_PORT", "9100")
    settings = read_settings(tmp_path)
    assert settings.port == 9100
    assert settings.workers == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [("port = 'x'", "'port'"), ("prot = 1", "'prot'"), ("port = ", "not valid TOML")],
)
def test_mistakes_are_named(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(ArchiveError, match=said):
        read_settings(tmp_path)
