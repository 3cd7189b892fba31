"""Reconstructions beside their input: what is drawn, where, and in which colours."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skperceptual import MSE, CompressiveAutoencoder, MelSpectrogram
from skperceptual.plotting import ReconstructionDisplay


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    plt.close("all")


@pytest.fixture
def pictures(rng):
    return {name: rng.random((16, 20)) for name in ("input", "a", "b", "c", "d", "e")}


def shown(axes):
    return [ax for ax in axes.flat if ax.axison]


def test_input_has_the_first_column_to_itself(pictures):
    display = ReconstructionDisplay.from_images(pictures, n_columns=2)
    assert display.axes_.shape == (3, 3)
    titles = [[ax.get_title() if ax.axison else None for ax in row] for row in display.axes_]
    assert titles == [["input", "a", "b"], [None, "c", "d"], [None, "e", None]]
    for image, picture in zip(display.images_, pictures.values(), strict=True):
        np.testing.assert_array_equal(image.get_array(), picture)


def test_all_share_one_scale_of_colours(pictures):
    pictures["b"] = 2 * pictures["b"]
    display = ReconstructionDisplay.from_images(pictures)
    assert display.axes_.shape == (1, 6)
    limits = {image.get_clim() for image in display.images_}
    low = min(picture.min() for picture in pictures.values())
    high = max(picture.max() for picture in pictures.values())
    assert limits == {(low, high)}
    assert display.colorbar_.mappable.get_clim() == (low, high)


def test_options_reach_the_images(pictures):
    display = ReconstructionDisplay.from_images(pictures, image_kwargs={"vmax": 9, "cmap": "gray"})
    assert {image.get_clim()[1] for image in display.images_} == {9}
    assert {image.cmap.name for image in display.images_} == {"gray"}


def test_axes_in_hertz_and_seconds(pictures):
    frequencies, times = np.linspace(100, 8000, 16), 0.5 + 0.1 * np.arange(20)
    display = ReconstructionDisplay.from_images(
        pictures, frequencies=frequencies, times=times, n_columns=3
    )
    first = display.axes_[0, 0]
    assert first.get_ylabel() == "frequency (Hz)"
    assert first.get_xlim() == pytest.approx((0.45, 2.45))
    labelled = [ax.get_title() for ax in shown(display.axes_) if ax.get_ylabel()]
    assert labelled == ["input", "d"]
    for name, values in (("frequencies", frequencies[1:]), ("times", times[1:])):
        with pytest.raises(ValueError, match=rf"Expected {name} of shape"):
            ReconstructionDisplay.from_images(pictures, **{name: values})


def test_estimators_and_pipelines(rng):
    images = rng.random((4, 16, 20))
    coder = CompressiveAutoencoder(n_filters=2, n_layers=2, max_iter=1, random_state=0).fit(images)
    display = ReconstructionDisplay.from_estimator(coder, images, sample=-1)
    drawn = display.images
    assert list(drawn) == ["input", "reconstruction"]
    np.testing.assert_array_equal(drawn["input"], images[3])
    np.testing.assert_array_equal(drawn["reconstruction"], coder.reconstruct(images)[3])
    assert display.frequencies is None

    signals = 0.1 * rng.standard_normal((3, 4000))
    front_end = MelSpectrogram(n_fft=256, hop_length=100, n_mels=16)
    pipelines = {
        loss: make_pipeline(
            front_end,
            CompressiveAutoencoder(loss=loss, n_filters=2, n_layers=2, max_iter=1, random_state=0),
        ).fit(signals)
        for loss in ("mse", "nlpd")
    }
    display = ReconstructionDisplay.from_estimator(pipelines, signals, sample=1)
    assert list(display.images) == ["input", "mse", "nlpd"]
    np.testing.assert_array_equal(display.images["input"], front_end.transform(signals)[1])
    np.testing.assert_array_equal(display.frequencies, front_end.band_frequencies())
    with pytest.raises(IndexError):
        ReconstructionDisplay.from_estimator(pipelines, signals, sample=3)


def test_mistakes(pictures):
    with pytest.raises(ValueError, match=r"ends in one, got MSE"):
        ReconstructionDisplay.from_estimator(MSE(), np.zeros((1, 8, 8)))
    with pytest.raises(ValueError, match="estimators of other names than 'input'"):
        ReconstructionDisplay.from_estimator({"input": MSE()}, np.zeros((1, 8, 8)))
    with pytest.raises(ValueError, match="got 1 of shapes"):
        ReconstructionDisplay.from_images({"input": pictures["a"]})
    with pytest.raises(ValueError, match="images of one shape"):
        ReconstructionDisplay.from_images({**pictures, "f": np.zeros((3, 3))})
