"""PMQD, the Perceived Music Quality Dataset: downloaded when asked, checked, paired."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from sklearn.utils import Bunch

from skperceptual.datasets.pmqd_table import ORIGINAL, pair_clips, read_table
from skperceptual.utils._sklearn import StrOptions, validate_params
from skperceptual.utils.archives import extract_tar_gz
from skperceptual.utils.data_home import ENVIRONMENT_VARIABLE, get_data_home
from skperceptual.utils.downloads import download
from skperceptual.utils.file_locks import exclusive
from skperceptual.utils.messages import in_a_line

_SR = 48000
# There are 975 clips of 1.2 or 1.6 MB, and what an archiver may have put beside each.
_MAX_MEMBERS = 4000
_MAX_CLIP_BYTES = 4_000_000


class _RemoteFile(NamedTuple):
    """What is known of a file before it is downloaded."""

    url: str
    size: int
    sha256: str


class _RemoteArchive(NamedTuple):
    """The same of an archive, and about how large it is when unpacked."""

    url: str
    size: int
    sha256: str
    unpacked_size: int


_RELEASE = "https://github.com/carlthome/pmqd/releases/download/v1.0.0"
_TABLE = _RemoteFile(
    f"{_RELEASE}/pmqd.csv",
    112_376,
    "d605acc08409a2fea869d8ddff86f526a3c3be74f9082c8ae882bc0d8786fa47",
)
# 975 clips of 201 984 samples, stereo, with headers.
_ARCHIVES = {
    "audio": _RemoteArchive(
        f"{_RELEASE}/audio.tgz",
        972_567_883,
        "d07d1e75efe17b4bf1497bab5d4f84dbacab98d703b6ad329e4fa19df23b13c0",
        1_190_000_000,
    ),
    "audio32": _RemoteArchive(
        f"{_RELEASE}/audio32.tgz",
        1_072_572_299,
        "5d866f5795b24cd5534f82b061868706af0469f3aa5ff0dee173d4a853a5654a",
        1_580_000_000,
    ),
}

_DESCRIPTION = """\
PMQD, the Perceived Music Quality Dataset
-----------------------------------------
{n_pairs} pairs of {n_songs} songs, subset {subset!r}, of:

975 clips of 4.208 s, 48 kHz, stereo: 195 originals (13 genres, 5 songs of each, 3 excerpts of each
song) and four degraded versions of each, made with plug-ins of REAPER at an intensity drawn from 0
to 100 for every clip: waveshaping distortion, a limiter (its threshold lowered by up to 30 dB), a
low-pass filter (24 dB per octave, from 20 kHz down to 1 kHz) and noise (from -25 to 0 dB).

Ratings
    "How do you rate the audio quality of this music segment?" 1 bad, 2 poor, 3 fair, 4 good,
    5 excellent. Crowd workers heard ten clips each over loudspeakers or headphones, WITHOUT the
    original. 488 tasks gave 4880 votes, at least 5 a clip; the rating of a clip is their median.
    Single votes were not published. Originals are rated 4.02 on average, not 5, and the limiter's
    intensity hardly changes its ratings.

Pairs
    The reference of a degraded clip is the original of the same genre, artist, title and start.
    The files are stereo; LoadAudio makes one channel of them, by default the mean.

Split
    Training and test clips as in [2]: all excerpts of the last song of each genre are for testing
    (13 songs, 156 pairs), the rest for training (52 songs, 624 pairs). Which song is the last the
    paper does not say; here it is the one that comes last in the table, by the id of its first
    clip.

Source
    A. Hilmkil, C. Thomé and A. Arpteg (Peltarion and Epidemic Sound),
    https://github.com/carlthome/pmqd, release 1.0.0.

Licence
    The repository states none for the recordings: all rights are reserved. Do not pass them on.

References
    [1] A. Hilmkil, C. Thomé and A. Arpteg, "Perceiving music quality with GANs",
        arXiv:2006.06287, 2020. To be cited by whoever uses the data.
    [2] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra and J. Malo, "What you hear is
        what you see: audio quality from image quality metrics", DAFx 2023.
"""


@validate_params(
    {
        "data_home": [str, os.PathLike, None],
        "subset": [StrOptions({"all", "train", "test"})],
        "audio": [StrOptions(set(_ARCHIVES))],
        "include_originals": ["boolean"],
        "download_if_missing": ["boolean"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_pmqd(
    *,
    data_home: str | os.PathLike[str] | None = None,
    subset: str = "all",
    audio: str = "audio",
    include_originals: bool = False,
    download_if_missing: bool = True,
    verbose: bool | int = 1,
) -> Bunch:
    """Load PMQD, the Perceived Music Quality Dataset: real music, rated by people.

    The first call downloads 1.0 GB and needs 2.2 GB of disk space while it unpacks (1.1 and
    2.7 GB for ``audio="audio32"``). When it is interrupted, the next call continues. Later calls
    read the table alone, in milliseconds, and need no network.

    Parameters
    ----------
    data_home : path-like, default=None
        The folder for data; see :func:`get_data_home`. PMQD goes into its folder ``pmqd``.
    subset : {"all", "train", "test"}, default="all"
        Which songs: ``"test"`` are the last song of each genre (13 songs, 156 pairs), ``"train"``
        the others (52 songs, 624 pairs).
    audio : {"audio", "audio32"}, default="audio"
        Which recordings: 24 or 32 bits a sample.
    include_originals : bool, default=False
        Whether to include the originals, each paired with itself (a hidden reference), under the
        condition ``"original"``: 195 more pairs.
    download_if_missing : bool, default=True
        Whether to download what is not there; if not, that is an error.
    verbose : bool or int, default=1
        Whether to show progress bars.

    Returns
    -------
    Bunch
        ``pairs`` : DataFrame of shape (n_pairs, 2)
            The files, absolute names, in the columns ``reference`` and ``degraded``: what
            :class:`~skperceptual.LoadAudio` reads.
        ``target`` : ndarray of shape (n_pairs,), float64
            Ratings of the degraded clips, medians of at least five votes from 1 to 5.
        ``groups`` : ndarray of shape (n_pairs,)
            Songs, as ``"genre / artist / title"``.
        ``condition`` : ndarray of shape (n_pairs,)
            ``"distortion"``, ``"limiter"``, ``"lowpass"``, ``"noise"`` or ``"original"``.
        ``sr`` : int
            Sampling rate of the files in Hz, 48000.
        ``frame`` : DataFrame of n_pairs rows
            Everything known of each pair, in the order of ``id``: ``id`` of the degraded clip,
            ``song``, ``genre``, ``artist``, ``title``, ``sample_start`` (of the excerpt in the
            song, in seconds), ``condition``, ``intensity`` (0 to 100), ``severity`` (the same
            from 0 to 1), ``rating``, ``reference_id``, ``reference_rating`` (of the original),
            ``split``, and the files ``reference`` and ``degraded`` as named in
            ``<data_home>/pmqd``.
        ``DESCR`` : str
            What the data are, how people were asked, and what to cite.

    Raises
    ------
    OSError
        The data are missing and not to be downloaded; the download failed (call again to
        continue); the disk is full, or the folder cannot be written to; or audio files are
        missing from the folder.
    ValueError
        A parameter is out of range, or the table or the archive holds what it should not.

    See Also
    --------
    make_rated_music : Simulated ratings of synthesised music, without a download.
    load_rated_pairs : A table of your own.

    Notes
    -----
    Both files are checked against the SHA-256 that their authors published before anything in
    them is read. The archive is deleted when it is unpacked. On a machine without network, put
    ``pmqd.csv`` and ``audio.tgz`` into ``<data_home>/pmqd`` by hand: they are used as they are.

    The paper [2]_ tests on the last song of each genre and does not say which one that is. Here
    it is the one whose first clip has the highest ``id``; this reading is ours.

    The recordings come without a licence: all rights are reserved.

    References
    ----------
    .. [1] A. Hilmkil, C. Thomé and A. Arpteg, "Perceiving music quality with GANs",
       arXiv:2006.06287, 2020.
    .. [2] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra and J. Malo, "What you hear is
       what you see: audio quality from image quality metrics", DAFx 2023, section 4.1.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skperceptual import LoadAudio, MelSpectrogram, NLPDRegressor
    >>> from skperceptual.datasets import fetch_pmqd
    >>> metric = make_pipeline(LoadAudio(sr=16000), MelSpectrogram(sr=16000), NLPDRegressor())
    >>> train = fetch_pmqd(subset="train")  # doctest: +SKIP
    >>> metric.fit(train.pairs, train.target)  # doctest: +SKIP
    """
    folder = get_data_home(data_home) / "pmqd"
    table = folder / "pmqd.csv"
    clips = folder / audio
    data = _read_if_intact(table)
    if data is None or not clips.is_dir():
        if not download_if_missing:
            raise OSError(
                f"PMQD is not in {folder}: looked for pmqd.csv with the published SHA-256 and the "
                f"folder {audio}. Call fetch_pmqd with download_if_missing=True to download it, "
                f"or name the folder that has it by data_home or the environment variable "
                f"{ENVIRONMENT_VARIABLE}."
            )
        data = _download(folder, table, clips, _ARCHIVES[audio], verbose)
    frame = pair_clips(read_table(data))
    _check_clips(clips, frame["degraded"])
    if subset != "all":
        frame = frame[frame["split"] == subset]
    if not include_originals:
        frame = frame[frame["condition"] != ORIGINAL]
    columns = ["reference", "degraded"]
    frame = frame.reset_index(drop=True)
    frame[columns] = audio + "/" + frame[columns]
    return Bunch(
        pairs=frame[columns].map(lambda name: str(folder / name)),
        target=frame["rating"].to_numpy(),
        groups=frame["song"].to_numpy(),
        condition=frame["condition"].to_numpy(),
        sr=_SR,
        frame=frame,
        DESCR=_DESCRIPTION.format(
            n_pairs=len(frame), n_songs=frame["song"].nunique(), subset=subset
        ),
    )


def _read_if_intact(table: Path) -> bytes | None:
    """Read the table; None unless it is there and has the published hash."""
    try:
        data = table.read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == _TABLE.sha256 else None


def _download(
    folder: Path, table: Path, clips: Path, remote: _RemoteArchive, verbose: bool | int
) -> bytes:
    """Download what is missing; give the table."""
    _make_writable(folder)
    archive = folder / remote.url.rpartition("/")[2]
    # Another process may be at it: wait, and find everything there.
    with exclusive(folder / ".lock", verbose=verbose):
        download(_TABLE.url, table, size=_TABLE.size, sha256=_TABLE.sha256, verbose=verbose)
        data = table.read_bytes()
        # Unpacking makes the folder as a whole, so what is there is complete.
        if not clips.is_dir():
            _check_space(archive, remote)
            download(remote.url, archive, size=remote.size, sha256=remote.sha256, verbose=verbose)
            extract_tar_gz(
                archive,
                clips,
                folder=clips.name,
                max_members=_MAX_MEMBERS,
                max_bytes=2 * remote.unpacked_size,
                max_file_bytes=_MAX_CLIP_BYTES,
                verbose=verbose,
            )
            archive.unlink()
    return data


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(
            error.errno,
            f"{error.strerror}; the data cannot be kept there. Name another folder by data_home "
            f"or the environment variable {ENVIRONMENT_VARIABLE}",
            str(folder),
        ) from error


def _check_space(archive: Path, remote: _RemoteArchive) -> None:
    """See that the disk takes the archive and what is in it, before a gigabyte has come."""
    part = archive.with_name(f"{archive.name}.part")
    present = sum(path.stat().st_size for path in (archive, part) if path.exists())
    needed = remote.unpacked_size + max(0, remote.size - present)
    free = shutil.disk_usage(archive.parent).free
    if free < needed:
        raise OSError(
            errno.ENOSPC,
            f"{needed / 1e9:.1f} GB are needed while PMQD is unpacked, and "
            f"{remote.unpacked_size / 1e9:.1f} GB after that; {free / 1e9:.1f} GB are free on this "
            "disk. Make room, or name a folder on another disk by data_home or the environment "
            f"variable {ENVIRONMENT_VARIABLE}",
            str(archive.parent),
        )


def _check_clips(folder: Path, names: Iterable[str]) -> None:
    """Refuse a folder that lacks recordings; whether they are whole, LoadAudio sees."""
    with os.scandir(folder) as entries:
        present = {entry.name for entry in entries if entry.is_file() and entry.stat().st_size}
    missing = sorted(set(names) - present)
    if missing:
        raise OSError(
            f"{len(missing)} recordings of PMQD are missing from {folder}, or empty: "
            f"{in_a_line(missing)}. Delete that folder, and the next call downloads it again."
        )
