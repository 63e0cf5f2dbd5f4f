"""What is exported as one text."""

from __future__ import annotations

import io
from typing import Any

from ingest.annotations.exporting import export_text
from ingest.annotations.formats import Format
from retrieval.catalogue.archive import Archive


def exported_text(archive: Archive, form: Format, *wanted: Any, **options: Any) -> str:
    stream = io.StringIO()
    export_text(archive, form, stream, *wanted, **options)
    return stream.getvalue()
