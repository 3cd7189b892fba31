"""The maps from similarities to ratings: which there are, and what each needs."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skperceptual.full_reference.visqol.comparison import Comparison
from skperceptual.full_reference.visqol.lattice import Lattice
from skperceptual.full_reference.visqol.support_vectors import SupportVectorMap, read_libsvm
from skperceptual.utils.data_home import get_data_home

# What the original's own test of training asks libsvm for, with its table of 120 rows.
NU_SVR_PARAMETERS = {"C": 0.4, "nu": 0.6, "gamma": 1 / 32, "tol": 1e-3}
NAMED_MODELS = ("shipped", "fit", "exponential", "exponential_unscaled", "lattice")
LATTICE_FILE = (
    "lattice_tcditugenmeetpackhref_ls2_nl60_lr12_bs2048_learn.005_ep2400_train1_7_raw.tflite"
)
FOLDER = "visqol"

# a + exp(b (s - x0)) of the mean similarity s, fitted by the original's authors to TCD-VoIP, and
# the number that brings a similarity of 1 to a rating of 5, which is float32 there.
_EXPONENTIAL = (-262.847869, 0.0154302525, -361.063949)
_SCALE = float(np.float32(1.245063))
_LOWEST, _HIGHEST = 1.0, 5.0
# Below this mean similarity the two signals have nothing to do with one another.
_UNRELATED = 0.15

Rating = Callable[[Comparison], float]


def load_rating(model: str | os.PathLike[str], *, mode: str, n_bands: int) -> Rating:
    """Give the map of a model that is not fitted by the user.

    Parameters
    ----------
    model : str or path-like
        One of ``NAMED_MODELS`` but ``"fit"``, or a file.
    mode : {"audio", "speech"}
        The mode.
    n_bands : int
        Its number of bands.

    Returns
    -------
    callable
        From a :class:`Comparison` to the rating.

    Raises
    ------
    ValueError
        When the model is for the other mode, or its file is none.
    OSError
        When its file is missing.
    ImportError
        When it is a lattice and what runs it is not installed.
    """
    name = model if isinstance(model, str) else None
    if mode == "speech" and name in ("shipped", "exponential", "exponential_unscaled"):
        scale = 1.0 if name == "exponential_unscaled" else _SCALE
        rating: Rating = lambda comparison: _clip(  # noqa: E731
            scale * exponential(comparison.similarity)
        )
    elif name == "shipped":
        rating = _of_bands(shipped_map())
    elif name in ("exponential", "exponential_unscaled", "lattice") and mode == "audio":
        raise ValueError(
            f"model={name!r} is made for speech. Use mode='speech', or another model: 'shipped', "
            "'fit' or the path of a libsvm model."
        )
    elif name == "lattice" or Path(model).suffix == ".tflite":
        if mode == "audio":
            raise ValueError(f"{model} is a lattice, made for speech. Use mode='speech'.")
        rating = _lattice(get_data_home() / FOLDER / LATTICE_FILE if name == "lattice" else model)
    else:
        if not Path(model).is_file():
            names = ", ".join(map(repr, NAMED_MODELS))
            raise FileNotFoundError(
                f"model={str(model)!r} is neither one of {names} nor a file. fetch_visqol_model() "
                "of skperceptual.datasets gives the path of the original's."
            )
        rating = _of_bands(read_libsvm(model, n_features=n_bands))
    return lambda comparison: _LOWEST if comparison.similarity < _UNRELATED else rating(comparison)


def exponential(similarity: float) -> float:
    """Map the mean similarity of speech to a rating, before it is scaled.

    Parameters
    ----------
    similarity : float
        Mean similarity.

    Returns
    -------
    float
        The rating: 4.016 for 1.
    """
    offset, slope, start = _EXPONENTIAL
    return offset + math.exp(slope * (similarity - start))


def published_table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the table that the original publishes to train audio mode.

    Returns
    -------
    similarities : ndarray of shape (120, 32)
        Of the bands, 12 recordings in 10 conditions each.
    ratings : ndarray of shape (120,)
        Their quality from 1 to 5.
    """
    path = files("skperceptual.full_reference.visqol").joinpath("training_table.npz")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as table:
        return table["similarities"], table["ratings"]


@lru_cache(maxsize=1)
def shipped_map() -> SupportVectorMap:
    """Fit the shipped map for audio, by the original's recipe to its published table.

    Returns
    -------
    SupportVectorMap
        The map; fitted once in a process.
    """
    from sklearn.svm import NuSVR

    fitted = without_chance(NuSVR(**NU_SVR_PARAMETERS)).fit(*published_table())
    return SupportVectorMap(
        vectors=np.pad(fitted.support_vectors_, ((0, 0), (1, 0))),
        coefficients=fitted.dual_coef_[0],
        gamma=NU_SVR_PARAMETERS["gamma"],
        rho=-float(fitted.intercept_[0]),
    )


def without_chance(regression: Any) -> Any:
    """Keep scikit-learn's support-vector regression from drawing on the global generator.

    It takes a seed for what it then does without, and its regressions have no parameter for it.

    Parameters
    ----------
    regression : estimator
        Unfitted; a clone needs the same again.

    Returns
    -------
    estimator
        The same.
    """
    regression.random_state = 0
    return regression


def _of_bands(support_vectors: SupportVectorMap) -> Rating:
    return lambda comparison: _clip(support_vectors.rate(comparison.band_means))


def _clip(rating: float) -> float:
    return min(max(rating, _LOWEST), _HIGHEST)


def _lattice(path: str | os.PathLike[str]) -> Rating:
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"There is no lattice model at {path}. Download it with "
            "skperceptual.datasets.fetch_visqol_model('lattice'), or give the path of one."
        )
    return Lattice(Path(path))
