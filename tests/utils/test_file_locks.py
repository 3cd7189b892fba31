"""Locks: one at a time, ended by the end of whoever holds them, nothing left behind."""

from __future__ import annotations

import errno
import subprocess
import sys
import threading
import time

import pytest

from skperceptual.utils import file_locks
from skperceptual.utils.file_locks import exclusive

HOLD = """
import sys, time
from skperceptual.utils.file_locks import exclusive
with exclusive(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(file_locks, "_POLL_SECONDS", 0.001)


def test_one_at_a_time(tmp_path):
    inside, most, n_entered = [], [], []

    def work():
        for _ in range(25):
            with exclusive(tmp_path / "lock"):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0)
                inside.pop()
            n_entered.append(1)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert len(n_entered) == 150
    assert list(tmp_path.iterdir()) == []


def test_an_error_ends_the_lock(tmp_path):
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), exclusive(tmp_path / "lock"):
            raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_lock_file_that_was_left_behind_excludes_nobody(tmp_path):
    (tmp_path / "lock").touch()
    with exclusive(tmp_path / "lock"):
        pass


def test_a_process_that_is_killed_holds_nothing(tmp_path, capsys):
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline().strip() == b"held"
        entered = threading.Event()

        def wait():
            with exclusive(tmp_path / "lock", verbose=1):
                entered.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not entered.wait(0.1)
        holder.kill()
        assert entered.wait(10)
        waiting.join()
    assert capsys.readouterr().err == f"Waiting for whoever holds {tmp_path / 'lock'}\n"


def test_waiting_can_be_interrupted(tmp_path, monkeypatch):
    def interrupt(seconds):
        raise KeyboardInterrupt

    with exclusive(tmp_path / "lock"), monkeypatch.context() as patch:
        patch.setattr(file_locks.time, "sleep", interrupt)
        with pytest.raises(KeyboardInterrupt), exclusive(tmp_path / "lock"):
            pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows locks without flock")
def test_file_systems_without_locks(tmp_path, monkeypatch):
    import fcntl

    def fail_with(number):
        def fail(file, operation):
            raise OSError(number, "flock")

        monkeypatch.setattr(fcntl, "flock", fail)

    fail_with(errno.ENOLCK)
    with exclusive(tmp_path / "lock"):
        pass
    fail_with(errno.EIO)
    with pytest.raises(OSError, match="flock") as caught, exclusive(tmp_path / "lock"):
        pass
    assert caught.value.errno == errno.EIO


def test_a_folder_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError), exclusive(tmp_path / "missing" / "lock"):
        pass
