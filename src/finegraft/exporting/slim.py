"""A bundle without its backbone: the head alone, and which backbone it belongs on.

Where it is opened the same backbone must be installed; it is told by the digest of its weights, and by the bundle's
samples, which must be answered as before.
"""

from __future__ import annotations

import json
from pathlib import Path

from finegraft.data.contents import digest_of
from finegraft.errors import UsageError
from finegraft.inference import archive
from finegraft.inference.predictor import Predictor
from finegraft.models import backbones
from finegraft.models.graph import head_graph


def slimmed(place: Path, predictor: Predictor) -> None:
    """Write the bundle at `place` once more, its network replaced by `head.onnx`.

    Raises `UsageError` for a network that has learned itself, or that nobody could find again by its name.
    """
    row = predictor.description["backbone"]
    if row.get("fine_tuned"):
        raise UsageError("The network of this model has learned too: without it nothing is left.", "Leave out --slim.")
    known = backbones.EMBEDDED.get(str(row["name"]))
    if known is None or known.sha256 != row["digest"]:
        raise UsageError(
            f"The weights of this model's backbone, {row['name']}, are in no package: others would not find them.",
            "Leave out --slim.",
        )
    entries = archive.read(place)
    head = head_graph(entries.pop("model.onnx"))
    told = {**json.loads(entries["model.json"]), "digest": digest_of(head), "slim": True}
    entries["model.json"] = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False).encode()
    place.unlink()
    archive.write(place, {"model.json": entries.pop("model.json"), archive.HEAD: head, **entries})
