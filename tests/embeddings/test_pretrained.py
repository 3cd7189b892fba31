"""VGGish and OpenL3 as estimators, with small networks and weights that are drawn."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import sklearn.utils.estimator_checks as scikit_learn_checks
import torch
from sklearn.base import clone

from skperceptual.embeddings import MissingWeightsError, OpenL3, VGGish, WeightsError
from skperceptual.embeddings.pretrained import _load_network
from skperceptual.functional import (
    openl3_spectrogram,
    openl3_windows,
    vggish_log_mel,
    vggish_postprocess,
    vggish_windows,
)
from skperceptual.utils.estimator_checks import (
    assert_plain_state,
    check_estimator,
    expected_failed_checks,
)


@pytest.fixture
def vggish(small, vggish_file):
    return small.VGGish(weights=str(vggish_file), device="cpu")


@pytest.fixture
def openl3(small, openl3_file):
    return small.OpenL3(weights=str(openl3_file), hop_seconds=0.5, device="cpu")


@pytest.fixture(params=["vggish", "openl3"])
def embedding(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def clips(rng):
    return 0.1 * rng.normal(size=(3, 50000))


# What comes out


def test_vggish_is_front_end_network_and_head(small, vggish, pca_file, clips):
    network = vggish._network()
    windows = vggish_windows(torch.tensor(clips[0]))
    with torch.no_grad():
        vectors = network(vggish_log_mel(windows).float())
        with np.load(pca_file, allow_pickle=False) as pca:
            quantised = vggish_postprocess(
                vectors.relu(),
                eigenvectors=torch.tensor(pca["pca_eigen_vectors"]),
                means=torch.tensor(pca["pca_means"]),
            )
    assert (vectors < 0).any()
    assert vggish.transform(clips).shape == (3, 3, 128)
    np.testing.assert_allclose(vggish.transform(clips)[0], vectors, rtol=1e-5, atol=1e-6)
    post = clone(vggish).set_params(activation="post")
    np.testing.assert_allclose(post.transform(clips)[0], vectors.relu(), rtol=1e-5, atol=1e-6)
    whitened = clone(post).set_params(pca=pca_file).transform(clips)
    np.testing.assert_array_equal(whitened, np.round(whitened))
    assert np.abs(whitened[0] - quantised.numpy()).max() <= 1
    assert (whitened[0] == quantised.numpy()).mean() > 0.99
    dense = clone(vggish).set_params(hop_seconds=0.48).transform(clips)
    np.testing.assert_allclose(dense[:, ::2], vggish.transform(clips), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(vggish.frame_times(3), [0, 0.96, 1.92])


@pytest.mark.parametrize("frontend", ["kapre-0.1", "openl3-0.4"])
@pytest.mark.parametrize("center", [True, False])
def test_openl3_is_windows_images_and_network(openl3, clips, frontend, center):
    openl3.set_params(frontend=frontend, center=center)
    windows = openl3_windows(torch.tensor(clips[0]), hop_seconds=0.5, center=center)
    with torch.no_grad():
        expected = openl3._network()(openl3_spectrogram(windows, frontend=frontend).float())
    found = openl3.transform(clips)
    assert found.shape == (3, 3 if center else 2, 4)
    np.testing.assert_allclose(found[0], expected, rtol=1e-4, atol=1e-5)


def test_front_ends_of_openl3_give_different_vectors(openl3, clips):
    first = openl3.transform(clips)
    second = clone(openl3).set_params(frontend="openl3-0.4").transform(clips)
    assert np.abs(first - second).max() > 0.001 * np.abs(first).max()


def test_any_clip_gives_a_vector_of_openl3(openl3):
    assert openl3.transform([np.ones(1), np.zeros(60000)])[0].shape == (1, 4)
    assert openl3.n_dims == 4
    assert OpenL3(embedding_size=6144).n_dims == 6144


def test_short_clips_are_refused_by_vggish(vggish):
    with pytest.raises(ValueError, match="15599 samples, but this step needs at least 15600"):
        vggish.transform(np.zeros((1, 15599)))


def test_long_clips_take_no_more_memory_than_blocks(openl3, monkeypatch):
    seen = []
    network = openl3._network()
    handle = network.register_forward_hook(lambda module, args, out: seen.append(len(out)))
    try:
        openl3.set_params(hop_seconds=0.1).transform(np.zeros((1, 48000 * 3)))
    finally:
        handle.remove()
    assert max(seen) == 8
    assert sum(seen) == 26


def test_pairs_and_types(embedding, clips):
    pairs = np.stack([clips, 0.5 * clips], axis=1)
    found = embedding.transform(pairs)
    assert found.shape[:2] == (3, 2)
    np.testing.assert_array_equal(found[:, 0], embedding.transform(clips))
    assert embedding.transform(clips.astype(np.float32)).dtype == np.float32
    ragged = embedding.transform([clips[0], clips[1, :20000]])
    np.testing.assert_array_equal(ragged[0], found[0, 0])


# As modules


def test_the_module_gives_the_same_numbers_and_gradients(embedding, clips):
    module = embedding.to_module()
    assert not any(parameter.requires_grad for parameter in module.parameters())
    signals = torch.tensor(clips, requires_grad=True)
    frames = module(signals)
    np.testing.assert_allclose(frames.detach(), embedding.transform(clips), rtol=1e-4, atol=1e-5)
    frames.square().sum().backward()
    assert torch.isfinite(signals.grad).all()
    assert (signals.grad != 0).float().mean() > 0.5


def test_the_gradient_is_the_slope(embedding, clips, rng):
    module = embedding.to_module().double()
    signals = torch.tensor(clips[:1], requires_grad=True)
    weights = torch.tensor(rng.normal(size=module(signals).shape[1:]))
    (module(signals) * weights).sum().backward()
    direction = torch.tensor(rng.normal(size=signals.shape))
    step = 1e-7
    with torch.no_grad():
        moved = [(module(signals + s * direction) * weights).sum() for s in (step, -step)]
    slope = float((signals.grad * direction).sum())
    np.testing.assert_allclose(float(moved[0] - moved[1]) / (2 * step), slope, rtol=1e-3)


def test_the_module_is_a_copy(embedding, clips):
    before = embedding.transform(clips)
    module = embedding.to_module()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    module.double()
    np.testing.assert_array_equal(embedding.transform(clips), before)


def test_the_constants_of_pca_follow_the_module(small, vggish_file, pca_file, clips):
    module = small.VGGish(weights=vggish_file, pca=pca_file).to_module().double()
    assert {buffer.dtype for buffer in module.buffers()} == {torch.float64}
    assert module(torch.tensor(clips)).dtype == torch.float64


# Weights


def test_networks_are_loaded_once(embedding, clips):
    _load_network.cache_clear()
    for _ in range(2):
        clone(embedding).fit(clips).transform(clips)
    assert _load_network.cache_info().misses == 1


def test_a_file_that_changed_is_loaded_anew(small, vggish_file, tmp_path, clips):
    path = tmp_path / "mine.npz"
    path.write_bytes(vggish_file.read_bytes())
    embedding = small.VGGish(weights=path)
    before = embedding.fit_transform(clips)
    assert embedding.weights_sha256_.keys() == {"vggish"}
    other = small.drawn(small.vggish_shapes, seed=1)
    np.savez(path, **other)
    with pytest.raises(WeightsError, match=r"fitted with other weights of vggish.*fit again"):
        embedding.transform(clips)
    assert np.abs(clone(embedding).transform(clips) - before).max() > 0.01


def test_pickles_hold_no_weights(embedding, clips):
    fitted = embedding.fit(clips)
    assert_plain_state(fitted)
    saved = pickle.dumps(fitted)
    assert len(saved) < 2000
    loaded = pickle.loads(saved)
    assert loaded.weights_sha256_ == fitted.weights_sha256_
    np.testing.assert_array_equal(loaded.transform(clips), fitted.transform(clips))


@pytest.mark.parametrize(
    ("missing", "needles"),
    [
        (
            VGGish(),
            (
                "vggish-10086976.pth",
                "https://github.com/harritaylor/torchvggish/releases/download/v0.1/",
                "10086976245803799d9194e9a73d9b6c1549c71d1b80106f5cade5608a561f4b",
                "Apache License 2.0",
                "fetch_vggish_weights()",
                "SKPERCEPTUAL_WEIGHTS_DIR",
                "no data/weights",
            ),
        ),
        (
            OpenL3(input_repr="linear", content_type="env"),
            (
                "openl3_audio_linear_env-v0_4_0.h5.gz",
                "https://github.com/marl/openl3/raw/models/",
                "7837407f033f3564c7e8d53fc4a4241fe160478b",
                "CC BY 4.0",
                "fetch_openl3_weights('linear', 'env')",
                "SKPERCEPTUAL_WEIGHTS_DIR",
            ),
        ),
    ],
)
def test_missing_weights_are_told_in_full(missing, needles):
    for method in (missing.fit, missing.transform):
        with pytest.raises(MissingWeightsError) as caught:
            method(np.zeros((1, 16000)))
        for needle in needles:
            assert needle in str(caught.value)
    with pytest.raises(MissingWeightsError):
        missing.to_module()


def test_missing_pca_is_told(small, vggish_file):
    with pytest.raises(MissingWeightsError, match=r"fetch_vggish_weights\(part='pca'\)"):
        small.VGGish(weights=vggish_file, pca=True).fit(np.zeros((1, 16000)))


@pytest.mark.parametrize("name", ["mine.npz", "vggish_pca_params.npz"])
def test_fit_reads_the_file_of_pca_as_well(small, vggish_file, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"0" * 73020)  # the size by which the second of the names is recognised
    with pytest.raises(WeightsError, match=rf"{name} cannot be read as an \.npz file"):
        small.VGGish(weights=vggish_file, pca=path).fit(np.zeros((1, 16000)))


# scikit-learn's checks, which feed rows of a few numbers, and ours on real clips


class _RowsAsClips:
    def _validate_signals(self, X, *, reset):
        self_min, type(self).min_samples = type(self).min_samples, 1
        try:
            batch = super()._validate_signals(X, reset=reset)
        finally:
            type(self).min_samples = self_min

        def fill(row):
            return np.resize(row, 16000)

        return (
            [fill(row) for row in batch]
            if isinstance(batch, list)
            else np.stack([fill(row) for row in batch])
        )


def of_rows(estimator):
    name = f"Rows{type(estimator).__name__}"
    made = type(name, (_RowsAsClips, type(estimator)), {"__module__": __name__})
    globals()[name] = made  # pickle finds classes by name
    return made(**estimator.get_params())


def test_scikit_learn_checks(vggish):
    # the quicker of the two, which differ in nothing that these checks look at
    estimator = of_rows(vggish)
    outcomes = scikit_learn_checks.check_estimator(
        estimator, expected_failed_checks=expected_failed_checks(estimator), on_skip=None
    )
    assert len(outcomes) > 30
    assert [o["check_name"] for o in outcomes if o["status"] == "failed"] == []


@pytest.mark.parametrize("name", ["vggish", pytest.param("openl3", marks=pytest.mark.slow)])
def test_own_checks(name, request):
    embedding = request.getfixturevalue(name).set_params(hop_seconds=0.96)
    passed = check_estimator(
        embedding,
        n_times=16000,
        expected_failed_checks=expected_failed_checks(embedding),
    )
    assert {"check_batch_invariance", "check_saved_state", "check_float32"} <= set(passed)


@pytest.mark.parametrize("estimator", [VGGish(), OpenL3()], ids=str)
def test_parameters_of_the_published_classes(estimator):
    name = type(estimator).__name__
    for check in (
        "check_parameters_default_constructible",
        "check_no_attributes_set_in_init",
        "check_get_params_invariance",
        "check_set_params",
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_param_validation",
    ):
        getattr(scikit_learn_checks, check)(name, clone(estimator))


# With the published files, where somebody put them


def published(estimator):
    try:
        estimator._locate()
    except MissingWeightsError as error:
        pytest.skip(f"needs the published weights: {error}")
    return estimator


@pytest.mark.slow
def test_vggish_reproduces_googles_smoke_test(shared):
    cases = json.loads((shared / "cases" / "embeddings.json").read_text(encoding="utf-8"))
    expected = cases["vggish_2023_smoke_test"]
    signal = np.sin(2 * np.pi * 1000 * np.arange(0, 3, 1 / 16000))[np.newaxis]
    found = published(VGGish()).transform(signal)
    assert abs(found.mean() - expected["embedding_mean"]) < 1e-4
    np.testing.assert_allclose(found.std(), expected["embedding_std"], rtol=0.1)
    found = published(VGGish(pca=True)).transform(signal)
    np.testing.assert_allclose(found.mean(), expected["postprocessed_mean"], rtol=0.1)
    np.testing.assert_allclose(found.std(), expected["postprocessed_std"], rtol=0.1)


@pytest.mark.slow
def test_vggish_reproduces_the_printed_vector(shared):
    cases = json.loads((shared / "cases" / "embeddings.json").read_text(encoding="utf-8"))
    expected = cases["vggish_2019_smoke_test"]
    with np.load(shared / "cases" / "embeddings.npz", allow_pickle=False) as arrays:
        signal = arrays["vggish__signal_16k"][np.newaxis]
    found = published(VGGish(activation="post")).transform(signal)[0, 0]
    np.testing.assert_allclose(found, expected["embedding_example0_post_relu"], atol=1e-4)
    found = published(VGGish(activation="post", pca=True)).transform(signal)[0, 0]
    # Google drops the fraction where torchvggish rounds
    difference = found - expected["postprocessed_example0_uint8"]
    assert set(np.unique(difference)) <= {-1.0, 0.0, 1.0}
