"""Feed what parses with mutated bytes: `python benchmarks/fuzz.py [--seconds 60] [PARSER ...]`.

Atheris (`pip install 'prizemarks[fuzz]'`) mutates a few well-formed examples of each kind and keeps
what reaches new lines of the parsers. Whatever is no PrizemarksError, takes longer than 20 seconds
or more than 2 GB is a finding: the input is kept in `--findings`, and its path, given in the place
of a parser, runs it again. Every parser has a process of its own.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import tifffile
from PIL import Image

#: How this program calls itself to fuzz one parser.
INSIDE = "--inside"
if sys.argv[1:2] == [INSIDE]:
    import atheris

    instrumented = atheris.instrument_imports(
        include=["ingest", "retrieval.catalogue", "retrieval.evaluation"]
    )
else:
    instrumented = nullcontext()

with instrumented:
    from ingest.annotations.formats import understand
    from ingest.documents.dates import read_date, years_said
    from ingest.documents.reading import read_documents
    from ingest.iiif.image_api import read_info, ways_to_ask
    from ingest.iiif.manifest import read_manifest
    from ingest.sources import read_each_frame
    from retrieval.catalogue.errors import PrizemarksError
    from retrieval.catalogue.references import normalise_reference, parse_reference, sort_key
    from retrieval.evaluation.labels import read_labels
    from retrieval.evaluation.regions import read_regions

#: Images are small ones here, that mutation rather than decoding takes the time.
MAX_PIXELS = 1_000_000
SECONDS_AN_INPUT, MEGABYTES = 20, 2048


@dataclass(frozen=True)
class Parser:
    """What takes the bytes of one input, and well-formed examples to begin with."""

    parse: Callable[[bytes], object]
    examples: Callable[[], list[bytes]]


def in_file(parse: Callable[[Path], object], suffix: str) -> Callable[[bytes], object]:
    """Return `parse` for the bytes of a file."""

    def parsed(content: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"input{suffix}")
            path.write_bytes(content)
            return parse(path)

    return parsed


def text_of(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def all_frames(path: Path) -> None:
    for _ in read_each_frame(path, MAX_PIXELS):
        pass


def dates(content: bytes) -> None:
    text = text_of(content)
    read_date(text)
    years_said(text)


def references(content: bytes) -> None:
    text = text_of(content)
    parse_reference(text)
    sort_key(text)
    once = normalise_reference(text)
    assert normalise_reference(once) == once, "a normalised reference is normal"


def image_info(content: bytes) -> None:
    ways_to_ask(read_info(content), MAX_PIXELS)


def images() -> list[bytes]:
    picture = np.zeros((48, 64, 3), np.uint8)
    cv2.circle(picture, (32, 24), 16, (200, 180, 90), 2)
    endings = (".png", ".jpg", ".webp")
    found = [cv2.imencode(ending, picture)[1].tobytes() for ending in endings]
    found.append(imagecodecs.jpeg2k_encode(picture))
    for options in (
        {},
        {"compression": "lzw", "tile": (16, 16)},
        {"compression": "jpeg"},
        {"compression": "deflate", "bigtiff": True},
    ):
        out = io.BytesIO()
        tifffile.imwrite(out, picture, photometric="rgb", **options)
        found.append(out.getvalue())
    for kind, mode in (("PDF", "RGB"), ("TIFF", "1"), ("PNG", "P"), ("JPEG", "CMYK")):
        out = io.BytesIO()
        Image.fromarray(picture).convert(mode).save(out, kind)
        found.append(out.getvalue())
    return found


def annotations() -> list[bytes]:
    web = {
        "@context": "http://www.w3.org/ns/anno.jsonld",
        "type": "AnnotationPage",
        "items": [
            {
                "type": "Annotation",
                "motivation": "identifying",
                "body": {"type": "TextualBody", "value": "figure 4"},
                "target": {
                    "source": "https://x.org/canvas/1",
                    "selector": [
                        {"type": "FragmentSelector", "value": "xywh=pixel:1,2,30,40"},
                        {"type": "SvgSelector", "value": "<svg><path d='M1 2L31 2Z'/></svg>"},
                    ],
                },
            }
        ],
    }
    coco = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 90, "height": 90}],
        "categories": [{"id": 1, "name": "mark"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40],
             "segmentation": [[1, 2, 31, 2, 31, 42]]}
        ],
    }  # fmt: skip
    rectangle = {"name": "rect", "x": 1, "y": 2, "width": 30, "height": 40}
    via = {
        "_via_img_metadata": {
            "a.jpg9": {
                "filename": "a.jpg", "size": 9,
                "regions": [{"shape_attributes": rectangle, "region_attributes": {}}],
            }
        }
    }  # fmt: skip
    page = (
        '<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">'
        '<Page imageFilename="a.jpg" imageWidth="90" imageHeight="90"><GraphicRegion id="r">'
        '<Coords points="1,2 31,2 31,42 1,42"/></GraphicRegion></Page></PcGts>'
    )
    rows = "source,x,y,width,height,status\na.jpg,1,2,30,40,confirmed\n"
    return [*(json.dumps(one).encode() for one in (web, coco, via)), page.encode(), rows.encode()]


def documents() -> list[bytes]:
    return [
        b"reference;title;date;ship\nHCA 32/1/2;Papers;12 March 1702/3;De Hoop\n",
        b"<ead><archdesc level='fonds'><did><unitid>HCA 32</unitid></did><dsc><c level='file'><did>"
        b"<unitid>HCA 32/1</unitid><unittitle>De Hoop</unittitle><unitdate normal='1702/1703'>1702"
        b"</unitdate><dao href='a.jpg'/></did></c></dsc></archdesc></ead>",
        b"<mets xmlns:xlink='http://www.w3.org/1999/xlink'><dmdSec ID='d'><mdWrap><xmlData><mods>"
        b"<identifier>HCA 32/1</identifier><titleInfo><title>T</title></titleInfo></mods></xmlData>"
        b"</mdWrap></dmdSec><fileSec><fileGrp><file ID='f'><FLocat xlink:href='a.jpg'/></file>"
        b"</fileGrp></fileSec><structMap><div DMDID='d'><div><fptr FILEID='f'/></div></div>"
        b"</structMap></mets>",
        b"<mods><identifier>HCA 32/1</identifier><originInfo><dateCreated encoding='edtf'>1702~"
        b"</dateCreated></originInfo></mods>",
    ]


def manifests() -> list[bytes]:
    service = {"@id": "https://x.org/i/1", "profile": "http://iiif.io/api/image/2/level2.json"}
    resource = {"@id": "https://x.org/i.jpg", "service": service}
    second = {
        "@context": "http://iiif.io/api/presentation/2/context.json",
        "@id": "https://x.org/m",
        "@type": "sc:Manifest",
        "label": "HCA 32/1",
        "sequences": [
            {
                "canvases": [
                    {
                        "@id": "https://x.org/c", "label": "1", "width": 9, "height": 9,
                        "images": [{"resource": resource}],
                    }
                ]
            }
        ],
    }  # fmt: skip
    body = {
        "id": "https://x.org/i.jpg",
        "type": "Image",
        "service": [{"id": "https://x.org/i/1", "type": "ImageService3", "profile": "level1"}],
    }
    painted = {"type": "Annotation", "motivation": "painting", "body": body}
    third = {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": "https://x.org/m",
        "type": "Manifest",
        "label": {"en": ["HCA 32/1"]},
        "rights": "http://rightsstatements.org/vocab/NoC-NC/1.0/",
        "metadata": [{"label": {"en": ["Date"]}, "value": {"none": ["1702"]}}],
        "items": [
            {
                "id": "https://x.org/c", "type": "Canvas", "width": 9, "height": 9,
                "items": [{"type": "AnnotationPage", "items": [painted]}],
            }
        ],
    }  # fmt: skip
    return [json.dumps(second).encode(), json.dumps(third).encode()]


def infos() -> list[bytes]:
    tiles = [{"width": 512, "height": 512, "scaleFactors": [1, 2, 4]}]
    second = {
        "@context": "http://iiif.io/api/image/2/context.json", "@id": "https://x.org/i/1",
        "protocol": "http://iiif.io/api/image", "width": 6000, "height": 4000, "tiles": tiles,
        "profile": ["http://iiif.io/api/image/2/level1.json", {"maxWidth": 900, "maxArea": 90000}],
    }  # fmt: skip
    third = {
        "@context": "http://iiif.io/api/image/3/context.json", "id": "https://x.org/i/1",
        "type": "ImageService3", "protocol": "http://iiif.io/api/image", "profile": "level0",
        "width": 6000, "height": 4000, "sizes": [{"width": 600, "height": 400}], "tiles": tiles,
    }  # fmt: skip
    return [json.dumps(second).encode(), json.dumps(third).encode()]


PARSERS: Mapping[str, Parser] = {
    "images": Parser(in_file(all_frames, ".bin"), images),
    "documents": Parser(in_file(read_documents, ".txt"), documents),
    "dates": Parser(dates, lambda: [b"12 March 1702/3", b"1702-03~/1703", b"circa 1650 to 1652"]),
    "references": Parser(references, lambda: [b"HCA 32/1234/5", b"hca30/ 7 pt 2", b"E 140/12"]),
    "annotations": Parser(lambda content: understand(content, "input"), annotations),
    "manifests": Parser(lambda content: read_manifest(content, "input"), manifests),
    "image-info": Parser(image_info, infos),
    "labels": Parser(
        in_file(read_labels, ".csv"),
        lambda: [b"source,label,kind,x,y,width,height\na.jpg,7,crop,1,2,30,40\n"],
    ),
    "regions": Parser(
        in_file(read_regions, ".csv"),
        lambda: [b"source,x0,y0,x1,y1,zone\na.jpg,1,2,30,40,margin\nb.jpg,,,,,\n"],
    ),
}


def fuzz(name: str, options: list[str]) -> None:
    """Run one parser in this process, with libFuzzer's own options; never returns."""
    parse = PARSERS[name].parse

    def one_input(content: bytes) -> None:
        with suppress(PrizemarksError):  # what a person is told
            parse(content)

    atheris.Setup([sys.argv[0], *options], one_input)
    atheris.Fuzz()


def run(name: str, seconds: int, findings: Path) -> None:
    """Run one parser in a process of its own and print what came of it."""
    with tempfile.TemporaryDirectory() as corpus:
        for at, example in enumerate(PARSERS[name].examples()):
            (Path(corpus) / f"example-{at}").write_bytes(example)
        options = [
            corpus,
            f"-max_total_time={seconds}",
            f"-timeout={SECONDS_AN_INPUT}",
            f"-rss_limit_mb={MEGABYTES}",
            "-max_len=20000",
            "-print_final_stats=1",
            f"-artifact_prefix={findings}/{name}-",
        ]
        done = subprocess.run(
            [sys.executable, __file__, INSIDE, name, *options],
            capture_output=True,
            text=True,
            errors="replace",
        )
    tried = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    said = f"{int(tried[1]):,} inputs" if tried else "ended before its figures"
    print(f"{name:12} {said}, {'nothing found' if done.returncode == 0 else 'FOUND'}", flush=True)
    if done.returncode:
        print(done.stderr[-3000:], flush=True)


def main() -> None:
    """Fuzz the named parsers, or run one finding again."""
    if sys.argv[1:2] == [INSIDE]:
        fuzz(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parsers", nargs="*", metavar="PARSER", help=", ".join(PARSERS))
    parser.add_argument("--seconds", type=int, default=60, help="for each parser")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    options = parser.parse_args()
    findings = options.findings.resolve()
    findings.mkdir(parents=True, exist_ok=True)
    for name in options.parsers or PARSERS:
        known = [one for one in PARSERS if Path(name).name.startswith(f"{one}-")]
        if name in PARSERS:
            run(name, options.seconds, findings)
        elif known and Path(name).is_file():
            PARSERS[known[0]].parse(Path(name).read_bytes())
        else:
            parser.error(f"{name} is no finding and no parser; there are {', '.join(PARSERS)}")
    if not any(findings.iterdir()):
        findings.rmdir()


if __name__ == "__main__":
    main()
