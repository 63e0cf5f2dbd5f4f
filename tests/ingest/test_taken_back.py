from __future__ import annotations

import pytest

from ingest.taken_back import TAKEN_BACK, OldWord, note_taken_back
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveError
from tests.full_disk import no_file_larger_than


@pytest.mark.parametrize("words", [0, 1])
def test_a_disk_that_becomes_full_leaves_no_half_line(archive: Archive, words: int) -> None:
    path = archive.folder / TAKEN_BACK
    for number in range(words):
        note_taken_back(archive, [(OldWord(f"mark {number}", "it is a mark", "Ada"), "Bo")])
    before = path.read_bytes() if words else b""
    word = OldWord("mark 7", "it is a mark", "Ada")
    with (
        no_file_larger_than(len(before) + 9),
        pytest.raises(ArchiveError, match=r"taken-back\.csv cannot be written: File too large\."),
    ):
        note_taken_back(archive, [(word, "Bo")])
    assert path.read_bytes() == before
    note_taken_back(archive, [(word, "Bo")])
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == words + 2
    assert lines[0].startswith("of,said,")
    assert lines[-1].startswith("mark 7,it is a mark,Ada,,Bo,")
