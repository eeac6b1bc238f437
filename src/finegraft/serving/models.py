"""What is served: models by name, each checked before it answers, and swapped without a lost request."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finegraft.data.contents import digest_of
from finegraft.errors import BundleError, UsageError
from finegraft.inference import archive, bundle
from finegraft.inference.predictor import Predictor


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model ready to answer; `digest` names its graph, `card` is the text for people."""

    name: str
    predictor: Predictor
    digest: str
    card: str
    loaded_at: float

    def to_json(self) -> dict[str, Any]:
        """What an answer says of the model that gave it."""
        return {"name": self.name, "digest": self.digest}

    def described(self) -> dict[str, Any]:
        """What `/v1/model` says."""
        made = self.predictor
        return {
            **self.to_json(),
            "kind": made.target.kind,
            "labels": list(made.labels),
            "modality": made.description["modality"],
            "metrics": made.description["metrics"],
            "backbone": made.description["backbone"].get("name"),
            "engine": made.engines.engine,
            "n_train": made.description["n_train"],
            "n_judged": made.description["n_judged"],
            "judged_on": made.description["judged_on"],
            "card": self.card,
        }


class Served:
    """The model at `path`, under `name`. `loaded` is None until it was checked."""

    def __init__(self, name: str, path: Path, engine: str = "auto") -> None:
        self.name = name
        self.path = path
        self.loaded: Loaded | None = None
        self._engine = engine
        self._loading = threading.Lock()

    def load(self) -> Loaded:
        """Open the file at `path` anew, ask it its samples, and let it answer from now on; who asked before is answered
        by the one before. Raises `BundleError`, and the one before stays.
        """
        with self._loading:
            engine = bundle.FASTEST if self._engine == "auto" else self._engine
            predictor = bundle.load(self.path, engine=engine, verify="all", purpose="throughput")
            card = archive.read(self.path)["card.md"].decode("utf-8", "replace")
            digest = digest_of(predictor.graph)
            self.loaded = Loaded(self.name, predictor, digest, card, time.time())
            predictor.engines.open_for_one()  # it answers by then
            return self.loaded


def named(paths: Sequence[Path], engine: str = "auto") -> dict[str, Served]:
    """A model for each bundle in `paths`, by the name of its file, or of its run's folder.

    Raises `BundleError` where there is no file, and `UsageError` where two have the same name.
    """
    found: dict[str, Served] = {}
    for path in paths:
        if not path.is_file():
            raise BundleError(f"There is no model {path}.", "Give a RUN folder or a bundle (.fg).")
        name = path.resolve().parent.name if path.name == "model.fg" else path.stem
        if name in found:
            raise UsageError(f"Two models are called {name!r}: {found[name].path} and {path}.", "Rename one of them.")
        found[name] = Served(name, path, engine)
    return found
