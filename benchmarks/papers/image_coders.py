"""Coders of images that nobody trained, at any number of bits: what a network has to beat."""

from __future__ import annotations

import math

import numpy as np
from scipy import fft, ndimage

BITS_OF_A_VALUE = 8


def quantized(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Round values to 8 bits between two limits."""
    steps = 2**BITS_OF_A_VALUE - 1
    return (
        np.rint((np.clip(values, low, high) - low) / (high - low) * steps) / steps * (high - low)
        + low
    )


def constant(image: np.ndarray) -> np.ndarray:
    """Keep the mean alone, 8 bits."""
    return np.full_like(image, quantized(image.mean(), 0, 1))


def block_means(image: np.ndarray, bits: float, *, interpolated: bool) -> np.ndarray:
    """Keep means of blocks, 8 bits each, as many as there are bits for."""
    side = 2 ** int(math.log2(math.sqrt(bits / BITS_OF_A_VALUE)))
    blocks = [n // side for n in image.shape]
    shape = side, blocks[0], side, blocks[1]
    means = quantized(image.reshape(shape).mean(axis=(1, 3)), 0, 1)
    if interpolated:
        zoomed = ndimage.zoom(means, blocks, order=1, mode="nearest", grid_mode=True)
        return np.clip(zoomed, 0, 1)
    return np.kron(means, np.ones(blocks))


def largest_cosines(image: np.ndarray, bits: float) -> np.ndarray:
    """Keep the largest coefficients of the cosine transform: 8 bits each, and their places."""
    coefficients = fft.dctn(image, norm="ortho")
    order = np.argsort(-np.abs(coefficients), axis=None)
    n, kept = coefficients.size, 0
    # Which of all coefficients are kept costs log2 of the number of choices.
    while kept < n and (kept + 1) * BITS_OF_A_VALUE + log2_choices(n, kept + 1) <= bits:
        kept += 1
    chosen = order[:kept]
    values = coefficients.flat[chosen]
    # Logarithms of magnitudes in 7 bits, and a sign.
    logs = np.log(np.abs(values) + 1e-12)
    low, high = logs.min(), max(logs.max(), logs.min() + 1e-9)
    steps = 2 ** (BITS_OF_A_VALUE - 1) - 1
    logs = np.rint((logs - low) / (high - low) * steps) / steps * (high - low) + low
    sparse = np.zeros_like(coefficients)
    sparse.flat[chosen] = np.sign(values) * np.exp(logs)
    return np.clip(fft.idctn(sparse, norm="ortho"), 0, 1)


def log2_choices(n: int, kept: int) -> float:
    """Give the bits that say which ``kept`` of ``n`` are meant."""
    nats = math.lgamma(n + 1) - math.lgamma(kept + 1) - math.lgamma(n - kept + 1)
    return nats / math.log(2)


def make_coders(bits: float) -> dict:
    """Give all of them by name, for that many bits an image."""
    return {
        "mean (8 bit)": constant,
        "block means, 16 x 16 (2048 bit)": lambda image: block_means(
            image, 2048, interpolated=False
        ),
        "block means": lambda image: block_means(image, bits, interpolated=False),
        "block means, interpolated": lambda image: block_means(image, bits, interpolated=True),
        "largest cosines": lambda image: largest_cosines(image, bits),
    }
