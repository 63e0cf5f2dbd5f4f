from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.source_names import agreeing, path_parts, sources_meant, sources_of_files
from retrieval.catalogue.tables import Page

PATHS = st.lists(st.sampled_from(["1", "2", "a.jpg", "A.jpg", "b.jpg", ""]), max_size=4).map(
    "/".join
)


def end_alike(one: list[str], other: list[str]) -> bool:
    return agreeing(one, other) == min(len(one), len(other))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.sets(PATHS.filter(path_parts)), st.lists(PATHS))
def test_what_ends_alike_is_meant_where_no_source_is_called_so(
    archive: Archive, sources: set[str], names: list[str]
) -> None:
    with archive.session() as session:
        session.execute(delete(Page))
        session.add_all(
            Page(source=source, location=source, width=1, height=1, sha256="", size=1, mtime_ns=1)
            for source in sources
        )
        session.flush()
        found = sources_meant(session, names)
    assert found == {
        name: (name,)
        if name in sources
        else tuple(
            source
            for source in sorted(sources)
            if path_parts(name) and end_alike(path_parts(source), path_parts(name))
        )
        for name in names
    }


def test_sources_are_found_by_the_names_of_their_files(archive: Archive) -> None:
    sources = ["1/A.jpg", "a.jpg", "a.jpg/b.jpg", "c\\A.JPG", "u\u0308.jpg", "xa.jpg"]
    with archive.session() as session:
        session.add_all(
            Page(source=source, location=source, width=1, height=1, sha256="", size=1, mtime_ns=1)
            for source in sources
        )
        session.flush()
        found = sources_of_files(session, {"a.jpg", "\u00fc.jpg"})
        assert sorted(found) == ["1/A.jpg", "a.jpg", "c\\A.JPG", "u\u0308.jpg"]
        assert sources_of_files(session, ()) == []
