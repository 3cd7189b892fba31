"""Rate, duration and level: values against librosa, properties, scikit-learn's own checks."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skperceptual import FixDuration, Normalize, Resample

ESTIMATORS = [
    Resample(orig_sr=4, target_sr=3),
    FixDuration(duration_seconds=0.25, sr=16),
    Normalize(),
    Normalize(method="rms", per="pair"),
]
SIGNALS = arrays(
    st.sampled_from([np.float32, np.float64]),
    st.tuples(st.integers(1, 3), st.just(2), st.integers(1, 50)),
    elements=st.floats(-2, 2, width=32),
)


@pytest.mark.parametrize("step", ESTIMATORS, ids=str)
def test_any_duration_is_accepted_after_fit(step, rng):
    step = clone(step).fit(rng.normal(size=(3, 20)))
    for n_times in (9, 30):
        batch = rng.normal(size=(2, n_times))
        assert_array_equal(step.transform(batch), clone(step).fit_transform(batch))


@pytest.mark.parametrize("step", ESTIMATORS, ids=str)
def test_dtypes(step, rng):
    batch = rng.normal(size=(3, 2, 20))
    for dtype in (np.float32, np.float64):
        assert step.fit_transform(batch.astype(dtype)).dtype == dtype
        assert all(item.dtype == dtype for item in step.transform(list(batch.astype(dtype))))
    assert_allclose(step.transform(batch.astype(np.float32)), step.transform(batch), atol=1e-6)
    with pytest.raises(ValueError, match=r"got int16. Divide by 32768"):
        step.fit((batch * 1000).astype(np.int16))


@pytest.mark.parametrize("step", ESTIMATORS, ids=str)
def test_clips_do_not_know_one_another(step, rng):
    batch = rng.normal(size=(5, 2, 24))
    whole = step.fit_transform(batch)
    assert_array_equal(step.transform(batch[3:4]), whole[3:4])
    assert_array_equal(step.transform(batch[::-1]), whole[::-1])
    for row, pair in enumerate(step.transform(list(batch))):
        assert_array_equal(pair, whole[row])
    ragged = [(batch[0, 0], batch[0, 1, :20]), (batch[1, 0, :9], batch[1, 1])]
    for pair, alone in zip(step.transform(ragged), ragged, strict=True):
        (expected,) = step.transform([alone])
        for clip, expected_clip in zip(pair, expected, strict=True):
            assert_array_equal(clip, expected_clip)


# --- Resample -----------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:path is deprecated:DeprecationWarning")  # of librosa itself
@pytest.mark.parametrize(("orig_sr", "target_sr"), [(44100, 16000), (8000, 48000), (44101, 16050)])
@pytest.mark.parametrize("res_type", ["soxr_vhq", "soxr_hq", "soxr_mq", "soxr_lq", "soxr_qq"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_resample_gives_what_librosa_gives(rng, orig_sr, target_sr, res_type, dtype):
    batch = rng.normal(size=(2, 2, 5003)).astype(dtype)
    step = Resample(orig_sr=orig_sr, target_sr=target_sr, res_type=res_type)
    expected = np.array(
        [
            [
                librosa.resample(c, orig_sr=orig_sr, target_sr=target_sr, res_type=res_type)
                for c in pair
            ]
            for pair in batch
        ]
    )
    assert_array_equal(step.fit_transform(batch), expected, strict=True)


@pytest.mark.parametrize("n_times", [1, 2, 3, 10])
def test_resample_reads_the_shortest_clips(n_times):
    resampled = Resample(orig_sr=48000).fit_transform(np.ones((1, n_times)))
    assert resampled.shape == (1, -(-n_times // 3))


def test_resample_to_the_same_rate_changes_nothing(rng):
    batch = rng.normal(size=(2, 30))
    assert_array_equal(Resample(orig_sr=16000).fit_transform(batch), batch)


@given(
    st.lists(st.floats(0.01, 0.8), min_size=1, max_size=10),
    st.sampled_from([(16000, 22050), (16000, 48000), (8000, 44100)]),
)
def test_resampling_up_and_down_again_returns_band_limited_signals(frequencies, rates):
    orig_sr, target_sr = rates
    time = np.arange(2000)
    # Up to 80 % of the Nyquist frequency, faded in and out: the silence around a clip rings too.
    signal = sum(np.sin(np.pi * f * time + i) for i, f in enumerate(frequencies))
    signal = (signal * np.hanning(2000) / len(frequencies))[np.newaxis]
    up = Resample(orig_sr=orig_sr, target_sr=target_sr).fit_transform(signal)
    down = Resample(orig_sr=target_sr, target_sr=orig_sr).fit_transform(up)
    # The filters fall by up to 0.01 dB within their pass-band, and were passed twice.
    assert_allclose(down[:, :2000], signal, atol=(10 ** (0.02 / 20) - 1) * np.abs(signal).max())


def test_resample_needs_a_rate():
    with pytest.raises(TypeError, match="orig_sr"):
        Resample()
    with pytest.raises(ValueError, match="orig_sr"):
        Resample(orig_sr=0).fit(np.ones((1, 5)))


# --- FixDuration --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "short", "long"),
    [
        ("start", [1, 2, 3, 0, 0, 0], [1, 2, 3, 4, 5, 6]),
        ("center", [0, 0, 1, 2, 3, 0], [2, 3, 4, 5, 6, 7]),
        ("end", [0, 0, 0, 1, 2, 3], [4, 5, 6, 7, 8, 9]),
    ],
)
def test_fix_duration(position, short, long):
    step = FixDuration(duration_seconds=0.75, sr=8, position=position)
    clips = [np.arange(1.0, 4), np.arange(1.0, 10), np.arange(1.0, 7)]
    fixed = step.fit_transform(clips)
    assert_array_equal(fixed, [short, long, [1, 2, 3, 4, 5, 6]])
    assert_array_equal(step.transform(np.stack([clips[1]] * 2)), [long, long])


@pytest.mark.parametrize("pad_mode", ["constant", "reflect", "wrap"])
def test_fix_duration_pads_as_numpy_does(rng, pad_mode):
    clip = rng.normal(size=7)
    step = FixDuration(duration_seconds=20, sr=1, pad_mode=pad_mode)
    assert_array_equal(step.fit_transform([clip])[0], np.pad(clip, (0, 13), mode=pad_mode))


@pytest.mark.parametrize("position", ["start", "center", "end"])
@pytest.mark.parametrize("n_degraded", [1, 30, 50, 60])
def test_fix_duration_keeps_pairs_aligned(rng, position, n_degraded):
    for n_times in (10, 45, 80):
        reference = rng.normal(size=50)
        degraded = np.concatenate([reference, rng.normal(size=10)])[:n_degraded]
        step = FixDuration(duration_seconds=n_times, sr=1, position=position)
        fixed = step.fit_transform([(reference, degraded)])
        assert fixed.shape == (1, 2, n_times)
        shared = (fixed[0, 0] != 0) & (fixed[0, 1] != 0)
        assert_array_equal(fixed[0, 0, shared], fixed[0, 1, shared])
        assert_array_equal(fixed[0, :1], step.transform([reference]))


@given(SIGNALS, st.sampled_from(["start", "center", "end"]), st.integers(1, 80))
def test_fix_duration_twice_is_once(batch, position, n_times):
    step = FixDuration(duration_seconds=n_times, sr=1, position=position)
    once = step.fit_transform(batch)
    assert once.shape == (*batch.shape[:-1], n_times)
    assert_array_equal(step.transform(once), once)


def test_fix_duration_refuses_less_than_a_sample():
    with pytest.raises(ValueError, match=r"duration_seconds=1e-06 is less than one sample"):
        FixDuration(duration_seconds=1e-6).fit(np.ones((1, 5)))


# --- Normalize ----------------------------------------------------------------------------


def rms(clip):
    return np.sqrt(np.mean(np.square(clip, dtype=np.float64), axis=-1))


@pytest.mark.parametrize("level_db", [None, -3.0, -40.0])
def test_level_of_every_clip(rng, level_db):
    batch = rng.normal(size=(3, 2, 100)) * rng.uniform(0.01, 3, size=(3, 2, 1))
    peaks = np.abs(Normalize(level_db=level_db).fit_transform(batch)).max(axis=-1)
    assert_allclose(20 * np.log10(peaks), 0 if level_db is None else level_db, atol=1e-9)
    means = rms(Normalize(method="rms", level_db=level_db).fit_transform(batch))
    assert_allclose(20 * np.log10(means), -26 if level_db is None else level_db, atol=1e-9)


@pytest.mark.parametrize("method", ["peak", "rms"])
def test_gain_of_the_reference_keeps_level_differences(rng, method):
    batch = rng.normal(size=(3, 2, 100))
    step = Normalize(method=method, per="pair")
    scaled = step.fit_transform(batch)
    assert_allclose(scaled[:, 0], Normalize(method=method).fit_transform(batch)[:, 0])
    assert_allclose(scaled[:, 1] / scaled[:, 0], batch[:, 1] / batch[:, 0])
    assert_array_equal(step.transform(batch[:, 0]), scaled[:, 0])


def test_normalize_changes_nothing_but_the_gain(rng):
    clip = rng.normal(size=(1, 100))
    scaled = Normalize(method="rms").fit_transform(clip)
    assert_allclose(scaled / clip, (scaled / clip)[0, 0], rtol=1e-12)
    assert (scaled / clip)[0, 0] > 0


@pytest.mark.parametrize("method", ["peak", "rms"])
def test_silence_stays_and_is_reported(rng, method):
    batch = rng.normal(size=(4, 2, 50))
    batch[1, 1] = 0
    batch[3, 0] = 1e-12
    step = Normalize(method=method)
    with pytest.warns(UserWarning, match=r"2 of 4 rows .* \(the first is row 1\)") as caught:
        scaled = step.fit(batch).transform(batch)
    assert caught[0].filename == __file__
    assert_array_equal(scaled[1, 1], 0)
    assert_array_equal(scaled[3, 0], batch[3, 0])
    assert_array_equal(scaled[3, 1], step.transform(batch[:1, 1] * 0 + batch[3, 1])[0])
    step = Normalize(method=method, per="pair")
    with pytest.warns(UserWarning, match=r"1 of 4 rows .* \(the first is row 3\)"):
        scaled = step.fit_transform(batch)
    assert_array_equal(scaled[3], batch[3])


@given(SIGNALS, st.sampled_from(["peak", "rms"]), st.sampled_from(["clip", "pair"]))
@pytest.mark.filterwarnings("ignore:.* rows hold a silent clip:UserWarning")
def test_normalize_twice_is_once(batch, method, per):
    step = Normalize(method=method, per=per)
    once = step.fit_transform(batch)
    assert np.isfinite(once).all()
    rtol = 4 * np.finfo(batch.dtype).eps
    assert_allclose(step.transform(once), once, rtol=rtol, atol=0 if method == "peak" else 1e-30)


def test_peak_of_one_is_exactly_one(rng):
    batch = (rng.normal(size=(200, 64)) * 10 ** rng.uniform(-6, 3, size=(200, 1))).astype(
        np.float32
    )
    assert_array_equal(np.abs(Normalize().fit_transform(batch)).max(axis=1), 1)
