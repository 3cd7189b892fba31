"""The linear spectrogram: librosa's values in every unit, and the exact way back."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from skperceptual.spectrograms import Spectrogram


@pytest.fixture
def signals(rng):
    return 0.2 * rng.standard_normal((3, 5000))


@pytest.mark.parametrize("center", [True, False])
def test_outputs_are_those_of_librosa(center, signals):
    coefficients = librosa.stft(signals, n_fft=512, win_length=480, hop_length=160, center=center)
    magnitude = np.abs(coefficients)
    expected = {
        "complex": coefficients,
        "magnitude": magnitude,
        "power": magnitude**2,
        "log": np.log(magnitude + 1e-3),
        "db": [librosa.amplitude_to_db(image, ref=1.0) for image in magnitude],
    }
    for output, reference in expected.items():
        front_end = Spectrogram(win_length=480, center=center, output=output)
        np.testing.assert_allclose(
            front_end.fit_transform(signals), reference, rtol=1e-9, atol=1e-10, err_msg=output
        )


@pytest.mark.parametrize(
    "frames",
    [
        {},
        {"win_length": 480},
        {"center": False},
        {"n_fft": 257, "win_length": 256, "hop_length": 64},
        {"window": "hamming", "hop_length": 200, "pad_mode": "reflect"},
    ],
)
def test_complex_coefficients_are_inverted_exactly(frames, signals):
    front_end = Spectrogram(output="complex", **frames)
    inverse = front_end.inverse_transform(front_end.fit_transform(signals))
    n_times = inverse.shape[-1]
    assert signals.shape[-1] - n_times < front_end.hop_length
    covered = slice(None) if front_end.center else slice(8, n_times - 8)
    np.testing.assert_allclose(
        inverse[:, covered], signals[:, :n_times][:, covered], rtol=0, atol=1e-10
    )


def test_magnitude_and_phase_are_the_coefficients(signals):
    pairs = np.stack([signals, 0.5 * signals], axis=1)
    coefficients = Spectrogram(output="complex").fit_transform(pairs)
    exact = Spectrogram(output="complex").inverse_transform(coefficients)
    for output in ("magnitude", "power", "log"):
        front_end = Spectrogram(output=output)
        images = front_end.transform(pairs)
        for phase in (coefficients, np.angle(coefficients)):
            np.testing.assert_allclose(
                front_end.inverse_transform(images, phase=phase), exact, atol=1e-9
            )


def test_single_precision_comes_back_in_single_precision(signals):
    for output in ("complex", "magnitude"):
        front_end = Spectrogram(output=output, random_state=0)
        images = front_end.fit_transform(signals.astype(np.float32))
        assert front_end.inverse_transform(images).dtype == np.float32


def test_complex_lists_and_pairs_keep_their_structure(signals):
    front_end = Spectrogram(output="complex")
    clips = [signals[0], signals[1, :4000]]
    inverse = front_end.inverse_transform(front_end.transform(clips))
    assert isinstance(inverse, list)
    for clip, back in zip(clips, inverse, strict=True):
        np.testing.assert_allclose(back, clip[: len(back)], atol=1e-10)
    ((reference, degraded),) = front_end.inverse_transform(front_end.transform([tuple(clips)]))
    np.testing.assert_array_equal(reference, inverse[0])
    np.testing.assert_array_equal(degraded, inverse[1])


def test_real_numbers_are_no_coefficients(signals):
    front_end = Spectrogram(output="complex")
    coefficients = front_end.fit_transform(signals)
    with pytest.raises(ValueError, match="Expected complex coefficients"):
        front_end.inverse_transform(np.abs(coefficients))
    with pytest.raises(ValueError, match="leave phase=None"):
        front_end.inverse_transform(coefficients, phase=coefficients)
    broken = coefficients.copy()
    broken[1, 2, 3] = 1j * np.nan
    with pytest.raises(ValueError, match="contains NaN: image 1"):
        front_end.inverse_transform(broken)
