"""The kernel audio distance of sets of signals, and of single clips."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike

from skperceptual.embeddings.metric import EmbeddingMetric
from skperceptual.embeddings.precomputed import Frames
from skperceptual.embeddings.set_distance import SetDistance
from skperceptual.functional.kernel_distance import discrepancy, mean_kernel, median_distance
from skperceptual.utils._sklearn import Interval, StrOptions, _fit_context
from skperceptual.utils.random_states import own_random_state
from skperceptual.utils.threads import single_threaded

# Squared distances below this share of the largest energy are but rounding, of frames all alike.
_ROUNDING = 1e-12
# The median of the distances of this many frames is that of all, to a percent or so.
_MEDIAN_FRAMES = 5000


class KernelAudioDistance(SetDistance):
    """Kernel audio distance: how far a set of signals is from a set of clean ones.

    Both sets become frames of vectors. Their distance is an unbiased estimate of the squared
    maximum mean discrepancy under a Gaussian kernel, times 100 [1]_.

    Parameters
    ----------
    embedding : str, embedding, torch.nn.Module or callable, default="shipped"
        What turns signals into vectors: ``"shipped"``, the encoder that is part of this package;
        ``"vggish"`` or ``"openl3"``, whose weights are files of their own; or anything that
        :func:`skperceptual.embeddings.resolve_embedding` takes. With ``"precomputed"``, X holds
        embeddings instead of signals, of shape (n_clips, n_frames, dim) or a list.
    sr : int, default=16000
        Sampling rate of the signals in Hz. They are resampled to the embedding's own rate where it
        is another one.
    bandwidth : {"reference"} or float, default="reference"
        Width of the kernel: ``"reference"`` takes the median distance between frames of the
        reference set, so that all sets are measured by one kernel; or a number, in the unit of the
        embedding.
    random_state : int, RandomState or None, default=0
        What decides which 5000 frames the median is taken of, where there are more.

    Attributes
    ----------
    bandwidth_ : float
        Width of the kernel.
    frames_ : ndarray of shape (n_frames, dim)
        The frames of the reference set.
    mean_kernel_ : float
        Mean of the kernel over pairs of different frames of the reference set.
    n_features_in_ : int
        Of arrays, the length of axis 1; of precomputed embeddings, their dimension.

    See Also
    --------
    FrechetAudioDistance : Takes the sets for Gaussians; keeps statistics instead of frames.
    skperceptual.functional.kernel_distance : The same for frames, differentiable.

    Notes
    -----
    The estimate is centred on 0 for two sets of one distribution, whatever their sizes, and so
    negative as often as not; with few frames it scatters. Time and reference grow with the product
    of the numbers of frames. It is a distance of sets: single clips of a few seconds are ranked
    better by other metrics.

    The authors' program takes the median over the set that is measured instead of the reference
    set, so that its numbers differ.

    References
    ----------
    .. [1] Y. Chung, P. Eu, J. Lee, K. Choi, J. Nam, B. S. Chon, "KAD: no more FAD! An effective and
       efficient evaluation metric for audio generation", arXiv:2502.15602, 2025.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.datasets import make_music
    >>> from skperceptual.embeddings import KernelAudioDistance, LogMelEmbedding
    >>> music = make_music(n_songs=8, duration_seconds=2.0, random_state=0).signals
    >>> noise = np.random.default_rng(0).standard_normal(music.shape)
    >>> metric = KernelAudioDistance(LogMelEmbedding()).fit(music[:4])
    >>> [round(metric.distance(music[4:] + level * noise[4:]), 1) for level in (0.0, 0.01, 0.1)]
    [12.2, 17.2, 81.8]
    """

    bounds = (-200.0, 200.0)

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **EmbeddingMetric._embedding_constraints,
        "bandwidth": [StrOptions({"reference"}), Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        embedding: Any = "shipped",
        *,
        sr: int = 16000,
        bandwidth: str | float = "reference",
        random_state: Any = 0,
    ) -> None:
        self.embedding = embedding
        self.sr = sr
        self.bandwidth = bandwidth
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Take signals for the reference set.

        Parameters
        ----------
        X : array or list
            Clean signals of shape (n_signals, n_times), or pairs of shape (n_pairs, 2, n_times), of
            which each different reference counts once; or a list of either. Or embeddings of such.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The metric itself.

        Raises
        ------
        ValueError
            When X is not what it should be, gives a single frame, or frames that are all alike, so
            that their median distance is no width of a kernel.

        Warns
        -----
        UserWarning
            When clips are too short for the embedding.
        """
        clips = self._validate_clips(X, pairs=None, reset=True).references()
        frames = np.concatenate(self._embed(clips))
        if len(frames) < 2:
            raise ValueError(
                "The reference set has a single frame, but needs two or more. Use longer or more "
                "clips, or an embedding with a shorter hop_seconds."
            )
        self.bandwidth_ = self._choose_bandwidth(frames)
        self.frames_ = frames
        with single_threaded(), torch.inference_mode():
            self.mean_kernel_ = mean_kernel(torch.tensor(frames), bandwidth=self.bandwidth_).item()
        return self

    def distance(self, X: Any) -> float:
        """Give the distance of a whole set of signals from the reference set.

        Parameters
        ----------
        X : array or list
            Signals of shape (n_signals, n_times), or pairs of shape (n_pairs, 2, n_times), of which
            the degraded versions are measured; or a list of either. Or embeddings of such.

        Returns
        -------
        float
            The distance, about 0 for a set of the same distribution, at most 200.

        Raises
        ------
        ValueError
            When there is a single frame, or vectors are of another dimension than in ``fit``.

        Warns
        -----
        UserWarning
            When clips are too short for the embedding.
        """
        self._start()
        per_clip = self._measured_frames(self._validate_clips(X, pairs=None, reset=False))
        frames = np.concatenate(per_clip)
        if len(frames) < 2:
            raise ValueError(
                "The measured set has a single frame, but needs two or more. Use longer or more "
                "clips, or an embedding with a shorter hop_seconds."
            )
        return self._distance_from_reference(frames)

    def _choose_bandwidth(self, frames: Frames) -> float:
        if not isinstance(self.bandwidth, str):
            return float(self.bandwidth)
        if len(frames) > _MEDIAN_FRAMES:
            rows = own_random_state(self.random_state).permutation(len(frames))[:_MEDIAN_FRAMES]
            frames = frames[rows]
        with single_threaded(), torch.inference_mode():
            median = median_distance(torch.tensor(frames)).item()
        energies = np.square(frames - frames.mean(axis=0, dtype=np.float64)).sum(axis=1)
        if median**2 <= _ROUNDING * energies.max():
            raise ValueError(
                "Most frames of the reference set are alike, so that their median distance is 0 "
                "but for rounding, and no width for a kernel. Give bandwidth as a number, or see "
                "whether the recordings are silent."
            )
        return median

    def _dim(self) -> int:
        return self.frames_.shape[1]

    def _distance_from_reference(self, frames: Frames) -> float:
        with single_threaded(), torch.inference_mode():
            return discrepancy(
                torch.tensor(self.frames_),
                torch.tensor(frames),
                torch.tensor(self.mean_kernel_, dtype=torch.float64),
                bandwidth=self.bandwidth_,
            ).item()
