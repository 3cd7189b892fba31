"""What the distances of a set of signals from a reference set share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skperceptual.embeddings.metric import Clips, EmbeddingMetric
from skperceptual.embeddings.precomputed import Frames
from skperceptual.utils.messages import warn_caller

# Numbers of frames of one call that are further apart than this are worth a warning.
_LARGEST_RATIO = 2.0


class SetDistance(EmbeddingMetric):
    """Base of the distances from a reference set, of a whole set of signals or of each by itself.

    A subclass defines ``fit``, ``_dim`` and ``_distance_from_reference``.

    Examples
    --------
    >>> from skperceptual.embeddings import KernelAudioDistance
    >>> from skperceptual.embeddings.set_distance import SetDistance
    >>> issubclass(KernelAudioDistance, SetDistance)
    True
    """

    higher_is_better = False
    symmetric = False

    @abstractmethod
    def _dim(self) -> int:
        """Give the dimension of the frames that this was fitted to."""

    @abstractmethod
    def _distance_from_reference(self, frames: Frames) -> float:
        """Give the distance of frames, two or more, from the reference set."""

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Give the distance of every clip by itself from the reference set.

        Parameters
        ----------
        X : array or list
            Signals of shape (n_signals, n_times), or pairs of shape (n_pairs, 2, n_times), of which
            the degraded version is measured, not the reference; or a list of either. Or embeddings
            of such.

        Returns
        -------
        ndarray of shape (n_signals, 1) or (n_pairs, 1)
            One distance a clip, in the floating-point type of X.

        Raises
        ------
        ValueError
            When a clip has fewer than two frames, or vectors of another dimension than in ``fit``.

        Warns
        -----
        UserWarning
            When clips are too short for the embedding, or their numbers of frames so different that
            their distances are not comparable.
        """
        self._start()
        clips = self._validate_clips(X, pairs=None, reset=False)
        per_clip = self._measured_frames(clips)
        for row, frames in enumerate(per_clip):
            if len(frames) < 2:
                raise ValueError(
                    f"Clip {row} has a single frame, but its distance needs two frames or more. "
                    "Use longer clips, an embedding with a shorter hop_seconds, or the distance of "
                    "the whole set, distance(X)."
                )
        _warn_of_counts([len(frames) for frames in per_clip])
        distances = [self._distance_from_reference(frames) for frames in per_clip]
        return np.asarray(distances, dtype=clips.dtype)[:, np.newaxis]

    def _start(self) -> None:
        check_is_fitted(self)
        self._validate_params()

    def _measured_frames(self, clips: Clips) -> list[Frames]:
        """Embed what is to be compared with the reference."""
        per_clip = self._embed(clips.measured())
        self._check_dim(per_clip[0].shape)
        return per_clip

    def _check_dim(self, shape: tuple[int, ...]) -> None:
        if shape[1] != self._dim():
            advice = (
                "The axes are swapped, frames come first: (n_frames, dim)."
                if shape[0] == self._dim()
                else "Use the embedding that the reference was fitted with, or fit anew."
            )
            raise ValueError(
                f"Expected vectors of {self._dim()} numbers, as in fit, got embeddings of shape "
                f"{shape}. {advice}"
            )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = not self._is_precomputed()
        tags.input_tags.signals = not self._is_precomputed()
        tags.input_tags.signal_pairs = not self._is_precomputed()
        return tags


def _warn_of_counts(counts: list[int]) -> None:
    if max(counts) > _LARGEST_RATIO * min(counts):
        warn_caller(
            f"The clips have from {min(counts)} to {max(counts)} frames. Distances of few frames "
            "depend on their number: compare those of clips of one duration only."
        )
