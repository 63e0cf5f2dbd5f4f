"""Files that no library here writes, put together byte by byte."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import imagecodecs
import numpy as np
from PIL import Image

# PDF -----------------------------------------------------------------------------------------


def pdf(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of the objects, numbered from 1; the first is the catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        table,
    )
    return bytes(out)


def pdf_pages(kids: bytes, count: int, *others: bytes, trailer: bytes = b"") -> bytes:
    """A PDF whose list of pages is `kids` and claims `count`; `others` are objects 3 and on."""
    catalogue = b"<</Type/Catalog/Pages 2 0 R>>"
    return pdf([catalogue, b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count), *others], trailer)


def pdf_page(
    content: bytes, *others: bytes, box: bytes = b"0 0 144 72", more: bytes = b""
) -> bytes:
    """A PDF of one page; `others` are objects 5 and on, and the first of them is called I."""
    named = b"/XObject<</I 5 0 R>>" if others else b""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R/Resources<<%s>>%s>>"
    return pdf_pages(b"3 0 R", 1, page % (box, named, more), pdf_stream(content), *others)


def pdf_stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(content), content)


def pdf_in_pdf(levels: int, each: int) -> bytes:
    """A PDF of forms within forms: each draws the next `each` times, the last a square.

    Its size grows with `levels * each`, and what there is to draw with `each ** levels`.
    """
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 144 72]/Resources<</XObject<</I %d 0 R>>>>"
    draws = b"/I Do " * each
    forms = [pdf_stream(draws, form % number) for number in range(6, 5 + levels)]
    square = pdf_stream(b"0 0 9 9 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 144 72]")
    return pdf_page(b"/I Do", *forms, square)


def pdf_picture(
    width: int, height: int, data: bytes, kind: bytes = b"", space: bytes = b"RGB"
) -> bytes:
    """A picture as an object of a PDF; `kind` is the filter that unpacks it."""
    entries = b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/Device%s"
    packed = b"/Filter/%s" % kind if kind else b""
    return pdf_stream(data, entries % (width, height, space) + b"/BitsPerComponent 8" + packed)


def locked_pdf() -> bytes:
    """A PDF that needs a password, which nobody has."""
    lock = b"<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P -4>>" % (b"11" * 32, b"22" * 32)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>"
    return pdf_pages(b"3 0 R", 1, page, lock, trailer=b"/Encrypt 4 0 R/ID[<00><00>]")


def many_pages(count: int) -> bytes:
    """A PDF that shows one small page `count` times."""
    return pdf_pages(b"3 0 R " * count, count, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 10 10]>>")


# JPEG in TIFF, old style ---------------------------------------------------------------------


def tiff(entries: Sequence[tuple[int, int, list[object]]], data: bytes) -> bytes:
    """A TIFF of one directory of (tag, type, values); a value ("at", n) is n bytes into `data`."""
    sizes = {3: 2, 4: 4}
    aside_at = 8 + 2 + 12 * len(entries) + 4
    long = [len(values) * sizes[kind] for _, kind, values in entries]
    data_at = aside_at + sum(size for size in long if size > 4)
    directory, aside = bytearray(struct.pack("<H", len(entries))), bytearray()
    for tag, kind, values in sorted(entries, key=lambda entry: entry[0]):
        plain = [data_at + one[1] if isinstance(one, tuple) else one for one in values]
        packed = struct.pack(f"<{len(plain)}{'H' if kind == 3 else 'I'}", *plain)
        directory += struct.pack("<HHI", tag, kind, len(plain))
        if len(packed) > 4:
            directory += struct.pack("<I", aside_at + len(aside))
            aside += packed
        else:
            directory += packed.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<I", 8) + bytes(directory) + bytes(4) + bytes(aside) + data


def old_jpeg_tiff(image: np.ndarray, style: str, orientation: int = 1) -> bytes:
    """A TIFF with compression 6: the JPEG as a `whole`, after its `header`, or its `tables`."""
    height, width = image.shape[:2]
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=95)
    jpeg = buffer.getvalue()
    scan = jpeg.index(b"\xff\xda")
    scan += 2 + int.from_bytes(jpeg[scan + 2 : scan + 4], "big")
    entries: list[tuple[int, int, list[object]]] = [
        (256, 3, [width]),
        (257, 3, [height]),
        (258, 3, [8, 8, 8]),
        (259, 3, [6]),
        (262, 3, [6]),
        (274, 3, [orientation]),
        (277, 3, [3]),
        (278, 3, [height]),
        (512, 3, [1]),
        (530, 3, [2, 2]),
    ]
    if style != "tables":
        start = 0 if style == "whole" else scan
        entries += [
            (273, 4, [("at", start)]),
            (279, 4, [len(jpeg) - start]),
            (513, 4, [("at", 0)]),
            (514, 4, [start or len(jpeg)]),
        ]
        return tiff(entries, jpeg)
    data = bytearray()
    places: dict[tuple[str, int], object] = {}
    for marker, name in ((0xDB, "quantisation"), (0xC4, "codes")):
        at = 2
        while at < scan and jpeg[at + 1] != 0xDA:
            end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
            rest = jpeg[at + 4 : end] if jpeg[at + 1] == marker else b""
            while rest:
                size = 64 if marker == 0xDB else 16 + sum(rest[1:17])
                places[name, rest[0]] = ("at", len(data))
                data += rest[1 : 1 + size]
                rest = rest[1 + size :]
            at = end
    entries += [(273, 4, [("at", len(data))]), (279, 4, [len(jpeg) - scan])]
    for tag, name, first in ((519, "quantisation", 0), (520, "codes", 0), (521, "codes", 16)):
        entries.append((tag, 4, [places[name, first], *[places[name, first + 1]] * 2]))
    return tiff(entries, bytes(data) + jpeg[scan:])


# JPEG 2000 -----------------------------------------------------------------------------------


def jp2_with_palette(indices: np.ndarray, palette: np.ndarray) -> bytes:
    """A JP2 file of indices (H, W) into a palette (N, 3), both uint8."""

    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(content), kind) + content

    height, width = indices.shape
    header = box(b"ihdr", struct.pack(">IIHBBBB", height, width, 1, 7, 7, 0, 0))
    header += box(b"colr", b"\1\0\0" + struct.pack(">I", 16))
    header += box(b"pclr", struct.pack(">HB3B", len(palette), 3, 7, 7, 7) + palette.tobytes())
    header += box(b"cmap", b"".join(struct.pack(">HBB", 0, 1, channel) for channel in range(3)))
    return (
        box(b"jP  ", b"\r\n\x87\n")
        + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
        + box(b"jp2h", header)
        + box(b"jp2c", imagecodecs.jpeg2k_encode(indices, codecformat="j2k"))
    )


def codestream_that_claims(width: int, height: int) -> bytes:
    """A JPEG 2000 codestream of a few pixels that claims others, in one tile."""
    data = bytearray(imagecodecs.jpeg2k_encode(np.zeros((8, 8), np.uint8), codecformat="j2k"))
    data[8:16] = data[24:32] = struct.pack(">II", width, height)
    return bytes(data)


# JPEG and WebP -------------------------------------------------------------------------------


def jpeg_that_claims(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "JPEG")
    data = bytearray(buffer.getvalue())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_that_claims(width: int, height: int) -> bytes:
    """A WebP file of a few pixels on a canvas that claims others."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "WEBP", lossless=True)
    picture = buffer.getvalue()[12:]
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    content = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + bytes(4) + canvas + picture
    return b"RIFF" + struct.pack("<I", len(content)) + content
