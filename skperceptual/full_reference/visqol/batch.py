"""Many pairs: compared side by side, and their patches in one table."""

from __future__ import annotations

import numpy as np
import pandas as pd
from joblib import delayed
from numpy.typing import ArrayLike

from skperceptual.full_reference.visqol.comparison import Comparison, Settings, compare
from skperceptual.full_reference.visqol.pairs import Pair, Rates, warn_of_pairs
from skperceptual.utils.messages import counted, in_a_line, warn_caller
from skperceptual.utils.parallel import run_jobs


def compare_pairs(
    pairs: list[Pair],
    rates: Rates,
    settings: Settings,
    *,
    n_jobs: int | None,
    verbose: bool | int,
) -> list[Comparison]:
    """Compare checked pairs, and warn of what is odd about them.

    Parameters
    ----------
    pairs : list of tuple of ndarray
        Reference and degraded signal of each.
    rates : Rates
        Their sampling rates.
    settings : Settings
        What is done to every pair alike.
    n_jobs : int or None
        How many are compared at the same time, in threads.
    verbose : bool or int
        Whether to show a progress bar.

    Returns
    -------
    list of Comparison
        One a pair.

    Raises
    ------
    ValueError
        When a pair cannot be compared; the message names its row.
    """
    warn_of_pairs(pairs, rates)
    jobs = [delayed(_compare_row)(row, pair, rates, settings) for row, pair in enumerate(pairs)]
    comparisons = list(
        run_jobs(
            jobs, n_jobs=n_jobs, verbose=verbose, caller="ViSQOL", unit="pair", in_threads=True
        )
    )
    short = [row for row, comparison in enumerate(comparisons) if comparison.n_dropped]
    if short:
        warn_caller(
            f"The degraded signal of {counted(len(short), 'pair')} ends before its reference, "
            f"whose last patches are left out (row {in_a_line(short)})."
        )
    return comparisons


def patch_table(comparisons: list[Comparison], names: ArrayLike, sr: float) -> pd.DataFrame:
    """List the patches of all pairs.

    Parameters
    ----------
    comparisons : list of Comparison
        What :func:`compare_pairs` gave.
    names : array of str
        Names of the bands.
    sr : float
        Sampling rate in Hz.

    Returns
    -------
    DataFrame
        What :meth:`skperceptual.ViSQOL.patches` gives.
    """
    tables = []
    for row, comparison in enumerate(comparisons):
        found = comparison.patches
        met = found.is_met[:, np.newaxis]
        degraded_times = np.where(met, found.degraded_times - comparison.lag / sr, np.nan)
        table = pd.DataFrame({"pair": np.full(len(found.means), row)})
        table[["reference_start", "reference_end"]] = found.reference_times
        table[["degraded_start", "degraded_end"]] = degraded_times
        table["similarity"] = found.means.mean(axis=1)
        bands = pd.DataFrame(found.means, columns=pd.Index(np.asarray(names)))
        tables.append(pd.concat([table, bands], axis=1))
    return pd.concat(tables, ignore_index=True)


def _compare_row(row: int, pair: Pair, rates: Rates, settings: Settings) -> Comparison:
    try:
        return compare(*rates.resample(pair), settings)
    except ValueError as error:
        raise ValueError(f"Pair {row} cannot be compared. {error}") from error
