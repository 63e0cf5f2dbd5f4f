from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from retrieval.catalogue.errors import ModelError
from retrieval.gan.architecture import architecture
from retrieval.model import (
    MANIFEST,
    WEIGHTS,
    Model,
    bundled_model,
    kept_model,
    pack_weights,
    read_model,
    write_model,
)


def stored(model: Model, folder: Path) -> Path:
    weights = pack_weights(model.discriminator, model.generator, "contrastive")
    write_model(folder, weights, model.manifest)
    return folder


def test_a_model_comes_back_as_it_was(tiny_model: Model, tmp_path: Path) -> None:
    again = read_model(stored(tiny_model, tmp_path / "m"))
    assert again.id == tiny_model.id
    assert again.shape == tiny_model.shape
    pictures = torch.rand(3, 1, 32, 32) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(
            again.discriminator.embed(pictures),
            tiny_model.discriminator.embed(pictures),
            atol=5e-3,
            rtol=0,
        )


def test_the_same_weights_make_the_same_bytes(tiny_model: Model) -> None:
    packed = {
        pack_weights(tiny_model.discriminator, tiny_model.generator, "contrastive")
        for _ in range(5)
    }
    assert len(packed) == 1


def test_changed_weights_are_not_believed(tiny_model: Model, tmp_path: Path) -> None:
    folder = stored(tiny_model, tmp_path)
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(content))
    with pytest.raises(ModelError, match="changed or damaged"):
        read_model(folder)


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04pickle", b"\xff" * 40, b"\x02" + bytes(7) + b"{}"]
)
def test_what_is_no_safetensors_is_refused(
    tiny_model: Model, tmp_path: Path, content: bytes
) -> None:
    folder = stored(tiny_model, tmp_path)
    (folder / WEIGHTS).write_bytes(content)
    from retrieval.model import model_id

    (folder / MANIFEST).write_text(json.dumps({"id": model_id(content)}))
    with pytest.raises(ModelError):
        read_model(folder)


@pytest.mark.parametrize("content", ["[]", "null", '"model"', "3"])
def test_a_manifest_that_is_no_object_is_refused(
    tiny_model: Model, tmp_path: Path, content: str
) -> None:
    folder = stored(tiny_model, tmp_path)
    (folder / MANIFEST).write_text(content)
    with pytest.raises(ModelError, match="does not describe a model"):
        read_model(folder)


def test_a_models_folder_that_holds_another_does_not_answer_for_it(
    tiny_model: Model, tmp_path: Path
) -> None:
    for name in (tiny_model.id, "0" * 16):
        stored(tiny_model, tmp_path / name)
    assert kept_model(tmp_path, tiny_model.id).id == tiny_model.id
    with pytest.raises(ModelError, match=f"{'0' * 16} contains model {tiny_model.id} instead:"):
        kept_model(tmp_path, "0" * 16)


def test_a_missing_model_says_which(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no model in"):
        read_model(tmp_path / "gone")


def test_the_bundled_model_is_whole_and_small_and_says_how_it_was_made() -> None:
    model = bundled_model()
    assert model.shape == architecture("dcgan")
    assert "python -m retrieval.bundle" in model.manifest["made_by"]
    assert model.manifest["marks"] == 0, "nobody's scans are in it"
    weights = Path(__file__).parents[2] / "retrieval/weights" / WEIGHTS
    assert weights.stat().st_size <= 12_000_000
