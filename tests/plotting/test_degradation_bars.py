"""Bars stand at the means of what was rated, with the intervals of independent recordings."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats

from skperceptual.plotting import DegradationBarsDisplay

RNG = np.random.default_rng(0)
CONDITION = np.repeat(["noise", "codec"], 12)
LEVEL = np.tile([100, 0, 50], 8)
GROUPS = np.tile(np.repeat([0, 1, 2, 3], 3), 2)
RATINGS = 4 - LEVEL / 50 + RNG.normal(0, 0.3, 24)


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    plt.close("all")


def cell(values, condition, level):
    return values[(condition == CONDITION) & (level == LEVEL)]


def test_bars_are_means_in_order_of_level():
    display = DegradationBarsDisplay.from_predictions(RATINGS, condition=CONDITION, level=LEVEL)
    assert [bars.get_label() for bars in display.bars_] == ["0", "50", "100"]
    for bars, level in zip(display.bars_, (0, 50, 100), strict=True):
        for bar, condition in zip(bars, ("noise", "codec"), strict=True):
            assert bar.get_height() == pytest.approx(cell(RATINGS, condition, level).mean())
    lefts = np.array([[bar.get_x() for bar in bars] for bars in display.bars_])
    assert (np.diff(lefts.T.ravel()) > 0).all()
    assert [text.get_text() for text in display.ax_.get_xticklabels()] == ["noise", "codec"]


def test_intervals_are_students_without_groups():
    display = DegradationBarsDisplay.from_predictions(
        RATINGS, condition=CONDITION, level=LEVEL, confidence_level=0.9
    )
    for row in display.means.to_dict("records"):
        values = cell(RATINGS, row["condition"], row["level"])
        expected = stats.t.interval(0.9, len(values) - 1, values.mean(), stats.sem(values))
        np.testing.assert_allclose([row["low"], row["high"]], expected)


def test_intervals_of_groups_are_those_of_their_means():
    # Equal groups: the interval of the mean of independent means of groups.
    display = DegradationBarsDisplay.from_predictions(RATINGS, condition=CONDITION, groups=GROUPS)
    for row in display.means.to_dict("records"):
        rows = row["condition"] == CONDITION
        means = np.array([RATINGS[rows & (group == GROUPS)].mean() for group in range(4)])
        expected = stats.t.interval(0.95, 3, means.mean(), stats.sem(means))
        np.testing.assert_allclose([row["low"], row["high"]], expected)


def test_a_single_rating_has_no_interval():
    means = DegradationBarsDisplay.from_predictions([3.0, 4.0], condition=["a", "b"]).means
    assert means[["mean", "low", "high"]].to_numpy().tolist() == [[3.0] * 3, [4.0] * 3]


def test_predictions_are_points_on_the_bars():
    predictions = {"NLPD": RATINGS + 0.5, "SSIM": RATINGS - 0.5}
    display = DegradationBarsDisplay.from_predictions(
        RATINGS, predictions, condition=CONDITION, level=LEVEL
    )
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["0", "50", "100", "NLPD", "SSIM"]
    points = display.errorbars_[1].lines[0].get_xydata()
    rows = display.means[display.means["series"] == "NLPD"]
    np.testing.assert_allclose(points[:, 1], rows["mean"])
    ratings = display.means[display.means["series"] == "ratings"]
    np.testing.assert_allclose(rows["mean"], ratings["mean"].to_numpy() + 0.5)
    bars = {(bar.get_x(), bar.get_x() + bar.get_width()) for bars in display.bars_ for bar in bars}
    for errorbar in display.errorbars_[1:]:
        for x in errorbar.lines[0].get_xdata():
            assert sum(low < x < high for low, high in bars) == 1


def test_bars_can_begin_at_the_end_of_the_scale():
    display = DegradationBarsDisplay.from_predictions(RATINGS, condition=CONDITION, bottom=1.0)
    bar = display.bars_[0][0]
    assert bar.get_y() == 1
    assert bar.get_y() + bar.get_height() == pytest.approx(RATINGS[:12].mean())
    assert display.ax_.get_ylim()[0] == 1
    assert display.ax_.get_legend() is None


def test_styles_and_names():
    display = DegradationBarsDisplay.from_predictions(
        RATINGS,
        RATINGS,
        condition=CONDITION,
        value_name="distance",
        bar_kwargs={"color": "red"},
        errorbar_kwargs={"markersize": 9},
    )
    assert display.bars_[0][0].get_facecolor() == (1, 0, 0, 1)
    assert display.errorbars_[1].lines[0].get_markersize() == 9
    assert display.ax_.get_ylabel() == "distance"


def test_long_names_do_not_run_into_each_other():
    condition = np.repeat([f"a rather long condition {number}" for number in range(6)], 4)
    display = DegradationBarsDisplay.from_predictions(RATINGS, condition=condition)
    assert display.ax_.get_xticklabels()[0].get_rotation() == 25


def test_mistakes():
    with pytest.raises(ValueError, match=r"each of the 24 pairs in condition, .* shape \(2,\)"):
        DegradationBarsDisplay.from_predictions(RATINGS, condition=["a", "b"])
    with pytest.raises(ValueError, match=r"each of the 24 pairs in NLPD"):
        DegradationBarsDisplay.from_predictions(RATINGS, {"NLPD": [1.0]}, condition=CONDITION)
    with pytest.raises(ValueError, match="NaN or infinity in predicted"):
        DegradationBarsDisplay.from_predictions(RATINGS, np.full(24, np.nan), condition=CONDITION)
    with pytest.raises(ValueError, match="called 'ratings'"):
        DegradationBarsDisplay.from_predictions(RATINGS, {"ratings": RATINGS}, condition=CONDITION)
    with pytest.raises(ValueError, match="got missing ones"):
        DegradationBarsDisplay.from_predictions(
            RATINGS, condition=CONDITION, level=[None, *LEVEL[1:]]
        )
    with pytest.raises(ValueError, match="confidence_level between 0 and 1, got 95"):
        DegradationBarsDisplay.from_predictions(RATINGS, condition=CONDITION, confidence_level=95)
