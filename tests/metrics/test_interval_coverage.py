"""Coverage counts what lies in its interval, ends included."""

from __future__ import annotations

import numpy as np
import pytest

from skperceptual.metrics import interval_coverage


def test_table_by_hand():
    table = interval_coverage(
        [1.0, 2.0, 3.0, 4.0, 5.0],
        [1.0, 2.5, -np.inf, 3.0, 4.0],
        [2.0, 3.0, 3.0, np.inf, 4.5],
        groups=["a", "a", "b", "b", "b"],
        condition=["x", "x", "x", "y", "y"],
    )
    assert table["condition"].tolist() == ["all", "x", "y"]
    assert table["n"].tolist() == [5, 3, 2]
    assert table["n_groups"].tolist() == [2, 2, 1]
    np.testing.assert_allclose(table["coverage"], [3 / 5, 2 / 3, 1 / 2])
    np.testing.assert_allclose(
        table["coverage_of_groups"], [(1 / 2 + 2 / 3) / 2, (1 / 2 + 1) / 2, 1 / 2]
    )
    np.testing.assert_allclose(table["mean_width"], [np.inf, np.inf, np.inf])
    np.testing.assert_allclose(table["median_width"], [1.0, 1.0, np.inf])


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        ([1.0, 2.0], [0.5, 3.0], "row 0 ends before it begins: 1 to 0.5"),
        ([np.nan, 2.0], [1.0, 3.0], "There are NaN"),
        ([1.0], [3.0], "has 1 rows and y_true has 2"),
    ],
)
def test_what_are_no_intervals_is_refused(low, high, message):
    with pytest.raises(ValueError, match=message):
        interval_coverage([1.0, 2.0], low, high)
