"""Continuous ratings of an instrument's sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from torch import Tensor, nn

from skperceptual.cello.held_out import check_groups, warn_of_groups
from skperceptual.cello.scorer import InstrumentScorer
from skperceptual.utils._sklearn import _fit_context

__all__ = ["InstrumentQualityRegressor"]


class InstrumentQualityRegressor(RegressorMixin, InstrumentScorer):
    """Predict ratings of the sound of instruments.

    The network of :class:`CelloQualityClassifier`, trained with the squared error of ratings
    instead of classes. It goes behind a :class:`Spectrogram` at the end of a Pipeline. A gain
    changes no prediction.

    Parameters
    ----------
    n_filters : tuple of int, default=(16, 32, 64, 64)
        Channels of the blocks of the network.
    kernel_size : {1, 3, 5, 7, 9}, default=3
        Side of the filters.
    dropout : float, default=0.3
        Probability with which a feature map of the last block is left out in training.
    time_poolings : int, default=3
        In how many blocks pooling halves the frames, besides the bands.
    frequency_cue : {"coordinate", "bands"} or None, default="bands"
        How the network knows the frequency that it looks at: by an input channel that holds it,
        by weights of the last feature maps that differ between bands, or not at all, as in the
        paper.
    dynamic_range_db : float, default=60.0
        Where the floor under a spectrogram lies, in dB below its root mean square. The ``eps`` of
        the front end should lie lower.
    excerpt_frames : int, default=297
        Frames of the excerpts of training, and the shortest recording: 3 s are 297 whole frames
        at a hop of 10 ms. Longer recordings are divided into excerpts of this length or up to
        twice as long, whose predictions are averaged; pauses count for nothing.
    learning_rate : float, default=1e-3
        Step size of Adam.
    weight_decay : float, default=1e-4
        Its squared penalty on the weights.
    batch_size : int, default=32
        Excerpts in a batch; all of them where there are fewer.
    max_epochs : int, default=30
        Passes over the excerpts at most.
    validation_fraction : float, default=0.2
        Share of the groups to stop early by; the best epoch is kept. 0 trains on all recordings
        to the end.
    patience : int, default=6
        Epochs without a better validation loss before training stops.
    random_state : int, RandomState instance or None, default=None
        Draws weights, the order and places of excerpts, dropout, and the validation groups.
    device : str, default="auto"
        Where to compute: ``"auto"`` or a torch device.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
    mean_, scale_ : float
        Mean and standard deviation of the ratings, between which and the outputs of the network
        a linear map stands.
    state_ : dict of str to ndarray
        Weights and statistics of the network.
    module_parameters_ : dict
        What the network was made with. Parameters that are set after ``fit`` change no prediction
        until the next ``fit``.
    n_bands_ : int
        Bands of the spectrograms.
    excerpt_frames_ : int
        Frames of the excerpts.
    history_ : list of dict
        One entry an epoch: ``epoch``, ``loss``, and ``validation_loss`` or None, of ratings in
        units of ``scale_``.
    n_iter_ : int
        Number of epochs.
    n_features_in_ : int
        Number of bands; absent when ``fit`` got a list.

    See Also
    --------
    CelloQualityClassifier : For two classes.

    References
    ----------
    .. [1] P. Verma, J. Berger, "Learning to Model Aspects of Auditory Perception Using Neural
       Loss Functions", 2019, arXiv:1912.05683, section III.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import InstrumentQualityRegressor
    >>> rng = np.random.default_rng(0)
    >>> ratings = np.tile([1.0, 2.0, 3.0, 4.0], 6)
    >>> tilt = np.linspace(-1, 1, 16)[:, None] * ratings[:, None, None]
    >>> images = rng.standard_normal((24, 16, 20)) + tilt
    >>> model = InstrumentQualityRegressor(
    ...     n_filters=(4, 8),
    ...     excerpt_frames=20,
    ...     batch_size=8,
    ...     max_epochs=60,
    ...     learning_rate=0.01,
    ...     validation_fraction=0,
    ...     random_state=0,
    ... )
    >>> bool(model.fit(images, ratings).score(images, ratings) > 0.5)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **InstrumentScorer._parameter_constraints
    }

    def __init__(
        self,
        *,
        n_filters: Sequence[int] = (16, 32, 64, 64),
        kernel_size: int = 3,
        dropout: float = 0.3,
        time_poolings: int = 3,
        frequency_cue: str | None = "bands",
        dynamic_range_db: float = 60.0,
        excerpt_frames: int = 297,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-4,
        batch_size: int = 32,
        max_epochs: int = 30,
        validation_fraction: float = 0.2,
        patience: int = 6,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        verbose: bool | int = 0,
    ) -> None:
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.dropout = dropout
        self.time_poolings = time_poolings
        self.frequency_cue = frequency_cue
        self.dynamic_range_db = dynamic_range_db
        self.excerpt_frames = excerpt_frames
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike, *, groups: ArrayLike | None = None) -> Self:
        """Train the network.

        Ctrl-C ends the training with a warning, and keeps what was reached.

        Parameters
        ----------
        X : array of shape (n_recordings, n_bands, n_frames), or list of (n_bands, n_frames)
            Natural logarithms of magnitudes.
        y : array of shape (n_recordings,)
            Ratings.
        groups : array of shape (n_recordings,), default=None
            The instrument (or the piece) of each recording. Whole groups are held out to stop
            early by.

        Returns
        -------
        self
            The fitted regressor.

        Raises
        ------
        ValueError
            When ratings are no numbers or all alike, or a recording is too short, silent, or has
            another number of bands than the first.
        FloatingPointError
            When the loss becomes NaN or infinite. The weights before that step are kept.
        """
        recordings = self._validate_images(X, reset=True)
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        ratings: NDArray[np.float64] = check_array(
            column_or_1d(y, warn=True), ensure_2d=False, dtype=np.float64, input_name="y"
        )
        check_consistent_length(recordings, ratings)
        instruments = check_groups(groups, len(ratings))
        one_class = np.zeros(len(ratings), dtype=np.intp)
        warn_of_groups(self, instruments, one_class, [])
        mean, scale = float(ratings.mean()), float(ratings.std()) or 1.0
        standardised = ((ratings - mean) / scale).astype(np.float32)
        trained, history = self._train(recordings, standardised, one_class, instruments)
        # Whatever fails until here leaves a former fit whole.
        self._keep_training(X, recordings, trained, history)
        self.mean_, self.scale_ = mean, scale
        trained.tell()
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predict ratings.

        Parameters
        ----------
        X : array of shape (n_recordings, n_bands, n_frames), or list of (n_bands, n_frames)
            Natural logarithms of magnitudes.

        Returns
        -------
        ndarray of shape (n_recordings,)
            Ratings, the means over the excerpts of a recording.
        """
        return self._recording_scores(X)

    def _to_score(self, outputs: Tensor) -> Tensor:
        return self.mean_ + self.scale_ * outputs

    def _criterion(self) -> nn.Module:
        return nn.MSELoss()
