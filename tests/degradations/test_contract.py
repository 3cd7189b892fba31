"""What every degradation does to sound: length, time, level, order, and the odd input.

All classes of the registry are held to it, new ones without a line here.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import spearmanr

from skperceptual import load_audio
from skperceptual.datasets import make_music
from skperceptual.degradations import Degradation, degradation_names, get_degradation

NAMES = degradation_names()
SR = 48000
FEW_SAMPLES = (1, 2, 3, 5, 16, 100)
each = pytest.mark.parametrize("name", NAMES)

# Of the shared recordings, some that fill the band of 48 kHz and differ in kind.
RECORDINGS = (
    "music/mus_d_006_kevin-macleod-vibe-ace.flac",
    "music/mus_d_012_tcdaudio14-harpsichord.flac",
    "music/mus_d_046_computer-music-albatross-v2.flac",
    "speech/spk_d_020_visqol-ca01-ca01-01.flac",
)


def make(name: str, **parameters: object) -> Degradation:
    """Make a degradation without chance in it, for signals at 48 kHz."""
    step = get_degradation(name, **parameters)
    fixed = {"random_state": 0, "sr": SR}
    taken = step.get_params()
    return step.set_params(**{key: fixed[key] for key in fixed if key in taken})


def below_full_scale(clip: np.ndarray) -> np.ndarray:
    return 0.95 * clip / np.abs(clip).max()


@pytest.fixture(scope="module")
def made_music() -> np.ndarray:
    """1 s of a synthetic song, of peak 0.95."""
    made = make_music(n_songs=1, genres=["Pop"], duration_seconds=1.0, sr=SR, random_state=0)
    return below_full_scale(made.signals[0].astype(np.float64))


@pytest.fixture(scope="module")
def sounds(music: np.ndarray, made_music: np.ndarray) -> dict[str, np.ndarray]:
    """Sound that fills the band, of peak 0.95."""
    return {"notes": below_full_scale(music[:SR]), "song": made_music}


@pytest.fixture(scope="module")
def recordings(shared) -> dict[str, np.ndarray]:
    """1 s each of real music and speech, of peak 0.95."""
    found = {}
    for path in RECORDINGS:
        clip, _ = load_audio(shared / "data" / path, sr=SR)
        found[path] = below_full_scale(clip[SR // 2 : 3 * SR // 2].astype(np.float64))
    return found


def lag_of(degraded: np.ndarray, clip: np.ndarray) -> int:
    """Give the lag at which two clips match best, in samples.

    A plain cross-correlation also peaks one period of a voice, or one reflection, too late. Divided
    by the power spectrum of the signal it is the response that turned one into the other, whose
    largest value is where most of the sound comes through.
    """
    n_fft = 2 * len(clip)
    spectrum = np.fft.rfft(clip, n_fft)
    power = np.square(np.abs(spectrum))
    matches = np.fft.rfft(degraded, n_fft) * np.conj(spectrum)
    response = np.fft.irfft(matches / (power + 0.1 * power.mean()), n_fft)
    lag = int(np.argmax(response))
    return lag if lag < len(clip) else lag - n_fft


def snr_db(clip: np.ndarray, degraded: np.ndarray) -> float:
    return 10 * np.log10(np.mean(np.square(clip)) / np.mean(np.square(degraded - clip)))


def log_spectral_distance(clip: np.ndarray, degraded: np.ndarray, *, n_fft: int = 1024) -> float:
    """Give the root mean square difference of two log spectra, in dB above -90."""
    window = np.hanning(n_fft)

    def log_spectrum(x: np.ndarray) -> np.ndarray:
        frames = np.lib.stride_tricks.sliding_window_view(x, n_fft)[:: n_fft // 2]
        power = np.abs(np.fft.rfft(frames * window)) ** 2 / np.sum(window) ** 2
        return 10 * np.log10(power + 1e-9)

    return np.sqrt(np.mean(np.square(log_spectrum(clip) - log_spectrum(degraded))))


MEASURES = {
    "snr": lambda clip, degraded: -snr_db(clip, degraded),
    "log_spectral_distance": log_spectral_distance,
}


# --- Parameters -----------------------------------------------------------------------------------


@each
def test_parameters_that_all_have(name):
    cls = type(get_degradation(name))
    parameters = inspect.signature(cls).parameters
    assert all(p.kind == p.KEYWORD_ONLY for p in parameters.values())
    assert list(parameters)[:2] == ["severity", cls.physical_parameter]
    assert parameters["severity"].default == 0.5
    assert parameters[cls.physical_parameter].default is None
    assert parameters["match"].default == "none"
    if "random_state" in parameters:
        assert parameters["random_state"].default is None


@each
def test_a_wrong_match_is_refused(name):
    with pytest.raises(ValueError, match=r"'match' parameter of \w+ must be"):
        make(name, match="loudness").transform(np.zeros((1, 4800)))


def test_the_user_guide_lists_them_all():
    guide = Path(__file__).parents[2] / "docs" / "user_guide" / "degradations.rst"
    text = guide.read_text(encoding="utf-8")
    missing = [cls for cls in map(get_degradation, NAMES) if f"{type(cls).__name__}`" not in text]
    assert missing == []


# --- Length, time, order --------------------------------------------------------------------------


def assert_aligned(name: str, clips: dict[str, np.ndarray], severities: tuple[float, ...]) -> None:
    for severity in severities:
        step = make(name, severity=severity)
        assert isinstance(step.max_lag, int)
        for what, clip in clips.items():
            (degraded,) = step.transform([clip])
            assert degraded.shape == clip.shape, what
            assert not np.array_equal(degraded, clip), (what, "0 is no identity")
            assert abs(lag_of(degraded, clip)) <= step.max_lag, (what, severity)


@each
def test_length_and_lag(name, sounds, hiss):
    assert_aligned(name, sounds | {"hiss": hiss[: SR // 2]}, (0.0, 0.5, 1.0))


@pytest.mark.parametrize("lag", [-700, -3, 0, 1, 25, 4000])
def test_a_shift_is_found(lag, sounds, hiss):
    for clip in [*sounds.values(), hiss[:24000]]:
        shifted = np.roll(clip, lag)
        assert lag_of(shifted, clip) == lag
        assert lag_of(shifted + 0.5 * np.std(clip) * np.roll(clip[::-1], 9), clip) == lag


@each
def test_length_and_lag_of_recordings(name, recordings):
    assert_aligned(name, recordings, (0.0, 0.5, 1.0))


GRADED = [name for name in NAMES if type(get_degradation(name)).graded_by is not None]
each_graded = pytest.mark.parametrize("name", GRADED)


def assert_graded(name: str, clips: dict[str, np.ndarray], n_rungs: int) -> None:
    measure = type(get_degradation(name)).graded_by
    severities = np.linspace(0, 1, n_rungs)
    for what, clip in clips.items():
        found = [
            MEASURES[measure](clip, make(name, severity=float(severity)).transform([clip])[0])
            for severity in severities
        ]
        order = spearmanr(severities, found).statistic
        assert order == pytest.approx(1, abs=1e-12), (what, measure, np.round(found, 4))


@each_graded
def test_every_rung_is_worse_than_the_one_before(name, sounds):
    assert_graded(name, sounds, 11)


def test_few_make_no_promise():
    assert len(GRADED) > 0.8 * len(NAMES)


@each_graded
def test_every_rung_is_worse_for_recordings(name, recordings):
    assert_graded(name, recordings, 6)


# --- Type, batch, chance --------------------------------------------------------------------------


@each
def test_lists_of_any_lengths_and_both_precisions(name, music):
    step = make(name)
    lengths = (9600, 4801, 7000)
    clips = [music[start : start + n] for start, n in enumerate(lengths)]
    for dtype in (np.float64, np.float32):
        typed = [clip.astype(dtype) for clip in clips]
        together = step.transform(typed)
        assert isinstance(together, list)
        for clip, degraded in zip(typed, together, strict=True):
            assert (degraded.dtype, degraded.shape) == (clip.dtype, clip.shape)
            assert_array_equal(step.transform([clip])[0], degraded)
            assert_array_equal(step.transform(clip[np.newaxis])[0], degraded)
        again = step.transform(typed[::-1])[::-1]
        for degraded, other in zip(together, again, strict=True):
            assert_array_equal(degraded, other)


@each
def test_input_is_left_as_it_was(name, music):
    clips = music[:9600].reshape(2, 4800).copy()
    clips.flags.writeable = False
    before = clips.copy()
    degraded = make(name).transform(clips)
    assert_array_equal(clips, before)
    assert not np.shares_memory(degraded, clips)


@each
def test_without_a_seed_chance_differs_from_call_to_call(name, music):
    step = make(name)
    x = music[np.newaxis, :9600]
    assert_array_equal(step.transform(x), step.transform(x))
    if "random_state" not in step.get_params():
        return
    ways = [step] if "dither" not in step.get_params() else [step.set_params(dither="triangular")]
    for way in ways:
        way.set_params(severity=1.0, random_state=None)
        assert not np.array_equal(way.transform(x), way.transform(x))


# --- Level ----------------------------------------------------------------------------------------


@each
def test_match_gives_the_level_of_the_signal(name, made_music):
    quiet = 0.3 * made_music
    plain = make(name, severity=0.8).transform([quiet])[0]
    for match, level in {
        "rms": lambda x: np.sqrt(np.mean(np.square(x))),
        "peak": lambda x: np.abs(x).max(),
    }.items():
        (matched,) = make(name, severity=0.8, match=match).transform([quiet])
        assert level(matched) == pytest.approx(level(quiet), rel=1e-9)
        assert_allclose(matched, plain * (level(quiet) / level(plain)), rtol=1e-9, atol=1e-12)


@each
@pytest.mark.parametrize("match", ["none", "rms", "peak"])
@pytest.mark.parametrize("severity", [0.0, 1.0])
def test_silence_is_defined(name, match, severity):
    clips = [np.zeros(9600), np.zeros(9600, dtype=np.float32)]
    for clip in clips:
        (degraded,) = make(name, severity=severity, match=match).transform([clip])
        assert (degraded.shape, degraded.dtype) == (clip.shape, clip.dtype)
        assert np.isfinite(degraded).all()


@each
@pytest.mark.parametrize("gain", [1e-300, 1e-6, 1 / 0.95, 40.0])
def test_any_level_is_defined(name, gain, made_music):
    clip = gain * made_music[:9600]
    for match in ("none", "rms", "peak"):
        (degraded,) = make(name, severity=0.7, match=match).transform([clip])
        assert degraded.shape == clip.shape
        assert np.isfinite(degraded).all()
        assert np.abs(degraded).max() < 20 * max(1.0, gain)


# --- What is hardly sound -------------------------------------------------------------------------


@each
@pytest.mark.parametrize("n_times", FEW_SAMPLES)
def test_few_samples_are_degraded_or_refused_with_the_number_needed(name, n_times, rng):
    clip = rng.uniform(-0.5, 0.5, size=n_times)
    for severity in (0.0, 1.0):
        step = make(name, severity=severity)
        if n_times < step._min_samples():
            with pytest.raises(ValueError, match=f"at least {step._min_samples()}"):
                step.transform([clip])
        else:
            (degraded,) = step.transform([clip])
            assert degraded.shape == clip.shape
            assert np.isfinite(degraded).all()


@each
def test_damage_is_refused_with_its_row(name, music):
    for value, word in ((np.nan, "NaN"), (np.inf, "infinity")):
        damaged = music[:9600].reshape(2, 4800).copy()
        damaged[1, 17] = value
        for X in (damaged, list(damaged)):
            with pytest.raises(ValueError, match=f"{word}.*1|1.*{word}"):
                make(name).transform(X)


@each
def test_pulses_and_constants_are_defined(name):
    pulse = np.zeros(4800)
    pulse[2400] = 1.0
    for clip in (pulse, np.full(4800, 0.25), np.resize([0.5, -0.5], 4800)):
        for severity in (0.0, 1.0):
            (degraded,) = make(name, severity=severity).transform([clip])
            assert np.isfinite(degraded).all()
            assert np.abs(degraded).max() < 20
