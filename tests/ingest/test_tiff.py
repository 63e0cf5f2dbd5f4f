from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from ingest.sources import Frame, UnreadFrame, read_each_frame, read_frame, read_frames
from retrieval.catalogue.errors import DamagedImage, ImageTooLarge, SourceError
from tests.ingest.every_format import RGB, alike, the_one
from tests.ingest.odd_files import old_jpeg_tiff


def test_every_page_of_a_tiff_is_an_image(tmp_path: Path) -> None:
    shades = [10, 20, 30]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for shade in shades:
            writer.write(np.full((50, 40, 3), shade, np.uint8), photometric="rgb")
    frames = list(read_frames(tmp_path / "a.tif"))
    assert [(frame.index, int(frame.image[0, 0, 0])) for frame in frames] == [
        (0, 10),
        (1, 20),
        (2, 30),
    ]


def test_one_image_is_read_without_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for shade in (10, 20):
            writer.write(np.full((50, 40, 3), shade, np.uint8), photometric="rgb")
    frame = read_frame(path, 1)
    assert frame is not None and frame.index == 1 and frame.image[0, 0, 0] == 20
    assert read_frame(path, 2) is None
    with pytest.raises(ImageTooLarge):
        read_frame(path, 1, max_pixels=1999)
    with pytest.raises(SourceError, match="cannot be opened"):
        read_frame(tmp_path / "absent.tif", 0)


@pytest.mark.parametrize("flagged", [True, False])
@pytest.mark.parametrize("first", [True, False])
def test_embedded_thumbnails_are_no_pages(tmp_path: Path, flagged: bool, first: bool) -> None:
    page = np.full((1200, 900), 7, np.uint8)
    thumbnail = np.full((160, 120), 99, np.uint8)
    order = (
        [(thumbnail, flagged), (page, False)] if first else [(page, False), (thumbnail, flagged)]
    )
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for image, reduced in order:
            writer.write(image, photometric="minisblack", subfiletype=int(reduced))
    assert the_one(tmp_path / "a.tif").shape == (1200, 900, 3)


def test_pyramids_are_one_page(tmp_path: Path) -> None:
    page = np.full((512, 512, 3), 7, np.uint8)
    with tifffile.TiffWriter(tmp_path / "subifds.tif") as writer:
        writer.write(page, photometric="rgb", tile=(128, 128), subifds=2)
        writer.write(page[::2, ::2], photometric="rgb", tile=(128, 128), subfiletype=1)
        writer.write(page[::4, ::4], photometric="rgb", tile=(128, 128), subfiletype=1)
    with tifffile.TiffWriter(tmp_path / "pages.tif") as writer:
        writer.write(page, photometric="rgb")
        writer.write(page[::2, ::2], photometric="rgb", subfiletype=1)
        writer.write(page[::4, ::4], photometric="rgb", subfiletype=1)
    assert the_one(tmp_path / "subifds.tif").shape == (512, 512, 3)
    assert the_one(tmp_path / "pages.tif").shape == (512, 512, 3)


def test_small_true_pages_stay(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(np.zeros((1200, 900), np.uint8), photometric="minisblack")
        writer.write(np.zeros((200, 500), np.uint8), photometric="minisblack")  # a slip of paper
    assert [frame.image.shape for frame in read_frames(tmp_path / "a.tif")] == [
        (1200, 900, 3),
        (200, 500, 3),
    ]


def test_a_tiff_whose_only_page_is_flagged_as_reduced_has_a_page(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", subfiletype=1)
    assert np.array_equal(the_one(tmp_path / "a.tif"), RGB)


def test_a_bad_page_does_not_hide_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    noise = np.random.default_rng(1).integers(0, 255, (3, 64, 64, 3), dtype=np.uint8)
    with tifffile.TiffWriter(path) as writer:
        for image in noise:
            writer.write(image, photometric="rgb", compression="lzw")
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages[1].dataoffsets[0]
    content = bytearray(path.read_bytes())
    content[offset + 100 : offset + 400] = b"\xff" * 300
    path.write_bytes(content)
    good, bad, last = read_each_frame(path)
    assert isinstance(good, Frame)
    assert isinstance(bad, UnreadFrame) and isinstance(bad.error, DamagedImage) and bad.index == 1
    assert isinstance(last, Frame) and last.index == 2 and np.array_equal(last.image, noise[2])


@pytest.mark.parametrize("left", [0, 1, 30])
def test_pages_that_were_cut_off_are_missed(tmp_path: Path, left: int) -> None:
    path = tmp_path / "a.tif"
    noise = np.random.default_rng(1).integers(0, 255, (3, 64, 64, 3), dtype=np.uint8)
    with tifffile.TiffWriter(path) as writer:
        for image in noise:
            writer.write(image, photometric="rgb")
    with tifffile.TiffFile(path) as tiff:
        cut = tiff.pages[1].offset + left
    path.write_bytes(path.read_bytes()[:cut])
    frames = list(read_each_frame(path))
    assert isinstance(frames[0], Frame)
    assert isinstance(frames[-1], UnreadFrame)
    assert isinstance(frames[-1].error, DamagedImage)
    assert len(frames) == 2


@pytest.mark.parametrize("style", ["whole", "header", "tables"])
@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (1, RGB),
        (2, RGB[:, ::-1]),
        (3, RGB[::-1, ::-1]),
        (4, RGB[::-1]),
        (5, RGB.swapaxes(0, 1)),
        (6, np.rot90(RGB, -1)),
        (7, RGB[::-1, ::-1].swapaxes(0, 1)),
        (8, np.rot90(RGB)),
    ],
)
def test_an_old_jpeg_is_turned_once(
    tmp_path: Path, style: str, orientation: int, turned: np.ndarray
) -> None:
    (tmp_path / "a.tif").write_bytes(old_jpeg_tiff(RGB, style, orientation))
    assert alike(the_one(tmp_path / "a.tif"), turned, 4)


def test_colours_at_half_the_resolution_are_refused_where_they_cannot_be_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, RGB, photometric="ycbcr", compression="lzw", subsampling=(2, 2))
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tag = tiff.pages.first.tags[530]
        assert tag.value == (1, 1)
        tag.overwrite((2, 2))
    (frame,) = read_each_frame(path)
    assert isinstance(frame, UnreadFrame)
    assert "subsampling" in frame.error.reason
