from __future__ import annotations

import io
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ingest.sources import Frame, UnreadFrame, read_each_frame, read_frame, read_frames
from retrieval.catalogue.errors import DamagedImage, ImageTooLarge, NotAnImage
from tests.ingest.odd_files import (
    jpeg_that_claims,
    locked_pdf,
    many_pages,
    pdf_page,
    pdf_pages,
    pdf_picture,
    pdf_stream,
)

RNG = np.random.default_rng(4)
SCAN = RNG.integers(0, 255, (120, 200, 3), dtype=np.uint8)
#: On a page of 144 by 72 points: a picture over all of it, and a black square.
WHOLE = b"q 144 0 0 72 0 0 cm /I Do Q "
SQUARE = b"0 0 0 rg 36 36 18 18 re f "
LETTERS = b"BT /F 12 Tf %d Tr 20 20 Td (HCA 32) Tj ET "


def picture(image: np.ndarray) -> bytes:
    return pdf_picture(
        image.shape[1], image.shape[0], zlib.compress(image.tobytes()), b"FlateDecode"
    )


def the_page(tmp_path: Path, content: bytes) -> np.ndarray:
    path = tmp_path / "a.pdf"
    path.write_bytes(content)
    (frame,) = read_frames(path)
    return frame.image


def test_what_is_drawn_comes_at_300_dpi(tmp_path: Path) -> None:
    image = the_page(tmp_path, pdf_page(SQUARE))
    assert image.shape == (300, 600, 3)
    assert (image[80:145, 155:220] == 0).all() and image.min(axis=(1, 2))[0] == 255


@pytest.mark.parametrize("size", [(60, 120), (150, 300), (601, 1199)])
def test_a_scan_comes_pixel_by_pixel(tmp_path: Path, size: tuple[int, int]) -> None:
    scan = RNG.integers(0, 255, (*size, 3), dtype=np.uint8)
    assert np.array_equal(the_page(tmp_path, pdf_page(WHOLE, picture(scan))), scan)


def test_a_scan_is_turned_as_the_page_is(tmp_path: Path) -> None:
    scan = SCAN[:100]
    turned = the_page(tmp_path, pdf_page(WHOLE, picture(scan), more=b"/Rotate 90"))
    assert np.array_equal(turned, np.rot90(scan, -1))
    lying = b"q 0 72 -144 0 144 0 cm /I Do Q "  # a quarter turn on the page itself
    image = the_page(tmp_path, pdf_page(lying, picture(np.rot90(scan, -1))))
    assert image.shape == scan.shape and np.abs(image.astype(int) - scan).mean() < 1


def test_words_that_cannot_be_seen_do_not_make_a_scan_coarser_or_finer(tmp_path: Path) -> None:
    font = b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"
    for mode, shape in ((3, SCAN[:100].shape), (0, (300, 600, 3))):
        content = pdf_page(WHOLE + LETTERS % mode, picture(SCAN[:100]))
        path = tmp_path / "a.pdf"
        path.write_bytes(content.replace(b"/XObject<<", font + b"/XObject<<"))
        (frame,) = read_frames(path)
        assert frame.image.shape == shape


def test_a_scan_in_strips_and_in_a_form_has_its_own_resolution(tmp_path: Path) -> None:
    strips = b"".join(b"q 144 0 0 7.2 0 %f cm /I Do Q " % (7.2 * at) for at in range(10))
    image = the_page(tmp_path, pdf_page(strips, picture(SCAN[:10])))
    assert image.shape == (100, 200, 3)
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<</XObject<</I 6 0 R>>>>"
    inner = pdf_stream(b"/I Do", form)
    image = the_page(tmp_path, pdf_page(WHOLE, inner, picture(SCAN[:100])))
    assert np.array_equal(image, SCAN[:100])


def test_dots_that_are_not_square_do_not_squeeze_the_page(tmp_path: Path) -> None:
    assert the_page(tmp_path, pdf_page(WHOLE, picture(SCAN[:50]))).shape == (100, 200, 3)


def test_a_small_picture_on_a_page_of_text_is_no_scan(tmp_path: Path) -> None:
    content = b"q 20 0 0 20 5 5 cm /I Do Q " + SQUARE
    assert the_page(tmp_path, pdf_page(content, picture(SCAN))).shape == (300, 600, 3)


def test_annotations_are_left_out(tmp_path: Path) -> None:
    note = b"/Annots[<</Type/Annot/Subtype/Square/Rect[0 0 144 72]/IC[1 0 0]/F 4>>]"
    assert (the_page(tmp_path, pdf_page(b" ", more=note)) == 255).all()


def test_every_page_is_an_image_and_a_broken_one_does_not_hide_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    images = [Image.new("L", (30, 20), shade) for shade in (10, 20, 30)]
    images[0].save(path, save_all=True, append_images=images[1:], quality=95)
    frames = list(read_frames(path))
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [10, 20, 30]
    content = path.read_bytes()
    second = content.index(b"\xff\xd8\xff", content.index(b"\xff\xd8\xff") + 1)
    path.write_bytes(content[:second] + b"junk" * 25 + content[second + 100 :])
    first, bad, last = read_each_frame(path)
    assert isinstance(first, Frame) and isinstance(last, Frame)
    assert isinstance(bad, UnreadFrame) and isinstance(bad.error, DamagedImage)


def test_ten_thousand_pages_are_read_one_by_one_and_more_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(many_pages(10_000))
    last = read_frame(path, 9_999)
    assert last is not None and last.image.shape == (42, 42, 3)
    assert read_frame(path, 10_000) is None
    path.write_bytes(many_pages(10_001))
    (refused,) = read_each_frame(path)
    assert isinstance(refused, UnreadFrame) and isinstance(refused.error, ImageTooLarge)
    assert "10,001 pages" in refused.error.reason and "Split" in refused.error.advice


PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>"


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (locked_pdf(), NotAnImage, "password"),
        (pdf_pages(b"", 0), DamagedImage, "PDF without pages"),
        (pdf_pages(b"2 0 R", 3), DamagedImage, "claims 3 pages, but has 0"),
        (pdf_page(SQUARE, box=b"0 0 999999999 999999999"), ImageTooLarge, "4,166,666,"),
        (
            pdf_page(WHOLE, pdf_picture(60_000, 60_000, b"", b"FlateDecode")),
            ImageTooLarge,
            "60,000 by 60,000",
        ),
        (
            pdf_page(WHOLE, pdf_picture(100, 50, jpeg_that_claims(65_000, 65_000), b"DCTDecode")),
            ImageTooLarge,
            "65,000 by 65,000",
        ),
        (
            pdf_page(
                b"q 1 0 0 1 0 0 cm /I Do Q " + SQUARE,
                pdf_picture(60_000, 60_000, b"", b"FlateDecode"),
            ),
            ImageTooLarge,
            "60,000 by 60,000",
        ),
        (pdf_page(SQUARE)[:-30], DamagedImage, "truncated"),
        (b"%PDF-1.7\n junk %%EOF", DamagedImage, "damaged PDF"),
        (pdf_page(WHOLE, pdf_picture(99, 99, b"junk", b"DCTDecode")), DamagedImage, "picture"),
    ],
)
def test_pdfs_that_are_refused(
    tmp_path: Path, content: bytes, kind: type[Exception], said: str
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(content)
    with pytest.raises(kind, match=said):
        list(read_frames(path))


def test_pages_that_are_claimed_and_not_there_are_one_failure(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_pages(b"3 0 R", 9_000, PAGE))
    page, missing = read_each_frame(path)
    assert isinstance(page, Frame)
    assert isinstance(missing, UnreadFrame) and "claims 9,000" in missing.error.reason


def test_a_blank_scan_is_no_failure(tmp_path: Path) -> None:
    blank = np.full((50, 100, 3), 255, np.uint8)
    assert (the_page(tmp_path, pdf_page(WHOLE, picture(blank))) == 255).all()


def test_junk_before_the_header_is_passed_over(tmp_path: Path) -> None:
    assert the_page(tmp_path, b"\r\nX-Mail: scan\r\n" + pdf_page(SQUARE)).shape == (300, 600, 3)


def test_threads_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    buffer = io.BytesIO()
    scans = [Image.fromarray(SCAN)] * 6
    scans[0].save(buffer, "PDF", save_all=True, append_images=scans[1:], quality=95)
    path.write_bytes(buffer.getvalue())
    expected = next(read_frames(path)).image
    same: list[bool] = []

    def read() -> None:
        same.extend(np.array_equal(frame.image, expected) for frame in read_frames(path))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same == [True] * 24
