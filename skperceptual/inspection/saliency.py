"""Which parts of a recording a score comes from, in Hz and seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import is_classifier

from skperceptual.cello.excerpts import sounding_slices
from skperceptual.cello.frozen_scorer import unwrap_scorer
from skperceptual.cello.mask_shapes import whole_pair
from skperceptual.inspection.saliency_methods import METHODS, cell_size, enlarge
from skperceptual.utils.pipelines import flat_steps

__all__ = ["SaliencyMap", "saliency_maps"]


@dataclass(frozen=True, eq=False)  # arrays do not compare to a single truth
class SaliencyMap:
    """What speaks for a class, or for a higher rating, in one recording.

    Parameters
    ----------
    image : ndarray of shape (n_bands, n_frames)
        The spectrogram.
    map : ndarray of shape (n_rows, n_columns)
        What each place says: above 0 for the class, below 0 against it. As many rows and columns
        as the spectrogram, unless asked for without interpolation.
    frequencies : ndarray of shape (n_rows,) or None
        Frequency of each row in Hz; None where no front end says so.
    times : ndarray of shape (n_columns,) or None
        Time of each column in seconds; None where no front end says so.
    method : str
        What made the map.
    target : object
        The class that is explained; None for ratings.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.inspection import SaliencyMap
    >>> saliency = SaliencyMap(np.zeros((1, 3)), np.array([[-1.0, 1.0, 4.0]]), None, None, "cam", 0)
    >>> saliency.normalized
    array([[0.  , 0.25, 1.  ]])
    """

    image: NDArray[np.floating]
    map: NDArray[np.floating]
    frequencies: NDArray[np.float64] | None
    times: NDArray[np.float64] | None
    method: str
    target: Any

    @property
    def normalized(self) -> NDArray[np.floating]:
        """What speaks for the class, from 0 to 1.

        Returns
        -------
        ndarray of shape (n_rows, n_columns)
            The map without its negative values, over its maximum.
        """
        positive = np.maximum(self.map, 0)
        return positive / (positive.max() or 1)


def saliency_maps(
    estimator: Any,
    X: Any,
    *,
    method: str = "cam",
    target: Any = None,
    layer: int | None = None,
    patch: tuple[int, int] = (16, 20),
    interpolate: bool = True,
) -> list[SaliencyMap]:
    """Show which bands and frames the score of recordings comes from.

    Explained is the output of the network before the logistic function, which grows with the
    score and does not saturate; for the first class, less that.

    Parameters
    ----------
    estimator : estimator
        A fitted :class:`CelloQualityClassifier` or :class:`InstrumentQualityRegressor`, or a
        Pipeline that ends in one.
    X : array or list
        Recordings in the form that the estimator reads: signals for a Pipeline with a front end,
        else spectrograms.
    method : {"cam", "grad-cam", "gradient", "occlusion"}, default="cam"
        ``"cam"``
            The class activation map [1]_, an exact account: its mean over the cells of the last
            feature maps is the network's output for an excerpt.
        ``"grad-cam"``
            Feature maps of any block, weighted by the mean gradient of the output [2]_. For the
            last block it is proportional to the class activation map, but for the bias and, with
            ``frequency_cue="bands"``, the bands.
        ``"gradient"``
            The gradient with respect to the spectrogram: what a small gain would do.
        ``"occlusion"``
            How far the output falls when patches are replaced by what the training recordings
            have there on average [3]_, averaged over all patches that cover a place. It looks
            into no network, and costs the most.
    target : label, default=None
        The class to explain; None takes, for each recording, the predicted one. Ratings have
        none: there, what is above 0 raises them.
    layer : int, default=None
        The block of ``"grad-cam"``, 1 the first one; None takes the last one.
    patch : (int, int), default=(16, 20)
        Bands and frames of the patches of ``"occlusion"``, which overlap by half.
    interpolate : bool, default=True
        Whether to enlarge maps to the size of the spectrogram, bilinearly. Otherwise ``"cam"``
        and ``"grad-cam"`` leave the cells of the feature maps, without those of pauses.

    Returns
    -------
    list of SaliencyMap
        One a recording. Pauses that the score leaves out are 0.

    Raises
    ------
    ValueError
        When the estimator is another, is not fitted, or an option is unknown.

    See Also
    --------
    skperceptual.plotting.SaliencyDisplay : Draws the maps.

    Notes
    -----
    A map says what this network goes by. It does not say that this is what quality is, nor that
    a listener hears it; where the classes differ in a room or a microphone, that is what it shows.

    References
    ----------
    .. [1] B. Zhou, A. Khosla, A. Lapedriza, A. Oliva, A. Torralba, "Learning deep features for
       discriminative localization", CVPR 2016.
    .. [2] R. R. Selvaraju et al., "Grad-CAM: visual explanations from deep networks via
       gradient-based localization", ICCV 2017.
    .. [3] M. D. Zeiler, R. Fergus, "Visualizing and understanding convolutional networks",
       ECCV 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import CelloQualityClassifier
    >>> from skperceptual.inspection import saliency_maps
    >>> rng = np.random.default_rng(0)
    >>> images, quality = rng.standard_normal((16, 16, 20)), np.array([0, 1] * 8)
    >>> images[1::2, 12:] += 3
    >>> scorer = CelloQualityClassifier(
    ...     n_filters=(4, 4), excerpt_frames=20, validation_fraction=0, random_state=0
    ... ).fit(images, quality)
    >>> (saliency,) = saliency_maps(scorer, images[1:2], interpolate=False, target=1)
    >>> saliency.map.shape
    (4, 5)
    >>> logit = np.log(1 / scorer.predict_proba(images[1:2])[0, 0] - 1)
    >>> bool(np.isclose(saliency.map.mean(), logit))
    True
    """
    scorer, front_end = unwrap_scorer(estimator)
    if method not in METHODS:
        raise ValueError(f"method={method!r} is unknown. Use one of {', '.join(METHODS)}.")
    network = scorer.net_.module_
    layer = len(network.blocks) if layer is None else layer
    if layer not in range(1, len(network.blocks) + 1):
        raise ValueError(f"layer={layer!r} is none of the blocks, 1 to {len(network.blocks)}.")
    options = {"layer": layer, "patch": whole_pair("patch", patch)}
    images = X
    for step in flat_steps(estimator)[:-1]:
        images = step.transform(images)
    recordings = scorer.check_recordings(images)
    maps = []
    for recording, label in zip(recordings, _labels(scorer, recordings, target), strict=True):
        sign = -1.0 if label is not None and label == scorer.classes_[0] else 1.0
        image = torch.tensor(recording, dtype=torch.float32, device=scorer.net_.device)
        whole = torch.zeros_like(image)
        cells, places = [], []
        for frames in sounding_slices(image, scorer.excerpt_frames_):
            excerpt = image[None, None, :, frames]
            found = sign * METHODS[method](network, excerpt, **options)
            whole[:, frames] = enlarge(found, (excerpt.shape[-2], excerpt.shape[-1]))
            cells.append(found)
            places.append(frames.start + _middles(excerpt.shape[-1], found.shape[1]))
        if not interpolate:
            whole = torch.cat(cells, dim=1)
        rows = _middles(image.shape[0], whole.shape[0])
        columns = [np.arange(image.shape[1], dtype=np.float64)] if interpolate else places
        axes = _axes(front_end, image.shape[1], rows, np.concatenate(columns))
        maps.append(SaliencyMap(np.asarray(recording), whole.cpu().numpy(), *axes, method, label))
    return maps


def _labels(scorer: Any, recordings: Any, target: Any) -> list[Any]:
    """Give the class to explain of each recording."""
    if not is_classifier(scorer):
        if target is not None:
            raise ValueError(
                f"target={target!r} is a class, but {type(scorer).__name__} predicts ratings. "
                "Leave target=None."
            )
        return [None] * len(recordings)
    if target is None:
        return list(scorer.predict(recordings).tolist())
    classes = scorer.classes_.tolist()
    if target not in classes:
        raise ValueError(f"target={target!r} is none of the classes {classes}.")
    return [classes[classes.index(target)]] * len(recordings)


def _middles(n: int, n_cells: int) -> NDArray[np.float64]:
    """Give the middles of cells on an axis of bands or frames, which they may be many of."""
    return (np.arange(n_cells, dtype=np.float64) + 0.5) * cell_size(n, n_cells) - 0.5


def _axes(
    front_end: Any, n_frames: int, rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Give the frequencies and times of places on a spectrogram, between bands and frames too."""
    if front_end is None:
        return None, None
    axes = front_end.band_frequencies(), front_end.frame_times(n_frames)
    frequencies, times = (
        np.interp(places, np.arange(len(axis)), axis).astype(np.float64)
        for places, axis in zip((rows, columns), axes, strict=True)
    )
    return frequencies, times
