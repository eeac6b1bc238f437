"""The pretrained body as a torch module: photos in, scores, features and last map out."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from finegraft.errors import BackboneError
from finegraft.models.backbones import Backbone
from finegraft.models.timm_weights import timm_package


def build(backbone: Backbone, size: int | None = None) -> Extractor:
    """The body of `backbone` in evaluation mode, for photos of `size` pixels (default: the backbone's own).

    Raises `BackboneError` where the weights do not fit the architecture.
    """
    timm = timm_package()
    generator_state = torch.get_rng_state()
    torch.manual_seed(0)  # random weights are the same ones every time, and the caller's generator is left alone
    try:
        # Only architectures with a fixed grid (ViT and the like) take the size when they are made.
        fixed = {} if size is None or not has_fixed_size(backbone) else {"img_size": size}
        body = timm.create_model(backbone.architecture, pretrained=False, **fixed)
    finally:
        torch.set_rng_state(generator_state)
    if backbone.weights is not None:
        load_weights(body, backbone.weights, in_order=backbone.in_order)
    return Extractor(body, backbone).eval()


def load_weights(body: nn.Module, path: Path, in_order: bool = False) -> None:
    """Fill `body` from a weights file, every tensor with its exact shape, or raise `BackboneError`.

    `in_order` matches tensors by position instead of by name: the embedded packages hold the same tensors in the
    same order under other names. A classifier of another number of classes is left out: its scores are not used.
    """
    stored = _read_tensors(path)
    own = {name: value for name, value in body.state_dict().items() if not name.endswith("num_batches_tracked")}
    stored = {name: value for name, value in stored.items() if not name.endswith("num_batches_tracked")}
    if in_order:
        if len(own) != len(stored):
            raise BackboneError(f"{path.name} holds {len(stored)} tensors, the architecture {len(own)}.")
        stored = dict(zip(own, stored.values(), strict=True))
    classifier = cast(Any, body).default_cfg.get("classifier", ())
    heads = (classifier,) if isinstance(classifier, str) else tuple(classifier)
    optional = {f"{head}.{kind}" for head in heads for kind in ("weight", "bias")}
    wrong = [name for name in own if name not in stored or stored[name].shape != own[name].shape]
    if set(wrong) - optional:
        first = sorted(set(wrong) - optional)[0]
        got = tuple(stored[first].shape) if first in stored else "nothing"
        raise BackboneError(
            f"{path.name} does not fit: {len(wrong)} of {len(own)} tensors differ, "
            f"first {first} of shape {tuple(own[first].shape)}, got {got}.",
            "Check that --backbone names the architecture the weights were made for.",
        )
    body.load_state_dict({name: stored[name] for name in own if name not in wrong}, strict=False)


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            import safetensors.torch

            return safetensors.torch.load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:  # torch's own text recommends to run the code inside
        raise BackboneError(
            f"{path.name} is damaged, or holds more than tensors: nothing in it was run.",
            "Save the tensors alone, best as .safetensors.",
        ) from error
    except Exception as error:
        raise BackboneError(f"{path.name} is not a readable weights file: {error}.") from error
    if isinstance(loaded, dict) and "state_dict" in loaded:
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise BackboneError(f"{path.name} holds something other than named tensors.")
    return loaded


def has_fixed_size(backbone: Backbone) -> bool:
    """Whether it takes photos of one size only, that for which it is made."""
    return bool(timm_package().get_pretrained_cfg(backbone.architecture).fixed_input_size)


class Extractor(nn.Module):
    """uint8 photos (n, size, size, 3) -> scores (n, classes), features (n, d) and the last map (n, c, h, w).

    The features are the body's pooled output, the maximum of the last map, and the averages of the tapped stages.
    For `lite0` that is 1280 + 1280 + 112 + 192 + 320 = 3,184 numbers.
    """

    def __init__(self, body: nn.Module, backbone: Backbone) -> None:
        super().__init__()
        self.body = body
        self.register_buffer("mean", torch.tensor(backbone.mean).view(1, 3, 1, 1) * 255)
        self.register_buffer("scale", 1 / (torch.tensor(backbone.std).view(1, 3, 1, 1) * 255))
        self._stages: list[Tensor] = []
        self._widths: list[int] = []
        for name, width in _taps(body, backbone.taps):
            self._widths.append(width)
            body.get_submodule(name).register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, inputs: object, output: Tensor) -> None:  # noqa: ARG002
        self._stages.append(output)

    def forward(self, photos: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run the body once."""
        return self.run(self.normalised(photos))

    def normalised(self, photos: Tensor) -> Tensor:
        """uint8 photos (n, size, size, 3) as the body takes them, float32 (n, 3, size, size)."""
        return (photos.permute(0, 3, 1, 2).float() - cast(Tensor, self.mean)) * cast(Tensor, self.scale)

    def run(self, x: Tensor, below: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Run the body on what it takes. `below` (n, b) are averages of stages that a shortened body lacks."""
        self._stages.clear()
        body = cast(Any, self.body)
        last = body.forward_features(x)
        pooled = body.forward_head(last, pre_logits=True)
        last_map = self._as_map(last, body.num_features)
        lower = [] if below is None else [below]
        features = torch.cat([pooled, last_map.amax((2, 3)), *lower, *self.averages()], dim=1)
        return body.forward_head(last), features, last_map

    def averages(self, lowest: bool = False) -> list[Tensor]:
        """The averages (n, width) of the tapped stages that ran since the last call, in their order.

        Where not all of them ran, it was the highest, or the `lowest`.
        """
        ran = len(self._stages)
        widths = self._widths[:ran] if lowest else self._widths[len(self._widths) - ran :]
        found = [self._as_map(stage, width).mean((2, 3)) for stage, width in zip(self._stages, widths, strict=True)]
        self._stages.clear()
        return found

    def _as_map(self, x: Tensor, width: int) -> Tensor:
        """Any layout timm uses, as (n, c, h, w)."""
        if x.ndim == 3:  # tokens (n, prefix + h·w, c)
            x = x[:, getattr(self.body, "num_prefix_tokens", 0) :]
            side = int(x.shape[1] ** 0.5)
            return x.transpose(1, 2).reshape(x.shape[0], -1, side, x.shape[1] // side)
        if x.shape[1] != width and x.shape[3] == width:  # (n, h, w, c)
            return x.permute(0, 3, 1, 2)
        return x


def _taps(body: nn.Module, wanted: Sequence[str]) -> list[tuple[str, int]]:
    """(module name, channels) of the tapped stages: those wanted, else the last three the architecture names."""
    if wanted:
        return [(name, -1) for name in wanted]
    info = cast(Any, body).feature_info
    rows = info.info if hasattr(info, "info") else info
    return [(row["module"], row["num_chs"]) for row in rows[-3:]]
