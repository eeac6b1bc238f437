"""The exported network, loaded by hand: timm's body, its pooled features, the linear layers of the head."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps

from benchmarks.fastai.torchvision_ops import import_torchvision


class Network:
    """What lies in `folder`, as `finegraft export RUN -o folder --to torch` wrote it; an EfficientNet for
    photos of one class each.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors.torch import load_file

        import_torchvision()
        import timm

        told = json.loads((folder / "model.json").read_text())
        stored = load_file(folder / "model.safetensors")
        self.labels: list[str] = told["target"]["labels"]
        self.size: int = told["preprocess"]["size"]
        self._mean, self._std = (torch.tensor(told["preprocess"][name]).view(3, 1, 1) for name in ("mean", "std"))
        self._temperature: float = told["temperature"]
        self.body = timm.create_model(told["torch"]["architecture"], pretrained=False).eval()
        own = {name.removeprefix("body."): value for name, value in stored.items() if name.startswith("body.")}
        self.body.load_state_dict(own)
        self.body.to(memory_format=torch.channels_last)  # the faster of the two on a processor
        layers = sum(name.startswith("head.") for name in stored) // 2  # one, or two with a ReLU between
        self._head = [(stored[f"head.{n}.weight"], stored[f"head.{n}.bias"]) for n in range(layers)]
        self._taps: list[str] = told["torch"]["taps"]

    def prepare(self, content: bytes) -> torch.Tensor:
        """The photo as the network takes it, float32 (3, size, size)."""
        photo = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
        photo = ImageOps.fit(photo, (self.size, self.size), Image.Resampling.BICUBIC)
        pixels = torch.frombuffer(bytearray(photo.tobytes()), dtype=torch.uint8).view(self.size, self.size, 3)
        return (pixels.permute(2, 0, 1).float() / 255 - self._mean) / self._std

    @torch.inference_mode()
    def answers(self, photos: torch.Tensor) -> list[dict[str, Any]]:
        """Of photos (n, 3, size, size): label, probability, and all of them by label."""
        body: Any = self.body
        x = body.bn1(body.conv_stem(photos.contiguous(memory_format=torch.channels_last)))
        averages = []
        for number, stage in enumerate(body.blocks):
            x = stage(x)
            if f"blocks.{number}" in self._taps:
                averages.append(x.mean((2, 3)))
        last = body.bn2(body.conv_head(x))
        x = torch.cat([last.mean((2, 3)), last.amax((2, 3)), *averages], dim=1)
        for number, (weight, bias) in enumerate(self._head):
            x = torch.nn.functional.linear(x if number == 0 else x.relu(), weight, bias)
        found = []
        for row in (x / self._temperature).softmax(1).tolist():
            best = max(range(len(row)), key=row.__getitem__)
            ranking = dict(zip(self.labels, row, strict=True))
            found.append({"label": self.labels[best], "probability": row[best], "ranking": ranking})
        return found
