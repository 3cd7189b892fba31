"""ViSQOL on the stereo pairs of google/visqol's conformance tests, against ``visqol-python``.

Both get the same arrays in memory, the mean of the two channels, and the same support vectors; one
thread, warm, in turns. What is compared agrees: the scores of every pair are checked first.

The floor is what the method as it is factored here costs at the rate at which a product of large
matrices runs: 26 operations a sample, band and frame for the filters, 18 for each place of a patch
in each frame and band that it is tried at, and three transforms for the delay of the whole.
Nothing is counted for the delays of the patches, for loading and for logarithms.

Run it with: python benchmarks/speed/visqol_pairs.py FOLDER
where FOLDER holds the recordings as FLAC and the model. It is compared with what
``pip install visqol-python[numba]`` brings, a module named ``visqol``, as this file must not be.
"""

from __future__ import annotations

import argparse
import importlib
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from timing import compare, seconds, threads

from skperceptual import ViSQOL

SR = 48000
PAIRS = {
    "steely, low-pass": ("steely48_stereo", "steely48_stereo_lp7"),
    "ravel, Opus 128": ("ravel48_stereo", "ravel48_stereo_128kbps_opus"),
    "moonlight, AAC 128": ("moonlight48_stereo", "moonlight48_stereo_128kbps_aac"),
    "guitar, AAC 64": ("guitar48_stereo", "guitar48_stereo_64kbps_aac"),
    "glockenspiel, AAC 48": ("glock48_stereo", "glock48_stereo_48kbps_aac"),
    "castanets, the same": ("castanets48_stereo", "castanets48_stereo"),
}
MODEL = "libsvm_nu_svr_model.txt"
N_BANDS, WIN_LENGTH, HOP_LENGTH, PATCH = 32, 3840, 960, 30


def floor_seconds(n_times: int, rate: float) -> float:
    """Give how long one pair would take if nothing but arithmetic did."""
    n_frames = 1 + (n_times - WIN_LENGTH) // HOP_LENGTH
    filters = 2 * n_frames * WIN_LENGTH * N_BANDS * 26
    search = n_frames // PATCH * n_frames * PATCH * N_BANDS * 18
    delay = 3 * 2.5 * 2 * n_times * np.log2(2 * n_times)
    return (filters + search + delay) / rate


def operations_per_second() -> float:
    """Time a product of large matrices in double precision."""
    matrix = np.random.default_rng(0).random((1024, 1024))
    return 2 * 1024**3 / min(seconds(lambda: matrix @ matrix, 1) for _ in range(5))


def run(folder: Path, n_turns: int = 7) -> list[dict[str, object]]:
    """Time every pair."""
    logging.disable(logging.INFO)
    rows: list[dict[str, object]] = []
    with threads(1):  # before anything starts numba's threads, whose number cannot be changed
        theirs = importlib.import_module("visqol").VisqolApi()
        theirs.create(mode="audio", model_path=str(folder / MODEL))
        ours = ViSQOL(model=folder / MODEL)
        rate = operations_per_second()
        for name, files in PAIRS.items():
            pair = [soundfile.read(folder / f"{file}.flac")[0].mean(axis=1) for file in files]
            scores = ours.predict([tuple(pair)])[0], theirs.measure_from_arrays(*pair, SR).moslqo
            if abs(scores[0] - scores[1]) > 0.01:
                raise ValueError(f"{name}: {scores[0]} and {scores[1]} are not the same metric.")
            timing = compare(
                lambda pair=pair: ours.predict([tuple(pair)]),
                lambda pair=pair: theirs.measure_from_arrays(*pair, SR),
                n_turns,
            )
            rows.append(
                {
                    "what": f"ViSQOL, {name}",
                    "peer": "visqol-python",
                    "seconds_of_audio": len(pair[0]) / SR,
                    **timing.summary(),
                    "floor_ms": 1e3 * floor_seconds(len(pair[0]), rate),
                    "score": scores[0],
                    "peer_differs_by": scores[1] - scores[0],
                }
            )
            print(pd.DataFrame(rows[-1:]).to_string(index=False, header=len(rows) == 1), flush=True)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the recordings and the model are")
    parser.add_argument("-o", "--output", type=Path, help="a folder for speed_visqol.csv")
    parser.add_argument("--turns", type=int, default=7, help="how often each pair is timed")
    arguments = parser.parse_args()
    table = pd.DataFrame(run(arguments.folder, arguments.turns))
    if arguments.output:
        table.to_csv(arguments.output / "speed_visqol.csv", index=False, float_format="%.4g")
