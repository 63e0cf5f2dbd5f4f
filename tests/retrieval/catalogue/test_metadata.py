from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.catalogue import metadata
from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.metadata import read_metadata, read_table, read_text


def test_a_file_is_read_up_to_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "MAX_BYTES", 4)
    path = tmp_path / "labels.csv"
    path.write_bytes(b"four")
    assert read_metadata(path) == b"four"
    path.write_bytes(b"five!")
    with pytest.raises(MetadataError, match="larger than 4 bytes: split it"):
        read_metadata(path)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="cannot be read: Is a directory"):
        read_metadata(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_decoded(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes("Cádiz, é".encode(encoding))
    assert read_text(path) == "Cádiz, é"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a\nb\0c", r"labels\.csv, line 2: it contains zero bytes"),
        ("x".encode("utf-16-le"), "line 1: it contains zero bytes"),
        (b"\xff\xfea", "is not UTF-8 or UTF-16 text"),
        (
            "a\nÉté".encode("cp850"),
            r'line 2: the byte 0x90 is not valid .* \(in Excel "CSV UTF-8"\)',
        ),
        (b"PK\x03\x04", "is a spreadsheet, not text"),
    ],
)
def test_what_is_no_text_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    with pytest.raises(MetadataError, match=said):
        read_text(path)


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2;3\n",
        'sep=;\r\na;b\r\n1;"2;3"\r\n',
        '"sep=;";\na;b\n1;"2;3"\n',
        "\n \na\tb\n1\t2;3\n",
        '"a";"b"\r1;"2;3"\r',
    ],
)
def test_tables_of_any_delimiter(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode())
    header, rows = read_table(path)
    assert header == ["a", "b"]
    assert [row for _, row in rows] == [["1", "2;3"]]


def test_lines_are_counted_through_quoted_ones(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(b'"a\n,\n,";b\r\n"1\r\n2";3\r\n4;5\r\n')
    header, rows = read_table(path)
    assert header == ["a\n,\n,", "b"]
    assert list(rows) == [(4, ["1\r\n2", "3"]), (6, ["4", "5"])]
    path.write_bytes(b"")
    assert read_table(path)[0] == []


def test_a_field_may_be_long(tmp_path: Path) -> None:
    path = tmp_path / "documents.csv"
    long = "Depositions. " * 20_000
    path.write_text(f'reference,note\nHCA 32/1,"{long}"\n')
    _, rows = read_table(path)
    assert list(rows) == [(2, ["HCA 32/1", long])]
