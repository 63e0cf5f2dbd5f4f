"""A documents file's word against a manifest's, run after run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.batch import retry_quarantined
from ingest.manner import Manner, Progress
from retrieval.catalogue.archive import Archive
from tests.ingest.iiif.taking_in import QUICK, page, put, take_in
from tests.ingest.iiif_server import Server, body_3, canvas_3, jpeg, manifest_3
from tests.ingest.scans import SQUARES, dump, pages_of, scan

FIELDS = ("title", "date", "year_from", "year_to", "ship", "place", "captain")


def bundle(server: Server, *labels: str, **said: str) -> str:
    """Offer a manifest of HCA 32/1845/2 with a canvas for each label, and metadata by label."""
    canvases = []
    for label in labels:
        path = f"/{label}.jpg"
        server.files.setdefault(path, jpeg(page(len(server.files))))
        canvases.append(canvas_3(f"https://x/c/{label}", label, body_3(server.url(path))))
    metadata = {"Shelfmark": "HCA 32/1845/2", "Vessel": "Uncertain", "Date": "1744"} | said
    return put(
        server,
        manifest_3(
            "https://x/m",
            canvases,
            label={"none": ["Bundle label"]},
            metadata=[
                {"label": {"none": [label]}, "value": {"none": [value]}}
                for label, value in metadata.items()
            ],
        ),
    )


def fix(folder: Path, *rows: str) -> Path:
    path = folder / "fix.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@pytest.fixture
def corrected(tmp_path: Path) -> Path:
    return fix(
        tmp_path,
        "reference,title,date,ship,source",
        "HCA 32/1845/2,Corrected title,11 March 1745,Enterprize,1v",
        "HCA 32/1845/2,,,,1r",
    )


def described(archive: Archive) -> dict[str, Any]:
    (document,) = dump(archive)["documents"]
    return {field: document[field] for field in FIELDS if document[field] is not None}


def details(archive: Archive) -> dict[str, Any]:
    (document,) = dump(archive)["documents"]
    said: dict[str, Any] = json.loads(document["details"])
    return said


def in_order(archive: Archive) -> list[str]:
    """Return the document's pages in their order, by their files' or canvases' names."""
    pages = [one for one in dump(archive)["pages"] if one["document_id"] is not None]
    assert len({one["ordinal"] for one in pages}) == len(pages)
    pages.sort(key=lambda one: one["ordinal"])
    return [one["source"].split("/")[-1] for one in pages]


def try_again(archive: Archive) -> None:
    retry_quarantined(archive, SQUARES, Manner(workers=0, courtesy=QUICK))


def test_what_a_documents_file_said_stays_when_the_manifest_is_run_again(
    archive: Archive, server: Server, corrected: Path
) -> None:
    address = bundle(server, "1r", "1v")
    take_in(archive, address, documents=[corrected])
    before = dump(archive, moments=True)
    assert described(archive) == {
        "title": "Corrected title",
        "date": "11 March 1745",
        "year_from": 1745,
        "year_to": 1745,
        "ship": "Enterprize",
    }
    assert details(archive)["date (EDTF)"] == "1745-03-11"
    assert in_order(archive) == ["1v", "1r"]
    report = take_in(archive, address)
    assert (report.documents, report.bound, report.bound_already) == (0, 0, 2)
    assert dump(archive, moments=True) == before


def test_what_a_documents_file_said_stays_when_what_failed_is_tried_again(
    archive: Archive, server: Server, corrected: Path
) -> None:
    address = bundle(server, "1r", "1v", "2r")
    missing = server.files.pop("/2r.jpg")
    assert take_in(archive, address, documents=[corrected]).failed == 1
    before = dump(archive)["documents"]
    server.files["/2r.jpg"] = missing
    try_again(archive)
    assert dump(archive)["documents"] == before
    assert in_order(archive) == ["1v", "2r", "1r"]  # it follows the page that it follows there


def test_what_a_documents_file_said_first_stays_when_the_manifest_comes(
    archive: Archive, server: Server, tmp_path: Path
) -> None:
    scan(tmp_path / "in" / "cover.png", (1, 1))
    own = fix(
        tmp_path,
        "reference,title,date,language,source",
        "HCA 32/1845/2,Corrected title,at Michaelmas,Dutch,cover.png",
    )
    pages_of(archive, tmp_path / "in", documents=[own])
    take_in(archive, bundle(server, "1r", "1v", language="French", Place="Cadiz"))
    assert described(archive) == {
        "title": "Corrected title",
        "date": "at Michaelmas",
        "ship": "Uncertain",
        "place": "Cadiz",
    }
    assert details(archive) == {"language": "Dutch", "manifest": "https://x/m"}
    assert in_order(archive) == ["cover.png", "1r", "1v"]


def test_a_library_corrects_what_nobody_else_spoke_of(
    archive: Archive, server: Server, tmp_path: Path
) -> None:
    own = fix(tmp_path, "reference,title,source", "HCA 32/1845/2,Corrected title,1r")
    take_in(archive, bundle(server, "1r", "1v", "3r", Language="Dutch"), documents=[own])
    address = bundle(
        server, "3r", "2r", "1r", "1v", Vessel="De Hoop", Date="c. 1745", Language="French"
    )
    assert take_in(archive, address).documents == 1
    assert described(archive) == {
        "title": "Corrected title",
        "date": "c. 1745",
        "year_from": 1745,
        "year_to": 1745,
        "ship": "De Hoop",
    }
    assert details(archive) == {
        "Language": "French",
        "date (EDTF)": "1745~",
        "manifest": "https://x/m",
    }
    assert in_order(archive) == ["3r", "2r", "1r", "1v"]


def stop(at: Progress) -> None:
    if at.done:  # a file, not the manifest
        raise KeyboardInterrupt


def test_the_librarys_new_order_comes_in_though_the_run_is_stopped(
    archive: Archive, server: Server
) -> None:
    take_in(archive, bundle(server, "1r", "1v"))
    address = bundle(server, "2r", "1v", "1r")
    with pytest.raises(KeyboardInterrupt):
        take_in(archive, address, progress=stop)
    take_in(archive, address)
    assert in_order(archive) == ["2r", "1v", "1r"]


def test_a_library_corrects_what_a_stopped_run_had_not_come_to(
    archive: Archive, server: Server, tmp_path: Path
) -> None:
    scan(tmp_path / "in" / "first.png", (1, 1))
    with pytest.raises(KeyboardInterrupt):
        take_in(archive, tmp_path / "in", bundle(server, "1r", "1v"), progress=stop)
    assert described(archive)["ship"] == "Uncertain"
    take_in(archive, bundle(server, "1r", Vessel="De Hoop"))
    assert described(archive)["ship"] == "De Hoop"


def test_a_page_that_comes_later_leaves_the_others_where_they_were_put(
    archive: Archive, server: Server, tmp_path: Path
) -> None:
    scan(tmp_path / "in" / "cover.png", (1, 1))
    scan(tmp_path / "in" / "seal.png", (2, 1))
    own = fix(
        tmp_path,
        "reference,source",
        *(f"HCA 32/1845/2,{name}" for name in ("cover.png", "3r", "1v", "seal.png", "1r")),
    )
    address = bundle(server, "0", "1r", "1v", "2r", "3r")
    missing = {path: server.files.pop(path) for path in ("/0.jpg", "/2r.jpg")}
    take_in(archive, tmp_path / "in", address, documents=[own])
    assert in_order(archive) == ["cover.png", "3r", "1v", "seal.png", "1r"]
    server.files |= missing
    take_in(archive, address)
    assert in_order(archive) == ["cover.png", "0", "3r", "1v", "2r", "seal.png", "1r"]
    before = dump(archive, moments=True)
    take_in(archive, address)
    assert dump(archive, moments=True) == before
