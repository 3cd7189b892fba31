"""What the display of correlations draws, and which tables it refuses."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from skperceptual.plotting import CorrelationsDisplay

TABLE = pd.DataFrame(
    [
        ("NLPD", "noise", 0.6, 0.4, 0.8, 0.68),
        ("MSE", "noise", 0.5, 0.1, 0.7, 0.64),
        ("NLPD", "limiter", np.nan, np.nan, np.nan, np.nan),
        ("ceiling", "noise", 0.9, 0.8, 0.95, np.nan),
    ],
    columns=["metric", "condition", "spearman", "low", "high", "paper"],
)


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    plt.close("all")


def test_values_intervals_and_references_are_drawn_where_they_belong():
    display = CorrelationsDisplay.from_correlations(TABLE, reference="paper")
    noise, limiter = display.axes_
    assert (noise.get_title(), limiter.get_title()) == ("noise", "limiter")
    labels = [label.get_text() for label in noise.get_yticklabels()]
    assert labels == ["NLPD", "MSE", "ceiling"]
    points, _, (bars,) = display.errorbars_[0].lines
    np.testing.assert_allclose(points.get_xydata(), [[0.6, 0], [0.5, 1], [0.9, 2]])
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, [[0.4, 0.8], [0.1, 0.7], [0.8, 0.95]])
    offsets = np.ma.filled(display.references_[0].get_offsets(), np.nan)
    np.testing.assert_allclose(offsets[:2], [[0.68, 0], [0.64, 1]])
    # The first metric stands above the second.
    assert noise.get_ylim()[0] > noise.get_ylim()[1]


def test_a_condition_without_references_has_none():
    display = CorrelationsDisplay.from_correlations(TABLE, reference="paper")
    assert display.references_[1] is None
    assert CorrelationsDisplay.from_correlations(TABLE).references_ == [None, None]


def test_names():
    display = CorrelationsDisplay.from_correlations(
        TABLE, reference="paper", reference_name="the paper"
    )
    assert display.value_name == "Spearman correlation"
    texts = [text.get_text() for text in display.axes_[-1].get_legend().get_texts()]
    assert texts == ["with interval", "the paper"]
    named = CorrelationsDisplay.from_correlations(TABLE, value_name="agreement")
    assert "agreement" in [panel.get_xlabel() for panel in named.axes_]
    assert named.axes_[-1].get_legend() is None


def test_other_columns():
    table = TABLE.rename(columns={"spearman": "pearson", "low": "from", "high": "to"})
    display = CorrelationsDisplay.from_correlations(table, value="pearson", low="from", high="to")
    assert display.value_name == "Pearson correlation"
    assert list(display.correlations["value"][:2]) == [0.6, 0.5]


def test_styles_are_passed_on():
    display = CorrelationsDisplay.from_correlations(
        TABLE,
        reference="paper",
        errorbar_kwargs={"color": "red"},
        scatter_kwargs={"s": 99},
    )
    assert display.errorbars_[0].lines[0].get_color() == "red"
    assert display.references_[0].get_sizes() == [99]


def test_missing_column():
    with pytest.raises(ValueError, match=r"no column 'low'; it has \['metric', 'condition', 'spe"):
        CorrelationsDisplay.from_correlations(TABLE.drop(columns="low"))


def test_repeated_rows():
    twice = pd.concat([TABLE, TABLE[1:2]])
    with pytest.raises(ValueError, match=r"'MSE' has several rows in the condition 'noise'"):
        CorrelationsDisplay.from_correlations(twice)
