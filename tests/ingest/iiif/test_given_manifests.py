from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from ingest.batch import retry_quarantined
from ingest.iiif.manifest import Manifest, read_manifest
from ingest.manner import Manner, Progress
from ingest.rehearsal import rehearse
from ingest.report import IngestReport
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import MetadataError
from tests.ingest.iiif.taking_in import QUICK, page, put, take_in
from tests.ingest.iiif_server import Server, canvas_2, jpeg, manifest_2
from tests.ingest.scans import SQUARES, dump, quarantine, scan

IMPATIENT = dataclasses.replace(QUICK, longest_wait=0.01)


def letter(server: Server, name: str) -> str:
    """Offer a manifest of one page, of this name."""
    server.files[f"/{name}.jpg"] = jpeg(page(ord(name[-1])))
    canvas = canvas_2(server.url(f"/{name}/c"), "1r", server.url(f"/{name}.jpg"))
    return put(server, manifest_2(server.url(f"/{name}"), [canvas], label=name), f"/{name}")


def try_again(archive: Archive) -> IngestReport:
    """Ingest what stands in quarantine."""
    return retry_quarantined(archive, SQUARES, Manner(workers=0, courtesy=QUICK))


def sources(archive: Archive) -> list[str]:
    return [one["source"] for one in dump(archive)["pages"]]


def test_a_manifest_that_cannot_be_had_costs_a_row_until_it_can(
    archive: Archive, server: Server
) -> None:
    gone, page_of_it, there = server.url("/gone"), server.url("/page.html"), letter(server, "b")
    server.files["/page.html"] = b"<html>"
    for _ in range(2):
        report = take_in(archive, gone, page_of_it, there)
        assert (report.failed, report.healed, sources(archive)) == (2, 0, ["b/1r"])
        first, second = quarantine(archive)
        assert (first["source"], first["location"]) == (gone, gone)
        assert first["reason"] == f"{gone} answered 404 (Not Found)."
        assert first["advice"] == "Open the address in a browser to see what its server says."
        assert second["source"] == page_of_it and "is not JSON" in second["reason"]
        assert second["advice"].startswith("Give the address of a IIIF manifest")
    letter(server, "gone")
    report = take_in(archive, gone, page_of_it, there)
    assert (report.added, report.failed, report.healed) == (1, 1, 1)
    assert sources(archive) == ["b/1r", "gone/1r"]


def test_a_server_that_asks_to_be_left_alone_keeps_back_its_manifests_alone(
    archive: Archive, server: Server, tmp_path: Path
) -> None:
    scan(tmp_path / "in" / "a.png", (1, 1))
    addresses = [letter(server, name) for name in "bcd"]
    server.troubles["/c"].append((503, {"Retry-After": "600"}, b""))
    report = take_in(archive, *addresses, tmp_path / "in", courtesy=IMPATIENT)
    assert sources(archive) == ["a.png"]  # its images are left alone, too
    assert [row["source"] for row in quarantine(archive)] == ["b/1r", *addresses[1:]]
    assert all("asks clients to wait" in row["reason"] for row in quarantine(archive))
    asked = len(server.asked)
    report = try_again(archive)
    assert (report.added, report.healed, report.failed) == (3, 3, 0)
    assert sorted(server.asked[asked:]) == ["/b.jpg", "/c", "/c.jpg", "/d", "/d.jpg"]


def test_a_file_that_is_no_manifest_costs_a_row_until_it_is_one(
    archive: Archive, server: Server, tmp_path: Path
) -> None:
    letter(server, "b")
    letter(server, "c")
    for name, content in {"b": server.files["/b"], "c": b'{"type": "Canvas"}', "d": b"{"}.items():
        (tmp_path / f"{name}.json").write_bytes(content)
    files = sorted(tmp_path.glob("*.json"))
    assert take_in(archive, *files).failed == 2
    first, second = quarantine(archive)
    assert (first["source"], first["location"]) == (str(files[1]), str(files[1]))
    assert "its type is 'Canvas'" in first["reason"] and second["source"] == str(files[2])
    files[1].write_bytes(server.files["/c"])
    files[2].unlink()
    report = try_again(archive)
    assert (report.added, report.healed, report.failed) == (1, 1, 1)
    assert sources(archive) == ["b/1r", "c/1r"]


def test_a_manifest_in_quarantine_is_tried_again_with_its_images(
    archive: Archive, server: Server
) -> None:
    address, other = letter(server, "b"), letter(server, "c")
    image = server.files.pop("/b.jpg")
    assert take_in(archive, address).failed == 1
    manifest = server.files.pop("/b")
    assert [take_in(archive, address, other).failed for _ in range(2)] == [2, 2]
    server.files |= {"/b": manifest, "/b.jpg": image}
    report = try_again(archive)
    assert (report.added, report.fetched, report.healed, report.failed) == (1, 1, 2, 0)


def test_manifests_of_which_nothing_failed_are_not_read_again(
    archive: Archive, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = [letter(server, name) for name in ("b", "c", "d", "x&e")]
    escaped = server.files["/x&e"].replace(b"/", b"\\/").replace(b"&", b"\\u0026")
    server.files["/x&e"] = escaped
    images = server.files.pop("/x&e.jpg"), server.files["/c.jpg"]
    server.files["/c.jpg"] = images[1][:-900]
    assert take_in(archive, *addresses).failed == 2
    server.files["/x&e.jpg"], server.files["/c.jpg"] = images
    read: list[str] = []

    def heard(content: bytes, name: str) -> Manifest:
        manifest = read_manifest(content, name)
        read.append(manifest.id)
        return manifest

    monkeypatch.setattr("ingest.given.read_manifest", heard)
    assert (try_again(archive).healed, sorted(read)) == (2, [addresses[1], addresses[3]])
    assert (try_again(archive).healed, len(read)) == (0, 2)


@pytest.mark.parametrize("images_alone", [True, False])
def test_of_two_manifests_with_one_id_the_second_is_not_dropped_in_silence(
    archive: Archive, server: Server, tmp_path: Path, images_alone: bool
) -> None:
    address = letter(server, "b")
    letter(server, "c")
    other = json.loads(server.files["/b" if images_alone else "/c"])
    if images_alone:
        resource = other["sequences"][0]["canvases"][0]["images"][0]["resource"]
        resource["@id"] = server.url("/c.jpg")
    (tmp_path / "other.json").write_text(json.dumps(other | {"@id": address}))
    (tmp_path / "same.json").write_bytes(server.files["/b"])
    given = (address, tmp_path / "same.json", tmp_path / "other.json")
    reason = f"{given[2]} has the same id as {address}, but other canvases."
    said = rehearse(archive, given, Manner(courtesy=QUICK))
    assert [(one.source, one.reason) for one in said.unreadable] == [(str(given[2]), reason)]
    report = take_in(archive, *given)
    assert (report.added, report.failed, sources(archive)) == (1, 1, ["b/1r"])
    (row,) = quarantine(archive)
    assert (row["source"], row["reason"]) == (str(given[2]), reason)
    assert "id" in row["advice"]


def test_a_sole_source_that_is_no_manifest_ends_the_run(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(MetadataError, match="is not JSON"):
        take_in(archive, tmp_path / "a.json")
    assert dump(archive)["failures"] == []


def test_what_is_being_fetched_is_said(archive: Archive, server: Server, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(json.dumps(manifest_2("https://x/b", [])))
    given = (letter(server, "c"), tmp_path / "b.json", server.url("/gone"))
    said: list[Progress] = []
    take_in(archive, *given, progress=said.append)
    assert said == [
        Progress(0, 3, given[0]),
        Progress(1, 3, str(given[1])),
        Progress(2, 3, given[2]),
        Progress(1, 1, "c/1r"),
    ]


def test_a_rehearsal_says_which_manifests_cannot_be_had(archive: Archive, server: Server) -> None:
    gone = server.url("/gone")
    said = rehearse(archive, [gone, letter(server, "b")], Manner(courtesy=QUICK))
    assert said.to_fetch == 1
    assert [(one.source, one.reason) for one in said.unreadable] == [
        (gone, f"{gone} answered 404 (Not Found).")
    ]
    assert dump(archive)["failures"] == []
