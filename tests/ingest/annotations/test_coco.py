from __future__ import annotations

import re

from tests.ingest.annotations.understood import said_by


def test_coco_of_strangers() -> None:
    said = said_by(
        {
            "images": [{"id": "i", "file_name": "b.png", "width": 500, "height": 400}],
            "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
            "annotations": [
                {"id": 1, "image_id": "i", "bbox": [1, 2, 3.5, 4], "score": 0.5},
                {"id": 2, "image_id": "i", "segmentation": [[0, 0, 9, 0, 9, 9]]},
                {"id": 3, "image_id": "i", "bbox": [1, 2, 3, 4], "segmentation": {"counts": "x"}},
                {"id": 4, "image_id": "other", "bbox": [1, 2, 3, 4]},
                {"id": 5, "image_id": "i", "bbox": [1, 2, 3]},
                {"id": 6, "image_id": "i", "bbox": [1, 2, 3, 4], "score": 7},
                {"id": 7, "image_id": "i", "bbox": [1, 2, 3, 4], "attributes": {"status": "?"}},
            ],
        }
    )
    (image,) = said.images
    assert [(one.box, one.score) for one in image.annotations] == [
        ((1, 2, 3.5, 4), 0.5),
        ((0, 0, 9, 9), None),
        ((1, 2, 3, 4), None),
        ((1, 2, 3, 4), None),
    ]
    assert image.annotations[0].mark is None, "an id of theirs is no mark of ours"
    assert [re.search(r"annotation (\d)", one)[1] for one in said.refused] == ["5", "6", "7", "4"]
    assert len(said.remarks) == 2


def test_a_box_goes_before_an_outline_of_too_few_points() -> None:
    regions = [{"bbox": [1, 2, 3, 4], "segmentation": part} for part in ([[]], [[0, 0, 9, 9]])]
    said = said_by(
        {
            "images": [{"id": 1, "file_name": "b.png"}],
            "annotations": [
                *({"id": at, "image_id": 1, **one} for at, one in enumerate(regions)),
                {"id": 2, "image_id": 1, "segmentation": [[0, 0, 9, 9]]},
            ],
        }
    )
    (image,) = said.images
    assert [(one.box, one.polygon) for one in image.annotations] == [((1, 2, 3, 4), None)] * 2
    assert len(said.refused) == 1 and "annotation 2" in said.refused[0]
    assert len(said.remarks) == 1 and "only its box was used" in said.remarks[0]
