from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ingest.query_pictures import LONGEST, QueryPicture, query_picture, query_pictures
from retrieval.catalogue.errors import DamagedImage, ImageTooLarge, NotAnImage
from tests.ingest.odd_files import pdf_in_pdf, pdf_page

LIMIT = 10**8


def saved(path: Path, *images: np.ndarray) -> Path:
    first, *others = [Image.fromarray(image) for image in images]
    first.save(path, save_all=bool(others), append_images=others)
    return path


def noise(height: int, width: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_pictures_come_in_order_with_what_is_wrong_with_others(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    paths = [
        saved(tmp_path / "one.png", noise(30, 40)),
        tmp_path / "text.png",
        saved(tmp_path / "two.tif", noise(50, 20), noise(9, 9)),
        saved(tmp_path / "large.png", np.zeros((1001, 100, 3), np.uint8)),
    ]
    one, text, two, large = query_pictures(paths, 100_000)
    assert isinstance(one, QueryPicture) and not one.several
    np.testing.assert_array_equal(one.image, noise(30, 40))
    assert isinstance(two, QueryPicture) and two.several
    np.testing.assert_array_equal(two.image, noise(50, 20))
    assert isinstance(text, NotAnImage) and isinstance(large, ImageTooLarge)
    assert text.reason.startswith("It is of an unknown type") and text.advice


def test_a_picture_larger_than_a_mark_needs_is_made_smaller(tmp_path: Path) -> None:
    read = query_picture(saved(tmp_path / "wide.png", np.full((100, 6000, 3), 90, np.uint8)), LIMIT)
    assert isinstance(read, QueryPicture)
    assert read.image.shape == (50, LONGEST, 3) and (read.image == 90).all()


def test_a_picture_that_cannot_be_read_through_is_given_up_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.query_pictures.PATIENCE", 2.0)
    (tmp_path / "deep.pdf").write_bytes(pdf_in_pdf(levels=9, each=20))
    (tmp_path / "plain.pdf").write_bytes(pdf_page(b"0 0 9 9 re f"))
    deep, plain = query_pictures([tmp_path / "deep.pdf", tmp_path / "plain.pdf"], LIMIT)
    assert isinstance(deep, DamagedImage)
    assert str(deep) == (
        "Reading it took more than 2 seconds, and was stopped. Cut out the mark, and save that as "
        "PNG or JPEG."
    )
    assert isinstance(plain, QueryPicture)


def test_it_is_said_where_the_mark_lies(tmp_path: Path) -> None:
    image = np.full((600, 800, 3), 230, np.uint8)
    image[200:300, 500:510] = image[245:255, 460:550] = 20
    read = query_picture(saved(tmp_path / "photograph.png", image), LIMIT)
    assert isinstance(read, QueryPicture)
    x, y, width, height = read.mark
    assert 430 < x <= 460 and 170 < y <= 200
    assert 550 <= x + width < 580 and 300 <= y + height < 330
