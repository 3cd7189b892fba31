"""PMQD in miniature, from a local server: fetched, resumed, checked, paired, split."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GroupKFold
from sklearn.utils import Bunch

from skperceptual import LoadAudio
from skperceptual.datasets import pmqd
from skperceptual.datasets.pmqd import fetch_pmqd
from skperceptual.datasets.pmqd_table import pair_clips, read_table
from skperceptual.utils import data_home as homes, downloads, file_locks
from skperceptual.utils.archives import ArchiveError
from skperceptual.utils.data_home import get_data_home
from skperceptual.utils.downloads import DownloadError

# How loud the degraded versions are against the original, so that audio tells which is which.
GAINS = {"original": 1.0, "distortion": 0.5, "limiter": 0.4, "lowpass": 0.3, "noise": 0.2}
# Names that text, pandas and file systems trip over; the last song of a genre comes last.
SONGS = [
    ("Funk", "Teddy Bergström", "Godspel, Groove"),
    ("Rnb & Soul", "NA", "None"),
    ("Funk", "null", "1999"),
    ("Rnb & Soul", "Traditional", 'The "Silent" Night / Part 2'),
    ("Hip Hop", "Da Tooby", "Breaks"),
    ("Funk", "Da Tooby", "Breaks"),
    ("Hip Hop", "Another", "Breaks"),
    ("Rnb & Soul", "Da Tooby", "Breaks"),
]
STARTS = (90, 0, 12)
TEST_SONGS = {"Funk / Da Tooby / Breaks", "Hip Hop / Another / Breaks"}
TEST_SONGS |= {"Rnb & Soul / Da Tooby / Breaks"}
N_EXCERPTS = len(SONGS) * len(STARTS)


class Release(NamedTuple):
    """What the server has, and what is true of it."""

    files: dict[str, bytes]
    table: pd.DataFrame
    reference_of: dict[str, str]


def wav(samples, subtype):
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 48000, format="WAV", subtype=subtype)
    return buffer.getvalue()


def tgz(files, *, folder=None):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        if folder:
            member = tarfile.TarInfo(folder)
            member.type = tarfile.DIRTYPE
            tar.addfile(member)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def make_release():
    rng = np.random.default_rng(0)
    rows, reference_of, clips = [], {}, {"audio": {}, "audio32": {}}
    excerpts = list(product(range(len(SONGS)), STARTS))
    names = {}
    for block, (condition, gain) in enumerate(GAINS.items()):
        # As in PMQD: one block of ids a condition, in another order in each.
        order = excerpts if block == 0 else rng.permutation(excerpts).tolist()
        for place, (song, start) in enumerate(order):
            name = rng.bytes(16).hex() + ".wav"
            names[song, start, condition] = name
            reference_of[name] = names[song, start, "original"]
            samples = gain * np.random.default_rng([song, start]).uniform(-0.9, 0.9, (240, 2))
            clips["audio"][f"audio/{name}"] = wav(samples, "PCM_24")
            clips["audio32"][f"audio32/{name}"] = wav(samples, "PCM_32")
            intensity = 0.0 if condition == "original" else round(rng.uniform(0, 100), 6)
            rating = 5.0 if condition == "original" else float(rng.integers(2, 11)) / 2
            number = block * len(excerpts) + place
            rows.append((number, *SONGS[song], condition, intensity, rating, start, name))
    columns = "id genre artist title degradation_type degradation_intensity rating sample_start"
    table = pd.DataFrame(rows, columns=[*columns.split(), "sample_filename"])
    files = {"pmqd.csv": table.to_csv(index=False).encode()}
    # What macOS adds, and files beside the folder.
    beside = {"._audio": b"mac", "audio/._x.wav": b"mac"}
    files["audio.tgz"] = tgz(beside | clips["audio"], folder="audio")
    files["audio32.tgz"] = tgz(clips["audio32"])
    return Release(files, table, reference_of)


RELEASE = make_release()
N_ALL = {name: len(content) for name, content in RELEASE.files.items()}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path[1:]
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        content = self.server.files[name][start:]
        with self.server.lock:
            self.server.requests.append((name, len(content)))
        self.send_response(206 if start else 200)
        if start:
            n_bytes = start + len(content)
            self.send_header("Content-Range", f"bytes {start}-{n_bytes - 1}/{n_bytes}")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, request, client_address):
        """Clients that hang up are part of the tests."""


@pytest.fixture(scope="module")
def running():
    server = Server(("127.0.0.1", 0), Handler)
    server.lock = threading.Lock()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server(running, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(downloads, "_FIRST_WAIT_SECONDS", 0.0)
    monkeypatch.setattr(downloads, "_BLOCK", 4096)
    running.files, running.requests = {}, []
    publish(running, monkeypatch, RELEASE.files)
    return running


def publish(server, monkeypatch, files):
    """Put files on the server, with hashes that are right for them."""
    server.files = server.files | files
    url = f"http://127.0.0.1:{server.server_port}"
    for name, content in files.items():
        known = (f"{url}/{name}", len(content), hashlib.sha256(content).hexdigest())
        if name == "pmqd.csv":
            monkeypatch.setattr(pmqd, "_TABLE", pmqd._RemoteFile(*known))
        else:
            archive = pmqd._RemoteArchive(*known, unpacked_size=2_000_000)
            archives = pmqd._ARCHIVES | {name.removesuffix(".tgz"): archive}
            monkeypatch.setattr(pmqd, "_ARCHIVES", archives)


@pytest.fixture
def fetched(server, tmp_path):
    fetch(tmp_path)
    server.requests.clear()
    return tmp_path


def fetch(home, **options):
    return fetch_pmqd(data_home=home, **({"verbose": 0} | options))


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


# --- what is fetched ----------------------------------------------------------------------


def test_constants_are_the_published_ones(shared):
    facts = json.loads((shared / "facts" / "pmqd.json").read_text(encoding="utf-8"))["files"]
    for name, remote in {
        "pmqd.csv": pmqd._TABLE,
        "audio.tgz": pmqd._ARCHIVES["audio"],
        "audio32.tgz": pmqd._ARCHIVES["audio32"],
    }.items():
        assert remote[:3] == (facts[name]["url"], facts[name]["bytes"], facts[name]["sha256"])
    for archive, n_bytes in ((pmqd._ARCHIVES["audio"], 3), (pmqd._ARCHIVES["audio32"], 4)):
        samples = 975 * 201_984 * 2 * n_bytes
        assert samples < archive.unpacked_size < 1.02 * samples
        assert 2 * samples / 975 < pmqd._MAX_CLIP_BYTES


def test_published_rows_are_read(shared):
    path = shared / "data" / "ratings" / "pmqd_fragment" / "pmqd_known_rows.csv"
    table = read_table(path.read_bytes())
    assert list(table["id"]) == [0, 1, 2, 3, 80, 137, 448, 675, 850]
    assert table["artist"][7] == "Teddy Bergström"


@pytest.mark.parametrize("audio", ["audio", "audio32"])
def test_everything_is_fetched_once(server, tmp_path, audio):
    first = fetch(tmp_path, audio=audio)
    assert server.requests == [(n, N_ALL[n]) for n in ("pmqd.csv", f"{audio}.tgz")]
    assert names(tmp_path / "pmqd") == [audio, "pmqd.csv"]
    server.requests.clear()
    second = fetch(tmp_path, audio=audio, download_if_missing=False)
    assert server.requests == []
    pd.testing.assert_frame_equal(first.pairs, second.pairs)
    pd.testing.assert_frame_equal(first.frame, second.frame)
    assert soundfile.info(first.pairs["degraded"][0]).subtype == {
        "audio": "PCM_24",
        "audio32": "PCM_32",
    }.get(audio)


def test_the_other_archive_needs_no_second_table(server, fetched):
    fetch(fetched, audio="audio32")
    assert server.requests == [("audio32.tgz", N_ALL["audio32.tgz"])]
    assert names(fetched / "pmqd") == ["audio", "audio32", "pmqd.csv"]


def test_fields(fetched):
    data = fetch(fetched)
    assert isinstance(data, Bunch)
    n_pairs = 4 * N_EXCERPTS
    assert data.sr == 48000
    assert list(data.pairs) == ["reference", "degraded"]
    assert data.target.shape == data.groups.shape == data.condition.shape == (n_pairs,)
    assert data.target.dtype == np.float64
    assert len(data.pairs) == len(data.frame) == n_pairs
    assert_array_equal(data.frame.index, np.arange(n_pairs))
    assert_array_equal(data.pairs.index, np.arange(n_pairs))
    assert all(isinstance(name, str) and Path(name).is_absolute() for name in data.pairs.stack())
    expected = RELEASE.table[RELEASE.table["degradation_type"] != "original"]
    assert_array_equal(data.target, expected["rating"])
    assert_array_equal(data.condition, expected["degradation_type"])
    assert_array_equal(
        data.groups, expected["genre"] + " / " + expected["artist"] + " / " + expected["title"]
    )
    renamed = {"degradation_type": "condition", "degradation_intensity": "intensity"}
    for column in ("id", "genre", "artist", "title", "sample_start", "rating", *renamed):
        assert_array_equal(data.frame[renamed.get(column, column)], expected[column])
    assert_array_equal(data.frame["severity"], expected["degradation_intensity"] / 100)
    assert_array_equal(data.frame["song"], data.groups)
    assert_array_equal(data.frame["reference_rating"], 5)
    assert list(data.frame["degraded"]) == [f"audio/{n}" for n in expected["sample_filename"]]
    assert data.DESCR.startswith("PMQD, the Perceived Music Quality Dataset\n---")
    for words in ("2006.06287", "all rights are reserved", "How do you rate the audio", "median"):
        assert words in data.DESCR
    assert f"{n_pairs} pairs of 8 songs, subset 'all'" in data.DESCR


def test_every_clip_has_its_own_original(fetched):
    data = fetch(fetched)
    for reference, degraded in data.pairs.itertuples(index=False):
        assert RELEASE.reference_of[Path(degraded).name] == Path(reference).name
    by_id = RELEASE.table.set_index("id")["sample_filename"]
    assert_array_equal("audio/" + by_id[data.frame["reference_id"]], data.frame["reference"])


def test_pairs_are_what_load_audio_reads(fetched):
    data = fetch(fetched, include_originals=True)
    pairs = LoadAudio(sr=48000, duration_seconds=0.005).fit_transform(data.pairs)
    assert pairs.shape == (5 * N_EXCERPTS, 2, 240)
    gains = np.array([GAINS[condition] for condition in data.condition])
    assert_allclose(pairs[:, 1], pairs[:, 0] * gains[:, np.newaxis], atol=1e-6)
    assert len(np.unique(pairs[:, 0], axis=0)) == N_EXCERPTS
    relative = LoadAudio(sr=48000, duration_seconds=0.005, folder=fetched / "pmqd")
    assert_array_equal(relative.fit_transform(data.frame), pairs)


def test_originals_are_hidden_references(fetched):
    data = fetch(fetched, include_originals=True)
    hidden = data.condition == "original"
    assert hidden.sum() == N_EXCERPTS
    assert_array_equal(data.pairs["reference"][hidden], data.pairs["degraded"][hidden])
    assert_array_equal(data.frame["severity"][hidden], 0)
    assert_array_equal(data.target[hidden], data.frame["reference_rating"][hidden])
    assert_array_equal(data.frame["id"], np.arange(5 * N_EXCERPTS))
    without = fetch(fetched)
    assert_array_equal(data.pairs[~hidden], without.pairs)


def test_split_by_the_last_song_of_each_genre(fetched):
    every, train, test = (fetch(fetched, subset=s) for s in ("all", "train", "test"))
    assert set(test.groups) == TEST_SONGS
    assert set(train.groups).isdisjoint(TEST_SONGS)
    assert len(test.pairs) == 3 * 3 * 4
    assert len(train.pairs) + len(test.pairs) == len(every.pairs)
    assert set(test.frame["split"]) == {"test"}
    rejoined = pd.concat([train.frame, test.frame]).sort_values("id", ignore_index=True)
    pd.testing.assert_frame_equal(rejoined, every.frame)
    assert_array_equal(test.pairs.index, np.arange(len(test.pairs)))
    assert "36 pairs of 3 songs, subset 'test'" in test.DESCR
    for inside, outside in GroupKFold(4).split(every.pairs, every.target, every.groups):
        assert set(every.groups[inside]).isdisjoint(every.groups[outside])


def test_the_split_goes_by_id_and_not_by_place_in_the_file():
    shuffled = RELEASE.table.sample(frac=1, random_state=0).to_csv(index=False).encode()
    frame = pair_clips(read_table(shuffled))
    pd.testing.assert_frame_equal(frame, pair_clips(read_table(RELEASE.files["pmqd.csv"])))
    assert set(frame["song"][frame["split"] == "test"]) == TEST_SONGS


# --- where it is kept ---------------------------------------------------------------------


def test_data_home(tmp_path, monkeypatch):
    monkeypatch.delenv(homes.ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert get_data_home() == tmp_path / "skperceptual_data"
    assert get_data_home("~/elsewhere") == tmp_path / "elsewhere"
    monkeypatch.setenv(homes.ENVIRONMENT_VARIABLE, "")
    assert get_data_home() == tmp_path / "skperceptual_data"
    monkeypatch.setenv(homes.ENVIRONMENT_VARIABLE, "~/data")
    assert get_data_home() == tmp_path / "data"
    assert get_data_home(str(tmp_path / "given")) == tmp_path / "given"
    monkeypatch.chdir(tmp_path)
    assert get_data_home("relative") == Path.cwd() / "relative"
    assert names(tmp_path) == []


def test_environment_variable(server, tmp_path, monkeypatch):
    monkeypatch.setenv(homes.ENVIRONMENT_VARIABLE, str(tmp_path / "here"))
    data = fetch_pmqd(verbose=0)
    assert Path(data.pairs["reference"][0]).parent == tmp_path / "here" / "pmqd" / "audio"


def test_names_are_absolute_even_in_a_relative_home(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = fetch("data")
    monkeypatch.chdir(tmp_path.parent)
    assert Path(data.pairs["reference"][0]).is_file()


def test_without_download(server, tmp_path):
    with pytest.raises(OSError, match="download_if_missing=True") as caught:
        fetch(tmp_path / "new", download_if_missing=False)
    variable = homes.ENVIRONMENT_VARIABLE
    for words in (str(tmp_path / "new" / "pmqd"), "pmqd.csv", "folder audio", variable):
        assert words in str(caught.value)
    assert server.requests == []
    assert names(tmp_path) == []


def test_files_that_were_brought_by_hand(server, tmp_path):
    (tmp_path / "pmqd").mkdir()
    for name in ("pmqd.csv", "audio.tgz"):
        (tmp_path / "pmqd" / name).write_bytes(RELEASE.files[name])
    assert len(fetch(tmp_path).pairs) == 4 * N_EXCERPTS
    assert server.requests == []
    assert names(tmp_path / "pmqd") == ["audio", "pmqd.csv"]


def test_a_complete_folder_is_never_written_to(server, fetched, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError

    for name in ("_make_writable", "exclusive", "download", "extract_tar_gz"):
        monkeypatch.setattr(pmqd, name, refuse)
    monkeypatch.setattr(Path, "mkdir", refuse)
    assert len(fetch(fetched).pairs) == 4 * N_EXCERPTS


def test_a_folder_that_cannot_be_written_to(server, tmp_path):
    (tmp_path / "file").touch()
    variable = homes.ENVIRONMENT_VARIABLE
    with pytest.raises(OSError, match=f"Name another folder by data_home or .*{variable}"):
        fetch(tmp_path / "file")
    assert server.requests == []


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user"
)
def test_a_folder_without_permission(server, tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError, match="Name another folder by data_home"):
            fetch(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_disk_without_room(server, tmp_path, monkeypatch):
    usage = pmqd.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(
        pmqd.shutil, "disk_usage", lambda folder: usage._replace(free=2_000_000 + 100)
    )
    with pytest.raises(OSError, match=r"GB are needed while PMQD is unpacked.*on another disk"):
        fetch(tmp_path)
    assert [name for name, _ in server.requests] == ["pmqd.csv"]
    # What has arrived already needs no more room.
    archive = RELEASE.files["audio.tgz"]
    (tmp_path / "pmqd" / "audio.tgz.part").write_bytes(archive[:-50])
    assert len(fetch(tmp_path).pairs) == 4 * N_EXCERPTS


# --- interruptions, damage, company -------------------------------------------------------


@pytest.mark.parametrize("n_blocks", [1, 3, 8])
def test_an_interrupted_download_is_continued(server, tmp_path, monkeypatch, n_blocks):
    write, n_written = downloads._write, []

    def interrupted(file, block):
        if len(n_written) == n_blocks:
            raise KeyboardInterrupt
        write(file, block)
        if str(file.name).endswith("audio.tgz.part"):
            n_written.append(len(block))

    with monkeypatch.context() as patch:
        patch.setattr(downloads, "_write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(tmp_path)
    assert names(tmp_path / "pmqd") == ["audio.tgz.part", "pmqd.csv"]
    with pytest.raises(OSError, match="PMQD is not in"):
        fetch(tmp_path, download_if_missing=False)
    server.requests.clear()
    assert len(fetch(tmp_path).pairs) == 4 * N_EXCERPTS
    assert server.requests == [("audio.tgz", N_ALL["audio.tgz"] - sum(n_written))]
    assert names(tmp_path / "pmqd") == ["audio", "pmqd.csv"]


def test_interrupted_unpacking_starts_again_without_a_download(server, tmp_path, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tarfile.TarFile, "next", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(tmp_path)
    assert names(tmp_path / "pmqd") == ["audio.tgz", "pmqd.csv"]
    server.requests.clear()
    assert len(fetch(tmp_path).pairs) == 4 * N_EXCERPTS
    assert server.requests == []


@pytest.mark.parametrize("name", ["pmqd.csv", "audio.tgz"])
def test_damage_on_the_way(server, tmp_path, name):
    flipped = bytearray(RELEASE.files[name])
    flipped[len(flipped) // 2] ^= 1
    server.files[name] = bytes(flipped)
    with pytest.raises(DownloadError, match=f"{name} is not the expected file: expected SHA-256"):
        fetch(tmp_path)
    assert name not in names(tmp_path / "pmqd")
    server.files[name] = RELEASE.files[name]
    assert len(fetch(tmp_path).pairs) == 4 * N_EXCERPTS


def test_a_table_that_changed_is_not_read(server, fetched):
    path = fetched / "pmqd" / "pmqd.csv"
    path.write_bytes(path.read_bytes().replace(b"5.0", b"1.0"))
    with pytest.raises(OSError, match=r"looked for pmqd\.csv with the published SHA-256"):
        fetch(fetched, download_if_missing=False)
    assert fetch(fetched).frame["reference_rating"].eq(5).all()
    assert [name for name, _ in server.requests] == ["pmqd.csv"]


def test_recordings_that_are_missing_or_empty(fetched):
    clips = fetched / "pmqd" / "audio"
    first, second = sorted(RELEASE.reference_of)[:2]
    (clips / first).unlink()
    (clips / second).write_bytes(b"")
    message = f"2 recordings of PMQD are missing from .*audio, or empty: {first}, {second}. Delete"
    for options in ({}, {"download_if_missing": False}, {"subset": "test"}):
        with pytest.raises(OSError, match=message):
            fetch(fetched, **options)
    for path in clips.iterdir():
        path.unlink()
    with pytest.raises(
        OSError, match=rf"^{5 * N_EXCERPTS} recordings .* and {5 * N_EXCERPTS - 10}"
    ):
        fetch(fetched)


def test_recordings_that_are_cut_short_are_reported_when_they_are_read(fetched):
    data = fetch(fetched)
    path = Path(data.pairs["degraded"][3])
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=rf"row 3, degraded: .*{path.name}' is truncated"):
        LoadAudio().fit_transform(data.pairs)


def test_an_archive_that_leads_elsewhere(server, tmp_path, monkeypatch):
    for evil in ({"audio/../../evil.wav": b""}, {"/evil.wav": b""}):
        publish(server, monkeypatch, {"audio.tgz": tgz({"audio/a.wav": b"a"} | evil)})
        with pytest.raises(ArchiveError, match=r"holds a member whose name .*evil\.wav"):
            fetch(tmp_path)
        assert names(tmp_path / "pmqd") == ["audio.tgz", "pmqd.csv"]
    assert names(tmp_path) == ["pmqd"]


def test_an_archive_of_something_else(server, tmp_path, monkeypatch):
    publish(server, monkeypatch, {"audio.tgz": tgz({"other/a.wav": b"a"})})
    with pytest.raises(ArchiveError, match="holds no folder 'audio'"):
        fetch(tmp_path)


def test_calls_at_the_same_time_download_once(server, tmp_path, monkeypatch):
    extract = pmqd.extract_tar_gz

    def slowly(*arguments, **options):
        time.sleep(0.05)
        return extract(*arguments, **options)

    monkeypatch.setattr(pmqd, "extract_tar_gz", slowly)
    monkeypatch.setattr(file_locks, "_POLL_SECONDS", 0.001)
    found = []
    barrier = threading.Barrier(4, timeout=20)

    def work():
        barrier.wait()
        found.append(len(fetch(tmp_path).pairs))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [4 * N_EXCERPTS] * 4
    assert [name for name, _ in server.requests] == ["pmqd.csv", "audio.tgz"]
    assert names(tmp_path / "pmqd") == ["audio", "pmqd.csv"]


def test_progress(server, tmp_path, capsys):
    fetch(tmp_path / "quiet")
    assert capsys.readouterr().err == ""
    fetch_pmqd(data_home=tmp_path / "default")
    shown = capsys.readouterr().err
    assert "audio.tgz: 100%" in shown
    assert "unpacking audio.tgz" in shown
    fetch_pmqd(data_home=tmp_path / "default")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"subset": "validation"}, "subset"),
        ({"audio": "mp3"}, "audio"),
        ({"data_home": 3}, "data_home"),
        ({"include_originals": "no"}, "include_originals"),
        ({"download_if_missing": None}, "download_if_missing"),
    ],
)
def test_parameters(options, name):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of fetch_pmqd"):
        fetch_pmqd(**options)


# --- the table ----------------------------------------------------------------------------


def with_cell(row, column, value):
    table = RELEASE.table.astype(object)
    table.loc[row, column] = value
    return table.to_csv(index=False).encode()


@pytest.mark.parametrize(
    ("row", "column", "value", "problem"),
    [
        (3, "rating", "good", "row 3: rating is no number from 1 to 5 (the first: 'good')"),
        (3, "rating", 5.5, "rating is no number from 1 to 5 (the first: '5.5')"),
        (3, "rating", "", "rating is no number from 1 to 5 (the first: '')"),
        (3, "rating", "nan", "rating is no number from 1 to 5 (the first: 'nan')"),
        (3, "degradation_intensity", 100.1, "degradation_intensity is no number from 0 to 100"),
        (3, "degradation_intensity", "inf", "degradation_intensity is no number from 0 to 100"),
        (3, "sample_start", -1, "sample_start is no whole number from 0"),
        (3, "sample_start", 1.5, "sample_start is no whole number from 0"),
        (3, "id", 4, "row 3, 4: id occurs twice"),
        (3, "id", 10**30, "id is no whole number from 0"),
        (3, "degradation_type", "echo", "row 3: degradation_type is none of ('original', 'dist"),
        (3, "degradation_type", "Noise", "degradation_type is none of"),
        (3, "sample_filename", "../evil.wav", "sample_filename is no plain name of a WAV file"),
        (3, "sample_filename", "/evil.wav", "sample_filename is no plain name of a WAV file"),
        (3, "sample_filename", "a\\b.wav", "sample_filename is no plain name of a WAV file"),
        (3, "sample_filename", "c:b.wav", "sample_filename is no plain name of a WAV file"),
        (3, "sample_filename", ".wav", "sample_filename is no plain name of a WAV file"),
        (3, "sample_filename", "evil.wav\n", "sample_filename is no plain name of a WAV file"),
        (3, "sample_filename", "evil.sh", "sample_filename is no plain name of a WAV file"),
        (3, "sample_filename", "", "sample_filename is no plain name of a WAV file"),
        (
            3,
            "sample_filename",
            RELEASE.table["sample_filename"][7].upper(),
            "row 3, 7: sample_filename occurs twice",
        ),
    ],
)
def test_cells_that_are_refused(row, column, value, problem):
    with pytest.raises(ValueError, match=r"^The table of PMQD cannot be used:\n") as caught:
        read_table(with_cell(row, column, value))
    assert problem in str(caught.value)


def test_problems_are_listed_together():
    table = RELEASE.table.astype(object)
    table.loc[:19, "rating"] = 9
    table.loc[2, "degradation_type"] = "echo"
    with pytest.raises(ValueError, match="cannot be used") as caught:
        read_table(table.to_csv(index=False).encode())
    lines = str(caught.value).splitlines()
    assert lines[1].startswith("  row 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 10 more: rating is")
    assert lines[2].startswith("  row 2: degradation_type is none of")
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "it is no table"),
        (b"\xff\xfe\x00", "it is no table"),
        (RELEASE.files["pmqd.csv"].replace("ö".encode(), b"\xf6"), "it is no table"),
        (RELEASE.files["audio.tgz"], "it (is no table|lacks the columns)"),
        (b"id,genre\n1,Funk\n", "it lacks the columns .*'artist'"),
        (RELEASE.files["pmqd.csv"].splitlines()[0], "it has no rows"),
        (RELEASE.files["pmqd.csv"] + b"9999,Funk\n", "row 120: rating is no number"),
    ],
    ids=["empty", "binary", "latin-1", "archive", "two columns", "no rows", "short row"],
)
def test_what_is_no_such_table(data, problem):
    with pytest.raises(ValueError, match=f"(?s)The table of PMQD cannot be used:.*{problem}"):
        read_table(data)


def test_a_row_with_more_cells_than_columns():
    lines = RELEASE.files["pmqd.csv"].splitlines()
    lines[5] += b",more"
    with pytest.raises(ValueError, match="it is no table"):
        read_table(b"\n".join(lines))


def test_clips_without_an_original():
    table = read_table(RELEASE.files["pmqd.csv"])
    with pytest.raises(ValueError, match=r"row 24(, \d+){3}: no original has the same \['genre'"):
        pair_clips(table.drop(index=5).reset_index(drop=True))
    noise = table[table["degradation_type"] == "noise"].index[0]
    again = table.loc[[noise]].assign(id=9999, sample_filename="again.wav")
    with pytest.raises(ValueError, match="row 120: no original has the same"):
        pair_clips(pd.concat([table, again], ignore_index=True))


def test_excerpts_from_the_same_place_are_paired_in_their_order(server, tmp_path, monkeypatch):
    # The third excerpt of a song starts where the first does.
    song = RELEASE.table[["genre", "artist", "title"]].apply(tuple, axis=1) == SONGS[2]
    table = RELEASE.table.copy()
    table.loc[song & (table["sample_start"] == 12), "sample_start"] = 90
    publish(server, monkeypatch, {"pmqd.csv": table.to_csv(index=False).encode()})
    with pytest.warns(UserWarning, match=r"1 originals start .* \(id 8\)") as caught:
        data = fetch(tmp_path)
    assert caught[0].filename == __file__
    frame = data.frame[(data.groups == "Funk / null / 1999") & (data.frame["sample_start"] == 90)]
    assert_array_equal(
        frame.groupby("condition")["reference_id"].apply(list).tolist(), [[6, 8]] * 4
    )
