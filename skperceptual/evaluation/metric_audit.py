"""Does a metric keep what metrics promise? An audit on signals and degradations of one's own."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed

from skperceptual.evaluation.audit_checks import CHECKS, VIOLATED, VIOLATION_COLUMNS
from skperceptual.evaluation.audit_evidence import Evidence
from skperceptual.evaluation.audit_pairs import score_changes, score_quiet, shortest_clip
from skperceptual.evaluation.pair_scores import Clip, PairScorer, claims_of
from skperceptual.evaluation.severity_ladders import (
    COLUMNS,
    Scored,
    check_clips,
    ladder_jobs,
    make_ladders,
    noting,
)
from skperceptual.utils._sklearn import Interval, StrOptions, validate_params
from skperceptual.utils.messages import counted
from skperceptual.utils.parallel import run_jobs

__all__ = ["MetricAudit", "audit_metric"]

# Violations that the representation in a notebook lists.
_SHOWN = 10


@dataclass(frozen=True, repr=False, eq=False)
class MetricAudit:
    """What :func:`audit_metric` found.

    Parameters
    ----------
    name : str
        Name of the metric.
    summary : DataFrame
        One row a check, indexed by its name: ``outcome`` (``"passed"``, ``"violated"`` or ``"not
        applicable"``), ``n_violations`` and ``finding``, a sentence.
    violations : DataFrame
        One row a violation, the worst of a check first: ``check``, ``degradation``, ``severity``,
        ``signal``, ``expected``, ``found`` and ``size``. The size is a share of the ladder for
        ``monotonicity`` and gains, a share of the pairs for ``sign``, and a share of ``scale``
        otherwise; infinite for what is not a number, NaN where there is nothing to measure.
    scores : DataFrame
        Every score that was computed: ``kind`` (``"identity"``, ``"degraded"``, ``"swapped"``,
        ``"level"``, ``"delay"``, ``"in batch"``, ``"repeated"``, ``"quiet"``), ``degradation``,
        ``severity``, ``parameter`` and ``value`` (the physical one), ``signal`` and ``score``.
    ladders : DataFrame
        One row for each degradation and signal, and for the mean over several signals
        (``"mean"``): ``spearman`` and ``kendall`` of severity and score, ``reversal``, the
        largest step back as a share of the ladder's ``range``, and the severities that it lies
        between, ``worse_at`` and ``better_at``.
    sensitivity : DataFrame
        What gains, delays and turned polarity cost in the mean over signals: ``change``,
        ``parameter``, ``value``, ``loss`` and ``relative``, as a share of ``scale``.
    scale : float
        Unit of what is relative: for each ladder, how far the worst score is from the best, the
        signal itself included; the median over all ladders.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skperceptual import MSE, MelSpectrogram, PMQDNoise
    >>> from skperceptual.evaluation import audit_metric
    >>> signals = np.random.default_rng(0).normal(scale=0.1, size=(2, 16000))
    >>> metric = make_pipeline(MelSpectrogram(sr=16000, n_mels=32), MSE())
    >>> audit = audit_metric(metric, signals, PMQDNoise(sr=16000), sr=16000)
    >>> audit.passed, audit.summary.loc["symmetry", "outcome"]
    (True, 'passed')
    """

    name: str
    summary: pd.DataFrame
    violations: pd.DataFrame
    scores: pd.DataFrame = field(repr=False)
    ladders: pd.DataFrame = field(repr=False)
    sensitivity: pd.DataFrame = field(repr=False)
    scale: float = field(repr=False)

    @property
    def passed(self) -> bool:
        """Whether no check was violated."""
        return self.violations.empty

    def _headline(self) -> str:
        violated = int((self.summary["outcome"] == VIOLATED).sum())
        return f"Audit of {self.name}: {violated} of {counted(len(self.summary), 'check')} violated"

    def __repr__(self) -> str:
        rows = [
            f"  {check:<13}{row['outcome']:<15} {row['finding']}"
            for check, row in self.summary.iterrows()
        ]
        return "\n".join([self._headline(), *rows])

    def _repr_html_(self) -> str:
        tables = [self.summary.to_html(justify="left")]
        if not self.passed:
            more = len(self.violations) - _SHOWN
            tables.append(self.violations.head(_SHOWN).to_html(justify="left", index=False))
            tables.append(f"<p>and {more} more violations</p>" if more > 0 else "")
        return f"<p><b>{html.escape(self._headline())}</b></p>{''.join(tables)}"


@validate_params(
    {
        "signals": ["array-like", list],
        "sr": [Interval(Integral, 1, None, closed="left")],
        "severities": ["array-like", dict],
        "higher_is_better": ["boolean", StrOptions({"auto"}), None],
        "symmetric": ["boolean", StrOptions({"auto"}), None],
        "best_score": [Real, StrOptions({"auto"}), None],
        "gains_db": ["array-like"],
        "delays_ms": ["array-like"],
        "max_reversal": [Interval(Real, 0, None, closed="left")],
        "max_inaudible": [Interval(Real, 0, None, closed="left")],
        "tolerance": [Interval(Real, 0, None, closed="left")],
        "method": [str],
        "random_state": [Interval(Integral, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def audit_metric(
    metric: Any,
    signals: Any,
    degradations: Any,
    *,
    sr: int,
    severities: Any = (0.0, 0.25, 0.5, 0.75, 1.0),
    higher_is_better: bool | str | None = "auto",
    symmetric: bool | str | None = "auto",
    best_score: float | str | None = "auto",
    gains_db: Sequence[float] = (-20.0, -6.0, -3.0, -1.0, 1.0, 3.0, 6.0, 20.0),
    delays_ms: Sequence[float] = (1.0, 5.0, 10.0, 20.0, 50.0),
    max_reversal: float = 0.05,
    max_inaudible: float = 0.1,
    tolerance: float = 1e-6,
    method: str = "auto",
    random_state: int = 0,
    n_jobs: int | None = None,
    verbose: bool | int = 0,
) -> MetricAudit:
    """Try a metric on signals whose damage is known, and list what it gets wrong.

    No ratings are needed: the checks are about what any full-reference metric promises. A metric
    can pass all of them and still disagree with listeners; one that fails some is not to be
    trusted where they matter.

    Parameters
    ----------
    metric : estimator
        What reads pairs of signals and gives one number each: a pipeline of a front end and a
        metric, or a regressor of ratings. What learns has to be fitted.
    signals : array of shape (n_signals, n_times), or list of arrays of shape (n_times,)
        Clean signals, not silent, and at least six times as long as the longest delay.
    degradations : Degradation, list of them, or dict of str to Degradation
        What to do to them. Each is set to all severities; those of a list are named by their
        class. Any object with ``severity`` and ``transform`` will do that ``sklearn.base.clone``
        can copy.
    sr : int
        Sampling rate of the signals in Hz; degradations that have one need the same.
    severities : array-like of float in [0, 1], or dict of str to array-like, \
default=(0.0, 0.25, 0.5, 0.75, 1.0)
        Rungs of the ladders, for all degradations or for each by its name.
    higher_is_better, symmetric : bool, "auto" or None, default="auto"
        What the metric claims. ``"auto"`` takes its own attributes, or those of a pipeline's
        last step, and None where there are none; None claims nothing.
    best_score : float, "auto" or None, default="auto"
        What a signal against itself is to get. ``"auto"`` takes the better end of ``bounds``,
        where the metric has that attribute and that end is finite.
    gains_db : array-like of float, default=(-20, -6, -3, -1, 1, 3, 6, 20)
        Gains of the degraded signal in dB.
    delays_ms : array-like of float, default=(1, 5, 10, 20, 50)
        Delays of the degraded signal in ms. Half a sample and one sample are always tried.
    max_reversal : float, default=0.05
        The largest step back that a ladder may have, as a share of its range. Damage does not
        always grow in even steps, and a limiter stops growing altogether.
    max_inaudible : float, default=0.1
        What turned polarity and delays of up to one sample may cost, as a share of the scale.
    tolerance : float, default=1e-6
        Differences below this share of the scale are taken for rounding. Where calls on the same
        pair differ, four times the largest such difference is added.
    method : str, default="auto"
        The method to call; ``"auto"`` takes ``predict`` where there is one, else ``transform``.
    random_state : int, default=0
        Given to degradations whose ``random_state`` is None, so that all rungs of a ladder share
        one noise, and an audit can be repeated.
    n_jobs : int, default=None
        Number of processes, as joblib counts them.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    Returns
    -------
    MetricAudit
        Tables of the checks (``summary``), of what is wrong (``violations``), of all scores
        (``scores``), of the ladders (``ladders``) and of what gains and delays cost
        (``sensitivity``).

    Raises
    ------
    NotFittedError
        When the metric is not fitted.
    TypeError
        For a metric that is a class or a plain function, and for what is no degradation.
    ValueError
        When the metric does not give one number a pair, signals are silent or too short, or
        degradations are for another sampling rate or have their physical parameter set.
    Exception
        What the metric raises about a degraded signal, with a note that says which.

    See Also
    --------
    skperceptual.plotting.SeverityCurvesDisplay : Draws the ladders.
    skperceptual.utils.estimator_checks.check_estimator : Tries an estimator on generated data.

    Notes
    -----
    ``identity``
        A signal against itself gets the best score, and no degraded pair a better one.
    ``sign``
        Degraded pairs are worse in the direction that ``higher_is_better`` states. The other
        checks judge by the direction that is seen.
    ``symmetry``
        Swapping the two of a pair changes nothing; reported only, if it is not claimed.
    ``monotonicity``
        On every ladder of every signal, and of the mean signal, no severity is scored better
        than a lower one by more than ``max_reversal`` of the ladder, and something changes.
    ``level``
        Larger gains cost no less than smaller ones, and turned polarity next to nothing. What
        gains cost is reported. Where a gain would go beyond full scale, both signals of the pair
        are turned down.
    ``delay``
        Half a sample and one sample cost next to nothing. What delays cost is reported. Both
        signals are parts of one, so that nothing but the delay differs.
    ``batch``
        The signals themselves and their strongest damage get the same score in one batch and
        alone.
    ``determinism``
        The same pairs get the same score a second time, after all others.
    ``finite``
        Scores are numbers. Silence and a pair at -120 dB get a number or a ValueError, and
        silence against itself no worse a score than other signals.

    Each pair is scored in a call of its own, save for ``batch``, so that a fault that has to do
    with batches shows up there alone.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skperceptual import NLPD, MelSpectrogram, PMQDDistortion, PMQDNoise
    >>> from skperceptual.evaluation import audit_metric
    >>> signals = np.random.default_rng(0).normal(scale=0.1, size=(2, 16000))
    >>> metric = make_pipeline(MelSpectrogram(sr=16000, n_mels=64), NLPD(n_levels=4))
    >>> degradations = [PMQDNoise(sr=16000), PMQDDistortion()]
    >>> audit = audit_metric(metric, signals, degradations, sr=16000)
    >>> print(audit.summary.loc["identity", "finding"])
    A signal against itself gets 0 (claimed and exact); none of 20 degraded pairs score better.
    """
    scorer = PairScorer(metric, method)
    claims = claims_of(
        metric, higher_is_better=higher_is_better, symmetric=symmetric, best_score=best_score
    )
    clips = check_clips(signals)
    gains, delays = _check_changes(clips, sr, gains_db, delays_ms)
    ladders = make_ladders(degradations, severities, sr=sr, random_state=random_state)
    jobs = ladder_jobs(scorer, clips, ladders, swap=True)
    n_ladder_jobs = len(jobs)
    jobs += [
        delayed(score_changes)(scorer, clip, signal, sr, gains, delays)
        for signal, clip in enumerate(clips)
    ]
    results = list(
        run_jobs(jobs, n_jobs=n_jobs, verbose=verbose, caller="audit_metric", unit="series")
    )
    series: list[Scored] = results[:n_ladder_jobs]
    rows = [row for scored in series for row in scored.rows]
    rows += [row for changed in results[n_ladder_jobs:] for row in changed]
    rows += _score_again(scorer, series)
    quiet = score_quiet(scorer, series[1].pair, signal=0)
    rows += [row for row, _ in quiet]
    evidence = Evidence(
        scores=pd.DataFrame(rows, columns=COLUMNS),
        errors={row["degradation"]: error for row, error in quiet if error is not None},
        claims=claims,
        tolerance=tolerance,
        max_reversal=max_reversal,
        max_inaudible=max_inaudible,
    )
    return _judge(evidence, _name_of(metric))


def _check_changes(
    clips: list[Clip], sr: int, gains_db: Any, delays_ms: Any
) -> tuple[list[float], list[float]]:
    gains = [float(gain) for gain in np.unique(np.asarray(gains_db, dtype=np.float64))]
    delays = [float(delay) for delay in np.unique(np.asarray(delays_ms, dtype=np.float64))]
    if not np.isfinite([*gains, *delays]).all() or min(delays, default=0) < 0:
        raise ValueError(
            "Expected finite gains, and delays of 0 ms or more, got "
            f"gains_db={gains_db!r} and delays_ms={delays_ms!r}."
        )
    needed, shortest = shortest_clip(sr, delays), min(len(clip) for clip in clips)
    if shortest < needed:
        raise ValueError(
            f"The longest delay, {max(delays, default=0):g} ms, needs signals of {needed} samples "
            f"at sr={sr}, and the shortest has {shortest}. Give longer signals or shorter "
            "delays_ms."
        )
    return gains, delays


def _score_again(scorer: PairScorer, series: list[Scored]) -> list[dict[str, Any]]:
    """Score the signals themselves and their strongest damage in one batch, and again alone."""
    pairs = [scored.pair for scored in series]
    with noting("This came of scoring all signals in one batch."):
        together = scorer(pairs)
    with noting("This came of scoring all signals once more."):
        alone = [scorer([pair])[0] for pair in pairs]
    return [
        scored.last | {"kind": kind, "score": score}
        for kind, scores in (("in batch", together), ("repeated", alone))
        for scored, score in zip(series, scores, strict=True)
    ]


def _judge(evidence: Evidence, name: str) -> MetricAudit:
    findings = {check: find(evidence) for check, find in CHECKS.items()}
    summary = pd.DataFrame(
        [
            (finding.outcome, len(finding.violations), finding.sentence)
            for finding in findings.values()
        ],
        columns=["outcome", "n_violations", "finding"],
        index=pd.Index(findings, name="check"),
    )
    violations = [
        {"check": check, **violation}
        for check, finding in findings.items()
        for violation in sorted(
            finding.violations,
            key=lambda violation: np.nan_to_num(violation["size"], posinf=np.inf),
            reverse=True,
        )
    ]
    return MetricAudit(
        name=name,
        summary=summary,
        violations=pd.DataFrame(violations, columns=VIOLATION_COLUMNS),
        scores=evidence.scores,
        ladders=evidence.ladders,
        sensitivity=evidence.sensitivity,
        scale=evidence.scale,
    )


def _name_of(metric: Any) -> str:
    if not hasattr(metric, "steps"):
        return type(metric).__name__
    return " + ".join(
        _name_of(step) for _, step in metric.steps if step not in (None, "passthrough")
    )
