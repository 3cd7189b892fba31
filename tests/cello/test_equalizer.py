"""The equaliser: its objective, its starts, audio with the input's phase, and the honest report."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from skperceptual import (
    CelloQualityClassifier,
    InstrumentQualityRegressor,
    MelSpectrogram,
    SpectralMaskEqualizer,
    Spectrogram,
)
from skperceptual.cello.mask_report import random_masks
from skperceptual.functional import mask_roughness
from skperceptual.inspection import saliency_maps
from skperceptual.utils.estimator_checks.scorers import TiltScorer

# Sizes for the small spectrograms of these tests
SMALL = {
    "block_bands": (2, 8),
    "block_frames": (3, 12),
    "grid_cell": (6, 10),
    "smoothing": (1.5, 2.0),
    "max_iter": 60,
    "batch_size": 8,
    "random_state": 0,
}


@pytest.fixture(scope="module")
def cheap(others):
    return others.images[others.target == "B"][:6]


def equalize(scorer, cheap, **parameters):
    return SpectralMaskEqualizer(scorer, **{**SMALL, "alpha": 0.01, "beta": 0.0, **parameters})


def tv(masks):
    return mask_roughness(torch.from_numpy(masks), "tv").numpy()


# ---- what the search does -----------------------------------------------------------------


@pytest.mark.parametrize("init", ["blocks", "grid", "random", "flat"])
def test_score_falls_and_the_scorer_stays(scorer, cheap, init):
    state = {name: value.copy() for name, value in scorer.state_.items()}
    equalizer = equalize(scorer, cheap, init=init)
    equalized = equalizer.fit_transform(cheap)
    before, after = (scorer.predict_proba(X)[:, 1] for X in (cheap, equalized))
    assert (after < before - 0.2).all()
    np.testing.assert_allclose(equalized, cheap + equalizer.masks_, rtol=1e-6)
    assert np.abs(equalizer.masks_).max() <= 12 * np.log(10) / 20 * 1.0001
    for name, value in scorer.state_.items():
        np.testing.assert_array_equal(value, state[name])
        assert torch.equal(scorer.net_.module_.state_dict()[name].cpu(), torch.from_numpy(value))


def test_objective_is_the_papers_in_means(scorer, cheap):
    for roughness in ("variance", "tv", "tikhonov"):
        equalizer = equalize(
            scorer, cheap, init="random", alpha=0.3, beta=0.7, roughness=roughness, max_iter=2,
            learning_rate=1e-9,
        ).fit(cheap)  # fmt: skip
        masks = equalizer.masks_
        expected = (
            scorer.predict_proba(cheap + masks)[:, 1]
            + 0.3 * (masks**2).mean(axis=(1, 2))
            + 0.7 * mask_roughness(torch.from_numpy(masks), roughness).numpy()
        )
        np.testing.assert_allclose(equalizer.history_[:, -1], expected, rtol=1e-4)


def test_first_step_goes_down_the_gradient_of_the_score(scorer, cheap):
    step = equalize(scorer, cheap, init="flat", alpha=0.0, max_iter=1).fit(cheap).masks_
    gradients = saliency_maps(scorer, cheap, method="gradient", target="B")
    for mask, gradient in zip(step, gradients, strict=True):
        assert (np.sign(mask) == -np.sign(gradient.map)).mean() > 0.99


def test_objective_falls(scorer, cheap):
    history = equalize(scorer, cheap, init="grid").fit(cheap).history_
    assert history.shape == (len(cheap), 60)
    assert (history[:, -1] < history[:, 0]).all()


def test_mask_finds_what_sets_the_classes_apart(scorer, cheap):
    # Class B lacks high frequencies: the mask gives them back
    masks = equalize(scorer, cheap, init="grid", roughness="tikhonov", beta=0.05).fit(cheap).masks_
    profile = masks.mean(axis=(0, 2))
    assert np.corrcoef(profile, np.arange(len(profile)))[0, 1] > 0.8


def test_alpha_holds_the_mask_back(scorer, cheap):
    energies = [
        (equalize(scorer, cheap, init="flat", alpha=alpha).fit(cheap).masks_ ** 2).mean()
        for alpha in (0.001, 0.1, 10.0)
    ]
    assert energies[0] > energies[1] > energies[2]


def test_grid_and_blocks_are_smoother_than_noise_without_restraint(scorer, cheap):
    noisy = equalize(scorer, cheap, init="random", alpha=0.0, beta=0.0).fit(cheap).masks_
    for init in ("grid", "blocks"):
        assert (tv(equalize(scorer, cheap, init=init).fit(cheap).masks_) < tv(noisy) / 2).all()


def test_blocks_are_rectangles_before_smoothing(cheap):
    equalizer = equalize(TiltScorer(), cheap, n_blocks=1, max_iter=1, learning_rate=1e-9)
    unsmoothed = equalizer.fit(cheap).unsmoothed_masks_[0]
    bands, frames = np.nonzero(np.abs(unsmoothed) > 1e-6)
    height, width = np.ptp(bands) + 1, np.ptp(frames) + 1
    assert len(bands) == height * width
    assert 2 <= height <= 8
    assert 3 <= width <= 12
    assert np.ptp(unsmoothed[bands, frames]) < 1e-6
    assert np.abs(unsmoothed).max() <= 6 * np.log(10) / 20 * 1.0001


def test_noise_has_the_energy_of_a_block(cheap):
    flat = equalize(
        TiltScorer(), cheap, init="random", max_iter=1, learning_rate=1e-9, max_gain_db=60.0
    )
    rms = np.sqrt((flat.fit(cheap).masks_ ** 2).mean()) * 20 / np.log(10)
    assert rms == pytest.approx(6 / np.sqrt(3), rel=0.05)


def test_starts_differ_between_recordings_and_not_between_places(cheap):
    equalizer = equalize(TiltScorer(), cheap, max_iter=2).fit(cheap)
    assert not np.allclose(equalizer.masks_[0], equalizer.masks_[1])
    backwards = equalizer.transform(cheap[::-1])[::-1]
    np.testing.assert_array_equal(backwards, equalizer.transform(cheap))
    single = equalizer.transform(cheap.astype(np.float32))
    np.testing.assert_allclose(single, equalizer.transform(cheap), atol=1e-5)


def test_side_by_side_is_the_same_but_for_rounding(scorer, cheap):
    alone = equalize(scorer, cheap, init="grid", batch_size=1).fit(cheap).masks_
    together = equalize(scorer, cheap, init="grid", batch_size=4).fit(cheap).masks_
    np.testing.assert_allclose(together, alone, atol=1e-3)


def test_progress_counts_recordings(cheap, capsys):
    quiet = SpectralMaskEqualizer(TiltScorer(), **SMALL | {"max_iter": 1, "batch_size": 4})
    quiet.fit(cheap)
    assert capsys.readouterr().err == ""
    quiet.set_params(verbose=1).fit(cheap)
    shown = capsys.readouterr().err
    assert "SpectralMaskEqualizer" in shown
    assert f"{len(cheap)}/{len(cheap)}" in shown


def test_recordings_of_several_lengths(scorer, cheap):
    X = [cheap[0], np.concatenate([cheap[1], cheap[2]], axis=1), cheap[3]]
    equalizer = equalize(scorer, cheap, init="grid", batch_size=1)
    equalized = equalizer.fit_transform(X)
    assert [image.shape for image in equalized] == [image.shape for image in X]
    np.testing.assert_array_equal(equalized[2], equalizer.transform(cheap[3:4])[0])


# ---- audio --------------------------------------------------------------------------------


FRONT_END = Spectrogram(win_length=480, eps=1e-5)
SIGNALS = 0.1 * np.random.default_rng(0).standard_normal((2, 8123))


@pytest.fixture(scope="module")
def audio_equalizer():
    tilt = SpectralMaskEqualizer(TiltScorer(), front_end=FRONT_END, max_iter=30, random_state=0)
    return tilt.fit(FRONT_END.transform(SIGNALS))


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("n_times", [8000, 8123, 600])
def test_a_mask_of_zero_gives_the_signal_back(audio_equalizer, center, n_times):
    front_end = clone(FRONT_END).set_params(center=center)
    equalizer = clone(audio_equalizer).set_params(front_end=front_end)
    equalizer.set_params(max_iter=1)
    signals = SIGNALS[:, :n_times]
    images = front_end.transform(signals)
    found = equalizer.fit(images).transform_audio(signals, masks=np.zeros_like(images))
    assert found.shape == signals.shape
    np.testing.assert_allclose(found, signals, atol=1e-12)
    single = equalizer.transform_audio(signals.astype(np.float32), masks=np.zeros_like(images))
    np.testing.assert_array_equal(single, signals.astype(np.float32))


def test_a_constant_mask_is_a_gain(audio_equalizer):
    masks = np.full_like(audio_equalizer.masks_, np.log(0.5))
    found = audio_equalizer.transform_audio(SIGNALS, masks=masks)
    np.testing.assert_allclose(found, 0.5 * SIGNALS, atol=1e-12)


def test_a_mask_constant_in_time_filters(audio_equalizer):
    frequencies = FRONT_END.band_frequencies()
    masks = np.zeros_like(audio_equalizer.masks_)
    masks[:, frequencies > 4000] = -3.0
    found = audio_equalizer.transform_audio(SIGNALS, masks=masks)
    power = np.abs(np.fft.rfft(found)) ** 2 / np.abs(np.fft.rfft(SIGNALS)) ** 2
    at = np.fft.rfftfreq(SIGNALS.shape[1], 1 / 16000)
    assert np.median(power[:, at < 3800]) == pytest.approx(1, abs=0.02)
    assert np.median(power[:, at > 4200]) == pytest.approx(np.exp(-6), rel=0.1)


def test_audio_has_the_score_of_its_spectrogram(audio_equalizer):
    audio = audio_equalizer.transform_audio(SIGNALS)
    scorer = TiltScorer()
    scores = [
        scorer.predict_proba(images)[:, 1]
        for images in (
            FRONT_END.transform(SIGNALS),
            audio_equalizer.transform(FRONT_END.transform(SIGNALS)),
            FRONT_END.transform(audio),
        )
    ]
    assert (scores[1] < scores[0] - 0.2).all()
    np.testing.assert_allclose(scores[2], scores[1], atol=0.1)


def test_type_and_lengths_of_audio_are_kept(audio_equalizer):
    clips = [SIGNALS[0].astype(np.float32), SIGNALS[1, :5000].astype(np.float32)]
    found = audio_equalizer.transform_audio(clips)
    assert [clip.shape for clip in found] == [clip.shape for clip in clips]
    assert {clip.dtype for clip in found} == {np.dtype(np.float32)}


def test_pipeline_brings_its_front_end(small_classifier):
    quality = np.array([0, 1] * 4)
    X = np.random.default_rng(0).standard_normal((8, 8000))
    X[1::2] = np.cumsum(X[1::2], axis=1) * 0.05
    scorer = make_pipeline(
        FRONT_END, small_classifier(n_filters=(4,), validation_fraction=0, max_epochs=2)
    ).fit(X, quality)
    equalizer = SpectralMaskEqualizer(FrozenEstimator(scorer), max_iter=2)
    images = FRONT_END.transform(X)
    audio = equalizer.fit(images).transform_audio(X, masks=np.zeros_like(images))
    np.testing.assert_allclose(audio, X, atol=1e-12)
    # And as a step, cloned with the Pipeline around it
    step = make_pipeline(FRONT_END, SpectralMaskEqualizer(FrozenEstimator(scorer), max_iter=2))
    assert clone(step).fit_transform(X).shape == images.shape


# ---- the report ---------------------------------------------------------------------------


def test_report_tells_a_mask_from_chance_and_from_noise(
    scorer, cheap, make_instruments, small_classifier
):
    # Another network, trained on other instruments

    data = make_instruments(seed=7)
    other = small_classifier(random_state=5, frequency_cue="coordinate").fit(
        data.images, data.target, groups=data.groups
    )
    equalizer = equalize(scorer, cheap, init="grid", roughness="tikhonov", beta=0.1).fit(cheap)
    table = equalizer.report(cheap, masks=equalizer.masks_, other_estimator=other)
    assert len(table) == len(cheap)
    np.testing.assert_allclose(table["score_before"], scorer.predict_proba(cheap)[:, 1])
    after = scorer.predict_proba(equalizer.transform(cheap))[:, 1]
    np.testing.assert_allclose(table["score_after"], after, atol=1e-6)
    assert (table["score_after"] < table["score_control"]).all()
    assert table["transfer"].median() > 0.4
    np.testing.assert_allclose(table["roughness"], tv(equalizer.masks_), rtol=1e-5)
    assert (table["relative_roughness"] < 1).all()
    noisy = equalize(scorer, cheap, init="random", alpha=0.0).fit(cheap)
    rough = noisy.report(cheap, masks=noisy.masks_)
    assert (rough["relative_roughness"] > table["relative_roughness"] * 2).all()
    assert rough["transfer"].isna().all()


def test_white_noise_has_the_relative_roughness_that_the_docs_name(cheap):
    white = np.random.default_rng(0).standard_normal(cheap.shape)
    table = equalize(TiltScorer(), cheap).fit(cheap).report(cheap, masks=white)
    np.testing.assert_allclose(table["relative_roughness"], 4 / np.sqrt(np.pi), rtol=0.1)
    np.testing.assert_allclose(table["rms_db"], 20 / np.log(10), rtol=0.1)


def test_no_mask_does_nothing(cheap):
    table = equalize(TiltScorer(), cheap).fit(cheap).report(cheap, masks=np.zeros_like(cheap))
    np.testing.assert_array_equal(table["score_before"], table["score_after"])
    np.testing.assert_allclose(table["score_before"], table["score_control"])
    assert table["relative_roughness"].isna().all()


def test_controls_have_the_energy_that_was_asked_for():
    for mask in random_masks((30, 40), 0.7, (4.0, 7.0), 3, (1, 2)):
        assert np.sqrt((mask**2).mean()) == pytest.approx(0.7)
        assert mask_roughness(torch.from_numpy(mask)).item() < 0.3


# ---- bad input ----------------------------------------------------------------------------


def test_no_scorer_or_an_unfitted_one(cheap):
    with pytest.raises(ValueError, match=r"estimator=None.* FrozenEstimator"):
        SpectralMaskEqualizer().fit(cheap)
    for unfitted in (
        CelloQualityClassifier(),
        make_pipeline(FRONT_END, CelloQualityClassifier()),
        FrozenEstimator(CelloQualityClassifier()),
    ):
        with pytest.raises(NotFittedError, match=r"CelloQualityClassifier is not fitted.* Frozen"):
            SpectralMaskEqualizer(unfitted).fit(cheap)


def test_a_clone_of_a_scorer_is_unfitted_and_a_frozen_one_is_not(scorer, cheap):
    with pytest.raises(NotFittedError, match="FrozenEstimator"):
        clone(SpectralMaskEqualizer(scorer)).fit(cheap)
    clone(SpectralMaskEqualizer(FrozenEstimator(scorer), max_iter=1)).fit(cheap)


def test_other_estimators_are_refused(cheap):
    with pytest.raises(ValueError, match="'estimator' parameter"):
        SpectralMaskEqualizer(InstrumentQualityRegressor()).fit(cheap)
    from sklearn.linear_model import LogisticRegression

    with pytest.raises(ValueError, match=r"CelloQualityClassifier .* got LogisticRegression"):
        SpectralMaskEqualizer(LogisticRegression()).fit(cheap)


def test_ranges(cheap):
    for name, wrong in (
        ("block_bands", (8, 2)),
        ("block_frames", (0, 3)),
        ("grid_cell", (4,)),
        ("smoothing", (-1.0, 2.0)),
    ):
        with pytest.raises(ValueError, match=f"{name}="):
            SpectralMaskEqualizer(TiltScorer(), **{name: wrong}).fit(cheap)


def test_what_the_scorer_refuses_is_refused(scorer, cheap):
    with pytest.raises(ValueError, match="20 bands, fit saw 24"):
        equalize(scorer, cheap).fit(cheap[:, :20])
    with pytest.raises(ValueError, match=r"constant, .* silence"):
        equalize(scorer, cheap).fit(np.zeros_like(cheap))


def test_audio_needs_to_know_its_spectrogram(scorer, cheap, audio_equalizer):
    with pytest.raises(ValueError, match="not known which Spectrogram"):
        equalize(scorer, cheap, max_iter=1).fit(cheap).transform_audio(SIGNALS)
    for other in (MelSpectrogram(), Spectrogram(output="db")):
        with pytest.raises(ValueError, match="Spectrogram with output='log'"):
            pickle.loads(pickle.dumps(audio_equalizer)).set_params(front_end=other).transform_audio(
                SIGNALS
            )


def test_windows_with_gaps_give_no_audio(audio_equalizer):
    gaps = Spectrogram(win_length=160, hop_length=160)
    equalizer = pickle.loads(pickle.dumps(audio_equalizer)).set_params(front_end=gaps)
    masks = np.zeros_like(gaps.transform(SIGNALS))
    with pytest.raises(ValueError, match=r"hop_length=160 leaves samples .* at most half"):
        equalizer.transform_audio(SIGNALS, masks=masks)


def test_front_ends_that_differ(scorer, cheap):
    own = make_pipeline(FRONT_END, scorer)
    same = clone(FRONT_END).set_params(win_length=480, device="cpu")
    equalize(own, cheap, front_end=same, max_iter=1).fit(cheap)
    other = clone(FRONT_END).set_params(sr=44100)
    with pytest.raises(ValueError, match=r"front_end has spectrograms of Spectrogram\(.*44100"):
        equalize(own, cheap, front_end=other, max_iter=1).fit(cheap)
    equalizer = equalize(own, cheap, max_iter=1).fit(cheap)
    with pytest.raises(ValueError, match=r"other_estimator has spectrograms of .*44100"):
        equalizer.report(cheap, other_estimator=make_pipeline(other, scorer))


def test_failed_fit_leaves_the_former_one_whole(scorer, cheap):
    equalizer = equalize(scorer, cheap, init="grid", max_iter=3).fit(cheap)
    before = equalizer.transform(cheap)
    seed = equalizer.seed_
    with pytest.raises(ValueError, match="grid_cell"):
        equalizer.set_params(grid_cell=(0, 3), random_state=8).fit([cheap[0], cheap[1]])
    assert equalizer.seed_ == seed
    assert equalizer.n_features_in_ == cheap.shape[1]
    np.testing.assert_array_equal(equalizer.set_params(grid_cell=(6, 10)).transform(cheap), before)


def test_parameters_set_after_fit_are_those_of_the_next_search(scorer, cheap):
    equalizer = equalize(scorer, cheap, init="grid", max_iter=5).fit(cheap)
    louder = equalizer.set_params(max_iter=20).transform(cheap) - cheap
    assert (louder**2).mean() > 1.5 * (equalizer.masks_**2).mean()
    with pytest.raises(ValueError, match="'alpha' parameter"):
        equalizer.set_params(alpha=-1.0).transform(cheap)


def test_masks_of_another_size(audio_equalizer):
    with pytest.raises(ValueError, match="Expected 2 masks, one a signal, got 1"):
        audio_equalizer.transform_audio(SIGNALS, masks=audio_equalizer.masks_[:1])
    with pytest.raises(ValueError, match=r"Mask 0 has the shape \(257, 10\)"):
        audio_equalizer.transform_audio(SIGNALS, masks=audio_equalizer.masks_[:, :, :10])
    images = FRONT_END.transform(SIGNALS)
    with pytest.raises(ValueError, match="a mask for each spectrogram"):
        audio_equalizer.report(images, masks=audio_equalizer.masks_[:, :5])
    broken = np.full_like(audio_equalizer.masks_, np.nan)
    with pytest.raises(ValueError, match="Mask 0 contains NaN"):
        audio_equalizer.transform_audio(SIGNALS, masks=broken)
    with pytest.raises(ValueError, match="masks contain NaN"):
        audio_equalizer.report(images, masks=broken)
