"""`timm:NAME`: any of timm's models as a backbone row, its weights from the hub's cache, the hub, or a local file."""

from __future__ import annotations

import contextlib
import difflib
from pathlib import Path
from typing import Any

from finegraft.errors import BackboneError, MissingExtra
from finegraft.models.backbones import Backbone, file_digest, weights_file
from finegraft.models.torch_ops import declare_torchvision_operators


def timm_package() -> Any:
    """The timm package, importable beside any torch. Raises `MissingExtra` where it is not installed."""
    try:
        declare_torchvision_operators()
        import timm
    except ModuleNotFoundError as error:
        raise MissingExtra("train", "Making a backbone") from error
    return timm


def find(name: str, weights: str | None) -> Backbone:
    """The row of `timm:NAME`, where NAME is an architecture with or without a tag of its weights.

    Raises `BackboneError` with a suggestion for an unknown name, and with the file to bring where the weights are
    neither in the hub's cache nor to be fetched.
    """
    timm = timm_package()
    wanted = name.removeprefix("timm:")
    if not timm.is_model(wanted.split(".")[0]):
        raise BackboneError(f"timm has no model called {wanted!r}.", _suggest(timm, wanted))
    try:
        config = timm.get_pretrained_cfg(wanted, allow_unregistered=False)
    except RuntimeError as error:
        there = ", ".join(_tags(timm, wanted)) or "none"
        raise BackboneError(f"timm has no weights called {wanted!r}.", f"It has: {there}.") from error
    source, path, digest = _locate(name, config, weights)
    return Backbone(
        name=name,
        architecture=wanted,
        source=source,
        weights=path,
        digest=digest,
        size=config.input_size[-1],
        graft_size=config.input_size[-1],
        mean=tuple(config.mean),
        std=tuple(config.std),
        crop=config.crop_pct,
        interpolation=config.interpolation,
        classes="imagenet" if weights is None and config.num_classes == 1000 else "",
        licence=(config.license or "unknown") if weights is None else "as the weights file",
        paper=config.paper_name or "",
    )


def _locate(name: str, config: Any, weights: str | None) -> tuple[str, Path | None, str]:
    """(source in words, weights file, digest)."""
    if weights == "none":
        return "random weights (seed 0)", None, "random-0"
    path = weights_file(weights) if weights is not None else _from_hub(name, config)
    source = f"file {path.name}" if weights is not None else f"hub {config.hf_hub_id}"
    return source, path, file_digest(path)


def _from_hub(name: str, config: Any) -> Path:
    if not config.hf_hub_id:
        raise BackboneError(f"No weights of {name} are known.", "Bring a file with --weights, or pass --weights none.")
    import huggingface_hub

    wanted = config.hf_hub_id, "model.safetensors"
    try:
        # What is in the cache is used without asking the hub: the answer stays the same, and works with no network.
        with contextlib.suppress(huggingface_hub.errors.LocalEntryNotFoundError):
            return Path(huggingface_hub.hf_hub_download(*wanted, local_files_only=True))
        return Path(huggingface_hub.hf_hub_download(*wanted))
    except Exception as error:
        raise BackboneError(
            f"The weights of {name} are not in the hub's cache, and fetching them failed ({type(error).__name__}).",
            f"On a machine with a network download model.safetensors of {config.hf_hub_id}, "
            "then pass it with --weights model.safetensors.",
        ) from error


def _suggest(timm: Any, wanted: str) -> str:
    near = difflib.get_close_matches(wanted, timm.list_models(), n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(f'timm:{n}' for n in near)}? " if near else ""
    return f"{hint}Names are those of timm.list_models()."


def _tags(timm: Any, wanted: str) -> list[str]:
    return list(timm.list_pretrained(f"{wanted.split('.')[0]}.*"))
