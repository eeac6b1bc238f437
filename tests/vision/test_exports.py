from __future__ import annotations

import subprocess
import sys

import pytest

import finegraft.vision
from finegraft import modality
from finegraft.vision.checks import verify
from finegraft.vision.preprocess import Preprocess
from finegraft.vision.rendering import thumbnail
from finegraft.vision.sources import read


def test_the_public_list() -> None:
    wanted = ["Preprocess", "learner", "name", "network", "overlay", "read", "thumbnail", "verify"]
    assert wanted == finegraft.vision.__all__
    assert set(finegraft.vision.__all__) <= set(dir(finegraft.vision))


def test_the_modality_table_finds_it() -> None:
    vision = modality.get("vision")
    assert vision.name == "vision"
    assert (vision.read, vision.Preprocess, vision.thumbnail, vision.verify) == (read, Preprocess, thumbnail, verify)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'finegraft\.vision' has no attribute 'reed'"):
        _ = finegraft.vision.reed


def test_reading_and_preparing_photos_imports_no_torch() -> None:
    code = (
        "import sys, finegraft.vision as v\n"
        "assert 'PIL' not in sys.modules and 'numpy' not in sys.modules, 'the package itself loads nothing'\n"
        "v.read, v.Preprocess, v.thumbnail\n"
        "assert not {'torch', 'timm', 'sklearn', 'onnxruntime', 'openvino'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
