"""What is held out to stop early by: whole groups, of every class, or nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from skperceptual.cello.held_out import hold_out_groups


@pytest.mark.parametrize("crossed", [False, True])
def test_no_group_stands_on_both_sides(crossed):
    labels = np.repeat([0, 1], 30)
    groups = np.tile(np.arange(10), 6) if crossed else np.arange(60) // 5
    for seed in range(20):
        train, held_out = hold_out_groups(labels, groups, 0.3, np.random.RandomState(seed))
        assert set(groups[train]) & set(groups[held_out]) == set()
        assert sorted([*train, *held_out]) == list(range(60))
        assert set(labels[held_out]) == set(labels[train]) == {0, 1}
        n_groups = len(set(groups[held_out]))
        assert n_groups == (3 if crossed else 4)


def test_nothing_is_held_out_where_a_class_is_one_group():
    labels = np.array([0, 0, 1, 1, 1, 1])
    groups = np.array([0, 0, 1, 1, 2, 2])
    train, held_out = hold_out_groups(labels, groups, 0.5, np.random.RandomState(0))
    assert len(train) == 6
    assert len(held_out) == 0


@given(
    rows=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=30),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 100),
)
def test_either_side_has_every_class_or_nothing_is_held_out(rows, fraction, seed):
    labels, groups = np.array(rows).T
    train, held_out = hold_out_groups(labels, groups, fraction, np.random.RandomState(seed))
    assert sorted([*train, *held_out]) == list(range(len(rows)))
    assert not set(groups[train]) & set(groups[held_out])
    assert set(labels[train]) == set(labels)
    assert set(labels[held_out]) in (set(), set(labels))


def test_groups_that_are_shared_in_part_are_held_out_for_both_classes():
    labels, groups = np.array([0, 0, 1, 1]), np.array([1, 2, 2, 3])
    for seed in range(10):
        train, held_out = hold_out_groups(labels, groups, 0.2, np.random.RandomState(seed))
        assert set(labels[train]) == set(labels[held_out]) == {0, 1}
