"""A model as a web page: a folder for any server of files, whose visitors' own browsers run the model.

`index.html` · `model.onnx`, the plain graph, with `novelty` and `heat` beside where the model can tell · `model.json`,
the description of a bundle with `web` {`name`, `files` {name: bytes}, `runtime`} beside · `page/`, what the page is
made of · `runtime/`, ONNX Runtime for browsers with its licences.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from finegraft.data.atomic import write_atomically
from finegraft.exporting import plain, web_runtime
from finegraft.inference.predictor import Predictor

PAGE, GRAPH, DESCRIPTION = "index.html", "model.onnx", "model.json"
# Where the files of `page/` lie in our package: those it shares with the server's page, and its own.
_SHARED = {
    "tokens.css": "tokens.css",
    **{name: f"serving/page/{name}" for name in ("page.css", "cards.js", "photos.js", "icon.svg")},
}
_OWN = (
    "answering.js",
    "heat.js",
    "icc.js",
    "idct.js",
    "jpeg.js",
    "page.js",
    "preprocess.js",
    "resampling.js",
    "scans.js",
    "signatures.js",
    "upsampling.js",
    "web.css",
    "worker.js",
)
FILES = _SHARED | {name: f"exporting/browser/{name}" for name in _OWN}


def is_export(folder: Path) -> bool:
    """Whether `folder` holds what `write` writes, and nothing else."""
    runtime = web_runtime.NAMES
    inside = {entry.relative_to(folder).as_posix() for entry in folder.rglob("*") if not entry.is_dir()}
    known = {PAGE, GRAPH, DESCRIPTION, *(f"page/{name}" for name in FILES), *(f"runtime/{name}" for name in runtime)}
    return PAGE in inside and inside <= known


def write(predictor: Predictor, folder: Path) -> None:
    """Write `predictor` to `folder`, whose name is what the page calls it.

    Raises `ExportError` where what runs it in browsers is not at hand.
    """
    runtime = {f"runtime/{name}": content for name, content in web_runtime.files().items()}
    graph = plain.plain_graph(predictor, more=True)
    package = resources.files("finegraft")
    told = {
        "name": folder.name,
        "files": {GRAPH: len(graph), **{name: len(content) for name, content in runtime.items()}},
        "runtime": {"package": web_runtime.PACKAGE, "version": web_runtime.VERSION, "licence": "MIT"},
    }
    described = {**json.loads(plain.description(predictor)), "web": told}
    contents = {
        PAGE: package.joinpath(f"exporting/browser/{PAGE}").read_bytes(),
        GRAPH: graph,
        DESCRIPTION: json.dumps(described, indent=1, ensure_ascii=False).encode(),
        **{f"page/{name}": package.joinpath(place).read_bytes() for name, place in FILES.items()},
        **runtime,
    }
    for name, content in contents.items():
        write_atomically(folder / name, content)
