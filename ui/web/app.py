"""The web page, called by `script.py` with the archive's folder as the program's argument.

A second argument is the id of the model to search under.
"""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ModelError, PrizemarksError
from retrieval.catalogue.suggesting import command_on
from retrieval.index_state import index_command, named_model
from retrieval.model import bundled_model
from retrieval.places import has_places
from retrieval.search import Searcher
from retrieval.which_model import model_at_hand, waiting_model
from ui.web.asking import ask
from ui.web.filters import show_filters
from ui.web.groups import offer_groups, show_group
from ui.web.identities import offer_identities, show_identities, show_identity
from ui.web.judging import offer_proposals, show_proposals
from ui.web.loading import Holdings, archive_at, holdings, not_indexed, searcher_of
from ui.web.look import STYLE
from ui.web.markup import heading
from ui.web.pageview import show_page
from ui.web.placeview import show_place
from ui.web.results import show_results, show_samples
from ui.web.state import arrive, scroll_if_asked, view, write_address
from ui.web.wording import as_markdown, by_chance
from ui.wording import counted, waits


def main() -> None:
    """Show the page for the archive named on the command line."""
    folder, model = Path(sys.argv[1]).expanduser().resolve(), next(iter(sys.argv[2:]), None)
    st.set_page_config(
        page_title=f"Marks · {folder.name}", layout="wide", initial_sidebar_state=280
    )
    st.html(STYLE)
    st.session_state["run"] = st.session_state.get("run", 0) + 1
    try:
        archive = archive_at(folder)
        held = holdings(archive)
    except PrizemarksError as error:
        st.html(heading("Merchants’ marks", folder.name, []))
        st.error(as_markdown(str(error)))
        return
    problems = arrive()
    write_address()
    try:
        _show(archive, held, model, problems)
    except PrizemarksError as error:  # such as a setting that has become wrong
        st.error(as_markdown(str(error)))
    write_address()
    scroll_if_asked()


def _show(archive: Archive, held: Holdings, model: str | None, problems: list[str]) -> None:
    searcher, lacking = None, ""
    try:
        if held.size.pages:
            searcher = searcher_of(archive, model)
    except ModelError as error:
        lacking = str(error)
    _show_head(archive, held, searcher, problems)
    if held.size.pages and view().judging:  # which takes no index
        with st.sidebar:
            show_filters(held.facets, "the proposals")
        show_proposals(archive)
        return
    if _is_lacking(archive, held, searcher, lacking) or searcher is None:
        return
    with st.sidebar:
        if view().searching:
            show_filters(held.facets, "the search")
            offer_proposals(archive)
            offer_groups(held.groups)
            offer_identities(held.identities)
        _about_likeness(len(searcher.index))
    _say_what_to_index(searcher, chosen=model)
    if _is_open(searcher, held):
        return
    wide = view().way == "page"
    left, right = st.columns([11, 9] if wide else [1, 2], gap="medium")
    with left, st.container(key="long-question" if wide else "question"):
        question = ask(searcher)
    write_address()  # before the search, so that it is never late
    with right:
        if question.asked:
            show_results(searcher, question)
        else:
            show_samples(archive, held.samples)


def _show_head(
    archive: Archive, held: Holdings, searcher: Searcher | None, problems: list[str]
) -> None:
    """Show what the archive holds, and what in the address was not understood."""
    size = held.size
    facts = [
        counted(size.documents, "document"),
        counted(size.pages, "page"),
        counted(size.marks, "mark"),
    ]
    if searcher is not None:
        facts.append(_model_in_words(searcher))
    st.html(heading("Merchants’ marks", archive.folder.name, facts))
    for problem in problems:
        st.warning(as_markdown(problem))


def _say_what_to_index(searcher: Searcher, *, chosen: str | None) -> None:
    """Say which marks are not indexed yet, and which model, where none was `chosen`."""
    archive = searcher.archive
    if missing := not_indexed(archive, searcher.model.id):
        st.info(f"{counted(missing, 'mark')} cannot be found yet. To index new marks, run:")
        st.code(index_command(archive, searcher.model.id), language=None)
    if chosen is None and (waiting := waiting_model(archive)) is not None:
        st.info(f"{waits(waiting)} To search with it, run:")
        st.code(index_command(archive, waiting), language=None)


def _is_lacking(archive: Archive, held: Holdings, searcher: Searcher | None, problem: str) -> bool:
    """Return whether there is nothing to search in yet, and say then what to do.

    `problem` is why there is no searcher, of an archive with pages.
    """
    if not held.size.pages:
        st.info("This archive is empty. Add scans to it, then reload this page:")
        st.code(command_on(archive.folder, "ingest", "SOURCE"), language=None)
        return True
    if searcher is None:
        st.error(as_markdown(problem))
        st.info("To search with another model meanwhile, serve the archive with it:")
        other = named_model(model_at_hand(archive).id)
        st.code(command_on(archive.folder, "serve", f"--model {other}"), language=None)
        return True
    looked = has_places(archive, searcher.model.id)
    if not held.size.marks and not looked:
        st.info("No marks were found on the pages. Ingest more scans, or crops of marks:")
        st.code(command_on(archive.folder, "ingest", "SOURCE --as marks"), language=None)
        st.caption("Or make the whole pages searchable:")
        st.code(command_on(archive.folder, "index", "--everywhere"), language=None)
        return True
    if not (looked or len(searcher.index)):
        st.info("The marks are not indexed yet. Run this command, then reload this page:")
        st.code(index_command(archive, searcher.model.id), language=None)
        return True
    return False


def _is_open(searcher: Searcher, held: Holdings) -> bool:
    """Return whether something lies open over the search, and show it then."""
    archive, now = searcher.archive, view()
    if now.place is not None:
        show_place(archive, now.place)
    elif now.opened is not None:
        show_page(archive, now.opened)
    elif now.identity:
        show_identity(archive, now.identity)
    elif now.identity is not None:
        show_identities(archive)
    elif now.group is not None:
        show_group(searcher, held.groups)
    else:
        return False
    return True


def _model_in_words(searcher: Searcher) -> str:
    model = searcher.model
    try:
        bundled = model.id == bundled_model().id
    except ModelError:
        bundled = False
    origin = "shipped with the program" if bundled else "trained on this archive"
    return f"model {model.id[:8]} {origin}"


def _about_likeness(searched: int) -> None:
    here = f" Among the {counted(searched, 'mark')} here that happens {by_chance(searched)}."
    with st.expander("How likeness is measured"):
        st.markdown(
            "Each result says how rare its likeness is. *1 in 2,000 unrelated marks looks "
            "this alike* means: of 2,000 marks that have nothing to do with yours, one would "
            f"look as much like it by chance.{here if searched else ''}\n\n"
            "A likeness is a hint, not proof. Look at the page before you cite it."
        )
