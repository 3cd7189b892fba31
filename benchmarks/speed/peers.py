"""What people use today, each called as its users call it.

Some of these packages import, for metrics that are not timed here, far more than what is timed
needs. In their place stand empty modules.
"""

from __future__ import annotations

import importlib
import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from unittest.mock import MagicMock

import librosa
import numpy as np
import torch

PairsOfImages = tuple[torch.Tensor, torch.Tensor]  # (n_pairs, 1, n_bands, n_frames) each


@cache
def pyiqa_nlpd(device: str = "cpu") -> Callable[..., torch.Tensor]:
    """Pyiqa's NLPD with the filters for images, for grey images."""
    _stand_in_for_torchvision()
    for package in ("pyiqa", "pyiqa.archs", "pyiqa.utils"):
        _skip_init(package)
    module = importlib.import_module("pyiqa.archs.nlpd_arch")
    module.tf.rotate = lambda filters, degrees: torch.flip(filters, (-2, -1))  # 180 degrees
    module.to_y_channel = lambda image: image  # they are grey
    return _without_gradient(module.NLPD().to(device))


@cache
def plenoptic_nlpd() -> Callable[..., torch.Tensor]:
    """Plenoptic's NLPD, whose 5x5 filters are dense."""
    module = importlib.import_module("plenoptic")
    return _without_gradient(module.metric.nlpd)


@cache
def pytorch_msssim(name: str) -> Callable[..., torch.Tensor]:
    module = importlib.import_module("pytorch_msssim")
    function = getattr(module, name)
    return _without_gradient(lambda a, b: function(a, b, data_range=1.0, size_average=False))


@cache
def piq(name: str) -> Callable[..., torch.Tensor]:
    _stand_in_for_torchvision()
    function = getattr(importlib.import_module("piq"), name)
    # Unless told otherwise, its SSIM halves the image first.
    options = {"downsample": False} if name == "ssim" else {}
    return _without_gradient(lambda a, b: function(a, b, reduction="none", **options))


@cache
def torchmetrics(name: str) -> Callable[..., torch.Tensor]:
    module = importlib.import_module("torchmetrics.functional.image")
    function = getattr(module, name)
    return _without_gradient(lambda a, b: function(a, b, data_range=1.0, reduction="none"))


def skimage_ssim(references: np.ndarray, degraded: np.ndarray) -> list[float]:
    """scikit-image's SSIM with the window of the paper; images of shape (n, bands, frames)."""
    from skimage.metrics import structural_similarity

    return [
        structural_similarity(
            one,
            other,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for one, other in zip(references, degraded, strict=True)
    ]


def librosa_image(signal: np.ndarray, *, sr: int, n_fft: int, hop_length: int, n_mels: int):
    """Librosa's mel spectrogram in dB, on a scale from 0 to 1."""
    mel = librosa.feature.melspectrogram(
        y=signal, sr=sr, n_fft=n_fft, hop_length=hop_length, n_mels=n_mels, center=False
    )
    return librosa.power_to_db(mel, top_db=None) / 100 + 1


def _without_gradient(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def call(*images: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return function(*images)

    return call


def _stand_in_for_torchvision() -> None:
    importlib.import_module(
        "torchmetrics"
    )  # looks whether torchvision is there: before it seems so
    for name in ("", ".models", ".transforms", ".transforms.functional"):
        sys.modules.setdefault(f"torchvision{name}", MagicMock())


def _skip_init(package: str) -> None:
    """Let the modules of a package be imported without what its ``__init__`` imports."""
    module = ModuleType(package)
    installed = Path(sysconfig.get_paths()["purelib"])
    module.__path__ = [str(installed.joinpath(*package.split(".")))]
    sys.modules[package] = module
