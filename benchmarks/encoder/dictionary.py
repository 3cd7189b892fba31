"""How the dictionary is learned: spherical k-means of clean frames, nothing labelled.

Atoms are the mean directions of frames that are alike, and the threshold of an atom is its mean
resemblance to all frames [1].

[1] A. Coates, A. Y. Ng, H. Lee, "An analysis of single-layer networks in unsupervised feature
learning", AISTATS 2011.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from skperceptual.networks import AuditoryEncoder

N_ROUNDS = 30
FAINTEST_FRAME = 1.0  # of the length sqrt(3) that three channels have


def learn_dictionary(
    clean: NDArray[np.float32], n_atoms: int, random_state: int, n_rounds: int = N_ROUNDS
) -> AuditoryEncoder:
    """Learn atoms from clean clips by spherical k-means; no rounds leave frames by chance."""
    torch.set_num_threads(1)  # sums in another order would give another dictionary
    frames = clean_frames(clean)
    directions = frames / np.linalg.norm(frames, axis=1, keepdims=True)
    rng = np.random.default_rng([random_state, 1])
    atoms = directions[rng.choice(len(frames), n_atoms, replace=False)]
    for _ in range(n_rounds):
        nearest = np.argmax(directions @ atoms.T, axis=1)
        order = np.argsort(nearest, kind="stable")
        taken, starts = np.unique(nearest[order], return_index=True)
        # An atom that no frame is nearest to begins anew, at a frame by chance.
        sums = directions[rng.choice(len(frames), n_atoms, replace=False)]
        sums[taken] = np.add.reduceat(directions[order], starts, axis=0)
        atoms = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return with_atoms(atoms, frames)


def random_dictionary(
    clean: NDArray[np.float32], n_atoms: int, random_state: int
) -> AuditoryEncoder:
    """Draw atoms in directions by chance, with thresholds as if they had been learned."""
    frames = clean_frames(clean)
    rng = np.random.default_rng([random_state, 2])
    atoms = rng.standard_normal((n_atoms, frames.shape[1])).astype(np.float32)
    return with_atoms(atoms / np.linalg.norm(atoms, axis=1, keepdims=True), frames)


def clean_frames(clean: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the channels of all frames that are not faint."""
    encoder = AuditoryEncoder(n_atoms=0)
    clips = (encoder.levels(torch.from_numpy(clip[np.newaxis])) for clip in clean)
    frames = np.concatenate([encoder.channels(clip)[0].numpy() for clip in clips])
    return frames[np.linalg.norm(frames, axis=1) > FAINTEST_FRAME]


def with_atoms(atoms: NDArray, frames: NDArray) -> AuditoryEncoder:
    encoder = AuditoryEncoder(len(atoms))
    with torch.no_grad():
        encoder.dictionary.weight.copy_(torch.from_numpy(atoms))
        encoder.dictionary.bias.copy_(torch.from_numpy(-(frames @ atoms.T).mean(axis=0)))
    return encoder.eval().requires_grad_(requires_grad=False)
