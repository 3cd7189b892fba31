"""The score network of the paper as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags, assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from torch import Tensor, nn

from skperceptual.cello.held_out import check_groups, warn_of_groups
from skperceptual.cello.scorer import InstrumentScorer
from skperceptual.networks.instrument import SigmoidSquaredError
from skperceptual.utils._sklearn import StrOptions, _fit_context

__all__ = ["CelloQualityClassifier"]

_LOSSES = {"squared_error": SigmoidSquaredError, "log_loss": nn.BCEWithLogitsLoss}


class CelloQualityClassifier(ClassifierMixin, InstrumentScorer):
    """Tell the sound of expensive instruments from that of cheap ones.

    A small convolutional network scores log-magnitude spectrograms, 0 for the class that sorts
    first and 1 for the other, as in [1]_. It goes behind a :class:`Spectrogram` at the end of a
    Pipeline. A gain changes no score.

    Parameters
    ----------
    loss : {"squared_error", "log_loss"}, default="squared_error"
        The paper's squared difference between score and class, or binary cross-entropy.
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
        twice as long, whose scores are averaged; pauses count for nothing.
    learning_rate : float, default=1e-3
        Step size of Adam.
    weight_decay : float, default=1e-4
        Its squared penalty on the weights.
    batch_size : int, default=32
        Excerpts in a batch; all of them where there are fewer.
    max_epochs : int, default=30
        Passes over the excerpts at most.
    validation_fraction : float, default=0.2
        Share of the groups of each class to stop early by; the best epoch is kept. 0 trains on
        all recordings to the end.
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
    classes_ : ndarray of shape (2,)
        The classes in sorted order. ``predict_proba(X)[:, 1]``, the paper's score, belongs to the
        second one.
    state_ : dict of str to ndarray
        Weights and statistics of the network.
    module_parameters_ : dict
        What the network was made with. Parameters that are set after ``fit`` change no score
        until the next ``fit``.
    n_bands_ : int
        Bands of the spectrograms.
    excerpt_frames_ : int
        Frames of the excerpts.
    history_ : list of dict
        One entry an epoch: ``epoch``, ``loss``, and ``validation_loss`` or None.
    n_iter_ : int
        Number of epochs.
    n_features_in_ : int
        Number of bands; absent when ``fit`` got a list.

    See Also
    --------
    InstrumentQualityRegressor : For ratings instead of classes.
    SpectralMaskEqualizer : Lowers the score of a recording.
    skperceptual.inspection.saliency_maps : Shows what a score comes from.

    Notes
    -----
    Name the classes so that the expensive one sorts first: 0 and 1, or "A" and "B".
    "cheap" and "expensive" would turn the score around.

    With one instrument a class, nobody can tell quality from identity: give several, and their
    names as ``groups``, to ``fit`` and to cross-validation alike. What a score calls quality is
    what sets these instruments, players, rooms and microphones apart.

    References
    ----------
    .. [1] P. Verma, J. Berger, "Learning to Model Aspects of Auditory Perception Using Neural
       Loss Functions", 2019, arXiv:1912.05683, section III.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skperceptual import CelloQualityClassifier, Spectrogram
    >>> rng = np.random.default_rng(0)
    >>> bright = rng.standard_normal((6, 16000))
    >>> dull = np.cumsum(bright, axis=1) - np.cumsum(bright, axis=1).mean(axis=1, keepdims=True)
    >>> signals, instrument = np.concatenate([bright, dull]), np.arange(12) // 2
    >>> quality = np.repeat(["A", "B"], 6)
    >>> scorer = make_pipeline(
    ...     Spectrogram(win_length=480, eps=1e-5),
    ...     CelloQualityClassifier(n_filters=(4, 4), excerpt_frames=90, random_state=0),
    ... )
    >>> scorer = scorer.fit(signals, quality, celloqualityclassifier__groups=instrument)
    >>> scorer.predict(signals[[0, 7]])
    array(['A', 'B'], dtype='<U1')
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **InstrumentScorer._parameter_constraints,
        "loss": [StrOptions(set(_LOSSES))],
    }

    def __init__(
        self,
        *,
        loss: str = "squared_error",
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
        self.loss = loss
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
            Two classes, the expensive one first in sorted order.
        groups : array of shape (n_recordings,), default=None
            The instrument (or the piece) of each recording. Whole groups are held out to stop
            early by.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            When there are not two classes, or a recording is too short, silent, or has another
            number of bands than the first.
        FloatingPointError
            When the loss becomes NaN or infinite. The weights before that step are kept.
        """
        recordings = self._validate_images(X, reset=True)
        given: NDArray[Any] = column_or_1d(y, warn=True)
        assert_all_finite(given, input_name="y")
        check_classification_targets(given)
        check_consistent_length(recordings, given)
        kind = type_of_target(given, input_name="y")
        classes, codes = np.unique(given, return_inverse=True)
        if len(classes) > 2:
            raise ValueError(
                f"Only binary classification is supported. The type of the target is {kind}. For "
                "more grades of quality, use InstrumentQualityRegressor."
            )
        if len(classes) < 2:
            raise ValueError(
                "Expected recordings of two classes, the expensive instruments and the cheap "
                f"ones, got one class alone: {classes.tolist()[0]!r}."
            )
        instruments = check_groups(groups, len(given))
        warn_of_groups(self, instruments, codes, [repr(name) for name in classes.tolist()])
        trained, history = self._train(recordings, codes.astype(np.float32), codes, instruments)
        # Whatever fails until here leaves a former fit whole.
        self._keep_training(X, recordings, trained, history)
        self.classes_ = classes
        trained.tell()
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Score recordings.

        Parameters
        ----------
        X : array of shape (n_recordings, n_bands, n_frames), or list of (n_bands, n_frames)
            Natural logarithms of magnitudes.

        Returns
        -------
        ndarray of shape (n_recordings, 2)
            The second column is the paper's score, the mean over the excerpts of a recording: 0
            for ``classes_[0]``, the expensive instruments. It falls with quality. The first
            column is 1 less it.
        """
        scores = self._recording_scores(X)
        return np.column_stack([1 - scores, scores])

    def predict(self, X: Any) -> NDArray[Any]:
        """Give the class of recordings.

        Parameters
        ----------
        X : array of shape (n_recordings, n_bands, n_frames), or list of (n_bands, n_frames)
            Natural logarithms of magnitudes.

        Returns
        -------
        ndarray of shape (n_recordings,)
            The second class where the score is above 0.5.
        """
        scores = self._recording_scores(X)
        return self.classes_[(scores > 0.5).astype(int)]

    def _to_score(self, outputs: Tensor) -> Tensor:
        return torch.sigmoid(outputs)

    def _criterion(self) -> nn.Module:
        return _LOSSES[self.loss]()

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
