"""Made-up spectrograms of two classes of instruments."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils import Bunch

from skperceptual import CelloQualityClassifier

BANDS, FRAMES = 24, 40


def _make_instruments(n_instruments=8, n_excerpts=5, n_frames=FRAMES, seed=0) -> Bunch:
    """Give spectrograms whose classes differ in the slope of their spectra, and in nothing else.

    Every instrument has a spectrum of its own, every excerpt notes of its own and any level.
    """
    rng = np.random.default_rng(seed)
    bands = np.arange(BANDS)
    images, target, groups = [], [], []
    for label in "AB":
        for number in range(n_instruments):
            body = 0.2 * rng.standard_normal(BANDS) - 0.05 * bands * (label == "B")
            for _ in range(n_excerpts):
                notes = rng.standard_normal((BANDS, n_frames))
                images.append(body[:, None] + notes + rng.uniform(-2, 2))
                target.append(label)
                groups.append(f"{label} {number}")
    return Bunch(images=np.array(images), target=np.array(target), groups=np.array(groups))


@pytest.fixture(scope="session")
def instruments() -> Bunch:
    return _make_instruments()


@pytest.fixture(scope="session")
def others() -> Bunch:
    """Instruments that no fixture was trained on."""
    return _make_instruments(n_instruments=4, seed=1)


def _small_classifier(**parameters) -> CelloQualityClassifier:
    defaults = {
        "n_filters": (6, 8),
        "frequency_cue": "bands",
        "excerpt_frames": FRAMES,
        "learning_rate": 0.02,
        "batch_size": 16,
        "max_epochs": 10,
        "dropout": 0.1,
        "random_state": 0,
    }
    return CelloQualityClassifier(**{**defaults, **parameters})


@pytest.fixture(scope="session")
def make_instruments():
    """Give the function that makes instruments."""
    return _make_instruments


@pytest.fixture(scope="session")
def small_classifier():
    """Give the function that makes a classifier for them."""
    return _small_classifier


@pytest.fixture(scope="session")
def scorer(instruments) -> CelloQualityClassifier:
    return _small_classifier().fit(
        instruments.images, instruments.target, groups=instruments.groups
    )
