"""Votes as a matrix, and a table of single votes made into one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skperceptual.metrics import mean_opinion_scores, remove_rater_bias, votes_from_table
from skperceptual.metrics.votes.matrix import check_votes


def long_table(rng, n_items=6, n_raters=5, share=0.6):
    given = rng.random((n_items, n_raters)) < share
    given[:, 0] = given[0] = True
    item, rater = np.nonzero(given)
    order = rng.permutation(len(item))
    vote = rng.integers(1, 6, len(item))
    return pd.DataFrame({"item": item, "rater": rater, "vote": vote}).iloc[order]


def test_table_becomes_a_matrix(rng):
    table = long_table(rng)
    matrix = votes_from_table(table)
    expected = table.pivot_table(index="item", columns="rater", values="vote")
    pd.testing.assert_frame_equal(
        matrix.sort_index(axis=0).sort_index(axis=1), expected, check_names=False
    )
    assert matrix.index.tolist() == table["item"].unique().tolist()
    assert (matrix.index.name, matrix.columns.name) == ("item", "rater")


def test_columns_have_the_names_that_are_given():
    table = pd.DataFrame({"clip": ["x", "y"], "who": ["a", "a"], "mos": [3, None]})
    matrix = votes_from_table(table, item="clip", rater="who", vote="mos")
    assert matrix.loc["x", "a"] == 3
    assert np.isnan(matrix.loc["y", "a"])  # an item without votes keeps its row


def test_categories_without_rows_are_no_items():
    item = pd.Categorical(["x", "y"], categories=["w", "x", "y"])
    matrix = votes_from_table(pd.DataFrame({"item": item, "rater": [1, 1], "vote": [2, 3]}))
    assert matrix.index.tolist() == ["x", "y"]


def test_duplicates():
    table = pd.DataFrame({"item": ["x", "x", "y"], "rater": ["a", "a", "a"], "vote": [2, 3, 5]})
    with pytest.raises(ValueError, match=r"rater 'a' on item 'x'. .*duplicates='mean'"):
        votes_from_table(table)
    assert votes_from_table(table, duplicates="mean").loc["x", "a"] == 2.5
    assert votes_from_table(table, duplicates="last").loc["x", "a"] == 3
    with pytest.raises(ValueError, match="duplicates='first' is unknown"):
        votes_from_table(table, duplicates="first")


def test_a_missing_vote_is_no_duplicate():
    table = pd.DataFrame({"item": ["x", "x"], "rater": ["a", "a"], "vote": [np.nan, 3]})
    assert votes_from_table(table).loc["x", "a"] == 3


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"item": [1], "rater": [1], "score": [3]}, r"no column \['vote'\]"),
        ({"item": [1], "rater": [1], "vote": ["3"]}, "pandas.to_numeric"),
        ({"item": [None, 1], "rater": [1, 1], "vote": [3, 2]}, "Column 'item' is empty in 1 rows"),
        ({"item": [1], "rater": [1], "vote": [np.inf]}, "infinite"),
    ],
)
def test_table_errors_say_what_to_do(table, message):
    with pytest.raises(ValueError, match=message):
        votes_from_table(pd.DataFrame(table))


def test_table_that_is_too_large_for_a_matrix():
    n = 20_000
    table = pd.DataFrame({"item": np.arange(n), "rater": np.arange(n), "vote": 3})
    with pytest.raises(ValueError, match="one experiment or condition at a time"):
        votes_from_table(table)


@pytest.mark.parametrize(
    ("votes", "message"),
    [
        ([1, 2, 3], r"shape \(n_items, n_raters\).*votes_from_table"),
        ([["3", "4"]], "pandas.to_numeric"),
        ([[3, "4"]], "should be numbers"),
        ([[3, {}]], "should be numbers"),
        ([[3, np.inf]], "infinite"),
        ([[np.nan, np.nan]], "no vote"),
        (np.zeros((0, 3)), "no vote"),
    ],
)
def test_matrix_errors_say_what_to_do(votes, message):
    with pytest.raises(ValueError, match=message):
        mean_opinion_scores(votes)


def test_votes_outside_the_scale_are_named():
    votes = pd.DataFrame([[3, 9], [4, 2]], index=["x", "y"], columns=["a", "b"])
    with pytest.raises(ValueError, match=r"being 9, of rater 'b' on item 'x'.*set them to NaN"):
        mean_opinion_scores(votes, scale=(1, 5))
    assert mean_opinion_scores(votes).loc["x", "rating"] == 6


@pytest.mark.parametrize("scale", [(5, 1), (1, 1), 5, (1, 2, 3), ("a", "b"), (0, np.inf)])
def test_scale_errors_say_what_to_do(scale):
    with pytest.raises(ValueError, match=r"such as \(1, 5\)"):
        mean_opinion_scores([[1, 2]], scale=scale)


@pytest.mark.parametrize(
    "votes",
    [
        [[5, None], [3, 4]],
        np.array([[5, np.nan], [3, 4]], dtype=np.float32),
        np.ma.masked_equal([[5, 0], [3, 4]], 0),
        pd.DataFrame([[5, pd.NA], [3, 4]], dtype="Int64"),
    ],
)
def test_ways_to_write_a_missing_vote(votes):
    np.testing.assert_array_equal(check_votes(votes).values, [[5, np.nan], [3, 4]])


def test_names_are_kept_and_the_input_is_not_touched():
    votes = pd.DataFrame([[5.0, 3.0], [4.0, 1.0]], index=["x", "y"], columns=["a", "b"])
    before = votes.copy()
    assert mean_opinion_scores(votes).index.tolist() == ["x", "y"]
    corrected = remove_rater_bias(votes)
    assert (corrected.index.tolist(), corrected.columns.tolist()) == (["x", "y"], ["a", "b"])
    pd.testing.assert_frame_equal(votes, before)
