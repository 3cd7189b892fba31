"""Signals of known nature to degrade, at 48 kHz."""

from __future__ import annotations

import numpy as np
import pytest

SR = 48000


def plucked_notes(seconds: float = 1.5) -> np.ndarray:
    """Chords of decaying harmonics with a noisy onset, of peak 0.8: as music is, in a few lines."""
    rng = np.random.default_rng(11)
    time = np.arange(int(seconds * SR)) / SR
    music = np.zeros_like(time)
    for start in np.arange(0, seconds, 0.25):
        since = time - start
        envelope = np.where(since >= 0, np.exp(-5 * np.maximum(since, 0)), 0)
        for pitch in rng.choice([110, 147, 196, 247, 330, 440, 587, 880], size=3, replace=False):
            for harmonic in range(1, 21):
                phase = rng.uniform(0, 2 * np.pi)
                tone = np.sin(2 * np.pi * harmonic * pitch * since + phase)
                music += envelope**harmonic**0.5 * tone / harmonic
        music += 0.5 * envelope**20 * rng.standard_normal(time.size)
    return 0.8 * music / np.abs(music).max()


@pytest.fixture(scope="session")
def music() -> np.ndarray:
    """1.5 s of made-up music at 48 kHz, (n_times,)."""
    return plucked_notes()


@pytest.fixture(scope="session")
def hiss() -> np.ndarray:
    """1 s of white noise at 48 kHz, (n_times,), which stays within full scale."""
    return np.random.default_rng(12).uniform(-0.5, 0.5, size=SR)
