"""Metrics of images in memory and mel spectrograms of signals in memory, ours and theirs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import peers
import torch
from timing import compare, extra_megabytes, threads

import skperceptual as sp
from skperceptual.functional import resolve_normalization

N_PAIRS, SHAPE = 16, (512, 1024)
# The first paper's spectrograms: 512 x 1024.
PAPER = {"sr": 16050, "n_fft": 2048, "hop_length": 64, "n_mels": 512}
SMALL = {"sr": 16050, "n_fft": 1024, "hop_length": 256, "n_mels": 256}


def images(n_pairs: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    rng = np.random.default_rng(0)
    pairs = rng.random((n_pairs, 2, *shape), dtype=np.float32)
    noise = 0.05 * rng.standard_normal(pairs[:, 0].shape, dtype=np.float32)
    pairs[:, 1] = np.clip(pairs[:, 0] + noise, 0, 1)
    return pairs


def fitted_filters() -> tuple[np.ndarray, np.ndarray]:
    """Dense filters, as a fit to ratings gives them."""
    rng = np.random.default_rng(0)
    return rng.uniform(0.005, 0.05, (6, 5, 5)), np.full(6, 0.1)


# Ours and theirs by name: what makes the call, given pairs. Theirs gets tensors made beforehand.
METRICS: dict[str, Callable[[], object]] = {
    "NLPD": sp.NLPD,
    "NLPD, 5x5 filters": lambda: sp.NLPD(normalization=fitted_filters()),
    "SSIM": sp.SSIM,
    "MS-SSIM": sp.MSSSIM,
}
PEERS: dict[tuple[str, str], Callable[[], Callable[..., object]]] = {
    ("NLPD", "pyiqa"): peers.pyiqa_nlpd,
    ("NLPD, 5x5 filters", "plenoptic"): peers.plenoptic_nlpd,
    ("SSIM", "scikit-image"): lambda: peers.skimage_ssim,
    ("SSIM", "pytorch-msssim"): lambda: peers.pytorch_msssim("ssim"),
    ("SSIM", "piq"): lambda: peers.piq("ssim"),
    ("SSIM", "torchmetrics"): lambda: peers.torchmetrics("structural_similarity_index_measure"),
    ("MS-SSIM", "pytorch-msssim"): lambda: peers.pytorch_msssim("ms_ssim"),
    ("MS-SSIM", "piq"): lambda: peers.piq("multi_scale_ssim"),
    ("MS-SSIM", "torchmetrics"): lambda: peers.torchmetrics(
        "multiscale_structural_similarity_index_measure"
    ),
}
# By how much, relatively, the numbers of those may differ that compute the same. plenoptic's NLPD
# has filters of its own; scikit-image and torchmetrics treat borders otherwise.
SAME_NUMBER = {"pyiqa": 1e-5, "pytorch-msssim": 1e-5, "piq": 1e-5}


def our_call(metric: str, n_pairs: int) -> Callable[[], object]:
    estimator = METRICS[metric]()
    estimator.transform(images(1, (176, 176)))  # compiled and loaded
    pairs = images(n_pairs)
    return lambda: estimator.transform(pairs)


def their_call(metric: str, peer: str, n_pairs: int) -> Callable[[], object]:
    function = PEERS[metric, peer]()
    pairs = images(n_pairs)
    if peer == "scikit-image":
        function(*images(1, (176, 176)).swapaxes(0, 1))
        return lambda: function(pairs[:, 0], pairs[:, 1])
    function(*torch.rand(2, 1, 1, 176, 176))
    references, degraded = (torch.tensor(pairs[:, which : which + 1]) for which in (0, 1))
    return lambda: function(references, degraded)


def mel(settings: dict[str, int]) -> tuple[Callable[[], object], Callable[[], object]]:
    """Give our call and librosa's, for sixteen clips of 4.2 s."""
    rng = np.random.default_rng(0)
    n_times = (1023 * 64) + 2048
    signals = 0.1 * rng.standard_normal((N_PAIRS, n_times), dtype=np.float32)
    front_end = sp.MelSpectrogram(**settings, power=2.0, scale="db")
    return (
        lambda: front_end.transform(signals),
        lambda: [peers.librosa_image(signal, **settings) for signal in signals],
    )


def run(n_threads: int, n_turns: int) -> list[dict[str, object]]:
    """Compare everything; a row a comparison."""
    rows: list[dict[str, object]] = []
    with threads(n_threads):
        sizes = (N_PAIRS, 1) if n_threads > 1 else (N_PAIRS,)
        for (metric, peer), n_pairs in [(key, n) for key in PEERS for n in sizes]:
            ours, theirs = our_call(metric, n_pairs), their_call(metric, peer, n_pairs)
            check_same(metric, peer)
            print(f"  {metric}, {peer}, {n_pairs} pairs, {n_threads} threads", flush=True)
            rows.append(
                {
                    "what": metric,
                    "items": n_pairs,
                    "threads": n_threads,
                    "peer": peer,
                    **compare(ours, theirs, n_turns).summary(),
                    "ours_mb": extra_megabytes(our_call, metric, n_pairs),
                    "theirs_mb": extra_megabytes(their_call, metric, peer, n_pairs),
                }
            )
        for name, settings in {"mel 512x1024": PAPER, "mel 256x256": SMALL}.items():
            print(f"  {name}, librosa, {n_threads} threads", flush=True)
            rows.append(
                {
                    "what": name,
                    "items": N_PAIRS,
                    "threads": n_threads,
                    "peer": "librosa",
                    **compare(*mel(settings), n_turns).summary(),
                    "ours_mb": extra_megabytes(our_mel, settings),
                    "theirs_mb": extra_megabytes(their_mel, settings),
                }
            )
    return rows


def our_mel(settings: dict[str, int]) -> Callable[[], object]:
    return mel(settings)[0]


def their_mel(settings: dict[str, int]) -> Callable[[], object]:
    return mel(settings)[1]


def check_same(metric: str, peer: str) -> None:
    """Refuse to compare two functions that do not compute the same."""
    if peer not in SAME_NUMBER:
        return
    pairs = images(2)
    estimator = METRICS[metric]()
    if peer == "pyiqa":
        # Its filters are those of the reference but for one weight of .0072, which is missing.
        filters, sigmas = resolve_normalization("image", 6)
        filters[filters == 0.0072] = 0
        estimator = sp.NLPD(normalization=(filters, sigmas))
    ours = estimator.transform(pairs).ravel()
    theirs = np.ravel(PEERS[metric, peer]()(*torch.tensor(pairs[:, :, None]).unbind(1)))
    error = np.abs(ours / theirs - 1).max()
    if error > SAME_NUMBER[peer]:
        raise ValueError(f"{metric}: {peer} gives other values, by {error:.2g}.")
