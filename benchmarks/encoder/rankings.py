"""Variants that were tried: atoms moved by rankings of degraded clips.

For a batch of clips, each at two severities of a few conditions, the similarity of a version to
its clip is the mean cosine of the learned channel's frames. Of two versions of one clip, the one
that the teachers hold the nearer by a twentieth of all ranks should be the more similar, and so
should the milder of two severities of one condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from degraded_clips import CONDITIONS, N_RUNGS, DegradedClips, to_floats
from numpy.typing import NDArray
from torch import Tensor

from skperceptual.networks import AuditoryEncoder

CLIPS_A_BATCH, CONDITIONS_A_BATCH, N_LEVELS = 6, 5, 200
SMALLEST_GAP = 0.05  # of the ranks, which go from 0 to 1
TEMPERATURE = 0.05  # of cosines
CONTRAST_TEMPERATURE = 0.1
LEARNING_RATE = 1e-3
GAINS_DB = (-20.0, 5.0)


@dataclass(frozen=True)
class Recipe:
    """What the atoms are moved to do, and where chance comes from."""

    teachers: tuple[str, ...]
    # Another sound beside the clip need not be damage to it, whatever a metric of the whole says.
    harmless: tuple[str, ...] = ()
    severity_weight: float = 0.3
    contrast_weight: float = 0.0
    random_state: int = 0


class Batches:
    """Clips and versions of them, drawn from a seed; levels are computed once."""

    def __init__(self, clips: DegradedClips) -> None:
        self.encoder = AuditoryEncoder(n_atoms=0)
        self.frame = clips.frame
        self.clean = self._levels(clips.clean)
        self.degraded = self._levels(clips.degraded)

    def _levels(self, clips: NDArray[np.int16]) -> Tensor:
        parts = (torch.from_numpy(to_floats(clips[i : i + 64])) for i in range(0, len(clips), 64))
        return torch.cat([self.encoder.levels(part).half() for part in parts])

    def ranks(self, recipe: Recipe) -> Tensor:
        """Give each version the mean of its ranks by the teachers, from 0 to 1, the best."""
        ranks = self.frame[list(recipe.teachers)].rank(pct=True).mean(axis=1)
        harmless = self.frame["condition"].isin(recipe.harmless)
        return torch.tensor(ranks.where(~harmless, 1.0).to_numpy(), dtype=torch.float32)

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, NDArray[np.intp]]:
        """Give channels of clips and versions, (n_clips * (1 + n_versions), ...), and rows."""
        sources = rng.choice(len(self.clean), CLIPS_A_BATCH, replace=False)
        chosen = np.stack(
            [rng.choice(len(CONDITIONS), CONDITIONS_A_BATCH, replace=False) for _ in sources]
        )
        first = (sources[:, np.newaxis] * len(CONDITIONS) + chosen) * N_RUNGS
        rows = (first[..., np.newaxis] + np.arange(N_RUNGS)).reshape(len(sources), -1)
        start = rng.integers(self.clean.shape[-1] - N_LEVELS + 1)
        levels = torch.cat([self.clean[sources][:, None], self.degraded[rows]], dim=1)
        levels = levels[..., start : start + N_LEVELS].float()
        gain = torch.from_numpy(10 ** (rng.uniform(*GAINS_DB, len(sources)) / 20)).float()
        levels = torch.log1p(torch.expm1(levels) * gain[:, None, None, None])
        return self.encoder.channels(levels.flatten(0, 1)), rows


def snapshots(
    start: AuditoryEncoder, batches: Batches, recipe: Recipe, steps: Sequence[int]
) -> Iterator[tuple[int, AuditoryEncoder]]:
    """Move the atoms once, and give the encoder as it was after some numbers of steps."""
    torch.set_num_threads(1)
    encoder, ranks = copy_of(start).requires_grad_(), batches.ranks(recipe)
    rng = np.random.default_rng([recipe.random_state, 3])
    optimizer = torch.optim.Adam(encoder.parameters(), lr=LEARNING_RATE)
    for step in range(1, max(steps) + 1):
        channels, rows = batches.draw(rng)
        learned = encoder.resemblance(channels).unflatten(0, (CLIPS_A_BATCH, -1))
        optimizer.zero_grad()
        loss(F.normalize(learned, dim=-1), ranks[rows], recipe).backward()
        optimizer.step()
        if step in steps:
            yield step, copy_of(encoder).requires_grad_(requires_grad=False)


def copy_of(encoder: AuditoryEncoder) -> AuditoryEncoder:
    twin = AuditoryEncoder(encoder.dictionary.out_features)
    twin.load_state_dict(encoder.state_dict())
    return twin.eval()


def loss(frames: Tensor, ranks: Tensor, recipe: Recipe) -> Tensor:
    """Judge unit frames (n_clips, 1 + n_versions, n_frames, n_atoms), the clip itself first."""
    similarity = (frames[:, :1] * frames[:, 1:]).sum(dim=-1).mean(dim=-1)
    nearer = similarity[:, :, None] - similarity[:, None]
    by_teacher = ranks[:, :, None] - ranks[:, None] > SMALLEST_GAP
    total = F.softplus(-nearer[by_teacher] / TEMPERATURE).mean()
    mild, strong = similarity.unflatten(1, (-1, N_RUNGS)).unbind(-1)
    total = total + recipe.severity_weight * F.softplus((strong - mild) / TEMPERATURE).mean()
    if recipe.contrast_weight:
        total = total + recipe.contrast_weight * contrast(frames)
    return total


def contrast(frames: Tensor) -> Tensor:
    """Find the clip of a version among the clips of the batch, by their means over time."""
    means = F.normalize(frames.mean(dim=2), dim=-1)
    logits = torch.einsum("svd,cd->svc", means[:, 1:], means[:, 0]) / CONTRAST_TEMPERATURE
    own = torch.arange(len(frames))[:, None].expand(logits.shape[:2])
    return F.cross_entropy(logits.flatten(0, 1), own.flatten())
