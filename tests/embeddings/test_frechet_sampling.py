"""Intervals and limits of the Fréchet audio distance."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

import skperceptual.embeddings.frechet_sampling as sampling
from skperceptual.embeddings import FrameStatistics, FrechetAudioDistance
from skperceptual.embeddings.frame_sums import FrameSums
from skperceptual.embeddings.frechet_statistics import frechet_distance_of


def gaussian_clips(rng, n_clips, *, offset=0.0, dim=16):
    """Frames of a clip are alike: half of their variance lies between clips."""
    clips = rng.standard_normal((n_clips, 1, dim)) + rng.standard_normal((n_clips, 10, dim))
    clips[..., 0] += offset
    return clips


@pytest.fixture(scope="module")
def population():
    rng = np.random.default_rng(3)
    return FrechetAudioDistance("precomputed").fit(gaussian_clips(rng, 20_000))


def test_intervals_hold_the_distance_of_the_population(population, rng):
    inside = []
    for _ in range(30):
        clips = gaussian_clips(rng, 60, offset=1.5)
        low, high = population.distance_interval(clips, n_resamples=100)
        inside.append(low <= 1.5**2 <= high)
        assert low < high
    assert sum(inside) >= 24


def test_an_interval_depends_on_nothing_but_its_seed(population, rng):
    clips = gaussian_clips(rng, 20)
    found = [population.distance_interval(clips, n_resamples=20) for _ in range(2)]
    assert found[0] == found[1]
    other = population.distance_interval(clips, n_resamples=20, random_state=1)
    assert other != found[0]
    narrow = population.distance_interval(clips, n_resamples=200, confidence_level=0.5)
    wide = population.distance_interval(clips, n_resamples=200, confidence_level=0.99)
    assert wide[0] <= narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize(
    ("n_reference", "n_clips", "dim"),
    [(None, 12, 16), (4, 12, 40), (50, 3, 60)],  # full rank; of the reference; of what is measured
)
def test_drawn_sets_are_those_of_the_definition(
    population, rng, monkeypatch, n_reference, n_clips, dim
):
    metric = population
    if n_reference is not None:
        metric = FrechetAudioDistance("precomputed").partial_fit(
            gaussian_clips(rng, n_reference, dim=dim)
        )
    clips = list(gaussian_clips(rng, n_clips, offset=0.5, dim=dim))
    clips[1] = clips[1][:4]
    drawn = np.random.RandomState(0).randint(n_clips, size=(5, n_clips))
    statistics = [FrameStatistics.from_frames([clips[row] for row in rows]) for rows in drawn]
    expected = [frechet_distance_of(metric.reference_statistics(), part) for part in statistics]
    for n_bytes in (sampling._DRAWN_BYTES, 1):  # all at once, and one by one
        monkeypatch.setattr(sampling, "_DRAWN_BYTES", n_bytes)
        monkeypatch.setattr(sampling, "_CLIP_BYTES", n_bytes)
        found = sampling.bootstrap_distances(
            metric.reference_statistics(),
            clips,
            n_resamples=5,
            random_state=np.random.RandomState(0),
        )
        # Directions that frames do not have are in the products but to half of the digits.
        np.testing.assert_allclose(found, expected, rtol=1e-9 if dim == 16 else 1e-6)


def test_drawn_sets_far_from_the_origin_keep_their_digits(rng):
    reference, measured = rng.standard_normal((2, 50, 20, 4))
    metric = FrechetAudioDistance("precomputed").fit(reference)
    found, moved = (
        sampling.bootstrap_distances(
            fitted.reference_statistics(),
            list(clips),
            n_resamples=3,
            random_state=np.random.RandomState(0),
        )
        for fitted, clips in (
            (metric, measured),
            (clone(metric).fit(reference + 1e6), measured + 1e6),
        )
    )
    np.testing.assert_allclose(moved, found, rtol=1e-6)


def test_what_many_sets_cost_does_not_grow_with_the_frames(rng, monkeypatch):
    """A clip's frames are gone through once, not once for each set that it is drawn into."""
    n_rows = []
    of = FrameSums.of

    def counted(self, rows):
        n_rows.append(len(range(*rows.indices(400))))
        return of(self, rows)

    monkeypatch.setattr(FrameSums, "of", counted)
    metric = FrechetAudioDistance("precomputed").fit(rng.standard_normal((1, 50, 4)))
    metric.distance_interval(rng.standard_normal((8, 50, 4)), n_resamples=200)
    assert sum(n_rows) == 400


@pytest.mark.parametrize(
    ("n_clips", "parameters", "message"),
    [
        (1, {}, "two clips or more"),
        (5, {"confidence_level": 1.0}, "confidence_level between 0 and 1"),
        (5, {"n_resamples": 0}, "n_resamples"),
    ],
)
def test_intervals_that_cannot_be_are_refused(population, rng, n_clips, parameters, message):
    with pytest.raises(ValueError, match=message):
        population.distance_interval(gaussian_clips(rng, n_clips), **parameters)


# The limit of many clips


def drawn_clips(rng, n_clips, alike, *, dim=32, n_frames=50):
    """Frames that correlate within clips, half a unit from the origin."""
    between = alike**0.5 * rng.standard_normal((n_clips, 1, dim))
    within = (1 - alike) ** 0.5 * rng.standard_normal((n_clips, n_frames, dim))
    return (between + within) / np.sqrt(np.arange(1, dim + 1)) + 0.5 / dim**0.5


def test_extrapolation_takes_the_bias_away_where_frames_of_a_clip_are_alike():
    rng = np.random.default_rng(4)
    reference = drawn_clips(rng, 20_000, 0.0, n_frames=1) - 0.5 / 32**0.5
    metric = FrechetAudioDistance("precomputed").fit(reference)
    distances, limits = [], []
    for seed in range(12):
        clips = drawn_clips(rng, 100, 0.8)
        limit = metric.extrapolate(clips, random_state=seed, n_orders=4)
        assert limit.unit == "clips"
        assert limit.sizes[0] == 50
        assert limit.sizes[-1] == 100
        assert limit.distances[-1] == pytest.approx(metric.distance(clips), rel=1e-9)
        limits.append(limit.distance)
        distances.append(limit.distances[-1])
    assert np.mean(distances) > 0.25 + 0.1
    assert np.mean(limits) == pytest.approx(0.25, abs=0.04)


def test_extrapolation_takes_the_bias_away_where_frames_are_independent(population, rng):
    limits, distances = [], []
    for seed in range(20):
        clips = rng.standard_normal((40, 10, 16)) * 2**0.5
        clips[..., 0] += 1.5
        limit = population.extrapolate(clips, random_state=seed)
        assert limit.r2 > 0.8
        assert limit.slope > 0
        assert limit.distances[-1] == pytest.approx(population.distance(clips), rel=1e-9)
        limits.append(limit.distance)
        distances.append(limit.distances[-1])
    assert np.mean(distances) > 1.5**2 + 0.3
    assert np.mean(limits) == pytest.approx(1.5**2, abs=0.15)


def test_nested_sets_are_whole_clips_of_any_length(population, rng):
    clips = [rng.standard_normal((n, 16)) for n in (3, 1, 9, 20, 5, 8, 2, 30, 4, 11)]
    limit = population.extrapolate(clips, n_orders=1)
    order = np.random.RandomState(0).permutation(10)
    reference = population.reference_statistics()
    expected = [
        frechet_distance_of(reference, FrameStatistics.from_frames([clips[k] for k in order[:n]]))
        for n in limit.sizes
    ]
    np.testing.assert_array_equal(limit.sizes, [5, 6, 7, 8, 9, 10])
    np.testing.assert_allclose(limit.distances, expected, rtol=1e-9)


def test_of_few_clips_frames_are_drawn_and_a_warning_says_so(population, rng):
    for clips in (rng.standard_normal((9, 20, 16)), rng.standard_normal((1, 180, 16))):
        message = f"too few clips to draw from, {len(clips)}, and frames are drawn"
        with pytest.warns(UserWarning, match=message) as caught:
            limit = population.extrapolate(clips, n_orders=1)
        assert caught[0].filename == __file__
        assert limit.unit == "frames"
        assert (limit.sizes[0], limit.sizes[-1]) == (90, 180)
        assert limit.distances[-1] == pytest.approx(population.distance(clips), rel=1e-9)


@pytest.mark.filterwarnings("ignore:There are too few clips:UserWarning")
def test_few_frames_have_fewer_sizes(rng):
    metric = FrechetAudioDistance("precomputed").fit(rng.standard_normal((1, 50, 2)))
    assert len(metric.extrapolate(rng.standard_normal((1, 8, 2))).sizes) == 5
    narrow = FrechetAudioDistance("precomputed").fit(rng.standard_normal((1, 50, 1)))
    with pytest.raises(ValueError, match="too few sizes for a line"):
        narrow.extrapolate(rng.standard_normal((1, 3, 1)))


def test_sizes_are_evenly_spaced_in_one_over_the_number(population, rng):
    clips = rng.standard_normal((1000, 1, 16))
    limit = population.extrapolate(clips, n_sizes=6, n_orders=2)
    steps = np.diff(1 / limit.sizes)
    assert limit.sizes[0] == 500
    assert limit.sizes[-1] == 1000
    np.testing.assert_allclose(steps, steps.mean(), rtol=0.02)


def test_extrapolation_is_seeded(population, rng):
    clips = rng.standard_normal((20, 5, 16))
    one, other = (population.extrapolate(clips, n_orders=2).distances for _ in range(2))
    np.testing.assert_array_equal(one, other)
    moved = population.extrapolate(clips, n_orders=2, random_state=5).distances
    assert not np.array_equal(moved, one)


@pytest.mark.parametrize(
    ("n_frames", "parameters", "message"),
    [
        (31, {}, "twice as many frames as dimensions, 32, got 31"),
        (100, {"n_sizes": 2.5}, "n_sizes to be a whole number from 3"),
        (100, {"n_sizes": 2}, "n_sizes to be a whole number from 3"),
        (100, {"n_orders": 0}, "n_orders to be a whole number from 1"),
    ],
)
def test_extrapolations_that_cannot_be_are_refused(population, rng, n_frames, parameters, message):
    with pytest.raises(ValueError, match=message):
        population.extrapolate(rng.standard_normal((1, n_frames, 16)), **parameters)
