from __future__ import annotations

import json
from pathlib import Path

from tests.ui.running import run


def test_group_proposes_marks_that_are_alike(marks: Path, labels: Path) -> None:
    done = run("group", marks / "archive", "--share", 0.01, "--labels", labels)
    assert done.exit_code == 0, done.output
    assert "of 12 marks under model" in done.stdout
    assert "as alike as 1 in 100 unrelated marks" in done.stdout
    assert "Against the labels of 12 marks: pairwise precision" in done.stdout
    done = run("group", marks / "archive", "--share", 0.01, "--labels", labels, "--json")
    told = json.loads(done.stdout)
    assert told["agreement"]["pairs_relevant"] == 18
    assert told["share"] == 0.01
    proposed = json.loads(run("status", marks / "archive", "--json").stdout)["counts"]["groups"]
    assert proposed == {"proposed": len(told["groups"]), "same": 0, "different": 0}
    assert "groups      " in run("status", marks / "archive").stdout
