from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from ingest.batch import retry_quarantined
from ingest.forgetting import forget
from ingest.iiif.fetching import Web
from ingest.manner import Manner
from retrieval.catalogue.archive import Archive, create_archive
from retrieval.catalogue.errors import MetadataError, SourceError
from retrieval.catalogue.tables import Mark
from tests.ingest.iiif.taking_in import QUICK, letters, master, page, placeless, put, take_in
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
from tests.ingest.scans import SQUARES, crops_of, dump, quarantine


def test_a_manifest_of_version_2_becomes_a_document_with_its_pages(
    archive: Archive, server: Server
) -> None:
    service = server.image("a", page(1))
    address = server.url("/manifest.json")
    manifest = manifest_2(
        address,
        [
            canvas_2(server.url("/c/2"), "f. 10v", f"{service}/full/full/0/default.jpg", service),
            canvas_2(server.url("/c/1"), "f. 9r", server.url("/plain.jpg")),
            canvas_2(server.url("/c/3"), "back", "") | {"images": []},
        ],
        metadata=[
            {"label": "Reference", "value": "HCA 32/1845"},
            {"label": "Date", "value": "1702-1703"},
            {"label": [{"@value": "Vessel", "@language": "en"}], "value": "De Hoop"},
            {"label": "Language", "value": ["Dutch", "<i>French</i> &amp; Latin"]},
        ],
        attribution="The National Archives",
        license="https://example.org/licence",
    )
    server.files["/plain.jpg"] = jpeg(page(2))
    report = take_in(archive, put(server, manifest))
    assert (report.added, report.fetched, report.failed, report.skipped) == (2, 2, 0, 0)
    assert (report.canvases_without_image, report.manifests_without_image) == (1, ())
    assert (report.documents, report.bound, report.problems) == (1, 2, ())
    (document,) = dump(archive)["documents"]
    assert (document["reference"], document["title"]) == ("HCA 32/1845", "HCA 32/1845/2")
    assert (document["series"], document["ship"]) == ("HCA 32", "De Hoop")
    assert (document["year_from"], document["year_to"]) == (1702, 1703)
    assert json.loads(document["details"]) == {
        "Language": ["Dutch", "French & Latin"],
        "date (EDTF)": "1702/1703",
        "attribution": "The National Archives",
        "rights": "https://example.org/licence",
        "manifest": address,
    }
    first, second = dump(archive)["pages"]
    assert [first["source"], second["source"]] == ["HCA 32/1845/f. 10v", "HCA 32/1845/f. 9r"]
    assert [first["ordinal"], second["ordinal"]] == [1, 2]
    assert first["document_id"] == second["document_id"] == document["id"]
    assert json.loads(first["details"]) == {
        "manifest": address,
        "canvas": server.url("/c/2"),
        "label": "f. 10v",
        "width": 2000,
        "height": 1600,
        "image": f"{service}/full/full/0/default.jpg",
        "service": service,
        "attribution": "The National Archives",
        "rights": "https://example.org/licence",
    }
    assert np.array_equal(master(archive, "HCA 32/1845/f. 10v"), decoded(jpeg(page(1))))
    assert np.array_equal(master(archive, "HCA 32/1845/f. 9r"), decoded(jpeg(page(2))))
    assert all(
        Path(one["location"]).is_relative_to(archive.masters_folder) for one in (first, second)
    )
    agents = {headers["User-Agent"].split("/")[0] for headers in server.headers}
    assert agents == {"prizemarks"}
    assert not any({"Authorization", "Cookie"} & set(headers) for headers in server.headers)
    assert server.most_at_once == 1


def test_a_manifest_of_version_3_on_disk(archive: Archive, server: Server, tmp_path: Path) -> None:
    service = server.image("a", page(3), version=3)
    choice = {
        "type": "Choice",
        "items": [body_3(f"{service}/full/max/0/default.jpg", service), body_3("http://x/uv.jpg")],
    }
    manifest = manifest_3(
        "https://example.org/letters",
        [
            canvas_3("https://example.org/c/1", "1r", choice),
            canvas_3("https://example.org/c/2", "1v", [body_3(server.url("/plain.jpg"))]),
        ],
        metadata=[{"label": {"en": ["Shelfmark"]}, "value": {"none": ["HCA 30/2"]}}],
        requiredStatement={"label": {"en": ["By"]}, "value": {"en": ["The Archive"]}},
        rights="http://creativecommons.org/licenses/by/4.0/",
        summary={"en": ["A bundle"]},
    )
    server.files["/plain.jpg"] = jpeg(page(4))
    path = tmp_path / "letters.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    report = take_in(archive, path)
    assert (report.added, report.failed, report.bound) == (2, 0, 2)
    (document,) = dump(archive)["documents"]
    assert (document["reference"], document["title"]) == ("HCA 30/2", "Letters from De Hoop")
    details = json.loads(document["details"])
    assert details["attribution"] == "The Archive"
    assert details["rights"] == "http://creativecommons.org/licenses/by/4.0/"
    assert details["summary"] == "A bundle"
    assert [one["source"] for one in dump(archive)["pages"]] == ["HCA 30/2/1r", "HCA 30/2/1v"]
    assert np.array_equal(master(archive, "HCA 30/2/1r"), decoded(jpeg(page(3))))
    (kept,) = archive.masters_folder.glob("*/*/manifest.json")
    assert kept.read_bytes() == path.read_bytes()


def manifest_of(service: str, version: int) -> dict[str, Any]:
    """Return a manifest of one canvas, whose image a service of that version gives."""
    if version == 2:
        canvas = canvas_2("http://x/c", "1", f"{service}/full/full/0/default.jpg", service)
        return manifest_2("http://x/m", [canvas])
    body = body_3(f"{service}/full/max/0/default.jpg", service)
    return manifest_3("http://x/m", [canvas_3("http://x/c", "1", body)])


@pytest.mark.parametrize("version", [2, 3])
def test_an_image_that_is_only_there_in_tiles_is_put_together(
    archive: Archive, server: Server, version: int
) -> None:
    image = np.random.default_rng(2).integers(0, 256, (150, 200, 3), dtype=np.uint8)
    service = server.tiles("a", image, version=version)
    expected = np.zeros_like(image)
    for top in range(0, 150, 64):
        for left in range(0, 200, 64):
            part = image[top : top + 64, left : left + 64]
            expected[top : top + 64, left : left + 64] = decoded(jpeg(part))
    report = take_in(archive, put(server, manifest_of(service, version)))
    assert (report.added, report.failed) == (1, 0)
    assert np.array_equal(master(archive, dump(archive)["pages"][0]["source"]), expected)


@pytest.mark.parametrize("version", [2, 3])
def test_a_servers_limit_is_kept(archive: Archive, server: Server, version: int) -> None:
    service = server.image("a", page(1), version=version, limits={"maxWidth": 120})
    take_in(archive, put(server, manifest_of(service, version)))
    (page_row,) = dump(archive)["pages"]
    assert (page_row["width"], page_row["height"]) == (120, 90)
    assert not any(",0/" in path or "0,0," in path for path in server.asked)


def test_an_old_image_server_of_version_1(archive: Archive, server: Server) -> None:
    service = server.image("a", page(1), version=1)
    canvas = canvas_2("http://x/c", "1", f"{service}/full/full/0/native.jpg", service, 1)
    assert take_in(archive, put(server, manifest_2("http://x/m", [canvas]))).added == 1
    assert "/dynamic/a/full/full/0/native.jpg" in server.asked


def test_a_second_run_asks_for_the_manifest_alone(archive: Archive, server: Server) -> None:
    address = letters(server, 4)
    take_in(archive, address)
    before, files = dump(archive, moments=True), sorted(archive.masters_folder.rglob("*"))
    server.asked.clear()
    report = take_in(archive, address)
    assert server.asked == ["/manifest.json"]
    assert (report.added, report.fetched, report.unchanged, report.documents) == (0, 0, 4, 0)
    assert dump(archive, moments=True) == before
    assert sorted(archive.masters_folder.rglob("*")) == files


def test_a_canvas_that_cannot_be_had_costs_a_row_until_it_can(
    archive: Archive, server: Server
) -> None:
    address = letters(server, 4)
    gone = server.images.pop("page-1")
    server.files["/dynamic/page-2/full/full/0/default.jpg"] = b"<html>please log in</html>"
    del server.images["page-2"]
    report = take_in(archive, address)
    assert (report.added, report.failed, report.bound, report.problems) == (2, 2, 2, ())
    first, second = quarantine(archive)
    assert first["source"] == "HCA 32/1845/2/f. 2r"
    assert first["location"] == server.url("/dynamic/page-1/full/full/0/default.jpg")
    assert "404" in first["reason"] and "browser" in first["advice"]
    assert second["source"] == "HCA 32/1845/2/f. 3r"

    server.images |= {"page-1": gone, "page-2": page(2)}
    server.files.pop("/dynamic/page-2/full/full/0/default.jpg")
    report = take_in(archive, address)
    assert (report.added, report.fetched, report.unchanged, report.failed) == (2, 2, 2, 0)
    ordered = sorted(dump(archive)["pages"], key=lambda one: one["ordinal"])
    assert [one["source"].split("/")[-1] for one in ordered] == ["f. 1r", "f. 2r", "f. 3r", "f. 4r"]


def test_images_in_quarantine_are_tried_again_without_their_manifest(
    archive: Archive, server: Server
) -> None:
    address = letters(server, 4)
    gone = server.images.pop("page-1"), server.images.pop("page-2")
    assert take_in(archive, address).failed == 2
    del server.files["/manifest.json"]
    asked = len(server.asked)
    again = Manner(workers=0, courtesy=QUICK)
    server.images["page-1"] = gone[0]
    report = retry_quarantined(archive, SQUARES, again)
    assert (report.added, report.fetched, report.healed, report.failed) == (1, 1, 1, 1)
    assert not any("page-0" in one or "page-3" in one for one in server.asked[asked:])
    server.images["page-2"] = gone[1]
    assert retry_quarantined(archive, SQUARES, again).failed == 0
    ordered = sorted(dump(archive)["pages"], key=lambda one: one["ordinal"])
    assert [one["source"].split("/")[-1] for one in ordered] == ["f. 1r", "f. 2r", "f. 3r", "f. 4r"]
    assert retry_quarantined(archive, SQUARES, again).fetched == 0


def test_what_the_manifest_has_no_more_leaves_quarantine_and_no_other(
    archive: Archive, server: Server
) -> None:
    def of(label: str, *images: str) -> str:
        path = f"/{label.replace(' ', '-')}"
        canvases = [
            canvas_2(server.url(f"{path}/{image}"), image, server.url(f"/{image}.jpg"))
            for image in images
        ]
        return put(server, manifest_2(server.url(path), canvases, label=label), path)

    inner, outer = of("HCA 32/1", "a"), of("HCA 32", "1", "2")
    assert take_in(archive, inner, outer).failed == 3
    assert take_in(archive, of("HCA 32", "2", "3")).failed == 3
    assert [row["source"] for row in quarantine(archive)] == ["HCA 32/1/a", "HCA 32/2", "HCA 32/3"]


def test_an_archive_that_was_moved_knows_its_pages(archive: Archive, server: Server) -> None:
    address = letters(server, 3)
    take_in(archive, address)
    before = placeless(archive)
    archive.close()
    moved = archive.folder.rename(archive.folder.with_name("elsewhere"))
    archive = create_archive(moved)
    report = take_in(archive, address)
    assert (report.added, report.moved, report.fetched, report.bound) == (0, 3, 0, 0)
    assert placeless(archive) == before
    archive.close()


def test_crops_may_come_from_a_manifest(archive: Archive, server: Server) -> None:
    report = crops_of(archive, letters(server, 2), courtesy=QUICK)  # type: ignore[arg-type]
    assert (report.added, report.marks) == (2, 2)
    assert {one["status"] for one in dump(archive)["marks"]} == {"confirmed"}


def test_no_connection_is_left_where_a_manifest_cannot_be_had(
    archive: Archive, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Web] = []
    monkeypatch.setattr(Web, "close", lambda web: closed.append(web))
    with pytest.raises(SourceError, match="answered 404"):
        take_in(archive, server.url("/none.json"))
    assert len(closed) == 1


def test_what_is_no_manifest_ends_the_run_before_anything_is_written(
    archive: Archive, server: Server
) -> None:
    collection = {
        "type": "Collection",
        "id": "http://x/c",
        "items": [{"type": "Manifest", "id": f"http://x/{at}"} for at in range(7)],
    }
    server.files["/page.html"] = b"<html>"
    with pytest.raises(MetadataError, match=r"collection.*http://x/0 .*and 2 more"):
        take_in(archive, put(server, collection, "/collection"))
    with pytest.raises(MetadataError, match="not JSON"):
        take_in(archive, server.url("/page.html"))
    with pytest.raises(SourceError, match="404"):
        take_in(archive, server.url("/nothing"))
    with pytest.raises(SourceError, match="not an http or https"):
        take_in(archive, "ftp://example.org/x")
    assert not archive.masters_folder.exists()
    assert dump(archive)["documents"] == []


def test_images_of_a_manifest_that_are_forgotten_are_deleted_and_wait_to_be_asked_for(
    archive: Archive, server: Server
) -> None:
    address = letters(server, 3)
    take_in(archive, address)
    pages = dump(archive)["pages"]
    with archive.writing() as session:
        session.scalars(select(Mark).where(Mark.page_id == pages[1]["id"])).all()[
            0
        ].status = "confirmed"
    name = pages[0]["source"].rpartition("/")[0]
    done = forget(archive, [name])
    assert (done.pages, done.masters, done.judged) == (2, 2, (pages[1]["source"],))
    assert [Path(page["location"]).exists() for page in pages] == [False, True, False]
    again = Manner(workers=0, courtesy=QUICK)
    assert retry_quarantined(archive, SQUARES, again).added == 0
    assert dump(archive)["pages"] == pages[1:2]
    report = take_in(archive, address)
    assert (report.added, report.fetched, report.unchanged) == (2, 2, 1)
    now = {
        page["source"]: (page["document_id"], page["ordinal"]) for page in dump(archive)["pages"]
    }
    assert now == {page["source"]: (page["document_id"], page["ordinal"]) for page in pages}
