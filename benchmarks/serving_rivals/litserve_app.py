"""LitServe and torch: `python -m benchmarks.serving_rivals.litserve_app TENSORS PORT BATCH`.

As its manual advises: a worker for each core of a processor; up to BATCH photos together, for which it waits 10 ms
where that is more than one.
"""

import os
import sys
from pathlib import Path
from typing import Any

import litserve
import torch
from fastapi import Request

from benchmarks.serving_rivals.network import Network

CORES = len(os.sched_getaffinity(0))


class Answers(litserve.LitAPI):
    """A photo as the part `content` of a form -> its answer."""

    folder = Path()

    def setup(self, device: str) -> None:  # noqa: ARG002 - the processor
        """In each worker."""
        torch.set_num_threads(1)
        self.network = Network(self.folder)

    def decode_request(self, request: Request) -> torch.Tensor:
        """Bytes -> pixels. What LitServe hands over for this annotation, which must be no text, is the form."""
        return self.network.prepare(request["content"].file.read())  # type: ignore[index]

    def batch(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Several photos -> one tensor."""
        return torch.stack(inputs)

    def unbatch(self, output: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Already one each."""
        return output

    def predict(self, x: torch.Tensor) -> Any:
        """Pixels, of one photo or several -> an answer, or several."""
        return self.network.answers(x[None])[0] if x.ndim == 3 else self.network.answers(x)

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        """As it is."""
        return output


def main() -> None:
    """The command."""
    batch = int(sys.argv[3])
    answers = Answers(max_batch_size=batch, batch_timeout=0.01 if batch > 1 else 0.0)
    answers.folder = Path(sys.argv[1])
    server = litserve.LitServer(answers, accelerator="cpu", workers_per_device=CORES, timeout=60)
    server.run(host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning")


if __name__ == "__main__":
    main()
