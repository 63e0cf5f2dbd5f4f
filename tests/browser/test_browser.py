"""The page in a real browser: what only a browser can do, and what it must never do."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from sqlalchemy import select

from retrieval.catalogue import tables
from retrieval.catalogue.archive import create_archive
from retrieval.catalogue.groups import ProposedGroup, replace_proposed_groups
from tests.drawn_marks import drawn_mark
from tests.paper_archive import HEIGHT, PLACES, SIDE, WIDTH, Papers, make_papers
from ui.serve import server_command

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Milliseconds that anything on the page may take: a slow machine is no failure.
PATIENCE = 120_000
#: How far down the page is scrolled, in pixels, to the browser.
SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"


@pytest.fixture(scope="module")
def chromium(no_browser: bool) -> str:
    found = shutil.which("chromium")
    if found is None and no_browser:
        pytest.skip("no chromium, and TEST_WITHOUT_BROWSER=1 says that none is wanted")
    if found is None:
        pytest.fail(
            "These tests drive a real browser and there is none: run `apt-get install chromium`, "
            "or set TEST_WITHOUT_BROWSER=1 to go without them."
        )
    return found


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Papers]:
    folder = tmp_path_factory.mktemp("browser")
    archive = create_archive(folder / "archive")
    yield make_papers(archive, folder / "scans")
    archive.close()


@pytest.fixture(scope="module")
def address(papers: Papers) -> Iterator[str]:
    """The address of a server of its own, which ends with the tests."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = server_command(papers.archive.folder, "127.0.0.1", port)
    log = papers.archive.folder.parent / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + PATIENCE / 1000
        while True:
            try:
                with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5):
                    break
            except OSError:
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def page(chromium: str, address: str) -> Iterator[Page]:
    """A visitor's page; afterwards it must have asked nothing of anybody but the server."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1380, "height": 1000})
        page.set_default_timeout(PATIENCE)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
        yield page
        browser.close()
    ours = (address, "data:", "blob:")
    assert [url for url in asked if not url.startswith(ours)] == []


def _open(page: Page, address: str, params: str = "") -> None:
    page.goto(f"{address}/{params}")
    page.locator(".pm-head").wait_for()
    _settle(page)


def _settle(page: Page) -> None:
    """Wait until Streamlit has run the script and shown what it gave."""
    page.wait_for_timeout(300)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(300)


def _params(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def _cards(page: Page) -> list[int]:
    """Return the marks whose cards are shown, in order, from the pictures' descriptions."""
    images = page.locator(".st-key-results img")
    images.first.wait_for()
    texts = images.evaluate_all("images => images.map(image => image.alt)")
    return [int(text.split(",")[0].removeprefix("mark ")) for text in texts]


def _cards_once(page: Page, awaited: Callable[[list[int]], bool]) -> list[int]:
    """Return the cards as soon as they are as awaited, or as they are when patience ends."""
    deadline = time.monotonic() + PATIENCE / 1000
    while True:
        found = _cards(page)
        if awaited(found) or time.monotonic() > deadline:
            return found
        page.wait_for_timeout(200)


def _all(page: Page, number: int) -> list[int]:
    """Return the cards when all `number` of them are shown."""
    found = _cards_once(page, lambda found: len(found) == number)
    assert len(found) == number
    return found


def _broken(page: Page) -> int:
    """Return how many pictures the browser could not show."""
    broken = "images => images.filter(image => image.complete && !image.naturalWidth).length"
    return int(page.locator("img").evaluate_all(broken))


def _first(page: Page, mark: int) -> int:
    """Return the first card's mark, which is awaited to be `mark`."""
    return _cards_once(page, lambda found: found[:1] == [mark])[0]


def _drag(page: Page, canvas: Locator, *points: tuple[float, float]) -> None:
    box = canvas.bounding_box()
    assert box is not None
    (x, y), *others = points
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.down()
    for x, y in others:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=8)
    page.mouse.up()
    _settle(page)


def _propose(papers: Papers, *marks: int) -> int:
    """Put one proposed group into the archive; return it."""
    with papers.archive.writing() as session:
        model = session.scalars(select(tables.Model.id)).one()
        replace_proposed_groups(
            session, model, 1e-4, 0.8, [ProposedGroup(marks, (0.9,) * len(marks))]
        )
        return session.scalars(select(tables.Group.id).where(tables.Group.verdict.is_(None))).one()


def test_a_drawing_is_searched_stroke_by_stroke(page: Page, address: str) -> None:
    _open(page, address)
    canvas = page.locator("canvas").last
    _drag(page, canvas, (150, 40), (150, 260))
    page.get_by_text("Most alike first").wait_for()
    first = _all(page, 12)
    _drag(page, canvas, (90, 90), (210, 90), (210, 200), (90, 200), (90, 90))
    _cards_once(page, lambda found: len(found) == 12 and found != first)
    assert _all(page, 12) != first
    assert _broken(page) == 0
    page.get_by_role("button", name="Clear the sheet").click()
    page.get_by_text("Or start from a mark").wait_for()


def test_a_drawing_is_still_there_after_looking_at_a_page(page: Page, address: str) -> None:
    _open(page, address)
    _drag(page, page.locator("canvas").last, (100, 40), (200, 260), (60, 150))
    found = _all(page, 12)
    page.get_by_role("button", name="Open page").first.click()
    page.get_by_text("What is known").wait_for()
    page.get_by_role("button", name="Back to the results").click()
    page.get_by_text("Most alike first").wait_for()
    _settle(page)
    assert _cards_once(page, lambda now: now == found) == found
    assert page.get_by_role("button", name="Clear the sheet").is_visible()


def test_a_box_dragged_on_a_page_finds_the_mark_in_it(
    page: Page, address: str, papers: Papers
) -> None:
    number, place = papers.pages[2], 2
    _open(page, address, f"?page={number}")
    canvas = page.locator("canvas").last
    canvas.wait_for()
    shown = canvas.bounding_box()
    assert shown is not None
    scale = shown["width"] / WIDTH
    assert shown["height"] == pytest.approx(HEIGHT * scale, abs=3)
    x, y = PLACES[place]
    corners = ((x - 4) * scale, (y - 4) * scale), ((x + SIDE + 4) * scale, (y + SIDE + 4) * scale)
    _drag(page, canvas, *corners)
    page.get_by_text("Most alike first").wait_for()
    region = [int(part) for part in _params(page)["region"].split(",")]
    for side, meant in zip(region, (x - 4, y - 4, SIDE + 8, SIDE + 8), strict=True):
        assert abs(side - meant) <= 4, region
    assert _first(page, papers.marks[2][place]) == papers.marks[2][place]

    # A second box takes the first one's place.
    x, y = PLACES[1]
    corners = ((x - 4) * scale, (y - 4) * scale), ((x + SIDE + 4) * scale, (y + SIDE + 4) * scale)
    _drag(page, page.locator("canvas").last, *corners)
    _settle(page)
    assert _first(page, papers.marks[2][1]) == papers.marks[2][1]

    # The address alone leads another visitor to the same results.
    shared = urlsplit(page.url).query
    page.goto("about:blank")
    _open(page, address, f"?{shared}")
    assert _first(page, papers.marks[2][1]) == papers.marks[2][1]


def test_an_uploaded_picture_is_searched(
    page: Page, address: str, papers: Papers, tmp_path: Path
) -> None:
    Image.fromarray(drawn_mark(5, SIDE)).save(tmp_path / "mark.jpg", quality=95)
    _open(page, address, "?by=upload")
    page.set_input_files("input[type=file]", str(tmp_path / "mark.jpg"))
    page.get_by_text("Most alike first").wait_for()
    _settle(page)
    assert _broken(page) == 0
    assert _first(page, papers.marks[1][1]) == papers.marks[1][1]


def test_the_way_back_is_the_browsers_own(page: Page, address: str, papers: Papers) -> None:
    mark = papers.marks[0][0]
    _open(page, address, f"?mark={mark}")
    found = _all(page, 11)
    page.get_by_role("button", name="Open page").nth(3).click()
    page.get_by_text("What is known").wait_for()
    assert _params(page) == {"mark": str(mark), "open": str(found[3])}
    page.go_back()
    page.get_by_text("Most alike first").wait_for()
    _settle(page)
    assert _cards_once(page, lambda now: now == found) == found
    assert _params(page) == {"mark": str(mark)}


def test_more_like_this_shows_the_new_results_from_the_top(
    page: Page, address: str, papers: Papers
) -> None:
    _open(page, address, f"?mark={papers.marks[0][0]}")
    last = page.get_by_role("button", name="More like this").last
    last.scroll_into_view_if_needed()
    assert page.evaluate(SCROLLED) > 0
    last.click()
    _settle(page)
    page.wait_for_function(f"{SCROLLED} === 0")


def test_a_page_opens_at_its_top_and_leads_back_to_where_it_was_opened(
    page: Page, address: str, papers: Papers
) -> None:
    page.set_viewport_size({"width": 1100, "height": 500})
    _open(page, address, f"?mark={papers.marks[0][0]}")
    _all(page, 11)
    last = page.get_by_role("button", name="Open page").last
    last.scroll_into_view_if_needed()
    left = page.evaluate(SCROLLED)
    assert left > 500
    last.click()
    page.get_by_text("What is known").wait_for()
    page.wait_for_function(f"{SCROLLED} === 0")
    look = page.get_by_role("button", name="Look at mark").last
    look.scroll_into_view_if_needed()
    assert page.evaluate(SCROLLED) > 0
    look.click()
    _settle(page)
    page.wait_for_function(f"{SCROLLED} === 0")
    page.get_by_role("button", name="Back to the results").click()
    page.wait_for_function(f"Math.abs({SCROLLED} - {left}) <= 1")


def test_what_was_refused_is_said_beside_the_button(
    page: Page, address: str, papers: Papers
) -> None:
    page.set_viewport_size({"width": 1100, "height": 500})
    group = _propose(papers, papers.marks[0][2], papers.marks[1][3])
    _open(page, address, f"?group={group}")
    button = page.get_by_role("button", name="Not one merchant’s mark")
    button.click()
    said = page.get_by_text("Enter a name for")
    said.wait_for()
    _settle(page)
    below, box = button.bounding_box(), said.bounding_box()
    assert below is not None and box is not None
    assert abs(box["y"] - below["y"]) < 100
    assert 0 <= box["y"] <= 500 - box["height"]


def test_what_is_typed_counts_without_a_key_pressed_after_it(
    page: Page, address: str, papers: Papers
) -> None:
    group = _propose(papers, papers.marks[0][1], papers.marks[1][2])
    _open(page, address, f"?group={group}")
    page.get_by_role("textbox", name="Your name").fill("Ada")
    page.get_by_role("textbox", name="What to call the mark").fill("Jan de Vries")
    page.get_by_role("button", name="The 2 ticked marks are one merchant’s").click()
    page.get_by_text("Saved: 2 marks identified as “Jan de Vries”, probable.").wait_for()
    with papers.archive.session() as session:
        assert session.scalars(select(tables.Identity.name)).all() == ["Jan de Vries"]
        assert set(session.scalars(select(tables.IdentityMark.said_by))) == {"Ada"}


def test_a_sheet_of_proposals_is_judged_and_taken_back(
    page: Page, address: str, papers: Papers
) -> None:
    def statuses() -> dict[int, str]:
        with papers.archive.session() as session:
            rows = session.execute(select(tables.Mark.id, tables.Mark.status))
            return {mark: status for mark, status in rows}

    before = statuses()
    number = list(before.values()).count("proposed")
    page.set_viewport_size({"width": 1100, "height": 500})
    _open(page, address)
    page.get_by_role("button", name=f"Review {number} proposals").click()
    page.get_by_text("Which of these are marks?").wait_for()
    _settle(page)
    shown = _all(page, number)
    assert _params(page) == {"proposals": "0"}
    page.get_by_text(f"A mark (mark {shown[1]})").click()
    page.get_by_role("textbox", name="Your name").fill("Ada")
    said = f"The ticked one is a mark, the other {number - 1} are not"
    page.get_by_role("button", name=said).click()
    page.get_by_text(f"Saved: 1 is a mark, {number - 1} are not marks.").wait_for()
    page.wait_for_function(f"{SCROLLED} === 0")
    judged = {mark: "confirmed" if mark == shown[1] else "rejected" for mark in shown}
    assert statuses() == before | judged
    page.get_by_role("button", name="Take it back").click()
    page.get_by_text(f"Taken back: {number} are proposals again.").wait_for()
    assert statuses() == before
    assert _all(page, number) == shown
    assert page.get_by_role("checkbox", checked=True).count() == 1
    page.get_by_role("button", name="Open page").first.click()
    page.get_by_text("What is known").wait_for()
    page.go_back()
    page.get_by_text("Which of these are marks?").wait_for()
    page.go_back()
    page.get_by_text("Which mark are you looking for?").wait_for()


def test_what_a_cataloguer_pasted_stays_text(page: Page, address: str, papers: Papers) -> None:
    _open(page, address, f"?open={papers.marks[0][1]}")
    title = page.locator(".pm-table tr", has_text="Title").locator("td").inner_text()
    assert title.startswith("<img src=x onerror=alert(1)>")
    assert page.locator("img[src=x]").count() == 0
    assert page.locator("a[href*=javascript]").count() == 0
    # The picker lists titles too.
    _open(page, address, f"?page={papers.pages[0]}")
    assert page.locator("img[src*=evil]").count() == 0


def test_a_page_whose_master_is_gone_still_shows_the_mark(
    page: Page, address: str, papers: Papers
) -> None:
    with papers.archive.session() as session:
        found = session.get(tables.Page, papers.pages[1])
        assert found is not None
        master = Path(found.location)
    away = master.rename(master.with_suffix(".away"))
    try:
        _open(page, address, f"?open={papers.marks[1][2]}")
        page.get_by_text("cannot be opened").wait_for()
        assert page.locator(f"img[alt='mark {papers.marks[1][2]}']").count() == 2
    finally:
        away.rename(master)
