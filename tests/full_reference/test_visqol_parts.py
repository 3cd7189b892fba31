"""The parts of ViSQOL by themselves: delays, patches, speech, files of support vectors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from skperceptual.full_reference.visqol import alignment
from skperceptual.full_reference.visqol.alignment import envelope, find_lag, shift
from skperceptual.full_reference.visqol.patches import (
    audio_patches,
    follow_speech,
    minimum_frames,
    speech_patches,
)
from skperceptual.full_reference.visqol.ratings import exponential
from skperceptual.full_reference.visqol.support_vectors import read_libsvm

CASES = json.loads((Path(__file__).parents[1] / "data" / "visqol.json").read_text())
ASSERTED = CASES["other_assertions"]


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 2**32 - 1),
    st.sampled_from([2**24, 0]),
)
def test_lag_is_that_of_the_plain_correlation(n_reference, n_degraded, seed, longest):
    rng = np.random.default_rng(seed)
    reference, degraded = rng.standard_normal(n_reference), rng.standard_normal(n_degraded)
    full = np.correlate(
        envelope(reference, np.float64), envelope(degraded, np.float64), mode="full"
    )
    lag = int(np.argmax(full)) - (n_degraded - 1)
    expected = lag if full.max() > 0 and abs(lag) <= n_reference / 2 else 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alignment, "_LONGEST_IN_DOUBLE", longest)
        assert find_lag(reference, degraded) == expected


@pytest.mark.parametrize("lag", [-400, -1, 0, 1, 37])
def test_a_shift_undoes_the_lag_that_was_found(lag, rng):
    clip = rng.standard_normal(2000)
    moved = np.concatenate([np.zeros(-lag), clip]) if lag < 0 else clip[lag:]
    assert find_lag(clip, moved) == lag
    aligned = shift(moved, lag)
    np.testing.assert_array_equal(aligned[max(lag, 0) :], clip[max(lag, 0) : len(aligned)])


def test_silence_has_no_lag():
    assert find_lag(np.ones(100), np.zeros(80)) == 0


def test_envelope_keeps_float32_input_exact():
    clip = np.array([1.0, -3.0, 2.0], dtype=np.float32)
    np.testing.assert_allclose(envelope(clip, np.float64), [2.0, 6.0, 4.0])
    assert envelope(clip, np.float32).dtype == np.float32


def test_patches_of_audio():
    assert audio_patches(45).tolist() == [14]
    assert audio_patches(74).tolist() == [14]
    assert audio_patches(76).tolist() == [14, 44]
    n_frames = 619
    starts = audio_patches(n_frames)
    assert (np.diff(starts) == 30).all()
    assert starts[-1] + 30 <= n_frames
    assert minimum_frames("audio") == 45


def test_patches_of_speech(shared):
    import soundfile

    clip, _ = soundfile.read(shared / "data" / "visqol" / "CA01_01.flac")
    n_frames = 1 + (len(clip) - 3840) // 960
    found = speech_patches(clip, n_frames, 960)
    assert found.tolist() == ASSERTED["vad"]["expected_patch_starts"]


def test_quiet_patches_are_left_out():
    rng = np.random.default_rng(0)
    clip = 0.5 * np.sign(rng.standard_normal(30000))
    clip[9 + 1 * 2000 : 9 + 4 * 2000] *= 0.01
    found = speech_patches(clip, 9 + 20 * 10, 100)
    # The chunks right after the first patch still count as speech, those of the next two do not.
    assert found.tolist() == [9, 29, *range(89, 209, 20)]
    assert minimum_frames("speech") == 29


def test_speech_is_followed_for_two_chunks():
    case = ASSERTED["rms_vad"]
    for letter in "ab":
        is_loud = np.array(case[f"signal_{letter}"], dtype=bool)
        assert follow_speech(is_loud).astype(int).tolist() == case[f"vad_{letter}"]


def test_exponential():
    assert exponential(1.0) == pytest.approx(4.015861169223797, abs=1e-12)


# Files


HEADER = "svm_type nu_svr\nkernel_type rbf\ngamma 0.5\nnr_class 2\ntotal_sv 2\nrho -1.5\nSV\n"


def written(tmp_path, text):
    path = tmp_path / "model.txt"
    path.write_text(text)
    return path


def test_file_is_read(tmp_path):
    path = written(tmp_path, HEADER + "1 1:0.5 3:1\n-2.5 2:1e-1 \n\n")
    model = read_libsvm(path, n_features=3)
    features = np.array([0.5, 0.0, 1.0])
    expected = 1 * 1 - 2.5 * np.exp(-0.5 * (0.25 + 0.01 + 1)) + 1.5
    assert model.rate(features) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("change", "line", "expected"),
    [
        (("nu_svr", "c_svc"), 1, "svm_type is nu_svr or epsilon_svr"),
        (("rbf", "linear"), 2, "kernel_type is rbf"),
        (("gamma 0.5", "gamma nan"), 3, "gamma is a finite number"),
        (("gamma 0.5", "gamma -1"), 3, "gamma is positive"),
        (("nr_class 2", "nr_class 3"), 4, "nr_class is 2"),
        (("total_sv 2", "total_sv 3"), 9, "3 support vectors follow, but there are 2"),
        (("total_sv 2", "total_sv 1"), 9, "there are 1 support vectors"),
        (("total_sv 2", "total_sv 100001"), 5, "total_sv is from 1 to 100000"),
        (("total_sv 2", "total_sv 2.5"), 5, "total_sv is a whole number"),
        (("rho -1.5", "rho x"), 6, "rho is a finite number"),
        (("rho -1.5", "rho 1e10"), 6, "rho is a finite number, at most 1e"),
        (("rho -1.5", "rho 1_0"), 6, "rho is a finite number"),
        (("rho -1.5\n", ""), 6, "the header has rho"),
        (("rho -1.5", "gamma 1"), 6, "comes once"),
        (("SV\n", ""), 7, "comes once, then SV"),
        (("1:0.5", "1:inf"), 8, "a value is a finite number"),
        (("1:0.5", "1:0.5:3"), 8, "a value is a finite number"),
        (("1:0.5", "one:0.5"), 8, "entries are index:value"),
        (("1:0.5", "-1:0.5"), 8, "entries are index:value"),
        (("1:0.5", "99999999999:0.5"), 8, "entries are index:value"),
        (("3:1", "4:1"), 8, "indices go up to 3"),
        (("3:1", "1:1"), 8, "indices rise"),
        (("-2.5", "a"), 9, "a coefficient is a finite number"),
    ],
)
def test_every_line_is_checked(tmp_path, change, line, expected):
    text = (HEADER + "1 1:0.5 3:1\n-2.5 2:0.1\n").replace(*change)
    with pytest.raises(ValueError, match=rf"line {line}: expected that .*{expected}"):
        read_libsvm(written(tmp_path, text), n_features=3)


def test_index_zero_is_read_as_it_stands_and_reported(tmp_path):
    path = written(tmp_path, HEADER + "1 0:2 1:0.5\n1 1:1\n")
    with pytest.warns(UserWarning, match="begins with the index 0"):
        model = read_libsvm(path, n_features=2)
    expected = np.exp(-0.5 * (4 + 0.25)) + 1 + 1.5
    assert model.rate(np.array([1.0, 0.0])) == pytest.approx(expected, rel=1e-14)


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(b"svm_type \xff\x00")
    with pytest.raises(ValueError, match="no ASCII"):
        read_libsvm(path, n_features=2)
    with path.open("wb") as file:
        file.truncate(2**25 + 1)
    with pytest.raises(ValueError, match="too many for a model"):
        read_libsvm(path, n_features=2)
    with pytest.raises(ValueError, match="line 0: expected that the header ends"):
        read_libsvm(written(tmp_path, ""), n_features=2)
