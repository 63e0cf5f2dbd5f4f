from __future__ import annotations

import io
import json
import time
from dataclasses import replace

import pytest
from PIL import Image

from ingest.batch import retry_quarantined
from ingest.manner import Manner
from retrieval.catalogue.archive import Archive
from tests.ingest.iiif.taking_in import QUICK, letters, page, put, take_in
from tests.ingest.iiif_server import Server, canvas_2, jpeg, manifest_2
from tests.ingest.scans import SQUARES, dump, quarantine


def test_a_busy_server_is_asked_again(archive: Archive, server: Server) -> None:
    address = letters(server, 2)
    server.troubles["/manifest.json"] = [(429, {"Retry-After": "0"}, b"")]
    server.troubles["/dynamic/page-0/info.json"] = [
        (503, {"Retry-After": "Thu, 01 Jan 2026 00:00:00 GMT"}, b""),
        (502, {}, b""),
    ]
    server.troubles["/dynamic/page-1/info.json"] = [
        (503, {"Retry-After": "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"}, b"")
    ]
    server.troubles["/dynamic/page-1/full/full/0/default.jpg"] = [
        (200, {"Content-Length": "9999"}, b"\xff\xd8\xff cut short")
    ]
    report = take_in(archive, address)
    assert (report.added, report.failed) == (2, 0)
    assert server.asked.count("/dynamic/page-0/info.json") == 3
    assert server.asked.count("/dynamic/page-1/info.json") == 2
    assert server.asked.count("/dynamic/page-1/full/full/0/default.jpg") == 2


def test_a_host_that_asks_to_be_left_alone_is(archive: Archive, server: Server) -> None:
    address = letters(server, 4)
    server.troubles["/dynamic/page-1/info.json"] = [(429, {"Retry-After": "3600"}, b"")] * 9
    report = take_in(archive, address)
    assert (report.added, report.failed) == (1, 3)
    assert server.asked[-1] == "/dynamic/page-1/info.json"
    assert server.asked.count("/dynamic/page-1/info.json") == 1
    assert "wait 60 minutes" in quarantine(archive)[0]["reason"]


def test_a_server_that_fails_amid_its_tiles_is_not_asked_for_the_image_otherwise(
    archive: Archive, server: Server
) -> None:
    service = server.tiles("a", page(1))
    image = server.url("/plain.jpg")
    server.files["/plain.jpg"] = jpeg(page(1))
    tile = "/static/a/64,0,64,64/64,/0/default.jpg"
    server.troubles[tile] = [(503, {}, b"")] * 9
    canvas = canvas_2("http://x/c", "1", image, service)
    address = put(server, manifest_2("http://x/m", [canvas]))
    report = take_in(archive, address)
    assert (report.added, report.failed) == (0, 1)
    assert server.asked[-QUICK.attempts :] == [tile] * QUICK.attempts
    assert "/plain.jpg" not in server.asked
    assert quarantine(archive)[0]["reason"].startswith(f"{server.url(tile)} answered 503")


@pytest.mark.parametrize(
    ("how", "failing"),
    [
        (502, ["/scan/info.json"]),
        ("slow", ["/scan/info.json"]),
        (504, ["/scan/full/full/0/default.jpg"]),
        ("slow", ["/scan/full/full/0/default.jpg"]),
        (500, ["/scan/full/max/0/default.jpg"]),
        (504, ["/scan/full/full/0/default.jpg", "/scan/full/max/0/default.jpg"]),
    ],
)
def test_an_image_at_which_a_server_fails_for_now_is_not_taken_smaller(
    archive: Archive, server: Server, how: int | str, failing: list[str]
) -> None:
    said = {"@context": "http://iiif.io/api/image/2/context.json", "width": 200, "height": 150}
    server.files["/scan/info.json"] = json.dumps(
        said | {"sizes": [{"width": 100, "height": 75}]}
    ).encode()
    small = "/scan/full/50,/0/default.jpg"
    for path in ("/scan/full/100,/0/default.jpg", small):
        server.files[path] = jpeg(page(1)[::2, ::2])
    canvas = canvas_2("http://x/c", "1", server.url(small), server.url("/scan"))
    address = put(server, manifest_2("http://x/m", [canvas]))
    for path in failing:
        if how == "slow":
            server.drops[path] = 0.1, [HEAD, *[b"."] * 50]
        else:
            server.troubles[path] = [(int(how), {}, b"")] * QUICK.attempts
    report = take_in(archive, address, courtesy=replace(QUICK, whole=0.3))
    assert (report.added, report.fetched, report.failed) == (0, 0, 1)
    (row,) = quarantine(archive)
    said_of = "took more than 0 minutes." if how == "slow" else f"answered {how}"
    assert f"{server.url(failing[0])} {said_of}" in row["reason"]
    assert row["advice"].startswith("Ingest it again later")

    server.drops.clear()
    server.files["/scan/full/full/0/default.jpg"] = jpeg(page(1))
    report = take_in(archive, address)
    assert (report.added, report.fetched, report.failed) == (1, 1, 0)
    assert dump(archive)["pages"][0]["width"] == 200


def test_an_image_that_a_server_fails_to_give_whole_is_taken_in_tiles_of_its_size(
    archive: Archive, server: Server
) -> None:
    address = letters(server, 1)
    for size in ("full", "max"):
        path = f"/dynamic/page-0/full/{size}/0/default.jpg"
        server.troubles[path] = [(504, {}, b"")] * QUICK.attempts
    assert take_in(archive, address).added == 1
    assert dump(archive)["pages"][0]["width"] == 200
    assert dump(archive)["pages"][0]["location"].endswith(".png")


def test_of_a_tile_that_no_address_gives_it_is_said_which_may_give_it_later(
    archive: Archive, server: Server
) -> None:
    service = server.tiles("a", page(1))
    server.files["/small.jpg"] = jpeg(page(1)[::2, ::2])
    tile, exact = (f"/static/a/64,0,64,64/{size}/0/default.jpg" for size in ("64,", "64,64"))
    whole = server.files.pop(tile)
    server.troubles[exact] = [(500, {}, b"")] * QUICK.attempts
    canvas = canvas_2("http://x/c", "1", server.url("/small.jpg"), service)
    address = put(server, manifest_2("http://x/m", [canvas]))
    assert take_in(archive, address).failed == 1
    assert quarantine(archive)[0]["reason"].startswith(f"{server.url(exact)} answered 500")
    server.files[tile] = whole
    assert take_in(archive, address).added == 1
    assert dump(archive)["pages"][0]["width"] == 200


def test_a_master_that_was_damaged_on_the_way_is_fetched_again(
    archive: Archive, server: Server
) -> None:
    address = letters(server, 1)
    path = "/dynamic/page-0/full/full/0/default.jpg"
    server.troubles[path] = [(200, {}, b"\xff\xd8\xff" + b"junk" * 99)]
    assert take_in(archive, address).failed == 1
    report = take_in(archive, address)
    assert (report.added, report.failed, report.fetched) == (1, 0, 1)
    assert quarantine(archive) == []


def test_a_master_that_is_too_large_is_fetched_again_when_the_limit_is_another(
    archive: Archive, server: Server
) -> None:
    server.files["/large.jpg"] = jpeg(page(1))
    canvas = canvas_2("http://x/c", "1", server.url("/large.jpg"))
    address = put(server, manifest_2("http://x/m", [canvas]))
    assert take_in(archive, address, max_pixels=10_000).failed == 1
    before = quarantine(archive)
    server.asked.clear()
    report = take_in(archive, address, max_pixels=10_000)
    assert (report.failed, report.left, report.fetched) == (1, 1, 0)
    assert server.asked == ["/manifest.json"]
    assert quarantine(archive) == before
    report = retry_quarantined(
        archive, SQUARES, Manner(workers=0, courtesy=QUICK, max_pixels=10_000)
    )
    assert (report.failed, report.left, report.fetched) == (1, 0, 1)
    report = take_in(archive, address)
    assert (report.added, report.failed, report.fetched) == (1, 0, 1)


def test_a_master_that_comes_in_another_format_takes_the_place_of_the_old(
    archive: Archive, server: Server
) -> None:
    server.files["/picture"] = b"\xff\xd8\xff" + b"junk" * 99
    canvas = canvas_2("http://x/c", "1", server.url("/picture"))
    address = put(server, manifest_2("http://x/m", [canvas]))
    assert take_in(archive, address).failed == 1
    pictures = {".tif": "TIFF", ".jpg": "JPEG", ".png": "PNG"}
    for at, (suffix, form) in enumerate(pictures.items()):
        stream = io.BytesIO()
        Image.fromarray(page(at)).save(stream, format=form)
        server.files["/picture"] = stream.getvalue()
        report = take_in(archive, address)
        assert (report.added, report.changed, report.failed) == (at == 0, at > 0, 0)
        (row,) = dump(archive)["pages"]
        (lies,) = archive.masters_folder.rglob(f"*{suffix}")
        assert len(list(lies.parent.iterdir())) == 2  # the manifest lies beside it
        assert row["source"] == "HCA 32/1845/2/1"
        assert row["location"] == str(lies)
        lies.unlink()


def test_redirects_are_followed_but_not_for_ever_nor_out_of_the_web(
    archive: Archive, server: Server
) -> None:
    server.files["/real.jpg"] = jpeg(page(1))
    addresses = {
        "/moved": "/real.jpg",
        "/loop": "/loop",
        "/out": "file:///etc/passwd",
        "/open": "http://[",
        "/no-host": "http://[foo]/",
    }
    canvases = []
    for path, to in addresses.items():
        server.troubles[path] = [(302, {"Location": to}, b"")] * 20
        canvases.append(canvas_2(f"http://x{path}", path.strip("/"), server.url(path)))
    canvases.append(canvas_2("http://x/4", "secret", "http://me:word@127.0.0.1/x.jpg"))
    report = take_in(archive, put(server, manifest_2("http://x/m", canvases)))
    assert (report.added, report.failed) == (1, 5)
    reasons = {row["source"].split("/")[-1]: row["reason"] for row in quarantine(archive)}
    assert "more than 5 times" in reasons["loop"]
    assert "not an http or https" in reasons["out"]
    assert reasons["open"].endswith("/open was redirected to 'http://[', which is not a URL.")
    assert reasons["no-host"].endswith("redirected to 'http://[foo]/', which is not a URL.")
    assert "password" in reasons["secret"] and "word@" not in reasons["secret"]


def test_more_bytes_than_an_image_needs_are_not_taken(archive: Archive, server: Server) -> None:
    server.files["/big.jpg"] = b"\xff\xd8\xff" + bytes(3_000_000)
    canvas = canvas_2("http://x/c", "1", server.url("/big.jpg"))
    address = put(server, manifest_2("http://x/m", [canvas]))
    assert take_in(archive, address, max_pixels=10_000).failed == 1
    assert "larger than 1,080,000 bytes" in quarantine(archive)[0]["reason"]
    assert not any(archive.masters_folder.rglob("*.jpg"))


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD + b"\r\n\xff\xd8\xff", *[b"more"] * 50],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"0"] * 50],
        [HEAD, *[b"X-More: more\r\n"] * 50],
    ],
    ids=["body", "chunk", "head"],
)
def test_an_answer_that_comes_in_drops_is_given_up(
    archive: Archive, server: Server, pieces: list[bytes]
) -> None:
    server.drops["/long.jpg"] = 0.1, pieces
    canvas = canvas_2("http://x/c", "1", server.url("/long.jpg"))
    address = put(server, manifest_2("http://x/m", [canvas]))
    begun = time.monotonic()
    assert take_in(archive, address, courtesy=replace(QUICK, whole=0.5)).failed == 1
    assert time.monotonic() - begun < 4
    assert quarantine(archive)[0]["reason"].endswith("/long.jpg took more than 0 minutes.")
    del server.drops["/long.jpg"]
    server.files["/long.jpg"] = jpeg(page(1))
    assert take_in(archive, address).failed == 0


def test_an_image_over_the_limit_of_pixels_is_not_fetched(archive: Archive, server: Server) -> None:
    address = letters(server, 1)
    assert take_in(archive, address, max_pixels=10_000).failed == 1
    assert server.asked == ["/manifest.json", "/dynamic/page-0/info.json"]
    assert take_in(archive, address).added == 1
