"""The pool: ordered, shared, bounded, and well-behaved in workers, forks, errors and at exit."""

from __future__ import annotations

import contextvars
import math
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise

import pytest
from joblib import Parallel, cpu_count, delayed, parallel_config

from skperceptual.utils import thread_pool
from skperceptual.utils.thread_pool import count_threads, ordered_map

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@pytest.fixture(autouse=True)
def three_threads(monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")


def run(program: str, **variables: str) -> str:
    """Run a program that ends within a minute, without the limits that tests run under."""
    limits = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS")
    environment = {name: value for name, value in os.environ.items() if name not in limits}
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def pool_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("skperceptual")]


def wait_until(condition) -> bool:
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


# -- order, threads ------------------------------------------------------------------------------


@pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
@pytest.mark.parametrize("n_items", [0, 1, 2, 7, 100])
def test_results_are_in_order(monkeypatch, n_threads, n_items):
    monkeypatch.setenv("NUMBA_NUM_THREADS", str(n_threads))

    def slow_at_first(item):
        time.sleep(0.002 if item < 5 else 0)
        return item * item

    assert ordered_map(slow_at_first, range(n_items)) == [n * n for n in range(n_items)]


def test_items_run_side_by_side():
    together = threading.Barrier(3)
    idents = ordered_map(lambda _: (together.wait(10), threading.get_ident())[1], range(3))
    assert len(set(idents)) == 3
    assert threading.get_ident() not in idents


@pytest.mark.parametrize(("n_threads", "n_items"), [("1", 5), ("3", 1)])
def test_what_cannot_run_side_by_side_stays_in_this_thread(monkeypatch, n_threads, n_items):
    monkeypatch.setenv("NUMBA_NUM_THREADS", n_threads)
    idents = ordered_map(lambda _: threading.get_ident(), range(n_items))
    assert set(idents) == {threading.get_ident()}


def test_a_call_within_the_pool_is_a_loop():
    def outer(_):
        return threading.get_ident(), ordered_map(lambda _: threading.get_ident(), range(4))

    for ident, inner in ordered_map(outer, range(50)):
        assert set(inner) == {ident}


def test_the_environment_may_change_and_threads_that_are_no_longer_wanted_end(monkeypatch):
    for n_threads in (4, 2, 6):
        monkeypatch.setenv("NUMBA_NUM_THREADS", str(n_threads))
        together = threading.Barrier(n_threads)
        ordered_map(lambda _, barrier=together: barrier.wait(10), range(n_threads))
        assert wait_until(lambda n=n_threads: len(pool_threads()) == n)


def test_threads_that_call_at_once_share_the_pool():
    running, most, failures = [], [], []
    lock = threading.Lock()

    def work(item):
        with lock:
            running.append(item)
            most.append(len(running))
        time.sleep(0.001)
        with lock:
            running.remove(item)
        return -item

    def call(first):
        items = range(first, first + 30)
        if ordered_map(work, items) != [-item for item in items]:
            failures.append(first)

    callers = [threading.Thread(target=call, args=(100 * n,)) for n in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert failures == []
    assert max(most) == 3


def test_context_variables_hold_in_the_threads():
    variable = contextvars.ContextVar("variable", default="outside")
    variable.set("inside")
    assert set(ordered_map(lambda _: variable.get(), range(20))) == {"inside"}


def test_without_further_threads_it_is_a_loop(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(thread_pool, "_pool", thread_pool._Pool())
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        idents = ordered_map(lambda _: threading.get_ident(), range(9))
    assert set(idents) == {threading.get_ident()}
    # what was left in the pool's queue does not run late
    seen = []
    assert ordered_map(lambda item: seen.append(item) or item, range(9)) == list(range(9))
    assert sorted(seen) == list(range(9))


# -- errors --------------------------------------------------------------------------------------


def test_the_first_failure_in_order_is_raised_as_it_is():
    error = KeyError("row 3")

    def fail(item):
        if item == 3:
            time.sleep(0.02)  # the last one to fail
            raise error
        if item > 3:
            raise ValueError(item)
        return item

    for _ in range(20):
        with pytest.raises(KeyError) as caught:
            ordered_map(fail, range(40))
        assert caught.value is error
    names = [entry.name for entry in caught.traceback]
    assert names[0] == "test_the_first_failure_in_order_is_raised_as_it_is"
    assert names[-1] == "fail"


def test_a_failure_stops_the_rest_and_leaves_nothing_running():
    started, ended = [], []

    def fail(item):
        started.append(item)
        time.sleep(0.01)
        if item == 1:
            raise ValueError(item)
        ended.append(item)

    with pytest.raises(ValueError, match="1"):
        ordered_map(fail, range(3000))
    n_started = len(started)
    assert n_started < 20
    assert len(ended) == n_started - 1
    time.sleep(0.05)
    assert len(started) == n_started


@pytest.mark.parametrize("exit_by", [SystemExit, KeyboardInterrupt])
def test_what_ends_a_program_passes_through(exit_by):
    def leave(item):
        raise exit_by(item)

    with pytest.raises(exit_by):
        ordered_map(leave, range(10))
    assert ordered_map(abs, [-1, -2]) == [1, 2]


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to a process")
def test_it_can_be_interrupted():
    program = """
import signal, time
from skperceptual.utils.thread_pool import ordered_map

# Under a shell that runs tests in the background it would ignore interruptions.
signal.signal(signal.SIGINT, signal.default_int_handler)
started = []
def work(item):
    started.append(item)
    if len(started) == 3:
        print("working", flush=True)
    time.sleep(0.1)

try:
    ordered_map(work, range(10_000))
except KeyboardInterrupt:
    n_started = len(started)
    time.sleep(0.3)
    print(n_started == len(started), flush=True)
print(ordered_map(abs, [-1, -2, -3]))
"""
    environment = {**os.environ, "NUMBA_NUM_THREADS": "3"}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "working\n"
            sent = time.monotonic()
            process.send_signal(signal.SIGINT)
            printed, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert printed == "True\n[1, 2, 3]\n"
    assert time.monotonic() - sent < 10
    assert process.returncode == 0


def test_an_interrupt_at_any_line_leaves_nothing_running():
    started, running = [], set()

    def work(item):
        started.append(item)
        running.add(item)
        time.sleep(0.001)
        running.remove(item)

    def is_interrupted(after):
        """Call it, and interrupt it before one of the lines that this thread runs."""
        lines = iter(range(after))

        def trace(frame, event, arg):
            if not frame.f_code.co_qualname.startswith(("ordered_map", "_Run.")):
                return None
            if event == "line" and next(lines, None) is None:
                raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            ordered_map(work, range(24))
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
        return False

    n_lines = 0
    while is_interrupted(after=n_lines):
        assert not running
        n_started = len(started)
        time.sleep(0.005)
        assert len(started) == n_started
        n_lines += 1
    assert n_lines > 30


# -- how many ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numba", "openmp", "expected"),
    [
        ("5", "7", 5),
        (None, "7", 7),
        ("", "7", 7),
        (None, " 6 ,2", 6),
        ("0", "7", 7),
        ("many", "7", 7),
        ("-1", "7", 7),
        (None, None, 11),
        (None, "0", 11),
    ],
)
def test_where_the_number_of_threads_comes_from(monkeypatch, numba, openmp, expected):
    monkeypatch.setattr(thread_pool.joblib, "cpu_count", lambda: 11)
    for name, value in {"NUMBA_NUM_THREADS": numba, "OMP_NUM_THREADS": openmp}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert count_threads() == expected


WORKERS = """
import os, threading, time
from joblib import Parallel, delayed, parallel_config
from skperceptual.utils.thread_pool import count_threads, ordered_map

def work(n_items):
    def item(number):
        time.sleep(0.001)
        return number, os.getpid(), threading.get_ident()
    numbers, pids, idents = zip(*ordered_map(item, range(n_items)))
    assert numbers == tuple(range(n_items))
    return pids[0], count_threads(), set(idents)

def show(backend, **inner):
    with parallel_config(backend, **inner):
        found = Parallel(n_jobs=2)(delayed(work)(100) for _ in range(6))
    told = {n for _, n, _ in found}
    used = {}
    for pid, _, idents in found:
        used.setdefault(pid, set()).update(idents)
    print(backend, *told, max(len(idents) for idents in used.values()))

if __name__ == "__main__":
    show("loky")
    show("loky", inner_max_num_threads=3)
    show("threading")
    show("multiprocessing")
    show("loky")
"""


def test_workers_keep_to_their_share(tmp_path):
    # In a file: functions of a main module that is none cannot be sent to all kinds of workers.
    path = tmp_path / "workers.py"
    path.write_text(WORKERS, encoding="utf-8")
    program = f"import runpy; runpy.run_path({str(path)!r}, run_name='__main__')"
    printed = run(program, PYTHONPATH=os.pathsep.join(sys.path))
    everything = cpu_count()
    share = max(everything // 2, 1)
    assert printed.splitlines() == [
        f"loky {share} {share}",
        "loky 3 3",
        f"threading {everything} {everything}",
        "multiprocessing 1 1",
        f"loky {share} {share}",
    ]


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_results_in_workers(backend):
    ordered_map(abs, range(10))  # the pool is in use before workers start
    with parallel_config(backend, n_jobs=2):
        found = Parallel()(delayed(ordered_map)(math.sqrt, range(n)) for n in range(8))
    assert found == [[math.sqrt(item) for item in range(n)] for n in range(8)]


# -- forks and exits -----------------------------------------------------------------------------

FORKS = """
import os, threading, time
from skperceptual.utils.thread_pool import ordered_map

def fork(prepare=lambda: None):
    pid = os.fork()
    if pid == 0:
        threading.Timer(20, os._exit, [1]).start()
        names = ordered_map(lambda _: (time.sleep(0.01), threading.current_thread().name)[1],
                            range(9))
        os._exit(0 if len(set(names)) == 3 else 2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

fork()                                           # before the pool is used
assert ordered_map(abs, range(9)) == list(range(9))
fork()                                           # after
busy = threading.Thread(target=ordered_map, args=(lambda _: time.sleep(0.01), range(100)))
busy.start()
fork()                                           # while it works
busy.join()
together = threading.Barrier(3)
ordered_map(lambda item: (together.wait(10), item == 1 and fork()), range(3))   # from within
assert ordered_map(abs, range(9)) == list(range(9))
print("done")
"""


@needs_fork
def test_a_forked_child_has_a_pool_of_its_own():
    assert run(FORKS, NUMBA_NUM_THREADS="3") == "done\n"


EXITS = """
import atexit, threading
from skperceptual.utils.thread_pool import ordered_map

def late():
    idents = ordered_map(lambda _: threading.get_ident(), range(9))
    print(len(idents), set(idents) == {threading.get_ident()})

atexit.register(late)
print(ordered_map(abs, [-1, -2, -3]))
"""


def test_nothing_keeps_the_interpreter_from_ending():
    assert run(EXITS, NUMBA_NUM_THREADS="3") == "[1, 2, 3]\n9 True\n"


def test_threads_of_the_pool_end_with_a_forked_or_spawned_process():
    program = """
import multiprocessing
from skperceptual.utils.thread_pool import ordered_map
if __name__ == "__main__":
    ordered_map(abs, range(9))
    for method in multiprocessing.get_all_start_methods():
        process = multiprocessing.get_context(method).Process(
            target=ordered_map, args=(abs, range(9)))
        process.start()
        process.join(30)
        print(process.exitcode)
"""
    assert set(run(program, NUMBA_NUM_THREADS="3").split()) == {"0"}


def test_chunks_are_neighbours():
    # memory is read in order, and each thread has the same amount of work
    owners = ordered_map(lambda _: (time.sleep(0.001), threading.get_ident())[1], range(120))
    changes = sum(first != second for first, second in pairwise(owners))
    assert changes < 3 * thread_pool._CHUNKS_PER_THREAD
