from __future__ import annotations

from xml.etree import ElementTree

import pytest

from ingest.annotations.annotation import Annotation
from ingest.annotations.formats import EXPORT_FORMATS
from ingest.annotations.page_xml import NAMESPACE
from tests.ingest.annotations.understood import PAGE, all_said, only, said_by


def page_xml(regions: str, version: str = "2019-07-15") -> str:
    return (
        f'<PcGts xmlns="{NAMESPACE[:-10]}{version}"><Page imageFilename="b.png" imageWidth="500" '
        f'imageHeight="400">{regions}</Page></PcGts>'
    )


def test_page_xml_of_transkribus() -> None:
    said = said_by(
        page_xml(
            '<TextRegion id="t"><Coords points="0,0 9,0 9,9"/>'
            '<GraphicRegion id="g" custom="structure {type:mark;}">'
            '<Coords points="30,40 50,40 50,80 30,80"/></GraphicRegion></TextRegion>'
            '<GraphicRegion id="h"><Coords points="1,2 3,4 5,0"/></GraphicRegion>'
            '<GraphicRegion id="i"><Coords points="1,2 3,4"/></GraphicRegion>'
            '<GraphicRegion id="j"/>',
            "2013-07-15",
        )
    )
    (image,) = said.images
    assert (image.names, image.width, image.height) == (("b.png",), 500, 400)
    box, outline = image.annotations
    assert (box.box, box.polygon, box.status) == ((30, 40, 20, 40), None, None)
    assert outline.polygon == ((1, 2), (3, 4), (5, 0))
    assert ["'i'" in said.refused[0], "'j'" in said.refused[1]] == [True, True]
    assert said.remarks == ("1 TextRegion skipped: not a mark.",)


def test_a_text_region_is_a_mark_where_its_custom_says_so() -> None:
    one = only(
        page_xml(
            '<TextRegion id="t" custom="readingOrder {index:0;} prizemarks {status:rejected;}">'
            '<Coords points="0,0 9,0 9,9"/></TextRegion>'
        )
    )
    assert one.status == "rejected"


def zone(kind: str, inside: str = "") -> str:
    """A zone as eScriptorium writes it."""
    custom = f'custom="structure {{type:{kind};}}"' if kind else ""
    return (
        f'<TextRegion id="eSc_textblock_1"  {custom}>'
        f'<Coords points="10,20 40,20 40,60 10,60"/>{inside}</TextRegion>'
    )


@pytest.mark.parametrize(
    "kind",
    [
        "Illustration", "graphic", "mark", "Merchant's mark", "merchant_marks",
        "GraphicZone", "GraphicZone:illustration", "GraphicZone:figure#2", "GraphicZone-figure",
        "StampZone", "SealZone#1", "CustomZone:mark", "CustomZone-mark#1", "MarginTextZone:mark",
    ],
)  # fmt: skip
def test_a_zone_of_escriptorium_without_lines_is_a_mark_where_its_type_is_graphic(
    kind: str,
) -> None:
    said = said_by(page_xml(zone(kind)))
    assert all_said(said) == [Annotation((10, 20, 30, 40))]
    assert said.remarks == said.refused == ()
    said = said_by(page_xml(zone(kind, '<TextLine id="l"/>')))
    assert all_said(said) == []
    assert said.remarks == ("1 TextRegion skipped: not a mark.",)


@pytest.mark.parametrize(
    "kind",
    [
        "", "Main", "Title", "signature-mark", "drop-capital", "MainZone:column#1", "CustomZone",
        "DropCapitalZone", "QuireMarksZone:signature", "DamageZone", "DigitizationArtefactZone",
    ],
)  # fmt: skip
def test_other_zones_of_escriptorium_are_passed_over(kind: str) -> None:
    said = said_by(page_xml(zone(kind)))
    assert all_said(said) == []
    assert said.remarks == ("1 TextRegion skipped: not a mark.",)


def test_points_as_they_were_before_2013() -> None:
    one = only(
        page_xml(
            '<GraphicRegion id="t"><Coords><Point x="0" y="0"/><Point x="9" y="0"/>'
            '<Point x="9" y="9"/></Coords></GraphicRegion>',
            "2010-03-19",
        )
    )
    assert one.polygon == ((0, 0), (9, 0), (9, 9))


def test_page_xml_is_in_the_order_that_the_schema_asks_for() -> None:
    root = ElementTree.fromstring(EXPORT_FORMATS["page-xml"].text([PAGE]))
    assert [one.tag for one in root] == [f"{{{NAMESPACE}}}Metadata", f"{{{NAMESPACE}}}Page"]
    assert [one.tag.split("}")[1] for one in root[0]] == ["Creator", "Created", "LastChange"]
    (region,) = root[1]
    assert (region.tag, region.get("type")) == (f"{{{NAMESPACE}}}GraphicRegion", "other")
    assert region[0].get("points") == "10,20 40,20 40,60 10,60"
