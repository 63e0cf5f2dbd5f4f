from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from retrieval.catalogue.groups import ProposedGroup
from retrieval.grouping import Grouping
from ui.told.group import group_sentences

FOUND = Grouping(
    model="ab12",
    share=0.001,
    cosine=0.9,
    few=False,
    marks=20,
    without_ink=0,
    groups=(ProposedGroup((1, 2), (0.95, 0.95)),),
    settled=1,
)


def test_how_alike_the_marks_of_groups_are_is_said_if_that_is_known() -> None:
    assert group_sentences(Path("a"), FOUND)[0] == (
        "1 group with 2 of 20 marks under model ab12: on average as alike as 1 in 1,000 unrelated "
        "marks or rarer (cosine 0.900)."
    )
    assert group_sentences(Path("a"), replace(FOUND, marks=8, few=True))[0] == (
        "1 group with 2 of 8 marks under model ab12: in an archive with too few marks to say how "
        "rare their likeness is (cosine 0.900)."
    )
