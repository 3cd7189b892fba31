"""What training in an estimator costs beside the loop of torch that does the same.

``CompressiveAutoencoder.fit`` seeds each step, looks at the loss and the weights, and keeps every
step; with a checkpoint it writes the whole state to disk now and then. The bare loop makes the same
batches of noise and takes the same steps with the same network, loss and optimiser, and nothing
else.

Run it with: python benchmarks/speed/autoencoder_step.py [--full] [--device cuda]
where ``--full`` is the paper's size, for a GPU.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from timing import compare, threads

from skperceptual import CompressiveAutoencoder
from skperceptual.autoencoder.batches import NoiseBatches
from skperceptual.functional import MSELoss, NLPDLoss
from skperceptual.networks import AutoencoderNetwork

RESULTS = Path(__file__).parents[1] / "results" / "speed_autoencoder_step.csv"
LOSSES = {"mse": MSELoss, "nlpd": NLPDLoss}
REDUCED = {"n_filters": 32, "kernel_size": 3, "batch_size": 16, "side": 64}
FULL = {"n_filters": 128, "kernel_size": 5, "batch_size": 64, "side": 256}
CHECKPOINT_EVERY = 50


def in_estimator(
    loss: str, size: dict, n_steps: int, device: str, folder: Path | None
) -> Callable[[], object]:
    image = np.zeros((1, size["side"], size["side"]), dtype=np.float32)

    def fit() -> CompressiveAutoencoder:
        path = None if folder is None else folder / f"{len(list(folder.iterdir()))}.npz"
        return CompressiveAutoencoder(
            loss=loss,
            training="noise",
            n_filters=size["n_filters"],
            kernel_size=size["kernel_size"],
            batch_size=size["batch_size"],
            max_iter=n_steps,
            checkpoint=path,
            checkpoint_every=CHECKPOINT_EVERY,
            mixed_precision=False,
            random_state=0,
            device=device,
        ).fit(image)

    return fit


def in_bare_loop(loss: str, size: dict, n_steps: int, device: str) -> Callable[[], object]:
    def train() -> float:
        network = AutoencoderNetwork(n_filters=size["n_filters"], kernel_size=size["kernel_size"])
        network.to(device).train()
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
        criterion = LOSSES[loss]()
        batches = NoiseBatches((size["side"], size["side"]), size["batch_size"], seed=0)
        for step in range(n_steps):
            images = batches(step)[0].to(device)
            optimizer.zero_grad()
            value = criterion(network(images), images)
            value.backward()
            optimizer.step()
        return value.item()

    return train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the paper's size")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    size = FULL if arguments.full else REDUCED
    rows = []
    with threads(arguments.threads), tempfile.TemporaryDirectory() as name:
        for loss in LOSSES:
            bare = in_bare_loop(loss, size, arguments.steps, arguments.device)
            for checkpoint, folder in (("none", None), (f"every {CHECKPOINT_EVERY}", Path(name))):
                ours = in_estimator(loss, size, arguments.steps, arguments.device, folder)
                timed = compare(ours, bare, arguments.turns)
                ratios = np.quantile(1 / timed.ratios, [0.25, 0.5, 0.75])
                row = {"loss": loss, **size, "device": arguments.device, "checkpoint": checkpoint}
                row |= {"estimator_ms": 1e3 * timed.ours / arguments.steps}
                row |= {"bare_ms": 1e3 * timed.theirs / arguments.steps}
                row |= dict(zip(("low", "ratio", "high"), ratios, strict=True))
                rows.append(row)
                print(pd.DataFrame(rows[-1:]).to_string(index=False), flush=True)
    pd.DataFrame(rows).to_csv(RESULTS, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
