"""What an ingest reports when it is done."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.documents.binding import TakenPage
from ingest.run import Counts
from retrieval.catalogue.resemblances import ResemblanceRow


@dataclass
class IngestReport(Counts):
    """What a run did, and the state it left the archive in.

    Of pages, one for each image of a file: `added`; `changed`, read again; `moved`, following their
    master; `unchanged`. `duplicates` of those added have the content of another page, `resembling`
    of those read look like another. `copies_replaced`: pages of copies that went, as the files of
    their originals are gone and these, `moved`, lie in theirs. `made_crops`: pages of those changed
    that were given as crops and are such now; `made_pages`: crops that are pages now. `bound`:
    pages that got another document, `bound_already` those that were given to the one they had;
    `taken` were another document's before. `pages_without_document`: in the archive.

    Of marks: `marks` were made; `marks_of_copies` that people judged or named on copies that went
    are the originals' now.

    Of images: `failed` stand in quarantine now, from this run or an earlier one, a row each, and a
    manifest counts as one; `fetched` masters of manifests. `canvases_without_image`: those of the
    manifests with none that is understood.

    Of files: `left` in quarantine without another try, as nothing about them has changed;
    `left_as_crops` in a run of pages that came in as crops and stay so; `left_as_pages` the other
    way round; `skipped` that are not images. `healed`: sources, and places of manifests, that left
    quarantine for good. `missing`: sources of pages on which marks were to be sought anew, and
    whose masters are not at hand. `away`: empty folders in which originals of copies were.
    `unlisted`: folders that may not be listed, and were passed over.

    Of documents: `documents` were written, new or described otherwise than before;
    `documents_without_pages`: in the archive. `reordered`: those whose pages a documents file put
    into another order. `manifests_without_image`: ids of those that give no image at all.
    `problems`: sentences about the claims of the documents files. `files_without_page`: names of
    those that claim pages, none of which was found; `files_unclear` of those that name several at
    once. Where such files were given, `sources_without_document` and `references_without_page` name
    what is left in the archive, in natural order.
    """

    away: tuple[str, ...] = ()
    resembling: tuple[ResemblanceRow, ...] = ()
    failed: int = 0
    healed: int = 0
    unlisted: tuple[str, ...] = ()
    manifests_without_image: tuple[str, ...] = ()
    documents: int = 0
    bound: int = 0
    bound_already: int = 0
    taken: tuple[TakenPage, ...] = ()
    reordered: int = 0
    pages_without_document: int = 0
    documents_without_pages: int = 0
    sources_without_document: tuple[str, ...] = ()
    references_without_page: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    files_without_page: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    files_unclear: tuple[str, ...] = ()
