"""What the metrics on embeddings share: signals or frames in, frames of each clip out."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils import Tags

from skperceptual.base import PerceptualEstimator
from skperceptual.embeddings.naming import describe
from skperceptual.embeddings.precomputed import Frames, check_precomputed
from skperceptual.embeddings.resolution import resolve_embedding
from skperceptual.embeddings.signals import embed_clips
from skperceptual.utils._sklearn import HasMethods, Interval
from skperceptual.utils.fingerprint import fingerprint
from skperceptual.utils.validation import check_signals


class Clips(NamedTuple):
    """Checked clips or pairs of them: signals, or frames that the user computed.

    Parameters
    ----------
    items : list
        For each clip an array, for each pair its reference and its degraded version.
    are_pairs : bool
        Which of the two they are.
    """

    items: list[Any]
    are_pairs: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        """The floating-point type of the clips."""
        first = self.items[0]
        return first[0].dtype if self.are_pairs else first.dtype

    def measured(self) -> list[NDArray[np.floating]]:
        """Give the clips, or the degraded version of each pair."""
        return [pair[1] for pair in self.items] if self.are_pairs else self.items

    def references(self) -> list[NDArray[np.floating]]:
        """Give the clips, or each different reference of the pairs once, in their order."""
        if not self.are_pairs:
            return self.items
        found: dict[bytes, NDArray[np.floating]] = {}
        for pair in self.items:
            found.setdefault(fingerprint(pair[0]), pair[0])
        return list(found.values())


class EmbeddingMetric(TransformerMixin, PerceptualEstimator):
    """Base of the metrics that compare signals by their embeddings.

    A subclass has the parameters ``embedding`` and ``sr``; which kinds of X it reads say its tags.

    Examples
    --------
    >>> from skperceptual.embeddings import EmbeddingSimilarity, FrechetAudioDistance
    >>> EmbeddingSimilarity.higher_is_better, FrechetAudioDistance.higher_is_better
    (True, False)
    """

    higher_is_better: ClassVar[bool]
    bounds: ClassVar[tuple[float, float]]
    symmetric: ClassVar[bool]

    embedding: Any
    sr: int

    _embedding_constraints: ClassVar[dict[str, list[Any]]] = {
        "embedding": [str, HasMethods("transform"), callable],
        "sr": [Interval(Integral, 1, None, closed="left")],
    }

    def _is_precomputed(self) -> bool:
        return isinstance(self.embedding, str) and self.embedding == "precomputed"

    def _validate_clips(self, X: Any, *, pairs: bool | None, reset: bool) -> Clips:
        """Check X, and record what the estimator is fitted to."""
        if self._is_precomputed():
            items = check_precomputed(X, pairs=pairs)
            clips = Clips(items, isinstance(items[0], tuple))
            if reset:
                self.n_features_in_ = clips.measured()[0].shape[1]
            return clips
        batch = check_signals(X, pairs=pairs)
        self._record_features(X, batch, reset=reset)
        return Clips(list(batch), isinstance(batch[0], tuple) or batch[0].ndim == 2)

    def _embed(self, clips: list[NDArray[np.floating]]) -> list[Frames]:
        """Give the frames of each clip."""
        if self._is_precomputed():
            return clips
        embedding = resolve_embedding(self.embedding, sr=self.sr)
        return embed_clips(clips, sr=self.sr, embedding=embedding)

    def _embedding_name(self) -> str:
        """Name the embedding by what decides its vectors, alike in every process."""
        if self._is_precomputed():
            return ""
        embedding = resolve_embedding(self.embedding, sr=self.sr)
        identity = getattr(embedding, "identity", None)
        return str(identity()) if callable(identity) else describe(embedding)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Name the output features.

        Parameters
        ----------
        input_features : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        ndarray of str
            One name.
        """
        return np.asarray([type(self).__name__.lower()], dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
