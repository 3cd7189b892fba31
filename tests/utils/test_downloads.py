"""Downloads from a local server that breaks off, lies, stalls, and now and then behaves."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.request import Request

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from skperceptual.utils import downloads, http_requests
from skperceptual.utils.downloads import download, is_intact
from skperceptual.utils.http_requests import DownloadError

CONTENT = np.random.default_rng(0).bytes(200_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


# --- a server, and the ways in which it answers -------------------------------------------


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        with server.lock:
            server.ranges.append(self.headers.get("Range"))
            answer = server.script.pop(0) if server.script else serve
        self.close_connection = True
        answer(self)

    def start(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def send(self, body):
        for place in range(0, len(body), 4096):
            self.wfile.write(body[place : place + 4096])

    def log_message(self, *arguments):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}/file.bin"
        self.reset()

    def reset(self, *script):
        self.script = list(script)
        self.ranges = []
        self.n_sent = 0
        self.heard_out = False

    def handle_error(self, request, client_address):
        """Clients that hang up are what these tests are about."""


def serve(handler, *, body=CONTENT, drop_after=None, ranges=True):
    """Answer as one should, all of it or the part that is asked for, or break off."""
    asked = handler.headers.get("Range")
    if asked and ranges:
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(body):
            handler.start(416, Content_Range=f"bytes */{len(body)}", Content_Length=0)
            return
        content_range = f"bytes {start}-{len(body) - 1}/{len(body)}"
        handler.start(206, Content_Range=content_range, Content_Length=len(body) - start)
    else:
        start = 0
        handler.start(200, Content_Length=len(body))
    sent = body[start:] if drop_after is None else body[start : start + drop_after]
    handler.server.n_sent += len(sent)
    handler.send(sent)


def without_length(handler, *, body=CONTENT):
    handler.start(200)
    handler.send(body)


def chunked(handler, *, body=CONTENT):
    handler.start(200, Transfer_Encoding="chunked")
    for place in range(0, len(body), 5000):
        block = body[place : place + 5000]
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
    handler.wfile.write(b"0\r\n\r\n")


def endless(handler, *, code=200, **headers):
    """Send more than anybody should listen to."""
    handler.start(code, **headers)
    for _ in range(300):
        handler.send(CONTENT)
    handler.server.heard_out = True


def announcing(n_bytes):
    def answer(handler):
        handler.start(200, Content_Length=n_bytes)
        handler.send(CONTENT[:n_bytes])

    return answer


def status(code, **headers):
    return lambda handler: handler.start(code, Content_Length=0, **headers)


def part(content_range, body=CONTENT):
    def answer(handler):
        handler.start(206, Content_Range=content_range, Content_Length=len(body))
        handler.send(body)

    return answer


def stall(handler):
    handler.start(200, Content_Length=len(CONTENT))
    handler.send(CONTENT[:1000])
    time.sleep(0.5)


def page(handler):
    body = b"<html>Please log in</html>"
    handler.start(200, Content_Type="text/html; charset=utf-8", Content_Length=len(body))
    handler.send(body)


@pytest.fixture(scope="module")
def running():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "127.0.0.1")
        yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server(running, monkeypatch):
    monkeypatch.setattr(downloads, "_FIRST_WAIT_SECONDS", 0.0)
    monkeypatch.setattr(downloads, "_BLOCK", 8192)
    running.reset()
    return running


def fetch(server, path, **options):
    return download(server.url, path, size=len(CONTENT), sha256=SHA256, **options)


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


# --- what arrives -------------------------------------------------------------------------


def test_a_file_arrives_and_nothing_beside_it(server, tmp_path):
    path = tmp_path / "new" / "folder" / "file.bin"
    assert fetch(server, path) == path
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["file.bin"]
    assert server.ranges == [None]


def test_what_is_there_is_not_asked_for_again(server, tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(CONTENT)
    before = path.stat().st_mtime_ns
    assert download(server.url, path, size=len(CONTENT), sha256=SHA256.upper()) == path
    assert server.ranges == []
    assert path.stat().st_mtime_ns == before
    assert names(tmp_path) == ["file.bin"]


def test_another_file_in_its_place_is_replaced(server, tmp_path):
    path = tmp_path / "file.bin"
    for other in (b"short", CONTENT[:-1] + b"x", CONTENT + b"x"):
        path.write_bytes(other)
        assert fetch(server, path).read_bytes() == CONTENT


@pytest.mark.parametrize("answer", [without_length, chunked])
def test_answers_without_a_length(server, tmp_path, answer):
    server.reset(answer)
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT


def test_an_empty_file(server, tmp_path):
    path = tmp_path / "empty"
    download(server.url, path, size=0, sha256=hashlib.sha256().hexdigest())
    assert path.read_bytes() == b""
    assert names(tmp_path) == ["empty"]


def test_progress_is_shown_when_asked_for(server, tmp_path, capsys):
    fetch(server, tmp_path / "a.bin")
    assert capsys.readouterr().err == ""
    server.reset(partial(serve, drop_after=50_000))
    fetch(server, tmp_path / "b.bin", verbose=1)
    shown = capsys.readouterr().err
    assert "b.bin: 100%" in shown
    assert "the connection ended 150000 bytes too early; trying again" in shown


@pytest.mark.parametrize("url", ["file:///etc/hosts", "ftp://a/b", "/etc/hosts", "data:,x", ""])
def test_other_kinds_of_address_are_refused(tmp_path, url):
    with pytest.raises(ValueError, match="Expected an http or https URL"):
        download(url, tmp_path / "a", size=1, sha256=SHA256)
    assert names(tmp_path) == []


def test_sizes_and_hashes_that_cannot_be(tmp_path):
    with pytest.raises(ValueError, match="0 bytes or more; got -1"):
        download("http://a/b", tmp_path / "a", size=-1, sha256=SHA256)
    for sha256 in ("", "abc", SHA256[:-1], SHA256 + "0", "g" * 64, SHA256 + "\n"):
        with pytest.raises(ValueError, match="Expected a SHA-256 of 64"):
            download("http://a/b", tmp_path / "a", size=1, sha256=sha256)


def test_is_intact(tmp_path):
    path = tmp_path / "a"
    assert not is_intact(path, size=len(CONTENT), sha256=SHA256)
    path.write_bytes(CONTENT)
    assert is_intact(path, size=len(CONTENT), sha256=SHA256)
    assert not is_intact(path, size=len(CONTENT) + 1, sha256=SHA256)
    assert not is_intact(path, size=len(CONTENT), sha256=64 * "0")
    assert not is_intact(tmp_path, size=tmp_path.stat().st_size, sha256=SHA256)


# --- going on where it ended --------------------------------------------------------------


@given(st.integers(1, len(CONTENT) - 1))
@settings(max_examples=25)
def test_only_the_rest_is_transferred(running, n_present):
    running.reset()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.bin")
        Path(folder, "file.bin.part").write_bytes(CONTENT[:n_present])
        fetch(running, path)
        assert path.read_bytes() == CONTENT
        assert names(Path(folder)) == ["file.bin"]
    assert running.ranges == [f"bytes={n_present}-"]
    assert running.n_sent == len(CONTENT) - n_present


@given(st.lists(st.integers(0, 80_000), max_size=4), st.booleans())
@settings(max_examples=25)
def test_connections_that_drop_anywhere(running, drops, ranges):
    # More than one attempt without progress waits; four of them stay below the limit.
    running.reset(*[partial(serve, drop_after=n, ranges=ranges) for n in drops])
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(downloads, "_FIRST_WAIT_SECONDS", 0.0)
        path = Path(folder, "file.bin")
        fetch(running, path)
        assert path.read_bytes() == CONTENT
        assert names(Path(folder)) == ["file.bin"]
    if ranges:
        assert running.n_sent == len(CONTENT)


def test_a_complete_part_needs_no_request(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.ranges == []


@pytest.mark.parametrize(
    "wrong", [CONTENT[:-1] + b"x", CONTENT + b"x"], ids=["another end", "too long"]
)
def test_a_wrong_part_that_cannot_grow_is_dropped(server, tmp_path, wrong):
    (tmp_path / "file.bin.part").write_bytes(wrong)
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.ranges == [None]


def test_a_server_that_sends_all_when_asked_for_the_rest(server, tmp_path):
    for answer in (partial(serve, ranges=False), without_length, chunked):
        (tmp_path / "file.bin.part").write_bytes(b"x" * 150_000)
        server.reset(answer)
        assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT
        assert server.ranges == ["bytes=150000-"]
        (tmp_path / "file.bin").unlink()


@pytest.mark.parametrize(
    "answer",
    [
        status(416),
        part("bytes 7-199999/200000", CONTENT[7:]),
        part("bytes 99999-199999/200000", CONTENT[99_999:]),
        part("lines 1-2/3"),
        part("bytes 99999999999999999999-1/2"),
        part("bytes */200000"),
        lambda handler: handler.start(206, Content_Length=0),
    ],
)
def test_a_server_that_cannot_send_the_rest_is_asked_for_all(server, tmp_path, answer):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:100_000])
    server.reset(answer)
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.ranges == ["bytes=100000-", None]


def test_parts_where_none_was_asked_for_end_in_an_error(server, tmp_path):
    server.reset(*[part("bytes 7-199999/200000", CONTENT[7:])] * 10)
    with pytest.raises(DownloadError, match=r"another part than it was asked.*5 attempts"):
        fetch(server, tmp_path / "file.bin")
    assert len(server.ranges) == 5
    assert names(tmp_path) == []


def test_a_part_of_something_else_is_found_out_and_the_next_call_succeeds(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(b"x" + CONTENT[1:70_000])
    with pytest.raises(DownloadError, match="expected SHA-256"):
        fetch(server, tmp_path / "file.bin")
    assert names(tmp_path) == []
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT


def test_attempts_are_counted_from_the_last_progress_on(server, tmp_path):
    drops = [partial(serve, drop_after=1000)] * 12
    server.reset(*drops)
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert len(server.ranges) == 13
    # One that starts anew each time gets no further, however much it sends.
    server.reset(*[partial(serve, drop_after=1000, ranges=False)] * 12)
    (tmp_path / "file.bin").unlink()
    with pytest.raises(DownloadError, match="199000 bytes too early, at the last of 5 attempts"):
        fetch(server, tmp_path / "file.bin")
    assert len(server.ranges) == 5
    assert names(tmp_path) == ["file.bin.part"]


# --- what is not the file -----------------------------------------------------------------


@given(st.integers(0, 8 * len(CONTENT) - 1))
@settings(max_examples=15)
def test_a_bit_that_flips_on_its_way(running, bit):
    flipped = bytearray(CONTENT)
    flipped[bit // 8] ^= 1 << bit % 8
    running.reset(partial(serve, body=bytes(flipped)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.bin")
        with pytest.raises(DownloadError) as caught:
            fetch(running, path)
        found = hashlib.sha256(flipped).hexdigest()
        assert f"expected SHA-256 {SHA256}, got {found}. It was deleted" in str(caught.value)
        assert names(Path(folder)) == []
        assert fetch(running, path).read_bytes() == CONTENT


@pytest.mark.parametrize("n_bytes", [0, 1, len(CONTENT) - 1, len(CONTENT) + 1, 10**15])
def test_an_announced_size_that_is_not_the_right_one(server, tmp_path, n_bytes):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    server.reset(announcing(n_bytes))
    with pytest.raises(DownloadError, match=f"expected 200000 bytes, but the server has {n_bytes}"):
        fetch(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin.part").read_bytes() == CONTENT[:1000]


def test_a_part_of_a_file_of_another_size(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    for answer in (
        part("bytes 1000-300000/300001", CONTENT[1000:]),
        part("bytes 1000-1999/*", CONTENT[1000:2000]),
    ):
        server.reset(answer)
        with pytest.raises(DownloadError, match=r"the server has (300001|2000) bytes"):
            fetch(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin.part").read_bytes() == CONTENT[:1000]


@pytest.mark.parametrize(
    "answer",
    [
        endless,
        partial(without_length, body=CONTENT + b"x"),
        partial(chunked, body=CONTENT + b"x"),
        # An announced part that fits, and more than announced.
        part("bytes 1000-199999/200000", CONTENT[1000:] + b"x"),
    ],
)
def test_not_a_byte_too_many_is_written(server, tmp_path, monkeypatch, answer):
    sizes = []
    write = downloads._write

    def recording(file, block):
        write(file, block)
        sizes.append(file.tell())

    monkeypatch.setattr(downloads, "_write", recording)
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    server.reset(answer)
    with pytest.raises(DownloadError, match="expected 200000 bytes, but more came"):
        fetch(server, tmp_path / "file.bin")
    assert max(sizes) <= len(CONTENT)
    assert not server.heard_out
    assert names(tmp_path) == []
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT


def test_a_login_page_costs_nothing_that_has_arrived(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    server.reset(page)
    with pytest.raises(DownloadError, match=r"a web page came\. Open the address in a browser"):
        fetch(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin.part").read_bytes() == CONTENT[:1000]


# --- servers and networks that fail -------------------------------------------------------


@pytest.mark.parametrize("code", [401, 403, 404, 410, 501])
def test_a_refusal_is_final(server, tmp_path, code):
    server.reset(status(code))
    with pytest.raises(DownloadError, match=rf"file\.bin: the server answers {code} \("):
        fetch(server, tmp_path / "file.bin")
    assert len(server.ranges) == 1
    assert names(tmp_path) == []


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_other_failures_are_tried_again(server, tmp_path, code):
    server.reset(status(code), status(code))
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert len(server.ranges) == 3


def test_waits_grow_and_keep_to_what_the_server_asks_for(server, tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr(downloads.time, "sleep", waits.append)
    monkeypatch.setattr(downloads, "_FIRST_WAIT_SECONDS", 1.0)
    server.reset(
        status(500),
        status(503, Retry_After=7),
        status(503, Retry_After=10**5),
        status(503, Retry_After="Fri, 31 Dec 1999 23:59:59 GMT"),
        status(503),
    )
    with pytest.raises(DownloadError, match=r"answers 503 \(.*\), at the last of 5 attempts"):
        fetch(server, tmp_path / "file.bin")
    assert waits == [1, 7, 60, 8]


def test_nobody_listens(server, tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a"
        with pytest.raises(DownloadError, match=r"Connection refused.*Check the connection"):
            download(url, tmp_path / "a", size=1, sha256=SHA256)
    assert names(tmp_path) == []


def test_offline(server, tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    (tmp_path / "a.part").write_bytes(b"123")
    with pytest.raises(DownloadError, match=r"service not known.*call again: 3 of 10 bytes are"):
        download("https://example.org/a", tmp_path / "a", size=10, sha256=SHA256)
    assert names(tmp_path) == ["a.part"]


def test_a_certificate_that_cannot_be_verified(server, tmp_path, monkeypatch):
    n_tried = []

    def fail(self):
        n_tried.append(1)
        error = ssl.SSLCertVerificationError(1, "certificate verify failed")
        error.verify_message = "self-signed certificate"
        raise error

    monkeypatch.setattr(HTTPSConnection, "connect", fail)
    with pytest.raises(DownloadError, match=r"verified \(self-signed certificate\)"):
        download("https://127.0.0.1/a", tmp_path / "a", size=10, sha256=SHA256)
    assert len(n_tried) == 1


def test_a_server_that_falls_silent(server, tmp_path, monkeypatch):
    monkeypatch.setattr(http_requests, "TIMEOUT_SECONDS", 0.1)
    server.reset(stall)
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=1000-"]


@pytest.mark.parametrize(
    "raw",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000],
    ids=["nothing", "nonsense", "long line"],
)
def test_answers_that_are_no_http(server, tmp_path, raw):
    server.reset(lambda handler: handler.wfile.write(raw))
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert len(server.ranges) == 2


def test_damaged_chunks(server, tmp_path):
    def answer(handler):
        handler.start(200, Transfer_Encoding="chunked")
        handler.wfile.write(b"5\r\n%s\r\nnot a number\r\n" % CONTENT[:5])

    server.reset(answer)
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=5-"]


# --- redirections -------------------------------------------------------------------------


def test_redirections_are_followed_and_keep_the_range(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    server.reset(status(302, Location="/else where"), status(307, Location=server.url))
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-"] * 3


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://127.0.0.1/a", "data:,x", "gopher://a/b"]
)
def test_redirections_elsewhere_are_refused(server, tmp_path, location):
    server.reset(status(302, Location=location))
    with pytest.raises(DownloadError, match=f"(?i)redirect.*{location}"):
        fetch(server, tmp_path / "file.bin")
    assert names(tmp_path) == []


def test_a_redirection_from_https_to_http_is_refused():
    redirect = partial(
        http_requests._SafeRedirect().redirect_request, fp=BytesIO(), code=302, msg="", headers={}
    )
    with pytest.raises(DownloadError, match="refused because it leads from https to http"):
        redirect(Request("https://a/b"), newurl="http://a/b")
    assert redirect(Request("https://a/b"), newurl="https://c/d").full_url == "https://c/d"
    assert redirect(Request("http://a/b"), newurl="https://c/d").full_url == "https://c/d"


def test_redirections_in_a_circle(server, tmp_path):
    server.reset(*[status(302, Location=server.url)] * 50)
    with pytest.raises(DownloadError, match="infinite loop"):
        fetch(server, tmp_path / "file.bin")
    assert len(server.ranges) < 15


def test_a_redirection_whose_page_has_no_end(server, tmp_path):
    server.reset(partial(endless, code=302, Location=server.url))
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert not server.heard_out


# --- interruptions, disks, company --------------------------------------------------------


@pytest.mark.parametrize("n_blocks", [0, 1, 7])
def test_an_interruption_keeps_what_has_arrived(server, tmp_path, monkeypatch, n_blocks):
    write, n_written = downloads._write, []

    def interrupted(file, block):
        if len(n_written) == n_blocks:
            raise KeyboardInterrupt
        write(file, block)
        n_written.append(len(block))

    with monkeypatch.context() as patch:
        patch.setattr(downloads, "_write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(server, tmp_path / "file.bin")
    kept = sum(n_written)
    assert names(tmp_path) == (["file.bin.part"] if kept else [])
    server.reset()
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.n_sent == len(CONTENT) - kept
    assert names(tmp_path) == ["file.bin"]


def start_process(server, path, *, before=""):
    # Under a shell that runs tests in the background, children would ignore interruptions.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = (
        f"{heed}\n{before}\nfrom skperceptual.utils.downloads import download\n"
        f"download({server.url!r}, {str(path)!r}, size={len(CONTENT)}, sha256={SHA256!r})"
    )
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_a_process_that_is_ended_leaves_a_part_and_no_lock(server, tmp_path, how):
    half_way, ended = threading.Event(), threading.Event()

    def half(handler):
        handler.start(200, Content_Length=len(CONTENT))
        handler.send(CONTENT[:100_000])
        half_way.set()
        ended.wait(20)

    server.reset(half)
    process = start_process(server, tmp_path / "file.bin")
    try:
        assert half_way.wait(20)
        part_file = tmp_path / "file.bin.part"
        while part_file.stat().st_size < 100_000:
            time.sleep(0.01)
        process.send_signal(getattr(signal, how))
        error = process.communicate(timeout=20)[1]
    finally:
        process.kill()
        process.wait()
        ended.set()
    assert process.returncode
    assert ("KeyboardInterrupt" in error) == (how == "SIGINT")
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-"]
    assert names(tmp_path) == ["file.bin"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limits")
def test_a_disk_that_is_full_keeps_what_has_arrived(server, tmp_path):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))"
    process = start_process(server, tmp_path / "file.bin", before=limit)
    error = process.communicate(timeout=20)[1]
    assert "what has arrived is kept. Put that right, then call again" in error
    assert (tmp_path / "file.bin.part").read_bytes() == CONTENT[:70_000]
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=70000-"]


def test_a_disk_without_room_is_noticed_before_the_request(server, tmp_path, monkeypatch):
    usage = downloads.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(
        downloads.shutil, "disk_usage", lambda folder: usage._replace(free=len(CONTENT) - 1001)
    )
    with pytest.raises(OSError, match=r"0\.2 MB are still to come and 0\.2 MB are free") as caught:
        fetch(server, tmp_path / "file.bin")
    assert caught.value.errno == errno.ENOSPC
    assert server.ranges == []
    assert names(tmp_path) == []
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1001])
    assert fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT


def test_a_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        fetch(server, tmp_path / "file" / "a.bin")
    assert server.ranges == []


def slowly(handler):
    handler.start(200, Content_Length=len(CONTENT))
    for place in range(0, len(CONTENT), 20_000):
        handler.send(CONTENT[place : place + 20_000])
        time.sleep(0.02)


def test_threads_that_want_the_same_file_download_it_once(server, tmp_path):
    server.reset(slowly)
    found = []

    def work():
        found.append(fetch(server, tmp_path / "file.bin").read_bytes() == CONTENT)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4
    assert server.ranges == [None]
    assert names(tmp_path) == ["file.bin"]


def test_processes_that_want_the_same_file_download_it_once(server, tmp_path):
    server.reset(slowly)
    processes = [start_process(server, tmp_path / "file.bin") for _ in range(3)]
    errors = [process.communicate(timeout=30)[1] for process in processes]
    assert errors == [""] * 3
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.ranges == [None]
    assert names(tmp_path) == ["file.bin"]
