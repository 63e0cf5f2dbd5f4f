"""Every error a person may see, in one tree.

PrizemarksError
├── ArchiveError            the archive folder or its database
│   ├── ArchiveMissing      there is no archive there
│   ├── ArchiveTooNew       it was written by a newer version of this program
│   ├── ArchiveBusy         another process holds it
│   └── DiskRefused         it cannot be written: the disk is full, read-only or gone
├── InputError
│   ├── SourceError         one input that cannot be read: it is quarantined, the run goes on
│   │   ├── NotAnImage      the bytes are not in an image format we read
│   │   ├── DamagedImage    the image is cut short or its data are broken
│   │   ├── ImageTooLarge   more pixels than the limit allows
│   │   ├── NotGiven        a server does not give what was asked for
│   │   ├── NotGivenNow     a server fails at it, and may give it later
│   │   └── Unreachable     a server gives no answer, or none for now
│   └── MetadataError       a file about images, not of one, that cannot be understood
├── RequestError            something asked for that cannot be done as asked
│   └── QueryError          a search that cannot be answered as asked
│       └── NoInk           nothing is drawn on a picture that is looked for
├── ModelError              weights that are missing, damaged or do not fit
├── TrainingError           a training run that cannot start or go on
└── SetupError              the installation lacks something

A message says what was wrong, with which input, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Sequence


class PrizemarksError(Exception):
    """Root of the tree: catch this to catch everything the program raises on purpose."""


class ArchiveError(PrizemarksError):
    """The archive folder or its database cannot be used as asked."""


class ArchiveMissing(ArchiveError):
    """No archive where one was named."""


class ArchiveTooNew(ArchiveError):
    """The archive was written by a newer version of this program."""


class ArchiveBusy(ArchiveError):
    """Another process holds the archive."""


class DiskRefused(ArchiveError):
    """The archive cannot be written, as its disk is full, read-only, or gone."""


class InputError(PrizemarksError):
    """An input that cannot be used. `advice` says what the archivist can do about it."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(f"{reason} {advice}".strip())
        self.reason = reason
        self.advice = advice


class SourceError(InputError):
    """One input that cannot be read."""


class NotAnImage(SourceError):
    """The bytes are of no image format that is read here."""


class DamagedImage(SourceError):
    """The image is truncated or its data are broken."""


class ImageTooLarge(SourceError):
    """The image has more pixels than the limit allows."""


class NotGiven(SourceError):
    """A server does not give what was asked for; it may give it when asked otherwise."""


class NotGivenNow(SourceError):
    """A server fails at what was asked for: it may give it later, and now perhaps less of it."""


class Unreachable(SourceError):
    """A server gives no answer, or none for now: asking it for more would be of no use."""


class MetadataError(InputError):
    """A file that is not an image cannot be understood.

    It is one of documents, labels, regions or annotations, a manifest, or any other JSON.
    """


class RequestError(PrizemarksError):
    """Something asked for cannot be done as asked: by options, a name, or a word on a mark."""


class QueryError(RequestError):
    """A search that cannot be answered as asked."""


class NoInk(QueryError):
    """Nothing is drawn on pictures that are looked for; `at` are their places among those given."""

    def __init__(self, at: Sequence[int]) -> None:
        super().__init__(
            "This picture has no ink, so there is nothing to search for. Give a drawing or a crop "
            "of the mark."
        )
        self.at = tuple(at)


class ModelError(PrizemarksError):
    """Weights that are missing, damaged or do not fit the program."""


class TrainingError(PrizemarksError):
    """A training run that cannot start or cannot go on."""


class SetupError(PrizemarksError):
    """The installation lacks something that this command needs."""
