"""The torch path in batches on a GPU, next to pyiqa's NLPD on the same GPU.

Mel images of signals that are on the device, and the NLPD of pairs of images there; with them, what
the same GPU needs to read the images once. What single precision costs in accuracy is measured
against double precision, and so is what images in half precision would cost.

Run it with: python benchmarks/speed/gpu.py [--device cuda]
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import peers
import torch
from image_metrics import PAPER, images

from skperceptual.functional import full_scale_peak, mel_spectrogram, nlpd, to_log01

RESULTS = Path(__file__).parents[1] / "results" / "speed_gpu.csv"
EPS = 1e-3
FILTERS = {name: PAPER[name] for name in ("sr", "n_fft", "n_mels")}


def synchronized(call: Callable[[], object], device: str) -> float:
    """Time a call to its end on the device."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    begin = time.perf_counter()
    call()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--pairs", type=int, default=64)
    parser.add_argument("--turns", type=int, default=9)
    arguments = parser.parse_args()
    table = measure(arguments.device, arguments.pairs, arguments.turns)
    print(table.to_string(index=False))
    if arguments.device != "cpu":
        table.to_csv(RESULTS, index=False)


@torch.inference_mode()
def measure(device: str, n_pairs: int, n_turns: int) -> pd.DataFrame:
    pairs = torch.tensor(images(n_pairs), device=device)
    references, degraded = pairs.unbind(1)
    signals = 0.1 * torch.randn(n_pairs, 1023 * PAPER["hop_length"] + PAPER["n_fft"], device=device)
    data_range = (math.log(EPS), math.log(EPS + full_scale_peak(**FILTERS)))
    pyiqa = peers.pyiqa_nlpd(device)
    calls: dict[str, Callable[[], object]] = {
        "NLPD": lambda: nlpd(references, degraded),
        "NLPD, pyiqa": lambda: pyiqa(references[:, None], degraded[:, None]),
        "mel image": lambda: to_log01(
            mel_spectrogram(signals, **PAPER), data_range=data_range, eps=EPS
        ),
        "reading the images of the pairs once": pairs.sum,
    }
    turns = {name: [] for name in calls}
    for turn in range(n_turns + 1):
        for name, call in calls.items():
            seconds = synchronized(call, device)
            if turn:  # the first does not count
                turns[name].append(seconds)
    exact = nlpd(references.double(), degraded.double())
    precisions = {
        str(dtype).removeprefix("torch."): nlpd(
            references.to(dtype).float(), degraded.to(dtype).float()
        )
        for dtype in (torch.float32, torch.float16, torch.bfloat16)
    }
    rows = [
        {"what": name, "ms_a_pair": 1e3 * float(np.median(seconds)) / n_pairs}
        for name, seconds in turns.items()
    ]
    for name, values in precisions.items():
        error = float((values.double() / exact - 1).abs().max())
        rows.append({"what": f"NLPD of images in {name}", "relative_error": error})
    table = pd.DataFrame(rows)
    table.insert(0, "device", torch.cuda.get_device_name() if device == "cuda" else device)
    return table


if __name__ == "__main__":
    main()
