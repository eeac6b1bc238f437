"""Generated pictures that travel in a bundle with their answers, to be asked again wherever it is opened."""

from __future__ import annotations

import io

import numpy as np

# Smaller than the model's input, wider, taller: stretched, shrunk, and cut on either axis. The first is the cheapest.
_SIZES = {"small": (64, 48), "wide": (320, 200), "tall": (180, 300)}


def generated() -> dict[str, bytes]:
    """Name -> PNG bytes: soft coloured clouds, the same on every call.

    PNG, because it has one right decoding: what differs on another machine is then our own doing, and not a JPEG
    decoder's rounding.
    """
    from PIL import Image

    pictures = {}
    for seed, (name, size) in enumerate(_SIZES.items()):
        coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(buffer, "PNG")
        pictures[f"{name}.png"] = buffer.getvalue()
    return pictures
