"""The heatmap holds the correlations of the metrics, signs included."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skperceptual.plotting import MetricCorrelationsDisplay

RNG = np.random.default_rng(0)
RATINGS = RNG.normal(size=40)
OTHER = RNG.normal(size=40)
PREDICTIONS = {
    "NLPD": -RATINGS + RNG.normal(0, 0.5, 40),
    "tempo": OTHER,
    "SSIM": RATINGS + RNG.normal(0, 0.5, 40),
    "key": -OTHER + RNG.normal(0, 0.1, 40),
}


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    plt.close("all")


@pytest.mark.parametrize(
    ("score", "reference"),
    [("spearman", stats.spearmanr), ("pearson", stats.pearsonr), ("kendall", stats.kendalltau)],
)
def test_correlations(score, reference):
    display = MetricCorrelationsDisplay.from_predictions(PREDICTIONS, y_true=RATINGS, score=score)
    table = display.correlations
    assert list(table.index) == list(table.columns) == ["ratings", *PREDICTIONS]
    for one, values in PREDICTIONS.items():
        assert table.loc["ratings", one] == pytest.approx(reference(RATINGS, values).statistic)
        for other, others in PREDICTIONS.items():
            expected = reference(values, others).statistic
            assert table.loc[one, other] == pytest.approx(expected)
    assert display.value_name == f"{score.capitalize()} correlation"


def test_drawing():
    display = MetricCorrelationsDisplay.from_predictions(pd.DataFrame(PREDICTIONS))
    np.testing.assert_array_equal(display.image_.get_array(), display.correlations)
    assert display.image_.get_clim() == (-1, 1)
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == list(PREDICTIONS)
    value = display.correlations.loc["NLPD", "SSIM"]
    assert display.texts_[0, 2].get_text() == f"−{abs(value):.2f}".replace("0.", ".")
    assert display.texts_[0, 0].get_text() == "1.00"
    assert display.texts_[0, 0].get_color() == "white"  # on dark red
    assert display.colorbar_.ax.get_ylabel() == "Spearman correlation"


def test_alike_metrics_are_neighbours():
    display = MetricCorrelationsDisplay.from_predictions(PREDICTIONS, y_true=RATINGS, order="alike")
    names = list(display.correlations)
    assert names[0] == "ratings"
    assert abs(names.index("NLPD") - names.index("SSIM")) == 1
    assert abs(names.index("tempo") - names.index("key")) == 1


def test_mistakes():
    with pytest.raises(ValueError, match="score='r' is unknown"):
        MetricCorrelationsDisplay.from_predictions(PREDICTIONS, score="r")
    with pytest.raises(ValueError, match="order='size' is unknown"):
        MetricCorrelationsDisplay.from_predictions(PREDICTIONS, order="size")
    with pytest.raises(ValueError, match=r"two metrics or more.* got MSE \(40,\)"):
        MetricCorrelationsDisplay.from_predictions({"MSE": RATINGS})
    with pytest.raises(ValueError, match=r"got MSE \(40,\), SSIM \(3,\)"):
        MetricCorrelationsDisplay.from_predictions({"MSE": RATINGS, "SSIM": RATINGS[:3]})
    with pytest.raises(ValueError, match="called 'ratings'"):
        MetricCorrelationsDisplay.from_predictions({"ratings": OTHER}, y_true=RATINGS)
