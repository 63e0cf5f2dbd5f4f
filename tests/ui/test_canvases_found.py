"""Pages of a IIIF manifest whose documents other metadata describe, as the command shows them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import cv2
import pytest

from ingest.everywhere import look_everywhere
from ingest.iiif.fetching import Courtesy
from retrieval.catalogue.archive import create_archive
from retrieval.index import refresh_index
from retrieval.which_model import archive_model
from tests.ingest.iiif_server import Server, body_3, canvas_3, jpeg, manifest_3
from tests.ingest.scans import pages_of
from tests.missed_marks import PLACES, SIDE, first_alone, missed_page
from tests.paper_archive import keep_tiny_model
from tests.ui.running import run

QUICK = Courtesy(pause=0, attempts=3, first_wait=0.01, longest_wait=5, connect=5, read=5)
BY, RIGHTS = "The Archive, Kew", "http://creativecommons.org/licenses/by/4.0/"
EAD = f"""<ead xmlns="urn:isbn:1-931666-22-9"><archdesc level="fonds"><did>
  <unitid>HCA 32</unitid></did><dsc>
  <c level="item"><did><unitid>HCA 32/7/1</unitid><unittitle>Letters</unittitle>
    <dao href="Letters from De Hoop/1r"/></did>
    <userestrict><p>{RIGHTS}</p></userestrict></c>
</dsc></archdesc></ead>"""


@pytest.fixture
def archive(tmp_path: Path, server: Server) -> Path:
    """Three pages of a manifest: of an EAD's document, of a CSV's, and of the manifest's own."""
    canvases = []
    for at, label in enumerate(("1r", "1v", "2r")):
        server.files[f"/{at}.jpg"] = jpeg(missed_page(at))
        body = body_3(server.url(f"/{at}.jpg"))
        canvases.append(canvas_3(server.url(f"/c/{at}"), label, [body]))
    manifest = manifest_3(
        server.url("/m.json"),
        canvases,
        requiredStatement={"label": {"en": ["By"]}, "value": {"en": [BY]}},
        rights=RIGHTS,
    )
    server.files["/m.json"] = json.dumps(manifest).encode()
    (tmp_path / "own.xml").write_text(EAD, encoding="utf-8")
    (tmp_path / "own.csv").write_text(
        "reference,ship,source\nHCA 32/7/2,De Hoop,Letters from De Hoop/1v\n", encoding="utf-8"
    )
    opened = create_archive(tmp_path / "archive")
    keep_tiny_model(opened)
    pages_of(
        opened, server.url("/m.json"), courtesy=QUICK, propose=first_alone,
        documents=[tmp_path / "own.xml", tmp_path / "own.csv"],
    )  # fmt: skip
    model = archive_model(opened)
    refresh_index(opened, model)
    opened.close()
    return tmp_path / "archive"


def by_reference(results: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["document"]["reference"]: one for one in results}


def test_programs_are_told_what_the_canvas_says_and_the_document_does_not(
    archive: Path, tmp_path: Path
) -> None:
    x, y = PLACES[0]
    cv2.imwrite(str(tmp_path / "query.png"), missed_page(0)[y : y + SIDE, x : x + SIDE])
    told = run("search", archive, tmp_path / "query.png", "--json")
    assert told.exit_code == 0, told.output
    found = by_reference(json.loads(told.stdout)["results"])
    assert found["HCA 32/7/1"]["canvas"] == {"label": "1r", "attribution": BY}
    assert RIGHTS in json.dumps(found["HCA 32/7/1"]["document"]["details"])
    assert found["HCA 32/7/2"]["canvas"] == {
        "label": "1v",
        "attribution": BY,
        "rights": RIGHTS,
    }
    own = found["Letters from De Hoop"]
    assert own["canvas"] == {"label": "2r"}
    assert own["document"]["details"]["attribution"] == BY
    for one in found.values():
        assert json.dumps(one).count(RIGHTS) == json.dumps(one).count(BY) == 1


def test_places_that_are_no_marks_say_so_too(archive: Path, tmp_path: Path) -> None:
    opened = create_archive(archive)
    look_everywhere(opened, archive_model(opened), workers=0)
    opened.close()
    x, y = PLACES[2]
    cv2.imwrite(str(tmp_path / "query.png"), missed_page(1)[y : y + SIDE, x : x + SIDE])
    told = run("search", archive, tmp_path / "query.png", "--everywhere", "--json", "--top", 300)
    places = [one for one in json.loads(told.stdout)["results"] if one["mark"] is None]
    found = by_reference(places)
    assert found["HCA 32/7/2"]["canvas"] == {
        "label": "1v",
        "attribution": BY,
        "rights": RIGHTS,
    }


@pytest.mark.parametrize("command", [["export"], ["annotate", "export"]])
def test_the_list_of_marks_has_what_the_canvas_says(
    archive: Path, tmp_path: Path, command: list[str]
) -> None:
    written = run(*command, archive, "--format", "csv").stdout
    rows = {row["reference"]: row for row in csv.DictReader(io.StringIO(written))}
    assert list(rows["HCA 32/7/1"])[-3:] == ["page_label", "attribution", "rights"]
    for reference, label in (
        ("HCA 32/7/1", "1r"),
        ("HCA 32/7/2", "1v"),
        ("Letters from De Hoop", "2r"),
    ):
        row = rows[reference]
        assert (row["page_label"], row["attribution"]) == (label, BY)
        assert row["rights"] == RIGHTS
    (tmp_path / "marks.csv").write_text(written, encoding="utf-8", newline="")
    back = run("annotate", "import", archive, tmp_path / "marks.csv", "--json")
    (file,) = json.loads(back.stdout)["files"]
    assert (file["added"], file["updated"], file["unchanged"], file["refused"]) == (0, 0, 3, [])
