"""The NLPD estimator: contributions, learned normalisations, errors."""

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from skperceptual import NLPD
from skperceptual.functional import nlpd, nlpd_differences, resolve_normalization


@pytest.fixture
def pairs(rng):
    references = rng.random((4, 66, 70))
    return np.stack([references, references + 0.1 * rng.standard_normal(references.shape)], axis=1)


@pytest.mark.parametrize("convention", ["laparra2016", "laparra2017", "hepburn"])
@pytest.mark.parametrize("pooling", ["mean", "norm0.6"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_same_number_as_the_function(pairs, convention, pooling, dtype):
    X = pairs.astype(dtype)
    ours = NLPD(convention=convention, pooling=pooling).fit_transform(X)
    tensor = torch.tensor(X)
    expected = nlpd(tensor[:, 0], tensor[:, 1], convention=convention, pooling=pooling)
    assert ours.dtype == dtype
    np.testing.assert_allclose(ours[:, 0], expected.numpy(), rtol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize("pooling", ["mean", "norm0.6"])
@pytest.mark.parametrize("by", ["level", "band"])
def test_contributions_add_up_to_the_distance(pairs, pooling, by):
    metric = NLPD(pooling=pooling)
    parts = metric.contributions(pairs, by=by)
    assert parts.shape == (4, {"level": 6, "band": 66}[by])
    assert (parts >= 0).all()
    np.testing.assert_allclose(parts.sum(axis=1), metric.fit_transform(pairs)[:, 0], rtol=1e-12)


def reference_values(pairs, pooling, **options):
    """Score single-precision pairs in double precision."""
    images = torch.tensor(pairs.astype(np.float32)).double()
    return nlpd(images[:, 0], images[:, 1], pooling=pooling, **options).numpy()


@pytest.mark.parametrize("pooling", ["mean", "norm0.6"])
@pytest.mark.parametrize("n_levels", [1, 3, 6, 8])
@pytest.mark.parametrize("kernel_size", [3, 5])
def test_single_precision_is_compiled_and_as_good(pairs, pooling, n_levels, kernel_size):
    options = {"n_levels": n_levels, "kernel_size": kernel_size, "pooling": pooling}
    found = NLPD(**options).transform(pairs.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, 0], reference_values(pairs, **options), rtol=1e-6)


def test_near_identical_pairs_in_single_precision(pairs):
    pairs[:, 1] = pairs[:, 0] + 1e-3 * (pairs[:, 1] - pairs[:, 0])
    found = NLPD().transform(pairs.astype(np.float32))[:, 0]
    np.testing.assert_allclose(found, reference_values(pairs, "mean"), rtol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "norm0.6"])
@pytest.mark.parametrize("by", ["level", "band"])
def test_contributions_in_single_precision_are_those_in_double(pairs, pooling, by):
    single = pairs.astype(np.float32)
    metric = NLPD(pooling=pooling)
    found = metric.contributions(single, by=by)
    assert found.dtype == np.float32
    expected = metric.contributions(single.astype(np.float64), by=by)
    np.testing.assert_allclose(found, expected, rtol=2e-6)
    np.testing.assert_allclose(found.sum(axis=1), metric.transform(single)[:, 0], rtol=1e-6)


@pytest.mark.parametrize("by", ["level", "band"])
def test_contributions_of_an_identical_single_precision_pair_are_0(pairs, by):
    identical = pairs.astype(np.float32)[:, [0, 0]]
    assert (NLPD().transform(identical) == 0).all()
    assert (NLPD().contributions(identical, by=by) == 0).all()


def test_filters_in_any_order_in_memory(pairs):
    filters, sigmas = resolve_normalization("image", 6)
    turned = np.asfortranarray(filters)
    turned.flags.writeable = False
    single = pairs.astype(np.float32)
    np.testing.assert_array_equal(
        NLPD(normalization=(turned, sigmas.tolist())).transform(single), NLPD().transform(single)
    )


@pytest.mark.parametrize(
    ("dtype", "convention", "compiled"),
    [
        (np.float32, "laparra2016", True),
        (np.float64, "laparra2016", False),
        (np.float32, "laparra2017", False),
        (np.float32, "hepburn", False),
    ],
)
def test_what_is_compiled(pairs, monkeypatch, dtype, convention, compiled):
    used = []

    def differences(*args, **options):
        used.append(options)
        return nlpd_differences(*args, **options)

    monkeypatch.setattr("skperceptual.full_reference.nlpd.nlpd_differences", differences)
    metric = NLPD(convention=convention)
    metric.transform(pairs.astype(dtype))
    metric.contributions(pairs.astype(dtype))
    assert bool(used) != compiled


def test_another_device_is_not_compiled_for(pairs, monkeypatch):
    monkeypatch.setattr(
        "skperceptual.full_reference.nlpd.resolve_device", lambda name: torch.device("meta")
    )
    metric = NLPD()
    assert not metric._releases_gil(pairs.astype(np.float32))
    with pytest.raises((NotImplementedError, RuntimeError)):  # there, tensors have no values
        metric.transform(pairs.astype(np.float32))


def test_contributions_find_the_damaged_band(rng):
    reference = rng.random((64, 80))
    degraded = reference.copy()
    degraded[40:44] += 0.5 * rng.random((4, 80))
    parts = NLPD(n_levels=3).contributions(np.stack([reference, degraded])[None], by="band")[0]
    assert set(np.argsort(parts)[-4:]) <= set(range(38, 46))


def test_contributions_of_an_identical_pair_are_0(rng):
    image = rng.random((64, 64))
    pair = np.stack([image, image])[None]
    assert (NLPD().contributions(pair) == 0).all()
    assert (NLPD().contributions(pair, by="band") == 0).all()


def test_contributions_refuse_what_has_no_table(rng):
    with pytest.raises(ValueError, match="by='row'"):
        NLPD().contributions(rng.random((1, 2, 64, 64)), by="row")
    with pytest.raises(ValueError, match="different numbers of bands"):
        NLPD().contributions([rng.random((2, 64, 64)), rng.random((2, 32, 64))], by="band")


@pytest.mark.parametrize("normalization", ["ones", "statistical"])
def test_learned_normalizations_need_fit(pairs, normalization):
    metric = NLPD(normalization=normalization)
    with pytest.raises(NotFittedError):
        metric.transform(pairs)
    assert metric.fit(pairs).transform(pairs).shape == (4, 1)


@pytest.mark.parametrize("normalization", ["image", None])
def test_fixed_normalizations_do_not(pairs, normalization):
    metric = NLPD(normalization=normalization)
    np.testing.assert_array_equal(metric.transform(pairs), metric.fit(pairs).transform(pairs))


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_levels": 0},
        {"n_levels": 2.5},
        {"normalization": "audio"},
        {"kernel_size": 4},
        {"pooling": "max"},
        {"convention": "wang"},
        {"device": 0},
    ],
)
def test_unknown_parameter_values_are_named(pairs, parameters):
    (name,) = parameters
    metric = NLPD(**parameters)
    with pytest.raises(InvalidParameterError, match=name):
        metric.fit(pairs)
    with pytest.raises(InvalidParameterError, match=name):
        metric.transform(pairs)


def test_a_device_that_is_not_there_is_named(pairs):
    with pytest.raises(ValueError, match="device='warp'"):
        NLPD(device="warp").fit_transform(pairs)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((3, 64, 64)), "pairs of images"),
        (np.zeros((3, 2, 4000)), "MelSpectrogram"),
        (np.zeros((2, 3, 64, 64)), "second axis"),
        (np.zeros((1, 2, 64, 1)), "1 frames"),
        (np.zeros((0, 2, 64, 64)), "0 sample"),
        (np.zeros((1, 2, 64, 0)), "empty"),
        (np.zeros((1, 2, 64, 64), dtype=np.int16), "int16"),
        (np.full((1, 2, 64, 64), np.nan), "NaN"),
        (np.full((1, 2, 64, 64), np.inf), "infinity"),
        ([np.zeros((2, 64, 64)), np.zeros((2, 64))], "item 1"),
        ([(np.zeros((64, 64)), np.zeros((64, 70)))], "AlignPairs"),
        ("song.wav", "LoadAudio"),
    ],
)
def test_bad_input_is_named(X, message):
    with pytest.raises(ValueError, match=message):
        NLPD().fit(X)


def test_a_constant_reference_warns(rng):
    pairs = rng.random((3, 2, 16, 16))
    pairs[1, 0] = 0
    with pytest.warns(UserWarning, match=r"constant in 1 of 3 pairs \(row 1"):
        NLPD().fit(pairs)


def test_decibels_warn(rng):
    with pytest.warns(UserWarning, match="span 80"):
        NLPD().fit_transform(80.0 * (rng.random((2, 2, 16, 16)) > 0.5))


def test_a_learned_normalization_belongs_to_its_convention(pairs):
    metric = NLPD(normalization="statistical").fit(pairs)
    with pytest.raises(ValueError, match="Call fit again"):
        metric.set_params(convention="hepburn").transform(pairs)


def test_a_failing_fit_leaves_torch_as_it_was(pairs, monkeypatch):
    def fail(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("skperceptual.functional.statistical_fit.NeighborhoodMoments.add", fail)
    with pytest.raises(KeyboardInterrupt) as kept:  # as an interactive session keeps it
        NLPD(normalization="statistical").fit(pairs)
    assert not torch.is_inference_mode_enabled()
    assert kept.tb is not None
