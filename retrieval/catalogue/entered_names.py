"""Names of people and marks: how they are stored, and which are refused."""

from __future__ import annotations

import unicodedata

from retrieval.catalogue.errors import RequestError

#: Longest name of an identity that is kept.
LONGEST_NAME = 255
#: Longest name of a person: it is part of the origin of a mark that they judged, too.
LONGEST_PERSON = 100
#: Control characters, those that only order or join others, and halves of characters.
_UNSEEN = ("Cc", "Cf", "Cs")
#: Of these two of Persian and Indic scripts the letters beside them are seen otherwise.
_JOINERS = "\u200c\u200d"
#: Scripts before it (Latin, Greek, Cyrillic) have no use for them.
_FIRST_JOINED = "\u0590"
#: Letters by their category, of which nothing is seen: Hangul fillers.
_FILLERS = "\u115f\u1160\u3164\uffa0"


def as_kept(name: str) -> str:
    """Return a name on one line, without the characters of which nothing is seen."""
    line = " ".join(name.split())
    seen = [letter for at, letter in enumerate(line) if _is_seen(letter) or _joins(line, at)]
    return " ".join("".join(seen).split())


def _is_seen(letter: str) -> bool:
    return unicodedata.category(letter) not in _UNSEEN and letter not in _FILLERS


def _joins(line: str, at: int) -> bool:
    """Return whether a joiner stands between two letters, or signs upon letters."""
    beside = line[max(at - 1, 0) : at] + line[at + 1 : at + 2]
    kinds = [unicodedata.category(letter)[0] for letter in beside]
    both = len(beside) == 2 and min(beside) >= _FIRST_JOINED
    return line[at] in _JOINERS and both and set(kinds) <= {"L", "M"}


def plain_name(name: str, whose: str, longest: int = LONGEST_NAME) -> str:
    """Return a name as it is kept (`as_kept`); `whose` it is, for messages.

    Raises RequestError when it is empty, has no letter or digit of any script, or is too long.
    """
    plain = as_kept(name)
    if not plain:
        raise RequestError(f"Enter a name for {whose}.")
    if not any(letter.isalnum() for letter in plain):
        raise RequestError(f"{plain!r} has no letter or digit: enter a name for {whose}.")
    if len(plain) > longest:
        raise RequestError(f"The name of {whose} is longer than {longest} characters: shorten it.")
    return plain


def person_name(name: str, whose: str) -> str:
    """Return the name of a person `as_kept`; errors as `plain_name` raises them."""
    return plain_name(name, whose, LONGEST_PERSON)
