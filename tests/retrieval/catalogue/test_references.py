from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.catalogue.references import (
    SORT_KEY_LENGTH,
    Part,
    normalise_reference,
    parse_reference,
    series_of,
    sort_key,
)


@pytest.mark.parametrize(
    ("reference", "series"),
    [
        ("HCA 32/1234/5", "HCA 32"),
        ("HCA32/1234/5", "HCA 32"),
        ("TNA, HCA 32/1234/5", "HCA 32"),
        ("The National Archives: HCA 32/1", "HCA 32"),
        ("hca  32 / 1", "HCA 32"),
        ("HCA 32", "HCA 32"),
        ("WO 095/234", "WO 95"),
        ("HCA 32, f. 3", "HCA 32"),
        ("HCA 32 (part)", "HCA 32"),
        ("TNA, HCA 32, f. 3", "HCA 32"),
        ("Public Record Office: HCA 32/1", "HCA 32"),
        ("High Court of Admiralty, HCA 32", "HCA 32"),
        ("MS Add. 1234", None),
        ("Box 7", None),
        ("Vol 12/3", None),
        ("page 3", None),
        ("E 5th", None),
        ("letter of 1702", None),
        ("", None),
    ],
)
def test_series(reference: str, series: str | None) -> None:
    assert series_of(reference) == series


@given(st.text(max_size=60))
def test_no_reference_upsets(reference: str) -> None:
    series = series_of(reference)
    assert series is None or len(series) <= 64


@pytest.mark.parametrize(
    ("written", "usual"),
    [
        ("HCA32/1234/5", "HCA 32/1234/5"),
        ("HCA 32/1234/5 ", "HCA 32/1234/5"),
        ("hca 32 / 1234 / 005", "HCA 32/1234/5"),
        ("hca 32/1234 pt 1/5", "HCA 32/1234 pt 1/5"),
        ("HCA 32/1234 Part. 1/5", "HCA 32/1234 pt 1/5"),
        ("HCA 32/1234pt1/5", "HCA 32/1234 pt 1/5"),
        ("HCA 32/1234/5-7", "HCA 32/1234/5-7"),
        ("HCA 32/1234/5 – 7", "HCA 32/1234/5-7"),
        ("HCA 32/1234/5a", "HCA 32/1234/5A"),
        ("TNA, HCA 32/1", "HCA 32/1"),
        ("The National Archives (Kew): HCA 32/1", "HCA 32/1"),
        ("GB 0066 HCA 32/1", "HCA 32/1"),
        ("TNA PRO 30/26", "PRO 30/26"),
        ("WO 095/234", "WO 95/234"),
        ("HCA 32", "HCA 32"),
        ("HCA32/1234/5  f. 12r", "HCA 32/1234/5 f. 12r"),
        ("HCA 32/5/SP 12", "HCA 32/5/SP 12"),
        # Other archives' references keep their form.
        ("MS Add.  1234", "MS Add. 1234"),
        ("Box 7", "Box 7"),
        ("page 3", "page 3"),
        ("A1b", "A1b"),
        ("", ""),
    ],
)
def test_the_usual_form(written: str, usual: str) -> None:
    assert normalise_reference(written) == usual
    assert normalise_reference(usual) == usual


def test_a_reference_in_parts() -> None:
    found = parse_reference("hca32/1234 pt 2/5a-7")
    assert found is not None
    assert (found.department, found.series, found.rest) == ("HCA", 32, "")
    assert found.parts == (Part(1234, volume=2), Part(5, "A", 7))
    assert parse_reference("letter of 1702") is None


def test_references_sort_as_people_count() -> None:
    in_order = [
        *("ADM 1/1", "HCA 4/1", "HCA 30/227/1", "HCA 32/9", "HCA 32/9 pt 1", "HCA 32/9 pt 10"),
        *("HCA 32/9-11", "HCA 32/9/1", "HCA 32/9/2", "HCA 32/9/10", "HCA 32/9A", "HCA 32/10"),
        *("HCA 32/1234", "Ms 2", "MS 10"),
    ]
    mixed = in_order.copy()
    random.Random(1).shuffle(mixed)
    assert sorted(mixed, key=sort_key) == in_order


parts = st.tuples(
    st.integers(0, 99999),
    st.sampled_from(["", "A", "z"]),
    st.none() | st.integers(0, 999),
    st.none() | st.integers(1, 9),
)


@given(
    st.sampled_from(["HCA", "hca", "ADM", "C"]),
    st.integers(1, 9999),
    st.lists(parts, min_size=1, max_size=4),
    st.sampled_from(["", " ", "  "]),
)
def test_every_spelling_has_one_form(
    department: str, series: int, items: list[tuple[int, str, int | None, int | None]], space: str
) -> None:
    def spelt(slash: str, dash: str, volume: str, zeros: str, gap: str) -> str:
        text = f"{department}{gap}{zeros if series < 1000 else ''}{series}"
        for first, suffix, last, part in items:
            text += f"{slash}{zeros}{first}{suffix}"
            text += "" if last is None else f"{dash}{last}"
            text += "" if part is None else f"{volume}{part}"
        return text

    usual = normalise_reference(spelt("/", "-", " pt ", "", " "))
    loose = spelt(f"{space}/{space}", f"{space}–{space}", f"{space} Part{space}", "0", space)
    assert normalise_reference(loose) == usual
    assert normalise_reference(usual) == usual
    assert str(parse_reference(usual)) == usual


@given(st.text(max_size=60) | st.text(st.sampled_from("HCAhca 0123456789/-.pt,"), max_size=40))
def test_normalising_twice_changes_nothing(text: str) -> None:
    usual = normalise_reference(text)
    assert normalise_reference(usual) == usual
    assert len(sort_key(text)) <= SORT_KEY_LENGTH


@given(st.integers(0, 10**30), st.integers(0, 10**30))
def test_numbers_sort_as_numbers(one: int, other: int) -> None:
    assert (sort_key(f"HCA {one}/1") < sort_key(f"HCA {other}/1")) == (one < other)
