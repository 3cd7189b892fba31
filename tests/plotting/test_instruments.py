"""The displays of the instrument part draw what they were given."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skperceptual import CelloQualityClassifier, SpectralMaskEqualizer, Spectrogram
from skperceptual.inspection import saliency_maps
from skperceptual.plotting import EqualizerDisplay, MaskSmoothingDisplay, SaliencyDisplay
from skperceptual.utils.estimator_checks.scorers import TiltScorer

IMAGES = np.random.default_rng(0).standard_normal((4, 33, 50))
FRONT_END = Spectrogram(n_fft=64, hop_length=16)


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def scorer():
    return CelloQualityClassifier(
        n_filters=(3, 4), excerpt_frames=50, max_epochs=1, validation_fraction=0.0, random_state=0
    ).fit(IMAGES, ["B", "A", "B", "A"])


@pytest.fixture(scope="module")
def equalizer():
    return SpectralMaskEqualizer(TiltScorer(), front_end=FRONT_END, max_iter=4, random_state=0).fit(
        IMAGES
    )


def test_maps_are_under_their_spectrograms(scorer):
    display = SaliencyDisplay.from_estimator(scorer, IMAGES, sample=[2, 0], target="A")
    maps = saliency_maps(scorer, IMAGES, target="A")
    for column, row in enumerate((2, 0)):
        np.testing.assert_array_equal(display.images_[0, column].get_array(), IMAGES[row])
        np.testing.assert_allclose(display.images_[1, column].get_array(), maps[row].map)
    low, high = display.images_[1, 0].get_clim()
    assert -low == high
    assert display.images_[1, 1].get_clim() == (low, high)
    assert display.axes_[1, 0].get_ylabel() == "band"


def test_cells_of_feature_maps_can_be_drawn(scorer):
    maps = saliency_maps(scorer, IMAGES[:1], interpolate=False)
    assert SaliencyDisplay.from_maps(maps).images_[1, 0].get_array().shape == maps[0].map.shape


def test_four_panels(equalizer):
    display = EqualizerDisplay.from_estimator(equalizer, IMAGES, sample=3)
    mask_db = 20 / np.log(10) * equalizer.masks_[3]
    panels = [image.get_array() for image in display.images_.flat]
    np.testing.assert_array_equal(panels[0], IMAGES[3])
    np.testing.assert_allclose(panels[1], IMAGES[3] + equalizer.masks_[3], rtol=1e-5)
    np.testing.assert_allclose(panels[2], mask_db, atol=1e-4)
    assert np.abs(np.diff(panels[3])).mean() > 5 * np.abs(np.diff(panels[2])).mean()
    scores = TiltScorer().predict_proba(IMAGES[3:])[:, 1]
    assert display.axes_[0, 0].get_title() == f"input (score {scores[0]:.2f})"
    assert display.axes_[1, 0].get_xlabel() == "time (s)"
    assert display.axes_[0, 0].get_ylabel() == "frequency (Hz)"


def test_masks_before_and_after_smoothing(equalizer):
    display = MaskSmoothingDisplay.from_estimator(equalizer, sample=[1, 3])
    for row, sample in enumerate((1, 3)):
        drawn = [image.get_array() / (20 / np.log(10)) for image in display.images_[row]]
        np.testing.assert_allclose(drawn[0], equalizer.unsmoothed_masks_[sample], rtol=1e-5)
        np.testing.assert_allclose(drawn[1], equalizer.masks_[sample], rtol=1e-5)


def test_mistakes(scorer, equalizer):
    with pytest.raises(ValueError, match="list of SaliencyMap"):
        SaliencyDisplay.from_maps([IMAGES[0]])
    with pytest.raises(IndexError):
        SaliencyDisplay.from_estimator(scorer, IMAGES, sample=4)
    with pytest.raises(ValueError, match="two masks of its size"):
        EqualizerDisplay.from_masks(IMAGES[0], IMAGES[0, :5], IMAGES[0])
    with pytest.raises(ValueError, match="as many masks before as after"):
        MaskSmoothingDisplay.from_masks(IMAGES[:2], IMAGES[:1])
    with pytest.raises(ValueError, match=r"frequencies of shape \(33,\)"):
        MaskSmoothingDisplay.from_masks(IMAGES, IMAGES, frequencies=np.arange(3))
