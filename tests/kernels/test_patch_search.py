"""The search for patches: published cases, an exhaustive one, and ties."""

from __future__ import annotations

import json
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
import torch

from skperceptual.full_reference.visqol.similarity import search
from skperceptual.functional import nsim
from skperceptual.functional.nsim import WINDOW, nsim_constants
from skperceptual.kernels.patch_search import best_path, patch_similarities

CASES = json.loads((Path(__file__).parents[1] / "data" / "visqol.json").read_text())
PUBLISHED = CASES["other_assertions"]["dp_search"]["cases"]


def similarities_of(reference, degraded, starts, length, radius):
    padded = np.pad(degraded, ((0, 0), (0, length + 32)))
    found = np.full((len(starts), min(degraded.shape[1], 2 * radius + 1)), np.nan)
    constants = nsim_constants(1.0)
    patch_similarities(
        reference, padded, np.asarray(starts), length, radius, np.array(WINDOW), constants, found
    )
    return found


@pytest.mark.parametrize("case", PUBLISHED, ids=[case["name"] for case in PUBLISHED])
def test_published_cases(case):
    images = (np.array(case[key], dtype=np.float64) for key in ("ref", "deg"))
    length = case["patch_size"]
    starts = np.array(case["indices"])
    places, is_met = search(*images, starts, length, case["radius"] * length)
    starts_found = np.where(is_met, places, 0)  # a patch that is met nowhere is reported at 0
    expected = {int(row): place for row, place in case["expected_deg_start"].items()}
    assert {row: int(starts_found[row]) for row in expected} == expected
    if "prototype_all" in case:
        assert starts_found.tolist() == case["prototype_all"]


@pytest.mark.parametrize("length", [1, 2, 3, 20])
@pytest.mark.parametrize("radius", [0, 7, 500])
def test_similarities_equal_the_function(length, radius, rng):
    reference, degraded = 45 * rng.random((6, 90)), 45 * rng.random((6, 75))
    degraded[:, 20:60] = reference[:, 25:65] + rng.random((6, 40))
    starts = [0, 9, 40, 60]
    found = similarities_of(reference, degraded, starts, length, radius)
    padded = torch.tensor(np.pad(degraded, ((0, 0), (0, length))))
    for row, start in enumerate(starts):
        first, stop = max(0, start - radius), min(75, start + radius + 1)
        patch = torch.tensor(reference[:, start : start + length])
        for place in range(first, stop):
            expected = nsim(patch, padded[:, place : place + length]).mean().item()
            assert found[row, place - first] == pytest.approx(expected, abs=1e-12)


def test_equal_places_give_equal_bits(rng):
    """Silence is the same everywhere, and which of equal places is taken depends on it."""
    reference, piece = 45 * rng.random((6, 30)), 45 * rng.random((6, 25))
    degraded = np.concatenate([np.zeros((6, 70)), piece, np.zeros((6, 41)), piece], axis=1)
    found = similarities_of(reference, degraded, [3], 10, 1000)[0]
    assert len(set(found[:60])) == 1
    np.testing.assert_array_equal(found[70:85], found[136:151])


def brute_force(table: np.ndarray) -> float:
    """Give the largest sum over places that rise strictly, where patches may be left out."""
    n_patches, n_places = table.shape
    best = -np.inf
    for kept in product([True, False], repeat=n_patches - 1):
        rows = [0, *(row + 1 for row in range(n_patches - 1) if kept[row])]
        for places in product(range(n_places), repeat=len(rows)):
            if all(a < b for a, b in pairwise(places)):
                best = max(
                    best, sum(table[row, place] for row, place in zip(rows, places, strict=True))
                )
    return best


def test_the_path_is_the_best_there_is(rng):
    for _ in range(20):
        table = rng.random((4, 6))
        starts = np.arange(4)
        places, is_met = best_path(table.copy(), starts, 100, 6)
        total = sum(table[row, place] for row, place in enumerate(places) if is_met[row])
        assert total == pytest.approx(brute_force(table))
        met = places[is_met]
        assert (np.diff(met) > 0).all()


def test_of_equal_paths_the_first_end_and_the_last_predecessor_are_taken():
    table = np.ones((2, 4))
    table[1] = [0, 2, 5, 5]
    places, is_met = best_path(table, np.arange(2), 100, 4)
    assert places.tolist() == [1, 2]
    assert is_met.all()


def test_one_place_holds_one_patch():
    places, is_met = best_path(np.array([[0.5], [0.9]]), np.arange(2), 10, 1)
    assert places.tolist() == [0, 0]
    assert is_met.tolist() == [True, False]
