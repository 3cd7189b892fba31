"""What the validators accept, what they refuse, and what they say."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, strategies as st

from skperceptual import AlignPairs, LaplacianPyramid, MelSpectrogram, Vectorizer
from skperceptual.utils.validation import check_images, check_signals

FILE_TABLES = {
    "name": "a.wav",
    "path": Path("a.wav"),
    "names": ["a.wav", "b.wav"],
    "paths": [Path("a.wav"), Path("b.wav")],
    "tuples": [("a.wav", "b.wav")] * 3,
    "lists": [["a.wav", Path("b.wav")]] * 3,
    "unicode array": np.array([["a.wav", "b.wav"]]),
    "object array": np.array([np.nan, Path("b.wav")], dtype=object),
    "Series": pd.Series(["a.wav", "b.wav"]),
    "string Series": pd.Series(["a.wav", "b.wav"], dtype="string"),
    "DataFrame": pd.DataFrame({"reference": ["a.wav"], "degraded": ["b.wav"], "mos": [4.0]}),
    "string DataFrame": pd.DataFrame({"reference": ["a"], "degraded": ["b"]}, dtype="string"),
    "DataFrame of paths": pd.DataFrame({"file": [Path("a.wav")]}),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_good_arrays_pass_uncopied(dtype):
    for check, shape, pairs in (
        (check_signals, (3, 100), False),
        (check_signals, (3, 2, 100), True),
        (check_images, (3, 8, 9), False),
        (check_images, (3, 2, 8, 9), True),
    ):
        X = np.ones(shape, dtype=dtype)
        assert check(X, pairs=pairs) is X
        assert check(X, pairs=None) is X


def test_half_precision_becomes_single_and_longer_ones_double():
    assert check_signals(np.ones((2, 9), dtype=np.float16)).dtype == np.float32
    assert check_signals([[1.0, 2.0], [3.0, 4.0]]).dtype == np.float64
    assert check_signals(pd.DataFrame(np.ones((2, 9)))).shape == (2, 9)


@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_a_list_stays_a_list_whatever_its_lengths(lengths):
    signals = [np.zeros(length, dtype=np.float32) for length in lengths]
    checked = check_signals(signals)
    assert isinstance(checked, list)
    assert [clip.shape for clip in checked] == [(length,) for length in lengths]
    assert all(clip.dtype == np.float32 for clip in checked)


def test_pairs_of_unequal_length_are_tuples():
    pair = np.zeros(5), np.zeros(7)
    (checked,) = check_signals([pair], pairs=True)
    assert [part.shape for part in checked] == [(5,), (7,)]


@pytest.mark.parametrize(
    ("X", "pairs", "message"),
    [
        (np.zeros(100), False, r"X\[np.newaxis\]"),
        (np.zeros((3, 100)), True, r"np\.stack\(\[reference, degraded\], axis=1\)"),
        (np.zeros((3, 2, 100)), False, "Channels exist only in files"),
        (np.zeros((3, 100, 2)), True, r"X\.transpose\(0, 2, 1\)"),
        (np.zeros((2, 30, 100)), True, r"X\.transpose\(1, 0, 2\)"),
        (np.zeros((3, 6, 100)), None, "LoadAudio"),
        (np.zeros((3, 2, 4, 100)), None, "time on the last axis"),
        (np.zeros((0, 100)), False, "0 sample"),
        (np.zeros((3, 0)), False, "0 feature"),
        (np.zeros((3, 9)), False, "at least 10"),
        (np.zeros((3, 100), dtype=np.int16), False, "Divide by 32768"),
        (np.zeros((3, 100), dtype=bool), False, "bool"),
        (np.zeros((3, 100), dtype=np.int32), False, "Divide by 2147483648"),
        (np.zeros((3, 100), dtype=np.int64), False, "of your integers, 32768 for 16-bit audio, so"),
        (np.zeros((3, 100), dtype=np.uint8), False, "full scale of your integers"),
        (np.array(["a.wav", "b.wav"]), False, "LoadAudio"),
        ([np.zeros(100), np.zeros((2, 100))], None, "single signals and pairs"),
        ([np.zeros(100), np.zeros(0)], False, "clip 1 is empty"),
        ([np.zeros(100), np.zeros(100, dtype=np.int32)], False, "item 1.*int32"),
        ([(np.zeros(100),)], True, "tuple of 1"),
        ([(np.zeros(100), np.zeros((2, 100)))], True, "item 0"),
        ([np.zeros((3, 100))], True, r"item 0 of the list has shape \(3, 100\)"),
        ([np.array(["a"])], False, "expected a float signal"),
    ],
)
def test_wrong_signals_are_named_with_the_fix(X, pairs, message):
    with pytest.raises(ValueError, match=message):
        check_signals(X, pairs=pairs, min_samples=10)


@pytest.mark.parametrize(("value", "name"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_what_is_not_finite_is_located(value, name):
    X = np.zeros((4, 2, 50))
    X[2, 1, 7] = value
    message = rf"contains {name}: signal 2 has 1 values .* at index \(1, 7\)"
    with pytest.raises(ValueError, match=message):
        check_signals(X, pairs=True)
    with pytest.raises(ValueError, match=message):
        check_signals(list(X), pairs=True)
    images = np.zeros((4, 8, 8))
    images[3, 5, 6] = value
    with pytest.raises(ValueError, match=rf"contains {name}: image 3 .* at index \(5, 6\)"):
        check_images(images)


def test_a_sum_that_overflows_is_not_taken_for_infinity():
    big = np.full((1, 8, 8), 1e308)
    assert check_images(big) is big


@pytest.mark.parametrize("table", FILE_TABLES.values(), ids=FILE_TABLES)
def test_file_names_belong_to_load_audio(table):
    for pairs in (True, False, None):
        with pytest.raises(ValueError, match=r"got text or file names\. Put LoadAudio\(sr="):
            check_signals(table, pairs=pairs)
        with pytest.raises(ValueError, match=r"LoadAudio.* and a front end such as MelSpectrogram"):
            check_images(table, pairs=pairs)
    for step in (AlignPairs(), MelSpectrogram(sr=16000), LaplacianPyramid(), Vectorizer()):
        with pytest.raises(ValueError, match=r"Put LoadAudio\(sr="):
            step.fit(table)


def test_numbers_as_objects_and_in_tables_are_no_file_names():
    numbers = np.ones((2, 9))
    assert check_signals(numbers.astype(object)).dtype == np.float64
    assert check_signals(numbers.tolist()).shape == (2, 9)
    mixed = pd.DataFrame(numbers, columns=[*"abcdefgh", "levels"]).astype({"a": "float32"})
    assert check_signals(mixed).shape == (2, 9)
    assert check_signals(mixed.astype({"b": "Float64"})).shape == (2, 9)
    assert Vectorizer().fit_transform(mixed).shape == (2, 9)


@pytest.mark.parametrize("X", [torch.zeros(3, 2, 100), [torch.zeros(100)]])
def test_tensors_are_refused_by_name(X):
    for check in (check_signals, check_images, Vectorizer().fit):
        with pytest.raises(TypeError, match=r"X\.numpy\(\).*skperceptual\.functional"):
            check(X)


@pytest.mark.parametrize("lengths", [(5, 7), (6, 6)])
def test_a_list_of_two_clips_is_a_pair(lengths):
    clips = [np.arange(length, dtype=np.float32) for length in lengths]
    for X in ([clips, clips], (clips, tuple(clips)), [tuple(clips), clips]):
        checked = check_signals(X, pairs=True)
        assert isinstance(checked, list)
        assert all(isinstance(item, tuple) for item in checked)
        for item in checked:
            for part, clip in zip(item, clips, strict=True):
                np.testing.assert_array_equal(part, clip)
    with pytest.raises(ValueError, match="tuple of 2"):
        check_signals([clips], pairs=False)


def test_numbers_in_nested_lists_are_one_array():
    assert check_signals([[1.0, 2.0], [3.0, 4.0]]).shape == (2, 2)
    assert check_signals([[[1.0, 2.0], [3.0, 4.0]]], pairs=True).shape == (1, 2, 2)


@pytest.mark.parametrize("X", [[[1.0, 2.0], [3.0]], [[[1.0, 2.0], [3.0]]]])
def test_nested_lists_that_differ_in_length(X):
    for check in (check_signals, check_images):
        with pytest.raises(ValueError, match=r"a pair a tuple of two arrays, \(reference, degr"):
            check(X, pairs=None)


@pytest.mark.parametrize("X", [[], (), np.zeros(0), np.zeros((0, 2, 9))])
def test_no_samples_at_all(X):
    for check in (check_signals, check_images):
        with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
            check(X, pairs=None)


def test_a_pyramid_is_named_with_the_steps_that_read_it():
    pyramid = LaplacianPyramid(n_levels=2).fit_transform(np.ones((3, 16, 16)))
    for check in (check_signals, check_images):
        with pytest.raises(ValueError, match=r"got a Pyramid\. .*DivisiveNorm\(\), PyramidDist"):
            check(pyramid)


def test_complex_signals_are_refused():
    with pytest.raises(ValueError, match="Complex data not supported"):
        check_signals(np.zeros((2, 9), dtype=complex))


def test_sparse_signals_are_refused():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match="Sparse"):
        check_signals(sparse.csr_array(np.eye(4)))


@pytest.mark.parametrize(
    ("X", "pairs", "message"),
    [
        (np.zeros((3, 8, 9)), True, "pairs of images"),
        (np.zeros((3, 2, 8, 9)), False, "bands first"),
        (np.zeros((3, 4, 8, 9)), None, "second axis"),
        (np.zeros((3, 100)), False, "MelSpectrogram"),
        (np.zeros((3, 8, 0)), False, "image 0 is empty"),
        (np.zeros((3, 8, 3)), False, "at least 4"),
        (np.zeros((3, 8, 9), dtype=np.uint8), False, "uint8"),
        ([np.zeros((8, 9)), np.zeros((2, 8, 9))], None, "single images and pairs"),
        ([np.zeros((3, 8, 9))], None, "item 0"),
        ([(np.zeros((8, 9)), np.zeros((8, 7)))], True, "pair 0 differ in size"),
    ],
)
def test_wrong_images_are_named_with_the_fix(X, pairs, message):
    with pytest.raises(ValueError, match=message):
        check_images(X, pairs=pairs, min_side=4)


@pytest.mark.parametrize(
    ("check", "X"),
    [
        (check_signals, [np.zeros(9), np.zeros(9, dtype=np.float32)]),
        (check_images, [np.zeros((8, 9), dtype=np.float32), np.zeros((8, 9))]),
    ],
)
def test_one_type_in_a_list(check, X):
    with pytest.raises(ValueError, match="float32 and float64"):
        check(X)


def test_a_pair_of_two_types_takes_the_wider():
    ((reference, degraded),) = check_signals(
        [(np.zeros(9), np.zeros(9, dtype=np.float32))], pairs=True
    )
    assert reference.dtype == degraded.dtype == np.float64
