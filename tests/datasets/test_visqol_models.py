"""Google's maps: downloaded to where ViSQOL looks for them, checked, never asked for twice."""

from __future__ import annotations

import hashlib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest

from skperceptual import ViSQOL
from skperceptual.datasets import fetch_visqol_model, visqol_models
from skperceptual.utils.downloads import DownloadError

MODEL = (
    b"svm_type nu_svr\nkernel_type rbf\ngamma 0.1\nnr_class 2\ntotal_sv 1\nrho -3\nSV\n0.5 1:1\n"
)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    folder = tmp_path / "server"
    folder.mkdir()
    remote = visqol_models._RemoteModel("svr.txt", len(MODEL), hashlib.sha256(MODEL).hexdigest())
    (folder / remote.name).write_bytes(MODEL)
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = Thread(target=http.serve_forever)
        thread.start()
        monkeypatch.setattr(visqol_models, "_ADDRESS", f"http://127.0.0.1:{http.server_port}")
        monkeypatch.setattr(visqol_models, "_MODELS", {"svr": remote})
        monkeypatch.setenv("SKPERCEPTUAL_DATA", str(tmp_path / "data"))
        yield folder / remote.name
        http.shutdown()
        thread.join()


def test_model_is_downloaded_once_and_used(server, rng):
    with pytest.raises(OSError, match="download_if_missing=True"):
        fetch_visqol_model(download_if_missing=False)
    path = fetch_visqol_model(verbose=0)
    server.unlink()
    assert fetch_visqol_model(verbose=0) == fetch_visqol_model(download_if_missing=False) == path
    clip = rng.standard_normal(48000)
    rating = ViSQOL(model=path).predict([(clip, clip)])
    np.testing.assert_allclose(rating, 3 + 0.5 * np.exp(-0.1 * 31))


def test_another_file_is_refused(server):
    server.write_bytes(MODEL.replace(b"0.1", b"0.2"))
    with pytest.raises(DownloadError, match="not the expected file"):
        fetch_visqol_model(verbose=0)


def test_models_are_pinned(shared):
    folder = shared / "data" / "visqol"
    for remote in visqol_models._MODELS.values():
        data = (folder / remote.name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (remote.size, remote.sha256)
    assert "38d0b0163e441047d4429bf07ad09e5b9031d02c" in visqol_models._ADDRESS
