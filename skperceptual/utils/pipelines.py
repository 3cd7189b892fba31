"""The steps inside Pipelines, searches and frozen estimators."""

from __future__ import annotations

from typing import Any

from sklearn.frozen import FrozenEstimator


def flat_steps(estimator: Any) -> list[Any]:
    """Give the steps of a Pipeline in order, those of Pipelines inside it included.

    Parameters
    ----------
    estimator : estimator
        Anything: what is no Pipeline is its only step. Of a fitted search, the best estimator is
        taken, of a :class:`sklearn.frozen.FrozenEstimator` what it holds.

    Returns
    -------
    list of estimator
        The steps.

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.pipeline import make_pipeline
    >>> from skperceptual import MSE, MelSpectrogram, RatingMapping
    >>> from skperceptual.utils.pipelines import flat_steps
    >>> metric = make_pipeline(MelSpectrogram(), make_pipeline(MSE(), RatingMapping()))
    >>> [type(step).__name__ for step in flat_steps(FrozenEstimator(metric))]
    ['MelSpectrogram', 'MSE', 'RatingMapping']
    """
    if isinstance(estimator, FrozenEstimator):
        return flat_steps(estimator.estimator)
    estimator = getattr(estimator, "best_estimator_", estimator)
    if not hasattr(estimator, "steps"):
        return [estimator]
    steps = [step for _, step in estimator.steps if step not in (None, "passthrough")]
    return [inner for step in steps for inner in flat_steps(step)]
