"""What people are called and call the marks: as it is kept, and what is no name."""

from __future__ import annotations

import unicodedata

from retrieval.catalogue.errors import QueryError

#: Longest name of an identity that is kept.
LONGEST_NAME = 255
#: Longest name of a person: it is part of the origin of a mark that they judged, too.
LONGEST_PERSON = 100
#: Control characters, those that only order or join others, and halves of characters.
_UNSEEN = ("Cc", "Cf", "Cs")
#: Letters by their category, of which nothing is seen: Hangul fillers.
_FILLERS = "\u115f\u1160\u3164\uffa0"


def as_kept(name: str) -> str:
    """Return a name on one line, without the characters of which nothing is seen."""
    seen = [
        letter
        for letter in " ".join(name.split())
        if unicodedata.category(letter) not in _UNSEEN and letter not in _FILLERS
    ]
    return " ".join("".join(seen).split())


def plain_name(name: str, whose: str, longest: int = LONGEST_NAME) -> str:
    """Return a name `as_kept`.

    Raises QueryError when it is empty, has no letter or digit of any script, or is too long.
    """
    plain = as_kept(name)
    if not plain:
        raise QueryError(f"A name is lacking: give that of {whose}.")
    if not any(letter.isalnum() for letter in plain):
        raise QueryError(
            f"{plain!r} is no name, for it has no letter or digit: give that of {whose}."
        )
    if len(plain) > longest:
        raise QueryError(f"The name of {whose} is longer than {longest} letters: shorten it.")
    return plain


def person_name(name: str, whose: str) -> str:
    """Return the name of a person `as_kept`; errors as `plain_name` raises them."""
    return plain_name(name, whose, LONGEST_PERSON)
