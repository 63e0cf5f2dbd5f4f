"""What is done with one file, in any process: read its images, find the marks, keep their crops."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.fingerprint import Looks, looks_of
from ingest.segmentation import Propose
from ingest.sources import UnreadFrame, read_each_frame
from ingest.stamp import Stamp, file_stamp
from ingest.workers import sign_of_life
from retrieval.boxes import Box
from retrieval.catalogue.errors import SourceError
from retrieval.catalogue.files import disk_errors_said
from retrieval.crops import write_crops
from retrieval.ink import Pixels

#: Minutes that one image of a file may take to be read and searched, on a busy machine.
MAX_MINUTES = 10.0


@dataclass(frozen=True)
class KeptMark:
    """A mark that outlives its page's old image: it is cut again from the new one."""

    mark: int
    frame: int
    box: Box
    page: tuple[int, int]  # width and height of the image that the box was drawn on


@dataclass(frozen=True)
class FileToRead:
    """A file that has to be read: its source, what it was like when found, and its marks.

    `known`: it has pages already; `turned`: they are crops and it is read as a page, or the other
    way round.
    """

    path: Path
    name: str
    size: int
    mtime_ns: int
    sha256: str | None  # None: it could not be read through
    kept: tuple[KeptMark, ...] = ()
    known: bool = False
    turned: bool = False

    @property
    def stamp(self) -> Stamp:
        """Its stamp when it was found."""
        return Stamp(self.size, self.mtime_ns)


@dataclass(frozen=True)
class Cut:
    """A region and its crop: a new mark's with the segmenter's score, or a kept mark's."""

    box: Box
    crop: str
    score: float | None = None
    mark: int | None = None


@dataclass(frozen=True)
class ReadImage:
    """An image that was read: its size in pixels, what it looks like, what was cut from it."""

    frame: int
    width: int
    height: int
    cuts: tuple[Cut, ...]
    recuts: tuple[Cut, ...]
    looks: Looks | None = None


@dataclass(frozen=True)
class UnreadImage:
    """An image that was not, and why; `passing`: it may be read next time as it is."""

    frame: int
    reason: str
    advice: str
    passing: bool = False


@dataclass(frozen=True)
class Reading:
    """All that a file gave, and its `file_stamp`; None when that changed meanwhile."""

    images: tuple[ReadImage | UnreadImage, ...]
    stamp: Stamp | None


def read_file(
    file: FileToRead, *, crops: Path, propose: Propose | None, max_pixels: int
) -> Reading:
    """Read the file, and write the crop of each mark into the folder `crops`.

    `propose` finds the marks; None: each image is a mark as it is. What cannot be read becomes
    an UnreadImage. Raises ArchiveError when a crop cannot be written.
    """
    before = file_stamp(file.path)
    images: list[ReadImage | UnreadImage] = []
    for frame in read_each_frame(file.path, max_pixels):
        sign_of_life()
        if isinstance(frame, UnreadFrame):
            # The file's own faults are of a kind; what has none is the disk's or the network's.
            passing = type(frame.error) is SourceError
            images.append(UnreadImage(frame.index, frame.error.reason, frame.error.advice, passing))
            continue
        here = [mark for mark in file.kept if mark.frame == frame.index]
        try:
            images.append(_read_image(frame.index, frame.image, here, crops, propose))
        except SourceError as error:
            images.append(UnreadImage(frame.index, error.reason, error.advice))
        del frame  # the next needs the memory
    return Reading(tuple(images), before if before == file_stamp(file.path) else None)


def reading_of_a_lost_file(_file: FileToRead) -> Reading:
    """Return what is known of a file whose reading ended the process that read it."""
    lost = UnreadImage(
        0,
        "The process that read it crashed: the file is damaged, or needs more memory than there "
        "is.",
        "Open and save it with an image editor, or save it smaller.",
    )
    return Reading((lost,), None)


def reading_of_a_stuck_file(_file: FileToRead, *, minutes: float) -> Reading:
    """Return what is known of a file of which no image could be read in `minutes`."""
    stuck = UnreadImage(
        0,
        f"Reading one image of it took more than {minutes:g} minutes, and was stopped.",
        "Open and save it with an image editor, or raise max_minutes in prizemarks.toml.",
    )
    return Reading((stuck,), None)


def file_digest(path: Path) -> str | None:
    """Return the SHA-256 of the file's bytes; None when they cannot be read."""
    try:
        if not path.is_file():  # reading a pipe would wait for its writer
            return None
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def _read_image(
    index: int, image: Pixels, kept: Sequence[KeptMark], crops: Path, propose: Propose | None
) -> ReadImage:
    height, width = image.shape[:2]
    regions: list[tuple[Box, float | None]] = [((0, 0, width, height), None)]
    if propose is not None:
        try:
            proposals = propose(image)
        except Exception as error:  # one page that upsets the segmentation must not end the run
            raise SourceError(
                f"It could not be searched for marks ({type(error).__name__}: {error}).",
                "Report this as a bug in prizemarks, with the picture.",
            ) from error
        regions = [
            (box, min(1.0, max(0.0, float(one.score))))
            for one in proposals
            if (box := _within((one.x, one.y, one.width, one.height), width, height))
        ]
    again = [
        (mark.mark, box)
        for mark in kept
        if (box := _within(_scaled(mark, width, height), width, height))
    ]
    with disk_errors_said(crops):
        written = write_crops(crops, (cut_out(image, box) for box, _ in regions))
        rewritten = write_crops(crops, (cut_out(image, box) for _, box in again))
    return ReadImage(
        index,
        width,
        height,
        cuts=tuple(
            Cut(box, crop, score=score) for (box, score), crop in zip(regions, written, strict=True)
        ),
        recuts=tuple(
            Cut(box, crop, mark=mark) for (mark, box), crop in zip(again, rewritten, strict=True)
        ),
        looks=looks_of(image) if propose is not None else None,
    )


def cut_out(image: Pixels, box: Box) -> Pixels:
    """Return what of the image, (H, W, 3), lies in the box; the image's own pixels, not a copy."""
    x, y, width, height = box
    return image[y : y + height, x : x + width]


def _within(box: Box, width: int, height: int) -> Box | None:
    """Return the part of the box that lies in the image; None when nothing does."""
    left, top = max(0, int(box[0])), max(0, int(box[1]))
    right, bottom = min(width, int(box[0] + box[2])), min(height, int(box[1] + box[3]))
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def _scaled(mark: KeptMark, width: int, height: int) -> Box:
    """Return the box on an image of another size: the page was scanned again."""
    across, down = width / mark.page[0], height / mark.page[1]
    x, y, w, h = mark.box
    left, top = round(x * across), round(y * down)
    return left, top, max(1, round((x + w) * across) - left), max(1, round((y + h) * down) - top)
