"""P.1401's tests between sets of different items."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics import (
    compare_independent_correlations,
    compare_outlier_ratios,
    compare_rmse,
)


def test_rmse_equals_the_worked_case():
    statistic, p_value = compare_rmse(0.4, 59, 0.3, 59)
    assert statistic == pytest.approx(1.778, abs=5e-4)
    assert scipy.stats.f.ppf(0.95, 59, 59) == pytest.approx(1.540, abs=5e-4)
    assert p_value == pytest.approx(scipy.stats.f.sf(16 / 9, 59, 59))
    # The larger error comes first with its own degrees of freedom, whichever is given first.
    assert compare_rmse(0.3, 20, 0.4, 59) == compare_rmse(0.4, 59, 0.3, 20)
    assert compare_rmse(0.4, 59, 0.3, 20).p_value == pytest.approx(scipy.stats.f.sf(16 / 9, 59, 20))


def test_correlations_by_hand_and_by_simulation(rng):
    z, p_value = compare_independent_correlations(0.5, 103, 0.3, 53)
    assert z == pytest.approx((np.arctanh(0.5) - np.arctanh(0.3)) / np.sqrt(0.01 + 0.02))
    assert p_value == pytest.approx(2 * scipy.stats.norm.sf(z))
    assert compare_independent_correlations(0.3, 53, 0.5, 103) == (-z, pytest.approx(p_value))
    data = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], size=(1000, 2, 40))
    found = [
        compare_independent_correlations(
            np.corrcoef(pair[0].T)[0, 1], 40, np.corrcoef(pair[1].T)[0, 1], 40
        ).p_value
        for pair in data
    ]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.02)


def test_outlier_ratios_equal_the_test_of_a_table():
    z, p_value = compare_outlier_ratios(12 / 60, 60, 30 / 75, 75)
    table = scipy.stats.chi2_contingency([[12, 48], [30, 45]], correction=False)
    assert z**2 == pytest.approx(table.statistic)
    assert p_value == pytest.approx(table.pvalue)
    assert z < 0


def test_what_cannot_be_tested_is_nan():
    for test, arguments in (
        (compare_rmse, (0.4, 10, 0.0, 10)),
        (compare_outlier_ratios, (0.0, 10, 0.0, 20)),
        (compare_outlier_ratios, (1.0, 10, 1.0, 20)),
        (compare_independent_correlations, (1.0, 10, 0.5, 20)),
    ):
        with pytest.warns(UndefinedMetricWarning, match="The test is NaN") as record:
            assert np.isnan(test(*arguments)).all()
        assert record[0].filename == __file__


@pytest.mark.parametrize(
    ("test", "arguments", "message"),
    [
        (compare_independent_correlations, (1.2, 10, 0.5, 10), "correlation should be a number"),
        (compare_independent_correlations, (0.2, 3, 0.5, 10), "n_samples should be .* 4 or more"),
        (compare_outlier_ratios, (0.2, 10.5, 0.5, 10), "n_samples should be a whole number"),
        (compare_outlier_ratios, (-0.2, 10, 0.5, 10), "outlier_ratio should be a number from 0"),
        (compare_rmse, (np.nan, 10, 0.5, 10), "rmse should be a number"),
        (compare_rmse, (0.2, 0, 0.5, 10), "degrees_of_freedom should be .* 1 or more"),
    ],
)
def test_bad_values(test, arguments, message):
    with pytest.raises(ValueError, match=message):
        test(*arguments)
