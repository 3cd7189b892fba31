"""The checks of an audit: each reads the evidence, lists what is wrong and says so in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from skperceptual.evaluation.audit_evidence import Evidence, tabulate_ladders

__all__ = ["CHECKS", "VIOLATION_COLUMNS", "Finding"]

VIOLATION_COLUMNS = ["check", "degradation", "severity", "signal", "expected", "found", "size"]
_NO_BASE = "A signal against itself gets no finite score, from which to count what things cost."
PASSED, VIOLATED, NOT_APPLICABLE = "passed", "violated", "not applicable"


class Finding(NamedTuple):
    """What a check found.

    Parameters
    ----------
    sentence : str
        The finding in words.
    violations : list of dict
        The columns of the table of violations, less ``check``.
    applies : bool, default=True
        Whether there was something to hold the metric to.
    """

    sentence: str
    violations: list[dict[str, Any]]
    applies: bool = True

    @property
    def outcome(self) -> str:
        """The finding in a word."""
        if self.violations:
            return VIOLATED
        return PASSED if self.applies else NOT_APPLICABLE


def check_identity(evidence: Evidence) -> Finding:
    """Hold the score of a signal against itself to be the best one, and the one that is claimed."""
    best, identity = evidence.claims.best_score, evidence.identity
    violations = []
    if best is not None:
        misses = (identity - best).abs()
        violations = [
            _violation(
                "none",
                signal,
                f"{best:g}, a signal against itself",
                _number(identity[signal]),
                evidence.share(misses[signal]),
            )
            for signal in misses.index[~(misses <= evidence.resolution)]
        ]
    rows = evidence.degraded
    gains = -evidence.loss(rows["score"], rows["identity"])
    for position in np.flatnonzero(gains > evidence.resolution):
        row = rows.iloc[position]
        violations.append(
            _violation(
                row["degradation"],
                row["signal"],
                f"no better than {_number(row['identity'])}, the signal against itself",
                _number(row["score"]),
                evidence.share(gains.iloc[position]),
                severity=row["severity"],
            )
        )
    low, high = identity.min(), identity.max()
    gets = _number(low) if low == high else f"{_number(low)} to {_number(high)}"
    if best is not None:
        gets += " (claimed and exact)" if (identity == best).all() else f" (claimed: {best:g})"
    n_better = int((gains > evidence.resolution).sum())
    better = f"{n_better} of {len(rows)}" if n_better else f"none of {len(rows)}"
    return Finding(
        f"A signal against itself gets {gets}; {better} degraded pairs score better.", violations
    )


def check_sign(evidence: Evidence) -> Finding:
    """Hold the direction of the score to be the one that is claimed."""
    claimed, votes = evidence.claims.higher_is_better, evidence.votes
    if evidence.seen is None:
        sentence = "Degraded signals score neither higher nor lower than the signals themselves."
        problem = _violation("all", "all", "a score that tells them apart", "none", np.nan)
        return Finding(sentence, [problem])
    share = float(np.mean(votes == (1 if evidence.seen else -1)))
    higher = "higher" if evidence.seen else "lower"
    sentence = f"{higher.capitalize()} is better, as {100 * share:.0f} % of the degraded pairs say"
    if claimed is None:
        return Finding(f"{sentence}; the metric claims nothing.", [], applies=False)
    if claimed == evidence.seen:
        return Finding(f"{sentence} and the metric claims.", [])
    expected = f"{'higher' if claimed else 'lower'} is better, as claimed"
    return Finding(
        f"{sentence}; the metric claims the opposite.",
        [_violation("all", "all", expected, f"{higher} is better", share)],
    )


def check_symmetry(evidence: Evidence) -> Finding:
    """Hold a metric that claims it to give the same when the two of a pair are swapped."""
    keys = ["degradation", "severity", "signal"]
    forth = evidence.of("degraded")[[*keys, "score"]]
    rows = evidence.of("swapped").merge(forth, on=keys, suffixes=("", "_forth"))
    differences = (rows["score"] - rows["score_forth"]).abs()
    largest = differences.max()
    sentence = f"Swapping the two of a pair changes the score by {_percent(evidence, largest)}"
    if not largest > evidence.resolution:
        sentence = "Swapping the two of a pair changes nothing"
    claim = evidence.claims.symmetric
    if not claim:
        reason = "the metric claims nothing" if claim is None else "it does not claim symmetry"
        return Finding(f"{sentence}; {reason}.", [], applies=False)
    violations = [
        _violation(
            rows["degradation"].iloc[position],
            rows["signal"].iloc[position],
            f"{_number(rows['score_forth'].iloc[position])}, as before the swap",
            _number(rows["score"].iloc[position]),
            evidence.share(differences.iloc[position]),
            severity=rows["severity"].iloc[position],
        )
        for position in np.flatnonzero(differences > evidence.resolution)
    ]
    return Finding(f"{sentence}, and the metric claims to be symmetric.", violations)


def check_monotonicity(evidence: Evidence) -> Finding:
    """Hold scores to get worse, or at least no better, as severity rises."""
    ladders = evidence.ladders
    if evidence.of("degraded")["severity"].nunique() < 2:
        return Finding("One severity makes no ladder.", [], applies=False)
    violations = []
    for row in ladders.to_dict("records"):
        if not row["range"] > evidence.resolution:
            expected, found, size = "worse with severity", "the same at all severities", np.nan
        elif _goes_back(evidence, row):
            expected = f"no better at severity {row['better_at']:g} than at {row['worse_at']:g}"
            found, size = f"better by {100 * row['reversal']:.1f} % of the ladder", row["reversal"]
        else:
            continue
        violations.append(
            _violation(
                row["degradation"],
                row["signal"],
                expected,
                found,
                size,
                severity=row["better_at"],
            )
        )
    single = ladders[ladders["signal"] != "mean"]
    broken = sum(violation["signal"] != "mean" for violation in violations)
    going_back = ladders[ladders["reversal"] * ladders["range"] > evidence.resolution]
    back = "none goes back"
    if len(going_back):
        row = going_back.sort_values("reversal").to_dict("records")[-1]
        of_whom = "their mean" if row["signal"] == "mean" else f"signal {row['signal']}"
        back = (
            f"the largest step back is {_share_in_words(row['reversal'])} of its ladder "
            f"({row['degradation']}, {of_whom}, severity {row['worse_at']:g} to "
            f"{row['better_at']:g})"
        )
    return Finding(
        f"{len(single) - broken} of {len(single)} ladders get worse with severity; {back}.",
        violations,
    )


def check_level(evidence: Evidence) -> Finding:
    """Report what other levels cost; hold larger gains to cost no less, and polarity nothing."""
    level = evidence.of("level")
    if not np.isfinite(evidence.identity).all():
        return Finding(_NO_BASE, [], applies=False)
    violations = _inaudible(evidence, level[level["degradation"] == "polarity"])
    gains = level[(level["degradation"] == "gain") & (level["value"] != 0)]
    # Ladders whose rungs are decibels; the signals themselves stand at the foot of both.
    foot = evidence.of("identity").assign(value=0.0)
    for name, side in (("down", gains[gains["value"] < 0]), ("up", gains[gains["value"] > 0])):
        steps = pd.concat([foot, side])
        steps = steps.assign(severity=steps["value"].abs(), degradation=f"gain {name}")
        violations += [
            _violation(
                row["degradation"],
                row["signal"],
                f"{row['better_at']:g} dB to cost no less than {row['worse_at']:g} dB",
                f"less by {100 * row['reversal']:.1f} % of the ladder",
                row["reversal"],
            )
            for row in tabulate_ladders(steps, rises=evidence.rises).to_dict("records")
            if _goes_back(evidence, row)
        ]
    costs = [
        f"{row['value']:+g} dB {_share_in_words(row['relative'])}"
        for row in evidence.sensitivity.to_dict("records")
        if row["change"] == "gain"
    ]
    turned = evidence.sensitivity.set_index("change")["relative"]["polarity"]
    return Finding(
        f"Of the scale, turned polarity costs {_share_in_words(turned)}"
        + "".join(f", {cost}" for cost in costs)
        + ".",
        violations,
    )


def check_delay(evidence: Evidence) -> Finding:
    """Report what delays cost; hold those of up to one sample to cost next to nothing."""
    delay = evidence.of("delay")
    if not np.isfinite(evidence.identity).all():
        return Finding(_NO_BASE, [], applies=False)
    values = np.unique(delay["value"])
    one_sample = values[2]  # behind none and half a sample
    short = delay[(delay["value"] > 0) & (delay["value"] <= one_sample)]
    violations = _inaudible(evidence, short)
    costs = [
        f"{_milliseconds(row['value'], one_sample)} {_share_in_words(row['relative'])}"
        for row in evidence.sensitivity.to_dict("records")
        if row["change"] == "delay"
    ]
    return Finding(f"Of the scale, a delay costs: {', '.join(costs)}.", violations)


def check_batch(evidence: Evidence) -> Finding:
    """Hold the score of a pair not to depend on the others of its batch."""
    violations = _changes(evidence, "in batch", "as alone")
    return _compared(evidence, "in batch", violations, "The batch that a pair is in")


def check_determinism(evidence: Evidence) -> Finding:
    """Hold a second call on the same pair to give the same."""
    violations = _changes(evidence, "repeated", "as the first time")
    return _compared(evidence, "repeated", violations, "A second call")


def check_finite(evidence: Evidence) -> Finding:
    """Hold all scores, those of silence included, to be numbers, or an error that says why not."""
    violations = []
    # Ratios to an error are infinite where there is none, and may be where there is next to none.
    infinities = set(evidence.identity[np.isinf(evidence.identity)])
    for row in evidence.scores.to_dict("records"):
        as_good = np.isfinite(row["score"]) or row["score"] in infinities
        if as_good or (row["kind"] == "quiet" and row["degradation"] in evidence.errors):
            continue
        violations.append(
            _violation(
                row["degradation"],
                row["signal"],
                "a finite number, or an error that says why there is none",
                f"{row['score']:g} ({row['kind']})",
                np.inf,
                severity=row["severity"],
            )
        )
    for name, error in evidence.errors.items():
        if not isinstance(error, ValueError) or not str(error).strip():
            violations.append(
                _violation(
                    name,
                    evidence.of("quiet")["signal"].iloc[0],
                    "a finite number, or a ValueError that says why there is none",
                    f"{type(error).__name__}: {error}",
                    np.inf,
                )
            )
    quiet = evidence.of("quiet").set_index("degradation")["score"]
    itself = quiet["silence against itself"]
    worst = evidence.identity.min() if evidence.rises else evidence.identity.max()
    if np.isfinite(itself) and evidence.loss(itself, worst) > evidence.resolution:
        violations.append(
            _violation(
                "silence against itself",
                evidence.of("quiet")["signal"].iloc[0],
                f"{_number(worst)}, as a sound against itself",
                _number(itself),
                evidence.share(abs(itself - worst)),
            )
        )
    words = [f"{name} gets {_score_or_error(evidence, name)}" for name in quiet.index]
    return Finding(f"Where there is little to hear: {', '.join(words)}.", violations)


def _score_or_error(evidence: Evidence, name: str) -> str:
    if name in evidence.errors:
        return f"a {type(evidence.errors[name]).__name__}"
    rows = evidence.of("quiet")
    return _number(rows["score"][rows["degradation"] == name].iloc[0])


def _goes_back(evidence: Evidence, ladder: Mapping[Any, Any]) -> bool:
    gain = ladder["reversal"] * ladder["range"]
    return bool(ladder["reversal"] > evidence.max_reversal and gain > evidence.resolution)


def _inaudible(evidence: Evidence, rows: pd.DataFrame) -> list[dict[str, Any]]:
    base = evidence.identity
    if (rows["degradation"] == "delay").any():
        delay = evidence.of("delay")
        base = delay[delay["value"] == 0].set_index("signal")["score"]
    costs = evidence.share(evidence.loss(rows["score"], base.loc[rows["signal"]].to_numpy()))
    violations = []
    for position in np.flatnonzero(costs.abs() > evidence.max_inaudible):
        row, cost = rows.iloc[position], costs.iloc[position]
        name = row["degradation"]
        if name == "delay":
            name = f"{name} of {row['value']:.3g} ms"
        violations.append(
            _violation(
                name,
                row["signal"],
                f"at most {100 * evidence.max_inaudible:g} % of the scale, being inaudible",
                f"{100 * cost:.1f} % of the scale",
                abs(cost),
            )
        )
    return violations


def _changes(evidence: Evidence, kind: str, words: str) -> list[dict[str, Any]]:
    rows = evidence.compared(kind)
    differences = (rows["score"] - rows["alone"]).abs()
    limit = evidence.tolerance * evidence.scale if kind == "repeated" else evidence.resolution
    return [
        _violation(
            row["degradation"],
            row["signal"],
            f"{_number(row['alone'])}, {words}",
            _number(row["score"]),
            evidence.share(difference),
            severity=row["severity"],
        )
        for row, difference in zip(rows.to_dict("records"), differences, strict=True)
        if difference > limit
    ]


def _compared(
    evidence: Evidence, kind: str, violations: list[dict[str, Any]], what: str
) -> Finding:
    rows = evidence.compared(kind)
    if len(rows) < 2:
        return Finding(f"{what} makes no difference with a single pair.", [], applies=False)
    largest = (rows["score"] - rows["alone"]).abs().max()
    if not largest > 0:
        return Finding(f"{what} changes nothing, not in the last digit.", violations)
    return Finding(f"{what} changes the score by up to {_percent(evidence, largest)}.", violations)


def _violation(
    degradation: str,
    signal: Any,
    expected: str,
    found: str,
    size: float,
    *,
    severity: float = np.nan,
) -> dict[str, Any]:
    given = (degradation, severity, signal, expected, found, float(size))
    return dict(zip(VIOLATION_COLUMNS[1:], given, strict=True))


def _number(value: float) -> str:
    return f"{value:.6g}"


def _percent(evidence: Evidence, amount: float) -> str:
    share = _share_in_words(evidence.share(amount))
    return share if share == "nothing" else f"{share} of the scale"


def _share_in_words(share: float) -> str:
    if share == 0:
        return "nothing"
    if 0 < abs(share) < 0.001:
        return "less than 0.1 %"
    return f"{100 * share:.1f} %"


def _milliseconds(value: float, one_sample: float) -> str:
    if value <= one_sample:
        return "half a sample" if value < one_sample else "one sample"
    return f"{value:.3g} ms"


CHECKS: dict[str, Callable[[Evidence], Finding]] = {
    "identity": check_identity,
    "sign": check_sign,
    "symmetry": check_symmetry,
    "monotonicity": check_monotonicity,
    "level": check_level,
    "delay": check_delay,
    "batch": check_batch,
    "determinism": check_determinism,
    "finite": check_finite,
}
