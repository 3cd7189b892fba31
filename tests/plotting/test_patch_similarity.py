"""Patches stand at their times, with the similarities of their bands, and gaps are marked."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from skperceptual import MSE, Resample, ViSQOL
from skperceptual.plotting import PatchSimilarityDisplay

METRIC = ViSQOL()
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def pairs():
    signal = 0.1 * RNG.normal(size=110_000)
    damaged = signal.copy()
    damaged[60_000:] += 0.1 * RNG.normal(size=50_000)
    return [(signal, signal), (signal, damaged)]


def test_what_is_drawn_is_the_table(pairs):
    display = PatchSimilarityDisplay.from_estimator(METRIC, pairs, sample=-1)
    table = METRIC.patches(pairs[1:])
    pd.testing.assert_frame_equal(display.patches, table)
    bands = METRIC.get_feature_names_out()
    for row, (line, mesh) in enumerate(zip(display.lines_, display.meshes_, strict=True)):
        times = table.loc[row, ["reference_start", "reference_end"]].to_numpy(dtype=float)
        ((start, height), (end, _)) = line.get_segments()[0]
        np.testing.assert_allclose([start, end], times)
        assert height == pytest.approx(table.loc[row, "similarity"])
        np.testing.assert_allclose(mesh.get_array().ravel(), table.loc[row, bands].astype(float))
        np.testing.assert_allclose(mesh.get_coordinates()[0, :, 0], times)
    assert table["similarity"].iloc[-1] < table["similarity"].iloc[0]
    assert display.missing_ == []


def test_steps_before_the_metric_are_taken(pairs):
    slower = [tuple(signal[::2] for signal in pair) for pair in pairs]
    resample = Resample(orig_sr=24000, target_sr=48000)
    display = PatchSimilarityDisplay.from_estimator(make_pipeline(resample, METRIC), slower)
    expected = METRIC.patches(resample.transform(slower[:1]))
    pd.testing.assert_frame_equal(display.patches, expected)


def test_missing_patches_are_hatched(pairs):
    table = METRIC.patches(pairs[:1])
    table.loc[1, ["degraded_start", "degraded_end"]] = np.nan
    display = PatchSimilarityDisplay.from_patches(table, METRIC.band_frequencies())
    (hatched,) = display.missing_
    drawn = hatched.get_path().transformed(hatched.get_patch_transform())
    start = table.loc[1, "reference_start"]
    assert drawn.get_extents().x0 == pytest.approx(start)


def test_metrics_without_patches_and_tables_of_others_are_refused(pairs):
    with pytest.raises(TypeError, match="got MSE, which has no patches"):
        PatchSimilarityDisplay.from_estimator(MSE(), pairs)
    frequencies = METRIC.band_frequencies()
    table = METRIC.patches(pairs)
    with pytest.raises(ValueError, match="patches of one pair, got 2 pairs"):
        PatchSimilarityDisplay.from_patches(table, frequencies)
    one = table[table["pair"] == 0]
    with pytest.raises(ValueError, match="each of the 32 bands"):
        PatchSimilarityDisplay.from_patches(one, frequencies[:5])
    with pytest.raises(ValueError, match="no column 'similarity'"):
        PatchSimilarityDisplay.from_patches(one.drop(columns="similarity"), frequencies)
