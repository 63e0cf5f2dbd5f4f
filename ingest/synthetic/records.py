"""What a synthetic archive is about: voyages, their merchants, and the documents they left.

Everything here is invented. References have the form of the Prize Papers (The National Archives,
HCA 32), with piece numbers from 9000 up, which that series does not reach; every title says that
the document is synthetic.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ingest.synthetic.wording import LANGUAGES

Kind = Literal["bill of lading", "letter", "account", "manifest", "journal"]

KINDS: dict[Kind, float] = {
    "bill of lading": 0.36,
    "letter": 0.22,
    "account": 0.2,
    "manifest": 0.12,
    "journal": 0.1,
}

NOTE = "synthetic, drawn by prizemarks"

#: Years in which prizes were taken: the wars from which the Prize Papers come.
WARS = (
    *((1652, 1654), (1665, 1667), (1672, 1674), (1689, 1697), (1702, 1713)),
    *((1739, 1748), (1756, 1763), (1776, 1783), (1793, 1801), (1803, 1815)),
)

_SHIPS = {
    "Dutch": (
        *("De Hoop", "De Jonge Maria", "Sint Pieter", "De Vergulde Valck", "Het Wapen van Hoorn"),
        *(
            "De Vrouw Anna",
            "De Goede Verwachting",
            "De Liefde",
            "Juffrouw Catharina",
            "De Eendragt",
        ),
    ),
    "French": (
        *("La Fortune", "Le Saint Esprit", "L'Aimable Marthe", "La Notre Dame de Grace"),
        *("Le Postillon de Nantes", "La Bonne Esperance", "Les Deux Amis", "Le Comte de Maurepas"),
    ),
    "English": (
        *("Good Intent", "Mary and Ann", "Prosperous", "Swallow", "Two Brothers", "Elizabeth"),
        *("Charming Sally", "Industry"),
    ),
    "Spanish": (
        *("Nuestra Senora del Rosario", "San Antonio de Padua", "La Purisima Concepcion"),
        *("El Santo Cristo", "San Francisco Xavier", "Las Animas"),
    ),
    "Danish": (
        *("Den Unge Peter", "Haabet", "De Tvende Sostre", "Fortuna", "Anna Margretha"),
        *("Printz Friderich",),
    ),
}
_FIRST = {
    "Dutch": ("Jan", "Pieter", "Cornelis", "Hendrick", "Claes", "Willem", "Dirck", "Jacob"),
    "French": ("Jean", "Pierre", "Louis", "Guillaume", "Francois", "Etienne", "Nicolas"),
    "English": ("John", "William", "Thomas", "Samuel", "Richard", "Nathaniel", "James"),
    "Spanish": ("Juan", "Domingo", "Antonio", "Manuel", "Josef", "Pedro", "Ignacio"),
    "Danish": ("Peder", "Hans", "Jens", "Niels", "Rasmus", "Christen", "Lars"),
}
_LAST = {
    "Dutch": (
        "Janszoon",
        "de Boer",
        "Visser",
        "van der Meer",
        "Kuyper",
        "Backer",
        "Tjebbes",
        "Mol",
    ),
    "French": ("Lefevre", "Duhamel", "Rousselot", "Le Breton", "Gaultier", "Moreau", "Pinson"),
    "English": ("Harwood", "Pryce", "Cooper", "Whitfield", "Ellery", "Marsh", "Tilden"),
    "Spanish": ("de Arteaga", "Romero", "Iturralde", "de la Vega", "Olivares", "Mendieta"),
    "Danish": ("Pedersen", "Lund", "Holm", "Mortensen", "Bruun", "Friis"),
}
_PLACES = {
    "Dutch": ("Amsterdam", "Rotterdam", "Middelburg", "Hoorn", "Curaçao", "Paramaribo", "Batavia"),
    "French": ("Bordeaux", "Nantes", "La Rochelle", "Saint-Malo", "Cap-Français", "Fort-Royal"),
    "English": ("London", "Bristol", "Boston", "Charleston", "Kingston", "Cork"),
    "Spanish": ("Cádiz", "Sevilla", "San Sebastián", "La Habana", "Veracruz", "Cartagena"),
    "Danish": ("København", "Bergen", "Altona", "Saint Thomas", "Christiansted", "Trankebar"),
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)

#: Streams of random numbers, so that the plan, each page and each identity have their own.
PLAN, PAGE, IDENTITY, SKETCH = 1, 2, 3, 5

COLUMNS = ("reference", "title", "date", "ship", "place", "captain", "source", "language", "note")


@dataclass(frozen=True)
class Document:
    """One synthetic document of one page, and the identities whose marks stand on it."""

    reference: str
    title: str
    date: str
    year: int
    ship: str
    place: str
    captain: str
    source: str  # file name of the page
    language: str
    kind: Kind
    identities: tuple[int, ...]

    @property
    def note(self) -> str:
        """What the extra column of documents.csv says of every row."""
        return NOTE


@dataclass(frozen=True)
class _Voyage:
    piece: int
    language: str
    ship: str
    captain: str
    places: tuple[str, str]
    year: int
    merchants: tuple[int, ...]


def _pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def _voyages(rng: np.random.Generator, identities: int, pages: int) -> list[_Voyage]:
    """Return voyages by year: captains sail up to three times with their merchants."""
    captains = max(1, round(min(pages / 6, identities / 2)))
    # Every merchant ships with one captain, and a third of them with a second one.
    shippers: list[list[int]] = [[] for _ in range(captains)]
    for place, identity in enumerate(rng.permutation(identities)):
        shippers[place % captains].append(int(identity))
    for identity in rng.permutation(identities)[: identities // 3]:
        other = shippers[int(rng.integers(captains))]
        if int(identity) not in other:
            other.append(int(identity))
    voyages = []
    for merchants in shippers:
        language = LANGUAGES[int(rng.choice(len(LANGUAGES), p=[0.34, 0.26, 0.16, 0.12, 0.12]))]
        first, last = WARS[int(rng.integers(len(WARS)))]
        captain = f"{_pick(rng, _FIRST[language])} {_pick(rng, _LAST[language])}"
        ship = _pick(rng, _SHIPS[language])
        year = int(rng.integers(first, last + 1))
        for _ in range(int(rng.integers(1, 4))):
            home, away = (int(i) for i in rng.choice(len(_PLACES[language]), 2, replace=False))
            places = (_PLACES[language][home], _PLACES[language][away])
            voyages.append(_Voyage(0, language, ship, captain, places, year, tuple(merchants)))
            year = min(year + int(rng.integers(1, 3)), last)
            if rng.random() < 0.4:
                ship = _pick(rng, _SHIPS[language])
    voyages.sort(key=lambda voyage: (voyage.year, voyage.captain))
    return [
        _Voyage(9001 + at, v.language, v.ship, v.captain, v.places, v.year, v.merchants)
        for at, v in enumerate(voyages)
    ]


def _marks_on(kind: Kind, rng: np.random.Generator) -> int:
    """Return how many marks a document of this kind bears."""
    shares: dict[Kind, tuple[float, ...]] = {
        "bill of lading": (0.02, 0.68, 0.25, 0.05, 0.0),
        "letter": (0.35, 0.4, 0.2, 0.05, 0.0),
        "account": (0.1, 0.25, 0.25, 0.25, 0.15),
        "manifest": (0.0, 0.05, 0.2, 0.35, 0.4),
        "journal": (1.0, 0.0, 0.0, 0.0, 0.0),
    }
    return int(rng.choice(5, p=shares[kind]))


def plan_documents(seed: int, identities: int, pages: int) -> tuple[Document, ...]:
    """Return the documents of a synthetic archive, one a page, in order of reference.

    Identities are numbered from 0. A merchant's mark recurs on papers of the same captain, often of
    the same ship and within a few years; some merchants ship with a second captain. Within a voyage
    marks are dealt in turn, so that every merchant comes up before one comes up again.
    """
    rng = np.random.default_rng([seed, PLAN])
    voyages = _voyages(rng, identities, pages)
    of_voyage = np.sort(
        np.concatenate(
            [
                np.arange(pages) % len(voyages)
                if pages < len(voyages)
                else np.arange(len(voyages)),
                rng.integers(0, len(voyages), max(0, pages - len(voyages))),
            ]
        )
    )[:pages]
    decks: dict[tuple[int, ...], list[int]] = {}
    kinds = list(KINDS)
    weights = np.asarray(list(KINDS.values()))
    items: dict[int, int] = {}
    documents = []
    for voyage in (voyages[int(at)] for at in of_voyage):
        kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
        count = min(_marks_on(kind, rng), len(voyage.merchants))
        deck = decks.setdefault(voyage.merchants, [])
        shown: list[int] = []
        while len(shown) < count:
            if not deck:
                deck.extend(int(i) for i in rng.permutation(voyage.merchants))
            fresh = next((i for i in deck if i not in shown), None)
            if fresh is None:
                deck.extend(int(i) for i in rng.permutation(voyage.merchants) if i not in deck)
                continue
            deck.remove(fresh)
            shown.append(fresh)
        item = items[voyage.piece] = items.get(voyage.piece, 0) + 1
        month = int(rng.integers(12))
        day = int(rng.integers(1, 29))
        start, goal = voyage.places
        what = f"Synthetic {kind} (SYNTHETIC, no real document)"
        documents.append(
            Document(
                reference=f"HCA 32/{voyage.piece}/{item}",
                title=f"{what}: ship {voyage.ship}, {start} to {goal}, master {voyage.captain}",
                date=f"{day} {_MONTHS[month]} {voyage.year}",
                year=voyage.year,
                ship=voyage.ship,
                place=start if rng.random() < 0.75 else goal,
                captain=voyage.captain,
                source=f"hca-32-{voyage.piece}-{item:03d}.jpg",
                language=voyage.language,
                kind=kind,
                identities=tuple(shown),
            )
        )
    return tuple(documents)


def documents_csv(documents: Sequence[Document]) -> str:
    """Return the documents as CSV text with the header `COLUMNS`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for document in documents:
        writer.writerow([getattr(document, column) for column in COLUMNS])
    return out.getvalue()
