"""Every kind through the two functions that make something of a photo's bytes, in checking, training and serving."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from finegraft.data.contents import read_content
from finegraft.errors import UnreadableFile
from finegraft.vision.preprocess import Preprocess
from finegraft.vision.rendering import thumbnail
from tests.hostile import BROKEN, GOOD
from tests.hostile.kind import Kind

# Of what Pillow finds in damaged tags; outside pytest the decoder keeps it from the user.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")
LOAD = Preprocess(size=32).load


def name_of(kind: Kind) -> str:
    return ascii(kind.name)[:40]


@pytest.mark.parametrize("kind", [kind for kind in BROKEN if kind.make], ids=name_of)
def test_a_broken_file_is_an_unreadable_file_and_nothing_else(kind: Kind) -> None:
    content = kind.content()
    for use in (LOAD, thumbnail):
        with pytest.raises(UnreadableFile) as caught:
            use(content)
        assert caught.value.code == kind.code
        assert kind.words in caught.value.reason
        assert caught.value.reason.isprintable()


@pytest.mark.parametrize("kind", [kind for kind in GOOD if kind.make], ids=name_of)
def test_an_odd_photo_is_a_photo(kind: Kind) -> None:
    content = kind.content()
    assert LOAD(content).shape == (32, 32, 3)
    assert Image.open(io.BytesIO(thumbnail(content))).format == "WEBP"


_WEIGH = """
import os, resource, sys
from pathlib import Path
from finegraft.data.contents import read_content
from finegraft.errors import UnreadableFile
from finegraft.vision.preprocess import Preprocess
from PIL import ImageCms  # its own weight is no photo's
for name in sys.stdin.buffer.read().split(b"\\0"):
    try:
        Preprocess(size=32).load(read_content(Path(os.fsdecode(name))))
    except UnreadableFile:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(peak, ascii(os.path.basename(name)))
"""


def test_none_takes_much_memory(laid: dict[Kind, Path]) -> None:
    """All in one process; the photo that is refused for its bytes alone has 300 MB of them."""
    names = b"\0".join(bytes(path) for path in laid.values())
    done = subprocess.run([sys.executable, "-c", _WEIGH], input=names, capture_output=True, check=True)
    peaks = [int(line.split()[0]) for line in done.stdout.splitlines()]
    assert len(peaks) == len(laid)
    assert done.stderr == b""
    assert max(peaks) - peaks[0] < 100, done.stdout.decode()


def test_what_is_no_plain_file_is_never_opened(laid: dict[Kind, Path]) -> None:
    for kind in [kind for kind in BROKEN if kind.place and kind in laid and kind.words != "not valid UTF-8"]:
        with pytest.raises(UnreadableFile) as caught:
            read_content(laid[kind])
        assert caught.value.code == kind.code
        assert kind.words in caught.value.reason
