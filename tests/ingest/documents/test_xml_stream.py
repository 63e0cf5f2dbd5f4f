from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.documents import xml_stream
from ingest.documents.reading import read_documents
from ingest.documents.xml_stream import Element, is_xml, let_go, read_elements
from retrieval.catalogue import metadata
from retrieval.catalogue.errors import MetadataError

DOCTYPE = '<!DOCTYPE ead PUBLIC "+//ISBN 1-931666-00-8//DTD ead.dtd//EN" "ead.dtd">'


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "file.xml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def root_of(folder: Path, content: str | bytes) -> Element:
    return list(read_elements(written(folder, content)))[-1][1]


def test_texts_stand_apart_as_they_are_read(tmp_path: Path) -> None:
    root = root_of(
        tmp_path, "<a><p>One</p><p>t<emph>w</emph>o\n</p><n>3</n>\n<ref>x</ref>, <head>y</head></a>"
    )
    assert root.text() == "One two 3 x, y"
    assert root.text(without=frozenset(["head", "n"])) == "One two x,"
    assert [one.text() for one in root.children("p")] == ["One", "two"]


def test_attributes_go_by_their_local_names(tmp_path: Path) -> None:
    root = root_of(
        tmp_path, '<m:a xmlns:m="u:m" xmlns:x="u:x" x:href=" one " x:type="simple" type="dao"/>'
    )
    assert (root.name, root.get("href"), root.get("type")) == ("a", "one", "dao")
    assert (root.get("none", "href"), root.get("none")) == ("one", "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    declared = "" if encoding.startswith("utf") else f'<?xml version="1.0" encoding="{encoding}"?>'
    path = written(tmp_path, f"{declared}<a>Cádiz</a>".encode(encoding))
    assert is_xml(path)
    assert list(read_elements(path))[-1][1].text() == "Cádiz"


def test_a_dtd_is_not_fetched_but_its_characters_are_known(tmp_path: Path) -> None:
    (tmp_path / "ead.dtd").write_text('<!ENTITY eacute "wrong">')
    root = root_of(tmp_path, f'{DOCTYPE}<ead t="Caf&eacute;">C&aacute;diz &amp; &scaron;</ead>')
    assert (root.get("t"), root.text()) == ("Café", "Cádiz & š")


def bomb() -> str:
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE ead [<!ENTITY e0 "boom">{lines}]><ead>&e9;</ead>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no element found"),
        ("<a><b></a>", "line 1: it is not well-formed XML: mismatched tag"),
        ("<a>\n&nope;</a>", "line 2: it is not well-formed XML: undefined entity"),
        (f"{DOCTYPE}\n<ead>&nope;</ead>", "line 2: the entity &nope; is not known"),
        ("<x:a/>", "unbound prefix"),
        (b"<a>\xff</a>", "not well-formed"),
        ('<?xml version="1.0" encoding="nope"?><a/>', "its encoding cannot be read: unknown"),
        ('<?xml version="1.0" encoding="shift_jis"?><a/>', "its encoding cannot be read: multi"),
        (bomb(), r"declares an entity \(e0\)"),
        ('<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&f;</a>', "declares an entity"),
        ('<!DOCTYPE a [<!ENTITY % p SYSTEM "http://x/y"> %p;]><a/>', "declares an entity"),
        ("<a>" * 101, "more than 100 deep"),
        (f"<a><!--{'x' * 3_000_000}--></a>", "a tag or comment is longer than 1,048,576 bytes"),
        (f"<a b='{'x' * 3_000_000}'/>", "a tag or comment is longer than 1,048,576 bytes"),
    ],
)
def test_what_may_do_harm_is_refused(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(MetadataError, match=said) as caught:
        root_of(tmp_path, content)
    assert "file.xml" in str(caught.value)


def test_a_part_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xml_stream, "MAX_HELD", 100_000)
    many = f"<c>{'<d/>' * 500}</c>"
    with pytest.raises(MetadataError, match="one part of it is too large"):
        root_of(tmp_path, f"<a>{many}</a>")
    with pytest.raises(MetadataError, match="one part of it is too large"):
        root_of(tmp_path, f"<a>{'x' * 200_000}</a>")
    fewer = f"<c>{'<d/>' * 100}</c>"
    path = written(tmp_path, f"<a>{fewer * 400}</a>")
    monkeypatch.setattr(metadata, "_CHUNK", 512)
    for began, element in read_elements(path):
        if not began and element.name == "c":
            let_go(element)  # what has gone is counted no more
    monkeypatch.setattr(metadata, "MAX_BYTES", 1000)
    with pytest.raises(MetadataError, match="larger than 1,000 bytes"):
        list(read_elements(path))


def test_a_long_finding_aid_is_never_held_whole(tmp_path: Path) -> None:
    component = "<c><did><unittitle>{}</unittitle></did><odd><p>x</p></odd></c>".format("y" * 2000)
    path = tmp_path / "long.xml"
    with path.open("w") as stream:
        stream.write("<ead><archdesc><did><unitid>HCA 32</unitid></did><dsc>")
        for _ in range(5000):
            stream.write(component)
        stream.write("</dsc></archdesc></ead>")
    gc.collect()
    tracemalloc.start()
    for began, element in read_elements(path):
        if not began and element.name in {"did", "odd", "c"}:
            let_go(element)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.stat().st_size > 10_000_000
    assert most < 3_000_000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.binary(max_size=120)
    | st.lists(
        st.sampled_from(
            [
                *("<ead>", "</ead>", "<c>", "</c>", "<did>", "</did>", "<unitid>A 1/1</unitid>"),
                *("<!DOCTYPE ead>", "<!ENTITY a 'b'>", "&a;", "<dao href='a.png'/>", "x", "<div>"),
                *("<archdesc>", "</archdesc>", "<mets>", "</mets>", "<mods>", "</mods>"),
                "<![CDATA[",
            ]
        ),
        max_size=12,
    ).map(lambda parts: "".join(parts).encode())
)
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    for head in (b"<", b"<?xml version='1.0'?>"):
        try:
            file = read_documents(written(tmp_path, head + content))
        except MetadataError as error:
            assert "file.xml" in str(error)
        else:
            assert all(document.reference for document in file.documents)


def test_other_xml_is_refused_by_its_root(tmp_path: Path) -> None:
    path = tmp_path / "documents.csv"  # the name says nothing
    path.write_text("<html><body/></html>")
    with pytest.raises(
        MetadataError, match=r"documents\.csv, line 1: it is XML with the root 'html'"
    ):
        read_documents(path)
