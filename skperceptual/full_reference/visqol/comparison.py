"""ViSQOL up to its similarities: one pair of signals to patches, and patches to features.

The order of the steps and the truncations of times to samples are those of the original, with
which the values agree: delay first, then level; the patches found on frames of the whole signals,
then shifted against one another in the time domain and compared anew.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skperceptual.full_reference.visqol.alignment import find_lag, shift
from skperceptual.full_reference.visqol.fine_alignment import align_patches
from skperceptual.full_reference.visqol.images import (
    QUIETEST_LEVEL,
    FrontEnd,
    comparable_images,
)
from skperceptual.full_reference.visqol.levels import rms
from skperceptual.full_reference.visqol.patches import (
    PATCH_FRAMES,
    audio_patches,
    speech_patches,
)
from skperceptual.full_reference.visqol.similarity import Patches, compare_patches, search

# Of a band's patches the worst, so large a part of them.
_WORST = 0.1


class Settings(NamedTuple):
    """What is done to every pair alike.

    Parameters
    ----------
    mode : {"audio", "speech"}
        How long patches are, and which there are.
    front_end : FrontEnd
        Frames and filters.
    search_window_radius : int
        How far from its own place a patch is sought, in lengths of a patch.
    whole : bool
        Whether the delay of the degraded signal is undone.
    patchwise : bool
        Whether the delay of each patch is.
    """

    mode: str
    front_end: FrontEnd
    search_window_radius: int
    whole: bool
    patchwise: bool


class Comparison(NamedTuple):
    """What is known of one pair after comparing it.

    Parameters
    ----------
    band_means : ndarray of shape (n_bands,)
        Mean similarity of each band over the patches (``fvnsim`` in the original).
    worst_means : ndarray of shape (n_bands,)
        The same over a tenth of the patches, the worst of each band (``fvnsim10``).
    band_deviations : ndarray of shape (n_bands,)
        Standard deviation of the similarity over the frames of all patches (``fstdnsim``).
    degraded_energies : ndarray of shape (n_bands,)
        Mean of the degraded image over the patches (``fvdegenergy``).
    lag : int
        Samples by which the degraded signal was shifted, negative where it was late.
    patches : Patches
        The patches.
    n_dropped : int
        Patches at the end that the degraded signal is too short for.
    """

    band_means: NDArray[np.float64]
    worst_means: NDArray[np.float64]
    band_deviations: NDArray[np.float64]
    degraded_energies: NDArray[np.float64]
    lag: int
    patches: Patches
    n_dropped: int

    @property
    def similarity(self) -> float:
        """Mean similarity of all bands (``vnsim``)."""
        return float(self.band_means.mean())


def compare(
    reference: NDArray[np.floating], degraded: NDArray[np.floating], settings: Settings
) -> Comparison:
    """Compare the two signals of a pair.

    Parameters
    ----------
    reference, degraded : ndarray of shape (n_times_i,)
        The signals, the reference not silent and long enough for one patch.
    settings : Settings
        What is done to every pair alike.

    Returns
    -------
    Comparison
        Patches and features.

    Raises
    ------
    ValueError
        When the delay leaves too little of the degraded signal, and when the reference is so
        quiet that nothing of it is above the floor of the images.
    """
    front_end = settings.front_end
    lag = find_lag(reference, degraded) if settings.whole else 0
    degraded = shift(degraded, lag)
    if len(degraded) <= front_end.win_length:
        raise ValueError(
            f"The degraded signal seems to be {-lag} samples late, which leaves {len(degraded)} of "
            f"it: at least {front_end.win_length + 1} are needed. Use align=False if it is not."
        )
    reference_levels = front_end.levels(reference)
    if reference_levels.max() <= QUIETEST_LEVEL:
        raise ValueError(
            "The reference is as good as silent: no band of it ever rises above the level of "
            f"{20 * math.log10(QUIETEST_LEVEL):.0f} dB re full scale below which ViSQOL hears "
            "nothing. Normalise quiet references, or leave that pair out."
        )
    # Filters are linear: what is scaled is their levels, not a copy of the signal.
    gain = rms(reference) / (rms(degraded) or 1.0)
    degraded_levels = gain * front_end.levels(degraded)
    images = comparable_images(reference_levels, degraded_levels)
    n_frames, n_places = (image.shape[1] for image in images)
    if settings.mode == "audio":
        starts = audio_patches(n_frames)
    else:
        starts = speech_patches(reference, n_frames, front_end.hop_length)
    length = PATCH_FRAMES[settings.mode]
    kept = starts[starts - length // 2 <= n_places]
    places, is_met = search(*images, kept, length, settings.search_window_radius * length)
    patches = compare_patches(*images, kept, places, is_met, length, front_end)
    if settings.patchwise:
        signals = (reference, degraded)
        patches = align_patches(
            signals, (reference_levels, degraded_levels), gain, patches, front_end
        )
    return _summarize(patches, lag, len(starts) - len(kept), front_end)


def _summarize(patches: Patches, lag: int, n_dropped: int, front_end: FrontEnd) -> Comparison:
    """Put the patches together, each band by itself."""
    n_patches = len(patches.means)
    means = patches.means.mean(axis=0)
    n_worst = max(1, int(_WORST * n_patches))
    frame_seconds = front_end.hop_length / front_end.sr
    seconds = patches.reference_times[:, 1] - patches.reference_times[:, 0]
    counts = np.ceil(seconds / frame_seconds)[:, np.newaxis]
    total = counts.sum()
    squares = (counts - 1) * patches.deviations**2 + counts * patches.means**2
    variances = (squares.sum(axis=0) - total * means**2) / (total - 1)
    return Comparison(
        band_means=means,
        worst_means=np.sort(patches.means, axis=0)[:n_worst].mean(axis=0),
        band_deviations=np.sqrt(np.maximum(variances, 0.0)),
        degraded_energies=patches.energies.mean(axis=0),
        lag=lag,
        patches=patches,
        n_dropped=n_dropped,
    )
