"""What the page shows of pages that came from a IIIF manifest."""

from __future__ import annotations

import pytest

from ingest.everywhere import look_everywhere
from retrieval.catalogue import tables
from retrieval.catalogue.groups import ProposedGroup, replace_proposed_groups
from retrieval.which_model import archive_model
from tests.missed_marks import make_missed
from tests.paper_archive import HOSTILE, Papers
from tests.ui.web.visiting import Visit, html_of, places_of

SHOWN = HOSTILE.replace("<", "&lt;").replace(">", "&gt;")
RIGHTS = "http://creativecommons.org/licenses/by/4.0/"


@pytest.fixture
def fetched(papers: Papers) -> Papers:
    """The papers, whose documents others describe; two of their pages come from a manifest."""
    with papers.archive.writing() as session:
        for page, label in zip(papers.pages, ("f. 12r", HOSTILE), strict=False):
            session.get_one(tables.Page, page).details = {
                "label": label, "attribution": f"By {HOSTILE}", "rights": RIGHTS,
            }  # fmt: skip
    return papers


def test_cards_name_the_page_and_whose_image_it_is(fetched: Papers, visit: Visit) -> None:
    shown = html_of(visit(fetched.archive.folder, mark=str(fetched.marks[2][0])))
    assert "pm-reference'>HCA 32/1/1, f. 12r</p>" in shown
    assert f"pm-reference'>HCA 32/1/2, {SHOWN}</p>" in shown
    assert shown.count(f"'>By {SHOWN} · {RIGHTS}</p>") == 8
    assert "<img" not in shown
    shown = html_of(visit(fetched.archive.folder))
    assert "pm-reference'>HCA 32/1/1, f. 12r</p>" in shown, "among the samples, too"
    assert shown.count(f"'>By {SHOWN} · {RIGHTS}</p>") == 8


def test_cards_of_a_group_say_so_too(fetched: Papers, visit: Visit) -> None:
    archive = fetched.archive
    with archive.writing() as session:
        group = ProposedGroup(tuple(page[0] for page in fetched.marks), (0.99, 0.98, 0.97))
        replace_proposed_groups(session, archive_model(archive).id, 1e-4, 0.8, [group])
    shown = html_of(visit(archive.folder, group="0"))
    assert "pm-reference'>HCA 32/1/1, f. 12r</p>" in shown
    assert shown.count(f"'>By {SHOWN} · {RIGHTS}</p>") == 2


def test_an_opened_page_says_it_once(fetched: Papers, visit: Visit) -> None:
    shown = html_of(visit(fetched.archive.folder, open=str(fetched.marks[0][0])))
    assert "<h2>HCA 32/1/1, f. 12r</h2>" in shown, "as its card is called"
    assert "Page</th><td>f. 12r</td>" in shown
    assert f"Attribution of the image</th><td>By {SHOWN}</td>" in shown
    assert f"Rights in the image</th><td>{RIGHTS}</td>" in shown
    assert "<img" not in shown
    with fetched.archive.writing() as session:
        document = session.get_one(tables.Page, fetched.pages[0]).document
        assert document is not None
        document.details = {"rights": RIGHTS, "attribution": [f"By  {HOSTILE}"]}
    shown = html_of(visit(fetched.archive.folder, open=str(fetched.marks[0][0])))
    assert shown.count(RIGHTS) == shown.count(f"By {SHOWN}") == 1
    assert "Page</th><td>f. 12r</td>" in shown
    shown = html_of(visit(fetched.archive.folder, open=str(fetched.marks[2][0])))
    assert "of the image" not in shown and "Page</th>" not in shown, "it is a file's"


def test_places_say_so_too(papers: Papers, visit: Visit) -> None:
    archive = papers.archive
    make_missed(archive, archive.folder.parent / "missed", 1)
    look_everywhere(archive, archive_model(archive), workers=0)
    with archive.writing() as session:
        for page in session.query(tables.Page):
            page.details = {"label": "f. 3v", "rights": RIGHTS}
    page = visit(archive.folder, mark=str(papers.marks[0][0]), everywhere="1", shown="400")
    cards = [one for one in html_of(page).split("<div class='pm-card'>") if "not among the" in one]
    assert cards and len(cards) == len(places_of(page))
    assert all(", f. 3v</p>" in one and f">{RIGHTS}</p>" in one for one in cards)
    opened = visit(archive.folder, place=places_of(page)[0].replace("-", ","))
    assert ", f. 3v</h2>" in html_of(opened)
    assert "Page</th><td>f. 3v</td>" in html_of(opened)
    assert f"Rights in the image</th><td>{RIGHTS}</td>" in html_of(opened)


def test_other_marks_of_an_identity_say_so_too(fetched: Papers, visit: Visit) -> None:
    (one, *_), (two, *_), _ = fetched.marks
    with fetched.archive.writing() as session:
        session.add(tables.Identity(id=1, name="Jan"))
        session.flush()
        for mark in (one, two):
            session.add(
                tables.IdentityMark(identity_id=1, mark_id=mark, certainty="certain", said_by="R")
            )
    shown = html_of(visit(fetched.archive.folder, open=str(two)))
    assert "pm-reference'>HCA 32/1/1, f. 12r</p>" in shown


def test_a_page_links_to_its_canvas_and_gives_a_text_to_cite(fetched: Papers, visit: Visit) -> None:
    (one, *_), (two, *_), (three, *_) = fetched.marks
    with fetched.archive.writing() as session:
        for number, address in ((0, "https://example.org/c/1"), (1, "javascript:alert(1)")):
            page = session.get_one(tables.Page, fetched.pages[number])
            page.details = {**(page.details or {}), "canvas": address}
        session.get_one(tables.Mark, one).status = "confirmed"
    page = visit(fetched.archive.folder, open=str(one))
    assert "Canvas</th><td><a href='https://example.org/c/1' " in html_of(page)
    assert [block.value for block in page.code] == [
        "HCA 32/1/1, f. 12r, 0.png, box 40,50,60,60 of 500 × 360 pixels, mark 1 in the archive "
        "archive"
    ]
    for mark in (two, three):
        assert "<a " not in html_of(visit(fetched.archive.folder, open=str(mark)))
    place = visit(fetched.archive.folder, place=f"{fetched.pages[0]},1,2,30,40")
    assert "Canvas</th><td><a href='https://example.org/c/1' " in html_of(place)
    assert place.code[0].value == (
        "HCA 32/1/1, f. 12r, 0.png, box 1,2,30,40 of 500 × 360 pixels, a place not among the marks "
        "of the archive archive"
    )
    assert (
        "mark 9 (proposed by the program) in the archive"
        in visit(fetched.archive.folder, open=str(three)).code[0].value
    )
