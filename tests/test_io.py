"""Files to signals and back: values against librosa, and every way in which files go wrong."""

from __future__ import annotations

import os
import pickle
import struct
import threading
import tracemalloc
import warnings
from collections import Counter
from inspect import signature
from pathlib import Path

import joblib
import librosa
import numpy as np
import pandas as pd
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from skperceptual import LoadAudio, Normalize, Vectorizer, load_audio, save_audio
from skperceptual.io import AudioFileError
from skperceptual.utils import audio_files

# What librosa, the reference, imports: audioread, and its own files in an old way.
pytestmark = [
    pytest.mark.filterwarnings("ignore:'(aifc|audioop|sunau)' is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:path is deprecated:DeprecationWarning"),
]

FORMATS = {
    ".wav": ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM"],
    ".flac": ["PCM_S8", "PCM_16", "PCM_24"],
    ".ogg": ["VORBIS"],
    ".mp3": ["MPEG_LAYER_III"],
    ".aiff": ["PCM_16"],
    ".w64": ["PCM_24"],
}
needs_mp3 = pytest.mark.skipif(
    "MP3" not in soundfile.available_formats(), reason="this libsndfile knows no MP3"
)
FORMAT_CASES = [
    pytest.param(suffix, subtype, marks=needs_mp3 if suffix == ".mp3" else ())
    for suffix, subtypes in FORMATS.items()
    for subtype in subtypes
]


def noise(n_times, n_channels=1, *, seed=0):
    signal = np.random.default_rng(seed).uniform(-0.5, 0.5, (n_times, n_channels))
    return signal[:, 0] if n_channels == 1 else signal


def write(path, signal, sr=16000, **options):
    soundfile.write(path, signal, sr, **options)
    return str(path)


def set_flac_length(path, n_samples):
    """Write another number of samples into the header of a FLAC file."""
    data = bytearray(Path(path).read_bytes())
    data[21] = (data[21] & 0xF0) | (n_samples >> 32)
    data[22:26] = struct.pack(">I", n_samples & 0xFFFFFFFF)
    Path(path).write_bytes(data)


def set_wav_length(path, n_bytes):
    data = bytearray(Path(path).read_bytes())
    place = data.index(b"data") + 4
    data[place : place + 4] = struct.pack("<I", n_bytes)
    Path(path).write_bytes(data)


@pytest.fixture
def pairs_table(tmp_path):
    """Twelve pairs over four references, with a rating that the level of the noise explains."""
    rows = []
    for song in range(4):
        clean = noise(1600, seed=song)
        reference = write(tmp_path / f"song{song}.wav", clean)
        for severity in range(3):
            degraded = clean + 0.1 * severity * noise(1600, seed=10 * song + severity)
            file = write(tmp_path / f"song{song}_{severity}.wav", degraded)
            rows.append((reference, file, 5.0 - severity, song))
    return pd.DataFrame(rows, columns=["reference", "degraded", "mos", "song"])


# --- values -------------------------------------------------------------------------------


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize(("suffix", "subtype"), FORMAT_CASES)
def test_formats_give_what_librosa_gives(tmp_path, suffix, subtype, n_channels):
    file = write(tmp_path / f"a{suffix}", noise(22050, n_channels), 22050, subtype=subtype)
    expected, _ = librosa.load(file, sr=16000)
    signal, sr = load_audio(file, sr=16000)
    assert sr == 16000
    assert signal.dtype == np.float32
    assert_array_equal(signal, expected)
    assert_array_equal(LoadAudio().transform([file])[0], expected)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("sr", [8000, 16000, 44100])
def test_rates_give_what_librosa_gives(tmp_path, rate, sr):
    file = write(tmp_path / "a.wav", noise(rate // 2 + 7, 6), rate, subtype="PCM_24")
    assert_array_equal(load_audio(file, sr=sr)[0], librosa.load(file, sr=sr)[0])


def test_own_rate_is_kept_unless_another_is_asked_for(tmp_path):
    signal = noise(4410).astype(np.float32)
    file = write(tmp_path / "a.wav", signal, 44100, subtype="FLOAT")
    loaded, sr = load_audio(file)
    assert sr == 44100
    assert_array_equal(loaded, signal)


def test_channels(tmp_path):
    signal = noise(100, 3).astype(np.float32)
    file = write(tmp_path / "a.wav", signal, subtype="FLOAT")
    left, right, _ = signal.T
    assert_allclose(load_audio(file)[0], signal.mean(axis=1), atol=1e-7)
    assert_array_equal(load_audio(file, channels="left")[0], left)
    assert_array_equal(load_audio(file, channels="right")[0], right)
    assert_array_equal(load_audio(file, channels="side")[0], (left - right) / 2)


def test_mono_is_the_same_on_both_sides_and_has_no_side_signal(tmp_path):
    signal = noise(100).astype(np.float32)
    file = write(tmp_path / "a.wav", signal, subtype="FLOAT")
    for channels in ("mean", "left", "right"):
        assert_array_equal(load_audio(file, channels=channels)[0], signal)
    with pytest.raises(AudioFileError, match=r"row 0: .*a.wav' is mono, whose side signal"):
        LoadAudio(channels="side").fit_transform([file])


def test_block_borders_leave_no_trace(tmp_path, monkeypatch):
    file = write(tmp_path / "a.flac", noise(5000, 2))
    expected = load_audio(file)[0]
    monkeypatch.setattr(audio_files, "_BLOCK", 14)
    assert_array_equal(load_audio(file)[0], expected)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 44101, 96000])
@pytest.mark.parametrize(
    ("offset", "duration"), [(0, 0.25), (0.7003, 0.5), (1.5, 0.5), (1.3, None)]
)
def test_a_part_is_what_the_whole_has_there(tmp_path, rate, offset, duration):
    file = write(tmp_path / "a.wav", noise(2 * rate), rate, subtype="FLOAT")
    whole, _ = load_audio(file, sr=16000)
    part, _ = load_audio(file, sr=16000, offset_seconds=offset, duration_seconds=duration)
    start = round(offset * 16000)
    expected = whole[start:] if duration is None else whole[start : start + round(duration * 16000)]
    assert part.shape == expected.shape
    assert_allclose(part, expected, atol=5e-7)


def test_a_part_of_every_format_is_what_the_whole_has_there(tmp_path):
    n_formats = 0
    for name in soundfile.available_formats():
        for subtype in soundfile.available_subtypes(name):
            file = tmp_path / f"{subtype}.{name.lower()}"
            try:
                write(file, noise(12000), 8000, format=name, subtype=subtype)
            except soundfile.LibsndfileError:  # not at this rate, or mono
                continue
            if name == "RAW":
                continue
            whole, sr = load_audio(file)
            part, _ = load_audio(file, offset_seconds=4801 / sr, duration_seconds=4000 / sr)
            assert_array_equal(part, whole[4801:8801], err_msg=f"{name}, {subtype}")
            n_formats += 1
    assert n_formats > 30


@needs_mp3
@pytest.mark.skipif(
    "compression_level" not in signature(soundfile.write).parameters,
    reason="this soundfile cannot set the bit rate",
)
def test_mp3_without_length_in_its_header_is_read_whole_and_at_the_right_place(tmp_path):
    # Seeking in such files misses by hundreds of samples, and their headers promise too many.
    file = write(
        tmp_path / "a.mp3", noise(132300, 2), 44100, compression_level=0.9, bitrate_mode="CONSTANT"
    )
    assert soundfile.info(file).frames != len(soundfile.read(file)[0])
    whole, _ = load_audio(file)
    assert_array_equal(whole, librosa.load(file, sr=None)[0])
    part, _ = load_audio(file, offset_seconds=50001 / 44100, duration_seconds=0.5)
    assert_array_equal(part, whole[50001:72051])


def test_only_the_part_is_decoded(tmp_path, monkeypatch):
    file = write(tmp_path / "a.wav", noise(16000 * 20))
    n_read = []
    original = audio_files._Stream.read

    def counting(self, frames, **options):
        n_read.append(frames)
        return original(self, frames, **options)

    monkeypatch.setattr(audio_files._Stream, "read", counting)
    part, _ = load_audio(file, sr=8000, offset_seconds=15, duration_seconds=0.1)
    assert part.shape == (800,)
    assert sum(n_read) < 4000


def test_real_recordings_give_what_librosa_gives(shared):
    files = sorted((shared / "data" / "music").glob("*.flac"))[::10]
    files += sorted((shared / "data" / "speech").glob("*.flac"))[::8]
    for file, signal in zip(files, LoadAudio(sr=16000).transform(files), strict=True):
        assert_array_equal(signal, librosa.load(file, sr=16000)[0])


# --- tables -------------------------------------------------------------------------------


def test_every_form_of_a_table_gives_the_same(pairs_table, tmp_path):
    frame = pairs_table
    tuples = list(zip(frame.reference, frame.degraded, strict=True))
    step = LoadAudio(duration_seconds=0.1)
    expected = step.fit_transform(frame)
    assert expected.shape == (12, 2, 1600)
    assert_allclose(expected[4, 1], soundfile.read(frame.degraded[4])[0], atol=1e-7)
    forms = [
        frame[["degraded", "reference"]],
        frame.astype({"reference": "string"}),
        tuples,
        [list(pair) for pair in tuples],
        [(Path(reference), Path(degraded)) for reference, degraded in tuples],
        [tuple(map(np.str_, pair)) for pair in tuples],
        np.array(tuples),
        np.array(tuples, dtype=object),
        frame[["reference", "degraded"]].to_numpy(),
    ]
    for form in forms:
        assert_array_equal(step.fit_transform(form), expected)
    singles = [
        frame.degraded,
        frame.degraded.to_numpy(),
        list(frame.degraded),
        tuple(frame.degraded),
        list(map(Path, frame.degraded)),
        frame.rename(columns={"degraded": "file"})[["file", "mos"]],
    ]
    for form in singles:
        assert_array_equal(step.fit_transform(form), expected[:, 1])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("a.wav", r"got the single name 'a\.wav'\. Use \[name\]"),
        (Path("a.wav"), r"Use \[name\]"),
        ([], r"0 sample\(s\)"),
        (np.empty((0, 2), dtype=object), r"0 sample\(s\)"),
        ([("a", "b", "c")], r"shape \(1, 3\)"),
        (np.array([[["a"]]]), r"shape \(1, 1, 1\)"),
        (np.array([["a"]]), r"shape \(1, 1\)"),
        ([("a", "b"), ("c",)], "rows that differ in length"),
        (["a.wav", None, float("nan")], r"2 of the 3 entries .* first in row 1: None"),
        ([("a.wav", "")], "row 0: ''"),
        (["a\0.wav"], "no file names"),
        (pd.DataFrame({"reference": ["a"], "degraded": [pd.NA]}), "row 0: <NA>"),
        (np.zeros((2, 100)), r"shape \(2, 100\)"),
        ([0.5, 0.25], "audio that is in memory already needs no LoadAudio"),
        (pd.DataFrame({"ref": ["a"], "deg": ["b"]}), r"columns \['ref', 'deg'\]. Rename"),
        (pd.DataFrame({"reference": ["a"], "file_b": ["b"]}), "Rename"),
        (None, "Expected file names"),
    ],
)
def test_other_forms_are_refused(table, message):
    with pytest.raises(ValueError, match=message):
        LoadAudio().fit(table)
    with pytest.raises(ValueError, match=message):
        LoadAudio().transform(table)


def test_fit_reads_no_file():
    assert LoadAudio().fit(["missing.wav"]).fit([("missing.wav", "too.wav")])


def test_array_if_and_only_if_duration_is_set(tmp_path):
    files = [write(tmp_path / f"{row}.wav", noise(1600, seed=row)) for row in range(4)]
    pairs = [tuple(files[:2]), tuple(files[2:])]
    assert isinstance(LoadAudio().transform(files), list)
    assert isinstance(LoadAudio().transform(pairs), list)
    assert [clip.shape for clip in LoadAudio().transform(files)] == [(1600,)] * 4
    assert [pair.shape for pair in LoadAudio().transform(pairs)] == [(2, 1600)] * 2
    assert LoadAudio(duration_seconds=0.05).transform(files).shape == (4, 800)
    for unequal in ("cut", "keep", "error"):
        step = LoadAudio(duration_seconds=0.05, unequal=unequal)
        assert step.transform(pairs).shape == (2, 2, 800)
    assert LoadAudio(duration_seconds=0.05).transform(files[:1]).flags.c_contiguous


def test_each_file_is_decoded_once_and_every_row_owns_its_samples(tmp_path, monkeypatch):
    clean = write(tmp_path / "clean.wav", noise(800))
    others = [write(tmp_path / f"{row}.wav", noise(800, seed=row)) for row in range(5)]
    monkeypatch.chdir(tmp_path)
    calls = Counter()
    original = audio_files.read_clip

    def counting(path, **part):
        calls[Path(path).name] += 1
        return original(path, **part)

    monkeypatch.setattr("skperceptual.io.table.read_clip", counting)
    table = [(clean, other) for other in others]
    table += [("clean.wav", Path(clean)), ("./clean.wav", others[0])]
    for step in (
        LoadAudio(),
        LoadAudio(unequal="keep"),
        LoadAudio(duration_seconds=0.05),
        LoadAudio(n_jobs=2),
    ):
        calls.clear()
        pairs = step.transform(table)
        assert calls == dict.fromkeys(["clean.wav", *(f"{row}.wav" for row in range(5))], 1)
        pairs[0][0][:] = 0
        assert np.abs(pairs[1][0]).max() > 0.4
        assert np.abs(pairs[5][1]).max() > 0.4
    first, second = LoadAudio().transform([clean, clean])
    first[:] = 0
    assert np.abs(second).max() > 0.4


def test_threads_change_nothing(pairs_table):
    one = LoadAudio(sr=11025).transform(pairs_table)
    two = LoadAudio(sr=11025, n_jobs=2).transform(pairs_table)
    for first, second in zip(one, two, strict=True):
        assert_array_equal(first, second)
    with joblib.parallel_config("loky", n_jobs=2):
        assert_array_equal(LoadAudio(sr=11025).transform(pairs_table)[3], one[3])


def test_files_are_read_at_the_same_time(tmp_path, monkeypatch):
    files = [write(tmp_path / f"{row}.wav", noise(100, seed=row)) for row in range(2)]
    both_here = threading.Barrier(2, timeout=20)
    original = audio_files.read_clip

    def waiting(path, **part):
        both_here.wait()
        return original(path, **part)

    monkeypatch.setattr("skperceptual.io.table.read_clip", waiting)
    assert len(LoadAudio(n_jobs=2).transform(files)) == 2


def test_verbose_shows_progress(pairs_table, capsys):
    LoadAudio().transform(pairs_table)
    assert capsys.readouterr().err == ""
    LoadAudio(verbose=1).transform(pairs_table)
    assert "16/16" in capsys.readouterr().err


# --- pairs of different length ------------------------------------------------------------


@pytest.fixture
def unequal_files(tmp_path):
    lengths = {"a": 16000, "b": 15300, "c": 14000, "d": 16000}
    return {name: write(tmp_path / f"{name}.wav", noise(n)) for name, n in lengths.items()}


def test_longer_of_a_pair_is_cut_with_one_warning(unequal_files):
    a, b, c, d = unequal_files.values()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pairs = LoadAudio().transform([(a, b), (a, c), (c, d), (a, d)])
    assert [pair.shape for pair in pairs] == [(2, 15300), (2, 14000), (2, 14000), (2, 16000)]
    assert_allclose(pairs[1][0], soundfile.read(a)[0][:14000], atol=1e-7)
    (warning,) = caught
    assert str(warning.message).startswith(
        f"2 of 4 pairs differ in length by more than 50 ms (rows 1, 2). The worst is row 1: {a!r} "
        f"lasts 1.000 s, {c!r} 0.875 s."
    )
    assert warning.filename == __file__
    # 44 ms raise no warning, which pytest would turn into an error.
    assert LoadAudio().transform([(a, b)])[0].shape == (2, 15300)


def test_unequal_keep_always_gives_tuples(unequal_files):
    a, _, c, d = unequal_files.values()
    pairs = LoadAudio(unequal="keep").transform([(a, c), (a, d)])
    assert [tuple(map(len, pair)) for pair in pairs] == [(16000, 14000), (16000, 16000)]
    assert all(isinstance(pair, tuple) for pair in pairs)


def test_unequal_error(unequal_files):
    a, b, c, d = unequal_files.values()
    step = LoadAudio(unequal="error")
    assert step.transform([(a, d)])[0].shape == (2, 16000)
    with pytest.raises(
        ValueError, match=r"2 of 3 pairs .*\(rows 0, 2\).*worst is row 2.*unequal='cut'"
    ):
        step.transform([(a, b), (a, d), (a, c)])


# --- files that cannot be used ------------------------------------------------------------


def make_bad_files(folder):
    """Give bad files of every kind with the reason that the error must state."""
    bad = {}
    bad[str(folder / "missing.wav")] = "does not exist"
    (folder / "folder.wav").mkdir()
    bad[str(folder / "folder.wav")] = "is a directory"
    (folder / "empty.wav").touch()
    bad[str(folder / "empty.wav")] = r"is empty \(0 bytes\)"
    (folder / "text.wav").write_text("no audio, but text " * 50)
    bad[str(folder / "text.wav")] = "is no audio file that libsndfile can read .Format not recogni"
    (folder / "samples.raw").write_bytes(bytes(1000))
    bad[str(folder / "samples.raw")] = "has no header"
    bad[write(folder / "none.wav", np.zeros(0))] = "holds no samples"
    with_nan = noise(16000)
    with_nan[5000] = np.nan
    bad[write(folder / "nan.wav", with_nan, subtype="FLOAT")] = "holds NaN or infinite samples"
    with_infinities = noise(16000)
    with_infinities[[50, 60]] = np.inf, -np.inf
    bad[write(folder / "inf.wav", with_infinities, subtype="DOUBLE")] = "holds NaN or infinite"
    bad[write(folder / "short.wav", noise(100))] = "lasts 0.00625 s, too short for 0.5 s from 0 s"
    for suffix, reason in {
        ".flac": "is (damaged|truncated)",
        ".wav": "is truncated: its last 16022 bytes",
    }.items():
        file = Path(write(folder / f"truncated{suffix}", noise(16000)))
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        bad[str(file)] = reason
    file = write(folder / "promise.flac", noise(16000), 16000)
    set_flac_length(file, 40_000)
    bad[file] = "is truncated: its header promises 40000 samples, but decoding ends after 16000"
    file = write(folder / "bomb.flac", noise(16000), 16000)
    set_flac_length(file, 2**36 - 1)
    bad[file] = "has, or claims to have, more than the 536870912 samples that are read at once"
    file = Path(write(folder / "rate.wav", noise(16000)))
    data = bytearray(file.read_bytes())
    data[24:28] = struct.pack("<I", 1)
    file.write_bytes(data)
    bad[str(file)] = "has a damaged header: it claims a sampling rate of 1 Hz"
    return bad


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_all_bad_files_are_named_in_one_error(tmp_path, n_jobs):
    good = write(tmp_path / "good.wav", noise(16000))
    bad = make_bad_files(tmp_path)
    # The lengths of damaged files come to light only when they are read to their end.
    duration_matters = {"short.wav"}
    table = [(good, file) for file in bad if Path(file).name not in duration_matters]
    table.insert(3, (good, good))
    with pytest.raises(AudioFileError) as caught:
        LoadAudio(n_jobs=n_jobs).fit_transform(table)
    message = str(caught.value)
    assert message.startswith(f"{len(table) - 1} of {len(table)} files cannot be used:\n")
    for row, (_, file) in enumerate(table):
        if file != good:
            assert f"row {row}, degraded: {file!r} " in message
    assert caught.value.rows == tuple(row for row in range(len(table)) if row != 3)
    for file, reason in bad.items():
        step = LoadAudio(duration_seconds=0.5 if Path(file).name in duration_matters else None)
        with pytest.raises(AudioFileError, match=rf"(?s)1 of 2 files.*row 1: '.*' {reason}"):
            step.fit_transform([good, file])
        with pytest.raises(AudioFileError, match=f"{Path(file).name}' {reason}"):
            load_audio(file, duration_seconds=step.duration_seconds)


def test_a_file_that_many_rows_name_is_reported_once(tmp_path):
    good = write(tmp_path / "good.wav", noise(100))
    bad = str(tmp_path / "bad.wav")
    with pytest.raises(AudioFileError) as caught:
        LoadAudio().transform([(good, good), (bad, good), (bad, good), (good, bad)])
    assert "1 of 2 files" in str(caught.value)
    assert "row 1, reference (and 2 more): " in str(caught.value)
    assert caught.value.rows == (1, 2, 3)


def test_a_relative_name_that_does_not_exist_is_given_in_full(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    full = str(Path.cwd() / "sub" / "a.wav")
    with pytest.raises(AudioFileError) as caught:
        LoadAudio().transform([Path("sub", "a.wav")])
    assert f"(that is {full!r}) does not exist" in str(caught.value)
    with pytest.raises(AudioFileError) as caught:
        LoadAudio(folder="sub").transform(["a.wav"])
    assert f"(that is {full!r}) does not exist" in str(caught.value)
    with pytest.raises(AudioFileError) as caught:
        load_audio("sub/a.wav")
    assert f"'sub/a.wav' (that is {full!r}) does not exist" in str(caught.value)
    with pytest.raises(AudioFileError) as caught:
        load_audio(full)
    assert "that is" not in str(caught.value)


def test_relative_names_start_from_the_folder(tmp_path, monkeypatch):
    (tmp_path / "data" / "sub").mkdir(parents=True)
    inside = write(tmp_path / "data" / "sub" / "a.wav", noise(800, seed=1))
    outside = write(tmp_path / "b.wav", noise(800, seed=2))
    expected = LoadAudio().transform([(inside, outside), (outside, inside)])
    names = [("sub/a.wav", outside), (Path("../b.wav"), "sub/a.wav")]
    for folder in (tmp_path / "data", str(tmp_path / "data")):
        assert_array_equal(LoadAudio(folder=folder).fit_transform(names), expected)
        assert clone(LoadAudio(folder=folder)).folder == folder
    monkeypatch.chdir(tmp_path)
    assert_array_equal(LoadAudio(folder="data").fit_transform(names), expected)
    monkeypatch.chdir(tmp_path / "data")
    assert_array_equal(LoadAudio().fit_transform(names), expected)


def test_a_long_list_of_bad_files_is_shortened_but_its_rows_are_not():
    with pytest.raises(AudioFileError) as caught:
        LoadAudio().transform([f"missing{row}.wav" for row in range(50)])
    assert "and 30 more files" in str(caught.value)
    assert caught.value.rows == tuple(range(50))


def test_error_survives_pickling():
    error = pickle.loads(pickle.dumps(AudioFileError("message", [1, 2])))
    assert (str(error), error.rows) == ("message", (1, 2))
    assert isinstance(error, ValueError)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.timeout(20)
def test_a_named_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(AudioFileError, match="is not a regular file"):
        load_audio(tmp_path / "pipe.wav")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user"
)
def test_a_file_without_permission(tmp_path):
    file = Path(write(tmp_path / "a.wav", noise(100)))
    file.chmod(0)
    with pytest.raises(AudioFileError, match=r"cannot be opened \(Permission denied\)"):
        load_audio(file)


@pytest.mark.parametrize("claim", [2**36 - 1, 2**28])
def test_nothing_is_allocated_on_the_word_of_a_header(tmp_path, claim):
    file = write(tmp_path / "bomb.flac", noise(16000))
    set_flac_length(file, claim)
    tracemalloc.start()
    try:
        with pytest.raises(AudioFileError):
            LoadAudio().transform([file])
        assert tracemalloc.get_traced_memory()[1] < 16e6
    finally:
        tracemalloc.stop()


def test_lengths_that_a_header_leaves_open(tmp_path, monkeypatch):
    signal = noise(16000)
    flac, wav = (write(tmp_path / f"a.{suffix}", signal) for suffix in ("flac", "wav"))
    set_flac_length(flac, 0)
    set_wav_length(wav, 0xFFFFFFFF)
    for file in (flac, wav):
        assert_allclose(load_audio(file)[0], signal, atol=2**-15)
        part, _ = load_audio(file, offset_seconds=0.25, duration_seconds=0.5)
        assert_allclose(part, signal[4000:12000], atol=2**-15)
        with pytest.raises(AudioFileError, match=r"lasts 1 s, too short for 0\.5 s from 0\.75 s"):
            load_audio(file, offset_seconds=0.75, duration_seconds=0.5)
        with pytest.raises(AudioFileError, match="lasts 1 s, too short for offset_seconds=2"):
            load_audio(file, offset_seconds=2)
    monkeypatch.setattr(audio_files, "MAX_SAMPLES", 10_000)
    with pytest.raises(AudioFileError, match="read a part of it with duration_seconds"):
        load_audio(flac)
    assert len(load_audio(flac, offset_seconds=0.5, duration_seconds=0.5)[0]) == 8000


def test_a_duration_that_no_file_has_allocates_nothing(pairs_table):
    with pytest.raises(AudioFileError, match=r"lasts 0\.1 s, too short for 1e\+09 s"):
        LoadAudio(duration_seconds=1e9).transform(pairs_table)


def test_the_last_sample_of_a_file_that_lasts_a_fraction_less(tmp_path):
    # 1 s at 44.1 kHz less one sample still reaches into the last sample at 16 kHz.
    file = write(tmp_path / "a.wav", noise(44099), 44100)
    assert load_audio(file, sr=16000, duration_seconds=1)[0].shape == (16000,)
    file = write(tmp_path / "b.wav", noise(44097), 44100)
    with pytest.raises(AudioFileError, match="too short for 1 s from 0 s on"):
        load_audio(file, sr=16000, duration_seconds=1)


# --- scikit-learn -------------------------------------------------------------------------


def test_parameters():
    step = LoadAudio(sr=8000, channels="left", duration_seconds=2.5, n_jobs=2)
    assert clone(step).get_params() == step.get_params()
    assert pickle.loads(pickle.dumps(step)).get_params() == step.get_params()


@pytest.mark.parametrize(
    "parameters",
    [
        {"sr": 0},
        {"sr": 16000.0},
        {"sr": None},
        {"channels": "middle"},
        {"offset_seconds": -1},
        {"offset_seconds": float("inf")},
        {"duration_seconds": 0},
        {"duration_seconds": float("nan")},
        {"unequal": "pad"},
        {"folder": 3},
        {"n_jobs": 1.5},
        {"duration_seconds": 1e-6},
    ],
)
def test_wrong_parameters(parameters, tmp_path):
    (name,) = parameters
    file = write(tmp_path / "a.wav", noise(100))
    with pytest.raises(ValueError, match=name):
        LoadAudio(**parameters).fit([file])
    with pytest.raises(ValueError, match=name):
        LoadAudio(**parameters).transform([file])
    if name in signature(load_audio).parameters and parameters != {"sr": None}:
        with pytest.raises(ValueError, match=name) as caught:
            load_audio(file, **parameters)
        assert "LoadAudio" not in str(caught.value)


def test_tags():
    tags = get_tags(LoadAudio())
    assert not tags.requires_fit
    assert tags.input_tags.string
    assert tags.input_tags.one_d_array
    assert not tags.input_tags.two_d_array


@pytest.mark.parametrize("form", ["frame", "tuples", "array"])
def test_model_selection_over_file_names(pairs_table, form):
    y, groups = pairs_table.mos, pairs_table.song
    X = pairs_table[["reference", "degraded"]]
    if form == "tuples":
        X = list(X.itertuples(index=False, name=None))
    elif form == "array":
        X = X.to_numpy()
    pipeline = make_pipeline(LoadAudio(duration_seconds=0.05), Normalize(), Vectorizer(), Ridge())
    scores = cross_val_score(pipeline, X, y, groups=groups, cv=GroupKFold(2), error_score="raise")
    assert np.isfinite(scores).all()
    search = GridSearchCV(
        pipeline, {"loadaudio__sr": [8000, 16000]}, cv=GroupKFold(2), n_jobs=2, error_score="raise"
    )
    search.fit(X, y, groups=groups)
    assert search.predict(X).shape == (12,)


# --- writing ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "subtype", "step"),
    [
        ("a.wav", "PCM_16", 2**-15),
        ("a.wav", "PCM_24", 2**-23),
        ("a.flac", "PCM_16", 2**-15),
        ("a.wav", "FLOAT", 2**-24),
        ("a.WAV", "DOUBLE", 0),
    ],
)
def test_save_and_load(tmp_path, name, subtype, step):
    signal = noise(1000)
    save_audio(tmp_path / name, signal, 22050, subtype=subtype)
    info = soundfile.info(tmp_path / name)
    assert (info.samplerate, info.channels, info.subtype) == (22050, 1, subtype)
    assert_allclose(soundfile.read(tmp_path / name)[0], signal, atol=0.51 * step, rtol=0)
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "subtype"),
    [
        ("a.wav", "PCM_16"),
        ("a.flac", "PCM_16"),
        ("a.aiff", "PCM_16"),
        ("a.ogg", "VORBIS"),
        pytest.param("a.mp3", "MPEG_LAYER_III", marks=needs_mp3),
    ],
)
def test_the_default_coding_suits_the_format(tmp_path, name, subtype):
    signal = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    save_audio(tmp_path / name, signal, 16000)
    assert soundfile.info(tmp_path / name).subtype == subtype
    loaded, sr = load_audio(tmp_path / name)
    assert sr == 16000
    assert np.corrcoef(loaded[:16000], signal[: len(loaded)])[0, 1] > 0.99


def test_every_format_has_a_default_coding(tmp_path):
    for name in set(soundfile.available_formats()) - {"RAW"}:
        save_audio(tmp_path / f"a.{name.lower()}", noise(1000), 8000)


def test_a_long_clip_is_written_as_vorbis(tmp_path):
    # Given whole to the encoder, a minute at 48 kHz overflows its stack.
    signal = noise(48000 * 60)
    save_audio(tmp_path / "a.ogg", signal, 48000)
    assert soundfile.info(tmp_path / "a.ogg").frames == len(signal)


def test_save_refuses_what_would_be_clipped(tmp_path):
    file = tmp_path / "a.wav"
    for peak in (1.0, np.nextafter(np.float32(1), 2)):
        save_audio(file, np.array([0, peak, -peak]), 8000)
    assert_allclose(soundfile.read(file)[0], [0, 1, -1], atol=2**-15)
    before = file.read_bytes()
    with pytest.raises(ValueError, match=r"peak of 1.25 exceeds full scale.*Normalize.*FLOAT"):
        save_audio(file, [0.0, -1.25], 8000)
    assert file.read_bytes() == before
    save_audio(file, [0.0, -1.25], 8000, subtype="FLOAT")
    assert_array_equal(load_audio(file)[0], [0, -1.25])


@pytest.mark.parametrize("existed", [False, True])
def test_an_interrupted_write_leaves_no_trace(tmp_path, monkeypatch, existed):
    file = tmp_path / "a.wav"
    if existed:
        file.write_bytes(b"what was here before")

    def interrupted(self, block):
        assert Path(self.name).exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(soundfile.SoundFile, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_audio(file, noise(100), 8000)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"what was here before"] * existed


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_saved_files_have_the_usual_permissions(tmp_path):
    save_audio(tmp_path / "a.wav", noise(10), 8000)
    (tmp_path / "b").touch()
    assert (tmp_path / "a.wav").stat().st_mode == (tmp_path / "b").stat().st_mode


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.wav", np.zeros((2, 10)), 8000), "Channels exist only in files|mono"),
        (("a.wav", np.zeros(10, dtype=np.int16), 8000), r"Divide by 32768"),
        (("a.wav", [0.0, np.nan], 8000), "NaN"),
        (("a.wav", [], 8000), "empty|0 feature"),
        (("a.wav", [0.0], 0), "'sr' parameter of save_audio"),
        (("a.wav", [0.0], 16000.0), "'sr' parameter of save_audio must be an int"),
        (("a.wav", np.zeros(10, dtype=np.int64), 8000), "full scale of your integers, 32768 for"),
        (("a.mp3", [1.25], 16000), r"exceeds full scale.*Use Normalize\(\) first\.$"),
        (("a.xyz", [0.0], 8000), r"suffix '.xyz' .* names no format"),
        (("a", [0.0], 8000), r"suffix '' .* names no format"),
        (("a.raw", [0.0], 8000), "names no format"),
        (("a.ogg", [0.0], 8000, "PCM_16"), "PCM_16' is unknown in OGG. Use one of .*VORBIS"),
    ],
)
def test_save_refuses(tmp_path, arguments, message):
    name, signal, sr, *subtype = arguments
    with pytest.raises(ValueError, match=message):
        save_audio(tmp_path / name, signal, sr, subtype=subtype[0] if subtype else None)
    assert list(tmp_path.iterdir()) == []


def test_save_says_when_the_folder_or_the_coder_refuses(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"folder of '.*a\.wav' does not exist"):
        save_audio(tmp_path / "folder" / "a.wav", [0.0], 8000)
    with pytest.raises(ValueError, match=r"a.ogg' cannot be written"):
        save_audio(tmp_path / "a.ogg", noise(100), 11025, subtype="OPUS")
    assert list(tmp_path.iterdir()) == []
