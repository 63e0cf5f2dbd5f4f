"""Print how well pages are known again: `python benchmarks/fingerprints.py --pages FOLDER`.

FOLDER holds scans of different pages. Every pair of them is compared, then each page with itself
saved, scaled, lit and laid otherwise. A page is flagged where `MOST` bits or fewer of 256 differ.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ingest.fingerprint import BYTES, Looks, looks_of
from ingest.listing import IMAGE_SUFFIXES
from ingest.resemblance import MOST, Fingerprints
from ingest.sources import read_frames
from retrieval.ink import Pixels


def saved(image: Pixels, kind: str, quality: int) -> Pixels:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, kind, quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


def lit(image: Pixels, factor: float, more: float) -> Pixels:
    return cv2.convertScaleAbs(image, alpha=factor, beta=more)  # type: ignore[return-value]


def scaled(image: Pixels, share: float) -> Pixels:
    size = (round(image.shape[1] * share), round(image.shape[0] * share))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def laid(image: Pixels, share: float, degrees: float) -> Pixels:
    """The page on the bed a little off: shifted by a share of its sides, and turned."""
    height, width = image.shape[:2]
    move = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    move[:, 2] += (share * width, share * height)
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(image, move, (width, height), borderMode=border), np.uint8)


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "JPEG, quality 40": lambda page: saved(page, "JPEG", 40),
    "JPEG, quality 90": lambda page: saved(page, "JPEG", 90),
    "60 % of its size": lambda page: scaled(page, 0.6),
    "25 % of its size": lambda page: scaled(page, 0.25),
    "brighter, burnt out": lambda page: lit(page, 1.2, 10),
    "darker": lambda page: lit(page, 0.75, -5),
    "shifted by 1 %": lambda page: laid(page, 0.01, 0),
    "shifted by 2 %": lambda page: laid(page, 0.02, 0),
    "turned by 0.5 degrees": lambda page: laid(page, 0, 0.5),
    "turned by 1 degree": lambda page: laid(page, 0, 1),
}


def distance(looks: Looks, other: Looks) -> int:
    """Return the bits in which `other` differs from how the page looks, shifted or not."""
    theirs = np.frombuffer(other.fingerprint, np.uint8)
    return min(
        int(np.bitwise_count(np.frombuffer(ours, np.uint8) ^ theirs).sum())
        for ours in (looks.fingerprint, *looks.shifted)
    )


def search_times() -> None:
    """Print what it costs to compare one page with many."""
    rng = np.random.default_rng(0)
    for number in (100_000, 3_500_000):
        known = Fingerprints()
        known._ids = np.arange(number)
        known._words = rng.integers(0, 2**63, (BYTES // 8, number), np.int64).astype(np.uint64)
        known._held = number
        looks = Looks(rng.bytes(BYTES), tuple(rng.bytes(BYTES) for _ in range(8)))
        began = time.process_time()
        for _ in range(5):
            known.near(looks)
        took = (time.process_time() - began) / 5 * 1000
        print(f"one page against {number:,}: {took:.1f} ms, {40 * number / 1e6:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pages", type=Path, required=True)
    folder = parser.parse_args().pages
    cv2.setNumThreads(1)
    looks: dict[str, Looks] = {}
    differ: dict[str, list[int]] = {change: [] for change in CHANGES}
    took, blank = 0.0, 0
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in IMAGE_SUFFIXES:
            continue
        image = next(read_frames(path)).image
        began = time.process_time()
        found = looks_of(image)
        took += time.process_time() - began
        if found is None:
            blank += 1
            continue
        looks[path.name] = found
        for change, make in CHANGES.items():
            other = looks_of(make(image))
            differ[change].append(distance(other, found) if other else 256)
    names = list(looks)
    pairs = sorted(
        min(distance(looks[one], looks[other]), distance(looks[other], looks[one]))
        for at, one in enumerate(names)
        for other in names[:at]
    )
    flagged = sum(one <= MOST for one in pairs)
    print(f"{len(names)} pages, {blank} as good as blank; {took / (len(names) + blank):.4f} s each")
    print(f"{len(pairs):,} pairs of different pages: {flagged} flagged (up to {MOST} bits of 256)")
    print(f"  nearest {pairs[:5]}, median {pairs[len(pairs) // 2]}")
    print("the same page               flagged   median   most bits")
    for change, bits in differ.items():
        share = sum(one <= MOST for one in bits) / len(bits)
        print(f"  {change:24} {share:8.1%} {int(np.median(bits)):8} {max(bits):11}")
    search_times()


if __name__ == "__main__":
    main()
