"""What a run depends on besides its data: versions, platform, processors."""

from __future__ import annotations

import importlib.metadata
import platform

from finegraft.runtimes.cpus import usable_cpus

_PACKAGES = ("numpy", "Pillow", "onnxruntime", "openvino", "torch", "timm")


def environment() -> dict[str, str]:
    """Name to value, for `--version` and run.json; imports none of the packages it names."""
    found = {"python": platform.python_version(), "platform": platform.platform(), "processors": str(usable_cpus())}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
