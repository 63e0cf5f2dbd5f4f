"""What the page shows, as a value that goes into the address and comes back from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from retrieval.boxes import Box
from retrieval.catalogue.documents import Filters
from retrieval.catalogue.errors import QueryError
from retrieval.orientation import Orientation, orientations
from ui.pictures import parse_region

Way = Literal["draw", "upload", "page", "marks"]
Spot = tuple[int, Box]  # a page, and a box on it in pixels of the master

#: Results shown at first, added by "Show more", and in all; a historian reads no further.
SHOWN, MOST_SHOWN = 24, 480
#: Marks that a query may name: addresses have to stay short enough for servers.
MOST_MARKS = 50
#: No year of an address is after it: the slider of the years would reach so far.
LAST_YEAR = 9999


@dataclass(frozen=True, kw_only=True)
class View:
    """A query, how it was entered, and what is open over it.

    What is open is a mark's page, a place, a group, an identity or a sheet of proposals.

    A sketch or an uploaded picture is not part of it: it does not fit into an address.
    """

    way: Way = "draw"
    liked: tuple[int, ...] = ()
    disliked: tuple[int, ...] = ()
    page: int | None = None
    region: Box | None = None
    where: Filters = field(default_factory=Filters)
    opened: int | None = None  # a mark
    shown: int = SHOWN  # of what was found
    group: int | None = None  # a proposed group, or 0 for what comes first
    turned: bool = False  # looked for in its quarter turns as well
    mirrored: bool = False  # and its mirror image
    everywhere: bool = False  # and where no mark was found
    place: Spot | None = None  # a place without a mark, open on its page
    identity: int | None = None  # one whose marks are shown, or 0 for the list of all
    members: int = SHOWN  # of its marks
    proposals: int | None = None  # a sheet of them: those after this mark, or 0 for the likeliest

    @property
    def ways(self) -> tuple[Orientation, ...]:
        """The orientations in which the query is looked for."""
        return orientations(turned=self.turned, mirrored=self.mirrored)

    @property
    def searching(self) -> bool:
        """Whether the search is seen, and nothing lies open over it."""
        return not self._is_covered and self.proposals is None

    @property
    def judging(self) -> bool:
        """Whether a sheet of proposals is seen, and nothing lies open over it."""
        return not self._is_covered and self.proposals is not None

    @property
    def _is_covered(self) -> bool:
        open_now = (self.opened, self.place, self.group, self.identity)
        return any(one is not None for one in open_now)

    def more_like(self, mark: int) -> View:
        """Return the view after "more like this" on `mark`."""
        return replace(
            self,
            way="marks",
            liked=_with(self.liked, mark),
            disliked=_without(self.disliked, mark),
            opened=None,
            group=None,
            place=None,
            identity=None,
            proposals=None,
            shown=SHOWN,
        )

    def more_like_all(self, marks: tuple[int, ...]) -> View:
        """Return the view after "more like these" on marks that are said to be one's.

        How the search is narrowed, held and widened stays.
        """
        return replace(
            View(way="marks", liked=marks[:MOST_MARKS], where=self.where),
            turned=self.turned,
            mirrored=self.mirrored,
            everywhere=self.everywhere,
        )

    def more_like_place(self, place: Spot) -> View:
        """Return the view after "more like this" on a place without a mark."""
        page, box = place
        return replace(
            self, way="page", page=page, region=box, opened=None, place=None, shown=SHOWN
        )

    def not_like(self, mark: int) -> View:
        """Return the view after "not like this" on `mark`."""
        left = replace(
            self.forget(mark), disliked=_with(self.disliked, mark), opened=None, shown=SHOWN
        )
        return left

    def forget(self, mark: int) -> View:
        """Return the view with `mark` neither liked nor disliked."""
        liked = _without(self.liked, mark)
        way = "draw" if self.way == "marks" and not liked else self.way
        return replace(
            self, way=way, liked=liked, disliked=_without(self.disliked, mark), shown=SHOWN
        )

    def without_gone(self, there: Collection[int]) -> View:
        """Return the view with those of its chosen marks alone that are `there`."""
        return replace(
            self,
            liked=tuple(mark for mark in self.liked if mark in there),
            disliked=tuple(mark for mark in self.disliked if mark in there),
        )

    def at_identity(self, identity: int) -> View:
        """Return the view with an identity open, and the first of its marks."""
        return replace(self, identity=identity, members=SHOWN, opened=None)

    def start_again(self) -> View:
        """Return a view with nothing asked, narrowed as before."""
        return View(where=self.where)


def _with(marks: tuple[int, ...], mark: int) -> tuple[int, ...]:
    return (*_without(marks, mark), mark)[-MOST_MARKS:]


def _without(marks: tuple[int, ...], mark: int) -> tuple[int, ...]:
    return tuple(one for one in marks if one != mark)


def to_address(view: View) -> dict[str, str]:
    """Return the parameters of the address that leads to `view`."""
    where = view.where
    page = view.page if view.way == "page" else None
    params = {
        "by": view.way if view.way != _usual_way(view.liked, page) else "",
        "mark": _joined(view.liked),
        "unlike": _joined(view.disliked),
        "page": "" if page is None else str(page),
        "region": _joined(view.region) if view.way == "page" and view.region else "",
        "from": "" if where.year_from is None else str(where.year_from),
        "to": "" if where.year_to is None else str(where.year_to),
        "series": where.series or "",
        "ship": where.ship or "",
        "group": "" if view.group is None else str(view.group),
        "turned": "1" if view.turned else "",
        "mirrored": "1" if view.mirrored else "",
        "everywhere": "1" if view.everywhere else "",
        "place": "" if view.place is None else _joined((view.place[0], *view.place[1])),
        "identity": "" if view.identity is None else str(view.identity),
        "members": str(view.members) if view.identity and view.members != SHOWN else "",
        "proposals": "" if view.proposals is None else str(view.proposals),
        "open": "" if view.opened is None else str(view.opened),
        "shown": "" if view.shown == SHOWN else str(view.shown),
    }
    return {name: value for name, value in params.items() if value}


def from_address(params: Mapping[str, str]) -> tuple[View, list[str]]:
    """Return the view that an address leads to, and sentences on what in it was not understood."""
    said = _Parameters(params, [])
    liked, page = said.marks("mark"), said.number("page")
    region = said.region("region")
    way = _usual_way(liked, page)
    if params.get("by") in set(get_args(Way)) - (set() if liked else {"marks"}):
        way = params["by"]  # type: ignore[assignment]  # it is one of the ways, as was just seen
    start, end = said.year("from"), said.year("to")
    if start is not None and end is not None and start > end:
        start, end = end, start
    shown, members = said.how_many("shown"), said.how_many("members")
    disliked = tuple(mark for mark in said.marks("unlike") if mark not in liked)
    opened, group = said.number("open"), said.number("group", 0)
    identity = said.number("identity", 0)
    view = View(
        way=way,
        liked=liked,
        disliked=disliked,
        page=page,
        region=region if page else None,
        where=Filters(start, end, params.get("series") or None, params.get("ship") or None),
        opened=opened,
        shown=shown,
        group=group,
        turned=said.flag("turned"),
        mirrored=said.flag("mirrored"),
        everywhere=said.flag("everywhere"),
        proposals=said.number("proposals", 0),
        place=said.spot("place"),
        identity=identity,
        members=members if identity else SHOWN,
    )
    return view, said.problems


@dataclass(frozen=True)
class _Parameters:
    """The parameters of an address; a sentence on each that is not understood goes to `problems`.

    What is not there, or not understood, is None, or nothing.
    """

    params: Mapping[str, str]
    problems: list[str]

    def flag(self, name: str) -> bool:
        return self.params.get(name) == "1"

    def number(self, name: str, least: int = 1) -> int | None:
        numbers = _numbers(self.params.get(name, ""), least)
        if numbers is None or len(numbers) > 1:
            self.problems.append(
                f"{name}={self.params[name][:40]!r} in the address is not a number."
            )
            return None
        return numbers[0] if numbers else None

    def year(self, name: str) -> int | None:
        found = self.number(name, 0)
        if found is not None and found > LAST_YEAR:
            self.problems.append(
                f"{name}={found} in the address is not a year: the last is {LAST_YEAR}."
            )
            return None
        return found

    def how_many(self, name: str) -> int:
        """Return how many are shown, from `SHOWN` to `MOST_SHOWN`."""
        return min(max(self.number(name) or SHOWN, SHOWN), MOST_SHOWN)

    def marks(self, name: str) -> tuple[int, ...]:
        """Return the marks that are named, each once, `MOST_MARKS` at the most."""
        found = _numbers(self.params.get(name, ""), 1)
        if found is None:
            self.problems.append(
                f"{name}={self.params[name][:40]!r} in the address does not name marks."
            )
        marks = tuple(dict.fromkeys(found or ()))
        if len(marks) > MOST_MARKS:
            self.problems.append(
                f"{name} in the address names {len(marks)} marks: only the first {MOST_MARKS} are "
                "used."
            )
        return marks[:MOST_MARKS]

    def region(self, name: str) -> Box | None:
        if not (text := self.params.get(name)):
            return None
        try:
            return parse_region(text[:80])
        except QueryError as error:
            self.problems.append(str(error))
            return None

    def spot(self, name: str) -> Spot | None:
        """Return the place that `page,x,y,w,h` names."""
        if not (text := self.params.get(name)):
            return None
        page, _, region = text[:100].partition(",")
        try:
            numbers = _numbers(page, 1)
            if not numbers:
                raise QueryError(f"{page[:40]!r} is not a page number.")
            return numbers[0], parse_region(region)
        except QueryError as error:
            self.problems.append(
                f"{name}={text[:40]!r} in the address does not name a place: {error}"
            )
            return None


def _usual_way(liked: tuple[int, ...], page: int | None) -> Way:
    """Return the way of asking that an address implies by what it names."""
    if liked:
        return "marks"
    return "draw" if page is None else "page"


def _joined(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def _numbers(text: str, least: int) -> list[int] | None:
    """Return comma-separated numbers that a database holds, or None for anything else."""
    if not text:
        return []
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and len(part) < 16 for part in parts):
        return None
    found = [int(part) for part in parts]
    return found if min(found) >= least else None
