from __future__ import annotations

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.canvases import CanvasRow, canvas_address, canvas_rows


def add_page(archive: Archive, number: int, details: dict[str, object] | None) -> int:
    with archive.session() as session:
        page = tables.Page(
            source=f"{number}.png", location=f"/nowhere/{number}.png", width=9, height=9,
            sha256=f"{number:064x}", size=1, mtime_ns=1, details=details,
        )  # fmt: skip
        session.add(page)
        session.flush()
        return page.id


def test_what_canvases_say_is_given_by_page(archive: Archive) -> None:
    address = {"canvas": "https://example.org/c/1", "width": 2000}
    full = {"label": "f. 12r", "attribution": "The Archive", "rights": "https://example.org/r"}
    first = add_page(archive, 1, address | full)
    second = add_page(archive, 2, address | {"label": "f. 12v"})
    silent = add_page(archive, 3, address)
    file = add_page(archive, 4, None)
    odd = add_page(archive, 5, {"label": 7, "attribution": ["a"], "rights": ""})
    with archive.session() as session:
        assert canvas_rows(session, [first, second, silent, file, odd, 999]) == {
            first: CanvasRow("f. 12r", "The Archive", "https://example.org/r"),
            second: CanvasRow("f. 12v", None, None),
        }
        assert canvas_rows(session, [second]) == {second: CanvasRow("f. 12v", None, None)}
        assert canvas_rows(session, []) == {}


def test_a_canvas_has_an_address_on_the_web_or_none(archive: Archive) -> None:
    given = ("https://example.org/c/1", "http://example.org/c/1", "javascript:x", "urn:c:1", 7)
    pages = [add_page(archive, at, {"canvas": one}) for at, one in enumerate(given)]
    pages += [add_page(archive, 8, {"label": "f. 1"}), add_page(archive, 9, None), 999]
    with archive.session() as session:
        found = [canvas_address(session, page) for page in pages]
    assert found == [*given[:2], *[None] * 6]
