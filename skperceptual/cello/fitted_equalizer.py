"""A fitted equaliser at work: masks on spectrograms and on audio, and what they are worth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skperceptual.base import PerceptualEstimator
from skperceptual.cello.frozen_scorer import check_same_frames, find_front_end, unwrap_scorer
from skperceptual.cello.mask_report import describe_masks
from skperceptual.cello.mask_search import MaskObjective, content, find_masks
from skperceptual.cello.mask_shapes import MaskShape, real_pair, whole_pair
from skperceptual.cello.masked_audio import apply_masks, check_invertible
from skperceptual.functional.masks import mask_roughness
from skperceptual.utils.devices import resolve_device
from skperceptual.utils.validation import Batch, ImageBatch, is_ragged

_NEPERS_A_DB = math.log(10) / 20


class FittedEqualizer(TransformerMixin, PerceptualEstimator):
    """What an equaliser does once it has been fitted, and how it searches.

    A subclass has the parameters below, and fits.
    """

    estimator: Any
    alpha: float
    beta: float
    roughness: str
    init: str
    max_gain_db: float
    init_gain_db: float
    n_blocks: int
    block_bands: tuple[int, int]
    block_frames: tuple[int, int]
    grid_cell: tuple[int, int]
    smoothing: tuple[float, float]
    learning_rate: float
    max_iter: int
    front_end: Any
    batch_size: int
    verbose: bool | int
    seed_: int

    def transform(self, X: Any) -> ImageBatch:
        """Find the masks of recordings and add them.

        Parameters
        ----------
        X : array of shape (n_recordings, n_bands, n_frames), or list of (n_bands, n_frames)
            Spectrograms as the scorer reads them.

        Returns
        -------
        ndarray or list
            Equalised spectrograms.
        """
        check_is_fitted(self, "seed_")
        recordings = self._validate_images(X, reset=False)
        return add_masks(recordings, self._find_masks(recordings, self.seed_)[1])

    def transform_audio(self, X: Any, *, masks: Any = None) -> Batch:
        """Equalise signals: masks on the magnitudes, the phase as it was.

        Parameters
        ----------
        X : array of shape (n_signals, n_times), or list of arrays of shape (n_times,)
            Signals.
        masks : array of shape (n_signals, n_bands, n_frames), or list, default=None
            Masks for their spectrograms, such as ``masks_``; None finds them. Masks of 0 give
            back the signals.

        Returns
        -------
        ndarray or list
            Signals of the same lengths. Gains can lift them beyond ±1.

        Raises
        ------
        ValueError
            When it is not known which :class:`Spectrogram` to take, or a mask has another size
            than its spectrogram.
        """
        check_is_fitted(self, "seed_")
        front_end = find_front_end(self.estimator, self.front_end)
        if front_end is None:
            raise ValueError(
                "It is not known which Spectrogram made the images of the scorer. Give "
                "front_end=Spectrogram(...) with its parameters, or, as estimator, the whole "
                "Pipeline."
            )
        check_invertible(front_end)
        if masks is None:
            images = front_end.transform(X)
            masks = self._find_masks(self._validate_images(images, reset=False), self.seed_)[1]
        return apply_masks(front_end, X, masks)

    def report(
        self, X: Any, *, masks: Any = None, other_estimator: Any = None, n_controls: int = 8
    ) -> pd.DataFrame:
        """Say what masks do, beside what they would do if they meant nothing.

        A mask can bring down the score that it was made for without any change that another
        listener, or another network, would notice: it is then an adversarial example.

        Parameters
        ----------
        X : array of shape (n_recordings, n_bands, n_frames), or list of (n_bands, n_frames)
            Spectrograms as the scorer reads them.
        masks : array or list, default=None
            Their masks, such as ``masks_``; None finds them.
        other_estimator : estimator, default=None
            A fitted classifier that was trained independently, best on other instruments, on
            spectrograms of the same front end.
        n_controls : int, default=8
            Number of random smooth masks a recording.

        Returns
        -------
        DataFrame
            One row a recording, with the columns

            ``score_before``, ``score_after``
                The paper's score without and with the mask.
            ``score_control``
                The mean score with random smooth masks of the same energy. A mask that does no
                better has found nothing.
            ``other_before``, ``other_after``, ``transfer``
                Scores of the other estimator, and how much of the drop it shares: near 1 for what
                both call quality, near 0 for an adversarial mask. NaN without the other, and for
                a drop below 0.01.
            ``rms_db``
                Root mean square of the mask in dB.
            ``roughness``
                Its total variation, in natural logarithms.
            ``relative_roughness``
                The same over the root mean square: 2.3 for white noise, whatever its size.

        Raises
        ------
        ValueError
            When a mask has another size than its spectrogram, or the other estimator reads other
            spectrograms.

        Examples
        --------
        >>> import numpy as np
        >>> from skperceptual import SpectralMaskEqualizer
        >>> from skperceptual.utils.estimator_checks.scorers import TiltScorer
        >>> images = np.random.default_rng(0).standard_normal((1, 40, 60))
        >>> equalizer = SpectralMaskEqualizer(TiltScorer(), random_state=0, max_iter=50)
        >>> table = equalizer.fit(images).report(images, masks=equalizer.masks_)
        >>> bool(table.loc[0, "score_after"] < table.loc[0, "score_before"])
        True
        """
        check_is_fitted(self, "seed_")
        recordings = self._validate_images(X, reset=False)
        scorers = [unwrap_scorer(self.estimator)[0]]
        if other_estimator is not None:
            other, other_front_end = unwrap_scorer(other_estimator)
            own_front_end = find_front_end(self.estimator, self.front_end)
            check_same_frames(own_front_end, other_front_end, "other_estimator")
            scorers.append(other)
        if masks is None:
            masks = self._find_masks(recordings, self.seed_)[1]
        return describe_masks(
            scorers,
            recordings,
            masks,
            sigma=real_pair("smoothing", self.smoothing),
            n_controls=n_controls,
            seeds=[(self.seed_, 1, *content(recording)) for recording in recordings],
        )

    def _find_masks(
        self, recordings: ImageBatch, seed: int
    ) -> tuple[ImageBatch, ImageBatch, NDArray[np.float32]]:
        """Search for masks with the parameters as they are now."""
        self._validate_params()
        find_front_end(self.estimator, self.front_end)  # two that differ should not come out later
        scorer, _ = unwrap_scorer(self.estimator)
        objective = MaskObjective(
            scorer.score_images,
            self.alpha,
            self.beta,
            lambda masks: mask_roughness(masks, self.roughness),
        )
        unsmoothed, masks, history = find_masks(
            objective,
            self._mask_shape(),
            recordings,
            device=resolve_device(scorer.device),
            seed=seed,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            n_steps=self.max_iter,
            caller=type(self).__name__,
            verbose=self.verbose,
        )
        if is_ragged(recordings):
            return unsmoothed, masks, history
        return np.stack(unsmoothed), np.stack(masks), history

    def _mask_shape(self) -> MaskShape:
        return MaskShape(
            self.init,
            self.max_gain_db * _NEPERS_A_DB,
            self.init_gain_db * _NEPERS_A_DB,
            self.n_blocks,
            whole_pair("block_bands", self.block_bands, ordered=True),
            whole_pair("block_frames", self.block_frames, ordered=True),
            whole_pair("grid_cell", self.grid_cell),
            real_pair("smoothing", self.smoothing),
        )

    def _validate_images(self, X: Any, *, reset: bool) -> ImageBatch:
        """Check recordings; ``fit`` itself records what is kept of them."""
        batch: ImageBatch = unwrap_scorer(self.estimator)[0].check_recordings(X)
        if not reset:
            self._record_features(X, batch, reset=False)
        return batch

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.images = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def add_masks(recordings: ImageBatch, masks: Any) -> ImageBatch:
    """Add masks to spectrograms, in the precision of these."""
    if is_ragged(recordings):
        return [
            image + mask.astype(image.dtype) for image, mask in zip(recordings, masks, strict=True)
        ]
    return recordings + masks.astype(recordings.dtype)  # type: ignore[union-attr]
