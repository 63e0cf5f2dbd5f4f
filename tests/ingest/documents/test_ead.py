from __future__ import annotations

import functools
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.documents.record import DocumentRecord, DocumentsFile
from retrieval.catalogue.errors import MetadataError
from tests.ingest.documents import reading

#: EAD 2002 in the shape of The National Archives' catalogue: numbered components, full references.
EAD_2002 = """\
<?xml version="1.0" encoding="UTF-8"?>
{doctype}
<ead{namespace}>
  <eadheader><eadid countrycode="GB">hca32</eadid>
    <filedesc><titlestmt><titleproper>HCA 32</titleproper></titlestmt></filedesc></eadheader>
  <archdesc level="series">
    <did>
      <unitid label="Reference:">HCA 32</unitid>
      <unittitle>High Court of Admiralty: Prize Court: Prize Papers</unittitle>
      <unitdate normal="1592/1855">1592-1855</unitdate>
    </did>
    <scopecontent><head>Scope</head><p>Papers of captured ships.</p></scopecontent>
    <dsc>
      <c01 level="piece">
        <did><unitid>HCA 32/96</unitid><unittitle>Ships' names A</unittitle></did>
        <c02 level="item">
          <did>
            <unitid>HCA32/96/13</unitid>
            <unitid type="former">Bundle 4</unitid>
            <unittitle>Captured ship: L'Amiral of Bordeaux (master Jacques Lonnergan).</unittitle>
            <unitdate normal="1745-01-01/1746-12-31">1745-1746</unitdate>
            <physdesc><extent>2 bundles</extent> <physfacet>paper</physfacet></physdesc>
            <langmaterial><language langcode="fre">French</language></langmaterial>
            <container type="box">12</container>
            <physloc>Kew</physloc>
            <daogrp>
              <daoloc {xlink}href="scans/HCA%2032-96-13_001.jpg" role="image"/>
              <daoloc {xlink}href="thumbs/HCA 32-96-13_001.jpg" role="thumbnail"/>
              <daoloc {xlink}href="scans/HCA 32-96-13_002.jpg" role="image"/>
            </daogrp>
          </did>
          <scopecontent>
            <head>Scope and content</head>
            <p>History: a French merchant ship, <geogname>Guinea</geogname> to Bordeaux.</p>
            <p>Taken on 16/27 April 1745.</p>
          </scopecontent>
          <controlaccess>
            <geogname>Bordeaux</geogname><geogname>Martinique</geogname>
            <subject>Slave trade</subject>
            <controlaccess><persname role="merchant">P. Roy</persname></controlaccess>
          </controlaccess>
        </c02>
        <c02 level="item">
          <did>
            <unitid>HCA 32/96/14</unitid>
            <unittitle>Letters of <persname role="ship master">Jan Smit</persname></unittitle>
            <unitdate>11 March 1701/2</unitdate>
          </did>
          <controlaccess><corpname>De Hoop (Ship)</corpname></controlaccess>
          <dao {xlink}href="https://discovery.nationalarchives.gov.uk/details/r/C14512458"/>
        </c02>
      </c01>
      <c01 level="piece">
        <did><unitid>HCA 32/97</unitid><unittitle>Ships' names B</unittitle></did>
        <c02><did><unittitle>A cover</unittitle><physloc>97_cover.tif</physloc></did></c02>
      </c01>
    </dsc>
  </archdesc>
</ead>
"""
PLAIN = {
    "doctype": '<!DOCTYPE ead PUBLIC "+//ISBN 1-931666-00-8//DTD ead.dtd '
    '(Encoded Archival Description (EAD) Version 2002)//EN" "ead.dtd">',
    "namespace": "",
    "xlink": "",
}
NAMESPACED = {
    "doctype": "",
    "namespace": ' xmlns="urn:isbn:1-931666-22-9" xmlns:xlink="http://www.w3.org/1999/xlink"',
    "xlink": "xlink:",
}

#: EAD3 with unnumbered components and references that are only whole with those above them.
EAD3 = """\
<ead xmlns="http://ead3.archivists.org/schema/">
  <control><recordid>x</recordid></control>
  <archdesc level="fonds">
    <did><unitid>HCA</unitid><unittitle>High Court of Admiralty</unittitle></did>
    <dsc>
      <c level="series">
        <did><unitid>32</unitid><unittitle>Prize Papers</unittitle></did>
        <c level="file">
          <did><unitid>1234</unitid><unittitle>Box</unittitle></did>
          <c level="item">
            <did>
              <unitid>5</unitid>
              <unittitle>Bill of lading</unittitle>
              <unitdatestructured><daterange>
                <fromdate standarddate="1702-03-11">11 March 1702</fromdate>
                <todate standarddate="1704">1704</todate></daterange></unitdatestructured>
              <physdescstructured physdescstructuredtype="materialtype" coverage="whole">
                <quantity>3</quantity><unittype>folios</unittype></physdescstructured>
              <daoset coverage="whole">
                <dao daotype="derived" href="img/5-1.tif"/><dao daotype="derived" href="5-2.tif"/>
              </daoset>
            </did>
            <controlaccess>
              <persname relator="captain"><part>Smit</part><part>Jan</part></persname>
              <name localtype="ship"><part>De Hoop</part></name>
              <geogname><part>Cádiz</part></geogname>
            </controlaccess>
          </c>
        </c>
      </c>
    </dsc>
  </archdesc>
</ead>
"""


read = functools.partial(reading.read, name="finding aid")


def described(file: DocumentsFile) -> dict[str, DocumentRecord]:
    return {one.reference: one for one in file.documents}


def claimed(file: DocumentsFile) -> list[tuple[str, str]]:
    return [(claim.reference, claim.names[-1]) for claim in file.claims]


@pytest.mark.parametrize("form", [PLAIN, NAMESPACED], ids=["dtd", "namespace"])
def test_a_finding_aid_of_2002(tmp_path: Path, form: dict[str, str]) -> None:
    file = read(tmp_path, EAD_2002.format(**form))
    documents = described(file)
    assert list(documents) == ["HCA 32/96/13", "HCA 32/96/14", "HCA 32/97"]
    one = documents["HCA 32/96/13"]
    assert one.series == "HCA 32"
    assert (one.date, one.year_from, one.year_to) == ("1745-1746", 1745, 1746)
    assert (one.ship, one.captain) == ("L'Amiral of Bordeaux", "Jacques Lonnergan")
    assert one.place == "Bordeaux"
    assert one.details == {
        "reference as written": "HCA32/96/13",
        "other reference": "Bundle 4",
        "physical description": "2 bundles paper",
        "language": "French",
        "container": "box 12",
        "physical location": "Kew",
        "scope and content": "History: a French merchant ship, Guinea to Bordeaux. "
        "Taken on 16/27 April 1745.",
        "place": "Martinique",
        "subject": "Slave trade",
        "person": "P. Roy",
        "part of": [
            "HCA 32 High Court of Admiralty: Prize Court: Prize Papers",
            "HCA 32/96 Ships' names A",
        ],
        "date (EDTF)": "1745-01-01/1746-12-31",
    }
    other = documents["HCA 32/96/14"]
    assert (other.title, other.ship, other.captain) == (
        "Letters of Jan Smit",
        "De Hoop",
        "Jan Smit",
    )
    assert (other.details["date (EDTF)"], other.year_from) == ("1702-03-11", 1701)
    assert other.details["calendar"].startswith("old style")
    assert other.details["link"].endswith("C14512458")
    assert claimed(file) == [
        ("HCA 32/96/13", "scans/HCA 32-96-13_001.jpg"),
        ("HCA 32/96/13", "scans/HCA 32-96-13_002.jpg"),
        ("HCA 32/97", "97_cover.tif"),
    ]
    lines = EAD_2002.format(**form).splitlines()
    assert "%2032-96-13_001" in lines[file.claims[0].line - 1]
    assert documents["HCA 32/97"].details["contents"] == "A cover"


def test_a_finding_aid_in_ead3(tmp_path: Path) -> None:
    file = read(tmp_path, EAD3)
    (one,) = file.documents
    assert (one.reference, one.series, one.title) == ("HCA 32/1234/5", "HCA 32", "Bill of lading")
    assert (one.date, one.year_from, one.year_to) == ("11 March 1702 - 1704", 1702, 1704)
    assert (one.ship, one.captain, one.place) == ("De Hoop", "Smit Jan", "Cádiz")
    assert one.details == {
        "reference as written": "5",
        "physical description": "3 folios",
        "part of": ["HCA High Court of Admiralty", "HCA 32 Prize Papers", "HCA 32/1234 Box"],
        "date (EDTF)": "1702-03-11/1704",
    }
    assert claimed(file) == [("HCA 32/1234/5", "img/5-1.tif"), ("HCA 32/1234/5", "5-2.tif")]


def finding_aid(*components: str) -> str:
    return f"<ead><archdesc><did/><dsc>{''.join(components)}</dsc></archdesc></ead>"


def component(unitid: str, inside: str = "", level: str = "item", did: str = "") -> str:
    named = f"<unitid>{unitid}</unitid>" if unitid else ""
    return f'<c level="{level}"><did>{named}{did}</did>{inside}</c>'


def test_another_archives_series_is_that_of_the_component_above(tmp_path: Path) -> None:
    items = component("F. 3/2 b") + component("7")
    file = read(tmp_path, finding_aid(component("Fonds Roy", items, "series")))
    assert [(one.reference, one.series) for one in file.documents] == [
        ("F. 3/2 b", "Fonds Roy"),
        ("Fonds Roy/7", "Fonds Roy"),
    ]


def test_a_box_is_no_series(tmp_path: Path) -> None:
    boxes = component("Box 7", component("7/1")) + component("Vol 12/3")
    documents = read(tmp_path, finding_aid(boxes)).documents
    assert [(one.reference, one.series) for one in documents] == [
        ("Box 7/7/1", None),
        ("Vol 12/3", None),
    ]
    (document,) = read(
        tmp_path, finding_aid(component("Box 7", component("1"), "series"))
    ).documents
    assert (document.reference, document.series) == ("Box 7/1", "Box 7")


def test_a_code_after_other_words_gives_way_to_the_series_above(tmp_path: Path) -> None:
    item = component("Liasse AB 12")
    for around, series in ((item, "AB 12"), (component("Fonds Roy", item, "series"), "Fonds Roy")):
        (document,) = read(tmp_path, finding_aid(around)).documents
        assert (document.reference, document.series) == ("Liasse AB 12", series)


@pytest.mark.parametrize(
    "kind",
    [
        *('type="aspace_uri"', 'type="ark-superseded"', 'localtype="uri"', 'type="former"'),
        *('localtype="formerReference"', 'type="previous cote"', 'type="old_number"'),
        *('type="Ancienne cote"', 'type="alternative"'),
    ],
)
def test_a_unitid_for_a_machine_or_from_before_is_no_reference(tmp_path: Path, kind: str) -> None:
    file = read(
        tmp_path,
        "<ead><archdesc><dsc><c level='file'><did><unitid>MS 7</unitid></did>"
        f"<c><did><unitid {kind}>HCA 32/5</unitid><unitid>Bundle 1</unitid></did></c>"
        f"<c><did><unitid {kind}>HCA 32/6</unitid><unittitle>Cover</unittitle></did>"
        '<dao href="a.jpg"/></c></c></dsc></archdesc></ead>',
    )
    assert [one.reference for one in file.documents] == ["Bundle 1", "MS 7"]
    assert described(file)["Bundle 1"].details["other reference"] == "HCA 32/5"
    assert described(file)["MS 7"].details == {"contents": "Cover"}
    assert claimed(file) == [("MS 7", "a.jpg")]


@pytest.mark.parametrize("kind", ['type="ark"', 'type="Handle"', 'localtype="ark"'])
def test_an_address_for_good_is_the_reference_of_what_has_no_other(
    tmp_path: Path, kind: str
) -> None:
    def item(unitids: str, image: str) -> str:
        return f'<c level="item"><did>{unitids}<dao href="{image}"/></did></c>'

    file = read(
        tmp_path,
        "<ead><archdesc level='fonds'><did><unitid>HCA 32</unitid></did><dsc>"
        f"<c level='series'><did><unitid {kind}>1887/4</unitid><unittitle>Prizes</unittitle></did>"
        + item(f"<unitid {kind}>1887/41</unitid>", "a.jpg")
        + item(f"<unitid type='uri'>/objects/7</unitid><unitid {kind}>1887/42</unitid>", "b.jpg")
        + item(f"<unitid {kind}>1887/43</unitid><unitid>5</unitid>", "c.jpg")
        + "</c></dsc></archdesc></ead>",
    )
    assert claimed(file) == [
        ("1887/41", "a.jpg"),
        ("1887/42", "b.jpg"),
        ("HCA 32/5", "c.jpg"),
    ]
    documents = described(file)
    assert list(documents) == ["1887/41", "1887/42", "HCA 32/5"]
    assert [one.series for one in documents.values()] == ["Prizes", "Prizes", "HCA 32"]
    assert documents["1887/42"].details["other reference"] == "/objects/7"
    assert documents["HCA 32/5"].details["other reference"] == "1887/43"


@pytest.mark.parametrize("kind", ['type="shelfmark"', 'type="folder"', 'localtype="call number"'])
def test_a_unitid_of_another_type_is_a_reference(tmp_path: Path, kind: str) -> None:
    file = read(
        tmp_path, f"<ead><archdesc><did><unitid {kind}>Box 7</unitid></did></archdesc></ead>"
    )
    assert [one.reference for one in file.documents] == ["Box 7"]


def test_a_box_with_images_of_its_own_is_a_document_too(tmp_path: Path) -> None:
    box = component("A 1/2", component("A 1/2/1"), did='<dao href="cover.png"/>')
    file = read(tmp_path, finding_aid(box))
    assert {one.reference for one in file.documents} == {"A 1/2", "A 1/2/1"}
    assert claimed(file) == [("A 1/2", "cover.png")]


def test_images_of_no_document_are_said(tmp_path: Path) -> None:
    loose = component("", did='<dao href="loose.png"/>')
    file = read(tmp_path, finding_aid(component("A 1/2"), loose))
    assert file.problems == (
        "finding aid, line 1: 'loose.png' is in no component with a unitid, so it belongs to no "
        "document.",
    )


def test_what_has_no_unitid_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="finding aid: no component has a unitid"):
        read(tmp_path, finding_aid(component("")))
    with pytest.raises(MetadataError, match="line 1: the reference is longer than 255"):
        read(tmp_path, finding_aid(component("x" * 256)))


def test_what_is_too_long_for_its_place_is_a_detail(tmp_path: Path) -> None:
    long = "x" * 300
    place = f"<controlaccess><geogname>{long}</geogname></controlaccess>"
    (one,) = read(tmp_path, finding_aid(component("A 1/2", place))).documents
    assert (one.place, one.details["place"]) == (None, long)


def test_the_same_component_twice_is_one_document(tmp_path: Path) -> None:
    twice = component("A 1/2", did="<unittitle>x</unittitle>") + component("A1/2", "<odd>y</odd>")
    (one,) = read(tmp_path, finding_aid(twice)).documents
    assert (one.title, one.details["note"]) == ("x", "y")


def test_what_recurs_under_another_reference_is_led_by_it(tmp_path: Path) -> None:
    def items(bundle: int) -> str:
        return "".join(
            component(unitid, did=f'<unittitle>{bundle} {unitid}</unittitle><dao href="{href}"/>')
            for unitid, href in [
                ("Item 1", f"{bundle}/1.png"),
                (f"Item {bundle}", f"{bundle}/own.png"),
                ("7", f"{bundle}/7.png"),
            ]
        )

    bundles = [component(f"HCA 32/{number}", items(number), "file") for number in (8, 9)]
    file = read(tmp_path, finding_aid(component("HCA 32", "".join(bundles), "series")))
    assert claimed(file) == [
        ("HCA 32/8/Item 1", "8/1.png"),
        ("Item 8", "8/own.png"),
        ("HCA 32/8/7", "8/7.png"),
        ("HCA 32/9/Item 1", "9/1.png"),
        ("Item 9", "9/own.png"),
        ("HCA 32/9/7", "9/7.png"),
    ]
    documents = described(file)
    assert len(documents) == 6 and {one.series for one in documents.values()} == {"HCA 32"}
    for number in (8, 9):
        one = documents[f"HCA 32/{number}/Item 1"]
        assert one.title == f"{number} Item 1"
        assert one.details["reference as written"] == "Item 1"
    assert file.problems == ()


def test_a_reference_is_led_by_as_many_as_tell_it_apart(tmp_path: Path) -> None:
    boxes = [
        component(fonds, component("Box 1", component("Nr. 2") + component("3")), "series")
        for fonds in ("Fonds Roy", "Fonds Prize")
    ]
    file = read(tmp_path, finding_aid(*boxes))
    assert [(one.reference, one.series) for one in file.documents] == [
        ("Fonds Roy/Box 1/Nr. 2", "Fonds Roy"),
        ("Fonds Roy/Box 1/3", "Fonds Roy"),
        ("Fonds Prize/Box 1/Nr. 2", "Fonds Prize"),
        ("Fonds Prize/Box 1/3", "Fonds Prize"),
    ]


def test_what_recurs_under_no_reference_is_said(tmp_path: Path) -> None:
    items = [component("Item 1", did=f"<unittitle>{title}</unittitle>") for title in "xy"]
    file = read(tmp_path, finding_aid(*items))
    assert [one.title for one in file.documents] == ["x"]
    assert file.problems == (
        "finding aid, line 1: Item 1 was described differently before; left out: title 'y'. If "
        "it is another document, give it its own reference.",
    )


texts = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "Zs"), exclude_characters="<&"),
    max_size=15,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 30), texts, texts), min_size=1, max_size=6))
def test_what_was_written_is_read(tmp_path: Path, items: list[tuple[int, str, str]]) -> None:
    file = read(
        tmp_path,
        finding_aid(
            *(
                component(f"HCA 32/{number}", did=f"<unittitle>{a}<emph>{b}</emph></unittitle>")
                for number, a, b in items
            )
        ),
    )
    titles: dict[str, str] = {}
    for number, a, b in items:
        title = " ".join(unicodedata.normalize("NFC", a + b).split())
        if not titles.get(f"HCA 32/{number}"):
            titles[f"HCA 32/{number}"] = title
    assert {one.reference: one.title or "" for one in file.documents} == titles


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.data())
def test_mutated_finding_aids_are_read_or_refused(tmp_path: Path, data: Any) -> None:
    """Tags are left out, doubled, renamed; texts and attributes replaced."""
    pieces = re.findall(r"<[^>]*>|[^<]+", EAD3 if data.draw(st.booleans()) else WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(pieces) - 1))
        other = data.draw(st.sampled_from([*pieces, "", "<c>", "</c>", "&amp;", "HCA 32/1", "\n"]))
        pieces[at] = data.draw(st.sampled_from([other, pieces[at] * 2, pieces[at].upper()]))
    try:
        file = read(tmp_path, "".join(pieces))
    except MetadataError as error:
        assert "finding aid" in str(error)
    else:
        known = described(file)
        assert len(known) == len(file.documents) > 0
        assert all(claim.reference in known and claim.names for claim in file.claims)


WHOLE = EAD_2002.format(**NAMESPACED)
