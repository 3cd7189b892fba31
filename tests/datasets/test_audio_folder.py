"""Folders of recordings: what is found, in which order, and what cannot be used."""

from __future__ import annotations

import os
import struct
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, strategies as st
from numpy.testing import assert_array_equal
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skperceptual import LoadAudio, MelSpectrogram, Vectorizer
from skperceptual.datasets import audio_folder, file_headers, load_audio_folder
from skperceptual.io import AudioFileError


def write(path, seconds=0.1, sr=16000, *, n_channels=1, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    signal = rng.uniform(-0.3, 0.3, (round(seconds * sr), n_channels))
    soundfile.write(path, signal, sr, **options)


@pytest.fixture
def folder(tmp_path):
    """Two instruments, files of the folder itself, and what is no recording."""
    root = tmp_path / "recordings"
    write(root / "violin/b/2.wav", 0.2)
    write(root / "violin/b/10.wav", 0.3)
    write(root / "violin/B.flac", 0.1, 44100, n_channels=2, subtype="PCM_24")
    write(root / "cello/a.OGG", 0.4, format="OGG")
    write(root / "room.wav", 0.5)
    write(root / ".trash/old.wav")
    write(root / "cello/._a.wav")
    (root / "cello/notes.txt").write_text("tuned to 442 Hz")
    (root / "cello/take.m4a").write_bytes(b"no format of libsndfile")
    (root / "README").write_text("")
    return root


def files(data):
    return data.frame["file"].tolist()


def refusal(*args, error=ValueError, **options):
    with pytest.raises(error) as caught:
        load_audio_folder(*args, **options)
    return str(caught.value)


# --- what comes out ------------------------------------------------------------------------


def test_recordings_of_a_folder(folder):
    data = load_audio_folder(folder)
    expected = ["cello/a.OGG", "room.wav", "violin/B.flac", "violin/b/10.wav", "violin/b/2.wav"]
    assert files(data) == expected
    assert list(data.signals) == ["file"]
    assert data.signals["file"].tolist() == [str(folder / name) for name in expected]
    assert all(type(name) is str for name in data.signals["file"])
    assert data.groups.tolist() == ["cello", ".", "violin", "violin", "violin"]
    assert data.sr is None
    np.testing.assert_allclose(data.frame["duration_seconds"], [0.4, 0.5, 0.1, 0.3, 0.2])
    assert data.frame["sr"].tolist() == [16000, 16000, 44100, 16000, 16000]
    assert data.frame["channels"].tolist() == [1, 1, 2, 1, 1]
    assert data.frame["format"].tolist() == ["OGG", "WAV", "FLAC", "WAV", "WAV"]
    assert data.frame["subtype"].tolist() == ["VORBIS", "PCM_16", "PCM_24", "PCM_16", "PCM_16"]
    assert data.DESCR == (
        "Recordings of recordings\n"
        "------------------------\n"
        "5 files of 0.100 to 0.500 s, 0.0 min in all; 16000 Hz (4), 44100 Hz (1); mono (4), "
        "stereo (1); WAV (3), OGG (1), FLAC (1).\n"
        "Groups: 3 (the first sub-folders).\n"
        "None is left out. Passed over: 3 other files: no suffix (1), .txt (1), .m4a (1).\n"
    )


def test_relative_and_absolute_names_of_the_folder(folder, monkeypatch):
    expected = load_audio_folder(str(folder))
    monkeypatch.chdir(folder.parent)
    assert load_audio_folder("recordings").signals.equals(expected.signals)
    monkeypatch.chdir(folder / "cello")
    data = load_audio_folder("..")
    assert files(data) == files(expected)
    assert data.signals.loc[1, "file"] == str(folder / "cello" / ".." / "room.wav")


def test_without_sub_folders_or_groups(folder):
    data = load_audio_folder(folder / "violin", recursive=False)
    assert files(data) == ["B.flac"]
    assert data.groups.tolist() == ["."]
    assert data.sr == 44100
    data = load_audio_folder(folder / "violin", group=None)
    assert data.groups is None
    assert "Groups" not in data.DESCR


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.wav", ["room.wav", "violin/b/10.wav", "violin/b/2.wav"]),
        ("b/*", ["violin/b/10.wav", "violin/b/2.wav"]),
        ("violin/*", ["violin/B.flac"]),
        ("?.*", ["cello/a.OGG", "violin/B.flac", "violin/b/2.wav"]),
        ("[0-9]*", ["violin/b/10.wav", "violin/b/2.wav"]),
    ],
)
def test_pattern(folder, pattern, expected):
    assert files(load_audio_folder(folder, pattern=pattern)) == expected


def test_pattern_decides_alone_whatever_the_suffix(folder):
    (folder / "room.wav").rename(folder / "room.dat")
    assert files(load_audio_folder(folder, pattern="*.dat")) == ["room.dat"]
    assert "notes.txt' is no audio file" in refusal(folder, pattern="notes*", error=AudioFileError)
    assert "holds no files that match '*.wavv'. There are 8 other" in refusal(
        folder, pattern="*.wavv"
    )


def test_every_format_that_can_be_written_is_found(tmp_path):
    names = []
    for name in soundfile.available_formats():
        if name not in ("RAW", "MAT4", "MAT5"):
            names.append(f"a.{name.lower()}")
            soundfile.write(
                tmp_path / names[-1],
                np.zeros(4000),
                8000,
                soundfile.default_subtype(name),
                format=name,
            )
    for suffix in ("opus", "aif", "oga", "wave"):
        names.append(f"b.{suffix}")
        soundfile.write(tmp_path / names[-1], np.zeros(4000), 8000, format="WAV")
    headers = file_headers.read_headers(
        [str(tmp_path / name) for name in names], n_jobs=None, verbose=0, caller=""
    )
    readable = {
        name
        for name, header in zip(names, headers, strict=True)
        if not isinstance(header, AudioFileError)
    }
    assert readable >= {"a.wav", "a.flac", "a.ogg", "a.aiff", "a.au", "a.w64", "b.opus"}
    if len(readable) < len(names):
        with pytest.warns(UserWarning, match=f"{len(names) - len(readable)} of {len(names)} files"):
            data = load_audio_folder(tmp_path, unusable_files="exclude")
    else:
        data = load_audio_folder(tmp_path)
    assert set(files(data)) == readable


NAMES = st.text("aAzZ09_- é\u0301ßñ🎻(", min_size=1, max_size=4).map(lambda name: f"x{name}x")


@given(st.sets(st.tuples(NAMES, NAMES), min_size=1, max_size=6), st.randoms())
def test_order_depends_on_nothing_but_the_names(tmp_path_factory, names, random):
    root = tmp_path_factory.mktemp("order")
    write(root / "source.bin", 0.01, format="WAV")
    sound = (root / "source.bin").read_bytes()
    for first, second in random.sample(sorted(names), len(names)):
        (root / first).mkdir(exist_ok=True)
        (root / first / f"{second}.wav").write_bytes(sound)
    original = Path.iterdir

    def shuffled(self):
        entries = list(original(self))
        return iter(random.sample(entries, len(entries)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "iterdir", shuffled)
        data = load_audio_folder(root)
    expected = sorted((first, f"{second}.wav") for first, second in names)
    assert files(data) == ["/".join(parts) for parts in expected]
    assert data.groups.tolist() == [first for first, _ in expected]


def test_minimum_duration(folder):
    data = load_audio_folder(folder, min_duration_seconds=0.3)
    assert files(data) == ["cello/a.OGG", "room.wav", "violin/b/10.wav"]
    assert len(data.groups) == len(data.signals) == 3
    assert "Left out: 2 shorter than 0.3 s. Passed" in data.DESCR
    signals = LoadAudio(duration_seconds=0.3).fit_transform(data.signals)
    assert signals.shape == (3, 4800)
    message = refusal(folder, min_duration_seconds=60)
    assert message == (f"No recording of {str(folder)!r} is left. Left out: 5 shorter than 60 s.")


@pytest.mark.parametrize("sr", [8000, 16000, 22050, 44100, 48000])
def test_minimum_duration_is_what_load_audio_needs(tmp_path, sr):
    shortest = -(-4208 * sr // 1000)
    for n_times in (shortest - 1, shortest):
        soundfile.write(tmp_path / f"{n_times}.wav", np.ones(n_times) / 2, sr)
    data = load_audio_folder(tmp_path, min_duration_seconds=4.208)
    assert files(data) == [f"{shortest}.wav"]
    for target in (16000, 44100):
        assert len(LoadAudio(sr=target, duration_seconds=4.208).transform(data.signals)) == 1


def test_flac_file_that_keeps_its_length_to_itself(tmp_path):
    for name, seconds in {"long": 0.5, "short": 0.2}.items():
        path = tmp_path / f"{name}.flac"
        write(path, seconds)
        data = bytearray(path.read_bytes())
        data[21] &= 0xF0
        data[22:26] = struct.pack(">I", 0)
        path.write_bytes(data)
    data = load_audio_folder(tmp_path, min_duration_seconds=0.4)
    assert data.frame["duration_seconds"].tolist() == [0.5]


def test_headers_are_read_at_the_same_time(folder, monkeypatch):
    both_here = threading.Barrier(2, timeout=20)
    original = file_headers.read_header

    def waiting(path):
        both_here.wait()
        return original(path)

    monkeypatch.setattr(file_headers, "read_header", waiting)
    monkeypatch.setattr(soundfile.SoundFile, "read", None)
    assert len(load_audio_folder(folder / "violin/b", n_jobs=2).signals) == 2


def test_threads_change_nothing(folder):
    one, two = load_audio_folder(folder), load_audio_folder(folder, n_jobs=2)
    pd.testing.assert_frame_equal(one.frame, two.frame)
    assert one.DESCR == two.DESCR


def test_verbose_shows_progress(folder, capsys):
    load_audio_folder(folder)
    assert capsys.readouterr().err == ""
    load_audio_folder(folder, verbose=1)
    assert "5/5" in capsys.readouterr().err


# --- links ---------------------------------------------------------------------------------


def test_loops_of_links_end_and_no_folder_is_read_twice(folder):
    expected = files(load_audio_folder(folder))
    (folder / "a_loop").symlink_to(folder)
    (folder / "cello/up").symlink_to(folder / "violin")
    (folder / "violin/b/over").symlink_to(folder / "cello")
    (folder / "zzz").symlink_to(folder / "violin/b")
    assert files(load_audio_folder(folder)) == expected


def test_folders_elsewhere_are_read_through_links_once(folder):
    write(folder.parent / "elsewhere/deep/1.wav")
    (folder.parent / "elsewhere/back").symlink_to(folder)
    for name in ("viola", "again"):
        (folder / name).symlink_to(folder.parent / "elsewhere")
    data = load_audio_folder(folder)
    assert files(data)[0] == "again/deep/1.wav"
    assert len(data.signals) == 6
    assert data.groups[0] == "again"


def test_links_to_files_are_files_and_broken_ones_are_reported(folder):
    (folder / "link.wav").symlink_to(folder / "violin/b/2.wav")
    assert "link.wav" in files(load_audio_folder(folder))
    (folder / "broken.wav").symlink_to(folder / "nowhere.wav")
    (folder / "round.wav").symlink_to(folder / "round.wav")
    message = refusal(folder, error=AudioFileError)
    assert f"  {str(folder / 'broken.wav')!r} does not exist\n" in message
    assert f"  {str(folder / 'round.wav')!r} cannot be opened (Too many levels of" in message


# --- what is refused -----------------------------------------------------------------------


def test_all_files_that_cannot_be_used_are_named_at_once(folder):
    expected = load_audio_folder(folder)
    (folder / "empty.wav").touch()
    (folder / "text.flac").write_text("no audio, but text " * 50)
    os.mkfifo(folder / "violin/pipe.wav")
    with pytest.raises(AudioFileError) as caught:
        load_audio_folder(folder)
    lines = str(caught.value).splitlines()
    reasons = {
        "empty.wav": "is empty (0 bytes)",
        "text.flac": "is no audio file that libsndfile can read (Format not recognised)",
        "violin/pipe.wav": "is not a regular file",
    }
    assert lines[0] == "3 of 8 files cannot be used:"
    assert lines[1:4] == [f"  {str(folder / name)!r} {why}" for name, why in reasons.items()]
    assert "unusable_files='exclude'" in lines[4]
    with pytest.warns(UserWarning, match="They are left out") as warned:
        data = load_audio_folder(folder, unusable_files="exclude")
    assert str(warned[0].message).splitlines()[:4] == lines[:4]
    assert warned[0].filename == __file__
    pd.testing.assert_frame_equal(data.frame, expected.frame)
    assert "Left out: 3 that cannot be used." in data.DESCR


def test_only_the_first_twenty_are_listed(tmp_path):
    for number in range(25):
        (tmp_path / f"{number}.wav").touch()
    message = refusal(tmp_path)
    assert message.count("is empty") == 20
    assert "\n  and 5 more files\n" in message
    with (
        pytest.warns(UserWarning, match="25 of 25 files"),
        pytest.raises(ValueError, match="Left out: 25 that cannot be used"),
    ):
        load_audio_folder(tmp_path, unusable_files="exclude")


def test_folders_that_stay_shut_are_reported(folder, monkeypatch):
    original = Path.iterdir

    def locked(self):
        if self.name == "violin":
            raise PermissionError(13, "Permission denied")
        return original(self)

    monkeypatch.setattr(Path, "iterdir", locked)
    expected = f"1 of 3 files cannot be used:\n  {str(folder / 'violin')!r} cannot be opened (Perm"
    assert refusal(folder).startswith(expected)
    with pytest.warns(UserWarning, match="They are left out"):
        data = load_audio_folder(folder, unusable_files="exclude")
    assert files(data) == ["cello/a.OGG", "room.wav"]


def test_folder_without_recordings_says_what_was_looked_for(folder, tmp_path):
    (tmp_path / "bare").mkdir()
    message = refusal(tmp_path / "bare")
    assert message.startswith(f"{str(tmp_path / 'bare')!r} holds no files that end in .aif, .aifc,")
    assert ".flac" in message
    assert ".raw" not in message
    assert "There are no other files." in message
    for path in folder.rglob("*.*"):
        if path.suffix.lower() in (".wav", ".flac", ".ogg"):
            path.unlink()
    assert "There are 3 other files: no suffix (1), .txt (1), .m4a (1). LoadAudio" in refusal(
        folder
    )
    assert ", its sub-folders left aside. There is 1 other" in refusal(folder, recursive=False)


def test_an_empty_pattern_is_refused_with_the_fix(folder):
    assert "pattern='' matches no file. Leave it out" in refusal(folder, pattern="")


def test_folder_must_be_there(folder):
    assert "does not exist" in refusal(folder / "viola", error=FileNotFoundError)
    assert "is no folder" in refusal(folder / "room.wav", error=NotADirectoryError)


@pytest.mark.parametrize(
    "options",
    [
        {"pattern": 1},
        {"recursive": "yes"},
        {"group": "file"},
        {"min_duration_seconds": 0},
        {"unusable_files": "warn"},
        {"n_jobs": "all"},
    ],
)
def test_parameters_are_checked(folder, options):
    (name,) = options
    assert f"The {name!r} parameter of load_audio_folder must be" in refusal(folder, **options)


def test_suffixes_are_lower_case_and_unique():
    suffixes = audio_folder._suffixes()
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes)


# --- in use --------------------------------------------------------------------------------


def test_cross_validation(tmp_path):
    rng = np.random.default_rng(0)
    for player in range(3):
        for name, frequency in {"low": 300, "high": 3000}.items():
            tone = np.sin(2 * np.pi * frequency * np.arange(8000) / 16000 + rng.uniform(0, 6))
            path = tmp_path / f"player{player}" / f"{name}.wav"
            path.parent.mkdir(exist_ok=True)
            soundfile.write(path, 0.5 * tone, 16000)
    data = load_audio_folder(tmp_path, min_duration_seconds=0.25)
    is_high = data.frame["file"].str.contains("high")
    classifier = make_pipeline(
        LoadAudio(sr=16000, duration_seconds=0.25),
        MelSpectrogram(sr=16000, n_mels=16),
        Vectorizer(),
        KNeighborsClassifier(1),
    )
    scores = cross_val_score(
        classifier, data.signals, is_high, groups=data.groups, cv=GroupKFold(3)
    )
    assert_array_equal(scores, 1.0)


def test_real_recordings(shared):
    data = load_audio_folder(shared / "data" / "cello")
    expected = [*(shared / "data" / "cello").rglob("*.flac")]
    assert len(data.signals) == len(expected)
    assert set(data.groups) == {
        path.name for path in (shared / "data/cello").iterdir() if path.is_dir()
    }
    assert set(data.frame["format"]) == {"FLAC"}
