"""How the claims of documents files meet the pages that were ingested, and what is said of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ingest.documents.claimed_pages import Agreement, ClaimedPages, Held, called_as_claimed
from ingest.documents.record import DocumentsFile, PageClaim
from ingest.listing import ImageFile

#: A source, and one image of its file or all of them.
Meant = tuple[str, int | None]


@dataclass(frozen=True)
class Claimed:
    """How the claims met the pages.

    `owners` are the claims that have the pages, in their order and by their sources and the image
    of the file that is meant, None for all of which no claim speaks alone;
    `problems` one sentence for each claim that failed. `unmet` names the files that claim pages,
    none of which was found; `unclear` those of them of which a claim may mean several pages.
    """

    owners: Mapping[Meant, PageClaim]
    problems: tuple[str, ...]
    unmet: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Meeting:
    """A claim that means one page alone: its place among all claims, and how far they agree."""

    at: int
    file: DocumentsFile
    claim: PageClaim
    agreement: Agreement


def claims_met(
    held: Iterable[Held],
    files: Sequence[DocumentsFile],
    given: Sequence[ImageFile] = (),
) -> Claimed:
    """Find the page that each claim means among those `held`, read only if there are claims.

    A claim meets the page that it names: by the SHA-256 of its file, where the name is the same;
    else by its path below the SOURCE of this run, which names the files `given`; else by its
    source, or as much of its end as only one page has; else by the SHA-256 alone; never by a page's
    position, and never a file that was not ingested. An address that another system uses
    meets the one page whose path agrees with it furthest from the end. Of claims that meet one
    page for different documents, that which agrees with it furthest has it.
    """
    claims = [(number, claim) for number, file in enumerate(files) for claim in file.claims]
    finder = ClaimedPages(*called_as_claimed([claim for _, claim in claims], held, given))
    meetings: dict[Meant, list[_Meeting]] = defaultdict(list)
    problems: dict[int, str] = {}  # by the place of the claim
    met: set[int] = set()
    unclear: set[int] = set()
    for at, (number, claim) in enumerate(claims):
        found = finder.find(claim)
        frames = finder.frames_of(found[0]) if len(found) == 1 else frozenset()
        if claim.frame is not None and frames and claim.frame not in frames:
            problems[at] = (
                f"the archive has no page {claim.frame + 1} of {found[0]!r}, but {len(frames)} in "
                "all."
            )
        elif len(found) == 1:
            agreement = finder.agreement(claim, found[0])
            meant = found[0], None if frames == {0} else claim.frame
            meetings[meant].append(_Meeting(at, files[number], claim, agreement))
            met.add(number)
        elif found:
            unclear.add(number)
            some = tuple(found[:2])
            paths = finder.paths_apart(some) if not claim.names else None
            problems[at] = (
                f"{claim.source!r} matches {len(found)} pages, such as {found[0]!r} and "
                f"{found[1]!r}: write more of its path"
                + (f", {paths[0]!r} or {paths[1]!r}." if paths and paths != some else ".")
            )
        else:
            problems[at] = f"no page {claim.source!r} has been ingested."
    owners: list[tuple[int, Meant, PageClaim]] = []
    for meant, claimed in meetings.items():
        owner, failed = _owner_of(meant, claimed, len(finder.frames_of(meant[0])))
        problems |= failed
        if owner is not None:
            owners.append((owner.at, meant, owner.claim))
    return Claimed(
        {meant: claim for _, meant, claim in sorted(owners, key=lambda one: one[0])},
        tuple(
            f"{files[number].name}, line {claim.line}: {problems[at]}"
            for at, (number, claim) in enumerate(claims)
            if at in problems
        ),
        tuple(file.name for number, file in enumerate(files) if file.claims and number not in met),
        tuple(files[number].name for number in sorted(unclear - met)),
    )


def _owner_of(
    meant: Meant, claimed: Sequence[_Meeting], images: int
) -> tuple[_Meeting | None, dict[int, str]]:
    """Return which of the claims has the page; what is to be said of each other, by its place.

    It is the one that agrees with the page further than those of other documents; of several with
    one and the same path the first; else none. `images` are those of the file.
    """
    source, frame = meant
    called = repr(source) if frame is None else f"{source!r}, image {frame + 1},"
    tells_apart = ""
    if frame is None and images > 1:
        tells_apart = (
            f" Say which of its {images} images a row describes in a column 'page in file'."
        )
    furthest = max(one.agreement.rank for one in claimed)
    owner, *others = [one for one in claimed if one.agreement.rank == furthest]
    rivals = [one for one in others if one.claim.reference != owner.claim.reference]
    problems: dict[int, str] = {}
    if any(one.agreement.path != owner.agreement.path for one in rivals):
        for one in claimed:
            rival = owner if one.claim.reference != owner.claim.reference else rivals[0]
            problems[one.at] = (
                f"the page {called} fits {rival.claim.reference} on {_line(rival, one)} equally "
                f"well, so it was assigned to neither: write more of its path."
            )
        return None, problems
    for one in claimed:
        if one.claim.reference != owner.claim.reference:
            alike = one.agreement.rank == furthest
            problems[one.at] = (
                f"the page {called} was assigned to {owner.claim.reference} on {_line(owner, one)}"
                + ("; it stays there." if alike else ", whose path matches it better.")
                + tells_apart
            )
    return owner, problems


def _line(other: _Meeting, one: _Meeting) -> str:
    """Return where the other claim stands, as it is said beside one."""
    of_file = f" of {other.file.name}" if other.file is not one.file else ""
    return f"line {other.claim.line}{of_file}"
