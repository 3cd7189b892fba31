"""ViSQOL: the values that the original's own tests assert, and what its inputs can be."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.svm import NuSVR

from skperceptual import ViSQOL
from skperceptual.full_reference.visqol.comparison import Settings, compare
from skperceptual.full_reference.visqol.images import comparable_images, make_front_end
from skperceptual.full_reference.visqol.ratings import (
    NU_SVR_PARAMETERS,
    published_table,
    shipped_map,
)
from skperceptual.utils.resampling import resample

CASES = json.loads((Path(__file__).parents[1] / "data" / "visqol.json").read_text())
BY_ID = {case["id"]: case for case in CASES["conformance"]}
COMPARED = [case for case in CASES["conformance"] if "fvnsim" in case["expected_details"]]
LATTICES = [case for case in CASES["conformance"] if case["mapper"] == "lattice_tflite"]
EDGE = CASES["goldens"]["edge"]


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "data" / "visqol"


@pytest.fixture(scope="module")
def load(folder):
    def load_mono(name):
        signal, sr = soundfile.read(folder / name)
        assert sr == 48000
        return signal.mean(axis=1) if signal.ndim == 2 else signal

    return load_mono


@pytest.fixture(scope="module")
def google(folder):
    return folder / "libsvm_nu_svr_model.txt"


@pytest.fixture(scope="module")
def guitar(load):
    return load("guitar48_stereo.flac")


def synthetic() -> np.ndarray:
    n = 144000
    t = np.arange(n) / 48000
    sweep = 0.3 * np.sin(2 * np.pi * (200 * t + 900 * t**2)) * (1 + 0.5 * np.sin(2 * np.pi * 3 * t))
    square = 0.1 * np.sign(np.sin(2 * np.pi * 440 * t))
    return sweep + square + 0.01 * np.random.RandomState(0).standard_normal(n)


def degraded_versions(reference: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "quantised_delayed": np.concatenate([np.zeros(240), np.round(reference * 32) / 32]),
        "boxcar8": np.convolve(reference, np.ones(8) / 8)[: len(reference)],
    }


def compare_pair(reference, degraded, mode="audio"):
    return compare(reference, degraded, Settings(mode, make_front_end(mode, 48000), 60, True, True))


# Values


@pytest.mark.filterwarnings("ignore:Reference and degraded signal differ:UserWarning")
@pytest.mark.filterwarnings("ignore:The degraded signal of:UserWarning")
@pytest.mark.parametrize("case", COMPARED, ids=[case["id"] for case in COMPARED])
def test_conformance(case, load, google):
    pair = load(case["reference"]), load(case["degraded"])
    if case["mode"] == "audio":
        model = google
    else:
        model = "exponential_unscaled" if case["unscaled_speech"] else "exponential"
    rating = ViSQOL(mode=case["mode"], model=model).predict([pair])[0]
    assert rating == pytest.approx(case["expected_moslqo"], abs=1e-7)
    found, details = compare_pair(*pair, case["mode"]), case["expected_details"]
    assert found.lag == details["global_lag_samples"]
    assert found.similarity == pytest.approx(details["vnsim"], abs=1e-11)
    for key, values in (
        ("fvnsim", found.band_means),
        ("fvnsim10", found.worst_means),
        ("fstdnsim", found.band_deviations),
    ):
        np.testing.assert_allclose(values, details[key], rtol=0, atol=1e-11)
    np.testing.assert_allclose(found.degraded_energies, details["fvdegenergy"], rtol=1e-9)
    assert len(found.patches.means) == details["n_patches"]


@pytest.mark.filterwarnings("ignore:Reference and degraded signal differ:UserWarning")
@pytest.mark.filterwarnings("ignore:The degraded signal of:UserWarning")
@pytest.mark.parametrize("case", LATTICES, ids=[case["id"] for case in LATTICES])
def test_lattice_conformance(case, load, folder):
    pytest.importorskip("ai_edge_litert", reason="needs the extra visqol")
    model = next(folder.glob("lattice*.tflite"))
    pair = load(case["reference"]), load(case["degraded"])
    rating = ViSQOL(mode="speech", model=model).predict([pair])[0]
    assert rating == pytest.approx(case["expected_moslqo"], abs=2e-5)


def test_file_with_wrong_indices_is_read_as_it_stands(load, folder):
    case = BY_ID["guitar_64_cpp_test_model"]
    metric = ViSQOL(model=folder / "test_model" / "cpp_model.txt")
    with pytest.warns(UserWarning, match="begins with the index 0"):
        rating = metric.predict([(load(case["reference"]), load(case["degraded"]))])[0]
    assert rating == pytest.approx(case["expected_moslqo"], abs=1e-8)


@pytest.mark.parametrize("name", ["quantised_delayed", "boxcar8"])
def test_synthetic_pair(name, request):
    golden = CASES["goldens"]["synthetic_e2e"][name]
    pair = synthetic(), degraded_versions(synthetic())[name]
    found = compare_pair(*pair)
    assert found.lag == golden["lag"]
    assert found.similarity == pytest.approx(golden["audio_vnsim"], abs=1e-9)
    if name == "quantised_delayed":
        rated = ViSQOL(mode="speech", model="exponential").predict([pair])[0]
        assert rated == pytest.approx(golden["speech_exp_scaled_mos_at_48k"], abs=1e-8)
    google = request.getfixturevalue("google")
    rated = ViSQOL(model=google).predict([pair])[0]
    assert rated == pytest.approx(golden["audio_mos"], abs=1e-8)


def test_decibels_are_those_of_visqol():
    case = CASES["other_assertions"]["convert_db"]
    levels = np.abs(np.array(case["input"]))[np.newaxis]
    # The published values have no floor yet; what lies above it keeps its distances.
    image, _ = comparable_images(levels, levels)
    expected = np.maximum(case["expected"], -45.0)
    np.testing.assert_allclose(np.diff(image[0]), np.diff(expected), atol=2e-4)


def test_equal_recordings_are_exactly_alike():
    metric = ViSQOL()
    pair = (synthetic(), synthetic())
    assert (metric.transform([pair]) == 1).all()
    table = metric.patches([pair])
    assert (table["similarity"] == 1).all()
    np.testing.assert_allclose(table["reference_start"], 0.28 + 0.6 * np.arange(len(table)))
    np.testing.assert_allclose(table["degraded_start"], table["reference_start"])
    for mode, model, best in (
        ("audio", "shipped", 4.953),
        ("speech", "shipped", 5.0),
        ("speech", "exponential_unscaled", 4.0159),
    ):
        rating = ViSQOL(mode=mode, model=model).predict([pair])[0]
        assert rating == pytest.approx(best, abs=1e-3)


def change(name: str, clip: np.ndarray) -> np.ndarray:
    return {
        "gain_0_1": lambda: 0.1 * clip,
        "polarity_inverted": lambda: -clip,
        "delay_1000": lambda: np.concatenate([np.zeros(1000), clip]),
        "delay_7s": lambda: np.concatenate([np.zeros(7 * 48000), clip]),
        "dc_plus_0_1": lambda: clip + 0.1,
        "guitar_vs_silence": lambda: np.zeros_like(clip),
        "len_46080": lambda: clip,
        "ref12s_deg1s": lambda: clip[:48000],
    }[name]()


@pytest.mark.parametrize(
    "name",
    ["gain_0_1", "polarity_inverted", "delay_1000", "delay_7s", "dc_plus_0_1", "guitar_vs_silence"],
)
def test_edges(name, guitar, google):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Reference and degraded signal differ", UserWarning)
        warnings.filterwarnings("ignore", "The degraded signal of 1 pair is silent", UserWarning)
        rating = ViSQOL(model=google).predict([(guitar, change(name, guitar))])[0]
    assert rating == pytest.approx(EDGE[name], abs=2e-6)


def test_a_delay_of_fifty_milliseconds_in_the_middle_is_followed(guitar):
    cut = np.concatenate([guitar[: 6 * 48000], guitar[6 * 48000 + 2400 :]])
    table = ViSQOL().patches([(guitar, cut)])
    delays = table["reference_start"] - table["degraded_start"]
    np.testing.assert_allclose(delays[:8], 0, atol=0.01)
    np.testing.assert_allclose(delays[-8:], 0.05, atol=0.01)
    without = ViSQOL(align="whole").patches([(guitar, cut)])
    assert table["similarity"].mean() > without["similarity"].mean()


def test_times_are_those_of_the_signals_as_they_were_given():
    reference = synthetic()
    late = np.concatenate([np.zeros(4800), reference])
    table = ViSQOL().patches([(reference, late), (late, reference)])
    delays = table["degraded_start"] - table["reference_start"]
    np.testing.assert_allclose(delays, np.where(table["pair"] == 0, 0.1, -0.1), atol=1e-3)
    assert table.loc[table["pair"] == 0, "similarity"].min() > 0.999


# Maps


def test_shipped_map_is_the_recipe_of_the_original(folder):
    similarities, ratings = published_table()
    lines = (folder / "svr_training").glob("*fvnsims.txt")
    np.testing.assert_array_equal(similarities, np.loadtxt(next(lines), delimiter=","))
    case = CASES["other_assertions"]["svr_training"]
    fitted = shipped_map()
    assert len(fitted.coefficients) == case["prototype"]["n_support"]
    assert fitted.rho == pytest.approx(case["prototype"]["rho"], abs=1e-6)
    rated = fitted.rate(np.array(case["observation"]))
    assert rated == pytest.approx(case["prototype"]["sklearn_NuSVR_prediction"], abs=1e-6)
    assert np.abs([fitted.rate(row) for row in similarities] - ratings).max() < 0.35


def test_training_reproduces_the_model_of_the_original(folder):
    from skperceptual.full_reference.visqol.support_vectors import read_libsvm

    similarities, _ = published_table()
    with pytest.warns(UserWarning, match="begins with the index 0"):
        theirs = read_libsvm(folder / "test_model" / "cpp_model.txt", n_features=32)
    theirs = theirs._replace(vectors=np.pad(theirs.vectors, ((0, 0), (1, 0))))  # as it was meant
    for row in similarities:
        assert shipped_map().rate(row) == pytest.approx(theirs.rate(row), abs=3e-6)


def test_difference_of_the_shipped_map_is_documented():
    audio = [case for case in COMPARED if case["mode"] == "audio"]
    differences = [
        shipped_map().rate(np.array(case["expected_details"]["fvnsim"])) - case["expected_moslqo"]
        for case in audio
    ]
    assert len(differences) == 9
    assert f"{min(differences):.2f} to {max(differences):.2f}" in ViSQOL.__doc__
    assert f"{np.median(differences):.2f} in the median" in ViSQOL.__doc__


def test_how_far_the_published_table_predicts_itself_is_documented():
    similarities, ratings = published_table()
    recordings = np.repeat(np.arange(12), 10)
    recipe = NuSVR(**NU_SVR_PARAMETERS)
    predicted = cross_val_predict(
        recipe, similarities, ratings, groups=recordings, cv=GroupKFold(12)
    )
    error = np.sqrt(np.mean((predicted - ratings) ** 2))
    assert f"predict the twelfth to {error:.2f} of a rating" in " ".join(ViSQOL.__doc__.split())


@pytest.fixture(scope="module")
def rated():
    rng = np.random.default_rng(0)
    pairs, ratings = [], []
    for source in range(4):
        clip = np.cumsum(rng.standard_normal(12000)) * rng.random(12000)
        clip /= np.abs(clip).max()
        for severity in (0.001, 0.01, 0.05, 0.2):
            pairs.append((clip, clip + severity * rng.standard_normal(12000)))
            ratings.append(90 + 20 * np.log10(0.001 / severity) - source)
    return pairs, np.array(ratings)


@pytest.mark.parametrize("regressor", ["nusvr", "monotone", Ridge(1.0)], ids=str)
def test_map_is_learned_on_any_scale(regressor, rated):
    pairs, ratings = rated
    metric = ViSQOL(sr=8000, model="fit", regressor=regressor)
    predicted = cross_val_predict(metric, pairs, ratings, cv=4)
    assert np.corrcoef(predicted, ratings)[0, 1] > 0.8
    scaled = clone(metric).fit(pairs, ratings / 10).predict(pairs)
    np.testing.assert_allclose(
        scaled, clone(metric).fit(pairs, ratings).predict(pairs) / 10, atol=0.05
    )


def test_monotone_map_never_rewards_damage(rated, rng):
    pairs, ratings = rated
    fitted = ViSQOL(sr=8000, model="fit", regressor="monotone").fit(pairs, ratings).regressor_
    assert (fitted.coef_ >= 0).all()
    better = rng.uniform(0, 1, (50, 32))
    worse = better - rng.uniform(0, 0.5, (50, 32))
    assert (fitted.predict(worse) <= fitted.predict(better)).all()


@pytest.mark.parametrize("fall", [1, -1])
def test_scale_on_which_more_is_worse_is_told(rated, fall):
    pairs, ratings = rated
    metric = ViSQOL(sr=8000, model="fit", regressor="monotone")
    if fall == 1:
        assert np.ptp(metric.fit(pairs, ratings).predict(pairs)) > 0
        return
    with pytest.warns(UserWarning, match="fit to -y"):
        metric.fit(pairs, -ratings)


@pytest.mark.filterwarnings("ignore:The maps for speech are made for:UserWarning")
def test_given_maps_ignore_ratings(rated):
    pairs, ratings = rated
    metric = ViSQOL(sr=8000, mode="speech", model="exponential")
    np.testing.assert_array_equal(
        metric.fit(pairs[:2], ratings[:2]).predict(pairs[:2]),
        ViSQOL(sr=8000, mode="speech").score_samples(pairs[:2]),
    )
    assert not hasattr(metric, "regressor_")


def test_repr_names_the_map():
    assert repr(ViSQOL()) == "ViSQOL(model='shipped')"
    assert repr(ViSQOL(mode="speech")) == "ViSQOL(model='shipped', mode='speech')"
    assert repr(ViSQOL(model="fit")) == "ViSQOL(model='fit')"
    assert repr(make_pipeline(ViSQOL())[-1]) == "ViSQOL(model='shipped')"


# Input


def test_lengths_precision_jobs_and_blocks(rng):
    clips = [synthetic()[: 48000 + 7 * k] for k in range(3)]
    pairs = [(clip, clip[300:] + 0.01 * rng.standard_normal(len(clip) - 300)) for clip in clips]
    metric = ViSQOL()
    expected = metric.transform(pairs)
    np.testing.assert_array_equal(ViSQOL(n_jobs=2).transform(pairs), expected)
    np.testing.assert_array_equal(np.vstack([metric.transform([p]) for p in pairs]), expected)
    single = [tuple(part.astype(np.float32) for part in pair) for pair in pairs]
    found = metric.transform(single)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_long_recordings_are_worked_on_in_blocks(monkeypatch):
    from skperceptual.full_reference.visqol import alignment, fine_alignment, images

    pair = synthetic(), degraded_versions(synthetic())["quantised_delayed"]
    expected = compare_pair(*pair)
    monkeypatch.setattr(images, "_FRAMES_AT_ONCE", 37)
    monkeypatch.setattr(fine_alignment, "_AT_ONCE", 2)
    monkeypatch.setattr(alignment, "_LONGEST_IN_DOUBLE", 0)
    monkeypatch.setattr(alignment, "_BLOCK", 10_000)
    found = compare_pair(*pair)
    assert found.lag == expected.lag
    np.testing.assert_array_equal(found.band_means, expected.band_means)


def test_resampling():
    reference = synthetic()
    at_44100 = resample(reference, 48000, 44100)
    found = ViSQOL(resample_from=(48000, 44100)).transform([(reference, at_44100)])
    expected = ViSQOL().transform([(reference, resample(at_44100, 44100, 48000))])
    np.testing.assert_array_equal(found, expected)
    both = ViSQOL(resample_from=44100).predict([(at_44100, at_44100)])[0]
    assert both == pytest.approx(4.953, abs=1e-3)
    with pytest.raises(ValueError, match="Expected resample_from to be a sampling rate"):
        ViSQOL(resample_from=(48000, 44100, 3)).fit([(reference, at_44100)])
    with pytest.raises(ValueError, match="whole rates"):
        ViSQOL(sr=48000.5, resample_from=44100).fit([(reference, at_44100)])


@pytest.mark.filterwarnings("ignore:The degraded signal of:UserWarning")
def test_different_rates_are_suspected():
    reference = synthetic()  # of 3 s
    other = resample(reference, 48000, 44100)
    pairs = [(reference, reference[5:]), (reference, other), (reference[:90000], reference)]
    with pytest.warns(UserWarning, match="1 pair") as caught:
        ViSQOL().transform(pairs)
    messages = [str(entry.message) for entry in caught]
    (told,) = [message for message in messages if "sampling rates" in message]
    assert "as 48000 to 44100 (row 1)" in told
    assert "resample_from=(48000, 44100)" in told


@pytest.mark.parametrize("method", ["fit", "predict", "score_samples", "transform", "patches"])
def test_warnings_name_the_line_of_the_user(method):
    pairs = [(synthetic(), synthetic()[:90000])]
    arguments = (pairs, [3.0]) if method == "fit" else (pairs,)
    metric = ViSQOL(sr=44100, model="fit" if method == "fit" else "shipped", regressor="monotone")
    with pytest.warns(UserWarning, match="1 pair|made for") as caught:
        getattr(metric, method)(*arguments)
    assert {entry.filename for entry in caught} == {__file__}


@pytest.mark.filterwarnings("ignore:Reference and degraded signal differ:UserWarning")
@pytest.mark.filterwarnings("ignore:The degraded signal of:UserWarning")
@pytest.mark.parametrize("n_times", [61440, 100000])
def test_near_search_of_a_degraded_signal_that_ends_early(n_times):
    reference = np.tile(synthetic(), 2)
    table = ViSQOL(search_window_radius=1, align=False).patches([(reference, reference[:n_times])])
    assert table["similarity"].between(-1, 1).all()
    with pytest.raises(ValueError, match="search_window_radius"):
        ViSQOL(search_window_radius=0).patches([(reference, reference)])


def test_lengths_that_differ_by_more_than_a_second_are_reported(guitar, google):
    metric = ViSQOL(model=google)
    with pytest.warns(UserWarning, match="1 pair") as caught:
        rating = metric.predict([(guitar[:96000],) * 2, (guitar, guitar[:48000])])[1]
    messages = [str(entry.message) for entry in caught]
    assert any("more than 1 s in 1 pair (row 1)" in message for message in messages)
    assert any("ends before its reference" in message for message in messages)
    assert rating == pytest.approx(EDGE["ref12s_deg1s"], abs=2e-6)


@pytest.mark.parametrize(("mode", "needed"), [("audio", 46080), ("speech", 30720)])
def test_short_clips_are_told_what_is_needed(mode, needed):
    clip = synthetic()
    metric = ViSQOL(mode=mode)
    assert metric.predict([(clip[:needed], clip[:needed])])[0] > 4.9
    with pytest.raises(ValueError, match=f"pair 1 has {needed - 1} .* at least {needed} "):
        metric.predict([(clip, clip), (clip[: needed - 1], clip)])
    with pytest.raises(
        ValueError, match=r"degraded signal of pair 0 has 3840 .* degraded signal 3841"
    ):
        metric.predict([(clip, clip[:3840])])


@pytest.mark.parametrize("method", ["fit", "predict", "transform", "patches"])
def test_silent_reference_is_refused(method):
    clip = synthetic()
    with pytest.raises(ValueError, match="reference of pair 1 is silent"):
        getattr(ViSQOL(), method)([(clip, clip), (np.zeros(50000), clip)])


@pytest.mark.filterwarnings("ignore:The reference of 1 pair is below:UserWarning")
@pytest.mark.parametrize("kind", ["dither", "noise", "tiny"])
def test_reference_as_good_as_silent_is_refused(kind, rng):
    clip = synthetic()
    quiet = {
        "dither": rng.integers(-1, 2, len(clip)) / 32768,
        "noise": 1e-5 * rng.standard_normal(len(clip)),
        "tiny": 1e-200 * rng.standard_normal(len(clip)),
    }[kind]
    with pytest.raises(ValueError, match=r"Pair 1 cannot be compared\. .* as good as silent"):
        ViSQOL().predict([(clip, clip), (quiet, clip)])


def test_quiet_references_and_silent_copies_warn():
    clip = synthetic()
    with pytest.warns(UserWarning, match=r"reference of 1 pair is below -55 dB .*\(row 1\)"):
        ViSQOL().predict([(clip, clip), (1e-3 * clip, 1e-3 * clip)])
    with pytest.warns(UserWarning, match=r"signal of 1 pair is silent \(row 0\)"):
        assert ViSQOL().predict([(clip, np.zeros_like(clip))])[0] == 1


@pytest.mark.filterwarnings("ignore:Reference and degraded signal differ:UserWarning")
@pytest.mark.filterwarnings("ignore:The degraded signal of:UserWarning")
def test_delay_that_leaves_too_little_is_refused(rng):
    clip = rng.standard_normal(96000)
    late = np.concatenate([np.zeros(45000), clip[:1000]])
    with pytest.raises(ValueError, match=r"Pair 0 cannot be compared\. The degraded signal seems"):
        ViSQOL().predict([(clip, late)])
    assert ViSQOL(align=False).predict([(clip, late)])[0] < 4


def test_missing_values_are_refused():
    clip = synthetic()
    clip[5] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        ViSQOL().predict([(clip, clip)])


def test_other_rates_are_warned_of():
    clip = resample(synthetic(), 48000, 44100)
    with pytest.warns(UserWarning, match=r"resample_from=44100"):
        ViSQOL(sr=44100).predict([(clip, clip)])
    with pytest.warns(UserWarning, match="none above 4000 Hz"):
        ViSQOL(mode="speech", sr=8000).predict([(clip, clip)])
    with pytest.raises(ValueError, match="well above 100 Hz"):
        ViSQOL(sr=90).fit([(clip, clip)])


def test_models_of_the_other_mode_are_refused(tmp_path):
    pair = [(synthetic(), synthetic())]
    for model in ("exponential", "exponential_unscaled", "lattice", tmp_path / "any.tflite"):
        with pytest.raises(ValueError, match="made for speech"):
            ViSQOL(model=model).fit(pair)
    with pytest.raises(FileNotFoundError, match=r"neither one of 'shipped', .* nor a file"):
        ViSQOL(model="shipment").fit(pair)
    with pytest.raises(FileNotFoundError, match="fetch_visqol_model"):
        ViSQOL(model=tmp_path / "missing.tflite", mode="speech").fit(pair)


def test_lattice_that_cannot_be_found_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SKPERCEPTUAL_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"fetch_visqol_model\('lattice'\)"):
        ViSQOL(model="lattice", mode="speech").fit([(synthetic(), synthetic())])


def test_what_is_no_lattice_is_refused(tmp_path):
    pytest.importorskip("ai_edge_litert", reason="needs the extra visqol")
    path = tmp_path / "model.tflite"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="the letters TFL3"):
        ViSQOL(model=path, mode="speech").fit([(synthetic(), synthetic())])


def test_progress_is_shown(capsys):
    ViSQOL(verbose=1).transform([(synthetic(), synthetic())])
    assert "ViSQOL" in capsys.readouterr().err
