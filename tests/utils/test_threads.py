"""One thread within the block, as many as before after it."""

import os
import subprocess
import sys

# In a process of its own: the other tests run with one thread to begin with.
PROGRAM = """
import threading
import torch
from skperceptual.utils.threads import single_threaded

def check(before):
    with single_threaded():
        assert torch.get_num_threads() == 1, torch.get_num_threads()
    assert torch.get_num_threads() == before, torch.get_num_threads()
    try:
        with single_threaded():
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert torch.get_num_threads() == before, (torch.get_num_threads(), before)

check(torch.get_num_threads())
torch.set_num_threads(3)
check(3)
failures = []
threading.excepthook = lambda problem: failures.append(problem.exc_value)
fresh = threading.Thread(target=check, args=(3,))
fresh.start()
fresh.join()
assert not failures, failures
"""


def test_one_thread_inside_and_the_old_number_outside():
    environment = {**os.environ, "OMP_NUM_THREADS": "4", "MKL_NUM_THREADS": "4"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
