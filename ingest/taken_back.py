"""Words of people that stand no more: who took them back or contradicted them, in a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest.csv_text import as_shown, row_text
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.entered_names import person_name
from retrieval.catalogue.errors import ArchiveError
from retrieval.catalogue.groups import GroupRow
from retrieval.catalogue.identities import Said
from retrieval.catalogue.judgements import take_back, take_out
from retrieval.catalogue.tables import in_utc, now

#: The file, in the archive's folder: the catalogue keeps what is said now.
TAKEN_BACK = "taken-back.csv"
COLUMNS = ("of", "said", "said_by", "said_at", "taken_back_by", "taken_back_at")


@dataclass(frozen=True)
class OldWord:
    """What a person said of a mark or a group; of marks it is not kept when."""

    of: str
    said: str
    said_by: str
    said_at: datetime | None = None


def note_taken_back(archive: Archive, taken: Sequence[tuple[OldWord, str]]) -> None:
    """Add words to the archive's `taken-back.csv`, each with who takes it back or contradicts it.

    Call it last in the transaction that does so: where the file cannot be written, ArchiveError
    ends that, too.
    """
    if not taken:
        return
    path = archive.folder / TAKEN_BACK
    moment = now().isoformat(timespec="seconds")
    rows = "".join(
        row_text([*map(as_shown, (word.of, word.said, word.said_by)), _said_at(word),
                  as_shown(person), moment])
        for word, person in taken
    )  # fmt: skip
    try:
        _append(path, rows)
    except OSError as error:
        raise ArchiveError(
            f"{path} cannot be written: {error.strerror or error}. Free some space there and try "
            "again: nothing is taken back without a record."
        ) from error


def _append(path: Path, rows: str) -> None:
    """Add rows to the file, below its header, all of them or nothing. Raises OSError."""
    with path.open("ab", buffering=0) as file:
        before = file.tell()
        left = (rows if before else row_text(COLUMNS) + rows).encode()
        try:
            while left:  # a disk that has become full takes the beginning alone
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(before)
            raise


def _said_at(word: OldWord) -> str | None:
    return in_utc(word.said_at).isoformat(timespec="seconds") if word.said_at is not None else None


def take_back_group(archive: Archive, seen: GroupRow, person: str) -> None:
    """Make a judged group a proposal again (`judgements.take_back`), and note who took that back.

    Raises RequestError when nobody is named, and as `take_back` does; ArchiveError as
    `note_taken_back` does.
    """
    person = person_name(person, "the person taking it back")
    said = "not one merchant’s mark" if seen.verdict == "different" else "one merchant’s mark"
    if seen.identity is not None:
        said += f", {seen.identity}"
    with archive.writing() as session:
        take_back(session, seen)
        word = OldWord(f"group {seen.group}", said, seen.said_by or "", seen.said_at)
        note_taken_back(archive, [(word, person)])


def take_out_mark(archive: Archive, mark: int, seen: Said, person: str) -> None:
    """Take a mark out of an identity (`judgements.take_out`), and note who did so.

    Raises as `take_back_group` does.
    """
    person = person_name(person, "the person taking it out")
    with archive.writing() as session:
        words = [
            OldWord(f"mark {mark}", f"it is {seen.name}", said_by, said_at)
            for said_by, said_at in take_out(session, mark, seen)
        ]
        note_taken_back(archive, [(word, person) for word in words])
