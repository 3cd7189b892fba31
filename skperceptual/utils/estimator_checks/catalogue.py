"""All estimators of the package, with parameters that make them quick to test."""

from __future__ import annotations

import inspect
from typing import Any

from sklearn.base import BaseEstimator

# The sizes of the data that the parameters below are for.
SMALL_SIZES: dict[str, Any] = {"n_times": 600, "image_shape": (12, 15)}

# One entry an estimator, one set of parameters for each way of working that it has. The first is
# small enough for the tables of a few columns that scikit-learn's own checks bring.
TEST_PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "AlignPairs": [{"max_lag_seconds": 0.0005}, {"subsample": True, "max_lag_seconds": 0.0005}],
    "DivisiveNorm": [{"normalization": "statistical"}, {"normalization": "image"}],
    "FixDuration": [
        {"duration_seconds": 0.01},
        {"duration_seconds": 0.1, "position": "center", "pad_mode": "reflect"},
    ],
    "LaplacianPyramid": [{"n_levels": 3}, {"n_levels": 2, "convention": "hepburn"}],
    "LoadAudio": [{}],
    "MSE": [{}],
    "MSSSIM": [{"window_size": 3, "weights": (0.4, 0.6)}],
    "MelSpectrogram": [
        {"n_fft": 4, "hop_length": 2, "n_mels": 1, "center": True, "scale": "log"},
        {"n_fft": 64, "hop_length": 16, "n_mels": 8},
        {"n_fft": 64, "hop_length": 16, "n_mels": 8, "scale": None, "htk": True, "norm": None},
    ],
    "NLPD": [
        {"n_levels": 3},
        {"n_levels": 3, "normalization": "statistical"},
        {"n_levels": 2, "convention": "hepburn", "pooling": "norm0.6"},
        {"n_levels": 2, "convention": "laparra2017"},
    ],
    "NLPDRegressor": [
        {"n_levels": 2, "max_epochs": 2},
        {"n_levels": 2, "solver": "lbfgs", "max_epochs": 3, "mapping": "isotonic"},
        {"n_levels": 2, "normalization": "ones", "mapping": "logistic"},
    ],
    "Normalize": [{}, {"method": "rms", "per": "pair"}],
    "PMQDDistortion": [{}, {"drive": 10.0, "oversample": 4}],
    "PMQDLimiter": [{}, {"threshold_db": -12.0, "sr": 16000}],
    "PMQDLowpass": [{}, {"cutoff_hz": 3000.0, "sr": 16000}],
    "PMQDNoise": [{}, {"noise_db": -30.0, "sr": 16000}],
    "PyramidDistance": [{}, {"pooling": "norm0.6"}],
    "RatingMapping": [{}, {"kind": "cubic"}, {"kind": "logistic"}, {"kind": "isotonic"}],
    "Resample": [{"orig_sr": 16000, "target_sr": 12000}],
    "SSIM": [{"window_size": 3}],
    "Spectrogram": [
        {"n_fft": 4, "hop_length": 2},
        {"n_fft": 64, "hop_length": 16, "output": "complex", "center": False},
        {"n_fft": 64, "hop_length": 16, "output": "db"},
    ],
    "Vectorizer": [{}],
}


def all_estimators() -> list[tuple[str, type[BaseEstimator]]]:
    """Give every public estimator of the package, as ``sklearn.utils.all_estimators`` does.

    Returns
    -------
    list of (str, type)
        Names and classes, by name.

    Examples
    --------
    >>> from skperceptual.utils.estimator_checks import all_estimators
    >>> [name for name, _ in all_estimators() if "NLPD" in name]
    ['NLPD', 'NLPDRegressor']
    """
    import skperceptual

    public = ((name, getattr(skperceptual, name)) for name in sorted(dir(skperceptual)))
    return [
        (name, value)
        for name, value in public
        if inspect.isclass(value)
        and issubclass(value, BaseEstimator)
        and not inspect.isabstract(value)
    ]


def small_estimators(cls: type[BaseEstimator]) -> list[BaseEstimator]:
    """Make an estimator quick to test, once for each way of working that it has.

    Parameters
    ----------
    cls : type
        A public estimator of the package.

    Returns
    -------
    list of estimator
        The first one also reads the small tables of scikit-learn's checks.

    Raises
    ------
    KeyError
        When the table of test parameters does not know it.

    Examples
    --------
    >>> from skperceptual import SSIM
    >>> from skperceptual.utils.estimator_checks import small_estimators
    >>> small_estimators(SSIM)
    [SSIM(window_size=3)]
    """
    if cls.__name__ not in TEST_PARAMETERS:
        raise KeyError(
            f"{cls.__name__} has no parameters for tests. Add them to TEST_PARAMETERS in "
            f"{__name__}."
        )
    return [cls(**parameters) for parameters in TEST_PARAMETERS[cls.__name__]]
