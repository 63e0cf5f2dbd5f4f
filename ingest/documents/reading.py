"""A file of documents, whatever it is: what it holds decides, not what it is called."""

from __future__ import annotations

from pathlib import Path

from ingest.documents.csv_file import read_csv
from ingest.documents.ead import read_ead
from ingest.documents.mets import read_mets
from ingest.documents.mods import read_mods
from ingest.documents.record import DocumentsFile
from ingest.documents.xml_stream import is_xml, read_elements
from retrieval.catalogue.errors import MetadataError

_BY_ROOT = {"ead": read_ead, "mets": read_mets, "mods": read_mods, "modsCollection": read_mods}


def read_documents(path: Path) -> DocumentsFile:
    """Read a file of documents: CSV, EAD (2002 or EAD3), METS with MODS, or MODS.

    Raises MetadataError, which names the file and the line.
    """
    if not is_xml(path):
        return read_csv(path)
    elements = read_elements(path)
    _, root = next(elements)
    reader = _BY_ROOT.get(root.name)
    if reader is None:
        raise MetadataError(
            f"{path.name}, line {root.line}: it is XML with the root {root.name!r}. Give EAD, "
            "METS, MODS or CSV."
        )
    return reader(path.name, elements)
