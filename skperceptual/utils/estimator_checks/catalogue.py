"""All estimators of the package, with parameters that make them quick to test."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator


class Part(NamedTuple):
    """An estimator or module that is a parameter of an estimator, made when it is needed.

    Parameters
    ----------
    place : str
        Its module.
    name : str
        Its class.
    parameters : dict of str to object
        Its parameters.
    """

    place: str
    name: str
    parameters: dict[str, Any]

    def make(self) -> Any:
        """Make it.

        Returns
        -------
        estimator or module
            Unfitted.
        """
        return getattr(import_module(self.place), self.name)(**self.parameters)


def _log_mel(**parameters: Any) -> Part:
    return Part("skperceptual.embeddings", "LogMelEmbedding", parameters)


# These read any clip, and of two samples or more they give enough frames for their dimension.
_ONE_BAND = _log_mel(n_fft=4, hop_length=2, n_mels=1, center=True)
_TWO_BANDS = _log_mel(n_fft=16, hop_length=2, n_mels=2, center=True)
_MORE_BANDS = _log_mel(n_fft=64, hop_length=16, n_mels=4)

# A module without parameters: every sample is a frame of one number.
_SAMPLES_AS_FRAMES = Part("torch.nn", "Unflatten", {"dim": 1, "unflattened_size": (-1, 1)})

# What an equaliser follows, without a training.
_TILT = Part("skperceptual.utils.estimator_checks.scorers", "TiltScorer", {})

# Estimators whose weights are a file that is not part of the package. Their tests run the checks
# on the same classes with small networks.
WITHOUT_WEIGHTS = ("OpenL3", "VGGish")

# The sizes of the data that the parameters below are for.
SMALL_SIZES: dict[str, Any] = {"n_times": 600, "image_shape": (12, 15)}

# One entry an estimator, one set of parameters for each way of working that it has. The first is
# small enough for the tables of a few columns that scikit-learn's own checks bring.
TEST_PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "ADPCM": [{}, {"n_bits": 3.5, "match": "rms"}],
    "ALaw": [{}, {"n_bits": 4.0}],
    "Aliasing": [{}, {"rate_hz": 4000}],
    "AlignPairs": [{"max_lag_seconds": 0.0005}, {"subsample": True, "max_lag_seconds": 0.0005}],
    "AuditoryEmbedding": [{}],
    "Bandpass": [{}, {"bandwidth_octaves": 2.0, "order": 2, "zero_phase": False}],
    "CelloQualityClassifier": [
        {
            "n_filters": (3, 4),
            "excerpt_frames": 7,
            "batch_size": 32,
            "max_epochs": 2,
            "validation_fraction": 0.0,
        },
        {
            "loss": "log_loss",
            "n_filters": (2, 2),
            "excerpt_frames": 7,
            "max_epochs": 2,
            "validation_fraction": 0.0,
            "frequency_cue": "coordinate",
        },
    ],
    "ClockJitter": [{}, {"jitter_us": 20.0, "sr": 48000}],
    "ColoredNoise": [{}, {"snr_db": 15.0, "exponent": -1.0}],
    "Compressor": [{}, {"ratio": 8.0, "knee_db": 0.0, "relative_to": "full_scale"}],
    "CompressiveAutoencoder": [
        {"n_filters": 3, "kernel_size": 3, "n_layers": 1, "max_iter": 2, "loss": "mse"},
        {
            "n_filters": 2,
            "kernel_size": 2,
            "n_layers": 2,
            "max_iter": 2,
            "batch_size": 4,
            "crop_size": 8,
            "centers": (-1.0, 0.0, 1.0),
            "quantization": "ste",
            "packed": True,
        },
        {
            "n_filters": 2,
            "kernel_size": 3,
            "n_layers": 2,
            "max_iter": 2,
            "batch_size": 2,
            "training": "noise",
            "upsampling": "nearest",
            "mixed_precision": True,
        },
    ],
    "Degrade": [{}],
    "DivisiveNorm": [{"normalization": "statistical"}, {"normalization": "image"}],
    "Dropouts": [{}, {"dropped_percent": 50.0, "fade_seconds": 0.0}],
    "FunctionEmbedding": [{"function": np.atleast_2d, "sr": 16000}],
    "FixDuration": [
        {"duration_seconds": 0.01},
        {"duration_seconds": 0.1, "position": "center", "pad_mode": "reflect"},
    ],
    "FrechetAudioDistance": [{"embedding": _ONE_BAND}, {"embedding": _TWO_BANDS, "sr": 8000}],
    "GammatoneSpectrogram": [
        {"filtering": "signal", "win_length": 1, "hop_length": 1, "n_bands": 2, "scale": None},
        {"win_length": 64, "hop_length": 16, "n_bands": 5, "sr": 16000},
        {"win_length": 64, "hop_length": 25, "n_bands": 5, "filtering": "signal", "scale": "db"},
    ],
    "EmbeddingSimilarity": [
        {"embedding": _MORE_BANDS},
        {"embedding": _MORE_BANDS, "center": "reference"},
        {"embedding": _MORE_BANDS, "pooling": "mean_pool", "sr": 8000},
    ],
    "Flutter": [{}, {"deviation_percent": 5.0, "rate_hz": 50.0}],
    "GhoshNoise": [{}, {"noise_sd": 0.05, "match": "rms"}],
    "GhoshQuantization": [{}, {"n_bits": 4, "match": "peak"}],
    "GhoshResampling": [{}, {"factor": 2.5}],
    "HardClipping": [{}, {"threshold_db": -6.0, "relative_to": "full_scale", "match": "rms"}],
    "HEAREmbedding": [{"module": "skperceptual.utils.estimator_checks.hear_module"}],
    "Highpass": [{}, {"cutoff_hz": 500.0, "order": 8, "zero_phase": False}],
    "InstrumentQualityRegressor": [
        {
            "n_filters": (3, 4),
            "excerpt_frames": 7,
            "batch_size": 32,
            "max_epochs": 1,
            "validation_fraction": 0.0,
        },
        {
            "n_filters": (2,),
            "excerpt_frames": 8,
            "learning_rate": 0.05,
            "max_epochs": 2,
            "validation_fraction": 0.0,
            "frequency_cue": None,
        },
    ],
    "KernelAudioDistance": [
        {"embedding": _ONE_BAND},
        {"embedding": _TWO_BANDS, "sr": 8000, "bandwidth": 2.5},
    ],
    "LaplacianPyramid": [{"n_levels": 3}, {"n_levels": 2, "convention": "hepburn"}],
    "Limiter": [{}, {"threshold_db": -12.0, "hold_seconds": 0.0, "match": "peak"}],
    "LoadAudio": [{}],
    "LogMelEmbedding": [
        {"n_fft": 4, "hop_length": 2, "n_mels": 1, "center": True},
        {"n_fft": 64, "hop_length": 16, "n_mels": 8},
    ],
    "Lowpass": [{}, {"cutoff_hz": 2000.0, "zero_phase": False}],
    "MP3Codec": [{}, {"bitrate_kbps": 32, "sr": 44100, "match": "rms"}],
    "MSE": [{}],
    "MSSSIM": [{"window_size": 3, "weights": (0.4, 0.6)}],
    "MelSpectrogram": [
        {"n_fft": 4, "hop_length": 2, "n_mels": 1, "center": True, "scale": "log"},
        {"n_fft": 64, "hop_length": 16, "n_mels": 8},
        {"n_fft": 64, "hop_length": 16, "n_mels": 8, "scale": None, "htk": True, "norm": None},
    ],
    "MuLaw": [{}, {"n_bits": 4.0, "match": "peak"}],
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
    "NSIM": [{"pooling": "mean"}, {}],
    "Normalize": [{}, {"method": "rms", "per": "pair"}],
    "OpusCodec": [{}, {"bitrate_kbps": 12, "sr": 44100}],
    # Clips of 600 samples become long enough for it, and so do rows of two columns.
    "PESQ": [{"mode": "nb", "resample_from": 1000}, {"resample_from": 1300}],
    "PMQDDistortion": [{}, {"drive": 10.0, "oversample": 4}],
    "PMQDLimiter": [{}, {"threshold_db": -12.0, "sr": 16000}],
    "PMQDLowpass": [{}, {"cutoff_hz": 3000.0, "sr": 16000}],
    "PMQDNoise": [{}, {"noise_db": -30.0, "sr": 16000}],
    "PacketLoss": [
        {},
        {"loss_percent": 40.0, "packet_seconds": 0.005, "concealment": "repeat"},
        {"loss_percent": 40.0, "packet_seconds": 0.005, "concealment": "pitch"},
    ],
    "PercentileClipping": [{}, {"percent": 25.0}],
    "PinkNoise": [{}, {"snr_db": 15.0, "match": "peak"}],
    "PyramidDistance": [{}, {"pooling": "norm0.6"}],
    "Quantization": [{}, {"n_bits": 5.5, "dither": "triangular"}],
    "RatingMapping": [{}, {"kind": "cubic"}, {"kind": "logistic"}, {"kind": "isotonic"}],
    "Resample": [{"orig_sr": 16000, "target_sr": 12000}],
    "Reverberation": [{}, {"drr_db": 0.0, "t60_seconds": 0.05}],
    "SSIM": [{"window_size": 3}],
    "STOI": [{"sr": 500}],
    "SoftClipping": [{}, {"drive": 3.0, "relative_to": "full_scale"}],
    "SpectralMaskEqualizer": [
        {"estimator": _TILT, "max_iter": 3},
        {"estimator": _TILT, "max_iter": 3, "init": "grid", "roughness": "tikhonov"},
        {"estimator": _TILT, "max_iter": 2, "init": "random", "batch_size": 5},
        {"estimator": _TILT, "max_iter": 2, "init": "flat", "roughness": "tv"},
    ],
    "Spectrogram": [
        {"n_fft": 4, "hop_length": 2},
        {"n_fft": 64, "hop_length": 16, "output": "complex", "center": False},
        {"n_fft": 64, "hop_length": 16, "output": "db"},
    ],
    "TimeStretch": [{}, {"rate": 0.8, "window_seconds": 0.008}],
    "TorchEmbedding": [{"module": _SAMPLES_AS_FRAMES, "sr": 16000, "n_dims": 1}],
    "Vectorizer": [{}],
    "ViSQOL": [
        {"model": "fit", "sr": 125, "search_window_radius": 1, "align": "whole"},
        {"model": "fit", "sr": 200, "mode": "speech", "regressor": "monotone"},
    ],
    "VorbisCodec": [{}, {"bitrate_kbps": 30, "sr": 9600}],
    "WhiteNoise": [{}, {"snr_db": 15.0, "match": "rms"}],
    "Wow": [{}, {"deviation_percent": 5.0, "rate_hz": 0.5}],
}


def all_estimators() -> list[tuple[str, type[BaseEstimator]]]:
    """Give every public estimator of the package, as ``sklearn.utils.all_estimators`` does.

    Those in ``WITHOUT_WEIGHTS``, which can do nothing as they are, are left out.

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

    # Most degradations are in their module alone: they are too many for the top level.
    modules = (skperceptual, skperceptual.degradations)
    places = {name: module for module in modules for name in dir(module)}
    public = ((name, getattr(places[name], name)) for name in sorted(places))
    return [
        (name, value)
        for name, value in public
        if inspect.isclass(value)
        and issubclass(value, BaseEstimator)
        and not inspect.isabstract(value)
        and name not in WITHOUT_WEIGHTS
        and value is not skperceptual.degradations.Degradation
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
    return [
        cls(
            **{
                key: value.make() if isinstance(value, Part) else value
                for key, value in some.items()
            }
        )
        for some in TEST_PARAMETERS[cls.__name__]
    ]
