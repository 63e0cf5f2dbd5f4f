"""What tests of every room share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from retrieval.catalogue.archive import Archive, create_archive
from tests.ingest.iiif_server import Server, serving

# How long an example takes depends on the machine: no test asserts a time.
settings.register_profile("prizemarks", deadline=None)
settings.load_profile("prizemarks")


@pytest.fixture(scope="session")
def no_browser() -> bool:
    """Whether tests that need a browser may be left out where there is none."""
    return os.environ.get("TEST_WITHOUT_BROWSER") == "1"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """A new archive in a folder of its own."""
    made = create_archive(tmp_path / "archive")
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of manifests and images on this machine."""
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real pictures beside a checkout; tests that need it are skipped without."""
    folder = Path(__file__).resolve().parents[1] / "../shared/data"
    if not folder.is_dir():
        pytest.skip("the pictures in ../shared/data are not here")
    return folder.resolve()


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Small networks are trained faster by one thread than by several that wait for each other."""
    import torch

    torch.set_num_threads(1)
