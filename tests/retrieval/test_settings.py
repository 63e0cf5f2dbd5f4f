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
    [
        ("port = 'x'", "'port'"),
        ("prot = 1", "prizemarks.toml sets 'prot', which is not a setting: .* nearest is 'port'"),
        ("port = ", "not valid TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(ArchiveError, match=said):
        read_settings(tmp_path)


@pytest.mark.parametrize("name", ["PRIZEMARKS_MAX_MEGAPIXEL", "prizemarks_max_megapixel"])
def test_an_unknown_name_in_the_environment_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "500")
    with pytest.raises(ArchiveError) as refused:
        read_settings(tmp_path)
    assert str(refused.value) == (
        "The environment sets 'PRIZEMARKS_MAX_MEGAPIXEL', which is not a setting: correct it (the "
        "nearest is 'PRIZEMARKS_MAX_MEGAPIXELS') or remove it."
    )


def test_the_environments_names_may_be_in_any_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("Prizemarks_Max_Megapixels", "500")
    assert read_settings(tmp_path).max_megapixels == 500
