from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from sqlalchemy import select

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import Mark
from tests.ingest.iiif.taking_in import page, put, take_in
from tests.ingest.iiif_server import Server, canvas_2, manifest_2
from tests.ingest.scans import dump, rows


def volume(server: Server, **services: str) -> str:
    """Offer a manifest of these canvases, each with the image of a service."""
    canvases = [
        canvas_2(f"https://x/c/{name}", name, f"{service}/full/full/0/default.jpg", service)
        for name, service in services.items()
    ]
    return put(server, manifest_2("https://x/m", canvases))


def services(server: Server, prefix: str, *names: str) -> dict[str, str]:
    """Offer an image a name, under a prefix that stands for another server."""
    return {name: server.image(f"{prefix}-{name}", page(ord(name[-1]))) for name in names}


def stems(archive: Archive) -> dict[str, str]:
    """Return how the masters of the pages are called, by the canvases' names."""
    pages = dump(archive)["pages"]
    return {one["source"].split("/")[-1]: Path(one["location"]).stem for one in pages}


def test_a_library_that_moves_its_image_server_again_and_again_has_its_pages_once(
    archive: Archive, server: Server
) -> None:
    take_in(archive, volume(server, **services(server, "first", "a", "b")))
    with archive.writing() as session:
        for mark in session.scalars(select(Mark)):
            mark.status = "confirmed"
    before, marks = stems(archive), rows(archive, select(Mark.id, Mark.crop, Mark.status))
    assert len(before) == 2 and marks
    for prefix in ("second", "third", "third", "first"):
        address = volume(server, **services(server, prefix, "a", "b"))
        server.asked.clear()
        report = take_in(archive, address)
        assert (report.added, report.fetched, report.unchanged, report.bound) == (0, 0, 2, 0)
        assert server.asked == ["/manifest.json"]
        assert f"/dynamic/{prefix}-a" in dump(archive)["pages"][0]["details"]
        assert stems(archive) == before
        assert rows(archive, select(Mark.id, Mark.crop, Mark.status)) == marks


def test_an_image_that_was_never_had_is_fetched_from_the_new_server(
    archive: Archive, server: Server
) -> None:
    given = services(server, "first", "a", "b")
    del server.images["first-b"]
    assert take_in(archive, volume(server, **given)).failed == 1
    report = take_in(archive, volume(server, **services(server, "second", "a", "b")))
    assert (report.added, report.fetched, report.failed) == (1, 1, 0)
    assert list(stems(archive)) == ["a", "b"]


@pytest.mark.parametrize("order", [["new", "a", "b"], ["b"]])
def test_images_that_change_their_canvases_are_not_taken_for_moved_ones(
    archive: Archive, server: Server, order: list[str]
) -> None:
    given = services(server, "first", "a", "b", "new")
    take_in(archive, volume(server, p1=given["a"], p2=given["b"]))
    changed = {f"p{number}": given[name] for number, name in enumerate(order, start=1)}
    assert take_in(archive, volume(server, **changed)).fetched == len(order)
    for one in dump(archive)["pages"]:
        details = json.loads(one["details"])
        key = hashlib.sha256(f"{details['canvas']}\n{details['service']}".encode()).hexdigest()
        assert Path(one["location"]).stem == key[:24]


def test_a_canvas_that_gets_a_second_image_keeps_no_name(archive: Archive, server: Server) -> None:
    first, second = services(server, "first", "a"), services(server, "second", "a", "b")
    take_in(archive, volume(server, **first))
    canvas = canvas_2("https://x/c/a", "a", "", second["a"])
    canvas["images"] += canvas_2("https://x/c/a", "a", "", second["b"])["images"]
    report = take_in(archive, put(server, manifest_2("https://x/m", [canvas])))
    assert (report.added, report.fetched) == (2, 2)
