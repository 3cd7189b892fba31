"""What masks do to a score, to another score, and what chance would do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from skperceptual.functional.masks import mask_roughness

_LEAST_DROP = 0.01


def describe_masks(
    scorers: Sequence[Any],
    recordings: Sequence[NDArray[np.floating]] | NDArray[np.floating],
    masks: Sequence[NDArray[np.floating]] | NDArray[np.floating],
    *,
    sigma: tuple[float, ...],
    n_controls: int,
    seeds: Sequence[tuple[int, ...]],
) -> pd.DataFrame:
    """Tabulate masks; see :meth:`SpectralMaskEqualizer.report`.

    Parameters
    ----------
    scorers : sequence of estimator
        The one that the masks were made for, and perhaps another one.
    recordings, masks : sequence of ndarray of shape (n_bands, n_frames)
        Spectrograms and their masks.
    sigma : (float, float)
        Smoothness of the controls: standard deviations in bands and frames.
    n_controls : int
        Number of controls a recording.
    seeds : sequence of tuple of int
        Where the controls of each recording come from.

    Returns
    -------
    DataFrame
        One row a recording.
    """
    shapes = [np.shape(mask) for mask in masks]
    expected = [recording.shape for recording in recordings]
    if shapes != expected:
        raise ValueError(
            f"Expected a mask for each spectrogram, of its size, {len(expected)} of them and "
            f"{expected[0]} for the first, got {len(shapes)} and {shapes[0] if shapes else None}."
        )
    if not all(np.isfinite(mask).all() for mask in masks):
        raise ValueError("The masks contain NaN or infinity. Leave these recordings out.")
    rows = []
    for recording, mask, seed in zip(recordings, masks, seeds, strict=True):
        mask = np.asarray(mask, dtype=np.float64)
        rms = float(np.sqrt(np.mean(mask**2)))
        roughness = float(mask_roughness(torch.from_numpy(mask), "tv"))
        controls = random_masks(mask.shape, rms, sigma, n_controls, seed)
        before, after, *control = _scores(scorers[0], recording, [0 * mask, mask, *controls])
        row = {
            "score_before": before,
            "score_after": after,
            "score_control": float(np.mean(control)) if control else np.nan,
            "other_before": np.nan,
            "other_after": np.nan,
            "transfer": np.nan,
            "rms_db": 20 / np.log(10) * rms,
            "roughness": roughness,
            "relative_roughness": roughness / rms if rms > 0 else np.nan,
        }
        if len(scorers) > 1:
            other = _scores(scorers[1], recording, [0 * mask, mask])
            row |= {"other_before": other[0], "other_after": other[1]}
            if before - after > _LEAST_DROP:
                row["transfer"] = (other[0] - other[1]) / (before - after)
        rows.append(row)
    return pd.DataFrame(rows)


def random_masks(
    shape: tuple[int, ...],
    rms: float,
    sigma: tuple[float, ...],
    n_masks: int,
    seed: tuple[int, ...],
) -> list[NDArray[np.float64]]:
    """Draw smooth masks of a given energy that mean nothing.

    Parameters
    ----------
    shape : tuple of int
        Bands and frames.
    rms : float
        Root mean square of each mask.
    sigma : (float, float)
        Standard deviations of the Gaussian that smooths them, in bands and frames.
    n_masks : int
        How many.
    seed : tuple of int
        Where they come from.

    Returns
    -------
    list of ndarray of shape (n_bands, n_frames)
        The masks.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.cello.mask_report import random_masks
    >>> (mask,) = random_masks((20, 30), 0.5, (4.0, 7.0), 1, (0,))
    >>> mask.shape, round(float(np.sqrt(np.mean(mask**2))), 6)
    ((20, 30), 0.5)
    """
    generator = np.random.default_rng(seed)
    masks = []
    for _ in range(n_masks):
        mask = gaussian_filter(generator.standard_normal(shape), sigma)
        masks.append(mask * (rms / np.sqrt(np.mean(mask**2))))
    return masks


def _scores(
    scorer: Any, recording: NDArray[np.floating], masks: Sequence[NDArray[np.floating]]
) -> list[float]:
    versions = np.stack([recording + mask.astype(recording.dtype) for mask in masks])
    scores: list[float] = scorer.predict_proba(versions)[:, 1].tolist()
    return scores
