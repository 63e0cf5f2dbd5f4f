"""Files of metadata that people write: read within bounds, decoded and parted in one place."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from retrieval.catalogue.errors import MetadataError

#: Bytes of a file of documents or labels that are read at most.
MAX_BYTES = 256 * 1024 * 1024

# A field may be as long as its file, once for the whole process: Python's own limit is 131,072.
csv.field_size_limit(MAX_BYTES)

_CHUNK = 64 * 1024
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SPREADSHEETS = {".xlsx", ".xls", ".ods"}


def metadata_chunks(path: Path) -> Iterator[bytes]:
    """Give the content of a file piece by piece, never more than MAX_BYTES.

    Raises MetadataError where it cannot be read or is larger.
    """
    size = 0
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if size > MAX_BYTES:
                    raise MetadataError(f"{path} is larger than {MAX_BYTES:,} bytes: split it.")
                yield chunk
    except OSError as error:
        raise MetadataError(f"{path} cannot be read: {error.strerror or error}.") from error


def read_metadata(path: Path) -> bytes:
    """Return the content of a file; MetadataError where it cannot be read or is over MAX_BYTES."""
    return b"".join(metadata_chunks(path))


def read_text(path: Path) -> str:
    """Return the text of a file, as `decode_text` takes it; MetadataError for a spreadsheet."""
    content = read_metadata(path)
    if path.suffix.lower() in _SPREADSHEETS or content.startswith(b"PK\x03\x04"):
        raise MetadataError(
            f"{path} is a spreadsheet, not text: save it as CSV (UTF-8) and give that."
        )
    return decode_text(content, path.name)


def decode_text(content: bytes, name: str) -> str:
    """Return text in UTF-8 or UTF-16 (with its byte order mark) or Windows-1252.

    Raises MetadataError, which calls the file `name`, for zero bytes, a broken UTF-16, and bytes
    that Windows-1252 lacks, which are letters in other encodings: which of them, nothing says.
    """
    if content[:2] in _UTF_16:
        try:
            text = content.decode("utf-16")
        except UnicodeDecodeError:
            said = f"{name} is not UTF-8 or UTF-16 text: save it as UTF-8."
            raise MetadataError(said) from None
    else:
        text = _of_bytes(content, name)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise MetadataError(
            f"{name}, line {line}: it contains zero bytes, so it is not text: save it as UTF-8."
        )
    return text


def _of_bytes(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise MetadataError(
            f"{name}, line {line}: the byte {content[error.start]:#x} is not valid in UTF-8 or "
            'Windows-1252: save it as UTF-8 (in Excel "CSV UTF-8").'
        ) from None


def read_table(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return what `table_of` returns of a CSV file's text."""
    return table_of(read_text(path), path.name)


def table_of(text: str, name: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the header of the text of CSV, [] when there is none, and the (line, fields) after it.

    Comma, semicolon or tab, as the header has it; or as Excel's own first line `sep=;` says. A
    line is where a row begins: a quoted field may hold several. Raises MetadataError, which
    calls the file `name` and names the line, here and while the rows are read.
    """
    stated = re.match(r'"?sep=([^\r\n"])"?[,;\t]*(?:\r\n|\r|\n|$)', text)
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=stated[1] if stated and stated[1] not in ' "' else _delimiter(text),
        strict=True,
        skipinitialspace=True,
    )

    def numbered() -> Iterator[tuple[int, list[str]]]:
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise MetadataError(f"{name}, line {line}: it is not valid CSV: {error}.") from None
            if row is None:
                return
            yield line, row

    rows = numbered()
    for line, row in rows:
        if any(field.strip() for field in row) and not (stated and line == 1):
            return row, rows
    return [], rows


def _delimiter(text: str) -> str:
    """Return which delimiter the header has most of outside quotation marks; else the comma."""
    header = re.match(r'\s*((?:"[^"]*"|[^"\r\n])*)', text)
    unquoted = re.sub(r'"[^"]*"', "", header[1] if header else "")
    return max(",;\t", key=unquoted.count)
