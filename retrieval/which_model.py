"""Which model an archive uses: the one that is trained or named, and the one that is searched."""

from __future__ import annotations

import contextlib

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ModelError
from retrieval.catalogue.models import trained_models
from retrieval.index_state import how_indexed
from retrieval.model import Model, bundled_model, kept_model


def archive_model(archive: Archive, model_id: str | None = None) -> Model:
    """Return the archive's model with this id or unambiguous prefix; None: the newest trained.

    Where none was trained it is the bundled one, whose id also answers to "bundled". Raises
    ModelError when there is no such model, or its files are not there or not its own.
    """
    bundled = bundled_model()
    with archive.session() as session:
        trained = trained_models(session)
    if model_id is None:
        return kept_model(archive.models_folder, trained[0]) if trained else bundled
    if model_id == "bundled":
        return bundled
    fitting = [known for known in [*trained, bundled.id] if known.startswith(model_id)]
    if len(fitting) != 1:
        known = ", ".join([*trained, f"{bundled.id} (bundled)"])
        problem = "no model" if not fitting else "more than one model"
        raise ModelError(f"{archive.folder} has {problem} {model_id!r}; it has: {known}.")
    return bundled if fitting[0] == bundled.id else kept_model(archive.models_folder, fitting[0])


def searched_model(archive: Archive, model_id: str | None = None) -> Model:
    """Return the model to search under: what `archive_model` does, but None is `searched_id`."""
    return archive_model(archive, searched_id(archive) if model_id is None else model_id)


def searched_id(archive: Archive) -> str:
    """Return the id of the newest model with an index, the bundled one being the oldest.

    One whose first index was not finished comes after those that have one. Where no model has
    any, it is the newest.
    """
    return _as_searched(archive)[0]


def model_at_hand(archive: Archive) -> Model:
    """Return the model of `searched_id`, or the next one whose files are there."""
    for model in _as_searched(archive):
        with contextlib.suppress(ModelError):
            return archive_model(archive, model)
    return bundled_model()


def _as_searched(archive: Archive) -> list[str]:
    """Return the ids of all models, in the order in which `searched_id` prefers them."""
    with archive.session() as session:
        known = [*trained_models(session), bundled_model().id]
    # Equal ones stay in their order, the newest first.
    return sorted(known, key=lambda model: how_indexed(archive, model), reverse=True)


def waiting_model(archive: Archive) -> str | None:
    """Return the id of the newest trained model if an older is searched, as it has no index yet."""
    with archive.session() as session:
        trained = trained_models(session)
    return trained[0] if trained and trained[0] != searched_id(archive) else None
