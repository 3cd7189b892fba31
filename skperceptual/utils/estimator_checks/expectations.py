"""Checks that some estimators cannot pass by design, each with the test that stands in."""

from __future__ import annotations

from sklearn.base import BaseEstimator

_LENGTHS = "clips may be longer or shorter than in fit; replaced by check_other_lengths_after_fit"
_INTEGERS = "integers have no full scale; replaced by check_integers_refused and check_float32"
_SETS = "the reference is the whole set, not that of the pair; replaced by check_distance_of_sets"

_OF_SIGNALS = {
    "check_n_features_in_after_fitting": _LENGTHS,
    "check_estimators_dtypes": _INTEGERS,
}

# By the name of the class or of one of its bases.
_EXPECTED: dict[str, dict[str, str]] = {
    "Degrade": _OF_SIGNALS,
    "PESQ": {
        "check_bounds": "silence has no value; replaced by check_identity_is_best and "
        "check_more_noise_is_worse"
    },
    "SetDistance": {
        **_OF_SIGNALS,
        "check_identity_is_best": _SETS,
        "check_more_noise_is_worse": _SETS,
        "check_transformer_general": _LENGTHS,
    },
    "SignalTransformer": _OF_SIGNALS,
    "TorchEmbedding": {
        "check_saved_state": "holds the user's module; replaced by check_estimators_pickle"
    },
}


def expected_failed_checks(estimator: BaseEstimator) -> dict[str, str]:
    """Name the checks that an estimator cannot pass by design, and what replaces each.

    Parameters
    ----------
    estimator : estimator
        An estimator of this package, or of a class derived from one.

    Returns
    -------
    dict of str to str
        Reasons by name of the check, as the parameter of the same name of scikit-learn's
        ``parametrize_with_checks`` and ``check_estimator`` wants them.

    Examples
    --------
    >>> from skperceptual import Normalize
    >>> from skperceptual.utils.estimator_checks import expected_failed_checks
    >>> sorted(expected_failed_checks(Normalize()))
    ['check_estimators_dtypes', 'check_n_features_in_after_fitting']
    """
    reasons: dict[str, str] = {}
    for cls in reversed(type(estimator).__mro__):
        reasons |= _EXPECTED.get(cls.__name__, {})
    return reasons
