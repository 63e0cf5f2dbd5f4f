"""PDF: each page one image: a scan at its own resolution, what is drawn at 300 dpi."""

from __future__ import annotations

import ctypes
import functools
import math
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pypdfium2 as pdfium
from pypdfium2 import raw
from pypdfium2.internal import get_bufreader

from ingest.image_sizes import codestream, jpeg_size
from ingest.pixels import ADVICE_COPY, check_pixels
from retrieval.catalogue.errors import DamagedImage, ImageTooLarge, NotAnImage
from retrieval.ink import Pixels

#: Dots an inch of a page that is drawn, not scanned.
DRAWN_DPI = 300

#: Pictures, letters and lines of one page that are looked at.
MAX_PIECES = 1_000_000

_POINTS = 72  # an inch
_MAX_NESTING = 15
_INVISIBLE = raw.FPDF_TEXTRENDERMODE_INVISIBLE

#: PDFium works for one thread at a time, and documents share what it keeps.
_pdfium = threading.RLock()


def pdf_decoders(
    stream: BinaryIO, max_pixels: int, max_pages: int
) -> Iterator[Callable[[], Pixels]]:
    """Give a decoder for each page, to (H, W, 3) RGB, in the file's order.

    Raises NotAnImage for a password, ImageTooLarge for more than `max_pages`, and DamagedImage,
    before or after the pages, for what the file claims and does not hold. Annotations are others'
    notes on the page, and left out.
    """
    _check_end(stream)
    document, kept = _opened(stream)
    try:
        with _pdfium:
            stated = len(document)
            if stated > max_pages:
                raise ImageTooLarge(
                    f"It is a PDF of {stated:,} pages, more than the {max_pages:,} that one file "
                    "may have.",
                    "Split it into several files.",
                )
            held = _pages_held(document, stated)
        if not stated:
            raise DamagedImage("It is a PDF without pages.", ADVICE_COPY)
        for index in range(held):
            yield functools.partial(_rendered, document, index, max_pixels)
        if held < stated:
            raise DamagedImage(
                f"It is a PDF that claims {stated:,} pages, but has {held:,}.", ADVICE_COPY
            )
    finally:
        with _pdfium:
            document.close()
        del kept


def _check_end(stream: BinaryIO) -> None:
    """Raise DamagedImage where the end is missing: PDFium would make the best of the rest."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - 4096))
    if b"%%EOF" not in stream.read():
        raise DamagedImage("It is a truncated PDF: its end is missing.", ADVICE_COPY)
    stream.seek(0)


def _opened(stream: BinaryIO) -> tuple[Any, Any]:
    """Return the document, and what it reads by, to be kept as long."""
    access, kept = get_bufreader(stream)
    with _pdfium:
        handle = raw.FPDF_LoadCustomDocument(access, None)
        if handle:
            return pdfium.PdfDocument(handle), (access, kept)
        problem = raw.FPDF_GetLastError()
    if problem == raw.FPDF_ERR_PASSWORD:
        raise NotAnImage(
            "It is a PDF protected by a password.",
            "Save it without the password.",
        )
    if problem == raw.FPDF_ERR_SECURITY:
        raise NotAnImage(
            "It is a PDF with unsupported encryption.",
            "Save it without encryption.",
        )
    raise DamagedImage("It is a damaged PDF.", ADVICE_COPY)


def _pages_held(document: Any, stated: int) -> int:
    """Return how many of the pages that the file claims are there: the last ones may be missing."""
    size = raw.FS_SIZEF()
    while stated and not raw.FPDF_GetPageSizeByIndexF(document, stated - 1, size):
        stated -= 1
    return stated


# One page ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Picture:
    """A picture on a page: its pixels a point along the page's axes, and square points covered."""

    across: float
    down: float
    area: float


def _rendered(document: Any, index: int, max_pixels: int) -> Pixels:
    with _pdfium:
        try:
            page = document[index]
        except pdfium.PdfiumError as error:
            raise DamagedImage("This page of the PDF is damaged.", ADVICE_COPY) from error
        try:
            pieces = _Pieces(max_pixels)
            pieces.look_at(page)
            across, down = pieces.scale(page)
            points = page.get_size()
            width, height = (
                max(1, round(length * scale))
                for length, scale in zip(points, (across, down), strict=True)
            )
            check_pixels(width, height, max_pixels)
            image = _drawn(page, width, height)
            if pieces.pictures and (image == image[0, 0]).all():
                pieces.check_that_one_decodes()
            return image
        finally:
            page.close()


def _drawn(page: Any, width: int, height: int) -> Pixels:
    # A buffer of our own outlives the bitmap that PDFium draws into it.
    bitmap = pdfium.PdfBitmap.new_native(width, height, raw.FPDFBitmap_BGR, rev_byteorder=True)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, raw.FPDF_REVERSE_BYTE_ORDER)
        return np.asarray(bitmap.to_numpy())
    finally:
        bitmap.close()


class _Pieces:
    """What a page is made of: its pictures, and whether anything else on it can be seen."""

    def __init__(self, max_pixels: int) -> None:
        self.max_pixels = max_pixels
        self.pictures: list[_Picture] = []
        self.others = False
        self._seen = 0
        self._raw: list[Any] = []

    def look_at(self, page: Any) -> None:
        """Note the page's pieces. ImageTooLarge: a picture of too many pixels, or too many pieces.

        PDFium may unpack the whole of a picture however small it is shown.
        """
        count = raw.FPDFPage_CountObjects(page)
        self._look(raw.FPDFPage_GetObject, page, count, pdfium.PdfMatrix(), 0)

    def _look(self, get: Any, holder: Any, count: int, place: Any, depth: int) -> None:
        self._seen += max(0, count)
        if self._seen > MAX_PIECES:
            raise ImageTooLarge(
                f"This page of the PDF is composed of more than {MAX_PIECES:,} pieces.",
                "Save the page as TIFF, PNG or JPEG.",
            )
        for at in range(count):
            piece = get(holder, at)
            kind = raw.FPDFPageObj_GetType(piece)
            if kind == raw.FPDF_PAGEOBJ_IMAGE:
                self._note_picture(piece, place)
            elif kind == raw.FPDF_PAGEOBJ_FORM:
                if depth < _MAX_NESTING:
                    inner = raw.FPDFFormObj_CountObjects(piece)
                    within = _matrix_of(piece).multiply(place)
                    self._look(raw.FPDFFormObj_GetObject, piece, inner, within, depth + 1)
            elif kind == raw.FPDF_PAGEOBJ_TEXT:
                self.others |= raw.FPDFTextObj_GetTextRenderMode(piece) != _INVISIBLE
            elif kind == raw.FPDF_PAGEOBJ_PATH:
                self.others |= _is_visible_path(piece)
            else:
                self.others = True

    def _note_picture(self, piece: Any, place: Any) -> None:
        width, height = ctypes.c_uint(), ctypes.c_uint()
        if not raw.FPDFImageObj_GetImagePixelSize(piece, width, height):
            return
        for claimed in ((width.value, height.value), _size_within(piece)):
            if claimed and math.prod(claimed):
                check_pixels(*claimed, self.max_pixels)
        matrix = _matrix_of(piece).multiply(place)
        a, b, c, d = matrix.a, matrix.b, matrix.c, matrix.d
        along_width, along_height = math.hypot(a, b), math.hypot(c, d)
        area = abs(a * d - b * c)
        self._raw.append(piece)
        if not (area > 0 and math.isfinite(area)):
            return
        densities = width.value / along_width, height.value / along_height
        if abs(b) > abs(a):  # it lies on its side
            densities = densities[::-1]
        self.pictures.append(_Picture(*densities, area))

    def scale(self, page: Any) -> tuple[float, float]:
        """Return the pixels a point at which the page is rendered, along its shown axes.

        Pictures that cover half the page make it a scan. It has the resolution of the finest
        that cover a tenth (scans may be cut into strips, or laid over a coarse background).
        """
        drawn = DRAWN_DPI / _POINTS
        whole = math.prod(page.get_size())
        if sum(picture.area for picture in self.pictures) < whole / 2:
            return drawn, drawn
        covered: defaultdict[tuple[int, int], float] = defaultdict(float)
        of: dict[tuple[int, int], _Picture] = {}
        for picture in self.pictures:
            dpi = round(picture.across * _POINTS), round(picture.down * _POINTS)
            covered[dpi] += picture.area
            of.setdefault(dpi, picture)
        large = [dpi for dpi, area in covered.items() if area >= whole / 10]
        finest = of[max(large or covered, key=lambda dpi: (max(dpi), covered[dpi]))]
        across, down = finest.across, finest.down
        if page.get_rotation() in (90, 270):
            across, down = down, across
        if abs(across / down - 1) > 0.02:
            across = down = max(across, down)  # a fax: its dots are not square, the page's are
        if self.others and min(across, down) < drawn:
            return drawn, drawn
        return across, down

    def check_that_one_decodes(self) -> None:
        """Raise DamagedImage when none of the pictures does: the page was left blank for it."""
        for piece in self._raw:
            if bitmap := raw.FPDFImageObj_GetBitmap(piece):
                raw.FPDFBitmap_Destroy(bitmap)
                return
        raise DamagedImage("The picture on this page of the PDF is damaged.", ADVICE_COPY)


def _size_within(piece: Any) -> tuple[int, int] | None:
    """Return what the JPEG or JPEG 2000 file that is the picture claims: it is what is unpacked."""
    filters = raw.FPDFImageObj_GetImageFilterCount(piece)
    name = ctypes.create_string_buffer(32)
    if filters < 1 or not raw.FPDFImageObj_GetImageFilter(piece, filters - 1, name, len(name)):
        return None
    if name.value not in (b"DCTDecode", b"JPXDecode"):
        return None
    get = raw.FPDFImageObj_GetImageDataRaw if filters == 1 else raw.FPDFImageObj_GetImageDataDecoded
    data = ctypes.create_string_buffer(get(piece, None, 0))
    get(piece, data, len(data))
    if name.value == b"DCTDecode":
        return jpeg_size(data.raw)
    claims = codestream(data.raw)
    return None if claims is None else (claims.width, claims.height)


def _matrix_of(piece: Any) -> Any:
    matrix = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(piece, matrix):
        raise DamagedImage("This page of the PDF has a piece without a position.", ADVICE_COPY)
    return pdfium.PdfMatrix.from_raw(matrix)


def _is_visible_path(piece: Any) -> bool:
    fill, stroke = ctypes.c_int(), raw.FPDF_BOOL()
    if not raw.FPDFPath_GetDrawMode(piece, fill, stroke):
        return True
    return bool(fill.value or stroke.value)
