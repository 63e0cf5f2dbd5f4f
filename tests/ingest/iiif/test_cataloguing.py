from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from ingest.iiif.cataloguing import Described, bind_canvases
from ingest.manner import Manner
from ingest.rehearsal import rehearse
from retrieval.catalogue.archive import Archive, create_archive
from retrieval.catalogue.tables import Page
from tests.ingest.iiif.taking_in import QUICK, letters, master, page, put, take_in
from tests.ingest.iiif_server import (
    Server,
    body_3,
    canvas_2,
    canvas_3,
    decoded,
    jpeg,
    manifest_2,
    manifest_3,
)
from tests.ingest.scans import dump, quarantine


def test_labels_that_occur_twice_and_manifests_of_one_name(
    archive: Archive, server: Server
) -> None:
    addresses = []
    for number in (1, 2):
        canvases = []
        for at, label in enumerate(["blank", "blank", "../x"]):
            image = f"/{number}/{at}.jpg"
            server.files[image] = jpeg(page(10 * number + at))
            canvases.append(canvas_2(server.url(f"/{number}/c{at}"), label, server.url(image)))
        path = f"/{number}/manifest"
        addresses.append(put(server, manifest_2(server.url(path), canvases, label="Letters"), path))
    for _ in range(2):
        take_in(archive, *addresses)
        assert [one["source"] for one in dump(archive)["pages"]] == [
            "Letters/blank",
            "Letters/blank (2)",
            "Letters/x",
            "Letters/blank (3)",
            "Letters/blank (4)",
            "Letters/x (2)",
        ]
        first, second = [one["reference"] for one in dump(archive)["documents"]]
        assert first == "Letters"
        assert second == f"Letters ({addresses[1]})"
        assert [one["ordinal"] for one in dump(archive)["pages"]] == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize(
    ("label", "document"),
    [("=1+1", "1+1"), ("./ =@-../+SUM(1)", "SUM(1)"), ("-", "document"), ("HCA 32/-1", "HCA 32/1")],
)
def test_no_page_is_named_as_a_formula_and_none_is_renamed(
    archive: Archive, server: Server, label: str, document: str
) -> None:
    address = server.url("/manifest.json")
    canvases = []
    for at in range(2):
        server.files[f"/{at}.jpg"] = jpeg(page(at))
        canvases.append(canvas_2(server.url(f"/c/{at}"), f"- {at} -", server.url(f"/{at}.jpg")))
    put(server, manifest_2(address, canvases[:1], label=label))
    take_in(archive, address)
    (first,) = dump(archive)["pages"]
    assert first["source"] == f"{document}/- 0 -"
    with archive.writing() as session:
        session.get_one(Page, first["id"]).source = "=1/- 0 -"  # as an earlier version named it
    put(server, manifest_2(address, canvases, label=label))
    assert take_in(archive, address).added == 1
    names = [one["source"] for one in dump(archive)["pages"]]
    assert names == ["=1/- 0 -", f"{document}/- 1 -"]


def test_two_manifests_of_one_volume_keep_their_pages_apart(
    archive: Archive, server: Server
) -> None:
    server.files["/1r.jpg"] = image = jpeg(page(1))
    canvas = canvas_2("http://x/c/1", "1r", server.url("/1r.jpg"))
    older, newer = (
        put(server, manifest_2(f"http://x/{path}", [canvas], label="HCA 32/1"), f"/{path}")
        for path in ("older", "newer")
    )
    take_in(archive, older)
    del server.files["/1r.jpg"]
    for _ in range(2):
        assert take_in(archive, newer).failed == 1
        assert [row["source"] for row in quarantine(archive)] == ["HCA 32/1/1r (2)"]
    server.files["/1r.jpg"] = image
    for _ in range(2):
        assert take_in(archive, newer, older).failed == 0
        pages = dump(archive)["pages"]
        assert [one["source"] for one in pages] == ["HCA 32/1/1r", "HCA 32/1/1r (2)"]
    archive.close()
    moved = create_archive(archive.folder.rename(archive.folder.with_name("elsewhere")))
    assert take_in(moved, newer, older).moved == 2
    assert [one["source"] for one in dump(moved)["pages"]] == ["HCA 32/1/1r", "HCA 32/1/1r (2)"]
    moved.close()


@pytest.mark.parametrize("workers", [0, 1])
def test_two_manifests_of_one_name_that_come_together(
    archive: Archive, server: Server, workers: int
) -> None:
    addresses = []
    for path in ("/1", "/2"):
        server.files[f"{path}.jpg"] = jpeg(page(int(path[1:])))
        canvas = canvas_2(server.url(f"{path}/c"), "1r", server.url(f"{path}.jpg"))
        manifest = manifest_2(server.url(path), [canvas], label="Letters")
        addresses.append(put(server, manifest, path))
    said = rehearse(archive, addresses, Manner(courtesy=QUICK))
    assert (said.to_fetch, said.problems) == (2, ())
    assert take_in(archive, *addresses, workers=workers).added == 2
    for source, image in {"Letters/1r": page(1), "Letters/1r (2)": page(2)}.items():
        assert np.array_equal(master(archive, source), decoded(jpeg(image)))


@pytest.mark.parametrize("version", [2, 3])
def test_of_several_languages_one_fills_a_column_and_the_rest_is_kept(
    archive: Archive, server: Server, version: int
) -> None:
    server.files["/1r.jpg"] = jpeg(page(1))
    metadata: list[dict[str, Any]]
    if version == 2:
        said = [("Hs. 5", "nl"), ("Ms. 5", "en"), ("Letters 2", "en")]
        value = [{"@value": text, "@language": language} for text, language in said]
        date = [{"@value": "maart 1702", "@language": "nl"}]
        metadata = [{"label": "Shelfmark", "value": value}, {"label": "Date", "value": date}]
        canvas = canvas_2("http://x/c", "1r", server.url("/1r.jpg"))
        manifest = manifest_2("http://x/m", [canvas], metadata=metadata)
    else:
        value = {"nl": ["Hs. 5"], "en": ["Ms. 5", "Letters 2"]}
        metadata = [
            {"label": {"en": ["Shelfmark"]}, "value": value},
            {"label": {"en": ["Date"]}, "value": {"nl": ["maart 1702"]}},
        ]
        canvas = canvas_3("http://x/c", "1r", body_3(server.url("/1r.jpg")))
        manifest = manifest_3("http://x/m", [canvas], metadata=metadata)
    take_in(archive, put(server, manifest))
    (document,) = dump(archive)["documents"]
    assert (document["reference"], document["date"]) == ("Ms. 5; Letters 2", "maart 1702")
    details = json.loads(document["details"])
    assert details["Shelfmark"] == "Hs. 5" and "Date" not in details
    assert dump(archive)["pages"][0]["source"] == "Ms. 5; Letters 2/1r"


def test_metadata_called_as_what_a_manifest_says_itself_is_kept(
    archive: Archive, server: Server
) -> None:
    server.files["/1r.jpg"] = jpeg(page(1))
    said = {"rights": "Crown", "summary": "lost?", "manifest": "of cargo"}
    metadata = [{"label": {"en": [label]}, "value": {"en": [text]}} for label, text in said.items()]
    licence = "http://creativecommons.org/licenses/by/4.0/"
    canvas = canvas_3("http://x/c", "1r", body_3(server.url("/1r.jpg")))
    manifest = manifest_3("http://x/m", [canvas], metadata=metadata, rights=licence)
    take_in(archive, put(server, manifest))
    (document,) = dump(archive)["documents"]
    details = json.loads(document["details"])
    assert details["rights"] == ["Crown", licence]
    assert (details["summary"], details["manifest (metadata)"]) == ("lost?", "of cargo")
    assert details["manifest"].startswith("http")


def test_the_pages_of_a_manifest_are_found_by_an_index_and_bound_by_themselves(
    archive: Archive, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = []
    for path in ("/1", "/2"):
        server.files[f"{path}.jpg"] = jpeg(page(int(path[1:])))
        canvas = canvas_2(server.url(f"{path}/c"), "1r", server.url(f"{path}.jpg"))
        manifest = manifest_2(server.url(path), [canvas], label=path)
        addresses.append(put(server, manifest, path))
    asked: dict[str, Any] = {}
    done: list[str] = []

    def bound(session: Session, masters: Path, described: Described) -> int:
        done.append(described.reference)
        return bind_canvases(session, masters, described)

    monkeypatch.setattr("ingest.batch.bind_canvases", bound)
    event.listen(archive.engine, "commit", lambda _: done.append("commit"))
    event.listen(
        archive.engine,
        "before_cursor_execute",
        lambda connection, cursor, statement, given, *_: asked.setdefault(statement, given),
    )
    assert take_in(archive, *addresses).bound == 2
    at = done.index("/1")
    assert done[at : at + 4] == ["/1", "commit", "/2", "commit"]

    with closing(sqlite3.connect(archive.folder / "archive.db")) as database:
        plans = [
            [step[3] for step in database.execute(f"EXPLAIN QUERY PLAN {one}", given)]
            for one, given in asked.items()
            if re.search("location (LIKE|>=)", one)
        ]
    assert len(plans) >= 4  # names, failures, the pages of a new master, and those to bind
    assert not [plan for plan in plans if "SCAN pages" in plan]


def test_pages_of_a_later_manifest_follow_those_of_an_earlier_one(
    archive: Archive, server: Server
) -> None:
    shelfmark = [{"label": "Shelfmark", "value": "HCA 32/1"}]
    for number in (1, 2, 1):
        canvases = []
        for side in "rv":
            image = f"/{number}{side}.jpg"
            server.files[image] = jpeg(page(10 * number + ord(side)))
            canvases.append(
                canvas_2(server.url(f"{image}/c"), f"{number}{side}", server.url(image))
            )
        path = f"/{number}/manifest"
        described = manifest_2(server.url(path), canvases, metadata=shelfmark)
        take_in(archive, put(server, described, path))
    assert [(one["source"], one["ordinal"]) for one in dump(archive)["pages"]] == [
        ("HCA 32/1/1r", 1),
        ("HCA 32/1/1v", 2),
        ("HCA 32/1/2r", 3),
        ("HCA 32/1/2v", 4),
    ]


def test_the_archivists_own_file_goes_before_the_manifest(
    archive: Archive, server: Server, tmp_path: Path
) -> None:
    address = letters(server, 2)
    own = tmp_path / "documents.csv"
    own.write_text("reference,source\nHCA 30/1,f. 2r\n", encoding="utf-8")
    take_in(archive, address, documents=[own])
    for _ in range(2):
        documents = {one["id"]: one["reference"] for one in dump(archive)["documents"]}
        assert [documents[one["document_id"]] for one in dump(archive)["pages"]] == [
            "HCA 32/1845/2",
            "HCA 30/1",
        ]
        take_in(archive, address)


def test_images_to_be_fetched_are_bound_by_the_names_they_will_have(
    archive: Archive, server: Server, tmp_path: Path
) -> None:
    address = letters(server, 2)
    described = [tmp_path / "d.csv"]
    described[0].write_text(
        "reference,source\nHCA 1/1,HCA 32/1845/2/f. 1r\nHCA 1/2,f. 2r\nHCA 1/3,f. 3r\n"
    )
    said = rehearse(archive, [address], Manner(documents=described, courtesy=QUICK))
    problems = ("d.csv, line 4: no page 'f. 3r' has been ingested.",)
    assert (said.to_fetch, said.would_bind, said.problems) == (2, 2, problems)
    assert take_in(archive, address, documents=described).problems == problems
