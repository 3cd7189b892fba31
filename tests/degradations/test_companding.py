"""μ-law, A-law and ADPCM against libsndfile's files, and against their definitions."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skperceptual.degradations import ADPCM, ALaw, MuLaw


def through_wav(clip, subtype, sr=8000):
    file = io.BytesIO()
    soundfile.write(file, clip, sr, subtype, format="WAV")
    file.seek(0)
    return soundfile.read(file)[0][: len(clip)]


def snr_db(clip, degraded):
    return 10 * np.log10(np.sum(np.square(clip)) / np.sum(np.square(degraded - clip)))


# --- Laws -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cls", "subtype"), [(MuLaw, "ULAW"), (ALaw, "ALAW")])
def test_8_bits_have_the_error_of_g711(cls, subtype, music):
    clip = 10 ** (-3 / 20) * music / np.abs(music).max()
    ours = snr_db(clip, cls(n_bits=8).transform([clip])[0])
    assert ours == pytest.approx(snr_db(clip, through_wav(clip, subtype)), abs=1.5)
    assert ours == pytest.approx(37.4, abs=1.5)


@pytest.mark.parametrize(("cls", "subtype"), [(MuLaw, "ULAW"), (ALaw, "ALAW")])
def test_8_bits_follow_the_law_of_g711(cls, subtype):
    clip = np.linspace(-0.95, 0.95, 2001)
    ours = cls(n_bits=8).transform([clip])[0]
    # both are within half a step, which grows with the magnitude, of the input
    step = 0.05 * np.abs(clip) + 0.003
    assert (np.abs(ours - through_wav(clip, subtype)) < step).all()


@given(
    n_bits=st.sampled_from([2, 3, 4.5, 8, 12.0]),
    x=st.floats(-2, 2, allow_subnormal=False),
    law=st.sampled_from("MuA"),
)
def test_laws_are_odd_bounded_and_idempotent(n_bits, x, law):
    step = {"M": MuLaw, "u": MuLaw, "A": ALaw}[law](n_bits=n_bits)
    once = step.transform(np.array([[x, -x]]))
    assert once[0, 0] == -once[0, 1]
    assert np.abs(once).max() <= 1
    assert_allclose(step.transform(once), once, atol=1e-12)


def test_laws_by_their_definition(rng):
    x = rng.uniform(-1, 1, size=400)
    code = np.rint(127 * np.log(1 + 255 * np.abs(x)) / np.log(256)) / 127
    expected = np.sign(x) * (256**code - 1) / 255
    assert_allclose(MuLaw(n_bits=8).transform([x])[0], expected, rtol=1e-12)

    bend = 1 + np.log(87.6)
    scaled = 87.6 * np.abs(x)
    law = np.where(scaled < 1, scaled, 1 + np.log(np.maximum(scaled, 1))) / bend
    back = bend * np.rint(127 * law) / 127
    expected = np.sign(x) * np.where(back < 1, back, np.exp(back - 1)) / 87.6
    assert_allclose(ALaw(n_bits=8).transform([x])[0], expected, rtol=1e-12)


@pytest.mark.parametrize("cls", [MuLaw, ALaw])
def test_number_of_levels(cls):
    x = np.linspace(-1, 1, 20001)[np.newaxis]
    for n_bits, n_levels in ((2, 3), (3, 7), (8, 255), (7.5, 2 * 90 + 1)):
        assert len(np.unique(np.abs(cls(n_bits=n_bits).transform(x)))) == (n_levels + 1) // 2
    ends = cls(n_bits=2).transform(np.array([[0.0, 1.0, -1.0, 7.0]]))
    assert_allclose(ends, [[0, 1, -1, 1]], atol=1e-15)


# --- ADPCM ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("gain", [0.01, 0.5, 1.0])
def test_4_bits_are_those_of_wav_files_to_the_last_bit(gain, rng, music):
    # the first block of a WAV file at 8 kHz holds 505 samples
    for clip in (gain * rng.uniform(-1, 1, size=500), gain * music[5000:5500]):
        samples = np.rint(clip * 32767)
        ours = ADPCM(n_bits=4).transform([samples / 32767])[0] * 32767
        theirs = through_wav(samples / 32767, "IMA_ADPCM") * 32768
        assert_array_equal(np.rint(ours), np.rint(theirs))


def test_4_bits_have_the_error_of_wav_files(music):
    for clip in (music, music[::3].copy()):
        ours = snr_db(clip, ADPCM(n_bits=4).transform([clip])[0])
        assert ours == pytest.approx(snr_db(clip, through_wav(clip, "IMA_ADPCM", 48000)), abs=0.5)


def test_bits_between_whole_ones_are_mixed(music):
    ratios = [snr_db(music, ADPCM(n_bits=b).transform([music])[0]) for b in np.arange(2, 5.1, 0.25)]
    assert (np.diff(ratios) > 0).all()


def test_adpcm_begins_with_its_first_sample_and_clips():
    x = np.array([[0.7, 0.7, 0.7], [-5.0, -5.0, -5.0]])
    found = ADPCM(severity=1.0).transform(x)
    assert_allclose(found[:, 0], [np.rint(0.7 * 32767) / 32767, -1])
    assert np.abs(found).max() <= 32768 / 32767
    # between two differences of 0, its code has none for it
    assert np.abs(ADPCM().transform(np.zeros((1, 50)))).max() <= 1 / 32767


@pytest.mark.parametrize("cls", [MuLaw, ALaw, ADPCM])
def test_a_wrong_number_of_bits_is_refused(cls):
    for wrong in (1, 25, "8"):
        with pytest.raises(ValueError, match="'n_bits' parameter of"):
            cls(n_bits=wrong).transform(np.zeros((1, 5)))
