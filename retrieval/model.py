"""Models: trained weights with the manifest that says how they were made.

A model is a folder with `weights.safetensors` and `model.json`; its id is the head of the SHA-256
of the weights file, which carries the architecture in its header. No pickle is ever read. One
model ships with the program, so that a newcomer can search before training anything.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from retrieval.catalogue.errors import ModelError, TrainingError
from retrieval.catalogue.files import write_atomically
from retrieval.gan.architecture import (
    AdversarialDiscriminator,
    Architecture,
    ContrastiveDiscriminator,
    Discriminator,
    Generator,
)
from retrieval.gan.objectives import objective as objective_called
from retrieval.gan.objectives.objective import Contrast
from retrieval.gan.switches import switches_of

WEIGHTS, MANIFEST = "weights.safetensors", "model.json"
#: Hexadecimal digits of the SHA-256 that make a model's id.
ID_DIGITS = 16
_HEADER = "prizemarks"  # one key only: safetensors does not keep the order of several


@dataclass(frozen=True)
class Model:
    """A discriminator ready to embed, the generator it played against, and their manifest."""

    id: str
    discriminator: Discriminator
    generator: Generator
    manifest: dict[str, Any]

    @property
    def shape(self) -> Architecture:
        """The architecture of both networks."""
        return self.discriminator.shape


def build_discriminator(
    shape: Architecture, objective: str, switches: Sequence[str] = (), series: int = 0
) -> Discriminator:
    """Return an untrained discriminator with the heads that `objective` and `switches` need.

    `series` is how many a conditional one knows, "none" counted. Raises TrainingError when there
    is no such objective or the switches do not go with it.
    """
    chosen = objective_called(objective)
    changes = switches_of(objective, switches)
    if isinstance(chosen, Contrast):
        return ContrastiveDiscriminator(shape)
    norm = next((change.norm for change in changes if change.norm is not None), chosen.norm)
    discriminator = AdversarialDiscriminator(shape, norm)
    for change in changes:
        if change.amend is not None:
            change.amend(discriminator, series)
    return discriminator


def model_id(weights: bytes) -> str:
    """Return the id of a model from the bytes of its weights file."""
    return hashlib.sha256(weights).hexdigest()[:ID_DIGITS]


def pack_weights(
    discriminator: Discriminator,
    generator: Generator,
    objective: str,
    switches: Sequence[str] = (),
) -> bytes:
    """Return both networks as the bytes of a weights file, in half precision."""
    tensors: dict[str, Tensor] = {}
    for name, network in (("discriminator", discriminator), ("generator", generator)):
        for key, value in network.state_dict().items():
            value = value.detach().cpu().contiguous()
            tensors[f"{name}/{key}"] = value.half() if value.is_floating_point() else value
    header = {
        "architecture": dataclasses.asdict(discriminator.shape),
        "objective": objective,
        "switches": list(switches),
        "series": generator.series.num_embeddings if generator.series is not None else 0,
    }
    return bytes(save_tensors(tensors, {_HEADER: json.dumps(header, sort_keys=True)}))


def _untrained(weights: bytes, where: Path) -> tuple[Discriminator, Generator]:
    """Return the networks that the header of a weights file describes."""
    try:
        length = int.from_bytes(weights[:8], "little")
        header = json.loads(weights[8 : 8 + length])["__metadata__"][_HEADER]
        fields = json.loads(header)
        shape = fields["architecture"]
        shape["kernels"] = tuple(shape["kernels"])
        # Weights made before there were switches have none.
        switches, series = fields.get("switches", []), int(fields.get("series", 0))
        generator = Generator(Architecture(**shape), series)
        return (
            build_discriminator(generator.shape, fields["objective"], switches, series),
            generator,
        )
    except (ValueError, KeyError, TypeError, TrainingError) as error:
        raise ModelError(
            f"{where} is not a weights file of this program ({error}): copy it again, or train "
            "again."
        ) from error


def unpack_weights(weights: bytes, where: Path) -> tuple[Discriminator, Generator]:
    """Return the networks of a weights file; ModelError names `where` if it is damaged."""
    discriminator, generator = _untrained(weights, where)
    try:
        tensors = load_tensors(weights)
        for name, network in (("discriminator", discriminator), ("generator", generator)):
            prefix = f"{name}/"
            network.load_state_dict(
                {
                    key[len(prefix) :]: value.float() if value.is_floating_point() else value
                    for key, value in tensors.items()
                    if key.startswith(prefix)
                }
            )
    except (SafetensorError, RuntimeError) as error:
        raise ModelError(
            f"The weights in {where} are damaged ({error}): copy the file again, or train again."
        ) from error
    return discriminator.eval(), generator.eval()


def write_model(folder: Path, weights: bytes, manifest: dict[str, Any]) -> None:
    """Write a model's two files into `folder`; the manifest last, so that it seals the pair.

    Raises OSError.
    """
    write_atomically(folder / WEIGHTS, weights)
    write_atomically(folder / MANIFEST, json.dumps(manifest, indent=2, sort_keys=True).encode())


def read_model(folder: Path) -> Model:
    """Return the model in `folder`; ModelError if it is missing, damaged or has another id."""
    try:
        weights = (folder / WEIGHTS).read_bytes()
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise ModelError(
            f"There is no model in {folder}: {error.filename} is missing. "
            "Train again, or restore the folder from a backup."
        ) from error
    except ValueError as error:
        raise ModelError(f"{folder / MANIFEST} is not valid JSON ({error}).") from error
    if not isinstance(manifest, dict):
        raise ModelError(
            f"{folder / MANIFEST} does not describe a model: it is not a JSON object. Train "
            "again, or restore the folder from a backup."
        )
    found = model_id(weights)
    if manifest.get("id") != found:
        raise ModelError(
            f"The weights in {folder} are not those of model {manifest.get('id')} (their hash "
            f"says {found}): the file was changed or damaged. Restore it or train again."
        )
    discriminator, generator = unpack_weights(weights, folder / WEIGHTS)
    return Model(found, discriminator, generator, manifest)


def kept_model(models_folder: Path, name: str) -> Model:
    """Return an archive's model by its id; ModelError also where another lies in its folder."""
    model = read_model(models_folder / name)
    if model.id != name:
        raise ModelError(
            f"{models_folder / name} contains model {model.id} instead: the folder was renamed or "
            "its files were replaced. Train again, or restore the folder from a backup."
        )
    return model


@cache
def bundled_model() -> Model:
    """Return the model that ships with the program, trained on redrawn synthetic marks."""
    return read_model(Path(str(files("retrieval").joinpath("weights"))))
