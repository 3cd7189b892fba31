"""The patches of a pair: where each is met in the degraded image, and how similar it is there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skperceptual.full_reference.visqol.images import FrontEnd
from skperceptual.functional.nsim import WINDOW, nsim_constants

_WINDOW = np.array(WINDOW)
_CONSTANTS = nsim_constants(1.0)
# Places that the kernel tries at a time: so many zeros have to follow the last patch.
_LANES = 32


class Patches(NamedTuple):
    """Times and similarities of the patches of one pair.

    Parameters
    ----------
    reference_times, degraded_times : ndarray of shape (n_patches, 2)
        Beginning and end of each patch in either signal, in seconds; the degraded signal
        counted after its delay was undone. 0 and 0 where a patch is met nowhere.
    is_met : ndarray of shape (n_patches,), bool
        Whether the patch is met anywhere.
    means, deviations, energies : ndarray of shape (n_patches, n_bands)
        Of each band, mean and standard deviation of the similarity, and mean of the degraded
        image.
    """

    reference_times: NDArray[np.float64]
    degraded_times: NDArray[np.float64]
    is_met: NDArray[np.bool_]
    means: NDArray[np.float64]
    deviations: NDArray[np.float64]
    energies: NDArray[np.float64]


def search(
    reference: NDArray[np.float64],
    degraded: NDArray[np.float64],
    starts: NDArray[np.int64],
    length: int,
    radius: int,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Find the frames of the degraded image at which the patches are met best.

    Parameters
    ----------
    reference, degraded : ndarray of shape (n_bands, n_frames_i)
        The images.
    starts : ndarray of shape (n_patches,)
        First frames of the patches.
    length : int
        Frames of a patch.
    radius : int
        How far from its own place a patch is sought, in frames.

    Returns
    -------
    places : ndarray of shape (n_patches,)
        First frames in the degraded image.
    is_met : ndarray of shape (n_patches,), bool
        False where a patch is better left out.
    """
    from skperceptual.kernels.patch_search import best_path, patch_similarities

    n_places = degraded.shape[1]
    radius = min(radius, n_places + reference.shape[1])
    similarities = np.empty((len(starts), min(n_places, 2 * radius + 1)))
    patch_similarities(
        np.ascontiguousarray(reference),
        _pad(degraded, length + _LANES),
        starts,
        length,
        radius,
        _WINDOW,
        _CONSTANTS,
        similarities,
    )
    return best_path(similarities, starts, radius, n_places)


def compare_patches(
    reference: NDArray[np.float64],
    degraded: NDArray[np.float64],
    starts: NDArray[np.int64],
    places: NDArray[np.int64],
    is_met: NDArray[np.bool_],
    length: int,
    front_end: FrontEnd,
) -> Patches:
    """Compare every patch with what it was met with.

    Parameters
    ----------
    reference, degraded : ndarray of shape (n_bands, n_frames_i)
        The images.
    starts, places : ndarray of shape (n_patches,)
        First frames in either.
    is_met : ndarray of shape (n_patches,), bool
        Whether the patch is met there. One that is not has a similarity of 0.
    length : int
        Frames of a patch.
    front_end : FrontEnd
        Frames and filters.

    Returns
    -------
    Patches
        Times and similarities.
    """
    frame_seconds = front_end.hop_length / front_end.sr
    degraded = _pad(degraded, length)
    shape = (len(starts), len(degraded))
    means, deviations, energies = np.empty(shape), np.empty(shape), np.empty(shape)
    for row, (start, place) in enumerate(zip(starts, places, strict=True)):
        patches = reference[:, start : start + length], degraded[:, place : place + length]
        means[row], deviations[row], energies[row] = compare_images(*patches)
    means[~is_met] = 0.0
    times = [
        np.stack([frames * frame_seconds, frames * frame_seconds + frame_seconds * length], axis=1)
        for frames in (starts, places)
    ]
    times[1][~is_met] = 0.0
    return Patches(times[0], times[1], is_met, means, deviations, energies)


def compare_images(
    reference: NDArray[np.float64], degraded: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Compare two images of one size, band by band.

    Parameters
    ----------
    reference, degraded : ndarray of shape (n_bands, n_frames)
        The images.

    Returns
    -------
    means, deviations, energies : ndarray of shape (n_bands,)
        Mean and standard deviation of the similarity, and mean of the degraded image.
    """
    from skperceptual.kernels.nsim import band_similarities

    degraded = np.ascontiguousarray(degraded)
    reference = np.ascontiguousarray(reference)
    means, deviations = band_similarities(reference, degraded, _WINDOW, _CONSTANTS)
    return means, deviations, degraded.mean(axis=1)


def _pad(image: NDArray[np.float64], n_frames: int) -> NDArray[np.float64]:
    padded = np.zeros((image.shape[0], image.shape[1] + n_frames))
    padded[:, : image.shape[1]] = image
    return padded
