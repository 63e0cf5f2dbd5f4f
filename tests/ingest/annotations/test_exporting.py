from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from ingest.annotations.annotation import AnnotatedImage
from ingest.annotations.exporting import ExportReport, export_file, export_text, file_names
from ingest.annotations.formats import ANNOTATION_FORMATS, EXPORT_FORMATS
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.tables import Mark
from tests.ingest.annotations.drawn import images
from tests.ingest.annotations.exported import exported_text
from tests.ingest.scans import dump

_TEXTS = [form for form in EXPORT_FORMATS.values() if not form.a_file_an_image]


class Parts(io.StringIO):
    """A stream that counts how often it is written to."""

    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)


def test_a_table_is_written_part_by_part_in_order_of_marks(
    filled: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    with filled.writing() as session:
        session.add(Mark(page_id=1, x=0, y=0, width=9, height=9, origin="a", crop="0" * 64))
    forms = {form: exported_text(filled, form) for form in _TEXTS}
    monkeypatch.setattr("ingest.annotations.wanted.MOST", 2)
    for form, whole in forms.items():
        assert exported_text(filled, form) == whole
    stream = Parts()
    steps: list[tuple[int, int]] = []
    count = len(dump(filled)["marks"])
    done = export_text(
        filled, EXPORT_FORMATS["csv"], stream, progress=lambda *step: steps.append(step)
    )
    rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
    assert [int(row["mark"]) for row in rows] == list(range(1, count + 1))
    assert rows[-1]["source"] == "a/1.png"
    assert count == 7 and stream.writes == 1 + 4
    assert steps == [(2, 7), (4, 7), (6, 7), (7, 7)]
    assert done == ExportReport(marks=7, pages=5, files=1)


@pytest.mark.parametrize("form", ["coco", "via", "via-csv", "webannotation"])
def test_marks_are_written_while_the_pages_are_still_read(
    filled: Archive, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr("ingest.annotations.wanted.MOST", 1)
    monkeypatch.setattr("ingest.streamed_json._PIECES", 20)
    stream, written = Parts(), []
    export_text(
        filled,
        ANNOTATION_FORMATS[form],
        stream,
        progress=lambda done, total: written.append((done, total, stream.writes)),
    )
    assert [step[:2] for step in written] == [(page, 5) for page in range(1, 6)]
    assert 0 < written[0][2] < written[2][2] < written[4][2] <= stream.writes


def test_what_import_would_refuse_is_said(
    filled: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coco = ANNOTATION_FORMATS["coco"]
    assert export_file(filled, coco, tmp_path / "1.json").remarks == ()
    size = (tmp_path / "1.json").stat().st_size
    monkeypatch.setattr("ingest.annotations.exporting.MAX_BYTES", size)
    monkeypatch.setattr("ingest.annotations.exporting.MAX_REGIONS", 6)
    assert export_file(filled, coco, tmp_path / "1.json").remarks == ()
    monkeypatch.setattr("ingest.annotations.exporting.MAX_BYTES", size - 1)
    monkeypatch.setattr("ingest.annotations.exporting.MAX_REGIONS", 5)
    (said,) = export_file(filled, coco, tmp_path / "1.json").remarks
    assert said == (
        f"This is more than `annotate import` accepts in one file: {size:,} bytes (at most "
        f"{size - 1:,}) and 6 marks (at most 5). Give an existing folder as --output for one file "
        "per page, or leave out marks with --where or --status."
    )
    assert export_text(filled, coco, io.StringIO()).remarks == (said,)
    assert export_text(filled, EXPORT_FORMATS["bibtex"], io.StringIO()).remarks == ()
    (tmp_path / "out").mkdir()
    assert export_file(filled, coco, tmp_path / "out").remarks == ()
    monkeypatch.setattr("ingest.annotations.exporting.MAX_REGIONS_OF_AN_IMAGE", 1)
    (said,) = export_file(filled, coco, tmp_path / "out").remarks
    assert said.startswith(
        "'a/1.png': `annotate import` refuses files with more than 1 marks on one"
    )


def test_a_file_that_breaks_off_leaves_the_one_that_was_there(
    filled: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.annotations.wanted.MOST", 2)
    (tmp_path / "marks.csv").write_text("before")

    def fail(done: int, total: int) -> None:
        if done == 4:
            raise OSError(28, "No space left on device")

    with pytest.raises(RequestError, match=r"marks\.csv cannot be written: No space left"):
        export_file(filled, EXPORT_FORMATS["csv"], tmp_path / "marks.csv", progress=fail)
    assert (tmp_path / "marks.csv").read_text() == "before"
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".unfinished")]


def test_a_folder_gets_one_file_a_page(filled: Archive, tmp_path: Path) -> None:
    done = export_file(filled, ANNOTATION_FORMATS["page-xml"], tmp_path / "out")
    assert (done.pages, done.files) == (5, 5)
    (tmp_path / "web").mkdir()
    export_file(filled, ANNOTATION_FORMATS["webannotation"], tmp_path / "web")
    assert sorted(path.name for path in (tmp_path / "web/b").iterdir()) == [
        "1.json", "two.2.json", "two.json", "ö (2);\u2028&_{.json",
    ]  # fmt: skip
    with pytest.raises(RequestError, match="one file per page"):
        exported_text(filled, ANNOTATION_FORMATS["page-xml"])


def test_nothing_is_written_out_of_the_folder(filled: Archive, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RequestError, match="leads out"):
        export_file(filled, ANNOTATION_FORMATS["page-xml"], tmp_path / "out")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_link_that_leads_nowhere_is_named_as_it_was_given(
    filled: Archive, tmp_path: Path
) -> None:
    (tmp_path / "marks.csv").symlink_to(tmp_path / "table.csv" / "there.csv")
    (tmp_path / "table.csv").write_text("a file, not a folder")
    with pytest.raises(RequestError, match=r"/marks\.csv cannot be written"):
        export_file(filled, EXPORT_FORMATS["csv"], tmp_path / "marks.csv")


@pytest.mark.parametrize("base", ["ftp://x.org", "x", "https://x.org/#", "https://x y"])
def test_a_base_that_is_no_address_is_refused(filled: Archive, base: str) -> None:
    with pytest.raises(RequestError, match="is not a URL"):
        exported_text(filled, ANNOTATION_FORMATS["iiif"].at(base))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(some=images())
def test_names_of_files_stay_in_their_folder_and_are_different(some: list[AnnotatedImage]) -> None:
    names = [name for name, _ in file_names(some, ".xml")]
    assert len({name.casefold() for name in names}) == len(some)
    for name in names:
        path = Path("/folder", name)
        assert ".." not in path.parts and path.is_relative_to("/folder")
        assert all(0 < len(part.encode()) <= 255 for part in path.parts)


def test_names_of_files_are_those_of_the_images() -> None:
    some = [
        AnnotatedImage((source,), frame=frame)
        for source, frame in (
            ("a/1.png", 0), ("a/2.tif", 0), ("a/2.tif", 1), ("b/1.png", 0), ("b/1.jpg", 0),
            ("../../etc/passwd", 0), ("https://x.org/c?d", 0), (".hidden.png", 0),
        )
    ]  # fmt: skip
    assert [name for name, _ in file_names(some, ".xml")] == [
        "a/1.xml", "a/2.xml", "a/2.2.xml", "b/1.png.xml", "b/1.jpg.xml", "etc/passwd.xml",
        "https_/x.org/c_d.xml", "_.hidden.xml",
    ]  # fmt: skip


def names_of(sources: list[str], suffix: str = ".xml") -> list[str]:
    images = [AnnotatedImage((source,)) for source in sources]
    return [name for name, _ in file_names(images, suffix)]


def test_a_long_name_of_a_file_is_kept_whole() -> None:
    name = "00017 Captured ship De Hoop of Amsterdam - papers found on board, and interrogatories"
    assert len(name) > 60
    assert names_of([f"HCA 32/{name}.jpg"]) == [f"HCA 32/{name}.xml"]


def test_names_that_no_file_system_takes_keep_their_beginning() -> None:
    sources = [f"{folder}/{'1' * 250}{end}.jpg" for folder in ("a", "ö" * 200) for end in "äÄ"]
    assert names_of([*sources, f"a/{'1' * 250}äö.png"]) == [
        f"a/{'1' * 250}.xml", f"a/{'1' * 240} (2).xml",
        f"{'ö' * 127}/{'1' * 250}.xml", f"{'ö' * 127}/{'1' * 240} (2).xml",
        f"a/{'1' * 240} (3).xml",
    ]  # fmt: skip
    frames = [AnnotatedImage(("é" * 200,), frame=frame) for frame in (0, 9)]
    assert [name for name, _ in file_names(frames, ".json")] == [
        f"{'é' * 125}.json", f"{'é' * 123}.10.json",
    ]  # fmt: skip


def test_equal_names_are_numbered_on_from_the_last() -> None:
    sources = ["a?.png", "A:.jpg", "a_ (3).png", "a*.tif", "a|.gif"]
    assert names_of(sources) == [
        "a_.png.xml", "A_.jpg.xml", "a_ (3).xml", "a_.tif.xml", "a_.gif.xml",
    ]  # fmt: skip
    sources = [source.replace(source[-3:], "png") for source in sources]
    assert names_of(sources) == [
        "a_.png.xml", "A_.png (2).xml", "a_ (3).xml", "a_.png (3).xml", "a_.png (4).xml",
    ]  # fmt: skip
    looked_up = 0

    def count(_frame: object, event: str, called: object) -> None:
        nonlocal looked_up
        looked_up += event == "c_call" and getattr(called, "__name__", "") == "casefold"

    sys.setprofile(count)
    try:
        names = names_of(["a.png"] * 500)
    finally:
        sys.setprofile(None)
    assert names == ["a.xml", *(f"a ({number}).xml" for number in range(2, 501))]
    assert looked_up < 10 * 500
