"""What people are called and call the marks, as it is kept."""

from __future__ import annotations

import pytest

from retrieval.catalogue.entered_names import LONGEST_NAME, LONGEST_PERSON, person_name, plain_name
from retrieval.catalogue.errors import RequestError


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  A.\t Reader\n", "A. Reader"),
        ("\u202eevil", "evil"),
        ("Jan\u200b \x00\u2060 de\u00ad Vries\x1b", "Jan de Vries"),
        ("שם", "שם"),
        ("4", "4"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\u200dක්\u200dෂ\u200c", "ක්\u200dෂ"),
        ("an\u200dchor", "anchor"),
        ("Åsa (née 田中)", "Åsa (née 田中)"),
    ],
)
def test_a_name_is_kept_as_it_is_seen(typed: str, kept: str) -> None:
    assert plain_name(typed, "the mark") == kept
    assert person_name(typed, "the person") == kept


@pytest.mark.parametrize("typed", ["", "  ", "\u200b", "\u202e \x00", "\u3164", "\u115f"])
def test_a_name_of_nothing_to_be_seen_is_none(typed: str) -> None:
    with pytest.raises(RequestError) as refused:
        plain_name(typed, "the mark")
    assert str(refused.value) == "Enter a name for the mark."


@pytest.mark.parametrize("typed", ["-", "?!", "\u0301\u0302", "\u2800"])
def test_a_name_without_a_letter_or_digit_is_none(typed: str) -> None:
    with pytest.raises(RequestError) as refused:
        person_name(typed, "the person")
    said = f"{typed!r} has no letter or digit: enter a name for the person."
    assert str(refused.value) == said


def test_a_name_that_is_too_long_is_refused_and_not_cut() -> None:
    assert plain_name("a" * LONGEST_NAME, "the mark") == "a" * LONGEST_NAME
    with pytest.raises(
        RequestError, match="name of the mark is longer than 255 characters: shorten"
    ):
        plain_name("a" * (LONGEST_NAME + 1), "the mark")
    assert person_name(" " + "a" * LONGEST_PERSON, "the person") == "a" * LONGEST_PERSON
    with pytest.raises(
        RequestError, match="name of the person is longer than 100 characters: shorten"
    ):
        person_name("a" * (LONGEST_PERSON + 1), "the person")
