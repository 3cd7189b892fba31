"""How long degradations take, and a grid of them: 60 clips in 20 conditions.

The clips are 4 s of synthesised music at 48 kHz; the conditions are five degradations, two of them
codecs, at four severities each.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from skperceptual.datasets import make_music
from skperceptual.degradations import degradation_grid, degradation_names, get_degradation

SR, N_CLIPS = 48000, 60
IN_GRID = ("mp3_codec", "opus_codec", "reverberation", "white_noise", "hard_clipping")
SEVERITIES = (0.0, 0.33, 0.67, 1.0)


def run() -> list[dict[str, object]]:
    clips = make_music(n_songs=13, sr=SR, duration_seconds=4.0, random_state=0).signals
    rows: list[dict[str, object]] = []
    for name in degradation_names():
        degradation = get_degradation(name)
        if "sr" in degradation.get_params():
            degradation.set_params(sr=SR)
        degradation.transform(clips[:1])  # compiled and loaded
        seconds = duration(lambda transform=degradation.transform: transform(clips))
        rows.append({"what": name, "clips": len(clips), "ms_a_clip": 1e3 * seconds / len(clips)})
    clips = np.concatenate([clips] * 5)[:N_CLIPS]
    grid = degradation_grid(clips, IN_GRID, SEVERITIES, sr=SR)
    seconds = duration(lambda: [grid.pairs[row] for row in range(len(grid.pairs))])
    rows.append(
        {
            "what": f"grid of {len(IN_GRID) * len(SEVERITIES)} conditions",
            "clips": N_CLIPS,
            "ms_a_clip": 1e3 * seconds / len(grid.pairs),
        }
    )
    print(f"  the grid: {seconds:.1f} s", flush=True)
    return rows


def duration(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
