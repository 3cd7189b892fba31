"""The similarity of two signals as the cosine between their embeddings."""

from __future__ import annotations

from itertools import combinations
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skperceptual.embeddings.metric import Clips, EmbeddingMetric
from skperceptual.embeddings.precomputed import Frames
from skperceptual.functional.embedding_distance import FRAME_POOLINGS, embedding_distance
from skperceptual.utils._sklearn import StrOptions, _fit_context
from skperceptual.utils.messages import counted, in_a_line, warn_caller
from skperceptual.utils.threads import single_threaded

# Padding and rounding of the hop account for one.
_FRAMES_BESIDE = 1


class EmbeddingSimilarity(EmbeddingMetric):
    """Cosine similarity of the embeddings of a reference and its degraded version.

    Both signals of a pair become frames of vectors, which are compared with those of the same time;
    the mean over the frames is the similarity [1]_.

    Parameters
    ----------
    embedding : str, embedding, torch.nn.Module or callable, default="shipped"
        What turns signals into vectors: ``"shipped"``, the encoder that is part of this package;
        ``"vggish"`` or ``"openl3"``, whose weights are files of their own; or anything that
        :func:`skperceptual.embeddings.resolve_embedding` takes. With ``"precomputed"``, X holds
        pairs of embeddings instead of signals, of shape (n_pairs, 2, n_frames, dim) or a list.
    sr : int, default=16000
        Sampling rate of the signals in Hz. They are resampled to the embedding's own rate where it
        is another one.
    pooling : {"frame_mean", "mean_pool"}, default="frame_mean"
        ``"frame_mean"`` averages the cosines of frames of the same time; where one signal has more
        frames than the other, those beyond the end of the shorter one are left out.
        ``"mean_pool"`` takes the cosine of the two mean frames, whatever their number: it does not
        hear when something happens.
    center : {"reference"} or array-like of shape (dim,), default=None
        What is subtracted from every frame before cosines are taken: ``"reference"`` the mean frame
        of the references in ``fit``, each different one counted once; or a vector.

    Attributes
    ----------
    center_ : ndarray of shape (dim,)
        The mean frame of the references; with ``center="reference"`` only.
    n_features_in_ : int
        Of arrays, the length of axis 1; of precomputed embeddings, their dimension.

    See Also
    --------
    skperceptual.functional.EmbeddingLoss : One less the same number, as a loss.
    FrechetAudioDistance : Compares sets of signals that need no pairs.

    Notes
    -----
    The cosine of embeddings does not fall to 0 where two signals have nothing in common. Many
    embeddings have values of one sign or a strong mean, so that all vectors point more or less the
    same way: speech and unrelated music have a similarity of .95 in OpenL3, more than speech and
    the same speech in 4 bits. ``floor`` measures it for an embedding on signals of your own; read
    similarities against it, and compare only those of one embedding. ``center`` widens the range,
    though not always the agreement with listeners.

    A vector of zeros has a similarity of 1 with another one and of 0 with any other vector.

    References
    ----------
    .. [1] S. Ghosh, "Implementation of a neural network-based perceptual loss for audio", seminar
       report, Technische Universität Ilmenau, 2025.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.embeddings import EmbeddingSimilarity, LogMelEmbedding
    >>> rng = np.random.default_rng(0)
    >>> reference = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> degraded = [reference + noise * rng.standard_normal(16000) for noise in (0.0, 0.01, 0.1)]
    >>> pairs = np.stack([np.stack([reference, version]) for version in degraded])
    >>> EmbeddingSimilarity(LogMelEmbedding()).transform(pairs).round(2)
    array([[1.  ],
           [0.64],
           [0.44]])
    """

    higher_is_better = True
    bounds = (-1.0, 1.0)
    symmetric = True

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **EmbeddingMetric._embedding_constraints,
        "pooling": [StrOptions(set(FRAME_POOLINGS))],
        "center": [StrOptions({"reference"}), "array-like", None],
    }

    def __init__(
        self,
        embedding: Any = "shipped",
        *,
        sr: int = 16000,
        pooling: str = "frame_mean",
        center: str | ArrayLike | None = None,
    ) -> None:
        self.embedding = embedding
        self.sr = sr
        self.pooling = pooling
        self.center = center

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Check the pairs, and learn the mean frame of their references where that is wanted.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_times), or list of pairs
            Pairs of signals, the reference first; or pairs of embeddings.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The metric itself.
        """
        pairs = self._validate_pairs(X, reset=True)
        if self._learns():
            frames = self._embed(pairs.references())
            self.center_ = np.concatenate(frames).astype(np.float64).mean(axis=0)
        return self

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Give the similarity of every pair.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_times), or list of pairs
            Pairs of signals, the reference first; their lengths may differ in a list, also those
            of the two signals of a tuple. Or pairs of embeddings.

        Returns
        -------
        ndarray of shape (n_pairs, 1)
            Similarities from -1 to 1, in the floating-point type of X; 1 where nothing changed.

        Raises
        ------
        ValueError
            When X is not what it should be, or an embedding's dimension is not that of the centre.

        Warns
        -----
        UserWarning
            When clips are too short for the embedding, and when two signals of a pair differ by
            more than one frame and are compared frame by frame.
        """
        self._start()
        pairs = self._validate_pairs(X, reset=False)
        clips = [clip for pair in pairs.items for clip in pair]
        frames = self._embed(clips)
        compared = list(zip(frames[::2], frames[1::2], strict=True))
        if self.pooling == "frame_mean":
            _warn_of_frames(compared)
        similarities = [self._similarity(*pair) for pair in compared]
        return np.asarray(similarities, dtype=pairs.dtype)[:, np.newaxis]

    def floor(self, X: Any) -> float:
        """Measure how similar signals are that have nothing to do with one another.

        Each clip is compared with every other one.

        Parameters
        ----------
        X : array or list
            Clean recordings of different contents, two or more: signals of shape (n_signals,
            n_times), or pairs, of which each different reference counts once. Or embeddings of
            such.

        Returns
        -------
        float
            The mean similarity, below which a similarity says nothing about damage.

        Raises
        ------
        ValueError
            When there is but one recording.
        """
        self._start()
        clips = self._validate_clips(X, pairs=None, reset=False).references()
        if len(clips) < 2:
            raise ValueError(
                "The floor needs at least two different recordings, got one. Give clean recordings "
                "that have nothing to do with one another."
            )
        frames = self._embed(clips)
        return float(np.mean([self._similarity(*pair) for pair in combinations(frames, 2)]))

    def _learns(self) -> bool:
        return isinstance(self.center, str)

    def _start(self) -> None:
        self._validate_params()
        if self._learns():
            check_is_fitted(self)

    def _validate_pairs(self, X: Any, *, reset: bool) -> Clips:
        return self._validate_clips(X, pairs=True, reset=reset)

    def _similarity(self, reference: Frames, degraded: Frames) -> float:
        center = self.center_ if self._learns() else self.center
        with single_threaded(), torch.inference_mode():
            distance = embedding_distance(
                torch.tensor(reference, dtype=torch.float64),
                torch.tensor(degraded, dtype=torch.float64),
                pooling=self.pooling,
                center=None if center is None else torch.tensor(np.asarray(center, np.float64)),
            )
        return 1 - distance.item()

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = self._learns()
        tags.input_tags.two_d_array = False
        tags.input_tags.signal_pairs = not self._is_precomputed()
        return tags


def _warn_of_frames(pairs: list[tuple[Frames, Frames]]) -> None:
    unequal = [
        row
        for row, (reference, degraded) in enumerate(pairs)
        if abs(len(reference) - len(degraded)) > _FRAMES_BESIDE
    ]
    if unequal:
        counts = " and ".join(str(len(frames)) for frames in pairs[unequal[0]])
        warn_caller(
            f"Reference and degraded signal of {counted(len(unequal), 'pair')} (row "
            f"{in_a_line(unequal)}) differ in their number of frames, {counts} in the first of "
            "them. What one of them has beyond the end of the other is left out; cut both with "
            "FixDuration(), or use pooling='mean_pool'."
        )
