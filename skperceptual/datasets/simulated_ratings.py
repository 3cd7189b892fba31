"""What listeners might have said about PMQD's degradations: a simulation, not human data."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from skperceptual.datasets.pmqd_table import ORIGINAL

Floats = NDArray[np.float64]

N_VOTES = 5
CLIPS_PER_RATER = 10
LOWEST, HIGHEST = 1, 5

# Mean over clips of the median of at least five human votes, by intensity in steps of 20, as
# published with PMQD (A. Hilmkil, C. Thomé and A. Arpteg, arXiv:2006.06287, and its notebooks).
HUMAN_MEANS = {
    "distortion": (3.05, 2.69, 2.39, 2.17, 1.59),
    "limiter": (4.04, 3.72, 3.86, 3.90, 3.74),
    "lowpass": (3.97, 4.00, 3.82, 3.55, 3.31),
    "noise": (3.47, 3.00, 2.37, 1.78, 1.37),
}
HUMAN_MEAN_OF_ORIGINALS = 4.02
_KNOTS = (10.0, 30.0, 50.0, 70.0, 90.0)


class NoiseModel(NamedTuple):
    """How far votes scatter, and the qualities around which they do.

    The standard deviations are assumptions: single votes were not published. The qualities at
    the centres of the five steps of intensity follow from them, such that the expected median
    of five votes is the mean that humans gave. For the limiter and the low-pass, whose means go
    up and down within their sampling error, that means first made to never rise.

    Parameters
    ----------
    rater_bias, residual, song, clip : float
        Standard deviations of a rater's leniency, of a single vote, and of the quality of songs
        and of clips, in points of rating.
    lapse : float
        Probability that a vote is given without listening, each rating being as likely.
    original : float
        Quality of a clip that is not degraded.
    knots : dict of str to tuple of float
        Qualities by condition at the intensities 10, 30, 50, 70 and 90.
    """

    rater_bias: float
    residual: float
    song: float
    clip: float
    lapse: float
    original: float
    knots: dict[str, tuple[float, ...]]


NOISE_MODELS = {
    "default": NoiseModel(
        rater_bias=0.45,
        residual=0.75,
        song=0.25,
        clip=0.20,
        lapse=0.05,
        original=4.0533,
        knots={
            "distortion": (3.0516, 2.6809, 2.3730, 2.1457, 1.5178),
            "limiter": (4.0745, 3.8508, 3.8508, 3.8508, 3.7610),
            "lowpass": (4.0164, 4.0164, 3.8439, 3.5653, 3.3191),
            "noise": (3.4833, 3.0000, 2.3525, 1.7321, 1.2363),
        },
    ),
    "low": NoiseModel(
        rater_bias=0.30,
        residual=0.50,
        song=0.20,
        clip=0.15,
        lapse=0.02,
        original=4.0296,
        knots={
            "distortion": (3.0549, 2.6758, 2.3938, 2.1761, 1.5703),
            "limiter": (4.0515, 3.8204, 3.8204, 3.8204, 3.7320),
            "lowpass": (3.9911, 3.9911, 3.8135, 3.5499, 3.3242),
            "noise": (3.4755, 3.0000, 2.3748, 1.7572, 1.3529),
        },
    ),
    "high": NoiseModel(
        rater_bias=0.60,
        residual=1.00,
        song=0.35,
        clip=0.30,
        lapse=0.10,
        original=4.1324,
        knots={
            "distortion": (3.0542, 2.6638, 2.3350, 2.0884, 1.3625),
            "limiter": (4.1562, 3.9078, 3.9078, 3.9078, 3.8099),
            "lowpass": (4.0909, 4.0909, 3.9002, 3.5987, 3.3362),
            "noise": (3.5109, 3.0000, 2.3129, 1.6211, 1.0009),
        },
    ),
}


def expected_quality(model: NoiseModel, condition: str, intensity: Floats) -> Floats:
    """Give the quality that votes scatter around, of the average song.

    Parameters
    ----------
    model : NoiseModel
        Which simulation.
    condition : str
        One of PMQD's four degradations, or ``"original"``.
    intensity : ndarray
        From 0 to 100; it means nothing for originals.

    Returns
    -------
    ndarray
        The qualities on the scale of ratings: a monotone cubic (PCHIP) through the knots,
        extended by straight lines.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.datasets.simulated_ratings import NOISE_MODELS, expected_quality
    >>> expected_quality(NOISE_MODELS["default"], "noise", np.array([0.0, 50.0, 100.0]))
    array([3.6839 , 2.3525 , 1.01955])
    """
    if condition == ORIGINAL:
        return np.full(np.shape(intensity), model.original)
    curve = PchipInterpolator(_KNOTS, model.knots[condition])
    inside = np.clip(intensity, _KNOTS[0], _KNOTS[-1])
    return curve(inside) + curve.derivative()(inside) * (intensity - inside)


def simulate_votes(quality: Floats, model: NoiseModel, rng: np.random.Generator) -> pd.DataFrame:
    """Let raters, who each hear ten clips, give every clip five votes.

    Parameters
    ----------
    quality : ndarray of shape (n_clips,)
        The quality of each clip, as :func:`expected_quality` gives it, with what its song and
        the clip itself add.
    model : NoiseModel
        Which simulation.
    rng : Generator
        Where raters and votes come from.

    Returns
    -------
    DataFrame of 5 n_clips rows
        ``clip``, the position in ``quality``; ``rater``; ``simulated_vote``, from 1 to 5. No
        rater hears a clip twice.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.datasets.simulated_ratings import NOISE_MODELS, simulate_votes
    >>> votes = simulate_votes(np.array([2.0, 4.0]), NOISE_MODELS["low"], np.random.default_rng(0))
    >>> votes.groupby("clip")["simulated_vote"].median()
    clip
    0    2.0
    1    4.0
    Name: simulated_vote, dtype: float64
    """
    n_clips = len(quality)
    raters_per_round = -(-n_clips // CLIPS_PER_RATER)
    # In each round every clip is heard once, and no rater takes part in two rounds.
    clip = np.concatenate([rng.permutation(n_clips) for _ in range(N_VOTES)])
    rater = np.arange(n_clips) // CLIPS_PER_RATER
    rater = np.concatenate([rater + number * raters_per_round for number in range(N_VOTES)])
    leniency = model.rater_bias * rng.standard_normal(N_VOTES * raters_per_round)
    heard = quality[clip] + leniency[rater] + model.residual * rng.standard_normal(len(clip))
    vote = np.clip(np.round(heard), LOWEST, HIGHEST).astype(int)
    lapses = rng.random(len(clip)) < model.lapse
    vote[lapses] = rng.integers(LOWEST, HIGHEST + 1, size=lapses.sum())
    return pd.DataFrame({"clip": clip, "rater": rater, "simulated_vote": vote})
