"""Checks that hold estimators, also those that users write, to what this package promises.

scikit-learn's own checks feed tables to an estimator. The ones here feed it signals, pairs,
images and Pyramids: is the result for a clip the same, to the last bit, alone and in its batch?
Is a copy of the reference the best there is? Is damaged input refused with its row? Which
checks apply follows from the estimator's tags and attributes.

``parametrize_with_checks`` makes one pytest test a check, ``check_estimator`` runs them all, and
``flat`` lets scikit-learn's checks run on estimators whose X is no table.
"""

from skperceptual.utils.estimator_checks.adapters import flat
from skperceptual.utils.estimator_checks.catalogue import (
    SMALL_SIZES,
    TEST_PARAMETERS,
    all_estimators,
    small_estimators,
)
from skperceptual.utils.estimator_checks.expectations import expected_failed_checks
from skperceptual.utils.estimator_checks.result_checks import assert_plain_state
from skperceptual.utils.estimator_checks.suite import (
    check_estimator,
    describe_check,
    estimator_checks_generator,
    parametrize_with_checks,
)

__all__ = [
    "SMALL_SIZES",
    "TEST_PARAMETERS",
    "all_estimators",
    "assert_plain_state",
    "check_estimator",
    "describe_check",
    "estimator_checks_generator",
    "expected_failed_checks",
    "flat",
    "parametrize_with_checks",
    "small_estimators",
]
