"""Unpacking: what is in good archives, nothing of bad ones."""

from __future__ import annotations

import gzip
import io
import os
import random
import stat
import tarfile
import tempfile
import threading
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from skperceptual.utils import archives
from skperceptual.utils.archives import ArchiveError, extract_tar_gz

LIMITS = {"max_members": 50, "max_bytes": 1_000_000, "max_file_bytes": 500_000}
FILES = {
    "data/a.wav": random.Random(0).randbytes(70_001),
    "data/sub/b.wav": b"",
    "data/ünïcode — 音.txt": b"text" * 128,
    "data/" + 150 * "n": b"long",
    "beside.txt": b"beside",
}


def entry(name, *, kind=tarfile.REGTYPE, content=b"", **fields):
    member = tarfile.TarInfo(name)
    member.type = kind
    member.size = len(content)
    for field, value in fields.items():
        setattr(member, field, value)
    return member, content


def tar_of(*entries, tar_format=tarfile.PAX_FORMAT):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tar_format) as tar:
        for member, content in entries:
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def good_tar(**options):
    return tar_of(*[entry(name, content=content) for name, content in FILES.items()], **options)


def write(path, tar):
    path.write_bytes(gzip.compress(tar, compresslevel=1))
    return path


def content_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def extract(home, tar, **options):
    return extract_tar_gz(write(home / "a.tgz", tar), home / "out", **(LIMITS | options))


def assert_refused(home, tar, message, **options):
    with pytest.raises(ArchiveError, match=rf"(?s)a\.tgz .*{message}.*Nothing was unpacked"):
        extract(home, tar, **options)
    assert sorted(path.name for path in home.iterdir()) == ["a.tgz"]


# --- good archives ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
)
def test_everything_is_unpacked(tmp_path, tar_format):
    files = dict(FILES)
    if tar_format == tarfile.USTAR_FORMAT:
        del files["data/" + 150 * "n"]
    tar = tar_of(*[entry(n, content=c) for n, c in files.items()], tar_format=tar_format)
    assert extract(tmp_path, tar) == tmp_path / "out"
    assert content_of(tmp_path / "out") == files
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tgz", "out"]


def test_one_folder_of_an_archive(tmp_path):
    extract(tmp_path, good_tar(), folder="data")
    expected = {n.removeprefix("data/"): c for n, c in FILES.items() if n.startswith("data/")}
    assert content_of(tmp_path / "out") == expected


@pytest.mark.parametrize("name", ["other", "dat", "data/sub", "a"])
def test_a_folder_that_is_not_there(tmp_path, name):
    tar = tar_of(entry("data/sub/x", content=b"x"), entry("a", content=b"a file"))
    assert_refused(tmp_path, tar, f"holds no folder '{name}'", folder=name)


def test_folders_that_are_named_again_and_dots(tmp_path):
    tar = tar_of(
        entry(".", kind=tarfile.DIRTYPE),
        entry("./data/", kind=tarfile.DIRTYPE),
        entry("./data/a", content=b"1"),
        entry("data", kind=tarfile.DIRTYPE),
        entry("data//empty/", kind=tarfile.DIRTYPE),
        entry("data/b", content=b"2"),
    )
    extract(tmp_path, tar)
    assert content_of(tmp_path / "out") == {"data/a": b"1", "data/b": b"2"}
    assert (tmp_path / "out" / "data" / "empty").is_dir()


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_permissions_owners_and_times_are_not_taken_over(tmp_path):
    fields = {"mode": 0o6777, "uid": 12345, "gid": 12345, "mtime": 1}
    tar = tar_of(
        entry("data", kind=tarfile.DIRTYPE, **(fields | {"mode": 0})),
        entry("data/a", content=b"1", **fields),
    )
    extract(tmp_path, tar)
    (tmp_path / "mine").touch()
    expected = (tmp_path / "mine").stat()
    found = (tmp_path / "out" / "data" / "a").stat()
    assert stat.S_IMODE(found.st_mode) == stat.S_IMODE(expected.st_mode)
    assert (found.st_uid, found.st_gid) == (expected.st_uid, expected.st_gid)
    assert found.st_mtime > 1e9


def test_pythons_whose_tarfile_has_no_filters(tmp_path, monkeypatch):
    for name in ("data_filter", "tar_filter", "fully_trusted_filter"):
        monkeypatch.delattr(tarfile, name, raising=False)
    extract(tmp_path, good_tar())
    assert content_of(tmp_path / "out") == FILES


def test_progress(tmp_path, capsys):
    extract(tmp_path, good_tar())
    assert capsys.readouterr().err == ""
    (tmp_path / "out").rename(tmp_path / "other")
    extract(tmp_path, good_tar(), verbose=1)
    assert "unpacking a.tgz" in capsys.readouterr().err


def test_a_destination_that_exists_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(FileExistsError, match="out exists already"):
        extract(tmp_path, good_tar())
    assert content_of(tmp_path / "out") == {"mine": b""}


# --- what is refused ----------------------------------------------------------------------

GOOD = entry("data/a", content=b"good")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/etc/passwd", "is absolute"),
        ("//server/share", "is absolute"),
        ("..", "leads out of the folder"),
        ("../evil", "leads out of the folder"),
        ("data/../../evil", "leads out of the folder"),
        ("data/..", "leads out of the folder"),
        ("C:/evil", "is not allowed on every system"),
        ("C:evil", "is not allowed on every system"),
        ("data/a:stream", "is not allowed on every system"),
        ("..\\evil", "is not allowed on every system"),
        ("\\evil", "is not allowed on every system"),
        ("data/a\nb", "is not allowed on every system"),
        ("data/a.", "is not allowed on every system"),
        ("data /a", "is not allowed on every system"),
        ("data/NUL", "is not allowed on every system"),
        ("com1.wav/a", "is not allowed on every system"),
        ("data/\udcff", "is not allowed on every system"),
        ("n/" * 600, "is too long"),
        (".", "is empty"),
        ("./", "is empty"),
    ],
)
def test_names_that_lead_elsewhere(tmp_path, name, reason):
    bad = entry(name, content=b"evil")
    for entries in ([GOOD, bad], [bad, GOOD]):
        tar = tar_of(*entries, tar_format=tarfile.GNU_FORMAT)
        assert_refused(tmp_path, tar, f"holds a member whose name {reason}: '")
        # Beside the folder that is asked for, too.
        assert_refused(tmp_path, tar, f"holds a member whose name {reason}: '", folder="data")
    assert not (tmp_path.parent / "evil").exists()


@pytest.mark.parametrize(
    ("kind", "target", "reason"),
    [
        (tarfile.SYMTYPE, "/etc/passwd", "a symbolic link"),
        (tarfile.SYMTYPE, "a", "a symbolic link"),
        (tarfile.LNKTYPE, "data/a", "a hard link"),
        (tarfile.LNKTYPE, "/etc/passwd", "a hard link"),
        (tarfile.CHRTYPE, "", "a device"),
        (tarfile.BLKTYPE, "", "a device"),
        (tarfile.FIFOTYPE, "", "a named pipe"),
        (tarfile.CONTTYPE, "", "of unknown kind"),
        (b"Z", "", "of unknown kind"),
    ],
)
def test_kinds_that_are_not_unpacked(tmp_path, kind, target, reason):
    tar = tar_of(GOOD, entry("data/bad", kind=kind, linkname=target))
    assert_refused(tmp_path, tar, f"holds 'data/bad', which is {reason}; only files and folders")


def test_writing_through_a_link(tmp_path):
    tar = tar_of(
        entry("data", kind=tarfile.SYMTYPE, linkname=str(tmp_path)), entry("data/evil", content=b"")
    )
    assert_refused(tmp_path, tar, "holds 'data', which is a symbolic link")


def test_sparse_files(tmp_path):
    old = bytearray(tar_of(entry("data/s", kind=tarfile.GNUTYPE_SPARSE)))
    assert_refused(tmp_path, bytes(old), "holds 'data/s', which is a sparse file")
    member, _ = entry("data/s")
    member.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": "0,0",
        "GNU.sparse.size": "400000",
    }
    assert_refused(tmp_path, tar_of((member, b"")), "which is a sparse file")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("data/b", "data/b"),
        ("data/b", "./data//b"),
        ("data/b.wav", "data/B.WAV"),
        ("data/b", "Data/c"),
        ("data/é", "data/e\u0301"),
        ("data/straße", "data/STRASSE"),
        ("data/b", "data/b/c"),
        ("data/b/c", "data/b"),
    ],
)
def test_names_that_collide(tmp_path, first, second):
    tar = tar_of(entry(first, content=b"1"), entry(second, content=b"2"))
    assert_refused(tmp_path, tar, "which collides with '")


def test_folders_that_collide_with_files(tmp_path):
    for entries in (
        [entry("a", content=b"1"), entry("a", kind=tarfile.DIRTYPE)],
        [entry("a", kind=tarfile.DIRTYPE), entry("a", content=b"1")],
        [entry("a", kind=tarfile.DIRTYPE), entry("A", kind=tarfile.DIRTYPE)],
    ):
        assert_refused(tmp_path, tar_of(*entries), "collides with 'a'")


# --- limits -------------------------------------------------------------------------------


def test_limits_are_inclusive(tmp_path):
    n_bytes = sum(map(len, FILES.values()))
    longest = max(map(len, FILES.values()))
    extract(tmp_path, good_tar(), max_members=5, max_bytes=n_bytes, max_file_bytes=longest)
    (tmp_path / "out").rename(tmp_path.with_suffix(".done"))
    tar = good_tar()
    assert_refused(tmp_path, tar, "holds more than 4 files and folders", max_members=4)
    assert_refused(
        tmp_path, tar, f"unpacks to more than {n_bytes - 1} bytes", max_bytes=n_bytes - 1
    )
    message = f"'data/a.wav' of {longest} bytes, more than {longest - 1}"
    assert_refused(tmp_path, tar, message, max_file_bytes=longest - 1)


def test_bombs_are_refused_without_unpacking_them(tmp_path):
    zeros = gzip.compress(bytes(20_000_000))
    for size in (400_000, 10**12):
        header = entry("data/bomb", size=size)[0].tobuf(tarfile.GNU_FORMAT)
        # gzip archives can be appended to one another: 4 GB of zeros, were they all unpacked
        (tmp_path / "a.tgz").write_bytes(gzip.compress(header) + zeros * 200)
        start = time.perf_counter()
        with pytest.raises(ArchiveError, match=r"more than|no header"):
            extract_tar_gz(tmp_path / "a.tgz", tmp_path / "out", **LIMITS)
        assert time.perf_counter() - start < 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tgz"]


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_huge_headers_are_not_read(tmp_path, kind):
    for size in (2**33, 2**24):
        header = entry("x", kind=kind, size=size)[0].tobuf(tarfile.GNU_FORMAT)
        (tmp_path / "a.tgz").write_bytes(gzip.compress(header) + gzip.compress(bytes(2**24)))
        tracemalloc.start()
        try:
            with pytest.raises(ArchiveError, match=rf"it holds a header of {size} bytes"):
                extract_tar_gz(tmp_path / "a.tgz", tmp_path / "out", **LIMITS)
            assert tracemalloc.get_traced_memory()[1] < 2e6
        finally:
            tracemalloc.stop()


def test_many_headers_of_allowed_size_are_counted_too(tmp_path):
    entries = [entry(f"data/{n}", pax_headers={"comment": "x" * 60_000}) for n in range(40)]
    assert_refused(tmp_path, tar_of(*entries), "unpacks to more than", max_bytes=1000)


def test_headers_of_headers_without_end(tmp_path):
    header = entry("x", kind=tarfile.XHDTYPE)[0].tobuf(tarfile.GNU_FORMAT)
    assert_refused(tmp_path, header * 3000 + good_tar(), "is damaged|unpacks to more")


def test_negative_sizes(tmp_path):
    for kind in (tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.DIRTYPE):
        header = bytearray(entry("x", kind=kind)[0].tobuf(tarfile.GNU_FORMAT))
        header[124:136] = b"\xff" + (256**11 - 2**20).to_bytes(11, "big")  # -2**20, as GNU has it
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        assert_refused(tmp_path, bytes(header) + good_tar(), "is damaged")


# --- damage -------------------------------------------------------------------------------


def test_what_is_no_archive(tmp_path):
    for data in (b"", b"text", b"\x1f\x8b", os.urandom(100), gzip.compress(b"text" * 500)):
        (tmp_path / "a.tgz").write_bytes(data)
        with pytest.raises(ArchiveError, match="is damaged"):
            extract_tar_gz(tmp_path / "a.tgz", tmp_path / "out", **LIMITS)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tgz"]
    with pytest.raises(FileNotFoundError):
        extract_tar_gz(tmp_path / "missing.tgz", tmp_path / "out", **LIMITS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tgz"]
    assert_refused(tmp_path, bytes(10240), "is (damaged|empty)")


def unpack_damaged(data):
    """Give what is unpacked of an archive, or None where it is refused, as a whole."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "a.tgz").write_bytes(data)
        try:
            extract_tar_gz(folder / "a.tgz", folder / "out", **LIMITS)
        except ArchiveError:
            assert [path.name for path in folder.iterdir()] == ["a.tgz"]
            return None
        assert sorted(path.name for path in folder.iterdir()) == ["a.tgz", "out"]
        return content_of(folder / "out")


PACKED = gzip.compress(good_tar(), compresslevel=1)


@given(st.integers(0, len(PACKED) - 1))
@settings(max_examples=40)
def test_truncated_archives_are_refused(n_bytes):
    assert unpack_damaged(PACKED[:n_bytes]) is None


@given(st.integers(0, 8 * len(PACKED) - 1))
@settings(max_examples=60)
def test_flipped_bits_are_found(bit):
    data = bytearray(PACKED)
    data[bit // 8] ^= 1 << bit % 8
    # Of the header of gzip, little matters: time, system, name.
    assert unpack_damaged(bytes(data)) in (None, FILES)


@given(st.sampled_from(range(len(FILES))), st.integers(0, 8 * 512 - 1))
@settings(max_examples=60)
def test_damaged_headers_end_no_archive_early(n_member, bit):
    tar = bytearray(good_tar(tar_format=tarfile.GNU_FORMAT))
    with tarfile.open(fileobj=io.BytesIO(tar)) as readable:
        offset = readable.getmembers()[n_member].offset
    tar[offset + bit // 8] ^= 1 << bit % 8
    # Of the checksum, the blanks do not matter.
    assert unpack_damaged(gzip.compress(tar, compresslevel=1)) in (None, FILES)


# --- interruptions and company ------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch, error):
    content = archives._Stream.content

    def interrupted(self, member):
        yield from content(self, member)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(archives._Stream, "content", interrupted)
        with pytest.raises((KeyboardInterrupt, OSError)):
            extract(tmp_path, good_tar())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tgz"]
    extract(tmp_path, good_tar())


def test_what_a_killed_process_left_behind_is_removed(tmp_path):
    left = tmp_path / ".out.unpacking"
    (left / "data").mkdir(parents=True)
    (left / "data" / "left.wav").touch()
    extract(tmp_path, good_tar())
    assert content_of(tmp_path / "out") == FILES
    assert not left.exists()


def test_threads_that_unpack_the_same(tmp_path):
    archive = write(tmp_path / "a.tgz", good_tar())
    results = []

    def work():
        try:
            extract_tar_gz(archive, tmp_path / "out", **LIMITS)
            results.append("unpacked")
        except FileExistsError:
            results.append("exists")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["exists"] * 3 + ["unpacked"]
    assert content_of(tmp_path / "out") == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tgz", "out"]
