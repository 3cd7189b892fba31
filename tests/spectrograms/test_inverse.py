"""From images back to sound: the spectrogram comes back, in time with the original."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import soundfile

from skperceptual.spectrograms import MelSpectrogram, Spectrogram

FRONT_ENDS = {
    "mel": MelSpectrogram(random_state=0),
    "mel-centred": MelSpectrogram(center=True, random_state=0),
    "mel-power-db": MelSpectrogram(power=2.0, scale="db", random_state=0),
    "mel-htk": MelSpectrogram(n_fft=2048, win_length=1024, htk=True, norm=None, random_state=0),
    "log": Spectrogram(random_state=0),
    "magnitude-uncentred": Spectrogram(output="magnitude", center=False, random_state=0),
}


def clapping(n_times=32000):
    """Give bursts of noise, each with a sharp attack and a decay of 10 ms, every quarter second."""
    rng = np.random.default_rng(0)
    since_attack = np.maximum((np.arange(n_times) - 1600) % 4000, 0)
    return 0.2 * rng.standard_normal(n_times) * np.exp(-since_attack / 160)


def unscaled(front_end, signals):
    """Give the bands or magnitudes themselves."""
    name = "scale" if "scale" in front_end.get_params() else "output"
    value = None if name == "scale" else "magnitude"
    frames = front_end.get_params() | {name: value}
    return type(front_end)(**frames).transform(signals)


# Estimated phases move attacks by a fraction of a hop; a misaligned inverse by half a frame, 256
# samples or more.
MOST_DELAY = 32


def convergence(front_end, original, inverse):
    a, b = (unscaled(front_end, clip[np.newaxis])[0] for clip in (original, inverse))
    n_frames = min(a.shape[1], b.shape[1])
    return np.linalg.norm(a[:, :n_frames] - b[:, :n_frames]) / np.linalg.norm(a)


def delay(inverse, original, *, sr=16000):
    """Give the lag in samples at which the attacks of two clips coincide best."""
    n = min(len(inverse), len(original))
    smooth = np.hanning(sr // 400)
    a, b = (
        np.maximum(np.diff(np.convolve(np.abs(clip[:n]), smooth, mode="same")), 0)
        for clip in (inverse, original)
    )
    correlation = np.fft.irfft(np.fft.rfft(a, 2 * n) * np.fft.rfft(b, 2 * n).conj())
    lag = int(correlation.argmax())
    return lag if lag < n else lag - 2 * n


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_the_spectrogram_comes_back_in_time(name):
    front_end, original = FRONT_ENDS[name], clapping()
    (inverse,) = front_end.inverse_transform(front_end.fit_transform(original[np.newaxis]))
    assert len(original) - len(inverse) in range(front_end.hop_length)
    assert convergence(front_end, original, inverse) < 0.1
    assert abs(delay(inverse, original)) <= MOST_DELAY
    assert np.abs(inverse).max() < 1.5 * np.abs(original).max()


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_real_music_comes_back_in_time(name, shared):
    path = next((shared / "data" / "music").glob("*castanets.flac"))
    samples, sr = soundfile.read(path)
    original = librosa.resample(samples.mean(axis=1), orig_sr=sr, target_sr=16000)
    original *= 0.9 / np.abs(original).max()
    front_end = FRONT_ENDS[name]
    (inverse,) = front_end.inverse_transform(front_end.fit_transform(original[np.newaxis]))
    assert convergence(front_end, original, inverse) < 0.1
    assert abs(delay(inverse, original)) <= MOST_DELAY
    assert np.abs(inverse).max() < 1.5 * np.abs(original).max()


def test_the_ends_of_an_uncentred_clip_do_not_explode(rng):
    signals = 0.1 * rng.standard_normal((4, 16000))
    front_end = MelSpectrogram(random_state=0)
    inverse = front_end.inverse_transform(front_end.fit_transform(signals))
    ends = np.concatenate([inverse[:, :300], inverse[:, -300:]], axis=1)
    assert np.abs(ends).max() < 2 * np.abs(inverse[:, 1000:-1000]).max()
    assert np.abs(ends).std() > 0.2 * np.abs(inverse).std()


def test_the_true_phase_beats_an_estimated_one():
    original = clapping()[np.newaxis]
    front_end = MelSpectrogram(random_state=0)
    images = front_end.fit_transform(original)
    frames = {"n_fft": 1024, "hop_length": 260, "center": False}
    phase = Spectrogram(**frames, output="complex").transform(original)
    with_phase = front_end.inverse_transform(images, phase=phase)
    n_times = with_phase.shape[-1]
    error = np.linalg.norm(with_phase - original[:, :n_times]) / np.linalg.norm(original)
    assert error < 0.2
    estimated = front_end.inverse_transform(images)
    assert np.linalg.norm(estimated - original[:, :n_times]) > np.linalg.norm(original)


def test_a_seed_gives_the_same_sound_in_any_company():
    signals = np.stack([clapping(8000), clapping(8000)[::-1]])
    front_end = MelSpectrogram(n_mels=64, random_state=3)
    images = front_end.fit_transform(signals)
    state = np.random.get_state()[1].copy()  # noqa: NPY002 (to see it untouched)
    together = front_end.inverse_transform(images)
    np.testing.assert_array_equal(front_end.inverse_transform(images[1:])[0], together[1])
    np.testing.assert_array_equal(front_end.inverse_transform(list(images))[1], together[1])
    pairs = front_end.inverse_transform(images[np.newaxis])
    np.testing.assert_array_equal(pairs[0], together)
    unseeded = front_end.set_params(random_state=None).inverse_transform(images)
    assert not np.array_equal(unseeded, together)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    generator = np.random.RandomState(3)
    front_end.set_params(random_state=generator)
    first, second = front_end.inverse_transform(images), front_end.inverse_transform(images)
    np.testing.assert_array_equal(first, together)
    assert not np.array_equal(first, second)


def test_pairs_of_unequal_length_stay_pairs():
    clips = (clapping(8000), clapping(6000))
    front_end = Spectrogram(random_state=0)
    images = front_end.transform([clips])
    ((reference, degraded),) = front_end.inverse_transform(images)
    assert (len(reference), len(degraded)) == (8000, 5920)
    phases = Spectrogram(output="complex").transform([clips])
    ((reference, degraded),) = front_end.inverse_transform(images, phase=phases)
    np.testing.assert_allclose(degraded, clips[1][:5920], atol=1e-9)


def test_silence_comes_back_silent():
    for front_end in (MelSpectrogram(random_state=0), Spectrogram(random_state=0)):
        images = front_end.fit_transform(np.zeros((1, 4000)))
        assert np.abs(front_end.inverse_transform(images)).max() < 1e-6


def test_wrong_images_and_phases_are_refused(rng):
    signals = 0.1 * rng.standard_normal((2, 4000))
    front_end = MelSpectrogram(n_mels=40)
    images = front_end.fit_transform(signals)
    with pytest.raises(ValueError, match="Expected images of 40 bands, but image 0 has 39"):
        front_end.inverse_transform(images[:, :39])
    with pytest.raises(ValueError, match="images of shape"):
        front_end.inverse_transform(images[0])
    phase = np.zeros((2, 513, images.shape[-1]))
    for wrong in (phase[:1], phase[:, :40], phase[..., :-1]):
        with pytest.raises(ValueError, match=r"\(513, 12\) for the first"):
            front_end.inverse_transform(images, phase=wrong)
    centred = Spectrogram()
    with pytest.raises(ValueError, match=r"Image 0 has 1 frame.*spans no sample"):
        centred.inverse_transform(centred.transform(signals[:, :100]))
