"""The autoencoder: what it learns, what its codes are worth, and what it refuses."""

from __future__ import annotations

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skperceptual import (
    MSE,
    MSSSIM,
    NLPD,
    SSIM,
    CompressiveAutoencoder,
    MelSpectrogram,
)
from skperceptual.autoencoder.batches import ImageBatches, NoiseBatches
from skperceptual.functional import mse, nlpd

SMALL = {"n_filters": 8, "kernel_size": 3, "n_layers": 2, "batch_size": 8, "random_state": 0}


def small(**parameters):
    return CompressiveAutoencoder(**{**SMALL, "max_iter": 3, **parameters})


@pytest.fixture(scope="module")
def images():
    """Ridges of all slopes, and some noise on them."""
    rng = np.random.default_rng(0)
    bands, frames = np.mgrid[:32, :40]
    slopes = rng.uniform(-0.6, 0.6, size=(24, 2, 1, 1))
    phases = rng.uniform(0, 6, size=(24, 1, 1))
    ridges = np.sin(slopes[:, 0] * bands + slopes[:, 1] * frames + phases)
    return 0.5 + 0.35 * ridges + 0.1 * rng.uniform(-1, 1, size=ridges.shape)


def assert_same_state(one, other):
    assert one.state_.keys() == other.state_.keys()
    for name, array in one.state_.items():
        np.testing.assert_array_equal(array, other.state_[name], err_msg=name)


# ---- what it gives ------------------------------------------------------------------------


@pytest.mark.parametrize("centers", [(-1.0, 1.0), (-1.0, 0.0, 0.5, 1.0)])
@pytest.mark.parametrize("packed", [False, True])
def test_shapes_and_bits(images, centers, packed):
    coder = small(centers=centers, packed=packed).fit(images)
    assert coder.image_shape_ == (32, 40)
    assert coder.code_shape_ == (8, 8, 10)
    n_bits = 640 * (1 if len(centers) == 2 else 2)
    assert coder.entropy_bound_ == n_bits
    assert coder.bits_per_pixel_ == n_bits / (32 * 40)
    codes = coder.transform(images)
    if packed:
        assert (codes.dtype, codes.shape) == (np.uint8, (24, n_bits // 8))
    else:
        assert (codes.dtype, codes.shape) == (np.int8, (24, 640))
        assert set(np.unique(codes)) <= set(range(len(centers)))
    assert len(coder.get_feature_names_out()) == codes.shape[1]
    restored = coder.inverse_transform(codes)
    assert (restored.dtype, restored.shape) == (np.float32, images.shape)
    assert 0 <= restored.min() <= restored.max() <= 1
    np.testing.assert_array_equal(restored, coder.reconstruct(images.astype(np.float32)))


def test_the_setting_of_the_paper():
    coder = CompressiveAutoencoder(training="noise", max_iter=1, batch_size=1, crop_size=32)
    coder.fit(np.zeros((1, 256, 256)))
    assert coder.code_shape_ == (128, 16, 16)
    assert (coder.entropy_bound_, coder.bits_per_pixel_) == (32768, 0.5)
    assert sum(p.numel() for p in coder.net_.module_.parameters()) == 2_875_649
    defaults = CompressiveAutoencoder().get_params()
    assert (defaults["batch_size"], defaults["max_iter"], defaults["learning_rate"]) == (
        64, 425, 1e-3,
    )  # fmt: skip
    assert type(coder.net_.initialize_optimizer().optimizer_).__name__ == "AdamW"


@pytest.mark.parametrize("shape", [(13, 17), (32, 33), (8, 8)])
def test_any_size_comes_back(shape, rng):
    X = rng.random((5, *shape))
    coder = small(n_layers=3, loss="mse").fit(X)
    assert coder.inverse_transform(coder.transform(X)).shape == X.shape
    assert coder.code_shape_[1:] == tuple(-(-side // 8) for side in shape)


def test_codes_as_a_table(images):
    coder = small().fit(images)
    expected = coder.inverse_transform(coder.transform(images))
    with config_context(transform_output="pandas"):
        table = coder.transform(images)
    assert table.columns[0] == "compressiveautoencoder0"
    np.testing.assert_array_equal(coder.inverse_transform(table), expected)


# ---- what it learns -----------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["mse", "nlpd", "ssim", "ms-ssim"])
@pytest.mark.parametrize("quantization", ["soft", "ste"])
def test_it_learns(images, loss, quantization):
    coder = small(loss=loss, max_iter=40, quantization=quantization, learning_rate=0.01)
    if loss == "ms-ssim":
        with pytest.warns(UserWarning, match=r"32 bands and 40 frames .* 2 of 5 scales"):
            coder.fit(images)
    else:
        coder.fit(images)
    losses = [entry["loss"] for entry in coder.history_]
    assert [entry["iteration"] for entry in coder.history_] == list(range(1, 41))
    assert coder.n_iter_ == 40
    assert np.mean(losses[-5:]) < 0.85 * losses[0]


def test_noise_needs_no_images(images):
    coder = small(training="noise", max_iter=4)
    one, other = coder.fit(images).state_, clone(coder).fit(np.zeros((1, 32, 40))).state_
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name])
    batches = NoiseBatches((32, 40), 8, seed=3)
    first, again, second = batches(0)[0], batches(0)[0], batches(1)[0]
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert first.shape == (8, 1, 32, 40)
    assert 0 <= first.min() < 0.01 < 0.99 < first.max() <= 1
    assert abs(first.mean() - 0.5) < 0.01


def test_batches_of_images_pass_over_all_of_them(rng):
    X = rng.random((10, 6, 6)).astype(np.float32)
    batches = ImageBatches(X, (6, 6), 5, seed=1)
    assert batches.steps_per_epoch == 2
    epochs = [np.concatenate([batches.rows(2 * e), batches.rows(2 * e + 1)]) for e in range(3)]
    assert all(sorted(rows) == list(range(10)) for rows in epochs)
    assert epochs[0].tolist() != epochs[1].tolist()
    taken, target = batches(3)
    assert taken is target
    np.testing.assert_array_equal(taken[:, 0], X[batches.rows(3)])
    assert ImageBatches(X, (6, 6), 64, seed=1).steps_per_epoch == 1
    assert ImageBatches(X, (6, 6), 4, seed=1).steps_per_epoch == 2  # two are left out each time
    assert "images" in batches.describe(0)


def test_crops_are_cut_from_the_images():
    X = np.arange(3 * 9 * 7, dtype=np.float32).reshape(3, 9, 7)
    batches = ImageBatches(X, (4, 3), 3, seed=0)
    places = set()
    for step in range(200):
        for crop in batches(step)[0][:, 0].numpy():
            row, band, frame = np.unravel_index(int(crop[0, 0]), X.shape)
            np.testing.assert_array_equal(crop, X[row, band : band + 4, frame : frame + 3])
            places.add((band, frame))
    assert places == {(band, frame) for band in range(6) for frame in range(5)}


def test_crops_train_a_network_for_whole_images(images):
    coder = small(crop_size=16).fit(images)
    assert coder.transform(images).shape == (24, 640)
    larger = small(crop_size=1000).fit(images)
    assert_same_state(larger, small().fit(images))


def test_same_seed_same_weights(images):
    one, other = small().fit(images), small().fit(images)
    assert_same_state(one, other)
    np.testing.assert_array_equal(one.transform(images), other.transform(images))
    third = small(random_state=1).fit(images)
    assert not np.array_equal(third.state_["encoder.0.weight"], one.state_["encoder.0.weight"])
    assert small(random_state=None).fit(images).n_iter_ == 3


def test_hard_training_leaves_the_encoder_as_it_was_drawn(images):
    one, other = (small(quantization="hard", max_iter=n).fit(images) for n in (1, 4))
    np.testing.assert_array_equal(one.state_["encoder.0.weight"], other.state_["encoder.0.weight"])
    assert not np.array_equal(one.state_["decoder.0.weight"], other.state_["decoder.0.weight"])


def test_a_function_as_loss(images):
    published = partial(nlpd, n_levels=3, convention="hepburn", pooling="norm0.6")
    coder = small(loss=published).fit(images)
    assert len(coder.history_) == 3
    assert_same_state(small(loss=mse).fit(images), small(loss="mse").fit(images))
    with pytest.raises(ValueError, match=r"loss should give one number an image, .* got \(\)"):
        small(loss=lambda reference, degraded: (reference - degraded).mean()).fit(images)


# ---- what its scores say ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "metric"),
    [("mse", MSE()), ("nlpd", NLPD()), ("ssim", SSIM()), ("ms-ssim", MSSSIM())],
)
@pytest.mark.filterwarnings("ignore:.*(too small|leave the loss)")
def test_score_is_that_of_the_metric(images, loss, metric):
    coder = small(loss=loss).fit(images)
    pairs = np.stack([images, coder.reconstruct(images)], axis=1)
    sign = 1 if metric.higher_is_better else -1
    assert coder.score(images) == pytest.approx(sign * metric.transform(pairs).mean(), rel=1e-5)


def test_soft_codes_and_statistics_of_the_batch(images):
    coder = small(max_iter=20, loss="mse").fit(images)
    before = {name: array.copy() for name, array in coder.state_.items()}
    hard, soft, batch = (
        coder.reconstruct(images, **options)
        for options in ({}, {"quantization": "soft"}, {"batch_norm": "batch"})
    )
    assert not np.array_equal(hard, soft)
    assert not np.array_equal(hard, batch)
    np.testing.assert_array_equal(coder.reconstruct(images), hard)
    for name, array in coder.net_.module_.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    network = coder._make_recipe().module(n_filters=8, kernel_size=3, n_layers=2)
    network.load_state_dict({name: torch.tensor(array) for name, array in before.items()})
    with torch.no_grad():  # a module in training mode takes the statistics of what it sees
        expected = network.train()(torch.tensor(images[:8, None], dtype=torch.float32), "hard")
    np.testing.assert_allclose(batch[:8], expected[:, 0], atol=1e-6)
    with pytest.raises(ValueError, match="quantization='hard' or 'soft'"):
        coder.reconstruct(images, quantization="ste")
    with pytest.raises(ValueError, match="'running' or 'batch'"):
        coder.reconstruct(images, batch_norm="eval")


def test_batches_of_the_test_are_as_equal_as_can_be(images):
    coder = small(loss="mse").fit(images)  # in batches of 8
    found = coder.reconstruct(images[:9], batch_norm="batch")
    parts = [coder.reconstruct(part, batch_norm="batch") for part in (images[:5], images[5:9])]
    np.testing.assert_allclose(found, np.concatenate(parts), atol=1e-6)
    tiny = small(loss="mse").fit(images[:, :4, :4])  # one latent value a channel
    assert tiny.reconstruct(images[:9, :4, :4], batch_norm="batch").shape == (9, 4, 4)
    with pytest.raises(ValueError, match="Batches of 1 image of 4 bands and 4 frames leave batch"):
        tiny.reconstruct(images[:1, :4, :4], batch_norm="batch")
    assert tiny.reconstruct(images[:1, :4, :4]).shape == (1, 4, 4)


def test_precision_of_reconstructions(images):
    coder = small().fit(images)
    wide, narrow = coder.reconstruct(images), coder.reconstruct(images.astype(np.float32))
    assert (wide.dtype, narrow.dtype) == (np.float64, np.float32)
    np.testing.assert_array_equal(wide, narrow)


def test_entropy_never_exceeds_its_bound(images):
    coder = small(max_iter=10).fit(images)
    entropy = coder.code_entropy(images)
    assert 0 < entropy <= coder.entropy_bound_
    assert coder.code_entropy(np.zeros((1, 32, 40))) <= entropy + coder.entropy_bound_
    packed = small(max_iter=10, packed=True).fit(images)
    assert packed.code_entropy(images) == entropy


def test_compression_ratios(images):
    coder = small().fit(images)
    found = coder.compression_ratios(2.0)
    assert found["bits a pixel"] == 0.5
    assert found["bits a second"] == 320
    assert "bits a second" not in coder.compression_ratios()
    assert found["bits a pixel, packed"] == 0.5
    three = small(centers=(-1.0, 0.0, 1.0), packed=True).fit(images)
    found = three.compression_ratios()
    assert found["bits a pixel"] == pytest.approx(0.5 * np.log2(3))
    assert found["bits a pixel, packed"] == 1
    assert three.transform(images).shape[1] * 8 == 32 * 40


# ---- in scikit-learn ----------------------------------------------------------------------


def test_from_audio_to_bits_and_back(rng):
    time = np.arange(8000) / 16000
    tones = rng.uniform(200, 2000, size=(6, 1))
    signals = 0.5 * np.sin(2 * np.pi * tones * time) * np.exp(-2 * time)
    front_end = MelSpectrogram(n_fft=256, hop_length=125, n_mels=32, random_state=0)
    pipeline = make_pipeline(front_end, small(loss="mse", max_iter=10))
    codes = pipeline.fit_transform(signals)
    coder = pipeline[-1]
    assert codes.shape == (6, coder.entropy_bound_)
    restored = pipeline.inverse_transform(codes)
    n_frames = coder.image_shape_[1]
    assert restored.shape == (6, 256 + 125 * (n_frames - 1))
    images = coder.inverse_transform(codes)
    np.testing.assert_array_equal(restored, front_end.inverse_transform(images))
    assert np.isfinite(pipeline.score(signals))


def test_folds_of_songs_and_grids(images):
    songs = np.repeat(np.arange(6), 4)
    scores = cross_val_score(small(), images, groups=songs, cv=GroupKFold(3), error_score="raise")
    assert (scores < 0).all()
    search = GridSearchCV(
        small(loss="mse"), {"n_filters": [2, 8]}, cv=GroupKFold(2), error_score="raise"
    )
    search.fit(images, groups=songs)
    assert search.best_estimator_.image_shape_ == (32, 40)


def test_metadata_routing_is_no_matter(images):
    with config_context(enable_metadata_routing=True):
        found = small().fit(images)
    assert_same_state(found, small().fit(images))


def test_pickles_hold_arrays(images):
    coder = small().fit(images)
    data = pickle.dumps(coder)
    assert b"torch" not in data
    assert b"skorch" not in data
    np.testing.assert_array_equal(pickle.loads(data).transform(images), coder.transform(images))


# ---- what comes in between ----------------------------------------------------------------


def interrupting(monkeypatch, at, error):
    """Let a batch fail."""
    make = ImageBatches.__call__

    def fail(self, step):
        if step == at:
            raise error
        return make(self, step)

    monkeypatch.setattr(ImageBatches, "__call__", fail)


@pytest.mark.parametrize("random_state", [0, None])
def test_interrupted_and_resumed(images, random_state, tmp_path, monkeypatch):
    coder = small(
        max_iter=9,
        checkpoint=tmp_path / "training.npz",
        checkpoint_every=2,
        random_state=random_state,
    )
    with monkeypatch.context() as patch:
        interrupting(patch, 5, KeyboardInterrupt)
        match = r"CompressiveAutoencoder was interrupted in step 6 of 9 \(a batch of the images"
        with pytest.warns(UserWarning, match=match):
            coder.fit(images)
    assert coder.n_iter_ == 5
    assert coder.transform(images).shape == (24, 640)
    resumed = clone(coder).fit(images)
    assert resumed.n_iter_ == 9
    assert [entry["iteration"] for entry in resumed.history_] == list(range(1, 10))
    if random_state is not None:
        assert_same_state(resumed, small(max_iter=9).fit(images))
    further = clone(coder).set_params(max_iter=12).fit(images)
    assert further.history_[:9] == resumed.history_
    with pytest.raises(ValueError, match="checkpoint of another training"):
        clone(coder).fit(images[1:])
    with pytest.raises(ValueError, match="checkpoint of another training"):
        clone(coder).set_params(learning_rate=0.1).fit(images)


@pytest.mark.parametrize("training", ["data", "noise"])
def test_a_checkpoint_knows_equal_parameters(images, training, tmp_path):
    path = tmp_path / "training.npz"
    coder = small(training=training, checkpoint=path).fit(images)
    same = {
        "n_filters": np.int64(8),
        "n_layers": np.int16(2),
        "batch_size": np.int64(8),
        "centers": [-1, np.float64(1)],
        "scale": 10,
        "learning_rate": np.float64(1e-3),
        "mixed_precision": False,
        "crop_size": 40,
        "checkpoint": str(path),
    }
    assert clone(coder).set_params(**same).fit(images).history_ == coder.history_
    for name, value in (("scale", 11), ("loss", "mse"), ("crop_size", 16), ("random_state", 1)):
        with pytest.raises(ValueError, match="checkpoint of another training"):
            clone(coder).set_params(**{name: value}).fit(images)


def test_a_checkpoint_needs_a_loss_with_a_name(images, tmp_path):
    def nameless(reference, degraded):
        return mse(reference, degraded)

    coder = small(loss=nameless).fit(images)
    with pytest.raises(ValueError, match="checkpoint needs a loss that can be pickled, got <func"):
        coder.set_params(checkpoint=tmp_path / "training.npz").fit(images)
    assert not list(tmp_path.iterdir())


def test_divergence_names_the_images_and_keeps_the_model(images):
    def breaking(reference, degraded):
        breaking.calls += 1
        losses = mse(reference, degraded)
        return losses * (np.nan if breaking.calls == 4 else 1)

    breaking.calls = 0
    coder = small(loss=breaking, max_iter=8)
    match = r"the loss became nan in step 4 of 8 \(a batch of the images \d+.*weights after 3 steps"
    with pytest.raises(FloatingPointError, match=match):
        coder.fit(images)
    assert coder.n_iter_ == 3
    coder.set_params(loss="mse")
    assert_same_state(coder, small(loss="mse", max_iter=3).fit(images))
    assert np.isfinite(coder.reconstruct(images)).all()


def test_out_of_memory_says_which_batch_fits(images):
    def greedy(reference, degraded):
        if len(reference) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return mse(reference, degraded)

    with pytest.raises(MemoryError, match="batch_size=2 would fit, 8 does not"):
        small(loss=greedy).fit(images)


def test_a_batch_for_which_there_is_no_memory(images, monkeypatch):
    interrupting(monkeypatch, 2, MemoryError())
    coder = small()
    match = "ran out of memory in step 3 of 3 .* Not even the batch itself fits: use a smaller"
    with pytest.raises(MemoryError, match=match):
        coder.fit(images)
    assert_same_state(coder, small(max_iter=2).fit(images))
    assert coder.transform(images).shape == (24, 640)


@pytest.mark.parametrize(
    "parameters", [{"checkpoint": "/no/such/folder/a.npz"}, {"centers": (0.5,)}, {"n_layers": 6}]
)
def test_a_fit_that_fails_early_leaves_the_former_one_whole(images, parameters):
    coder = small(loss="mse").fit(images)
    expected, before = coder.transform(images), dict(vars(coder))
    with pytest.raises((ValueError, FileNotFoundError)):
        coder.set_params(**parameters).fit(images[:1, :16, :24])
    fitted = {name for name in before if name.endswith("_")}
    assert {name for name in vars(coder) if name.endswith("_")} == fitted
    assert all(getattr(coder, name) is before[name] for name in fitted - {"entropy_bound_"})
    np.testing.assert_array_equal(coder.transform(images), expected)


# ---- what it refuses ----------------------------------------------------------------------


@pytest.mark.parametrize("value", [-0.01, 1.01, 30.0])
def test_values_outside_the_unit_interval(images, value):
    X = images.copy()
    X[5, 3, 2] = value
    coder = small().fit(images)
    for call in (small().fit, coder.transform, coder.score, coder.reconstruct):
        with pytest.raises(ValueError, match=r"images in \[0, 1\], but image 5 .*scale='log01'"):
            call(X)


def test_other_sizes(images):
    coder = small().fit(images)
    for X in (images[:, :, :-1], images[:, 1:], [*images[:2], images[0, :30]]):
        with pytest.raises(ValueError, match=r"fit saw 32 and 40: codes have one length"):
            coder.transform(X)
    with pytest.raises(ValueError, match="Image 1 has 32 bands and 39 frames, the first one has"):
        small().fit([images[0], images[1, :, 1:]])


def test_codes_of_others(images):
    coder = small().fit(images)
    with pytest.raises(ValueError, match=r"codes of shape \(n_images, 640\)"):
        coder.inverse_transform(np.zeros((2, 80)))
    with pytest.raises(ValueError, match="whole numbers from 0 to 1"):
        coder.inverse_transform(np.full((2, 640), 2))


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"centers": (0.5,)}, "leaves nothing to tell apart"),
        ({"centers": (1.0, -1.0)}, "rising order"),
        ({"device": "abacus"}, "device='abacus'"),
        ({"checkpoint": "/no/such/folder/a.npz"}, "folder of the checkpoint"),
    ],
)
def test_mistaken_parameters(images, parameters, match):
    with pytest.raises((ValueError, FileNotFoundError), match=match):
        small(**parameters).fit(images)


def test_a_single_latent_value_has_no_variance(images):
    with pytest.raises(ValueError, match="Batches of 1 image of 4 bands and 4 frames leave batch"):
        small(loss="mse").fit(images[:1, :4, :4])


@pytest.mark.parametrize("pickled", [False, True])
def test_parameters_set_after_fit_wait_for_the_next_one(images, pickled):
    coder = small(packed=True).fit(images)
    codes, soft = coder.transform(images), coder.reconstruct(images, quantization="soft")
    entropy, restored = coder.code_entropy(images), coder.inverse_transform(codes)
    ratios, names = coder.compression_ratios(), coder.get_feature_names_out()
    if pickled:
        coder = pickle.loads(pickle.dumps(coder))
    coder.set_params(
        n_filters=4, n_layers=1, kernel_size=5, centers=(-1, 0, 1), scale=1.0, upsampling="nearest"
    )
    np.testing.assert_array_equal(coder.transform(images), codes)
    np.testing.assert_array_equal(coder.inverse_transform(codes), restored)
    np.testing.assert_array_equal(coder.reconstruct(images, quantization="soft"), soft)
    coder.reconstruct(images, batch_norm="batch")
    assert coder.code_entropy(images) == entropy
    assert coder.compression_ratios() == ratios
    assert coder.get_feature_names_out().tolist() == names.tolist()
    assert coder.fit(images).code_shape_ == (4, 16, 20)
    assert coder.module_parameters_["centers"] == (-1.0, 0.0, 1.0)
