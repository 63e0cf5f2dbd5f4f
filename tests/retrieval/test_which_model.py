from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from sqlalchemy import delete

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ModelError
from retrieval.gan.settings import Settings
from retrieval.index import embed_marks, load_index, refresh_index, register_model
from retrieval.index_files import SEAL
from retrieval.index_state import index_command
from retrieval.learn import train_on_archive
from retrieval.model import Model, bundled_model
from retrieval.which_model import archive_model, searched_id, searched_model, waiting_model
from tests.drawn_marks import add_marks
from tests.retrieval.conftest import TINY

SETTINGS = Settings(TINY, steps=4, batch=8, identities=12, checkpoint_every=2, warm_up=1)


def test_a_search_does_not_load_what_only_training_needs() -> None:
    program = (
        "import sys, retrieval.search; "
        "print([name for name in ('retrieval.learn', 'retrieval.gan.training', "
        "'retrieval.gan.redrawing', 'retrieval.strokes') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_without_training_the_bundled_model_serves(archive: Archive) -> None:
    assert archive_model(archive).id == bundled_model().id
    assert archive_model(archive, "bundled").id == bundled_model().id
    assert archive_model(archive, bundled_model().id[:6]).id == bundled_model().id


def test_the_newest_trained_model_serves_and_older_ones_can_be_named(archive: Archive) -> None:
    add_marks(archive, range(10))
    first = train_on_archive(archive, SETTINGS).model
    second = train_on_archive(archive, replace(SETTINGS, seed=2)).model
    assert archive_model(archive).id == second.id
    assert archive_model(archive, first.id[:8]).id == first.id
    with pytest.raises(ModelError, match="has no model 'zzz'"):
        archive_model(archive, "zzz")


def test_a_model_that_is_trained_once_more_is_the_newest(archive: Archive) -> None:
    add_marks(archive, range(10))
    first = train_on_archive(archive, SETTINGS).model
    second = train_on_archive(archive, replace(SETTINGS, seed=2)).model
    refresh_index(archive, second)
    assert train_on_archive(archive, SETTINGS).model.id == first.id
    assert archive_model(archive).id == first.id, "what is indexed next"
    assert (searched_id(archive), waiting_model(archive)) == (second.id, first.id)


def test_searches_are_made_under_the_newest_model_that_has_an_index(archive: Archive) -> None:
    bundled = bundled_model()
    assert (searched_id(archive), waiting_model(archive)) == (bundled.id, None)
    add_marks(archive, range(4))
    refresh_index(archive, bundled)
    first = train_on_archive(archive, SETTINGS).model
    assert archive_model(archive).id == first.id, "what is indexed next"
    assert (searched_id(archive), waiting_model(archive)) == (bundled.id, first.id)
    assert searched_model(archive).id == bundled.id
    assert searched_model(archive, first.id[:8]).id == first.id
    assert index_command(archive, first.id) == f"prizemarks index {archive.folder}"
    named = f"prizemarks index {archive.folder} --model bundled"
    assert index_command(archive, bundled.id) == named

    refresh_index(archive, first)
    assert (searched_id(archive), waiting_model(archive)) == (first.id, None)
    second = train_on_archive(archive, replace(SETTINGS, seed=2)).model
    assert (searched_id(archive), waiting_model(archive)) == (first.id, second.id)
    assert index_command(archive, first.id).endswith(f" --model {first.id}")
    shutil.rmtree(archive.index_folder / first.id)
    assert searched_id(archive) == first.id, "the folder may be deleted"
    shutil.rmtree(archive.index_folder)
    assert searched_id(archive) == first.id


def test_where_no_model_has_an_index_the_newest_is_meant(archive: Archive) -> None:
    add_marks(archive, range(4))
    model = train_on_archive(archive, SETTINGS).model
    assert (searched_id(archive), waiting_model(archive)) == (model.id, None)


def test_a_first_index_that_was_not_finished_waits_for_its_end(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_marks(archive, range(4))
    refresh_index(archive, bundled_model())
    model = train_on_archive(archive, SETTINGS).model

    def kill(done: int, total: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("retrieval.catalogued_embeddings.EMBEDDED_AT_ONCE", 3)
    with pytest.raises(KeyboardInterrupt):
        embed_marks(archive, model, kill)
    waits = (bundled_model().id, model.id)
    assert (searched_id(archive), waiting_model(archive)) == waits
    for _ in range(2):  # somebody looks at what there is of it
        assert len(load_index(archive, model)) == 3
        assert (searched_id(archive), waiting_model(archive)) == waits
    embed_marks(archive, model)  # and killed before the index was written: it is made of these
    assert (searched_id(archive), waiting_model(archive)) == (model.id, None)


@pytest.mark.parametrize("looked_at", ["unfinished", "whole", "never"])
def test_an_index_that_was_finished_stays_so_when_marks_come_in(
    archive: Archive, looked_at: str
) -> None:
    add_marks(archive, range(4))
    refresh_index(archive, bundled_model())
    model = train_on_archive(archive, SETTINGS).model
    embed_marks(archive, model)
    if looked_at == "unfinished":
        more = add_marks(archive, range(4, 6))
        load_index(archive, model)
        with archive.session() as session:
            session.execute(delete(tables.Mark).where(tables.Mark.id.in_(more)))
        refresh_index(archive, model)
    elif looked_at == "whole":
        load_index(archive, model)
    else:
        refresh_index(archive, model)
    add_marks(archive, range(6, 8))
    assert searched_id(archive) == model.id
    assert len(load_index(archive, model)) == 4
    assert searched_id(archive) == model.id


def test_an_index_of_a_version_that_sealed_no_end_counts_as_finished(archive: Archive) -> None:
    add_marks(archive, range(4))
    refresh_index(archive, bundled_model())
    model = train_on_archive(archive, SETTINGS).model
    refresh_index(archive, model)
    path = archive.index_folder / model.id / SEAL
    seal = json.loads(path.read_bytes())
    del seal["finished"]
    path.write_text(json.dumps(seal))
    add_marks(archive, range(4, 6))
    assert searched_id(archive) == model.id


def test_a_model_known_but_not_trained_here_is_not_preferred(
    archive: Archive, tiny_model: Model
) -> None:
    register_model(archive, tiny_model, "bundled")
    assert archive_model(archive).id == bundled_model().id
