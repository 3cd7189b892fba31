"""A matrix of differences colours what the ratings tell apart, after Holm's correction."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from skperceptual import metrics
from skperceptual.plotting import SignificanceMatrixDisplay

TABLE = pd.DataFrame(
    [("NLPD", "SSIM", 0.02, 0.6), ("NLPD", "MSE", 0.15, 0.0002), ("SSIM", "MSE", 0.13, 0.03)],
    columns=["metric", "other", "difference", "p_value"],
)


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    plt.close("all")


def test_cells_hold_differences_of_row_and_column():
    display = SignificanceMatrixDisplay.from_comparisons(TABLE, adjusted=True)
    names = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert names == ["NLPD", "SSIM", "MSE"]
    words = [[text.get_text() for text in row] for row in display.texts_]
    assert words[0] == ["", "+.02\n.600", "+.15\n<.001"]
    assert words[2] == ["−.15\n<.001", "−.13\n.030", ""]
    drawn = np.ma.filled(display.image_.get_array(), np.nan)
    expected = [[np.nan, 0, 0.15], [0, np.nan, 0.13], [-0.15, -0.13, np.nan]]
    np.testing.assert_array_equal(drawn, expected)
    low, high = display.image_.get_clim()
    assert -low == high == 0.15


def test_p_values_are_adjusted_unless_they_are():
    display = SignificanceMatrixDisplay.from_comparisons(TABLE)
    np.testing.assert_allclose(display.comparisons["p_value"], [0.6, 0.0006, 0.06])
    assert np.ma.filled(display.image_.get_array(), np.nan)[1, 2] == 0
    lenient = SignificanceMatrixDisplay.from_comparisons(TABLE, significance_level=0.1)
    assert np.ma.filled(lenient.image_.get_array(), np.nan)[1, 2] == 0.13
    kept = SignificanceMatrixDisplay.from_comparisons(TABLE, adjusted=True)
    assert list(kept.comparisons["p_value"]) == list(TABLE["p_value"])


def test_predictions_are_compared_two_by_two():
    rng = np.random.default_rng(0)
    ratings = rng.normal(size=60)
    groups = np.repeat(np.arange(15), 4)
    similarity, distance = ratings + rng.normal(0, 0.3, 60), -ratings + rng.normal(0, 2, 60)
    values = {"good": similarity, "poor": distance, "other": rng.normal(size=60)}
    rises = {"good": True, "poor": False, "other": True}
    display = SignificanceMatrixDisplay.from_predictions(
        ratings, values, groups=groups, higher_is_better=rises
    )
    table = display.comparisons
    expected = [
        metrics.compare_correlations(ratings, one, other, groups=groups)
        for one, other in (
            (similarity, -distance),
            (similarity, values["other"]),
            (-distance, values["other"]),
        )
    ]
    np.testing.assert_allclose(table["difference"], [found.difference for found in expected])
    adjusted = metrics.holm_correction([found.p_value for found in expected])
    np.testing.assert_allclose(table["p_value"], adjusted)
    assert table["difference"][0] == pytest.approx(
        metrics.spearman_score(ratings, similarity) - metrics.spearman_score(ratings, -distance)
    )


def test_a_missing_p_value_tells_nothing_apart():
    table = TABLE.assign(p_value=[np.nan, 0.001, 0.001])
    display = SignificanceMatrixDisplay.from_comparisons(table)
    assert display.texts_[0, 1].get_text() == "+.02\nno p"
    np.testing.assert_array_equal(display.image_.get_array()[0, 1:], [0, 0.15])


def test_mistakes():
    with pytest.raises(ValueError, match="no column 'p_value'"):
        SignificanceMatrixDisplay.from_comparisons(TABLE.drop(columns="p_value"))
    turned = TABLE[:1].rename(columns={"metric": "other", "other": "metric"})
    with pytest.raises(ValueError, match=r"'SSIM' and 'NLPD' .* an earlier row"):
        SignificanceMatrixDisplay.from_comparisons(pd.concat([TABLE, turned]))
    with pytest.raises(ValueError, match="with itself"):
        SignificanceMatrixDisplay.from_comparisons(TABLE.assign(other="NLPD"))
    with pytest.raises(ValueError, match="two metrics or more to compare, got 1"):
        SignificanceMatrixDisplay.from_predictions([1, 2, 3], {"MSE": [1, 2, 3]})
    with pytest.raises(ValueError, match="'zou' gives no p-values"):
        SignificanceMatrixDisplay.from_predictions(
            [1, 2, 3], {"MSE": [1, 2, 3], "SSIM": [1, 2, 3]}, method="zou"
        )
    with pytest.raises(ValueError, match="higher_is_better lacks 'SSIM'"):
        SignificanceMatrixDisplay.from_predictions(
            [1, 2, 3], {"MSE": [1, 2, 3], "SSIM": [1, 2, 3]}, higher_is_better={"MSE": False}
        )
