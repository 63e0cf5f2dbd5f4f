from __future__ import annotations

import subprocess
import sys

import pytest

#: Prints how many pages the system had to give for a tensor, and for ten more, each a bit smaller.
PROGRAM = """
import resource, torch
from retrieval.gan.freed_memory import keep_freed_memory

def given(numbers: int) -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(numbers)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.ones(16)
kept = keep_freed_memory()
print(int(kept), given(16_000_000), sum(given(15_000_000 - n * 100_000) for n in range(10)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's, of Linux")
def test_freed_memory_is_used_again_without_asking_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    kept, first, more = map(int, done.stdout.split())
    assert kept == 1, done.stderr
    assert more < first, "without it all are given anew"
