"""What this machine could do at best, for the sizes of the other benchmarks.

Bytes: every pixel of both images is read once. Operations: those of the algorithm as it is
factored in ``skperceptual.kernels``, one for each multiplication, addition, comparison or
division, at the rate at which a product of large matrices runs.
"""

from __future__ import annotations

import numpy as np
import torch
from image_metrics import N_PAIRS, PAPER, SHAPE
from timing import seconds, threads

# Of a coefficient of the sum or of the difference, by row of the module's description: low-pass
# filters (13 + 13 / 2) / 2, prediction (4 + 1.5) and subtraction 1.
PYRAMID = (13 + 6.5) / 2 + 6.5
# Magnitudes 6, comparison 10; and a multiplication and an addition for each weight, of both.
NORMALIZATION = 16


def nlpd_operations(n_weights: int, shape: tuple[int, int] = SHAPE) -> float:
    """Count the operations that one pair takes, all levels together."""
    pixels = shape[0] * shape[1] * 4 / 3
    return pixels * (2 * PYRAMID + NORMALIZATION + 4 * n_weights)


def mel_operations(n_fft: int, n_mels: int, n_frames: int, n_weights: int) -> float:
    """Count the operations of one clip: transform, power, bands; 20 for a logarithm."""
    transform = 2.5 * n_fft * np.log2(n_fft)
    return n_frames * (n_fft + transform + 3 * n_fft / 2 + 2 * n_weights + 20 * n_mels)


def run(n_threads: int) -> list[dict[str, object]]:
    """Measure the machine's two rates; give what each comparison would take at them."""
    with threads(n_threads):
        matrix = torch.rand(2048, 2048)
        flops = 2 * 2048**3 / min(seconds(lambda: matrix @ matrix, 1) for _ in range(10))
        many = torch.rand(2**25)  # 134 MB, beyond any cache
        bandwidth = 4 * many.numel() / min(seconds(many.sum, 1) for _ in range(10))
    megapixels = N_PAIRS * 2 * SHAPE[0] * SHAPE[1]
    cases = {
        "NLPD": (4 * megapixels, N_PAIRS * nlpd_operations(4)),
        "NLPD, 5x5 filters": (4 * megapixels, N_PAIRS * nlpd_operations(25)),
        "mel 512x1024": (
            4 * N_PAIRS * (1023 * PAPER["hop_length"] + PAPER["n_fft"] + SHAPE[0] * SHAPE[1]),
            N_PAIRS * mel_operations(PAPER["n_fft"], PAPER["n_mels"], SHAPE[1], 2040),
        ),
    }
    return [
        {
            "what": what,
            "items": N_PAIRS,
            "threads": n_threads,
            "megabytes": n_bytes / 1e6,
            "bytes_ms": 1e3 * n_bytes / bandwidth,
            "million_operations": operations / 1e6,
            "operations_ms": 1e3 * operations / flops,
            "gigabytes_a_second": bandwidth / 1e9,
            "gigaflops": flops / 1e9,
        }
        for what, (n_bytes, operations) in cases.items()
    ]
