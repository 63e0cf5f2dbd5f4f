"""Real IIIF servers on loopback: one that computes images, one that only has files of tiles."""

from __future__ import annotations

import io
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import numpy as np
from PIL import Image

Answer = tuple[int, dict[str, str], bytes]

TILE = 64


def jpeg(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="JPEG", quality=92)
    return stream.getvalue()


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


class Server:
    """What the servers have, what goes wrong with them, and what they were asked.

    `troubles` of a path are answered first, one after another, before what there is. What `drops`
    has for a path is sent as it is, head and all, with so many seconds before each piece.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.files: dict[str, bytes] = {}
        self.images: dict[str, np.ndarray] = {}
        self.limits: dict[str, dict[str, int]] = {}
        self.versions: dict[str, int] = {}
        self.troubles: dict[str, list[Answer]] = defaultdict(list)
        self.drops: dict[str, tuple[float, list[bytes]]] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.at_once = 0
        self.most_at_once = 0
        self.lock = threading.Lock()

    def url(self, path: str) -> str:
        return f"{self.address}{path}"

    def image(
        self,
        name: str,
        image: np.ndarray,
        *,
        version: int = 2,
        limits: dict[str, int] | None = None,
    ) -> str:
        """Offer an image as a dynamic server of level 2 does; return its service."""
        self.images[name], self.versions[name] = image, version
        self.limits[name] = limits or {}
        return self.url(f"/dynamic/{name}")

    def tiles(self, name: str, image: np.ndarray, *, version: int = 2) -> str:
        """Offer an image as a static server of level 0 does: tiles alone; return its service."""
        height, width = image.shape[:2]
        base = f"/static/{name}"
        self.files[f"{base}/info.json"] = json.dumps(
            info(self.url(base), version, width, height, {}, level=0)
        ).encode()
        for scale in (1, 2, 4):
            for top in range(0, height, TILE * scale):
                for left in range(0, width, TILE * scale):
                    part = image[top : top + TILE * scale, left : left + TILE * scale]
                    down, across = part.shape[:2]
                    size = f"{-(-across // scale)},"
                    if version == 3:
                        size += str(-(-down // scale))
                    path = f"{base}/{left},{top},{across},{down}/{size}/0/default.jpg"
                    self.files[path] = jpeg(part[::scale, ::scale])
        return self.url(base)

    def answer(self, path: str) -> Answer:
        if self.troubles[path]:
            return self.troubles[path].pop(0)
        if path in self.files:
            return 200, {}, self.files[path]
        parts = unquote(path).strip("/").split("/")
        if parts[0] == "dynamic" and len(parts) > 2 and parts[1] in self.images:
            return self._dynamic(parts[1], parts[2:])
        return 404, {}, b"nothing here"

    def _dynamic(self, name: str, asked: list[str]) -> Answer:
        image, version, limits = self.images[name], self.versions[name], self.limits[name]
        height, width = image.shape[:2]
        if asked == ["info.json"]:
            said = info(self.url(f"/dynamic/{name}"), version, width, height, limits, level=2)
            return 200, {"Content-Type": "application/ld+json"}, json.dumps(said).encode()
        if len(asked) != 4:
            return 400, {}, b""
        widest = limits.get("maxWidth", width)
        if asked[0] != "full":
            left, top, across, down = map(int, asked[0].split(","))
            image = image[top : top + down, left : left + across]
        across = image.shape[1]
        if asked[1] == "max":
            wide = min(across, widest)
        elif asked[1] == "full" and version < 3:
            wide = across
        else:
            wide = int(asked[1].split(",")[0])
        if wide > widest:
            return 403, {}, b"too wide"
        if wide != across:
            image = np.asarray(
                Image.fromarray(image).resize((wide, image.shape[0] * wide // across))
            )
        return 200, {"Content-Type": "image/jpeg"}, jpeg(image)


def info(
    base: str, version: int, width: int, height: int, limits: dict[str, int], *, level: int
) -> dict[str, Any]:
    """What info.json says in the words of a version of the Image API."""
    size = {"width": width, "height": height}
    tiles = {"tiles": [{"width": TILE, "scaleFactors": [1, 2, 4]}]}
    if version == 1:
        return {
            "@context": "http://library.stanford.edu/iiif/image-api/1.1/context.json",
            "@id": base,
            "tile_width": TILE,
            "tile_height": TILE,
            "scale_factors": [1, 2, 4],
            "profile": f"http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level{level}",
            **size,
        }
    if version == 2:
        return {
            "@context": "http://iiif.io/api/image/2/context.json",
            "@id": base,
            "protocol": "http://iiif.io/api/image",
            "profile": [f"http://iiif.io/api/image/2/level{level}.json", limits],
            **size,
            **tiles,
        }
    return {
        "@context": "http://iiif.io/api/image/3/context.json",
        "id": base,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": f"level{level}",
        **size,
        **tiles,
        **limits,
    }


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client was killed
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def serving() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with server.lock:
                server.asked.append(self.path)
                server.headers.append(dict(self.headers))
                server.at_once += 1
                server.most_at_once = max(server.most_at_once, server.at_once)
                status, headers, body = server.answer(self.path)
            try:
                if self.path in server.drops:
                    seconds, pieces = server.drops[self.path]
                    for piece in pieces:
                        time.sleep(seconds)
                        self.wfile.write(piece)
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                if "Content-Length" in headers:
                    self.close_connection = True
            finally:
                with server.lock:
                    server.at_once -= 1

        def log_message(self, *_: object) -> None:
            pass

    http = _Quiet(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{http.server_address[1]}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def manifest_2(address: str, canvases: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "@context": "http://iiif.io/api/presentation/2/context.json",
        "@id": address,
        "@type": "sc:Manifest",
        "label": "HCA 32/1845/2",
        "sequences": [{"@type": "sc:Sequence", "canvases": canvases}],
    } | more


def canvas_2(
    address: str, label: str, image: str, service: str | None = None, version: int = 2
) -> dict[str, Any]:
    resource: dict[str, Any] = {"@id": image, "@type": "dctypes:Image", "format": "image/jpeg"}
    if service:
        contexts = {
            1: "http://library.stanford.edu/iiif/image-api/1.1/context.json",
            2: "http://iiif.io/api/image/2/context.json",
        }
        resource["service"] = {
            "@context": contexts[version],
            "@id": service,
            "profile": "http://iiif.io/api/image/2/level2.json",
        }
    return {
        "@id": address,
        "@type": "sc:Canvas",
        "label": label,
        "width": 2000,
        "height": 1600,
        "images": [
            {
                "@type": "oa:Annotation",
                "motivation": "sc:painting",
                "resource": resource,
                "on": address,
            }
        ],
    }


def manifest_3(address: str, canvases: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": address,
        "type": "Manifest",
        "label": {"nl": ["Brieven"], "en": ["Letters from De Hoop"]},
        "items": canvases,
    } | more


def canvas_3(address: str, label: str, body: Any) -> dict[str, Any]:
    return {
        "id": address,
        "type": "Canvas",
        "label": {"none": [label]},
        "width": 2000,
        "height": 1600,
        "items": [
            {
                "id": f"{address}/page",
                "type": "AnnotationPage",
                "items": [
                    {
                        "id": f"{address}/annotation",
                        "type": "Annotation",
                        "motivation": "painting",
                        "target": address,
                        "body": body,
                    }
                ],
            }
        ],
    }


def body_3(image: str, service: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"id": image, "type": "Image", "format": "image/jpeg"}
    if service:
        body["service"] = [{"id": service, "type": "ImageService3", "profile": "level2"}]
    return body
