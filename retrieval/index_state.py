"""Under which models an archive's marks are indexed, and what to run where they are not."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ModelError
from retrieval.catalogue.marks import has_marks_to_embed
from retrieval.catalogue.models import trained_models
from retrieval.catalogue.suggesting import command_on
from retrieval.index_files import once_finished
from retrieval.ink import SEEN
from retrieval.model import Model, bundled_model


class Indexed(NamedTuple):
    """How far an archive is indexed under a model: the greater of two is further."""

    begun: bool  # any mark is embedded
    finished: bool  # all is there that search needs, or was once


def how_indexed(archive: Archive, model_id: str) -> Indexed:
    """Return how far an archive is indexed under a model.

    It is finished where its index once was, or no mark is left to embed: a folder that somebody
    deleted is rebuilt.
    """
    finished = once_finished(archive.index_folder / model_id, model_id)
    if not finished:
        with archive.session() as session:
            finished = not has_marks_to_embed(session, model_id, SEEN)
    return Indexed(is_embedded_under(archive, model_id), finished)


def is_embedded_under(archive: Archive, model_id: str) -> bool:
    """Return whether any mark is embedded under a model."""
    one = select(tables.Embedding.mark_id).where(tables.Embedding.model_id == model_id).limit(1)
    with archive.session() as session:
        return session.scalar(one) is not None


def check_indexed(archive: Archive, model: Model) -> None:
    """Raise ModelError when there is no mark, or none was ever embedded under the model."""
    if is_embedded_under(archive, model.id):
        return
    if not _has_marks(archive):
        raise ModelError(
            f"There is no mark in {archive.folder}. Add pages with: "
            f"{command_on(archive.folder, 'ingest', 'SOURCE')}; or index whole pages: "
            f"{command_on(archive.folder, 'index', '--everywhere')}, and search with "
            "--everywhere."
        )
    raise ModelError(
        f"No mark of {archive.folder} is indexed under model {model.id}; "
        f"run: {index_command(archive, model.id)}"
    )


def _has_marks(archive: Archive) -> bool:
    with archive.session() as session:
        one = select(tables.Mark.id).where(tables.Mark.status != "rejected").limit(1)
        return session.scalar(one) is not None


def index_command(archive: Archive, model_id: str) -> str:
    """Return the command that indexes under a model: without naming it if it is the newest."""
    bundled = bundled_model().id
    with archive.session() as session:
        newest = (*trained_models(session), bundled)[0]
    if model_id == newest:
        return command_on(archive.folder, "index")
    return command_on(archive.folder, "index", f"--model {named_model(model_id)}")


def named_model(model_id: str) -> str:
    """Return how a command names a model: the one that ships with the program is "bundled"."""
    return "bundled" if model_id == bundled_model().id else model_id
