"""Saliency maps: exact where they promise it, in agreement, and destroyed with the weights."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline

from skperceptual import NLPD, CelloQualityClassifier, InstrumentQualityRegressor, Spectrogram
from skperceptual.inspection import saliency_maps
from skperceptual.inspection.saliency_methods import METHODS, cell_size, enlarge

BANDS, FRAMES = 32, 48
METHOD_NAMES = ("cam", "grad-cam", "gradient", "occlusion")


def sounds(n, seed):
    """Give noise with an event of one energy, a chord or a row of clicks, and where it is."""
    rng = np.random.default_rng(seed)
    images = rng.standard_normal((n, BANDS, FRAMES))
    places = np.zeros(images.shape, dtype=bool)
    for row in range(n):
        start = rng.integers(4, FRAMES - 12)
        window = row, slice(18, 26), slice(start, start + 8)
        places[window] = True
        images[window] += 2.5 * (np.mgrid[:8, :8][0 if row % 2 else 1] % 2)
    return images, np.arange(n) % 2, places


def fit_scorer(cue=None, **parameters):
    images, target, _ = sounds(80, 0)
    return CelloQualityClassifier(
        n_filters=(8, 8), frequency_cue=cue, excerpt_frames=FRAMES, learning_rate=0.02,
        max_epochs=12, batch_size=16, dropout=0.0, validation_fraction=0, random_state=0,
        **parameters,
    ).fit(images, target)  # fmt: skip


@pytest.fixture(scope="module")
def scorer():
    return fit_scorer()


@pytest.fixture(scope="module")
def bursts():
    images, target, places = sounds(12, 1)
    return images[target == 1], places[target == 1]


def correlation(one, other):
    return np.corrcoef(np.ravel(one), np.ravel(other))[0, 1]


def logit(scorer, images):
    scores = scorer.predict_proba(images)[:, 1]
    return np.log(scores / (1 - scores))


# ---- what is exact ------------------------------------------------------------------------


@pytest.mark.parametrize("cue", [None, "coordinate", "bands"])
def test_class_activation_map_has_the_output_as_its_mean(cue, bursts):
    fitted = fit_scorer(cue)
    maps = saliency_maps(fitted, bursts[0], target=1, interpolate=False)
    found = [saliency.map.mean() for saliency in maps]
    np.testing.assert_allclose(found, logit(fitted, bursts[0]), rtol=1e-3)


def test_first_class_is_explained_by_what_speaks_against_the_second(scorer, bursts):
    for method in METHOD_NAMES:
        against, speaking = (
            saliency_maps(scorer, bursts[0][:1], method=method, target=label)[0].map
            for label in (0, 1)
        )
        np.testing.assert_allclose(against, -speaking, atol=1e-6)


def test_grad_cam_of_the_last_block_is_proportional_to_the_activation_map(scorer, bursts):
    options = {"target": 1, "interpolate": False}
    for image in bursts[0]:
        (cam,) = saliency_maps(scorer, image[np.newaxis], **options)
        (grad_cam,) = saliency_maps(scorer, image[np.newaxis], method="grad-cam", **options)
        bias = float(scorer.state_["bias"])
        np.testing.assert_allclose(grad_cam.map * cam.map.size, cam.map - bias, atol=1e-4)


def test_gradient_is_that_of_finite_differences(scorer, bursts):
    image = bursts[0][:1]
    (saliency,) = saliency_maps(scorer, image, method="gradient", target=1)
    rng = np.random.default_rng(0)
    direction = rng.standard_normal(image.shape)
    step = 1e-2
    slope = (logit(scorer, image + step * direction) - logit(scorer, image - step * direction)) / (
        2 * step
    )
    assert (saliency.map * direction[0]).sum() == pytest.approx(slope[0], rel=0.1, abs=0.05)


def test_occlusion_by_hand(scorer, bursts):
    image = bursts[0][0]
    whole = (BANDS, FRAMES)  # a single patch
    (saliency,) = saliency_maps(
        scorer, image[np.newaxis], method="occlusion", patch=whole, target=1
    )
    network = copy.deepcopy(scorer.net_.module_).cpu()
    tensor = torch.from_numpy(image).float()[None, None]
    with torch.no_grad():
        fall = (network(tensor) - network(network.neutral(tensor))).item()
    np.testing.assert_allclose(saliency.map, fall, rtol=1e-4)


# ---- sanity -------------------------------------------------------------------------------


def test_maps_point_at_what_sets_the_classes_apart(scorer, bursts):
    images, places = bursts
    for method in ("cam", "grad-cam", "occlusion"):
        maps = saliency_maps(scorer, images, method=method, target=1, patch=(8, 8))
        inside = np.mean([one.map[place].mean() for one, place in zip(maps, places, strict=True)])
        outside = np.mean([one.map[~place].mean() for one, place in zip(maps, places, strict=True)])
        assert inside > outside
        for one, place in zip(maps, places, strict=True):
            assert correlation(one.map, place) > 0.4


def test_occlusion_agrees_with_the_activation_map(scorer, bursts):
    cams = saliency_maps(scorer, bursts[0], target=1)
    occlusions = saliency_maps(scorer, bursts[0], method="occlusion", target=1, patch=(8, 8))
    for cam, occlusion in zip(cams, occlusions, strict=True):
        assert correlation(cam.map, occlusion.map) > 0.5


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_random_weights_destroy_the_map(scorer, method):
    # Adebayo et al., "Sanity checks for saliency maps", 2018. Events of both kinds together: that
    # something is there at all also moves a network that has learned nothing.
    images, target, places = sounds(12, 1)
    options = {"method": method, "target": 1, "patch": (8, 8)}
    truth = np.where(target == 1, 1.0, -1.0)[:, None, None] * places

    def pooled(fitted):
        return np.stack([one.map for one in saliency_maps(fitted, images, **options)])

    trained, untrained = pooled(scorer), []
    for seed in range(6):
        random = CelloQualityClassifier(
            n_filters=(8, 8), excerpt_frames=FRAMES, learning_rate=1e-12, max_epochs=1,
            validation_fraction=0, random_state=seed,
        ).fit(*sounds(40, 2)[:2])  # fmt: skip
        untrained.append(pooled(random))
    if method != "gradient":  # which has the sign of the pixel beside it
        assert correlation(trained, truth) > 0.5
    assert np.mean([abs(correlation(trained, one)) for one in untrained]) < 0.3


# ---- axes, excerpts, targets --------------------------------------------------------------


@pytest.mark.parametrize("n_poolings", range(5))
def test_cells_have_the_size_that_pooling_gave_them(n_poolings):
    for n in range(1, 70):
        cells, size = n, 1
        for _ in range(n_poolings):
            if cells > 1:
                cells, size = cells // 2, 2 * size
        assert cell_size(n, cells) == size


def test_cells_are_enlarged_to_where_they_looked():
    # Two cells of four frames and three that filled none; one of two bands and one band over
    enlarged = enlarge(torch.tensor([[0.0, 1.0]]), (3, 11))
    expected = [0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(enlarged, np.tile(expected, (3, 1)))


def test_maps_do_not_change_with_parameters_set_after_fit(scorer, bursts):
    long = [np.concatenate(bursts[0][:2], axis=1)]
    changed = pickle.loads(pickle.dumps(scorer)).set_params(excerpt_frames=9, n_filters=(2,))
    expected, found = (saliency_maps(one, long, target=1)[0] for one in (scorer, changed))
    np.testing.assert_array_equal(found.map, expected.map)


SIGNALS = 0.1 * np.random.default_rng(0).standard_normal((6, 8000))


@pytest.fixture(scope="module")
def pipeline():
    return make_pipeline(
        Spectrogram(n_fft=256, hop_length=80, eps=1e-5),
        CelloQualityClassifier(
            n_filters=(4, 4), excerpt_frames=100, max_epochs=1, validation_fraction=0,
            random_state=0,
        ),
    ).fit(SIGNALS, [0, 1] * 3)  # fmt: skip


def test_axes_are_in_hertz_and_seconds(pipeline):
    (saliency,) = saliency_maps(pipeline, SIGNALS[:1])
    assert saliency.map.shape == saliency.image.shape == (129, 101)
    np.testing.assert_allclose(saliency.frequencies, np.arange(129) * 62.5)
    np.testing.assert_allclose(saliency.times, np.arange(101) * 0.005)
    (cells,) = saliency_maps(pipeline, SIGNALS[:1], interpolate=False)
    assert cells.map.shape == (32, 25) == (len(cells.frequencies), len(cells.times))
    # The middle of the first cell of four bands
    assert cells.frequencies[0] == pytest.approx(1.5 * 62.5, rel=0.02)
    assert cells.times[0] == pytest.approx(1.5 * 0.005, rel=0.05)


def test_cells_after_a_pause_have_their_own_times(pipeline):
    signal = np.concatenate([SIGNALS[0], np.zeros(24000), SIGNALS[1]])
    (saliency,) = saliency_maps(pipeline, [signal], interpolate=False)
    # Of five excerpts of half a second, the third one is a pause
    assert saliency.map.shape[1] == len(saliency.times) == 100
    np.testing.assert_allclose(np.diff(saliency.times)[:49], 0.02)
    assert saliency.times[49] < 1.0
    assert saliency.times[50] == pytest.approx(1.5 + 1.5 * 0.005)
    assert saliency.times[-1] < 2.5


def test_spectrograms_without_a_front_end_have_no_axes(scorer, bursts):
    (saliency,) = saliency_maps(scorer, bursts[0][:1])
    assert saliency.frequencies is saliency.times is None


def test_long_recordings_are_explained_excerpt_by_excerpt(scorer, bursts):
    first, second = bursts[0][:2]
    pause = np.full_like(first, -30.0)
    (long,) = saliency_maps(scorer, [np.concatenate([first, pause, second], axis=1)], target=1)
    apart = saliency_maps(scorer, bursts[0][:2], target=1)
    np.testing.assert_allclose(long.map[:, :FRAMES], apart[0].map, atol=1e-5)
    np.testing.assert_array_equal(long.map[:, FRAMES : 2 * FRAMES], 0)
    np.testing.assert_allclose(long.map[:, 2 * FRAMES :], apart[1].map, atol=1e-5)


def test_predicted_class_is_explained_by_default(scorer):
    images, _, _ = sounds(6, 5)
    assert [one.target for one in saliency_maps(scorer, images)] == scorer.predict(images).tolist()


def test_normalized_lies_between_0_and_1(scorer, bursts):
    for saliency in saliency_maps(scorer, bursts[0], target=1):
        normalized = saliency.normalized
        assert normalized.max() == 1
        np.testing.assert_array_equal(normalized == 0, saliency.map <= 0)


def test_ratings_are_explained_without_a_target():
    images, target, places = sounds(60, 0)
    rated = InstrumentQualityRegressor(
        n_filters=(8, 8), excerpt_frames=FRAMES, learning_rate=0.02, max_epochs=12, batch_size=16,
        dropout=0.0, validation_fraction=0, random_state=0,
    ).fit(images, 5.0 - target)  # fmt: skip
    (saliency,) = saliency_maps(rated, images[1:2])
    assert saliency.target is None
    inside, outside = saliency.map[places[1]].mean(), saliency.map[~places[1]].mean()
    assert inside < outside
    with pytest.raises(ValueError, match="predicts ratings"):
        saliency_maps(rated, images[:1], target=4.0)


def test_mistakes(scorer, bursts):
    with pytest.raises(ValueError, match=r"method='lime' is unknown. Use one of cam"):
        saliency_maps(scorer, bursts[0], method="lime")
    with pytest.raises(ValueError, match="layer=3 is none of the blocks, 1 to 2"):
        saliency_maps(scorer, bursts[0], method="grad-cam", layer=3)
    with pytest.raises(ValueError, match="target='B' is none of the classes"):
        saliency_maps(scorer, bursts[0], target="B")
    with pytest.raises(ValueError, match=r"CelloQualityClassifier .* got NLPD"):
        saliency_maps(NLPD(), bursts[0])
    with pytest.raises(ValueError, match=r"patch=\(0, 4\) should be two integers"):
        saliency_maps(scorer, bursts[0], method="occlusion", patch=(0, 4))
    assert set(METHODS) == set(METHOD_NAMES)
