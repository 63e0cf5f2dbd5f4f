from __future__ import annotations

from dataclasses import replace

from ingest.everywhere import Standing
from ingest.status import Status
from retrieval.catalogue.figures import Counts
from retrieval.catalogue.resemblances import ResemblanceRow
from ui.told.status import status_sentences

HELD = Counts(
    documents=2,
    pages=9,
    pages_without_document=1,
    documents_without_pages=0,
    duplicate_pages=0,
    resembling_pages=0,
    marks={"proposed": 3, "confirmed": 2, "rejected": 1},
    failures=0,
    models=1,
    embeddings={"ab12": 5},
    identities=1,
    groups={"proposed": 1, "same": 0, "different": 0},
)
WELL = Status(
    folder="my archive",
    counts=HELD,
    model="ab12",
    model_waiting=None,
    model_problem=None,
    model_at_hand="ab12",
    not_indexed=0,
    everywhere=Standing(0, 0, 0, 0, 0),
    unfinished_training=False,
    training_problem=None,
    failure_reasons={},
    segmenter="strokes-6",
    older_segmenters={},
    older_missing=0,
    missing_masters=(),
    resembling=(),
    search_command="prizemarks search 'my archive' IMAGE",
    index_command="prizemarks index 'my archive'",
)


def test_of_an_archive_in_order_its_figures_alone_are_said() -> None:
    assert status_sentences(WELL) == [
        "my archive",
        "  documents   2 (0 without a page)",
        "  pages       9 (1 without a document, 0 copies of another, 0 that look like another)",
        "  marks       6 (3 proposed, 2 confirmed, 1 rejected)",
        "  identities  1",
        "  groups      1 to review, 0 accepted, 0 refused",
        "  quarantine  0",
        "  model       ab12",
        "  not indexed 0",
    ]


def test_what_is_out_of_date_is_said_with_the_command_that_mends_it() -> None:
    stale = replace(
        WELL,
        counts=replace(HELD, failures=2),
        failure_reasons={"It is empty.": 2},
        not_indexed=4,
        everywhere=Standing(9, 5, 2, 2, 1),
        older_segmenters={"strokes-5": 3},
        older_missing=1,
        unfinished_training=True,
    )
    quarantine, reason, *others = status_sentences(stale)[6:]
    assert (quarantine, reason) == (
        "  quarantine  2 (see quarantine.csv)",
        "         2 It is empty.",
    )
    assert others[2:] == [
        "  everywhere  7 of 9 pages, 2 of them indexed by an older version; 2 not yet, of which 1 "
        "only under another model",
        "To update: prizemarks index 'my archive' --everywhere",
        "3 pages whose marks were proposed by strokes-5, not strokes-6.",
        "To look for marks on them again: prizemarks ingest 'my archive' --resegment",
        "1 page of these cannot be read again: the files are missing.",
        "To retry them: prizemarks ingest 'my archive' --retry-quarantined",
        "Interrupted training: prizemarks train 'my archive' --resume",
        "Next: prizemarks index 'my archive'",
    ]


def test_long_lists_of_pages_are_cut() -> None:
    alike = tuple(ResemblanceRow(at, f"{at}.png", 0, 1, "1.png", 0, 3) for at in range(2, 9))
    gone = tuple(f"{at}.png" for at in range(7))
    lines = status_sentences(replace(WELL, resembling=alike, missing_masters=gone))[9:]
    assert lines[0].startswith("7 page files are missing. The marks are kept;")
    assert lines[1:7] == [*(f"  {at}.png" for at in range(5)), "... and 2 more (--json: all)."]
    assert lines[7] == "Perhaps the same page, scanned or saved twice:"
    assert lines[8] == "  2.png looks like 1.png"
    assert lines[-1] == "... and 2 more (--json: all)."


def test_an_empty_archive_is_to_be_filled() -> None:
    empty = replace(WELL, counts=replace(HELD, pages=0), not_indexed=1)
    assert status_sentences(empty)[-1] == "Next: prizemarks ingest 'my archive' SOURCE"
