"""What the measurements compute from what the commands say."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from benchmarks import awkward_photos, watch
from benchmarks.promises.fresh_clone import last_lines, outgoing
from benchmarks.promises.imagenet import named
from benchmarks.promises.same_answer import disagreeing, widest
from tests.making import picture

TRACE = """\
7 connect(3, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.1")}, 16) = -1 EINPROGRESS
7 connect(3, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr("127.0.0.53")}, 16) = 0
8 connect(3, {sa_family=AF_INET6, sin6_port=htons(9), inet_pton(AF_INET6, "2001:db8::1", &sin6_addr)}, 28) = 0
8 connect(3, {sa_family=AF_INET6, sin6_port=htons(9), inet_pton(AF_INET6, "::1", &sin6_addr)}, 28) = 0
8 connect(4, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = -1 ENOENT
9 sendto(4, "x", 1, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("192.0.2.7")}, 16) = 1
9 sendto(5, "y", 1, 0, NULL, 0) = 1
9 connect(6<UDPv6:[285]>, {sa_family=AF_INET6, inet_pton(AF_INET6, "2001:db8::2", &sin6_addr)}, 28) = 0
9 sendto(6<UDPv6:[[fd00::2]:6093->[2001:db8::3]:443]>, "z", 1, 0, NULL, 0) = 1
9 sendto(7<TCP:[192.0.2.2:4080->192.0.2.9:53]>, "z", 1, 0, NULL, 0) = 1
9 sendto(8<TCP:[127.0.0.1:4080->127.0.0.1:53]>, "z", 1, 0, NULL, 0) = 1
"""


def test_the_last_lines_of_a_failing_command_are_kept():
    script = "import sys; print('a failed test'); print('make: error', file=sys.stderr); sys.exit(2)"
    assert last_lines(watch.run([sys.executable, "-c", script])) == ["a failed test", "make: error"]


def test_outgoing_sees_addresses_of_other_machines_only():
    assert outgoing(TRACE.splitlines()) == ["192.0.2.1", "2001:db8::1", "192.0.2.7", "2001:db8::3", "192.0.2.9"]


def test_the_class_in_a_file_name():
    assert named("a/n02123159_tiger_cat.JPEG") == "tiger cat"
    assert named("n02676566_acoustic_guitar.JPEG") == "acoustic guitar"


def test_widest_finds_the_largest_difference():
    one = {"a.jpg": {"cat": 0.9, "dog": 0.1}, "b.jpg": {"cat": 0.5, "dog": 0.5}}
    two = {"a.jpg": {"cat": 0.9, "dog": 0.1}, "b.jpg": {"cat": 0.25, "dog": 0.75}}
    assert widest({"one": one, "two": one})[0] == 0
    difference, where = widest({"one": one, "two": two})
    assert difference == pytest.approx(0.25)
    assert where.startswith("b.jpg")


@pytest.mark.parametrize("other", [{}, {"a.jpg": {}}, {"a.jpg": {"cat": 0.9}}])
def test_a_missing_answer_is_a_difference_of_one(other: dict[str, dict[str, float]]):
    assert widest({"one": {"a.jpg": {"cat": 0.9, "dog": 0.1}}, "two": other})[0] == 1.0


def test_disagreeing_names_files_with_another_first_answer():
    one = {"a.jpg": {"cat": 0.9, "dog": 0.1}, "b.jpg": {"cat": 0.6, "dog": 0.4}}
    two = {"a.jpg": {"cat": 0.8, "dog": 0.2}, "b.jpg": {"cat": 0.4, "dog": 0.6}}
    assert disagreeing({"one": one, "two": two}) == ["b.jpg"]
    assert disagreeing({"one": one, "two": {"a.jpg": {}}}) == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("number", range(len(awkward_photos.KINDS)))
def test_awkward_photos_show_the_same_picture(tmp_path: Path, number: int):
    source = tmp_path / "source.png"
    upright = picture(0, (64, 96))
    upright.save(source)
    awkward_photos.save(source, tmp_path / "out", number)
    (saved,) = (tmp_path / "out").iterdir()
    with Image.open(saved) as opened:
        shown = np.asarray(ImageOps.exif_transpose(opened).convert("L" if opened.mode != "I;16" else "I"), float)
    grey = np.asarray(upright.convert("L"), float)
    if "sixteen" in saved.name:
        shown = shown / 257
    if "exif" in saved.name:
        with Image.open(saved) as opened:
            assert opened.getexif()[274] == int(saved.name.partition("exif")[2][0])
    assert shown.shape == grey.shape
    assert np.abs(shown - grey).mean() < 12
