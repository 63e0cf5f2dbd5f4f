"""What has been established, as the page lists it."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.catalogue import tables
from tests.paper_archive import HOSTILE, Papers, add_mark
from tests.ui.web.visiting import Visit, address_of, cards_of, html_of, name_box


@pytest.fixture
def named(papers: Papers) -> Papers:
    """The papers, with "Jan" of the first mark of each page and another of two marks of the first.

    That is called so that nothing of it may become markup.
    """
    of = {"Jan": [page[0] for page in papers.marks], HOSTILE: papers.marks[0][1:3]}
    with papers.archive.writing() as session:
        for number, (name, marks) in enumerate(of.items(), start=1):
            session.add(tables.Identity(id=number, name=name))
            session.flush()
            for mark in marks:
                session.add(
                    tables.IdentityMark(
                        identity_id=number, mark_id=mark, certainty="possible", said_by="Ada"
                    )
                )
    return papers


def test_without_identities_none_are_offered(papers: Papers, visit: Visit) -> None:
    page = visit(papers.archive.folder)
    assert "identities" not in {button.key for button in page.button}
    page = visit(papers.archive.folder, identity="7")
    assert "Identity 7 does not exist" in page.warning[0].value


def test_identities_are_listed_and_lead_to_their_marks(named: Papers, visit: Visit) -> None:
    page = visit(named.archive.folder)
    assert page.button(key="identities").label == "See 2 identities"
    page.button(key="identities").click().run()
    assert address_of(page) == {"identity": "0"}
    labels = {
        button.key: button.label for button in page.button if "identity-" in (button.key or "")
    }
    assert labels["identity-1"].replace("\\", "") == "Jan · 3 marks"
    assert labels["identity-2"].replace("\\", "") == f"{HOSTILE} · 2 marks"
    assert "![x]" not in labels["identity-2"]
    page.text_input(key="identity text").set_value("ja").run()
    assert {"identity-1", "identity-2"} & {button.key for button in page.button} == {
        "identity-1", "identity-2",
    }, "both names hold it"  # fmt: skip
    page.text_input(key="identity text").set_value("onerror").run()
    assert "identity-1" not in {button.key for button in page.button}
    assert not page.main.markdown
    page.button(key="identity-2").click().run()
    assert not page.exception and not page.main.markdown
    assert cards_of(page) == list(named.marks[0][1:3])
    assert html_of(page).count("possible, as Ada said on ") == 2
    assert "2 marks." in html_of(page) and "<img" not in html_of(page)
    labels = [button.label for button in page.button]
    assert len(labels) == len(set(labels))
    page.button(key=f"open-{named.marks[0][2]}").click().run()
    page.button(key="back").click().run()
    assert address_of(page) == {"identity": "2"}
    assert page.button(key="more-all").label == "More like these"
    page.button(key="more-all").click().run()
    assert address_of(page) == {"mark": ",".join(map(str, named.marks[0][1:3]))}


def test_how_far_the_results_were_shown_is_kept_while_an_identity_is_looked_at(
    named: Papers, visit: Visit
) -> None:
    asked = {"mark": str(named.marks[0][0]), "shown": "48"}
    page = visit(named.archive.folder, **asked)
    page.button(key="identities").click().run()
    page.button(key="identity-1").click().run()
    assert address_of(page) == asked | {"identity": "1"}
    assert len(cards_of(page)) == 3
    page.button(key="search").click().run()
    assert address_of(page) == asked


def test_more_of_a_large_identity_is_shown_on_demand(named: Papers, visit: Visit) -> None:
    marks = [
        add_mark(named.archive, named.pages[2], np.full((400, 540, 3), 90, np.uint8), (0, 0))
        for _ in range(55)
    ]
    with named.archive.writing() as session:
        for mark in marks:
            session.add(
                tables.IdentityMark(
                    identity_id=1, mark_id=mark, certainty="possible", said_by="Ada"
                )
            )
    asked = {"mark": str(named.marks[0][1]), "shown": "72"}
    page = visit(named.archive.folder, **asked, identity="1")
    assert len(cards_of(page)) == 24
    page.button(key="more").click().run()
    assert len(cards_of(page)) == 48
    assert address_of(page) == asked | {"identity": "1", "members": "48"}
    assert len(cards_of(visit(named.archive.folder, **address_of(page)))) == 48
    page.button(key="all").click().run()
    page.button(key="identity-1").click().run()
    assert len(cards_of(page)) == 24
    assert page.button(key="more-all").label == "More like the first 50 of these 58"
    page.button(key="more-all").click().run()
    assert address_of(page)["mark"].count(",") == 49


def test_the_list_of_identities_is_bounded(
    named: Papers, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.web.identities.MOST_LISTED", 1)
    page = visit(named.archive.folder, identity="0")
    assert [one.value for one in page.caption] == [
        "2 match; the first 1 are listed. Type more to narrow the list."
    ]
    assert len([one for one in page.button if "identity-" in (one.key or "")]) == 1


def test_an_identity_is_looked_at_from_a_group_that_may_join_it(
    named: Papers, visit: Visit
) -> None:
    archive = named.archive
    other = f"{named.marks[1][2]},{named.marks[2][3]}"
    page = visit(archive.folder, mark=other)
    name_box(page).set_value("Jan").run()
    next(box for box in page.checkbox if (box.key or "").startswith("same-as-")).check().run()
    page.button(key="identity-1").click().run()
    assert address_of(page) == {"mark": other, "identity": "1"}
    page.button(key="search").click().run()
    assert address_of(page) == {"mark": other}
    assert name_box(page).value == "Jan"
    assert next(box for box in page.checkbox if (box.key or "").startswith("same-as-")).value


def test_a_name_written_from_the_right_is_not_mixed_with_our_words(
    named: Papers, visit: Visit
) -> None:
    with named.archive.writing() as session:
        session.get_one(tables.Identity, 1).name = "שם"
    name, folder = "\u2068שם\u2069", named.archive.folder
    page = visit(folder, identity="0")
    assert page.button(key="identity-1").label == f"{name} · 3 marks"
    assert f"<h2>“{name}”</h2>" in html_of(visit(folder, identity="1"))
    page = visit(folder, open=str(named.marks[0][0]))
    assert f"<td>{name}, possible, as Ada said on " in html_of(page)
    assert {one.label for one in page.expander} >= {f"Rename “{name}”"}
    assert page.button(key="leave-1").label == f"Take it out of “{name}”"
    page = visit(folder, mark=str(named.marks[0][3]))
    assert f"identified as “{name}”</p>" in html_of(page)
