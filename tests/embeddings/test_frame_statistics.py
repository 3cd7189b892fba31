"""Statistics of frames: merged, streamed, saved; files that are none."""

from __future__ import annotations

import io
import pickle
import zipfile
from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given, strategies as st

import skperceptual.embeddings.frame_statistics as streaming
from skperceptual.embeddings import FrameStatistics


def assert_those_of(statistics, frames, rtol=1e-11):
    assert statistics.n_frames == len(frames)
    scale = np.abs(frames).max()
    np.testing.assert_allclose(statistics.mean, frames.mean(axis=0), rtol=rtol, atol=1e-12 * scale)
    expected = np.cov(frames.T, ddof=1).reshape(frames.shape[1], -1)
    np.testing.assert_allclose(
        statistics.covariance, expected, rtol=rtol, atol=rtol * np.abs(expected).max()
    )


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=6),
    st.integers(1, 12),
    st.integers(0, 10**6),
    st.sampled_from([0.0, 1e3]),
)
def test_parts_merged_in_any_order_are_the_whole(sizes, dim, seed, offset):
    rng = np.random.default_rng(seed)
    parts = [offset + rng.normal(size=(n, dim)) for n in sizes]
    frames = np.concatenate(parts)
    statistics = [FrameStatistics.from_frames(part) for part in parts]
    order = rng.permutation(len(parts))
    for merged in (sum(statistics), reduce(add, [statistics[k] for k in order])):
        if len(frames) > 1:
            assert_those_of(merged, frames, rtol=1e-9)
        assert merged.scatter_root.shape[0] <= max(dim, 2 * len(frames))


def test_a_stream_of_blocks_is_the_whole(rng, monkeypatch):
    monkeypatch.setattr(streaming, "_BLOCK_FRAMES", 64)
    frames = rng.normal(2, 3, size=(1000, 10))
    stream = (frames[start : start + 7] for start in range(0, 1000, 7))
    assert_those_of(FrameStatistics.from_frames(stream), frames)


def test_a_large_mean_costs_no_digits(rng):
    # Sums of squares would leave nothing of a variance of 1 beside a mean of 1e8.
    frames = 1e8 + rng.normal(size=(500, 4))
    merged = sum(FrameStatistics.from_frames(part) for part in np.array_split(frames, 9))
    np.testing.assert_allclose(merged.covariance, np.cov(frames.T), rtol=1e-6, atol=1e-6)


def test_moments_of_others_are_taken_over(rng):
    frames = rng.normal(size=(100, 6)) @ rng.normal(size=(6, 6))
    taken = FrameStatistics.from_moments(frames.mean(axis=0), np.cov(frames.T), 100)
    assert_those_of(taken, frames)
    assert_those_of(taken + FrameStatistics.from_frames(frames), np.concatenate([frames] * 2))


def test_parts_come_back_from_workers(rng):
    frames = rng.normal(size=(60, 3))
    sent = [
        pickle.dumps(FrameStatistics.from_frames(part, embedding="mine"))
        for part in np.array_split(frames, 4)
    ]
    merged = sum(pickle.loads(part) for part in sent)
    assert_those_of(merged, frames)
    assert merged.embedding == "mine"


def test_files_give_back_every_bit(rng, tmp_path):
    frames = rng.normal(size=(40, 5))
    path = tmp_path / "reference.npz"
    statistics = FrameStatistics.from_frames(frames, embedding="VGGish(activation='pre')")
    statistics.save(path)
    loaded = FrameStatistics.load(str(path))
    assert (loaded.n_frames, loaded.embedding) == (40, "VGGish(activation='pre')")
    np.testing.assert_array_equal(loaded.mean, statistics.mean)
    np.testing.assert_array_equal(loaded.scatter_root, statistics.scatter_root)


GOOD = {"n_frames": np.int64(4), "mean": np.zeros(3), "scatter_root": np.zeros((3, 3))}


class Executed:
    def __reduce__(self):
        return (pytest.fail, ("the pickle was executed",))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mean": None}, "mean"),
        ({"embedding": np.array(Executed(), dtype=object)}, "type object"),
        ({"mean": np.array([Executed()] * 3, dtype=object)}, "type object"),
        ({"mean": np.zeros(3, np.complex128)}, "complex"),
        ({"mean": np.zeros((3, 1))}, r"shape \(3, 1\)"),
        ({"mean": np.zeros(2**16 + 1)}, "65537"),
        ({"embedding": np.str_("a" * 2000)}, "U2000"),
        ({"n_frames": np.int64(0)}, "one frame or more"),
        ({"scatter_root": np.zeros((3, 4))}, r"\(any, 3\), got \(3, 4\)"),
        ({"mean": np.full(3, np.nan)}, "NaN"),
    ],
)
def test_files_of_something_else_are_refused_and_nothing_is_executed(changed, message, tmp_path):
    arrays = {**GOOD, "embedding": np.str_("mine"), **changed}
    path = tmp_path / "odd.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(ValueError, match=message):
        FrameStatistics.load(path)


def test_damaged_files_are_refused(tmp_path, rng):
    path = tmp_path / "odd.npz"
    FrameStatistics.from_frames(rng.normal(size=(9, 3))).save(path)
    whole = path.read_bytes()
    for content in (b"", b"no archive", whole[: len(whole) // 2], whole[:80] + b"x" + whole[81:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"odd\.npz holds no statistics of frames"):
            FrameStatistics.load(path)
    with pytest.raises(FileNotFoundError):
        FrameStatistics.load(tmp_path / "nowhere.npz")


def test_a_header_that_asks_for_more_than_there_is_allocates_nothing(tmp_path):
    path = tmp_path / "odd.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in {**GOOD, "embedding": np.str_("")}.items():
            buffer = io.BytesIO()
            np.save(buffer, array)
            content = buffer.getvalue()
            if name == "scatter_root":
                content = content.replace(b"(3, 3)", b"(60000, 60000)")
                content = content.replace(b" " * 9 + b"\n", b" \n", 1)
            archive.writestr(f"{name}.npy", content)
    with pytest.raises(ValueError, match=r"shape \(60000, 60000\)"):
        FrameStatistics.load(path)


def test_statistics_of_different_embeddings_are_not_merged():
    frames = np.eye(3)
    one = FrameStatistics.from_frames(frames, embedding="VGGish()")
    with pytest.raises(ValueError, match=r"different embeddings, VGGish\(\) and OpenL3\(\)"):
        one + FrameStatistics.from_frames(frames, embedding="OpenL3()")
    with pytest.raises(ValueError, match="vectors of 3 and of 2 numbers"):
        one + FrameStatistics.from_frames(frames[:, :2])
    assert (one + FrameStatistics.from_frames(frames)).embedding == "VGGish()"
    assert (FrameStatistics.from_frames(frames) + one).embedding == "VGGish()"
    with pytest.raises(TypeError):
        one + 1


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], r"0 frame\(s\)"),
        (np.zeros(3), r"\(n_frames, dim\), got \(3,\)"),
        (np.zeros((0, 3)), r"got \(0, 3\)"),
        (np.full((2, 3), np.inf), "NaN or infinity"),
        ([np.zeros((4, 3)), np.zeros((3, 4))], "3 and 4 numbers. Frames come first"),
    ],
)
def test_wrong_frames_are_refused(frames, message):
    with pytest.raises(ValueError, match=message):
        FrameStatistics.from_frames(frames)


def test_one_frame_has_a_mean_and_no_covariance():
    one = FrameStatistics.from_frames(np.ones((1, 3)))
    with pytest.raises(ValueError, match="at least two frames"):
        _ = one.covariance
    np.testing.assert_allclose((one + one).covariance, np.zeros((3, 3)))
    with pytest.raises(ValueError, match="at least two frames, got n_frames=1"):
        FrameStatistics.from_moments(np.zeros(3), np.eye(3), 1)


def compressed(path, arrays):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, array)
            archive.writestr(f"{name}.npy", buffer.getvalue())


def test_a_file_that_unpacks_to_more_than_it_has_is_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "odd.npz"
    arrays = {**GOOD, "embedding": np.str_("")}
    compressed(path, {**arrays, "scatter_root": np.zeros((2**16, 3)), "n_frames": np.int64(2**16)})
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("something was read"))
    with pytest.raises(ValueError, match=r"odd\.npz holds no statistics.*compressed"):
        FrameStatistics.load(path)


def test_more_rows_than_frames_and_dimensions_are_refused(tmp_path):
    path = tmp_path / "odd.npz"
    for n_frames, n_rows in ((4, 4), (2, 3)):
        np.savez(
            path,
            **{**GOOD, "n_frames": np.int64(n_frames), "scatter_root": np.zeros((n_rows, 3))},
            embedding=np.str_(""),
        )
        assert FrameStatistics.load(path).n_frames == n_frames
    np.savez(path, **{**GOOD, "scatter_root": np.zeros((5, 3))}, embedding=np.str_(""))
    with pytest.raises(ValueError, match="5 rows, more than there are frames or dimensions"):
        FrameStatistics.load(path)


def header(text):
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (((((\n"),  # TokenError
        header(b"{'descr': " + b"-" * 3000 + b"1\n"),  # RecursionError, MemoryError
        header(b"{'descr': " + b"(" * 1500 + b"\n"),
    ],
    ids=["tokens", "signs", "brackets"],
)
def test_damaged_headers_are_refused_as_damaged(tmp_path, content):
    path = tmp_path / "odd.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("n_frames.npy", content)
    with pytest.raises(ValueError, match=r"odd\.npz holds no statistics of frames"):
        FrameStatistics.load(path)


def test_encrypted_members_are_refused_as_damaged(tmp_path, rng):
    path = tmp_path / "odd.npz"
    FrameStatistics.from_frames(rng.normal(size=(9, 3))).save(path)
    content = bytearray(path.read_bytes())
    content[content.find(b"PK\x01\x02") + 8] |= 1  # the flag says that it is encrypted
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"odd\.npz holds no statistics of frames"):
        FrameStatistics.load(path)
