"""Two real cellos and a sampled one: how much of telling them apart is the recording.

They differ in microphone, room and coding as well as in the instrument, and each is the only one
of its kind, so that no accuracy here says anything about quality. What can be shown is how much
goes when every recording is cut to the band that all of them have, at one level: a model that still
tells them apart may hear the cello, or what no filter takes away.
"""

from __future__ import annotations

import warnings
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from cello_common import FRONT_END, Work
from scipy import signal

from skperceptual import LoadAudio, Normalize
from skperceptual.datasets import load_instrument_recordings

BAND_HZ = (80.0, 5000.0)
SR = 16000


def recordings(work: Work, folder: Path) -> pd.DataFrame:
    """Tell each pair of cellos apart by phrases held out; score them as simulated ones, too."""
    table = pd.read_csv(folder / "manifest.csv")
    phrases = table[table["kind"] == "phrase"]
    with warnings.catch_warnings():  # of how they were recorded, which is what this is about
        warnings.simplefilter("ignore", UserWarning)
        data = load_instrument_recordings(
            phrases[["file", "instrument_id", "articulation"]].assign(
                cello=phrases["instrument_id"]
            ),
            instrument="instrument_id",
            quality="cello",
            piece="articulation",
            folder=folder,
        )
    signals = LoadAudio(sr=SR).transform(data.signals)
    versions = {"as recorded": signals, "one band, one level": [_prepare(clip) for clip in signals]}
    for name, clips in versions.items():
        images = FRONT_END.transform(Normalize().transform(clips))
        for first, second in combinations(sorted(set(data.groups)), 2):
            key = {"version": name, "first": first, "second": second}
            work.rows("recordings", key, partial(_tell_apart, work, data, images, first, second))
    return work.table("recordings")


def _prepare(clip: np.ndarray) -> np.ndarray:
    """Keep what all recordings have: the band between 80 Hz and 5 kHz."""
    band = signal.butter(8, BAND_HZ, "bandpass", fs=SR, output="sos")
    return signal.sosfiltfilt(band, clip).astype(clip.dtype)


def _tell_apart(
    work: Work, data: Any, images: list[np.ndarray], first: str, second: str
) -> list[dict[str, Any]]:
    """Score phrases that were not trained on, and all of them by a scorer of simulated cellos."""
    rows = np.flatnonzero(np.isin(data.groups, [first, second]))
    correct = []
    for piece in sorted(set(data.piece[rows])):
        train = [row for row in rows if data.piece[row] != piece]
        test = [row for row in rows if data.piece[row] == piece]
        scorer = work.classifier(0, work.size.filters).set_params(validation_fraction=0.0)
        scorer.fit([images[row] for row in train], data.groups[train])
        correct += (scorer.predict([images[row] for row in test]) == data.groups[test]).tolist()
    simulated = work.scorer("both", work.size.seeds[0])
    scores = {
        name: simulated.predict_proba([images[row] for row in rows if data.groups[row] == name])
        for name in (first, second)
    }
    return [
        {
            "accuracy": float(np.mean(correct)),
            "n_phrases": len(correct),
            "simulated_score_first": float(scores[first][:, 1].mean()),
            "simulated_score_second": float(scores[second][:, 1].mean()),
        }
    ]
