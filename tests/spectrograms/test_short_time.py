"""What both front ends promise: shapes, batches, precision, scikit-learn's conventions."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skperceptual.spectrograms import MelSpectrogram, Spectrogram

MEL = {"n_fft": 256, "hop_length": 100, "n_mels": 20}
FRONT_ENDS = {
    "mel": MelSpectrogram(**MEL),
    "mel-db-centred": MelSpectrogram(**MEL, scale="db", center=True),
    "mel-power": MelSpectrogram(**MEL, scale=None, power=2.0),
    "log": Spectrogram(n_fft=256),
    "complex": Spectrogram(n_fft=256, output="complex", center=False),
}


@pytest.fixture(params=FRONT_ENDS)
def front_end(request):
    return clone(FRONT_ENDS[request.param])


def test_a_fitted_front_end_takes_clips_of_another_length(front_end, rng):
    front_end.fit(0.1 * rng.standard_normal((2, 1000)))
    assert front_end.n_features_in_ == 1000
    longer = 0.1 * rng.standard_normal((2, 1500))
    np.testing.assert_array_equal(front_end.transform(longer), clone(front_end).transform(longer))


def test_integers_are_refused(front_end):
    with pytest.raises(ValueError, match=r"floating-point signals.*int16.*X / 32768"):
        front_end.fit(np.ones((2, 1000), dtype=np.int16))


def test_a_clip_is_bitwise_the_same_in_any_company(front_end, rng):
    pairs = 0.1 * rng.standard_normal((3, 2, 1000))
    images = front_end.transform(pairs)
    np.testing.assert_array_equal(front_end.transform(pairs[::-1])[::-1], images)
    np.testing.assert_array_equal(front_end.transform(pairs[1:2])[0], images[1])
    np.testing.assert_array_equal(front_end.transform(pairs[:, 1]), images[:, 1])
    np.testing.assert_array_equal(front_end.transform(np.asfortranarray(pairs)), images)
    ragged = [pairs[0], pairs[1, :, :700], (pairs[2, 0], pairs[2, 1, :900])]
    from_list = front_end.transform(ragged)
    assert isinstance(from_list, list)
    np.testing.assert_array_equal(from_list[0], images[0])
    np.testing.assert_array_equal(from_list[1], front_end.transform(pairs[1:2, :, :700])[0])
    assert isinstance(from_list[2], tuple)
    np.testing.assert_array_equal(from_list[2][0], images[2, 0])
    np.testing.assert_array_equal(from_list[2][1], front_end.transform(pairs[2:, 1, :900])[0])


def test_single_precision_is_double_precision_rounded_once(front_end, rng):
    signals = (0.1 * rng.standard_normal((2, 1000))).astype(np.float32)
    single = front_end.transform(signals)
    double = front_end.transform(signals.astype(np.float64))
    assert (single.dtype, double.dtype) in (
        (np.float32, np.float64),
        (np.complex64, np.complex128),
    )
    np.testing.assert_array_equal(single, double.astype(single.dtype))


def test_read_only_and_reversed_clips_are_taken(front_end, rng):
    signals = 0.1 * rng.standard_normal((2, 1000))
    backwards = signals[:, ::-1]
    np.testing.assert_array_equal(
        front_end.transform(backwards), front_end.transform(backwards.copy())
    )
    signals.flags.writeable = False
    assert np.isfinite(front_end.transform(signals)).all()


def test_silence_is_finite(front_end):
    assert np.isfinite(front_end.transform(np.zeros((1, 1000)))).all()


def test_a_pickled_front_end_gives_the_same_images(front_end, rng):
    signals = 0.1 * rng.standard_normal((2, 1000))
    restored = pickle.loads(pickle.dumps(front_end.fit(signals)))
    np.testing.assert_array_equal(restored.transform(signals), front_end.transform(signals))


def test_axes_say_where_rows_and_columns_stand(front_end):
    """A sine and a click show up where the accessors say."""
    sine = 0.5 * np.sin(2 * np.pi * 2000 * np.arange(4000) / 16000)
    click = np.zeros(4000)
    click[2345] = 1.0
    of_sine, of_click = front_end.transform(np.stack([sine, click]))
    if np.iscomplexobj(of_sine):
        of_sine, of_click = np.abs(of_sine), np.abs(of_click)
    frequencies = front_end.band_frequencies()
    times = front_end.frame_times(of_click.shape[1])
    assert len(frequencies) == len(of_sine)
    row, column = of_sine[:, 3:-3].mean(axis=1).argmax(), of_click.mean(axis=0).argmax()
    assert abs(frequencies[row] - 2000) <= np.diff(frequencies).max()
    assert abs(times[column] - 2345 / 16000) <= front_end.hop_length / 16000


def test_clips_shorter_than_a_frame_need_centring(rng):
    short = 0.1 * rng.standard_normal((2, 255))
    for front_end in (MelSpectrogram(**MEL), Spectrogram(n_fft=256, center=False)):
        with pytest.raises(ValueError, match="255 samples, but this step needs at least 256"):
            front_end.fit(short)
        with pytest.raises(ValueError, match="Clip 1 has 255 samples"):
            front_end.transform([np.zeros(256), short[0]])
        assert clone(front_end).set_params(center=True).fit_transform(short).shape[0] == 2


@pytest.mark.parametrize(
    ("n_times", "center", "n_frames"),
    [
        (256, False, 1),
        (355, False, 1),
        (356, False, 2),
        (1, True, 1),
        (99, True, 1),
        (100, True, 2),
    ],
)
def test_number_of_frames(n_times, center, n_frames, rng):
    signals = 0.1 * rng.standard_normal((1, n_times))
    assert MelSpectrogram(**MEL, center=center).transform(signals).shape == (1, 20, n_frames)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_fft": 1}, "'n_fft' parameter"),
        ({"hop_length": 0}, "'hop_length' parameter"),
        ({"pad_mode": "wrap"}, "'pad_mode' parameter"),
        ({"window": 3.0}, "'window' parameter"),
        ({"window": "no such window"}, "not a window that scipy"),
        ({"win_length": 257}, "win_length=257 is longer than the frame, n_fft=256"),
        ({"device": "warp"}, "device='warp'"),
    ],
)
@pytest.mark.parametrize("name", ["mel", "log"])
def test_bad_parameters_are_refused(name, parameters, message, rng):
    front_end = clone(FRONT_ENDS[name]).set_params(**parameters)
    with pytest.raises(ValueError, match=message):
        front_end.fit_transform(0.1 * rng.standard_normal((2, 1000)))
