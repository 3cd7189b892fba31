"""Pyramids as data that travels through pipelines, and the steps that make and normalise them."""

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skperceptual import (
    NLPD,
    DivisiveNorm,
    LaplacianPyramid,
    Pyramid,
    PyramidDistance,
    RatingMapping,
)


@pytest.fixture
def pairs(rng):
    references = rng.random((9, 24, 33))
    return np.stack([references, references + 0.1 * rng.standard_normal(references.shape)], axis=1)


@pytest.fixture
def ragged(rng):
    return [rng.random((2, 24, n_frames)) for n_frames in (33, 41, 29)]


class TestPyramid:
    def test_counts_samples_not_levels(self, pairs):
        pyramid = LaplacianPyramid(3).fit_transform(pairs)
        assert len(pyramid) == 9
        assert pyramid.shape == (9,)
        assert len(pyramid.levels) == 3
        assert pyramid.dtype == np.float64
        assert pyramid.has_pairs

    @pytest.mark.parametrize(
        "key", [slice(2, 5), [0, 3, 3], np.array([True, False] * 4 + [True]), (np.array([1]), ...)]
    )
    def test_indexes_samples_as_an_array_does(self, pairs, key):
        pyramid = LaplacianPyramid(3).fit_transform(pairs)
        for picked, level in zip(pyramid[key].levels, pyramid.levels, strict=True):
            np.testing.assert_array_equal(picked, level[key])
        assert pyramid[key].convention == pyramid.convention

    def test_one_sample(self, pairs):
        pyramid = LaplacianPyramid(3).fit_transform(pairs)
        assert len(pyramid[4]) == 1
        np.testing.assert_array_equal(pyramid[-1].levels[0][0], pyramid.levels[0][8])
        with pytest.raises(IndexError):
            pyramid[9]

    def test_flattens_to_an_array(self, pairs):
        pyramid = LaplacianPyramid(2).fit_transform(pairs[:, 0])
        flat = np.asarray(pyramid)
        assert flat.shape == (9, 24 * 33 + 12 * 17)
        np.testing.assert_array_equal(flat[:, : 24 * 33], pyramid.levels[0].reshape(9, -1))
        assert np.asarray(pyramid, dtype=np.float32).dtype == np.float32

    def test_ragged(self, ragged):
        pyramid = LaplacianPyramid(3).fit_transform(ragged)
        assert len(pyramid) == 3
        assert "ragged" in repr(pyramid)
        assert pyramid[[2, 0]].levels[0][0].shape == (2, 24, 29)
        with pytest.raises(ValueError, match="FixDuration"):
            np.asarray(pyramid)

    def test_hash_is_stable_so_that_pipelines_can_cache(self, pairs):
        one, other = (LaplacianPyramid(3).fit_transform(pairs) for _ in range(2))
        assert joblib.hash(one) == joblib.hash(other)

    def test_refuses_levels_that_do_not_belong_together(self):
        with pytest.raises(ValueError, match="same number of samples"):
            Pyramid([np.zeros((3, 8, 8)), np.zeros((2, 4, 4))])
        with pytest.raises(ValueError, match="at least one level"):
            Pyramid([])
        with pytest.raises(ValueError, match="convention='x'"):
            Pyramid([np.zeros((3, 8, 8))], convention="x")


class TestLaplacianPyramid:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_inverse_is_exact(self, pairs, dtype):
        step = LaplacianPyramid()
        X = pairs.astype(dtype)
        back = step.inverse_transform(step.fit_transform(X))
        assert back.dtype == dtype
        np.testing.assert_allclose(back, X, atol=4 * np.finfo(dtype).eps)

    def test_inverse_of_ragged_images(self, ragged):
        step = LaplacianPyramid(4)
        for back, image in zip(
            step.inverse_transform(step.fit_transform(ragged)), ragged, strict=True
        ):
            np.testing.assert_allclose(back, image, atol=1e-14)

    def test_hepburn_says_that_it_has_no_inverse(self, rng):
        step = LaplacianPyramid(convention="hepburn")
        with pytest.raises(ValueError, match="no inverse"):
            step.inverse_transform(step.fit_transform(rng.random((1, 65, 65))))

    def test_too_small_images_are_named(self, rng):
        with pytest.raises(ValueError, match=r"7 bands and 20 frames.*at least 8"):
            LaplacianPyramid().fit(rng.random((2, 7, 20)))
        with pytest.raises(ValueError, match="at least 65"):
            LaplacianPyramid(convention="hepburn").fit(rng.random((2, 64, 70)))

    def test_signals_are_sent_to_a_front_end(self, rng):
        with pytest.raises(ValueError, match=r"MelSpectrogram\(sr=\.\.\.\)"):
            LaplacianPyramid().fit(rng.random((4, 2, 1000)))

    def test_anything_but_a_pyramid_has_no_inverse(self, rng):
        with pytest.raises(ValueError, match="Expected a Pyramid, got ndarray"):
            LaplacianPyramid().inverse_transform(rng.random((4, 16, 16)))


class TestDivisiveNorm:
    @pytest.mark.parametrize("normalization", ["image", "ones", "statistical", None])
    @pytest.mark.parametrize("convention", ["laparra2016", "laparra2017", "hepburn"])
    def test_taken_apart_equals_the_whole(self, rng, normalization, convention):
        pairs = rng.random((3, 2, 66, 70))
        apart = make_pipeline(
            LaplacianPyramid(convention=convention), DivisiveNorm(normalization), PyramidDistance()
        )
        whole = NLPD(normalization=normalization, convention=convention)
        np.testing.assert_allclose(
            apart.fit_transform(pairs), whole.fit_transform(pairs), rtol=1e-12
        )

    @pytest.mark.parametrize("normalization", ["ones", "statistical"])
    def test_learns_from_references_only(self, pairs, rng, normalization):
        other = pairs.copy()
        other[:, 1] = rng.random(other[:, 1].shape)
        fitted = [
            make_pipeline(LaplacianPyramid(3), DivisiveNorm(normalization)).fit(X)[-1]
            for X in (pairs, other, pairs[:, 0])
        ]
        for step in fitted[1:]:
            np.testing.assert_array_equal(step.filters_, fitted[0].filters_)
            np.testing.assert_array_equal(step.sigmas_, fitted[0].sigmas_)

    def test_own_weights(self, pairs):
        filters, sigmas = np.full((3, 3, 3), 0.1), np.array([0.1, 0.2, 0.3])
        step = DivisiveNorm((filters, sigmas)).fit(LaplacianPyramid(3).fit_transform(pairs))
        np.testing.assert_array_equal(step.filters_, filters)
        with pytest.raises(ValueError, match="n_levels=4"):
            step.fit(LaplacianPyramid(4).fit_transform(pairs))

    def test_levels_and_convention_must_stay_what_they_were(self, rng):
        images = rng.random((2, 70, 70))
        step = DivisiveNorm().fit(LaplacianPyramid(3).fit_transform(images))
        with pytest.raises(ValueError, match="fitted to 3 levels"):
            step.transform(LaplacianPyramid(4).fit_transform(images))
        with pytest.raises(ValueError, match="convention='hepburn'"):
            step.transform(LaplacianPyramid(3, convention="hepburn").fit_transform(images))

    def test_images_instead_of_pyramids_are_refused(self, rng):
        with pytest.raises(ValueError, match=r"Put LaplacianPyramid\(\) before"):
            DivisiveNorm().fit(rng.random((2, 16, 16)))

    @pytest.mark.parametrize("kernel_size", [0, 4, 2.5])
    def test_kernel_size_is_odd(self, pairs, kernel_size):
        with pytest.raises(ValueError, match="kernel_size"):
            DivisiveNorm(kernel_size=kernel_size).fit(LaplacianPyramid(3).fit_transform(pairs))

    def test_ragged(self, ragged):
        steps = make_pipeline(LaplacianPyramid(3), DivisiveNorm("statistical"), PyramidDistance())
        together = steps.fit_transform(ragged)
        assert together.shape == (3, 1)
        for row in range(3):
            np.testing.assert_array_equal(
                steps.transform(ragged[row : row + 1]), together[row : row + 1]
            )


class TestPyramidDistance:
    def test_needs_pairs(self, pairs):
        with pytest.raises(ValueError, match="Pyramid of pairs"):
            PyramidDistance().fit(LaplacianPyramid(3).fit_transform(pairs[:, 0]))

    @pytest.mark.parametrize("by", ["level", "band"])
    def test_contributions_are_those_of_the_whole(self, pairs, by):
        apart = make_pipeline(LaplacianPyramid(3), DivisiveNorm("statistical"), PyramidDistance())
        whole = NLPD(n_levels=3, normalization="statistical").fit(pairs)
        parts = apart[-1].contributions(apart[:-1].fit_transform(pairs), by=by)
        np.testing.assert_array_equal(parts, whole.contributions(pairs, by=by))

    def test_cross_validates_as_a_predictor_of_ratings(self, pairs, rng):
        pyramids = LaplacianPyramid(3).fit_transform(pairs)
        predictor = make_pipeline(DivisiveNorm("statistical"), PyramidDistance(), RatingMapping())
        scores = cross_val_score(
            predictor, pyramids, rng.random(9), groups=np.arange(9) // 3, cv=GroupKFold(3)
        )
        assert np.isfinite(scores).all()
