"""The adaptive equaliser of the paper: one mask a recording, led by a fitted score."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from skperceptual.cello.fitted_equalizer import FittedEqualizer, add_masks
from skperceptual.cello.mask_shapes import STARTS
from skperceptual.functional.masks import ROUGHNESSES
from skperceptual.utils._sklearn import HasMethods, Interval, StrOptions, _fit_context
from skperceptual.utils.random_states import own_random_state
from skperceptual.utils.validation import ImageBatch

__all__ = ["SpectralMaskEqualizer"]


class SpectralMaskEqualizer(FittedEqualizer):
    """Find a mask for each recording that brings down the score of a fitted classifier.

    A mask is added to the log-magnitude spectrogram: a gain for every band and frame, an
    equaliser that follows the signal, as in [1]_. For each spectrogram X, the search minimises ::

        score(X + M) + alpha * mean(M**2) + beta * roughness(M)

    in the natural logarithms of the spectrogram, where 6 dB are 0.69. The classifier is frozen.

    Parameters
    ----------
    estimator : estimator
        A fitted :class:`CelloQualityClassifier`, or a Pipeline of a :class:`Spectrogram` and one.
        Wrap it in :class:`sklearn.frozen.FrozenEstimator` where the equaliser is cloned, as
        cross-validation and grid search do.
    alpha : float, default=0.1
        Weight of the squared mask: how little may change.
    beta : float, default=0.05
        Weight of the roughness.
    roughness : {"variance", "tv", "tikhonov"}, default="variance"
        The paper's variance of the mask, which is blind to how its values follow one another, or
        the mean absolute (``"tv"``) or squared (``"tikhonov"``, recommended) steps between
        neighbours; see :func:`skperceptual.functional.mask_roughness`.
    init : {"blocks", "grid", "random", "flat"}, default="blocks"
        What the search begins with: the paper's rectangles at random places, whose sum is
        smoothed with ``smoothing``; a coarse ``"grid"`` of gains with straight lines between
        them (recommended: smooth whatever the score wants); Gaussian noise in every pixel,
        which the paper warns of; or no gain anywhere.
    max_gain_db : float, default=12.0
        Largest gain and cut.
    init_gain_db : float, default=6.0
        Largest gain of a block. The noise of ``init="random"`` has as much energy.
    n_blocks : int, default=40
        Number of blocks.
    block_bands, block_frames : (int, int), default=(8, 64), (10, 80)
        Least and largest height and width of a block.
    grid_cell : (int, int), default=(16, 30)
        Bands and frames of a cell of the grid.
    smoothing : (float, float), default=(4.0, 7.0)
        Standard deviations, in bands and frames, of the Gaussian that averages blocks: 125 Hz
        and 70 ms in the paper's spectrograms.
    learning_rate : float, default=0.05
        Step size of Adam.
    max_iter : int, default=300
        Number of steps.
    front_end : Spectrogram, default=None
        What made the spectrograms, for ``transform_audio``; None takes the step of the Pipeline.
    batch_size : int, default=1
        Recordings of one length to search for side by side. More are faster on a GPU, where the
        last bits of a mask then depend on its neighbours.
    random_state : int, RandomState instance or None, default=None
        Where blocks and noise come from. They differ from recording to recording, and are the
        same for one recording wherever it stands.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
    masks_ : ndarray of shape (n_recordings, n_bands, n_frames), or list
        The masks of the recordings that ``fit`` saw, natural logarithms of gains.
    unsmoothed_masks_ : ndarray of shape (n_recordings, n_bands, n_frames), or list
        The same before ``smoothing``.
    history_ : ndarray of shape (n_recordings, max_iter)
        What the search minimised, before each of its steps.
    n_iter_ : int
        Number of steps, ``max_iter``.
    seed_ : int
        Drawn from ``random_state``.
    n_features_in_ : int
        Number of bands; absent when ``fit`` got a list.

    See Also
    --------
    CelloQualityClassifier : Learns the score.
    skperceptual.plotting.EqualizerDisplay : The paper's figure 1.
    skperceptual.plotting.MaskSmoothingDisplay : Its figure 2.

    Notes
    -----
    The paper's terms are sums in units it does not say; these are means, so that ``alpha`` does
    not depend on the size of a spectrogram. Blocks are smoothed within the search, so that what
    was scored is what one gets. A small ``beta`` does not keep masks from being adversarial; look
    at :meth:`report`.

    ``masks_`` are those of ``fit``. ``transform`` searches anew for every recording that it is
    given, with the parameters as they are then, and finds the same masks for the same recordings.

    References
    ----------
    .. [1] P. Verma, J. Berger, "Learning to Model Aspects of Auditory Perception Using Neural
       Loss Functions", 2019, arXiv:1912.05683, section III.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.frozen import FrozenEstimator
    >>> from skperceptual import CelloQualityClassifier, SpectralMaskEqualizer
    >>> rng = np.random.default_rng(0)
    >>> tilt = np.linspace(-1, 1, 16)[:, None] * np.array([-2, 2])[:, None, None]
    >>> images, quality = rng.standard_normal((12, 16, 20)) + np.tile(tilt, (6, 1, 1)), [0, 1] * 6
    >>> scorer = CelloQualityClassifier(
    ...     n_filters=(4, 8), excerpt_frames=20, validation_fraction=0, random_state=0
    ... ).fit(images, quality)
    >>> equalizer = SpectralMaskEqualizer(
    ...     FrozenEstimator(scorer), init="grid", grid_cell=(5, 10), alpha=0.01, max_iter=60
    ... )
    >>> cheap = images[1::2]
    >>> better = equalizer.fit_transform(cheap)
    >>> scores = scorer.predict_proba(cheap)[:, 1], scorer.predict_proba(better)[:, 1]
    >>> bool((scores[1] < scores[0]).all())
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "beta": [Interval(Real, 0, None, closed="left")],
        "roughness": [StrOptions(set(ROUGHNESSES))],
        "init": [StrOptions(set(STARTS))],
        "max_gain_db": [Interval(Real, 0, None, closed="neither")],
        "init_gain_db": [Interval(Real, 0, None, closed="left")],
        "n_blocks": [Interval(Integral, 1, None, closed="left")],
        "block_bands": [tuple, list],
        "block_frames": [tuple, list],
        "grid_cell": [tuple, list],
        "smoothing": [tuple, list],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "front_end": [HasMethods(["transform", "frame_times"]), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        alpha: float = 0.1,
        beta: float = 0.05,
        roughness: str = "variance",
        init: str = "blocks",
        max_gain_db: float = 12.0,
        init_gain_db: float = 6.0,
        n_blocks: int = 40,
        block_bands: tuple[int, int] = (8, 64),
        block_frames: tuple[int, int] = (10, 80),
        grid_cell: tuple[int, int] = (16, 30),
        smoothing: tuple[float, float] = (4.0, 7.0),
        learning_rate: float = 0.05,
        max_iter: int = 300,
        front_end: Any = None,
        batch_size: int = 1,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.estimator = estimator
        self.alpha = alpha
        self.beta = beta
        self.roughness = roughness
        self.init = init
        self.max_gain_db = max_gain_db
        self.init_gain_db = init_gain_db
        self.n_blocks = n_blocks
        self.block_bands = block_bands
        self.block_frames = block_frames
        self.grid_cell = grid_cell
        self.smoothing = smoothing
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.front_end = front_end
        self.batch_size = batch_size
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Find the masks of recordings.

        Parameters
        ----------
        X : array of shape (n_recordings, n_bands, n_frames), or list of (n_bands, n_frames)
            Spectrograms as the scorer reads them, natural logarithms of magnitudes.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The equaliser, with ``masks_``.

        Raises
        ------
        ValueError
            When there is no fitted scorer, a range is none, or a spectrogram does not suit it.
        """
        recordings = self._validate_images(X, reset=True)
        seed = int(own_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        found = self._find_masks(recordings, seed)
        # Whatever fails until here leaves a former fit whole.
        self.seed_ = seed
        self.unsmoothed_masks_, self.masks_, self.history_ = found
        self.n_iter_ = self.max_iter
        self._record_features(X, recordings, reset=True)
        return self

    def fit_transform(self, X: Any, y: ArrayLike | None = None) -> ImageBatch:
        """Find the masks of recordings, keep them, and add them.

        Parameters
        ----------
        X : array of shape (n_recordings, n_bands, n_frames), or list of (n_bands, n_frames)
            Spectrograms as the scorer reads them.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        ndarray or list
            Equalised spectrograms, what ``fit(X).transform(X)`` gives in half the time.
        """
        masks = self.fit(X).masks_
        return add_masks(self._validate_images(X, reset=False), masks)
