from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.documents.hrefs import page_names


@pytest.mark.parametrize(
    ("href", "names"),
    [
        ("a/b.tif", ("a/b.tif",)),
        ("a%20b/c%231.tif", ("a%20b/c%231.tif", "a b/c#1.tif")),
        (r"D:\scans\b.tif", (r"D:\scans\b.tif",)),
        ("file:///opt/a%20b/c.tif", ("opt/a b/c.tif",)),
        ("https://x.example/a/b.jpg?v=1#top", ("a/b.jpg",)),
        ("https://x.example/files/b.tif/full/!400,400/0/default.jpg", ("files/b.tif",)),
        ("https://x.example/iiif/a%2Fb.tif/full/max/0/default.jpg", ("iiif/a/b.tif",)),
        ("https://discovery.nationalarchives.gov.uk/details/r/C1", ()),
        ("urn:nbn:de:1", ()),
        ("http://[x/a.png", ()),
        (" ", ()),
    ],
)
def test_paths_of_addresses(href: str, names: tuple[str, ...]) -> None:
    assert page_names(href) == names


@given(st.text(max_size=40) | st.text(st.sampled_from("htps:/[]%?#ab.tif"), max_size=30))
def test_no_address_upsets(href: str) -> None:
    assert all(page_names(href))
