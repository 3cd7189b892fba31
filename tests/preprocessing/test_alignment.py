"""Delays that were put in are found and removed, in noise, in real recordings, between samples."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from skperceptual import AlignPairs, LoadAudio, Vectorizer


def cut_pair(source, lag, n_times, *, margin=400):
    """Cut a pair out of one long recording, so that nothing but the time differs."""
    return np.stack(
        [source[margin : margin + n_times], source[margin - lag : margin - lag + n_times]]
    )


def tones(rng, time, n_tones=300, highest=0.9):
    """Sum of sines up to a part of the Nyquist frequency, at any times whatsoever."""
    frequencies = rng.uniform(0.01, highest, n_tones) * np.pi
    phases = rng.uniform(0, 2 * np.pi, n_tones)

    def at(times):
        return np.sin(frequencies[:, np.newaxis] * times + phases[:, np.newaxis]).mean(axis=0)

    return [at(each) for each in time]


@given(st.integers(-300, 300), st.integers(0, 10))
def test_lags_are_recovered(lag, seed):
    source = np.random.default_rng(seed).normal(size=2800)
    step = AlignPairs(max_lag_seconds=0.04, sr=10000)
    pair = cut_pair(source, lag, 2000)
    assert step.lags(pair[np.newaxis]) == [lag]
    assert step.lags([tuple(pair)]) == [lag]


def test_sign_of_a_lag():
    reference = np.zeros(100)
    reference[50] = 1
    late = np.roll(reference, 3)
    step = AlignPairs(sr=100)
    assert_array_equal(step.lags([(reference, late), (late, reference)]), [3, -3])
    assert step.lags([(reference, late)]).dtype.kind == "i"
    assert AlignPairs(sr=100, subsample=True).lags([(reference, late)]).dtype == np.float64


@pytest.mark.parametrize("lag", [-37, -1, 0, 1, 37])
def test_an_array_keeps_its_shape_and_is_zero_where_nothing_corresponds(rng, lag):
    source = rng.normal(size=2000)
    batch = np.stack([cut_pair(source, lag, 1000), cut_pair(source[::-1], -5, 1000)])
    aligned = AlignPairs(sr=1000).fit_transform(batch)
    assert aligned.shape == batch.shape
    assert_array_equal(aligned[:, 0], aligned[:, 1])
    covered = np.zeros(1000, dtype=bool)
    covered[max(0, -lag) : 1000 - max(0, lag)] = True
    assert_array_equal(aligned[0, 0, covered], batch[0, 0, covered])
    assert_array_equal(aligned[0, :, ~covered], 0)


@pytest.mark.parametrize("lag", [-37, 0, 37])
@pytest.mark.parametrize("form", [np.asarray, tuple])
def test_a_list_is_cut_to_what_both_cover(rng, lag, form):
    pair = cut_pair(rng.normal(size=2000), lag, 1000)
    (aligned,) = AlignPairs(sr=1000).fit_transform([form(pair)])
    assert isinstance(aligned, np.ndarray)
    assert aligned.shape == (2, 1000 - abs(lag))
    assert_array_equal(aligned[0], aligned[1])
    assert_array_equal(aligned[0], pair[0, max(0, -lag) : 1000 - max(0, lag)])


@pytest.mark.parametrize(("begin", "end"), [(0, 900), (20, 1000), (20, 800), (-30, 1040)])
def test_clips_of_different_length(rng, begin, end):
    source = rng.normal(size=2000)
    reference, degraded = source[500:1500], source[500 + begin : 500 + end]
    step = AlignPairs(sr=1000)
    assert step.lags([(reference, degraded)]) == [-begin]
    (aligned,) = step.fit_transform([(reference, degraded)])
    assert_array_equal(aligned[0], aligned[1])
    assert aligned.shape[1] == min(end, 1000) - max(begin, 0)


def test_level_polarity_and_offset_do_not_matter(rng):
    source = rng.normal(size=3000)
    pair = cut_pair(source, 70, 2000)
    step = AlignPairs(sr=1000)
    for changed in (pair[1] * 0.01, -pair[1], pair[1] + 100, pair[1] * 1000 - 50):
        assert step.lags([(pair[0], changed)]) == [70]
    (aligned,) = step.transform([(pair[0], -pair[1])])
    assert_array_equal(aligned[0], -aligned[1])


def test_of_equal_maxima_the_nearest_counts():
    period = np.tile([0.0, 1, 0, -1], 500)
    assert AlignPairs(sr=1000).lags(np.stack([[period, period]])) == [0]
    pulses = np.zeros(1000)
    pulses[::50] = 1.0
    assert AlignPairs(sr=1000).lags([(pulses, np.roll(pulses, 10))]) == [10]


@pytest.mark.parametrize("constant", [0.0, 0.3])
def test_silence_has_no_delay(rng, constant):
    batch = rng.normal(size=(3, 2, 200))
    batch[1, 0] = constant
    step = AlignPairs(max_lag_seconds=0, sr=1000)
    with pytest.warns(UserWarning, match=r"1 of 3 pairs .* \(the first is row 1\)") as caught:
        assert_array_equal(step.lags(batch), 0)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="silent clip") as caught:
        aligned = step.fit(batch).transform(batch)
    assert caught[0].filename == __file__
    assert_array_equal(aligned, batch)


def test_a_delay_at_the_limit_is_reported(rng):
    pair = cut_pair(rng.normal(size=3000), 70, 2000)
    with pytest.warns(UserWarning, match=r"1 of 1 pairs lie at the limit .* row 0: 70 samples"):
        AlignPairs(max_lag_seconds=0.07, sr=1000).lags([pair])
    assert AlignPairs(max_lag_seconds=0.071, sr=1000).lags([pair]) == [70]


def test_clips_overlap_by_half_at_least(rng):
    clip = rng.normal(size=10)
    step = AlignPairs(max_lag_seconds=1000, sr=1000)
    for n_times in (1, 2, 3, 10):
        short = clip[np.newaxis, :n_times] + np.zeros((2, 1))
        if n_times > 1:
            assert step.lags([short]) == [0]
        else:
            with pytest.warns(UserWarning, match="silent"):
                assert step.lags([short]) == [0]
    with (
        pytest.warns(UserWarning, match="limit"),
        pytest.warns(UserWarning, match="may be chance"),
    ):
        lag = step.lags([(np.eye(10)[1], np.eye(10)[8])])
    assert abs(lag) <= 5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("lag", [0.5, -0.25, 3.3, -17.81, 40.0])
def test_fractions_of_a_sample(rng, lag, dtype):
    time = np.arange(4000)
    pair = np.stack(tones(rng, [time, time - lag])).astype(dtype)
    step = AlignPairs(sr=1000, subsample=True)
    assert_allclose(step.lags(pair[np.newaxis]), lag, atol=0.01)
    aligned = step.fit_transform(pair[np.newaxis])[0]
    assert aligned.dtype == dtype
    inside = slice(200, -200)
    residual = (aligned[1] - aligned[0])[inside]
    before = (pair[1] - pair[0])[inside]
    assert np.abs(residual).max() < 0.01 * np.abs(before).max()
    assert_allclose(step.lags(aligned[np.newaxis]), 0, atol=0.01)
    assert_array_equal(aligned[0, inside], pair[0, inside])


def test_an_aligned_pair_is_not_filtered(rng):
    clip = rng.normal(size=(1, 1, 501))
    pairs = np.concatenate([clip, clip], axis=1)
    step = AlignPairs(sr=1000, subsample=True)
    assert_array_equal(step.lags(pairs), 0)
    assert_array_equal(step.fit_transform(pairs), pairs)


def test_neither_neighbours_nor_order_matter(rng):
    source = rng.normal(size=2000)
    batch = np.stack([cut_pair(source, lag, 1000) for lag in (-20, 0, 31, 7)])
    for subsample in (False, True):
        step = AlignPairs(sr=1000, subsample=subsample)
        whole = step.fit_transform(batch)
        assert_array_equal(step.transform(batch[::-1]), whole[::-1])
        assert_array_equal(step.transform(batch[2:3]), whole[2:3])


def test_delays_in_real_recordings_and_noise_are_found(shared, rng):
    files = sorted((shared / "data" / "speech").glob("*.flac"))[::4]
    files += sorted((shared / "data" / "music").glob("*.flac"))[::6]
    pairs, lags = [], []
    for clip in LoadAudio(sr=16000).transform(files):
        lag = int(rng.integers(-1500, 1500))
        late = np.zeros_like(clip)
        late[max(0, lag) : len(clip) + min(0, lag)] = clip[max(0, -lag) : len(clip) - max(0, lag)]
        noise = rng.normal(size=len(clip)) * np.sqrt(np.mean(late**2) / 10)
        pairs.append((clip, (late + noise).astype(np.float32)))
        lags.append(lag)
    assert len(lags) == 16
    assert_array_equal(AlignPairs().lags(pairs), lags)
    assert_allclose(AlignPairs(subsample=True).lags(pairs), lags, atol=0.05)


def test_codecs_of_the_ratings(shared):
    folder = shared / "data" / "ratings" / "neural_codec_mushra" / "audio"
    files = sorted(folder.glob("*__lyra_32.flac"))
    references = [file.with_name(file.name.split("__")[0] + "__ref.flac") for file in files]
    pairs = LoadAudio(sr=24000, unequal="keep").transform(list(zip(references, files, strict=True)))
    lags = AlignPairs(sr=24000).lags(pairs)
    assert len(lags) == 10
    assert set(lags) <= {8, 9, 10}  # one delay, that of the codec


@pytest.mark.parametrize("codec", ["audiodec_8", "prop_13", "prop_55"])
def test_codecs_that_make_up_a_waveform_are_reported(shared, codec):
    folder = shared / "data" / "ratings" / "neural_codec_mushra" / "audio"
    files = sorted(folder.glob(f"*__{codec}.flac"))
    references = [file.with_name(file.name.split("__")[0] + "__ref.flac") for file in files]
    pairs = LoadAudio(sr=24000, unequal="keep").transform(list(zip(references, files, strict=True)))
    with pytest.warns(UserWarning, match="10 of 10 pairs may be chance") as caught:
        lags = AlignPairs(sr=24000).lags(pairs)
    assert len(caught) == 1
    assert np.ptp(lags) > 0.01 * 24000


def test_what_a_separation_changes_is_not_taken_for_a_delay(shared):
    folder = shared / "data" / "ratings" / "cvssp_sep_mushra" / "audio"
    files = sorted(folder.glob("*__Interferer.flac"))
    references = [file.with_name(file.name.split("__")[0] + "__ref.flac") for file in files]
    pairs = LoadAudio(sr=16000).transform(list(zip(references, files, strict=True)))
    # Correlations down to 0.39 raise no warning, which pytest would turn into an error.
    assert_array_equal(AlignPairs().lags(pairs), 0)


def test_delays_that_may_be_chance_are_named_with_their_correlation(rng):
    source = rng.normal(size=3000)
    not_moved = cut_pair(source, 0, 1000) + 2 * rng.normal(size=(2, 1000))
    pairs = [cut_pair(source, 7, 1000), *rng.normal(size=(7, 2, 1000)), not_moved]
    step = AlignPairs(max_lag_seconds=0.05, sr=1000)
    for batch in (pairs, np.stack(pairs)):
        for method in (step.lags, step.fit(batch).transform):
            with pytest.warns(UserWarning, match="may be chance") as caught:
                method(batch)
            (message,) = [str(each.message) for each in caught]
            assert caught[0].filename == __file__
            assert message.startswith("The delays of 7 of 9 pairs may be chance")
            assert message.count("row ") == 5
            assert "max_lag_seconds=0.05" in message
    lag = int(step.set_params(max_lag_seconds=0.01).lags(pairs[:1])[0])
    assert lag == 7


@given(st.integers(1, 300), st.floats(0.3, 3.0))
def test_the_correlation_that_is_reported_is_that_of_what_remains(lag, noise):
    rng = np.random.default_rng(lag)
    pair = cut_pair(rng.normal(size=3000), lag, 2000)
    pair[1] += noise * rng.normal(size=2000)
    step = AlignPairs(max_lag_seconds=0.04, sr=10000)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (aligned,) = step.fit_transform([pair])
    coefficient = abs(np.corrcoef(aligned)[0, 1])
    if abs(coefficient - 0.6) < 0.005:  # means of the whole and of the part differ a little
        return
    assert any("may be chance" in str(each.message) for each in caught) == (coefficient < 0.6)


def test_a_delay_beyond_the_limit_gives_itself_away(shared):
    files = sorted((shared / "data" / "speech").glob("*.flac"))[:4]
    pairs = [(clip, np.roll(clip, 3000)) for clip in LoadAudio(sr=16000).transform(files)]
    with pytest.warns(UserWarning, match=r"4 of 4 .* raise max_lag_seconds=0\.1"):
        AlignPairs().lags(pairs)
    assert_array_equal(AlignPairs(max_lag_seconds=0.2).lags(pairs), 3000)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((3, 100)), r"Stack references and degraded versions"),
        (np.zeros((3, 3, 100)), "second axis is not"),
        ([np.zeros(100)], "item 0 of the list has shape"),
        (np.zeros((1, 2, 100), dtype=np.int16), "Divide by 32768"),
        (np.full((1, 2, 100), np.nan), "NaN"),
    ],
)
def test_what_is_no_pair_is_refused(X, message):
    for method in ("fit", "transform", "lags"):
        with pytest.raises(ValueError, match=message):
            getattr(AlignPairs(), method)(X)


@pytest.mark.parametrize("parameters", [{"max_lag_seconds": -0.1}, {"subsample": "yes"}, {"sr": 0}])
def test_wrong_parameters(parameters):
    (name,) = parameters
    for method in ("fit", "transform", "lags"):
        with pytest.raises(ValueError, match=name):
            getattr(AlignPairs(**parameters), method)(np.ones((1, 2, 10)))


def test_as_a_step(rng):
    source = rng.normal(size=2000)
    batch = np.stack([cut_pair(source, lag, 500) for lag in (-20, 0, 31, 7, 3, 2)])
    step = AlignPairs(sr=1000)
    assert clone(step).get_params() == step.get_params()
    assert_array_equal(pickle.loads(pickle.dumps(step)).lags(batch), step.lags(batch))
    pipeline = make_pipeline(step, Vectorizer(), Ridge())
    assert cross_val_predict(pipeline, batch, np.arange(6.0), cv=3).shape == (6,)
    tags = get_tags(step)
    assert not tags.requires_fit
    assert not tags.input_tags.two_d_array
