"""One folder of broken files and good ones, ingested by a real run in a process of its own."""

from __future__ import annotations

import csv
import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from retrieval.catalogue.archive import create_archive
from tests.ingest.odd_files import (
    codestream_that_claims,
    jpeg_that_claims,
    locked_pdf,
    many_pages,
    old_jpeg_tiff,
    pdf_page,
    pdf_pages,
    pdf_picture,
    pdf_stream,
    webp_that_claims,
)
from tests.ingest.scans import quarantine

#: The memory that the greediest process may take, in kB.
MEMORY = 1_000_000

PROGRAM = """
import json, resource, sys
from dataclasses import asdict
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from ingest.batch import ingest_pages
from ingest.manner import Manner
from retrieval.catalogue.archive import open_archive

if __name__ == "__main__":
    folder = Path(sys.argv[2])
    report = ingest_pages(
        open_archive(folder / "archive"),
        [folder / "in"],
        manner=Manner(documents=[folder / "documents.csv"], workers=2),
    )
    whose = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    peaks = [resource.getrusage(who).ru_maxrss for who in whose]
    print(json.dumps(asdict(report) | {"peaks": peaks}))
"""

PAPER = np.full((300, 400, 3), 225, np.uint8)
PAPER[100:180, 150:158] = PAPER[136:144, 120:190] = 30  # a cross, for a mark
NOISE = np.random.default_rng(3).integers(0, 255, (96, 128, 3), dtype=np.uint8)
WHOLE = b"q 144 0 0 72 0 0 cm /I Do Q "


def saved(kind: str, image: np.ndarray = PAPER, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(image: np.ndarray = NOISE, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, image, **{"photometric": "rgb"} | options)
    return buffer.getvalue()


def with_tags(content: bytes, **tags: int) -> bytes:
    """The TIFF with other numbers in tags of its first directory."""
    changed = bytearray(content)
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        for name, value in tags.items():
            tag = file.pages[0].tags[name]
            size = tag.valuebytecount // tag.count
            changed[tag.valueoffset : tag.valueoffset + size] = value.to_bytes(size, "little")
    return bytes(changed)


def in_a_circle(pages: int, back_to: int) -> bytes:
    """A TIFF whose last directory is followed by an earlier one."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for shade in range(pages):
            writer.write(np.full((40, 50), shade, np.uint8), photometric="minisblack")
    content = bytearray(buffer.getvalue())
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        places = [page.offset for page in file.pages]
    (tags,) = struct.unpack_from("<H", content, places[-1])
    struct.pack_into("<I", content, places[-1] + 2 + 12 * tags, places[back_to])
    return bytes(content)


def png(width: int, height: int, data: bytes, *others: tuple[bytes, bytes]) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    aside = b"".join(chunk(kind, content) for kind, content in others)
    return b"\x89PNG\r\n\x1a\n" + header + aside + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("page.png", saved("PNG"))
    return buffer.getvalue()


def tile_that_claims(compression: str, inner: bytes) -> bytes:
    """A TIFF of one tile that is an image file of its own, of other sizes than the page."""
    content = tiff(np.zeros((128, 128, 3), np.uint8), compression=compression, tile=(128, 128))
    content += bytes(-len(content) % 2)
    return (
        with_tags(content, TileOffsets=len(content), TileByteCounts=len(inner)) + inner + bytes(8)
    )


def zeros(size: int) -> bytes:
    """So many zeros, deflated."""
    packer = zlib.compressobj(9, wbits=-15)
    whole, rest = divmod(size, 1 << 20)
    piece = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    last = zlib.compressobj(9, wbits=-15)
    checksum = struct.pack(">HH", size % 65521, 1)
    return b"\x78\xda" + piece * whole + last.compress(bytes(rest)) + last.flush() + checksum


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


#: What is written into each file, and what the quarantine says of it.
BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.jpg": (lambda: b"", "empty"),
    "empty.pdf": (lambda: b"", "empty"),
    "empty.jp2": (lambda: b"", "empty"),
    "zeros.tif": (lambda: bytes(5000), "begins with zeros"),
    "letter.jpg": (lambda: b"Dear Sir, we received your letter of the 4th", "an unknown type"),
    "page.html.png": (lambda: b"<html>404 Not Found</html>" * 9, "HTML"),
    "zip.pdf": (zipped, "ZIP"),
    "cut.jpg": (lambda: half(saved("JPEG", NOISE)), "truncated"),
    "cut.png": (lambda: half(saved("PNG", NOISE)), "truncated"),
    "cut.tif": (lambda: half(tiff()), "truncated"),
    "cut.jp2": (lambda: half(saved("JPEG2000", NOISE)), "truncated"),
    "cut.j2k": (lambda: half(saved("JPEG2000", NOISE, no_jp2=True)), "truncated"),
    "cut.webp": (lambda: half(saved("WEBP", NOISE)), "truncated"),
    "cut.pdf": (lambda: half(saved("PDF", NOISE)), "truncated"),
    "bomb.png": (lambda: png(60_000, 60_000, zeros(60_000 * 600)), "60,000 by 60,000"),
    "bomb.jpg": (lambda: jpeg_that_claims(65_000, 65_000), "65,000 by 65,000"),
    "bomb.jp2": (lambda: codestream_that_claims(46_341, 46_341), "46,341 by 46,341"),
    "line.jp2": (lambda: codestream_that_claims(2**31 - 1, 1), "2,147,483,647 by 1"),
    "bomb.webp": (lambda: webp_that_claims(1 << 24, 1 << 24), "16,777,216 by 16,777,216"),
    "bomb.tif": (
        lambda: with_tags(tiff(compression="deflate"), ImageWidth=60_000, ImageLength=60_000),
        "60,000 by 60,000",
    ),
    "deep.tif": (
        lambda: with_tags(
            tiff(np.zeros((8, 8, 8)), photometric="minisblack", planarconfig="contig"),
            ImageWidth=14_000,
            ImageLength=14_000,
        ),
        "of 512 bits",
    ),
    "swelling.tif": (
        lambda: tile_that_claims("deflate", zeros(1_500_000_000)),
        "INSUFFICIENT_SPACE",
    ),
    "tile.jpeg.tif": (
        lambda: tile_that_claims("jpeg", jpeg_that_claims(65_000, 65_000)),
        "65,000 by 65,000",
    ),
    "tile.jp2.tif": (
        lambda: tile_that_claims("jpeg2000", codestream_that_claims(40_000, 40_000)),
        "40,000 by 40,000",
    ),
    "tile.webp.tif": (
        lambda: tile_that_claims("webp", webp_that_claims(50_000, 50_000)),
        "50,000 by 50,000",
    ),
    "poster.pdf": (
        lambda: pdf_page(b"", box=b"0 0 200000 200000"),
        "833,333 by 833,333",
    ),
    "bomb.pdf": (
        lambda: pdf_page(WHOLE, pdf_picture(60_000, 60_000, zeros(1 << 24), b"FlateDecode")),
        "60,000 by 60,000",
    ),
    "jpeg.pdf": (
        lambda: pdf_page(
            WHOLE, pdf_picture(99, 99, jpeg_that_claims(64_000, 64_000), b"DCTDecode")
        ),
        "64,000 by 64,000",
    ),
    "jp2.pdf": (
        lambda: pdf_page(
            WHOLE, pdf_picture(99, 99, codestream_that_claims(46_341, 46_341), b"JPXDecode")
        ),
        "46,341 by 46,341",
    ),
    "locked.pdf": (locked_pdf, "password"),
    "pageless.pdf": (lambda: pdf_pages(b"", 0), "without pages"),
    "pages.pdf": (lambda: many_pages(10_001), "10,001 pages"),
    "circle.pdf": (lambda: pdf_pages(b"2 0 R", 7), "claims 7 pages, but has 0"),
    "wide.jpg": (lambda: jpeg_that_claims(65_535, 1), "broken data stream"),
    "lies.jpg": (lambda: jpeg_that_claims(14_000, 14_000), "cannot hold"),
    "lies.png": (lambda: png(14_000, 14_000, zeros(14_000)), "truncated"),
    "lies.jp2": (lambda: codestream_that_claims(14_000, 14_000), "opj_decode"),
    "lies.webp": (lambda: webp_that_claims(16_000, 12_000), "decoder"),
    "lies.tif": (lambda: with_tags(tiff(), ImageLength=9_000), "of image data are there"),
    "nowhere.tif": (lambda: with_tags(tiff(), StripOffsets=1 << 30), "truncated"),
    "lies.old.tif": (
        lambda: with_tags(old_jpeg_tiff(NOISE, "whole"), ImageWidth=13_000),
        "It is damaged: decoder error",
    ),
    "nothing.png": (lambda: png(0, 10, b""), "0 by 10"),
    "text.png": (lambda: png(8, 8, zeros(72), (b"tEXt", b"a" * 9_000_000)), "9,000,000 bytes"),
    "swelling.png": (lambda: png(8, 8, zeros(72), (b"zTXt", b"a\0\0" + zeros(1 << 28))), "text"),
}

GOOD: dict[str, Callable[[], bytes]] = {
    "good.jpg": lambda: saved("JPEG"),
    "good.png": lambda: saved("PNG"),
    "good.tif": lambda: tiff(PAPER),
    "good.jp2": lambda: saved("JPEG2000"),
    "good.webp": lambda: saved("WEBP"),
    "good.pdf": lambda: saved("PDF", resolution=300),
    "a png.pdf": lambda: saved("PNG"),
    "a jp2.tif": lambda: saved("JPEG2000"),
    "wide.png": lambda: png(65_535, 30, zeros(65_536 * 30)),
    "tall.png": lambda: png(30, 65_535, zeros(31 * 65_535)),
    "content.pdf": lambda: pdf_pages(
        b"3 0 R",
        1,
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]/Contents 4 0 R>>",
        pdf_stream(zeros(1 << 28), b"/Filter/FlateDecode"),
    ),
}

#: Good pages, and then what is broken.
BOTH: dict[str, tuple[Callable[[], bytes], str, int]] = {
    "circle.tif": (lambda: in_a_circle(3, 1), "circular, after 3", 3),
    "late.circle.tif": (lambda: in_a_circle(150, 120), "circular, after 150", 150),
    "claims.pdf": (
        lambda: pdf_pages(b"3 0 R", 9_000, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>"),
        "claims 9,000 pages, but has 1",
        1,
    ),
}

TRICKS = [
    "../../../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "good.png/../../in/good.jpg",
    "..\\..\\good.tif",
    "~/.ssh/id_rsa",
    "%2e%2e/%2e%2e/etc/passwd",
    "x" * 100_000,
    "'; DROP TABLE pages; --",
    "=HYPERLINK(0)",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("broken")
    (folder / "in").mkdir()
    written = {name: make for name, (make, *_) in {**BROKEN, **BOTH}.items()} | GOOD
    for name, make in written.items():
        (folder / "in" / name).write_bytes(make())
    with (folder / "documents.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["reference", "title", "source"])
        rows.writerows([f"HCA 32/{at}", "A trick", trick] for at, trick in enumerate(TRICKS))
        rows.writerow(["HCA 32/99", "A page", "good.png"])
    create_archive(folder / "archive").close()
    program = folder / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, program, Path(__file__).parents[2], folder],
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.splitlines()[-1])


def test_every_broken_file_is_in_quarantine_with_its_reason(
    run: tuple[Path, dict[str, Any]],
) -> None:
    folder, report = run
    archive = create_archive(folder / "archive")
    listed = {row["source"]: row for row in quarantine(archive)}
    archive.close()
    expected = {name: said for name, (_, said, *_) in {**BROKEN, **BOTH}.items()}
    assert listed.keys() == expected.keys()
    assert report["failed"] == len(expected)
    for name, said in expected.items():
        assert said in listed[name]["reason"], (name, listed[name]["reason"])
        assert "crashed" not in listed[name]["reason"], name  # no process was lost
        assert listed[name]["advice"], name


def test_every_good_page_is_in(run: tuple[Path, dict[str, Any]]) -> None:
    _, report = run
    assert report["added"] == len(GOOD) + sum(pages for _, _, pages in BOTH.values())
    assert report["skipped"] == 0


def test_paths_in_the_documents_lead_nowhere(run: tuple[Path, dict[str, Any]]) -> None:
    _, report = run
    assert report["bound"] == 1
    assert report["documents"] == len(TRICKS) + 1
    assert report["documents_without_pages"] == len(TRICKS)
    assert not any("good.png' was given" in problem for problem in report["problems"])


def test_no_process_took_much_memory(run: tuple[Path, dict[str, Any]]) -> None:
    _, report = run
    assert max(report["peaks"]) < MEMORY, report["peaks"]
