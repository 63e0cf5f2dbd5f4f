from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.catalogue.errors import MetadataError
from tests.ingest.documents import reading

MODS = """\
<mods:mods{namespace}>
  <mods:titleInfo><mods:nonSort>The</mods:nonSort><mods:title>Bill of lading</mods:title>
    <mods:subTitle>six bales</mods:subTitle></mods:titleInfo>
  <mods:titleInfo type="alternative"><mods:title>Cognossement</mods:title></mods:titleInfo>
  <mods:identifier type="purl">http://resolver.example/1</mods:identifier>
  <mods:location><mods:physicalLocation>Kew</mods:physicalLocation>
    <mods:shelfLocator>HCA32/1234/5</mods:shelfLocator></mods:location>
  <mods:originInfo>
    <mods:place><mods:placeTerm type="text">Amsterdam</mods:placeTerm></mods:place>
    <mods:dateCreated>c. 1702-1704</mods:dateCreated>
    <mods:dateCreated encoding="w3cdtf" point="start" keyDate="yes" qualifier="approximate"
      >1702-03</mods:dateCreated>
    <mods:dateCreated encoding="w3cdtf" point="end">1704</mods:dateCreated>
  </mods:originInfo>
  <mods:name type="personal"><mods:namePart type="family">Smit</mods:namePart>
    <mods:namePart type="given">Jan</mods:namePart>
    <mods:role><mods:roleTerm type="text">Shipmaster</mods:roleTerm></mods:role></mods:name>
  <mods:name type="personal"><mods:namePart>P. Roy</mods:namePart>
    <mods:role><mods:roleTerm type="code">aut</mods:roleTerm>
      <mods:roleTerm type="text">merchant</mods:roleTerm></mods:role></mods:name>
  <mods:subject><mods:geographic>Cádiz</mods:geographic></mods:subject>
  <mods:subject><mods:name type="corporate">
    <mods:namePart>De Hoop (Ship)</mods:namePart></mods:name></mods:subject>
  <mods:subject><mods:topic>Trade</mods:topic><mods:temporal>War</mods:temporal></mods:subject>
  <mods:note type="condition">torn</mods:note><mods:note>with a mark</mods:note>
  <mods:language><mods:languageTerm type="code">dut</mods:languageTerm></mods:language>
  <mods:relatedItem type="host"><mods:titleInfo><mods:title>Prize Papers</mods:title>
    </mods:titleInfo></mods:relatedItem>
  <mods:recordInfo><mods:recordIdentifier>1234</mods:recordIdentifier></mods:recordInfo>
</mods:mods>"""
NAMESPACE = ' xmlns:mods="http://www.loc.gov/mods/v3"'

#: METS in the shape in which Goobi and Kitodo export it for the DFG viewer.
METS = """\
<?xml version="1.0" encoding="UTF-8"?>
<mets:mets xmlns:mets="http://www.loc.gov/METS/" xmlns:xlink="http://www.w3.org/1999/xlink"
  xmlns:mods="http://www.loc.gov/mods/v3" OBJID="oai:example:1">
  <mets:metsHdr CREATEDATE="2020-01-01T00:00:00"><mets:agent><mets:name>x</mets:name></mets:agent>
  </mets:metsHdr>
  <mets:dmdSec ID="DMDLOG_0000"><mets:mdWrap MIMETYPE="text/xml" MDTYPE="MODS"><mets:xmlData>
    {mods}
  </mets:xmlData></mets:mdWrap></mets:dmdSec>
  <mets:dmdSec ID="DMDLOG_0001"><mets:mdWrap MDTYPE="MODS"><mets:xmlData>
    <mods:mods><mods:titleInfo><mods:title>Enclosure</mods:title></mods:titleInfo>
      {inner}</mods:mods>
  </mets:xmlData></mets:mdWrap></mets:dmdSec>
  <mets:amdSec ID="AMD"><mets:rightsMD ID="R"><mets:mdWrap MDTYPE="OTHER"><mets:xmlData/>
    </mets:mdWrap></mets:rightsMD></mets:amdSec>
  <mets:fileSec>
    <mets:fileGrp USE="THUMBS">
      <mets:file ID="T1" MIMETYPE="image/jpeg"><mets:FLocat LOCTYPE="URL"
        xlink:href="https://img.example/thumbs/00000001.jpg"/></mets:file></mets:fileGrp>
    <mets:fileGrp USE="DEFAULT">
      <mets:file ID="D1" MIMETYPE="image/jpeg"><mets:FLocat LOCTYPE="URL"
        xlink:href="https://img.example/jpegs/00000001.jpg"/></mets:file>
      <mets:file ID="D2" MIMETYPE="image/jpeg"><mets:FLocat LOCTYPE="URL"
        xlink:href="https://img.example/jpegs/00000002.jpg"/></mets:file>
      <mets:file ID="D3" MIMETYPE="image/jpeg"><mets:FLocat LOCTYPE="URL"
        xlink:href="https://img.example/jpegs/00000003.jpg"/></mets:file></mets:fileGrp>
    <mets:fileGrp USE="LOCAL">
      <mets:file ID="L1" MIMETYPE="image/tiff"><mets:FLocat LOCTYPE="URL"
        xlink:href="file:///opt/goobi/metadata/7/images/master%207/00000001.tif"/></mets:file>
    </mets:fileGrp>
    <mets:fileGrp USE="FULLTEXT">
      <mets:file ID="X1" MIMETYPE="text/xml"><mets:FLocat LOCTYPE="URL"
        xlink:href="https://img.example/alto/00000001.xml"/></mets:file></mets:fileGrp>
  </mets:fileSec>
  <mets:structMap TYPE="LOGICAL">
    <mets:div ID="LOG_0000" TYPE="Manuscript" DMDID="DMDLOG_0000">
      <mets:div ID="LOG_0001" TYPE="Chapter" DMDID="DMDLOG_0001"/>
    </mets:div>
  </mets:structMap>
  <mets:structMap TYPE="PHYSICAL">
    <mets:div ID="PHYS_0000" TYPE="physSequence">
      <mets:div ID="PHYS_0003" ORDER="3" ORDERLABEL="2r" TYPE="page">
        <mets:fptr FILEID="D3"/></mets:div>
      <mets:div ID="PHYS_0001" ORDER="1" ORDERLABEL="1r" TYPE="page"><mets:fptr FILEID="T1"/>
        <mets:fptr FILEID="X1"/><mets:fptr FILEID="D1"/><mets:fptr FILEID="L1"/></mets:div>
      <mets:div ID="PHYS_0002" ORDER="2" ORDERLABEL=" - " TYPE="page">
        <mets:fptr FILEID="D2"/></mets:div>
    </mets:div>
  </mets:structMap>
  <mets:structLink>
    <mets:smLink xlink:from="LOG_0000" xlink:to="PHYS_0000"/>
    <mets:smLink xlink:from="LOG_0000" xlink:to="PHYS_0001"/>
    <mets:smLink xlink:from="LOG_0000" xlink:to="PHYS_0002"/>
    <mets:smLink xlink:from="LOG_0000" xlink:to="PHYS_0003"/>
    <mets:smLink xlink:from="LOG_0001" xlink:to="PHYS_0003"/>
  </mets:structLink>
</mets:mets>
"""
WHOLE = METS.format(mods=MODS.format(namespace=""), inner="")
DETAILS = {
    "reference as written": "HCA32/1234/5",
    "other title": "Cognossement",
    "identifier": "purl: http://resolver.example/1",
    "repository": "Kew",
    "place of origin": "Amsterdam",
    "merchant": "P. Roy",
    "subject": "Trade -- War",
    "note (condition)": "torn",
    "note": "with a mark",
    "language": "dut",
    "part of": "Prize Papers",
    "date (EDTF)": "1702-03~/1704",
}


read = functools.partial(reading.read, name="mets.xml")


def test_a_manuscript_and_its_pages(tmp_path: Path) -> None:
    file = read(tmp_path, WHOLE)
    (one,) = file.documents
    assert (one.reference, one.series) == ("HCA 32/1234/5", "HCA 32")
    assert one.title == "The Bill of lading: six bales"
    assert (one.date, one.year_from, one.year_to) == ("c. 1702-1704", 1702, 1704)
    assert (one.ship, one.captain, one.place) == ("De Hoop", "Jan Smit", "Cádiz")
    assert one.details == {**DETAILS, "contents": "Enclosure", "page labels": "1r, -, 2r"}
    assert [claim.names for claim in file.claims] == [
        ("opt/goobi/metadata/7/images/master 7/00000001.tif", "jpegs/00000001.jpg"),
        ("jpegs/00000002.jpg",),
        ("jpegs/00000003.jpg",),
    ]
    assert "PHYS_0001" in WHOLE.splitlines()[file.claims[0].line - 1]


def test_a_page_belongs_to_the_innermost_document(tmp_path: Path) -> None:
    inner = "<mods:identifier>HCA 32/1234/6</mods:identifier>"
    file = read(tmp_path, METS.format(mods=MODS.format(namespace=""), inner=inner))
    assert [one.reference for one in file.documents] == ["HCA 32/1234/5", "HCA 32/1234/6"]
    assert [(claim.reference, claim.names[-1][-5]) for claim in file.claims] == [
        ("HCA 32/1234/5", "1"),
        ("HCA 32/1234/5", "2"),
        ("HCA 32/1234/6", "3"),
    ]


def test_mods_alone_and_a_collection_of_it(tmp_path: Path) -> None:
    (one,) = read(tmp_path, MODS.format(namespace=NAMESPACE)).documents
    assert (one.reference, one.captain, one.details) == ("HCA 32/1234/5", "Jan Smit", DETAILS)
    second = (
        "<mods:mods><mods:identifier type='local'>B</mods:identifier><mods:location>"
        "<mods:url>https://x/b.png</mods:url><mods:url>https://x/b</mods:url></mods:location>"
        "<mods:originInfo><mods:dateIssued encoding='marc'>17uu</mods:dateIssued></mods:originInfo>"
        "</mods:mods>"
    )
    both = f"<mods:modsCollection{NAMESPACE}>{MODS.format(namespace='')}{second}"
    file = read(tmp_path, f"{both}</mods:modsCollection>")
    assert [one.reference for one in file.documents] == ["HCA 32/1234/5", "B"]
    other = file.documents[1]
    assert (other.date, other.year_from, other.details["link"]) == ("17uu", 1700, "https://x/b")
    assert [claim.names for claim in file.claims] == [("b.png",)]


def simple(structure: str, records: str = "", attributes: str = "") -> str:
    files = "".join(f'<file ID="F{n}"><FLocat xlink:href="{n}.tif"/></file>' for n in range(1, 4))
    return (
        f'<mets xmlns="http://www.loc.gov/METS/" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f"{attributes}>{records}<fileSec><fileGrp>{files}</fileGrp></fileSec>"
        f"<structMap>{structure}</structMap></mets>"
    )


def record(identifier: str, reference: str) -> str:
    return (
        f'<dmdSec ID="{identifier}"><mdWrap MDTYPE="MODS"><xmlData>'
        f'<mods xmlns="http://www.loc.gov/mods/v3"><identifier>{reference}</identifier></mods>'
        "</xmlData></mdWrap></dmdSec>"
    )


def test_one_division_with_every_file(tmp_path: Path) -> None:
    pointers = "".join(f'<fptr FILEID="F{n}"/>' for n in (2, 1, 3))
    file = read(tmp_path, simple(f"<div>{pointers}</div>", attributes='OBJID="A 1/2" LABEL="x"'))
    assert [(one.reference, one.title) for one in file.documents] == [("A 1/2", "x")]
    assert [claim.source for claim in file.claims] == ["2.tif", "1.tif", "3.tif"]


def test_divisions_that_are_documents_with_pages_in_them(tmp_path: Path) -> None:
    structure = (
        '<div><div DMDID="M1"><div><fptr><area FILEID="F1"/></fptr></div></div>'
        '<div DMDID="M2"><fptr FILEID="F2"/></div><div ID="loose"><fptr FILEID="F3"/></div></div>'
    )
    file = read(tmp_path, simple(structure, record("M1", "A 1/1") + record("M2", "A 1/2")))
    assert [(claim.reference, claim.source) for claim in file.claims] == [
        ("A 1/1", "1.tif"),
        ("A 1/2", "2.tif"),
    ]
    assert file.problems == ("mets.xml, line 1: the page '3.tif' is linked to no document.",)


def test_goobis_own_file(tmp_path: Path) -> None:
    goobi = (
        '<extension><g:goobi xmlns:g="http://meta.goobi.org/v1.5.1/">'
        '<g:metadata name="TitleDocMain">Bill</g:metadata>'
        '<g:metadata name="shelfmarksource">HCA 32/1/5</g:metadata>'
        '<g:metadata name="singleDigCollection">Prize</g:metadata></g:goobi></extension>'
    )
    (one,) = read(tmp_path, f'<mods xmlns="http://www.loc.gov/mods/v3">{goobi}</mods>').documents
    assert (one.reference, one.title) == ("HCA 32/1/5", "Bill")
    assert one.details == {"singleDigCollection": "Prize"}


def test_what_has_no_reference_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match=r"mets\.xml: there is no reference"):
        read(tmp_path, simple("<div/>"))
    with pytest.raises(MetadataError, match=r"line 1: the record has no reference"):
        read(tmp_path, "<mods><note>x</note></mods>")
    with pytest.raises(MetadataError, match=r"it has no MODS record"):
        read(tmp_path, "<modsCollection/>")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.data())
def test_mutated_mets_is_read_or_refused(tmp_path: Path, data: Any) -> None:
    pieces = re.findall(r'<[^>"]*|"[^"]*"|[^<"]+', WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(pieces) - 1))
        other = data.draw(st.sampled_from([*pieces, "", '"0"', '"LOG_0000"', '"http://[x"', "\n"]))
        pieces[at] = data.draw(st.sampled_from([other, pieces[at] * 2, pieces[at].lower()]))
    try:
        file = read(tmp_path, "".join(pieces))
    except MetadataError as error:
        assert "mets.xml" in str(error)
    else:
        known = {one.reference for one in file.documents}
        assert len(known) == len(file.documents) > 0
        assert all(claim.reference in known for claim in file.claims)
