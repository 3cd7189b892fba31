"""Codes in bytes and back, and what they cost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import entropy

from skperceptual.autoencoder.codes import (
    channel_entropy,
    check_codes,
    n_packed_bytes,
    pack_codes,
    ratios,
    unpack_codes,
)


@given(st.integers(2, 127), st.integers(1, 40), st.integers(1, 3), st.randoms())
def test_packed_codes_come_back(n_centers, n_codes, n, random):
    codes = np.array(
        [[random.randrange(n_centers) for _ in range(n_codes)] for _ in range(n)], dtype=np.int8
    )
    packed = pack_codes(codes, n_centers)
    assert packed.dtype == np.uint8
    assert packed.shape == (n, n_packed_bytes(n_codes, n_centers))
    unpacked = unpack_codes(packed, n_codes, n_centers)
    np.testing.assert_array_equal(unpacked, codes, strict=True)
    np.testing.assert_array_equal(check_codes(packed, n_codes, n_centers, packed=True), codes)


def test_two_centers_take_one_bit():
    assert n_packed_bytes(32768, 2) == 4096
    assert n_packed_bytes(32768, 3) == n_packed_bytes(32768, 4) == 8192


@given(st.integers(2, 5), st.integers(1, 4))
def test_entropy_is_that_of_each_channel(n_centers, n):
    codes = np.random.default_rng(n).integers(n_centers, size=(n, 3, 4, 5)).astype(np.int8)
    expected = sum(
        20 * entropy(np.bincount(codes[:, channel].ravel(), minlength=n_centers), base=2)
        for channel in range(3)
    )
    found = channel_entropy(codes, n_centers)
    assert found == pytest.approx(expected)
    assert found <= 60 * np.log2(n_centers) + 1e-9


def test_codes_that_never_change_cost_nothing():
    assert channel_entropy(np.ones((2, 3, 4, 4), dtype=np.int8), 2) == 0


def test_ratios_of_the_paper():
    found = ratios(32768, 40000, 256 * 256, 4.208)
    assert found["bits a pixel, packed"] == 40000 / 65536
    assert found["bits a pixel"] == 0.5
    assert found["images, 24 bit a pixel"] == 48
    assert found["images, 8 bit a pixel"] == 16
    assert found["bits a second"] == pytest.approx(7787, abs=0.5)
    assert found["16 kHz mono, 16 bit"] == pytest.approx(32.9, abs=0.05)
    assert found["16 kHz mono, 24 bit"] == pytest.approx(49.3, abs=0.05)
    assert found["48 kHz stereo, 24 bit"] == pytest.approx(296, abs=0.5)
    assert set(ratios(1, 1, 1, None)) == {
        "bits a pixel",
        "bits a pixel, packed",
        "images, 8 bit a pixel",
        "images, 24 bit a pixel",
    }


@pytest.mark.parametrize(
    ("codes", "match"),
    [
        (np.zeros((2, 9)), r"shape \(n_images, 10\).* got an array of shape \(2, 9\)"),
        (np.zeros(10), r"shape \(10,\)"),
        (np.full((2, 10), 3), "whole numbers from 0 to 2"),
        (np.full((2, 10), -1), "whole numbers from 0 to 2"),
        (np.full((2, 10), 0.5), "whole numbers from 0 to 2"),
        (np.full((2, 10), np.nan), "whole numbers from 0 to 2"),
        (np.zeros((0, 10)), "got float64 without any"),
        (np.full((2, 10), "0"), "that are numbers, as transform gives them, got an array of <U1"),
        (np.full((2, 10), 0j), "got an array of complex128"),
        (np.full((2, 10), None), "got an array of object"),
    ],
)
def test_what_are_no_codes(codes, match):
    with pytest.raises(ValueError, match=match):
        check_codes(codes, 10, 3, packed=False)


def test_whole_numbers_of_any_type_are_codes():
    for dtype in (np.int8, np.int64, np.float32, bool):
        codes = check_codes(np.ones((2, 10), dtype=dtype), 10, 3, packed=False)
        assert codes.dtype == np.int8
