"""Weights that are downloaded: only when asked, to where they are looked for, and checked."""

from __future__ import annotations

import hashlib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from skperceptual.datasets.embedding_weights import fetch_openl3_weights, fetch_vggish_weights
from skperceptual.embeddings.weights import registry, weights_home
from skperceptual.utils.downloads import DownloadError

CONTENT = b"these would be weights" * 1000


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, *args):
        pass  # whoever has read enough hangs up


class WithoutLength(QuietHandler):
    def send_header(self, keyword, value):
        if keyword != "Content-Length":
            super().send_header(keyword, value)


@pytest.fixture(params=[QuietHandler, WithoutLength])
def server(request, tmp_path, monkeypatch):
    folder = tmp_path / "server"
    folder.mkdir()
    handler = partial(request.param, directory=str(folder))
    with QuietServer(("127.0.0.1", 0), handler) as http:
        thread = Thread(target=http.serve_forever)
        thread.start()
        files = []
        blob = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
        sha256 = hashlib.sha256(CONTENT).hexdigest()
        for file in registry.FILES:
            (folder / file.name).write_bytes(CONTENT)
            url = f"http://127.0.0.1:{http.server_port}/{file.name}"
            known = {
                "size": file.size and len(CONTENT),
                "sha256": file.sha256 and sha256[: len(file.sha256)],
                "git_blob": file.git_blob and blob,
            }
            files.append(file._replace(url=url, largest=10**5, **known))
        monkeypatch.setattr(registry, "FILES", tuple(files))
        monkeypatch.setattr("skperceptual.utils.downloads._FIRST_WAIT_SECONDS", 0.0)
        yield folder
        http.shutdown()
        thread.join()


CALLS = [
    fetch_vggish_weights,
    partial(fetch_vggish_weights, "pca"),
    fetch_openl3_weights,
    partial(fetch_openl3_weights, "linear", "env"),
]
each_call = pytest.mark.parametrize("fetch", CALLS)


@each_call
def test_downloaded_once_and_found(server, fetch):
    with pytest.raises(OSError, match="download_if_missing=True"):
        fetch(download_if_missing=False)
    path = fetch(verbose=0)
    assert path.parent == weights_home()
    assert path.read_bytes() == CONTENT
    for file in server.iterdir():
        file.unlink()
    assert fetch(verbose=0) == fetch(download_if_missing=False) == path
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_the_folder_can_be_named(server, tmp_path):
    path = fetch_openl3_weights("mel128", data_home=tmp_path / "mine", verbose=0)
    assert path == tmp_path / "mine" / "weights" / "openl3_audio_mel128_music-v0_4_0.h5.gz"


@each_call
@pytest.mark.parametrize("change", [b"x" + CONTENT[1:], CONTENT[:-1], CONTENT + b"x", b""])
def test_other_content_is_refused_and_leaves_nothing(server, fetch, change):
    for file in server.iterdir():
        file.write_bytes(change)
    with pytest.raises(DownloadError):
        fetch(verbose=0)
    assert not any(p.suffix in (".pth", ".gz", ".npz") for p in weights_home().iterdir())


def test_more_than_there_can_be_is_not_received(server):
    for file in server.iterdir():
        file.write_bytes(b"\0" * 200_000)
    with pytest.raises(DownloadError):
        fetch_openl3_weights(verbose=0)


def test_a_missing_file_is_told(server):
    for file in server.iterdir():
        file.unlink()
    with pytest.raises(DownloadError, match="404"):
        fetch_openl3_weights(verbose=0)


def test_wrong_requests():
    with pytest.raises(ValueError, match="'input_repr' parameter of fetch_openl3_weights"):
        fetch_openl3_weights("mel64")
    with pytest.raises(ValueError, match="'part' parameter of fetch_vggish_weights"):
        fetch_vggish_weights("postprocessing")
