"""What is taken out of an archive goes whole, and no word of a person with it unless asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from sqlalchemy import select

from ingest.everywhere import look_everywhere
from ingest.forgetting import Forgotten, forget
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.tables import (
    Embedding,
    Group,
    GroupMark,
    Identity,
    IdentityMark,
    Mark,
    Model,
    Page,
    now,
)
from retrieval.index import load_index, refresh_index
from retrieval.places import load_places
from retrieval.search import Scope, load_searcher, search_images
from retrieval.shards import each_page, shards_folder
from tests.ingest.scans import (
    boxes,
    crops_of,
    dump,
    page_image,
    pages_of,
    quarantine,
    scan,
    written_page,
)
from tests.missed_marks import PLACES, SIDE, make_missed, missed_page


@pytest.fixture
def volumes(archive: Archive, tmp_path: Path) -> Path:
    """A folder of two volumes that are in, the first with a file that cannot be read."""
    scan(tmp_path / "in" / "vol 1" / "1.png", (0, 0), (2, 2))
    scan(tmp_path / "in" / "vol 1" / "2.png", (1, 1))
    (tmp_path / "in" / "vol 1" / "bad.png").write_bytes(b"junk")
    scan(tmp_path / "in" / "vol 10" / "1.png", (3, 3))
    pages_of(archive, tmp_path / "in")
    return tmp_path / "in"


def sources(archive: Archive) -> list[str]:
    return [page["source"] for page in dump(archive)["pages"]]


def files_in(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_page_goes_and_comes_in_again_when_it_is_given_again(
    archive: Archive, volumes: Path
) -> None:
    before, masters = dump(archive), files_in(volumes)
    assert forget(archive, ["vol 1/1.png"]) == Forgotten(pages=1, marks=2)
    assert files_in(volumes) == masters
    after = dump(archive)
    assert after["pages"] == before["pages"][1:]
    assert {mark["page_id"] for mark in after["marks"]} == {2, 3}
    assert pages_of(archive, volumes / "vol 10").added == 0  # it was not asked for
    assert pages_of(archive, volumes).added == 1
    assert boxes(archive, "vol 1/1.png") == [(0, 0, "proposed"), (40, 40, "proposed")]


@pytest.mark.parametrize("written", ["vol 1", "vol 1/", "{in}/vol 1", "{in}/vol 1/"])
def test_a_folder_is_named_by_the_sources_or_by_its_path(
    archive: Archive, volumes: Path, written: str
) -> None:
    name = written.replace("{in}", str(volumes))
    assert forget(archive, [name]) == Forgotten(forgotten=1, pages=2, marks=3)
    assert sources(archive) == ["vol 10/1.png"]
    assert quarantine(archive) == []


def test_what_a_file_is_called_is_its_source_or_its_path(archive: Archive, volumes: Path) -> None:
    scan(volumes / "=1.png", (0, 0))
    pages_of(archive, volumes)
    assert forget(archive, ["'=1.png", str(volumes / "vol 10" / "1.png")]).pages == 2
    assert sources(archive) == ["vol 1/1.png", "vol 1/2.png"]


def test_nothing_goes_where_a_name_is_nothings(archive: Archive, volumes: Path) -> None:
    before = dump(archive)
    for name in ("vol 2", "1.png", "", "/", "vol"):
        with pytest.raises(RequestError, match="is named"):
            forget(archive, ["vol 1", name])
    assert dump(archive) == before


def test_what_stands_in_quarantine_goes_before_its_pages(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for size in ((100, 80), (300, 300)):
            writer.write(page_image((0, 0), size=size), photometric="rgb")
    pages_of(archive, path, max_pixels=10_000)
    assert forget(archive, ["a.tif"]) == Forgotten(forgotten=1, beside=("a.tif",))
    assert sources(archive) == ["a.tif"]
    assert forget(archive, ["a.tif"]) == Forgotten(pages=1, marks=1)
    assert dump(archive)["pages"] == []


def people_say(archive: Archive) -> None:
    """Have people confirm a mark, name another on the same page, and judge a group beside it."""
    with archive.writing() as session:
        one, two, three, _ = session.scalars(select(Mark).order_by(Mark.id)).all()
        one.status = "confirmed"
        session.add(Identity(id=1, name="Jan"))
        session.add(Model(id="m", architecture="dcgan", objective="contrastive", origin="trained"))
        session.flush()
        for mark in (one, two):
            session.add(Embedding(mark_id=mark.id, model_id="m", crop=mark.crop, vector=b""))
        session.add(IdentityMark(identity_id=1, mark_id=two.id, certainty="certain", said_by="Ada"))
        session.add(
            Group(
                id=1, model_id="m", share=0.1, cosine=0.9,
                verdict="different", said_by="Ada", said_at=now(),
            )
        )  # fmt: skip
        session.flush()
        session.add(GroupMark(group_id=1, mark_id=three.id, likeness=0.9))


def test_pages_with_marks_that_people_judged_stay_unless_these_are_to_go(
    archive: Archive, volumes: Path
) -> None:
    people_say(archive)
    before = dump(archive)
    done = forget(archive, ["vol 1", "vol 10"])
    assert done == Forgotten(forgotten=1, pages=1, marks=1, judged=("vol 1/1.png", "vol 1/2.png"))
    after = dump(archive)
    assert after["pages"] == before["pages"][:2]
    assert after["marks"] == before["marks"][:3]
    assert after["identity_marks"] == before["identity_marks"]
    done = forget(archive, ["vol 1"], even_judged=True)
    assert done == Forgotten(pages=2, marks=3)
    after = dump(archive)
    for table in ("pages", "marks", "embeddings", "identities", "identity_marks", "groups"):
        assert after[table] == [], table
    assert after["group_marks"] == []


def test_a_file_with_one_judged_page_stays_whole(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "in" / "a.tif"
    path.parent.mkdir()
    with tifffile.TiffWriter(path) as writer:
        for column in range(2):
            writer.write(page_image((column, 0)), photometric="rgb")
    pages_of(archive, path)
    with archive.writing() as session:
        session.get_one(Mark, 1).status = "rejected"
    assert forget(archive, ["a.tif"]) == Forgotten(judged=("a.tif",))
    assert len(dump(archive)["pages"]) == 2


def test_crops_that_nobody_looked_at_go(archive: Archive, tmp_path: Path) -> None:
    for column in range(2):
        scan(tmp_path / "in" / f"{column}.png", (column, 0), size=(40, 20))
    crops_of(archive, tmp_path / "in")
    with archive.writing() as session:
        session.get_one(Mark, 2).origin = "person:Ada"
    assert forget(archive, [str(tmp_path / "in")]) == Forgotten(pages=1, marks=1, judged=("1.png",))


def test_of_the_copies_of_a_page_that_goes_the_first_is_the_original(
    archive: Archive, tmp_path: Path
) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    for name in ("b.png", "c.png", "d.png"):
        shutil.copy(path, tmp_path / "in" / name)
    pages_of(archive, tmp_path / "in")
    assert forget(archive, ["a.png", "b.png"]).pages == 2
    assert [(page["source"], page["duplicate_of"]) for page in dump(archive)["pages"]] == [
        ("c.png", None),
        ("d.png", 3),
    ]
    assert pages_of(archive, tmp_path / "in").duplicates == 2


def test_pages_that_looked_like_one_that_goes_are_compared_again(
    archive: Archive, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        page = np.clip(written_page(1) + 3 * number, 0, 255).astype(np.uint8)
        Image.fromarray(page).save(tmp_path / "in" / f"{number}.png")
    pages_of(archive, tmp_path / "in")
    like = [(one["page_id"], one["like_id"]) for one in dump(archive)["resemblances"]]
    assert like == [(2, 1), (3, 1)]
    forget(archive, ["0.png"])
    like = [(one["page_id"], one["like_id"]) for one in dump(archive)["resemblances"]]
    assert like == [(3, 2)]


def test_a_document_without_pages_goes_by_its_reference(archive: Archive, volumes: Path) -> None:
    table = volumes.parent / "d.csv"
    table.write_text("reference,source\nHCA 32/1/1,vol 1/1.png\nHCA 32/1/1,vol 1/2.png\n")
    pages_of(archive, volumes, documents=[table])
    with pytest.raises(RequestError, match=r"'HCA 32/1/1' has pages, such as 'vol 1/1.png'"):
        forget(archive, ["hca32/1/1"])
    assert forget(archive, ["vol 1/1.png"]).pageless == ()
    assert forget(archive, ["vol 1/2.png"]).pageless == ("HCA 32/1/1",)
    assert forget(archive, ["hca32/1/1"]) == Forgotten(documents=1)
    assert dump(archive)["documents"] == []
    assert pages_of(archive, volumes, documents=[table]).bound == 2
    assert len(dump(archive)["documents"]) == 1


def test_searches_find_nothing_of_what_is_gone(archive: Archive, tmp_path: Path) -> None:
    model = make_missed(archive, tmp_path / "scans")
    look_everywhere(archive, model, workers=0)
    with archive.session() as session:
        marks = list(session.scalars(select(Mark.id).order_by(Mark.id)))
    forget(archive, ["1.png"])
    assert load_index(archive, model).marks.tolist() == [marks[0], marks[2]]
    assert refresh_index(archive, model).total == 2
    x, y = PLACES[1]
    mark = missed_page(1)[y : y + SIDE, x : x + SIDE]
    searcher, places = load_searcher(archive), load_places(archive, model)
    (found,) = search_images(searcher, [mark], scope=Scope(places=places, top=500))
    assert {one.source for one in found} == {"0.png", "2.png"}
    assert look_everywhere(archive, model, workers=0).pages == 2
    with archive.session() as session:
        known = set(session.scalars(select(Page.sha256)))
    shards = each_page(shards_folder(archive, model.id), 128)
    assert {page.page.sha256 for page in shards} == known
    forget(archive, ["0.png", "2.png"])
    assert refresh_index(archive, model).total == 0
    assert look_everywhere(archive, model, workers=0).pages == 0
    assert len(load_searcher(archive).index) == 0
