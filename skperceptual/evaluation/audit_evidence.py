"""What an audit has seen, and the measures by which it judges: direction, scale, resolution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skperceptual.evaluation.pair_scores import Claims

__all__ = ["Evidence", "tabulate_ladders"]

# How far beyond the largest difference between two calls chance may carry a third one.
_CHANCE = 4.0


@dataclass(frozen=True)
class Evidence:
    """All scores of an audit.

    Parameters
    ----------
    scores : DataFrame
        One row a score.
    errors : dict of str to Exception
        What came in place of a score for silence and quiet input.
    claims : Claims
        What the metric says of itself.
    tolerance : float
        Differences below this share of the scale count as rounding.
    max_reversal : float
        The largest step back that a ladder may have, as a share of its own range.
    max_inaudible : float
        What changes that nobody hears may cost, as a share of the scale.
    """

    scores: pd.DataFrame
    errors: dict[str, Exception]
    claims: Claims
    tolerance: float
    max_reversal: float
    max_inaudible: float

    def of(self, kind: str) -> pd.DataFrame:
        """Give the scores of one kind."""
        return self.scores[self.scores["kind"] == kind]

    @cached_property
    def identity(self) -> pd.Series:
        """What each signal gets against itself."""
        return self.of("identity").set_index("signal")["score"]

    @cached_property
    def degraded(self) -> pd.DataFrame:
        """The degraded pairs, with what the signal gets against itself."""
        rows = self.of("degraded")
        return rows.assign(identity=self.identity.loc[rows["signal"]].to_numpy())

    @cached_property
    def scale(self) -> float:
        """What the worst of a ladder differs in from the best, itself included, in the median."""
        with_itself = pd.concat(
            [self.degraded, self.degraded.assign(score=self.degraded["identity"])]
        )
        finite = with_itself[np.isfinite(with_itself["score"])]
        ranges = finite.groupby(["degradation", "signal"])["score"].agg(np.ptp)
        positive = ranges[ranges > 0]
        return float(positive.median()) if len(positive) else 0.0

    @cached_property
    def chance(self) -> float:
        """The largest difference between two calls on the same pair."""
        rows = self.compared("repeated")
        differences = (rows["score"] - rows["alone"]).abs()
        return float(max([0.0, *differences[np.isfinite(differences)]]))

    @cached_property
    def resolution(self) -> float:
        """The smallest difference that counts: more than rounding and chance make."""
        return self.tolerance * self.scale + _CHANCE * self.chance

    @cached_property
    def votes(self) -> NDArray[np.int_]:
        """1 for each degraded pair that scores lower than its reference itself, -1 for higher."""
        with np.errstate(invalid="ignore"):  # two infinities
            differences = (self.degraded["identity"] - self.degraded["score"]).to_numpy()
        counted = np.abs(differences) > self.resolution
        return np.sign(differences[counted]).astype(int)

    @property
    def seen(self) -> bool | None:
        """Whether the score is seen to rise with quality; None where it says neither."""
        total = self.votes.sum()
        return None if total == 0 else bool(total > 0)

    @property
    def rises(self) -> bool:
        """The direction to judge by: what is seen or, where nothing is, what is claimed."""
        return bool(self.claims.higher_is_better) if self.seen is None else self.seen

    def loss(self, worse: Any, better: Any) -> Any:
        """Give by how much one score is worse than another."""
        with np.errstate(invalid="ignore"):
            return better - worse if self.rises else worse - better

    def share(self, amount: Any) -> Any:
        """Give an amount as a share of the scale."""
        return amount / self.scale if self.scale > 0 else amount * np.nan

    def compared(self, kind: str) -> pd.DataFrame:
        """Give the scores of one kind, with those of the same pairs alone."""
        keys = ["degradation", "severity", "signal"]
        alone = pd.concat([self.of("identity"), self.of("degraded")])
        alone = alone[[*keys, "score"]].rename(columns={"score": "alone"})
        return self.of(kind).merge(alone, on=keys, how="left")

    @cached_property
    def ladders(self) -> pd.DataFrame:
        """How each signal, and their mean, goes along each ladder."""
        return tabulate_ladders(self.of("degraded"), rises=self.rises)

    @cached_property
    def sensitivity(self) -> pd.DataFrame:
        """What other levels, delays and turned polarity cost, in the mean over signals."""
        level, delay = self.of("level"), self.of("delay")
        level = level.assign(base=self.identity.loc[level["signal"]].to_numpy())
        undelayed = delay[delay["value"] == 0].set_index("signal")["score"]
        delay = delay[delay["value"] > 0]
        delay = delay.assign(base=undelayed.loc[delay["signal"]].to_numpy())
        rows = pd.concat([level, delay])
        rows = rows.assign(loss=self.loss(rows["score"], rows["base"]))
        keys = ["degradation", "parameter", "value"]
        table = rows.groupby(keys, dropna=False, sort=False)["loss"].mean().reset_index()
        return table.rename(columns={"degradation": "change"}).assign(
            relative=self.share(table["loss"])
        )


def tabulate_ladders(degraded: pd.DataFrame, *, rises: bool) -> pd.DataFrame:
    """Describe how scores go along ladders of severity.

    Parameters
    ----------
    degraded : DataFrame
        Scores with the columns ``degradation``, ``severity`` and ``signal``.
    rises : bool
        Whether the score rises with quality.

    Returns
    -------
    DataFrame
        One row for each degradation and signal, and for the mean over several (``"mean"``):
        ``spearman`` and ``kendall`` of severity and score, ``range`` of the scores,
        ``reversal``, the largest gain that a higher severity has over a lower one, as a share of
        that range, and the two severities, ``worse_at`` and ``better_at``.

    Examples
    --------
    >>> import pandas as pd
    >>> from skperceptual.evaluation.audit_evidence import tabulate_ladders
    >>> scores = pd.DataFrame(
    ...     {
    ...         "degradation": "noise",
    ...         "severity": [0.0, 0.5, 1.0],
    ...         "signal": 0,
    ...         "score": [0.0, 0.4, 0.3],
    ...     }
    ... )
    >>> ladders = tabulate_ladders(scores, rises=False)
    >>> ladders[["spearman", "reversal", "worse_at", "better_at"]]
       spearman  reversal  worse_at  better_at
    0       0.5      0.25       0.5        1.0
    """
    keys = ["degradation", "severity"]
    if degraded["signal"].nunique() > 1:
        means = degraded.groupby(keys, sort=False)["score"].mean().reset_index()
        degraded = pd.concat([degraded, means.assign(signal="mean")])
    rows = []
    for (degradation, signal), ladder in degraded.groupby(["degradation", "signal"], sort=False):
        ladder = ladder.sort_values("severity")
        described = _describe(
            ladder["severity"].to_numpy(), ladder["score"].to_numpy(dtype=np.float64), rises
        )
        rows.append({"degradation": degradation, "signal": signal, **described})
    return pd.DataFrame(rows)


def _describe(
    severities: NDArray[np.float64], scores: NDArray[np.float64], rises: bool
) -> dict[str, float]:
    from scipy.stats import kendalltau, spearmanr

    finite = np.isfinite(scores)
    severities, scores = severities[finite], scores[finite]
    spread = float(np.ptp(scores)) if len(scores) else np.nan
    described = dict.fromkeys(
        ("spearman", "kendall", "reversal", "worse_at", "better_at"), np.nan
    ) | {"range": spread}
    if len(scores) < 2 or spread == 0:
        return described
    # The gain of each rung over the worst of those before it.
    quality = scores if rises else -scores
    worst = np.minimum.accumulate(quality)
    gains = quality - worst
    better = int(gains.argmax())
    worse = int(quality[: better + 1].argmin())
    described |= {
        "spearman": float(spearmanr(severities, scores).statistic),
        "kendall": float(kendalltau(severities, scores).statistic),
        "reversal": float(gains[better]) / spread,
    }
    if gains[better] > 0:
        described |= {"worse_at": severities[worse], "better_at": severities[better]}
    return described
