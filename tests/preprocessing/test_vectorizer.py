"""Rows and back for arrays, lists and Pyramids."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_array_equal
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline

from skperceptual import LaplacianPyramid, Pyramid, Vectorizer


@given(
    arrays(
        st.sampled_from([np.float32, np.float64]),
        array_shapes(min_dims=2, max_dims=5, max_side=6),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def test_there_and_back(batch):
    step = Vectorizer().fit(batch)
    rows = step.transform(batch)
    assert step.features_shape_ == batch.shape[1:]
    assert rows.dtype == batch.dtype
    assert_array_equal(rows, batch.reshape(len(batch), -1))
    assert_array_equal(step.inverse_transform(rows), batch, strict=True)
    names = step.get_feature_names_out()
    assert names.shape == (rows.shape[1],)
    assert len(set(names)) == len(names)
    of_a_list = Vectorizer().fit(list(batch))
    assert_array_equal(of_a_list.transform(list(batch)), rows, strict=True)
    assert_array_equal(of_a_list.inverse_transform(rows), batch, strict=True)


@pytest.mark.parametrize("shape", [(3, 16, 32), (3, 2, 17, 12)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pyramids_there_and_back(rng, shape, dtype):
    pyramid = LaplacianPyramid(3).fit_transform(rng.random(shape).astype(dtype))
    step = Vectorizer().fit(pyramid)
    rows = step.transform(pyramid)
    assert rows.dtype == dtype
    assert_array_equal(rows, np.asarray(pyramid))
    back = step.inverse_transform(rows[::-1])
    assert isinstance(back, Pyramid)
    assert back.convention == pyramid.convention
    for level, expected in zip(back.levels, pyramid.levels, strict=True):
        assert_array_equal(level, expected[::-1], strict=True)
    names = step.get_feature_names_out()
    assert names.shape == (rows.shape[1],)
    assert (names[0], names[-1]) == (
        "level0_" + "_".join("0" * (len(shape) - 1)),
        "level2_" + "_".join(str(side - 1) for side in pyramid.levels[2].shape[1:]),
    )


def test_names():
    assert list(Vectorizer().fit(np.zeros((1, 2, 2))).get_feature_names_out()) == [
        *("x0_0", "x0_1", "x1_0", "x1_1")
    ]
    frame = pd.DataFrame({"first": [1.0, 2.0], "second": [3.0, 4.0]})
    step = Vectorizer().set_output(transform="pandas")
    pd.testing.assert_frame_equal(step.fit_transform(frame), frame)
    assert list(step.fit_transform(np.zeros((2, 1, 2))).columns) == ["x0_0", "x0_1"]


def test_in_pipelines(rng):
    images = rng.random((12, 2, 16, 16))
    pipeline = make_pipeline(LaplacianPyramid(2), Vectorizer(), PCA(3), Ridge())
    assert cross_val_predict(pipeline, images, np.arange(12.0), cv=3).shape == (12,)
    smooth = pipeline[:-1].fit(images)
    assert smooth.inverse_transform(smooth.transform(images)).shape == images.shape


@pytest.mark.parametrize(
    ("fitted", "given", "message"),
    [
        ((2, 3, 4), (2, 3, 5), r"Expected samples of shape \(3, 4\), .* shape \(3, 5\)"),
        ((2, 3, 4), (2, 4, 3), "X has 4 features, but Vectorizer is expecting 3"),
        ((2, 12), (2, 12, 1), r"Expected samples of shape \(12,\)"),
    ],
)
def test_another_shape_than_in_fit_is_refused(fitted, given, message):
    with pytest.raises(ValueError, match=message):
        Vectorizer().fit(np.zeros(fitted)).transform(np.zeros(given))


def test_another_kind_than_in_fit_is_refused(rng):
    images = rng.random((2, 16, 16))
    pyramid = LaplacianPyramid(2).fit_transform(images)
    step = Vectorizer().fit(pyramid)
    with pytest.raises(ValueError, match=r"convention 'laparra2016' with levels .* 'hepburn'"):
        step.transform(Pyramid(pyramid.levels, convention="hepburn"))
    with pytest.raises(ValueError, match=r"Expected a Pyramid .* got samples of shape"):
        step.transform(np.asarray(pyramid))
    with pytest.raises(ValueError, match=r"X has 3 features, but a Pyramid .* need 320"):
        step.inverse_transform(np.zeros((2, 3)))


def test_ragged_samples_are_refused(rng):
    with pytest.raises(ValueError, match=r"got 2 shapes from \(3,\) to \(4,\).*FixDuration"):
        Vectorizer().fit([np.zeros(3), np.zeros(4)])
    ragged = LaplacianPyramid(2).fit_transform([rng.random((16, 16)), rng.random((16, 18))])
    with pytest.raises(ValueError, match="FixDuration"):
        Vectorizer().fit(ragged)
