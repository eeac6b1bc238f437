"""What a bundle answers from Python on one engine: JSON Lines as `finegraft predict --json` prints them.

python -m benchmarks.answers MODEL.fg onnxruntime|openvino FOLDER
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import finegraft as fg


def main(words: Sequence[str]) -> None:
    """The command. Every photo is read and answered by itself, as a program that gets one at a time would."""
    model, engine, folder = words
    predictor = fg.load(model, engine=engine)
    for path in sorted(found for found in Path(folder).rglob("*") if found.is_file()):
        answer = predictor.predict(path)
        ranking = [{"label": label, "probability": probability} for label, probability in answer.ranking]
        print(json.dumps({"path": str(path), "label": answer.label, "ranking": ranking}))


if __name__ == "__main__":
    main(sys.argv[1:])
