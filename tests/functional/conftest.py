"""Images that a formula gives, so that golden values need no image files."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch


def _waves(shape: list[int], kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    row, column = np.indices(shape)
    reference = (
        0.5
        + 0.2 * np.sin(0.11 * row + 0.07 * column)
        + 0.15 * np.sin(0.9 * row) * np.cos(0.37 * column + 0.01 * row * row)
        + 0.1 * np.cos(2.1 * column - 0.4 * row)
    )
    degraded = {
        "ripple": reference + 0.05 * np.sin(1.7 * row + 2.3 * column),
        "dim": 0.6 * reference + 0.1,
        "inverted": np.where(row % 40 < 20, reference, 1 - reference),
    }[kind]
    pair = (np.round(np.clip(image, 0, 1) * 4096) / 4096 for image in (reference, degraded))
    return tuple(torch.tensor(image) for image in pair)


@pytest.fixture(scope="session")
def waves() -> Callable[[list[int], str], tuple[torch.Tensor, torch.Tensor]]:
    """Give a function of (shape, kind) that makes a pair of float64 images.

    Values lie in [0, 1] and are exact multiples of 2**-12; ``kind`` is "ripple", "dim" or
    "inverted" (stripes).
    """
    return _waves
