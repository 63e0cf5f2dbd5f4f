from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.ingest.every_format import GREY, RGB, WRITERS, alike, the_one

LUMINANCE = np.array([0.299, 0.587, 0.114])


@pytest.mark.parametrize("name", WRITERS)
def test_formats(tmp_path: Path, name: str) -> None:
    write, expected, tolerance = WRITERS[name]
    path = tmp_path / "no ending"
    write(path)
    assert alike(the_one(path), expected, tolerance)


def test_the_name_does_not_say_what_a_file_is(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.jpg", "PNG")
    assert np.array_equal(the_one(tmp_path / "a.jpg"), RGB)


@pytest.mark.parametrize("alpha", [0, 128, 255])
@pytest.mark.parametrize("suffix", ["png", "tif", "jp2", "webp"])
def test_transparent_pictures_are_laid_on_white(tmp_path: Path, suffix: str, alpha: int) -> None:
    path = tmp_path / f"a.{suffix}"
    lossless = {"lossless": True, "exact": True} if suffix == "webp" else {}
    Image.fromarray(np.full((5, 6, 4), (100, 0, 50, alpha), np.uint8)).save(path, **lossless)
    expected = [round(255 + (colour - 255) * alpha / 255) for colour in (100, 0, 50)]
    assert np.abs(the_one(path)[0, 0].astype(int) - expected).max() <= 1


@pytest.mark.parametrize("suffix", ["png", "tif", "jp2", "webp"])
def test_white_strokes_on_nothing_are_drawn_in_black(tmp_path: Path, suffix: str) -> None:
    strokes = np.full((40, 40, 4), (255, 255, 255, 0), np.uint8)
    strokes[10:30, 18:22, 3] = 255
    path = tmp_path / f"a.{suffix}"
    lossless = {"lossless": True, "exact": True} if suffix == "webp" else {}
    Image.fromarray(strokes).save(path, **lossless)
    assert np.array_equal(the_one(path), 255 - np.repeat(strokes[..., 3:], 3, axis=2))
    strokes[12, 5] = (0, 0, 0, 255)  # a dark dot beside them
    Image.fromarray(strokes).save(path, **lossless)
    laid = the_one(path)
    assert (laid[10:30, 18:22] == 0).all()
    laid[10:30, 18:22] = 255
    assert (laid == 255).all()


@pytest.mark.parametrize(
    ("stroke", "ground"),
    [
        ((255, 255, 255, 90), "dark"),  # faint chalk
        ((250, 248, 235, 255), "dark"),
        ((235, 220, 120, 255), "white"),  # yellow, which is seen on white
        ((0, 0, 0, 12), "white"),  # faint pencil
        ((43, 38, 32, 255), "white"),
    ],
)
def test_strokes_lie_on_the_ground_on_which_they_are_seen(
    tmp_path: Path, stroke: tuple[int, int, int, int], ground: str
) -> None:
    drawn = np.zeros((40, 40, 4), np.uint8)
    drawn[10:30, 18:22] = stroke
    drawn[12:14, 5:7] = (0, 0, 0, stroke[3] // 2)
    Image.fromarray(drawn).save(tmp_path / "a.png")
    laid = the_one(tmp_path / "a.png")
    assert (laid[0, 0] == 255).all(), "what is clear is paper"
    red, green, blue, alpha = stroke
    value = np.array([red, green, blue]) @ LUMINANCE
    seen = value if ground == "dark" else 255 - value
    assert abs(255 - laid[20, 20] @ LUMINANCE - seen * alpha / 255) < 2


def test_a_mark_that_was_cut_out_of_bright_paper_stays_dark_on_light(tmp_path: Path) -> None:
    cut = np.zeros((60, 60, 4), np.uint8)
    cut[5:55, 5:55] = (253, 252, 250, 255)
    cut[5:15, 5:15] = 0  # not a whole rectangle
    cut[30:32, 15:45, :3] = 40
    Image.fromarray(cut).save(tmp_path / "a.png")
    laid = the_one(tmp_path / "a.png")
    assert (laid[31, 20] == 40).all() and laid[50, 50].min() >= 250 and laid[0, 0].min() == 255


def test_transparent_palette_entries_are_white(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.save(tmp_path / "a.png", transparency=1)
    assert np.all(the_one(tmp_path / "a.png") == 255)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_pictures_are_turned_as_they_say(tmp_path: Path, suffix: str, orientation: int) -> None:
    # What orientation N asks for, undone: the stored picture is shown as `picture` again.
    undone: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    stored = np.ascontiguousarray(undone[orientation](RGB))
    path = tmp_path / f"a.{suffix}"
    if suffix == "tif":
        tifffile.imwrite(
            path, stored, photometric="rgb", extratags=[(274, "H", 1, orientation, True)]
        )
    else:
        exif = Image.Exif()
        exif[274] = orientation
        Image.fromarray(stored).save(path, exif=exif, quality=95)
    assert alike(the_one(path), RGB, 4)


def test_channels_that_are_not_said_to_be_transparency_are_left_out(tmp_path: Path) -> None:
    channels = np.dstack([RGB, np.zeros_like(GREY)])
    for form in ("jp2", "j2k"):
        path = tmp_path / f"a.{form}"
        path.write_bytes(imagecodecs.jpeg2k_encode(channels, codecformat=form))
        assert np.array_equal(the_one(path), RGB)


def test_a_webp_that_moves_is_its_first_picture(tmp_path: Path) -> None:
    first, second = Image.fromarray(RGB), Image.fromarray(255 - RGB)
    first.save(tmp_path / "a.webp", lossless=True, save_all=True, append_images=[second])
    assert np.array_equal(the_one(tmp_path / "a.webp"), RGB)
