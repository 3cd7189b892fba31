"""The classifier: what its score means, grouped early stopping, long recordings, bad input."""

from __future__ import annotations

import copy
import pickle
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d
from scipy.special import expit
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skperceptual import CelloQualityClassifier, Spectrogram
from skperceptual.cello.excerpts import ExcerptBatches
from skperceptual.cello.held_out import hold_out_groups

FRAMES = 40
QUICK = {"n_filters": (4,), "excerpt_frames": 20, "max_epochs": 2, "batch_size": 8}


def test_unseen_instruments_are_told_apart(scorer, others):
    assert scorer.score(others.images, others.target) > 0.9


def test_score_is_zero_for_the_class_that_sorts_first(scorer, others):
    assert scorer.classes_.tolist() == ["A", "B"]
    probabilities = scorer.predict_proba(others.images)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    expensive = others.target == "A"
    assert probabilities[expensive, 1].mean() < 0.3 < 0.7 < probabilities[~expensive, 1].mean()


def activation_map(state, image):
    """Compute in NumPy what a network of two blocks with ``frequency_cue="bands"`` gives."""
    level = np.log(np.mean(np.exp(2 * image))) / 2
    relative = np.log(np.exp(image - level) + 10 ** (-60 / 20))
    maps = [(relative - state["band_means"]) / np.maximum(state["band_scales"], 0.05)]
    for block in range(2):
        taps, bias = (state[f"blocks.{block}.convolution.{name}"] for name in ("weight", "bias"))
        mean, variance, weight, shift = (
            state[f"blocks.{block}.normalization.{name}"][:, None, None]
            for name in ("running_mean", "running_var", "weight", "bias")
        )
        convolved = [
            sum(map(partial(correlate2d, mode="same"), maps, filters)) + constant
            for filters, constant in zip(taps, bias, strict=True)
        ]
        normal = (np.stack(convolved) - mean) / np.sqrt(variance + 1e-5) * weight + shift
        rows, columns = normal.shape[1] // 2, normal.shape[2] // 2
        halves = normal[:, : 2 * rows, : 2 * columns].reshape(-1, rows, 2, columns, 2)
        maps = list(np.maximum(halves.max(axis=(2, 4)), 0))
    weighted = [one * column[:, None] for one, column in zip(maps, state["weights"], strict=True)]
    return sum(weighted) + state["bias"]


def test_score_is_what_numpy_makes_of_the_state(scorer, others):
    logits = [activation_map(scorer.state_, image).mean() for image in others.images[:5]]
    np.testing.assert_allclose(
        scorer.predict_proba(others.images[:5])[:, 1], expit(logits), atol=1e-6
    )


def test_bands_are_standardised_by_all_recordings_that_were_trained_with(instruments):
    fitted = CelloQualityClassifier(**QUICK, validation_fraction=0, random_state=0)
    fitted.fit(instruments.images, instruments.target)
    excerpts = np.concatenate([instruments.images[..., :20], instruments.images[..., 20:]])
    power = np.mean(np.exp(2 * excerpts), axis=(1, 2), keepdims=True)
    relative = np.log(np.exp(excerpts) / np.sqrt(power) + 1e-3)
    np.testing.assert_allclose(
        fitted.state_["band_means"][:, 0], relative.mean(axis=(0, 2)), rtol=1e-5
    )
    np.testing.assert_allclose(
        fitted.state_["band_scales"][:, 0], relative.std(axis=(0, 2)), rtol=1e-5
    )


def test_a_gain_changes_no_score(scorer, others):
    gains = np.linspace(-5, 5, len(others.images))[:, None, None]
    np.testing.assert_allclose(
        scorer.predict_proba(others.images + gains), scorer.predict_proba(others.images), atol=1e-4
    )


def test_classes_without_a_difference_stay_at_chance(instruments, others):
    rng = np.random.default_rng(3)
    noise = rng.standard_normal(instruments.images.shape)
    fitted = CelloQualityClassifier(
        n_filters=(4, 4), excerpt_frames=FRAMES, max_epochs=5, random_state=0
    ).fit(noise, instruments.target, groups=instruments.groups)
    unseen = rng.standard_normal((200, *noise.shape[1:]))
    accuracy = fitted.score(unseen, np.tile(["A", "B"], 100))
    assert abs(accuracy - 0.5) < 3 * 0.5 / np.sqrt(200)


# ---- early stopping -----------------------------------------------------------------------


def test_best_epoch_is_kept_and_patience_counts(instruments):
    X, y, groups = instruments.images, instruments.target, instruments.groups
    fitted = CelloQualityClassifier(
        n_filters=(6,), excerpt_frames=FRAMES, learning_rate=0.05, max_epochs=60, patience=3,
        frequency_cue="bands", random_state=0,
    ).fit(X, y, groups=groups)  # fmt: skip
    losses = [row["validation_loss"] for row in fitted.history_]
    assert len(losses) == fitted.n_iter_ < 60
    assert len(losses) - 1 - int(np.argmin(losses)) == 3
    # The loss of the kept state on the held-out groups is the best one
    seed_generator = np.random.RandomState(0)
    seed_generator.randint(np.iinfo(np.int32).max)
    _, held_out = hold_out_groups((y == "B").astype(int), groups, 0.2, seed_generator)
    scores = fitted.predict_proba(X[held_out])[:, 1]
    assert np.mean((scores - (y[held_out] == "B")) ** 2) == pytest.approx(min(losses), abs=1e-5)


def test_all_recordings_are_trained_with_without_a_validation_fraction(instruments):
    fitted = CelloQualityClassifier(**QUICK, validation_fraction=0, random_state=0)
    fitted.fit(instruments.images, instruments.target)
    assert [row["validation_loss"] for row in fitted.history_] == [None, None]
    assert [row["epoch"] for row in fitted.history_] == [1, 2]


# ---- in pipelines and searches ------------------------------------------------------------


SIGNALS = 0.1 * np.random.default_rng(0).standard_normal((16, 8000))
SIGNALS[8:] = np.cumsum(SIGNALS[8:], axis=1) * 0.05
QUALITY, INSTRUMENTS = np.repeat([0, 1], 8), np.arange(16) // 2


def pipeline(**parameters):
    front_end = Spectrogram(win_length=480, eps=1e-5)
    quick = {**QUICK, "max_epochs": 6, "learning_rate": 0.02, "random_state": 0}
    return make_pipeline(front_end, CelloQualityClassifier(**{**quick, **parameters}))


def test_pipeline_in_cross_validation_with_groups():
    groups = {"celloqualityclassifier__groups": INSTRUMENTS}
    scores = cross_val_score(
        pipeline(), SIGNALS, QUALITY, groups=INSTRUMENTS, cv=GroupKFold(2), params=groups,
        error_score="raise",
    )  # fmt: skip
    np.testing.assert_array_equal(scores, 1)
    search = GridSearchCV(
        pipeline(), {"celloqualityclassifier__loss": ["squared_error", "log_loss"]},
        cv=GroupKFold(2), scoring="roc_auc", error_score="raise",
    )  # fmt: skip
    search.fit(SIGNALS, QUALITY, groups=INSTRUMENTS, **groups)
    assert search.best_score_ == 1


def test_gain_of_a_recording_changes_no_score():
    fitted = pipeline(validation_fraction=0).fit(SIGNALS, QUALITY)
    louder = fitted.predict_proba(4 * SIGNALS)
    np.testing.assert_allclose(louder, fitted.predict_proba(SIGNALS), atol=1e-3)


def test_frozen_pipeline_is_not_fitted_again():
    fitted = pipeline(validation_fraction=0).fit(SIGNALS, QUALITY)
    frozen = FrozenEstimator(fitted).fit(SIGNALS, 1 - QUALITY)
    np.testing.assert_array_equal(frozen.predict(SIGNALS), QUALITY)


# ---- long recordings ----------------------------------------------------------------------


def test_long_recordings_are_scored_by_excerpts(scorer, others):
    long = np.concatenate(others.images[:3], axis=1)
    (scores,) = scorer.excerpt_scores([long])
    alone = [scorer.predict_proba(image[np.newaxis])[0, 1] for image in others.images[:3]]
    np.testing.assert_allclose(scores, alone)
    assert scorer.predict_proba([long])[0, 1] == pytest.approx(np.mean(alone))


def test_rest_of_a_recording_is_not_left_out(scorer, others):
    longer = np.concatenate([others.images[0], others.images[1][:, :39]], axis=1)
    (scores,) = scorer.excerpt_scores([longer])  # room for one excerpt, of 79 frames
    assert len(scores) == 1
    with torch.no_grad():
        network = copy.deepcopy(scorer.net_.module_).cpu()
        logit = network(torch.from_numpy(longer).float()[None, None]).item()
    assert scores[0] == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-6)


def test_pauses_count_for_nothing(scorer, others):
    music = others.images[0]
    pause = np.full_like(music, -30.0)
    (scores,) = scorer.excerpt_scores([np.concatenate([pause, music, pause], axis=1)])
    np.testing.assert_allclose(scores, scorer.predict_proba(music[np.newaxis])[:, 1])


def test_long_recordings_can_be_trained_with(instruments):
    by_instrument = [
        np.concatenate(instruments.images[instruments.groups == group], axis=1)
        for group in np.unique(instruments.groups)
    ]
    y, groups = np.repeat(["A", "B"], 8), np.unique(instruments.groups)
    fitted = CelloQualityClassifier(
        n_filters=(6, 8), frequency_cue="bands", excerpt_frames=FRAMES, learning_rate=0.02,
        batch_size=16, max_epochs=10, random_state=0,
    ).fit(by_instrument, y, groups=groups)  # fmt: skip
    assert fitted.score(by_instrument, y) > 0.9
    with pytest.raises(AttributeError):
        fitted.n_features_in_  # noqa: B018


def test_tensors_are_scored_as_arrays_are(scorer, others):
    images = np.concatenate([others.images[:6], others.images[6:12]], axis=2)
    images[0, :, :40] = -30.0
    scores = scorer.score_images(torch.from_numpy(images).float())
    np.testing.assert_allclose(
        scores.detach().numpy(), scorer.predict_proba(images)[:, 1], atol=1e-5
    )


# ---- state --------------------------------------------------------------------------------


def test_state_is_numpy_and_opens_on_any_device(scorer, others, monkeypatch):
    assert {type(value) for value in scorer.state_.values()} == {np.ndarray}
    assert b"torch" not in pickle.dumps(scorer)
    loaded = pickle.loads(pickle.dumps(scorer))
    # Where it was trained on an accelerator, there is none now
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    np.testing.assert_array_equal(
        loaded.predict_proba(others.images), scorer.predict_proba(others.images)
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_trained_on_a_gpu_opens_on_a_cpu(instruments, others):
    fitted = CelloQualityClassifier(**QUICK, device="cuda", validation_fraction=0, random_state=0)
    fitted.fit(instruments.images, instruments.target)
    on_gpu = fitted.predict_proba(others.images)
    loaded = pickle.loads(pickle.dumps(fitted)).set_params(device="cpu")
    np.testing.assert_allclose(loaded.predict_proba(others.images), on_gpu, atol=1e-4)


def test_parameters_set_after_fit_wait_for_the_next_fit(scorer, others):
    changed = pickle.loads(pickle.dumps(scorer)).set_params(
        n_filters=(3,), frequency_cue=None, excerpt_frames=20, dynamic_range_db=10.0, kernel_size=1
    )
    long = [np.concatenate(others.images[:3], axis=1)]
    np.testing.assert_array_equal(
        changed.predict_proba(others.images), scorer.predict_proba(others.images)
    )
    np.testing.assert_array_equal(changed.excerpt_scores(long), scorer.excerpt_scores(long))
    with pytest.raises(ValueError, match="an excerpt has 40"):
        changed.predict(others.images[:, :, :30])
    assert changed.module_parameters_["n_filters"] == (6, 8)
    changed.set_params(max_epochs=1).fit(others.images, others.target, groups=others.groups)
    assert changed.module_parameters_["n_filters"] == (3,)
    assert len(changed.predict(others.images[:, :, :20])) == len(others.images)


def test_failed_fit_leaves_the_former_one_whole(scorer, others):
    again = pickle.loads(pickle.dumps(scorer))
    narrow, y = others.images[:, :20], np.where(others.target == "A", "C", "D")
    for wrong in (
        {"X": narrow, "y": np.full(len(y), "C")},
        {"X": narrow, "y": y, "groups": others.groups[:3]},
        {"X": narrow, "y": y[:3]},
    ):
        with pytest.raises(ValueError, match=r"one class|one group|inconsistent"):
            again.fit(**wrong)
    with pytest.raises(ValueError, match="not a device"):
        clone(scorer).set_params(device="abacus").fit(narrow, y, groups=others.groups)
    np.testing.assert_array_equal(
        again.predict_proba(others.images), scorer.predict_proba(others.images)
    )
    assert vars(again).keys() <= vars(scorer).keys() | {"_net"}
    assert again.predict(others.images).tolist() == scorer.predict(others.images).tolist()


# ---- what comes in between ----------------------------------------------------------------


def test_interrupted_training_is_kept(instruments, others, monkeypatch):
    make = ExcerptBatches.__call__

    def interrupted(self, step):
        if step == 17:  # in the second of two epochs of fifteen
            raise KeyboardInterrupt
        return make(self, step)

    monkeypatch.setattr(ExcerptBatches, "__call__", interrupted)
    match = r"CelloQualityClassifier was interrupted in step 18 of 30 \(a batch of the recordings"
    with pytest.warns(UserWarning, match=match) as caught:
        fitted = fit(instruments.images, instruments.target, instruments.groups, random_state=0)
    assert caught[0].filename == __file__
    assert fitted.n_iter_ == 2
    assert [row["validation_loss"] is None for row in fitted.history_] == [False, True]
    assert fitted.predict(others.images).shape == others.target.shape


def test_training_that_diverges_keeps_the_step_before(instruments, others, monkeypatch):
    make = ExcerptBatches.__call__

    def broken(self, step):
        images, targets = make(self, step)
        return images, targets * (float("nan") if step == 3 else 1)

    monkeypatch.setattr(ExcerptBatches, "__call__", broken)
    classifier = CelloQualityClassifier(**QUICK, validation_fraction=0, random_state=0)
    with pytest.raises(FloatingPointError, match=r"in step 4 .* weights after 3 steps are kept"):
        classifier.fit(instruments.images, instruments.target)
    assert np.isfinite(classifier.predict_proba(others.images)).all()
    assert classifier.classes_.tolist() == ["A", "B"]


# ---- bad input ----------------------------------------------------------------------------


def fit(X, y, groups=None, **parameters):
    return CelloQualityClassifier(**{**QUICK, **parameters}).fit(X, y, groups=groups)


def test_one_class_only(instruments):
    X, groups = instruments.images[:10], instruments.groups[:10]
    with pytest.raises(ValueError, match=r"two classes.* got one class alone: 'A'"):
        fit(X, instruments.target[:10], groups)


def test_more_than_two_classes(instruments):
    y = np.arange(len(instruments.images)) % 3
    with pytest.raises(ValueError, match=r"Only binary .* InstrumentQualityRegressor"):
        fit(instruments.images, y, instruments.groups)


def test_one_instrument_in_a_class(instruments):
    keep = np.isin(instruments.groups, ["A 0", "B 0", "B 1"])
    args = [instruments[key][keep] for key in ("images", "target", "groups")]
    with pytest.warns(UserWarning, match="1 in class 'A' and 2 in class 'B'.* nobody can tell"):
        fitted = fit(*args)
    assert fitted.history_[0]["validation_loss"] is None


def test_missing_groups(instruments):
    match = "Without groups, .* celloqualityclassifier__groups"
    with pytest.warns(UserWarning, match=match) as caught:
        fit(instruments.images, instruments.target)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=match) as caught:
        make_pipeline(CelloQualityClassifier(**QUICK)).fit(instruments.images, instruments.target)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(instruments.images, instruments.target, validation_fraction=0)


def test_groups_of_another_length(instruments):
    with pytest.raises(ValueError, match=r"one group for each of the 80 recordings.* got \(3,\)"):
        fit(instruments.images, instruments.target, ["a", "b", "c"])


def test_groups_without_a_label(instruments):
    groups = np.array([*instruments.groups[:-1], None], dtype=object)
    with pytest.raises(ValueError, match=r"groups has no label for recording 79\. Name"):
        fit(instruments.images, instruments.target, groups)


@pytest.mark.parametrize("n_filters", [(), (0,), (3.5,), ("a",), (4, -1)])
def test_blocks_without_channels(instruments, n_filters):
    with pytest.raises(ValueError, match=r"n_filters=.* should be the channels of the blocks"):
        fit(instruments.images, instruments.target, instruments.groups, n_filters=n_filters)


def test_short_excerpts(scorer, instruments):
    match = r"Recording 0 has 30 frames, but an excerpt has 40 \(3 s are 297"
    with pytest.raises(ValueError, match=match):
        scorer.predict(instruments.images[:, :, :30])
    short = np.zeros((4, 257, 200)) + np.arange(257)[:, None]
    with pytest.raises(ValueError, match="200 frames, but an excerpt has 297"):
        CelloQualityClassifier().fit(short, [0, 1, 0, 1])


def test_silence(scorer, instruments):
    X = instruments.images.copy()
    X[3] = np.log(1e-3)
    for call in (scorer.predict, lambda X: fit(X, instruments.target, instruments.groups)):
        with pytest.raises(ValueError, match=r"Recording 3 is constant, .* silence"):
            call(X)


def test_another_number_of_bands(scorer, instruments):
    with pytest.raises(ValueError, match=r"20 bands, fit saw 24.* sampling rate, LoadAudio"):
        scorer.predict(instruments.images[:, :20])
    ragged = [*instruments.images[:4], instruments.images[4][:20]]
    with pytest.raises(ValueError, match="Recording 4 has 20 bands, the first one has 24"):
        fit(ragged, [0, 1, 0, 1, 0])


def test_signals_are_told_to_take_a_front_end(scorer):
    with pytest.raises(ValueError, match="front end"):
        scorer.predict(SIGNALS)
