"""Which page of the archive a file of marks means.

The rules are stricter than those for a documents file (`ingest.documents.claimed_pages`). That one
comes with its scans, and where it errs a page has the wrong record until the next file. A file of
marks comes from any tool, perhaps years later, and where it errs boxes are cut out of another
page. So a SHA-256 that contradicts the name is refused here, and a path whose folders differ from
a page's is no path to it, however long the end is that both share.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from ingest.annotations.annotation import AnnotatedImage, RegionError
from ingest.annotations.image_addresses import image_address
from ingest.documents.hrefs import page_names
from ingest.known import KnownPage, pages_where
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.source_names import PathEnds, composed, path_parts, sources_of_files
from retrieval.catalogue.tables import Page

#: The addresses that a page from a manifest has: of its canvas, its image and its image's service.
_ADDRESSES = ("canvas", "image", "service")

#: What Label Studio calls an uploaded file: `cb0618f6-f12r.png`, in folders of its own.
_UPLOADED = re.compile(r"[0-9a-f]{8}-(.+)")


class PageFinder:
    """Finds the pages that images mean by what a file calls them: never by their place in the file
    or the archive.

    Of the catalogue, only pages that the images may mean are held.
    """

    def __init__(self, session: Session, images: Sequence[AnnotatedImage]) -> None:
        """Take the images that are to be found: names are sought for all of them at once."""
        self._session = session
        self._by_name: dict[str, list[KnownPage]] = defaultdict(list)
        self._by_content: dict[str, list[KnownPage]] = defaultdict(list)
        self._canvases: dict[str, tuple[int | None, int | None]] = {}
        self._details: dict[int, Mapping[str, Any]] = {}
        self._held: set[int] = set()
        contents = {_content(image) for image in images} - {""}
        for some in in_parts(sorted(contents)):
            self._hold(Page.sha256.in_(some))
        names = {name for image in images for name in _written(image)}
        for some in in_parts(sorted(names)):
            self._hold(or_(Page.source.in_(some), Page.location.in_(some)))
        unknown = [image for image in images if not self._alike(image)]
        # No index has addresses or the ends of names: one look through all is for all images.
        addresses = {
            name
            for image in unknown
            if not self._exactly(image)
            for name in _written(image)
            if ":" in name
        }
        for some in in_parts(sorted(addresses)):
            named = (Page.details[key].as_string().in_(some) for key in _ADDRESSES)
            self._hold(and_(Page.details.is_not(None), or_(*named)))
        files = {
            file
            for image in unknown
            if not self._exactly(image) or _is_bare(image)
            for parts in _paths(image)
            for file in (parts[-1], _uploaded(parts))
            if file
        }
        ends = {page.source for some in self._by_content.values() for page in some}
        ends.update(sources_of_files(session, files))
        self._ends = PathEnds((source, source) for source in ends)

    def find(self, image: AnnotatedImage) -> KnownPage:
        """Return the page of an image; RegionError says why none matches, or several do.

        The content decides where the file states it; copies of it are told apart by name, and
        what is called as a page of other content is neither. Else the name does: the source or the
        master's place, the address of its canvas, its image or its image service, or as much of the
        end as one page has, of the path of an address, too; last of all the bare name of a file as
        it was before it was uploaded. A bare name may be that of files in several folders though
        one page has no other: then the file's size and the image's decide, if they are those of one
        page.
        """
        alike = self._alike(image)
        named = self._exactly(image)
        if alike:
            ids = {page.id for page in named}
            both = [page for page in alike if page.id in ids]
            if not both:
                ending = set(self._ending(image))
                both = [page for page in alike if page.source in ending]
            if named and not both:
                raise RegionError(
                    f"its SHA-256 is that of another page, {alike[0].source!r}: correct its name "
                    "or, if the name is right, empty its sha256"
                )
            return _only(both or alike, image)
        if not named or _is_bare(image):
            named = self._pages({*self._ending(image), *(page.source for page in named)})
        if not named:
            raise _unknown(image)
        return _only(named, image)

    def sized(self, image: AnnotatedImage, page: KnownPage) -> AnnotatedImage:
        """Return the image with the size of what it is called by, where the file says none: of a
        canvas, or of the image that an address gives.

        RegionError where the page may be of another size than the image of that address.
        """
        if image.width or image.height:
            return image
        if image.source in self._canvases:
            width, height = self._canvases[image.source]
            return replace(image, width=width, height=height)
        address = image_address(image.source)
        if address and (size := address.size_of(page.width, page.height)):
            return replace(image, width=size[0], height=size[1])
        details = self._details.get(page.id, {})
        service = details.get("service")
        if service in _written(image):  # of which the page may be a smaller copy
            known = (details.get("width"), details.get("height")) == (page.width, page.height)
        else:
            known = service is None or image.source != details.get("image")
        if not known:
            raise RegionError(
                "the size of the image that its boxes were drawn on is unknown: give its "
                "width and height, or name its canvas"
            )
        return image

    def _hold(self, condition: ColumnElement[bool]) -> None:
        """Hold the pages that meet the condition by their content and all that they are called."""
        described = select(Page.id, Page.details).where(condition, Page.details.is_not(None))
        details = {number: said or {} for number, said in self._session.execute(described)}
        for page in pages_where(self._session, condition):
            if page.id in self._held:
                continue
            self._held.add(page.id)
            self._by_content[page.sha256].append(page)
            called = {page.source, page.location}
            if said := details.get(page.id):
                self._details[page.id] = said
                called |= {said[key] for key in _ADDRESSES if said.get(key)}
                if canvas := said.get("canvas"):
                    self._canvases[canvas] = said.get("width"), said.get("height")
            for name in called:
                self._by_name[name].append(page)

    def _alike(self, image: AnnotatedImage) -> list[KnownPage]:
        return self._by_content.get(_content(image), [])

    def _exactly(self, image: AnnotatedImage) -> list[KnownPage]:
        """Return the pages that are called as the image is, by the best name that any has."""
        return next((found for name in _written(image) if (found := self._by_name.get(name))), [])

    def _ending(self, image: AnnotatedImage) -> list[str]:
        """Return the sources that end as the image's names do, as far as both have any parts."""
        paths = _paths(image)
        found = [
            source
            for parts in paths
            if ".." not in parts
            for source in self._ends.ending_alike(parts)
        ]
        if not found:
            uploads = [name for parts in paths if (name := _uploaded(parts))]
            found = [source for name in uploads for source in self._ends.ending_in([name])]
        return found

    def _pages(self, sources: Iterable[str]) -> list[KnownPage]:
        return [
            page
            for some in in_parts(sorted(sources))
            for page in pages_where(self._session, Page.source.in_(some))
        ]


def _only(pages: Sequence[KnownPage], image: AnnotatedImage) -> KnownPage:
    """Return the page that is left when the file's number of the image has been asked."""
    sources = sorted({page.source for page in pages})
    if len(sources) > 1:
        pages = _singled_out(pages, image)
    if not pages:
        raise RegionError(
            f"it matches {len(sources)} pages, such as {sources[0]!r} and {sources[1]!r}: "
            "write more of its path"
        )
    if image.frame is not None:
        pages = [page for page in pages if page.frame == image.frame]
        if not pages:
            raise RegionError(f"that file has no image number {image.frame + 1} in the archive")
    elif by_id := [page for page in pages if page.id == image.page]:
        pages = by_id
    if len(pages) > 1:
        raise RegionError(
            f"that file has {len(pages)} images, and it is unclear which is meant: give "
            "its `frame`, counted from 0"
        )
    return pages[0]


def _singled_out(pages: Sequence[KnownPage], image: AnnotatedImage) -> list[KnownPage]:
    """Return the images of the one source that fits what a file says beside the name, or none."""
    said: tuple[Callable[[KnownPage], bool], ...] = (
        lambda page: page.id == image.page and page.source in image.names,  # our list of marks
        lambda page: page.size == image.size,
        lambda page: (page.width, page.height) == (image.width, image.height),
    )
    for fits in said:
        sources = {page.source for page in pages if fits(page)}
        if len(sources) == 1:
            return [page for page in pages if page.source in sources]
    return []


def _written(image: AnnotatedImage) -> list[str]:
    """Return an image's names, the best first, and how sources would be written that have them;
    of the addresses of whole images their services.

    Half of a surrogate pair, which JSON may hold, is in the name of no page.
    """
    addresses = [image_address(name) for name in image.names if "://" in name]
    services = (address.service for address in addresses if address and address.whole)
    return [
        name
        for name in (*image.names, *map(composed, image.names), *services)
        if not re.search(r"[\ud800-\udfff]", name)
    ]


def _content(image: AnnotatedImage) -> str:
    """Return the SHA-256 that a file states of an image; "" where it states none."""
    said = (image.sha256 or "").lower()
    return said if re.fullmatch(r"[0-9a-f]{64}", said) else ""


def _is_bare(image: AnnotatedImage) -> bool:
    """Return whether a file calls the image by the name of its file, without any folder.

    A name out of a canvas's address is a whole source.
    """
    return not re.search(r"[/\\]", image.source)


def _paths(image: AnnotatedImage) -> list[list[str]]:
    """Return the parts of the names, as far as these are paths or addresses that end in one."""
    paths = [
        path_parts(path.replace("\\", "/").removeprefix("./"))
        for name in image.names
        for path in (_paths_of(name) if "://" in name else [name])
    ]
    return [parts for parts in paths if parts]


def _paths_of(address: str) -> tuple[str, ...]:
    """Return the path that a page with this address may have; none where only a part of it has."""
    asked = image_address(address)
    if asked is None:
        return page_names(address)
    return page_names(asked.service) if asked.whole else ()


def _unknown(image: AnnotatedImage) -> RegionError:
    """Return why an image matches no page, as far as its name tells."""
    if "://" not in image.source:
        return RegionError("the archive has no such page")
    asked = image_address(image.source)
    if asked and not asked.whole:
        return RegionError("it is the address of a part of an image, or of a rotated image")
    return RegionError(
        "no page of the archive has this address, or a path that ends as it does: write the "
        "page's source instead"
    )


def _uploaded(parts: Sequence[str]) -> str:
    """Return what a file was called before it was uploaded; "" where it was not."""
    found = _UPLOADED.fullmatch(parts[-1])
    return found[1] if found else ""
