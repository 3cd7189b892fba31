"""What every test runs under, and the fixtures that many of them use."""

from __future__ import annotations

import os
from pathlib import Path

# Before NumPy, torch or matplotlib are imported, and passed on to subprocesses: test processes run
# side by side, so each keeps to one thread; and nothing opens a window.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "Agg"

import numpy as np
import pytest
from hypothesis import settings

# The same examples in every run, without a time limit for each (the first call may compile), and
# without a database of examples in the tree.
settings.register_profile("skperceptual", deadline=None, derandomize=True, database=None)
settings.load_profile("skperceptual")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real recordings, ratings and conformance values, in ``shared/`` beside the repository."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs shared/ (recordings, conformance values) beside the repository")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with the same seed in every test."""
    return np.random.default_rng(20260101)
