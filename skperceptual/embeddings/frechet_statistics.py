"""The Fréchet distance of two sets by their statistics, and whether it means anything."""

from __future__ import annotations

import torch

from skperceptual.embeddings.frame_statistics import FrameStatistics
from skperceptual.functional.frechet_distance import gaussian_frechet_distance
from skperceptual.utils.messages import warn_caller
from skperceptual.utils.threads import single_threaded


def frechet_distance_of(reference: FrameStatistics, measured: FrameStatistics) -> float:
    """Give the Fréchet distance of two sets by their statistics.

    Parameters
    ----------
    reference, measured : FrameStatistics
        Of two frames or more each.

    Returns
    -------
    float
        The distance.
    """
    with single_threaded(), torch.inference_mode():
        return gaussian_frechet_distance(
            torch.tensor(reference.mean),
            torch.tensor(reference.covariance_root),
            torch.tensor(measured.mean),
            torch.tensor(measured.covariance_root),
        ).item()


def check_number_of_frames(statistics: FrameStatistics, what: str) -> None:
    """Refuse a set of a single frame, and warn of one of few.

    Parameters
    ----------
    statistics : FrameStatistics
        Of the set.
    what : str
        How to name the set in a message.

    Raises
    ------
    ValueError
        When there is a single frame.

    Warns
    -----
    UserWarning
        When there are fewer frames than twice their dimension.
    """
    n_frames, dim = statistics.n_frames, statistics.dim
    if n_frames < 2:
        raise ValueError(
            f"{what} has a single frame, but a covariance needs two or more. Use longer or more "
            "clips, or an embedding with a shorter hop_seconds."
        )
    if n_frames < 2 * dim:
        warn_caller(
            f"{what} has {n_frames} frames of dimension {dim}, fewer than twice as many: the "
            "distance is then mostly bias, and depends on the number of frames. Use more or longer "
            "clips, a shorter hop_seconds, an embedding of fewer dimensions, or "
            "KernelAudioDistance."
        )
