"""What there is to say about the delay between two files."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skperceptual.cli.metrics import reading_steps
from skperceptual.cli.options import Reading
from skperceptual.cli.ready_metrics import matching_metrics
from skperceptual.preprocessing import AlignPairs

__all__ = ["DelayReport", "tell_delay"]

# Half a millisecond moves NLPD by 0.015, on speech as on music.
_WORTH_TELLING_SECONDS = 0.0005
# How far delays are looked for in order to tell of them, further than --align goes.
_FAR_SECONDS = 1.0


class DelayReport(NamedTuple):
    """A pair as metrics get it, notes on its delay, and the warnings that these stand for.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.cli.delays import DelayReport
    >>> DelayReport(np.zeros((2, 5)), [], set()).signals.shape
    (2, 5)
    """

    signals: NDArray[np.float32]
    notes: list[str]
    warnings: set[str]


def tell_delay(reference: str, degraded: str, reading: Reading) -> DelayReport:
    """Look for a delay, and say what becomes of it.

    Parameters
    ----------
    reference : str
        Name of the reference.
    degraded : str
        Name of the degraded version.
    reading : Reading
        How files are read; with ``align`` the delay is one that was removed.

    Returns
    -------
    DelayReport
        What there is to say.
    """
    load, *align = reading_steps(reading, reading.sr)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # told below, and of the lengths elsewhere
        X = load.transform([(reference, degraded)])
        (signals,) = align[0].transform(X) if align else X
    aligner = align[0] if align else AlignPairs(sr=reading.sr, max_lag_seconds=_FAR_SECONDS)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (lag,) = aligner.lags(X)
    delay = int(lag) / reading.sr
    notes = (
        _tell_removed(delay, is_certain=not caught)
        if align
        else _tell_left(delay, is_certain=not caught)
    )
    told = {str(warning.message) for warning in caught}
    return DelayReport(signals, notes, told)


def _tell_left(delay: float, *, is_certain: bool) -> list[str]:
    if abs(delay) < _WORTH_TELLING_SECONDS or not is_certain:
        return []
    counts = f"which every metric but {matching_metrics()} counts"
    found = f"The degraded file is {_amount(delay)}, {counts}."
    limit = AlignPairs().max_lag_seconds
    if abs(delay) <= limit:
        return [f"{found} Compare again with --align, which removes the delay."]
    first = "degraded file" if delay > 0 else "reference"
    found += f" --align looks no further than {limit:g} s: cut that much off the start"
    return [f"{found} of the {first}."]


def _tell_removed(delay: float, *, is_certain: bool) -> list[str]:
    if not delay:
        return ["--align found no delay."]
    found = f"The degraded file was {_amount(delay)}; --align removed that."
    if is_certain:
        return [found]
    doubt = (
        "This delay may be chance: even so, the two are not much alike, or the true one is longer "
        "than --align looks for. Compare without --align too."
    )
    return [f"{found} {doubt}"]


def _amount(delay: float) -> str:
    return f"{abs(delay) * 1000:.4g} ms {'late' if delay > 0 else 'early'}"
