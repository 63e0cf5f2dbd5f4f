from __future__ import annotations

import io

import pytest
from rich.console import Console

from ui import progress


@pytest.mark.parametrize("name", ["f. 3 [recto].jpg", "a [/verso].tif", "[link=x]b.png\\"])
def test_a_name_is_shown_as_it_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    terminal = Console(file=shown, force_terminal=True, width=120, color_system=None)
    monkeypatch.setattr(progress, "console", terminal)
    with progress.bar("Ingesting") as report:
        report(1, 2, name)
    assert name in shown.getvalue()


def test_another_stretch_has_a_title_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    terminal = Console(file=shown, force_terminal=True, width=120, color_system=None)
    monkeypatch.setattr(progress, "console", terminal)
    with progress.bar("Embedding") as report:
        report(3, 3)
    assert "Comparing" not in shown.getvalue()
    with progress.bar("Embedding") as report:
        report(3, 3)
        report(1, 7, title="Comparing")
    assert "Comparing" in shown.getvalue() and "1/7" in shown.getvalue()
