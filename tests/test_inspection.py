"""Contributions: a tidy table whose parts add up to the loss, whatever stands around the metric."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from skperceptual import (
    MSE,
    MSSSIM,
    NLPD,
    SSIM,
    LoadAudio,
    MelSpectrogram,
    NLPDRegressor,
    RatingMapping,
    Spectrogram,
    save_audio,
)
from skperceptual.inspection import contributions

RNG = np.random.default_rng(0)
REFERENCES = RNG.random((3, 176, 180))
PAIRS = np.stack([REFERENCES, REFERENCES ** np.array([1.2, 2.0, 1.0])[:, None, None]], axis=1)
PAIRS[2, 1] = PAIRS[2, 0]  # not every version of NumPy returns x ** 1.0 to the last bit
RATINGS = np.array([4.0, 2.0, 5.0])
SIGNALS = 0.1 * RNG.standard_normal((4, 2, 8000))
METRICS = [
    MSE(),
    SSIM(),
    MSSSIM(),
    NLPD(),
    NLPD(normalization="statistical").fit(PAIRS),
    NLPDRegressor(normalization="ones").fit(PAIRS, RATINGS),
]


def losses(metric, pairs):
    scores = metric.transform(pairs)[:, 0]
    return 1 - scores if getattr(metric, "higher_is_better", False) else scores


@pytest.mark.parametrize("by", ["level", "band"])
@pytest.mark.parametrize("metric", METRICS, ids=repr)
def test_parts_add_up_to_the_loss(metric, by):
    table = contributions(metric, PAIRS, by=by)
    by_pair = table.groupby("pair")
    np.testing.assert_allclose(by_pair["contribution"].sum(), losses(metric, PAIRS), atol=1e-12)
    assert list(by_pair["share"].sum()[:2]) == pytest.approx([1, 1])
    parts = table["contribution"].to_numpy().reshape(3, -1)
    np.testing.assert_array_equal(parts, metric.contributions(PAIRS, by=by))
    np.testing.assert_array_equal(table[by], np.tile(np.arange(parts.shape[1]), 3))


def test_identical_pair_has_no_shares():
    table = contributions(NLPD(), PAIRS)
    identical = table[table["pair"] == 2]
    assert (identical["contribution"] == 0).all()
    assert identical["share"].isna().all()


def test_columns():
    assert list(contributions(MSE(), PAIRS)) == ["pair", "level", "contribution", "share"]
    by_band = contributions(MSE(), PAIRS, by="band")
    assert list(by_band) == ["pair", "band", "frequency_hz", "contribution", "share"]
    assert by_band["frequency_hz"].isna().all()


@pytest.mark.parametrize("front_end", [MelSpectrogram(n_mels=40), Spectrogram(n_fft=256)])
def test_bands_are_named_by_their_frequency(front_end):
    metric = make_pipeline(front_end, MSE(), RatingMapping())
    table = contributions(metric, SIGNALS, by="band")
    frequencies = front_end.band_frequencies()
    np.testing.assert_array_equal(table["frequency_hz"], np.tile(frequencies, 4))


def test_a_tone_is_heard_at_its_frequency():
    times = np.arange(16000) / 16000
    noise = 0.01 * RNG.standard_normal(16000)
    pairs = np.array([[noise, noise + 0.3 * np.sin(2 * np.pi * 3000 * times)]])
    table = contributions(make_pipeline(MelSpectrogram(), MSE()), pairs, by="band")
    loudest = table.loc[table["contribution"].idxmax(), "frequency_hz"]
    assert loudest == pytest.approx(3000, rel=0.02)


def test_steps_around_the_metric():
    metric = make_pipeline(NLPD(n_levels=3), RatingMapping()).fit(PAIRS, RATINGS)
    inner = Pipeline([("nothing", "passthrough"), ("inner", metric)])
    alone = contributions(NLPD(n_levels=3), PAIRS)
    pd.testing.assert_frame_equal(contributions(metric, PAIRS), alone)
    pd.testing.assert_frame_equal(contributions(inner, PAIRS), alone)


def test_best_of_a_search():
    pairs = np.concatenate([PAIRS[:2], PAIRS[:2] ** 1.5])
    search = GridSearchCV(make_pipeline(MSE(), RatingMapping()), {}, cv=2)
    search.fit(pairs, [4.0, 2.0, 3.0, 2.0])
    pd.testing.assert_frame_equal(contributions(search, pairs), contributions(MSE(), pairs))


def test_file_names_and_their_index(tmp_path):
    for name, signal in zip("abcd", SIGNALS.reshape(-1, 8000), strict=False):
        save_audio(tmp_path / f"{name}.wav", signal, 16000)
    files = pd.DataFrame(
        {"reference": [tmp_path / "a.wav", tmp_path / "c.wav"],
         "degraded": [tmp_path / "b.wav", tmp_path / "d.wav"]},
        index=["first", "second"],
    )  # fmt: skip
    table = contributions(make_pipeline(LoadAudio(), MelSpectrogram(n_mels=32), MSE()), files)
    assert list(table["pair"]) == ["first", "second"]


def test_mistakes():
    with pytest.raises(ValueError, match="by='row'"):
        contributions(MSE(), PAIRS, by="row")
    with pytest.raises(ValueError, match=r"got LinearRegression"):
        contributions(LinearRegression(), PAIRS)
    union = make_pipeline(FeatureUnion([("mse", MSE()), ("nlpd", NLPD())]), LinearRegression())
    with pytest.raises(ValueError, match="Of a union of metrics, give each by itself"):
        contributions(union, PAIRS)
