"""The fitted classifier inside what a user gives for one, and what makes its spectrograms."""

from __future__ import annotations

from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skperceptual.utils.pipelines import flat_steps

_FROZEN = (
    "Fit it first. Where an equaliser that holds it is cloned, in cross-validation, grid search "
    "and Pipelines inside them, wrap it, too: FrozenEstimator(fitted)."
)

# All that the frames and bands of a spectrogram, and what it is a logarithm of, depend on.
_FRAMES = ("sr", "n_fft", "hop_length", "window", "center", "output")


def unwrap_scorer(estimator: Any) -> tuple[Any, Any]:
    """Give the fitted scorer that an estimator is or ends in, and the front end before it.

    Parameters
    ----------
    estimator : estimator
        A scorer, a Pipeline that ends in one, or either inside a FrozenEstimator or a search.

    Returns
    -------
    scorer : estimator
        The scorer.
    front_end : transformer or None
        The step that makes spectrograms of signals, where there is one.

    Raises
    ------
    ValueError
        When there is no estimator, or it is not fitted, or ends in something else.
    """
    if estimator is None:
        raise ValueError(
            "estimator=None: there is no score to follow. Give a CelloQualityClassifier, or a "
            f"Pipeline that ends in one. {_FROZEN}"
        )
    *before, scorer = flat_steps(estimator)
    front_end = next((step for step in before if hasattr(step, "frame_times")), None)
    if not hasattr(scorer, "score_images"):
        raise ValueError(
            "Expected a fitted CelloQualityClassifier or a Pipeline that ends in one, got "
            f"{type(scorer).__name__}."
        )
    try:
        check_is_fitted(scorer)
    except NotFittedError as error:
        raise NotFittedError(f"This {type(scorer).__name__} is not fitted. {_FROZEN}") from error
    return scorer, front_end


def find_front_end(estimator: Any, front_end: Any = None) -> Any:
    """Give what makes the spectrograms of a scorer, as far as that is known.

    Parameters
    ----------
    estimator : estimator
        A fitted scorer, or a Pipeline that ends in one.
    front_end : transformer, default=None
        What the user named.

    Returns
    -------
    transformer or None
        That, or the step of the Pipeline.

    Raises
    ------
    ValueError
        When these make different spectrograms.
    """
    own = unwrap_scorer(estimator)[1]
    check_same_frames(own, front_end, "front_end")
    return own if front_end is None else front_end


def check_same_frames(own: Any, other: Any, name: str) -> None:
    """Refuse a front end whose spectrograms mean something else than those of a scorer.

    Parameters
    ----------
    own, other : transformer or None
        Front ends; what is not known is not compared.
    name : str
        The parameter that the other one comes from.

    Raises
    ------
    ValueError
        When they differ.
    """
    if own is not None and other is not None and _frames(own) != _frames(other):
        raise ValueError(
            f"{name} has spectrograms of {other!r}, but those of the scorer are of {own!r}. Use "
            "one front end for both."
        )


def _frames(front_end: Any) -> tuple[Any, ...]:
    length = getattr(front_end, "win_length", None) or getattr(front_end, "n_fft", None)
    return type(front_end), length, *(getattr(front_end, name, None) for name in _FRAMES)
