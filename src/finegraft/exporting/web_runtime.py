"""What runs a graph in a browser: two files of the npm package onnxruntime-web, no part of our own package.

They come from the cache, else from `node_modules` of the working folder or one above it, else from npm, which is told.
Whichever way, they are taken only with the digests written here.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import logging
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from finegraft.data.atomic import write_atomically
from finegraft.errors import ExportError
from finegraft.features.store import Store

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
# The build that runs on the processor alone, its loader inside: name in the package's `dist` -> SHA-256.
DIGESTS = {
    "ort.wasm.bundle.min.mjs": "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
# What they are called in an export: servers know the kind of `.js`, and some not that of `.mjs`.
LOADER, BINARY = "ort.js", "ort.wasm"
_NAMES = dict(zip(DIGESTS, (LOADER, BINARY), strict=True))
_KIND = "web-runtime"  # in the store
_SECONDS = 600

_log = logging.getLogger("finegraft")


NAMES = frozenset({*_NAMES.values(), "LICENSE.txt", "notices.txt"})


def files() -> dict[str, bytes]:
    """`LOADER` and `BINARY` with their contents, and the licences they come under.

    Raises `ExportError` where they are not at hand and npm cannot fetch them.
    """
    with Store.open() as store:
        keys = {name: bytes.fromhex(digest) for name, digest in DIGESTS.items()}
        kept = store.get_many(_KIND, list(keys.values()))
        found = {name: kept[key] for name, key in keys.items() if key in kept}
        if not _are_sound(found):
            found = _from_node_modules(Path.cwd()) or _from_npm()
            store.put_many(_KIND, {keys[name]: content for name, content in found.items()})
    return {_NAMES[name]: content for name, content in found.items()} | _licences()


def _are_sound(found: dict[str, bytes]) -> bool:
    """Whether these are the files that were tested."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in found.items()} == DIGESTS


def _from_node_modules(folder: Path) -> dict[str, bytes] | None:
    """The files that npm installed for `folder`, where it looks for them; None where these are not there."""
    for above in (folder, *folder.parents):
        dist = above / "node_modules" / PACKAGE / "dist"
        if dist.is_dir():
            with contextlib.suppress(ExportError):  # of another version: somebody else's
                return _taken(lambda name, dist=dist: (dist / name).read_bytes(), str(dist))  # type: ignore[misc]
    return None


def _from_npm() -> dict[str, bytes]:
    npm = shutil.which("npm")
    if npm is None:
        raise ExportError(f"A page that answers needs {PACKAGE} {VERSION}, and there is no npm to fetch it.", _MEND)
    _log.warning("Fetching %s %s with npm, once (33 MB).", PACKAGE, VERSION)
    with tempfile.TemporaryDirectory(prefix="finegraft-npm-") as folder:
        command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--ignore-scripts", "--silent"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ExportError(f"npm could not fetch {PACKAGE} {VERSION}: {error}.", _MEND) from error
        packed = next(Path(folder).glob("*.tgz"), None)
        if done.returncode or packed is None:
            said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
            raise ExportError(f"npm could not fetch {PACKAGE} {VERSION}: {said}.", _MEND)
        with tarfile.open(packed) as archive:
            return _taken(lambda name: _member(archive, name), packed.name)


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(f"package/dist/{name}")
    return b"" if file is None else file.read()


def _taken(read: Callable[[str], bytes], place: str) -> dict[str, bytes]:
    """The files as `read` gives them by name. Raises `ExportError` where they are others than those tested."""
    try:
        found = {name: read(name) for name in DIGESTS}
    except (OSError, KeyError) as error:
        raise ExportError(f"{place} does not hold {PACKAGE}: {error}.", _MEND) from error
    if not _are_sound(found):
        raise ExportError(f"{place} is not {PACKAGE} {VERSION}: its files have other digests.", _MEND)
    return found


def _licences() -> dict[str, bytes]:
    """The texts that must go with these files: ours of the package, and those of what is compiled into it."""
    licence = resources.files("finegraft").joinpath("exporting/browser/onnxruntime-licence.txt").read_bytes()
    notices = resources.files("onnxruntime").joinpath("ThirdPartyNotices.txt")
    return {"LICENSE.txt": licence} | ({"notices.txt": notices.read_bytes()} if notices.is_file() else {})


_MEND = (
    f"Where npm and a network are: npm install {PACKAGE}@{VERSION}. Then export from that folder, or copy its "
    "node_modules to where you export."
)


def main() -> int:
    """Fetch the package's files into a folder `node_modules`, as `make web-runtime` does. Returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("node_modules", type=Path)
    dist = parser.parse_args().node_modules / PACKAGE / "dist"
    try:
        for name, content in _from_npm().items():
            write_atomically(dist / name, content)
    except ExportError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
