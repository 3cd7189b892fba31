"""Filters are drawn where they reach, on scales that can be compared, for whatever has them."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skperceptual import (
    NLPD,
    DivisiveNorm,
    DivisiveNormDisplay,
    LaplacianPyramid,
    MelSpectrogram,
    NLPDRegressor,
    RatingMapping,
)
from skperceptual.functional import neighborhood_sum

RNG = np.random.default_rng(0)
IMAGES = RNG.random((6, 2, 32, 40))
RATINGS = np.array([1.0, 2.0, 3.5, 3.0, 4.0, 5.0])


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    plt.close("all")


def weight_drawn_at(display, bands, frames, row=0, level=0):
    """Read the colour-mapped value at an offset, as a mouse pointer would."""
    axes = display.axes_[row, level]
    x, y = axes.transData.transform((frames, bands))
    return display.images_[row, level].get_cursor_data(SimpleNamespace(x=x, y=y))


def test_filters_are_drawn_the_way_they_work():
    filters = np.zeros((1, 5, 5))
    filters[0, 0, 3] = 1.0
    magnitude = torch.zeros(16, 16, dtype=torch.float64)
    magnitude[8, 8] = 1.0
    response = neighborhood_sum(magnitude, torch.tensor(filters[0]))
    ((band, frame),) = np.argwhere(response.numpy())
    # the coefficient there is divided by a neighbour so many bands higher, frames later
    higher, later = 8 - band, 8 - frame
    assert (higher, later) == (-2, 1)
    display = DivisiveNormDisplay.from_filters(filters)
    assert weight_drawn_at(display, bands=higher, frames=later) == 1.0
    assert weight_drawn_at(display, bands=-higher, frames=-later) == 0.0
    bottom, top = display.axes_[0, 0].get_ylim()
    assert bottom < 0 < top
    assert display.axes_[0, 0].get_ylabel() == "bands higher"
    assert display.axes_[0, 0].get_xlabel() == "frames later"


def test_one_column_a_level_one_row_a_normalization():
    display = DivisiveNormDisplay.from_estimator(
        {
            "photographs": NLPD(n_levels=3).fit(IMAGES),
            "fewer levels": NLPD(n_levels=2, normalization="ones").fit(IMAGES),
        }
    )
    assert display.axes_.shape == (2, 3)
    assert display.names == ["photographs", "fewer levels"]
    assert display.images_[1, 2] is None
    assert not display.axes_[1, 2].axison
    np.testing.assert_array_equal(display.images_[0, 1].get_array(), display.filters[0][1])
    assert display.axes_[0, 2].get_xlabel() == "frames later"  # the lowest panel of its column


def test_sigmas_are_in_the_titles():
    filters, sigmas = RNG.random((2, 3, 3)), [0.25, 1.5]
    display = DivisiveNormDisplay.from_filters(filters, sigmas=sigmas)
    titles = [ax.get_title() for ax in display.axes_[0]]
    assert titles == ["level 0\nσ = 0.25", "level 1\nσ = 1.5"]
    titles = [ax.get_title() for ax in DivisiveNormDisplay.from_filters(filters).axes_[0]]
    assert titles == ["level 0", "level 1"]


@pytest.mark.parametrize(
    ("color_scale", "tops", "n_colorbars"),
    [("row", [[2, 2], [4, 4]], 2), ("all", [[4, 4], [4, 4]], 1), ("panel", [[1, 2], [3, 4]], 4)],
)
def test_color_scales(color_scale, tops, n_colorbars):
    filters = {"a": np.ones((2, 3, 3)), "b": np.ones((2, 3, 3))}
    filters["a"][1] = 2
    filters["b"][0], filters["b"][1] = 3, 4
    display = DivisiveNormDisplay.from_filters(filters, color_scale=color_scale)
    limits = [[image.get_clim() for image in row] for row in display.images_]
    assert limits == [[(0, top) for top in row] for row in tops]
    assert len(display.colorbars_) == n_colorbars


def test_negative_weights_are_drawn_around_zero():
    filters = RNG.random((1, 3, 3))
    filters[0, 0, 0] = -2
    image = DivisiveNormDisplay.from_filters(filters).images_[0, 0]
    assert image.get_clim() == (-2, 2)


def test_no_normalization_can_be_drawn():
    display = DivisiveNormDisplay.from_estimator(NLPD(n_levels=2, normalization=None).fit(IMAGES))
    assert display.images_[0, 0].get_clim() == (0, 1)
    assert display.names is None


def test_image_kwargs_win():
    image = DivisiveNormDisplay.from_filters(
        RNG.random((1, 3, 3)), image_kwargs={"cmap": "gray", "vmax": 9}
    ).images_[0, 0]
    assert (image.get_cmap().name, image.get_clim()) == ("gray", (0, 9))


def fitted_normalizations():
    pyramids = LaplacianPyramid(2).transform(IMAGES)
    metric = NLPD(n_levels=2, normalization="ones")
    search = GridSearchCV(make_pipeline(metric, RatingMapping()), {"nlpd__n_levels": [1, 2]}, cv=2)
    return {
        "DivisiveNorm": DivisiveNorm("ones").fit(pyramids),
        "NLPD": metric.fit(IMAGES),
        "NLPDRegressor": NLPDRegressor(n_levels=2, normalization="ones").fit(IMAGES, RATINGS),
        "Pipeline": make_pipeline(LaplacianPyramid(2), DivisiveNorm("ones")).fit(IMAGES),
        "inner Pipeline": make_pipeline(make_pipeline(metric), RatingMapping()).fit(
            IMAGES, RATINGS
        ),
        "search": search.fit(IMAGES, RATINGS),
    }


@pytest.mark.parametrize("kind", fitted_normalizations())
def test_estimators_that_have_filters(kind):
    display = DivisiveNormDisplay.from_estimator(fitted_normalizations()[kind])
    assert display.names == ["ones"]
    assert np.all(display.filters[0] == 1)
    assert len(display.sigmas[0]) == len(display.filters[0])


@pytest.mark.parametrize("estimator", [NLPD(), make_pipeline(MelSpectrogram(), NLPDRegressor())])
def test_unfitted_estimator(estimator):
    with pytest.raises(NotFittedError, match="Call fit"):
        DivisiveNormDisplay.from_estimator(estimator)


def test_estimator_without_filters():
    with pytest.raises(ValueError, match=r"got LinearRegression.*from_filters"):
        DivisiveNormDisplay.from_estimator(LinearRegression())


@pytest.mark.parametrize("filters", [np.ones((3, 3)), np.ones((2, 3, 5)), np.ones((0, 3, 3))])
def test_filters_of_other_shapes(filters):
    with pytest.raises(ValueError, match="n_levels, kernel_size, kernel_size"):
        DivisiveNormDisplay.from_filters(filters)


def test_other_mistakes_with_filters():
    filters = np.ones((2, 3, 3))
    with pytest.raises(ValueError, match=r"shape \(2,\), got \(3,\)"):
        DivisiveNormDisplay.from_filters(filters, sigmas=[1, 2, 3])
    with pytest.raises(ValueError, match="same keys"):
        DivisiveNormDisplay.from_filters({"a": filters}, sigmas={"b": [1, 2]})
    with pytest.raises(ValueError, match="empty dict"):
        DivisiveNormDisplay.from_filters({})
    with pytest.raises(ValueError, match="empty dict"):
        DivisiveNormDisplay.from_estimator({})
    with pytest.raises(ValueError, match="color_scale='column'"):
        DivisiveNormDisplay.from_filters(filters, color_scale="column")
