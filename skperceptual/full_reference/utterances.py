"""How many utterances PESQ is going to find in a reference, to know what it can hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["count_utterances"]

_WINDOWS_PER_SECOND = 250
_SHORTEST_SPEECH = 5  # windows; shorter bursts are clicks
_LONGEST_PAUSE = 50  # windows that do not end an utterance
_SHORTEST_UTTERANCE = 50
_VOICE_HZ = (300.0, 3000.0)


def count_utterances(signal: NDArray[np.floating], sr: int) -> int:
    """Count the stretches of speech between pauses of more than 0.2 s.

    The level above which there is speech follows from the signal itself, in the way of ITU-T
    P.862: what is quieter than it has a mean and a standard deviation, the level lies two of the
    latter above the former, and so on a dozen times.

    Parameters
    ----------
    signal : ndarray of shape (n_times,)
        The reference.
    sr : int
        Its sampling rate in Hz.

    Returns
    -------
    int
        About as many as the standard's own activity detection finds, which filters otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.full_reference.utterances import count_utterances
    >>> loud = np.random.default_rng(0).standard_normal(16000)
    >>> quiet = 0.001 * loud
    >>> count_utterances(
    ...     np.concatenate([quiet, loud, quiet, loud, quiet[:1000], loud, quiet]), 16000
    ... )
    2
    """
    from scipy.signal import butter, sosfilt

    voice = sosfilt(butter(2, _VOICE_HZ, "bandpass", fs=sr, output="sos"), signal)
    window = sr // _WINDOWS_PER_SECOND
    n_windows = len(voice) // window
    if n_windows == 0:
        return 0
    power = np.square(voice[: n_windows * window]).reshape(n_windows, window).mean(axis=1)
    power = np.maximum(power, 1e-4 * power.max())
    level = power.mean()
    for _ in range(12):
        quiet = power[power <= level]
        if not len(quiet):
            break
        level = 1.001 * (quiet.mean() + 2 * quiet.std())
    runs = _runs(power > level)
    runs = runs[runs[:, 1] - runs[:, 0] >= _SHORTEST_SPEECH]
    if not len(runs):
        return 1
    is_pause = runs[1:, 0] - runs[:-1, 1] > _LONGEST_PAUSE
    starts = runs[np.r_[True, is_pause], 0]
    ends = runs[np.r_[is_pause, True], 1]
    return int(np.sum(ends - starts >= _SHORTEST_UTTERANCE))


def _runs(active: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Give the first window of each run of True, and the first one after it."""
    edges = np.flatnonzero(np.diff(np.r_[False, active, False].astype(np.int8)))
    return edges.reshape(-1, 2)
